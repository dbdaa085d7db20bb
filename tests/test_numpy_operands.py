"""NumPy's scalars, arrays and functions beside tensors."""

from __future__ import annotations

import operator

import lamina
import numpy as np
import pytest
from conftest import needs_torch, torch
from lamina import nn

SCALARS = [np.float64(2), np.float32(2.5), np.float16(0.5), np.int64(3), np.int8(2), np.uint8(4), np.bool_(True)]
OPERATORS = ["add", "sub", "mul", "truediv", "pow", "floordiv", "mod", "eq", "ne", "lt", "le", "gt", "ge"]


@needs_torch
@pytest.mark.parametrize("name", OPERATORS)
@pytest.mark.parametrize("scalar", SCALARS, ids=lambda s: type(s).__name__)
@pytest.mark.parametrize("dtype", ["float32", "float64", "int64"])
def test_scalars_equal_torch(name, scalar, dtype):
    do, found = getattr(operator, name), []
    for module in (lamina, torch):
        x = module.tensor([1, 2, 3], dtype=getattr(module, dtype))
        results = []
        for call in (lambda x=x: do(scalar, x), lambda x=x: do(x, scalar)):
            try:
                results.append(call())
            except (RuntimeError, TypeError) as e:  # bools that subtract, integers to negative powers
                results.append(type(e).__name__ and None)
        found.append(results)
    for ours, theirs in zip(*found, strict=True):
        if theirs is not None:
            assert isinstance(ours, lamina.Tensor)
            if not (isinstance(scalar, np.bool_) and dtype == "int64"):  # PyTorch reads np.bool_ as a float there
                assert str(ours.dtype).split(".")[1] == str(theirs.dtype).split(".")[1]
            np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-6)


@pytest.mark.parametrize("name", ["add", "sub", "mul", "truediv", "pow"])
def test_gradients_pass_numpy_scalars(name):
    """np.sqrt(d) * x, np.float64(2) ** x ... as programs write them."""
    do = getattr(operator, name)
    for scalar in (np.sqrt(16.0), np.float32(2)):
        for swap in (False, True):
            grads = []
            for number in (scalar, float(scalar)):
                x = lamina.tensor([1.0, 2.0], requires_grad=True)
                (do(x, number) if swap else do(number, x)).sum().backward()
                grads.append(x.grad.tolist())
            assert grads[0] == grads[1]


@pytest.mark.parametrize("name", OPERATORS)
def test_arrays_give_tensors_from_either_side(name):
    do, array = getattr(operator, name), np.array([1.5, 2.0, 0.5])
    x = lamina.tensor([1.0, 2.0, 3.0], dtype=lamina.float64, requires_grad=True)
    with np.errstate(all="ignore"):
        for ours, expected in (
            (do(array, x), do(array, x.detach().numpy())),
            (do(x, array), do(x.detach().numpy(), array)),
        ):
            assert isinstance(ours, lamina.Tensor) and ours.requires_grad == (ours.dtype == lamina.float64)
            np.testing.assert_allclose(ours.detach().numpy(), expected, rtol=1e-14)
    assert isinstance(np.array(2.0) * x, lamina.Tensor) and (x * np.array(2.0)).tolist() == [2.0, 4.0, 6.0]
    assert (np.eye(3) @ x).tolist() == x.tolist() and (x @ np.eye(3)).requires_grad


UFUNCS = (
    "exp exp2 expm1 log log2 log10 log1p sqrt square reciprocal sin cos tan sinh cosh tanh arcsin arccos arctan arcsinh "
    "arctanh deg2rad rad2deg floor ceil trunc rint sign negative positive absolute fabs isfinite isnan isinf signbit".split()
)


@pytest.mark.parametrize("name", UFUNCS)
def test_functions_of_one_argument(name):
    x = lamina.tensor([0.25, 0.5, 0.75], dtype=lamina.float64, requires_grad=True)
    y = getattr(np, name)(x)
    assert isinstance(y, lamina.Tensor)
    np.testing.assert_allclose(y.detach().numpy(), getattr(np, name)(x.detach().numpy()), rtol=1e-12)
    if y.requires_grad:
        y.sum().backward()
        assert x.grad.isfinite().all().item()


@pytest.mark.parametrize(
    "name",
    ["add", "maximum", "fmin", "arctan2", "hypot", "copysign", "logaddexp", "power", "greater", "remainder", "matmul"],
)
def test_functions_of_two_arguments(name):
    a, b = lamina.tensor([0.25, 2.0], dtype=lamina.float64), np.array([0.5, -3.0])
    for ours, expected in (
        (getattr(np, name)(a, b), getattr(np, name)(a.numpy(), b)), (getattr(np, name)(b, a), getattr(np, name)(b, a.numpy()))
    ):  # fmt: skip
        assert isinstance(ours, lamina.Tensor)
        np.testing.assert_allclose(ours.numpy(), expected, rtol=1e-12)


def test_what_lamina_does_not_have_is_numpys():
    x = lamina.tensor([1.0, 8.0])
    assert isinstance(np.cbrt(x), lamina.Tensor) and np.cbrt(x).tolist() == [1.0, 2.0]
    assert np.add.reduce(x).item() == 9.0 and np.multiply.outer(x, x).shape == (2, 2)
    whole, part = np.modf(lamina.tensor([1.5]))
    assert (whole.item(), part.item()) == (0.5, 1.0)
    q, r = np.divmod(lamina.tensor([7.0]), 2)
    assert (q.item(), r.item()) == (3.0, 1.0)
    with pytest.raises(lamina.GradError, match=r"numpy\.cbrt: lamina has no gradient of it"):
        np.cbrt(x.requires_grad_())


def test_in_place_and_out():
    array, x = np.ones(2), lamina.tensor([1.0, 2.0])
    array += x
    assert type(array) is np.ndarray and array.tolist() == [2.0, 3.0]
    np.multiply(x, 2.0, out=array)
    assert array.tolist() == [2.0, 4.0]
    x *= np.float32(3)
    x += np.array([1.0, 1.0], np.float32)
    assert x.tolist() == [4.0, 7.0]
    with pytest.raises(lamina.GradError):
        array += x.requires_grad_()


def test_arrays_of_integers_where_sizes_are_wanted():
    x, two = lamina.arange(12.0), np.array([3, 4])
    assert x.view(two).shape == x.reshape(two).shape == lamina.zeros(two).shape == lamina.rand(two).shape == (3, 4)
    assert x.view(np.int64(2), -1).shape == (2, 6) and lamina.ones(np.int32(2)).shape == (2,)
    y = x.view(3, 4)
    assert y.permute(np.array([1, 0])).shape == (4, 3) and y.sum(np.int64(0)).shape == (4,)
    assert [part.shape[0] for part in y.split(np.array([1, 2]))] == [1, 2] and len(y.split(np.int64(2))) == 2
    assert y[np.int64(1)].tolist() == y[1].tolist() and y[np.array([True, False, True])].shape == (2, 4)
    for bad in (np.array([1.5, 2.0]), np.zeros((2, 2), np.int64)):
        with pytest.raises((TypeError, ValueError)):
            lamina.zeros(bad)


def test_scalars_where_numbers_are_wanted():
    lamina.manual_seed(np.int64(3))
    first = lamina.rand(2).tolist()
    lamina.manual_seed(3)
    assert lamina.rand(2).tolist() == first
    generator = lamina.Generator().manual_seed(np.uint64(2**63))
    assert generator.initial_seed() == 2**63
    p = nn.Parameter(lamina.zeros(2))
    p.grad = lamina.tensor([3.0, 4.0])
    assert nn.utils.clip_grad_norm_([p], np.float32(1.0)).item() == 5.0
    assert lamina.full((2,), np.float32(0.5)).clamp(min=np.float64(0.75)).tolist() == [0.75, 0.75]
    with pytest.raises(TypeError):
        lamina.manual_seed(1.5)


@needs_torch
@pytest.mark.parametrize(
    "data",
    [
        [np.float64(3)], [np.float32(3)], [np.float64(3), 1.0], [np.float16(3), 1.0], [np.float16(3), 1], [np.int32(3)],
        [np.int32(3), 2], [np.int8(3), np.float32(1)], [np.bool_(True)], [np.uint8(3), True], [[np.float64(1)], [2]],
        np.float64(2), np.int16(2), np.float32(2), [1, 2.0], [True, 2],
    ],
    ids=str,
)  # fmt: skip
def test_dtypes_of_lists_of_scalars_equal_torch(data):
    """NumPy's scalars bring their dtypes; Python's numbers have the defaults."""
    ours, theirs = lamina.tensor(data), torch.tensor(data)
    assert str(ours.dtype).split(".")[1] == str(theirs.dtype).split(".")[1] and ours.tolist() == theirs.tolist()
