"""torch.quasirandom: Sobol points, with the direction numbers of Joe and Kuo (new-joe-kuo-6, 2008).

The first 1,024 dims are in `sobol.bin`; the rest up to 21,201 is read from SciPy's copy of the same table.
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

import lamina

from .._C import Generator, Tensor

_SHIPPED = 1024


def _table(dimension: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(primitive polynomials as bits, first direction numbers (dimension, 18)).

    The file: the polynomials as little-endian uint16, then the direction numbers of dims 1, 2 ... without their last
    bit, which is 1: i bits for the i-th.
    """
    if dimension > _SHIPPED:
        try:
            from scipy import stats  # type: ignore[import-untyped]
        except ImportError:
            raise ImportError(
                f"SobolEngine: more than {_SHIPPED:,} dims need SciPy, which brings their table"
            ) from None
        found = np.load(os.path.join(os.path.dirname(stats.__file__), "_sobol_direction_numbers.npz"))
        return found["poly"][:dimension].astype(np.int64), found["vinit"][:dimension].astype(np.int64)
    with open(os.path.join(os.path.dirname(__file__), "sobol.bin"), "rb") as file:
        data = file.read()
    poly = np.frombuffer(data[: 2 * _SHIPPED], "<u2").astype(np.int64)
    bits = np.unpackbits(np.frombuffer(data[2 * _SHIPPED :], np.uint8))
    first = np.zeros((dimension, 18), np.int64)
    first[0, 0] = 1
    place = 0
    for dim in range(1, dimension):
        for i in range(int(poly[dim]).bit_length() - 1):
            high = int("0" + "".join(map(str, bits[place : place + i])), 2)
            first[dim, i] = 2 * high + 1
            place += i
    return poly[:dimension], first


def _directions(dimension: int, width: int) -> NDArray[np.int64]:
    """Direction numbers (dimension, width) as whole numbers of `width` bits (Bratley and Fox 1988)."""
    poly, first = _table(dimension)
    v = np.zeros((dimension, width), np.int64)
    v[0] = 1
    for dim in range(1, dimension):
        p = int(poly[dim])
        degree = p.bit_length() - 1
        row = [int(x) for x in first[dim, :degree]]
        for i in range(degree, width):
            value = row[i - degree] ^ (row[i - degree] << degree)
            for k in range(1, degree):
                if p >> (degree - k) & 1:
                    value ^= row[i - k] << k
            row.append(value)
        v[dim] = row[:width]
    return v << np.arange(width - 1, -1, -1, dtype=np.int64)


class SobolEngine:
    """Points of a Sobol sequence in [0, 1): evenly spread in every dim, the same ones as PyTorch's.

    dimension: 1 to 21,201 (above 1,024 with SciPy installed). scramble: a random linear scramble of the digits and a
    shift (Matousek 1998) from the generator seeded with `seed`; other random numbers than PyTorch's.

    >>> import lamina
    >>> lamina.quasirandom.SobolEngine(2).draw(4).tolist()
    [[0.0, 0.0], [0.5, 0.5], [0.75, 0.25], [0.25, 0.75]]
    """

    MAXBIT = 30
    MAXDIM = 21201

    def __init__(self, dimension: int, scramble: bool = False, seed: int | None = None) -> None:
        if not 1 <= dimension <= self.MAXDIM:
            raise ValueError(f"SobolEngine: dimension must be 1 to {self.MAXDIM}, got {dimension}")
        self.dimension, self.scramble, self.seed = dimension, scramble, seed
        state = _directions(dimension, self.MAXBIT)
        shift = np.zeros(dimension, np.int64)
        if scramble:
            state, shift = self._scrambled(state)
        self.sobolstate, self.shift = lamina.tensor(state), lamina.tensor(shift)
        self.quasi = self.shift.clone()
        self.num_generated = 0

    def _scrambled(self, state: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        generator = Generator()
        if self.seed is None:
            generator.seed()
        else:
            generator.manual_seed(self.seed)
        width = self.MAXBIT
        weights = 1 << np.arange(width - 1, -1, -1, dtype=np.int64)  # the first digit counts most
        ones = lamina.randint(0, 2, (self.dimension, width), generator=generator).numpy()
        lower = lamina.randint(0, 2, (self.dimension, width, width), generator=generator).numpy()
        shift = ones @ weights
        mix = np.tril(lower, -1) + np.eye(width, dtype=np.int64)
        digits = (state[:, :, None] & weights) != 0
        mixed = np.einsum("dij,dkj->dki", mix, digits.astype(np.int64)) & 1
        return mixed @ weights, shift

    def _walk(self, n: int) -> NDArray[np.int64]:
        """The next n states (n, dimension); num_generated and quasi move on."""
        directions = self.sobolstate.numpy()
        first = self.num_generated
        self.num_generated += n
        index = np.arange(max(first - 1, 0), self.num_generated - 1, dtype=np.int64)
        lowest_zero = np.log2(~index & (index + 1)).astype(np.int64)  # Gray code: one digit changes a step
        if len(lowest_zero) and lowest_zero.max() >= self.MAXBIT:
            raise ValueError(f"SobolEngine: there are 2^{self.MAXBIT} points, asked for {self.num_generated}")
        start = self.quasi.numpy()[None]
        states = np.bitwise_xor.accumulate(np.concatenate([start, directions.T[lowest_zero]]), axis=0)
        self.quasi = lamina.tensor(states[-1])
        return states if first == 0 else states[1:]

    def draw(self, n: int = 1, out: Tensor | None = None, dtype: Any = None) -> Tensor:
        """The next n points: (n, dimension)."""
        if n < 1:
            raise ValueError(f"SobolEngine.draw: n must be positive, got {n}")
        dtype = lamina.get_default_dtype() if dtype is None else dtype
        points = lamina.tensor(self._walk(n) / 2.0**self.MAXBIT).to(dtype)
        return points if out is None else out.copy_(points)

    def draw_base2(self, m: int, out: Tensor | None = None, dtype: Any = None) -> Tensor:
        """The next 2**m points; ValueError unless the number of all points so far is then a power of two."""
        total = self.num_generated + 2**m
        if total & (total - 1):
            raise ValueError(
                f"SobolEngine.draw_base2: points are balanced in powers of two; {self.num_generated} + 2**{m} = {total} "
                "is none; hint: draw()"
            )
        return self.draw(2**m, out, dtype)

    def reset(self) -> SobolEngine:
        """Back to the first point."""
        self.quasi = self.shift.clone()
        self.num_generated = 0
        return self

    def fast_forward(self, n: int) -> SobolEngine:
        """Leaves out n points."""
        if n > 0:
            self._walk(n)
        return self

    def __repr__(self) -> str:
        options = [f"dimension={self.dimension}", *(["scramble=True"] if self.scramble else [])]
        if self.seed is not None:
            options.append(f"seed={self.seed}")
        return f"SobolEngine({', '.join(options)})"
