"""Callback: code of your own at the turns of a run; EarlyStopping."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .._C import Tensor
    from .history import Record
    from .trainer import Trainer

_RISING = ("accuracy", "f1", "auc", "precision", "recall", "r2", "bleu")


class Callback:
    """Base class: override the turns you need; `trainer` tells `model`, `epoch`, `step`, `history`, `optimizers`.

    A callback that keeps state over a resumed run also writes `state_dict` and `load_state_dict` (numbers, strings,
    tensors, and dicts and lists of them). `trainer.stop("why")` ends the run after the present step.

    >>> import lamina
    >>> class Count(lamina.training.Callback):
    ...     steps = 0
    ...     def on_batch_end(self, trainer, loss):
    ...         self.steps += 1
    >>> count, x = Count(), lamina.ones(8, 2)
    >>> _ = lamina.fit(lamina.nn.Linear(2, 2), (x, x), loss="mse", epochs=3, batch_size=4, callbacks=[count],
    ...                progress=False)
    >>> count.steps
    6
    """

    def on_fit_begin(self, trainer: Trainer) -> None:
        """Everything is made, and a checkpoint is loaded if there is one; no step of this call is done."""

    def on_epoch_begin(self, trainer: Trainer) -> None:
        """Before the first batch of an epoch (of the rest of one, in a resumed run)."""

    def on_batch_begin(self, trainer: Trainer, batches: list[tuple[Any, ...]]) -> None:
        """Before a step, with its batches: one, or `accumulate` of them."""

    def on_batch_end(self, trainer: Trainer, loss: float) -> None:
        """After a step of the optimizer, with the loss that it went down from."""

    def on_validation_begin(self, trainer: Trainer) -> None:
        """Before a validation."""

    def on_validation_end(self, trainer: Trainer, values: dict[str, float]) -> None:
        """After a validation, with its values ("loss", names of the metrics), which may be changed here."""

    def on_epoch_end(self, trainer: Trainer, record: Record) -> None:
        """After an epoch (with record_every: after each record), with the record that history has just got."""

    def on_checkpoint(self, trainer: Trainer, path: str) -> None:
        """After a checkpoint was written."""

    def on_fit_end(self, trainer: Trainer) -> None:
        """After the last step; also when the run ends by an error or Ctrl-C."""

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint keeps of this callback."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Takes back what state_dict gave."""


class EarlyStopping(Callback):
    """Stops when `monitor` has not improved by `min_delta` for `patience` records; keeps the best weights.

    `mode` is "min" or "max"; "auto" takes "max" for accuracies and scores. With restore_best the model ends with the
    weights of its best record; patience=None never stops and only keeps the best.
    """

    def __init__(
        self,
        patience: int | None,
        monitor: str = "val_loss",
        mode: str = "auto",
        min_delta: float = 0.0,
        restore_best: bool = True,
    ) -> None:
        if patience is not None and (isinstance(patience, bool) or not isinstance(patience, int) or patience < 1):
            raise ValueError(f"early_stopping: patience should be a positive whole number, got {patience!r}")
        if mode not in ("auto", "min", "max"):
            raise ValueError(f"early_stopping: mode must be 'auto', 'min' or 'max', got {mode!r}")
        if not min_delta >= 0:
            raise ValueError(f"early_stopping: min_delta should not be negative, got {min_delta}")
        self.patience, self.monitor, self.min_delta, self.restore_best = patience, monitor, min_delta, restore_best
        self.mode = direction(monitor) if mode == "auto" else mode
        self.best: float | None = None
        self.best_epoch = self.bad = 0
        self.weights: dict[str, Tensor] = {}

    def on_epoch_end(self, trainer: Trainer, record: Record) -> None:
        if self.monitor not in record:
            raise ValueError(f"monitor={self.monitor!r} is not measured; there is {', '.join(record)}")
        value = record[self.monitor]
        if self._better(value):
            self.best, self.best_epoch, self.bad = value, int(record["epoch"]), 0
            if self.restore_best:
                self.weights = {name: t.clone() for name, t in trainer.trained.state_dict().items()}
            return
        self.bad += 1
        if self.patience is not None and self.bad >= self.patience:
            trainer.stop(
                f"stopped early: {self.monitor} was best ({self.best:.6g}) in epoch {self.best_epoch}"
                if self.best is not None
                else f"stopped early: {self.monitor} was never a number"
            )

    def _better(self, value: float) -> bool:
        if value != value:
            return False
        if self.best is None:
            return True
        return value < self.best - self.min_delta if self.mode == "min" else value > self.best + self.min_delta

    def state_dict(self) -> dict[str, Any]:
        return {"best": self.best, "best_epoch": self.best_epoch, "bad": self.bad, "weights": self.weights}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.best, self.best_epoch, self.bad = state["best"], state["best_epoch"], state["bad"]
        self.weights = dict(state["weights"])


def direction(monitor: str) -> str:
    """ "max" for accuracies and scores, else "min"."""
    return "max" if any(name in monitor.lower() for name in _RISING) else "min"
