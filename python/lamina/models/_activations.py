"""Activations of text and image transformers by name, and Hugging Face's names for them."""

from __future__ import annotations

from collections.abc import Callable

from .. import nn
from .._C import Tensor


class QuickGELU(nn.Module):
    """x * sigmoid(1.702 x): (*) -> (*)."""

    def forward(self, x: Tensor) -> Tensor:
        return x * (x * 1.702).sigmoid()


class SquaredReLU(nn.Module):
    """max(x, 0)^2: (*) -> (*)."""

    def forward(self, x: Tensor) -> Tensor:
        return x.relu().square()


_MADE: dict[str, Callable[[], nn.Module]] = {
    "relu": nn.ReLU,
    "gelu": nn.GELU,
    "gelu_tanh": lambda: nn.GELU("tanh"),
    "quick_gelu": QuickGELU,
    "silu": nn.SiLU,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
    "relu2": SquaredReLU,
    "relu6": nn.ReLU6,
    "leaky_relu": nn.LeakyReLU,
    "mish": nn.Mish,
    "linear": nn.Identity,
}
NAMES = tuple(_MADE)
_THEIRS = {
    **{name: name for name in NAMES if name != "gelu_tanh"},
    **dict.fromkeys(("gelu_new", "gelu_pytorch_tanh", "gelu_fast", "gelu_accurate"), "gelu_tanh"),
    "gelu_python": "gelu",
    "swish": "silu",
}


def activation(name: str) -> nn.Module:
    """The layer of that name, one of NAMES."""
    return _MADE[name]()


def theirs(owner: str, key: str, name: object) -> str:
    """The name of an activation in Hugging Face's config.json -> one of NAMES; ValueError for others."""
    if not isinstance(name, str) or name not in _THEIRS:
        raise ValueError(f"{owner}: config.json says {key} {name!r}; known are {', '.join(_THEIRS)}")
    return _THEIRS[name]
