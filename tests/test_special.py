"""Elementwise operations beyond the formulas: borders, integers, in-place rows, aliases, random slopes."""

from __future__ import annotations

import math

import lamina
import numpy as np
import pytest
from conftest import needs_torch, torch

F = lamina.nn.functional
INF, NAN = math.inf, math.nan
EDGES = [0.0, -0.0, 1.0, -1.0, 0.5, -2.0, 3.0, 1e-30, 1e30, INF, -INF, NAN]

UNARY = [
    "exp2", "asin", "acos", "asinh", "acosh", "atanh", "frac", "deg2rad", "rad2deg", "signbit", "isposinf", "isneginf",
    "softsign", "tanhshrink", "softshrink", "hardshrink", "celu", "erfinv", "erfcx", "log_ndtr", "entr", "lgamma",
    "digamma", "i0", "i1", "i0e", "i1e", "ndtri", "logit", "nan_to_num", "sgn", "isreal", "positive",
]  # fmt: skip
BINARY = ["hypot", "logaddexp", "logaddexp2", "xlogy", "xlog1py", "copysign", "heaviside", "fmax", "fmin", "nextafter"]


def theirs(name):
    homes = (torch, torch.nn.functional, torch.special)
    return next(getattr(h, name) for h in homes if hasattr(h, name))


def ours(name):
    return getattr(lamina, name, None) or getattr(F, name)


def same(got, expected, **close):
    expected = np.asarray(expected)
    got = got.numpy()
    assert got.dtype == expected.dtype
    np.testing.assert_allclose(got.astype(np.float64), expected.astype(np.float64), **close)


# Where lamina is right and PyTorch is not: its i0e and i1e of infinity, erfcx of minus infinity and so on.
BETTER = {
    "i0": [INF, -INF, 1e30],
    "i1": [INF, -INF, 1e30],
    "i0e": [INF, -INF],
    "i1e": [INF, -INF],
    "tanhshrink": [1e-30],
}


@needs_torch
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", UNARY)
def test_borders_of_one_argument(name, dtype):
    values = [v for v in EDGES if v not in BETTER.get(name, [])]
    x = np.array(values, dtype)
    expected = theirs(name)(torch.tensor(x)).numpy()
    same(ours(name)(lamina.tensor(x)), expected, rtol=2e-5 if dtype == "float32" else 1e-12, atol=1e-300)
    if expected.dtype == x.dtype and name not in ("frac", "sgn", "entr", "softshrink", "tanhshrink", "i1", "i1e"):
        zeros = (x == 0) & (expected == 0)
        np.testing.assert_array_equal(
            np.signbit(ours(name)(lamina.tensor(x)).numpy()[zeros]), np.signbit(expected[zeros])
        )


@needs_torch
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", BINARY)
def test_borders_of_two_arguments(name, dtype):
    a, b = (v.ravel().astype(dtype) for v in np.meshgrid(EDGES, EDGES))
    expected = theirs(name)(torch.tensor(a), torch.tensor(b)).numpy()
    same(
        ours(name)(lamina.tensor(a), lamina.tensor(b)),
        expected,
        rtol=2e-6 if dtype == "float32" else 1e-14,
        atol=1e-7 if dtype == "float32" else 1e-15,
    )


@needs_torch
@pytest.mark.parametrize(
    "name",
    [
        "asin",
        "logit",
        "hypot",
        "fmax",
        "fmin",
        "copysign",
        "hardshrink",
        "softshrink",
        "threshold",
        "prelu",
        "sinc",
        "i1",
    ],
)
def test_gradients_at_the_borders(name):
    extra = {"threshold": (0.5, 2.0)}.get(name, ())
    x = [0.0, 1.0, -0.5, 0.5, -1.0, 2.0]
    y = [1.0, 1.0, -0.5, 0.25, 1.0, 2.0]
    two = name in ("hypot", "fmax", "fmin", "copysign")
    a, ta = lamina.tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
    b, tb = lamina.tensor(y, requires_grad=True), torch.tensor(y, requires_grad=True)
    w, tw = lamina.tensor([0.25], requires_grad=True), torch.tensor([0.25], requires_grad=True)
    more, tmore = ((b,), (tb,)) if two else ((w,), (tw,)) if name == "prelu" else (extra, extra)
    ours(name)(a, *more).sum().backward()
    theirs(name)(ta, *tmore).sum().backward()
    same(a.grad, ta.grad.numpy(), rtol=1e-5)
    if two:
        same(b.grad, tb.grad.numpy(), rtol=1e-6)


def test_digamma_poles_and_infinities():
    x = lamina.tensor([0.0, -0.0, -1.0, -7.0, INF, -INF, NAN], dtype=lamina.float64)
    np.testing.assert_array_equal(lamina.digamma(x).numpy(), [-INF, INF, NAN, NAN, INF, NAN, NAN])
    np.testing.assert_array_equal(lamina.lgamma(x).numpy(), [INF, INF, INF, INF, INF, INF, NAN])
    assert lamina.polygamma(1, lamina.tensor(-1.0)).item() == INF


@needs_torch
@pytest.mark.parametrize("n", [0, 1, 2, 3])
def test_polygamma_below_zero(n):
    x = np.array([-0.3, -1.7, -2.5, -12.25])
    expected = torch.polygamma(n, torch.tensor(x)).numpy()
    same(lamina.polygamma(n, lamina.tensor(x)), expected, rtol=1e-9)
    same(lamina.tensor(x + 20).polygamma(n), lamina.polygamma(n, lamina.tensor(x + 20)).numpy())


@needs_torch
@pytest.mark.parametrize("dtype", ["uint8", "int8", "int16", "int32", "int64"])
def test_shifts(dtype):
    low = 0 if dtype == "uint8" else -100
    a = np.arange(low, 101, 7).astype(dtype)
    for count in [0, 1, 3, 7, 8, 15, 31, 40, 63, 64, 100]:
        n = np.full_like(a, count)
        for ours_, theirs_ in [
            (lamina.bitwise_left_shift, torch.bitwise_left_shift),
            (lamina.bitwise_right_shift, torch.bitwise_right_shift),
            (lambda x, y: x << y, lambda x, y: x << y),
            (lambda x, y: x >> y, lambda x, y: x >> y),
        ]:
            same(ours_(lamina.tensor(a), lamina.tensor(n)), theirs_(torch.tensor(a), torch.tensor(n)).numpy())
    x = lamina.tensor(a)
    x <<= 1
    same(x, (torch.tensor(a) << 1).numpy())
    same(1 << lamina.tensor([1, 2, 62]), np.array([2, 4, 1 << 62]))
    same(lamina.tensor([5, -5]) << -1, np.array([0, 0]))
    with pytest.raises(TypeError, match="bitwise_left_shift"):
        lamina.ones(3) << 1


@needs_torch
def test_gcd_and_lcm():
    a, b = (v.ravel() for v in np.meshgrid(np.arange(-12, 13), np.arange(-12, 13)))
    same(lamina.gcd(lamina.tensor(a), lamina.tensor(b)), np.gcd(a, b))
    same(lamina.lcm(lamina.tensor(a), lamina.tensor(b)), np.lcm(a, b))
    least = lamina.tensor([-(2**63)])
    assert lamina.gcd(least, lamina.tensor([-1])).item() == 1


def test_nan_to_num_uses_the_limits_of_the_dtype():
    for dtype, top in [
        ("float16", 65504.0),
        ("float32", float(np.finfo(np.float32).max)),
        ("float64", np.finfo(float).max),
    ]:
        x = lamina.tensor([NAN, INF, -INF, 2.0], dtype=getattr(lamina, dtype))
        assert lamina.nan_to_num(x).double().tolist() == [0.0, top, -top, 2.0]
        assert x.nan_to_num_(1.0, 2.0, 3.0) is x and x.tolist() == [1.0, 2.0, 3.0, 2.0]
    assert lamina.nan_to_num(lamina.tensor([1, 2])).tolist() == [1, 2]


def test_frexp_and_nextafter():
    for dtype in (np.float32, np.float64):
        tiny = np.finfo(dtype).smallest_subnormal
        x = np.array([0.0, -0.0, 1.0, -0.75, 1e30, tiny, -3 * tiny, INF, -INF, NAN], dtype)
        m, e = lamina.frexp(lamina.tensor(x))
        expected = np.frexp(x)
        np.testing.assert_array_equal(m.numpy(), expected[0])
        np.testing.assert_array_equal(e.numpy()[:7], expected[1][:7])
        for y in (x[::-1].copy(), np.full_like(x, INF), np.zeros_like(x)):
            np.testing.assert_array_equal(
                lamina.nextafter(lamina.tensor(x), lamina.tensor(y)).numpy(), np.nextafter(x, y)
            )
    x = lamina.zeros(2)
    assert x.nextafter_(lamina.ones(2)) is x and x[0].item() > 0
    with pytest.raises(TypeError, match="nextafter"):
        lamina.nextafter(lamina.ones(2).half(), lamina.ones(2).half())


def test_rows_in_place():
    x = lamina.tensor([0.25, 0.9])
    assert x.logit_(0.2) is x
    np.testing.assert_allclose(x.numpy(), [math.log(1 / 3), math.log(4)], rtol=1e-6)
    x = lamina.tensor([2.0, 3.0], dtype=lamina.float64)
    assert x.float_power_(2) is x and x.tolist() == [4.0, 9.0]
    with pytest.raises(TypeError, match="float64"):
        lamina.ones(2).float_power_(2)


def test_ldexp_keeps_what_a_single_factor_would_lose():
    x = lamina.tensor([1e-40, 1e38, 3.0])
    expected = np.ldexp(np.array([1e-40, 1e38, 3.0], np.float32), [140, -140, 5])
    np.testing.assert_array_equal(lamina.ldexp(x, lamina.tensor([140, -140, 5])).numpy(), expected)


def test_hypot_beyond_the_range_of_squares():
    for dtype, big in ((lamina.float32, 3e38), (lamina.float64, 1e308)):
        x = lamina.tensor([0.1 * big, 10 / big], dtype=dtype)
        np.testing.assert_allclose((lamina.hypot(x * 3, x * 4) / x).tolist(), [5.0, 5.0], rtol=1e-6)


def test_rrelu_draws_within_its_bounds():
    x = -lamina.ones(1000)
    lamina.manual_seed(0)
    y = F.rrelu(x, 0.2, 0.6, training=True)
    assert -0.6 <= y.min().item() < -0.55 and -0.25 < y.max().item() <= -0.2
    lamina.manual_seed(0)
    assert F.rrelu(x, 0.2, 0.6, True, inplace=True) is x and x.tolist() == y.tolist()
    np.testing.assert_allclose(F.rrelu(-lamina.ones(2), 0.2, 0.6).numpy(), [-0.4, -0.4], rtol=1e-6)
    z = (-lamina.ones(3)).requires_grad_()
    out = F.rrelu(z, training=True)
    out.sum().backward()
    np.testing.assert_allclose(z.grad.numpy(), -out.detach().numpy(), rtol=1e-6)
    with pytest.raises(ValueError, match="lower"):
        F.rrelu(x, 0.5, 0.25)


@pytest.mark.parametrize(
    "call",
    [
        lambda: F.prelu(lamina.ones(2, 3), lamina.ones(2)),
        lambda: F.prelu(lamina.ones(2, 3), lamina.ones(1, 1)),
        lambda: F.prelu(lamina.ones(2, 3), lamina.ones(1).double()),
        lambda: F.glu(lamina.ones(2, 3)),
        lambda: F.glu(lamina.ones(())),
        lambda: F.softshrink(lamina.ones(2), -1.0),
        lambda: lamina.polygamma(-1, lamina.ones(2)),
        lambda: lamina.mvlgamma(lamina.ones(2), 0),
        lambda: lamina.positive(lamina.ones(2) > 0),
        lambda: lamina.gcd(lamina.ones(2), lamina.ones(2)),
        lambda: lamina.frexp(lamina.tensor([1])),
    ],
)
def test_bad_arguments(call):
    with pytest.raises((ValueError, TypeError)) as caught:
        call()
    assert len(str(caught.value)) > 20


def test_names():
    x = lamina.tensor([0.25, 0.5])
    for name in ("arcsin", "arccos", "arcsinh", "arctanh", "sgn", "absolute", "negative", "fix"):
        first = {"arcsin": "asin", "arccos": "acos", "arcsinh": "asinh", "arctanh": "atanh", "sgn": "sign"}
        first |= {"absolute": "abs", "negative": "neg", "fix": "trunc"}
        assert getattr(lamina, name)(x).tolist() == getattr(x, first[name])().tolist() == getattr(x, name)().tolist()
        assert getattr(x.clone(), name + "_")().tolist() == getattr(lamina, name)(x).tolist()
    assert (2 - x).tolist() == lamina.rsub(x, 2).tolist()
    assert lamina.addcmul(x, x, x, value=2).tolist() == (x + 2 * x * x).tolist()
    assert lamina.addcdiv(x, tensor1=x, tensor2=x, value=0.5).tolist() == (x + 0.5).tolist()
    assert lamina.where(x > 0.3, 1, 0).tolist() == [0, 1] and lamina.where(x > 0.3, x, 2.0).tolist() == [2.0, 0.5]


@needs_torch
def test_special_has_torchs_names():
    for name in dir(lamina.special):
        if name.startswith("_") or name == "annotations":
            continue
        assert hasattr(torch.special, name), name
    x = np.array([0.2, 0.7])
    for name in ("psi", "gammaln", "expit", "ndtr", "log_ndtr", "erfcx", "i1e"):
        same(
            getattr(lamina.special, name)(lamina.tensor(x)),
            getattr(torch.special, name)(torch.tensor(x)).numpy(),
            rtol=1e-12,
        )
