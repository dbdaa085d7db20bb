"""More activations: shrinking, thresholds, gates and learned slopes. `inplace=True` overwrites the input."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import _C
from .._C import Tensor
from . import functional
from .activation import _InPlace, _OverDim
from .module import Module
from .parameter import Parameter

if TYPE_CHECKING:
    from .._C import functional as _F
else:
    from . import _called as _F


class CELU(_InPlace):
    """x where x > 0, else alpha (exp(x / alpha) - 1): (*) -> (*).

    >>> import lamina
    >>> lamina.nn.CELU()(lamina.tensor([0.0, 2.0])).tolist()
    [0.0, 2.0]
    """

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.alpha = alpha

    def forward(self, input: Tensor) -> Tensor:
        return _F.celu(input, self.alpha, inplace=self.inplace)

    def extra_repr(self) -> str:
        return f"alpha={self.alpha}" + (", inplace=True" if self.inplace else "")


class Softsign(Module):
    """x / (1 + |x|): (*) -> (*).

    >>> import lamina
    >>> lamina.nn.Softsign()(lamina.tensor([-1.0, 3.0])).tolist()
    [-0.5, 0.75]
    """

    def forward(self, input: Tensor) -> Tensor:
        return _F.softsign(input)


class Threshold(_InPlace):
    """x where x > threshold, else value: (*) -> (*).

    >>> import lamina
    >>> lamina.nn.Threshold(0.5, 9.0)(lamina.tensor([0.25, 2.0])).tolist()
    [9.0, 2.0]
    """

    def __init__(self, threshold: float, value: float, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.threshold, self.value = threshold, value

    def forward(self, input: Tensor) -> Tensor:
        return _F.threshold(input, self.threshold, self.value, inplace=self.inplace)

    def extra_repr(self) -> str:
        return f"threshold={self.threshold}, value={self.value}" + (", inplace=True" if self.inplace else "")


class Tanhshrink(Module):
    """x - tanh(x): (*) -> (*).

    >>> import lamina
    >>> lamina.nn.Tanhshrink()(lamina.tensor([0.0])).tolist()
    [0.0]
    """

    def forward(self, input: Tensor) -> Tensor:
        return _F.tanhshrink(input)


class Softshrink(Module):
    """x moved towards 0 by lambd, 0 within [-lambd, lambd]: (*) -> (*).

    >>> import lamina
    >>> lamina.nn.Softshrink()(lamina.tensor([-2.0, 0.25, 2.0])).tolist()
    [-1.5, 0.0, 1.5]
    """

    def __init__(self, lambd: float = 0.5) -> None:
        super().__init__()
        self.lambd = lambd

    def forward(self, input: Tensor) -> Tensor:
        return functional.softshrink(input, self.lambd)

    def extra_repr(self) -> str:
        return str(self.lambd)


class Hardshrink(Module):
    """x, but 0 within [-lambd, lambd]: (*) -> (*).

    >>> import lamina
    >>> lamina.nn.Hardshrink()(lamina.tensor([-2.0, 0.25, 2.0])).tolist()
    [-2.0, 0.0, 2.0]
    """

    def __init__(self, lambd: float = 0.5) -> None:
        super().__init__()
        self.lambd = lambd

    def forward(self, input: Tensor) -> Tensor:
        return _F.hardshrink(input, self.lambd)

    def extra_repr(self) -> str:
        return str(self.lambd)


class GLU(Module):
    """The first half of dim times the sigmoid of the second: (*, 2 N) -> (*, N).

    >>> import lamina
    >>> lamina.nn.GLU()(lamina.tensor([4.0, 0.0])).tolist()
    [2.0]
    """

    def __init__(self, dim: int = -1) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: Tensor) -> Tensor:
        return _F.glu(input, self.dim)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


class RReLU(_InPlace):
    """x where x > 0, else a x; a is drawn from [lower, upper] in training, else their mean: (*) -> (*).

    >>> import lamina
    >>> lamina.nn.RReLU(0.25, 0.75).eval()(lamina.tensor([-2.0, 2.0])).tolist()
    [-1.0, 2.0]
    """

    def __init__(self, lower: float = 1 / 8, upper: float = 1 / 3, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.lower, self.upper = lower, upper

    def forward(self, input: Tensor) -> Tensor:
        return functional.rrelu(input, self.lower, self.upper, self.training, self.inplace)

    def extra_repr(self) -> str:
        return f"lower={self.lower}, upper={self.upper}" + (", inplace=True" if self.inplace else "")


class PReLU(Module):
    """x where x > 0, else weight x; one weight, or one per channel (dim 1): (*) -> (*).

    >>> import lamina
    >>> lamina.nn.PReLU()(lamina.tensor([-2.0, 2.0])).tolist()
    [-0.5, 2.0]
    """

    def __init__(self, num_parameters: int = 1, init: float = 0.25, device: Any = None, dtype: Any = None) -> None:
        super().__init__()
        self.num_parameters, self.init = num_parameters, init
        self.weight = Parameter(_C.empty(num_parameters, device=device, dtype=dtype))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        self.weight.detach().fill_(self.init)

    def forward(self, input: Tensor) -> Tensor:
        return _F.prelu(input, self.weight)

    def extra_repr(self) -> str:
        return f"num_parameters={self.num_parameters}"


class Softmin(_OverDim):
    """softmax of -x over one dim: (*) -> (*), rows that sum to 1.

    >>> import lamina
    >>> lamina.nn.Softmin(dim=-1)(lamina.zeros(2)).tolist()
    [0.5, 0.5]
    """

    def forward(self, input: Tensor) -> Tensor:
        return _F.softmax(-input, self.dim)


class Softmax2d(Module):
    """softmax over the channels of an image: (N, C, H, W) or (C, H, W) -> the same shape.

    >>> import lamina
    >>> lamina.nn.Softmax2d()(lamina.zeros(1, 2, 1, 1)).flatten().tolist()
    [0.5, 0.5]
    """

    def forward(self, input: Tensor) -> Tensor:
        if input.dim() not in (3, 4):
            raise ValueError(f"Softmax2d: needs (N, C, H, W) or (C, H, W), got {tuple(input.shape)}")
        return _F.softmax(input, -3)
