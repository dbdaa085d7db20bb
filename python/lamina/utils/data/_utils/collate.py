"""Samples become batches (default_collate), or what NumPy holds in them becomes tensors (default_convert)."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, MutableMapping, MutableSequence, Sequence
from typing import Any

import lamina

_KINDS = "tensors, NumPy arrays, numbers, strings, dicts, tuples or lists"


def default_collate(batch: Any) -> Any:
    """Stacks a list of samples: tensors, arrays and numbers become tensors; mappings and sequences go by field.

    Floats become float64 and ints int64. Strings stay a list; a tuple becomes a list, a named tuple and other kinds of
    mapping and sequence stay of their kind. `default_collate_fn_map` takes functions for other types. TypeError for a
    type that is not known, RuntimeError for sequences of different lengths.

    >>> from lamina.utils.data import default_collate
    >>> x, y = default_collate([(1.0, 2), (3.0, 4)])
    >>> x.tolist(), y.tolist()
    ([1.0, 3.0], [2, 4])
    """
    return collate(batch, collate_fn_map=default_collate_fn_map)


def collate(batch: Any, *, collate_fn_map: Mapping[Any, Callable[..., Any]] | None = None) -> Any:
    """As default_collate, with a table type -> function (batch, *, collate_fn_map) for what mappings and sequences hold.

    A type that is not in the table takes the first entry that it is an instance of.
    """
    first = batch[0]
    handler = (collate_fn_map or {}).get(type(first))
    if handler is None and _of_numpy(first):
        return _numpy_batch(batch, collate_fn_map)
    for kind, function in (collate_fn_map or {}).items():
        if handler is None and isinstance(first, kind):
            handler = function
    if handler is not None:
        return handler(batch, collate_fn_map=collate_fn_map)
    if isinstance(first, Mapping):
        fields = {key: collate([item[key] for item in batch], collate_fn_map=collate_fn_map) for key in first}
        return _mapping_like(first, fields)
    if isinstance(first, Sequence) and not isinstance(first, (str, bytes)):
        if any(len(item) != len(first) for item in batch):
            raise RuntimeError("default_collate: each sample of a batch should have the same number of fields")
        columns = [collate(list(field), collate_fn_map=collate_fn_map) for field in zip(*batch, strict=True)]
        return _sequence_like(first, columns)
    raise TypeError(f"default_collate: samples must be {_KINDS}; found {type(first).__name__}; {_hint(first)}")


def default_convert(data: Any) -> Any:
    """NumPy's arrays and numbers become tensors, also within mappings and sequences; everything else stays as it is.

    What a DataLoader with batch_size=None does to each sample.

    >>> import numpy as np
    >>> from lamina.utils.data import default_convert
    >>> default_convert({"x": np.zeros(2, np.float32), "y": 1})
    {'x': tensor([0., 0.]), 'y': 1}
    """
    if _of_numpy(data):
        return data if data.dtype.kind in "SUOV" else lamina.as_tensor(data)
    if isinstance(data, Mapping):
        return _mapping_like(data, {key: default_convert(data[key]) for key in data})
    if isinstance(data, Sequence) and not isinstance(data, (str, bytes)):
        return _sequence_like(data, [default_convert(item) for item in data])
    return data


def _of_numpy(value: Any) -> bool:
    return type(value).__module__ == "numpy" and hasattr(value, "dtype") and not isinstance(value, (str, bytes))


def _numpy_batch(batch: Sequence[Any], table: Mapping[Any, Callable[..., Any]] | None) -> Any:
    kind = batch[0].dtype
    if kind.kind in "SUOV":
        raise TypeError(f"default_collate: cannot batch NumPy values of dtype {kind}; samples must be {_KINDS}")
    return collate([lamina.as_tensor(item) for item in batch], collate_fn_map={lamina.Tensor: _stack, **(table or {})})


def _mapping_like(first: Any, fields: dict[Any, Any]) -> Any:
    """Of the kind that `first` is, where that can be made; with what else it holds."""
    try:
        if isinstance(first, MutableMapping):
            made = copy.copy(first)
            made.update(fields)
            return made
        return type(first)(fields)
    except TypeError:
        return fields


def _sequence_like(first: Any, items: list[Any]) -> Any:
    if isinstance(first, tuple):
        return type(first)(*items) if hasattr(first, "_fields") else items
    try:
        if isinstance(first, MutableSequence):
            made = copy.copy(first)
            for i, item in enumerate(items):
                made[i] = item
            return made
        return type(first)(items)
    except TypeError:
        return items


def _hint(value: Any) -> str:
    if type(value).__module__.partition(".")[0] == "PIL":
        return "hint: lamina.tensor(numpy.array(image)) makes a tensor (H, W, C) of an image"
    if value is None:
        return "hint: a dataset whose __getitem__ returns nothing gives None"
    if hasattr(value, "__dataclass_fields__"):
        return "hint: collate_fn=lambda batch: default_collate([vars(item) for item in batch])"
    return "pass collate_fn for other types"


def _stack(batch: Sequence[Any], *, collate_fn_map: Any = None) -> Any:
    return lamina.stack(list(batch))


def _floats(batch: Sequence[float], *, collate_fn_map: Any = None) -> Any:
    return lamina.tensor(batch, dtype=lamina.float64)


def _whole(batch: Sequence[int], *, collate_fn_map: Any = None) -> Any:
    return lamina.tensor(batch)


def _as_it_is(batch: Any, *, collate_fn_map: Any = None) -> Any:
    return batch


default_collate_fn_map: dict[Any, Callable[..., Any]] = {
    lamina.Tensor: _stack,
    float: _floats,
    int: _whole,
    str: _as_it_is,
    bytes: _as_it_is,
}
