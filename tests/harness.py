"""The registry as test cases: every operation with its callable, samples and twin."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import lamina
import numpy as np
from lamina import _C
from reference import ELEMENTWISE, ELSEWHERE, TWINS, Random, Twin

REGISTRY = {row["name"]: row for row in _C._registry()}
FLOATS = ("float64", "float32", "bfloat16", "float16")
TOLERANCE = {"float64": 1e-12, "float32": 2e-6, "bfloat16": 2e-2, "float16": 3e-3}


def callable_of(name: str, method: bool = False) -> Callable:
    row = REGISTRY[name]
    if "f" in row["where"] and not method:
        return getattr(_C, name)
    if "n" in row["where"] and not method:
        return getattr(_C.functional, name)
    if "l" in row["where"]:
        return getattr(_C._linalg, name.removeprefix("linalg_"))
    return getattr(lamina.Tensor, name)


def elementwise_samples(row: dict) -> Callable[[Random], list]:
    e = row["elementwise"]

    def samples(r: Random) -> list:
        def draw(*shape):
            if e["kind"] == "bitwise":
                return r.ints(100, *shape)
            if e["kind"] == "logical":
                return r.bools(*shape)
            return r.uniform(e["lo"], e["hi"], *shape)

        n = e["arity"]
        cases = [
            tuple(draw(3, 4) for _ in range(n)),
            tuple(draw() for _ in range(n)),
            tuple(draw(0, 2) for _ in range(n)),
        ]
        cases.append(tuple(draw(5, 37) for _ in range(n)))
        if n == 2:
            cases += [(draw(3, 1), draw(4)), (draw(2, 1, 3), draw(4, 1))]
        if n == 3:
            cases += [(draw(3, 1), draw(4), draw(1, 1))]
        return cases

    return samples


def twins() -> dict[str, Twin]:
    """Twins of everything in the registry that has one."""
    out = {name: t for name, t in TWINS.items() if name in REGISTRY}
    for name, row in REGISTRY.items():
        if "elementwise" in row and not row["inplace"] and name in ELEMENTWISE and name not in out:
            e = row["elementwise"]
            out[name] = Twin(
                name, ELEMENTWISE[name], elementwise_samples(row), grad=e["differentiable"], second=e["differentiable"]
            )
    return out


@dataclass
class Case:
    name: str
    number: int
    args: tuple
    kwargs: dict
    twin: Twin

    @property
    def id(self) -> str:
        return f"{self.name}-{self.number}"

    @property
    def call(self) -> Callable:
        return callable_of(self.name, self.twin.method)

    def tensors(self, dtype: str, requires_grad: bool = False) -> list:
        """The arguments with float arrays as tensors of dtype; other arrays keep theirs."""
        return [to_tensor(a, dtype, requires_grad) for a in self.args]

    def keywords(self, dtype: str) -> dict:
        return {k: to_tensor(v, dtype) for k, v in self.kwargs.items()}

    def run(self, dtype: str, **modes):
        return self.call(*self.tensors(dtype, **modes), **self.keywords(dtype))

    def expected(self):
        return self.twin.function(*self.args, **self.kwargs)

    def float_positions(self) -> list[int]:
        return [i for i, a in enumerate(self.args) if isinstance(a, np.ndarray) and a.dtype == np.float64]


def to_tensor(a, dtype: str, requires_grad: bool = False):
    if isinstance(a, list) and a and isinstance(a[0], np.ndarray):
        return [to_tensor(x, dtype, requires_grad) for x in a]
    if not isinstance(a, np.ndarray):
        return a
    if a.dtype == np.float64:
        return lamina.tensor(a, dtype=getattr(lamina, dtype), requires_grad=requires_grad)
    return lamina.tensor(a)


def cases(name: str) -> Iterator[Case]:
    twin = twins()[name]
    for i, sample in enumerate(twin.samples(Random(zlib.crc32(name.encode())))):
        kwargs = sample[-1] if sample and isinstance(sample[-1], dict) else {}
        yield Case(name, i, sample[:-1] if kwargs else sample, kwargs, twin)


def outputs(result) -> list:
    """The tensors of a result, flat."""
    if isinstance(result, lamina.Tensor):
        return [result]
    if isinstance(result, (tuple, list)):
        return [t for r in result for t in outputs(r)]
    return [lamina.tensor(result)]


def to_numpy(t) -> np.ndarray:
    t = t.detach()
    return t.float().numpy() if t.dtype == lamina.bfloat16 else t.numpy()


def names() -> list[str]:
    return sorted(twins())


def all_names() -> list[str]:
    return sorted(n for n, row in REGISTRY.items() if not row["inplace"])


def has_twin(name: str) -> bool:
    return name in twins() or name in ELSEWHERE
