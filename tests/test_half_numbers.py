"""Half floats beside numbers of a wider dtype: rounded to the half dtype first, as in PyTorch and NumPy."""

from __future__ import annotations

import operator

import lamina
import numpy as np
import pytest
from conftest import needs_torch, torch

VALUES = [0.1, -999.0, 2.7, 2049, 2051, 70000.0, 1e-9, float("inf"), float("nan")]
HALVES = ["float16", "bfloat16"]
COMPARE = ["eq", "ne", "lt", "le", "gt", "ge"]


def half(module, dtype):
    return module.tensor([0.1, -999.0, 2.7, 2048.0, 2052.0, 0.0, 1.0], dtype=getattr(module, dtype))


@needs_torch
@pytest.mark.parametrize("dtype", HALVES)
@pytest.mark.parametrize("name", COMPARE)
@pytest.mark.parametrize("value", VALUES)
def test_comparisons_equal_torch(dtype, name, value):
    x, t = half(lamina, dtype), half(torch, dtype)
    expected = getattr(torch, name)(t, value).tolist()
    assert getattr(lamina, name)(x, value).tolist() == expected
    assert getattr(x, name)(value).tolist() == expected
    assert getattr(operator, name)(x, value).tolist() == expected
    for wide in ("float32", "float64"):
        number, other = (
            lamina.tensor(value, dtype=getattr(lamina, wide)),
            torch.tensor(value, dtype=getattr(torch, wide)),
        )
        assert getattr(operator, name)(x, number).tolist() == getattr(operator, name)(t, other).tolist()
        assert getattr(operator, name)(number, x).tolist() == getattr(operator, name)(other, t).tolist()
    y = x.clone()
    getattr(y, name + "_")(value)
    assert y.tolist() == [float(v) for v in expected]


@needs_torch
@pytest.mark.parametrize("dtype", HALVES)
@pytest.mark.parametrize("name", ["add", "sub", "remainder", "fmod", "pow", "mul", "div"])
@pytest.mark.parametrize("value", [0.1, 2.7, -0.3, 3])
def test_arithmetic_equals_torch(dtype, name, value):
    x, t = half(lamina, dtype).abs(), half(torch, dtype).abs()
    found, expected = getattr(lamina, name)(x, value), getattr(torch, name)(t, value)
    assert found.dtype == getattr(lamina, dtype)
    np.testing.assert_array_equal(found.float().numpy(), expected.float().numpy())


@pytest.mark.parametrize("dtype", HALVES)
def test_equal_means_no_difference(dtype):
    x = half(lamina, dtype)
    for value in (0.1, 2.7, -999.0):
        at = x == value
        assert at.sum().item() == 1
        assert (x - value)[at].item() == 0 and (x % abs(value))[at].item() == 0 and value in x


@pytest.mark.parametrize("dtype", HALVES)
def test_the_number_keeps_its_gradient(dtype):
    """A 0-d float64 beside a half tensor has its gradient in float64."""
    x = half(lamina, dtype).requires_grad_()
    number = lamina.tensor(0.1, dtype=lamina.float64, requires_grad=True)
    (x - number).sum().backward()
    assert number.grad.dtype == lamina.float64 and number.grad.item() == -7 and x.grad.tolist() == [1.0] * 7


def test_other_dtypes_compare_as_before():
    """float32 rounds numbers to float32; integers beside whole numbers compare exactly, never wrapped around."""
    assert (lamina.tensor([0.1]) == 0.1).item() and (lamina.tensor([0.1], dtype=lamina.float64) == 0.1).item()
    assert not (lamina.tensor([1], dtype=lamina.int8) == 257).item()
    assert (lamina.tensor([100], dtype=lamina.int8) < 2049).item()
