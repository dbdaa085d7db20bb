"""A module with state that is no tensor, saved and loaded through a file in memory in the middle of training."""

import collections
import io

import numpy as np
import torch
from torch import nn

rng = np.random.RandomState(6)
dtype = torch.get_default_dtype()


class RunningScale(nn.Module):
    """Divides by a running size of its input; the count and the settings travel in the extra state."""

    def __init__(self, momentum=0.1):
        super().__init__()
        self.momentum, self.count, self.history = momentum, 0, collections.OrderedDict()
        self.register_buffer("size", torch.ones(()))

    def get_extra_state(self):
        return {"count": self.count, "momentum": self.momentum, "history": dict(self.history)}

    def set_extra_state(self, state):
        self.count, self.momentum = state["count"], state["momentum"]
        self.history = collections.OrderedDict(state["history"])

    def forward(self, x):
        if self.training:
            with torch.no_grad():
                self.size.mul_(1 - self.momentum).add_(x.abs().mean(), alpha=self.momentum)
            self.count += 1
            self.history["step{}".format(self.count)] = round(float(self.size), 3)
        return x / self.size


def build(momentum=0.1):
    return nn.Sequential(nn.Linear(4, 8), RunningScale(momentum), nn.Tanh(), nn.Linear(8, 1))


model = build(momentum=0.3)
for p in model.parameters():
    p.data.copy_(torch.from_numpy(rng.randn(*p.shape)))
x = torch.tensor(rng.randn(40, 4) * 3, dtype=dtype)
y = x.sum(1, keepdim=True).tanh()
optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
losses = []
for step in range(24):
    if step == 12:
        buffer = io.BytesIO()
        torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict(), "step": step}, buffer)
        buffer.seek(0)
        checkpoint = torch.load(buffer)
        model = build()
        assert "1._extra_state" in checkpoint["model"]
        model.load_state_dict(checkpoint["model"])
        optimizer = torch.optim.Adam(model.parameters(), lr=0.5)
        optimizer.load_state_dict(checkpoint["optimizer"])
        assert model[1].count == 12 and model[1].momentum == 0.3 and len(model[1].history) == 12
    loss = nn.functional.mse_loss(model(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    losses.append(loss.item())
result = {
    "losses": losses,
    "count": model[1].count,
    "size": model[1].size.item(),
    "history": list(model[1].history.values())[:3],
}
