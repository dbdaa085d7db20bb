"""Every example is short, says what it shows, runs, and reaches the figure that it asserts."""

from __future__ import annotations

import ast
import os
import pathlib
import re
import subprocess
import sys

import pytest

HOME = pathlib.Path(__file__).resolve().parent.parent / "examples"
NAMES = sorted(path.stem for path in HOME.glob("*.py"))
EXTRAS = {"sklearn_search": "sklearn", "optuna_search": "optuna"}  # what not every machine has
FIGURE = re.compile(r"\d.*\(at (least|most) [\d.]+%?( [^()]*)?\)$")


def test_all_are_here():
    families = {"mlp", "cnn", "lstm", "gpt", "autoencoder", "gan", "vae"}
    assert families <= set(NAMES) and len(NAMES) >= 20


@pytest.mark.parametrize("name", NAMES)
def test_short_and_described(name):
    source = (HOME / f"{name}.py").read_text(encoding="utf-8")
    text = ast.get_docstring(ast.parse(source))
    assert text is not None and f"python examples/{name}.py" in text
    assert len(source.splitlines()) <= 60
    assert "\nassert " in source


def test_the_table_lists_each_file_once():
    rows = re.findall(r"^\| \[(\w+)\.py\]\(\1\.py\) \|", (HOME / "README.md").read_text(encoding="utf-8"), re.M)
    assert sorted(rows) == NAMES


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_runs_and_reaches_its_figure(name, tmp_path):
    if name in EXTRAS:
        pytest.importorskip(EXTRAS[name])
    environment = {**os.environ, "LAMINA_NUM_THREADS": "1", "PYTHONIOENCODING": "utf-8"}
    command = [sys.executable, str(HOME / f"{name}.py")]
    run = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, encoding="utf-8", errors="replace", timeout=120
    )
    assert run.returncode == 0, run.stdout[-2000:] + run.stderr[-2000:]
    assert FIGURE.search(run.stdout.rstrip().splitlines()[-1]), run.stdout[-500:]
    assert "Warning" not in run.stderr, run.stderr[-2000:]
    assert os.listdir(tmp_path) == []
