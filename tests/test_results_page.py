"""docs/results.md says what bench/results/quality.json holds, and bench/quality.py runs each topic."""

import gzip
import json
import pathlib
import re
import struct
import subprocess
import sys

import numpy as np
import pytest
from conftest import needs_torch

ROOT = pathlib.Path(__file__).resolve().parent.parent
BENCH = ROOT / "bench"
sys.path.insert(0, str(BENCH))

import quality_page  # noqa: E402

FIGURES = json.loads(quality_page.FIGURES.read_text())


def quality(topic, path, *options):
    command = [sys.executable, str(BENCH / "quality.py"), topic, "--steps", "2", "--json", str(path), *options]
    run = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert run.returncode == 0, run.stderr
    return json.loads(path.read_text())[topic]


def test_tables_are_the_figures():
    page = quality_page.PAGE.read_text()
    assert quality_page.render(page, FIGURES) == page


def test_page_gives_the_command_and_seed_of_each_topic():
    page = quality_page.PAGE.read_text()
    commands = dict(re.findall(r"bench/quality\.py (\w+) --seed (\d+)", page))
    assert commands == {topic: str(figures["seed"]) for topic, figures in FIGURES.items()}
    assert {figures["python"] for figures in FIGURES.values()} == {re.search(r"Python ([\d.]+\d)", page)[1]}
    assert f"{FIGURES['language']['characters']:,} characters" in page
    assert (
        f"{FIGURES['forecast']['forecasts']} forecasts" in page and f"after {FIGURES['exact']['steps']} steps" in page
    )


def test_figures_are_good_enough_and_name_no_machine():
    assert FIGURES["fashion"]["test_accuracy"] >= 92
    assert FIGURES["digits"]["mlp"]["test_accuracy"] >= 97 and FIGURES["digits"]["cnn"]["test_accuracy"] >= 98.5
    assert FIGURES["forecast"]["forecaster"]["mase"] < FIGURES["forecast"]["seasonal_naive"]["mase"]
    for name in ("gpt", "lstm"):
        assert FIGURES["language"][name]["lamina"]["bits_per_character"] < FIGURES["language"]["bigram_bits"]
        assert len(set(FIGURES["exact"][name]["lamina"].values())) == 1
    assert "/" not in quality_page.FIGURES.read_text()


@pytest.mark.parametrize("topic", ["digits", "forecast"])
def test_short_topics_run(tmp_path, topic):
    figures = quality(topic, tmp_path / "q.json", "--seed", "3")
    assert figures["seed"] == 3 and set(figures) == set(FIGURES[topic])


def test_fashion_runs_on_idx_files(tmp_path):
    rng = np.random.default_rng(0)
    for part, rows in (("train", 5040), ("t10k", 20)):
        for kind, array in (
            ("images-idx3", rng.integers(0, 256, (rows, 28, 28))),
            ("labels-idx1", np.arange(rows) % 10),
        ):
            head = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
            content = gzip.compress(head + array.astype(np.uint8).tobytes(), 1)
            (tmp_path / f"{part}-{kind}-ubyte.gz").write_bytes(content)
    figures = quality("fashion", tmp_path / "q.json", "--data", str(tmp_path))
    assert set(figures) == set(FIGURES["fashion"]) and 0 <= figures["test_accuracy"] <= 100


@needs_torch
def test_language_gives_both_libraries_the_same_task(tmp_path):
    figures = quality("language", tmp_path / "q.json")
    for name in ("gpt", "lstm"):
        own, peer = (figures[name][library]["bits_per_character"] for library in ("lamina", "torch"))
        assert own == pytest.approx(peer, abs=1e-3) and 3 < own < 8


@needs_torch
@pytest.mark.slow
def test_exact_finds_the_same_bits(tmp_path):
    figures = quality("exact", tmp_path / "q.json")
    for name in ("gpt", "lstm"):
        assert len(figures[name]["lamina"]) >= 2 and len(set(figures[name]["lamina"].values())) == 1
