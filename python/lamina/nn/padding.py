"""Padding layers: constants, reflections, repeated edges, circles."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._C import Tensor
from .module import Module

if TYPE_CHECKING:
    from .._C import functional as _F
else:
    from . import _called as _F


class _Pad(Module):
    """padding: one number, or (left, right, top, bottom, front, back), the last dim first."""

    _rank = 0
    _mode = "constant"

    def __init__(self, padding: int | tuple[int, ...]) -> None:
        super().__init__()
        self.padding = (padding,) * (2 * self._rank) if isinstance(padding, int) else tuple(padding)
        if len(self.padding) != 2 * self._rank:
            raise ValueError(f"{type(self).__name__}: padding must be one number or {2 * self._rank}, got {padding}")

    def forward(self, input: Tensor) -> Tensor:
        return _F.pad(input, self.padding, self._mode, getattr(self, "value", None))

    def extra_repr(self) -> str:
        return str(self.padding)


class _ConstantPad(_Pad):
    def __init__(self, padding: int | tuple[int, ...], value: float) -> None:
        super().__init__(padding)
        self.value = value

    def extra_repr(self) -> str:
        return f"padding={self.padding}, value={self.value}"


class ConstantPad1d(_ConstantPad):
    """A border of `value`: (N, C, L) -> (N, C, L + left + right).

    >>> import lamina
    >>> lamina.nn.ConstantPad1d((1, 0), 7.0)(lamina.zeros(1, 1, 2)).tolist()
    [[[7.0, 0.0, 0.0]]]
    """

    _rank = 1


class ConstantPad2d(_ConstantPad):
    """A border of `value`: (N, C, H, W) -> (N, C, H + top + bottom, W + left + right).

    >>> import lamina
    >>> lamina.nn.ConstantPad2d(1, 7.0)(lamina.zeros(1, 1, 2, 3)).shape
    (1, 1, 4, 5)
    """

    _rank = 2


class ConstantPad3d(_ConstantPad):
    """A border of `value`: (N, C, D, H, W) -> (N, C, D', H', W').

    >>> import lamina
    >>> lamina.nn.ConstantPad3d(1, 7.0)(lamina.zeros(1, 1, 2, 3, 4)).shape
    (1, 1, 4, 5, 6)
    """

    _rank = 3


class _ZeroPad(_Pad):
    value = 0.0


class ZeroPad1d(_ZeroPad):
    """A border of zeros: (N, C, L) -> (N, C, L + left + right).

    >>> import lamina
    >>> lamina.nn.ZeroPad1d(1)(lamina.ones(1, 1, 2)).tolist()
    [[[0.0, 1.0, 1.0, 0.0]]]
    """

    _rank = 1


class ZeroPad2d(_ZeroPad):
    """A border of zeros: (N, C, H, W) -> (N, C, H + top + bottom, W + left + right).

    >>> import lamina
    >>> lamina.nn.ZeroPad2d((1, 1, 2, 0))(lamina.ones(1, 1, 2, 3)).shape
    (1, 1, 4, 5)
    """

    _rank = 2


class ZeroPad3d(_ZeroPad):
    """A border of zeros: (N, C, D, H, W) -> (N, C, D', H', W').

    >>> import lamina
    >>> lamina.nn.ZeroPad3d(1)(lamina.ones(1, 1, 2, 3, 4)).shape
    (1, 1, 4, 5, 6)
    """

    _rank = 3


class _ReflectionPad(_Pad):
    _mode = "reflect"


class ReflectionPad1d(_ReflectionPad):
    """The inside mirrored at the edges: (N, C, L) -> (N, C, L + left + right).

    >>> import lamina
    >>> lamina.nn.ReflectionPad1d(1)(lamina.tensor([[[1.0, 2.0, 3.0]]])).tolist()
    [[[2.0, 1.0, 2.0, 3.0, 2.0]]]
    """

    _rank = 1


class ReflectionPad2d(_ReflectionPad):
    """The inside mirrored at the edges: (N, C, H, W) -> (N, C, H + top + bottom, W + left + right).

    >>> import lamina
    >>> lamina.nn.ReflectionPad2d(1)(lamina.zeros(1, 1, 2, 3)).shape
    (1, 1, 4, 5)
    """

    _rank = 2


class ReflectionPad3d(_ReflectionPad):
    """The inside mirrored at the edges: (N, C, D, H, W) -> (N, C, D', H', W').

    >>> import lamina
    >>> lamina.nn.ReflectionPad3d(1)(lamina.zeros(1, 1, 2, 3, 4)).shape
    (1, 1, 4, 5, 6)
    """

    _rank = 3


class _ReplicationPad(_Pad):
    _mode = "replicate"


class ReplicationPad1d(_ReplicationPad):
    """The edge repeated: (N, C, L) -> (N, C, L + left + right).

    >>> import lamina
    >>> lamina.nn.ReplicationPad1d(1)(lamina.tensor([[[1.0, 2.0]]])).tolist()
    [[[1.0, 1.0, 2.0, 2.0]]]
    """

    _rank = 1


class ReplicationPad2d(_ReplicationPad):
    """The edge repeated: (N, C, H, W) -> (N, C, H + top + bottom, W + left + right).

    >>> import lamina
    >>> lamina.nn.ReplicationPad2d(1)(lamina.zeros(1, 1, 2, 3)).shape
    (1, 1, 4, 5)
    """

    _rank = 2


class ReplicationPad3d(_ReplicationPad):
    """The edge repeated: (N, C, D, H, W) -> (N, C, D', H', W').

    >>> import lamina
    >>> lamina.nn.ReplicationPad3d(1)(lamina.zeros(1, 1, 2, 3, 4)).shape
    (1, 1, 4, 5, 6)
    """

    _rank = 3


class _CircularPad(_Pad):
    _mode = "circular"


class CircularPad1d(_CircularPad):
    """The other end continued: (N, C, L) -> (N, C, L + left + right).

    >>> import lamina
    >>> lamina.nn.CircularPad1d(1)(lamina.tensor([[[1.0, 2.0, 3.0]]])).tolist()
    [[[3.0, 1.0, 2.0, 3.0, 1.0]]]
    """

    _rank = 1


class CircularPad2d(_CircularPad):
    """The other end continued: (N, C, H, W) -> (N, C, H + top + bottom, W + left + right).

    >>> import lamina
    >>> lamina.nn.CircularPad2d(1)(lamina.zeros(1, 1, 2, 3)).shape
    (1, 1, 4, 5)
    """

    _rank = 2


class CircularPad3d(_CircularPad):
    """The other end continued: (N, C, D, H, W) -> (N, C, D', H', W').

    >>> import lamina
    >>> lamina.nn.CircularPad3d(1)(lamina.zeros(1, 1, 2, 3, 4)).shape
    (1, 1, 4, 5, 6)
    """

    _rank = 3
