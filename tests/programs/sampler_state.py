"""A sampler that can go on where it stood: a run broken in the middle of an epoch equals one in one piece."""

import io

import numpy as np
import torch
from torch import nn
from torch.utils.data import BatchSampler, DataLoader, Dataset, Sampler

dtype = torch.get_default_dtype()


class ResumableSampler(Sampler):
    """Its own permutation of each epoch; counts what it has given out."""

    def __init__(self, data_source, seed=0):
        self.data_source, self.seed, self.epoch, self.start = data_source, seed, 0, 0

    def set_epoch(self, epoch):
        self.epoch = epoch

    def __iter__(self):
        order = np.random.RandomState(self.seed + self.epoch).permutation(len(self.data_source)).tolist()
        for place in range(self.start, len(order)):
            self.start = place + 1
            yield order[place]
        self.start = 0

    def __len__(self):
        return len(self.data_source) - self.start

    def state_dict(self):
        return {"epoch": self.epoch, "start": self.start}

    def load_state_dict(self, state):
        self.epoch, self.start = state["epoch"], state["start"]


class Squares(Dataset):
    def __init__(self):
        self.x = np.random.RandomState(3).randn(36, 3)

    def __len__(self):
        return 36

    def __getitem__(self, i):
        return torch.tensor(self.x[i], dtype=dtype), torch.tensor([(self.x[i] ** 2).sum()], dtype=dtype)


def start():
    model = nn.Sequential(nn.Linear(3, 10), nn.ELU(), nn.Linear(10, 1))
    rng = np.random.RandomState(4)
    for p in model.parameters():
        p.data.copy_(torch.from_numpy(rng.randn(*p.shape) * 0.5))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
    return model, optimizer, ResumableSampler(Squares())


def train(model, optimizer, sampler, steps, losses, epochs=(0, 1, 2)):
    for epoch in epochs:
        sampler.set_epoch(epoch)
        for x, y in DataLoader(sampler.data_source, batch_sampler=BatchSampler(sampler, 6, False)):
            optimizer.zero_grad()
            loss = nn.functional.mse_loss(model(x), y)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
            if len(losses) == steps:
                return
    return


model, optimizer, sampler = start()
losses = []
train(model, optimizer, sampler, 18, losses)

broken, optimizer, sampler = start()
first = []
train(broken, optimizer, sampler, 9, first)  # three batches into the second epoch
file = io.BytesIO()
torch.save({"model": broken.state_dict(), "optim": optimizer.state_dict(), "sampler": sampler.state_dict()}, file)
file.seek(0)
resumed, optimizer, sampler = start()
state = torch.load(file)
resumed.load_state_dict(state["model"])
optimizer.load_state_dict(state["optim"])
sampler.load_state_dict(state["sampler"])
assert (sampler.epoch, sampler.start, len(sampler)) == (1, 18, 18)
train(resumed, optimizer, sampler, 18, first, epochs=(1, 2))
assert first == losses
result = {"losses": losses, "weight": resumed[0].weight.detach().numpy(), "first": first[:9]}
