"""Samples as dicts with nested entries, a collate function with padding, weighted sampling, two heads."""

import numpy as np
import torch
from torch import nn
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import DataLoader, Dataset, Subset, WeightedRandomSampler, default_collate

rng = np.random.RandomState(7)
dtype = torch.get_default_dtype()


class Notes(Dataset):
    def __init__(self, n):
        self.items = []
        for i in range(n):
            size = rng.randint(3, 9)
            tokens = rng.randint(1, 12, size)
            self.items.append((tokens, float(tokens.mean() > 6), tokens.sum() / 50.0))

    def __len__(self):
        return len(self.items)

    def __getitem__(self, index):
        tokens, label, amount = self.items[index]
        return {
            "tokens": torch.from_numpy(tokens).long(),
            "target": {"label": np.float64(label), "amount": amount},
            "name": "note{}".format(index),
            "size": len(tokens),
        }


def collate(batch):
    tokens = pad_sequence([item.pop("tokens") for item in batch], batch_first=True)
    out = default_collate(batch)
    out["tokens"] = tokens
    return out


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(12, 8, padding_idx=0)
        self.gru = nn.GRU(8, 10, batch_first=True)
        self.heads = nn.ModuleDict({"label": nn.Linear(10, 1), "amount": nn.Linear(10, 1)})

    def forward(self, batch):
        packed = nn.utils.rnn.pack_padded_sequence(
            self.embed(batch["tokens"]), batch["size"], batch_first=True, enforce_sorted=False
        )
        _, hidden = self.gru(packed)
        return {name: head(hidden[-1]).squeeze(-1) for name, head in self.heads.items()}


dataset = Notes(64)
model = Model()
for p in model.parameters():
    p.data.copy_(torch.from_numpy(rng.randn(*p.shape) * 0.4))
model.embed.weight.data[0].zero_()
loader = DataLoader(dataset, batch_size=16, collate_fn=collate)
optimizer = torch.optim.Adam(model.parameters(), lr=0.03)
losses, names = [], []
for epoch in range(8):
    for batch in loader:
        output = model(batch)
        target = {k: v.to(dtype) for k, v in batch["target"].items()}
        loss = nn.functional.binary_cross_entropy_with_logits(output["label"], target["label"])
        loss = loss + nn.functional.l1_loss(output["amount"], target["amount"])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    losses.append(loss.item())
    names.append(batch["name"][-1])
assert names[-1] == "note63"
last = default_collate([dataset[i]["target"] for i in (1, 5)])
subset = Subset(dataset, range(0, 64, 7))
picked = list(WeightedRandomSampler([0.0, 0.0, 1.0, 0.0], 5))
result = {
    "losses": losses,
    "label": output["label"].detach().numpy(),
    "last": [last["label"].numpy() + 1, last["amount"].numpy()],
    "picked": picked,
    "subset": [len(subset), subset[3]["size"]],
}
