"""copy, deepcopy and pickle of what programs keep beside their weights: devices, dtypes, generators, loaders, schedules."""

from __future__ import annotations

import copy
import pickle

import lamina
import pytest
from lamina import nn, optim
from lamina.utils.data import DataLoader, RandomSampler, TensorDataset, random_split

WAYS = [
    pytest.param(copy.copy, id="copy"),
    pytest.param(copy.deepcopy, id="deepcopy"),
    pytest.param(lambda thing: pickle.loads(pickle.dumps(thing)), id="pickle"),
]


@pytest.mark.parametrize("way", WAYS)
def test_devices_and_dtypes(way):
    for device in (lamina.device("cpu"), lamina.device("cuda", 1)):
        again = way(device)
        assert again == device and hash(again) == hash(device) and repr(again) == repr(device)
    for dtype in (lamina.float32, lamina.bfloat16, lamina.bool, lamina.int64):
        assert way(dtype) is dtype


@pytest.mark.parametrize("way", WAYS)
def test_generators_keep_their_state_and_go_apart(way):
    generator = lamina.Generator().manual_seed(3)
    lamina.rand(5, generator=generator)
    other = way(generator)
    assert other is not generator and other.initial_seed() == 3
    ahead = lamina.rand(4, generator=other).tolist()
    assert lamina.rand(4, generator=generator).tolist() == ahead
    other.manual_seed(4)
    assert generator.initial_seed() == 3
    lamina.manual_seed(5)
    before = lamina.get_rng_state()
    mine = way(lamina.default_generator)
    lamina.rand(3, generator=mine)
    assert (lamina.get_rng_state() == before).all(), "a copy of the default generator is a generator of its own"


@pytest.mark.parametrize("way", WAYS[1:])
def test_loaders_and_samplers(way):
    data = TensorDataset(lamina.arange(8))

    def order(loader):
        return [x.tolist() for (x,) in loader]

    for make in (
        lambda g: DataLoader(data, batch_size=2, shuffle=True, generator=g),
        lambda g: DataLoader(data, batch_size=2, sampler=RandomSampler(data, generator=g)),
        lambda g: DataLoader(random_split(data, [5, 3], generator=g)[0], batch_size=2, shuffle=True, generator=g),
    ):
        loader = make(lamina.Generator().manual_seed(1))
        order(loader)
        other = way(loader)
        assert order(other) == order(loader)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.device, self.dtype, self.noise = lamina.device("cpu"), lamina.float32, lamina.Generator().manual_seed(2)
        self.layer = nn.Linear(2, 2)

    def forward(self, x):
        return self.layer(x.to(self.device, self.dtype)) + lamina.rand(2, generator=self.noise)


@pytest.mark.parametrize("way", WAYS[1:])
def test_modules_that_keep_them(way):
    net = Net()
    other = way(net)
    x = lamina.ones(1, 2)
    assert other(x).tolist() == net(x).tolist()
    assert optim.swa_utils.AveragedModel(net).module.device == net.device


@pytest.mark.parametrize("way", WAYS[1:])
def test_optimizers_with_their_schedules(way):
    """A tuple copied together stays together: the schedule moves the copied optimizer, which moves the copied model."""
    net = nn.Linear(2, 1)
    optimizer = optim.Adam(net.parameters(), lr=0.1)
    schedules = [
        optim.lr_scheduler.StepLR(optimizer, 1, 0.5),
        optim.lr_scheduler.ReduceLROnPlateau(optimizer),
        optim.lr_scheduler.CosineAnnealingLR(optimizer, 5),
    ]

    def step(net, optimizer, schedules):
        optimizer.zero_grad()
        net(lamina.ones(1, 2)).sum().backward()
        optimizer.step()
        schedules[0].step()
        return net.weight.tolist(), optimizer.param_groups[0]["lr"]

    step(net, optimizer, schedules)
    other = way((net, optimizer, schedules))
    assert other[1].param_groups[0]["params"][0] is other[0].weight and other[2][0].optimizer is other[1]
    before = net.weight.tolist()
    moved = step(*other)
    assert net.weight.tolist() == before and moved == step(net, optimizer, schedules)
