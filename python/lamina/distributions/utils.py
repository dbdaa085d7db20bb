"""Broadcasting of parameters, probabilities and logits, and a few functions."""

from __future__ import annotations

from typing import Any

import lamina

from .._C import Tensor

Shape = tuple[int, ...]


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
    shape = lamina.broadcast_shapes(*(v.shape for v in made))
    return tuple(v.expand(shape) for v in made)


_EPS = {lamina.float64: 2.0**-52, lamina.float32: 2.0**-23, lamina.bfloat16: 2.0**-7, lamina.float16: 2.0**-10}


def probs_to_logits(probs: Tensor, is_binary: bool = False) -> Tensor:
    eps = _EPS[probs.dtype]
    clamped = probs.clamp(eps, 1 - eps)
    return clamped.log() - (-clamped).log1p() if is_binary else clamped.log()


def logits_to_probs(logits: Tensor, is_binary: bool = False) -> Tensor:
    return logits.sigmoid() if is_binary else logits.softmax(-1)
