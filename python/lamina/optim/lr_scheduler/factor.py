"""Schedules that multiply the start rate by a factor of the epoch."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from typing import Any

from ..optimizer import Optimizer
from .base import LambdaState, LRScheduler


class FactorLR(LRScheduler):
    """lr = start * _factor(epoch); on shared rates, times _factor(epoch) / _factor(epoch - 1)."""

    def _factor(self, epoch: int) -> float:
        raise NotImplementedError

    def get_lr(self) -> list[float]:
        factor = self._factor(self.last_epoch)
        return [base * factor for base in self.base_lrs]

    def _chain(self, present: list[float]) -> list[float]:
        new = self._factor(self.last_epoch)
        old = self._factor(self.last_epoch - 1) if self.last_epoch > 0 else 1.0
        return [lr if new == old else lr * (new / old) for lr in present]


class StepLR(FactorLR):
    """Times gamma after every step_size epochs."""

    def __init__(self, optimizer: Optimizer, step_size: int, gamma: float = 0.1, last_epoch: int = -1) -> None:
        self.step_size, self.gamma = step_size, gamma
        super().__init__(optimizer, last_epoch)

    def _factor(self, epoch: int) -> float:
        return float(self.gamma ** (epoch // self.step_size))


class MultiStepLR(FactorLR):
    """Times gamma at each of the given epochs."""

    def __init__(
        self, optimizer: Optimizer, milestones: Iterable[int], gamma: float = 0.1, last_epoch: int = -1
    ) -> None:
        self.milestones, self.gamma = sorted(milestones), gamma
        super().__init__(optimizer, last_epoch)

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """PyTorch keeps the milestones in a Counter."""
        milestones = state_dict.get("milestones", self.milestones)
        if isinstance(milestones, Mapping):
            milestones = [int(at) for at, count in milestones.items() for _ in range(count)]
        super().load_state_dict({**state_dict, "milestones": sorted(milestones)})

    def _factor(self, epoch: int) -> float:
        return float(self.gamma ** bisect_right(self.milestones, epoch))


class ExponentialLR(FactorLR):
    """Times gamma after every epoch."""

    def __init__(self, optimizer: Optimizer, gamma: float, last_epoch: int = -1) -> None:
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def _factor(self, epoch: int) -> float:
        return float(self.gamma**epoch)

    def _chain(self, present: list[float]) -> list[float]:  # no quotient of two numbers that may underflow
        return [lr * self.gamma if self.last_epoch > 0 else lr for lr in present]


class ConstantLR(FactorLR):
    """Times factor for the first total_iters epochs, then as it was.

    >>> import lamina
    >>> opt = lamina.optim.SGD([lamina.nn.Parameter(lamina.ones(1))], lr=0.8)
    >>> schedule = lamina.optim.lr_scheduler.ConstantLR(opt, factor=0.5, total_iters=1)
    >>> first = schedule.get_last_lr()[0]; schedule.step(); first, schedule.get_last_lr()[0]
    (0.4, 0.8)
    """

    def __init__(
        self, optimizer: Optimizer, factor: float = 1.0 / 3, total_iters: int = 5, last_epoch: int = -1
    ) -> None:
        if not 0 <= factor <= 1.0:
            raise ValueError(f"ConstantLR: factor must be between 0 and 1, got {factor}")
        self.factor, self.total_iters = factor, total_iters
        super().__init__(optimizer, last_epoch)

    def _factor(self, epoch: int) -> float:
        return float(self.factor) if epoch < self.total_iters else 1.0

    def _chain(self, present: list[float]) -> list[float]:
        if self.factor == 0:  # no quotient brings a rate of zero back, so it starts anew
            return self.get_lr() if self.last_epoch == self.total_iters else super()._chain(present)
        return super()._chain(present)


class LinearLR(FactorLR):
    """From start_factor to end_factor times the lr in total_iters equal steps, then constant."""

    def __init__(
        self,
        optimizer: Optimizer,
        start_factor: float = 1.0 / 3,
        end_factor: float = 1.0,
        total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:
        if not 0.0 < start_factor <= 1.0:
            raise ValueError(f"start_factor must be in (0, 1], got {start_factor}")
        if not 0.0 <= end_factor <= 1.0:
            raise ValueError(f"end_factor must be in [0, 1], got {end_factor}")
        self.start_factor, self.end_factor, self.total_iters = start_factor, end_factor, total_iters
        super().__init__(optimizer, last_epoch)

    def _factor(self, epoch: int) -> float:
        done = min(epoch, self.total_iters) / self.total_iters if self.total_iters else 1.0
        return self.start_factor + (self.end_factor - self.start_factor) * done


class PolynomialLR(FactorLR):
    """lr = start * (1 - epoch / total_iters)^power, and 0 after total_iters epochs."""

    def __init__(self, optimizer: Optimizer, total_iters: int = 5, power: float = 1.0, last_epoch: int = -1) -> None:
        if total_iters <= 0:
            raise ValueError(f"PolynomialLR: total_iters must be positive, got {total_iters}")
        self.total_iters, self.power = total_iters, power
        super().__init__(optimizer, last_epoch)

    def _factor(self, epoch: int) -> float:
        return float((1.0 - min(self.total_iters, epoch) / self.total_iters) ** self.power)


class LambdaLR(LambdaState):
    """lr = start * lr_lambda(epoch); one function, or one per group."""

    def get_lr(self) -> list[float]:
        return [base * fn(self.last_epoch) for base, fn in zip(self.base_lrs, self.lr_lambdas, strict=True)]


class MultiplicativeLR(LambdaState):
    """Each epoch: lr = lr * lr_lambda(epoch); one function, or one per group."""

    def get_lr(self) -> list[float]:
        return list(self.base_lrs) if self.last_epoch <= 0 else self._chain(self._last_lr)

    def _chain(self, present: list[float]) -> list[float]:
        if self.last_epoch <= 0:
            return list(present)
        return [lr * fn(self.last_epoch) for lr, fn in zip(present, self.lr_lambdas, strict=True)]

    def _begin(self, first: bool) -> None:
        self._shared, self.last_epoch = False, 0
        self._set([lr if first else lr * fn(0) for lr, fn in zip(self._present(), self.lr_lambdas, strict=True)])
