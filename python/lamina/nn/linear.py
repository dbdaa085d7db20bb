"""Linear, Bilinear, and the layers that only change the shape."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from .. import _C
from .._C import Tensor
from . import init
from ._bilinear import bilinear
from ._sizes import whole
from .module import Module
from .parameter import Parameter

if TYPE_CHECKING:
    from .._C import functional as _F
else:
    from . import _called as _F


class Linear(Module):
    """x W^T + b: (*, in_features) -> (*, out_features); weight (out_features, in_features), bias (out_features).

    >>> import lamina
    >>> lamina.nn.Linear(20, 30)(lamina.zeros(128, 20)).shape
    (128, 30)
    """

    bias: Parameter | None

    def __init__(
        self, in_features: int, out_features: int, bias: bool = True, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__()
        name = type(self).__name__
        in_features = whole(name, "in_features", in_features)
        out_features = whole(name, "out_features", out_features)
        self.in_features, self.out_features = in_features, out_features
        self.weight = Parameter(_C.empty(out_features, in_features, device=device, dtype=dtype))
        if bias:
            self.bias = Parameter(_C.empty(out_features, device=device, dtype=dtype))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            init.fan_in_uniform_(self.bias, self.weight)

    def forward(self, input: Tensor) -> Tensor:
        return _F.linear(input, self.weight, self.bias)

    def extra_repr(self) -> str:
        return f"in_features={self.in_features}, out_features={self.out_features}, bias={self.bias is not None}"


class Bilinear(Module):
    """x1^T A x2 + b: (*, in1), (*, in2) -> (*, out); weight (out, in1, in2), bias (out).

    >>> import lamina
    >>> lamina.nn.Bilinear(20, 30, 40)(lamina.zeros(8, 20), lamina.zeros(8, 30)).shape
    (8, 40)
    """

    bias: Parameter | None

    def __init__(
        self,
        in1_features: int,
        in2_features: int,
        out_features: int,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        in1_features = whole("Bilinear", "in1_features", in1_features)
        in2_features = whole("Bilinear", "in2_features", in2_features)
        out_features = whole("Bilinear", "out_features", out_features)
        if in1_features <= 0:
            raise ValueError(f"Bilinear: in1_features must be positive, got {in1_features}")
        self.in1_features, self.in2_features, self.out_features = in1_features, in2_features, out_features
        place: dict[str, Any] = {"device": device, "dtype": dtype}
        self.weight = Parameter(_C.empty((out_features, in1_features, in2_features), **place))
        self.register_parameter("bias", Parameter(_C.empty(out_features, **place)) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        bound = 1 / math.sqrt(self.in1_features)
        for p in self.parameters():
            init.uniform_(p, -bound, bound)

    def forward(self, input1: Tensor, input2: Tensor) -> Tensor:
        return bilinear(input1, input2, self.weight, self.bias)

    def extra_repr(self) -> str:
        sizes = f"in1_features={self.in1_features}, in2_features={self.in2_features}"
        return f"{sizes}, out_features={self.out_features}, bias={self.bias is not None}"


class Flatten(Module):
    """Joins the dims start_dim..end_dim: (N, C, H, W) -> (N, C*H*W) by default.

    >>> import lamina
    >>> lamina.nn.Flatten()(lamina.zeros(2, 3, 4)).shape
    (2, 12)
    """

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        super().__init__()
        self.start_dim, self.end_dim = start_dim, end_dim

    def forward(self, input: Tensor) -> Tensor:
        return _C.flatten(input, self.start_dim, self.end_dim)

    def extra_repr(self) -> str:
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"


class Unflatten(Module):
    """Splits the dim `dim` into `unflattened_size`: (N, 12) -> (N, 3, 4) with Unflatten(1, (3, 4)).

    >>> import lamina
    >>> lamina.nn.Unflatten(1, (3, 4))(lamina.zeros(2, 12)).shape
    (2, 3, 4)
    """

    def __init__(self, dim: int, unflattened_size: tuple[int, ...]) -> None:
        super().__init__()
        self.dim, self.unflattened_size = dim, tuple(unflattened_size)

    def forward(self, input: Tensor) -> Tensor:
        shape = tuple(input.shape)
        dim = self.dim + len(shape) if self.dim < 0 else self.dim
        return input.reshape(shape[:dim] + self.unflattened_size + shape[dim + 1 :])

    def extra_repr(self) -> str:
        return f"dim={self.dim}, unflattened_size={self.unflattened_size}"


class Identity(Module):
    """Returns its input: (*) -> (*); takes and ignores any arguments, so that it can stand for any layer.

    >>> import lamina
    >>> lamina.nn.Identity(54, unused=1)(lamina.zeros(2)).shape
    (2,)
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()

    def forward(self, input: Tensor) -> Tensor:
        return input
