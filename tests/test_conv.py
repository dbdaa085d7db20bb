"""Convolution and pooling beyond the registry: unbatched input, indices, layouts of results, law of order, errors."""

from __future__ import annotations

import lamina
import numpy as np
import pytest
from conftest import needs_torch, torch
from harness import to_numpy
from lamina.nn import functional as F


def tensor(r, *shape, **kw):
    return lamina.tensor(r.standard_normal(shape), dtype=lamina.float32, **kw)


def test_unbatched_input_is_a_batch_of_one():
    r = np.random.default_rng(0)
    x, w, b = tensor(r, 3, 7, 6), tensor(r, 4, 3, 3, 2), tensor(r, 4)
    for call in (
        lambda t: F.conv2d(t, w, b, 2, 1),
        lambda t: F.max_pool2d(t, 2),
        lambda t: F.avg_pool2d(t, 3, 2, 1),
        lambda t: F.adaptive_avg_pool2d(t, (3, 2)),
    ):
        assert to_numpy(call(x)).tobytes() == to_numpy(call(x.unsqueeze(0)).squeeze(0)).tobytes()


def test_results_are_channels_last_where_an_operand_is():
    x = lamina.zeros(2, 3, 8, 8)
    for y, size in ((F.conv2d(x, lamina.zeros(5, 3, 3, 3)), 6), (F.max_pool2d(x, 2), 4)):
        assert y.is_contiguous() and y.stride()[1:] == (size * size, size, 1)
    y = F.conv2d(x.contiguous(memory_format=lamina.channels_last), lamina.zeros(5, 3, 3, 3))
    assert y.stride() == (6 * 6 * 5, 1, 6 * 5, 5)
    assert F.max_pool2d(y, 2).stride() == (3 * 3 * 5, 1, 3 * 5, 5)
    assert F.avg_pool2d(y, 2).stride() == (3 * 3 * 5, 1, 3 * 5, 5)


def test_order_of_accumulation():
    """One chain of fma over (kh, kw, ic) in chunks of 256, taps in the padding left out, the bias last."""
    r = np.random.default_rng(1)
    x, w, b = (r.standard_normal(s).astype(np.float32) for s in ((1, 30, 4, 4), (2, 30, 3, 3), (2,)))
    got = F.conv2d(lamina.tensor(x), lamina.tensor(w), lamina.tensor(b), padding=1).numpy()
    for o, y, z in np.ndindex(2, 4, 4):
        totals: dict[int, np.float32] = {}
        for k, (i, j, c) in enumerate(np.ndindex(3, 3, 30)):
            if 0 <= y + i - 1 < 4 and 0 <= z + j - 1 < 4:
                # The product of two floats is exact in double; the sum is rounded once there and once more to float:
                # that is fma except in rare ties, which these numbers do not meet.
                product = float(x[0, c, y + i - 1, z + j - 1]) * float(w[o, c, i, j])
                totals[k // 256] = np.float32(product + float(totals.get(k // 256, np.float32(0))))
        total = np.float32(0)
        for n, chunk in enumerate(totals.values()):
            total = chunk if n == 0 else total + chunk
        assert got[0, o, y, z] == total + b[o]


def test_padding_never_meets_the_weights():
    w = np.full((1, 1, 3, 3), np.inf, np.float32)
    w[0, 0, 1, 1] = 2.0
    assert F.conv2d(lamina.ones(1, 1, 1, 1), lamina.tensor(w), padding=1).item() == 2.0


def test_max_pool_takes_nan_and_minus_infinity():
    x = np.full((1, 1, 2, 4), -np.inf, np.float32)
    x[0, 0, 1, 3] = np.nan
    values, indices = F.max_pool2d(lamina.tensor(x), 2, return_indices=True)
    assert indices.numpy().ravel().tolist() == [0, 7]
    assert np.isneginf(values.numpy()[0, 0, 0, 0]) and np.isnan(values.numpy()[0, 0, 0, 1])


def test_overlapping_windows_share_a_maximum():
    peak = np.zeros((1, 1, 3, 3), np.float32)
    peak[0, 0, 1, 1] = 1.0
    x = lamina.tensor(peak, requires_grad=True)
    F.max_pool2d(x, 2, 1).sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), 4 * peak)


def test_adaptive_pooling_to_nothing():
    x = lamina.zeros(2, 3, 4, 4, requires_grad=True)
    y = F.adaptive_avg_pool2d(x, (0, 2))
    assert y.shape == (2, 3, 0, 2)
    y.sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), 0.0)


def test_gradient_of_an_expanded_gradient():
    r = np.random.default_rng(2)
    x, w = tensor(r, 2, 3, 6, 5, requires_grad=True), tensor(r, 4, 3, 3, 3, requires_grad=True)
    F.conv2d(x, w, padding=1).sum().backward()
    gx, gw = to_numpy(x.grad), to_numpy(w.grad)
    x.grad = w.grad = None
    y = F.conv2d(x, w, padding=1)
    y.backward(lamina.ones(*y.shape))
    assert to_numpy(x.grad).tobytes() == gx.tobytes() and to_numpy(w.grad).tobytes() == gw.tobytes()


SHAPES = [
    # x, weight, stride, padding, dilation, groups
    ((2, 3, 17, 19), (8, 3, 7, 7), 2, 3, 1, 1),
    ((2, 64, 9, 9), (48, 64, 3, 3), 1, 1, 1, 1),
    ((1, 300, 5, 5), (33, 300, 1, 1), 1, 0, 1, 1),
    ((2, 32, 12, 10), (32, 1, 3, 3), (2, 1), 1, (1, 2), 32),
    ((2, 24, 8, 8), (36, 6, 3, 3), 2, 2, 3, 4),
    ((1, 2, 3, 300), (5, 2, 3, 5), (1, 3), (1, 2), 1, 1),
]


@needs_torch
@pytest.mark.parametrize("case", SHAPES, ids=str)
def test_larger_shapes_against_torch(case):
    xs, ws, stride, padding, dilation, groups = case
    r = np.random.default_rng(3)
    x, w, b = r.standard_normal(xs), r.standard_normal(ws), r.standard_normal(ws[0])
    theirs = [torch.tensor(a, requires_grad=True) for a in (x, w, b)]
    y = torch.nn.functional.conv2d(*theirs, stride, padding, dilation, groups)
    g = r.standard_normal(tuple(y.shape))
    y.backward(torch.tensor(g))
    for dtype, tolerance in ((lamina.float64, 1e-12), (lamina.float32, 2e-6)):
        ours = [lamina.tensor(a, dtype=dtype, requires_grad=True) for a in (x, w, b)]
        z = F.conv2d(*ours, stride, padding, dilation, groups)
        z.backward(lamina.tensor(g, dtype=dtype))
        for mine, their in zip([z, *(t.grad for t in ours)], [y, *(t.grad for t in theirs)], strict=True):
            reference = their.detach().numpy()
            error = np.abs(to_numpy(mine).astype(np.float64) - reference).max()
            assert error <= tolerance * max(1.0, np.abs(reference).max()) * 5, (dtype, error)


@needs_torch
@pytest.mark.parametrize("dilation", [1, 2])
def test_indices_against_torch(dilation):
    r = np.random.default_rng(4)
    x = r.integers(0, 4, (2, 70, 9, 8)).astype(np.float32)  # many ties
    for layout in (lambda t: t, lambda t: t.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2)):
        values, indices = F.max_pool2d(layout(lamina.tensor(x)), 3, 2, 1, dilation, True, True)
        v, i = torch.nn.functional.max_pool2d(torch.tensor(x), 3, 2, 1, dilation, True, True)
        np.testing.assert_array_equal(values.numpy(), v.numpy())
        np.testing.assert_array_equal(indices.numpy(), i.numpy())


X, W = (1, 3, 5, 5), (4, 3, 3, 3)
ERRORS = [
    (
        lambda: F.conv2d(lamina.zeros(*X), lamina.zeros(4, 2, 3, 3)),
        lamina.ShapeError,
        "conv2d: input has 3 channels, weight expects 2: input",
    ),
    (lambda: F.conv2d(lamina.zeros(3, 5), lamina.zeros(*W)), lamina.ShapeError, r"input must be \(N, C, H, W\)"),
    (lambda: F.conv2d(lamina.zeros(*X), lamina.zeros(*W), lamina.zeros(3)), lamina.ShapeError, "bias must have shape"),
    (lambda: F.conv2d(lamina.zeros(*X), lamina.zeros(*W).double()), lamina.DtypeError, "one dtype"),
    (lambda: F.conv2d(lamina.zeros(*X).long(), lamina.zeros(*W)), lamina.DtypeError, "one dtype"),
    (
        lambda: F.conv2d(lamina.zeros(*X), lamina.zeros(4, 3, 6, 3)),
        lamina.ShapeError,
        "covers 6 rows, the padded input has only 5",
    ),
    (lambda: F.conv2d(lamina.zeros(*X), lamina.zeros(*W), stride=0), lamina.ShapeError, "stride must be at least 1"),
    (
        lambda: F.conv2d(lamina.zeros(*X), lamina.zeros(*W), dilation=0),
        lamina.ShapeError,
        "dilation must be at least 1",
    ),
    (lambda: F.conv2d(lamina.zeros(*X), lamina.zeros(*W), padding=-1), lamina.ShapeError, "padding must be at least 0"),
    (lambda: F.conv2d(lamina.zeros(*X), lamina.zeros(*W), padding="half"), ValueError, "'same' or 'valid'"),
    (lambda: F.conv2d(lamina.zeros(*X), lamina.zeros(*W), stride=2, padding="same"), ValueError, "needs stride 1"),
    (
        lambda: F.conv2d(lamina.zeros(*X), lamina.zeros(4, 1, 3, 3), groups=3),
        lamina.ShapeError,
        "do not divide into 3 groups",
    ),
    (lambda: F.conv2d(lamina.zeros(*X), lamina.zeros(*W), groups=0), ValueError, "groups must be positive"),
    (lambda: F.conv2d(lamina.zeros(*X), lamina.zeros(*W), padding=2**62), lamina.ShapeError, "64 bits"),
    (lambda: F.max_pool2d(lamina.zeros(*X), 2, padding=2), lamina.ShapeError, "at most half"),
    (lambda: F.max_pool2d(lamina.zeros(*X), 6), lamina.ShapeError, "output would be empty"),
    (lambda: F.avg_pool2d(lamina.zeros(*X), 2, 0), lamina.ShapeError, "stride must be at least 1"),
    (lambda: F.avg_pool2d(lamina.zeros(*X), 2, divisor_override=0), ValueError, "must not be zero"),
    (lambda: F.adaptive_avg_pool2d(lamina.zeros(1, 3, 0, 5), 2), lamina.ShapeError, "must not be empty"),
    (lambda: F.adaptive_avg_pool2d(lamina.zeros(*X), (1, 2, 3)), lamina.ShapeError, "one number or a pair"),
]


@pytest.mark.parametrize("case", range(len(ERRORS)))
def test_errors(case):
    call, error, text = ERRORS[case]
    with pytest.raises(error, match=text):
        call()
