"""LU decompositions, and decompositions that report what failed: lamina.linalg's lu*, *_ex."""

from __future__ import annotations

import lamina
import numpy as np
import pytest
from conftest import needs_torch
from lamina import linalg


def draw(*shape):
    return np.random.default_rng(sum(shape)).standard_normal(shape)


@needs_torch
@pytest.mark.parametrize("shape", [(4, 4), (2, 3, 3), (5, 3), (3, 5), (2, 4, 2), (1, 1), (0, 3, 3), (0, 0), (2, 0, 3)])
def test_lu(shape):
    import torch

    a = draw(*shape)
    x, t = lamina.tensor(a, requires_grad=True), torch.tensor(a, requires_grad=True)
    ours, theirs = linalg.lu(x), torch.linalg.lu(t)
    for o, e in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(o.detach().numpy(), e.detach().numpy(), atol=1e-10)
    np.testing.assert_allclose((ours.P @ ours.L @ ours.U).detach().numpy(), a, atol=1e-12)
    if x.numel():
        (ours.L.sin().sum() + ours.U.cos().sum()).backward()
        (theirs.L.sin().sum() + theirs.U.cos().sum()).backward()
        np.testing.assert_allclose(x.grad.numpy(), t.grad.numpy(), atol=1e-8)
    factors, expected = linalg.lu_factor(x.detach()), torch.linalg.lu_factor(t.detach())
    np.testing.assert_allclose(factors.LU.numpy(), expected.LU.numpy(), atol=1e-10)
    assert factors.pivots.dtype == lamina.int32 and factors.pivots.tolist() == expected.pivots.tolist()
    p, low, up = lamina.lu_unpack(*factors)
    np.testing.assert_allclose((p @ low @ up).numpy(), a, atol=1e-12)


@needs_torch
@pytest.mark.parametrize("left", [True, False])
@pytest.mark.parametrize("adjoint", [True, False])
def test_lu_solve(left, adjoint):
    import torch

    a, b = draw(2, 4, 4), draw(2, 4, 4)
    x, t = lamina.tensor(a, requires_grad=True), torch.tensor(a, requires_grad=True)
    y, s = lamina.tensor(b, requires_grad=True), torch.tensor(b, requires_grad=True)
    ours = linalg.lu_solve(*linalg.lu_factor(x), y, left=left, adjoint=adjoint)
    theirs = torch.linalg.lu_solve(*torch.linalg.lu_factor(t), s, left=left, adjoint=adjoint)
    np.testing.assert_allclose(ours.detach().numpy(), theirs.detach().numpy(), atol=1e-9)
    ours.sin().sum().backward()
    theirs.sin().sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), t.grad.numpy(), atol=1e-7)
    np.testing.assert_allclose(y.grad.numpy(), s.grad.numpy(), atol=1e-8)
    older = lamina.lu_solve(y.detach(), *linalg.lu_factor(x.detach()))
    np.testing.assert_allclose(older.numpy(), np.linalg.solve(a, b), atol=1e-9)


def test_lu_gradients_twice():
    x = lamina.tensor(draw(3, 3), requires_grad=True)
    assert lamina.autograd.gradcheck(lambda a: linalg.lu_factor(a).LU, x)
    assert lamina.autograd.gradgradcheck(lambda a: linalg.lu_factor(a).LU, x)


def test_singular_matrices():
    zero, fine = lamina.zeros(2, 2), lamina.tensor([[2.0, 1.0], [1.0, 3.0]])
    both = lamina.stack([fine, zero])
    with pytest.raises(linalg.LinAlgError, match=r"U\[1,1\] is zero"):
        linalg.lu_factor(zero)
    assert linalg.lu_factor_ex(both).info.tolist() == [0, 1]
    assert linalg.lu_factor_ex(lamina.tensor([[1.0, 2.0], [2.0, 4.0]])).info.item() == 2
    with pytest.raises(linalg.LinAlgError):
        linalg.lu_factor_ex(both, check_errors=True)
    inverse, info = linalg.inv_ex(both)
    assert info.tolist() == [0, 1] and info.dtype == lamina.int32
    assert inverse[1].isnan().all() and lamina.equal(inverse[0], linalg.inv(fine))
    result, info = linalg.solve_ex(both, lamina.ones(2, 2))
    assert info.tolist() == [0, 1] and result[1].isnan().all()
    assert lamina.equal(result[0], linalg.solve(fine, lamina.ones(2)))
    assert linalg.solve_ex(zero, lamina.ones(2, 3), left=True).result.shape == (2, 3)
    for call in (linalg.inv_ex, linalg.cholesky_ex):
        with pytest.raises(linalg.LinAlgError):
            call(both, check_errors=True)
    with pytest.raises(linalg.LinAlgError):
        linalg.solve_ex(zero, lamina.ones(2), check_errors=True)


def test_cholesky_ex():
    fine = lamina.tensor([[2.0, 1.0], [1.0, 3.0]])
    bad = lamina.tensor([[1.0, 2.0], [2.0, 1.0]])
    for upper in (False, True):
        factor, info = linalg.cholesky_ex(lamina.stack([fine, bad, -fine]), upper=upper)
        assert info.tolist() == [0, 2, 1] and factor[1:].isnan().all()
        assert lamina.equal(factor[0], linalg.cholesky(fine, upper=upper))
    assert linalg.cholesky_ex(fine).info.tolist() == 0
    x = fine.double().requires_grad_()
    assert lamina.autograd.gradcheck(lambda a: linalg.cholesky_ex(a + a.mT).L, x)
    # the loop of Gaussian processes: more on the diagonal until it works
    jitter = 0.0
    bad = lamina.tensor([[1.0, 1.75], [1.75, 1.0]])
    while linalg.cholesky_ex(bad + jitter * lamina.eye(2)).info.any():
        jitter += 0.5
    assert jitter == 1.0


def test_gradients_of_batches_that_fail_in_part():
    x = lamina.stack([lamina.eye(2), lamina.zeros(2, 2)]).requires_grad_()
    linalg.inv_ex(x).inverse[0].sum().backward()
    assert x.grad[0].tolist() == [[-1, -1], [-1, -1]] and not x.grad[1].any()


def test_refusals():
    with pytest.raises(AttributeError, match="complex"):
        linalg.eig  # noqa: B018
    assert not hasattr(linalg, "eigvals")
    factors = linalg.lu_factor(lamina.eye(2))
    with pytest.raises(lamina.ShapeError):
        linalg.lu_solve(*factors, lamina.ones(3, 1))
    with pytest.raises(ValueError, match="pivots"):
        linalg.lu_solve(factors.LU, lamina.tensor([1, 5]), lamina.ones(2, 1))
    with pytest.raises(lamina.DtypeError):
        lamina.lu_unpack(factors.LU, lamina.ones(2))
    for call in (linalg.lu, linalg.inv_ex, linalg.cholesky_ex, linalg.lu_factor):
        with pytest.raises(lamina.DtypeError):
            call(lamina.eye(2, dtype=lamina.int64))
        with pytest.raises(lamina.ShapeError):
            call(lamina.ones(2))
