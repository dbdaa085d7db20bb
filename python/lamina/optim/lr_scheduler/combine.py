"""Schedules made of schedules: one after the other, or all at once."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import Any

from ..optimizer import Optimizer
from .base import LRScheduler
from .plateau import ReduceLROnPlateau


class _Combined(LRScheduler):
    """What both share: parts on one optimizer, and their states in one."""

    def _take(self, schedulers: Sequence[LRScheduler], optimizer: Optimizer | None) -> Optimizer:
        name = type(self).__name__
        if len(schedulers) < 1:
            raise ValueError(f"{name} expects at least one scheduler")
        for i, part in enumerate(schedulers):
            if not hasattr(part, "optimizer"):
                raise TypeError(f"{name}: scheduler {i} should have an `optimizer`, got {type(part).__name__}")
            if isinstance(part, ReduceLROnPlateau):
                raise ValueError(f"{name}: scheduler {i} is a ReduceLROnPlateau, whose step() needs a metric")
            optimizer = part.optimizer if optimizer is None else optimizer
            if part.optimizer is not optimizer:
                raise ValueError(f"{name}: scheduler {i} ({type(part).__name__}) belongs to another optimizer")
        assert optimizer is not None
        self.optimizer, self._schedulers = optimizer, list(schedulers)
        self._expected: list[list[float]] = []
        return optimizer

    def _reset_rates(self) -> None:
        for group in self.optimizer.param_groups:
            group["lr"] = group["initial_lr"]

    def state_dict(self) -> dict[str, Any]:
        return {**super().state_dict(), "_schedulers": [part.state_dict() for part in self._schedulers]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        super().load_state_dict(state_dict)
        for part, state in zip(self._schedulers, state_dict["_schedulers"], strict=True):
            part.load_state_dict(state)


class SequentialLR(_Combined):
    """One schedule after the other: the next begins at its epoch 0 where the count reaches a milestone.

    With last_epoch it stands where a schedule stands after last_epoch + 1 steps, as the other schedules do.

    >>> import lamina
    >>> from lamina.optim.lr_scheduler import ConstantLR, ExponentialLR, SequentialLR
    >>> opt = lamina.optim.SGD([lamina.nn.Parameter(lamina.ones(1))], lr=1.0)
    >>> parts = [ConstantLR(opt, factor=0.5, total_iters=9), ExponentialLR(opt, gamma=0.5)]
    >>> schedule = SequentialLR(opt, parts, milestones=[2])
    >>> rates = []
    >>> for epoch in range(4):
    ...     rates.append(schedule.get_last_lr()[0]); schedule.step()
    >>> rates
    [0.5, 0.5, 1.0, 0.5]
    """

    def __init__(
        self, optimizer: Optimizer, schedulers: list[LRScheduler], milestones: list[int], last_epoch: int = -1
    ) -> None:
        self._take(schedulers, optimizer)
        if len(milestones) != len(schedulers) - 1:
            raise ValueError(
                f"SequentialLR: expected one milestone less than schedulers, got {len(schedulers)} schedulers and "
                f"{len(milestones)} milestones"
            )
        self._milestones = list(milestones)
        self._begin(True)
        for _ in range(last_epoch + 1):  # to where a schedule stands that was stepped so far
            self.step()

    def _begin(self, first: bool) -> None:
        self.last_epoch = 0
        self._reset_rates()
        part = self._schedulers[bisect_right(self._milestones, 0)]
        part._begin(first)
        self._last_lr = part.get_last_lr()

    def step(self, epoch: Any = None) -> None:
        if epoch is not None:
            raise ValueError("SequentialLR: step() takes no epoch: its parts count their own")
        self.last_epoch += 1
        which = bisect_right(self._milestones, self.last_epoch)
        part = self._schedulers[which]
        if which > 0 and self._milestones[which - 1] == self.last_epoch:
            part._begin(False)
        else:
            part.step()
        self._last_lr = part.get_last_lr()


class ChainedScheduler(_Combined):
    """All schedules at each step, in turn, each from the rates that the one before it left.

    >>> import lamina
    >>> from lamina.optim.lr_scheduler import ChainedScheduler, ConstantLR, ExponentialLR
    >>> opt = lamina.optim.SGD([lamina.nn.Parameter(lamina.ones(1))], lr=1.0)
    >>> schedule = ChainedScheduler([ConstantLR(opt, factor=0.5, total_iters=9), ExponentialLR(opt, gamma=0.5)])
    >>> schedule.step(); schedule.get_last_lr()
    [0.25]
    """

    def __init__(self, schedulers: Sequence[LRScheduler], optimizer: Optimizer | None = None) -> None:
        self._take(schedulers, optimizer)
        self._last_lr = self._present()

    def _begin(self, first: bool) -> None:
        self._reset_rates()
        for part in self._schedulers:
            part._shared, part.last_epoch = True, -1
            part.step()
        self._last_lr = self._present()

    def step(self, epoch: Any = None) -> None:
        if epoch is not None:
            raise ValueError("ChainedScheduler: step() takes no epoch: its parts count their own")
        for part in self._schedulers:
            part.step()
        self._last_lr = self._present()
