"""DataLoader: batches of a dataset in order, optionally prefetched by threads."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import islice, repeat, takewhile
from types import GenericAlias
from typing import TYPE_CHECKING, Any

import lamina

from ._utils.collate import default_collate as default_collate
from ._utils.collate import default_convert as default_convert
from .dataset import IterableDataset, Subset, TensorDataset
from .sampler import BatchSampler, RandomSampler, SequentialSampler
from .streams import Pass, drawn
from .worker import Workers
from .worker import get_worker_info as get_worker_info

if TYPE_CHECKING:
    from ..._C import Generator, Tensor


_FIXED = ("batch_size", "batch_sampler", "sampler", "drop_last", "dataset", "persistent_workers")


class DataLoader:
    """Iterates over batches; each `for` starts anew, with a new order when `shuffle`.

    num_workers counts threads that prepare batches ahead (prefetch_factor each, in order): what a dataset raises there
    comes out of the loop with its type and traceback. A stream (IterableDataset) is read ahead by one thread.
    `timeout` is the longest wait for one batch in seconds. persistent_workers keeps the threads between epochs;
    pin_memory, multiprocessing_context and in_order are accepted and change nothing. With batch_size=None each sample
    comes alone, through default_convert.

    The batches are the same whatever num_workers is, 0 included. Shuffling draws from `generator`, or from the default
    one. While a batch is made (dataset and collate_fn), the default generator and lamina generators that the dataset
    holds stand for streams of that batch, whose seeds follow from the generator's seed, the number of the pass and that
    of the batch; manual_seed there changes that batch alone. Python's `random` and NumPy's global generator are shared
    by all threads: make one for each sample, `np.random.default_rng(lamina.randint(2**31, ()).item())`. Batch i is made
    by worker i % num_workers, so what worker_init_fn(number) seeds with `lamina.initial_seed()` for its thread is the
    same in each run with that many workers.

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
        if batch_size is None and batch_sampler is None and drop_last:
            raise ValueError("DataLoader: batch_size=None gives samples alone; drop_last needs a batch_size")
        streams = isinstance(dataset, IterableDataset)
        if streams and (shuffle or sampler is not None or batch_sampler is not None):
            raise ValueError("DataLoader: an IterableDataset has its own order; shuffle and samplers do not apply")
        self.dataset, self.num_workers, self.generator = dataset, num_workers, generator
        self.prefetch_factor = 2 if prefetch_factor is None else prefetch_factor
        self.worker_init_fn, self.drop_last, self.timeout = worker_init_fn, drop_last, timeout
        self.pin_memory, self.persistent_workers = pin_memory, persistent_workers
        self._workers: Workers | None = None
        self.multiprocessing_context, self.pin_memory_device = multiprocessing_context, pin_memory_device
        self.in_order = in_order
        alone = batch_size is None and batch_sampler is None
        self.collate_fn = collate_fn or (default_convert if alone else default_collate)
        self._plain = sampler is None and batch_sampler is None and batch_size is not None and not streams
        if sampler is None and not streams:
            sampler = RandomSampler(dataset, generator=generator) if shuffle else SequentialSampler(dataset)
        self.shuffle, self.sampler = bool(shuffle), sampler
        self.batch_sampler: Iterable[list[int]] | None = batch_sampler
        self.batch_size = None if batch_sampler is not None else batch_size
        if batch_sampler is None and batch_size is not None:
            self.batch_sampler = BatchSampler(sampler if sampler is not None else (), batch_size, drop_last)
        self._made = True

    __class_getitem__: Any = classmethod(GenericAlias)

    def __setattr__(self, name: str, value: Any) -> None:
        if name in _FIXED and "_made" in self.__dict__:
            raise ValueError(f"DataLoader: {name} cannot be changed once the loader is made; make another one")
        super().__setattr__(name, value)

    @property
    def _auto_collation(self) -> bool:
        return self.batch_sampler is not None

    @property
    def _index_sampler(self) -> Any:
        return self.sampler if self.batch_sampler is None else self.batch_sampler

    def __len__(self) -> int:
        if isinstance(self.dataset, IterableDataset):
            count = len(self.dataset)  # type: ignore[arg-type]
            size = self.batch_size or 1
            return count // size if self.drop_last else -(-count // size)
        source: Any = self.sampler if self.batch_sampler is None else self.batch_sampler
        return len(source)

    def __iter__(self) -> Iterator[Any]:
        streams = Pass(self.generator, (self.dataset, self.collate_fn), (self.sampler, self.batch_sampler))
        if isinstance(self.dataset, IterableDataset):
            return self._read_stream(streams)
        if self._plain and self.collate_fn is default_collate and type(_base(self.dataset)) is TensorDataset:
            return self._run(streams, self.dataset.gather, self._index_tensors())
        if self.batch_sampler is not None:
            return self._run(streams, self._fetch_batch, streams.order(iter(self.batch_sampler)))
        assert self.sampler is not None
        return self._run(streams, self._fetch_one, streams.order(iter(self.sampler)))

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
        return self.collate_fn(self.dataset[index])

    def _stream(self) -> Iterator[Any]:
        items = iter(self.dataset)
        if self.batch_size is None:
            yield from map(self.collate_fn, items)
            return
        while True:
            batch = list(islice(items, self.batch_size))
            if not batch or (self.drop_last and len(batch) < self.batch_size):
                return
            yield self.collate_fn(batch)

    def _read_stream(self, streams: Pass) -> Iterator[Any]:
        """One thread alone touches the stream; the end of it comes through as an object."""
        end = object()
        opened: list[Iterator[Any]] = []

        def following(_: Any) -> Any:
            if not opened:
                opened.append(self._stream())
            return next(opened[0], end)

        return takewhile(lambda batch: batch is not end, self._run(streams, following, repeat(None), threads=1))

    def _run(
        self, streams: Pass, fetch: Callable[[Any], Any], work: Iterator[Any], threads: int | None = None
    ) -> Iterator[Any]:
        if self.num_workers > 0:
            return self._prefetch(streams, fetch, work, self.num_workers if threads is None else threads)
        if fetch == getattr(self.dataset, "gather", None):  # draws nothing
            return map(fetch, work)
        return (drawn(streams.batch(number), fetch, item) for number, item in enumerate(work))

    def _prefetch(self, streams: Pass, fetch: Callable[[Any], Any], work: Iterator[Any], threads: int) -> Iterator[Any]:
        """At most num_workers * prefetch_factor batches ahead; leaving the loop early ends or frees the threads."""
        workers, self._workers = self._workers, None  # a second loop at the same time gets its own threads
        if workers is None:
            workers = Workers(threads, self.worker_init_fn, self.dataset)
        workers.begin(streams.seed)
        ahead: deque[Any] = deque()
        numbered = enumerate(work)
        try:
            for number, item in islice(numbered, self.num_workers * self.prefetch_factor):
                ahead.append(workers.submit(number, streams.batch(number), fetch, item))
            while ahead:
                result = self._wait(ahead.popleft())
                for number, item in islice(numbered, 1):
                    ahead.append(workers.submit(number, streams.batch(number), fetch, item))
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
