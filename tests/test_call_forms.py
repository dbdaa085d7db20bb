"""Forms of calls that PyTorch programs use: arguments by position, older names, other dtypes, views of bytes."""

from __future__ import annotations

import warnings

import lamina
import lamina.nn.functional as F
import numpy as np
import pytest
from conftest import needs_torch
from lamina import nn


@pytest.fixture(autouse=True)
def _loud():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def close(ours, theirs, rtol=1e-6):
    np.testing.assert_allclose(ours.detach().double().numpy(), theirs.detach().double().numpy(), rtol=rtol, atol=1e-6)
    assert str(ours.dtype).split(".")[1] == str(theirs.dtype).split(".")[1]


# ---- arguments ----


def test_unbiased_by_position():
    x = lamina.tensor([1.0, 2.0, 4.0], requires_grad=True)
    assert x.var(False).item() == pytest.approx(np.var([1, 2, 4]))
    assert lamina.std(x, True).item() == pytest.approx(np.std([1, 2, 4], ddof=1))
    assert lamina.var_mean(x, False)[0].item() == x.var(unbiased=False).item()
    assert lamina.std_mean(x, True)[0].item() == x.std().item()
    x.var(False).backward()
    assert x.grad.sum().abs().item() < 1e-6
    assert lamina.ones(2, 3).var(1, True).shape == (2,)
    with pytest.raises(TypeError):
        x.var(1.5)


def test_split_and_narrow():
    x = lamina.arange(10.0, requires_grad=True)
    assert [len(p) for p in x.split(split_size=4)] == [4, 4, 2]
    assert [len(p) for p in lamina.split(x, split_size_or_sections=[3, 7])] == [3, 7]
    parts = x.split_with_sizes([2, 8])
    parts[1].sum().backward()
    assert x.grad.tolist() == [0, 0] + [1] * 8
    with pytest.raises(lamina.ShapeError):
        lamina.split_with_sizes(x, [2, 2])
    assert x.narrow(0, lamina.tensor(3), 2).tolist() == [3, 4]
    assert lamina.narrow(x, 0, lamina.tensor(-2), 2).tolist() == [8, 9]
    for start in (lamina.tensor(1.0), lamina.tensor([1]), lamina.tensor(True)):
        with pytest.raises(lamina.DtypeError, match="start"):
            x.narrow(0, start, 2)


def test_normal_forms():
    mean = lamina.full((2000,), 5.0)
    for drawn in (lamina.normal(mean, 1), lamina.normal(mean, std=lamina.ones(2000)), lamina.normal(5, mean / 5)):
        assert abs(drawn.mean().item() - 5) < 0.1 and abs(drawn.std().item() - 1) < 0.1
    assert lamina.normal(lamina.zeros(2, 1), lamina.ones(3)).shape == (2, 3)
    assert lamina.normal(0, 1, (2, 3)).shape == (2, 3)
    with pytest.raises(ValueError):
        lamina.normal(mean, -1)


def test_sum_to_size_and_vdot():
    x = lamina.ones(2, 3, 4, requires_grad=True)
    y = x.sum_to_size(3, 1)
    assert y.tolist() == [[8.0]] * 3
    y.sum().backward()
    assert x.grad.shape == x.shape and x.grad.min().item() == 1
    assert lamina.tensor([True, True]).sum_to_size(1).tolist() == [2]
    assert lamina.ones(2, 2).sum_to_size((2, 2)).tolist() == [[1, 1], [1, 1]]
    with pytest.raises(lamina.ShapeError):
        x.sum_to_size(5)
    a = lamina.tensor([1.0, 2.0])
    assert a.vdot(a).item() == lamina.vdot(a, a).item() == 5
    assert a[:1].is_nonzero() and not lamina.zeros(1).is_nonzero()
    with pytest.raises(ValueError):
        a.is_nonzero()


@pytest.mark.parametrize("p, dim, limit", [(2, 0, 1.0), (1, 1, 2.0), (float("inf"), -1, 0.5), (2, 0, 0.0)])
@needs_torch
def test_renorm(p, dim, limit):
    import torch

    values = np.random.default_rng(0).standard_normal((3, 4, 2))
    x, t = lamina.tensor(values, requires_grad=True), torch.tensor(values, requires_grad=True)
    close(x.renorm(p, dim, limit), t.renorm(p, dim, limit))
    x.renorm(p, dim, limit).sin().sum().backward()
    t.renorm(p, dim, limit).sin().sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), t.grad.numpy(), atol=1e-7)
    y = lamina.tensor(values)
    assert y.renorm_(p, dim, limit) is y
    np.testing.assert_array_equal(y.numpy(), x.detach().renorm(p, dim, limit).numpy())


def test_renorm_refuses():
    for wrong in ((0, 0, 1.0), (2, 0, -1.0)):
        with pytest.raises(ValueError):
            lamina.ones(2, 2).renorm(*wrong)
    with pytest.raises(lamina.ShapeError):
        lamina.ones(2).renorm(2, 0, 1.0)


# ---- the bytes of a tensor ----


@needs_torch
@pytest.mark.parametrize("source", ["float32", "float64", "float16", "bfloat16", "int64", "int32", "int16", "uint8"])
@pytest.mark.parametrize("target", ["float32", "float64", "float16", "bfloat16", "int64", "int32", "int16", "int8"])
def test_view_of_a_dtype(source, target):
    import torch

    x = torch.arange(48).reshape(3, 16).to(getattr(torch, source))
    ours = lamina.from_dlpack(x.clone())
    for cut in (lambda t: t, lambda t: t[1:], lambda t: t[::2, 8:], lambda t: t[1]):
        theirs = cut(x).view(getattr(torch, target))
        got = cut(ours).view(getattr(lamina, target))
        assert tuple(got.shape) == tuple(theirs.shape)
        assert got.data_ptr() == cut(ours).data_ptr() or got.numel() == 0
        np.testing.assert_array_equal(
            got.contiguous().view(lamina.uint8).numpy(), theirs.contiguous().view(torch.uint8).numpy()
        )


def test_view_of_a_dtype_shares_and_refuses():
    x = lamina.zeros(2)
    x.view(lamina.int32)[0] = 0x3F800000
    assert x.tolist() == [1, 0]
    for wrong, why in (
        (lambda: lamina.ones(3).view(lamina.float64), "multiple of 2"),
        (lambda: lamina.ones(()).view(lamina.int16), "0-d"),
        (lambda: lamina.ones(4, 4).t().view(lamina.int16), "stride 1"),
        (lambda: lamina.ones(4, 6)[:, 1:5].view(lamina.float64), "multiple of 2 in memory"),
        (lambda: lamina.ones(3, 5)[:, :4].view(lamina.float64), "strides"),
    ):
        with pytest.raises(lamina.ShapeError, match=why):
            wrong()
    with pytest.raises(ValueError, match="0 or 1"):
        lamina.tensor([2], dtype=lamina.uint8).view(lamina.bool)
    assert lamina.tensor([1, 0], dtype=lamina.uint8).view(lamina.bool).tolist() == [True, False]
    w = lamina.ones(2, requires_grad=True)
    assert w.view(lamina.float32).requires_grad and not w.view(lamina.int32).requires_grad
    y = w * 2
    saved = (y * y).sum()
    y.detach().view(lamina.int32).zero_()
    with pytest.raises(lamina.GradError):
        saved.backward()


def test_bytes_of_results_of_convolutions():
    y = F.conv2d(lamina.ones(1, 2, 3, 3), lamina.arange(8.0).reshape(4, 2, 1, 1))
    expected = y.numpy().copy()
    for x in (y, F.conv2d(lamina.ones(1, 2, 3, 3), lamina.arange(8.0).reshape(4, 2, 1, 1)).resize_(4, 9)):
        assert x.view(lamina.int32).view(lamina.float32).flatten().tolist() == expected.flatten().tolist()


def test_resize():
    x = lamina.arange(6.0)
    assert x.resize_(2, 3) is x and x.tolist() == [[0, 1, 2], [3, 4, 5]]
    assert x.resize_(2).tolist() == [0, 1]
    assert x.resize_(6).tolist() == [0, 1, 2, 3, 4, 5]  # the memory is still there
    with pytest.raises(ValueError, match="8 elements do not fit"):
        x.resize_((8,))
    assert lamina.empty(0).resize_(3).tolist() == [0, 0, 0]
    assert lamina.empty(0).resize_(0, 3).shape == (0, 3)
    assert x.resize_as_(lamina.ones(2, 2)).shape == (2, 2)
    assert lamina.zeros(8).resize_(1, 2, 2, 2, memory_format=lamina.channels_last).stride() == (8, 1, 4, 2)
    y = lamina.arange(3.0)
    view = y[1:]
    with pytest.raises(ValueError):
        view.resize_(3)
    assert view.resize_(1).tolist() == [1]
    array = lamina.ones(2)
    seen = array.numpy()
    assert array.resize_(0).resize_(4).tolist() == [0, 0, 0, 0] and seen.tolist() == [1, 1]
    array = lamina.ones(2)
    seen = array.numpy()
    with pytest.raises(ValueError):
        array.resize_(5)
    assert seen.tolist() == [1, 1]
    with pytest.raises(lamina.GradError):
        lamina.ones(2, requires_grad=True).resize_(1)
    with pytest.raises(lamina.ShapeError):
        lamina.ones(2).resize_(-1)


def test_uint8_masks():
    x, mask = lamina.arange(4.0), lamina.tensor([1, 0, 2, 0], dtype=lamina.uint8)
    with pytest.warns(UserWarning, match="uint8"):
        assert x[mask].tolist() == [0, 2]
    with pytest.warns(UserWarning, match="uint8"):
        x[mask] = 9
    assert x.tolist() == [9, 1, 9, 3]
    with pytest.warns(UserWarning, match="uint8"):
        assert x[np.array([0, 1, 1, 0], np.uint8)].tolist() == [1, 9]
    with pytest.warns(UserWarning, match="uint8"):
        assert x[lamina.tensor(1, dtype=lamina.uint8)].shape == (1, 4)
    with pytest.raises(UserWarning):  # the fixture makes errors of them
        x[mask]
    assert x.index_put((mask,), lamina.tensor(0.0)).tolist() == [0, 1, 0, 3]
    with pytest.warns(UserWarning), pytest.raises(IndexError):
        x[lamina.ones(3, dtype=lamina.uint8)]


# ---- older forms ----


def test_softmax_without_dim():
    for shape, dim in (((3,), 0), ((2, 3), 1), ((2, 3, 4), 0), ((2, 2, 2, 2), 1)):
        x = lamina.randn(*shape)
        for name in ("softmax", "log_softmax", "softmin"):
            function = getattr(F, name)
            with pytest.warns(UserWarning, match=f"{name} without dim takes dim {dim}"):
                assert lamina.equal(function(x), function(x, dim))
            with pytest.warns(UserWarning):
                function(x, None)
        with pytest.warns(UserWarning):
            assert lamina.equal(nn.Softmax()(x), F.softmax(x, dim))
    x = lamina.randn(2, 3, requires_grad=True)
    with pytest.warns(UserWarning):
        nn.LogSoftmax()(x).sum().backward()
    assert x.grad is not None
    assert F.softmax(x, 1, 3).shape == F.softmax(x, 1, _stacklevel=5).shape == (2, 3)
    assert F.softmax(x, 1, 3, lamina.float64).dtype == lamina.float64
    with pytest.raises(TypeError):
        F.softmax(x, "rows")


LOSSES = {
    "mse_loss": ("MSELoss", 2), "l1_loss": ("L1Loss", 2), "smooth_l1_loss": ("SmoothL1Loss", 2),
    "kl_div": ("KLDivLoss", 2), "soft_margin_loss": ("SoftMarginLoss", 2),
    "binary_cross_entropy_with_logits": ("BCEWithLogitsLoss", 3), "poisson_nll_loss": ("PoissonNLLLoss", 4),
}  # fmt: skip


@needs_torch
@pytest.mark.parametrize("name", LOSSES)
def test_size_average_and_reduce(name):
    import torch

    layer, place = LOSSES[name]
    a, b = np.random.default_rng(0).random((2, 3, 4))
    ours, theirs = (lamina.tensor(a), lamina.tensor(b)), (torch.tensor(a), torch.tensor(b))
    before = {2: (), 3: (None,), 4: (True, False)}[place]
    for flags in ({"size_average": False}, {"reduce": False}, {"size_average": False, "reduce": True}):
        with pytest.warns(UserWarning, match="reduction="):
            got = getattr(F, name)(*ours, **flags)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            expected = getattr(torch.nn.functional, name)(*theirs, **flags)
            close(got, expected)
            close(getattr(nn, layer)(**flags)(*ours), expected)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        close(getattr(F, name)(*ours, *before, False), getattr(torch.nn.functional, name)(*theirs, *before, False))
    rest = (None, 1e-6, None, "sum") if name == "poisson_nll_loss" else (None, None, "sum")
    close(getattr(F, name)(*ours, *before, *rest), getattr(torch.nn.functional, name)(*theirs, *before, *rest))
    layer_before = before if name != "binary_cross_entropy_with_logits" else (None,)
    close(getattr(nn, layer)(*layer_before, *rest)(*ours), getattr(torch.nn, layer)(*layer_before, *rest)(*theirs))


@needs_torch
def test_positional_cross_entropy_and_weights():
    import torch

    x, y = np.random.default_rng(0).standard_normal((4, 3)), np.array([0, 2, 1, 1])
    w = np.array([1.0, 2.0, 3.0])
    ours = lamina.tensor(x), lamina.tensor(y), lamina.tensor(w)
    theirs = torch.tensor(x), torch.tensor(y), torch.tensor(w)
    for rest in ((), (None, 2), (None, 2, None, "sum"), (None, -100, None, "mean", 0.1)):
        close(F.cross_entropy(*ours, *rest), torch.nn.functional.cross_entropy(*theirs, *rest))
        close(nn.CrossEntropyLoss(ours[2], *rest)(*ours[:2]), torch.nn.CrossEntropyLoss(theirs[2], *rest)(*theirs[:2]))
    for name in ("mse_loss", "l1_loss"):
        for reduction in ("none", "mean", "sum"):
            args = ours[0], ours[0] * 2
            close(
                getattr(F, name)(*args, weight=args[0].abs(), reduction=reduction),
                getattr(torch.nn.functional, name)(
                    theirs[0], theirs[0] * 2, weight=theirs[0].abs(), reduction=reduction
                ),
            )
    with pytest.raises(TypeError):
        F.mse_loss(ours[0], ours[0], 3)
    with pytest.raises(TypeError):
        F.mse_loss(ours[0], ours[0], unknown=1)


@needs_torch
def test_norm_by_name():
    import torch

    values = np.random.default_rng(0).standard_normal((2, 3, 4))
    x, t = lamina.tensor(values, requires_grad=True), torch.tensor(values)
    close(lamina.norm(x, p="fro"), torch.norm(t, p="fro"))
    close(x.norm("fro", 1, True), t.norm("fro", 1, True))
    close(lamina.norm(x, p="nuc", dim=(0, 2)), torch.norm(t, p="nuc", dim=(0, 2)))
    close(x[0].norm(p="nuc"), t[0].norm(p="nuc"))
    x[0].norm(p="nuc").backward()
    assert x.grad[0].abs().sum().item() > 0
    for wrong in ("l2", ""):
        with pytest.raises(ValueError, match="nuc"):
            lamina.norm(x, wrong)
    with pytest.raises(lamina.ShapeError):
        lamina.norm(x, "nuc")


def test_windows():
    for name in ("hann_window", "hamming_window", "blackman_window", "bartlett_window", "kaiser_window"):
        window = getattr(lamina, name)(5, device="cpu", dtype=lamina.float64, requires_grad=True)
        assert window.dtype == lamina.float64 and window.requires_grad
        np.testing.assert_allclose(getattr(lamina, name)(5).numpy(), window.detach().numpy(), rtol=1e-6)
        assert getattr(lamina, name)(1).tolist() == [1] and len(getattr(lamina, name)(0)) == 0
    np.testing.assert_allclose(lamina.kaiser_window(7, False, 5.0, lamina.float64).numpy(), np.kaiser(7, 5.0))
