"""PyTorch's own sample inputs (its op_db) run on lamina: forward in float32, int64 and bool, forward and
gradients in float64.

`run(op)` gives one Outcome per operation; tests/test_op_db.py asserts on them and tools/op_report.py prints them.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import lamina
import numpy as np
import torch
from op_db_exceptions import PLACES, RANDOM, REFUSED, SKIPPED

FORWARD = {
    torch.float32: dict(rtol=2e-5, atol=2e-5),
    torch.float64: dict(rtol=1e-9, atol=1e-9),
    torch.int64: dict(rtol=2e-6, atol=1e-6),  # results of integers may be float32
    torch.bool: dict(rtol=2e-6, atol=1e-6),
}
GRADIENT = dict(rtol=1e-7, atol=1e-7)


def draws(op, sample) -> bool:
    """Whether the result is random: the operation is, or this sample asks for dropout."""
    rate = sample.kwargs.get("dropout_p", 0)
    if op.name == "nn.functional.multi_head_attention_forward" and sample.kwargs.get("training", True):
        rate = sample.args[9]
    return op.name in RANDOM or rate > 0


class Unsupported(Exception):
    """An argument that lamina has no type for (complex numbers, sparse layouts)."""


@dataclass
class Outcome:
    name: str
    status: str = "passed"  # passed, failed, skipped or missing
    samples: int = 0
    refused: int = 0  # samples with an argument that lamina refuses on purpose
    failures: list[str] = field(default_factory=list)
    reason: str = ""


@functools.cache
def database() -> dict[str, object]:
    from torch.testing._internal.common_methods_invocations import op_db

    return {op.name + (":" + op.variant_test_name if op.variant_test_name else ""): op for op in op_db}


# Where PyTorch's samples give the tensor to be differentiated first, whatever the function's own order.
ADAPTED = {
    "where": lambda x, condition, other: lamina.where(condition, x, other),
    "nn.functional.embedding": lambda weight, indices, **k: lamina.nn.functional.embedding(indices, weight, **k),
    "nn.functional.embedding_bag": lambda weight, indices, *a, **k: lamina.nn.functional.embedding_bag(
        indices, weight, *a, **k
    ),
    "polygamma": lambda x, n: lamina.polygamma(n, x),
    "special.polygamma": lambda x, n: lamina.special.polygamma(n, x),
    "einsum": lambda operands, equation: lamina.einsum(equation, *operands),
    "linalg.lstsq:grad_oriented": lambda a, b, driver: lamina.linalg.lstsq(a, b, driver=driver)[:2],
    "linalg.pinv:singular": lambda a, b: lamina.linalg.pinv(a @ b.mT),
    "normal:in_place": lambda x, *a: x.clone().normal_(*a),
    "zero_": lambda x: x.clone().zero_(),  # the sample is a leaf
    "resize_": lambda x, *a: x.clone().resize_(*a),
    "resize_as_": lambda x, *a: x.clone().resize_as_(*a),
}


def function_of(name: str) -> Callable | None:
    """lamina's function of PyTorch's dotted name, else the Tensor method or property."""
    if name in ADAPTED:
        return ADAPTED[name]
    home = lamina
    for part in name.split("."):
        home = getattr(home, part, None)
    if home is None or isinstance(home, lamina.dtype):
        home = None if "." in name else getattr(lamina.Tensor, name, None)
    if home is not None and not callable(home):
        return lambda t: getattr(t, name)
    return home


def to_lamina(a, grad: bool, seen: dict):
    """seen: tensors converted so far, so that one tensor given twice stays one."""
    if isinstance(a, torch.Tensor):
        if id(a) not in seen:
            seen[id(a)] = tensor_to_lamina(a, grad)
        return seen[id(a)]
    return argument_to_lamina(a, grad, seen)


def tensor_to_lamina(a: torch.Tensor, grad: bool) -> lamina.Tensor:
    if a.is_complex() or a.layout != torch.strided or a.is_quantized:
        raise Unsupported(str(a.dtype))
    try:
        t = lamina.from_dlpack(a.detach())
    except (lamina.DtypeError, BufferError, ValueError) as e:
        raise Unsupported(str(a.dtype)) from e
    return t.requires_grad_() if grad and a.requires_grad else t


def argument_to_lamina(a, grad: bool, seen: dict):
    if isinstance(a, torch.dtype):
        found = getattr(lamina, str(a).removeprefix("torch."), None)
        if found is None:
            raise Unsupported(str(a))
        return found
    if isinstance(a, (torch.layout, torch.Generator, complex)):
        raise Unsupported(str(a))
    if isinstance(a, torch.memory_format):
        return getattr(lamina, str(a).removeprefix("torch."))
    if isinstance(a, torch.device):
        return str(a)
    if isinstance(a, torch.Size):
        return tuple(a)
    if isinstance(a, (tuple, list)) and not hasattr(a, "_fields"):
        return type(a)(to_lamina(x, grad, seen) for x in a)
    if isinstance(a, dict):
        return {k: to_lamina(v, grad, seen) for k, v in a.items()}
    if callable(a):
        raise Unsupported(repr(a))
    return a


def flat(result) -> list:
    if isinstance(result, (tuple, list)):
        return [x for r in result for x in flat(r)]
    return [result]


def to_numpy(t) -> np.ndarray:
    if isinstance(t, torch.Tensor):
        t = t.detach()
        return (t.float() if t.dtype == torch.bfloat16 else t).numpy(force=True)  # its ZeroTensors too
    if isinstance(t, lamina.Tensor):
        t = t.detach()
        return (t.float() if t.dtype == lamina.bfloat16 else t).numpy()
    return np.asarray(t)


def same(ours, theirs, tolerance: dict | None, what: str) -> str:
    """Empty when equal, else what differs; without a tolerance only shape and dtype count."""
    a, b = to_numpy(ours), to_numpy(theirs)
    if a.shape != b.shape:
        return f"{what}: shape {a.shape} but PyTorch has {b.shape}"
    if isinstance(ours, lamina.Tensor) and a.dtype != b.dtype:
        return f"{what}: {a.dtype} but PyTorch has {b.dtype}"
    if tolerance is None:
        return ""
    exact = b.astype(np.float64)
    if b.dtype == np.float32:  # rounding is of the size of the terms, also where they cancel
        with np.errstate(all="ignore"):
            largest = np.nanmax(np.abs(exact[np.isfinite(exact)]), initial=0)
        tolerance = {**tolerance, "atol": max(tolerance["atol"], 2e-6 * largest)}
    try:
        np.testing.assert_allclose(a.astype(np.float64), exact, **tolerance)
    except AssertionError as e:
        return f"{what}: " + " ".join(str(e).split())[:200]
    return ""


def elements_at(op, sample, places) -> np.ndarray:
    """What the input holds at places along the dim that the call names: equal elements may be named in any order."""
    at = PLACES[op.name][1]
    dim = sample.kwargs.get("dim", sample.args[at] if len(sample.args) > at and sample.args[at] is not True else -1)
    x, at = to_numpy(sample.input), to_numpy(places)
    if x.ndim == 0:
        return x.reshape(at.shape)
    return np.take_along_axis(x, at if at.ndim == x.ndim else np.expand_dims(at, dim), dim)


def leaves(sample) -> list:
    return [x for x in flat([sample.input, list(sample.args), list(sample.kwargs.values())]) if hasattr(x, "grad_fn")]


def gradients(sample, arguments: list, keywords: dict, got, expected) -> Iterator[str]:
    got = [g for g in flat(sample.output_process_fn_grad(got)) if isinstance(g, lamina.Tensor)]
    expected = [e for e in flat(sample.output_process_fn_grad(expected)) if isinstance(e, torch.Tensor)]
    theirs = leaves(sample)
    for t in theirs:
        t.grad = None  # samples share tensors
    for g, e in zip(got, expected, strict=True):
        if not e.requires_grad:
            continue
        if not g.requires_grad:
            yield "no gradient, but PyTorch has one"
            return
        weight = np.cos(np.arange(g.numel(), dtype=np.float64)).reshape(g.shape)
        g.backward(lamina.tensor(weight, dtype=g.dtype), retain_graph=True)
        e.backward(torch.tensor(weight, dtype=e.dtype), retain_graph=True)
    ours = [t for t in flat([arguments, list(keywords.values())]) if isinstance(t, lamina.Tensor)]
    for i, (o, t) in enumerate(zip(ours, theirs, strict=True)):
        if t.requires_grad and t.is_leaf and not (o.grad is None and t.grad is None):
            mine = np.zeros(o.shape) if o.grad is None else o.grad
            yield same(
                mine, torch.zeros(t.shape, dtype=t.dtype) if t.grad is None else t.grad, GRADIENT, f"gradient {i}"
            )


def check(op, function: Callable, sample, dtype: torch.dtype, grad: bool, random: bool) -> Iterator[str]:
    seen: dict = {}
    arguments = [to_lamina(a, grad, seen) for a in (sample.input, *sample.args)]
    keywords = {k: to_lamina(v, grad, seen) for k, v in sample.kwargs.items()}
    expected = op.op(sample.input, *sample.args, **sample.kwargs)
    if any(isinstance(e, torch.Tensor) and e.is_complex() for e in flat(expected)):
        raise Unsupported("complex result")
    got = function(*arguments, **keywords)
    ours, theirs = flat(got), flat(expected)
    if len(ours) != len(theirs):
        yield f"{len(ours)} results but PyTorch has {len(theirs)}"
        return
    for i, (o, t) in enumerate(zip(ours, theirs, strict=True)):
        if op.name in PLACES and i == PLACES[op.name][0]:
            yield same(
                elements_at(op, sample, o), torch.as_tensor(elements_at(op, sample, t)), FORWARD[dtype], "places"
            )
            o = lamina.zeros_like(o) if isinstance(o, lamina.Tensor) else o
            t = torch.zeros_like(t)
        yield same(o, t, None if random else FORWARD[dtype], f"result {i}")
    if grad and not random:
        yield from gradients(sample, arguments, keywords, got, expected)


def run(name: str) -> Outcome:
    """Every sample of one operation; a sample that PyTorch itself refuses does not count."""
    op, out = database()[name], Outcome(name)
    function = function_of(name if name in ADAPTED else op.name)
    if function is None:
        return Outcome(name, "missing")
    if name in SKIPPED or op.name in SKIPPED:
        return Outcome(name, "skipped", reason=SKIPPED.get(name) or SKIPPED[op.name])
    allowed = [text for key, text, _ in REFUSED if key in (name, op.name)]
    for dtype in (torch.float32, torch.float64, torch.int64, torch.bool):
        grad = dtype == torch.float64 and op.supports_autograd
        if dtype not in op.dtypes:
            continue
        torch.manual_seed(0)
        for number, sample in enumerate(op.sample_inputs("cpu", dtype, requires_grad=grad)):
            where = f"sample {number} {str(dtype).removeprefix('torch.')}"
            try:
                problems = [p for p in check(op, function, sample, dtype, grad, draws(op, sample)) if p]
            except Unsupported:
                out.refused += 1
                continue
            except Exception as e:  # any error of lamina is a finding
                if any(text in str(e) for text in allowed):
                    out.refused += 1
                    continue
                problems = [f"{type(e).__name__}: {' '.join(str(e).split())[:200]}"]
            if problems and all(any(text in f"{where}: {p}" for text in allowed) for p in problems):
                out.refused += 1
                continue
            out.samples += 1
            out.failures += [f"{where}: {p} {summary(sample)}" for p in problems]
    out.status = "failed" if out.failures else "passed" if out.samples else "skipped"
    if out.status == "skipped":
        out.reason = "every sample needs a type or an argument that lamina refuses"
    return out


def summary(sample) -> str:
    def short(a):
        if isinstance(a, torch.Tensor):
            return f"{str(a.dtype).removeprefix('torch.')}{tuple(a.shape)}"
        if isinstance(a, (tuple, list)):
            return "[" + ", ".join(short(x) for x in a) + "]"
        return str(a)

    words = [short(a) for a in (sample.input, *sample.args)] + [f"{k}={short(v)}" for k, v in sample.kwargs.items()]
    return "(" + ", ".join(words) + ")"
