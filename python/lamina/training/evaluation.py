"""evaluate and predict: a model over data in eval mode, without gradients and without a trace in its state."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import lamina

from .._C import Tensor
from ._data import TARGETS, as_loader, batch_maker, inputs_and_target, rows_of

if TYPE_CHECKING:
    from ..nn import Module
    from ._options import Task


@contextmanager
def evaluating(model: Module) -> Iterator[None]:
    """Eval mode, no gradients, the default generator at seed 0; all is given back, each module's mode on its own."""
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        with lamina.no_grad(), lamina.random.fork_rng():
            lamina.manual_seed(0)
            yield
    finally:
        for module, mode in modes:
            module.training = mode


def run_evaluation(model: Module, loader: Iterable[Any], task: Task) -> dict[str, float]:
    """{"loss": ..., metric: ...} over a loader."""
    from ..metrics import MeanLoss

    mean, metrics, losses = MeanLoss(), task.metrics(), task.loss is not None
    if not losses and not metrics:
        raise ValueError(f"evaluate: {type(model).__name__} has no loss and no metrics; hint: give loss= or metrics=")
    make, rows = batch_maker(model), 0
    with evaluating(model):
        for raw in loader:
            batch = make(raw)
            rows += rows_of(batch)
            loss, inputs = task.assess(*batch, scored=bool(metrics))
            if loss is not None:
                if task.summed:
                    mean.add_sum(loss, rows_of(batch))
                else:
                    mean.update(loss, task.weight(batch))
            for metric in metrics.values():
                metric.update(*inputs)
    if rows == 0:
        raise ValueError("evaluate: the data has no rows")
    found = {"loss": mean.compute()} if losses else {}
    return {**found, **{name: metric.compute() for name, metric in metrics.items()}}


def evaluate(
    model: Module, data: Any, *, loss: Any = None, metrics: Any = None, batch_size: int = 256
) -> dict[str, float]:
    """{"loss": mean over the rows, metric: value, ...} of any module, in eval mode and without gradients.

    The loss is that of all rows as one batch, however they are cut: each batch counts by what its loss divides by, as
    the targets that are not `ignore_index` with the weights of their classes. A loss of your own counts by rows, or by
    its method `denominator(target)`; a loss that is a sum gives the mean of a row.

    `loss` and `metrics` are as in Trainer; a Model has its own. A metric whose value is a tensor gives that. The mode
    of each module, the random state and the weights are as before. Raises ValueError where there is neither a loss nor
    a metric, or no row.

    >>> import lamina
    >>> from lamina.training import evaluate
    >>> evaluate(lamina.nn.Identity(), (lamina.zeros(4, 2), lamina.ones(4, 2)), loss="mse")
    {'loss': 1.0}
    """
    from ._options import task_of

    return run_evaluation(model, as_loader(data, batch_size), task_of(model, loss, metrics))


def predict(model: Module, data: Any, *, batch_size: int = 256) -> Any:
    """The outputs of any module for all rows (a Model's `prediction`), in eval mode and without gradients.

    Of a batch with several fields the first is used; of a dict all but the target, or the first where none is called so
    (see Trainer.fit). Outputs that are tuples or dicts of tensors are joined by field.

    >>> import lamina
    >>> from lamina.training import predict
    >>> predict(lamina.nn.ReLU(), lamina.tensor([[-1.0], [2.0]])).tolist()
    [[0.0], [2.0]]
    """
    call = getattr(model, "prediction", model)
    make = batch_maker(model)
    with evaluating(model):
        outputs = [_called(model, call, make(raw)) for raw in as_loader(data, batch_size)]
    if not outputs:
        raise ValueError("predict: the data has no rows")
    return _join(outputs)


def _called(model: Module, call: Any, batch: tuple[Any, ...]) -> Any:
    """The output for the first field; for the fields of a dict without its target, where it has one by name."""
    if call is not model or not isinstance(batch[0], dict):
        return call(batch[0])
    fields = {name: value for name, value in batch[0].items() if name not in TARGETS}
    arguments, named, _ = inputs_and_target(model, ({**fields, TARGETS[0]: None},))
    if arguments and len(fields) == len(batch[0]):  # which field would be the target is not said
        arguments = arguments[:1]
    return model(*arguments, **named)


def _join(outputs: list[Any]) -> Any:
    first = outputs[0]
    if isinstance(first, Tensor):
        return lamina.cat(outputs) if first.dim() else lamina.stack(outputs)
    if isinstance(first, dict):
        return {key: _join([output[key] for output in outputs]) for key in first}
    if isinstance(first, tuple):
        return tuple(_join(list(field)) for field in zip(*outputs, strict=True))
    if isinstance(first, list):
        return [item for output in outputs for item in output]
    raise TypeError(f"predict: expected outputs that are tensors, lists, tuples or dicts, got {type(first).__name__}")
