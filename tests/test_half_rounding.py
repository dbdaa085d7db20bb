"""float64 and integers to float16 and bfloat16: rounded once, to the nearest and ties to even, wherever it happens."""

from __future__ import annotations

import lamina
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

HALVES = {"float16": (11, -24, 65520.0), "bfloat16": (8, -133, float.fromhex("0x1.ffp127"))}


def nearest(value, dtype: str) -> float:
    """The model: an exact integer ratio, rounded by integer division alone."""
    digits, lowest, overflow = HALVES[dtype]
    value = float(value) if not isinstance(value, int) else value
    if value != value or value in (float("inf"), float("-inf")):
        return value
    if abs(value) >= overflow:
        return float("inf") if value > 0 else float("-inf")
    above, below = abs(value).as_integer_ratio()
    step = max(above.bit_length() - below.bit_length() - digits, lowest)
    while True:  # value / 2^step = above / below
        top, bottom = (above << max(-step, 0)), (below << max(step, 0))
        whole, rest = divmod(top, bottom)
        if whole < 1 << digits:
            break
        step += 1
    whole += 2 * rest > bottom or (2 * rest == bottom and whole & 1)
    return float(np.copysign(np.ldexp(float(whole), step), value))


def halves(dtype: str) -> np.ndarray:
    """Every finite number of the dtype that is not negative, in float64, in order."""
    bits = np.arange(0x7C00 if dtype == "float16" else 0x7F80, dtype=np.uint32)
    if dtype == "float16":
        return bits.astype(np.uint16).view(np.float16).astype(np.float64)
    return (bits << 16).view(np.float32).astype(np.float64)


def near_ties(dtype: str) -> np.ndarray:
    """Every tie, what lies around it in float64, and what float32 would take for it."""
    numbers = halves(dtype)
    ties = np.append((numbers[:-1] + numbers[1:]) / 2, HALVES[dtype][2])
    moved = [ties, np.nextafter(ties, np.inf), np.nextafter(ties, 0), ties * (1 + 2.0**-30), ties * (1 - 2.0**-30)]
    edges = [np.inf, 0.0, 1e300, 5e-324, 1e-300, 3.5e38]
    values = np.concatenate([*moved, numbers, edges])
    return np.concatenate([values, -values, [np.nan]])


def expected(values: np.ndarray, dtype: str) -> np.ndarray:
    """In float64. For bfloat16 by numbers and ties, exact in float64, found by search."""
    if dtype == "float16":
        with np.errstate(over="ignore"):
            return values.astype(np.float16).astype(np.float64)
    numbers = np.append(halves(dtype), np.inf)
    ties = np.append((numbers[:-2] + numbers[1:-1]) / 2, HALVES[dtype][2])
    size = np.abs(values)
    at = np.searchsorted(ties, size)  # ties[at - 1] < size <= ties[at]
    tie = at < len(ties)
    tie[tie] = ties[at[tie]] == size[tie]
    found = numbers[np.minimum(at + (tie & (at % 2 == 1)), len(numbers) - 1)]
    return np.where(np.isnan(values), np.nan, np.copysign(found, values))


def same(found: lamina.Tensor, want: np.ndarray) -> None:
    got = found.to(lamina.float64).numpy()
    np.testing.assert_array_equal(got, want)
    np.testing.assert_array_equal(np.signbit(got[~np.isnan(want)]), np.signbit(want[~np.isnan(want)]))


@pytest.mark.parametrize("dtype", HALVES)
def test_all_ties_of_tensors(dtype):
    values = near_ties(dtype)
    half, want = getattr(lamina, dtype), expected(values, dtype)
    x = lamina.tensor(values)
    assert x.dtype == lamina.float64
    same(x.to(half), want)
    same(lamina.tensor(values, dtype=half), want)
    same(lamina.tensor(values[::7].tolist(), dtype=half), want[::7])
    same(x[::-3].to(half), want[::-3])
    y = lamina.zeros(len(values), dtype=half)
    same(y.copy_(x), want)
    wide = lamina.zeros(len(values), 2, dtype=half)
    wide[:, 1] = x
    same(wide[:, 1], want)
    same(lamina.zeros_like(y).add_(x).abs(), np.abs(want))


@pytest.mark.parametrize("dtype", HALVES)
def test_numbers(dtype):
    half = getattr(lamina, dtype)
    zeros, mask = lamina.zeros(2, dtype=half), lamina.ones(2, dtype=lamina.bool)
    place = lamina.tensor([0])
    values = near_ties(dtype)[::1009]
    for value, want in zip(values.tolist(), expected(values, dtype), strict=True):
        for found in (
            lamina.tensor(value, dtype=half),
            lamina.full((3,), value, dtype=half)[1],
            zeros.clone().fill_(value)[0],
            zeros.clone().fill_(lamina.tensor(value, dtype=lamina.float64))[0],
            zeros.masked_fill(mask, value)[0],
            lamina.where(mask, value, zeros)[0],
            zeros.index_fill(0, place, value)[0],
            zeros.scatter(0, place, value)[0],
            lamina.nn.functional.pad(zeros, (1, 0), value=value)[0],
            lamina.full_like(zeros, -lamina.inf).clamp(value, lamina.inf)[0] if value == value else None,
        ):
            if found is not None:
                same(found.reshape(1), np.array([want]))


@pytest.mark.parametrize("dtype", HALVES)
@given(st.integers(-(2**63), 2**63 - 1) | st.builds(lambda b, s, d: s * ((1 << b) + (1 << max(b - 8, 0)) + d),
       st.integers(0, 62), st.sampled_from([1, -1]), st.integers(-2, 2)))  # fmt: skip
def test_integers(dtype, value):
    want = nearest(value, dtype)
    half = getattr(lamina, dtype)
    assert lamina.tensor([value] * 20).to(half).tolist() == [want] * 20
    assert lamina.tensor(value).to(half).item() == want
    if abs(value) < 2**31:
        assert lamina.tensor([value], dtype=lamina.int32).to(half).item() == want


@pytest.mark.parametrize("dtype", HALVES)
@given(st.floats())
def test_floats_against_the_integer_model(dtype, value):
    found = lamina.tensor([value], dtype=lamina.float64).to(getattr(lamina, dtype)).item()
    np.testing.assert_array_equal(found, nearest(value, dtype))
    np.testing.assert_array_equal(expected(np.array([value]), dtype)[0], found)


@given(st.integers(-(2**63), 2**63 - 1))
def test_int64_to_float32_rounds_once(value):
    want = np.array([value]).astype(np.float32).tolist()
    assert lamina.tensor([value]).to(lamina.float32).tolist() == want
    assert lamina.tensor([value] * 33).float().tolist() == want * 33
    assert lamina.tensor(value, dtype=lamina.float32).item() == want[0]
    assert lamina.full((1,), value, dtype=lamina.float32).tolist() == want
    assert lamina.zeros(1).fill_(value).tolist() == want
    assert lamina.tensor([value], dtype=lamina.float32).tolist() == want
