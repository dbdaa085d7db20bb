"""utils.data, the bundled digits, and the readers of IDX and CSV files."""

import gc
import gzip
import struct
import threading
import time
import traceback

import lamina
import numpy as np
import pytest
from lamina import datasets
from lamina.utils import data
from lamina.utils.data import DataLoader, TensorDataset


def pairs(n=10):
    return TensorDataset(lamina.arange(n), lamina.arange(n).to(lamina.float32).reshape(n, 1) * 10)


class Slow(data.Dataset):
    def __init__(self, n, fail_at=None, delay=0.0):
        self.n, self.fail_at, self.delay = n, fail_at, delay
        self.asked = 0

    def __len__(self):
        return self.n

    def __getitem__(self, i):
        self.asked += 1
        time.sleep(self.delay)
        if i == self.fail_at:
            raise LookupError(f"item {i} is bad")
        return i, float(i)


# -- datasets and samplers --------------------------------------------------------------------------------------------
def test_tensor_dataset():
    d = pairs()
    assert len(d) == 10 and [v.tolist() for v in d[3]] == [3, [30.0]]
    with pytest.raises(ValueError, match=r"\(2,\), \(3,\)"):
        TensorDataset(lamina.zeros(2), lamina.zeros(3))
    with pytest.raises(ValueError):
        TensorDataset()
    with pytest.raises(ValueError):
        TensorDataset(lamina.tensor(1.0))


def test_concat_and_subset():
    both = pairs(3) + pairs(4)
    assert len(both) == 7 and both[3][0].item() == 0 and both[-1][0].item() == 3
    for bad in (7, -8):
        with pytest.raises(IndexError):
            both[bad]
    part = data.Subset(data.Subset(pairs(), [5, 6, 7]), [2, 0])
    assert [part[i][0].item() for i in range(2)] == [7, 5]
    ((x, _y),) = DataLoader(part, batch_size=2)
    assert x.tolist() == [7, 5]


def test_random_split():
    g = lamina.Generator()
    parts = data.random_split(pairs(), [6, 4], generator=g.manual_seed(1))
    again = data.random_split(pairs(), [6, 4], generator=g.manual_seed(1))
    assert [p.indices for p in parts] == [p.indices for p in again]
    assert sorted(parts[0].indices + parts[1].indices) == list(range(10))
    assert [len(p) for p in data.random_split(range(11), [0.5, 0.25, 0.25])] == [6, 3, 2]
    for bad in ([5, 4], [0.5, 0.6], [11, -1]):
        with pytest.raises(ValueError):
            data.random_split(pairs(), bad)


def test_samplers():
    g = lamina.Generator()
    assert list(data.SequentialSampler(range(3))) == [0, 1, 2]
    order = list(data.RandomSampler(range(20), generator=g.manual_seed(0)))
    assert sorted(order) == list(range(20)) != order
    drawn = list(data.RandomSampler(range(3), replacement=True, num_samples=50, generator=g))
    assert len(drawn) == 50 and set(drawn) == {0, 1, 2}
    more = list(data.RandomSampler(range(3), num_samples=7))
    assert len(more) == 7 and sorted(more[:3]) == [0, 1, 2]
    assert sorted(data.SubsetRandomSampler([4, 8, 9])) == [4, 8, 9]
    assert len(data.BatchSampler(range(5), 2, True)) == 2
    for bad in (0, -1, 1.5, True):
        with pytest.raises(ValueError):
            data.BatchSampler(range(5), bad, False)


# -- loader -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("workers", [0, 1, 3])
def test_order_and_lengths(workers):
    loader = DataLoader(pairs(), batch_size=4, num_workers=workers)
    assert len(loader) == 3
    batches = [x.tolist() for x, _ in loader]
    assert batches == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    short = DataLoader(pairs(), batch_size=4, drop_last=True, num_workers=workers)
    assert len(short) == 2 == len(list(short))
    slow = DataLoader(Slow(7), batch_size=3, num_workers=workers)
    assert [[x.tolist(), y.tolist()] for x, y in slow] == [
        [[0, 1, 2], [0.0, 1.0, 2.0]],
        [[3, 4, 5], [3.0, 4.0, 5.0]],
        [[6], [6.0]],
    ]


def test_shuffles_are_seeded_and_equal_on_every_path():
    g = lamina.Generator()

    def order(dataset, workers, collate=None):
        loader = DataLoader(
            dataset, 3, shuffle=True, num_workers=workers, generator=g.manual_seed(5), collate_fn=collate
        )
        return [[i for x in loader for i in x[0].tolist()] for _ in range(2)]

    first = order(pairs(), 0)
    assert first[0] != first[1] and sorted(first[0]) == list(range(10))
    for dataset in (pairs(), Slow(10), data.Subset(pairs(), list(range(10)))):
        for workers in (0, 2):
            assert order(dataset, workers) == first
    assert order(pairs(), 0, data.default_collate) == first
    lamina.manual_seed(9)
    a = [x.tolist() for x, _ in DataLoader(pairs(), 3, shuffle=True)]
    lamina.manual_seed(9)
    assert [x.tolist() for x, _ in DataLoader(pairs(), 3, shuffle=True)] == a


@pytest.mark.parametrize("workers", [0, 2])
def test_worker_exceptions_keep_type_and_traceback(workers):
    loader = DataLoader(Slow(10, fail_at=5), batch_size=2, num_workers=workers)
    seen = []
    with pytest.raises(LookupError, match="item 5 is bad") as caught:
        for x, _ in loader:
            seen.append(x.tolist())
    assert seen == [[0, 1], [2, 3]]
    assert "__getitem__" in "".join(traceback.format_tb(caught.value.__traceback__))


def test_leaving_early_ends_the_threads():
    dataset = Slow(1000, delay=0.001)
    before = set(threading.enumerate())
    for _ in DataLoader(dataset, batch_size=2, num_workers=3):
        break
    gc.collect()
    deadline = time.time() + 5
    while set(threading.enumerate()) - before and time.time() < deadline:
        time.sleep(0.01)
    assert not set(threading.enumerate()) - before and dataset.asked < 40


def test_worker_init():
    seen = []
    loader = DataLoader(Slow(8), batch_size=1, num_workers=2, worker_init_fn=seen.append)
    assert len(list(loader)) == 8 and set(seen) <= {0, 1} and seen

    def fail(_):
        raise OSError("no such disk")

    with pytest.raises(OSError, match="no such disk"):
        list(DataLoader(Slow(8), num_workers=2, worker_init_fn=fail))


def test_collate():
    out = data.default_collate([{"a": (1, [2.0, "s"])}, {"a": (3, [4.0, "t"])}])
    assert out["a"][0].tolist() == [1, 3] and out["a"][1][0].tolist() == [2.0, 4.0] and out["a"][1][1] == ["s", "t"]
    arrays = data.default_collate([np.zeros(2, np.float32), np.ones(2, np.float32)])
    assert arrays.dtype == lamina.float32 and arrays.shape == (2, 2)
    assert data.default_collate([np.int64(3), np.int64(4)]).tolist() == [3, 4]
    assert data.default_collate([True, False]).dtype == lamina.bool
    for bad in ([object()], [np.array("x")]):
        with pytest.raises(TypeError):
            data.default_collate(bad)
    with pytest.raises(RuntimeError):
        data.default_collate([(1, 2), (1,)])


def test_other_modes():
    assert list(DataLoader(range(3), batch_size=None)) == [0, 1, 2]
    assert [b.tolist() for b in DataLoader(range(4), batch_sampler=[[3, 1], [0]])] == [[3, 1], [0]]
    assert [b.tolist() for b in DataLoader(range(4), 2, sampler=[3, 2, 1])] == [[3, 2], [1]]
    assert list(DataLoader(range(3), 2, collate_fn=sum)) == [1, 2]

    class Stream(data.IterableDataset):
        def __iter__(self):
            return iter(range(5))

    assert [b.tolist() for b in DataLoader(Stream(), 2)] == [[0, 1], [2, 3], [4]]
    assert len(list(DataLoader(Stream(), 2, drop_last=True))) == 2
    for bad in (
        dict(num_workers=-1),
        dict(shuffle=True, sampler=[0]),
        dict(batch_sampler=[[0]], drop_last=True),
        dict(batch_size=0),
        dict(prefetch_factor=0),
    ):
        with pytest.raises(ValueError):
            DataLoader(range(3), **bad)
    with pytest.raises(ValueError):
        DataLoader(Stream(), shuffle=True)


# -- digits -----------------------------------------------------------------------------------------------------------
def test_digits():
    x, y = datasets.digits()
    assert x.shape == (1797, 1, 8, 8) and x.dtype == lamina.float32 and y.shape == (1797,) and y.dtype == lamina.int64
    assert x.min().item() == 0.0 and x.max().item() == 1.0
    assert lamina.nn.functional.one_hot(y).sum(0).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    assert (x[0, 0, 0] * 16).tolist() == [0.0, 0.0, 5.0, 13.0, 9.0, 1.0, 0.0, 0.0]


def test_digits_are_the_original_ones():
    sklearn = pytest.importorskip("sklearn.datasets")
    reference = sklearn.load_digits()
    x, y = datasets.digits()
    assert ((x * 16).numpy()[:, 0] == reference.images).all() and (y.numpy() == reference.target).all()


def test_split_is_fixed():
    x, y = datasets.digits()
    (a, la), (b, lb) = datasets.split(x, y)
    assert (len(a), len(la), len(b), len(lb)) == (1437, 1437, 360, 360)
    rows = sorted(map(tuple, lamina.cat([a, b]).reshape(1797, 64).tolist()))
    assert rows == sorted(map(tuple, x.reshape(1797, 64).tolist()))
    train, test = datasets.digits(split=True)
    assert train.tensors[0].tolist() == a.tolist() and test.tensors[1].tolist() == lb.tolist()
    assert datasets.split(y)[1][0].tolist() == lb.tolist() != datasets.split(y, seed=1)[1][0].tolist()
    for bad in (lambda: datasets.split(), lambda: datasets.split(x, y[:5]), lambda: datasets.split(x, test=0.0)):
        with pytest.raises(ValueError):
            bad()


# -- readers ----------------------------------------------------------------------------------------------------------
def idx_bytes(array, code):
    return bytes([0, 0, code, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


@pytest.mark.parametrize("code,dtype", [(8, "u1"), (9, "i1"), (11, ">i2"), (12, ">i4"), (13, ">f4"), (14, ">f8")])
@pytest.mark.parametrize("packed", [False, True])
def test_idx(tmp_path, code, dtype, packed):
    array = np.arange(24).reshape(2, 3, 4).astype(dtype)
    content = idx_bytes(array, code)
    (tmp_path / "a").write_bytes(gzip.compress(content) if packed else content)
    t = datasets.idx(tmp_path / "a")
    assert t.numpy().dtype == array.dtype.newbyteorder("=") and (t.numpy() == array).all()


def test_damaged_idx_files(tmp_path):
    good = idx_bytes(np.zeros((4, 2, 2), np.uint8), 8)
    path = tmp_path / "f"
    cases = {n: good[:n] for n in range(len(good))}  # truncated anywhere
    cases["longer"] = good + b"\0"
    cases["type"] = b"\0\0\x07" + good[3:]
    cases["magic"] = b"\1" + good[1:]
    cases["huge"] = bytes([0, 0, 8, 3]) + b"\xff" * 12
    cases["rank"] = bytes([0, 0, 8, 255]) + good[4:]
    cases["gzip cut"] = gzip.compress(good)[:-5]
    packed = bytearray(gzip.compress(good))
    packed[-6] ^= 1
    cases["gzip sum"] = bytes(packed)
    for name, content in cases.items():
        path.write_bytes(content)
        with pytest.raises(lamina.FileError) as caught:
            datasets.idx(path)
        assert str(path) in str(caught.value), name
    for missing in (tmp_path / "none", tmp_path):
        with pytest.raises(OSError):
            datasets.idx(missing)


def test_csv(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text('\ufeffa,b,"label"\n1,2.5,0\n\n3,-4e1,2\n')
    x, y = datasets.csv(path)
    assert x.tolist() == [[1.0, 2.5], [3.0, -40.0]] and y.tolist() == [0, 2]
    x, y = datasets.csv(path, target="a")
    assert x.tolist() == [[2.5, 0.0], [-40.0, 2.0]] and y.tolist() == [1, 3]
    x, y = datasets.csv(path, target=None)
    assert x.shape == (2, 3) and y is None
    path.write_text("1;2\n3;4")
    x, y = datasets.csv(path, 0)
    assert x.tolist() == [[2.0], [4.0]] and y.tolist() == [1, 3]


@pytest.mark.parametrize(
    "text,target,message",
    [
        ("", -1, "empty"),
        ("a,b\n", -1, "no data"),
        ("1,2\n3\n", -1, "line 2: 1 values, expected 2"),
        ("a,b\n1,x\n", -1, "line 2, column 'b': 'x'"),
        ("1,2\n3,\n", -1, "line 2, column 1: ''"),
        ("1,2\nnan,1\n", -1, "not a finite number"),
        ("1,2.5\n", -1, "not a whole number"),
        ("1,2\n", 5, "out of range"),
        ("a,b\n1,2\n", "c", "no column 'c'"),
        ("1,2\n", "c", "no header"),
    ],
)
def test_bad_csv_files(tmp_path, text, target, message):
    path = tmp_path / "t.csv"
    path.write_text(text)
    with pytest.raises(ValueError, match=message) as caught:
        datasets.csv(path, target)
    assert str(path) in str(caught.value)


def test_binary_csv(tmp_path):
    (tmp_path / "t.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(lamina.FileError, match="UTF-8"):
        datasets.csv(tmp_path / "t.csv")
