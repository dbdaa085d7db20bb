"""A mixture density network, and a policy trained by its score function, on torch.distributions."""

import numpy as np
import torch
import torch.nn as nn
from torch.distributions import (
    Categorical,
    Independent,
    MixtureSameFamily,
    Normal,
    TanhTransform,
    TransformedDistribution,
    kl_divergence,
)

rng = np.random.RandomState(8)
dtype = torch.get_default_dtype()


class MDN(nn.Module):
    def __init__(self, hidden=16, k=3):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(1, hidden), nn.Tanh())
        self.pi, self.mu, self.sigma = (nn.Linear(hidden, k) for _ in range(3))

    def forward(self, x):
        h = self.body(x)
        return MixtureSameFamily(Categorical(logits=self.pi(h)), Normal(self.mu(h), self.sigma(h).exp()))


def init(model):
    for p in model.parameters():
        p.data.copy_(torch.from_numpy(rng.randn(*p.shape) * 0.7))


t = rng.rand(120, 1)
x = torch.tensor(t + 0.3 * np.sin(2 * np.pi * t) + 0.02 * rng.randn(120, 1), dtype=dtype)
y = torch.tensor(t[:, 0], dtype=dtype)
model = MDN()
init(model)
optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
losses = []
for step in range(30):
    loss = -model(x).log_prob(y).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    losses.append(loss.item())
mixture = model(x)

policy = nn.Linear(3, 4)
init(policy)
old = Categorical(logits=policy(torch.ones(1, 3)).detach())
optimizer = torch.optim.SGD(policy.parameters(), lr=0.5)
states = torch.tensor(rng.randn(40, 3), dtype=dtype)
actions = torch.tensor(rng.randint(0, 4, 40))
reward = (actions == 2).to(dtype) - 0.25
for step in range(10):
    dist = Categorical(logits=policy(states))
    objective = -(dist.log_prob(actions) * reward).mean() - 0.01 * dist.entropy().mean()
    optimizer.zero_grad()
    objective.backward()
    optimizer.step()
new = Categorical(logits=policy(torch.ones(1, 3)).detach())
squashed = TransformedDistribution(Normal(torch.zeros(2), torch.ones(2)), [TanhTransform(cache_size=1)])
joint = Independent(Normal(torch.zeros(3, 2), torch.ones(3, 2)), 1)
result = {
    "losses": losses,
    "mean": mixture.mean.detach().numpy(),
    "variance": mixture.variance.detach().numpy(),
    "kl": kl_divergence(old, new).numpy(),
    "probs": new.probs.numpy(),
    "squashed": squashed.log_prob(torch.tensor([0.3, -0.8])).numpy(),
    "joint": joint.log_prob(torch.full((3, 2), 0.5)).numpy(),
}
