"""The parameters, buffers and children of one module as the dicts that programs write to.

The values live in the module's own `__dict__`; `_parameter_names` and its kin say which they are. A table is a view of
both, made when somebody asks for `module._parameters`: what is written to it is written to the module.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import ItemsView, Iterable, Iterator, KeysView, Mapping, MutableMapping, MutableSet, ValuesView
from typing import Any

NAMES = {"parameter": "_parameter_names", "buffer": "_buffer_names", "module": "_module_names"}


class _Values(ValuesView[Any]):
    def __reversed__(self) -> Iterator[Any]:
        return (self._mapping[key] for key in reversed(self._mapping))  # type: ignore[attr-defined]


class _Items(ItemsView[str, Any]):
    def __reversed__(self) -> Iterator[tuple[str, Any]]:
        return ((key, self._mapping[key]) for key in reversed(self._mapping))  # type: ignore[attr-defined]


class Table(MutableMapping[str, Any]):
    """One kind of members of a module, in the order in which they were registered."""

    __slots__ = ("_kind", "_own")

    def __init__(self, own: dict[str, Any], kind: str) -> None:
        self._own, self._kind = own, kind

    @property
    def _names(self) -> dict[str, Any]:
        names: dict[str, Any] = self._own[NAMES[self._kind]]
        return names

    def __getitem__(self, key: str) -> Any:
        if key not in self._names:
            raise KeyError(key)
        return self._own[key]

    def __setitem__(self, key: str, value: Any) -> None:
        register(self._own, self._kind, key, value)

    def __delitem__(self, key: str) -> None:
        del self._names[key]
        self._own.pop(key, None)

    def __contains__(self, key: object) -> bool:
        return key in self._names

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __reversed__(self) -> Iterator[str]:
        return reversed(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def keys(self) -> KeysView[str]:
        return self._names.keys()

    def values(self) -> _Values:
        return _Values(self)

    def items(self) -> _Items:
        return _Items(self)

    def __repr__(self) -> str:
        return repr(self.copy())

    def copy(self) -> OrderedDict[str, Any]:
        """A dict of its own."""
        return OrderedDict(self.items())

    def move_to_end(self, key: str, last: bool = True) -> None:
        """Moves a member to the last place, or to the first."""
        names = self._names
        note = names.pop(key)
        later = {} if last else dict(names)
        if not last:
            names.clear()
        names[key] = note
        names.update(later)

    __copy__ = copy

    def __reduce__(self) -> tuple[Any, ...]:
        return OrderedDict, (list(self.items()),)


class NotPersistent(MutableSet[str]):
    """The names of buffers that stay out of the state_dict."""

    __slots__ = ("_names",)

    def __init__(self, names: dict[str, bool]) -> None:
        self._names = names

    @classmethod
    def _from_iterable(cls, it: Iterable[Any]) -> Any:  # what `|` and its kin give
        return set(it)

    def __contains__(self, name: object) -> bool:
        return self._names.get(name, True) is False  # type: ignore[call-overload]

    def __iter__(self) -> Iterator[str]:
        return (name for name, persistent in self._names.items() if not persistent)

    def __len__(self) -> int:
        return sum(not persistent for persistent in self._names.values())

    def __repr__(self) -> str:
        return repr(set(self))

    def add(self, value: str) -> None:
        if value not in self._names:
            raise KeyError(f"_non_persistent_buffers_set: there is no buffer {value!r}; register it first")
        self._names[value] = False

    def discard(self, value: str) -> None:
        if value in self._names:
            self._names[value] = True


def register(own: dict[str, Any], kind: str, name: str, value: Any, persistent: bool | None = None) -> None:
    """Makes `name` a member of that kind and of no other; a buffer that is replaced stays (not) persistent."""
    table = NAMES[kind]
    for other in NAMES.values():
        if other is not table:
            own[other].pop(name, None)
    names = own[table]
    if kind == "buffer":
        names[name] = names.get(name, True) if persistent is None else persistent
    else:
        names[name] = None
    own[name] = value


def replace(own: dict[str, Any], kind: str, members: Mapping[str, Any]) -> None:
    """Makes `members` all of that kind; the list of names is a new one, since a copied `__dict__` may share it."""
    old, values = own.get(NAMES[kind], {}), dict(members)
    for name in old:
        own.pop(name, None)
    for table in NAMES.values():  # those who share the old lists keep them
        own[table] = dict(own.get(table, ()))
    own[NAMES[kind]] = {name: old.get(name, True) if kind == "buffer" else None for name in values if name in old}
    for name, value in values.items():
        register(own, kind, name, value)
