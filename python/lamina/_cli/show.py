"""What the `lamina` command shows besides the course of the run: lines, pictures, the confusion matrix as text."""

from __future__ import annotations

import os
from argparse import Namespace
from collections.abc import Callable, Mapping
from typing import Any


def say(arguments: Namespace, line: str = "") -> None:
    """Prints a line unless --quiet."""
    if not arguments.quiet:
        print(line, flush=True)


def pictures(arguments: Namespace, drawings: Mapping[str, Callable[[str], Any]]) -> None:
    """Draws each picture into --out, or says once what is missing."""
    for name, draw in drawings.items():
        path = os.path.join(arguments.out, name)
        try:
            draw(path)
        except ImportError:
            say(arguments, 'no pictures: matplotlib is not installed (pip install "lamina[ui]")')
            return
        say(arguments, f"saved {path}")


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
