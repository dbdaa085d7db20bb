"""Checkpointing and the hooks under it: same gradients, same random numbers, less memory, plain errors."""

from __future__ import annotations

import gc

import lamina
import numpy as np
import pytest
from lamina import nn
from lamina.utils.checkpoint import CheckpointError, checkpoint, checkpoint_sequential


def net():
    lamina.manual_seed(1)
    return nn.Sequential(nn.Linear(6, 8), nn.GELU(), nn.Dropout(0.5), nn.LayerNorm(8), nn.Linear(8, 3))


def gradients(run, x):
    model = net()
    v = x.clone().requires_grad_()
    lamina.manual_seed(3)
    out = run(model, v)
    (out * out).sum().backward()
    return [
        out.detach().numpy().tobytes(),
        v.grad.numpy().tobytes(),
        *(p.grad.numpy().tobytes() for p in model.parameters()),
    ]


@pytest.mark.parametrize("use_reentrant", [True, False, None])
def test_bits_equal_the_plain_run(use_reentrant):
    x = lamina.randn(4, 6)
    plain = gradients(lambda m, v: m(v), x)
    assert gradients(lambda m, v: checkpoint(m, v, use_reentrant=use_reentrant), x) == plain
    for segments in (1, 2, 5):
        assert gradients(lambda m, v: checkpoint_sequential(m, segments, v, use_reentrant=use_reentrant), x) == plain


def test_random_numbers_go_on_as_without():
    x = lamina.ones(50, requires_grad=True)
    lamina.manual_seed(0)
    y = checkpoint(lambda v: nn.functional.dropout(v), x, use_reentrant=False)
    after = lamina.rand(3).tolist()
    state = lamina.get_rng_state().tolist()
    y.sum().backward()
    assert lamina.get_rng_state().tolist() == state
    np.testing.assert_array_equal(x.grad.numpy(), y.detach().numpy())
    lamina.manual_seed(0)
    nn.functional.dropout(x)
    assert lamina.rand(3).tolist() == after


def test_keywords_nests_and_other_values():
    x = lamina.randn(3, dtype=lamina.float64, requires_grad=True)
    w = lamina.randn(3, dtype=lamina.float64, requires_grad=True)

    def function(a, n, pair=None, *, scale):
        return (a * pair["w"][0]).exp() * n * scale, "text", a.sin()

    out, text, other = checkpoint(function, x, 2, pair={"w": [w]}, scale=0.5, use_reentrant=False)
    assert text == "text"
    (out.sum() + other.sum()).backward()
    np.testing.assert_allclose(x.grad.numpy(), ((x * w).exp() * w + x.cos()).detach().numpy())
    np.testing.assert_allclose(w.grad.numpy(), ((x * w).exp() * x).detach().numpy())


def test_autograd_grad_and_double_backward():
    x = lamina.randn(3, dtype=lamina.float64, requires_grad=True)
    w = lamina.randn(3, dtype=lamina.float64, requires_grad=True)  # reached through the closure alone
    out = checkpoint(lambda v: (v * w).sin().sum(), x, use_reentrant=False)
    gx, gw = lamina.autograd.grad(out, (x, w), create_graph=True)
    np.testing.assert_allclose(gw.detach().numpy(), (x * (x * w).cos()).detach().numpy())
    (again,) = lamina.autograd.grad(gx.sum(), x)
    np.testing.assert_allclose(again.numpy(), (-w * w * (x * w).sin()).detach().numpy())
    assert lamina.autograd.gradcheck(lambda v: checkpoint(lambda u: u.exp() * u.sin(), v, use_reentrant=False), x)
    assert lamina.autograd.gradgradcheck(lambda v: checkpoint(lambda u: u.exp() * u.sin(), v, use_reentrant=False), x)


def test_runs_twice_and_only_when_needed():
    calls = []

    def function(v):
        calls.append(1)
        return v.exp().sin()

    x = lamina.ones(2, requires_grad=True)
    y = checkpoint(function, x, use_reentrant=False)
    assert len(calls) == 1
    y.sum().backward(retain_graph=True)
    assert len(calls) == 2
    y.sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), 2 * np.cos(np.e) * np.e * np.ones(2), rtol=1e-6)
    with lamina.no_grad():
        checkpoint(function, x, use_reentrant=False)
    assert not checkpoint(function, lamina.ones(2), use_reentrant=False).requires_grad


def test_nested():
    def inner(v):
        return v.exp().sin()

    def outer(v):
        return checkpoint(inner, v * 2, use_reentrant=False).cos()

    x = lamina.randn(3, dtype=lamina.float64, requires_grad=True)
    checkpoint(outer, x, use_reentrant=False).sum().backward()
    y = x.detach().clone().requires_grad_()
    inner(y * 2).cos().sum().backward()
    assert x.grad.numpy().tobytes() == y.grad.numpy().tobytes()


def test_holds_less_memory():
    def function(v):
        for _ in range(20):
            v = v.exp().log()
        return v

    def held(run):
        gc.collect()
        x = lamina.ones(100_000, requires_grad=True)
        before = lamina.memory_stats()["allocated"]
        y = run(x)
        used = lamina.memory_stats()["allocated"] - before
        y.sum().backward()
        return used

    plain, less = held(function), held(lambda v: checkpoint(function, v, use_reentrant=False))
    assert less < plain / 10


def test_second_run_that_differs_is_refused():
    sizes = iter([3, 4])

    def function(v):
        return (v.expand(next(sizes), 1).exp() ** 2).sum()

    y = checkpoint(function, lamina.ones(1, requires_grad=True), use_reentrant=False)
    with pytest.raises(CheckpointError, match="second run"):
        y.backward()
    x = lamina.ones(2)
    w = lamina.ones(2, requires_grad=True)
    y = checkpoint(lambda v: (v * w).exp(), x, use_reentrant=False)
    x.add_(1)
    with pytest.raises(CheckpointError, match="in place"):
        y.sum().backward()


def test_errors():
    x = lamina.ones(2, requires_grad=True)
    with pytest.raises(ValueError, match="keyword"):
        checkpoint(lambda v: v, x, use_reentrant=True, k=1)
    with pytest.raises(ValueError, match="determinism"):
        checkpoint(lambda v: v, x, use_reentrant=False, determinism_check="x")
    with pytest.raises(ValueError, match="segments"):
        checkpoint_sequential(net(), 9, x)
    with pytest.raises(ZeroDivisionError):
        checkpoint(lambda v: 1 / 0, x, use_reentrant=False)
    x.exp().sum().backward()  # the failed call left no hooks behind


def test_saved_tensors_hooks():
    seen = []

    def pack(t):
        seen.append(tuple(t.shape))
        assert not t.requires_grad
        return t.numpy().copy()

    a = lamina.randn(3, dtype=lamina.float64, requires_grad=True)
    b = lamina.randn(3, dtype=lamina.float64, requires_grad=True)
    with lamina.autograd.graph.saved_tensors_hooks(pack, lamina.from_numpy):
        y = (a * b).exp().sum()
    assert seen.count((3,)) == 3
    ga, _ = lamina.autograd.grad(y, (a, b), create_graph=True)
    np.testing.assert_allclose(ga.detach().numpy(), (b * (a * b).exp()).detach().numpy())
    (second,) = lamina.autograd.grad(ga.sum(), a)
    np.testing.assert_allclose(second.numpy(), (b * b * (a * b).exp()).detach().numpy())
    with lamina.autograd.graph.saved_tensors_hooks(lambda t: t, lambda t: None):
        y = (a * b).sum()
    with pytest.raises(TypeError, match="unpack"):
        y.backward()
    with lamina.autograd.graph.save_on_cpu():
        y = (a * b).sum()
    y.backward()
