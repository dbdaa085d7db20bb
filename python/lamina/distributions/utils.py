"""Broadcasting of parameters, probabilities and logits, and a few functions."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import lamina

from .._C import Tensor

Shape = tuple[int, ...]
V = TypeVar("V")


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


def clamp_probs(probs: Tensor) -> Tensor:
    """Kept off 0 and 1 by the rounding unit of the dtype."""
    eps = _EPS[probs.dtype]
    return probs.clamp(eps, 1 - eps)


def uniform_inside(shape: Sequence[int], like: Tensor) -> Tensor:
    """Uniform numbers in the open interval (0, 1), with the dtype and device of `like`."""
    return clamp_probs(lamina.rand(tuple(shape), dtype=like.dtype, device=like.device))


def sum_rightmost(value: Tensor, dims: int) -> Tensor:
    """The sum over the last `dims` dims."""
    return value.sum(tuple(range(-dims, 0))) if dims else value


_sum_rightmost = sum_rightmost  # the names that programs import


def _standard_normal(shape: Sequence[int], dtype: Any, device: Any) -> Tensor:
    return lamina.randn(tuple(shape), dtype=dtype, device=device)


class lazy_property(functools.cached_property[V]):
    """An attribute computed on its first reading, with gradients recorded also where they are off."""

    def __init__(self, wrapped: Callable[[Any], V]) -> None:
        def compute(instance: Any) -> V:
            with lamina.enable_grad():
                return wrapped(instance)

        super().__init__(functools.update_wrapper(compute, wrapped))


def vec_to_tril_matrix(vec: Tensor, diag: int = 0) -> Tensor:
    """(*, D) -> (*, N, N): the vector row by row in the triangle below diagonal `diag`, 0 elsewhere."""
    count = vec.shape[-1]
    size = round((-(1 + 2 * diag) + ((1 + 2 * diag) ** 2 + 8 * count + 4 * abs(diag) * (diag + 1)) ** 0.5) / 2)
    rows, columns = lamina.tril_indices(size, size, diag)
    if len(rows) != count:
        raise lamina.ShapeError(f"vec_to_tril_matrix: {count} elements fill no triangle below diagonal {diag}")
    zeros = lamina.zeros((*vec.shape[:-1], size * size), dtype=vec.dtype, device=vec.device)
    filled = zeros.index_copy(-1, (rows * size + columns).to(vec.device), vec)
    return filled.reshape(*vec.shape[:-1], size, size)


def tril_matrix_to_vec(mat: Tensor, diag: int = 0) -> Tensor:
    """(*, N, N) -> (*, D): the triangle below diagonal `diag`, row by row."""
    size = mat.shape[-1]
    if not -size <= diag < size:
        raise ValueError(f"tril_matrix_to_vec: diag {diag} is outside [{-size}, {size - 1}]")
    rows, columns = lamina.tril_indices(size, size, diag)
    return mat.flatten(-2).index_select(-1, (rows * size + columns).to(mat.device))
