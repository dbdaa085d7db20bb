"""Facts, conversions, memory formats and random fillings of tensors, as PyTorch names them."""

from __future__ import annotations

import lamina
import numpy as np
import pytest


def test_facts():
    x = lamina.zeros(2, 3)
    assert lamina.is_tensor(x) and not lamina.is_tensor(3) and lamina.numel(x) == 6
    assert lamina.is_floating_point(x) and not x.is_complex() and x.is_signed()
    storage = x[1].untyped_storage()
    assert storage.data_ptr() == x.data_ptr() and storage.nbytes() >= 24
    assert x.H.shape == (3, 2) and x.mT.shape == x.mH.shape == (3, 2)
    assert lamina.can_cast(lamina.int64, lamina.float32) and not lamina.can_cast(lamina.float32, lamina.int64)
    new = x.new_tensor([1, 2], requires_grad=True)
    assert (
        new.dtype == lamina.float32 and new.requires_grad and x.new_full((2,), 3, device="cpu").tolist() == [3.0, 3.0]
    )


@pytest.mark.parametrize("name", ["float16", "float32", "float64"])
def test_float_limits(name):
    ours, theirs = lamina.finfo(getattr(lamina, name)), np.finfo(name)
    assert (ours.eps, ours.max, ours.min, ours.tiny, ours.bits) == (
        theirs.eps,
        theirs.max,
        theirs.min,
        theirs.tiny,
        theirs.bits,
    )
    assert lamina.finfo(lamina.bfloat16).max == 3.3895313892515355e38


@pytest.mark.parametrize("name", ["uint8", "int8", "int16", "int32", "int64"])
def test_integer_limits(name):
    ours, theirs = lamina.iinfo(getattr(lamina, name)), np.iinfo(name)
    assert (ours.max, ours.min, ours.bits) == (theirs.max, theirs.min, theirs.bits)


def test_memory_formats():
    x = lamina.arange(120.0).reshape(2, 3, 4, 5)
    for y in (
        x.contiguous(memory_format=lamina.channels_last),
        x.to(memory_format=lamina.channels_last),
        x.clone(memory_format=lamina.channels_last),
        lamina.zeros_like(x, memory_format=lamina.channels_last),
        lamina.rand_like(x, memory_format=lamina.channels_last),
    ):
        assert y.is_contiguous(memory_format=lamina.channels_last) and y.stride() == (60, 1, 15, 3)
    last = x.contiguous(memory_format=lamina.channels_last)
    assert (last == x).all() and last.contiguous(memory_format=lamina.channels_last) is last
    assert last.clone().stride() == last.stride() and last.clone(memory_format=lamina.contiguous_format).is_contiguous()
    assert x[None].contiguous(memory_format=lamina.channels_last_3d).stride() == (120, 1, 40, 10, 2)
    w = x.clone().requires_grad_()
    w.contiguous(memory_format=lamina.channels_last).sum().backward()
    assert (w.grad == 1).all()
    with pytest.raises(ValueError, match="channels_last"):
        lamina.zeros(3).contiguous(memory_format=lamina.channels_last)


def generator():
    return lamina.Generator().manual_seed(3)


FILLINGS = {  # name: (call, mean, variance)
    "exponential_": (lambda t, g: t.exponential_(2.0, generator=g), 0.5, 0.25),
    "geometric_": (lambda t, g: t.geometric_(0.25, generator=g), 4.0, 12.0),
    "log_normal_": (
        lambda t, g: t.log_normal_(0.1, 0.5, generator=g),
        np.exp(0.225),
        (np.exp(0.25) - 1) * np.exp(0.45),
    ),
    "poisson small": (lambda t, g: lamina.poisson(lamina.full_like(t, 2.5), generator=g), 2.5, 2.5),
    "poisson large": (lambda t, g: lamina.poisson(lamina.full_like(t, 40.0), generator=g), 40.0, 40.0),
    "normal": (lambda t, g: lamina.normal(lamina.full_like(t, 3.0), 2.0, generator=g), 3.0, 4.0),
    "normal std": (lambda t, g: lamina.normal(1.0, lamina.full_like(t, 2.0), generator=g), 1.0, 4.0),
    "random_": (lambda t, g: t.random_(10, generator=g), 4.5, 8.25),
    "bernoulli_": (lambda t, g: t.bernoulli_(lamina.full_like(t, 0.3), generator=g), 0.3, 0.21),
    "bernoulli": (lambda t, g: lamina.bernoulli(t, 0.3, generator=g), 0.3, 0.21),
}


@pytest.mark.parametrize("name", FILLINGS)
def test_fillings(name):
    call, mean, variance = FILLINGS[name]
    draws = []
    for threads in (1, 3):
        before = lamina.get_num_threads()
        lamina.set_num_threads(threads)
        draws.append(call(lamina.empty(50_000), generator()).double().numpy())
        lamina.set_num_threads(before)
    assert draws[0].tobytes() == draws[1].tobytes()
    error = 5 * np.sqrt(variance / 50_000)
    assert abs(draws[0].mean() - mean) < error and abs(draws[0].var() / variance - 1) < 0.1


def test_cauchy_and_whole_range():
    x = lamina.empty(50_000).cauchy_(1.0, 2.0, generator=generator())
    assert abs(lamina.median(x).item() - 1.0) < 0.1
    assert lamina.empty(1000, dtype=lamina.int8).random_().amin().item() >= 0
    assert lamina.empty(1000, dtype=lamina.int64).random_().amin().item() >= 0


def test_multinomial():
    p = lamina.tensor([[0.1, 0.0, 0.6, 0.3], [1.0, 1.0, 0.0, 0.0]])
    drawn = lamina.multinomial(p, 40_000, replacement=True, generator=generator())
    share = lamina.stack([(drawn == i).double().mean(1) for i in range(4)], 1)
    np.testing.assert_allclose(share.numpy(), [[0.1, 0, 0.6, 0.3], [0.5, 0.5, 0, 0]], atol=0.015)
    once = lamina.multinomial(p, 2, generator=generator())
    assert sorted(once[1].tolist()) == [0, 1] and once[0, 0] != once[0, 1]
    rows = lamina.tensor([0.1, 0.2, 0.7]).expand(20_000, 3)
    first = lamina.multinomial(rows, 2, generator=generator())[:, 0]
    assert abs((first == 2).double().mean().item() - 0.7) < 0.02
    with pytest.raises(ValueError, match="positive probability"):
        lamina.multinomial(p, 4)
    with pytest.raises(ValueError, match="not negative"):
        lamina.multinomial(lamina.tensor([-1.0, 2.0]), 1)


def test_like_arguments():
    x = lamina.zeros(2, 3)
    assert lamina.rand_like(x, generator=generator()).tolist() == lamina.rand(2, 3, generator=generator()).tolist()
    assert lamina.randint_like(x, 3, 9, requires_grad=True).requires_grad
    assert lamina.randperm(4, dtype=lamina.float32, requires_grad=True).requires_grad


@pytest.mark.parametrize(
    "take", [lambda x, i: x.take(i), lambda x, i: lamina.gather(x, 0, i), lambda x, i: x[i], lambda x, i: x.index_select(0, i),
             lambda x, i: lamina.take_along_dim(x, i, 0)]
)  # fmt: skip
def test_nothing_is_taken_from_an_empty_tensor(take):
    with pytest.raises(IndexError):
        take(lamina.empty(0), lamina.tensor([0, 0]))
    assert take(lamina.empty(0), lamina.empty(0, dtype=lamina.int64)).shape == (0,)
