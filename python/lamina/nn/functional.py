"""torch.nn.functional's names: the engine's functions, most of which take `inplace` themselves, and dropouts with it.

A program that replaces one here is heard by the layers, which call them in `_called`.
"""

from __future__ import annotations

import sys as _sys
from collections.abc import Callable
from types import ModuleType as _ModuleType
from typing import Any

from .._C import InvalidValue, Tensor
from .._C import functional as _F
from . import _called
from ._attention import multi_head_attention_forward as multi_head_attention_forward
from ._bilinear import bilinear as bilinear

adaptive_avg_pool2d = _F.adaptive_avg_pool2d
avg_pool2d = _F.avg_pool2d
batch_norm = _F.batch_norm
binary_cross_entropy = _F.binary_cross_entropy
binary_cross_entropy_with_logits = _F.binary_cross_entropy_with_logits
celu = _F.celu
conv2d = _F.conv2d
cross_entropy = _F.cross_entropy
embedding = _F.embedding
gelu = _F.gelu
glu = _F.glu
hardshrink = _F.hardshrink
l1_loss = _F.l1_loss
layer_norm = _F.layer_norm
linear = _F.linear
log_softmax = _F.log_softmax
logsigmoid = _F.logsigmoid
max_pool2d = _F.max_pool2d
mse_loss = _F.mse_loss
nll_loss = _F.nll_loss
prelu = _F.prelu
sigmoid = _F.sigmoid
smooth_l1_loss = _F.smooth_l1_loss
one_hot = _F.one_hot
pad = _F.pad
softmax = _F.softmax
softplus = _F.softplus
softshrink = _F.softshrink
softsign = _F.softsign
tanh = _F.tanh
unfold = _F.im2col  # Tensor.unfold is another operation
tanhshrink = _F.tanhshrink
elu = _F.elu
hardsigmoid = _F.hardsigmoid
hardswish = _F.hardswish
hardtanh = _F.hardtanh
leaky_relu = _F.leaky_relu
mish = _F.mish
relu = _F.relu
relu6 = _F.relu6
selu = _F.selu
silu = _F.silu
threshold = _F.threshold
# The others, too, so that layers find all of them.
globals().update({name: op for name, op in vars(_F).items() if not name.startswith("_") and name not in globals()})

# The same, written into the input.
relu_, relu6_, leaky_relu_, elu_ = Tensor.relu_, Tensor.relu6_, Tensor.leaky_relu_, Tensor.elu_
selu_, celu_, hardtanh_, threshold_ = Tensor.selu_, Tensor.celu_, Tensor.hardtanh_, Tensor.threshold_


_LAZY = {
    "linear_cross_entropy": "_linear_cross_entropy",
    "fractional_max_pool2d": "fractional",
    "fractional_max_pool2d_with_indices": "fractional",
    "fractional_max_pool3d": "fractional",
    "fractional_max_pool3d_with_indices": "fractional",
}


def __getattr__(name: str) -> Any:
    """What the engine offers and this page does not name is reached all the same."""
    if name in _LAZY:
        import importlib

        return getattr(importlib.import_module("lamina.nn." + _LAZY[name]), name)
    try:
        return getattr(_F, name)
    except AttributeError:
        pass
    from .._missing import later

    return later(__name__, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_LAZY, *(n for n in dir(_F) if not n.startswith("_"))})


def _placed(out: Tensor, input: Tensor, inplace: bool) -> Tensor:
    """The result, in the input's memory where asked for."""
    return input.copy_(out) if inplace else out


def rrelu(
    input: Tensor, lower: float = 1 / 8, upper: float = 1 / 3, training: bool = False, inplace: bool = False
) -> Tensor:
    return _placed(_F.rrelu(input, lower, upper, training), input, inplace)


def rrelu_(input: Tensor, lower: float = 1 / 8, upper: float = 1 / 3, training: bool = False) -> Tensor:
    """rrelu, written into the input."""
    return rrelu(input, lower, upper, training, inplace=True)


def dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    return _placed(_F.dropout(input, p, training), input, inplace)


def dropout1d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    return _placed(_F.dropout1d(input, p, training), input, inplace)


def _warn_of_dims(op: str, input: Tensor, usual: tuple[int, ...]) -> None:
    if input.dim() not in usual:
        import warnings

        warnings.warn(
            f"{op}: expects {usual[0]} or {usual[1]} dims, got {input.dim()}; "
            "dropout drops elements, dropout1d the channels of (N, C, L)",
            stacklevel=3,
        )


def dropout2d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    _warn_of_dims("dropout2d", input, (3, 4))
    return _placed(_F.dropout2d(input, p, training), input, inplace)


def dropout3d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    _warn_of_dims("dropout3d", input, (4, 5))
    return _placed(_F.dropout3d(input, p, training), input, inplace)


def alpha_dropout(input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False) -> Tensor:
    return _placed(_F.alpha_dropout(input, p, training), input, inplace)


def feature_alpha_dropout(input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False) -> Tensor:
    return _placed(_F.feature_alpha_dropout(input, p, training), input, inplace)


def triplet_margin_with_distance_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    *,
    distance_function: Callable[[Tensor, Tensor], Tensor] | None = None,
    margin: float = 1.0,
    swap: bool = False,
    reduction: str = "mean",
) -> Tensor:
    """triplet_margin_loss with a distance of one's own: (N, D), (N, D), (N, D) -> ()."""
    if margin <= 0:
        raise InvalidValue(f"triplet_margin_with_distance_loss: margin must be positive, got {margin}")
    if reduction not in ("mean", "sum", "none"):
        raise InvalidValue(
            f"triplet_margin_with_distance_loss: reduction must be 'mean', 'sum' or 'none', got {reduction!r}"
        )
    distance: Callable[[Tensor, Tensor], Tensor] = distance_function or _F.pairwise_distance
    near, far = distance(anchor, positive), distance(anchor, negative)
    if swap:
        far = far.minimum(distance(positive, negative))
    loss = (margin + near - far).clamp(min=0)
    return loss.mean() if reduction == "mean" else loss.sum() if reduction == "sum" else loss


class _Heard(_ModuleType):
    """This module: the layers hear what is set in it."""

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        setattr(_called, name, value)

    def __delattr__(self, name: str) -> None:
        super().__delattr__(name)
        vars(_called).pop(name, None)


vars(_called).update({name: value for name, value in globals().items() if not name.startswith("_")})
_sys.modules[__name__].__class__ = _Heard
