"""Broadcasting of parameters, probabilities and logits, and a few functions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import lamina

from .._C import Tensor

Shape = tuple[int, ...]


def broadcast_shapes(*shapes: Sequence[int]) -> Shape:
    """The common shape of all, by the rules of broadcasting."""
    out: list[int] = [1] * max(len(s) for s in shapes)
    for shape in shapes:
        for i in range(1, len(shape) + 1):
            size = shape[-i]
            if size != 1 and out[-i] not in (1, size):
                found = ", ".join(str(tuple(s)) for s in shapes)
                raise lamina.ShapeError(f"distributions: the shapes {found} do not broadcast together")
            out[-i] = size if size != 1 else out[-i]
    return tuple(out)


def broadcast_all(*values: Any) -> tuple[Tensor, ...]:
    """Numbers become tensors in the dtype and device of the tensors among them; all get the common shape."""
    tensors = [v for v in values if isinstance(v, Tensor)]
    floats = [v for v in tensors if v.is_floating_point()]
    like = next(iter(floats or tensors), None)
    made = []
    for value in values:
        if not isinstance(value, Tensor):
            dtype = like.dtype if like is not None and like.is_floating_point() else lamina.get_default_dtype()
            value = lamina.tensor(value, dtype=dtype, device=None if like is None else like.device)
        made.append(value)
    shape = broadcast_shapes(*(v.shape for v in made))
    return tuple(v.expand(shape) for v in made)


_EPS = {lamina.float64: 2.0**-52, lamina.float32: 2.0**-23, lamina.bfloat16: 2.0**-7, lamina.float16: 2.0**-10}


def probs_to_logits(probs: Tensor, is_binary: bool = False) -> Tensor:
    eps = _EPS[probs.dtype]
    clamped = probs.clamp(eps, 1 - eps)
    return clamped.log() - (-clamped).log1p() if is_binary else clamped.log()


def logits_to_probs(logits: Tensor, is_binary: bool = False) -> Tensor:
    return logits.sigmoid() if is_binary else logits.softmax(-1)


def xlogy(x: Tensor, y: Tensor) -> Tensor:
    """x log y, and 0 where both are 0."""
    zero = (x == 0) & (y <= 0)
    return x * lamina.where(zero, 1.0, y).log()


def _raised(x: Tensor) -> tuple[Tensor, Tensor]:
    """x + 8, where Stirling's series has full precision, and the product x (x + 1) ... (x + 7)."""
    product = x
    for i in range(1, 8):
        product = product * (x + i)
    return x + 8, product


def _exact(x: Tensor) -> Tensor:
    return x.to(lamina.float64)


def lgamma(x: Tensor) -> Tensor:
    """log of the gamma function for x > 0, by Stirling's series in float64."""
    low = _exact(x).clamp(max=1e30)
    y, product = _raised(low.clamp(max=1e6))
    y = lamina.where(low < 1e6, y, low)
    shift = lamina.where(low < 1e6, product.log(), 0.0)
    r = 1 / (y * y)
    series = 1 / 12 - r * (1 / 360 - r * (1 / 1260 - r * (1 / 1680 - r * (1 / 1188 - r * (691 / 360360 - r / 156)))))
    return ((y - 0.5) * y.log() - y + 0.5 * math.log(2 * math.pi) + series / y - shift).to(x.dtype)


def digamma(x: Tensor) -> Tensor:
    """The derivative of lgamma for x > 0."""
    low = _exact(x)
    shift = 1 / low
    for i in range(1, 8):
        shift = shift + 1 / (low + i)
    y = low + 8
    r = 1 / (y * y)
    series = 1 / 12 - r * (1 / 120 - r * (1 / 252 - r * (1 / 240 - r * (1 / 132 - r * (691 / 32760 - r / 12)))))
    return (y.log() - 0.5 / y - r * series - shift).to(x.dtype)


def erfinv(y: Tensor) -> Tensor:
    """The inverse of erf: Winitzki's approximation (2008), then Newton's method in float64."""
    wide = _exact(y)
    with lamina.no_grad():
        log = (1 - wide * wide).clamp(min=1e-300).log()
        half = 2 / (math.pi * 0.147) + log / 2
        x = ((half * half - log / 0.147).sqrt() - half).clamp(min=0).sqrt() * wide.sign()
        for _ in range(3):
            x = x - _erf_error(x, wide)
        x = lamina.where(wide.abs() == 1, wide * math.inf, x)
        inner = lamina.where(x.abs() < math.inf, x, 0.0)
    found = inner - _erf_error(inner, lamina.where(wide.abs() == 1, 0.0, wide))  # the step that is recorded
    return lamina.where(wide.abs() <= 1, lamina.where(wide.abs() == 1, x, found), math.nan).to(y.dtype)


def _erf_error(x: Tensor, y: Tensor) -> Tensor:
    """(erf(x) - y) / erf'(x), without cancellation in the tails."""
    sign = lamina.where(y < 0, -1.0, 1.0).to(lamina.float64)
    error = lamina.where(y.abs() < 0.5, x.erf() - y, sign * ((1 - y.abs()) - (sign * x).erfc()))
    return error * (x * x).exp() * (math.sqrt(math.pi) / 2)
