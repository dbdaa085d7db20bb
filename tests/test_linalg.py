"""lamina.linalg against PyTorch, NumPy and its own gradient checks: values, batches, dtypes, empties, errors."""

from __future__ import annotations

import lamina
import numpy as np
import pytest
from conftest import needs_torch, torch
from lamina.autograd import gradcheck, gradgradcheck

RNG = np.random.default_rng(7)


def normal(*shape):
    return RNG.standard_normal(shape)


def well(*shape):
    """Square matrices far from singular."""
    return normal(*shape) + 3 * np.eye(shape[-1])


def symmetric(*shape):
    a = normal(*shape)
    return a + np.swapaxes(a, -2, -1) + np.diag(np.arange(shape[-1]) * 4.0)


def positive(*shape):
    a = normal(*shape)
    return a @ np.swapaxes(a, -2, -1) + np.eye(shape[-1])


def leaf(a):
    return lamina.tensor(a, requires_grad=True)


L = lamina.linalg
# name: (lamina's function, PyTorch's, arguments). Functions of singular vectors are made blind to their signs.
CASES = {
    "inv": (L.inv, "linalg.inv", [(well(3, 3),), (well(2, 4, 4),), (np.zeros((0, 3, 3)),), (np.zeros((2, 0, 0)),)]),
    "solve": (
        L.solve,
        "linalg.solve",
        [(well(3, 3), normal(3, 2)), (well(3, 3), normal(3)), (well(2, 3, 3), normal(2, 3)), (well(3, 3), normal(2, 3, 4)),
         (well(2, 1, 3, 3), normal(5, 3, 1)), (np.zeros((0, 0)), np.zeros((0, 2)))],
    ),
    "solve_right": (lambda a, b: L.solve(a, b, left=False), lambda a, b: torch.linalg.solve(a, b, left=False), [(well(3, 3), normal(2, 3))]),
    "det": (L.det, "linalg.det", [(well(3, 3),), (normal(2, 3, 4, 4),), (np.zeros((0, 0)),), (np.zeros((2, 0, 0)),)]),
    "slogdet": (lambda a: L.slogdet(a).logabsdet, lambda a: torch.linalg.slogdet(a).logabsdet, [(well(3, 3),), (normal(2, 3, 3),)]),
    "logdet": (lamina.logdet, "logdet", [(positive(3, 3),), (positive(2, 3, 3),)]),
    "cholesky": (L.cholesky, "linalg.cholesky", [(positive(3, 3),), (positive(2, 4, 4),), (np.zeros((0, 0)),)]),
    "cholesky_upper": (lambda a: L.cholesky(a, upper=True), lambda a: torch.linalg.cholesky(a, upper=True), [(positive(2, 3, 3),)]),
    "qr_q": (lambda a: L.qr(a).Q, lambda a: torch.linalg.qr(a).Q, [(normal(4, 3),), (normal(2, 3, 3),), (normal(3, 5),), (np.zeros((0, 3)),)]),
    "qr_r": (lambda a: L.qr(a).R, lambda a: torch.linalg.qr(a).R, [(normal(4, 3),), (normal(2, 3, 3),), (normal(3, 5),)]),
    "qr_complete": (lambda a: L.qr(a, "complete").Q, lambda a: torch.linalg.qr(a, "complete").Q, [(normal(3, 3),), (normal(2, 4),)]),
    "svdvals": (L.svdvals, "linalg.svdvals", [(normal(4, 3),), (normal(2, 3, 5),), (np.zeros((0, 3)),)]),
    "svd_u": (lambda a: L.svd(a, False).U.abs(), lambda a: torch.linalg.svd(a, False).U.abs(), [(normal(4, 3),), (normal(2, 3, 3),), (normal(3, 5),)]),
    "svd_vh": (lambda a: L.svd(a, False).Vh.abs(), lambda a: torch.linalg.svd(a, False).Vh.abs(), [(normal(4, 3),), (normal(2, 3, 3),), (normal(3, 5),)]),
    "svd_product": (
        lambda a: (lambda u, s, v: (u[..., :2] * s[..., None, :2] ** 2) @ v[..., :2, :])(*L.svd(a, False)),
        lambda a: (lambda u, s, v: (u[..., :2] * s[..., None, :2] ** 2) @ v[..., :2, :])(*torch.linalg.svd(a, False)),
        [(normal(4, 3),), (normal(2, 3, 5),)],
    ),
    "eigvalsh": (L.eigvalsh, "linalg.eigvalsh", [(symmetric(3, 3),), (symmetric(2, 4, 4),), (np.zeros((0, 0)),)]),
    "eigh_v": (lambda a: L.eigh(a).eigenvectors.abs(), lambda a: torch.linalg.eigh(a).eigenvectors.abs(), [(symmetric(3, 3),), (symmetric(2, 4, 4),)]),
    "pinv": (L.pinv, "linalg.pinv", [(normal(4, 3),), (normal(2, 3, 5),), (normal(3, 1) @ normal(1, 4),), (np.zeros((0, 3)),), (np.zeros((2, 3, 0)),)]),
    "lstsq": (
        lambda a, b: L.lstsq(a, b).solution,
        lambda a, b: torch.linalg.lstsq(a, b).solution,
        [(normal(5, 3), normal(5, 2)), (normal(2, 5, 3), normal(2, 5)), (normal(3, 5), normal(3, 2))],
    ),
    "solve_triangular": (
        lambda a, b: L.solve_triangular(a, b, upper=True),
        lambda a, b: torch.linalg.solve_triangular(a, b, upper=True),
        [(well(3, 3), normal(3, 2)), (well(2, 4, 4), normal(4, 2))],
    ),
    "solve_triangular_lower_unit": (
        lambda a, b: L.solve_triangular(a, b, upper=False, left=False, unitriangular=True),
        lambda a, b: torch.linalg.solve_triangular(a, b, upper=False, left=False, unitriangular=True),
        [(normal(3, 3), normal(2, 3))],
    ),
    "matrix_power": (lambda a: L.matrix_power(a, 5), lambda a: torch.linalg.matrix_power(a, 5), [(normal(3, 3),), (normal(2, 3, 3),)]),
    "matrix_power_negative": (lambda a: lamina.matrix_power(a, -3), lambda a: torch.matrix_power(a, -3), [(well(3, 3),)]),
    "matrix_power_0": (lambda a: a * a.matrix_power(0), lambda a: a * torch.matrix_power(a, 0), [(normal(2, 3, 3),)]),
    "matrix_exp": (L.matrix_exp, "linalg.matrix_exp", [(normal(3, 3),), (np.stack([normal(4, 4) * s for s in (0.01, 1, 8)]),), (np.zeros((0, 0)),)]),
    "cond": (L.cond, "linalg.cond", [(well(3, 3),)]),
    "tensorinv": (lambda a: L.tensorinv(a, ind=1), lambda a: torch.linalg.tensorinv(a, ind=1), [(normal(6, 2, 3),)]),
    "tensorsolve": (L.tensorsolve, "linalg.tensorsolve", [(normal(2, 3, 6), normal(2, 3))]),
    "cholesky_solve": (lamina.cholesky_solve, "cholesky_solve", [(normal(3, 2), np.linalg.cholesky(positive(3, 3)))]),
    "cholesky_inverse": (lamina.cholesky_inverse, "cholesky_inverse", [(np.linalg.cholesky(positive(3, 3)),)]),
    "pinverse": (lamina.pinverse, "pinverse", [(normal(4, 3),)]),
    "svd_v": (lambda a: lamina.svd(a).V.abs(), lambda a: torch.svd(a).V.abs(), [(normal(4, 3),)]),
}  # fmt: skip
for order in ("fro", "nuc", 1, -1, 2, -2, float("inf"), float("-inf")):
    CASES[f"matrix_norm_{order}"] = (
        lambda a, o=order: L.matrix_norm(a, o),
        lambda a, o=order: torch.linalg.matrix_norm(a, o),
        [(normal(3, 4),), (normal(2, 4, 3),)],
    )
    CASES[f"norm_{order}"] = (
        lambda a, o=order: L.norm(a, o, dim=(0, 2), keepdim=True),
        lambda a, o=order: torch.linalg.norm(a, o, dim=(0, 2), keepdim=True),
        [(normal(3, 2, 4),)],
    )
EVERY = [(name, i) for name, (_, _, samples) in CASES.items() for i in range(len(samples))]


def theirs_of(name):
    function = CASES[name][1]
    if isinstance(function, str):
        home = torch
        for part in function.split("."):
            home = getattr(home, part)
        return home
    return function


@needs_torch
@pytest.mark.parametrize(("name", "i"), EVERY)
def test_value_and_gradient_against_torch(name, i):
    arrays = CASES[name][2][i]
    ours = [leaf(a) for a in arrays]
    theirs = [torch.tensor(a, requires_grad=True) for a in arrays]
    got, expected = CASES[name][0](*ours), theirs_of(name)(*theirs)
    assert got.shape == tuple(expected.shape)
    assert got.dtype == lamina.float64
    np.testing.assert_allclose(got.detach().numpy(), expected.detach().numpy(), rtol=1e-9, atol=1e-9)
    weight = np.cos(np.arange(got.numel())).reshape(got.shape)
    got.backward(lamina.tensor(weight))
    expected.backward(torch.tensor(weight))
    for o, t in zip(ours, theirs, strict=True):
        wanted = t.grad.numpy()
        if name in ("cholesky_solve", "cholesky_inverse") and wanted.shape == (3, 3):
            wanted = np.tril(wanted)  # PyTorch's gradient also covers the triangle that is not read
        np.testing.assert_allclose(o.grad.numpy(), wanted, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("name", CASES)
def test_gradcheck(name):
    function, _, samples = CASES[name]
    reads_triangle = name.startswith(("eig", "cholesky"))
    if reads_triangle and name not in ("cholesky_solve", "cholesky_inverse"):
        plain = function
        function = lambda a: plain((a + a.transpose(-2, -1)) * 0.5)
    for arrays in samples:
        if not any(a.size for a in arrays) or max(a.size for a in arrays) > 32:
            continue
        if name == "pinv" and min(arrays[0].shape[-2:]) > np.linalg.matrix_rank(arrays[0]).min():
            continue  # the rank changes within the step
        assert gradcheck(function, [leaf(a) for a in arrays], atol=1e-4)
        if max(a.size for a in arrays) <= 16:
            assert gradgradcheck(function, [leaf(a) for a in arrays], atol=1e-4)


@needs_torch
@pytest.mark.parametrize("name", CASES)
def test_float32(name):
    function, _, samples = CASES[name]
    for arrays in samples:
        got = function(*(lamina.tensor(a, dtype=lamina.float32) for a in arrays))
        expected = theirs_of(name)(*(torch.tensor(a, dtype=torch.float64) for a in arrays)).numpy()
        assert got.dtype == lamina.float32
        if name in ("pinv",) and expected.size and min(arrays[0].shape[-2:]) > np.linalg.matrix_rank(arrays[0]).min():
            continue
        np.testing.assert_allclose(got.numpy(), expected, rtol=2e-3, atol=2e-3)


def test_structure_of_results():
    a = normal(4, 3)
    q, r = L.qr(lamina.tensor(a))
    np.testing.assert_allclose((q @ r).numpy(), a, atol=1e-12)
    np.testing.assert_allclose((q.t() @ q).numpy(), np.eye(3), atol=1e-12)
    assert L.qr(lamina.tensor(a), mode="complete").Q.shape == (4, 4)
    assert L.qr(lamina.tensor(a), mode="r").Q.numel() == 0
    u, s, vh = L.svd(lamina.tensor(a))
    assert (u.shape, s.shape, vh.shape) == ((4, 4), (3,), (3, 3))
    np.testing.assert_allclose((u[:, :3] * s @ vh).numpy(), a, atol=1e-12)
    found = lamina.svd(lamina.tensor(a))
    np.testing.assert_allclose((found.U * found.S @ found.V.t()).numpy(), a, atol=1e-12)
    low = lamina.tensor(positive(3, 3)).cholesky()
    assert bool((low.triu(1) == 0).all())
    sign, log = lamina.tensor(-np.eye(3)).slogdet()
    assert (float(sign), float(log)) == (-1.0, 0.0)
    assert bool(lamina.tensor(-np.eye(3)).logdet().isnan())
    assert float(lamina.tensor(np.zeros((2, 2))).logdet()) == float("-inf")
    assert lamina.tensor(well(3, 3)).inverse().shape == (3, 3)


@needs_torch
def test_rank_and_least_squares_facts():
    a = normal(5, 2) @ normal(2, 4)
    batch = np.stack([a, normal(5, 4), np.zeros((5, 4))])
    for args in ({}, {"atol": 1e-3}, {"rtol": 0.5}, {"atol": 10.0, "rtol": 1e-8}):
        got = L.matrix_rank(lamina.tensor(batch), **args)
        assert got.tolist() == torch.linalg.matrix_rank(torch.tensor(batch), **args).tolist(), args
    assert L.matrix_rank(lamina.tensor(batch), atol=lamina.tensor([1e-3, 1e3, 0.0])).tolist() == [2, 0, 0]
    s = symmetric(4, 4)
    assert int(L.matrix_rank(lamina.tensor(s), hermitian=True)) == 4
    assert L.matrix_rank(lamina.tensor(s)).dtype == lamina.int64
    np.testing.assert_allclose(L.pinv(lamina.tensor(s), hermitian=True).numpy(), np.linalg.pinv(s), atol=1e-10)
    np.testing.assert_allclose(
        L.pinv(lamina.tensor(batch), atol=1e-3).numpy(),
        torch.linalg.pinv(torch.tensor(batch), atol=1e-3).numpy(),
        atol=1e-10,
    )
    x, y = normal(5, 3), normal(5, 2)
    for driver in (None, "gelsy", "gelsd", "gelss", "gels"):
        got = L.lstsq(lamina.tensor(x), lamina.tensor(y), driver=driver)
        expected = torch.linalg.lstsq(torch.tensor(x), torch.tensor(y), driver=driver)
        for g, e in zip(got, expected, strict=True):
            if not (driver == "gels" and g is got.residuals):
                assert g.shape == tuple(e.shape), driver
                np.testing.assert_allclose(g.numpy(), e.numpy(), atol=1e-10)


def test_gradient_of_det_at_singular_matrices():
    """The cofactors: rank n - 1, less, and regular neighbours in one batch."""
    a = normal(3, 2) @ normal(2, 3)
    exact = np.array([[1.0, 2, 3], [2, 4, 6], [1, 1, 1]])
    batch = np.stack([well(3, 3), exact, np.zeros((3, 3))])
    x = leaf(batch)
    L.det(x).sum().backward()

    def cofactors(m):
        return np.array(
            [[(-1) ** (i + j) * np.linalg.det(np.delete(np.delete(m, i, 0), j, 1)) for j in range(3)] for i in range(3)]
        )

    np.testing.assert_allclose(x.grad.numpy(), np.stack([cofactors(m) for m in batch]), atol=1e-10)
    assert gradcheck(L.det, leaf(a))
    assert gradcheck(L.det, leaf(exact))


def test_repeated_values_have_gradients_where_they_exist():
    x = leaf(np.eye(3))
    L.eigvalsh(x).sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), np.eye(3), atol=1e-12)
    x.grad = None
    L.svdvals(x).sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), np.eye(3), atol=1e-12)


def test_matrix_exp_of_one_item_ignores_the_others():
    small, large = normal(3, 3) * 0.1, normal(3, 3) * 20
    alone = L.matrix_exp(lamina.tensor(small, dtype=lamina.float32))
    together = L.matrix_exp(lamina.tensor(np.stack([large, small]), dtype=lamina.float32))[1]
    assert alone.numpy().tobytes() == together.numpy().tobytes()


def test_errors():
    singular = lamina.tensor(np.stack([np.eye(2), np.ones((2, 2)) * 0]))
    for call in (
        lambda: L.inv(singular),
        lambda: L.solve(singular, lamina.ones(2, 2, 1, dtype=lamina.float64)),
        lambda: L.cholesky(singular),
    ):
        with pytest.raises(L.LinAlgError, match=r"Batch element 1.*A \(2, 2, 2\) float64 cpu"):
            call()
    assert issubclass(L.LinAlgError, RuntimeError) and issubclass(L.LinAlgError, lamina.Error)
    with pytest.raises(L.LinAlgError, match="singular"):
        L.solve_triangular(lamina.zeros(2, 2), lamina.ones(2, 1), upper=True)
    for call in (L.svd, L.eigvalsh, L.pinv):
        with pytest.raises(L.LinAlgError, match=r"finite|converge"):
            call(lamina.full((2, 2), float("nan")))
    for call in (L.inv, L.det, L.cholesky, L.eigh, L.slogdet, lambda a: L.matrix_power(a, 2), L.matrix_exp):
        with pytest.raises(lamina.ShapeError, match=r"square.*A \(2, 3\)"):
            call(lamina.ones(2, 3))
        with pytest.raises(lamina.ShapeError):
            call(lamina.ones(3))
    with pytest.raises(lamina.ShapeError, match="do not fit"):
        L.solve(lamina.eye(3), lamina.ones(2, 2))
    with pytest.raises(lamina.ShapeError, match="broadcast"):
        L.solve(lamina.ones(2, 3, 3), lamina.ones(4, 3, 2))
    with pytest.raises(lamina.DtypeError, match=r"float32 or float64.*\.float\(\)"):
        L.inv(lamina.eye(2).half())
    with pytest.raises(lamina.DtypeError):
        L.det(lamina.eye(2, dtype=lamina.int64))
    with pytest.raises(lamina.DtypeError, match="same dtype"):
        L.solve(lamina.eye(2), lamina.ones(2, 1, dtype=lamina.float64))
    with pytest.raises(TypeError):
        L.inv([[1.0]])
    with pytest.raises(ValueError, match="mode"):
        L.qr(lamina.eye(2), mode="full")
    with pytest.raises(ValueError, match="UPLO"):
        L.eigh(lamina.eye(2), UPLO="x")
    with pytest.raises(ValueError, match="ord"):
        L.matrix_norm(lamina.eye(2), 3)
    with pytest.raises(lamina.ShapeError, match="ord without dim"):
        L.norm(lamina.ones(2, 2, 2), 2)
    x = leaf(normal(4, 3))
    with pytest.raises(lamina.GradError, match="complete"):
        L.qr(x, mode="complete").Q.sum().backward()


def test_expanded_and_transposed_operands():
    a = lamina.tensor(well(3, 3))
    wide = a.expand(2, 3, 3)
    np.testing.assert_allclose(L.inv(wide).numpy()[1], np.linalg.inv(a.numpy()), atol=1e-12)
    np.testing.assert_allclose(L.det(a.t()).numpy(), np.linalg.det(a.numpy()), atol=1e-12)
    x = leaf(well(3, 3))
    L.solve(x, lamina.tensor(normal(4, 3, 2))).sum().backward()
    assert x.grad.shape == (3, 3)
