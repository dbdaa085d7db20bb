"""First and second derivatives of every differentiable operation against central differences in float64."""

from __future__ import annotations

import lamina
import numpy as np
import pytest
from harness import cases, names, outputs, to_numpy, twins

DIFFERENTIABLE = [n for n in names() if twins()[n].grad]
EPS = 1e-6


def directional(case, rng):
    """Scalar function of a step along random directions, and what autograd says its slope is."""
    tensors = case.tensors("float64", requires_grad=True)
    flat = [
        t
        for a in tensors
        for t in (a if isinstance(a, list) else [a])
        if isinstance(t, lamina.Tensor) and t.requires_grad
    ]
    keywords = case.keywords("float64")
    directions = [lamina.tensor(rng.standard_normal(t.shape)) for t in flat]
    out = [o for o in outputs(case.call(*tensors, **keywords)) if o.dtype == lamina.float64]
    weights = [lamina.tensor(rng.standard_normal(o.shape)) for o in out]

    def moved(step):
        it = iter(zip(flat, directions, strict=True))

        def move(a):
            if isinstance(a, list):
                return [move(x) for x in a]
            if isinstance(a, lamina.Tensor) and a.requires_grad:
                t, d = next(it)
                return (t.detach() + step * d).requires_grad_()
            return a

        return [move(a) for a in tensors]

    def total(args):
        results = [o for o in outputs(case.call(*args, **keywords)) if o.dtype == lamina.float64]
        return sum(
            ((o * w).sum() for o, w in zip(results, weights, strict=True)), lamina.zeros((), dtype=lamina.float64)
        )

    def slope(args, create_graph=False):
        leaves = [
            t
            for a in args
            for t in (a if isinstance(a, list) else [a])
            if isinstance(t, lamina.Tensor) and t.requires_grad
        ]
        value = total(args)
        if not value.requires_grad:
            return lamina.zeros((), dtype=lamina.float64), leaves
        g = lamina._C._autograd.grad(value, leaves, create_graph=create_graph, allow_unused=True)
        parts = [(x * d).sum() for x, d in zip(g, directions, strict=True) if x is not None]
        return sum(parts, lamina.zeros((), dtype=lamina.float64)), leaves

    return moved, total, slope, directions


def close(a, b, where):
    np.testing.assert_allclose(float(a), float(b), rtol=2e-5, atol=2e-6, err_msg=where)


@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_first_derivative(name):
    rng = np.random.default_rng(1)
    for case in cases(name):
        moved, total, slope, _ = directional(case, rng)
        analytic, _ = slope(moved(0.0))
        numeric = (total(moved(EPS)) - total(moved(-EPS))) / (2 * EPS)
        close(analytic, numeric, case.id)


@pytest.mark.parametrize("name", [n for n in DIFFERENTIABLE if twins()[n].second])
def test_second_derivative(name):
    rng = np.random.default_rng(2)
    for case in cases(name):
        moved, _, slope, directions = directional(case, rng)
        value, leaves = slope(moved(0.0), create_graph=True)
        analytic = 0.0
        if value.requires_grad:
            g = lamina._C._autograd.grad(value, leaves, allow_unused=True)
            analytic = sum(float((x * d).sum()) for x, d in zip(g, directions, strict=True) if x is not None)
        numeric = (slope(moved(EPS))[0] - slope(moved(-EPS))[0]) / (2 * EPS)
        close(analytic, numeric, case.id)


def test_gradients_reach_through_broadcasting():
    a = lamina.tensor(np.ones((3, 1)), requires_grad=True)
    b = lamina.tensor(np.ones((1, 4)), requires_grad=True)
    (a * b).sum().backward()
    np.testing.assert_array_equal(to_numpy(a.grad), np.full((3, 1), 4.0))
    np.testing.assert_array_equal(to_numpy(b.grad), np.full((1, 4), 3.0))
