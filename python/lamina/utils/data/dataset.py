"""Datasets: anything with `__getitem__(index)` and `__len__`."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, chain
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import lamina

if TYPE_CHECKING:
    from ..._C import Generator, Tensor

T = TypeVar("T", covariant=True)


class Dataset(Generic[T]):
    """Base class: write `__getitem__(index)` and `__len__`."""

    def __getitem__(self, index: Any) -> T:
        raise NotImplementedError(f"{type(self).__name__} must define __getitem__")

    def __add__(self, other: Dataset[Any]) -> Dataset[Any]:
        return ConcatDataset([self, other])


class IterableDataset(Dataset[T]):
    """Base class of datasets that only stream: write `__iter__`."""

    def __iter__(self) -> Iterator[T]:
        raise NotImplementedError(f"{type(self).__name__} must define __iter__")

    def __add__(self, other: Dataset[Any]) -> Dataset[Any]:
        return ChainDataset([self, other])


class TensorDataset(Dataset[Any]):
    """Tensors of equal first size, indexed together: (N, ...), (N, ...) -> tuples.

    >>> import lamina
    >>> data = lamina.utils.data.TensorDataset(lamina.arange(3), lamina.zeros(3, 2))
    >>> len(data), data[1][0].item()
    (3, 1)
    """

    def __init__(self, *tensors: Tensor) -> None:
        if not tensors:
            raise ValueError("TensorDataset: at least one tensor is needed")
        sizes = [t.shape[0] if len(t.shape) else None for t in tensors]
        if None in sizes or len(set(sizes)) != 1:
            raise _size_error(tensors)
        self.tensors = tensors

    def __getitem__(self, index: Any) -> tuple[Tensor, ...]:
        return tuple(t[index] for t in self.tensors)

    def __len__(self) -> int:
        return int(self.tensors[0].shape[0])

    def gather(self, index: Tensor) -> list[Tensor]:
        """A whole batch in one call per tensor: what the DataLoader uses instead of collating rows."""
        return [t.index_select(0, index) for t in self.tensors]


def _size_error(tensors: Sequence[Tensor]) -> Exception:
    shapes = ", ".join(str(tuple(t.shape)) for t in tensors)
    error: Exception = lamina.ShapeError(f"TensorDataset: tensors must have the same first size, got shapes {shapes}")
    return error


class Subset(Dataset[Any]):
    """The items of a dataset at the given indices."""

    def __init__(self, dataset: Any, indices: Sequence[int]) -> None:
        self.dataset, self.indices = dataset, indices

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, list):
            return self.dataset[[self.indices[i] for i in index]]
        return self.dataset[self.indices[index]]

    def __getitems__(self, indices: list[int]) -> list[Any]:
        """Several items, by the dataset's own `__getitems__` where it has one."""
        inner = [self.indices[i] for i in indices]
        many = getattr(self.dataset, "__getitems__", None)
        return many(inner) if many is not None else [self.dataset[i] for i in inner]

    def __len__(self) -> int:
        return len(self.indices)

    def gather(self, index: Tensor) -> list[Tensor]:
        """As TensorDataset.gather; only where the innermost dataset is one."""
        chosen, count = self.indices, len(self.dataset)
        places = [int(chosen[i]) for i in index.tolist()]
        inner = lamina.tensor([i + count if i < 0 else i for i in places], dtype=lamina.int64)
        found: list[Tensor] = self.dataset.gather(inner)
        return found


class ConcatDataset(Dataset[Any]):
    """Datasets one after the other."""

    def __init__(self, datasets: Iterable[Any]) -> None:
        self.datasets = list(datasets)
        if not self.datasets:
            raise ValueError("ConcatDataset: datasets should not be an empty iterable")
        if any(isinstance(part, IterableDataset) for part in self.datasets):
            raise TypeError("ConcatDataset: an IterableDataset has no positions; hint: ChainDataset")
        self.cumulative_sizes = list(accumulate(len(d) for d in self.datasets))

    def __len__(self) -> int:
        return self.cumulative_sizes[-1]

    def __getitem__(self, index: int) -> Any:
        count = len(self)
        if not -count <= index < count:
            raise IndexError(f"index {index} is out of range for {count} items")
        index %= count
        which = bisect_right(self.cumulative_sizes, index)
        return self.datasets[which][index - (self.cumulative_sizes[which - 1] if which else 0)]


class ChainDataset(IterableDataset[Any]):
    """Streams one after the other.

    >>> from lamina.utils.data import ChainDataset, IterableDataset
    >>> class Numbers(IterableDataset):
    ...     def __iter__(self):
    ...         return iter(range(2))
    >>> list(ChainDataset([Numbers(), Numbers()]))
    [0, 1, 0, 1]
    """

    def __init__(self, datasets: Iterable[Any]) -> None:
        self.datasets = list(datasets)
        for i, part in enumerate(self.datasets):
            if not isinstance(part, IterableDataset):
                raise TypeError(f"ChainDataset: dataset {i} is a {type(part).__name__}, expected an IterableDataset")

    def __iter__(self) -> Iterator[Any]:
        return chain.from_iterable(self.datasets)

    def __len__(self) -> int:
        return sum(len(part) for part in self.datasets)


class StackDataset(Dataset[Any]):
    """Datasets of one length side by side: an item is a tuple of their items, or a dict where they have names.

    >>> from lamina.utils.data import StackDataset
    >>> StackDataset(x=[1, 2], y="ab")[1]
    {'x': 2, 'y': 'b'}
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if bool(args) == bool(kwargs):
            raise ValueError("StackDataset: give datasets either by position or by name, and at least one")
        self.datasets: Any = args or kwargs
        sizes = [len(part) for part in args or kwargs.values()]
        if len(set(sizes)) > 1:
            raise ValueError(f"StackDataset: datasets must have the same length, got {sizes}")
        self._length = sizes[0]

    def __getitem__(self, index: Any) -> Any:
        if isinstance(self.datasets, dict):
            return {name: part[index] for name, part in self.datasets.items()}
        return tuple(part[index] for part in self.datasets)

    def __len__(self) -> int:
        return self._length


def random_split(dataset: Any, lengths: Sequence[int | float], generator: Generator | None = None) -> list[Subset]:
    """Random disjoint subsets of the given sizes, or fractions that sum to 1.

    >>> import lamina
    >>> from lamina.utils.data import TensorDataset, random_split
    >>> [len(part) for part in random_split(TensorDataset(lamina.arange(10)), [0.8, 0.2])]
    [8, 2]
    """
    count = len(dataset)
    if all(isinstance(n, int) for n in lengths) and sum(lengths) != 1:  # [1] is the whole, as in PyTorch
        sizes = [int(n) for n in lengths]
    else:
        if any(not 0 <= f <= 1 for f in lengths) or abs(sum(lengths) - 1) > 1e-9:
            raise ValueError(f"random_split: fractions must be in [0, 1] and sum to 1, got {list(lengths)}")
        sizes = [int(count * f) for f in lengths]
        for i in range(count - sum(sizes)):  # what rounding left over goes round the parts
            sizes[i % len(sizes)] += 1
    if sum(sizes) != count or any(n < 0 for n in sizes):
        raise ValueError(f"random_split: lengths {sizes} must be non-negative and sum to the {count} items")
    order = lamina.randperm(count, generator=generator).tolist()
    return [Subset(dataset, order[end - n : end]) for n, end in zip(sizes, accumulate(sizes), strict=True)]
