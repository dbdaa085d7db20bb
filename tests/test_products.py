"""Products written with matmul: forms that the registry's samples do not reach, in-place forms, errors."""

from __future__ import annotations

import lamina
import numpy as np
import pytest
from conftest import needs_torch, torch

RNG = np.random.default_rng(11)


def normal(*shape):
    return RNG.standard_normal(shape)


def random_equation(rng):
    """A random equation with its shapes: shared, repeated, summed and kept letters, sizes of 1, an ellipsis."""
    letters = list("abcdeF")
    size = {c: int(rng.integers(1, 4)) for c in letters}
    terms, shapes = [], []
    dots = rng.random() < 0.4
    batch = [int(rng.integers(1, 3)) for _ in range(2)]
    for _ in range(int(rng.integers(1, 5))):
        term = [letters[i] for i in rng.integers(0, len(letters), int(rng.integers(0, 4)))]
        broken = {c: 1 if rng.random() < 0.15 else size[c] for c in term}
        shape = [broken[c] for c in term]
        text = "".join(term)
        if dots and rng.random() < 0.7:
            at, n = int(rng.integers(0, len(term) + 1)), int(rng.integers(0, 3))
            text = text[:at] + "..." + text[at:]
            shape = shape[:at] + [1 if rng.random() < 0.2 else s for s in batch[2 - n :]] + shape[at:]
        terms.append(text)
        shapes.append(shape)
    equation = ",".join(terms)
    used = sorted({c for t in terms for c in t if c != "."})
    if rng.random() < 0.7:
        keep = [c for c in used if rng.random() < 0.5]
        rng.shuffle(keep)
        out = "".join(keep)
        if "..." in equation:
            at = int(rng.integers(0, len(out) + 1))
            out = out[:at] + "..." + out[at:]
        equation += "->" + out
    return equation, shapes


@needs_torch
def test_einsum_of_random_equations():
    rng = np.random.default_rng(3)
    done = 0
    for _ in range(600):
        equation, shapes = random_equation(rng)
        arrays = [rng.standard_normal(s) for s in shapes]
        theirs = [torch.tensor(a, requires_grad=True) for a in arrays]
        ours = [lamina.tensor(a, requires_grad=True) for a in arrays]
        try:
            expected = torch.einsum(equation, *theirs)
        except RuntimeError:
            with pytest.raises((lamina.Error, ValueError)):
                lamina.einsum(equation, *ours)
            continue
        got = lamina.einsum(equation, *ours)
        assert got.shape == tuple(expected.shape), equation
        np.testing.assert_allclose(
            got.detach().numpy(), expected.detach().numpy(), rtol=1e-11, atol=1e-11, err_msg=equation
        )
        if expected.requires_grad:
            weight = np.cos(np.arange(got.numel())).reshape(got.shape)
            got.backward(lamina.tensor(weight))
            expected.backward(torch.tensor(weight))
            for o, t in zip(ours, theirs, strict=True):
                np.testing.assert_allclose(o.grad.numpy(), t.grad.numpy(), rtol=1e-10, atol=1e-10, err_msg=equation)
        done += 1
    assert done > 300


def test_einsum_takes_a_list_and_integers():
    a, b = lamina.arange(6).reshape(2, 3), lamina.arange(12).reshape(3, 4)
    got = lamina.einsum("ij,jk->ik", [a, b])
    assert got.dtype == lamina.int64
    np.testing.assert_array_equal(got.numpy(), a.numpy() @ b.numpy())
    assert lamina.einsum("ij->i", a).tolist() == [3, 12]


def test_einsum_is_matmul_in_its_bits():
    a, b = lamina.randn(17, 300), lamina.randn(300, 9)
    assert lamina.einsum("ij,jk->ik", a, b).numpy().tobytes() == (a @ b).numpy().tobytes()


@pytest.mark.parametrize(
    ("equation", "shapes", "error"),
    [
        ("ij,jk->ik", [(2, 3)], ValueError),
        ("ij->ik", [(2, 3)], ValueError),
        ("ij->ii", [(2, 3)], ValueError),
        ("i1->i", [(2, 3)], ValueError),
        ("i->", [(2, 3)], lamina.ShapeError),
        ("ijk->", [(2, 3)], lamina.ShapeError),
        ("ii->", [(2, 3)], lamina.ShapeError),
        ("ij,jk->ik", [(2, 3), (4, 5)], lamina.ShapeError),
        ("...i...->i", [(2, 3)], ValueError),
        ("ij", [()], lamina.ShapeError),
    ],
)
def test_einsum_errors(equation, shapes, error):
    with pytest.raises(error, match="einsum"):
        lamina.einsum(equation, *(lamina.ones(s) for s in shapes))


def test_einsum_refuses_mixed_dtypes():
    with pytest.raises(lamina.DtypeError, match=r"operands\[1\]"):
        lamina.einsum("i,i->i", lamina.ones(2), lamina.ones(2, dtype=lamina.float64))


INPLACE = {
    "addmm_": [(3, 5), (3, 4), (4, 5)],
    "baddbmm_": [(2, 3, 5), (2, 3, 4), (2, 4, 5)],
    "addmv_": [(3,), (3, 4), (4,)],
    "addr_": [(3, 4), (3,), (4,)],
    "addbmm_": [(3, 5), (2, 3, 4), (2, 4, 5)],
}


@needs_torch
@pytest.mark.parametrize("name", INPLACE)
@pytest.mark.parametrize("scale", [{}, {"beta": 0.5, "alpha": 2}, {"beta": 0}])
def test_inplace_forms(name, scale):
    arrays = [normal(*s) for s in INPLACE[name]]
    ours = [lamina.tensor(a, requires_grad=True) for a in arrays]
    theirs = [torch.tensor(a, requires_grad=True) for a in arrays]
    x, t = ours[0] * 2, theirs[0] * 2
    assert getattr(x, name)(*ours[1:], **scale) is x
    getattr(t, name)(*theirs[1:], **scale)
    np.testing.assert_allclose(x.detach().numpy(), t.detach().numpy(), rtol=1e-12, atol=1e-12)
    x.sin().sum().backward()
    t.sin().sum().backward()
    for o, e in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(o.grad.numpy(), e.grad.numpy(), rtol=1e-10, atol=1e-10)
    with pytest.raises(lamina.ShapeError, match=name):
        getattr(lamina.ones(1), name)(*(lamina.ones(*s) for s in INPLACE[name][1:]))
    with pytest.raises(lamina.GradError):
        getattr(ours[0], name)(*ours[1:])


def test_beta_zero_ignores_what_input_holds():
    nan = lamina.full((3,), float("nan"))
    assert lamina.addmv(nan, lamina.ones(3, 2), lamina.ones(2), beta=0).tolist() == [2.0, 2.0, 2.0]


def test_cdist_is_accurate_for_close_points():
    """Through a matrix product the distance of near points would be lost."""
    a = (normal(40, 3) * 1e-4 + 1000).astype(np.float32)
    got = lamina.cdist(lamina.tensor(a), lamina.tensor(a)).numpy()
    exact = np.sqrt(((a[:, None].astype(np.float64) - a[None]) ** 2).sum(-1))
    np.testing.assert_allclose(got, exact, rtol=1e-6)
    assert (np.diag(got) == 0).all()


def test_cdist_in_pieces_has_the_same_bits():
    a, b = lamina.randn(700, 8), lamina.randn(900, 8)
    whole = lamina.cdist(a, b)
    assert whole[650:].numpy().tobytes() == lamina.cdist(a[650:], b).numpy().tobytes()
    x = a.clone().requires_grad_()
    assert lamina.cdist(x, b).detach().numpy().tobytes() == whole.numpy().tobytes()


def test_gradient_of_cdist_at_equal_points_is_zero():
    x = lamina.ones(2, 3, dtype=lamina.float64, requires_grad=True)
    for p in (1.0, 2.0, 3.0, float("inf")):
        lamina.cdist(x, x.detach(), p).sum().backward()
    assert x.grad.abs().sum().item() == 0


def test_separate_tensors_and_lists():
    a, b = lamina.ones(2, 2), lamina.ones(1, 3)
    assert lamina.block_diag(a, b).shape == lamina.block_diag([a, b]).shape == (3, 5)
    assert lamina.block_diag([]).shape == (1, 0)
    assert lamina.cartesian_prod(lamina.arange(2), lamina.arange(3)).tolist() == [
        [0, 0],
        [0, 1],
        [0, 2],
        [1, 0],
        [1, 1],
        [1, 2],
    ]
    assert lamina.combinations(lamina.arange(3)).dtype == lamina.int64
    assert lamina.ger(lamina.ones(2), lamina.ones(3)).shape == lamina.ones(2).ger(lamina.ones(3)).shape == (2, 3)


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda: lamina.outer(lamina.ones(2, 2), lamina.ones(2)), lamina.ShapeError),
        (lambda: lamina.inner(lamina.ones(2), lamina.ones(3)), lamina.ShapeError),
        (lambda: lamina.tensordot(lamina.ones(2, 3), lamina.ones(4, 3)), lamina.ShapeError),
        (lambda: lamina.tensordot(lamina.ones(2), lamina.ones(2), 2), lamina.ShapeError),
        (lambda: lamina.tensordot(lamina.ones(2, 2), lamina.ones(2, 2), ([0, 0], [0, 1])), ValueError),
        (lambda: lamina.cross(lamina.ones(2), lamina.ones(2)), lamina.ShapeError),
        (lambda: lamina.trace(lamina.ones(3)), lamina.ShapeError),
        (lambda: lamina.cdist(lamina.ones(2, 3), lamina.ones(2, 4)), lamina.ShapeError),
        (lambda: lamina.cdist(lamina.ones(2, 3), lamina.ones(2, 3), p=-1), ValueError),
        (lambda: lamina.cdist(lamina.ones(2, 3), lamina.ones(2, 3), compute_mode="fast"), ValueError),
        (lambda: lamina.chain_matmul(lamina.ones(2, 3), lamina.ones(2, 3)), lamina.ShapeError),
        (lambda: lamina.chain_matmul([]), ValueError),
        (lambda: lamina.linalg.multi_dot([lamina.ones(2, 3)]), ValueError),
        (lambda: lamina.linalg.vector_norm(lamina.arange(3)), lamina.DtypeError),
        (lambda: lamina.block_diag(lamina.ones(1, 1, 1)), lamina.ShapeError),
        (lambda: lamina.cartesian_prod(lamina.ones(1, 1)), lamina.ShapeError),
        (lambda: lamina.combinations(lamina.ones(2), -1), ValueError),
        (lambda: lamina.combinations(lamina.ones(300), 100), ValueError),
        (
            lambda: lamina.nn.functional.bilinear(lamina.ones(2, 3), lamina.ones(3, 4), lamina.ones(5, 3, 4)),
            lamina.ShapeError,
        ),
    ],
)
def test_errors(call, error):
    with pytest.raises(error):
        call()
