"""Averages of a model's weights over its training: SWA and EMA."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from typing import Any

import lamina

from .. import _C
from .._C import Tensor
from ..nn import Module
from ..nn.norm import _BatchNorm
from .lr_scheduler import LRScheduler
from .lr_scheduler.base import per_group
from .optimizer import Optimizer

AvgFn = Callable[[Tensor, Tensor, Any], Tensor]
MultiAvgFn = Callable[[Sequence[Tensor], Sequence[Tensor], Any], None]


def _check_decay(decay: float) -> None:
    if not 0.0 <= decay <= 1.0:
        raise ValueError(f"Invalid decay value {decay}: expected a value in [0, 1]")


def get_ema_avg_fn(decay: float = 0.999) -> AvgFn:
    """decay * average + (1 - decay) * present: the exponential moving average."""
    _check_decay(decay)

    def ema_update(ema_param: Tensor, current_param: Tensor, num_averaged: Any) -> Tensor:
        with lamina.no_grad():
            return decay * ema_param + (1 - decay) * current_param

    return ema_update


def get_swa_avg_fn() -> AvgFn:
    """average + (present - average) / (count + 1): the mean of all."""

    def swa_update(averaged_param: Tensor, current_param: Tensor, num_averaged: Any) -> Tensor:
        with lamina.no_grad():
            mean: Tensor = averaged_param + (current_param - averaged_param) / (num_averaged + 1)
            return mean

    return swa_update


def _towards(averages: Sequence[Tensor], presents: Sequence[Tensor], weight: float) -> None:
    with lamina.no_grad():
        for average, present in zip(averages, presents, strict=True):
            if average.is_floating_point():
                average.lerp_(present, weight)
            else:
                average.copy_(average * (1 - weight) + present * weight)


def get_ema_multi_avg_fn(decay: float = 0.999) -> MultiAvgFn:
    """The exponential moving average of lists of tensors, in place."""
    _check_decay(decay)

    def ema_update(ema_param_list: Sequence[Tensor], current_param_list: Sequence[Tensor], _: Any) -> None:
        _towards(ema_param_list, current_param_list, 1 - decay)

    return ema_update


def get_swa_multi_avg_fn() -> MultiAvgFn:
    """The mean of all, for lists of tensors, in place."""

    def swa_update(
        averaged_param_list: Sequence[Tensor], current_param_list: Sequence[Tensor], num_averaged: Any
    ) -> None:
        _towards(averaged_param_list, current_param_list, 1.0 / (int(num_averaged) + 1))

    return swa_update


class AveragedModel(Module):
    """A copy of a model whose parameters are averages of the model's: SWA (Izmailov et al. 2018), or EMA. x -> module(x)

    `update_parameters(model)` takes the present weights in; `avg_fn(average, present, count)` returns a new average,
    `multi_avg_fn(averages, presents, count)` changes lists in place; without them it is the plain mean. With
    use_buffers the buffers are averaged too, else they are copied.

    >>> import lamina
    >>> from lamina.optim.swa_utils import AveragedModel
    >>> model = lamina.nn.Linear(1, 1)
    >>> average = AveragedModel(model)
    >>> for value in (1.0, 2.0, 6.0):
    ...     w = lamina.nn.init.constant_(model.weight, value)
    ...     average.update_parameters(model)
    >>> round(average.module.weight.item(), 4), average.n_averaged.item()
    (3.0, 3)
    """

    n_averaged: Tensor
    module: Module

    def __init__(
        self,
        model: Module,
        device: Any = None,
        avg_fn: AvgFn | None = None,
        multi_avg_fn: MultiAvgFn | None = None,
        use_buffers: bool = False,
    ) -> None:
        super().__init__()
        if avg_fn is not None and multi_avg_fn is not None:
            raise ValueError("AveragedModel: give avg_fn or multi_avg_fn, not both")
        self.module = copy.deepcopy(model)
        if device is not None:
            self.module = self.module.to(device)
        self.register_buffer("n_averaged", _C.tensor(0, dtype=_C.int64, device=device))
        self.avg_fn, self.multi_avg_fn, self.use_buffers = avg_fn, multi_avg_fn, use_buffers

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        return self.module(*args, **kwargs)

    def update_parameters(self, model: Module) -> None:
        """Takes the present weights of `model` into the averages."""

        def tensors(module: Module) -> Iterable[Tensor]:
            return chain(module.parameters(), module.buffers()) if self.use_buffers else module.parameters()

        averages = [t.detach() for t in tensors(self.module)]
        presents = [t.detach().to(a.device) for t, a in zip(tensors(model), averages, strict=True)]
        with lamina.no_grad():
            if self.n_averaged.item() == 0:
                for average, present in zip(averages, presents, strict=True):
                    average.copy_(present)
            elif self.avg_fn is not None:
                for average, present in zip(averages, presents, strict=True):
                    average.copy_(self.avg_fn(average, present, self.n_averaged))
            else:
                self._update_lists(averages, presents)
            if not self.use_buffers:
                for mine, theirs in zip(self.module.buffers(), model.buffers(), strict=True):
                    mine.copy_(theirs)
            self.n_averaged.add_(1)

    def _update_lists(self, averages: list[Tensor], presents: list[Tensor]) -> None:
        """One call for each dtype and device, as multi_avg_fn expects."""
        update = self.multi_avg_fn or get_swa_multi_avg_fn()
        groups: dict[str, tuple[list[Tensor], list[Tensor]]] = {}
        for average, present in zip(averages, presents, strict=True):
            mine, theirs = groups.setdefault(f"{average.dtype} {average.device}", ([], []))
            mine.append(average)
            theirs.append(present)
        for mine, theirs in groups.values():
            update(mine, theirs, self.n_averaged)


def update_bn(loader: Iterable[Any], model: Module, device: Any = None) -> None:
    """Computes the running statistics of the batch norms anew from one pass over the data, as averaged weights need.

    A batch is a tensor, or a tuple or list that starts with one.
    """
    layers = [m for m in model.modules() if isinstance(m, _BatchNorm)]
    if not layers:
        return
    momenta, was_training = [m.momentum for m in layers], model.training
    try:
        model.train()
        for layer in layers:
            layer.reset_running_stats()
            layer.momentum = None  # the plain mean over all batches
        with lamina.no_grad():
            for batch in loader:
                x = batch[0] if isinstance(batch, (list, tuple)) else batch
                model(x if device is None else x.to(device))
    finally:
        for layer, momentum in zip(layers, momenta, strict=True):
            layer.momentum = momentum
        model.train(was_training)


class SWALR(LRScheduler):
    """From the present rates to swa_lr in anneal_epochs steps, along a cosine or a line; then constant.

    >>> import lamina
    >>> opt = lamina.optim.SGD([lamina.nn.Parameter(lamina.ones(1))], lr=1.0)
    >>> schedule = lamina.optim.swa_utils.SWALR(opt, swa_lr=0.5, anneal_epochs=2, anneal_strategy="linear")
    >>> schedule.step(); schedule.get_last_lr()
    [0.75]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        swa_lr: float | list[float],
        anneal_epochs: int = 10,
        anneal_strategy: str = "cos",
        last_epoch: int = -1,
    ) -> None:
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(f"SWALR: anneal_strategy must be 'cos' or 'linear', got {anneal_strategy!r}")
        if not isinstance(anneal_epochs, int) or anneal_epochs < 0:
            raise ValueError(f"SWALR: anneal_epochs must be 0 or more, got {anneal_epochs}")
        self.anneal_epochs, self.anneal_strategy = anneal_epochs, anneal_strategy
        for group, rate in zip(optimizer.param_groups, per_group("SWALR: swa_lr", optimizer, swa_lr), strict=True):
            group["swa_lr"] = rate
        super().__init__(optimizer, last_epoch)

    def _share(self, epoch: int) -> float:
        if self.anneal_epochs == 0:
            return 1.0
        t = max(0.0, min(1.0, epoch / self.anneal_epochs))
        return t if self.anneal_strategy == "linear" else (1 - math.cos(math.pi * t)) / 2

    def get_lr(self) -> list[float]:
        share = self._share(self.last_epoch)
        rates = [group["swa_lr"] for group in self.optimizer.param_groups]
        return [rate * share + base * (1 - share) for rate, base in zip(rates, self.base_lrs, strict=True)]

    def _chain(self, present: list[float]) -> list[float]:
        old = self._share(self.last_epoch - 1) if self.last_epoch > 0 and self.anneal_epochs else 0.0
        share = self._share(self.last_epoch)
        out = []
        for group, lr in zip(self.optimizer.param_groups, present, strict=True):
            rate = group["swa_lr"]
            start = rate if old == 1 else (lr - old * rate) / (1 - old)
            out.append(rate * share + start * (1 - share))
        return out
