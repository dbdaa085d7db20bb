"""A character-level recurrent network that learns a short text and samples from it greedily."""

import numpy as np
import torch
from torch import nn

TEXT = (
    "the quick brown fox jumps over the lazy dog. pack my box with five dozen liquor jugs. "
    "how vexingly quick daft zebras jump! sphinx of black quartz, judge my vow. "
) * 8
chars = sorted(set(TEXT))
char2int = {ch: i for i, ch in enumerate(chars)}
int2char = dict(enumerate(chars))
encoded = np.array([char2int[ch] for ch in TEXT])


def get_batches(arr, batch_size, seq_length):
    """Yields (x, y) of shape batch_size x seq_length; y is x shifted by one."""
    n_batches = len(arr) // (batch_size * seq_length)
    arr = arr[: n_batches * batch_size * seq_length].reshape((batch_size, -1))
    for n in range(0, arr.shape[1], seq_length):
        x = arr[:, n : n + seq_length]
        y = np.zeros_like(x)
        y[:, :-1], y[:, -1] = x[:, 1:], arr[:, (n + seq_length) % arr.shape[1]]
        yield x, y


class CharRNN(nn.Module):
    def __init__(self, tokens, n_hidden=64, n_layers=2, cell="GRU"):
        super().__init__()
        self.n_tokens = len(tokens)
        self.n_hidden = n_hidden
        self.n_layers = n_layers
        self.cell = cell
        self.rnn = getattr(nn, cell)(self.n_tokens, n_hidden, n_layers, dropout=0.0, batch_first=True)
        self.dropout = nn.Dropout(p=0)
        self.fc = nn.Linear(n_hidden, self.n_tokens)

    def forward(self, x, hidden=None):
        x = nn.functional.one_hot(x, self.n_tokens).to(self.fc.weight.dtype)
        out, hidden = self.rnn(x, hidden)
        out = self.dropout(out)
        out = out.contiguous().view(-1, self.n_hidden)
        return self.fc(out), hidden

    def init_hidden(self, batch_size):
        weight = next(self.parameters()).data
        h = weight.new_zeros(self.n_layers, batch_size, self.n_hidden)
        if self.cell == "LSTM":
            return (h, h.clone())
        return h


def fill(net, seed):
    rng = np.random.RandomState(seed)
    state = net.state_dict()
    for name in state:
        state[name] = torch.as_tensor(rng.uniform(-0.2, 0.2, tuple(state[name].shape)), dtype=state[name].dtype)
    net.load_state_dict(state)


@torch.no_grad()
def sample(net, prime, size):
    net.eval()
    h = net.init_hidden(1)
    for ch in prime:
        logits, h = net(torch.tensor([[char2int[ch]]], device=device), h)
    text = prime
    for _ in range(size):
        top = logits.topk(3)[1].squeeze()[0]
        text += int2char[top.item()]
        logits, h = net(top.view(1, 1), h)
    return text


device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
result = {"losses": []}
for cell in ("GRU", "LSTM", "RNN"):
    net = CharRNN(chars, cell=cell).to(device)
    fill(net, seed=3)
    opt = torch.optim.Adam(net.parameters(), lr=0.01)
    criterion = nn.CrossEntropyLoss()
    losses = []
    for epoch in range(2):
        h = net.init_hidden(8)
        net.train()
        for x, y in get_batches(encoded, 8, 32):
            inputs, targets = torch.from_numpy(x).to(device), torch.from_numpy(y).to(device)
            h = tuple([each.data for each in h]) if cell == "LSTM" else h.data
            net.zero_grad()
            output, h = net(inputs, h)
            loss = criterion(output, targets.view(8 * 32))
            loss.backward()
            nn.utils.clip_grad_norm_(net.parameters(), 5)
            opt.step()
            losses.append(loss.item())
    if cell == "GRU":
        result["losses"] = losses
    else:
        result[f"{cell} losses"] = losses
    net.eval()
    with torch.no_grad():
        output, h = net(torch.from_numpy(encoded[None, :40]).to(device))
    result[f"{cell} output"] = output.cpu().numpy()
    result[f"{cell} text"] = len(sample(net, "the ", 12))
    print(cell, losses[0], losses[-1], sample(net, "the ", 12))
