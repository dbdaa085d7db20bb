"""Distribution: batch and event shapes, validation, and the names that all distributions share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, TypeVar

import lamina

from .._C import Tensor
from .constraints import Constraint, is_dependent
from .utils import Shape

D = TypeVar("D", bound="Distribution")


class Distribution:
    """Base class. A sample has shape sample_shape + batch_shape + event_shape; log_prob drops the event dims.

    Samples come from the default generator: `lamina.manual_seed` fixes them. `rsample` is differentiable in the
    parameters where has_rsample is true; `sample` never is. With validate_args (the default) parameters and values
    are checked against their constraints.
    """

    has_rsample = False
    has_enumerate_support = False
    _validate_args = __debug__
    _tails: ClassVar[Mapping[str, int]] = {}  # the tensors that expand() widens, and their number of event dims

    @staticmethod
    def set_default_validate_args(value: bool) -> None:
        """Turns the checks on or off for all distributions made later without validate_args."""
        if value not in (True, False):
            raise ValueError(f"set_default_validate_args: expected True or False, got {value!r}")
        Distribution._validate_args = value

    def __init__(
        self, batch_shape: Sequence[int] = (), event_shape: Sequence[int] = (), validate_args: bool | None = None
    ) -> None:
        self._batch_shape, self._event_shape = tuple(batch_shape), tuple(event_shape)
        if validate_args is not None:
            self._validate_args = validate_args
        if self._validate_args:
            for name, constraint in self.arg_constraints.items():
                if name in self.__dict__ and not is_dependent(constraint):
                    self._check("parameter " + name, getattr(self, name), constraint)

    def _check(self, name: str, value: Tensor, constraint: Constraint) -> None:
        if not constraint.check(value.detach()).all().item():
            raise ValueError(
                f"{type(self).__name__}: expected {name} of shape {tuple(value.shape)} to satisfy the constraint "
                f"{constraint!r}, but found invalid values:\n{value.detach()}"
            )

    def expand(self: D, batch_shape: Sequence[int], _instance: Any = None) -> D:
        """The same distribution with a wider batch shape; nothing is copied.

        A subclass whose constructor takes other arguments may fill `_instance` (see _get_checked_instance)."""
        new: D = object.__new__(type(self)) if _instance is None else _instance
        batch = tuple(batch_shape)
        new.__dict__.update({k: v for k, v in self.__dict__.items() if not isinstance(v, Tensor)})
        for name, tail in self._tails.items():
            if name in self.__dict__:
                value = self.__dict__[name]
                setattr(new, name, value.expand(batch + tuple(value.shape[value.ndim - tail :])))
        new._batch_shape = batch
        return new

    def _get_checked_instance(self, cls: type, _instance: Any = None) -> Any:
        """For expand() of subclasses: an empty object of this type, unless they have a constructor of their own."""
        if _instance is None and type(self).__init__ is not cls.__init__:  # type: ignore[misc]
            raise NotImplementedError(
                f"{type(self).__name__} has a constructor of its own and must define expand() with it"
            )
        return object.__new__(type(self)) if _instance is None else _instance

    @property
    def batch_shape(self) -> Shape:
        return self._batch_shape

    @property
    def event_shape(self) -> Shape:
        return self._event_shape

    @property
    def arg_constraints(self) -> Mapping[str, Constraint]:
        return {}

    @property
    def support(self) -> Constraint | None:
        return None

    @property
    def mean(self) -> Tensor:
        raise self._missing("mean")

    @property
    def mode(self) -> Tensor:
        raise self._missing("mode")

    @property
    def variance(self) -> Tensor:
        raise self._missing("variance")

    @property
    def stddev(self) -> Tensor:
        return self.variance.sqrt()

    def sample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        with lamina.no_grad():
            return self.rsample(sample_shape)

    def rsample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        raise self._missing("rsample", "; hint: sample() draws without gradients, log_prob() gives score gradients")

    def sample_n(self, n: int) -> Tensor:
        """sample((n,)), PyTorch's older name."""
        return self.sample((n,))

    def log_prob(self, value: Tensor) -> Tensor:
        raise self._missing("log_prob")

    def cdf(self, value: Tensor) -> Tensor:
        raise self._missing("cdf")

    def icdf(self, value: Tensor) -> Tensor:
        raise self._missing("icdf")

    def enumerate_support(self, expand: bool = True) -> Tensor:
        raise self._missing("enumerate_support")

    def entropy(self) -> Tensor:
        raise self._missing("entropy")

    def perplexity(self) -> Tensor:
        return self.entropy().exp()

    def _missing(self, what: str, hint: str = "") -> NotImplementedError:
        return NotImplementedError(f"{type(self).__name__} has no {what}{hint}")

    def _extended_shape(self, sample_shape: Sequence[int] = ()) -> Shape:
        return tuple(sample_shape) + self._batch_shape + self._event_shape

    def _validate_sample(self, value: Any) -> None:
        if not self._validate_args:
            return
        name = type(self).__name__
        if not isinstance(value, Tensor):
            raise ValueError(f"{name}: the value argument to log_prob must be a Tensor, got {type(value).__name__}")
        shape, event = tuple(value.shape), self._event_shape
        if shape[len(shape) - len(event) :] != event:
            raise lamina.ShapeError(f"{name}: value has shape {shape}, expected it to end with event_shape {event}")
        for have, want in zip(reversed(shape), reversed(self._batch_shape + event), strict=False):
            if have != 1 and want != 1 and have != want:
                raise lamina.ShapeError(
                    f"{name}: value has shape {shape}, which does not broadcast with batch_shape + event_shape "
                    f"{self._batch_shape + event}"
                )
        support = self.support
        if support is not None and not is_dependent(support):
            self._check("value", value, support)

    def __repr__(self) -> str:
        parts = []
        for name in self.arg_constraints:
            value = self.__dict__.get(name)
            if value is not None:
                parts.append(f"{name}: {value.item() if value.numel() == 1 else tuple(value.shape)}")
        return f"{type(self).__name__}({', '.join(parts)})"
