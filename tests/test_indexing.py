"""x[...] and x[...] = v against NumPy, with gradients, on drawn and on chosen indices."""

from __future__ import annotations

import lamina
import numpy as np
import pytest
from conftest import needs_torch, torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes


def tensor_of(index):
    """The same index with arrays as tensors."""
    if isinstance(index, tuple):
        return tuple(tensor_of(i) for i in index)
    return lamina.tensor(index) if isinstance(index, np.ndarray) else index


def filled(shape, dtype="float64"):
    return np.arange(1, int(np.prod(shape)) + 1).reshape(shape).astype(dtype)


@st.composite
def slices(draw, size):
    bound = st.one_of(st.none(), st.integers(-size - 2, size + 2))
    return slice(draw(bound), draw(bound), draw(st.sampled_from([None, 1, 2, 3, -1, -2])))


@st.composite
def basic(draw, shape):
    """Ints, slices, None and one Ellipsis."""
    out, used = [], 0
    for size in shape:
        if draw(st.integers(0, 3)) == 0:
            break
        out.append(draw(st.integers(-size, size - 1)) if size and draw(st.booleans()) else draw(slices(size)))
        used += 1
    for _ in range(draw(st.integers(0, 2))):
        out.insert(draw(st.integers(0, len(out))), None)
    if draw(st.booleans()):
        at = draw(st.integers(0, len(out)))
        before = sum(i is not None for i in out[:at])
        rest = out[at:]
        # What follows the Ellipsis counts from the end: keep only what fits there.
        tail, dims = [], list(shape)[::-1]
        for k, item in enumerate(i for i in reversed(rest)):
            fits = item is None or k < len(dims) - before
            if fits and isinstance(item, int):
                size = dims[sum(i is not None for i in tail)]
                item = draw(st.integers(-size, size - 1)) if size else slice(None)
            if fits:
                tail.append(item)
        out = out[:at] + [Ellipsis] + tail[::-1]
    return tuple(out)


@st.composite
def advanced(draw, shape):
    """Integer arrays that broadcast, a mask, slices and None, in any order."""
    out, dim, masks = [], 0, 0
    common = draw(array_shapes(min_dims=0, max_dims=2, max_side=3))
    while dim < len(shape):
        kind = draw(st.sampled_from(["array", "array", "slice", "none", "mask", "stop"]))
        size = shape[dim]
        if kind == "stop":
            break
        if kind == "none":
            out.append(None)
        elif kind == "slice":
            out.append(draw(slices(size)))
            dim += 1
        elif kind == "mask" and masks == 0 and common == ():
            n = draw(st.integers(1, min(2, len(shape) - dim)))
            out.append(
                np.array(
                    draw(
                        st.lists(
                            st.booleans(),
                            min_size=int(np.prod(shape[dim : dim + n])),
                            max_size=int(np.prod(shape[dim : dim + n])),
                        )
                    )
                )
                .reshape(shape[dim : dim + n])
                .astype(bool)
            )
            masks += 1
            dim += n
        elif size > 0 and masks == 0:
            mine = tuple(1 if draw(st.booleans()) else s for s in common) if common else ()
            count = int(np.prod(mine))
            out.append(
                np.array(
                    draw(st.lists(st.integers(-size, size - 1), min_size=count, max_size=count)), dtype=np.int64
                ).reshape(mine)
            )
            dim += 1
        else:
            out.append(slice(None))
            dim += 1
    return tuple(out)


shapes = array_shapes(min_dims=1, max_dims=4, min_side=0, max_side=4)


def has_lone_integers(index):
    """PyTorch takes a 0-d integer tensor as a plain integer; NumPy as an array when another array is there."""
    return any(isinstance(i, np.ndarray) and i.ndim == 0 and i.dtype != bool for i in index) or any(
        isinstance(i, int) for i in index
    )


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_basic_indices(data):
    shape = data.draw(shapes)
    index = data.draw(basic(shape))
    x = filled(shape)
    expected = x[index]
    t = lamina.tensor(x)
    view = t[index]
    assert view.shape == expected.shape
    np.testing.assert_array_equal(view.numpy(), expected)
    if view.numel():
        view.fill_(0)  # a view: the base changes
        x[index] = 0
        np.testing.assert_array_equal(t.numpy(), x)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_advanced_indices(data):
    shape = data.draw(shapes)
    index = data.draw(advanced(shape))
    if has_lone_integers(index):
        index = tuple(i.reshape(1) if isinstance(i, np.ndarray) and i.ndim == 0 else i for i in index)
    x = filled(shape)
    expected = x[index]
    got = lamina.tensor(x)[tensor_of(index)]
    assert got.shape == expected.shape
    np.testing.assert_array_equal(got.numpy(), expected)
    np.testing.assert_array_equal(lamina.tensor(x)[index].numpy(), expected)  # NumPy arrays as indices


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_assignment(data):
    shape = data.draw(shapes)
    index = data.draw(st.one_of(basic(shape), advanced(shape)))
    if has_lone_integers(index):
        index = tuple(i.reshape(1) if isinstance(i, np.ndarray) and i.ndim == 0 else i for i in index)
    x = filled(shape)
    region = x[index]
    values = {
        "number": -1.5,
        "full": -filled(region.shape),
        "last": -filled(region.shape[-1:]),
        "leading ones": -filled((1, *region.shape)),
    }[data.draw(st.sampled_from(["number", "full", "last", "leading ones"]))]
    if not isinstance(values, float) and (values.size == 0 or np.ndim(region) == 0):
        values = -2.0  # NumPy puts no array in the place of one number
    t = lamina.tensor(x)
    # Where two values meet in one place, NumPy and lamina keep the last one.
    try:
        x[index] = values
    except (TypeError, ValueError):
        assume(False)  # NumPy refuses some values that would broadcast
    t[tensor_of(index)] = lamina.tensor(values) if isinstance(values, np.ndarray) else values
    np.testing.assert_array_equal(t.numpy(), x)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_gradients(data):
    shape = data.draw(shapes)
    index = data.draw(st.one_of(basic(shape), advanced(shape)))
    if has_lone_integers(index):
        index = tuple(i.reshape(1) if isinstance(i, np.ndarray) and i.ndim == 0 else i for i in index)
    x = filled(shape)
    weight = np.cos(filled(x[index].shape))
    # Reading: what flows back is the sum of the weights over every place.
    expected = np.zeros(shape)
    np.add.at(expected, index, weight)
    t = lamina.tensor(x, requires_grad=True)
    (t[tensor_of(index)] * lamina.tensor(weight)).sum().backward()
    np.testing.assert_allclose(t.grad.numpy(), expected, rtol=1e-13)
    # Writing: the old values get nothing, the new ones the gradient of their place.
    t = lamina.tensor(x, requires_grad=True)
    v = lamina.tensor(-1.0, dtype=lamina.float64, requires_grad=True)
    y = t * 1.0
    y[tensor_of(index)] = v
    g = np.sin(filled(shape))
    (y * lamina.tensor(g)).sum().backward()
    mask = np.zeros(shape, bool)
    mask[index] = True
    np.testing.assert_allclose(t.grad.numpy(), np.where(mask, 0, g), rtol=1e-13)
    # A place written twice hands its gradient to both values, as in PyTorch.
    unique = len(set(np.arange(x.size).reshape(shape)[index].ravel().tolist())) == x[index].size
    if unique:
        np.testing.assert_allclose(float(v.grad), g[mask].sum(), rtol=1e-10, atol=1e-12)


X = filled((3, 4, 5))
CHOSEN = [
    (np.array([0, 2]), slice(None), np.array([1, 4])),  # apart: their dims go first
    (slice(None), np.array([0, 2]), np.array([1, 4])),  # together: they stay
    (np.array([[0], [2]]), np.array([1, 3])),
    (Ellipsis, np.array([0, -1])),
    (None, np.array([0, 1]), None),
    (np.array([], np.int64),),
    (X > 30,),
    (np.array([True, False, True]),),
    (slice(None), np.array([True, False, True, True]), np.array([0, 1, 2])),
    (np.array([[True, False, True, False]] * 3), slice(1, 3)),
    ([0, 2],),
    ([0, 2], [1, 1]),
    (slice(None, None, -1), slice(None, None, -2)),
    (True,),
    (False,),
    (np.int64(2), np.int32(-1)),
    (np.array([1, 2], np.int32), slice(0, 2)),
    (slice(np.int64(1), np.int64(3)),),
    (),
    (range(2),),
]


@pytest.mark.parametrize("index", CHOSEN, ids=str)
def test_chosen(index):
    expected = X[index]
    got = lamina.tensor(X)[index]
    assert got.shape == expected.shape
    np.testing.assert_array_equal(got.numpy(), expected)
    np.testing.assert_array_equal(lamina.tensor(X)[tensor_of(index)].numpy(), expected)


@needs_torch
@pytest.mark.parametrize(
    "index",
    [
        (0, slice(None), [0, 1]),
        ([0, 1], slice(None), 0),
        (np.array(0), slice(None), np.array([0, 1])),
        (0, None, [1, 2]),
        (True, 0),
        ([0, 1], None, True),
    ],
    ids=str,
)
def test_integers_among_arrays_as_in_torch(index):
    expected = torch.tensor(X)[tuple(torch.tensor(i) if isinstance(i, np.ndarray) else i for i in index)]
    np.testing.assert_array_equal(lamina.tensor(X)[tensor_of(index)].numpy(), expected.numpy())


@pytest.mark.parametrize(
    "dtype", ["bool", "uint8", "int8", "int16", "int32", "int64", "float16", "bfloat16", "float32", "float64"]
)
def test_every_dtype(dtype):
    kind = getattr(lamina, dtype)
    x = lamina.tensor(filled((4, 3), "int64") % 5).to(kind)
    back = lambda t: t.to(lamina.float64).numpy()
    np.testing.assert_array_equal(back(x[lamina.tensor([2, 0, -1])]), back(x)[[2, 0, -1]])
    np.testing.assert_array_equal(back(x[:, lamina.tensor([2, 0])]), back(x)[:, [2, 0]])
    np.testing.assert_array_equal(back(x[lamina.tensor([1, 1]), lamina.tensor([0, 2])]), back(x)[[1, 1], [0, 2]])
    y = x.clone()
    y[lamina.tensor([1, 3])] = lamina.tensor([1, 0, 1]).to(kind)
    expected = back(x)
    expected[[1, 3]] = [1, 0, 1]
    np.testing.assert_array_equal(back(y), expected)
    if dtype != "bool":
        z = lamina.zeros(3, dtype=kind)
        z.index_put_([lamina.tensor([0, 2, 0, 0])], lamina.tensor([1, 2, 3, 4]).to(kind), accumulate=True)
        np.testing.assert_array_equal(back(z), [8, 0, 2])


def test_additions_keep_their_order_at_any_thread_count():
    r = np.random.default_rng(0)
    index, values = (
        lamina.tensor(r.integers(0, 50, 40000)),
        lamina.tensor(r.standard_normal((40000, 3)).astype(np.float32)),
    )
    before = lamina.get_num_threads()
    try:
        results = set()
        for n in (1, 2, 3, 4):
            lamina.set_num_threads(n)
            results.add(lamina.zeros(1000, 3).index_put_([index], values, accumulate=True).numpy().tobytes())
            x = lamina.zeros(1000, 3)
            x[index] = values
            results.add(x.numpy().tobytes())
    finally:
        lamina.set_num_threads(before)
    assert len(results) == 2
    expected = np.zeros((1000, 3))
    np.add.at(expected, index.numpy(), values.numpy().astype(np.float64))
    wide = lamina.zeros(1000, 3).index_put_([index], values, accumulate=True).numpy()
    np.testing.assert_allclose(wide, expected, rtol=1e-6, atol=1e-4)


def test_large_blocks_and_rows():
    x = np.arange(3 * 200_000, dtype=np.float32).reshape(3, -1)
    t = lamina.tensor(x)
    i = np.array([2, 0])
    np.testing.assert_array_equal(t[i].numpy(), x[i])
    np.testing.assert_array_equal(t[:, ::2][i].numpy(), x[:, ::2][i])
    t[i] = t[i] + 1
    x[i] += 1
    np.testing.assert_array_equal(t.numpy(), x)
    np.testing.assert_array_equal(t[t > 100_000].numpy(), x[x > 100_000])


def test_assignment_converts_and_overlaps():
    t = lamina.zeros(4, dtype=lamina.int64)
    t[1:3] = lamina.tensor([1.7, -2.7])
    assert t.tolist() == [0, 1, -2, 0]
    t[[0, 3]] = 9.9
    assert t.tolist() == [9, 1, -2, 9]
    t[...] = [1, 2, 3, 4]
    t[1:] = t[:-1]
    assert t.tolist() == [1, 1, 2, 3]
    t[lamina.tensor([0, 1, 2])] = t[1:]
    assert t.tolist() == [1, 2, 3, 3]
    t[:] = np.array([5, 6, 7, 8])
    assert t.tolist() == [5, 6, 7, 8]
    scalar = lamina.tensor(1.0)
    scalar[()] = 3.0
    scalar[...] = scalar[None][0] + 1
    assert scalar.item() == 4.0


ERRORS = [
    (5, IndexError, r"index 5 is out of range for dim 0 of size 3"),
    ((0, -5), IndexError, r"index -5 is out of range for dim 1 of size 4"),
    ((Ellipsis, 7), IndexError, r"index 7 is out of range for dim 2 of size 5"),
    ((slice(None), [0, 4]), IndexError, r"index 4 is out of range for dim 1 of size 4"),
    (([0, 1], [0, 1], [0, -6]), IndexError, r"index -6 is out of range for dim 2 of size 5"),
    ((0, 0, 0, 0), IndexError, "too many indices: 4"),
    ((Ellipsis, Ellipsis), IndexError, "single ellipsis"),
    (np.ones((3, 3), bool), IndexError, "mask"),
    (np.ones((3, 4, 5, 1), bool), IndexError, "too many indices"),
    (([0, 1], [0, 1, 2]), ValueError, "broadcast"),
    ([0.5], TypeError, "integers or bool"),
    (1.5, IndexError, "float"),
    ("a", IndexError, "str"),
    (slice(0, 1, 0), ValueError, "zero"),
    (2**70, ValueError, "64 bits"),
    (np.array([0.0, 1.0], np.float16), TypeError, "integers or bool"),
]


@pytest.mark.parametrize(("index", "kind", "text"), ERRORS, ids=lambda v: str(v)[:20])
def test_errors_name_index_dim_and_size(index, kind, text):
    x = lamina.zeros(3, 4, 5)
    with pytest.raises(kind, match=text):
        x[index]
    with pytest.raises(kind, match=text):
        x[index] = 1.0
    assert not x.any().item(), "a failed write changed the tensor"


def test_values_that_do_not_fit():
    x = lamina.zeros(3, 4)
    for index in (0, slice(0, 2), [0, 1], x == 0):
        with pytest.raises(ValueError, match="broadcast"):
            x[index] = lamina.ones(7)
    with pytest.raises(TypeError, match="deleted"):
        del x[0]


def test_iteration_and_membership():
    x = lamina.tensor([[1, 2], [3, 4]])
    assert [row.tolist() for row in x] == [[1, 2], [3, 4]]
    assert [int(v) for v in x[0]] == [1, 2]
    assert [row.tolist() for row in reversed(x)] == [[3, 4], [1, 2]]
    assert 3 in x and 5 not in x and lamina.tensor(4) in x
    _, b = x
    b.fill_(0)
    assert x.tolist() == [[1, 2], [0, 0]]
    with pytest.raises(TypeError, match="0-d"):
        iter(lamina.tensor(1))
    assert list(lamina.zeros(0, 3)) == []


def test_second_order_through_indices():
    x = lamina.tensor([1.0, 2.0, 3.0], dtype=lamina.float64, requires_grad=True)
    y = x[[0, 0, 2]] ** 3
    (g,) = lamina._C._autograd.grad(y.sum(), [x], create_graph=True)
    np.testing.assert_allclose(g.detach().numpy(), [6, 0, 27])
    (h,) = lamina._C._autograd.grad((g * g).sum(), [x])
    np.testing.assert_allclose(h.numpy(), [2 * 6 * 12, 0, 2 * 27 * 18])
