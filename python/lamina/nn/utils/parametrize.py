"""Parametrisations: an attribute that modules compute from the parameters `parametrizations.<name>.original`."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import lamina

from ..._C import Tensor
from ..containers import ModuleDict, ModuleList
from ..module import Module
from ..parameter import Parameter

_cache: dict[tuple[int, str], Tensor] = {}
_caching = 0


@contextmanager
def cached() -> Iterator[None]:
    """Inside, each parametrised attribute is computed once."""
    global _caching
    _caching += 1
    try:
        yield
    finally:
        _caching -= 1
        if not _caching:
            _cache.clear()


def _inverse(module: Any, value: Any) -> Any:
    inverse = getattr(module, "right_inverse", None)
    return value if inverse is None else inverse(value)


class ParametrizationList(ModuleList):
    """The modules of one attribute, in order, and the parameters they start from."""

    def __init__(self, modules: list[Module], original: Tensor) -> None:
        super().__init__(modules)
        trained = isinstance(original, Parameter) and original.requires_grad
        with lamina.no_grad():
            value: Any = original
            for module in reversed(modules):
                value = _inverse(module, value)
        self.is_tensor = isinstance(value, Tensor)
        parts = {"original": value} if self.is_tensor else {f"original{i}": v for i, v in enumerate(value)}
        self._parts = list(parts)
        for name, part in parts.items():
            if isinstance(original, Parameter):
                keep = isinstance(part, Parameter)
                self.register_parameter(name, part if keep else Parameter(part.detach(), requires_grad=trained))
            else:
                self.register_buffer(name, part)

    def forward(self) -> Tensor:
        modules = list(self)
        if not modules:
            return self.__dict__["original"]  # type: ignore[no-any-return]
        value: Tensor = modules[0](*(getattr(self, part) for part in self._parts))
        for module in modules[1:]:
            value = module(value)
        return value

    def right_inverse(self, value: Any) -> None:
        """Sets the originals so that the attribute becomes `value`."""
        with lamina.no_grad():
            for module in reversed(list(self)):
                value = _inverse(module, value)
            for part, new in zip(self._parts, [value] if self.is_tensor else value, strict=True):
                getattr(self, part).copy_(new)


def _computed(name: str) -> property:
    def get(self: Any) -> Tensor:
        if not _caching:
            return self.parametrizations[name]()  # type: ignore[no-any-return]
        key = (id(self), name)
        if key not in _cache:
            _cache[key] = self.parametrizations[name]()
        return _cache[key]

    def put(self: Any, value: Tensor) -> None:
        self.parametrizations[name].right_inverse(value)

    return property(get, put)


class _Parametrized:
    """What the class of a parametrised module adds to the class before: `_before`, and the names in `_computed`."""

    _before: type
    _computed: tuple[str, ...]

    def __setattr__(self, name: str, value: Any) -> None:
        if name in type(self)._computed:
            object.__setattr__(self, name, value)
        else:
            super().__setattr__(name, value)

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        return _new, (self._before, self._computed), self.__getstate__()


@functools.lru_cache(maxsize=256)
def _class(before: type, names: tuple[str, ...]) -> type:
    """The class of modules whose attributes `names` are computed; two modules may have it."""
    body = {"_before": before, "_computed": names, "__module__": before.__module__}
    return type(f"Parametrized{before.__name__}", (_Parametrized, before), body | {n: _computed(n) for n in names})


def _new(before: type, names: tuple[str, ...]) -> Any:
    """For copy and pickle."""
    kind: Any = _class(before, names)
    return kind.__new__(kind)


def register_parametrization(module: Any, tensor_name: str, parametrization: Module, *, unsafe: bool = False) -> Any:
    """From now on module.<tensor_name> is parametrization(original); several are chained.

    >>> import lamina
    >>> from lamina import nn
    >>> class Symmetric(nn.Module):
    ...     def forward(self, x):
    ...         return x.triu() + x.triu(1).t()
    >>> layer = nn.utils.parametrize.register_parametrization(nn.Linear(3, 3), "weight", Symmetric())
    >>> bool((layer.weight == layer.weight.t()).all()), sorted(layer.state_dict())
    (True, ['bias', 'parametrizations.weight.original'])
    """
    parametrization.train(module.training)
    if is_parametrized(module, tensor_name):
        module.parametrizations[tensor_name].append(parametrization)
        return module
    if tensor_name not in module._parameter_names and tensor_name not in module._buffer_names:
        raise ValueError(
            f"register_parametrization: {type(module).__name__} has no parameter or buffer {tensor_name!r}"
        )
    original = module.__dict__[tensor_name]
    chain = ParametrizationList([parametrization], original)
    if not unsafe:
        with lamina.no_grad():
            shape = tuple(chain().shape)
        if shape != tuple(original.shape):
            raise ValueError(
                f"register_parametrization: {tensor_name!r} has shape {tuple(original.shape)}, the parametrisation "
                f"gives {shape}; unsafe=True allows it"
            )
    delattr(module, tensor_name)
    if not is_parametrized(module):
        module.parametrizations = ModuleDict()
    names = (*getattr(type(module), "_computed", ()), tensor_name)
    module.__class__ = _class(type_before_parametrizations(module), names)
    module.parametrizations[tensor_name] = chain
    return module


def parametrized_again(module: Any, names: list[str]) -> None:
    """For a module that was read from a file: its parametrizations, which it holds, compute those attributes again."""
    chains = module.__dict__.get("parametrizations")
    for name in names:
        static = any(name in vars(base) for base in type.mro(type(module)))
        if not isinstance(chains, ModuleDict) or type(name) is not str or name not in chains or static:
            raise ValueError("parametrizations that the module does not hold")
    before: Any = type(module)
    module.__class__ = _class(before, tuple(names))


def is_parametrized(module: Any, tensor_name: str | None = None) -> bool:
    """Whether the module has parametrisations (of that attribute)."""
    if not isinstance(module, _Parametrized):
        return False
    return tensor_name is None or tensor_name in type(module)._computed


def type_before_parametrizations(module: Any) -> type:
    """The class that the module had before."""
    return module._before if isinstance(module, _Parametrized) else type(module)


def remove_parametrizations(module: Any, tensor_name: str, leave_parametrized: bool = True) -> Any:
    """A plain parameter again: the computed value, or the original."""
    if not is_parametrized(module, tensor_name):
        raise ValueError(f"remove_parametrizations: {type(module).__name__}.{tensor_name} is not parametrised")
    chain = module.parametrizations[tensor_name]
    if not leave_parametrized and not chain.is_tensor:
        raise ValueError("remove_parametrizations: the original is several tensors; leave_parametrized must be True")
    with lamina.no_grad():
        value = chain() if leave_parametrized else chain.original
    trained = chain._parts[0] in chain._parameter_names
    requires = getattr(chain, chain._parts[0]).requires_grad
    del module.parametrizations[tensor_name]
    before, names = module._before, tuple(n for n in module._computed if n != tensor_name)
    if not names:
        delattr(module, "parametrizations")
    module.__class__ = _class(before, names) if names else before
    if trained:
        module.register_parameter(tensor_name, Parameter(value.detach(), requires_grad=requires))
    else:
        module.register_buffer(tensor_name, value)
    return module
