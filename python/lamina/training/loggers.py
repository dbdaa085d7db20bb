"""Logs of a run: a CSV file, a JSON-lines file, or a folder that TensorBoard reads."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .callbacks import Callback
from .history import History

if TYPE_CHECKING:
    from .history import Record
    from .trainer import Trainer

Path = str | os.PathLike[str]


class TableLog(Callback):
    """The history as a file: ".csv", or one JSON object a line for ".jsonl" (null for what is no finite number).

    Lines are added as records come. A resumed run, or one that measures something new, writes the file anew, with the
    records of before first; a reader then sees the old file or the new one.
    """

    def __init__(self, path: Path) -> None:
        self.path = os.fspath(path)
        self._names: list[str] | None = None  # the columns of the file, once it is ours

    def on_fit_begin(self, trainer: Trainer) -> None:
        self._names = None

    def on_epoch_end(self, trainer: Trainer, record: Record) -> None:
        names = trainer.history.names()
        if names == self._names:
            with open(self.path, "a", encoding="utf-8") as file:
                file.write(self._lines(History([record]), names)[-1])
            return
        folder = os.path.dirname(self.path)
        if folder:
            os.makedirs(folder, exist_ok=True)
        new = self.path + ".new"
        with open(new, "w", encoding="utf-8") as file:
            file.writelines(self._lines(trainer.history, names))
        os.replace(new, self.path)
        self._names = names

    def _lines(self, history: History, names: list[str]) -> list[str]:
        if self.path.endswith(".csv"):
            return history.csv(names=names).splitlines(keepends=True)
        return [json.dumps({k: v if math.isfinite(v) else None for k, v in row.items()}) + "\n" for row in history]


class TensorBoardLog(Callback):
    """Scalars of each record, and the loss of each step ("step/loss"), as event files in a folder.

    A run that is resumed within an epoch writes its steps since the checkpoint anew; TensorBoard shows the later ones.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = os.fspath(folder)
        self._writer: Any = None

    def on_fit_begin(self, trainer: Trainer) -> None:
        try:
            from tensorboardX import SummaryWriter  # type: ignore[import-untyped]
        except ImportError:
            raise ImportError(
                f"log={self.folder!r}: event files for TensorBoard need tensorboardX; "
                'pip install "lamina[tensorboard]", or log to a name that ends in .csv or .jsonl'
            ) from None
        self._writer = SummaryWriter(self.folder, purge_step=trainer.step + 1 if trainer.step else None)

    def on_batch_end(self, trainer: Trainer, loss: float) -> None:
        self._writer.add_scalar("step/loss", loss, trainer.step)

    def on_epoch_end(self, trainer: Trainer, record: Record) -> None:
        for name, value in record.items():
            if name not in ("epoch", "step"):
                self._writer.add_scalar(name, value, trainer.step)
        self._writer.flush()

    def on_fit_end(self, trainer: Trainer) -> None:
        if self._writer is not None:
            self._writer.close()


def loggers_of(log: Path | Sequence[Path] | None) -> list[Callback]:
    """The callbacks behind log=: each name is a .csv file, a .jsonl file or a folder."""
    if log is None:
        return []
    paths = list(log) if isinstance(log, (list, tuple)) else [log]
    made: list[Callback] = []
    for path in paths:
        if not isinstance(path, (str, os.PathLike)):
            raise TypeError(f"log: expected a path or a list of paths, got {type(path).__name__}")
        ending = os.path.splitext(os.fspath(path))[1].lower()
        if ending in (".csv", ".jsonl"):
            made.append(TableLog(path))
        elif ending == "":
            made.append(TensorBoardLog(path))
        else:
            raise ValueError(f"log={os.fspath(path)!r}: expected a name ending in .csv or .jsonl, or a folder")
    return made
