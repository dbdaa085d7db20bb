"""Datasets, samplers and loaders in the forms that libraries use them in; PyTorch as the oracle."""

from __future__ import annotations

from collections import OrderedDict, UserDict, defaultdict, deque, namedtuple
from dataclasses import dataclass
from itertools import islice
from types import MappingProxyType

import lamina
import numpy as np
import pytest
from conftest import needs_torch
from lamina import nn
from lamina.training import evaluate, predict
from lamina.utils import data
from lamina.utils.data import DataLoader, RandomSampler, Subset, TensorDataset, WeightedRandomSampler
from lamina.utils.data._utils.collate import collate, default_collate_fn_map
from lamina.utils.data.dataloader import default_collate, default_convert

Point = namedtuple("Point", "x y")
SAMPLES = [
    [1, 2],
    [1.5, 2.5],
    [True, False],
    ["a", "b"],
    [b"a", b"b"],
    [np.float64(1), np.float64(2)],
    [np.int32(1), np.int32(2)],
    [np.bool_(True), np.bool_(False)],
    [np.arange(3), np.arange(3)],
    [np.str_("a"), np.str_("b")],
    [(1, 2.0), (3, 4.0)],
    [[1, 2.0], [3, 4.0]],
    [Point(1, 2.0), Point(3, 4.0)],
    [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}],
    [OrderedDict(a=1), OrderedDict(a=2)],
    [defaultdict(int, a=1), defaultdict(int, a=2)],
    [MappingProxyType({"a": 1}), MappingProxyType({"a": 2})],
    [UserDict(a=np.zeros(2)), UserDict(a=np.ones(2))],
    [deque([1, 2]), deque([3, 4])],
    [range(3), range(3)],
    [{"a": [Point((1, np.zeros(2)), {"b": 2.0})]}, {"a": [Point((3, np.ones(2)), {"b": 4.0})]}],
]


def plain(value):
    """Kinds and values, the same for both libraries."""
    if hasattr(value, "tolist") and not isinstance(value, np.generic):
        return (
            "tensor" if type(value).__name__ == "Tensor" else "array",
            str(value.dtype).split(".")[-1],
            value.tolist(),
        )
    if hasattr(value, "keys"):
        return type(value).__name__, {key: plain(value[key]) for key in value}
    if isinstance(value, (list, tuple, deque)):
        return type(value).__name__, [plain(item) for item in value]
    return type(value).__name__, value


@needs_torch
@pytest.mark.parametrize("batch", SAMPLES, ids=lambda b: type(b[0]).__name__)
def test_collate_and_convert_are_pytorchs(batch):
    from torch.utils.data import default_collate as theirs
    from torch.utils.data import default_convert as convert

    assert plain(default_collate(batch)) == plain(theirs(batch))
    assert plain(default_convert(batch[0])) == plain(convert(batch[0]))


def test_collate_takes_a_table_of_types():
    @dataclass
    class Box:
        side: float

    def boxes(batch, *, collate_fn_map=None):
        return collate([box.side for box in batch], collate_fn_map=collate_fn_map)

    table = {**default_collate_fn_map, Box: boxes}
    found = collate([{"box": Box(1.0)}, {"box": Box(2.0)}], collate_fn_map=table)
    assert found["box"].tolist() == [1.0, 2.0]
    with pytest.raises(TypeError, match=r"found Box; hint: collate_fn"):
        default_collate([Box(1.0)])
    with pytest.raises(TypeError, match="found NoneType"):
        default_collate([None, None])
    image = type("Image", (), {"__module__": "PIL.Image"})()
    with pytest.raises(TypeError, match=r"numpy\.array\(image\)"):
        default_collate([image])
    assert default_convert(image) is image
    with pytest.raises(TypeError, match="samples must be"):
        collate([1, 2])


def test_samples_alone():
    items = [{"x": np.full(2, i, np.float32), "y": i} for i in range(3)]
    for workers in (0, 2):
        found = list(DataLoader(items, batch_size=None, num_workers=workers))
        assert all(isinstance(item["x"], lamina.Tensor) and isinstance(item["y"], int) for item in found)
    assert list(DataLoader(range(4), None, sampler=[3, 1])) == [3, 1]
    assert list(DataLoader(range(3), None, collate_fn=lambda i: i + 1)) == [1, 2, 3]
    batches = [[0, 1], [2]]
    rows = TensorDataset(lamina.arange(3))
    assert [b[0].tolist() for b in DataLoader(rows, None, sampler=batches)] == batches
    with pytest.raises(ValueError, match="drop_last"):
        DataLoader(items, batch_size=None, drop_last=True)


def test_a_loader_stays_as_it_was_made():
    loader = DataLoader[int](range(4), 2)
    for name in ("batch_size", "sampler", "batch_sampler", "dataset", "drop_last", "persistent_workers"):
        with pytest.raises(ValueError, match=f"{name} cannot be changed"):
            setattr(loader, name, None)
    loader.collate_fn = sum
    assert list(loader) == [1, 5]
    assert loader._auto_collation and loader._index_sampler is loader.batch_sampler
    assert loader.multiprocessing_context is None and loader.in_order


@pytest.mark.parametrize("kind", ["tensors", "list"])
def test_subsets_count_from_the_end(kind):
    rows = lamina.arange(10)
    whole = TensorDataset(rows) if kind == "tensors" else [(i,) for i in range(10)]
    subset = Subset(whole, [-1, 0, -10, 3, -4])
    expected = [9, 0, 0, 3, 6]
    assert [int(subset[i][0]) for i in range(5)] == expected and int(subset[-1][0]) == 6
    for workers in (0, 2):
        assert lamina.cat([x for (x,) in DataLoader(subset, 2, num_workers=workers)]).tolist() == expected
    nested = Subset(subset, [-1, -5])
    assert lamina.cat([x for (x,) in DataLoader(nested, 2)]).tolist() == [6, 9]
    for bad in (10, -11):
        with pytest.raises(IndexError):
            list(DataLoader(Subset(whole, [bad]), 2))


def test_many_samples_need_little_memory():
    sampler = RandomSampler(range(7), replacement=True, num_samples=10**10, generator=lamina.Generator().manual_seed(1))
    first = list(islice(sampler, 100))
    assert len(sampler) == 10**10 and set(first) == set(range(7))
    expected = lamina.randint(7, (100,), generator=lamina.Generator().manual_seed(1)).tolist()
    assert first == expected, "the order of smaller samplers"
    small = RandomSampler(range(7), True, 100, lamina.Generator().manual_seed(1))
    assert list(small) == expected
    assert len(list(islice(RandomSampler(range(3), num_samples=10**10), 50))) == 50
    weighted = WeightedRandomSampler([0.0, 1.0, 3.0], 10**10)
    assert set(islice(weighted, 100)) == {1, 2}
    loader = DataLoader(range(7), 4, sampler=sampler, num_workers=2)
    assert next(iter(loader)).shape == (4,)
    crossing = list(islice(RandomSampler(range(5), True, 2**20 + 10), 2**20 - 5, None))
    assert len(crossing) == 15 and set(crossing) <= set(range(5))


def test_other_forms_of_samplers_and_splits():
    assert list(data.BatchSampler(iter([3, 1, 2]), 2, False)) == [[3, 1], [2]]
    assert list(data.BatchSampler((i for i in range(5)), 2, True)) == [[0, 1], [2, 3]]
    with pytest.raises(ValueError, match="drop_last"):
        data.BatchSampler(range(3), 1, 2)
    assert [len(part) for part in data.random_split(range(5), [1])] == [5]
    assert [len(part) for part in data.random_split(range(10), [0.35, 0.35, 0.3])] == [4, 3, 3]
    a, b = (data.random_split(range(10), [7, 3], generator=lamina.Generator().manual_seed(4)) for _ in range(2))
    assert [p.indices for p in a] == [p.indices for p in b]

    class Flow(data.IterableDataset):
        def __iter__(self):
            return iter(range(3))

    with pytest.raises(TypeError, match="ChainDataset"):
        data.ConcatDataset([[1], Flow()])
    assert list(data.ChainDataset([Flow(), Flow()])) == [0, 1, 2] * 2
    subset = lamina.tensor([4, 2, 7])
    assert sorted(int(i) for i in data.SubsetRandomSampler(subset)) == [2, 4, 7]


class Pair(nn.Module):
    """Takes its fields by name, as models of text do."""

    def __init__(self):
        super().__init__()
        self.head = nn.Linear(3, 2)

    def forward(self, ids, mask=None):
        return self.head(ids if mask is None else ids * mask)


def fields():
    g = lamina.Generator().manual_seed(0)
    return (
        lamina.rand(12, 3, generator=g),
        lamina.randint(2, (12, 3), generator=g),
        lamina.randint(2, (12,), generator=g),
    )


def test_fit_takes_datasets_of_dicts():
    ids, mask, y = fields()

    def run(made, train):
        lamina.manual_seed(0)
        model = made()
        options = {"loss": "cross_entropy", "metrics": "accuracy", "epochs": 2, "batch_size": 5, "progress": False}
        history = lamina.fit(model, train, train, **options)
        return model.state_dict()["head.weight"].tolist(), history[-1]["val_accuracy"], predict(model, train).tolist()

    class One(nn.Module):
        def __init__(self):
            super().__init__()
            self.head = nn.Linear(3, 2)

        def forward(self, input):
            return self.head(input)

    named = [{"labels": int(c), "mask": m, "ids": i} for i, m, c in zip(ids, mask, y, strict=True)]
    expected = run(Pair, (ids, mask, y))[:2]
    assert run(Pair, named)[:2] == run(Pair, {"mask": mask, "y": y, "ids": ids})[:2] == expected
    assert run(Pair, named)[2] == run(Pair, data.StackDataset(ids=ids, mask=mask, labels=y))[2]
    plain_run = run(One, (ids, y))
    for train in ({"x": ids, "y": y}, {"target": y, "image": ids}, {"image": ids.numpy(), "kind": y.numpy()}):
        assert run(One, train)[:2] == plain_run[:2]
    assert run(One, {"x": ids, "y": y})[2] == plain_run[2]
    found = evaluate(One(), DataLoader(named, 4, collate_fn=lambda b: {"x": b[0]["ids"][None], "y": lamina.tensor([1])}), loss="cross_entropy")  # fmt: skip
    assert found["loss"] > 0
    with pytest.raises(ValueError, match="needs a target"):
        lamina.fit(One(), {"x": ids}, loss="cross_entropy", progress=False)
    with pytest.raises(ValueError, match="dict is empty"):
        lamina.fit(One(), {}, loss="cross_entropy", progress=False)


def test_fit_drops_the_last_batch_where_it_is_asked():
    ids, _, y = fields()
    sizes = []

    class Sizes(lamina.training.Callback):
        def on_batch_begin(self, trainer, batches):
            sizes.extend(len(b[0]) for b in batches)

    for drop, expected in ((False, [5, 5, 2]), (True, [5, 5])):
        sizes.clear()
        options = {"loss": "cross_entropy", "epochs": 1, "batch_size": 5, "callbacks": [Sizes()], "progress": False}
        lamina.fit(nn.Linear(3, 2), (ids, y), drop_last=drop, **options)
        assert sizes == expected
    with pytest.raises(TypeError, match="drop_last"):
        lamina.fit(nn.Linear(3, 2), (ids, y), loss="cross_entropy", drop_last=1)
