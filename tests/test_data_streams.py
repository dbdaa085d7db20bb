"""Random numbers of batches belong to (seed, pass, batch): whatever worker makes them, and after a break too."""

from __future__ import annotations

import hashlib
import threading
import time

import lamina
import numpy as np
import pytest
from lamina import nn
from lamina.utils.data import (
    DataLoader,
    Dataset,
    IterableDataset,
    RandomSampler,
    Sampler,
    TensorDataset,
    default_collate,
    get_worker_info,
)

WORKERS = (0, 1, 2, 4)


def unhurried():
    """A disk that takes its time."""
    time.sleep(time.perf_counter_ns() % 1000 * 1e-6)


class Noisy(Dataset):
    """Draws from the default generator and from one of its own."""

    def __init__(self, count=24):
        self.count, self.own = count, lamina.Generator().manual_seed(2)

    def __len__(self):
        return self.count

    def __getitem__(self, i):
        unhurried()
        return lamina.randn(4) + lamina.rand(4, generator=self.own) + i, lamina.tensor(i % 2)


class Flow(IterableDataset):
    def __iter__(self):
        for i in range(22):
            unhurried()
            yield lamina.rand(4) + i % 3, i % 2


class Wandering(Sampler):
    """Draws each position from the default generator when it is asked for."""

    def __iter__(self):
        for _ in range(24):
            yield int(lamina.randint(24, ()).item())

    def __len__(self):
        return 24


def noisy_collate(batch):
    x, y = default_collate(batch)
    return x + lamina.rand(1), y


def loaders():
    yield "order", lambda n: DataLoader(Noisy(), 4, shuffle=True, num_workers=n)
    yield (
        "generator",
        lambda n: DataLoader(Noisy(), 4, True, num_workers=n, generator=lamina.Generator().manual_seed(1)),
    )
    yield "collate", lambda n: DataLoader(Noisy(), 4, num_workers=n, collate_fn=noisy_collate)
    yield "repeated order", lambda n: DataLoader(Noisy(5), 4, sampler=RandomSampler(range(5), False, 24), num_workers=n)
    yield "wandering", lambda n: DataLoader(Noisy(), 4, sampler=Wandering(), num_workers=n)
    yield "stream", lambda n: DataLoader(Flow(), 4, num_workers=n)
    yield "kept threads", lambda n: DataLoader(Noisy(), 4, num_workers=n, persistent_workers=n > 0)


LOADERS = dict(loaders())


def digest(*trees):
    found = hashlib.sha256()
    for tree in trees:
        for value in tree.values():
            found.update(value.detach().numpy().tobytes())
    return found.hexdigest()


def trained(data, **options):
    lamina.manual_seed(3)
    model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Dropout(0.3), nn.Linear(8, 2))
    lamina.fit(model, data, **{"loss": "cross_entropy", "epochs": 2, "seed": 0, "progress": False, **options})
    return digest(model.state_dict())


def test_fit_gives_one_hash_for_any_number_of_workers():
    assert len({trained(Noisy(), batch_size=8, num_workers=n) for n in WORKERS}) == 1
    assert trained(Noisy(), batch_size=8, seed=1) != trained(Noisy(), batch_size=8)


@pytest.mark.parametrize("kind", LOADERS)
def test_each_kind_of_loader_gives_one_hash(kind):
    assert len({trained(LOADERS[kind](n)) for n in (0, 2, 4)}) == 1


@pytest.mark.parametrize("kind", LOADERS)
@pytest.mark.parametrize(("first", "then"), [(2, 4), (0, 2)])
def test_a_resumed_run_ends_in_the_same_hash(kind, first, then, tmp_path):
    whole = trained(LOADERS[kind](0), epochs=3)
    options = {"checkpoint": tmp_path / "run", "epochs": 3}
    trained(LOADERS[kind](first), steps=8, **options)
    assert trained(LOADERS[kind](then), resume=True, **options) == whole


@pytest.mark.parametrize("workers", WORKERS)
def test_batches_repeat_by_seed_and_differ_by_pass_and_batch(workers):
    def run(seed):
        lamina.manual_seed(seed)
        loader = DataLoader(Noisy(), 4, num_workers=workers)
        return [lamina.cat([x for x, _ in loader]) for _ in range(2)]

    a, b, c = run(0), run(0), run(1)
    assert all(lamina.equal(x, y) for x, y in zip(a, b, strict=True))
    assert not lamina.equal(a[0], a[1]) and not lamina.equal(a[0], c[0])
    rest = a[0] - lamina.arange(24).unsqueeze(1)
    assert len({row[0] for row in rest.tolist()}) == 24
    lamina.manual_seed(0)  # a loader made anew for each pass
    again = [lamina.cat([x for x, _ in DataLoader(Noisy(), 4, num_workers=workers)]) for _ in range(2)]
    assert lamina.equal(again[0], a[0]) and not lamina.equal(again[0], again[1])


@pytest.mark.parametrize("workers", WORKERS)
def test_draws_of_batches_do_not_move_the_generators_of_the_program(workers):
    lamina.manual_seed(0)
    expected = lamina.rand(3)
    lamina.manual_seed(0)
    list(DataLoader(Noisy(), 4, num_workers=workers))
    assert lamina.equal(lamina.rand(3), expected)


@pytest.mark.parametrize("workers", WORKERS)
def test_seeding_and_states_within_a_dataset(workers):
    """An image and its mask moved alike, by manual_seed, by states of the default generator and of one's own."""

    class Pairs(Dataset):
        own = lamina.Generator().manual_seed(9)

        def __len__(self):
            return 8

        def __getitem__(self, i):
            lamina.manual_seed(i)
            seeded = lamina.rand(2)
            assert lamina.initial_seed() == i and lamina.default_generator.initial_seed() == i
            state = lamina.get_rng_state()
            image = lamina.rand(2)
            lamina.set_rng_state(state)
            mask = lamina.rand(2)
            with lamina.random.fork_rng():
                inside = lamina.rand(2)
            outside = lamina.rand(2, generator=lamina.default_generator)
            before = self.own.get_state()
            first = lamina.rand(2, generator=self.own)
            self.own.set_state(before)
            return seeded, image - mask, inside - outside, first - lamina.rand(2, generator=self.own)

    lamina.manual_seed(4)
    seeded, *zeros = next(iter(DataLoader(Pairs(), 8, num_workers=workers)))
    assert all(not z.any() for z in zeros)
    for i, row in enumerate(seeded):
        assert lamina.equal(row, lamina.rand(2, generator=lamina.Generator().manual_seed(i)))
    assert lamina.initial_seed() == 4


def test_a_loader_within_a_dataset():
    class Outer(Dataset):
        def __len__(self):
            return 6

        def __getitem__(self, i):
            return lamina.cat([x for x, _ in DataLoader(Noisy(4), 2, shuffle=True)])

    def run(n):
        lamina.manual_seed(1)
        return lamina.cat(list(DataLoader(Outer(), 2, num_workers=n)))

    assert all(lamina.equal(run(0), run(n)) for n in (1, 2))


def test_worker_info_and_seeds_of_workers():
    loader = DataLoader(range(8), num_workers=2, persistent_workers=True, collate_fn=lambda _: get_worker_info())
    lamina.manual_seed(5)
    first, second = list(loader), list(loader)
    assert [i.id for i in first] == [0, 1] * 4
    seeds = [{i.seed for i in found if i.id == number} for found in (first, second) for number in (0, 1)]
    assert all(len(s) == 1 for s in seeds) and len(set().union(*seeds)) == 4
    assert first[1].seed == first[0].seed + 1 and first[0].dataset is loader.dataset
    lamina.manual_seed(5)
    assert list(loader) == first


def test_what_worker_init_fn_seeds_is_the_same_in_each_run():
    """NumPy's numbers, from a generator that each thread has from its worker's seed."""
    here = threading.local()

    def init(number):
        assert lamina.initial_seed() == get_worker_info().seed
        here.numpy = np.random.default_rng(lamina.initial_seed())

    class Numbers(Dataset):
        def __len__(self):
            return 16

        def __getitem__(self, i):
            unhurried()
            return here.numpy.random()

    def run():
        lamina.manual_seed(0)
        return lamina.cat(list(DataLoader(Numbers(), 2, num_workers=3, worker_init_fn=init))).tolist()

    assert run() == run() and len(set(run())) == 16


class Turning(Sampler):
    turn = 0

    def __iter__(self):
        self.turn += 1
        return iter([(5 * i + self.turn) % 12 for i in range(12)])

    def __len__(self):
        return 12

    def state_dict(self):
        return {"turn": self.turn}

    def load_state_dict(self, state):
        self.turn = state["turn"]


class Counting(Dataset):
    """Each item depends on how many were asked for: what only a state can bring back."""

    def __init__(self):
        self.asked = {"count": 0}

    def __len__(self):
        return 12

    def __getitem__(self, i):
        self.asked["count"] += 1
        return lamina.full((4,), float(i + self.asked["count"] % 5)), i % 2

    def state_dict(self):
        return self.asked

    def load_state_dict(self, state):
        self.asked = state


class OwnLoader:
    """Not a DataLoader; its order is a state of its own."""

    def __init__(self):
        self.order = lamina.arange(12)

    def __iter__(self):
        self.order = (self.order * 5 + 1) % 12
        for rows in self.order.split(4):
            yield rows.float().unsqueeze(1).expand(-1, 4), rows % 2

    def __len__(self):
        return 3

    def state_dict(self):
        return {"order": self.order}

    def load_state_dict(self, state):
        self.order = state["order"]


@pytest.mark.parametrize("steps", [3, 4, 5])
@pytest.mark.parametrize("kind", ["sampler", "sampler with workers", "batches", "dataset", "loader"])
def test_states_of_samplers_datasets_and_loaders_go_on(kind, steps, tmp_path):
    x = lamina.rand(12, 4, generator=lamina.Generator().manual_seed(1))
    rows = TensorDataset(x, lamina.arange(12) % 2)

    class Batches(Turning):
        def __iter__(self):
            yield from (list(b) for b in np.array_split(list(super().__iter__()), 3))

        def __len__(self):
            return 3

    def make():
        if kind == "batches":
            return DataLoader(rows, batch_sampler=Batches())
        if kind in ("dataset", "loader"):
            return DataLoader(Counting(), 4) if kind == "dataset" else OwnLoader()
        return DataLoader(rows, 4, sampler=Turning(), num_workers=2 if "workers" in kind else 0)

    options = {"checkpoint": tmp_path / "run", "epochs": None}
    whole = trained(make(), steps=8, epochs=None)
    trained(make(), steps=steps, **options)
    assert trained(make(), steps=8, resume=True, **options) == whole


def test_states_of_files_before_streams_are_read():
    lamina.manual_seed(3)
    lamina.rand(2)
    state = lamina.get_rng_state()
    expected = lamina.rand(4)
    old = lamina.tensor(list(b"philox01"), dtype=lamina.uint8)
    lamina.set_rng_state(lamina.cat([old, state[8:24]]))
    assert lamina.equal(lamina.rand(4), expected)
    for bad in (state[:24], lamina.cat([old, state[8:]])):
        with pytest.raises(ValueError, match="set_rng_state"):
            lamina.set_rng_state(bad)
