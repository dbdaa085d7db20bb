"""Public-style PyTorch programs run on lamina after their import lines are changed, and compute what PyTorch computes."""

from __future__ import annotations

import pathlib
import re
from types import ModuleType

import lamina
import numpy as np
import pytest
from conftest import needs_torch, torch

HOME = pathlib.Path(__file__).resolve().parent / "programs"
NAMES = sorted(path.stem for path in HOME.glob("*.py"))

# Largest relative differences: of the first loss, of all losses, of other numbers. What is seen is 1e-7 in float32 (the
# programs' seeds keep away from values that rounding pushes over the kink of a ReLU) and 1e-14 in float64.
FIRST, LOSSES, OTHERS, DOUBLE = 1e-5, 1e-4, 1e-3, 1e-10


def test_all_are_here():
    assert len(NAMES) >= 30


def translated(source: str) -> str:
    """The program for lamina: its import lines name another library, nothing else changes."""
    rules = [
        (r"^(\s*)import torch$", r"\1import lamina as torch"),
        (r"^(\s*)import torch\.([\w.]+)$", r"\1import lamina.\2"),
        (r"^(\s*)import torch\.([\w.]+) as (\w+)$", r"\1import lamina.\2 as \3"),
        (r"^(\s*)from torch(\.[\w.]+)? import ", r"\1from lamina\2 import "),
    ]
    for pattern, replacement in rules:
        source = re.sub(pattern, replacement, source, flags=re.M)
    return source


def run(name: str, library: ModuleType, dtype: str = "float32") -> dict:
    """The program's `result`, with `dtype` as the default dtype."""
    path = HOME / f"{name}.py"
    source = path.read_text()
    if library is lamina:
        source = translated(source)
    variables = {"__name__": "__main__", "__file__": str(path)}
    library.set_default_dtype(getattr(library, dtype))
    try:
        exec(compile(source, str(path), "exec", dont_inherit=True), variables)
    finally:
        library.set_default_dtype(library.float32)
    return variables["result"]


def flat(value) -> np.ndarray:
    """All numbers of one entry of a result, in order."""
    if isinstance(value, (list, tuple)):
        return np.concatenate([flat(v) for v in value])
    return np.asarray(value, dtype=np.float64).reshape(-1)


def difference(ours, theirs) -> float:
    """The largest difference, relative to the largest number."""
    a, b = flat(ours), flat(theirs)
    assert a.shape == b.shape
    assert np.isfinite(b).all()
    return float(np.abs(a - b).max() / np.abs(b).max())


@pytest.mark.parametrize("name", NAMES)
def test_learns(name):
    """On its own, without PyTorch."""
    losses = run(name, lamina)["losses"]
    assert 5 <= len(losses) <= 64
    assert np.mean(losses[-3:]) < np.mean(losses[:3])


@needs_torch
@pytest.mark.parametrize("name", NAMES)
def test_float32_agrees(name):
    ours, theirs = run(name, lamina), run(name, torch)
    assert list(ours) == list(theirs)
    for key in theirs:
        if key.endswith("losses"):
            assert difference(ours[key][:1], theirs[key][:1]) <= FIRST, key
        assert difference(ours[key], theirs[key]) <= (LOSSES if key.endswith("losses") else OTHERS), key


@needs_torch
@pytest.mark.parametrize("name", NAMES)
def test_float64_agrees(name):
    ours, theirs = run(name, lamina, "float64"), run(name, torch, "float64")
    assert list(ours) == list(theirs)
    for key in theirs:
        assert difference(ours[key], theirs[key]) <= DOUBLE, key


def test_translation_touches_imports_alone():
    for name in NAMES:
        before = (HOME / f"{name}.py").read_text().splitlines()
        after = translated("\n".join(before)).splitlines()
        changed = [a for a, b in zip(before, after, strict=True) if a != b]
        assert changed and all(re.match(r"(import|from) torch\b", line) for line in changed)
        assert not any(re.match(r"\s*(import|from) torch\b", line) for line in after)
