"""SobolEngine: PyTorch's points bit for bit; scrambled ones are as evenly spread."""

from __future__ import annotations

import copy
import pickle

import lamina
import numpy as np
import pytest
from conftest import needs_torch, torch

SobolEngine = lamina.quasirandom.SobolEngine


@needs_torch
@pytest.mark.parametrize("dimension", [1, 2, 3, 10, 97, 1024, 1025, 21201])
def test_points_are_those_of_pytorch(dimension):
    if dimension > 1024:
        pytest.importorskip("scipy")
    mine, theirs = SobolEngine(dimension), torch.quasirandom.SobolEngine(dimension)
    assert mine.sobolstate.tolist() == theirs.sobolstate.tolist()
    for n, dtype in ((1, "float32"), (5, "float32"), (1, "float64"), (40, "float64"), (3, "float32")):
        a = mine.draw(n, dtype=getattr(lamina, dtype))
        b = theirs.draw(n, dtype=getattr(torch, dtype))
        assert a.numpy().dtype == b.numpy().dtype and np.array_equal(a.numpy(), b.numpy())


@needs_torch
def test_reset_fast_forward_and_powers_of_two():
    engines = SobolEngine(3), torch.quasirandom.SobolEngine(3)
    said = []
    for engine in engines:
        parts = [engine.draw_base2(3), engine.draw_base2(3), engine.draw_base2(4)]
        engine.reset()
        parts += [engine.fast_forward(7).draw(2), engine.fast_forward(1000).draw(2)]
        with pytest.raises(ValueError):
            engine.draw_base2(2)
        said.append([*(part.tolist() for part in parts), engine.num_generated, repr(engine)])
    assert said[0] == said[1]


@pytest.mark.parametrize("dimension", [1, 4, 50])
def test_scrambled_points_hit_every_part_once(dimension):
    engine = SobolEngine(dimension, scramble=True, seed=3)
    points = engine.draw(64, dtype=lamina.float64).numpy()
    for column in points.T:
        assert sorted((column * 64).astype(int)) == list(range(64))
    again = SobolEngine(dimension, scramble=True, seed=3).draw(64, dtype=lamina.float64).numpy()
    other = SobolEngine(dimension, scramble=True, seed=4).draw(64, dtype=lamina.float64).numpy()
    assert np.array_equal(points, again) and not np.array_equal(points, other)
    assert np.array_equal(engine.reset().draw(64, dtype=lamina.float64).numpy(), points)


def test_copies_go_on_alike_and_bad_calls_are_refused():
    engine = SobolEngine(5, scramble=True, seed=1)
    engine.draw(3)
    twins = [copy.deepcopy(engine), pickle.loads(pickle.dumps(engine))]
    want = engine.draw(4).tolist()
    assert [twin.draw(4).tolist() for twin in twins] == [want, want]
    out = lamina.zeros(4, 5)
    assert engine.draw(4, out=out) is out
    for call in (lambda: SobolEngine(0), lambda: SobolEngine(21202), lambda: engine.draw(0)):
        with pytest.raises(ValueError):
            call()
