"""DataLoader: batches of a dataset in order, optionally prefetched by threads."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice, repeat, takewhile
from typing import TYPE_CHECKING, Any

import lamina

from .dataset import IterableDataset, Subset, TensorDataset
from .sampler import BatchSampler, RandomSampler, SequentialSampler
from .worker import Workers

if TYPE_CHECKING:
    from ..._C import Generator, Tensor


def default_collate(batch: list[Any]) -> Any:
    """Stacks a list of samples: tensors, arrays and numbers become tensors; tuples, lists and dicts go by field.

    >>> from lamina.utils.data import default_collate
    >>> x, y = default_collate([(1.0, 2), (3.0, 4)])
    >>> x.tolist(), y.tolist()
    ([1.0, 3.0], [2, 4])
    """
    first = batch[0]
    if isinstance(first, lamina.Tensor):
        return lamina.stack(batch)
    if type(first).__module__ == "numpy":
        if first.dtype.kind in "SUOV":
            raise TypeError(f"default_collate: cannot batch NumPy values of dtype {first.dtype}")
        return lamina.stack([lamina.as_tensor(item) for item in batch])
    if isinstance(first, float):
        return lamina.tensor(batch, dtype=lamina.float64)
    if isinstance(first, int):
        return lamina.tensor(batch)
    if isinstance(first, (str, bytes)):
        return batch
    if isinstance(first, Mapping):
        return {key: default_collate([item[key] for item in batch]) for key in first}
    if isinstance(first, (tuple, list)):
        if any(len(item) != len(first) for item in batch):
            raise RuntimeError("default_collate: each sample of a batch should have the same number of fields")
        fields = [default_collate(list(field)) for field in zip(*batch, strict=True)]
        return type(first)(*fields) if hasattr(first, "_fields") else fields
    raise TypeError(
        f"default_collate: samples must be tensors, arrays, numbers, strings, dicts, tuples or lists; found "
        f"{type(first).__name__}; pass collate_fn for other types"
    )


class DataLoader:
    """Iterates over batches; each `for` starts anew, with a new order when `shuffle`.

    num_workers counts threads that prepare batches ahead (prefetch_factor each, in order): what a dataset raises there
    comes out of the loop with its type and traceback. Shuffling draws from `generator`, or from the default one. One
    generator is not safe to share between threads: datasets that augment at random keep their own when num_workers > 1,
    seeded from `get_worker_info().seed`. A stream (IterableDataset) is read ahead by one thread, so the batches are the
    same whatever num_workers is. `timeout` is the longest wait for one batch in seconds. persistent_workers keeps the
    threads between epochs; pin_memory, multiprocessing_context and in_order are accepted and change nothing.

    >>> import lamina
    >>> from lamina.utils.data import DataLoader, TensorDataset
    >>> [x.tolist() for x, in DataLoader(TensorDataset(lamina.arange(5)), batch_size=2)]
    [[0, 1], [2, 3], [4]]
    """

    def __init__(
        self,
        dataset: Any,
        batch_size: int | None = 1,
        shuffle: bool | None = None,
        sampler: Iterable[int] | None = None,
        batch_sampler: Iterable[list[int]] | None = None,
        num_workers: int = 0,
        collate_fn: Callable[[list[Any]], Any] | None = None,
        pin_memory: bool = False,
        drop_last: bool = False,
        timeout: float = 0,
        worker_init_fn: Callable[[int], None] | None = None,
        multiprocessing_context: Any = None,
        generator: Generator | None = None,
        *,
        prefetch_factor: int | None = None,
        persistent_workers: bool = False,
        pin_memory_device: str = "",
        in_order: bool = True,
    ) -> None:
        if num_workers < 0:
            raise ValueError(f"DataLoader: num_workers should be non-negative, got {num_workers}")
        if timeout < 0:
            raise ValueError(f"DataLoader: timeout should be non-negative, got {timeout}")
        if num_workers == 0 and (prefetch_factor is not None or persistent_workers):
            raise ValueError("DataLoader: prefetch_factor and persistent_workers need num_workers > 0")
        if prefetch_factor is not None and prefetch_factor < 1:
            raise ValueError(f"DataLoader: prefetch_factor should be positive, got {prefetch_factor}")
        if sampler is not None and shuffle:
            raise ValueError("DataLoader: sampler option is mutually exclusive with shuffle")
        if batch_sampler is not None and (batch_size != 1 or shuffle or sampler is not None or drop_last):
            raise ValueError(
                "DataLoader: batch_sampler is mutually exclusive with batch_size, shuffle, sampler and drop_last"
            )
        streams = isinstance(dataset, IterableDataset)
        if streams and (shuffle or sampler is not None or batch_sampler is not None):
            raise ValueError("DataLoader: an IterableDataset has its own order; shuffle and samplers do not apply")
        self.dataset, self.num_workers, self.generator = dataset, num_workers, generator
        self.prefetch_factor = 2 if prefetch_factor is None else prefetch_factor
        self.worker_init_fn, self.drop_last, self.timeout = worker_init_fn, drop_last, timeout
        self.pin_memory, self.persistent_workers = pin_memory, persistent_workers
        self._workers: Workers | None = None
        self.collate_fn = default_collate if collate_fn is None else collate_fn
        self._plain = sampler is None and batch_sampler is None and batch_size is not None and not streams
        if sampler is None and not streams:
            sampler = RandomSampler(dataset, generator=generator) if shuffle else SequentialSampler(dataset)
        self.shuffle, self.sampler = bool(shuffle), sampler
        self.batch_sampler: Iterable[list[int]] | None = batch_sampler
        self.batch_size = None if batch_sampler is not None else batch_size
        if batch_sampler is None and batch_size is not None:
            self.batch_sampler = BatchSampler(sampler if sampler is not None else (), batch_size, drop_last)

    def __len__(self) -> int:
        if isinstance(self.dataset, IterableDataset):
            count = len(self.dataset)  # type: ignore[arg-type]
            size = self.batch_size or 1
            return count // size if self.drop_last else -(-count // size)
        source: Any = self.sampler if self.batch_sampler is None else self.batch_sampler
        return len(source)

    def __iter__(self) -> Iterator[Any]:
        if isinstance(self.dataset, IterableDataset):
            return self._stream() if self.num_workers == 0 else self._prefetch_stream()
        if self._plain and self.collate_fn is default_collate and type(_base(self.dataset)) is TensorDataset:
            return self._run(self.dataset.gather, self._index_tensors())
        if self.batch_sampler is not None:
            return self._run(self._fetch_batch, iter(self.batch_sampler))
        assert self.sampler is not None
        return self._run(self._fetch_one, iter(self.sampler))

    def _index_tensors(self) -> Iterator[Tensor]:
        count, size = len(self.dataset), int(self.batch_size or 1)
        order = lamina.randperm(count, generator=self.generator) if self.shuffle else lamina.arange(count)
        for start in range(0, count - size + 1 if self.drop_last else count, size):
            yield order[start : start + size]

    def _fetch_batch(self, indices: list[int]) -> Any:
        many = getattr(self.dataset, "__getitems__", None)
        dataset = self.dataset
        return self.collate_fn(many(indices) if many is not None else [dataset[i] for i in indices])

    def _fetch_one(self, index: int) -> Any:
        item = self.dataset[index]
        return self.collate_fn(item) if self.collate_fn is not default_collate else item

    def _stream(self) -> Iterator[Any]:
        items = iter(self.dataset)
        if self.batch_size is None:
            yield from (items if self.collate_fn is default_collate else map(self.collate_fn, items))
            return
        while True:
            batch = list(islice(items, self.batch_size))
            if not batch or (self.drop_last and len(batch) < self.batch_size):
                return
            yield self.collate_fn(batch)

    def _run(self, fetch: Callable[[Any], Any], work: Iterator[Any]) -> Iterator[Any]:
        return map(fetch, work) if self.num_workers == 0 else self._prefetch(fetch, work)

    def _prefetch_stream(self) -> Iterator[Any]:
        """One thread alone touches the stream; the end of it comes through as an object."""
        end = object()
        stream: list[Iterator[Any]] = []

        def following(_: Any) -> Any:
            if not stream:
                stream.append(self._stream())
            return next(stream[0], end)

        return takewhile(lambda batch: batch is not end, self._prefetch(following, repeat(None), 1))

    def _prefetch(self, fetch: Callable[[Any], Any], work: Iterator[Any], threads: int = 0) -> Iterator[Any]:
        """At most num_workers * prefetch_factor batches ahead; leaving the loop early ends or frees the threads."""
        threads = threads or self.num_workers
        workers, self._workers = self._workers, None  # a second loop at the same time gets its own threads
        if workers is None:
            seed = lamina.initial_seed() if self.generator is None else self.generator.initial_seed()
            workers = Workers(threads, self.worker_init_fn, self.dataset, seed)
        ahead: deque[Any] = deque()
        try:
            for item in islice(work, self.num_workers * self.prefetch_factor):
                ahead.append(workers.submit(fetch, item))
            while ahead:
                result = self._wait(ahead.popleft())
                for item in islice(work, 1):
                    ahead.append(workers.submit(fetch, item))
                yield result
        finally:
            for future in ahead:
                future.cancel()
            if self.persistent_workers:
                self._workers = workers
            else:
                workers.stop()

    def _wait(self, future: Any) -> Any:
        if self.timeout == 0:
            return future.result()
        from concurrent.futures import wait

        if not wait([future], self.timeout).done:
            raise RuntimeError(
                f"DataLoader timed out after {self.timeout} seconds; hint: a larger timeout, or 0 for none"
            )
        return future.result()


def _base(dataset: Any) -> Any:
    while type(dataset) is Subset:
        dataset = dataset.dataset
    return dataset
