"""Samplers: iterables over the indices of a dataset."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence, Sized
from itertools import accumulate
from math import log
from typing import TYPE_CHECKING, Generic, TypeVar

import lamina

if TYPE_CHECKING:
    from ..._C import Generator

T = TypeVar("T", covariant=True)


_AT_ONCE = 2**20  # numbers drawn at once


def _parts(count: int) -> Iterator[int]:
    """A large count in parts, so that any number of samples needs little memory."""
    for start in range(0, count, _AT_ONCE):
        yield min(_AT_ONCE, count - start)


class Sampler(Generic[T]):
    """Base class: write `__iter__`, and `__len__` where it is known."""

    def __iter__(self) -> Iterator[T]:
        raise NotImplementedError(f"{type(self).__name__} must define __iter__")


class SequentialSampler(Sampler[int]):
    """0, 1, 2, ..."""

    def __init__(self, data_source: Sized) -> None:
        self.data_source = data_source

    def __iter__(self) -> Iterator[int]:
        return iter(range(len(self.data_source)))

    def __len__(self) -> int:
        return len(self.data_source)


class RandomSampler(Sampler[int]):
    """A fresh random order each time, or `num_samples` draws with replacement."""

    def __init__(
        self,
        data_source: Sized,
        replacement: bool = False,
        num_samples: int | None = None,
        generator: Generator | None = None,
    ) -> None:
        if num_samples is not None and num_samples <= 0:
            raise ValueError(f"RandomSampler: num_samples should be a positive integer, got {num_samples}")
        if not isinstance(replacement, bool):
            raise TypeError(f"RandomSampler: replacement should be a bool, got {replacement!r}")
        if num_samples is None and len(data_source) == 0:
            raise ValueError("RandomSampler: the data source is empty")
        self.data_source, self.replacement, self.generator = data_source, replacement, generator
        self.num_samples = num_samples

    def __iter__(self) -> Iterator[int]:
        count, wanted = len(self.data_source), len(self)
        if self.replacement:
            for drawn in _parts(wanted):
                yield from lamina.randint(count, (drawn,), generator=self.generator).tolist()
            return
        while wanted > 0:
            yield from lamina.randperm(count, generator=self.generator).tolist()[:wanted]
            wanted -= count

    def __len__(self) -> int:
        return len(self.data_source) if self.num_samples is None else self.num_samples


class SubsetRandomSampler(Sampler[int]):
    """The given indices in a fresh random order each time."""

    def __init__(self, indices: Sequence[int], generator: Generator | None = None) -> None:
        self.indices, self.generator = indices, generator

    def __iter__(self) -> Iterator[int]:
        order = lamina.randperm(len(self.indices), generator=self.generator).tolist()
        return (self.indices[i] for i in order)

    def __len__(self) -> int:
        return len(self.indices)


class WeightedRandomSampler(Sampler[int]):
    """num_samples indices, each with a probability in proportion to its weight; without replacement each once.

    Without replacement the order is that of the keys log(U) / weight (Efraimidis and Spirakis 2006).
    """

    def __init__(
        self,
        weights: Sequence[float],
        num_samples: int,
        replacement: bool = True,
        generator: Generator | None = None,
    ) -> None:
        if isinstance(num_samples, bool) or not isinstance(num_samples, int) or num_samples <= 0:
            raise ValueError(f"WeightedRandomSampler: num_samples should be a positive integer, got {num_samples!r}")
        if not isinstance(replacement, bool):
            raise ValueError(f"WeightedRandomSampler: replacement should be a bool, got {replacement!r}")
        self.weights = lamina.as_tensor(weights, dtype=lamina.float64)
        if self.weights.ndim != 1:
            raise lamina.ShapeError(
                f"WeightedRandomSampler: weights should have one dim, got shape {tuple(self.weights.shape)}"
            )
        good = (self.weights >= 0) & self.weights.isfinite()
        positive = int((self.weights > 0).sum().item())
        if not good.all().item() or positive == 0:
            raise ValueError("WeightedRandomSampler: weights should be finite, not negative, and not all zero")
        if not replacement and num_samples > positive:
            raise ValueError(
                f"WeightedRandomSampler: {num_samples} samples without replacement from {positive} weights above zero"
            )
        self.num_samples, self.replacement, self.generator = num_samples, replacement, generator

    def __iter__(self) -> Iterator[int]:
        if self.replacement:
            sums = list(accumulate(self.weights.tolist()))
            last = bisect_left(sums, sums[-1])  # the last index with a weight above 0
            for drawn in _parts(self.num_samples):
                uniform = lamina.rand(drawn, dtype=lamina.float64, generator=self.generator)
                yield from (min(bisect_right(sums, u * sums[-1]), last) for u in uniform.tolist())
            return
        uniform = lamina.rand(len(self.weights), dtype=lamina.float64, generator=self.generator)
        pairs = zip(uniform.tolist(), self.weights.tolist(), strict=True)
        keys = [(log(1 - u) / w, -i) for i, (u, w) in enumerate(pairs) if w > 0]
        yield from (-i for _, i in sorted(keys, reverse=True)[: self.num_samples])

    def __len__(self) -> int:
        return self.num_samples


class BatchSampler(Sampler[list[int]]):
    """Lists of batch_size indices; a short last one is dropped with drop_last.

    >>> from lamina.utils.data import BatchSampler, SequentialSampler
    >>> list(BatchSampler(SequentialSampler(range(5)), 2, False))
    [[0, 1], [2, 3], [4]]
    """

    def __init__(self, sampler: Iterable[int], batch_size: int, drop_last: bool) -> None:
        if isinstance(batch_size, bool) or not isinstance(batch_size, int) or batch_size <= 0:
            raise ValueError(f"batch_size should be a positive integer, got {batch_size!r}")
        if not isinstance(drop_last, bool):
            raise ValueError(f"drop_last should be a boolean value, got {drop_last!r}")
        self.sampler, self.batch_size, self.drop_last = sampler, batch_size, drop_last

    def __iter__(self) -> Iterator[list[int]]:
        batch: list[int] = []
        for index in self.sampler:
            batch.append(index)
            if len(batch) == self.batch_size:
                yield batch
                batch = []
        if batch and not self.drop_last:
            yield batch

    def __len__(self) -> int:
        count: int = len(self.sampler)  # type: ignore[arg-type]
        return count // self.batch_size if self.drop_last else -(-count // self.batch_size)
