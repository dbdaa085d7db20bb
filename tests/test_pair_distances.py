"""cdist and pdist, whose pairs are worked off in parts: memory, gradients and bits."""

from __future__ import annotations

import lamina
import numpy as np
import pytest
from conftest import needs_torch, torch
from processes import ok

ORDERS = [0.0, 0.5, 1.0, 2.0, 3.0, float("inf")]
# More differences than are held at once: rows cut, batches cut, broadcast batches, one long row.
SHAPES = [
    ((100, 24), (120, 24)),
    ((20, 30, 24), (20, 24)),
    ((30, 24), (20, 20, 24)),
    ((3, 1, 30, 33), (2, 60, 33)),
    ((1, 3000), (100, 3000)),
]


@pytest.mark.parametrize("p", [0.5, 2.0, float("inf")])
def test_memory_is_a_small_multiple_of_the_result(p):
    out = ok(
        f"""
import resource
def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
p = {str(p).replace("inf", "float('inf')")}
for t in (lamina.rand(30, 64), lamina.rand(30, 64, requires_grad=True)):
    lamina.cdist(t, t, p), lamina.pdist(t, p)
x = lamina.rand(600, 128)
before = peak()
for t in (x, x.clone().requires_grad_(), x.reshape(2, 300, 128).clone().requires_grad_()):
    found = [lamina.cdist(t, t, p)]
    if t.dim() == 2: found.append(lamina.pdist(t, p))
    for y in found:
        if t.requires_grad: y.sum().backward()
print(peak() - before)
""",
        timeout=120,
        OMP_NUM_THREADS="2",
    )
    assert float(out) < 40  # MiB, of which the results are 1.4 each; all differences are 176


def weighted(distance, tensor, *inputs):
    y = distance(*inputs)
    (y * tensor(np.cos(np.arange(y.numel()).reshape(y.shape)))).sum().backward()
    return y.detach(), *(x.grad for x in inputs)


@needs_torch
@pytest.mark.parametrize("p", ORDERS)
def test_values_and_gradients_equal_torch(p):
    random = np.random.default_rng(0)
    for shapes in SHAPES:
        arrays = [random.standard_normal(s) for s in shapes]
        ours = weighted(
            lambda a, b: lamina.cdist(a, b, p), lamina.tensor, *(lamina.tensor(a, requires_grad=True) for a in arrays)
        )
        exact = {"compute_mode": "donot_use_mm_for_euclid_dist"}
        theirs = weighted(
            lambda a, b: torch.cdist(a, b, p, **exact),
            torch.tensor,
            *(torch.tensor(a, requires_grad=True) for a in arrays),
        )
        for o, t in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(o.numpy(), t.numpy(), rtol=1e-9, atol=1e-10)
    a = random.standard_normal((60, 200))
    ours = weighted(lambda x: lamina.pdist(x, p), lamina.tensor, lamina.tensor(a, requires_grad=True))
    theirs = weighted(lambda x: torch.pdist(x, p), torch.tensor, torch.tensor(a, requires_grad=True))
    for o, t in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(o.numpy(), t.numpy(), rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_parts_have_the_bits_of_the_whole(dtype):
    """The gradient in parts is the one through all differences at once, whose history is that of operations."""
    kind = getattr(lamina, dtype)
    for p in (1.0, 2.0, 3.0):
        for first, second in SHAPES:
            a, b = (lamina.randn(*s).to(kind).requires_grad_() for s in (first, second))
            y = lamina.cdist(a, b, p)
            whole = lamina.norm(a.unsqueeze(-2) - b.unsqueeze(-3), p, -1)
            g = lamina.randn(*y.shape).to(kind)
            assert lamina.equal(y, whole)
            for part, all_at_once in zip(
                lamina.autograd.grad(y, (a, b), g), lamina.autograd.grad(whole, (a, b), g), strict=True
            ):
                assert lamina.equal(part, all_at_once)


@pytest.mark.parametrize("p", [1.0, 2.0, 3.0, float("inf")])
def test_second_gradients(p):
    a, b = (lamina.randn(*s, dtype=lamina.float64, requires_grad=True) for s in ((2, 3, 4), (5, 4)))
    assert lamina.autograd.gradcheck(lambda x, y: lamina.cdist(x, y, p), (a, b))
    assert lamina.autograd.gradgradcheck(lambda x, y: lamina.cdist(x, y, p), (a, b))
    assert lamina.autograd.gradgradcheck(lambda x: lamina.cdist(x, x + 1, p), (b,))
    assert lamina.autograd.gradcheck(lambda x: lamina.pdist(x, p), (b,))
    assert lamina.autograd.gradgradcheck(lambda x: lamina.pdist(x, p), (b,))


@pytest.mark.parametrize("p", ORDERS)
def test_nothing_to_measure(p):
    for shape in ((0, 3), (1, 3), (4, 0)):
        x = lamina.ones(shape, requires_grad=True)
        y = lamina.pdist(x, p)
        assert y.tolist() == [0.0] * (shape[0] * (shape[0] - 1) // 2)
        y.sum().backward()
        assert x.grad.shape == shape and x.grad.sum().item() == 0
    for first, second in (((0, 3), (4, 3)), ((4, 3), (0, 3)), ((4, 0), (5, 0)), ((0, 2, 3), (4, 3))):
        a, b = lamina.ones(first, requires_grad=True), lamina.ones(second, requires_grad=True)
        lamina.cdist(a, b, p).sum().backward()
        assert a.grad.shape == first and b.grad.shape == second
