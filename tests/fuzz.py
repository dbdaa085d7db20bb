"""Calls every registered operation with arguments drawn by type, most of them hostile: run as `python fuzz.py SEED CALLS LOG`.

A call may return or raise a typed error. The last call is in LOG, so that a crash names itself.
"""

from __future__ import annotations

import inspect
import os
import random
import resource
import sys
import warnings

import lamina
from lamina import _C

MEMORY = 6 << 30  # address space of this process: absurd sizes must fail, not thrash
TYPED = (ValueError, TypeError, RuntimeError, IndexError, MemoryError, NotImplementedError, OverflowError)
INTEGERS = [0, 1, 2, 3, -1, -2, 5, 7, -9, 64, 1 << 40, -(1 << 40), (1 << 63) - 1, -(1 << 63), 1 << 62]
NUMBERS = [0.0, -0.0, 1.0, 0.5, -1.5, 2.0, 1e-30, 1e30, 1e308, float("nan"), float("inf"), -float("inf")]
WORDS = [
    "mean",
    "sum",
    "none",
    "floor",
    "trunc",
    "add",
    "fro",
    "same",
    "reflect",
    "tanh",
    "ij,jk->ik",
    "",
    "nonsense",
    "\0",
]
DTYPES = [getattr(lamina, n) for n in "float32 float64 bfloat16 float16 int64 int32 int16 int8 uint8 bool".split()]


class Draw:
    def __init__(self, seed: int) -> None:
        self.r = random.Random(seed)
        self.pool = [self.fresh() for _ in range(200)]

    def fresh(self) -> lamina.Tensor:
        r = self.r
        shape = [r.choice([0, 1, 1, 2, 3, 3, 4, 5, 8]) for _ in range(r.choice([0, 1, 1, 2, 2, 2, 3, 3, 4, 4, 5, 6]))]
        dtype = r.choice(DTYPES[:2] * 4 + DTYPES)
        t = lamina.randn(shape, dtype=lamina.float64)
        if r.random() < 0.3 and t.numel():
            t.view(-1)[r.randrange(t.numel())] = r.choice(NUMBERS)
        t = (
            (t * r.choice([1, 1, 3, 100])).nan_to_num(0.0).to(dtype)
            if dtype not in DTYPES[:4] and hasattr(t, "nan_to_num")
            else t.to(dtype)
        )
        form = r.random()
        if form < 0.15 and t.dim() > 1:
            t = t.transpose(0, -1)
        elif form < 0.25 and t.dim() > 0 and t.size(0) > 1:
            t = t[::2]
        elif form < 0.3:
            t = t.unsqueeze(0).expand(3, *t.shape)
        if dtype in DTYPES[:4] and r.random() < 0.3:
            t = t.detach().requires_grad_()
        return t

    def tensor(self) -> lamina.Tensor:
        i = self.r.randrange(len(self.pool))
        if self.r.random() < 0.05:
            self.pool[i] = self.fresh()
        return self.pool[i]

    def integers(self) -> list[int]:
        return [
            self.r.choice(INTEGERS[: self.r.choice([5, 9, 15])])
            for _ in range(self.r.choice([0, 1, 1, 2, 2, 3, 4, 5, 9]))
        ]

    def of(self, stub: str):
        """An argument for a parameter of the stub's type; sometimes of another type."""
        r = self.r
        kinds = [k.strip() for k in stub.split("|")]
        kind = (
            r.choice(kinds)
            if r.random() < 0.96
            else r.choice(["Tensor", "int", "float", "str", "None", "list", "object"])
        )
        if kind in ("Tensor", "Tensor | None"):
            return self.tensor()
        if kind == "int":
            return r.choice(INTEGERS[: r.choice([6, 6, 15])])
        if kind in ("float", "Number"):
            return r.choice(NUMBERS)
        if kind == "bool":
            return r.random() < 0.5
        if kind == "None":
            return None
        if kind == "dtype":
            return r.choice(DTYPES)
        if kind == "device":
            return r.choice(["cpu", "cpu", "cuda", "cuda:7", "moon"])
        if kind == "str":
            return r.choice(WORDS)
        if kind.startswith(("Sequence[Tensor", "list[Tensor", "tuple[Tensor")):
            return [self.tensor() for _ in range(r.choice([0, 1, 2, 3]))]
        if kind.startswith(("Sequence", "list", "tuple")):
            return self.integers()
        if kind == "Generator":
            return lamina.Generator()
        return r.choice([object(), 1, self.tensor(), [], "x", None])


def parameters(row: dict) -> list[list[tuple[str, str, bool]]]:
    """For each overload: name, type and whether a default exists."""
    if "elementwise" in row:
        e = row["elementwise"]
        operands = [(f"x{i}", "Tensor" if i == 0 else "Tensor | float | int | bool", False) for i in range(e["arity"])]
        return [operands + [(p[0] if isinstance(p, (tuple, list)) else str(p), "float", True) for p in e["params"]]]
    return [[(p[0], p[1], p[2] != "") for p in overload["params"]] for overload in row["overloads"]]


def callables() -> list[tuple[str, object, list]]:
    found = []
    for row in _C._registry():
        where, name = row["where"], row["name"]
        marks = {"f": _C, "n": _C.functional, "l": _C._linalg, "m": lamina.Tensor}
        homes = [home for mark, home in marks.items() if mark in where]
        for home in homes or [lamina.Tensor]:
            if hasattr(home, name):
                found += [(f"{name}", getattr(home, name), p) for p in parameters(row)]
    for name in lamina.linalg.__all__:
        function = getattr(lamina.linalg, name)
        if inspect.isfunction(function):
            given = [p for p in inspect.signature(function).parameters.values() if p.kind is p.POSITIONAL_OR_KEYWORD]
            found.append((name, function, [(p.name, str(p.annotation), p.default is not p.empty) for p in given]))
    return found


def main(seed: int, calls: int, log_path: str) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    warnings.simplefilter("ignore")
    draw, targets, log = Draw(seed), callables(), os.open(log_path, os.O_CREAT | os.O_WRONLY)
    returned = 0
    for number in range(calls):
        name, function, params = draw.r.choice(targets)
        arguments = [draw.of(kind) for _, kind, default in params if not default or draw.r.random() < 0.5]
        text = f"{number} {name} " + ", ".join(describe(a) for a in arguments)
        os.pwrite(log, text.encode()[:4000].ljust(4000), 0)
        try:
            result = function(*arguments)
            returned += 1
            if (
                isinstance(result, lamina.Tensor)
                and result.requires_grad
                and result.numel() < 10_000
                and draw.r.random() < 0.3
            ):
                result.sum().backward()
        except TYPED:
            pass
    print(f"{calls} calls, {returned} returned")


def describe(a) -> str:
    if isinstance(a, lamina.Tensor):
        return f"{a.dtype}{tuple(a.shape)} stride {tuple(a.stride())} grad {a.requires_grad}"
    return repr(a)[:200]


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
