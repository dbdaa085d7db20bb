"""NumPy twins and sample arguments of every operation, one file per stem.

A twin is the plain float64 meaning of an operation. `@op(name, samples)` declares it; `samples(r)` returns argument
tuples made with the generator helper `r` (see `Random`), a trailing dict holding keywords. Elementwise operations draw
their samples from the registry and only need the function.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np


class Random:
    """Draws sample arrays: r(2, 3) normal floats, r.ints(5, 2, 3) integers below 5, r.bools(2, 3), r.positive(2, 3)."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)

    def __call__(self, *shape: int) -> np.ndarray:
        return np.asarray(self.rng.standard_normal(shape))

    def uniform(self, lo: float, hi: float, *shape: int) -> np.ndarray:
        return np.asarray(self.rng.uniform(lo, hi, shape))

    def positive(self, *shape: int) -> np.ndarray:
        return np.asarray(self.rng.uniform(0.1, 2.0, shape))

    def ints(self, high: int, *shape: int) -> np.ndarray:
        return np.asarray(self.rng.integers(0, high, shape))

    def bools(self, *shape: int) -> np.ndarray:
        return np.asarray(self.rng.random(shape) < 0.5)

    def distinct(self, *shape: int) -> np.ndarray:
        """No ties, at least 0.05 apart: for max, min and sorting."""
        n = int(np.prod(shape))
        return (self.rng.permutation(n) * 0.05 - n * 0.025).reshape(shape)


@dataclass
class Twin:
    name: str
    function: Callable
    samples: Callable[[Random], list]
    grad: bool = True  # gradients of the float arguments exist
    second: bool = True  # and can be differentiated again
    batch: bool = False  # row i of the first argument determines row i of the result
    batch_rank: int = 0  # where only a first argument of this rank has a batch
    torch: str | None = None  # PyTorch's name where it differs; "" for none
    rtol: float = 1.0  # times the dtype's tolerance
    only: tuple = field(default=())  # dtypes by name, where not all floats
    method: bool = False  # call as a Tensor method


TWINS: dict[str, Twin] = {}
ELEMENTWISE: dict[str, Callable] = {}
# Operations that another test covers, with its name: random numbers have no twin, for instance.
ELSEWHERE: dict[str, str] = {}


def op(name: str, samples: Callable[[Random], list], **facts) -> Callable:
    def declare(function: Callable) -> Callable:
        assert name not in TWINS, name
        TWINS[name] = Twin(name, function, samples, **facts)
        return function

    return declare


for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")
