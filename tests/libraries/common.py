"""What the programs share: numbers that are the same under both imports, and a table of the programs."""

from __future__ import annotations

import numpy as np
import torch

PROGRAMS = {}
LACKING = {}


def library(package, lacks=""):
    """Registers a program of that package; it returns tensors, numbers, and lists and dicts of them.

    lacks: what lamina has not got yet; such a program runs only where it is asked for by name.
    """

    def register(function):
        PROGRAMS[package] = function
        if lacks:
            LACKING[package] = lacks
        return function

    return register


def array(*shape, seed=0, scale=1.0):
    """Normal numbers in float64."""
    return torch.tensor(np.random.RandomState(seed).standard_normal(shape) * scale)


def whole(high, *shape, seed=0):
    """Whole numbers below `high`."""
    return torch.tensor(np.random.RandomState(seed).randint(0, high, shape))


def filled(module, seed=7, scale=0.3):
    """The module in float64 with weights that do not come from torch's generator."""
    module.double()
    with torch.no_grad():
        for i, (_, p) in enumerate(sorted(module.named_parameters())):
            p.copy_(array(*p.shape, seed=seed + i, scale=scale) + (1.0 if p.dim() == 1 else 0.0))
    return module


def grads(module):
    """Every gradient by name."""
    return {name: p.grad for name, p in module.named_parameters() if p.grad is not None}


def through(module, *inputs, **options):
    """The output and all gradients of sum(sin(output))."""
    out = module(*inputs, **options)
    first = out[0] if isinstance(out, tuple) else out
    torch.sin(first).sum().backward()
    return {"out": first, **grads(module)}


def network(seed=3):
    from torch import nn

    return filled(nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 3)), seed)


def trained(make, steps=6):
    """Weights after some steps of an optimizer of the usual kind on a small regression."""
    model = network()
    x, y = array(16, 4, seed=1), array(16, 3, seed=2)
    optimizer = make(model)
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = ((model(x) - y) ** 2).mean()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return {"losses": losses, "weights": list(model.parameters())}
