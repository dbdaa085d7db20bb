"""Nested tuples, lists, dicts and named tuples taken apart into leaves and put together again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class Spec:
    """The shape of a nest: None for a leaf, else how to build the container and the shapes of its items."""

    __slots__ = ("build", "items", "kind")

    def __init__(self, kind: Any, build: Callable[[list[Any]], Any], items: list[Spec | None]) -> None:
        self.kind = kind
        self.build = build
        self.items = items

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Spec) and self.kind == other.kind and self.items == other.items

    __hash__ = None  # type: ignore[assignment]

    @property
    def num_leaves(self) -> int:
        return _count(self)


REGISTERED: dict[type, tuple[Callable[[Any], Any], Callable[[Any, Any], Any]]] = {}  # class -> how to open and build


def _open(tree: Any) -> tuple[list[Any], Spec] | None:
    make: Any
    if type(tree) in REGISTERED:
        apart, make = REGISTERED[type(tree)]
        values, context = apart(tree)
        return list(values), Spec((type(tree), context), lambda v: make(v, context), [])
    if isinstance(tree, dict):
        keys = list(tree)
        make = type(tree)
        return list(tree.values()), Spec((make, tuple(keys)), lambda v: make(zip(keys, v, strict=True)), [])
    if isinstance(tree, tuple) and hasattr(tree, "_fields"):
        make = type(tree)
        return list(tree), Spec((make, len(tree)), lambda v: make(*v), [])
    if isinstance(tree, (tuple, list)):
        plain = tuple if isinstance(tree, tuple) else list
        return list(tree), Spec((plain, len(tree)), plain, [])
    return None


def flatten(tree: Any, is_leaf: Callable[[Any], bool] | None = None) -> tuple[list[Any], Spec | None]:
    """The leaves from left to right, and what unflatten needs to nest them again; is_leaf(x) says to stop earlier."""
    opened = None if is_leaf is not None and is_leaf(tree) else _open(tree)
    if opened is None:
        return [tree], None
    values, spec = opened
    leaves: list[Any] = []
    for v in values:
        inner, shape = flatten(v, is_leaf)
        leaves += inner
        spec.items.append(shape)
    return leaves, spec


def unflatten(leaves: list[Any], spec: Spec | None) -> Any:
    rest = iter(leaves)

    def build(s: Spec | None) -> Any:
        return next(rest) if s is None else s.build([build(i) for i in s.items])

    return build(spec)


def tree_map(function: Callable[..., Any], tree: Any, *rests: Any, is_leaf: Callable[[Any], bool] | None = None) -> Any:
    """function(leaf) in place of each leaf; further nests of the same shape give further arguments."""
    leaves, spec = flatten(tree, is_leaf)
    columns = [leaves, *(broadcast(rest, spec, "tree_map") for rest in rests)]
    return unflatten([function(*row) for row in zip(*columns, strict=True)], spec)


def broadcast(prefix: Any, spec: Spec | None, what: str) -> list[Any]:
    """One value of `prefix` per leaf: a value that stands where `spec` has a container counts for all of it."""
    if spec is None:
        if isinstance(prefix, (tuple, list, dict)):
            raise ValueError(f"{what}: {prefix!r} is nested deeper than the values it belongs to")
        return [prefix]
    opened = _open(prefix)
    if opened is None:
        return [prefix] * _count(spec)
    values, own = opened
    if own.kind[1] != spec.kind[1]:
        raise ValueError(f"{what}: {prefix!r} does not have the structure of the values it belongs to")
    return [leaf for v, s in zip(values, spec.items, strict=True) for leaf in broadcast(v, s, what)]


def _count(spec: Spec | None) -> int:
    return 1 if spec is None else sum(_count(s) for s in spec.items)


def __getattr__(name: str) -> object:
    from .._missing import later

    return later(__name__, name)
