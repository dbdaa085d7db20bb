"""Cosine, cyclic and one-cycle schedules."""

from __future__ import annotations

import math
from collections.abc import Callable

from ..optimizer import Group, Optimizer
from .base import LRScheduler, per_group


def _set_momentum(group: Group, momentum: float) -> None:
    """The momentum of a group, or Adam's beta1."""
    if "betas" in group:
        group["betas"] = (momentum, *group["betas"][1:])
    else:
        group["momentum"] = momentum


class CosineAnnealingLR(LRScheduler):
    """From the start lr down to eta_min in T_max epochs along half a cosine (Loshchilov and Hutter 2016)."""

    def __init__(self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0, last_epoch: int = -1) -> None:
        self.T_max, self.eta_min = T_max, eta_min
        super().__init__(optimizer, last_epoch)

    def _share(self, epoch: int) -> float:
        return (1 + math.cos(math.pi * epoch / self.T_max)) / 2

    def get_lr(self) -> list[float]:
        share = self._share(self.last_epoch)
        return [self.eta_min + (base - self.eta_min) * share for base in self.base_lrs]

    def _chain(self, present: list[float]) -> list[float]:
        if self.last_epoch <= 0:
            return list(present)
        if (self.last_epoch - 1 - self.T_max) % (2 * self.T_max) == 0:  # from the lowest point there is no quotient
            rise = 1 - math.cos(math.pi / self.T_max)
            return [lr + (b - self.eta_min) * rise / 2 for lr, b in zip(present, self.base_lrs, strict=True)]
        ratio = self._share(self.last_epoch) / self._share(self.last_epoch - 1)
        return [ratio * (lr - self.eta_min) + self.eta_min for lr in present]


class CosineAnnealingWarmRestarts(LRScheduler):
    """Half a cosine from the start lr to eta_min, again and again (SGDR, Loshchilov and Hutter 2016).

    The first takes T_0 epochs, each later one T_mult times as many. `step(epoch)` takes fractions of an epoch.

    >>> import lamina
    >>> opt = lamina.optim.SGD([lamina.nn.Parameter(lamina.ones(1))], lr=1.0)
    >>> schedule = lamina.optim.lr_scheduler.CosineAnnealingWarmRestarts(opt, T_0=2)
    >>> rates = []
    >>> for epoch in range(4):
    ...     rates.append(round(schedule.get_last_lr()[0], 3)); schedule.step()
    >>> rates
    [1.0, 0.5, 1.0, 0.5]
    """

    def __init__(
        self, optimizer: Optimizer, T_0: int, T_mult: int = 1, eta_min: float = 0.0, last_epoch: int = -1
    ) -> None:
        if not isinstance(T_0, int) or T_0 <= 0:
            raise ValueError(f"CosineAnnealingWarmRestarts: expected a positive integer T_0, got {T_0}")
        if not isinstance(T_mult, int) or T_mult < 1:
            raise ValueError(f"CosineAnnealingWarmRestarts: expected an integer T_mult >= 1, got {T_mult}")
        self.T_0, self.T_mult, self.eta_min = T_0, T_mult, eta_min
        self.T_i, self.T_cur = T_0, float(last_epoch)
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        share = (1 + math.cos(math.pi * self.T_cur / self.T_i)) / 2
        return [self.eta_min + (base - self.eta_min) * share for base in self.base_lrs]

    def step(self, epoch: float | None = None) -> None:
        if epoch is None and self.last_epoch < 0:
            epoch = 0
        if epoch is None:
            self.last_epoch += 1
            self.T_cur += 1
            if self.T_cur >= self.T_i:
                self.T_cur -= self.T_i
                self.T_i *= self.T_mult
        else:
            if epoch < 0:
                raise ValueError(f"CosineAnnealingWarmRestarts: expected a non-negative epoch, got {epoch}")
            self._place(epoch)
        self._set(self.get_lr())

    def _place(self, epoch: float) -> None:
        self.last_epoch = math.floor(epoch)
        if self.T_mult == 1:
            self.T_cur, self.T_i = epoch % self.T_0, self.T_0
            return
        self.T_cur, self.T_i = epoch, self.T_0
        while self.T_cur >= self.T_i:
            self.T_cur -= self.T_i
            self.T_i *= self.T_mult

    def _begin(self, first: bool) -> None:
        self.step(0)


class CyclicLR(LRScheduler):
    """Up and down between base_lr and max_lr, one step per batch (Smith 2015); the momentum goes the other way.

    `mode` says how the height changes: "triangular" keeps it, "triangular2" halves it after each cycle, "exp_range"
    multiplies it by gamma at each step. `scale_fn` gives it as a function of the cycle (from 1) or, with
    scale_mode="iterations", of the step.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        base_lr: float | list[float],
        max_lr: float | list[float],
        step_size_up: int = 2000,
        step_size_down: int | None = None,
        mode: str = "triangular",
        gamma: float = 1.0,
        scale_fn: Callable[[float], float] | None = None,
        scale_mode: str = "cycle",
        cycle_momentum: bool = True,
        base_momentum: float | list[float] = 0.8,
        max_momentum: float | list[float] = 0.9,
        last_epoch: int = -1,
    ) -> None:
        if mode not in ("triangular", "triangular2", "exp_range") and scale_fn is None:
            raise ValueError(f"CyclicLR: mode must be 'triangular', 'triangular2' or 'exp_range', got {mode!r}")
        self._attach(optimizer, last_epoch)
        base_lrs = per_group("CyclicLR: base_lr", optimizer, base_lr)
        self.max_lrs = per_group("CyclicLR: max_lr", optimizer, max_lr)
        up = float(step_size_up)
        self.total_size = up + (up if step_size_down is None else float(step_size_down))
        self.step_ratio = up / self.total_size
        self.mode, self.gamma, self._scale_fn = mode, gamma, scale_fn
        self.scale_mode = scale_mode if scale_fn is not None else "iterations" if mode == "exp_range" else "cycle"
        self.cycle_momentum, groups = cycle_momentum, optimizer.param_groups
        if cycle_momentum:
            if not all("momentum" in g or "betas" in g for g in groups):
                raise ValueError("CyclicLR: the optimizer has no momentum to cycle; pass cycle_momentum=False")
            self.base_momentums = per_group("CyclicLR: base_momentum", optimizer, base_momentum)
            self.max_momentums = per_group("CyclicLR: max_momentum", optimizer, max_momentum)
        self.base_lrs = base_lrs
        self.step()

    def scale_fn(self, x: float) -> float:
        if self._scale_fn is not None:
            return self._scale_fn(x)
        if self.mode == "triangular2":
            return float(1 / 2.0 ** (x - 1))
        return float(self.gamma**x) if self.mode == "exp_range" else 1.0

    def get_lr(self) -> list[float]:
        turns = self.last_epoch / self.total_size
        cycle = math.floor(1 + turns)
        x = 1.0 + turns - cycle
        height = x / self.step_ratio if x <= self.step_ratio else (x - 1) / (self.step_ratio - 1)
        scale = self.scale_fn(cycle if self.scale_mode == "cycle" else self.last_epoch)
        if self.cycle_momentum:
            pairs = zip(self.base_momentums, self.max_momentums, strict=True)
            for group, (low, high) in zip(self.optimizer.param_groups, pairs, strict=True):
                _set_momentum(group, high - (high - low) * height * scale)
        return [low + (high - low) * height * scale for low, high in zip(self.base_lrs, self.max_lrs, strict=True)]


class OneCycleLR(LRScheduler):
    """Up from max_lr / div_factor to max_lr, then down far below: one step per batch (Smith and Topin 2017).

    The momentum (or Adam's beta1) goes the other way, between max_momentum and base_momentum. Give total_steps, or
    epochs and steps_per_epoch.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: float | list[float],
        total_steps: int | None = None,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        pct_start: float = 0.3,
        anneal_strategy: str = "cos",
        cycle_momentum: bool = True,
        base_momentum: float | list[float] = 0.85,
        max_momentum: float | list[float] = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        three_phase: bool = False,
        last_epoch: int = -1,
    ) -> None:
        if total_steps is None:
            if epochs is None or steps_per_epoch is None:
                raise ValueError("OneCycleLR: give total_steps, or both epochs and steps_per_epoch")
            total_steps = epochs * steps_per_epoch
        if total_steps <= 0:
            raise ValueError(f"OneCycleLR: expected a positive number of steps, got {total_steps}")
        if not 0 <= pct_start <= 1:
            raise ValueError(f"OneCycleLR: pct_start must be between 0 and 1, got {pct_start}")
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(f"OneCycleLR: anneal_strategy must be 'cos' or 'linear', got {anneal_strategy!r}")
        self.total_steps, self.anneal_strategy, self.cycle_momentum = total_steps, anneal_strategy, cycle_momentum
        groups = optimizer.param_groups
        if cycle_momentum and not all("momentum" in g or "betas" in g for g in groups):
            raise ValueError("OneCycleLR: the optimizer has no momentum to cycle; pass cycle_momentum=False")
        tops = per_group("OneCycleLR: max_lr", optimizer, max_lr)
        lows = per_group("OneCycleLR: base_momentum", optimizer, base_momentum)
        highs = per_group("OneCycleLR: max_momentum", optimizer, max_momentum)
        peak = float(pct_start * total_steps) - 1
        end = float(total_steps - 1)
        if three_phase:
            self._ends = [peak, 2 * peak, end]
        else:
            self._ends = [peak, end]
        self._lr_points: list[list[float]] = []
        self._momentum_points: list[list[float]] = []
        for group, top, low, high in zip(groups, tops, lows, highs, strict=True):
            start = top / div_factor
            bottom = start / final_div_factor
            self._lr_points.append([start, top, start, bottom] if three_phase else [start, top, bottom])
            self._momentum_points.append([high, low, high, high] if three_phase else [high, low, high])
            if last_epoch == -1:
                group["lr"] = group["initial_lr"] = start
        super().__init__(optimizer, last_epoch)

    def _between(self, points: list[float]) -> float:
        step, start = float(self.last_epoch), 0.0
        for i, end in enumerate(self._ends):
            if step <= end or i == len(self._ends) - 1:
                part = (step - start) / (end - start) if end != start else 1.0
                a, b = points[i], points[i + 1]
                if self.anneal_strategy == "linear":
                    return (b - a) * part + a
                return b + (a - b) / 2.0 * (1 + math.cos(math.pi * part))
            start = end
        raise AssertionError("unreachable")

    def get_lr(self) -> list[float]:
        if self.last_epoch > self.total_steps:
            raise ValueError(
                f"OneCycleLR: tried to step {self.last_epoch} times; the total number of steps is {self.total_steps}"
            )
        if self.cycle_momentum:
            for group, points in zip(self.optimizer.param_groups, self._momentum_points, strict=True):
                _set_momentum(group, self._between(points))
        return [self._between(points) for points in self._lr_points]
