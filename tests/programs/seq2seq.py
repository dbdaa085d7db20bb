"""Translation of number words by a GRU encoder and a decoder with Bahdanau's additive attention."""

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch import optim
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence, pad_sequence

PAD_token, SOS_token, EOS_token = 0, 1, 2
MAX_LENGTH = 9
device = torch.device("cuda" if torch.cuda.is_available() else "cpu")


class Lang:
    def __init__(self, name):
        self.name = name
        self.word2index = {}
        self.index2word = {0: "PAD", 1: "SOS", 2: "EOS"}
        self.n_words = 3

    def addSentence(self, sentence):
        for word in sentence.split(" "):
            if word not in self.word2index:
                self.word2index[word] = self.n_words
                self.index2word[self.n_words] = word
                self.n_words += 1


class EncoderRNN(nn.Module):
    def __init__(self, input_size, hidden_size):
        super(EncoderRNN, self).__init__()
        self.embedding = nn.Embedding(input_size, hidden_size, padding_idx=PAD_token)
        self.gru = nn.GRU(hidden_size, hidden_size, batch_first=True, bidirectional=True)
        self.fc = nn.Linear(2 * hidden_size, hidden_size)

    def forward(self, input, lengths):
        embedded = self.embedding(input)
        packed = pack_padded_sequence(embedded, lengths.cpu(), batch_first=True, enforce_sorted=False)
        output, hidden = self.gru(packed)
        output, _ = pad_packed_sequence(output, batch_first=True)
        hidden = torch.tanh(self.fc(torch.cat((hidden[-2], hidden[-1]), dim=1)))
        return self.fc(output), hidden.unsqueeze(0)


class BahdanauAttention(nn.Module):
    def __init__(self, hidden_size):
        super(BahdanauAttention, self).__init__()
        self.Wa = nn.Linear(hidden_size, hidden_size)
        self.Ua = nn.Linear(hidden_size, hidden_size)
        self.Va = nn.Linear(hidden_size, 1)

    def forward(self, query, keys, mask):
        scores = self.Va(torch.tanh(self.Wa(query) + self.Ua(keys)))
        scores = scores.squeeze(2).unsqueeze(1)
        scores = scores.masked_fill(~mask.unsqueeze(1), float("-inf"))
        weights = F.softmax(scores, dim=-1)
        return torch.bmm(weights, keys), weights


class AttnDecoderRNN(nn.Module):
    def __init__(self, hidden_size, output_size):
        super(AttnDecoderRNN, self).__init__()
        self.embedding = nn.Embedding(output_size, hidden_size)
        self.attention = BahdanauAttention(hidden_size)
        self.gru = nn.GRU(2 * hidden_size, hidden_size, batch_first=True)
        self.out = nn.Linear(hidden_size, output_size)

    def forward(self, encoder_outputs, encoder_hidden, mask, target_tensor=None):
        decoder_input = torch.empty(encoder_outputs.size(0), 1, dtype=torch.long, device=device).fill_(SOS_token)
        decoder_hidden = encoder_hidden
        decoder_outputs, attentions = [], []
        steps = MAX_LENGTH if target_tensor is None else target_tensor.size(1)
        for i in range(steps):
            embedded = self.embedding(decoder_input)
            query = decoder_hidden.permute(1, 0, 2)
            context, attn_weights = self.attention(query, encoder_outputs, mask)
            output, decoder_hidden = self.gru(torch.cat((embedded, context), dim=2), decoder_hidden)
            output = self.out(output)
            decoder_outputs.append(output)
            attentions.append(attn_weights)
            if target_tensor is not None:
                decoder_input = target_tensor[:, i].unsqueeze(1)  # Teacher forcing
            else:
                _, topi = output.topk(1)
                decoder_input = topi.squeeze(-1).detach()
        decoder_outputs = torch.cat(decoder_outputs, dim=1)
        return F.log_softmax(decoder_outputs, dim=-1), decoder_hidden, torch.cat(attentions, dim=1)


def fill(module, seed):
    generator = np.random.default_rng(seed)
    for p in module.parameters():
        with torch.no_grad():
            p[:] = torch.from_numpy(generator.uniform(-0.3, 0.3, tuple(p.shape)))
    return module


def ids(lang, sentence):
    return torch.tensor([lang.word2index[word] for word in sentence.split(" ")] + [EOS_token])


rng = np.random.RandomState(0)
english = "zero one two three four five six seven eight nine".split()
french = "nul un deux trois quatre cinq six sept huit neuf".split()
pairs = []
for _ in range(96):
    digits = rng.randint(0, 10, rng.randint(2, MAX_LENGTH - 1))
    pairs.append((" ".join(english[d] for d in digits), " ".join(french[d] for d in digits[::-1])))
input_lang, output_lang = Lang("eng"), Lang("fra")
for source, target in pairs:
    input_lang.addSentence(source)
    output_lang.addSentence(target)

encoder = fill(EncoderRNN(input_lang.n_words, 32), 1).to(device)
decoder = fill(AttnDecoderRNN(32, output_lang.n_words), 2).to(device)
encoder_optimizer = optim.Adam(encoder.parameters(), lr=0.01)
decoder_optimizer = optim.Adam(decoder.parameters(), lr=0.01)
criterion = nn.NLLLoss(ignore_index=PAD_token)
losses = []
for epoch in range(2):
    for start in range(0, len(pairs), 16):
        batch = pairs[start : start + 16]
        inputs = [ids(input_lang, s) for s, _ in batch]
        lengths = torch.tensor([len(s) for s in inputs])
        input_tensor = pad_sequence(inputs, batch_first=True, padding_value=PAD_token).to(device)
        target_tensor = pad_sequence([ids(output_lang, t) for _, t in batch], batch_first=True).to(device)
        mask = input_tensor != PAD_token
        encoder_optimizer.zero_grad()
        decoder_optimizer.zero_grad()
        encoder_outputs, encoder_hidden = encoder(input_tensor, lengths)
        decoder_outputs, _, _ = decoder(encoder_outputs, encoder_hidden, mask, target_tensor)
        loss = criterion(decoder_outputs.view(-1, decoder_outputs.size(-1)), target_tensor.view(-1))
        loss.backward()
        encoder_optimizer.step()
        decoder_optimizer.step()
        losses.append(loss.item())

encoder.eval()
decoder.eval()
with torch.no_grad():
    encoder_outputs, encoder_hidden = encoder(input_tensor, lengths)
    decoder_outputs, _, attentions = decoder(encoder_outputs, encoder_hidden, mask)
    words = [output_lang.index2word[i] for i in decoder_outputs[0].argmax(-1).tolist()]
print(losses[0], losses[-1], " ".join(words))
result = {"losses": losses, "attentions": attentions.cpu().numpy(), "hidden": encoder_hidden.cpu().numpy()}
