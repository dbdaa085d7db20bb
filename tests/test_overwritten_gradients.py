"""Writes whose positions repeat: the last one stays, and the others have the gradient 0."""

from __future__ import annotations

import lamina
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lamina.autograd import gradcheck, gradgradcheck

R = np.random.default_rng(0)


def draw(*shape):
    return lamina.tensor(R.normal(size=shape), requires_grad=True)


def index(*values):
    return lamina.tensor(values)


def put(*at):
    def write(x, v):
        y = x.clone()
        y[at] = v
        return y

    return write


WRITES = {
    "index_fill": (lambda x, v: x.index_fill(0, index(1, 1), v), (3, 2), ()),
    "index_fill negative": (lambda x, v: x.index_fill(1, index(1, -1, 0), v), (3, 2), ()),
    "index_copy": (lambda x, v: x.index_copy(0, index(1, 0, 1), v), (3, 2), (3, 2)),
    "index_copy dim 1": (lambda x, v: x.index_copy(1, index(2, 2), v), (3, 4), (3, 2)),
    "index_copy_": (lambda x, v: x.clone().index_copy_(0, index(0, 0, 0), v), (2, 2), (3, 2)),
    "scatter": (lambda x, v: x.scatter(1, index([0, 0, 1], [2, 2, 2]), v), (2, 3), (2, 3)),
    "scatter larger src": (lambda x, v: x.scatter(0, index([1, 0], [1, 0]), v), (3, 3), (4, 3)),
    "scatter_": (lambda x, v: x.clone().scatter_(-1, index(1, 1), v), (3,), (2,)),
    "index_put": (lambda x, v: x.index_put((index(0, 1, 0), index(1, 1, 1)), v), (2, 3), (3,)),
    "index_put one number": (lambda x, v: x.index_put((index(0, 0),), v), (2, 3), ()),
    "x[i] = v": (put(index(2, 0, 2)), (3, 2), (3, 2)),
    "x[i] = row": (put(index(2, 0, 2)), (3, 2), (2,)),
    "x[[1, -1]] = v": (put(index(1, -1)), (2, 2), (2, 2)),
    "x[i, :, j] = v": (put(index(0, 1, 0), slice(None), index(1, 0, 1)), (2, 3, 2), (3, 3)),
    "x[:, i] = v": (put(slice(None), index([1, 1], [0, 1])), (2, 3, 2), (2, 2, 2, 2)),
    "x[:, i, j] = v": (put(slice(None), index(1, 1), index(0, 0)), (2, 3, 2), (2, 2)),
    "x[1:, i] = v": (put(slice(1, None), index(1, 1)), (3, 2), (2, 2)),
    "x[..., i] = column": (put(..., index(1, 1, 0)), (3, 2), (3, 1)),
    "no repeats": (put(index(1, 0)), (3, 2), (2, 2)),
}  # fmt: skip


@pytest.mark.parametrize("name", WRITES)
def test_gradients_are_those_of_the_function(name):
    write, shape, values = WRITES[name]
    x, v = draw(*shape), draw(*values)
    assert gradcheck(write, (x, v))
    assert gradgradcheck(write, (x, v))


@pytest.mark.parametrize("dtype", [lamina.float32, lamina.bfloat16, lamina.float16])
def test_what_was_overwritten_has_no_gradient(dtype):
    v = lamina.tensor([1.0, 2.0, 3.0], dtype=dtype, requires_grad=True)
    y = lamina.zeros(2, dtype=dtype).index_copy(0, index(1, 0, 1), v)
    assert y.tolist() == [2.0, 3.0]
    y.backward(lamina.tensor([10.0, 100.0], dtype=dtype))
    assert v.grad.tolist() == [0.0, 10.0, 100.0]
    one = lamina.tensor(5.0, dtype=dtype, requires_grad=True)
    lamina.zeros(3, dtype=dtype).index_fill(0, index(1, 1), one).sum().backward()
    assert one.grad.item() == 1.0


def test_infinite_gradients_stay_where_they_are():
    """A lost write has the gradient 0, not 0 * inf."""
    v = lamina.tensor([1.0, 2.0], requires_grad=True)
    lamina.zeros(2).scatter(0, index(0, 0), v).backward(lamina.tensor([float("inf"), 1.0]))
    assert v.grad.tolist() == [0.0, float("inf")]


def test_sums_still_count_every_writer():
    v = lamina.tensor([1.0, 2.0, 3.0], requires_grad=True)
    lamina.zeros(2).index_add(0, index(1, 0, 1), v).sum().backward()
    assert v.grad.tolist() == [1.0] * 3
    v.grad = None
    lamina.zeros(2).index_put((index(1, 0, 1),), v, accumulate=True).sum().backward()
    assert v.grad.tolist() == [1.0] * 3


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_positions(data):
    """Against a loop that writes one value after the other."""
    rows, count = data.draw(st.integers(1, 5)), data.draw(st.integers(0, 12))
    places = data.draw(st.lists(st.integers(-rows, rows - 1), min_size=count, max_size=count))
    v = lamina.rand(count, 2, dtype=lamina.float64).requires_grad_()
    y = lamina.zeros(rows, 2, dtype=lamina.float64)
    y[lamina.tensor(places, dtype=lamina.int64)] = v
    owner = {place % rows: number for number, place in enumerate(places)}
    slope = lamina.rand(rows, 2, dtype=lamina.float64)
    expected = np.zeros((count, 2))
    for row, number in owner.items():
        expected[number] = slope[row].numpy()
    if count:
        (found,) = lamina.autograd.grad(y, v, slope)
        np.testing.assert_array_equal(found.numpy(), expected)
