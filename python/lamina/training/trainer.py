"""Trainer and fit: the training loop for any module, with everything that runs need besides."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from contextlib import ExitStack
from inspect import signature
from typing import Any

import lamina

from ..nn import Module
from . import _data
from ._interrupt import Interrupts
from ._loop import Loop
from ._options import optimizers_of, schedule_of, task_of
from ._settings import PRECISIONS, check, check_measured, check_names, check_own_step, checkpoint_period
from ._steps import step_of
from .callbacks import Callback, EarlyStopping, direction
from .checkpoint import Checkpoint
from .energy import EnergyMeter
from .history import History
from .loggers import loggers_of

Path = str | os.PathLike[str]


class Trainer(Loop):
    """Trains a module: any nn.Module with `loss`, or a Model, which has its own.

    - `loss`: a name ("cross_entropy", "mse", "bce", "bce_with_logits", "l1", "huber", "nll", ...), an nn loss, or a
      function (output, target) -> (). A batch (x, y) gives loss(model(x), y); of more fields the last is the target. A
      mean that is not over the rows says by a method `denominator(target)` what it divides by (see evaluate).
    - `optimizer`: a name ("adamw", "sgd", "lion", ...), a class, an instance, or a function parameters -> Optimizer;
      `lr` and `weight_decay` go to names and classes.
    - `scheduler`: "onecycle", "cosine", "linear" or "warmup_cosine" over all steps, stepped after each; "step" (a tenth
      after each third), "exponential" (0.95) or "plateau" after each epoch; an LRScheduler, or a function
      optimizer -> LRScheduler, after each epoch (OneCycleLR and CyclicLR after each step), or as `scheduler_step` says.
    - `metrics`: names, Metrics, their classes, or functions (output, target), in a list or a dict, for validation.
    - `epochs` (default 10) and `steps` (of the optimizer): the run ends with whichever is reached first.
    - `batch_size`, `shuffle`, `num_workers`, `drop_last`: of the DataLoader that is made where the data is none.
    - `accumulate`: so many batches a step, each weighted by what its loss divides by (rows; for cross entropy the targets
      that count, with their weights): the step of one big batch (batch norm still sees the small ones).
    - `clip_norm`, `clip_value`: of the gradients, before each step.
    - `ema`: the decay of an average of the weights, which is validated and kept at the end.
    - `precision`: "float32", or "bf16": the forward passes of training under lamina.autocast.
    - `early_stopping`: records without progress of `monitor` ("val_loss", or "loss" without validation) by `min_delta`
      before the run stops; `mode` is "min", "max" or "auto". `restore_best` (then the default) ends with the best
      weights.
    - `record_every`: a record, with validation, after so many steps, besides those at the ends of epochs.
    - `checkpoint`: a file for everything the run needs to go on, written each `checkpoint_every` ("epoch", "5 epochs",
      "100 steps", or a number of steps), at the end, and at Ctrl-C. `resume=True` goes on from it, if it is there, and
      ends in the same bits as a run without the break; `resume=path` goes on from another file. A line on stderr says
      from where; a TrainingWarning names options such as lr that stay as the file has them. `generators` (NumPy's,
      random.Random) that the data draws from are kept with it; lamina's are found by themselves.
    - `callbacks`: see Callback. `progress`: a line a record, and a bar where tqdm is there and stderr is a terminal.
    - `log`: names ending in .csv or .jsonl, or a folder for TensorBoard; one or a list.
    - `energy`: "joules" in the history, measured by RAPL where that can be read, else a labelled estimate.
    - `seed`: of the order of the data and of dropout in this run; the weights have their values already. The default
      generator is as before afterwards. None: the run draws from it as it is.
    - `checks`: warns of what cannot be meant (see watch) in steps 1 to 3, 5, 10, 20, 50, ... A loss that is not finite
      raises NaNLossError in any case.

    A model with `training_step` makes its steps itself, with the optimizers of `configure_optimizers(lr)`. Raises
    ValueError or TypeError for options out of range, before anything is trained. For callbacks there are `model`,
    `optimizers` and `schedulers` (by name), `ema`, `history`, `epoch`, `step` and `total_steps`.

    >>> import lamina
    >>> trainer = lamina.Trainer(lamina.nn.Linear(2, 2), loss="mse", epochs=2, progress=False)
    >>> x = lamina.eye(2)
    >>> [record["epoch"] for record in trainer.fit((x, x))]
    [1, 2]
    """

    def __init__(
        self,
        model: Module,
        *,
        loss: Any = None,
        optimizer: Any = "adamw",
        lr: float = 1e-3,
        weight_decay: float | None = None,
        scheduler: Any = None,
        scheduler_step: str | None = None,
        metrics: Any = None,
        epochs: int | None = None,
        steps: int | None = None,
        batch_size: int = 32,
        shuffle: bool = True,
        accumulate: int = 1,
        clip_norm: float | None = None,
        clip_value: float | None = None,
        ema: float | None = None,
        precision: str = "float32",
        early_stopping: int | None = None,
        monitor: str | None = None,
        mode: str = "auto",
        min_delta: float = 0.0,
        restore_best: bool | None = None,
        record_every: int | None = None,
        checkpoint: Path | None = None,
        checkpoint_every: str | int = "epoch",
        resume: bool | Path = False,
        callbacks: Sequence[Callback] = (),
        progress: bool = True,
        log: Path | Sequence[Path] | None = None,
        energy: bool = False,
        seed: int | None = 0,
        num_workers: int = 0,
        drop_last: bool = False,
        generators: Sequence[Any] = (),
        checks: bool = True,
    ) -> None:
        if not isinstance(model, Module):
            raise TypeError(f"Trainer: model must be an nn.Module, got {type(model).__name__}")
        self.model, self.loss, self.optimizer, self.lr, self.weight_decay = model, loss, optimizer, lr, weight_decay
        self.scheduler, self.scheduler_step, self.metrics = scheduler, scheduler_step, metrics
        self.epochs = 10 if epochs is None and steps is None else epochs
        self.steps, self.batch_size, self.shuffle, self.accumulate = steps, batch_size, shuffle, accumulate
        self.clip_norm, self.clip_value, self.record_every = clip_norm, clip_value, record_every
        self.early_stopping, self.monitor, self.mode, self.min_delta = early_stopping, monitor, mode, min_delta
        self.restore_best = early_stopping is not None if restore_best is None else restore_best
        self.checkpoint, self.checkpoint_every, self.resume = checkpoint, checkpoint_every, resume
        self.callbacks, self.progress, self.log, self.energy = list(callbacks), progress, log, energy
        self.seed, self.num_workers, self.generators, self.checks = seed, num_workers, generators, checks
        self.drop_last = drop_last
        self.ema_decay = ema
        self.precision = PRECISIONS.get(precision, "")
        check(self)
        self._period = checkpoint_period(checkpoint_every)
        self.own_step = callable(getattr(model, "training_step", None))
        if self.own_step:
            check_own_step(self, type(model).__name__)
        self.history, self.task = History(), task_of(model, loss, metrics)
        if self.task.loss is None and not self.own_step:
            raise ValueError(f"fit: {type(model).__name__} is no Model, so it needs loss=, for example 'cross_entropy'")

    def fit(self, data: Any, validation: Any = None) -> History:
        """Trains on `data`; `validation` is data as well, or the fraction of the rows to hold out.

        A dict of tensors, or a dataset of dicts, gives batches that are dicts: "target", "targets", "label", "labels" or
        "y" (else the last field) is the target, and the others go to the model by name, where its forward has these
        names, else in their order. A model with its own training_loss or training_step gets the dict itself.

        Parts of a model in train mode that are in eval mode stay so: the norms of frozen layers, for example.
        """
        modes = [(module, module.training) for module in self.model.modules()]
        self._held = [module for module, training in modes if self.model.training and not training]
        with ExitStack() as stack:
            if self.seed is not None:
                stack.enter_context(lamina.random.fork_rng())
                lamina.manual_seed(self.seed)
            self._prepare(data, validation)
            self._interrupts = Interrupts()
            if self.checkpoint is not None:
                stack.enter_context(self._interrupts)
            try:
                self.run()
            finally:
                self._call("on_fit_end")
                for module, mode in modes:
                    module.training = mode
                for optimizer in self.optimizers.values():
                    optimizer.zero_grad()
        return self.history

    def _prepare(self, data: Any, validation: Any) -> None:
        if isinstance(validation, float):
            data, validation = _data.split(data, validation, self.seed or 0)
        generator = None if self.seed is None else lamina.Generator().manual_seed(self.seed)
        self.loader = _data.as_loader(data, self.batch_size, self.shuffle, generator, self.num_workers, self.drop_last)
        self.validation = None if validation is None else _data.as_loader(validation, self.batch_size)
        self.history, self.stopped, self._losses, self._spent, self._rate = History(), "", {}, (0.0, 0.0), self.lr
        self._make_batch = _data.batch_maker(self.model)
        self._plan_steps()
        self._make_optimizers()
        self._judge = task_of(self.trained, self.loss, self.metrics)
        self._make_callbacks()
        if self.checkpoint is not None:
            os.makedirs(os.path.dirname(os.path.abspath(self.checkpoint)), exist_ok=True)
        check_measured(self)
        self._take_step = step_of(self)
        self.state = Checkpoint(
            model=self.model,
            optimizer=_alone(self.optimizers),
            scheduler=_alone(self.schedulers),
            ema=self.ema,
            loader=self.loader,
            generators=self.generators,
        )
        self._begin_from_checkpoint()
        self._clock = time.perf_counter(), 0.0 if self._meter is None else self._meter.joules()

    def _plan_steps(self) -> None:
        """total_steps: how many steps the run takes, where that is known."""
        batches = _data.batches_in(self.loader)
        self.total_steps = self.steps
        if batches is not None and self.epochs is not None:
            full = self.epochs * -(-batches // self.accumulate)
            self.total_steps = full if self.steps is None else min(full, self.steps)

    def _make_optimizers(self) -> None:
        if self.own_step:
            own: Any = self.model
            self.optimizers = dict(own.configure_optimizers(self.lr))
        else:
            self.optimizers = optimizers_of(self.model, self.optimizer, self.lr, self.weight_decay)
        mode = direction(self.monitored) if self.mode == "auto" else self.mode
        self.schedulers: dict[str, Any] = {}
        self._when = "epoch"
        for name, optimizer in self.optimizers.items():
            schedule, when = schedule_of(self.scheduler, optimizer, self.total_steps, self.epochs, mode)
            if schedule is not None:
                self.schedulers[name], self._when = schedule, self.scheduler_step or when
        self.ema = None
        if self.ema_decay is not None:
            from ..optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

            self.ema = AveragedModel(self.model, multi_avg_fn=get_ema_multi_avg_fn(self.ema_decay))

    def _make_callbacks(self) -> None:
        self.stopping, self._kept = None, list(self.callbacks)
        if self.early_stopping is not None or self.restore_best:
            self.stopping = EarlyStopping(
                self.early_stopping, self.monitored, self.mode, self.min_delta, self.restore_best
            )
            self._kept.insert(0, self.stopping)
        self._active, self.checker = list(self._kept), None
        if self.checks:
            from ._checking import Checker

            self.checker = Checker()
            self._active.append(self.checker)
        self._active += loggers_of(self.log)
        self._meter = EnergyMeter() if self.energy else None
        if self.progress:
            from ._reporting import Reporter

            self._active.append(Reporter())


def _alone(several: dict[str, Any]) -> Any:
    """The usual single optimizer (or schedule) without its name."""
    return several["optimizer"] if list(several) == ["optimizer"] else several


def fit(model: Module, data: Any, validation: Any = None, **options: Any) -> History:
    """Trains a module and returns its History: `Trainer(model, **options).fit(data, validation)`; see Trainer.

    `data` is a tensor or array, a tuple of them (x, y), a Dataset, a list of samples, or a DataLoader. float64 becomes
    float32, unless the model is float64. `validation` is the same, or the fraction of the rows to hold out (by `seed`).

    >>> import lamina
    >>> x = lamina.linspace(0, 1, 32).unsqueeze(1)
    >>> history = lamina.fit(lamina.nn.Linear(1, 1), (x, 3 * x), loss="mse", lr=0.1, epochs=9, progress=False)
    >>> history[-1]["loss"] < history[0]["loss"] / 2
    True
    """
    return trainer_of(model, options).fit(data, validation)


def trainer_of(model: Module, options: dict[str, Any]) -> Trainer:
    """Trainer(model, **options), which says the nearest name for an option that is not there."""
    check_names(options, signature(Trainer.__init__).parameters)
    return Trainer(model, **options)
