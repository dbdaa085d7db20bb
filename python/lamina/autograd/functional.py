"""Jacobians, Hessians and products with them, of functions on tensors or tuples of tensors (torch.autograd.functional)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .. import _C
from .._C import Tensor
from .._grad_mode import enable_grad
from .backward import grad

Tensors = Tensor | tuple[Tensor, ...]
Func = Callable[..., Any]


def _tuple(value: Any, what: str) -> tuple[bool, tuple[Tensor, ...]]:
    """(was it a tuple?, its tensors)."""
    nested = isinstance(value, (tuple, list))
    items = tuple(value) if nested else (value,)
    for i, t in enumerate(items):
        if not isinstance(t, Tensor):
            raise TypeError(f"{what} must be a Tensor or a tuple of Tensors, got {type(t).__name__} at place {i}")
    return nested, items


def _back(nested: bool, items: Sequence[Any]) -> Any:
    return tuple(items) if nested else items[0]


def _variables(inputs: tuple[Tensor, ...], create_graph: bool, need_graph: bool = True) -> tuple[Tensor, ...]:
    """Inputs to differentiate by: connected to their own history where create_graph asks for it."""
    return tuple(
        x.view(x.shape) if create_graph and x.requires_grad else x.detach().requires_grad_(need_graph) for x in inputs
    )


def _run(name: str, func: Func, variables: tuple[Tensor, ...]) -> tuple[bool, tuple[Tensor, ...]]:
    return _tuple(func(*variables), f"{name}: the output of the function")


def _single(name: str, outputs: tuple[Tensor, ...]) -> None:
    if len(outputs) != 1 or outputs[0].numel() != 1:
        raise RuntimeError(f"{name}: the function must return one tensor with one element")


def _independent(name: str, what: str) -> RuntimeError:
    return RuntimeError(
        f"{name}: {what}. This is not allowed with strict=True; strict=False takes its derivative as zero"
    )


def _gradients(
    outputs: Sequence[Tensor],
    variables: Sequence[Tensor],
    seeds: Sequence[Tensor] | None,
    create_graph: bool,
    strict: str = "",
) -> list[Tensor]:
    """d outputs / d variables, zeros for missing paths; with `strict` (the function's name) those raise."""
    pairs = [(o, None if seeds is None else seeds[i]) for i, o in enumerate(outputs) if o.requires_grad]
    if strict and len(pairs) < len(outputs):
        raise _independent(strict, "an output does not depend on the inputs")
    if not pairs:
        return [_C.zeros_like(v) for v in variables]
    weights = None if seeds is None else [s for _, s in pairs if s is not None]
    found = grad(
        [o for o, _ in pairs], list(variables), weights, retain_graph=True, create_graph=create_graph, allow_unused=True
    )
    for i, g in enumerate(found):
        if strict and g is None:
            raise _independent(strict, f"the output does not depend on input {i}")
        if strict and create_graph and g is not None and not g.requires_grad:
            raise _independent(strict, f"the derivative by input {i} does not depend on the inputs")
    return [_C.zeros_like(v) if g is None else g for g, v in zip(found, variables, strict=True)]


def _done(create_graph: bool, items: Sequence[Tensor]) -> list[Tensor]:
    return [t if create_graph else t.detach() for t in items]


def _vectors(name: str, v: Any, like: tuple[Tensor, ...], nested: bool) -> tuple[Tensor, ...]:
    if v is None:
        if len(like) != 1 or like[0].numel() != 1:
            raise RuntimeError(f"{name}: v may be left out only where it has one element")
        return (_C.ones_like(like[0]),)
    _, vs = _tuple(v, f"{name}: v")
    if len(vs) != len(like):
        raise RuntimeError(f"{name}: v has {len(vs)} tensors, expected {len(like)}")
    for a, b in zip(vs, like, strict=True):
        if tuple(a.shape) != tuple(b.shape):
            raise RuntimeError(f"{name}: v has shape {tuple(a.shape)}, expected {tuple(b.shape)}")
    return vs


def vjp(func: Func, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False) -> tuple[Any, Any]:
    """(func(inputs), v^T J)."""
    nested, items = _tuple(inputs, "vjp: inputs")
    with enable_grad():
        variables = _variables(items, create_graph)
        many, outputs = _run("vjp", func, variables)
        found = _gradients(outputs, variables, _vectors("vjp", v, outputs, many), create_graph, "vjp" if strict else "")
    return _back(many, _done(create_graph, outputs)), _back(nested, _done(create_graph, found))


def _pushforward(
    name: str,
    outputs: Sequence[Tensor],
    variables: Sequence[Tensor],
    tangents: Sequence[Tensor],
    create_graph: bool,
    strict: bool,
) -> list[Tensor]:
    """J tangents: the reverse pass is linear in its seed, and the derivative of a linear map is the map."""
    seeds = [_C.zeros_like(o).requires_grad_() for o in outputs]
    pulled = _gradients(outputs, variables, seeds, True, name if strict else "")
    tracked = [(p, t) for p, t in zip(pulled, tangents, strict=True) if p.requires_grad]
    if not tracked:
        return [_C.zeros_like(o) for o in outputs]
    found = grad(
        [p for p, _ in tracked],
        seeds,
        [t for _, t in tracked],
        retain_graph=True,
        create_graph=create_graph,
        allow_unused=True,
    )
    return [_C.zeros_like(o) if g is None else g for g, o in zip(found, outputs, strict=True)]


def jvp(func: Func, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False) -> tuple[Any, Any]:
    """(func(inputs), J v), by reverse mode twice."""
    nested, items = _tuple(inputs, "jvp: inputs")
    with enable_grad():
        variables = _variables(items, create_graph)
        many, outputs = _run("jvp", func, variables)
        tangents = _vectors("jvp", v, items, nested)
        found = _pushforward("jvp", outputs, variables, tangents, create_graph, strict)
    return _back(many, _done(create_graph, outputs)), _back(many, _done(create_graph, found))


def _basis(like: Tensor) -> list[Tensor]:
    rows = _C.eye(like.numel(), dtype=like.dtype, device=like.device)
    return [rows[i].view(like.shape) for i in range(like.numel())]


def jacobian(
    func: Func,
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    strategy: str = "reverse-mode",
) -> Any:
    """Jacobians: of shape output.shape + input.shape for tensors, a tuple per output and input for tuples.

    strategy 'reverse-mode' takes one backward per output element, 'forward-mode' one product J e per input element.
    vectorize is accepted; the passes run one by one.
    """
    if strategy not in ("reverse-mode", "forward-mode"):
        raise ValueError(f"jacobian: strategy must be 'reverse-mode' or 'forward-mode', got {strategy!r}")
    nested, items = _tuple(inputs, "jacobian: inputs")
    with enable_grad():
        variables = _variables(items, create_graph)
        many, outputs = _run("jacobian", func, variables)
        rows: list[list[Tensor]] = []
        if strategy == "reverse-mode":
            for o in outputs:
                passes = [
                    _gradients([o], variables, [e], create_graph, "jacobian" if strict else "") for e in _basis(o)
                ]
                rows.append([_joined([p[k] for p in passes], 0, o, v) for k, v in enumerate(variables)])
        else:
            rows = [[] for _ in outputs]
            for k, v in enumerate(variables):
                columns = []
                for e in _basis(v):
                    tangents = [e if i == k else _C.zeros_like(w) for i, w in enumerate(variables)]
                    columns.append(_pushforward("jacobian", outputs, variables, tangents, create_graph, strict))
                for i, o in enumerate(outputs):
                    rows[i].append(_joined([c[i] for c in columns], -1, o, v))
    return _back(many, [_back(nested, _done(create_graph, row)) for row in rows])


def _joined(parts: list[Tensor], dim: int, output: Tensor, variable: Tensor) -> Tensor:
    shape = (*output.shape, *variable.shape)
    return _C.stack(parts, dim).view(*shape) if parts else output.new_zeros(shape)


def hessian(
    func: Func,
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    outer_jacobian_strategy: str = "reverse-mode",
) -> Any:
    """Second derivatives of a function of one number: the Jacobian of its gradient."""
    nested, items = _tuple(inputs, "hessian: inputs")

    def gradient(*args: Tensor) -> tuple[Tensor, ...]:
        _, outputs = _run("hessian", func, args)
        _single("hessian", outputs)
        return tuple(_gradients(outputs, args, [_C.ones_like(outputs[0])], True, "hessian" if strict else ""))

    found = jacobian(gradient, items, create_graph, strict, vectorize, outer_jacobian_strategy)
    return found if nested else found[0][0]


def vhp(func: Func, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False) -> tuple[Any, Any]:
    """(func(inputs), v^T H) for the Hessian H of a function of one number."""
    nested, items = _tuple(inputs, "vhp: inputs")
    with enable_grad():
        variables = _variables(items, create_graph)
        many, outputs = _run("vhp", func, variables)
        _single("vhp", outputs)
        first = _gradients(outputs, variables, [_C.ones_like(outputs[0])], True, "vhp" if strict else "")
        vectors = _vectors("vhp", v, items, nested)
        found = _gradients(first, variables, vectors, create_graph, "vhp" if strict else "")
    return _back(many, _done(create_graph, outputs)), _back(nested, _done(create_graph, found))


def hvp(func: Func, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False) -> tuple[Any, Any]:
    """(func(inputs), H v): vhp, as a Hessian is symmetric."""
    return vhp(func, inputs, v, create_graph, strict)
