"""grad, vjp, jvp and Jacobians of functions on nested tensors, by reverse mode."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from .. import _C
from .._C import Tensor, is_grad_enabled
from .._grad_mode import enable_grad
from ..autograd.backward import grad as _grad
from ..utils._pytree import Spec, flatten, unflatten

Argnums = int | tuple[int, ...]


class Recording:
    """Variables of one transform. Those that outer code already tracks stay connected to it."""

    def __init__(self) -> None:
        self.outer = is_grad_enabled()
        self.own: list[Tensor] = []

    def variable(self, x: Any, name: str) -> Tensor:
        if not isinstance(x, Tensor) or not x.is_floating_point():
            what = f"{x.dtype} tensor" if isinstance(x, Tensor) else type(x).__name__
            raise TypeError(f"{name}: can only differentiate with respect to floating tensors, got a {what}")
        if self.outer and x.requires_grad:
            connected: Tensor = x.view(x.shape)
            return connected
        leaf: Tensor = x.detach().requires_grad_()
        self.own.append(leaf)
        return leaf

    def keeps(self, tensors: Sequence[Any]) -> bool:
        """Does anything but our own variables take part in the history of these tensors?"""
        tracked = [t for t in tensors if isinstance(t, Tensor) and t.requires_grad]
        return self.outer and bool(tracked) and bool(_C._autograd.reaches_others(tracked, self.own))

    def released(self, tree: Any) -> Any:
        """Without history where only our own variables made it."""
        leaves, spec = flatten(tree)
        return unflatten(
            [t.detach() if isinstance(t, Tensor) and t.requires_grad and not self.keeps([t]) else t for t in leaves],
            spec,
        )


def _pick(args: tuple[Any, ...], argnums: Argnums, name: str) -> list[int]:
    places = [argnums] if isinstance(argnums, int) else list(argnums)
    if not places:
        raise RuntimeError(f"{name}: argnums must not be empty")
    for p in places:
        if not isinstance(p, int) or isinstance(p, bool):
            raise RuntimeError(f"{name}: argnums must be an int or a tuple of ints, got {argnums!r}")
        if not -len(args) <= p < len(args):
            raise RuntimeError(f"{name}: argnums {p} is out of range for {len(args)} positional arguments")
    places = [p % len(args) for p in places]
    if len(set(places)) < len(places):
        raise RuntimeError(f"{name}: argnums {argnums!r} names an argument twice")
    return places


def _pull(
    outputs: list[Tensor], inputs: list[Tensor], seeds: list[Tensor] | None, retain: bool, create: bool
) -> list[Tensor]:
    with enable_grad():
        found = _grad(outputs, inputs, seeds, retain, create, allow_unused=True)
        return [_C.zeros_like(x) if g is None else g for g, x in zip(found, inputs, strict=True)]


class _Call:
    """One recorded call of a function: its variables and outputs, flat, with the shapes of both nests."""

    def __init__(
        self, name: str, func: Callable[..., Any], args: tuple[Any, ...], places: list[int], kwargs: Any, has_aux: bool
    ) -> None:
        self.record = record = Recording()
        leaves, self.in_spec = flatten([args[p] for p in places])
        self.variables = [record.variable(x, name) for x in leaves]
        full = list(args)
        for p, value in zip(places, unflatten(self.variables, self.in_spec), strict=True):
            full[p] = value
        with enable_grad():
            out = func(*full, **kwargs)
        self.aux: Any = None
        if has_aux:
            if not isinstance(out, tuple) or len(out) != 2:
                raise RuntimeError(f"{name}: with has_aux=True the function must return (output, aux)")
            out, self.aux = out
        self.out = out
        self.outputs, self.out_spec = flatten(out)
        for t in self.outputs:
            if not isinstance(t, Tensor):
                raise RuntimeError(f"{name}: the function must return tensors only, got {type(t).__name__}")

    def gradients(
        self, outputs: list[Tensor], seeds: list[Tensor] | None, *, create_graph: bool, retain: bool = True
    ) -> list[Tensor]:
        """d outputs / d variables, zeros where no path leads."""
        pairs = [(o, None if seeds is None else seeds[i]) for i, o in enumerate(outputs) if o.requires_grad]
        if not pairs:
            return [_C.zeros_like(v) for v in self.variables]
        weights = None if seeds is None else [s for _, s in pairs if s is not None]
        return _pull([o for o, _ in pairs], self.variables, weights, retain or create_graph, create_graph)


def grad_and_value(func: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False) -> Callable[..., Any]:
    """A function that returns (gradient, value) of `func`, whose output must be one number.

    With has_aux, `func` returns (output, aux) and the result is (gradient, (value, aux)).
    """

    @functools.wraps(func)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        call = _Call("grad", func, args, _pick(args, argnums, "grad"), kwargs, has_aux)
        if not isinstance(call.out, Tensor) or call.out.dim() != 0:
            shape = tuple(call.out.shape) if isinstance(call.out, Tensor) else type(call.out).__name__
            raise RuntimeError(
                f"grad: the function must return a 0-d tensor (a number), got {shape}. Sum it, or use jacrev"
            )
        found = call.gradients([call.out], None, create_graph=call.record.keeps([call.out]), retain=False)
        nested = unflatten(call.record.released(found), call.in_spec)
        gradient = nested[0] if isinstance(argnums, int) else tuple(nested)
        value = call.record.released(call.out)
        return gradient, (value, call.record.released(call.aux)) if has_aux else value

    return wrapper


def grad(func: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False) -> Callable[..., Any]:
    """A function that returns the gradient of `func` with respect to the arguments that argnums names.

    >>> import lamina
    >>> lamina.func.grad(lambda x: (x**3).sum())(lamina.tensor([1.0, 2.0])).tolist()
    [3.0, 12.0]
    """

    both = grad_and_value(func, argnums, has_aux)

    @functools.wraps(func)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        gradient, value = both(*args, **kwargs)
        return (gradient, value[1]) if has_aux else gradient

    return wrapper


def vjp(func: Callable[..., Any], *primals: Any, has_aux: bool = False) -> tuple[Any, ...]:
    """(func(*primals), vjp_fn[, aux]): vjp_fn(cotangents) is the tuple of products cotangents^T J, one per primal."""
    if not primals:
        raise RuntimeError("vjp: needs at least one primal to differentiate with respect to")
    call = _Call("vjp", func, primals, list(range(len(primals))), {}, has_aux)

    def vjp_fn(cotangents: Any, retain_graph: bool = True, create_graph: bool | None = None) -> tuple[Any, ...]:
        seeds, spec = flatten(cotangents)
        if spec != call.out_spec or len(seeds) != len(call.outputs):
            raise RuntimeError("vjp_fn: the cotangents must be nested like the output of the function")
        create = create_graph if create_graph is not None else call.record.keeps([*call.outputs, *seeds])
        found = call.gradients(call.outputs, seeds, create_graph=create, retain=retain_graph)
        return tuple(unflatten(call.record.released(found), call.in_spec))

    out = call.record.released(call.out)
    return (out, vjp_fn, call.record.released(call.aux)) if has_aux else (out, vjp_fn)


def _push(call: _Call) -> Callable[[list[Tensor], bool], list[Tensor]]:
    """Tangents of the variables -> tangents of the outputs, by the derivative of the reverse pass in its seed."""
    outputs = [o for o in call.outputs if o.requires_grad]
    with enable_grad():
        seeds = [_C.zeros_like(o).requires_grad_() for o in outputs]
        pulled = call.gradients(outputs, seeds, create_graph=True)
    call.record.own += seeds

    def push(tangents: list[Tensor], create_graph: bool) -> list[Tensor]:
        tracked = [(p, t) for p, t in zip(pulled, tangents, strict=True) if p.requires_grad]
        if not tracked:
            return [_C.zeros_like(o) for o in call.outputs]
        found = iter(_pull([p for p, _ in tracked], seeds, [t for _, t in tracked], True, create_graph))
        return [next(found) if o.requires_grad else _C.zeros_like(o) for o in call.outputs]

    return push


def jvp(
    func: Callable[..., Any], primals: Any, tangents: Any, *, strict: bool = False, has_aux: bool = False
) -> tuple[Any, ...]:
    """(func(*primals), J tangents[, aux]). By reverse mode twice: the reverse pass is linear in its seed."""
    if not isinstance(primals, tuple) or not isinstance(tangents, tuple):
        raise RuntimeError("jvp: primals and tangents must be tuples")
    call = _Call("jvp", func, primals, list(range(len(primals))), {}, has_aux)
    flat, spec = flatten(list(tangents))
    if spec != call.in_spec:
        raise RuntimeError("jvp: tangents must be nested like primals")
    for t, v in zip(flat, call.variables, strict=True):
        if tuple(t.shape) != tuple(v.shape):
            raise RuntimeError(f"jvp: a tangent has shape {tuple(t.shape)}, its primal {tuple(v.shape)}")
    if strict and not all(o.requires_grad for o in call.outputs):
        raise RuntimeError("jvp: with strict=True every output must depend on the primals")
    found = _push(call)(flat, call.record.keeps([*call.outputs, *flat]))
    out, moved = call.record.released(call.out), unflatten(call.record.released(found), call.out_spec)
    return (out, moved, call.record.released(call.aux)) if has_aux else (out, moved)


def _one_hots(like: Tensor) -> list[Tensor]:
    rows = _C.eye(like.numel(), dtype=like.dtype, device=like.device)
    return [rows[i].view(like.shape) for i in range(like.numel())]


def _wrap(call: _Call, blocks: list[list[Tensor]], argnums: Argnums) -> Any:
    """blocks[output][variable] -> the output's nest of the arguments' nests."""

    def inner(row: list[Tensor]) -> Any:
        nested = unflatten(call.record.released(row), call.in_spec)
        return nested[0] if isinstance(argnums, int) else tuple(nested)

    return unflatten([inner(row) for row in blocks], call.out_spec)


def reverse_blocks(call: _Call, create: bool) -> list[list[Tensor]]:
    """d output / d variable for all pairs, one reverse pass per output element."""
    blocks = []
    for o in call.outputs:
        rows = [call.gradients([o], [seed], create_graph=create) for seed in _one_hots(o)]
        blocks.append(
            [
                (_C.stack([r[k] for r in rows]) if rows else v.new_zeros((0, *v.shape))).view(*o.shape, *v.shape)
                for k, v in enumerate(call.variables)
            ]
        )
    return blocks


def forward_blocks(call: _Call, create: bool) -> list[list[Tensor]]:
    """The same, one product J e per input element."""
    push = _push(call)
    blocks: list[list[Tensor]] = [[] for _ in call.outputs]
    for k, v in enumerate(call.variables):
        columns = []
        for e in _one_hots(v):
            tangents = [e if i == k else _C.zeros_like(w) for i, w in enumerate(call.variables)]
            columns.append(push(tangents, create))
        for i, o in enumerate(call.outputs):
            block = _C.stack([c[i] for c in columns], -1) if columns else o.new_zeros((*o.shape, 0))
            blocks[i].append(block.view(*o.shape, *v.shape))
    return blocks


def _jacobian(
    name: str,
    blocks: Callable[[_Call, bool], list[list[Tensor]]],
    func: Callable[..., Any],
    argnums: Argnums,
    has_aux: bool,
) -> Callable[..., Any]:
    @functools.wraps(func)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        call = _Call(name, func, args, _pick(args, argnums, name), kwargs, has_aux)
        found = _wrap(call, blocks(call, call.record.keeps(call.outputs)), argnums)
        return (found, call.record.released(call.aux)) if has_aux else found

    return wrapper


def jacrev(
    func: Callable[..., Any], argnums: Argnums = 0, *, has_aux: bool = False, chunk_size: int | None = None
) -> Callable[..., Any]:
    """Jacobian of `func`, of shape output.shape + input.shape, by one reverse pass per output element.

    chunk_size is accepted; the passes run one by one.
    """
    return _jacobian("jacrev", reverse_blocks, func, argnums, has_aux)


def jacfwd(
    func: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False, *, randomness: str = "error"
) -> Callable[..., Any]:
    """Jacobian of `func`, of shape output.shape + input.shape, by one product J e per input element.

    The product comes from differentiating the reverse pass, which costs about two passes. randomness is accepted: the
    function runs once.
    """
    return _jacobian("jacfwd", forward_blocks, func, argnums, has_aux)


def hessian(func: Callable[..., Any], argnums: Argnums = 0) -> Callable[..., Any]:
    """Second derivatives of `func`: jacfwd(jacrev(func))."""
    return jacfwd(jacrev(func, argnums), argnums)


__all__ = ["Recording", "Spec", "grad", "grad_and_value", "hessian", "jacfwd", "jacrev", "jvp", "vjp"]
