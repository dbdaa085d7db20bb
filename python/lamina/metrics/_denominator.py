"""By what a loss has divided the sum over a batch: the elements, or the targets that count, each with its weight."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from .._C import Tensor
from .._C import functional as _F

Number = int | float
_ELEMENTWISE = "MSELoss L1Loss SmoothL1Loss HuberLoss BCELoss BCEWithLogitsLoss SoftMarginLoss PoissonNLLLoss KLDivLoss"
_FUNCTIONS = (
    "mse_loss l1_loss smooth_l1_loss huber_loss binary_cross_entropy binary_cross_entropy_with_logits "
    "soft_margin_loss poisson_nll_loss kl_div"
)


def is_sum(loss: Any) -> bool:
    """Whether it gives the sum over a batch, not a mean."""
    return _settings(loss).get("reduction") == "sum"


def denominator_of(loss: Any) -> Callable[[Any], Number | None] | None:
    """A function of the target; None (or its None) where a loss is a mean, or a sum, over the rows of the batch.

    A loss of one's own says it by a method `denominator(target)`. Known are PyTorch's losses, as layers, functions and
    partials of these.
    """
    own = getattr(loss, "denominator", None)
    if callable(own):
        return own  # type: ignore[no-any-return]
    settings = _settings(loss)
    if settings.get("reduction", "mean") != "mean":
        return None
    kind = _kind_of(loss)
    if kind == "classes":
        weight, ignored = settings.get("weight"), settings.get("ignore_index", -100)
        return lambda target: classes_counted(target, weight, ignored)
    if kind == "elements":
        return lambda target: int(target.numel()) if isinstance(target, Tensor) and target.dim() else None
    return None


def classes_counted(target: Any, weight: Tensor | None = None, ignore_index: int = -100) -> Number | None:
    """What cross entropy divides by: the targets other than ignore_index, or the sum of their classes' weights.

    For probabilities as targets (N, C, *) that is N times the places.
    """
    if not isinstance(target, Tensor):
        return None
    if target.is_floating_point():
        return int(target.numel()) // max(int(target.shape[1 if target.dim() > 1 else 0]), 1) if target.dim() else None
    kept = target[target != ignore_index]
    if weight is None:
        return int(kept.numel())
    return float(weight.double()[kept.long()].sum().item())


def _settings(loss: Any) -> dict[str, Any]:
    if isinstance(loss, partial):
        return {**_settings(loss.func), **loss.keywords}
    return {name: getattr(loss, name) for name in ("reduction", "weight", "ignore_index") if hasattr(loss, name)}


def _kind_of(loss: Any) -> str:
    """ "classes", "elements" or ""; a subclass that has a forward of its own is not known."""
    if isinstance(loss, partial):
        return _kind_of(loss.func) if not loss.args else ""
    if loss in (_F.cross_entropy, _F.nll_loss):
        return "classes"
    if any(loss is getattr(_F, name) for name in _FUNCTIONS.split()):
        return "elements"
    from .. import nn

    forward = getattr(type(loss), "forward", None)
    if forward in (nn.CrossEntropyLoss.forward, nn.NLLLoss.forward):
        return "classes"
    known = isinstance(loss, nn.Module) and any(forward is getattr(nn, name).forward for name in _ELEMENTWISE.split())
    return "elements" if known else ""
