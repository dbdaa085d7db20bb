"""A batch norm in evaluation is an affine map: it goes into the weights of the layer before it."""

from __future__ import annotations

import copy
from typing import Any

import lamina

from ..._C import Tensor
from ..parameter import Parameter


def _scale(var: Tensor, eps: float, weight: Tensor | None) -> Tensor:
    scale = (var + eps).rsqrt()
    return scale if weight is None else scale * weight


def _shift(bias: Tensor | None, mean: Tensor, scale: Tensor, bn_bias: Tensor | None) -> Tensor:
    shift = ((lamina.zeros_like(mean) if bias is None else bias) - mean) * scale
    return shift if bn_bias is None else shift + bn_bias


def fuse_conv_bn_weights(
    conv_w: Tensor,
    conv_b: Tensor | None,
    bn_rm: Tensor,
    bn_rv: Tensor,
    bn_eps: float,
    bn_w: Tensor | None,
    bn_b: Tensor | None,
    transpose: bool = False,
) -> tuple[Parameter, Parameter]:
    """The weight and bias of a convolution that also does what the batch norm behind it does."""
    with lamina.no_grad():
        scale = _scale(bn_rv, bn_eps, bn_w)
        line = [1] * len(conv_w.shape)
        line[1 if transpose else 0] = -1
        weight, bias = conv_w * scale.reshape(line), _shift(conv_b, bn_rm, scale, bn_b)
    return Parameter(weight, conv_w.requires_grad), Parameter(bias, True if conv_b is None else conv_b.requires_grad)


def fuse_linear_bn_weights(
    linear_w: Tensor,
    linear_b: Tensor | None,
    bn_rm: Tensor,
    bn_rv: Tensor,
    bn_eps: float,
    bn_w: Tensor | None,
    bn_b: Tensor | None,
) -> tuple[Parameter, Parameter]:
    """The weight and bias of a linear layer that also does what the batch norm behind it does."""
    return fuse_conv_bn_weights(linear_w, linear_b, bn_rm, bn_rv, bn_eps, bn_w, bn_b)


def _fused(layer: Any, bn: Any, transpose: bool) -> Any:
    if layer.training or bn.training:
        raise RuntimeError("fuse: both layers must be in evaluation mode; call .eval() first")
    if bn.running_mean is None or bn.running_var is None:
        raise ValueError("fuse: the batch norm keeps no running statistics")
    out = copy.deepcopy(layer)
    out.weight, out.bias = fuse_conv_bn_weights(
        out.weight, out.bias, bn.running_mean, bn.running_var, bn.eps, bn.weight, bn.bias, transpose
    )
    return out


def fuse_conv_bn_eval(conv: Any, bn: Any, transpose: bool = False) -> Any:
    """A copy of `conv` that also does what the batch norm `bn` behind it does; both in evaluation mode.

    >>> from lamina import nn
    >>> nn.utils.fuse_conv_bn_eval(nn.Conv2d(3, 8, 3).eval(), nn.BatchNorm2d(8).eval())
    Conv2d(3, 8, kernel_size=(3, 3), stride=(1, 1))
    """
    if transpose and conv.groups != 1:
        raise ValueError(f"fuse_conv_bn_eval: a transposed convolution with {conv.groups} groups cannot be fused")
    return _fused(conv, bn, transpose)


def fuse_linear_bn_eval(linear: Any, bn: Any) -> Any:
    """A copy of `linear` that also does what the batch norm `bn` behind it does; both in evaluation mode."""
    if bn.num_features not in (linear.out_features, 1):
        raise ValueError(f"fuse_linear_bn_eval: {linear.out_features} features do not meet {bn.num_features}")
    return _fused(linear, bn, False)
