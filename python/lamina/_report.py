"""What the `lamina` command shows: a progress bar, the confusion matrix, a picture of the curves."""

from __future__ import annotations

import sys
from typing import Any


class Progress:
    """A tqdm bar where tqdm is installed and stderr is a terminal; lines said in between always appear."""

    def __init__(self, steps: int | None, done: int = 0) -> None:
        self._bar: Any = None
        if sys.stderr.isatty():
            try:
                from tqdm import tqdm  # type: ignore[import-untyped]
            except ImportError:
                return
            self._bar = tqdm(total=steps, initial=done, unit="step", leave=False, dynamic_ncols=True)

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()

    def advance(self, note: str = "") -> None:
        """One step more; the note appears behind the bar's rate and time left."""
        if self._bar is not None:
            self._bar.set_postfix_str(note, refresh=False)
            self._bar.update()

    def say(self, line: str) -> None:
        if self._bar is not None:
            self._bar.write(line)
        else:
            print(line, flush=True)


def confusion(truth: list[int], predicted: list[int], classes: list[int]) -> str:
    """Rows are true classes, columns predicted ones; beyond 20 classes only the most frequent confusions."""
    counts: dict[tuple[int, int], int] = {}
    for pair in zip(truth, predicted, strict=True):
        counts[pair] = counts.get(pair, 0) + 1
    if len(classes) > 20:
        wrong = sorted((-n, t, p) for (t, p), n in counts.items() if t != p)[:10]
        rows = [f"  {classes[t]} taken for {classes[p]}: {-n}" for n, t, p in wrong]
        return "\n".join(["most frequent confusions:", *(rows or ["  none"])])
    width = max(len(str(v)) for v in (*classes, *counts.values(), 0)) + 1
    side = max(len("true"), *(len(str(c)) for c in classes))
    lines = ["confusion matrix (rows: true, columns: predicted)", " " * side + " |" + _row(classes, width)]
    lines.append("-" * (side + 1) + "+" + "-" * (width * len(classes)))
    for i, label in enumerate(classes):
        cells = [counts.get((i, j), 0) for j in range(len(classes))]
        shown = "".join(f"{n if n else '.':>{width}}" for n in cells)
        lines.append(f"{label:>{side}} |{shown}")
    return "\n".join(lines)


def _row(values: list[int], width: int) -> str:
    return "".join(f"{v:>{width}}" for v in values)


def curves(history: list[dict[str, float]], path: str, title: str) -> str:
    """Draws loss and accuracy per epoch; returns the line to print."""
    try:
        import matplotlib
    except ImportError:
        return 'no picture of the curves: matplotlib is not installed (pip install "lamina[ui]")'
    matplotlib.use("Agg")
    from matplotlib import pyplot
    from matplotlib.ticker import MaxNLocator, PercentFormatter

    epochs = range(1, len(history) + 1)
    figure, axes = pyplot.subplots(1, 2, figsize=(10, 4), layout="constrained")
    for axis, kind in zip(axes, ("loss", "accuracy"), strict=True):
        for part, style in (("train", "C0-"), ("test", "C1-")):
            values = [row[f"{part} {kind}"] for row in history]
            axis.plot(
                epochs,
                values,
                style,
                label=f"{part} ({values[-1]:.4f})" if kind == "loss" else f"{part} ({values[-1]:.2%})",
                marker="." if len(history) < 60 else "",
            )
        axis.set(xlabel="epoch", ylabel=kind)
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
        axis.grid(alpha=0.3)
        axis.legend()
    axes[1].yaxis.set_major_formatter(PercentFormatter(1.0))
    figure.suptitle(title)
    figure.savefig(path, dpi=120)
    pyplot.close(figure)
    return f"saved {path}"
