"""Models as functions of their parameters: functional_call, stack_module_state."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .. import _C
from .._C import Tensor
from ..nn.module import Module


def _places(module: Module) -> dict[str, tuple[Module, str]]:
    """Where each parameter and buffer lives, by every dotted name it has."""
    found = {}
    for path, owner in module.named_modules(remove_duplicate=False):
        for name in (*owner._parameter_names, *owner._buffer_names):
            if owner.__dict__[name] is not None:
                found[f"{path}.{name}" if path else name] = (owner, name)
    return found


def functional_call(
    module: Module,
    parameter_and_buffer_dicts: dict[str, Tensor] | Sequence[dict[str, Tensor]],
    args: Any = None,
    kwargs: dict[str, Any] | None = None,
    *,
    tie_weights: bool = True,
    strict: bool = False,
) -> Any:
    """module(*args, **kwargs) with the given tensors in place of its parameters and buffers, which come back afterwards.

    Tensors that the module shares under several names are replaced everywhere by one name (tie_weights). The module
    itself is changed for the time of the call: do not call it from another thread meanwhile.
    """
    if isinstance(parameter_and_buffer_dicts, dict):
        given = dict(parameter_and_buffer_dicts)
    else:
        given = {}
        for d in parameter_and_buffer_dicts:
            twice = given.keys() & d.keys()
            if twice:
                raise ValueError(f"functional_call: {sorted(twice)} appear in several dictionaries")
            given.update(d)
    places = _places(module)
    unexpected = sorted(given.keys() - places.keys())
    if strict:
        tied = {id(places[n][0].__dict__[places[n][1]]) for n in given if n in places} if tie_weights else set()
        missing = [n for n, (m, k) in places.items() if n not in given and id(m.__dict__[k]) not in tied]
        if unexpected or missing:
            raise RuntimeError(f"functional_call: strict=True, unexpected keys {unexpected}, missing keys {missing}")
    replaced = {n: v for n, v in given.items() if n in places}
    if tie_weights:
        by_tensor: dict[int, Tensor] = {}
        for name, value in replaced.items():
            owner, key = places[name]
            known = by_tensor.setdefault(id(owner.__dict__[key]), value)
            if known is not value:
                raise ValueError(f"functional_call: {name} is tied to another name that got a different tensor")
        for name, (owner, key) in places.items():
            if name not in replaced and id(owner.__dict__[key]) in by_tensor:
                replaced[name] = by_tensor[id(owner.__dict__[key])]
    before = [(places[n][0], places[n][1], places[n][0].__dict__[places[n][1]]) for n in replaced]
    values = () if args is None else args if isinstance(args, tuple) else (args,)
    try:
        for (owner, key, _), value in zip(before, replaced.values(), strict=True):
            owner.__dict__[key] = value
        return module(*values, **(kwargs or {}))
    finally:
        for owner, key, old in before:
            owner.__dict__[key] = old


def stack_module_state(models: Sequence[Module]) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """(parameters, buffers) of models of one class, each stacked along a new first dim: for vmap over an ensemble."""
    if not models:
        raise RuntimeError("stack_module_state: needs at least one model")
    if any(m.training != models[0].training for m in models):
        raise RuntimeError("stack_module_state: all models must be in the same mode, training or eval")
    if any(type(m) is not type(models[0]) for m in models):
        raise RuntimeError("stack_module_state: all models must be of one class")
    parameters = {}
    for name, first in models[0].named_parameters():
        column = [dict(m.named_parameters())[name] for m in models]
        if any(p.requires_grad != first.requires_grad for p in column):
            raise RuntimeError(f"stack_module_state: {name} requires grad in some models only")
        parameters[name] = _C.stack([p.detach() for p in column]).requires_grad_(first.requires_grad)
    buffers = {name: _C.stack([dict(m.named_buffers())[name] for m in models]) for name, _ in models[0].named_buffers()}
    return parameters, buffers
