"""From what users have (tensors, arrays, Datasets, DataLoaders) to batches that are tuples of tensors."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import lamina

from .. import _C
from .._C import Tensor
from ..utils.data import DataLoader, Dataset, IterableDataset, StackDataset, Subset, TensorDataset

if TYPE_CHECKING:
    from .._C import Generator
    from ..nn import Module

Batch = tuple[Any, ...]
TARGETS = ("target", "targets", "label", "labels", "y")  # what the target of a dict is called


def as_dataset(data: Any) -> Any:
    """Tensors and arrays become a TensorDataset; a Dataset, or a list of samples, stays."""
    if isinstance(data, Tensor) or _is_array(data):
        return TensorDataset(_tensor(data))
    if isinstance(data, tuple):
        if not data:
            raise ValueError("data: the tuple is empty; expected tensors or arrays such as (x, y)")
        return TensorDataset(*[_tensor(part) for part in data])
    if isinstance(data, Mapping):
        if not data:
            raise ValueError("data: the dict is empty; expected tensors or arrays by name, such as {'x': x, 'y': y}")
        return StackDataset(**{str(name): _tensor(part) for name, part in data.items()})
    if isinstance(data, Dataset) or (hasattr(data, "__getitem__") and hasattr(data, "__len__")):
        return data
    raise TypeError(
        "data: expected a tensor or array, a tuple of them such as (x, y), a Dataset or a DataLoader, "
        f"got {type(data).__name__}"
    )


def is_loader(data: Any) -> bool:
    """Something that gives batches itself: a DataLoader, or any iterable that can be begun again and has no items."""
    return isinstance(data, DataLoader) or (
        isinstance(data, Iterable)
        and not isinstance(data, (Tensor, Dataset, tuple, Mapping))
        and not _is_array(data)
        and not hasattr(data, "__getitem__")
    )


def as_loader(
    data: Any,
    batch_size: int,
    shuffle: bool = False,
    generator: Generator | None = None,
    num_workers: int = 0,
    drop_last: bool = False,
) -> Any:
    """A loader of batches over `data`; one that is a loader already stays as it is."""
    if is_loader(data):
        if iter(data) is data:
            raise TypeError(
                f"data: a {type(data).__name__} can be read only once; hint: give a DataLoader or an IterableDataset"
            )
        return data
    dataset = as_dataset(data)
    shuffle = shuffle and not isinstance(dataset, IterableDataset)
    return DataLoader(
        dataset, batch_size, shuffle=shuffle, generator=generator, num_workers=num_workers, drop_last=drop_last
    )


def split(data: Any, fraction: float, seed: int) -> tuple[Any, Any]:
    """(the rest, a random `fraction` of the rows): the same rows for the same seed."""
    if is_loader(data) or isinstance(data, IterableDataset):
        raise TypeError("validation: a fraction needs data with rows; hint: give the validation data itself")
    dataset = as_dataset(data)
    count = len(dataset)
    held = round(count * fraction)
    if not 0 < held < count:
        raise ValueError(f"validation={fraction} of {count} rows leaves no rows on one side")
    order = lamina.randperm(count, generator=lamina.Generator().manual_seed(seed))
    rest, held_out = order[held:].sort()[0], order[:held].sort()[0]
    if type(dataset) is TensorDataset:
        return TensorDataset(*dataset.gather(rest)), TensorDataset(*dataset.gather(held_out))
    return Subset(dataset, rest.tolist()), Subset(dataset, held_out.tolist())


def batches_in(loader: Any) -> int | None:
    """How many batches a loader has, where that is known."""
    try:
        return len(loader)
    except TypeError:
        return None


def batch_maker(model: Module) -> Callable[[Any], Batch]:
    """A function from what a loader gives to a tuple on the model's device; float64 only for a float64 model."""
    floats = [p for p in model.parameters() if p.is_floating_point()]
    device = floats[0].device if floats else None
    wide = any(p.dtype == _C.float64 for p in floats)

    def convert(value: Any) -> Any:
        if isinstance(value, Tensor):
            if device is not None and value.device != device:
                value = value.to(device)
            return value.float() if value.dtype == _C.float64 and not wide else value
        if _is_array(value):
            return convert(_tensor(value))
        if isinstance(value, Mapping):
            return {key: convert(item) for key, item in value.items()}
        if type(value) in (list, tuple):
            return type(value)(convert(item) for item in value)
        return value

    def batch(raw: Any) -> Batch:
        return tuple(convert(item) for item in raw) if isinstance(raw, (list, tuple)) else (convert(raw),)

    return batch


def inputs_and_target(model: Any, batch: Batch) -> tuple[Batch, dict[str, Any], Any]:
    """(arguments of the model, those by name, target) of a batch: fields in order, of which the last is the target.

    In a dict the target is the field of one of the names in TARGETS, else the last one; the others go to the model by
    name, where its forward has parameters of all these names, else in order.
    """
    if len(batch) != 1 or not isinstance(batch[0], Mapping):
        return batch[:-1], {}, batch[-1]
    fields = dict(batch[0])
    target = fields.pop(next((name for name in TARGETS if name in fields), list(fields)[-1]))
    named = fields.keys() <= inspect.signature(model.forward).parameters.keys()
    return (() if named else tuple(fields.values())), (fields if named else {}), target


def rows_of(batch: Batch) -> int:
    """How many rows a batch has: the first size of its first tensor; 1 where there is none."""
    for item in batch:
        if isinstance(item, Tensor) and item.dim() > 0:
            return int(item.shape[0])
        if isinstance(item, dict):
            return rows_of(tuple(item.values()))
        if isinstance(item, (list, tuple)):
            return len(item)
    return 1


def _is_array(value: Any) -> bool:
    return hasattr(value, "__array__") and not isinstance(value, Tensor)


def _tensor(value: Any) -> Tensor:
    """A copy-free tensor of an array (a frame is read through __array__), or of nested lists."""
    if isinstance(value, Tensor):
        return value
    if _is_array(value):
        import numpy as np

        array = np.asarray(value)
        if array.dtype.kind not in "biuf":
            raise TypeError(f"data: expected numbers, got an array of {array.dtype}")
        return lamina.as_tensor(array)
    return lamina.tensor(value)
