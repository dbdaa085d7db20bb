"""Hostile calls of every operation end in Python exceptions of a stated type, never in a crash."""

from __future__ import annotations

import lamina
import numpy as np
import pytest
from harness import REGISTRY, callable_of, cases, names

EXPECTED = (lamina.Error, TypeError, ValueError, IndexError, MemoryError, OverflowError)
HOSTILE = [
    None,
    "x",
    -1,
    2**62,
    -(2**63),
    2**70,
    float("nan"),
    float("inf"),
    (),
    (-1,),
    (2**40, 2**40),
    [],
    [1, "a"],
    {},
    object(),
]


def tensors():
    return [
        lamina.zeros(0), lamina.zeros(3, 0), lamina.zeros(()), lamina.ones(2, 3, dtype=lamina.bool), lamina.ones(2, 3, dtype=lamina.int8),
        lamina.zeros(1, 1, 1, 1, 1, 1, 1), lamina.ones(1).expand(2, 3), lamina.full((2, 3), float("nan")), lamina.ones(3, 2).t(),
    ]  # fmt: skip


@pytest.mark.parametrize("name", sorted(REGISTRY))
def test_hostile_arguments(name):
    rng = np.random.default_rng(3)
    call = callable_of(name)
    pool = HOSTILE + tensors()
    templates = (
        [list(c.tensors("float32")) for c in cases(name)]
        if name in names()
        else [[lamina.ones(2, 3)], [lamina.ones(2, 3), lamina.ones(2, 3)]]
    )
    for _ in range(60):
        args = list(templates[rng.integers(len(templates))]) or [None]
        for _ in range(rng.integers(1, 3)):
            args[rng.integers(len(args))] = pool[rng.integers(len(pool))]
        if rng.random() < 0.2:
            args.append(pool[rng.integers(len(pool))])
        if sum(a == 2**62 for a in args if isinstance(a, int)) and name in ("arange",):
            continue
        try:
            call(*args)
        except EXPECTED:
            pass


def test_errors_name_the_operands():
    with pytest.raises(
        lamina.ShapeError, match=r"add: shapes do not broadcast.*input \(2, 3\) float32 cpu, other \(4,\) float32 cpu"
    ):
        lamina.zeros(2, 3) + lamina.zeros(4)
    with pytest.raises(ValueError):
        lamina.zeros(2, 3) + lamina.zeros(4)
    with pytest.raises(TypeError, match="dim"):
        lamina.zeros(2).sum(dim="x")
    with pytest.raises(IndexError, match="out of range"):
        lamina.zeros(2).sum(dim=3)
    with pytest.raises(lamina.Error, match="64 bits"):
        lamina.empty(2**40, 2**40)
