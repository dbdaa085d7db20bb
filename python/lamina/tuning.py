"""Before and around training: a learning rate range test, k-fold splits and cross-validation."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import lamina

from ._C import Tensor

if TYPE_CHECKING:
    from .nn import Module
    from .training import History

__all__ = ["CrossValidation", "LRFind", "cross_validate", "k_fold", "lr_find"]


@dataclass
class LRFind:
    """What `lr_find` measured: a loss for each learning rate, and the rate it suggests (None where no loss fell)."""

    lrs: list[float]
    losses: list[float]  # of single batches
    smoothed: list[float]
    suggestion: float | None

    def plot(self, path: str | os.PathLike[str] | None = None) -> Any:
        """The curve as a matplotlib Figure, also written to `path` where one is given."""
        from .plot import lr_find

        return lr_find(self, path=path)

    def __repr__(self) -> str:
        rate = "none: no loss fell" if self.suggestion is None else f"{self.suggestion:.2e}"
        return f"LRFind({len(self.lrs)} rates from {self.lrs[0]:.2e} to {self.lrs[-1]:.2e}; suggestion {rate})"


def lr_find(
    model: Module,
    data: Any,
    *,
    loss: Any = None,
    optimizer: Any = "adamw",
    start: float = 1e-7,
    end: float = 10.0,
    steps: int = 100,
    batch_size: int = 32,
    smoothing: float = 0.9,
    stop: float = 4.0,
    seed: int = 0,
) -> LRFind:
    """The learning rate range test (Smith 2015, arXiv 1506.01186): trains while the rate grows from `start` to `end`.

    The rate grows by one factor each step; it ends early once the smoothed loss exceeds `stop` times its least value.
    Losses are smoothed as exponential means with weight `smoothing`, corrected for their start; the suggestion is the
    rate at which they fall fastest over log(rate), before their minimum. `data`, `loss` and `optimizer` (a name, a
    class or a function of the parameters) are as in Trainer. Weights, buffers, gradients, modes and random states are
    as before afterwards.

    >>> import lamina
    >>> x = lamina.arange(8).reshape(8, 1).float() / 8
    >>> found = lamina.lr_find(lamina.nn.Linear(1, 1), (x, 2 * x), loss="mse", steps=40)
    >>> 1e-4 < found.suggestion < 10
    True
    """
    from .training import _data, _options

    _check_sweep(start, end, steps, smoothing, stop)
    if callable(getattr(model, "training_step", None)):
        raise ValueError(f"lr_find: {type(model).__name__} trains with several optimizers, each has its own rate")
    task = _options.task_of(model, loss)
    if task.loss is None:
        raise ValueError(f"lr_find: {type(model).__name__} is no Model, so it needs loss=, for example 'cross_entropy'")
    if isinstance(optimizer, lamina.optim.Optimizer):
        raise TypeError("lr_find: optimizer must be a name, a class or a function, as the test has state of its own")
    factor = (end / start) ** (1 / (steps - 1))
    lrs: list[float] = []
    losses: list[float] = []
    smoothed: list[float] = []
    mean = 0.0
    with _untouched(model, data):
        lamina.manual_seed(seed)
        model.train()
        made = _options.optimizers_of(model, optimizer, start, None)
        generator = lamina.Generator().manual_seed(seed)
        batches = _endless(_data.as_loader(data, batch_size, True, generator), _data.batch_maker(model))
        for i in range(steps):
            lr = start * factor**i
            for each in made.values():
                for group in each.param_groups:
                    group["lr"] = lr
                each.zero_grad()
            value = task.loss(*next(batches))
            number = float(value.item())
            if not math.isfinite(number):
                break
            mean = smoothing * mean + (1 - smoothing) * number
            lrs.append(lr)
            losses.append(number)
            smoothed.append(mean / (1 - smoothing ** (i + 1)))
            if smoothed[-1] > stop * min(smoothed) and i > steps // 10:
                break
            value.backward()
            for each in made.values():
                each.step()
    if not lrs:
        raise ValueError("lr_find: the loss of the first batch is not a finite number")
    return LRFind(lrs, losses, smoothed, _steepest(lrs, smoothed))


def _check_sweep(start: float, end: float, steps: int, smoothing: float, stop: float) -> None:
    if not 0 < start < end < math.inf:
        raise ValueError(f"lr_find: needs 0 < start < end, got start={start!r} and end={end!r}")
    if isinstance(steps, bool) or not isinstance(steps, int) or steps < 10:
        raise ValueError(f"lr_find: steps must be a whole number of at least 10, got {steps!r}")
    if not 0 <= smoothing < 1:
        raise ValueError(f"lr_find: smoothing must be in [0, 1), got {smoothing!r}")
    if not stop > 1:
        raise ValueError(f"lr_find: stop must be above 1, got {stop!r}")


def _endless(loader: Any, make: Callable[[Any], tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
    while True:
        count = 0
        for raw in loader:
            count += 1
            yield make(raw)
        if count == 0:
            raise ValueError("lr_find: the data has no rows")


def _steepest(lrs: Sequence[float], smoothed: Sequence[float]) -> float | None:
    """The rate where the smoothed loss falls fastest over log(rate), up to its minimum.

    Slopes are those of lines fitted to seven points, and the first tenth does not count: single batches are noisy, and
    there the mean has few of them.
    """
    count = len(smoothed)
    last = min(range(count), key=lambda i: (smoothed[i], i))
    logs = [math.log(lr) for lr in lrs]
    best, place = 0.0, -1
    for i in range(max(1, count // 10), last + 1):
        low, high = max(0, i - 3), min(count, i + 4)
        middle = math.fsum(logs[low:high]) / (high - low)
        spread = math.fsum((logs[j] - middle) ** 2 for j in range(low, high))
        slope = math.fsum((logs[j] - middle) * smoothed[j] for j in range(low, high)) / spread
        if slope < best:
            best, place = slope, i
    return None if place < 0 else lrs[place]


@contextmanager
def _untouched(model: Module, data: Any) -> Iterator[None]:
    """Gives the model (values, gradients, modes) and every generator their states back."""
    from .utils.data.streams import find_generators

    values = [(t, t.detach().clone()) for t in (*model.parameters(), *model.buffers())]
    grads = [(p, p.grad) for p in model.parameters()]
    modes = [(module, module.training) for module in model.modules()]
    states = [(g, g.get_state()) for g in (*find_generators(data), *find_generators(model))]
    for p, _ in grads:
        p.grad = None
    try:
        with lamina.random.fork_rng():
            yield
    finally:
        with lamina.no_grad():
            for tensor, value in values:
                tensor.copy_(value)
        for p, grad in grads:
            p.grad = grad
        for module, mode in modes:
            module.training = mode
        for generator, state in states:
            generator.set_state(state)


def k_fold(
    data: Any, k: int = 5, *, shuffle: bool = True, stratify: Any = None, seed: int = 0
) -> Iterator[tuple[list[int], list[int]]]:
    """Splits n rows into k folds: yields (rows to train on, rows held out), each row held out once.

    `data` is n, or anything with a length (of a tuple of tensors or arrays the first counts). `stratify`: a label a
    row; each fold then has as nearly as possible the same share of every label. `seed` alone decides how rows are
    shuffled. Both lists are sorted.

    >>> import lamina
    >>> list(lamina.tuning.k_fold(5, 2, shuffle=False))
    [([3, 4], [0, 1, 2]), ([0, 1, 2], [3, 4])]
    """
    n = _rows(data)
    if isinstance(k, bool) or not isinstance(k, int) or not 2 <= k <= n:
        raise ValueError(f"k_fold: k must be a whole number from 2 to the {n} rows, got {k!r}")
    order = list(range(n))
    if shuffle:
        order = lamina.randperm(n, generator=lamina.Generator().manual_seed(seed)).tolist()
    fold_of = [0] * n
    if stratify is None:
        for place, row in enumerate(order):
            fold_of[row] = _fold_at(place, n, k)
    else:
        labels = stratify.tolist() if hasattr(stratify, "tolist") else list(stratify)
        if len(labels) != n:
            raise ValueError(f"k_fold: stratify has {len(labels)} labels for {n} rows")
        groups: dict[Any, list[int]] = {}
        for row in order:
            groups.setdefault(labels[row], []).append(row)
        place = 0  # goes on from label to label, so that the folds have equal sizes too
        for label in dict.fromkeys(labels):
            for row in groups[label]:
                fold_of[row] = place % k
                place += 1
    return (
        ([r for r in range(n) if fold_of[r] != fold], [r for r in range(n) if fold_of[r] == fold]) for fold in range(k)
    )


def _fold_at(place: int, n: int, k: int) -> int:
    """The first n % k folds have one row more."""
    size, more = divmod(n, k)
    border = more * (size + 1)
    return place // (size + 1) if place < border else more + (place - border) // size


def _rows(data: Any) -> int:
    if isinstance(data, int) and not isinstance(data, bool):
        return data
    if isinstance(data, tuple) and data and hasattr(data[0], "__len__"):
        return len(data[0])
    if hasattr(data, "__len__"):
        return len(data)
    raise TypeError(f"k_fold: data must be a number of rows or have a length, got {type(data).__name__}")


@dataclass
class CrossValidation:
    """What `cross_validate` measured: `scores`, a dict a fold, and the histories of the runs."""

    scores: list[dict[str, float]] = field(default_factory=list)
    histories: list[History] = field(default_factory=list)

    def names(self) -> list[str]:
        return list(dict.fromkeys(name for score in self.scores for name in score))

    def mean(self, name: str) -> float:
        """The mean of a quantity over the folds."""
        return math.fsum(score[name] for score in self.scores) / len(self.scores)

    def std(self, name: str) -> float:
        """The standard deviation of a quantity over the folds (n - 1)."""
        mean = self.mean(name)
        return math.sqrt(math.fsum((s[name] - mean) ** 2 for s in self.scores) / (len(self.scores) - 1))

    def __repr__(self) -> str:
        names = self.names()
        rows = [["fold", *names]]
        rows += [[str(i), *(f"{score[n]:.4f}" for n in names)] for i, score in enumerate(self.scores, 1)]
        rows += [["mean", *(f"{self.mean(n):.4f}" for n in names)], ["std", *(f"{self.std(n):.4f}" for n in names)]]
        widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
        return "\n".join("  ".join(c.rjust(w) for c, w in zip(row, widths, strict=True)) for row in rows)


def cross_validate(
    make_model: Callable[[], Module],
    data: Any,
    k: int = 5,
    *,
    shuffle: bool = True,
    stratify: Any = None,
    seed: int = 0,
    loss: Any = None,
    metrics: Any = None,
    batch_size: int = 32,
    **options: Any,
) -> CrossValidation:
    """Trains `make_model()` k times, each time without one fold, and evaluates it on that fold.

    `data` is a tensor or array, a tuple of them or a Dataset; `shuffle`, `stratify` and `seed` are as in k_fold, and
    fold i starts its weights and its run from seed + i. `loss`, `metrics`, `batch_size` and `options` (epochs, lr,
    optimizer ...) are Trainer's. The default generator is as before afterwards.

    >>> import lamina
    >>> x = lamina.eye(4)
    >>> found = lamina.tuning.cross_validate(
    ...     lambda: lamina.nn.Linear(4, 2), (x, x[:, :2]), 2, loss="mse", epochs=1, progress=False)
    >>> len(found.scores), found.names()
    (2, ['loss'])
    """
    from .training import Trainer, _data, evaluate
    from .utils.data import Subset, TensorDataset

    if _data.is_loader(data):
        raise TypeError("cross_validate: a loader cannot be split by rows; hint: give tensors, arrays or a Dataset")
    dataset = _data.as_dataset(data)
    found = CrossValidation()
    for i, (train, held) in enumerate(k_fold(len(dataset), k, shuffle=shuffle, stratify=stratify, seed=seed)):
        parts: list[Any] = [Subset(dataset, rows) for rows in (train, held)]
        if type(dataset) is TensorDataset:
            parts = [TensorDataset(*(t[_places(rows)] for t in dataset.tensors)) for rows in (train, held)]
        with lamina.random.fork_rng():
            lamina.manual_seed(seed + i)
            model = make_model()
            trainer = Trainer(model, loss=loss, metrics=metrics, batch_size=batch_size, seed=seed + i, **options)
            found.histories.append(trainer.fit(parts[0]))
            found.scores.append(evaluate(model, parts[1], loss=loss, metrics=metrics))
    return found


def _places(rows: list[int]) -> Tensor:
    return lamina.tensor(rows, dtype=lamina.int64)
