"""What a run shows while it goes: a bar with loss, rate and time left, and one line a record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._report import Progress
from .callbacks import Callback

if TYPE_CHECKING:
    from .history import Record
    from .trainer import Trainer


class Reporter(Callback):
    """progress=True: tqdm's bar where it is installed and stderr is a terminal, and a line a record everywhere."""

    def __init__(self) -> None:
        self._progress: Any = None

    def on_fit_begin(self, trainer: Trainer) -> None:
        self._progress = Progress(trainer.total_steps, trainer.step)

    def on_batch_end(self, trainer: Trainer, loss: float) -> None:
        self._progress.advance(f"loss {loss:.4f}")

    def on_epoch_end(self, trainer: Trainer, record: Record) -> None:
        self._progress.say(line(record, trainer.epochs))

    def on_fit_end(self, trainer: Trainer) -> None:
        if self._progress is not None:
            if trainer.history.stopped:
                self._progress.say(trainer.history.stopped)
            self._progress.close()


def line(record: Record, epochs: int | None) -> str:
    """epoch 3/10  loss 0.1234  val_accuracy 0.9876  lr 0.001  1.2 s"""
    width = len(str(epochs or ""))
    parts = [f"epoch {int(record['epoch']):{width}d}" + (f"/{epochs}" if epochs else f"  step {int(record['step'])}")]
    for name, value in record.items():
        if name not in ("epoch", "step", "seconds", "lr"):
            parts.append(f"{name} {value:.4f}" if 1e-3 <= abs(value) < 1e5 or value == 0 else f"{name} {value:.3g}")
    parts.append(f"lr {record['lr']:.3g}")
    return "  ".join([*parts, f"{record['seconds']:.1f} s"])
