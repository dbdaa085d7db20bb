"""Matrix products beyond the harness: the definition bit for bit, rows alone, layouts, gradients into strided operands, errors."""

from __future__ import annotations

import lamina
import numpy as np
import pytest

F = lamina.nn.functional


def by_definition(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Chunks of 256 of k, each one chain of fused multiply-adds from zero; chunk sums are added in order.

    A float32 product is exact in float64 and so is its sum with a float32 unless the exponents lie far apart; the
    small integers used here keep every step exact, and the final rounding once per step is float32's.
    """
    total = None
    for k0 in range(0, a.shape[1], 256):
        s = np.zeros((a.shape[0], b.shape[1]), np.float32)
        for p in range(k0, min(k0 + 256, a.shape[1])):
            s = (a[:, p : p + 1].astype(np.float64) * b[p : p + 1].astype(np.float64) + s).astype(np.float32)
        total = s if total is None else total + s
    return total


@pytest.mark.parametrize(
    "m,n,k", [(1, 1, 700), (1, 40, 300), (5, 33, 257), (15, 70, 600), (40, 5, 1100), (130, 130, 20)]
)
def test_definition(m, n, k):
    r = np.random.default_rng(m * n * k)
    a, b = r.integers(-4095, 4096, (m, k)).astype(np.float32), r.integers(-4095, 4096, (k, n)).astype(np.float32)
    want = by_definition(a, b)
    forms = [
        (lamina.tensor(a), lamina.tensor(b)),
        (lamina.tensor(a.T.copy()).t(), lamina.tensor(b)),
        (lamina.tensor(a), lamina.tensor(b.T.copy()).t()),
        (lamina.tensor(a.T.copy()).t(), lamina.tensor(b.T.copy()).t()),
    ]
    for x, y in forms:
        assert (x @ y).numpy().tobytes() == want.tobytes()


def test_rows_alone_threads_and_batches():
    r = np.random.default_rng(0)
    x, w, bias = (lamina.tensor(r.standard_normal(s).astype(np.float32)) for s in [(70, 530), (300, 530), (300,)])
    before = lamina.get_num_threads()
    results = []
    try:
        for threads in (1, 2, 3, 4):
            lamina.set_num_threads(threads)
            results.append(F.linear(x, w, bias).numpy().tobytes())
    finally:
        lamina.set_num_threads(before)
    assert len(set(results)) == 1
    whole = F.linear(x, w, bias).numpy()
    for i in (0, 1, 13, 14, 69):
        assert F.linear(x.narrow(0, i, 1), w, bias).numpy().tobytes() == whole[i : i + 1].tobytes()
        assert F.linear(x.select(0, i), w, bias).numpy().tobytes() == whole[i].tobytes()
    assert F.linear(x.reshape(7, 10, 530), w, bias).numpy().tobytes() == whole.tobytes()
    assert (
        F.linear(x.reshape(7, 10, 530).transpose(0, 1), w, bias).transpose(0, 1).reshape(70, 300).numpy().tobytes()
        == whole.tobytes()
    )


@pytest.mark.parametrize("dtype", ["int64", "int32", "int16", "int8", "uint8"])
def test_integers_wrap(dtype):
    r = np.random.default_rng(1)
    info = np.iinfo(dtype)
    a, b = (r.integers(info.min, info.max, s, dtype=dtype, endpoint=True) for s in [(9, 300), (300, 270)])
    with np.errstate(over="ignore"):
        want = np.matmul(a, b)
    np.testing.assert_array_equal(lamina.matmul(lamina.tensor(a), lamina.tensor(b)).numpy(), want)
    np.testing.assert_array_equal(lamina.matmul(lamina.tensor(b.T.copy()), lamina.tensor(a.T.copy())).numpy(), want.T)


def test_integer_scales_must_be_integers():
    a = lamina.tensor([[1, 2], [3, 4]])
    assert lamina.addmm(a, a, a, beta=2, alpha=3).numpy().tolist() == [[23, 34], [51, 74]]
    with pytest.raises(lamina.DtypeError, match="beta and alpha must be integers"):
        lamina.addmm(a, a, a, beta=0.5)


def test_beta_zero_ignores_input():
    a = lamina.ones(2, 2)
    nan = lamina.full((2, 2), float("nan"))
    assert lamina.addmm(nan, a, a, beta=0).numpy().tolist() == [[2, 2], [2, 2]]


@pytest.mark.parametrize(
    "call,words",
    [
        (
            lambda z: lamina.matmul(z(2, 3), z(4, 5)),
            ["matmul", "input (2, 3) float32 cpu", "other (4, 5) float32 cpu", "3 and 4"],
        ),
        (lambda z: lamina.matmul(z(2, 3, 4), z(3, 4, 5)), ["matmul", "batch sizes 2 and 3"]),
        (lambda z: lamina.matmul(z(2, 3), z(())), ["at least one dim"]),
        (lambda z: lamina.mm(z(3), z(3, 3)), ["mm", "2 dims", "input (3,)"]),
        (lambda z: lamina.bmm(z(2, 3, 4), z(3, 4, 5)), ["bmm", "batch sizes 2 and 3"]),
        (lambda z: lamina.dot(z(3), z(4)), ["dot", "3 and 4"]),
        (lambda z: lamina.mv(z(3, 3), z(3, 1)), ["mv", "vec (3, 1)"]),
        (lambda z: lamina.addmm(z(7), z(2, 3), z(3, 2)), ["addmm", "(2, 2)", "input (7,)"]),
        (
            lambda z: F.linear(z(8, 12), z(10, 16)),
            ["linear", "input has 12 features, weight expects 16", "weight (10, 16)"],
        ),
        (lambda z: F.linear(z(8, 16), z(10, 16), z(16)), ["linear", "bias (16,)", "(10,)"]),
    ],
)
def test_errors_name_the_operands(call, words):
    with pytest.raises(lamina.ShapeError) as e:
        call(lamina.zeros)
    for word in words:
        assert word in str(e.value)


def test_dtypes_must_agree():
    with pytest.raises(lamina.DtypeError, match=r"same dtype.*float32.*float64"):
        lamina.matmul(lamina.zeros(2, 3), lamina.zeros(3, 2, dtype=lamina.float64))
    with pytest.raises(lamina.DtypeError, match="not defined for bool"):
        lamina.matmul(lamina.ones(2, 2, dtype=lamina.bool), lamina.ones(2, 2, dtype=lamina.bool))


def test_overlapping_chunks_accumulate():
    """An added term that is large against the product is added last, once."""
    a, b = lamina.ones(3, 2000), lamina.ones(2000, 5)
    got = lamina.addmm(lamina.full((3, 5), 2.0**25), a, b)
    assert got.numpy().tolist() == np.full((3, 5), np.float32(2.0**25) + np.float32(2000)).tolist()
