"""Writes the tables of docs/results.md from bench/results/quality.json: `python bench/quality_page.py`.

The page's words are its own; between `<!-- TOPIC -->` and the next blank line stands the table of that topic.
"""

from __future__ import annotations

import json
import pathlib
import re
from collections.abc import Iterable
from typing import Any

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGE, FIGURES = ROOT / "docs" / "results.md", ROOT / "bench" / "results" / "quality.json"


def _table(head: str, rows: Iterable[Iterable[Any]]) -> str:
    columns = [cell.strip() for cell in head.split("|")]
    lines = [columns, ["---"] * len(columns), *([str(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _seconds(figures: dict[str, Any]) -> str:
    return f"{figures['cpu_seconds']:.{0 if figures['cpu_seconds'] >= 10 else 1}f} s"


def digits(f: dict[str, Any]) -> str:
    rows = [
        (f"`{n.upper()}`", f"{f[n]['parameters']:,}", f"{f[n]['test_accuracy']:.2f} %", _seconds(f[n]))
        for n in ("mlp", "cnn")
    ]
    return _table("model | parameters | 360 held-out digits | processor time of the training", rows)


def fashion(f: dict[str, Any]) -> str:
    accuracies = f"{f['validation_accuracy']:.2f} %", f"{f['test_accuracy']:.2f} %"
    minutes = [f"{f[key] / 60:.1f} min" for key in ("cpu_seconds", "wall_seconds")]
    row = ("`VGG`", f"{f['parameters']:,}", f["epochs"], *accuracies, *minutes)
    return _table(
        "model | parameters | epochs | 5,000 for validation | 10,000 test images | processor time | by the clock", [row]
    )


def language(f: dict[str, Any]) -> str:
    rows: list[tuple[Any, ...]] = [("counted pairs of characters", "", "", f"{f['bigram_bits']:.4f}", "", "", "", "")]
    for name in ("gpt", "lstm"):
        own, peer = f[name]["lamina"], f[name]["torch"]
        bits = [f"{run['bits_per_character']:.4f}" for run in (own, peer)]
        ratio = f"{peer['cpu_seconds'] / own['cpu_seconds']:.2f}"
        about = (f"character {name.upper()}", f"{f[name]['parameters']:,}", f[name]["steps"])
        rows.append((*about, *bits, _seconds(own), _seconds(peer), ratio))
    head = (
        "model | parameters | steps | bits per character, lamina | PyTorch | processor time, lamina | PyTorch | ratio"
    )
    return _table(head, rows)


def forecast(f: dict[str, Any]) -> str:
    names = {
        "forecaster": "`Forecaster` (GRU)",
        "mean_of_month": "the mean of each month in the training part",
        "seasonal_naive": "seasonal naive: the same month of the year before",
        "naive": "naive: the last month",
    }
    rows = [(text, *(f"{f[n][e]:.2f}" for e in ("mase", "smape", "celsius"))) for n, text in names.items()]
    return _table("forecast | MASE | sMAPE | mean error in degrees Celsius", rows)


def exact(f: dict[str, Any]) -> str:
    rows = []
    for name in ("gpt", "lstm"):
        for library, title in (("lamina", "lamina"), ("torch", "PyTorch")):
            hashes = f[name][library]
            rows.append((f"character {name.upper()}", title, len(hashes), len(set(hashes.values()))))
    return _table("model | library | runs | different weights", rows)


def render(page: str, figures: dict[str, Any]) -> str:
    """The page with the tables of these figures."""
    for make in (digits, fashion, language, forecast, exact):
        topic = make.__name__
        parts = re.split(rf"(?<=<!-- {topic} -->\n).*?(?=\n\n|\n?\Z)", page, flags=re.S)
        if len(parts) != 2:
            raise ValueError(f"{PAGE.name}: no single place for {topic}")
        page = make(figures[topic]).join(parts)
    return page


if __name__ == "__main__":
    PAGE.write_text(render(PAGE.read_text(), json.loads(FIGURES.read_text())))
