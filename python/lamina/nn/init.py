"""Initialisers: each fills the tensor in place without recording a gradient, and returns it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import lamina

if TYPE_CHECKING:
    from .._C import Generator, Tensor

_GAINS = {
    "linear": 1.0,
    "conv1d": 1.0,
    "conv2d": 1.0,
    "conv3d": 1.0,
    "sigmoid": 1.0,
    "tanh": 5.0 / 3,
    "relu": math.sqrt(2.0),
    "selu": 0.75,
}


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """The factor that keeps the variance through a nonlinearity; `param` is leaky_relu's slope.

    >>> from lamina.nn import init
    >>> init.calculate_gain("relu") ** 2
    2.0000000000000004
    """
    if nonlinearity == "leaky_relu":
        return math.sqrt(2.0 / (1 + (0.01 if param is None else param) ** 2))
    if nonlinearity not in _GAINS:
        known = ", ".join([*_GAINS, "leaky_relu"])
        raise ValueError(f"calculate_gain: unknown nonlinearity {nonlinearity!r}; there are {known}")
    return _GAINS[nonlinearity]


def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Values uniform in [a, b)."""
    with lamina.no_grad():
        return tensor.uniform_(a, b, generator=generator)


def normal_(tensor: Tensor, mean: float = 0.0, std: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Values of a normal distribution."""
    with lamina.no_grad():
        return tensor.normal_(mean, std, generator=generator)


def trunc_normal_(
    tensor: Tensor,
    mean: float = 0.0,
    std: float = 1.0,
    a: float = -2.0,
    b: float = 2.0,
    generator: Generator | None = None,
) -> Tensor:
    """Values of a normal distribution cut to [a, b]: those outside are drawn again."""
    if not a < b:
        raise ValueError(f"trunc_normal_: a must be below b, got [{a}, {b}]")
    with lamina.no_grad():
        if _mass(a, b, mean, std) < 0.01:  # so little is inside that drawing again would not end
            return tensor.uniform_(a, b, generator=generator)
        tensor.normal_(mean, std, generator=generator)
        outside = (tensor < a) | (tensor > b)
        while bool(outside.any()):
            tensor.copy_(
                lamina.where(outside, lamina.empty_like(tensor).normal_(mean, std, generator=generator), tensor)
            )
            outside = (tensor < a) | (tensor > b)
        return tensor


def _mass(a: float, b: float, mean: float, std: float) -> float:
    def below(x: float) -> float:
        return 0.5 * (1.0 + math.erf((x - mean) / (std * math.sqrt(2.0))))

    return below(b) - below(a)


def constant_(tensor: Tensor, val: float) -> Tensor:
    with lamina.no_grad():
        return tensor.fill_(val)


def ones_(tensor: Tensor) -> Tensor:
    return constant_(tensor, 1.0)


def zeros_(tensor: Tensor) -> Tensor:
    return constant_(tensor, 0.0)


def eye_(tensor: Tensor) -> Tensor:
    """The identity matrix: (n, m)."""
    if len(tensor.shape) != 2:
        raise ValueError(f"eye_: expected a matrix, got shape {tuple(tensor.shape)}")
    with lamina.no_grad():
        return tensor.copy_(lamina.eye(*tensor.shape))


def _fans(tensor: Tensor) -> tuple[int, int]:
    shape = tuple(tensor.shape)
    if len(shape) < 2:
        raise ValueError(f"fan in and fan out need at least 2 dims, got shape {shape}")
    window = math.prod(shape[2:])
    return shape[1] * window, shape[0] * window


def _fan(tensor: Tensor, mode: str) -> int:
    if mode not in ("fan_in", "fan_out"):
        raise ValueError(f"mode must be 'fan_in' or 'fan_out', got {mode!r}")
    return _fans(tensor)[mode == "fan_out"]


def xavier_uniform_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Uniform with variance gain^2 * 2 / (fan_in + fan_out) (Glorot and Bengio 2010)."""
    bound = gain * math.sqrt(6.0 / sum(_fans(tensor)))
    return uniform_(tensor, -bound, bound, generator)


def xavier_normal_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Normal with variance gain^2 * 2 / (fan_in + fan_out) (Glorot and Bengio 2010)."""
    return normal_(tensor, 0.0, gain * math.sqrt(2.0 / sum(_fans(tensor))), generator)


def kaiming_uniform_(
    tensor: Tensor,
    a: float = 0.0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> Tensor:
    """Uniform with variance gain^2 / fan (He et al. 2015); `a` is leaky_relu's slope."""
    if 0 in tensor.shape:
        return tensor
    bound = calculate_gain(nonlinearity, a) * math.sqrt(3.0 / _fan(tensor, mode))
    return uniform_(tensor, -bound, bound, generator)


def kaiming_normal_(
    tensor: Tensor,
    a: float = 0.0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> Tensor:
    """Normal with variance gain^2 / fan (He et al. 2015); `a` is leaky_relu's slope."""
    if 0 in tensor.shape:
        return tensor
    return normal_(tensor, 0.0, calculate_gain(nonlinearity, a) / math.sqrt(_fan(tensor, mode)), generator)


def fan_in_uniform_(bias: Tensor, weight: Tensor) -> Tensor:
    """Uniform in +-1 / sqrt(fan_in of the weight): how Linear and Conv2d start their bias."""
    fan_in = _fans(weight)[0]
    bound = 1.0 / math.sqrt(fan_in) if fan_in > 0 else 0.0
    return uniform_(bias, -bound, bound)


def orthogonal_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None) -> Tensor:
    """A (semi-)orthogonal matrix over the flattened trailing dims (Saxe et al. 2013)."""
    shape = tuple(tensor.shape)
    if len(shape) < 2:
        raise ValueError(f"orthogonal_: expected at least 2 dims, got shape {shape}")
    rows, cols = shape[0], math.prod(shape[1:])
    if rows == 0 or cols == 0:
        return tensor
    import numpy as np

    flat = lamina.empty(max(rows, cols), min(rows, cols), dtype=lamina.float64).normal_(generator=generator)
    q, r = np.linalg.qr(flat.numpy())
    q = q * np.sign(np.diag(r))  # makes the distribution uniform
    q = np.ascontiguousarray(q.T if rows < cols else q)
    with lamina.no_grad():
        return tensor.copy_(lamina.from_numpy(q * gain).reshape(shape))


def dirac_(tensor: Tensor, groups: int = 1) -> Tensor:
    """Convolution weights (O, I, *K) that hand on as many channels as they can: ones at the middle, else zeros.

    >>> import lamina
    >>> lamina.nn.init.dirac_(lamina.empty(2, 2, 3)).tolist()
    [[[0.0, 1.0, 0.0], [0.0, 0.0, 0.0]], [[0.0, 0.0, 0.0], [0.0, 1.0, 0.0]]]
    """
    shape = tuple(tensor.shape)
    if len(shape) not in (3, 4, 5):
        raise ValueError(f"dirac_: expected 3, 4 or 5 dims (O, I, *K), got shape {shape}")
    if groups < 1 or shape[0] % groups:
        raise ValueError(f"dirac_: the {shape[0]} output channels do not divide into {groups} groups")
    middle = tuple(size // 2 for size in shape[2:])
    each = shape[0] // groups
    with lamina.no_grad():
        tensor.zero_()
        for g in range(groups):
            for c in range(min(each, shape[1])):
                tensor[(g * each + c, c, *middle)] = 1
    return tensor


def sparse_(tensor: Tensor, sparsity: float, std: float = 0.01, generator: Generator | None = None) -> Tensor:
    """Normal (mean 0) with the fraction `sparsity` of each column of a matrix set to 0 (Martens 2010).

    >>> import lamina
    >>> int((lamina.nn.init.sparse_(lamina.empty(10, 3), 0.4) == 0).sum())
    12
    """
    if tensor.dim() != 2:
        raise ValueError(f"sparse_: expected 2 dims, got shape {tuple(tensor.shape)}")
    if not 0 <= sparsity <= 1:
        raise ValueError(f"sparse_: sparsity must be in [0, 1], got {sparsity}")
    rows, columns = tensor.shape
    zeros = math.ceil(sparsity * rows)
    with lamina.no_grad():
        tensor.normal_(0, std, generator=generator)
        for column in range(columns):
            tensor[lamina.randperm(rows, generator=generator)[:zeros], column] = 0
    return tensor


def __getattr__(name: str) -> object:
    from .._missing import later

    return later(__name__, name)
