"""The loop of a run: epochs, steps, records, checkpoints, and how it ends."""

from __future__ import annotations

import os
import time
from itertools import islice
from typing import TYPE_CHECKING, Any

from .. import serialization
from ..metrics import MeanLoss
from ..optim.lr_scheduler import ReduceLROnPlateau
from . import _data
from ._resuming import begun, begun_of, check_kinds, say_none, say_where, warn_overruled
from .evaluation import run_evaluation
from .history import Record

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..nn import Module
    from ._checking import Checker
    from ._interrupt import Interrupts
    from ._options import Task
    from .callbacks import Callback, EarlyStopping
    from .checkpoint import Checkpoint
    from .energy import EnergyMeter
    from .history import History


class Loop:
    """What Trainer inherits: its fields are made there."""

    model: Module
    task: Task
    history: History
    state: Checkpoint
    stopping: EarlyStopping | None
    checker: Checker | None
    stopped: str
    epochs: int | None
    steps: int | None
    total_steps: int | None
    seed: int | None
    accumulate: int
    record_every: int | None
    monitor: str | None
    loader: Any
    validation: Any
    checkpoint: Any
    resume: Any
    ema: Any
    schedulers: dict[str, Any]
    optimizers: dict[str, Any]
    way_on: str = "the same call with resume=True"  # what an interrupted run says
    _active: list[Callback]
    _kept: list[Callback]  # those whose state a checkpoint holds
    _held: list[Module]  # in eval mode throughout
    _interrupts: Interrupts
    _losses: dict[str, MeanLoss]
    _judge: Task
    _make_batch: Callable[[Any], _data.Batch]
    _take_step: Callable[[list[_data.Batch]], tuple[dict[str, float], float]]
    _when: str
    _period: tuple[int, str]
    _meter: EnergyMeter | None
    _spent: tuple[float, float]  # seconds and joules of this record
    _clock: tuple[float, float]
    _rate: float  # the lr of the last step
    _saved: tuple[int, int, str] | None
    _begun: dict[str, Any]  # what the run was begun with

    @property
    def trained(self) -> Module:
        """What is validated and kept: the model, or the average of its weights."""
        return self.model if self.ema is None else self.ema.module

    @property
    def monitored(self) -> str:
        """The quantity that early stopping and the schedule "plateau" look at."""
        return self.monitor or ("loss" if self.validation is None else "val_loss")

    @property
    def epoch(self) -> int:
        """Epochs that are done."""
        return self.state.epoch

    @property
    def step(self) -> int:
        """Steps of the optimizer that are done."""
        return self.state.step

    def stop(self, why: str = "stopped by a callback") -> None:
        """Ends the run after the present step."""
        self.stopped = why

    def run(self) -> None:
        """Everything between on_fit_begin and on_fit_end."""
        self._call("on_fit_begin")
        self._saved = None
        self.state.mark()
        try:
            while not self._done():
                self._epoch()
            if self._losses:  # the run ended within an epoch
                self._record(epoch_ends=False)
            if self.checkpoint is not None and self._saved != (self.epoch, self.step, self.stopped):
                self._save()
        except KeyboardInterrupt as error:
            if error.args:
                raise
            raise KeyboardInterrupt(self._save_interrupted()) from None
        self._finish()

    def _train_mode(self) -> None:
        """train(), but for what the caller had set to eval(): the batch norms of frozen layers, for example."""
        self.model.train()
        for module in self._held:
            module.training = False

    def _call(self, turn: str, *arguments: Any) -> None:
        for callback in self._active:
            getattr(callback, turn)(self, *arguments)

    def _done(self) -> bool:
        """Whether the run is over."""
        if self.stopped or (self.steps is not None and self.step >= self.steps):
            return True
        return self.epochs is not None and self.epoch >= self.epochs

    def _epoch(self) -> None:
        """One epoch, or what is left of it."""
        self._call("on_epoch_begin")
        self._train_mode()
        self._record_within()  # Ctrl-C may have come before it
        if self._done():
            return
        source = self.state.open_epoch()
        while True:
            group = [self._make_batch(raw) for raw in islice(source, self.accumulate)]
            if not group:
                break
            self._call("on_batch_begin", group)
            with self._interrupts.whole():
                self._one_step(group)
            self._record_within()
            if self._due("step", self.step):
                self._save()
            if self._done():
                return
        if self.state.batch == 0:
            raise ValueError("fit: the data has no batches")
        self._record(epoch_ends=True)
        if self._due("epoch", self.epoch):
            self._save()

    def _record_within(self) -> None:
        if self.record_every is not None and self._losses and self.step % self.record_every == 0:
            self._record(epoch_ends=False)

    def _one_step(self, group: list[_data.Batch]) -> None:
        losses, weight = self._take_step(group)
        for name, value in losses.items():
            mean = self._losses.setdefault(name, MeanLoss())
            if self.task.summed:
                mean.add_sum(value, sum(_data.rows_of(batch) for batch in group))
            else:
                mean.update(value, weight)
        self._rate = next(iter(self.optimizers.values())).param_groups[0]["lr"]
        if self._when == "batch":
            for schedule in self.schedulers.values():
                schedule.step()
        if self.ema is not None:
            self.ema.update_parameters(self.model)
        self.state.step += 1
        self.state.mark()
        self._call("on_batch_end", losses["loss"])

    def _record(self, epoch_ends: bool) -> None:
        """Closes a record and, where it ends, the epoch: validation, schedules, history, callbacks."""
        fresh = bool(self._losses)
        values = self._validate() if fresh else {}
        with self._interrupts.whole():
            if fresh:
                self._append(values)
            if epoch_ends:
                if self._when == "epoch":
                    self._step_schedules(False)
                self.state.close_epoch()
            if fresh:
                self._step_schedules(True)
                self._call("on_epoch_end", self.history[-1])
        self._train_mode()

    def _validate(self) -> dict[str, float]:
        if self.validation is None:
            return {}
        self._call("on_validation_begin")
        values = run_evaluation(self.trained, self.validation, self._judge)
        self._call("on_validation_end", values)
        return {f"val_{name}": value for name, value in values.items() if isinstance(value, float)}  # no matrices

    def _append(self, values: dict[str, float]) -> None:
        record: Record = {"epoch": self.epoch + 1, "step": self.step}
        record.update({name: mean.compute() for name, mean in self._losses.items()})
        record.update(values)
        record["lr"] = self._rate
        seconds, joules = self._lap()
        record["seconds"] = seconds
        if self._meter is not None:
            record["joules"] = joules
        self.history.append(record)
        self._losses, self._spent = {}, (0.0, 0.0)

    def _lap(self) -> tuple[float, float]:
        """(seconds, joules) of this record so far, with those before the break of a resumed run."""
        now, joules = time.perf_counter(), 0.0 if self._meter is None else self._meter.joules()
        self._spent = self._spent[0] + now - self._clock[0], self._spent[1] + joules - self._clock[1]
        self._clock = now, joules
        return self._spent

    def _step_schedules(self, plateau: bool) -> None:
        for schedule in self.schedulers.values():
            if isinstance(schedule, ReduceLROnPlateau) is plateau:
                if plateau:
                    if self.monitored not in self.history[-1]:
                        raise ValueError(
                            f"monitor={self.monitored!r} is not measured; there is {', '.join(self.history[-1])}"
                        )
                    schedule.step(self.history[-1][self.monitored])
                else:
                    schedule.step()

    # -- checkpoints --------------------------------------------------------------------------------------------------
    def _begin_from_checkpoint(self) -> None:
        """resume: takes everything back from the file, where there is one."""
        path = self.checkpoint if self.resume is True else self.resume
        self._begun = begun(self)
        if not self.resume:
            return
        if self.resume is True and not os.path.exists(path):
            say_none(path)
            return
        tree = serialization.load(path)
        extra = tree.get("extra") if isinstance(tree, dict) else None
        if not isinstance(extra, dict) or "plan" not in extra:
            raise ValueError(f"resume: {os.fspath(path)} is not a checkpoint of fit")
        for name, value in self._plan().items():
            if extra["plan"][name] != value:
                raise ValueError(f"resume: {name} was {extra['plan'][name]} when the file was written, now {value}")
        before = begun_of(extra)
        check_kinds(before, self._begun)
        self.state.load_state_dict(tree)
        warn_overruled(before, self._begun)
        self._begun = before or self._begun
        self.history.records = list(extra["history"])
        self._losses = {name: MeanLoss.from_state(state) for name, state in extra["losses"].items()}
        self._spent, self.stopped, self._rate = extra["spent"], extra["stopped"], extra["lr"]
        for callback, state in zip(self._kept, extra["callbacks"], strict=True):
            callback.load_state_dict(state)
        say_where(self, path)

    def _save_interrupted(self) -> str:
        """Ctrl-C: the state is saved where it is whole; one line for the end of what the user sees."""
        where = f"interrupted in epoch {self.epoch + 1} after step {self.step}"
        if self.checkpoint is None:
            return f"{where}; nothing was saved; hint: checkpoint=path keeps what a run has reached"
        path = os.fspath(self.checkpoint)
        if self._interrupts.safe:
            self._save()
            return f"{where}; saved {path}; to go on: {self.way_on}"
        if os.path.exists(path):
            return f"{where}; {path} has an earlier step; to go on from it: {self.way_on}"
        return f"{where}; nothing was saved yet"

    def _finish(self) -> None:
        """The weights that are kept: those of the best record, or the averages, or the last."""
        if self.stopping is not None and self.stopping.weights:
            self.model.load_state_dict(self.stopping.weights)
            self.history.best_epoch = self.stopping.best_epoch
        elif self.ema is not None and self.step > 0:
            self.model.load_state_dict(self.ema.module.state_dict())
        self.history.stopped = self.stopped
        if self._meter is not None:
            self.history.notes.append(self._meter.source)

    def _due(self, unit: str, count: int) -> bool:
        return self.checkpoint is not None and self._period[1] == unit and count % self._period[0] == 0

    def _save(self) -> None:
        extra = self.state.extra
        extra["history"] = self.history.records
        extra["losses"] = {name: mean.state() for name, mean in self._losses.items()}
        extra["spent"], extra["stopped"] = self._lap(), self.stopped
        extra["callbacks"] = [callback.state_dict() for callback in self._kept]
        extra["plan"], extra["lr"], extra["begun"] = self._plan(), self._rate, self._begun
        self.state.save(self.checkpoint)
        self._saved = (self.epoch, self.step, self.stopped)
        self._call("on_checkpoint", str(self.checkpoint))

    def _plan(self) -> dict[str, Any]:
        """What must be the same in a run that is resumed."""
        rows = getattr(getattr(self.loader, "dataset", None), "__len__", None)
        return {
            "batches": _data.batches_in(self.loader),
            "rows": rows() if rows is not None else None,
            "seed": self.seed,
            "accumulate": self.accumulate,
            "callbacks": [type(callback).__name__ for callback in self._kept],
            "steps of the schedule": self.total_steps if self._when == "batch" and self.schedulers else None,
        }
