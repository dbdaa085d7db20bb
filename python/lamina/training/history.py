"""History: what a run measured, one record an epoch."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, overload

Record = dict[str, float]


class History(Sequence[Record]):
    """The records of a run: a list of dicts, one an epoch; `history["loss"]` is one quantity over all records.

    Names: "epoch", "step" (optimizer steps so far), "loss" (the mean over the rows, or the targets that count, of the
    epoch, as they were met),
    "val_..." (validation), "lr" (of the last step), "seconds", and with energy=True "joules" (3600 J are 1 Wh; `notes`
    says how they were found).

    >>> from lamina.training import History
    >>> history = History([{"epoch": 1, "loss": 0.5}, {"epoch": 2, "loss": 0.25}])
    >>> history[-1]["loss"], history["loss"]
    (0.25, [0.5, 0.25])
    >>> print(history.csv(), end="")
    epoch,loss
    1,0.5
    2,0.25
    >>> history
    epoch    loss
        1  0.5000
        2  0.2500
    """

    def __init__(self, records: Iterable[Record] = ()) -> None:
        self.records: list[Record] = [dict(record) for record in records]
        self.stopped = ""  # why the run ended before its last epoch
        self.best_epoch: int | None = None  # whose weights the model has, where they were restored
        self.notes: list[str] = []  # for example how energy was found

    @overload
    def __getitem__(self, key: int) -> Record: ...
    @overload
    def __getitem__(self, key: slice) -> list[Record]: ...
    @overload
    def __getitem__(self, key: str) -> list[float]: ...
    def __getitem__(self, key: Any) -> Any:
        if not isinstance(key, str):
            return self.records[key]
        if key not in self.names():
            raise KeyError(f"History has no {key!r}; it has {', '.join(self.names()) or 'no records'}")
        return [record.get(key, float("nan")) for record in self.records]

    def __len__(self) -> int:
        return len(self.records)

    def __iter__(self) -> Iterator[Record]:
        return iter(self.records)

    def names(self) -> list[str]:
        """The quantities that are there, in the order in which they first appeared."""
        return list(dict.fromkeys(name for record in self.records for name in record))

    keys = names

    def watt_hours(self) -> float:
        """The energy of the whole run in Wh; nan without energy=True."""
        joules = [record.get("joules", float("nan")) for record in self.records]
        return sum(joules) / 3600 if joules else float("nan")

    def append(self, record: Record) -> None:
        self.records.append(record)

    def csv(self, path: str | os.PathLike[str] | None = None, names: Sequence[str] | None = None) -> str:
        """The records as comma-separated text, also written to `path` where one is given; numbers come back exact.

        `names` are the columns, by default all.
        """
        names = self.names() if names is None else names
        rows = [",".join(names), *(",".join(_exact(record.get(name)) for name in names) for record in self.records)]
        text = "\n".join(rows) + "\n"
        if path is not None:
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
        return text

    def __repr__(self) -> str:
        names = self.names()
        if not names:
            return "History()"
        table = [names, *([_shown(name, record.get(name)) for name in names] for record in self.records)]
        if len(table) > 21:  # the first and the last ten
            table[11:-10] = [["..."] * len(names)]
        widths = [max(len(row[i]) for row in table) for i in range(len(names))]
        lines = ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in table]
        return "\n".join([*lines, *self.notes, *([self.stopped] if self.stopped else [])])


def _exact(value: float | None) -> str:
    return "" if value is None else repr(value)


def _shown(name: str, value: float | None) -> str:
    if value is None:
        return ""
    if isinstance(value, int):
        return str(value)
    if name == "seconds":
        return f"{value:.1f}"
    return f"{value:.4f}" if 1e-3 <= abs(value) < 1e5 or value == 0 else f"{value:.3g}"
