"""Modules that hold modules: Sequential, ModuleList, ModuleDict."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, overload

from .module import Module


class _Numbered(Module):
    """Children named "0", "1", ... with the manners of a list."""

    def _items(self) -> list[Module]:
        return [self.__dict__[name] for name in self._module_names]

    def _renumber(self, items: Iterable[Module]) -> None:
        items = list(items)
        for item in items:
            if not isinstance(item, Module):
                raise TypeError(f"'{type(item).__name__}' is not a Module subclass")
        for name in list(self._module_names):
            delattr(self, name)
        for i, item in enumerate(items):
            self._register("module", str(i), item)

    def __len__(self) -> int:
        return len(self._module_names)

    def __iter__(self) -> Iterator[Module]:
        return iter(self._items())

    def _position(self, index: int) -> str:
        count = len(self)
        if not -count <= index < count:
            raise IndexError(f"index {index} is out of range for {type(self).__name__} of {count} modules")
        return list(self._module_names)[index]

    @overload
    def __getitem__(self, index: int) -> Module: ...
    @overload
    def __getitem__(self, index: slice) -> _Numbered: ...
    def __getitem__(self, index: int | slice) -> Module:
        if isinstance(index, slice):
            part = type(self).__new__(type(self))
            Module.__init__(part)
            for name in list(self._module_names)[index] if isinstance(self, Sequential) else ():
                part._register("module", name, self.__dict__[name])  # names are kept, as PyTorch does
            if not isinstance(self, Sequential):
                part._renumber(self._items()[index])
            return part
        found: Module = self.__dict__[self._position(index.__index__())]
        return found

    def __setitem__(self, index: int, module: Module) -> None:
        setattr(self, self._position(index.__index__()), module)

    def __delitem__(self, index: int | slice) -> None:
        items = self._items()
        if not isinstance(index, slice):
            self._position(index.__index__())
        del items[index]
        self._renumber(items)

    def append(self, module: Module) -> Any:
        self.add_module(str(len(self)), module)
        return self

    def insert(self, index: int, module: Module) -> Any:
        count = len(self)
        if not -count <= index <= count:
            raise IndexError(f"index {index} is out of range for {type(self).__name__} of {count} modules")
        items = self._items()
        items.insert(index, module)
        self._renumber(items)
        return self

    def extend(self, modules: Iterable[Module]) -> Any:
        if not isinstance(modules, Iterable):
            raise TypeError(f"extend should be called with an iterable, but got {type(modules).__name__}")
        for module in list(modules):
            self.append(module)
        return self

    def pop(self, index: int = -1) -> Module:
        item = self[index]
        del self[index]
        return item


class Sequential(_Numbered):
    """Calls its modules one after the other: input of the first -> output of the last.

    >>> import lamina
    >>> from lamina import nn
    >>> nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))(lamina.zeros(3, 4)).shape
    (3, 2)
    """

    def __init__(self, *args: Module | Mapping[str, Module]) -> None:
        super().__init__()
        if len(args) == 1 and isinstance(args[0], Mapping):
            for name, module in args[0].items():
                self.add_module(name, module)
        else:
            for i, arg in enumerate(args):
                self.add_module(str(i), arg)  # type: ignore[arg-type]

    def forward(self, input: Any) -> Any:
        own = self.__dict__
        for name in self._module_names:
            input = own[name](input)
        return input

    def __add__(self, other: Sequential) -> Sequential:
        if not isinstance(other, Sequential):
            return NotImplemented
        return Sequential(*self, *other)

    def __iadd__(self, other: Sequential) -> Sequential:
        if not isinstance(other, Sequential):
            return NotImplemented
        self.extend(other)
        return self

    def __mul__(self, times: int) -> Sequential:
        """The same modules, one run after the other."""
        if not isinstance(times, int):
            return NotImplemented
        if times <= 0:
            raise ValueError(f"Sequential: cannot be repeated {times} times")
        return Sequential(*(list(self) * times))

    __rmul__ = __mul__

    def __imul__(self, times: int) -> Sequential:
        repeated = self.__mul__(times)
        return repeated if repeated is NotImplemented else self.extend(list(repeated)[len(self) :])


class ModuleList(_Numbered):
    """A list of modules whose parameters are found; it has no forward.

    >>> from lamina import nn
    >>> len(nn.ModuleList([nn.ReLU(), nn.Tanh()]))
    2
    """

    _collapse_repr = True

    def __init__(self, modules: Iterable[Module] | None = None) -> None:
        super().__init__()
        if modules is not None:
            self.extend(modules)

    def __iadd__(self, modules: Iterable[Module]) -> ModuleList:
        self.extend(modules)
        return self

    def __add__(self, other: Iterable[Module]) -> ModuleList:
        return ModuleList([*self, *other])


class ModuleDict(Module):
    """A dict of modules whose parameters are found; it has no forward.

    >>> from lamina import nn
    >>> sorted(nn.ModuleDict({"act": nn.ReLU(), "out": nn.Linear(2, 1)}))
    ['act', 'out']
    """

    def __init__(self, modules: Mapping[str, Module] | Iterable[tuple[str, Module]] | None = None) -> None:
        super().__init__()
        if modules is not None:
            self.update(modules)

    def __getitem__(self, key: str) -> Module:
        if key not in self._module_names:
            raise KeyError(key)
        found: Module = self.__dict__[key]
        return found

    def __setitem__(self, key: str, module: Module) -> None:
        self.add_module(key, module)

    def __delitem__(self, key: str) -> None:
        if key not in self._module_names:
            raise KeyError(key)
        delattr(self, key)

    def __len__(self) -> int:
        return len(self._module_names)

    def __iter__(self) -> Iterator[str]:
        return iter(list(self._module_names))

    def __contains__(self, key: object) -> bool:
        return key in self._module_names

    def keys(self) -> Iterable[str]:
        return self._modules.keys()

    def values(self) -> Iterable[Module | None]:
        return self._modules.values()

    def items(self) -> Iterable[tuple[str, Module | None]]:
        return self._modules.items()

    def clear(self) -> None:
        for key in self:
            delattr(self, key)

    def pop(self, key: str) -> Module:
        item = self[key]
        del self[key]
        return item

    def update(self, modules: Mapping[str, Module] | Iterable[tuple[str, Module]]) -> None:
        for key, module in modules.items() if isinstance(modules, Mapping) else modules:
            self.add_module(key, module)
