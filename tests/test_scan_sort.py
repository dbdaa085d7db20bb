"""Scans, sorting, selecting and reducing by index beyond the registry: NaN, ties, long lines, in-place forms, errors."""

from __future__ import annotations

import lamina
import numpy as np
import pytest

NAN, INF = float("nan"), float("inf")


def same(t, expected):
    np.testing.assert_array_equal(t.numpy(), expected)


# ---- order ----


def test_nan_is_the_largest_and_zeros_are_equal():
    x = lamina.tensor([1.0, NAN, -INF, 0.0, -0.0, NAN, INF])
    values, indices = lamina.sort(x)
    assert indices.tolist() == [2, 3, 4, 0, 6, 1, 5]
    assert np.signbit(values.numpy()).tolist() == [True, False, True, False, False, False, False]
    assert lamina.sort(x, descending=True).indices.tolist() == [1, 5, 6, 0, 3, 4, 2]
    assert lamina.topk(x, 3).indices.tolist() == [1, 5, 6]
    assert lamina.kthvalue(x, 7).indices.item() == 5


@pytest.mark.parametrize(
    "dtype", ["bool", "uint8", "int8", "int16", "int32", "int64", "bfloat16", "float16", "float32", "float64"]
)
@pytest.mark.parametrize("n", [3, 25, 300, 40000])
def test_sort_is_stable_for_every_dtype(dtype, n):
    rng = np.random.default_rng(n)
    a = rng.integers(0, 2, n) if dtype == "bool" else rng.integers(0 if dtype == "uint8" else -100, 100, n)
    x = lamina.tensor(a).to(getattr(lamina, dtype))
    values, indices = x.sort(stable=True)
    same(indices, np.argsort(a, kind="stable"))
    same(values.to(lamina.int64), np.sort(a))
    k = min(n, 7)
    for first, largest in ((np.argsort(-a, kind="stable"), True), (np.argsort(a, kind="stable"), False)):
        same(x.topk(k, largest=largest).indices, first[:k])


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64])
def test_ranks_of_long_lines(dtype):
    rng = np.random.default_rng(4)
    a = (rng.standard_normal((2, 100_003)) * 1e6).astype(dtype)
    x = lamina.tensor(a)
    order = np.sort(a, 1)
    same(lamina.sort(x, 1).values, order)
    for k in (1, 2, 50_000, 100_003):
        same(lamina.kthvalue(x, k, 1).values, order[:, k - 1])
        same(lamina.topk(x, k, 1, largest=False).values, order[:, :k])
    constant = lamina.ones(70_000)
    assert lamina.topk(constant, 3).indices.tolist() == [0, 1, 2]


def test_median_and_nan():
    x = lamina.tensor([[3.0, NAN, 1.0], [2.0, 1.0, 4.0], [NAN, NAN, NAN]])
    values, indices = lamina.median(x, 1)
    assert indices.tolist() == [1, 0, 0] and np.isnan(values.numpy()).tolist() == [True, False, True]
    values, indices = lamina.nanmedian(x, 1)
    assert values[:2].tolist() == [1.0, 2.0] and indices[:2].tolist() == [2, 0] and np.isnan(values[2].item())
    assert np.isnan(lamina.median(x).item()) and lamina.nanmedian(x).item() == 2.0
    assert np.isnan(lamina.quantile(x, 0.5, 1)[0].item())
    assert lamina.nanquantile(x, 0.5, 1)[:2].tolist() == [2.0, 2.0]
    assert lamina.nansum(x).item() == 11.0 and lamina.nanmean(x, 1)[0].item() == 2.0
    ties = lamina.tensor([2.0, 2.0, 1.0], requires_grad=True)
    lamina.median(ties).backward()
    assert ties.grad.tolist() == [0.5, 0.5, 0.0]


def test_named_results():
    x = lamina.tensor([3.0, 1.0, 2.0])
    for r in (x.sort(), x.topk(2), x.kthvalue(1), x.median(0), x.mode(), x.cummax(0), x.cummin(0)):
        assert r.values.shape == r.indices.shape
    assert (x.aminmax().min.item(), x.aminmax(dim=0).max.item()) == (1.0, 3.0)
    assert lamina.histogram(x, 2).bin_edges.tolist() == [1.0, 2.0, 3.0]


# ---- scans ----


def test_running_extrema_keep_nan():
    x = lamina.tensor([1.0, NAN, 3.0, NAN, 0.0])
    assert lamina.cummax(x, 0).indices.tolist() == [0, 1, 1, 3, 3]
    assert lamina.cummin(x, 0).indices.tolist() == [0, 1, 1, 3, 3]


def test_sums_carry_their_error_and_infinities():
    x = lamina.full((100_000,), 0.1, dtype=lamina.float64)
    assert lamina.cumsum(x, 0)[-1].item() == pytest.approx(10_000.0, abs=2e-12)
    y = lamina.tensor([1.0, INF, 1.0, -INF, 1.0], dtype=lamina.float64)
    assert str(lamina.cumsum(y, 0).tolist()) == "[1.0, inf, inf, nan, nan]"
    z = lamina.tensor([-INF, 0.0, INF, 1.0])
    assert str(lamina.logcumsumexp(z, 0).tolist()) == "[-inf, 0.0, inf, inf]"


@pytest.mark.parametrize("name", ["cumsum", "cumprod", "cummax", "cummin", "logcumsumexp"])
@pytest.mark.parametrize("dtype", [lamina.float32, lamina.float64])
def test_columns_have_the_bits_of_lines(name, dtype):
    x = lamina.tensor(np.random.default_rng(2).uniform(0.9, 1.1, (3, 77, 130)), dtype=dtype)
    lines = x.transpose(1, 2).contiguous()
    f = getattr(lamina, name)
    a, b = f(x, 1), f(lines, 2)
    a, b = (a.values, b.values) if isinstance(a, tuple) else (a, b)
    assert a.numpy().tobytes() == b.transpose(1, 2).contiguous().numpy().tobytes()


def test_product_gradients_with_zeros():
    x = lamina.tensor([2.0, 0.0, 3.0, 0.0, 5.0], requires_grad=True)
    lamina.cumprod(x, 0).sum().backward()
    assert x.grad.tolist() == [1.0, 2 + 6.0, 0.0, 0.0, 0.0]


def test_scans_in_place():
    x = lamina.tensor([[1.0, 2.0, 3.0]])
    assert x.cumsum_(1) is x and x.tolist() == [[1.0, 3.0, 6.0]]
    assert x.cumprod_(1).tolist() == [[1.0, 3.0, 18.0]]
    with pytest.raises(IndexError, match="cumprod"):
        x.cumprod(2)


# ---- indices ----


def test_reducing_in_place():
    x, i = lamina.zeros(3), lamina.tensor([0, 0, 2])
    assert x.scatter_reduce_(0, i, lamina.tensor([1.0, 5.0, 2.0]), "amax") is x and x.tolist() == [5.0, 0.0, 2.0]
    x.index_reduce_(0, i, lamina.tensor([2.0, 3.0, 4.0]), "prod")
    assert x.tolist() == [30.0, 0.0, 8.0]
    x.scatter_(0, i, 2.0, reduce="multiply")
    assert x.tolist() == [120.0, 0.0, 16.0]
    assert x.put_(lamina.tensor([1, -1]), lamina.tensor([7.0, 9.0])).tolist() == [120.0, 7.0, 9.0]
    assert x.masked_scatter_(x > 8, lamina.tensor([1.0, 2.0])).tolist() == [1.0, 7.0, 2.0]
    w = lamina.ones(3, requires_grad=True)
    y = w * 1
    y.scatter_reduce_(0, i, lamina.tensor([1.0, 5.0, 2.0]), "sum", include_self=False)
    y.sum().backward()
    assert w.grad.tolist() == [0.0, 1.0, 0.0]
    for how in ("sum", "prod", "mean", "amax", "amin"):
        n = lamina.tensor([3, 4, 5]).scatter_reduce(0, i, lamina.tensor([7, 2, 2]), how, include_self=False)
        assert (
            n.tolist()
            == {"sum": [9, 4, 2], "prod": [14, 4, 2], "mean": [4, 4, 2], "amax": [7, 4, 2], "amin": [2, 4, 2]}[how]
        )


def test_product_scatter_gradient_with_zeros():
    x = lamina.tensor([2.0, 0.0, 0.0], requires_grad=True)
    s = lamina.tensor([0.0, 3.0, 0.0, 4.0], requires_grad=True)
    x.scatter_reduce(0, lamina.tensor([0, 0, 1, 2]), s, "prod").sum().backward()
    assert x.grad.tolist() == [0.0, 0.0, 4.0] and s.grad.tolist() == [6.0, 0.0, 0.0, 0.0]


def test_scatter_reduce_reads_a_part_of_src():
    s = lamina.ones(3, 4, requires_grad=True)
    y = lamina.zeros(2, 2).scatter_reduce(0, lamina.tensor([[0, 1], [1, 1]]), s, "amax")
    y.sum().backward()
    assert s.grad.tolist() == [[1.0, 0.5, 0.0, 0.0], [1.0, 0.5, 0.0, 0.0], [0.0] * 4]


def test_errors_say_what_to_do():
    x = lamina.zeros(2, 3)
    for call, error, text in (
        (lambda: x.topk(4), ValueError, "k must be from 0 to 3"),
        (lambda: x.kthvalue(0), ValueError, "k must be from 1"),
        (lambda: lamina.zeros(0).median(0), ValueError, "empty"),
        (lambda: x.scatter_reduce(0, x.long(), x, "max"), ValueError, "amax"),
        (lambda: lamina.bincount(lamina.tensor([-1])), ValueError, "negative"),
        (lambda: x.quantile(1.5), ValueError, r"\[0, 1\]"),
        (lambda: x.resize_(7), ValueError, "do not fit"),
        (lambda: lamina.searchsorted(x, lamina.zeros(3, 3)), ValueError, "searchsorted"),
        (lambda: lamina.meshgrid(x), ValueError, "meshgrid"),
        (lambda: x.masked_scatter(x == 0, lamina.zeros(2)), ValueError, "6 times"),
        (lambda: lamina.ones(2, 2, requires_grad=True).unsqueeze_(0), RuntimeError, "unsqueeze_"),
        (lambda: lamina.iinfo(lamina.float32), TypeError, "finfo"),
        (lambda: x.clone(memory_format="wrong"), ValueError, "channels_last"),
    ):
        with pytest.raises(error, match=text):
            call()


def test_views_in_place():
    x = lamina.arange(6).reshape(2, 3)
    assert x.t_() is x and x.shape == (3, 2) and x.tolist() == [[0, 3], [1, 4], [2, 5]]
    assert x.unsqueeze_(1).shape == (3, 1, 2) and x.squeeze_().shape == (3, 2) and x.transpose_(0, 1).shape == (2, 3)
    assert x.float().tril_().tolist() == [[0.0, 0.0, 0.0], [3.0, 4.0, 0.0]]
    assert x.triu_(1).tolist() == [[0, 1, 2], [0, 0, 5]]


def test_several_tensors_as_arguments():
    a, b = lamina.arange(2), lamina.arange(3)
    assert [t.shape for t in lamina.meshgrid(a, b, indexing="xy")] == [(3, 2), (3, 2)]
    assert [t.shape for t in lamina.meshgrid([a, b], indexing="ij")] == [(2, 3), (2, 3)]
    assert lamina.broadcast_tensors(a[:, None], b)[0].shape == (2, 3)
    assert lamina.cartesian_prod(a, b).shape == (6, 2) and lamina.block_diag(
        lamina.ones(2, 2), lamina.ones(1)
    ).shape == (3, 3)
    assert lamina.atleast_2d(a, b)[1].shape == (1, 3) and lamina.broadcast_shapes((2, 1), (3,), 1) == (2, 3)
    with pytest.raises(ValueError, match="broadcast"):
        lamina.broadcast_shapes((2,), (3,))
