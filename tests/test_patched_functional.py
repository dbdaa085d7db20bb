"""Layers call nn.functional's functions by their module, so that a program which replaces one is heard."""

from __future__ import annotations

import lamina
import pytest
from conftest import needs_torch, torch

LIBRARIES = [pytest.param(lamina, id="lamina"), pytest.param(torch, id="torch", marks=needs_torch)]
LAYERS = {
    "relu": lambda nn: nn.ReLU(),
    "leaky_relu": lambda nn: nn.LeakyReLU(),
    "elu": lambda nn: nn.ELU(),
    "selu": lambda nn: nn.SELU(),
    "silu": lambda nn: nn.SiLU(inplace=True),
    "mish": lambda nn: nn.Mish(),
    "hardtanh": lambda nn: nn.Hardtanh(),
    "hardsigmoid": lambda nn: nn.Hardsigmoid(),
    "hardswish": lambda nn: nn.Hardswish(),
    "gelu": lambda nn: nn.GELU(),
    "softplus": lambda nn: nn.Softplus(),
    "softmax": lambda nn: nn.Softmax(1),
    "linear": lambda nn: nn.Linear(4, 4),
    "conv2d": lambda nn: nn.Conv2d(2, 2, 1),
    "batch_norm": lambda nn: nn.BatchNorm2d(2),
    "layer_norm": lambda nn: nn.LayerNorm(4),
    "group_norm": lambda nn: nn.GroupNorm(1, 2),
    "dropout": lambda nn: nn.Dropout(0.5),
    "max_pool2d": lambda nn: nn.MaxPool2d(2),
    "unfold": lambda nn: nn.Unfold(2),
}


@pytest.mark.parametrize("lib", LIBRARIES)
@pytest.mark.parametrize("name", LAYERS)
def test_a_patched_function_is_called(lib, name, monkeypatch):
    F = lib.nn.functional
    layer, x, said = LAYERS[name](lib.nn), lib.ones(1, 2, 4, 4), []
    real = getattr(F, name)

    def patched(*args, **kwargs):
        said.append(name)
        return real(*args, **kwargs)

    expected = None if name == "dropout" else layer(x.clone())
    monkeypatch.setattr(F, name, patched)
    got = layer(x.clone())
    # PyTorch calls itself once more under a mode that another test of the process may have left on.
    assert said == [name] or (lib is torch and set(said) == {name})
    assert expected is None or got.tolist() == expected.tolist()
    monkeypatch.undo()
    before = len(said)
    layer(x.clone())
    assert len(said) == before


@pytest.mark.parametrize("lib", LIBRARIES)
def test_losses_too(lib, monkeypatch):
    monkeypatch.setattr(lib.nn.functional, "cross_entropy", lambda *args, **kwargs: "mine")
    assert lib.nn.CrossEntropyLoss()(lib.zeros(1, 2), lib.tensor([0])) == "mine"
