"""A RealNVP flow on two moons, with its exact log-likelihood, and the same by torch.distributions' transforms."""

import numpy as np
import torch
import torch.nn as nn
from torch import distributions as D
from torch.distributions import transforms

rng = np.random.RandomState(14)
dtype = torch.get_default_dtype()


class Coupling(nn.Module):
    def __init__(self, mask):
        super().__init__()
        self.register_buffer("mask", mask)
        self.net = nn.Sequential(nn.Linear(2, 12), nn.LeakyReLU(0.1), nn.Linear(12, 4))

    def forward(self, x):
        s, t = self.net(x * self.mask).chunk(2, dim=1)
        s, t = torch.tanh(s) * (1 - self.mask), t * (1 - self.mask)
        return x * torch.exp(s) + t, s.sum(1)

    def inverse(self, y):
        s, t = self.net(y * self.mask).chunk(2, dim=1)
        s, t = torch.tanh(s) * (1 - self.mask), t * (1 - self.mask)
        return (y - t) * torch.exp(-s)


class Flow(nn.Module):
    def __init__(self, layers=4):
        super().__init__()
        masks = torch.tensor([[0.0, 1.0], [1.0, 0.0]] * (layers // 2))
        self.layers = nn.ModuleList([Coupling(mask) for mask in masks])
        self.register_buffer("loc", torch.zeros(2))
        self.register_buffer("cov", torch.eye(2))

    @property
    def prior(self):
        return D.MultivariateNormal(self.loc, self.cov)

    def log_prob(self, x):
        total = x.new_zeros(x.shape[0])
        for layer in self.layers:
            x, log_det = layer(x)
            total += log_det
        return self.prior.log_prob(x) + total

    def inverse(self, z):
        for layer in reversed(self.layers):
            z = layer.inverse(z)
        return z


angle = np.pi * rng.rand(100)
moons = np.concatenate(
    [np.stack([np.cos(angle), np.sin(angle)], 1), np.stack([1 - np.cos(angle), 0.5 - np.sin(angle)], 1)]
)
x = torch.tensor(moons + 0.05 * rng.randn(200, 2), dtype=dtype)
flow = Flow()
for p in flow.parameters():
    p.data.copy_(torch.from_numpy(rng.randn(*p.shape) * 0.3))
optimizer = torch.optim.AdamW(flow.parameters(), lr=1e-2, weight_decay=1e-4)
losses = []
for step in range(20):
    loss = -flow.log_prob(x).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    losses.append(loss.item())
with torch.no_grad():
    z = x[:10]
    for layer in flow.layers:
        z, _ = layer(z)
    back = flow.inverse(z)
affine = transforms.ComposeTransform([transforms.AffineTransform(0.5, 2.0), transforms.SigmoidTransform()])
squashed = D.TransformedDistribution(D.Normal(torch.zeros(3), 1.0), affine)
values = torch.tensor([0.2, 0.5, 0.9])
constraint = D.transform_to(D.constraints.simplex)(torch.tensor([0.1, -0.4, 0.7]))
result = {
    "losses": losses,
    "z": z.numpy(),
    "apart": [1.0 + float((back - x[:10]).abs().max() < 1e-4)],
    "squashed": squashed.log_prob(values).numpy(),
    "cdf": squashed.cdf(values).numpy(),
    "simplex": constraint.numpy(),
}
