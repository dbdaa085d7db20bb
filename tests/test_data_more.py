"""Chained and stacked datasets, weighted sampling, streams, and the worker threads of the DataLoader."""

import gc
import threading
import time

import lamina
import pytest
from lamina.utils import data
from lamina.utils.data import DataLoader


class Stream(data.IterableDataset):
    def __init__(self, n, fail_at=None):
        self.n, self.fail_at, self.asked = n, fail_at, 0

    def __len__(self):
        return self.n

    def __iter__(self):
        info = data.get_worker_info()
        part, parts = (info.id, info.num_workers) if info else (0, 1)
        for i in range(part, self.n, parts):
            self.asked += 1
            if i == self.fail_at:
                raise LookupError(f"item {i} is bad")
            yield i


class Items(data.Dataset):
    def __init__(self, n, delay=0.0):
        self.n, self.delay = n, delay

    def __len__(self):
        return self.n

    def __getitem__(self, i):
        time.sleep(self.delay)
        return i


def new_threads(before):
    """Threads begun since; one of an earlier test that ends meanwhile does not count."""
    return set(threading.enumerate()) - before


def threads_end(before):
    gc.collect()
    deadline = time.time() + 20
    while new_threads(before) and time.time() < deadline:
        time.sleep(0.01)
    return not new_threads(before)


def test_chain_and_stack():
    both = Stream(3) + Stream(2)
    assert isinstance(both, data.ChainDataset) and list(both) == [0, 1, 2, 0, 1] and len(both) == 5
    with pytest.raises(TypeError, match="IterableDataset"):
        data.ChainDataset([[1, 2]])
    pair = data.StackDataset(Items(4), "abcd")
    assert pair[2] == (2, "c") and len(pair) == 4
    (batch,) = DataLoader(data.StackDataset(x=Items(3), y=[1.5, 2.5, 3.5]), batch_size=3)
    assert batch["x"].tolist() == [0, 1, 2] and batch["y"].tolist() == [1.5, 2.5, 3.5]
    for call in (
        lambda: data.StackDataset(),
        lambda: data.StackDataset([1], [1, 2]),
        lambda: data.StackDataset([1], y=[1]),
    ):
        with pytest.raises(ValueError):
            call()


def test_weighted_sampler():
    g = lamina.Generator()
    draw = list(data.WeightedRandomSampler([0.0, 1.0, 3.0, 0.0], 4000, generator=g.manual_seed(0)))
    assert set(draw) == {1, 2} and 2850 < draw.count(2) < 3150
    assert list(data.WeightedRandomSampler([0.0, 1.0, 3.0, 0.0], 4000, generator=g.manual_seed(0))) == draw
    firsts = []
    for seed in range(400):
        once = list(data.WeightedRandomSampler([1.0, 0.0, 9.0, 2.0], 3, False, g.manual_seed(seed)))
        assert sorted(once) == [0, 2, 3]
        firsts.append(once[0])
    assert 270 < firsts.count(2) < 330
    for bad in (
        ([1.0], 0),
        ([1.0], True),
        ([-1.0], 1),
        ([0.0], 1),
        ([[1.0]], 1),
        ([1.0, 0.0], 2, False),
        ([1.0], 1, 2),
    ):
        with pytest.raises(ValueError):
            data.WeightedRandomSampler(*bad)
    with pytest.raises(TypeError):
        data.RandomSampler([1], replacement=2)


@pytest.mark.parametrize("workers", [1, 3])
def test_streams_give_the_same_batches_with_workers(workers):
    for kwargs in ({"batch_size": 4}, {"batch_size": 4, "drop_last": True}, {"batch_size": None}):
        plain = [b if isinstance(b, int) else b.tolist() for b in DataLoader(Stream(10), **kwargs)]
        loader = DataLoader(Stream(10), num_workers=workers, prefetch_factor=2, **kwargs)
        for _ in range(2):
            assert [b if isinstance(b, int) else b.tolist() for b in loader] == plain
    seen, stream = [], Stream(1000, fail_at=9)
    with pytest.raises(LookupError, match="item 9"):
        for batch in DataLoader(stream, batch_size=2, num_workers=workers):
            seen.extend(batch.tolist())
    assert seen == list(range(8))
    before, stream = set(threading.enumerate()), Stream(10**6)
    for _ in DataLoader(stream, batch_size=2, num_workers=workers):
        break
    assert threads_end(before) and stream.asked < 100


def test_persistent_workers():
    started = []
    loader = DataLoader(Items(8), num_workers=1, persistent_workers=True, worker_init_fn=started.append)
    before = set(threading.enumerate())
    for _ in range(3):
        assert [b.item() for b in loader] == list(range(8))
    assert started == [0] and len(new_threads(before)) == 1
    for _ in loader:  # leaving early frees the thread for the next loop
        break
    assert [b.item() for b in loader] == list(range(8)) and started == [0]
    assert [(a.item(), b.item()) for a, b in zip(loader, loader, strict=True)] == [(i, i) for i in range(8)]
    del loader
    assert threads_end(before)


def test_timeout():
    with pytest.raises(RuntimeError, match="timed out"):
        list(DataLoader(Items(2, delay=1.0), num_workers=1, timeout=0.05))
    assert len(list(DataLoader(Items(2), num_workers=1, timeout=60))) == 2

    class Raises(Items):
        def __getitem__(self, i):
            raise TimeoutError("the disk")

    with pytest.raises(TimeoutError, match="the disk"):
        list(DataLoader(Raises(2), num_workers=1, timeout=60))


def test_interrupt_ends_the_threads():
    before = set(threading.enumerate())
    with pytest.raises(KeyboardInterrupt):
        for batch in DataLoader(Items(1000, delay=0.001), num_workers=3, pin_memory=True):
            if batch.item() == 3:
                raise KeyboardInterrupt
    assert threads_end(before)


def test_arguments():
    for bad in ({"timeout": -1}, {"persistent_workers": True}, {"prefetch_factor": 2}):
        with pytest.raises(ValueError):
            DataLoader(Items(2), **bad)
