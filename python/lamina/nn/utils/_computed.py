"""Weights that a hook computes before every call, and the older and newer names of what they are computed from."""

from __future__ import annotations

from typing import Any, TypeVar

import lamina

from ..._C import Tensor
from ..parameter import Parameter

C = TypeVar("C", bound="Computed")


class Computed:
    """A forward pre-hook that sets `module.<name>`; copies and pickles of the module compute it again."""

    def __init__(self, name: str) -> None:
        self.name = name

    @property
    def computed_name(self) -> str:
        return self.name

    def compute_weight(self, module: Any) -> Tensor:
        raise NotImplementedError

    def restore(self, module: Any) -> None:
        """Sets the attribute of a copied module, without a step of what training moves."""
        setattr(module, self.name, self.compute_weight(module))

    def __call__(self, module: Any, inputs: Any) -> None:
        setattr(module, self.name, self.compute_weight(module))


def install(module: Any, hook: Computed) -> None:
    module.register_forward_pre_hook(hook)
    hook.restore(module)


def found(module: Any, kind: type[C], name: str) -> C | None:
    """The hook of that kind that computes `module.<name>`."""
    hooks = module._hooks.forward_pre.values() if module._hooks is not None else ()
    return next((hook for hook in hooks if isinstance(hook, kind) and hook.name == name), None)


def taken(module: Any, name: str, what: str) -> Tensor:
    """The parameter, which is no attribute of the module any more."""
    if found(module, Computed, name) is not None:
        raise RuntimeError(f"{what}: {type(module).__name__}.{name} is already reparametrised")
    if name not in module._parameter_names or module.__dict__[name] is None:
        raise ValueError(f"{what}: {type(module).__name__} has no parameter {name!r}")
    weight: Tensor = module.__dict__[name]
    delattr(module, name)
    return weight


def remove(module: Any, kind: type[Computed], name: str, parts: tuple[str, ...], what: str) -> Any:
    """A plain parameter again, with the present value."""
    hook = found(module, kind, name)
    if hook is None:
        raise ValueError(f"{what}: {type(module).__name__} has none for {name!r}")
    with lamina.no_grad():
        hook.restore(module)
    weight = module.__dict__[name]
    table = module._hooks.forward_pre
    for key in [key for key, other in table.items() if other is hook]:
        del table[key]
    for part in (name, *(name + part for part in parts)):
        delattr(module, part)
    module.register_parameter(name, Parameter(weight.detach()))
    return module


class OtherNames:
    """A hook on load_state_dict: keys of the other form of a reparametrised weight get the names of this one."""

    def __init__(self, pairs: dict[str, str]) -> None:
        self.pairs = pairs  # other name -> name here, below the module's prefix

    def __call__(self, state_dict: dict[str, Any], prefix: str, *rest: Any) -> None:
        if all(prefix + other in state_dict for other in self.pairs):
            for other, here in self.pairs.items():
                state_dict[prefix + here] = state_dict.pop(prefix + other)
