"""The shape note of every documentation line, "(*, M, K), (*, K, N) -> (*, M, N)", holds and drives wrong-shape calls."""

from __future__ import annotations

import re

import lamina
import numpy as np
import pytest
from harness import REGISTRY, callable_of, cases, names, outputs

SHAPE = r"\([^()]*\)"
NOTE = re.compile(rf"({SHAPE}(?:, {SHAPE})*) -> ({SHAPE}(?:, {SHAPE})*)\.?$")


def parse(text: str) -> list[tuple[str, ...]]:
    return [tuple(p.strip() for p in s.strip("()").split(",") if p.strip()) for s in re.findall(SHAPE, text)]


def notes() -> list[tuple[str, list, list]]:
    out = []
    for name, row in sorted(REGISTRY.items()):
        for overload in row["overloads"]:
            found = NOTE.search(overload["doc"])
            if found and name in names():
                out.append((name, parse(found[1]), parse(found[2])))
    return out


def unify(pattern: tuple[str, ...], shape: tuple[int, ...], bound: dict) -> bool:
    """Binds names to sizes and * to the sizes in its place; several * broadcast."""
    if "*" not in pattern:
        return len(pattern) == len(shape) and all(
            bound.setdefault(n, s) == s for n, s in zip(pattern, shape, strict=True)
        )
    at = pattern.index("*")
    after = len(pattern) - at - 1
    if len(shape) < at + after:
        return False
    middle = tuple(shape[at : len(shape) - after])
    try:
        bound["*"] = np.broadcast_shapes(bound.get("*", ()), middle)
    except ValueError:
        return False
    tail = shape[len(shape) - after :] if after else ()
    return all(
        bound.setdefault(n, s) == s
        for n, s in [*zip(pattern[:at], shape, strict=False), *zip(pattern[at + 1 :], tail, strict=True)]
    )


def shapes_of(values) -> list[tuple[int, ...]]:
    return [tuple(v.shape) for v in values if isinstance(v, lamina.Tensor)]


def holds(case, inputs, results) -> bool:
    args = case.tensors("float64")
    given = shapes_of(args)
    # Optional operands at the end (bias) may be missing.
    if len(given) < 1 or len(given) > len(inputs):
        return False
    bound: dict = {}
    if not all(unify(p, s, bound) for p, s in zip(inputs, given, strict=False)):
        return False
    got = shapes_of(outputs(case.call(*args, **case.keywords("float64"))))
    if len(got) != len(results):  # another overload of the name
        return False
    for pattern, shape in zip(results, got, strict=True):
        star, rest = bound.get("*"), dict(bound)
        rest.pop("*", None)
        if not unify(pattern, shape, rest) or ("*" in pattern and star is not None and rest["*"] != star):
            return False
    return True


@pytest.mark.parametrize(("name", "inputs", "results"), notes(), ids=lambda v: v if isinstance(v, str) else "")
def test_note_holds(name, inputs, results):
    assert any(holds(case, inputs, results) for case in cases(name)), f"{name}: no sample has the shapes of its note"


STRICT = [(n, i) for n, i, _ in notes() if len(i) > 1 and any(d in s for s in i[1:] for d in i[0] if d != "*")]


@pytest.mark.parametrize(("name", "inputs"), STRICT, ids=lambda v: v if isinstance(v, str) else "")
def test_sizes_that_break_the_note_are_refused(name, inputs):
    """A size that two operands share is changed in one of them."""
    tried = 0
    for k in range(1, len(inputs)):
        for name_of_size in inputs[k]:
            if name_of_size == "*" or not any(name_of_size in other for other in inputs[:k]):
                continue
            sizes = {n: 3 + i for i, n in enumerate(sorted({d for s in inputs for d in s if d != "*"}))}
            args = [lamina.ones(tuple(sizes[d] for d in s if d != "*")) for s in inputs]
            args[k] = lamina.ones(tuple(sizes[d] + (5 if d == name_of_size else 0) for d in inputs[k] if d != "*"))
            tried += 1
            with pytest.raises((ValueError, TypeError)):
                callable_of(name)(*args)
    assert tried
