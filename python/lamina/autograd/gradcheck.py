"""Checks of written gradients against central differences."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .. import _C
from .._C import Tensor
from .._grad_mode import enable_grad, no_grad
from .backward import grad


class GradcheckError(RuntimeError):
    """gradcheck found a gradient that differs from the numerical one."""


Matrix = list[list[float]]


def _listed(values: Any) -> tuple[Any, ...]:
    return tuple(values) if isinstance(values, (tuple, list)) else (values,)


def _checked(tensors: Sequence[Any]) -> list[tuple[int, Tensor]]:
    return [
        (i, t) for i, t in enumerate(tensors) if isinstance(t, Tensor) and t.requires_grad and t.is_floating_point()
    ]


def _outputs(func: Callable[..., Any], inputs: Sequence[Any]) -> list[Tensor]:
    return [t for t in _listed(func(*inputs)) if isinstance(t, Tensor) and t.is_floating_point()]


def _numerical(func: Callable[..., Any], inputs: Sequence[Any], at: int, eps: float) -> list[Matrix]:
    """For each output the matrix d output / d inputs[at] by central differences: rows are input elements."""
    with no_grad():
        base = inputs[at].detach().clone().contiguous()
        shape = tuple(base.shape)
        start = base.reshape(-1).tolist()
        columns: list[Matrix] = []
        for k in range(len(start)):
            sides = []
            for sign in (1.0, -1.0):
                moved = list(start)
                moved[k] = start[k] + sign * eps
                changed = list(inputs)
                changed[at] = _C.tensor(moved, dtype=base.dtype, device=base.device).reshape(shape)
                sides.append([t.detach().double().reshape(-1).tolist() for t in _outputs(func, changed)])
            rows = [
                [(a - b) / (2 * eps) for a, b in zip(up, down, strict=True)] for up, down in zip(*sides, strict=True)
            ]
            columns.append(rows)
        outputs = len(columns[0]) if columns else 0
        return [[columns[k][o] for k in range(len(start))] for o in range(outputs)]


def _analytical(output: Tensor, inputs: Sequence[Tensor]) -> list[Matrix]:
    """For each input the matrix d output / d input by one backward per output element."""
    found: list[Matrix] = [[[0.0] * output.numel() for _ in range(x.numel())] for x in inputs]
    if not output.requires_grad:
        return found
    for k in range(output.numel()):
        seed = [0.0] * output.numel()
        seed[k] = 1.0
        g = _C.tensor(seed, dtype=output.dtype, device=output.device).reshape(tuple(output.shape))
        for i, d in enumerate(grad(output, list(inputs), g, retain_graph=True, allow_unused=True)):
            if d is None:
                continue
            if tuple(d.shape) != tuple(inputs[i].shape) or d.dtype != inputs[i].dtype:
                raise GradcheckError(
                    f"gradcheck: the gradient of input {i} is {tuple(d.shape)} {d.dtype}, expected "
                    f"{tuple(inputs[i].shape)} {inputs[i].dtype}"
                )
            for j, value in enumerate(d.detach().double().reshape(-1).tolist()):
                found[i][j][k] = value
    return found


def _show(m: Matrix) -> str:
    rows = ["  [" + ", ".join(f"{v:.6g}" for v in row[:8]) + (", ..." if len(row) > 8 else "") + "]" for row in m[:8]]
    return "\n".join(rows + (["  ..."] if len(m) > 8 else []))


def _worst(a: Matrix, b: Matrix, atol: float, rtol: float) -> tuple[int, int] | None:
    """Element that misses |a - b| <= atol + rtol * |b| by most; NaN misses always."""
    worst, place = 0.0, None
    for i, (x, y) in enumerate(zip(a, b, strict=True)):
        for j, (u, v) in enumerate(zip(x, y, strict=True)):
            if u == v:
                continue
            excess = abs(u - v) - (atol + rtol * abs(v))
            if excess != excess:
                return i, j
            if excess > worst:
                worst, place = excess, (i, j)
    return place


def _compare(numerical: Matrix, analytical: Matrix, what: str, atol: float, rtol: float) -> None:
    at = _worst(analytical, numerical, atol, rtol)
    if at is None:
        return
    i, j = at
    raise GradcheckError(
        f"Jacobian mismatch for {what}: d output[{j}] / d input[{i}] is {analytical[i][j]:.9g}, "
        f"by central differences {numerical[i][j]:.9g} (atol {atol:g}, rtol {rtol:g}).\n"
        f"numerical (rows: input elements):\n{_show(numerical)}\nanalytical:\n{_show(analytical)}"
    )


def _check(
    func: Callable[..., Any], inputs: tuple[Any, ...], eps: float, atol: float, rtol: float, nondet_tol: float
) -> None:
    checked = _checked(inputs)
    if not checked:
        raise ValueError("gradcheck: at least one input must be a floating tensor with requires_grad=True")
    for i, x in checked:
        if x.dtype != _C.float64 and eps < 1e-4:
            raise ValueError(f"gradcheck: input {i} is {x.dtype}; central differences need float64")
        if any(n > 1 and s == 0 for n, s in zip(x.shape, x.stride(), strict=True)):
            raise ValueError(f"gradcheck: input {i} has elements that share memory; use contiguous()")
    numerical = {i: _numerical(func, inputs, i, eps) for i, _ in checked}
    with enable_grad():
        outputs = _outputs(func, inputs)
        if not outputs:
            raise ValueError("gradcheck: the function returned no floating tensor")
        tensors = [x for _, x in checked]
        for o, output in enumerate(outputs):
            analytical = _analytical(output, tensors)
            again = _analytical(output, tensors)
            for k, (i, x) in enumerate(checked):
                if x.numel() == 0 or output.numel() == 0:
                    continue
                what = f"output {o} with respect to input {i}"
                if _worst(again[k], analytical[k], nondet_tol, 0.0):
                    raise GradcheckError(
                        f"Backward is not reproducible for {what}: two runs differ beyond nondet_tol {nondet_tol:g}"
                    )
                _compare(numerical[i][o], analytical[k], what, atol, rtol)


def gradcheck(
    func: Callable[..., Any],
    inputs: Any,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    fast_mode: bool = False,
) -> bool:
    """True if the gradients of `func` equal central differences at `inputs`; else raises GradcheckError (or False).

    The inputs that require grad must be float64. The last three arguments are PyTorch's; the full check always runs.
    """
    try:
        _check(func, _listed(inputs), eps, atol, rtol, nondet_tol)
    except GradcheckError:
        if raise_exception:
            raise
        return False
    return True


def gradgradcheck(
    func: Callable[..., Any],
    inputs: Any,
    grad_outputs: Any = None,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    gen_non_contig_grad_outputs: bool = False,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    fast_mode: bool = False,
) -> bool:
    """gradcheck of the gradients of `func`, with respect to its inputs and to `grad_outputs` (made up if left out)."""
    listed = _listed(inputs)
    if grad_outputs is None:
        seeds = []
        with enable_grad():
            outputs = _outputs(func, listed)
        for o, t in enumerate(outputs):
            n = t.numel()
            values = [((7 * k + 3 * o) % 11 - 5) / 4 + 0.1 for k in range(n)]  # fixed, of both signs
            seed = _C.tensor(values, dtype=t.dtype, device=t.device).reshape(tuple(t.shape))
            seeds.append(seed.requires_grad_())
        given: tuple[Any, ...] = tuple(seeds)
    else:
        given = _listed(grad_outputs)
    count = len(given)

    def gradients(*args: Any) -> tuple[Any, ...]:
        xs, gs = args[: len(args) - count], args[len(args) - count :]
        xs = tuple(x.detach().requires_grad_() if i in wanted and not x.requires_grad else x for i, x in enumerate(xs))
        with enable_grad():
            outs = _outputs(func, xs)
            used = [(t, g) for t, g in zip(outs, gs, strict=False) if t.requires_grad]
            sources = [xs[i] for i in sorted(wanted)]
            found = grad([t for t, _ in used], sources, [g for _, g in used], create_graph=True, allow_unused=True)
        return tuple(g if g is not None else _C.zeros_like(x) for g, x in zip(found, sources, strict=True))

    wanted = {i for i, _ in _checked(listed)}
    return gradcheck(
        gradients,
        listed + given,
        eps=eps,
        atol=atol,
        rtol=rtol,
        raise_exception=raise_exception,
        nondet_tol=nondet_tol,
    )
