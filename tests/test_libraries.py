"""Libraries from PyPI that say `import torch` inside: the same programs under PyTorch and under lamina.as_torch.

They are installed into a folder of their own, without their dependencies, so that torch stays the one that is there.
tests/libraries holds the programs; docs/libraries.md lists what runs and what the others lack.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import pathlib
import re
import subprocess
import sys

import pytest
from conftest import needs_torch

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROGRAMS = ROOT / "tests" / "libraries"
# Numbers are float64 and agree to 1e-9, but for libraries that compute in float32 inside.
TOLERANCES = {
    "pytorch-ignite": 1e-6,  # averages in float32
    "rotary-embedding-torch": 1e-5,  # angles in float32, sines and cosines of large ones
    "torchmetrics": 1e-6,  # sums in float32
    "torcheval": 1e-6,
    "x-transformers": 1e-4,  # angles in float32, through two layers
}
LEAST = 25


def pins() -> list[str]:
    """The extra `peers` of pyproject.toml, without torch."""
    text = (ROOT / "pyproject.toml").read_text()
    block = re.search(r"^peers = \[(.*?)^\]", text, re.S | re.M)
    assert block is not None
    return [pin for pin in re.findall(r'"([^"]+)"', block[1]) if not pin.startswith("torch==")]


@pytest.fixture(scope="session")
def installed() -> pathlib.Path:
    """A folder with the pinned libraries, kept between runs."""
    key = hashlib.sha256(f"{pins()}{sys.version_info[:2]}".encode()).hexdigest()[:12]
    folder = ROOT / "build" / f"libraries-{key}"
    if not (folder / "complete").exists():
        done = subprocess.run(
            [
                sys.executable,
                "-m",
                "pip",
                "install",
                "-q",
                "--disable-pip-version-check",
                "--no-deps",
                "--prefer-binary",
            ]
            + ["--upgrade", "--target", str(folder), *pins()],
            capture_output=True,
            text=True,
        )
        if done.returncode and "CI" not in os.environ and "No matching distribution" in done.stderr:
            pytest.skip("the pinned libraries cannot be had here")
        assert done.returncode == 0, done.stderr
        (folder / "complete").touch()
    return folder


@pytest.fixture(scope="session")
def results(installed) -> dict[str, dict[str, dict]]:
    """side -> package -> what run.py says of it."""
    command = [sys.executable, str(PROGRAMS / "run.py")]
    sides = {
        side: subprocess.Popen(
            [*command, side, str(installed)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=PROGRAMS
        )
        for side in ("torch", "lamina")
    }
    found = {}
    for side, process in sides.items():
        out, err = process.communicate(timeout=600)
        assert process.returncode == 0, err
        lines = [json.loads(line) for line in out.splitlines() if line.startswith('{"package"')]
        found[side] = {line["package"]: line for line in lines}
    return found


def differences(mine: list[float], theirs: list[float], tolerance: float) -> list[tuple[int, float, float]]:
    """The numbers that are further apart than tolerance * (1 + |theirs|); NaN equals NaN."""
    bad = []
    for place, (a, b) in enumerate(zip(mine, theirs, strict=True)):
        if (math.isnan(a) and math.isnan(b)) or a == b or abs(a - b) <= tolerance * (1 + abs(b)):
            continue
        bad.append((place, a, b))
    return bad


@needs_torch
@pytest.mark.slow
def test_libraries_give_the_numbers_that_they_give_on_torch(results):
    theirs, mine = results["torch"], results["lamina"]
    assert set(mine) == set(theirs) and len(mine) >= LEAST
    problems = {}
    for package, want in theirs.items():
        assert "error" not in want, want["where"]
        got = mine[package]
        if "error" in got:
            problems[package] = got["where"]
            continue
        assert want["numbers"] and all(map(math.isfinite, want["numbers"])), package
        assert len(got["numbers"]) == len(want["numbers"]), package
        bad = differences(got["numbers"], want["numbers"], TOLERANCES.get(package, 1e-9))
        if bad:
            problems[package] = f"{len(bad)} of {len(want['numbers'])} numbers differ: {bad[:3]}"
    assert not problems, problems


@needs_torch
@pytest.mark.slow
def test_the_page_lists_what_runs(results):
    page = (ROOT / "docs" / "libraries.md").read_text()
    rows = re.findall(r"^\| ([\w-]+) \| ([\w.]+) \| [^|]+ \| runs", page, re.M)
    versions = dict(pin.split("==") for pin in pins())
    assert dict(rows) == {package: versions[package] for package in results["lamina"]}


def test_a_wrong_number_is_seen():
    assert differences([1.0, 2.0, float("nan")], [1.0, 2.1, float("nan")], 1e-9) == [(1, 2.0, 2.1)]
    assert differences([float("nan")], [1.0], 1e-3) and not differences([1e-12], [0.0], 1e-9)
