"""torch.utils._pytree under PyTorch's names, over lamina's own nests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from ..utils import _pytree
from ..utils._pytree import Spec as TreeSpec
from ..utils._pytree import flatten, unflatten

PyTree = Any
LeafSpec = type(None)  # the shape of a leaf is None
SUPPORTED_NODES = _pytree.REGISTERED


def register_pytree_node(
    cls: type,
    flatten_fn: Callable[[Any], tuple[list[Any], Any]],
    unflatten_fn: Callable[[Any, Any], Any],
    **kwargs: Any,
) -> None:
    """Nests of that class are opened, too: flatten_fn gives (values, context), unflatten_fn(values, context) the object."""
    _pytree.REGISTERED[cls] = (flatten_fn, unflatten_fn)


_register_pytree_node = register_pytree_node


def tree_flatten(tree: Any, is_leaf: Callable[[Any], bool] | None = None) -> tuple[list[Any], TreeSpec | None]:
    """(leaves, spec)."""
    return flatten(tree, is_leaf)


def tree_unflatten(leaves: Any, treespec: TreeSpec | None) -> Any:
    """The nest of that shape with those leaves."""
    return unflatten(list(leaves), treespec)


def tree_leaves(tree: Any, is_leaf: Callable[[Any], bool] | None = None) -> list[Any]:
    """The leaves from left to right."""
    return flatten(tree, is_leaf)[0]


def tree_iter(tree: Any, is_leaf: Callable[[Any], bool] | None = None) -> Iterator[Any]:
    """The leaves from left to right."""
    return iter(tree_leaves(tree, is_leaf))


def tree_structure(tree: Any, is_leaf: Callable[[Any], bool] | None = None) -> TreeSpec | None:
    """The shape of the nest."""
    return flatten(tree, is_leaf)[1]


def tree_map_(func: Callable[..., Any], tree: Any, *rests: Any) -> Any:
    """Calls func on the leaves and gives the nest back."""
    _pytree.tree_map(func, tree, *rests)
    return tree


def tree_map_only(kind: Any, func: Any = None, tree: Any = None) -> Any:
    """func of the leaves of that type; the others stay. Without a tree it decorates func."""
    if func is None:
        return lambda function: lambda leaf: function(leaf) if isinstance(leaf, kind) else leaf
    return _pytree.tree_map(lambda leaf: func(leaf) if isinstance(leaf, kind) else leaf, tree)


def tree_all(pred: Callable[[Any], bool], tree: Any) -> bool:
    """Whether pred holds for all leaves."""
    return all(map(pred, tree_leaves(tree)))


def tree_any(pred: Callable[[Any], bool], tree: Any) -> bool:
    """Whether pred holds for a leaf."""
    return any(map(pred, tree_leaves(tree)))
