"""Datasets and samplers that change by epoch are told which one begins: by fit, in loops of one's own, and on resuming."""

from __future__ import annotations

import lamina
import pytest
from lamina import nn, vision
from lamina.utils.data import DataLoader, Dataset, Sampler, Subset, TensorDataset


class Noting(Dataset):
    """Notes the epochs it is told."""

    def __init__(self):
        self.epochs = []

    def set_epoch(self, epoch):
        self.epochs.append(epoch)

    def __len__(self):
        return 6

    def __getitem__(self, index):
        return lamina.full((2,), float(index)), lamina.tensor(index % 2)


class NotingSampler(Sampler):
    def __init__(self):
        self.epochs = []

    def set_epoch(self, epoch):
        self.epochs.append(epoch)

    def __len__(self):
        return 6

    def __iter__(self):
        return iter(range(6))


def fit(data, epochs, **options):
    lamina.manual_seed(0)
    model = nn.Linear(2, 2)
    lamina.fit(model, data, loss="cross_entropy", epochs=epochs, progress=False, checks=False, **options)
    return model


def test_fit_tells_the_dataset_also_inside_of_others():
    plain, inner = Noting(), Noting()
    fit(plain, 3, batch_size=4)
    fit(Subset(inner, [0, 1, 2]), 2)
    assert (plain.epochs, inner.epochs) == ([0, 1, 2], [0, 1])


def test_fit_tells_the_sampler():
    data, sampler = Noting(), NotingSampler()
    fit(DataLoader(data, batch_size=3, sampler=sampler), 2)
    assert sampler.epochs == data.epochs == [0, 1]


def test_a_resumed_run_goes_on_with_its_own_epoch(tmp_path):
    path = tmp_path / "run.safetensors"
    fit(Noting(), 2, checkpoint=path)
    again = Noting()
    fit(again, 4, checkpoint=path, resume=True)
    assert again.epochs == [2, 3]


def test_loops_of_ones_own():
    data = Noting()
    run = lamina.Checkpoint(loader=DataLoader(data, batch_size=2))
    for _ in run.epochs(3):
        for _ in run.batches():
            pass
    assert data.epochs == [0, 1, 2]


@pytest.mark.parametrize("workers", [0, 2])
def test_augmented_images_differ_from_epoch_to_epoch(workers):
    images = lamina.rand(8, 1, 6, 6, generator=lamina.Generator().manual_seed(0))
    data = vision.Augment(TensorDataset(images), vision.RandomCrop(6, padding=3), seed=4)
    run = lamina.Checkpoint(loader=DataLoader(data, batch_size=8, num_workers=workers))
    seen = [batch for _ in run.epochs(3) for (batch,) in run.batches()]
    for epoch, batch in enumerate(seen):
        data.set_epoch(epoch)
        assert bool((batch == lamina.stack([data[i][0] for i in range(8)])).all())
    assert not bool((seen[0] == seen[1]).all()) and not bool((seen[1] == seen[2]).all())
