"""A causal language model with rotary embeddings from cached tables, trained, then decoded with cached keys."""

import math

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

rng = np.random.RandomState(2)
dtype = torch.get_default_dtype()
vocab, width, heads, length = 11, 16, 2, 12


def rotate_half(x):
    x1, x2 = x.chunk(2, dim=-1)
    return torch.cat((-x2, x1), dim=-1)


class RotaryEmbedding(nn.Module):
    def __init__(self, dim, max_len=16, base=10000.0):
        super().__init__()
        inv_freq = 1.0 / (base ** (torch.arange(0, dim, 2).to(dtype) / dim))
        self.register_buffer("inv_freq", inv_freq, persistent=False)
        self._build_cache(max_len)

    def _build_cache(self, max_len):
        self.max_len = max_len
        t = torch.arange(max_len, dtype=self.inv_freq.dtype)
        freqs = torch.outer(t, self.inv_freq)
        emb = torch.cat((freqs, freqs), dim=-1)
        self.register_buffer("cos_cached", emb.cos()[None, None], persistent=False)
        self.register_buffer("sin_cached", emb.sin()[None, None], persistent=False)

    def forward(self, x, offset, seq_len):
        if offset + seq_len > self.max_len:
            self._build_cache(2 * self.max_len)
        cos = self.cos_cached[:, :, offset : offset + seq_len, ...].to(x.dtype)
        sin = self.sin_cached[:, :, offset : offset + seq_len, ...].to(x.dtype)
        return (x * cos) + (rotate_half(x) * sin)


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.out = nn.Linear(width, width, bias=False)
        self.rope = RotaryEmbedding(width // heads)

    def forward(self, x, cache=None):
        B, T, C = x.size()
        q, k, v = self.qkv(x).split(C, dim=2)
        q, k, v = (t.view(B, T, heads, C // heads).transpose(1, 2) for t in (q, k, v))
        past = 0 if cache is None else cache[0].shape[-2]
        q, k = self.rope(q, past, T), self.rope(k, past, T)
        if cache is not None:
            k, v = torch.cat([cache[0], k], dim=-2), torch.cat([cache[1], v], dim=-2)
        att = (q @ k.transpose(-2, -1)) * (1.0 / math.sqrt(k.size(-1)))
        mask = torch.ones(T, k.size(-2), dtype=torch.bool).tril(diagonal=past)
        att = att.masked_fill(~mask, torch.finfo(att.dtype).min)
        y = (F.softmax(att, dim=-1) @ v).transpose(1, 2).contiguous().view(B, T, C)
        return self.out(y), (k, v)


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.tok = nn.Embedding(vocab, width)
        self.attn = Attention()
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, vocab, bias=False)
        self.head.weight = self.tok.weight  # tied

    def forward(self, idx, cache=None):
        x = self.tok(idx)
        y, cache = self.attn(x, cache)
        return self.head(self.norm(x + y)), cache


model = Model()
for p in model.parameters():
    if p.dim() > 1:
        p.data.copy_(torch.from_numpy(rng.randn(*p.shape) * 0.3))
assert not any("cached" in name for name in model.state_dict())
sequence = np.cumsum(rng.randint(1, 3, (24, length + 1)), 1) % vocab
batch = torch.from_numpy(sequence).long()
optimizer = torch.optim.AdamW(model.parameters(), lr=2e-2, betas=(0.9, 0.95))
losses = []
for step in range(25):
    logits, _ = model(batch[:, :-1])
    loss = F.cross_entropy(logits.view(-1, logits.size(-1)), batch[:, 1:].reshape(-1))
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    optimizer.step()
    losses.append(loss.item())
with torch.no_grad():
    whole, _ = model(batch[:2, :-1])
    cache, steps = None, []
    for t in range(length):
        logits, cache = model(batch[:2, t : t + 1], cache)
        steps.append(logits)
    decoded = torch.cat(steps, dim=1)
    long, _ = model(torch.zeros(1, 20, dtype=torch.long))  # past the first table
result = {
    "losses": losses,
    "whole": whole.numpy(),
    "decoded": decoded.numpy(),
    "apart": [1.0 + float((whole - decoded).abs().max() < 1e-4)],
    "long": long.numpy(),
}
