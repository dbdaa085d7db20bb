"""Forms of calls that PyTorch keeps for older programs: softmax without dim, size_average and reduce of losses, norms by
name. The engine asks here only when none of its own signatures fits."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

from .. import _C
from .._C import Tensor
from .._C import functional as _F

# Arguments of losses in PyTorch's order.
_LOSSES = {
    name: order.split()
    for name, order in {
        "cross_entropy": "input target weight size_average ignore_index reduce reduction label_smoothing",
        "nll_loss": "input target weight size_average ignore_index reduce reduction",
        "mse_loss": "input target size_average reduce reduction weight",
        "l1_loss": "input target size_average reduce reduction weight",
        "smooth_l1_loss": "input target size_average reduce reduction beta",
        "binary_cross_entropy": "input target weight size_average reduce reduction",
        "binary_cross_entropy_with_logits": "input target weight size_average reduce reduction pos_weight",
        "kl_div": "input target size_average reduce reduction log_target",
        "hinge_embedding_loss": "input target margin size_average reduce reduction",
        "margin_ranking_loss": "input1 input2 target margin size_average reduce reduction",
        "soft_margin_loss": "input target size_average reduce reduction",
        "multi_margin_loss": "input target p margin weight size_average reduce reduction",
        "multilabel_margin_loss": "input target size_average reduce reduction",
        "multilabel_soft_margin_loss": "input target weight size_average reduce reduction",
        "triplet_margin_loss": "anchor positive negative margin p eps swap size_average reduce reduction",
        "cosine_embedding_loss": "input1 input2 target margin size_average reduce reduction",
        "poisson_nll_loss": "input target log_input full size_average eps reduce reduction",
    }.items()
}


def call(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The result of operation `name` where these arguments are such a form, else NotImplemented."""
    if name in _LOSSES:
        return _loss(name, args, kwargs)
    form = _FORMS.get(name)
    return NotImplemented if form is None else form(args, kwargs)


def _bound(order: list[str], args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any] | None:
    """Arguments by name, or None where they do not fit."""
    if len(args) > len(order):
        return None
    given = dict(zip(order, args, strict=False))
    if any(k in given or k not in order for k in kwargs):
        return None
    return {**given, **kwargs}


def reduction_of(size_average: bool | None, reduce: bool | None, stacklevel: int = 3) -> str:
    """'mean', 'sum' or 'none' for PyTorch's older pair of flags (None is True), with a warning."""
    found = "none" if reduce is False else "sum" if size_average is False else "mean"
    warnings.warn(f"size_average and reduce are older names; write reduction={found!r} instead", stacklevel=stacklevel)
    return found


def _loss(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    given = _bound(_LOSSES[name], args, kwargs)
    if given is None:
        return NotImplemented
    older = {"size_average", "reduce"} & given.keys()
    weighs = name in ("mse_loss", "l1_loss") and given.get("weight") is not None
    flags = [given.pop(k, None) for k in ("size_average", "reduce")]
    if not (older or weighs) or any(not isinstance(f, (bool, type(None))) for f in flags):
        return NotImplemented
    if any(f is not None for f in flags):
        given["reduction"] = reduction_of(flags[0], flags[1], stacklevel=4)
    return _weighted(name, given) if weighs else _again(name, given)


def _again(name: str, given: dict[str, Any]) -> Any:
    return getattr(_F, name)(**{k: v for k, v in given.items() if v is not None})


def _weighted(name: str, given: dict[str, Any]) -> Any:
    """mse_loss and l1_loss with a weight of input's shape; their mean is divided by the weights' sum."""
    weight = given.pop("weight")
    reduction = given.pop("reduction", "mean")
    if weight.shape != given["input"].shape:
        raise _C.ShapeError(f"{name}: weight must have input's shape {given['input'].shape}, got {weight.shape}")
    terms = _again(name, {**given, "reduction": "none"}) * weight
    if reduction == "none":
        return terms
    if reduction not in ("mean", "sum"):
        raise _C.InvalidValue(f"{name}: reduction must be 'none', 'mean' or 'sum', got {reduction!r}")
    return terms.sum() / weight.sum() if reduction == "mean" else terms.sum()


def _softmax(name: str) -> Callable[[tuple[Any, ...], dict[str, Any]], Any]:
    def form(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        given = _bound(["input", "dim", "_stacklevel", "dtype"], args, kwargs)
        if given is None or not isinstance(given.get("input"), Tensor):
            return NotImplemented
        dim, level = given.get("dim"), given.get("_stacklevel", 3)
        if not isinstance(level, int) or (dim is not None and "_stacklevel" not in given):
            return NotImplemented
        if dim is None:
            dim = implicit_dim(name, given["input"], level + 1)
        return getattr(_F, name)(given["input"], dim, dtype=given.get("dtype"))

    return form


def implicit_dim(name: str, input: Tensor, stacklevel: int = 3) -> int:
    """PyTorch's guess for softmax without dim: 0 for 0, 1 and 3 dims, else 1; with a warning."""
    dim = 0 if input.dim() in (0, 1, 3) else 1
    warnings.warn(f"{name} without dim takes dim {dim} here, as in PyTorch; write dim={dim}", stacklevel=stacklevel)
    return dim


def _norm(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    given = _bound(["input", "p", "dim", "keepdim", "dtype"], args, kwargs)
    if given is None or not isinstance(given.get("p"), str) or not isinstance(given.get("input"), Tensor):
        return NotImplemented
    x, dim, keepdim = given["input"], given.get("dim"), given.get("keepdim", False)
    if given["p"] == "fro":
        return _C.norm(x, 2, dim, keepdim, given.get("dtype"))
    if given["p"] != "nuc":
        raise _C.InvalidValue(f"norm: p must be a number, 'fro' or 'nuc', got {given['p']!r}")
    if dim is None and x.dim() != 2:
        raise _C.ShapeError(f"norm: p='nuc' needs a matrix or two dims, got shape {tuple(x.shape)}")
    from ..linalg import matrix_norm

    return matrix_norm(x, "nuc", (0, 1) if dim is None else dim, keepdim, dtype=given.get("dtype"))


_FORMS: dict[str, Callable[[tuple[Any, ...], dict[str, Any]], Any]] = {
    "softmax": _softmax("softmax"),
    "log_softmax": _softmax("log_softmax"),
    "softmin": _softmax("softmin"),
    "norm": _norm,
}
