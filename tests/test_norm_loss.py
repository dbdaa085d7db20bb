"""Norms, losses, reductions, dropout and embedding beyond their twins: corners, accuracy, state and error texts."""

from __future__ import annotations

import lamina
import lamina.nn.functional as F
import numpy as np
import pytest
from conftest import needs_torch, torch

EPS = 2.0**-23


def eps_off(got, want, scale):
    return float(np.max(np.abs(got.double().numpy() - want) / (EPS * scale)))


@pytest.mark.parametrize("n", [1, 7, 64, 1000, 4097, 1_000_003])
@pytest.mark.parametrize("kind", ["normal", "same", "mixed"])
def test_sum_is_within_one_eps_of_absolute_terms(n, kind):
    rng = np.random.default_rng(n)
    x = {
        "normal": rng.standard_normal(n),
        "same": np.full(n, 0.1),
        "mixed": rng.standard_normal(n) * 10.0 ** rng.integers(-8, 8, n),
    }[kind]
    x = x.astype(np.float32)
    exact, scale = np.sum(x, dtype=np.longdouble), np.sum(np.abs(x), dtype=np.float64)
    t = lamina.tensor(x)
    assert eps_off(t.sum(), float(exact), scale) <= 1
    assert eps_off(t.mean(), float(exact / n), scale / n) <= 1
    assert eps_off(t.reshape(n, 1).expand(n, 3).sum(0), float(exact), scale) <= 1


@pytest.mark.parametrize("mean", [0.0, 1000.0])
def test_var_and_layer_norm_keep_digits_beside_a_large_mean(mean):
    x = (np.random.default_rng(0).standard_normal((16, 1000)) + mean).astype(np.float32)
    d = x.astype(np.float64)
    t = lamina.tensor(x)
    assert eps_off(t.var(1), d.var(1, ddof=1), d.var(1, ddof=1)) <= 2
    y = (d - d.mean(1, keepdims=True)) / np.sqrt(d.var(1, keepdims=True) + 1e-5)
    assert eps_off(F.layer_norm(t, (1000,)), y, np.maximum(np.abs(y), 1)) <= 2


def test_softmax_is_within_four_ulp():
    x = (np.random.default_rng(0).standard_normal((64, 1000)) * 10).astype(np.float32)
    d = x.astype(np.float64)
    e = np.exp(d - d.max(1, keepdims=True))
    want = e / e.sum(1, keepdims=True)
    big = want > 1e-30
    got = lamina.softmax(lamina.tensor(x), 1).double().numpy()
    assert np.max(np.abs(got - want)[big] / np.spacing(want.astype(np.float32))[big]) <= 4


def test_nan_and_infinity():
    nan, inf = float("nan"), float("inf")
    x = lamina.tensor([1.0, nan, 3.0])
    assert np.isnan(x.max().item()) and np.isnan(x.amin().item()) and np.isnan(x.sum().item())
    values, indices = x.max(0)
    assert np.isnan(values.item()) and indices.item() == 1 and x.argmin().item() == 1
    assert lamina.tensor([1.0, 3.0, 3.0]).argmax().item() == 1
    assert lamina.logsumexp(lamina.tensor([-inf, -inf]), 0).item() == -inf
    assert lamina.logsumexp(lamina.tensor([inf, 1.0]), 0).item() == inf
    np.testing.assert_array_equal(lamina.softmax(lamina.tensor([-inf, 0.0, 0.0]), 0).numpy(), [0, 0.5, 0.5])
    assert np.isnan(lamina.softmax(lamina.tensor([-inf, -inf]), 0).numpy()).all()


@pytest.mark.parametrize("n", [1, 2, 16, 17, 300, 3000])
@pytest.mark.parametrize("zeros", [0, 1, 2, 3])
@pytest.mark.parametrize("dim", [0, 1])
def test_gradients_of_a_product_with_zeros(n, zeros, dim):
    """First and second derivative of prod(x) in rows of any length, against products of the other factors."""
    rng = np.random.default_rng(n + zeros)
    x = rng.uniform(0.9, 1.1, n) * rng.choice([-1.0, 1.0], n)
    places = rng.choice(n, min(zeros, n), replace=False)
    x[places] = 0
    v = rng.normal(size=n)

    def others(*skip):
        return np.prod(np.delete(x, list(skip)))

    # d/dx_i = product of the others; the second derivative along v is h_i = sum_j v_j d2/dx_i dx_j, j != i.
    if len(places) == 0:
        first = np.prod(x) / x
        second = first * ((v / x).sum() - v / x)
    else:
        first, second = np.zeros(n), np.zeros(n)
        if len(places) == 1:
            z = places[0]
            first[z] = others(z)
            rest = np.delete(np.arange(n), z)
            second[rest] = v[z] * others(z) / x[rest]
            second[z] = (v[rest] * others(z) / x[rest]).sum()
        elif len(places) == 2:
            a, b = places
            second[a], second[b] = v[b] * others(a, b), v[a] * others(a, b)
    rows = np.stack([x, np.full(n, 1.5 ** (1 / n))])  # a row without zeros beside it keeps its own formula
    t = lamina.tensor(rows if dim == 1 else rows.T.copy(), requires_grad=True)
    (g,) = lamina.autograd.grad(t.prod(dim).select(0, 0), (t,), create_graph=True)
    g = g if dim == 1 else g.t()
    np.testing.assert_allclose(g.select(0, 0).detach().numpy(), first, rtol=1e-11, atol=1e-300)
    np.testing.assert_array_equal(g.select(0, 1).detach().numpy(), 0)
    (h,) = lamina.autograd.grad((g.select(0, 0) * lamina.tensor(v)).sum(), (t,))
    h = (h if dim == 1 else h.t()).select(0, 0).numpy()
    np.testing.assert_allclose(h, second, rtol=1e-9, atol=1e-12)
    # The bits of a row's gradient are the same alone.
    alone = lamina.tensor(x, requires_grad=True)
    (one,) = lamina.autograd.grad(alone.prod(), (alone,))
    np.testing.assert_array_equal(one.numpy(), g.select(0, 0).detach().numpy())


def test_zeros_in_one_row_leave_the_bits_of_the_others():
    x = lamina.tensor(np.random.default_rng(3).uniform(0.5, 2.0, (2, 37)).astype(np.float32))

    def gradient(rows):
        rows = rows.clone().requires_grad_()
        rows.prod(1).sum().backward()
        return rows.grad.numpy()

    with_zero = x.clone()
    with_zero[0, 5] = 0
    np.testing.assert_array_equal(gradient(with_zero)[1], gradient(x)[1])


def test_gradgradcheck_of_prod():
    x = np.random.default_rng(5).uniform(0.5, 1.5, (2, 40))
    x[0, [3, 30]] = 0
    x[1, 8] = 0
    t = lamina.tensor(x, requires_grad=True)
    assert lamina.autograd.gradcheck(lambda a: a.prod(1), (t,))
    assert lamina.autograd.gradgradcheck(lambda a: a.prod(1), (t,))


def test_empty_reductions():
    x = lamina.zeros(0, 3)
    np.testing.assert_array_equal(x.sum(0).numpy(), np.zeros(3))
    np.testing.assert_array_equal(x.prod(0).numpy(), np.ones(3))
    assert x.sum().item() == 0 and np.isnan(x.mean().item()) and x.all().item() is True and x.any().item() is False
    assert x.max(1).values.shape == (0,)
    assert np.isnan(x.var(0).numpy()).all()
    for call in (lambda: x.max(0), lambda: x.max(), lambda: x.argmax(0), lambda: x.amin(0)):
        with pytest.raises(IndexError, match="nothing to reduce"):
            call()


def test_integer_and_bool_reductions():
    x = lamina.tensor(np.arange(12, dtype=np.int32).reshape(3, 4))
    assert x.sum().dtype == lamina.int64 and x.sum().item() == 66
    assert x.amax().dtype == lamina.int32 and x.max(1).values.numpy().tolist() == [3, 7, 11]
    assert (x > 3).sum().item() == 8
    big = lamina.tensor([2**62, 2**61])
    assert big.max().item() == 2**62
    with pytest.raises(lamina.DtypeError, match="floating"):
        x.mean()


def test_reduction_errors_name_the_operand():
    x = lamina.zeros(3, 4)
    with pytest.raises(IndexError, match="dim 2 is out of range"):
        x.sum(2)
    with pytest.raises(lamina.ShapeError, match="twice"):
        x.sum((1, -1))
    with pytest.raises(ValueError, match="fro"):
        x.norm("l2")


def test_batch_norm_moves_running_statistics():
    x = lamina.randn(8, 3, 5, 5)
    mean, var = lamina.zeros(3), lamina.ones(3)
    F.batch_norm(x, mean, var, training=True, momentum=0.25)
    d = x.double().numpy()
    np.testing.assert_allclose(mean.numpy(), 0.25 * d.mean((0, 2, 3)), rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(var.numpy(), 0.75 + 0.25 * d.var((0, 2, 3), ddof=1), rtol=1e-6)


def test_norm_errors():
    x = lamina.zeros(4, 3)
    with pytest.raises(lamina.ShapeError, match=r"weight must have shape \(3,\)"):
        F.batch_norm(x, None, None, lamina.ones(4), None, True)
    with pytest.raises(ValueError, match="more than one value per channel"):
        F.batch_norm(lamina.zeros(1, 3), None, None, training=True)
    with pytest.raises(TypeError, match="running_mean"):
        F.batch_norm(x, None, None)
    with pytest.raises(lamina.ShapeError, match="normalized_shape"):
        F.layer_norm(x, (4,))
    with pytest.raises(lamina.DtypeError, match="another dtype"):
        F.layer_norm(x, (3,), lamina.ones(3, dtype=lamina.float64))


def test_a_row_does_not_see_its_batch():
    x = lamina.randn(9, 130)
    w, b = lamina.randn(130), lamina.randn(130)
    target = lamina.tensor(np.arange(9))
    for f in (
        lambda t, i: lamina.softmax(t, 1),
        lambda t, i: F.layer_norm(t, (130,), w, b),
        lambda t, i: t.sum(1),
        lambda t, i: t.var(1),
        lambda t, i: lamina.logsumexp(t, 1),
        lambda t, i: F.cross_entropy(t, target.narrow(0, i, t.shape[0]), reduction="none"),
    ):
        whole = f(x, 0).numpy()
        for i in range(9):
            np.testing.assert_array_equal(f(x.narrow(0, i, 1), i).numpy()[0], whole[i])


def test_dropout_is_a_function_of_seed_and_place():
    x = lamina.ones(1000, 100, requires_grad=True)
    lamina.manual_seed(3)
    a = F.dropout(x, 0.3)
    lamina.manual_seed(3)
    b = F.dropout(x.narrow(0, 0, 500), 0.3)
    np.testing.assert_array_equal(a.detach().numpy()[:500], b.detach().numpy())
    values = a.detach().numpy()
    assert set(np.unique(values)) == {np.float32(0), np.float32(1 / 0.7)}
    assert abs((values == 0).mean() - 0.3) < 0.01
    a.sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), values)
    assert F.dropout(x, 0.3, training=False) is x
    assert F.dropout(x.detach(), 1.0).sum().item() == 0
    with pytest.raises(ValueError, match=r"\[0, 1\]"):
        F.dropout(x, 1.5)


def test_embedding_bounds_and_padding():
    w = lamina.randn(5, 4, requires_grad=True)
    index = lamina.tensor([1, 1, 2, 4, 1])
    F.embedding(index, w, padding_idx=-1).sum().backward()
    np.testing.assert_array_equal(w.grad.numpy(), np.array([0, 3, 1, 0, 0.0])[:, None] * np.ones(4))
    with pytest.raises(IndexError, match="index 5 at position 2"):
        F.embedding(lamina.tensor([0, 1, 5, 7]), w)
    with pytest.raises(IndexError, match="index -1 at position 0"):
        F.embedding(lamina.tensor([-1]), w)
    with pytest.raises(lamina.DtypeError, match="integers"):
        F.embedding(lamina.zeros(2), w)


def test_cross_entropy_errors_and_corners():
    x = lamina.randn(3, 4)
    with pytest.raises(IndexError, match="target 4 at position 1 is not a class"):
        F.cross_entropy(x, lamina.tensor([0, 4, 1]))
    with pytest.raises(lamina.ShapeError, match="target must have shape"):
        F.cross_entropy(x, lamina.tensor([0, 1]))
    assert np.isnan(F.cross_entropy(x, lamina.tensor([-100, -100, -100])).item())
    assert F.cross_entropy(x, lamina.tensor([-100, -100, -100]), reduction="sum").item() == 0
    sure = lamina.tensor([[100.0, 0.0, -100.0]], requires_grad=True)
    loss = F.cross_entropy(sure, lamina.tensor([0]))
    loss.backward()
    assert loss.item() < 1e-40 and np.abs(sure.grad.numpy()).max() < 1e-40


def test_binary_cross_entropy_at_the_ends():
    x = lamina.tensor([0.0, 1.0, 0.0, 1.0], requires_grad=True)
    loss = F.binary_cross_entropy(x, lamina.tensor([0.0, 1.0, 1.0, 0.0]), reduction="none")
    np.testing.assert_array_equal(loss.detach().numpy(), [0, 0, 100, 100])
    loss.sum().backward()
    assert np.isfinite(x.grad.numpy()).all()
    with pytest.raises(ValueError, match=r"\[0, 1\]"):
        F.binary_cross_entropy(lamina.tensor([1.5]), lamina.tensor([1.0]))


FUSED = {
    "mse_loss": ({}, {"reduction": "sum"}, {"reduction": "none"}),
    "l1_loss": ({}, {"reduction": "sum"}, {"reduction": "none"}),
    "smooth_l1_loss": ({}, {"beta": 0.25, "reduction": "sum"}, {"beta": 3.0, "reduction": "none"}, {"beta": 0.0}),
    "binary_cross_entropy_with_logits": ({}, {"reduction": "sum"}, {"reduction": "none"}),
}


@needs_torch
@pytest.mark.parametrize("name", FUSED)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("shape", [(7,), (40, 33), (2, 3, 5, 7), (0, 3)])
def test_fused_losses_in_every_layout(name, dtype, shape):
    r = np.random.default_rng(1)
    a, b = r.standard_normal(shape) * 3, r.uniform(0, 1, shape)
    for kwargs in FUSED[name]:
        for layout in ("plain", "transposed", "strided"):
            grads = []
            for m in (lamina, torch):
                x, t = (m.tensor(v, dtype=getattr(m, dtype), requires_grad=True) for v in (a, b))
                u, v = x * 1, t * 1
                if layout == "transposed":
                    u, v = u.transpose(0, -1), v.transpose(0, -1)
                if layout == "strided":
                    u, v = m.stack([u, u], -1)[..., 0], v
                y = getattr(m.nn.functional, name)(u, v, **kwargs)
                y.square().sum().backward()
                grads.append([y.detach().numpy(), x.grad.numpy(), t.grad.numpy()])
            for ours, theirs in zip(*grads, strict=True):  # sigmoid(x) - target cancels: errors are those of the scale
                scale = np.abs(theirs).max(initial=0)
                eps = np.finfo(dtype).eps
                np.testing.assert_allclose(ours, theirs, rtol=20 * eps, atol=4 * eps * scale)


@pytest.mark.parametrize("name", FUSED)
def test_fused_loss_is_one_node_with_the_bits_of_its_terms(name):
    x, t = lamina.randn(50, 41).requires_grad_(), lamina.rand(50, 41)
    f = getattr(F, name)
    for reduction in ("sum", "mean"):
        whole, parts = f(x, t, reduction=reduction), getattr(f(x, t, reduction="none"), reduction)()
        assert whole.item() == parts.item()
        a, b = lamina.autograd.grad(whole, x)[0], lamina.autograd.grad(parts, x)[0]
        np.testing.assert_array_equal(a.numpy(), b.numpy())
    with pytest.raises(lamina.ShapeError, match=f"^{name}: "):
        f(x, lamina.rand(3, 4))


def test_logits_loss_keeps_its_digits():
    """Small losses and gradients at both ends, and pos_weight; the exact values are those of float64 at 50 digits."""
    x = lamina.tensor([-20.0, 20.0, -100.0, 100.0, -20.0, 0.0], requires_grad=True)
    t = lamina.tensor([0.0, 1.0, 1.0, 0.0, 1.0, 0.5])
    loss = F.binary_cross_entropy_with_logits(x, t, reduction="none", pos_weight=lamina.tensor(3.0))
    tiny = np.log1p(np.exp(-20.0))
    np.testing.assert_allclose(
        loss.detach().numpy(), [tiny, 3 * tiny, 300, 100, 60 + 3 * tiny, 2 * np.log(2.0)], rtol=3e-7
    )
    loss.sum().backward()
    small = 1 / (1 + np.exp(20.0))
    np.testing.assert_allclose(x.grad.numpy(), [small, -3 * small, -3, 1, -3 * (1 - small), -0.5], rtol=3e-7)


def logits_loss(x, t, weight=1, pos_weight=1):
    """In torch, whose own refuses a gradient for pos_weight."""
    log = torch.nn.functional.logsigmoid
    return -weight * (pos_weight * t * log(x) + (1 - t) * log(-x))


@needs_torch
def test_logits_loss_gradients_of_every_operand():
    r = np.random.default_rng(4)
    values = r.standard_normal((5, 4)) * 2, r.uniform(0, 1, (5, 4)), r.uniform(0.5, 2, 4), r.uniform(0.5, 2, (5, 1))
    values[0][0, 0] = 0  # the slope of |x| must not show
    for use in ({}, {"pos_weight": 2}, {"weight": 3}, {"pos_weight": 2, "weight": 3}):
        for reduction in ("mean", "sum", "none"):
            found = []
            for m in (lamina, torch):
                leaves = [m.tensor(v, dtype=m.float64, requires_grad=True) for v in values]
                keywords = {k: leaves[i] for k, i in use.items()}
                if m is lamina:
                    y = F.binary_cross_entropy_with_logits(leaves[0], leaves[1], **keywords, reduction=reduction)
                else:
                    y = logits_loss(leaves[0], leaves[1], **keywords)
                    y = y if reduction == "none" else getattr(y, reduction)()
                used = [leaves[0], leaves[1], *(leaves[i] for i in use.values())]
                first = m.autograd.grad(y.square().sum(), used, create_graph=True)
                second = m.autograd.grad(sum(g.square().sum() for g in first), used)
                found.append([g.detach().numpy() for g in (*first, *second)])
            for ours, theirs in zip(*found, strict=True):
                np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-12)
