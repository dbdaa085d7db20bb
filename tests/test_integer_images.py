"""Integers and bytes in operations of images: convolutions, pools, unfold, resizing; and antialiased resizing."""

from __future__ import annotations

import lamina
import lamina.nn.functional as F
import numpy as np
import pytest
from conftest import needs_torch

rng = np.random.default_rng(0)
LARGE = 2**53


def pair(shape, low=-9, high=9, dtype=np.int64):
    import torch

    values = np.random.default_rng(0).integers(low, high, shape).astype(dtype)
    return lamina.tensor(values), torch.tensor(values)


def same(ours, theirs):
    assert str(ours.dtype).split(".")[1] == str(theirs.dtype).split(".")[1]
    np.testing.assert_array_equal(ours.numpy(), theirs.numpy())


@needs_torch
@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("dtype", [np.int64, np.int32, np.int8])
def test_convolutions(rank, dtype):
    import torch

    x, t = pair((2, 4, 7, 6, 5)[: rank + 2], dtype=dtype)
    w, v = pair((6, 2, 3, 2, 1)[: rank + 2], -4, 4, dtype)
    b, c = pair((6,), dtype=dtype)
    name = f"conv{rank}d"
    for options in ({}, {"stride": 2, "padding": 1, "dilation": 2}, {"padding": "same"}):
        theirs = getattr(torch.nn.functional, name)(t.long(), v.long(), c.long(), groups=2, **options)
        same(getattr(F, name)(x, w, b, groups=2, **options), theirs.to(t.dtype))  # wraps around
    theirs = getattr(torch.nn.functional, name)(t[0].long(), v.long(), groups=2)
    same(getattr(F, name)(x[0], w, groups=2), theirs.to(t.dtype))
    if dtype != np.int64:
        return
    w, v = pair((4, 3, 3, 2, 1)[: rank + 2])
    name = f"conv_transpose{rank}d"
    for options in ({}, {"stride": 3, "padding": 1, "output_padding": 2, "dilation": 2, "groups": 2}):
        same(getattr(F, name)(x, w, **options), getattr(torch.nn.functional, name)(t, v, **options))


def test_convolution_of_large_integers_is_exact():
    x = lamina.full((1, 1, 4), LARGE + 1)
    assert F.conv1d(x, lamina.tensor([[[1, -1]]])).tolist() == [[[0, 0, 0]]]
    assert F.conv1d(x, lamina.tensor([[[3]]])).tolist() == [[[3 * LARGE + 3] * 4]]
    assert F.avg_pool1d(x, 2).tolist() == [[[LARGE + 1] * 2]]
    assert F.max_pool1d(x + lamina.arange(4), 2).tolist() == [[[LARGE + 2, LARGE + 4]]]
    with pytest.raises(lamina.DtypeError):
        F.conv1d(x, lamina.ones(1, 1, 1))
    with pytest.raises(lamina.DtypeError, match="bool"):
        F.conv1d(x.bool(), lamina.ones(1, 1, 1).bool())


@needs_torch
@pytest.mark.parametrize("rank", [1, 2, 3])
def test_pools(rank):
    import torch

    x, t = pair((2, 3, 7, 6, 5)[: rank + 2], -20, 20)
    torch_f = torch.nn.functional
    for options in ({"stride": 2}, {"padding": 1, "ceil_mode": True}, {"padding": 1, "count_include_pad": False}):
        same(getattr(F, f"avg_pool{rank}d")(x, 3, **options), getattr(torch_f, f"avg_pool{rank}d")(t, 3, **options))
    if rank > 1:
        name = f"avg_pool{rank}d"
        same(getattr(F, name)(x, 2, divisor_override=3), getattr(torch_f, name)(t, 2, divisor_override=3))
    for options in ({"stride": 1}, {"padding": 1, "dilation": 2}, {"ceil_mode": True}):
        options = {**options, "return_indices": rank > 1}
        if rank == 1:
            same(F.max_pool1d(x, 2, **options), torch_f.max_pool1d(t.float(), 2, **options).long())
            continue
        name = f"max_pool{rank}d"
        for ours, theirs in zip(
            getattr(F, name)(x, 2, **options), getattr(torch_f, name)(t, 2, **options), strict=True
        ):
            same(ours, theirs)


@needs_torch
def test_indices_by_name():
    import torch

    x, t = pair((1, 2, 4, 4))
    x, t = x.double(), t.double()
    for name, arguments in (("max_pool2d_with_indices", (2,)), ("adaptive_max_pool2d_with_indices", (2,))):
        for ours, theirs in zip(
            getattr(F, name)(x, *arguments), getattr(torch.nn.functional, name)(t, *arguments), strict=True
        ):
            same(ours, theirs)
    assert F.max_pool1d_with_indices(x[0], 2)[1].dtype == lamina.int64
    assert len(F.max_pool3d_with_indices(x, 2)) == len(F.adaptive_max_pool3d_with_indices(x, 2)) == 2
    for empty in ((0, 10), (2, 0, 4), (1, 2, 0)):
        with pytest.raises(lamina.ShapeError):
            F.max_pool1d(lamina.ones(*empty), 1)
    with pytest.raises(lamina.ShapeError):
        F.max_pool3d(lamina.ones(0, 1, 2, 10), 1)


@needs_torch
def test_unfold_and_local_response_norm():
    import torch

    bits = np.random.default_rng(0).random((2, 3, 5, 5)) < 0.5
    ours = F.unfold(lamina.tensor(bits), 2, padding=1)
    same(ours, torch.nn.functional.unfold(torch.tensor(bits), 2, padding=1))
    same(F.fold(ours, (5, 5), 2, padding=1), torch.nn.functional.fold(torch.tensor(ours.numpy()), (5, 5), 2, padding=1))
    assert F.unfold(lamina.arange(9).reshape(1, 1, 3, 3), 2)[0, :, 0].tolist() == [0, 1, 3, 4]
    x, t = pair((2, 5, 4))
    np.testing.assert_allclose(
        F.local_response_norm(x, 3).numpy(), torch.nn.functional.local_response_norm(t, 3).numpy(), rtol=1e-6
    )


@needs_torch
def test_losses_of_integers():
    import torch

    a, b = pair((4, 3))
    c, d = pair((4,), 0, 2)
    sign, marks = c * 2 - 1, d * 2 - 1
    for name, ours, theirs in (
        ("margin_ranking_loss", (a[:, 0], a[:, 1], sign, 0.5), (b[:, 0], b[:, 1], marks, 0.5)),
        ("triplet_margin_loss", (a, a + 1, a * 2), (b, b + 1, b * 2)),
        ("cosine_embedding_loss", (a, a + 1, sign), (b, b + 1, marks)),
        ("pairwise_distance", (a, a * 2), (b, b * 2)),
        ("poisson_nll_loss", (a % 3, a.abs()), (b % 3, b.abs())),
    ):
        got, expected = getattr(F, name)(*ours), getattr(torch.nn.functional, name)(*theirs)
        assert got.dtype == lamina.float32
        np.testing.assert_allclose(got.numpy(), expected.numpy(), rtol=1e-5)
    with pytest.raises(lamina.DtypeError):
        F.pairwise_distance(a > 0, a > 0)


# ---- resizing ----

SIZES = [((5, 7), (3, 4)), ((8, 8), (3, 12)), ((4, 6), (8, 5)), ((3, 3), (3, 3))]


@needs_torch
@pytest.mark.parametrize("mode", ["bilinear", "bicubic"])
@pytest.mark.parametrize("align", [False, True])
def test_antialias(mode, align):
    import torch

    for source, target in SIZES:
        values = np.random.default_rng(0).standard_normal((2, 3, *source))
        x, t = lamina.tensor(values, requires_grad=True), torch.tensor(values, requires_grad=True)
        options = {"size": target, "mode": mode, "antialias": True, "align_corners": align}
        ours, theirs = F.interpolate(x, **options), torch.nn.functional.interpolate(t, **options)
        np.testing.assert_allclose(ours.detach().numpy(), theirs.detach().numpy(), atol=1e-10)
        ours.sin().sum().backward()
        theirs.sin().sum().backward()
        np.testing.assert_allclose(x.grad.numpy(), t.grad.numpy(), atol=1e-10)
        half = F.interpolate(x.detach().half(), **options)
        assert half.dtype == lamina.float16
        np.testing.assert_allclose(half.double().numpy(), ours.detach().numpy(), atol=1e-2)
    with pytest.raises(ValueError, match="antialias"):
        F.interpolate(lamina.ones(1, 1, 2, 2), size=1, antialias=True)


@needs_torch
@pytest.mark.parametrize("mode", ["nearest", "nearest-exact", "bilinear", "bicubic"])
def test_bytes(mode):
    import torch

    for source, target in SIZES:
        x, t = pair((2, 3, *source), 0, 256, np.uint8)
        for antialias in {False, mode.startswith("bi")}:
            options = {"size": target, "mode": mode, "antialias": antialias}
            ours, theirs = F.interpolate(x, **options), torch.nn.functional.interpolate(t, **options)
            assert ours.dtype == lamina.uint8
            # PyTorch's weights have 8 to 15 bits.
            far = np.abs(ours.numpy().astype(int) - theirs.numpy().astype(int)).max()
            assert far <= (0 if mode.startswith("near") else 1 if mode == "bilinear" else 2)
            if mode != "bicubic":  # whose overshoot is cut after each axis
                exact = F.interpolate(x.double(), **options)
                assert (ours.double() - exact).abs().max().item() <= 1 + 1e-4
    for wrong in (lamina.int64, lamina.bool):
        with pytest.raises(lamina.ShapeError):
            F.interpolate(lamina.ones(1, 1, 2, 2, dtype=wrong), size=1, mode=mode)
    with pytest.raises(lamina.DtypeError):
        F.interpolate(lamina.ones(1, 1, 2, 2, dtype=lamina.uint8), size=1, mode="area")


# ---- further shapes ----


def test_dropout_of_two_dims():
    with pytest.warns(UserWarning, match="dropout2d"):
        y = F.dropout2d(lamina.ones(50, 40))
    assert set(y.unique().tolist()) == {0.0, 2.0} and 0.3 < (y == 0).float().mean().item() < 0.7
    with pytest.warns(UserWarning, match="dropout3d"):
        rows = F.dropout3d(lamina.ones(60, 5))
    assert all(len(set(row)) == 1 for row in rows.tolist())  # channels stand first there
    with pytest.raises(lamina.ShapeError):
        F.dropout1d(lamina.ones(3))


def test_batch_norm_of_nothing():
    none = lamina.ones(0)
    assert F.batch_norm(none, none, none).shape == F.batch_norm(none, none, none, training=True).shape == (0,)
    with pytest.raises(lamina.ShapeError):
        F.batch_norm(lamina.ones(3), lamina.ones(3), lamina.ones(3))


def test_limits():
    with pytest.raises(ValueError, match="min_val"):
        F.hardtanh(lamina.ones(1), 0.5, -0.5)
    with pytest.raises(ValueError, match="min_val"):
        lamina.ones(1).hardtanh_(1, 0)
    assert F.hardtanh(lamina.ones(1), 0.5, 0.5).item() == 0.5
    for limits in ({"rtol": -0.4}, {"atol": -1e-3}, {"rtol": float("nan")}):
        with pytest.raises(ValueError, match="isclose"):
            lamina.isclose(lamina.ones(1), lamina.ones(1), **limits)
        with pytest.raises(ValueError):
            lamina.allclose(lamina.ones(1), lamina.ones(1), **limits)
    with pytest.raises(ValueError, match="softshrink"):
        F.softshrink(lamina.ones(1), -0.5)
    for negated in (lambda b: -b, lamina.neg, lambda b: b.neg_()):
        with pytest.raises(lamina.DtypeError, match="bool"):
            negated(lamina.tensor([True]))
    with pytest.raises(IndexError):
        lamina.tensor(1.0).roll(0, 0)
    assert lamina.tensor(1.0).roll(1).item() == 1
