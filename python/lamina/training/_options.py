"""What the options of Trainer mean: losses, metrics, optimizers and schedules by name, class, instance or function."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

import lamina

from .. import optim
from .._C import Tensor
from ..metrics._denominator import Number, classes_counted, denominator_of, is_sum
from ..nn import functional as F
from ..optim import lr_scheduler as schedules
from ._data import Batch, inputs_and_target, rows_of

if TYPE_CHECKING:
    from ..metrics import Metric
    from ..nn import Module
    from ..optim import Optimizer

_LOSSES = {
    "bce": "binary_cross_entropy",
    "bce_with_logits": "binary_cross_entropy_with_logits",
    "mse": "mse_loss",
    "l1": "l1_loss",
    "mae": "l1_loss",
    "huber": "huber_loss",
    "smooth_l1": "smooth_l1_loss",
    "nll": "nll_loss",
    "poisson_nll": "poisson_nll_loss",
    "hinge_embedding": "hinge_embedding_loss",
    "soft_margin": "soft_margin_loss",
    "multi_margin": "multi_margin_loss",
    "multilabel_soft_margin": "multilabel_soft_margin_loss",
    "multilabel_margin": "multilabel_margin_loss",
}
_ELEMENTWISE = frozenset(("binary_cross_entropy", "binary_cross_entropy_with_logits", "mse_loss", "l1_loss"))
_ELEMENTWISE |= {"huber_loss", "smooth_l1_loss", "poisson_nll_loss", "soft_margin_loss"}
PER_BATCH = ("onecycle", "cosine", "linear", "warmup_cosine")  # schedules by name that are stepped after each step
PER_EPOCH = ("step", "exponential", "plateau")


@dataclass
class Task:
    """What a model is trained and judged by: functions of one batch."""

    loss: Callable[..., Tensor] | None
    metrics: Callable[[], dict[str, Metric]]  # fresh ones
    assess: Callable[..., tuple[Tensor | None, tuple[Any, ...]]]  # the loss, and what the metrics take where scored
    denominator: Callable[..., Number | None] | None = None  # of the mean that the loss is; None: the rows
    summed: bool = False  # the loss is a sum over the rows

    def weight(self, batch: Batch) -> Number:
        """What the loss of this batch counts beside that of others."""
        found = None if self.denominator is None else self.denominator(*batch)
        return rows_of(batch) if found is None else found


def task_of(model: Module, loss: Any = None, metrics: Any = None) -> Task:
    """A Model has its own loss and metrics; any other module takes those of the options."""
    if loss is not None:
        other = _task_of_module(model, loss_function(loss), metrics)
        made: Any = getattr(model, "metrics", None)
        if metrics is not None or made is None or other.loss is None:
            return other
        other.metrics, other.assess = made, _own(other.loss, made, model).assess
        return other
    own = getattr(model, "training_loss", None)
    if own is None:
        return _task_of_module(model, None, metrics)
    wanted = metrics_of(metrics) if metrics is not None else getattr(model, "metrics", dict)

    from ..models import Model

    kind = type(model)
    default = getattr(kind, "training_loss", None) is Model.training_loss
    if default and hasattr(model, "training_step"):  # trained by its own steps, judged by its metrics alone
        return _own(None, wanted, model)
    if default and getattr(kind, "metric_inputs", None) is Model.metric_inputs:  # one forward pass serves both
        task = _task_of_module(model, F.cross_entropy, metrics)
        task.loss, task.metrics = own, wanted
        return task
    task = _own(own, wanted, model)
    task.denominator = _last(classes_counted) if default else getattr(model, "loss_denominator", None)
    return task


def _own(loss: Callable[..., Tensor] | None, metrics: Callable[[], dict[str, Metric]], model: Module) -> Task:
    """A loss and metrics that each call the model."""
    score = getattr(model, "metric_inputs", lambda *batch: (model(*batch[:-1]), batch[-1]))

    def assess(*batch: Any, scored: bool) -> tuple[Tensor | None, tuple[Any, ...]]:
        return None if loss is None else loss(*batch), score(*batch) if scored else ()

    return Task(loss, metrics, assess)


def _task_of_module(model: Module, criterion: Callable[..., Tensor] | None, metrics: Any) -> Task:
    def split(batch: tuple[Any, ...]) -> tuple[Any, Any]:
        if (len(batch[0]) if len(batch) == 1 and isinstance(batch[0], Mapping) else len(batch)) < 2:
            raise ValueError(
                "fit: the loss needs a target, but a batch has one field; hint: give data as (x, y), and (x, x) for "
                "an autoencoder"
            )
        arguments, named, target = inputs_and_target(model, batch)
        return model(*arguments, **named), target

    def loss(*batch: Any) -> Tensor:
        assert criterion is not None
        return criterion(*split(batch))

    def assess(*batch: Any, scored: bool) -> tuple[Tensor | None, tuple[Any, ...]]:
        output, target = split(batch)
        return None if criterion is None else criterion(output, target), (output, target)

    count = denominator_of(criterion)
    used = None if criterion is None else loss

    def denominator(*batch: Any) -> Number | None:
        return None if count is None else count(inputs_and_target(model, batch)[2])

    return Task(used, metrics_of(metrics), assess, denominator, is_sum(criterion))


def _last(denominator: Callable[[Any], Number | None]) -> Callable[..., Number | None]:
    return lambda *batch: denominator(batch[-1])


def _unknown(what: str, name: str, names: Iterable[str]) -> ValueError:
    near = get_close_matches(name, list(names), 1, 0.5)
    hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(sorted(names))}"
    return ValueError(f"{what}={name!r} is not known; {hint}")


def loss_function(loss: Any) -> Callable[..., Tensor]:
    """A function (output, target) -> () from a name, an nn loss (or its class) or any callable."""
    if isinstance(loss, type):
        loss = loss()
    if callable(loss):
        return loss  # type: ignore[no-any-return]
    if not isinstance(loss, str):
        raise TypeError(f"loss: expected a name, an nn loss or a function, got {type(loss).__name__}")
    name = _LOSSES.get(loss, loss)
    function = getattr(F, name, None) if name == "cross_entropy" or name in _LOSSES.values() else None
    if function is None:
        raise _unknown("loss", loss, ["cross_entropy", *_LOSSES])
    if name not in _ELEMENTWISE:
        return function  # type: ignore[no-any-return]

    def elementwise(output: Tensor, target: Tensor) -> Tensor:
        if tuple(output.shape) != tuple(target.shape):
            raise lamina.ShapeError(
                f"{name}: the model gives {tuple(output.shape)}, the target has {tuple(target.shape)}; "
                "hint: bring them to one shape, for example with target.unsqueeze(1)"
            )
        found: Tensor = function(output, target if target.is_floating_point() else target.to(output.dtype))
        return found

    elementwise.__name__ = name
    elementwise.denominator = denominator_of(function)  # type: ignore[attr-defined]
    return elementwise


def metrics_of(metrics: Any) -> Callable[[], dict[str, Metric]]:
    """A maker of fresh metrics from names, Metric instances or classes, or functions, alone or in a list or dict."""
    from ..metrics import Metric

    if metrics is None:
        return dict
    if isinstance(metrics, Mapping):
        table = dict(metrics)
    else:
        table = {}
        for item in [metrics] if isinstance(metrics, str) or callable(metrics) else list(metrics):
            table[_metric_name(item)] = item
    makers = {name: _metric_maker(name, item) for name, item in table.items()}
    for name, make in makers.items():
        if not isinstance(make(), Metric):
            raise TypeError(f"metrics: {name!r} should be a Metric, its class, a name or a function")
    return lambda: {name: make() for name, make in makers.items()}


def _metric_name(item: Any) -> str:
    if isinstance(item, str):
        return item
    kind = item if isinstance(item, type) else type(item)
    own = getattr(item, "__name__", kind.__name__)
    return own if own.islower() else _snake(own)


def _snake(name: str) -> str:
    """TopKAccuracy -> top_k_accuracy, F1 -> f1, MeanLoss -> mean_loss."""
    out = ""
    for i, c in enumerate(name):
        starts = c.isupper() and i > 0 and (name[i - 1].islower() or name[i + 1 : i + 2].islower())
        out += ("_" if starts else "") + c.lower()
    return out


def _metric_maker(name: str, item: Any) -> Callable[[], Metric]:
    from .. import metrics as home
    from ..metrics import Metric

    if isinstance(item, str):
        known = {_snake(n): n for n in home.__all__ if n not in ("Metric", "MeanLoss")}
        if item not in known:
            raise _unknown("metrics", item, known)
        item = getattr(home, known[item])
    if isinstance(item, Metric):

        def fresh() -> Metric:
            metric = copy.deepcopy(item)
            metric.reset()
            return metric

        return fresh
    if isinstance(item, type) and issubclass(item, Metric):
        return item
    if callable(item):
        return lambda: home.Mean(item)
    raise TypeError(f"metrics: {name!r} should be a Metric, its class, a name or a function, got {type(item).__name__}")


def optimizers_of(model: Module, optimizer: Any, lr: float, weight_decay: float | None) -> dict[str, Optimizer]:
    """{name: optimizer} over the parameters that need a gradient; one that is given as an instance stays as it is."""
    if isinstance(optimizer, optim.Optimizer):
        return {"optimizer": optimizer}
    if isinstance(optimizer, Mapping):
        return dict(optimizer)
    params = [p for p in model.parameters() if p.requires_grad]
    if not params:
        raise ValueError(f"fit: {type(model).__name__} has no parameter that needs a gradient")
    if isinstance(optimizer, str):
        known = {name.lower(): name for name in optim.__all__ if isinstance(getattr(optim, name), type)}
        del known["optimizer"]
        if optimizer.lower() not in known:
            raise _unknown("optimizer", optimizer, known)
        optimizer = getattr(optim, known[optimizer.lower()])
    if isinstance(optimizer, type) and issubclass(optimizer, optim.Optimizer):
        extra = {} if weight_decay is None else {"weight_decay": weight_decay}
        kind: Any = optimizer
        made: Any = kind(params, lr=lr, **extra)
    elif callable(optimizer):
        if weight_decay is not None:
            raise ValueError("weight_decay: an optimizer made by a function takes its own; leave weight_decay out")
        made = optimizer(params)
    else:
        made = None
    if isinstance(made, Mapping):
        return dict(made)
    if not isinstance(made, optim.Optimizer):
        raise TypeError(
            f"optimizer: expected a name, an Optimizer, its class or a function params -> Optimizer, "
            f"got {type(optimizer if made is None else made).__name__}"
        )
    return {"optimizer": made}


def schedule_of(
    scheduler: Any, optimizer: Optimizer, total: int | None, epochs: int | None, mode: str
) -> tuple[Any, str]:
    """(schedule or None, "batch" or "epoch": when it is stepped)."""
    if scheduler is None:
        return None, "epoch"
    if isinstance(scheduler, str):
        return _schedule_by_name(scheduler, optimizer, total, epochs, mode)
    made = scheduler if isinstance(scheduler, schedules.LRScheduler) else None
    if made is None and callable(scheduler):
        made = scheduler(optimizer)
    if not isinstance(made, schedules.LRScheduler):
        raise TypeError(
            "scheduler: expected a name, an LRScheduler or a function optimizer -> LRScheduler, "
            f"got {type(scheduler if made is None else made).__name__}"
        )
    if made.optimizer is not optimizer:
        raise ValueError("scheduler: it belongs to another optimizer; hint: give optimizer= the one it was made for")
    return made, "batch" if isinstance(made, (schedules.OneCycleLR, schedules.CyclicLR)) else "epoch"


def _schedule_by_name(
    name: str, optimizer: Optimizer, total: int | None, epochs: int | None, mode: str
) -> tuple[Any, str]:
    if name in PER_BATCH:
        if total is None:
            raise ValueError(
                f"scheduler={name!r} needs to know the number of steps, and the data does not say its length; "
                "hint: give steps="
            )
        rates = [group["lr"] for group in optimizer.param_groups]
        if name == "onecycle":
            return schedules.OneCycleLR(optimizer, rates, total, cycle_momentum=_has_momentum(optimizer)), "batch"
        if name == "cosine":
            return schedules.CosineAnnealingLR(optimizer, total), "batch"
        if name == "linear":
            return schedules.LambdaLR(optimizer, lambda step: max(0.0, 1 - step / total)), "batch"
        return schedules.LambdaLR(optimizer, lambda step: warmup_cosine(step, total)), "batch"
    if name == "step":
        return schedules.StepLR(optimizer, max(1, -(-(epochs or 3) // 3)), 0.1), "epoch"
    if name == "exponential":
        return schedules.ExponentialLR(optimizer, 0.95), "epoch"
    if name == "plateau":
        return schedules.ReduceLROnPlateau(optimizer, mode, patience=3), "epoch"
    raise _unknown("scheduler", name, (*PER_BATCH, *PER_EPOCH))


def warmup_cosine(step: int, total: int) -> float:
    """A line from near 0 over the first twentieth of the steps, then half a cosine down to 0."""
    import math

    warm = max(1, total // 20)
    if step < warm:
        return (step + 1) / (warm + 1)
    return (1 + math.cos(math.pi * min(1.0, (step - warm) / max(1, total - warm)))) / 2


def _has_momentum(optimizer: Optimizer) -> bool:
    return all(("betas" in g and len(g["betas"]) == 2) or g.get("momentum") for g in optimizer.param_groups)
