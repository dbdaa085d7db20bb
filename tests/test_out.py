"""out=: results written into given tensors, by one rule for every operation."""

from __future__ import annotations

import lamina
import numpy as np
import pytest
from conftest import needs_torch

CALLS = {
    "add": lambda m, x, out: m.add(x, x, out=out),
    "mul of a number": lambda m, x, out: m.mul(x, 3, out=out),
    "exp": lambda m, x, out: m.exp(x, out=out),
    "matmul": lambda m, x, out: m.matmul(x, x, out=out),
    "sum": lambda m, x, out: m.sum(x, 1, out=out),
    "mean": lambda m, x, out: m.mean(x, dim=1, keepdim=True, out=out),
    "cat": lambda m, x, out: m.cat([x, x], 0, out=out),
    "stack": lambda m, x, out: m.stack((x, x), dim=1, out=out),
    "clamp": lambda m, x, out: m.clamp(x, min=-0.5, out=out),
    "cumsum": lambda m, x, out: m.cumsum(x, 0, out=out),
    "index_select": lambda m, x, out: m.index_select(x, 0, m.tensor([1, 0]), out=out),
    "where": lambda m, x, out: m.where(x > 0, x, -x, out=out),
    "norm": lambda m, x, out: m.linalg.norm(x, out=out),
    "inv": lambda m, x, out: m.linalg.inv(x + 3 * m.eye(3), out=out),
    "eye": lambda m, x, out: m.eye(3, out=out),
    "arange": lambda m, x, out: m.arange(2, 8, 2, out=out),
}


def sample(m):
    return m.tensor(np.linspace(-1.0, 1.0, 9, dtype=np.float32).reshape(3, 3))


@needs_torch
@pytest.mark.parametrize("name", CALLS)
def test_out_is_written_and_returned(name):
    import torch

    call = CALLS[name]
    for make in (lambda m, shape: m.empty(0), lambda m, shape: m.zeros(shape)):
        theirs = make(torch, call(torch, sample(torch), None).shape)
        ours = make(lamina, tuple(theirs.shape))
        expected = call(torch, sample(torch), theirs)
        got = call(lamina, sample(lamina), ours)
        assert got is ours and tuple(ours.shape) == tuple(expected.shape)
        np.testing.assert_allclose(ours.numpy(), expected.numpy(), rtol=1e-5, atol=1e-6)


def test_out_takes_the_value_not_the_memory():
    x, out = lamina.arange(4.0), lamina.zeros(4)
    pointer = out.data_ptr()
    lamina.add(x, 1, out=out)
    assert out.data_ptr() == pointer and out.tolist() == [1, 2, 3, 4]
    lamina.mul(out, 2, out=out)  # the operand itself
    assert out.tolist() == [2, 4, 6, 8]
    lamina.add(out[:2], out[2:], out=out[1:3])  # memory that operands share
    assert out.tolist() == [2, 8, 12, 8]
    grid = lamina.zeros(2, 6)
    lamina.exp(lamina.zeros(2, 3), out=grid[:, ::2])
    assert grid.tolist() == [[1, 0, 1, 0, 1, 0]] * 2


def test_several_results():
    x = lamina.tensor([[1.0, 5.0, 2.0], [7.0, 0.0, 3.0]])
    values, indices = lamina.empty(0), lamina.empty(0, dtype=lamina.int64)
    found = lamina.max(x, 1, out=(values, indices))
    assert found.values is values and found[1] is indices
    assert values.tolist() == [5, 7] and indices.tolist() == [1, 0]
    lamina.sort(x, out=(values.resize_(0), indices.resize_(0)))
    assert values.tolist() == [[1, 2, 5], [0, 3, 7]] and indices.shape == (2, 3)
    kept, places = lamina.zeros(2, 2), lamina.zeros(2, 2, dtype=lamina.int64)
    lamina.topk(x, 2, out=[kept, places])
    assert kept.tolist() == [[5, 2], [7, 3]]
    q, r = lamina.empty(0), lamina.empty(0)
    assert lamina.linalg.qr(lamina.eye(2), out=(q, r)).Q is q and r.abs().tolist() == [[1, 0], [0, 1]]


def test_dtypes_follow_promotion():
    out = lamina.zeros(3, dtype=lamina.float64)
    assert lamina.add(lamina.ones(3), 1, out=out) is out and out.tolist() == [2, 2, 2]
    half = lamina.zeros(3, dtype=lamina.bfloat16)
    assert lamina.add(lamina.ones(3), 1, out=half).dtype == lamina.bfloat16
    counts = lamina.zeros(2, 2, dtype=lamina.int64)
    assert lamina.eye(2, out=counts).tolist() == [[1, 0], [0, 1]]
    assert lamina.arange(3, out=lamina.empty(0)).dtype == lamina.float32
    assert lamina.eq(lamina.ones(2), 1, out=lamina.zeros(2, dtype=lamina.uint8)).tolist() == [1, 1]
    with pytest.raises(lamina.DtypeError, match="add: the result is float32 and does not fit in out"):
        lamina.add(lamina.ones(3), 0.5, out=lamina.zeros(3, dtype=lamina.int64))
    with pytest.raises(lamina.DtypeError, match="does not fit"):
        lamina.sum(lamina.ones(3, dtype=lamina.int64), out=lamina.tensor(False))


def test_refusals_change_nothing():
    out = lamina.ones(4)
    with pytest.raises(lamina.ShapeError, match=r"the result has shape \(3,\) but out is"):
        lamina.add(lamina.ones(3), 1, out=out)
    values, indices = lamina.ones(2), lamina.ones(3, dtype=lamina.int64)
    with pytest.raises(lamina.ShapeError):
        lamina.max(lamina.zeros(2, 5), 1, out=(values, indices))
    assert out.tolist() == [1, 1, 1, 1] and values.tolist() == [1, 1]
    with pytest.raises(TypeError, match="tuple of 2 tensors"):
        lamina.max(lamina.zeros(2, 5), 1, out=values)
    with pytest.raises(TypeError, match="must be"):
        lamina.add(lamina.ones(3), 1, out=np.ones(3, np.float32))
    with pytest.raises(TypeError, match="returns no tensor"):
        lamina.equal(lamina.ones(2), lamina.ones(2), out=lamina.tensor(True))
    with pytest.raises(TypeError):
        lamina.ones(2).add_(1, out=out)
    assert lamina.add(lamina.ones(2), 1, out=None).tolist() == [2, 2]
    locked = np.zeros(3, np.float32)
    locked.flags.writeable = False
    with pytest.raises(ValueError):
        lamina.add(lamina.ones(3), 1, out=lamina.from_numpy(locked))


@pytest.mark.parametrize(
    "call",
    [
        lambda w, out: lamina.mul(w, 2, out=out),
        lambda w, out: lamina.cat([w, w], out=out),
        lambda w, out: lamina.linalg.inv(w * lamina.eye(2), out=out),
        lambda w, out: lamina.add(w.detach(), 1, out=w),
    ],
)
def test_no_gradient_is_lost(call):
    w = lamina.ones(2, 2, requires_grad=True)
    with pytest.raises(lamina.GradError, match="out="):
        call(w, lamina.empty(0))
    with lamina.no_grad():
        call(w + 1 - 1, lamina.empty(0))


def test_writing_is_seen_by_saved_tensors():
    x, out = lamina.ones(3, requires_grad=True), lamina.ones(3)
    y = (x * out).sum()
    lamina.add(lamina.ones(3), 1, out=out)
    with pytest.raises(lamina.GradError):
        y.backward()
