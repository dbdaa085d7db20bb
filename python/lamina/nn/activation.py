"""Activations: elementwise (*) -> (*), and softmax over one dim. `inplace=True` overwrites the input."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._C import Tensor
from .module import Module

if TYPE_CHECKING:
    from .._C import functional as _F
else:
    from . import _called as _F


class _InPlace(Module):
    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def extra_repr(self) -> str:
        return "inplace=True" if self.inplace else ""


class ReLU(_InPlace):
    """max(x, 0): (*) -> (*).

    >>> import lamina
    >>> lamina.nn.ReLU()(lamina.tensor([-1.0, 2.0])).tolist()
    [0.0, 2.0]
    """

    def forward(self, input: Tensor) -> Tensor:
        return _F.relu(input, inplace=True) if self.inplace else _F.relu(input)


class ReLU6(_InPlace):
    """min(max(x, 0), 6): (*) -> (*).

    >>> import lamina
    >>> lamina.nn.ReLU6()(lamina.tensor([-1.0, 8.0])).tolist()
    [0.0, 6.0]
    """

    min_val, max_val = 0.0, 6.0

    def forward(self, input: Tensor) -> Tensor:
        return _F.relu6(input, inplace=True) if self.inplace else _F.relu6(input)


class LeakyReLU(_InPlace):
    """x where x > 0, else negative_slope x: (*) -> (*).

    >>> import lamina
    >>> lamina.nn.LeakyReLU(0.25)(lamina.tensor([-2.0, 2.0])).tolist()
    [-0.5, 2.0]
    """

    def __init__(self, negative_slope: float = 0.01, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.negative_slope = negative_slope

    def forward(self, input: Tensor) -> Tensor:
        return (
            _F.leaky_relu(input, self.negative_slope, inplace=True)
            if self.inplace
            else _F.leaky_relu(input, self.negative_slope)
        )

    def extra_repr(self) -> str:
        return f"negative_slope={self.negative_slope}" + (", inplace=True" if self.inplace else "")


class ELU(_InPlace):
    """x where x > 0, else alpha (exp(x) - 1): (*) -> (*).

    >>> import lamina
    >>> lamina.nn.ELU()(lamina.tensor([0.0, 2.0])).tolist()
    [0.0, 2.0]
    """

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.alpha = alpha

    def forward(self, input: Tensor) -> Tensor:
        return _F.elu(input, self.alpha, inplace=True) if self.inplace else _F.elu(input, self.alpha)

    def extra_repr(self) -> str:
        return f"alpha={self.alpha}" + (", inplace=True" if self.inplace else "")


class SELU(_InPlace):
    """The self-normalising ELU: (*) -> (*).

    >>> import lamina
    >>> lamina.nn.SELU()(lamina.tensor([0.0])).tolist()
    [0.0]
    """

    def forward(self, input: Tensor) -> Tensor:
        return _F.selu(input, inplace=True) if self.inplace else _F.selu(input)


class GELU(Module):
    """x times the normal distribution function of x; approximate is 'none' (erf) or 'tanh': (*) -> (*).

    >>> import lamina
    >>> lamina.nn.GELU()(lamina.tensor([0.0])).tolist()
    [0.0]
    """

    def __init__(self, approximate: str = "none") -> None:
        super().__init__()
        self.approximate = approximate

    def forward(self, input: Tensor) -> Tensor:
        return _F.gelu(input, approximate=self.approximate)

    def extra_repr(self) -> str:
        return f"approximate={self.approximate!r}"


class SiLU(_InPlace):
    """x sigmoid(x): (*) -> (*).

    >>> import lamina
    >>> lamina.nn.SiLU()(lamina.tensor([0.0])).tolist()
    [0.0]
    """

    def forward(self, input: Tensor) -> Tensor:
        return _F.silu(input, inplace=True) if self.inplace else _F.silu(input)


class Mish(_InPlace):
    """x tanh(softplus(x)): (*) -> (*).

    >>> import lamina
    >>> lamina.nn.Mish()(lamina.tensor([0.0])).tolist()
    [0.0]
    """

    def forward(self, input: Tensor) -> Tensor:
        return _F.mish(input, inplace=True) if self.inplace else _F.mish(input)


class Hardtanh(_InPlace):
    """x clamped to [min_val, max_val]: (*) -> (*).

    >>> import lamina
    >>> lamina.nn.Hardtanh()(lamina.tensor([-3.0, 0.5, 3.0])).tolist()
    [-1.0, 0.5, 1.0]
    """

    def __init__(self, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.min_val, self.max_val = min_val, max_val

    def forward(self, input: Tensor) -> Tensor:
        return (
            _F.hardtanh(input, self.min_val, self.max_val, inplace=True)
            if self.inplace
            else _F.hardtanh(input, self.min_val, self.max_val)
        )

    def extra_repr(self) -> str:
        return f"min_val={self.min_val}, max_val={self.max_val}" + (", inplace=True" if self.inplace else "")


class Hardsigmoid(_InPlace):
    """min(max(x + 3, 0), 6) / 6: (*) -> (*).

    >>> import lamina
    >>> lamina.nn.Hardsigmoid()(lamina.tensor([-4.0, 0.0, 3.0])).tolist()
    [0.0, 0.5, 1.0]
    """

    def forward(self, input: Tensor) -> Tensor:
        return _F.hardsigmoid(input, inplace=True) if self.inplace else _F.hardsigmoid(input)


class Hardswish(_InPlace):
    """x hardsigmoid(x): (*) -> (*).

    >>> import lamina
    >>> lamina.nn.Hardswish()(lamina.tensor([-4.0, 0.0, 3.0])).tolist()
    [0.0, 0.0, 3.0]
    """

    def forward(self, input: Tensor) -> Tensor:
        return _F.hardswish(input, inplace=True) if self.inplace else _F.hardswish(input)


class Sigmoid(Module):
    """1 / (1 + exp(-x)): (*) -> (*).

    >>> import lamina
    >>> lamina.nn.Sigmoid()(lamina.tensor([0.0])).tolist()
    [0.5]
    """

    def forward(self, input: Tensor) -> Tensor:
        return _F.sigmoid(input)


class Tanh(Module):
    """The hyperbolic tangent: (*) -> (*).

    >>> import lamina
    >>> lamina.nn.Tanh()(lamina.tensor([0.0])).tolist()
    [0.0]
    """

    def forward(self, input: Tensor) -> Tensor:
        return _F.tanh(input)


class Softplus(Module):
    """log(1 + exp(beta x)) / beta, x itself where beta x > threshold: (*) -> (*).

    >>> import lamina
    >>> lamina.nn.Softplus()(lamina.tensor([50.0])).tolist()
    [50.0]
    """

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        super().__init__()
        self.beta, self.threshold = beta, threshold

    def forward(self, input: Tensor) -> Tensor:
        return _F.softplus(input, self.beta, self.threshold)

    def extra_repr(self) -> str:
        return f"beta={self.beta}, threshold={self.threshold}"


class LogSigmoid(Module):
    """log(sigmoid(x)): (*) -> (*).

    >>> import lamina
    >>> round(lamina.nn.LogSigmoid()(lamina.tensor([0.0])).item(), 4)
    -0.6931
    """

    def forward(self, input: Tensor) -> Tensor:
        return _F.logsigmoid(input)


class _OverDim(Module):
    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        self.dim: Any = dim  # None: guessed from the number of dims, with a warning, as in PyTorch

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


class Softmax(_OverDim):
    """exp(x) / sum exp(x) over one dim: (*) -> (*), rows that sum to 1.

    >>> import lamina
    >>> lamina.nn.Softmax(dim=-1)(lamina.zeros(2)).tolist()
    [0.5, 0.5]
    """

    def forward(self, input: Tensor) -> Tensor:
        return _F.softmax(input, self.dim)


class LogSoftmax(_OverDim):
    """x - log sum exp(x) over one dim: (*) -> (*).

    >>> import lamina
    >>> lamina.nn.LogSoftmax(dim=-1)(lamina.zeros(1)).tolist()
    [0.0]
    """

    def forward(self, input: Tensor) -> Tensor:
        return _F.log_softmax(input, self.dim)
