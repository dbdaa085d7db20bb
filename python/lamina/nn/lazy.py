"""Layers that read their input size off the first input, and are ordinary layers from then on."""

from __future__ import annotations

from typing import Any

from .. import _C
from .._C import Tensor
from .conv import Conv1d, Conv2d, Conv3d, ConvTranspose1d, ConvTranspose2d, ConvTranspose3d
from .linear import Linear
from .module import Module
from .norm import (
    BatchNorm1d,
    BatchNorm2d,
    BatchNorm3d,
    InstanceNorm1d,
    InstanceNorm2d,
    InstanceNorm3d,
)
from .parameter import Parameter


class UninitializedParameter(Parameter):
    """Stands where a lazy layer's parameter will be, without size or values: () -> ().

    >>> from lamina import nn
    >>> nn.LazyLinear(3).weight
    <UninitializedParameter>
    """

    def __repr__(self) -> str:
        return "<UninitializedParameter>"


class _Lazy(Module):
    """Before the first call: the arguments; after it: an instance of `cls_to_become`."""

    cls_to_become: Any
    _given: dict[str, Any]
    _size_name = ""  # the argument that the input decides
    _names: tuple[str, ...] = ()  # of the arguments, in order
    _dim = 1  # of the input; -1 for features
    _defaults: dict[str, Any] = {}  # where they are not those of cls_to_become

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        Module.__init__(self)
        given = self._defaults | dict(zip(self._names, args, strict=False)) | kwargs
        if len(args) > len(self._names):
            raise TypeError(f"{type(self).__name__}: takes at most {len(self._names)} arguments, got {len(args)}")
        self.__dict__["_given"] = given
        layer = self.cls_to_become(**{self._size_name: self._probe(), **given})  # refuses bad arguments
        members = {*layer._parameters, *layer._buffers}  # None, where there is no bias
        settings = {k: v for k, v in vars(layer).items() if not (k.startswith("_") or k in members)}
        self.__dict__.update(settings | {self._size_name: 0})
        for name in ("weight", "bias"):
            self.register_parameter(name, UninitializedParameter(_C.empty(0)) if self._has(name) else None)
        for name in self._statistics():
            self.register_buffer(name, _C.empty(0))

    def _probe(self) -> int:
        return int(self._given.get("groups", 1)) or 1

    def _has(self, name: str) -> bool:
        return bool(self._given.get("affine", True)) and (name == "weight" or bool(self._given.get("bias", True)))

    def _statistics(self) -> tuple[str, ...]:
        return ()

    def has_uninitialized_params(self) -> bool:
        return type(self) is not self.cls_to_become

    def initialize_parameters(self, input: Tensor) -> None:
        """Becomes the layer for inputs like this one; hooks and the mode stay."""
        given, training, hooks = self._given, self.training, self.__dict__.get("_hooks")
        dim = self._dim if self._dim < 0 or len(input.shape) > self._unbatched else 0
        sizes = {self._size_name: input.shape[dim]}
        place = next((t for t in (*self.parameters(), *self.buffers()) if t.is_floating_point()), None)
        if place is not None:  # where .to() has put it meanwhile
            given = given | {"device": place.device, "dtype": place.dtype}
        self.__dict__.clear()
        self.__class__ = self.cls_to_become
        type(self).__init__(self, **sizes, **given)
        self.train(training)
        if hooks is not None:
            self.__dict__["_hooks"] = hooks

    _unbatched = 0  # an input of so many dims has no batch

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        self.initialize_parameters(args[0])
        return self.forward(*args, **kwargs)

    def extra_repr(self) -> str:
        text: str = self.cls_to_become.extra_repr(self)
        return text


class LazyLinear(_Lazy):
    """Linear that takes in_features from its first input: (*, in_features) -> (*, out_features).

    >>> import lamina
    >>> layer = lamina.nn.LazyLinear(3)
    >>> layer(lamina.zeros(2, 5)).shape, type(layer).__name__
    ((2, 3), 'Linear')
    """

    cls_to_become = Linear
    _size_name = "in_features"
    _names = ("out_features", "bias", "device", "dtype")
    _dim = -1


class _LazyConv(_Lazy):
    _size_name = "in_channels"
    _names = (
        *("out_channels", "kernel_size", "stride", "padding", "dilation", "groups", "bias", "padding_mode"),
        *("device", "dtype"),
    )


class _LazyConvTranspose(_Lazy):
    _size_name = "in_channels"
    _names = (
        *("out_channels", "kernel_size", "stride", "padding", "output_padding", "groups", "bias", "dilation"),
        *("padding_mode", "device", "dtype"),
    )


class LazyConv1d(_LazyConv):
    """Conv1d that takes in_channels from its first input: (N, C, L) -> (N, out_channels, L').

    >>> import lamina
    >>> lamina.nn.LazyConv1d(3, 2)(lamina.zeros(2, 5, 4)).shape
    (2, 3, 3)
    """

    cls_to_become = Conv1d
    _unbatched = 2


class LazyConv2d(_LazyConv):
    """Conv2d that takes in_channels from its first input: (N, C, H, W) -> (N, out_channels, H', W').

    >>> import lamina
    >>> lamina.nn.LazyConv2d(3, 2)(lamina.zeros(2, 5, 4, 4)).shape
    (2, 3, 3, 3)
    """

    cls_to_become = Conv2d
    _unbatched = 3


class LazyConv3d(_LazyConv):
    """Conv3d that takes in_channels from its first input: (N, C, D, H, W) -> (N, out_channels, D', H', W').

    >>> import lamina
    >>> lamina.nn.LazyConv3d(3, 2)(lamina.zeros(2, 5, 4, 4, 4)).shape
    (2, 3, 3, 3, 3)
    """

    cls_to_become = Conv3d
    _unbatched = 4


class LazyConvTranspose1d(_LazyConvTranspose):
    """ConvTranspose1d that takes in_channels from its first input: (N, C, L) -> (N, out_channels, L').

    >>> import lamina
    >>> lamina.nn.LazyConvTranspose1d(3, 2)(lamina.zeros(2, 5, 4)).shape
    (2, 3, 5)
    """

    cls_to_become = ConvTranspose1d
    _unbatched = 2


class LazyConvTranspose2d(_LazyConvTranspose):
    """ConvTranspose2d that takes in_channels from its first input: (N, C, H, W) -> (N, out_channels, H', W').

    >>> import lamina
    >>> lamina.nn.LazyConvTranspose2d(3, 2)(lamina.zeros(2, 5, 4, 4)).shape
    (2, 3, 5, 5)
    """

    cls_to_become = ConvTranspose2d
    _unbatched = 3


class LazyConvTranspose3d(_LazyConvTranspose):
    """ConvTranspose3d that takes in_channels from its first input: (N, C, D, H, W) -> (N, out_channels, D', H', W').

    >>> import lamina
    >>> lamina.nn.LazyConvTranspose3d(3, 2)(lamina.zeros(2, 5, 4, 4, 4)).shape
    (2, 3, 5, 5, 5)
    """

    cls_to_become = ConvTranspose3d
    _unbatched = 4


class _LazyNorm(_Lazy):
    _size_name = "num_features"
    _names = ("eps", "momentum", "affine", "track_running_stats", "device", "dtype")
    _defaults = {"affine": True, "track_running_stats": True}  # InstanceNorm's own are False

    def _statistics(self) -> tuple[str, ...]:
        tracks = self._given.get("track_running_stats", True)
        return ("running_mean", "running_var", "num_batches_tracked") if tracks else ()


class LazyBatchNorm1d(_LazyNorm):
    """BatchNorm1d that takes num_features from its first input: (N, C) or (N, C, L) -> the same.

    >>> import lamina
    >>> layer = lamina.nn.LazyBatchNorm1d()
    >>> layer(lamina.randn(4, 5)).shape, layer.num_features
    ((4, 5), 5)
    """

    cls_to_become = BatchNorm1d


class LazyBatchNorm2d(_LazyNorm):
    """BatchNorm2d that takes num_features from its first input: (N, C, H, W) -> the same.

    >>> import lamina
    >>> lamina.nn.LazyBatchNorm2d()(lamina.randn(4, 5, 2, 2)).shape
    (4, 5, 2, 2)
    """

    cls_to_become = BatchNorm2d


class LazyBatchNorm3d(_LazyNorm):
    """BatchNorm3d that takes num_features from its first input: (N, C, D, H, W) -> the same.

    >>> import lamina
    >>> lamina.nn.LazyBatchNorm3d()(lamina.randn(4, 5, 2, 2, 2)).shape
    (4, 5, 2, 2, 2)
    """

    cls_to_become = BatchNorm3d


class LazyInstanceNorm1d(_LazyNorm):
    """InstanceNorm1d that takes num_features from its first input: (N, C, L) or (C, L) -> the same.

    >>> import lamina
    >>> lamina.nn.LazyInstanceNorm1d()(lamina.randn(4, 5, 3)).shape
    (4, 5, 3)
    """

    cls_to_become = InstanceNorm1d
    _unbatched = 2


class LazyInstanceNorm2d(_LazyNorm):
    """InstanceNorm2d that takes num_features from its first input: (N, C, H, W) or (C, H, W) -> the same.

    >>> import lamina
    >>> lamina.nn.LazyInstanceNorm2d()(lamina.randn(4, 5, 3, 3)).shape
    (4, 5, 3, 3)
    """

    cls_to_become = InstanceNorm2d
    _unbatched = 3


class LazyInstanceNorm3d(_LazyNorm):
    """InstanceNorm3d that takes num_features from its first input: (N, C, D, H, W) or (C, D, H, W) -> the same.

    >>> import lamina
    >>> lamina.nn.LazyInstanceNorm3d()(lamina.randn(4, 5, 2, 3, 3)).shape
    (4, 5, 2, 3, 3)
    """

    cls_to_become = InstanceNorm3d
    _unbatched = 4
