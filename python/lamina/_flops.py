"""How many floating-point operations a layer's forward takes: a formula a class, one multiply-add is two.

Counted: Linear and Bilinear, every convolution and transpose, RNN, LSTM, GRU and their cells, MultiheadAttention and
the attention of GPT, BERT and T5, and norms. Not counted: biases, activations, pools, embeddings, dropout, and what any
other module computes in its own forward.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from ._C import Tensor

Formula = Callable[[Any, tuple[Any, ...], Any], int]
_GATES = {"LSTM": 4, "GRU": 3}


def _size(value: Any) -> int:
    """Elements of the first tensor in what a layer takes or gives (a packed sequence has its tensor in `data`)."""
    if isinstance(value, Tensor):
        return int(value.numel())
    if isinstance(value, (tuple, list)):
        return _size(value[0]) if value else 0
    data = getattr(value, "data", None)
    return int(data.numel()) if isinstance(data, Tensor) else 0


def _linear(layer: Any, args: tuple[Any, ...], out: Any) -> int:
    return 2 * _size(out) * int(layer.in_features)


def _bilinear(layer: Any, args: tuple[Any, ...], out: Any) -> int:
    return 2 * _size(out) * int(layer.in1_features) * (int(layer.in2_features) + 1)


def _conv(layer: Any, args: tuple[Any, ...], out: Any) -> int:
    kernel: int = math.prod(layer.kernel_size)
    if layer.transposed:  # every input meets the kernel once
        return 2 * _size(args) * kernel * int(layer.out_channels // layer.groups)
    return 2 * _size(out) * kernel * int(layer.in_channels // layer.groups)


def _recurrent(layer: Any, args: tuple[Any, ...], out: Any) -> int:
    steps = _size(args) // layer.input_size  # of all rows
    directions = 2 if layer.bidirectional else 1
    hidden, state = layer.hidden_size, layer.proj_size or layer.hidden_size
    total = 0
    for number in range(layer.num_layers):
        width = layer.input_size if number == 0 else state * directions
        total += _GATES.get(layer.mode, 1) * hidden * (width + state) + layer.proj_size * hidden
    return int(2 * steps * directions * total)


def _cell(layer: Any, args: tuple[Any, ...], out: Any) -> int:
    gates = int(layer.weight_hh.shape[0])
    return 2 * (_size(args) // int(layer.input_size)) * gates * int(layer.input_size + layer.hidden_size)


def _attention(layer: Any, args: tuple[Any, ...], out: Any) -> int:
    """Projections of query, key and value, the two products of attention, and the output projection."""
    query, key = args[0], args[1] if len(args) > 1 else args[0]
    time = 0 if query.dim() == 2 or not layer.batch_first else 1
    width = int(layer.embed_dim)
    t, s = int(query.shape[time]), int(key.shape[time])
    rows = int(query.numel()) // (t * width) if t else 0
    keys = int(getattr(layer, "kdim", None) or width) + int(getattr(layer, "vdim", None) or width)
    return 2 * rows * (2 * t * width * width + s * keys * width + 2 * t * s * width)


def _gpt_linear(layer: Any, args: tuple[Any, ...], out: Any) -> int:
    return 2 * _size(out) * int(layer.weight.shape[0])


def _products(layer: Any, args: tuple[Any, ...], out: Any) -> int:
    """The two products of self-attention over (N, T, width), whose projections are layers below it."""
    n, t, width = (int(size) for size in args[0].shape)
    return 4 * n * t * t * width


def _t5_products(layer: Any, args: tuple[Any, ...], out: Any) -> int:
    return 4 * int(args[0].shape[1]) * _size(args[1])  # keys (N, heads, S, head width)


def _affine(layer: Any) -> int:
    return 2 if getattr(layer, "weight", None) is not None else 0


def _batch_norm(layer: Any, args: tuple[Any, ...], out: Any) -> int:
    measured = 6 + _affine(layer) if layer.running_mean is None else 2
    return measured * _size(out)  # with running statistics one multiply-add


def _norm(layer: Any, args: tuple[Any, ...], out: Any) -> int:
    """Mean 1, variance 3, subtraction and quotient 2, scale and shift 2."""
    return (6 + _affine(layer)) * _size(out)


def _rms_norm(layer: Any, args: tuple[Any, ...], out: Any) -> int:
    return (3 + _affine(layer) // 2) * _size(out)


FORMULAS: dict[str, Formula] = {
    "Linear": _linear,
    "Bilinear": _bilinear,
    "_ConvNd": _conv,
    "RNNBase": _recurrent,
    "RNNCellBase": _cell,
    "MultiheadAttention": _attention,
    "_BatchNorm": _batch_norm,
    "_InstanceNorm": _norm,
    "GroupNorm": _norm,
    "LayerNorm": _norm,
    "RMSNorm": _rms_norm,
    "lamina.models.gpt.Conv1D": _gpt_linear,
    "lamina.models.gpt.Attention": _products,
    "lamina.models.bert.SelfAttention": _products,
    "lamina.models.t5.Attention": _t5_products,
}


def formula_of(module: Any, extra: dict[type, Formula]) -> tuple[Formula | None, bool]:
    """(the formula for a module's class or the nearest class above it, whether it covers the layers below).

    Formulas of the caller come first. Those of modules with layers say what they compute besides, but that of
    MultiheadAttention, which reads the weights of its layer itself.
    """
    for kind in type(module).__mro__:
        if kind in extra:
            return extra[kind], False
        name = kind.__name__ if kind.__module__.startswith("lamina.nn.") else f"{kind.__module__}.{kind.__name__}"
        if name in FORMULAS:
            return FORMULAS[name], name == "MultiheadAttention"
    return None, False
