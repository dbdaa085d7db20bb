"""torch.nn.functional's names: the engine's functions, plus `inplace` for activations."""

from __future__ import annotations

from .. import _C
from .._C import Tensor
from .._C import adaptive_avg_pool2d as adaptive_avg_pool2d
from .._C import avg_pool2d as avg_pool2d
from .._C import batch_norm as batch_norm
from .._C import binary_cross_entropy as binary_cross_entropy
from .._C import binary_cross_entropy_with_logits as binary_cross_entropy_with_logits
from .._C import conv2d as conv2d
from .._C import cross_entropy as cross_entropy
from .._C import embedding as embedding
from .._C import gelu as gelu
from .._C import l1_loss as l1_loss
from .._C import layer_norm as layer_norm
from .._C import linear as linear
from .._C import log_softmax as log_softmax
from .._C import logsigmoid as logsigmoid
from .._C import max_pool2d as max_pool2d
from .._C import mse_loss as mse_loss
from .._C import nll_loss as nll_loss
from .._C import one_hot as one_hot
from .._C import pad as pad
from .._C import sigmoid as sigmoid
from .._C import smooth_l1_loss as smooth_l1_loss
from .._C import softmax as softmax
from .._C import softplus as softplus
from .._C import tanh as tanh


def relu(input: Tensor, inplace: bool = False) -> Tensor:
    return _C.relu_(input) if inplace else _C.relu(input)


def relu6(input: Tensor, inplace: bool = False) -> Tensor:
    return _C.relu6_(input) if inplace else _C.relu6(input)


def leaky_relu(input: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    return _C.leaky_relu_(input, negative_slope) if inplace else _C.leaky_relu(input, negative_slope)


def elu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    return _C.elu_(input, alpha) if inplace else _C.elu(input, alpha)


def selu(input: Tensor, inplace: bool = False) -> Tensor:
    return _C.selu_(input) if inplace else _C.selu(input)


def silu(input: Tensor, inplace: bool = False) -> Tensor:
    return _C.silu_(input) if inplace else _C.silu(input)


def mish(input: Tensor, inplace: bool = False) -> Tensor:
    return _C.mish_(input) if inplace else _C.mish(input)


def hardtanh(input: Tensor, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Tensor:
    return _C.hardtanh_(input, min_val, max_val) if inplace else _C.hardtanh(input, min_val, max_val)


def hardsigmoid(input: Tensor, inplace: bool = False) -> Tensor:
    return _C.hardsigmoid_(input) if inplace else _C.hardsigmoid(input)


def hardswish(input: Tensor, inplace: bool = False) -> Tensor:
    return _C.hardswish_(input) if inplace else _C.hardswish(input)


def dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    out = _C.dropout(input, p, training)
    return input.copy_(out) if inplace else out
