"""LRScheduler: the base of all schedules, and the two ways to find the next rate."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import FunctionType
from typing import Any

from ..optimizer import Optimizer

_OWN = frozenset(("optimizer", "_expected", "_schedulers"))  # what a state_dict leaves out


class LRScheduler:
    """Base class: a subclass gives `get_lr()`, one value per parameter group, from `base_lrs` and `last_epoch`.

    While a schedule is alone on its optimizer, `get_lr()` is a formula of the start value and the epoch, so that a
    resumed run equals an unbroken one bit for bit. Where somebody else writes the rates too (another schedule, a
    user's hand), `_chain(present)` goes on from the present rates, as PyTorch's schedules do.
    """

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        self._attach(optimizer, last_epoch)
        self.step()

    def _attach(self, optimizer: Optimizer, last_epoch: int) -> None:
        if not isinstance(optimizer, Optimizer):
            raise TypeError(f"{type(optimizer).__name__} is not an Optimizer")
        self.optimizer = optimizer
        for i, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                group.setdefault("initial_lr", group["lr"])
            elif "initial_lr" not in group:
                raise KeyError(f"param 'initial_lr' is not in param_groups[{i}]: it is needed to resume an optimizer")
        self.base_lrs: list[float] = [group["initial_lr"] for group in optimizer.param_groups]
        self.last_epoch = last_epoch
        self._last_lr = self._present()
        self._shared = False
        self._expected = [self._last_lr if last_epoch >= 0 else self.base_lrs]

    def get_lr(self) -> list[float]:
        raise NotImplementedError(f"{type(self).__name__} must define get_lr()")

    def _chain(self, present: list[float]) -> list[float]:
        """The rates of this epoch where others changed them; by default the schedule owns them outright."""
        return self.get_lr()

    def step(self, epoch: Any = None) -> None:
        if epoch is not None:
            self.last_epoch = epoch
            self._set(self.get_lr())
            return
        self.last_epoch += 1
        present = self._present()
        self._shared = self._shared or present not in self._expected
        self._set(self._chain(present) if self._shared else self.get_lr())

    def _begin(self, first: bool) -> None:
        """Starts at epoch 0, in the middle of a run unless `first`: what SequentialLR calls."""
        self._shared, self.last_epoch = False, 0
        self._set(self.get_lr())

    def _present(self) -> list[float]:
        return [group["lr"] for group in self.optimizer.param_groups]

    def _set(self, lrs: Sequence[float]) -> None:
        for group, lr in zip(self.optimizer.param_groups, lrs, strict=True):
            group["lr"] = lr
        self._last_lr = list(lrs)
        self._expected = [self._last_lr]

    def get_last_lr(self) -> list[float]:
        return self._last_lr

    def state_dict(self) -> dict[str, Any]:
        """Everything but the optimizer and functions."""
        return {k: v for k, v in self.__dict__.items() if k not in _OWN and not _holds_function(v)}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.__dict__.update({k: v for k, v in state_dict.items() if k not in _OWN})
        self._expected = [*self._expected, self._last_lr]  # the optimizer may or may not have been loaded as well


def _holds_function(value: Any) -> bool:
    return callable(value) or (isinstance(value, list) and any(callable(v) for v in value))


def per_group(name: str, optimizer: Optimizer, value: Any) -> list[Any]:
    """One value for all parameter groups, or a list with one for each."""
    count = len(optimizer.param_groups)
    values = list(value) if isinstance(value, (list, tuple)) else [value] * count
    if len(values) != count:
        raise ValueError(f"{name}: expected {count} values, one per parameter group, got {len(values)}")
    return values


class LambdaState(LRScheduler):
    """Keeps `lr_lambdas`, one function per group; callable objects (not plain functions) are saved by their __dict__."""

    lr_lambdas: list[Callable[[int], float]]

    def __init__(
        self,
        optimizer: Optimizer,
        lr_lambda: Callable[[int], float] | list[Callable[[int], float]],
        last_epoch: int = -1,
    ) -> None:
        if not isinstance(optimizer, Optimizer):
            raise TypeError(f"{type(optimizer).__name__} is not an Optimizer")
        self.lr_lambdas = per_group(f"{type(self).__name__}: lr_lambda", optimizer, lr_lambda)
        for fn in self.lr_lambdas:
            if not callable(fn):
                raise TypeError(f"{type(self).__name__}: lr_lambda should be a function, got {type(fn).__name__}")
        super().__init__(optimizer, last_epoch)

    def state_dict(self) -> dict[str, Any]:
        state = super().state_dict()
        state["lr_lambdas"] = [
            None if isinstance(fn, FunctionType) else dict(getattr(fn, "__dict__", {})) for fn in self.lr_lambdas
        ]
        return state

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        super().load_state_dict({k: v for k, v in state_dict.items() if k != "lr_lambdas"})
        for fn, values in zip(self.lr_lambdas, state_dict.get("lr_lambdas") or [], strict=False):
            if values:
                fn.__dict__.update(values)
