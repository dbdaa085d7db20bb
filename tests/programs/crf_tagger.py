"""A BiLSTM tagger with a linear-chain CRF: forward algorithm by logsumexp, Viterbi by max, masks for padding."""

import numpy as np
import torch
import torch.nn as nn

rng = np.random.RandomState(13)
dtype = torch.get_default_dtype()
vocab, tags, hidden = 15, 4, 8


class CRF(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.start, self.end = nn.Parameter(torch.zeros(n)), nn.Parameter(torch.zeros(n))
        self.transitions = nn.Parameter(torch.zeros(n, n))

    def score(self, emissions, labels, mask):
        total = self.start[labels[:, 0]] + emissions[:, 0].gather(1, labels[:, :1]).squeeze(1)
        for t in range(1, emissions.shape[1]):
            step = self.transitions[labels[:, t - 1], labels[:, t]]
            step = step + emissions[:, t].gather(1, labels[:, t : t + 1]).squeeze(1)
            total = total + step * mask[:, t]
        last = labels.gather(1, (mask.sum(1).long() - 1).unsqueeze(1)).squeeze(1)
        return total + self.end[last]

    def normalizer(self, emissions, mask):
        alpha = self.start + emissions[:, 0]
        for t in range(1, emissions.shape[1]):
            step = torch.logsumexp(alpha.unsqueeze(2) + self.transitions + emissions[:, t].unsqueeze(1), dim=1)
            alpha = torch.where(mask[:, t].bool().unsqueeze(1), step, alpha)
        return torch.logsumexp(alpha + self.end, dim=1)

    def decode(self, emissions):
        score, history = self.start + emissions[:, 0], []
        for t in range(1, emissions.shape[1]):
            best, place = (score.unsqueeze(2) + self.transitions).max(dim=1)
            score = best + emissions[:, t]
            history.append(place)
        tag = (score + self.end).argmax(dim=1)
        path = [tag]
        for place in reversed(history):
            tag = place.gather(1, tag.unsqueeze(1)).squeeze(1)
            path.append(tag)
        return torch.stack(path[::-1], dim=1)


class Tagger(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(vocab, 6)
        self.lstm = nn.LSTM(6, hidden, bidirectional=True, batch_first=True)
        self.linear = nn.Linear(2 * hidden, tags)
        self.crf = CRF(tags)

    def forward(self, words):
        return self.linear(self.lstm(self.embedding(words))[0])


model = Tagger()
for p in model.parameters():
    p.data.copy_(torch.from_numpy(rng.randn(*p.shape) * 0.3))
words = torch.from_numpy(rng.randint(0, vocab, (20, 7))).long()
labels = (words + torch.roll(words, 1, dims=1)) % tags
lengths = torch.from_numpy(rng.randint(3, 8, 20))
mask = (torch.arange(7)[None, :] < lengths[:, None]).to(dtype)
optimizer = torch.optim.Adagrad(model.parameters(), lr=0.3)
losses = []
for step in range(15):
    model.zero_grad()
    emissions = model(words)
    loss = (model.crf.normalizer(emissions, mask) - model.crf.score(emissions, labels, mask)).mean()
    loss.backward()
    nn.utils.clip_grad_value_(model.parameters(), 1.0)
    optimizer.step()
    losses.append(loss.item())
with torch.no_grad():
    paths = model.crf.decode(model(words))
right = ((paths == labels).to(dtype) * mask).sum() / mask.sum()
result = {
    "losses": losses,
    "paths": paths.numpy() + 1,
    "right": right.item(),
    "transitions": model.crf.transitions.detach().numpy(),
}
