"""Corners that once failed: in-place forms in a graph, empty inputs, containers, lazy layers, None where a tensor belongs."""

from __future__ import annotations

import contextlib
import math

import lamina
import numpy as np
import pytest
from lamina import nn
from lamina.nn import functional as F


@pytest.mark.parametrize(
    "write",
    [
        lambda y: y.tril_(),
        lambda y: y.triu_(1),
        lambda y: y.cumprod_(0),
        lambda y: y.cumsum_(1, dtype=lamina.float32),
        lambda y: y.scatter_reduce_(0, lamina.tensor([[0, 1, 0]]), lamina.full((1, 3), 2.0), "prod"),
        lambda y: y.index_reduce_(0, lamina.tensor([1]), lamina.full((1, 3), 2.0), "amax"),
    ],
)
def test_in_place_forms_keep_what_their_gradient_reads(write):
    x = lamina.rand(3, 3, requires_grad=True)
    y = x * 1
    write(y)
    y.sum().backward()
    assert x.grad.shape == (3, 3)


def test_in_place_scans_refuse_another_dtype():
    with pytest.raises(lamina.DtypeError, match="float64"):
        lamina.ones(3).cumsum_(0, dtype=lamina.float64)


@pytest.mark.parametrize("name", sorted(n for n in vars(lamina.Tensor) if not n.startswith("__")))
def test_methods_of_none_do_not_crash(name):
    member = vars(lamina.Tensor)[name]
    call = member.fget if isinstance(member, property) else getattr(lamina.Tensor, name)
    if not callable(call):
        return
    with contextlib.suppress(TypeError, ValueError, RuntimeError, AttributeError):  # else it does not take self
        call(None)


@pytest.mark.parametrize("make", [lambda: lamina.tensor(3).type_as(None), lambda: lamina.rand(2).new_full([2], lamina.rand(2, 2)),
                                  lambda: lamina.as_tensor([1.0], lamina.float32, 2**31)])  # fmt: skip
def test_wrong_types_are_typed_errors(make):
    with pytest.raises((TypeError, ValueError)):
        make()


def test_tensordot_of_a_number():
    for a, b in ((lamina.tensor(3.0), lamina.rand(3, 3)), (lamina.rand(3, 3), lamina.tensor(3.0))):
        with pytest.raises(lamina.ShapeError):
            lamina.tensordot(a, b, ([0], [0]))


def test_mean_beside_a_variance_of_infinities():
    for dtype in (lamina.float32, lamina.float64):
        x = lamina.tensor([[0.0, 0.0, math.inf], [-math.inf, 1, 1]], dtype=dtype)
        assert lamina.var_mean(x, 0)[1].tolist() == [-math.inf, 0.5, math.inf]


def test_normalising_nothing():
    layer = nn.BatchNorm1d(4)
    assert layer(lamina.zeros(0, 4)).shape == (0, 4) and layer.running_mean.tolist() == [0.0] * 4
    x = lamina.zeros(2, 4, 0, requires_grad=True)
    layer(x).sum().backward()
    assert x.grad.shape == (2, 4, 0) and layer.weight.grad.tolist() == [0.0] * 4
    assert nn.InstanceNorm1d(4)(lamina.zeros(2, 4, 0)).shape == (2, 4, 0)
    with pytest.raises(ValueError, match="more than one value"):
        layer(lamina.zeros(1, 4))


def test_a_second_parametrization_only_appends():
    class Double(nn.Module):
        def forward(self, x):
            return 2 * x

    class Shift(nn.Module):
        def forward(self, x):
            return x + 1

        def right_inverse(self, x):
            return x - 10

    layer = nn.Linear(1, 1)
    nn.init.constant_(layer.weight, 3.0)
    nn.utils.parametrize.register_parametrization(layer, "weight", Double())
    nn.utils.parametrize.register_parametrization(layer, "weight", Shift())
    assert layer.weight.item() == 7.0 and layer.parametrizations.weight.original.item() == 3.0


def test_lazy_layers_show_their_settings():
    assert nn.LazyLinear(3).out_features == 3 and nn.LazyConv2d(3, 2).kernel_size == (2, 2)
    assert nn.LazyBatchNorm1d(eps=0.5).eps == 0.5 and nn.LazyLinear(3).in_features == 0
    layer = nn.LazyInstanceNorm1d()
    layer(lamina.randn(2, 5, 3))
    assert sorted(layer.state_dict()) == ["bias", "num_batches_tracked", "running_mean", "running_var", "weight"]


def test_sequential_is_joined_and_repeated():
    a, b = nn.Sequential(nn.Linear(2, 2)), nn.Sequential(nn.ReLU(), nn.Tanh())
    assert [type(m).__name__ for m in a + b] == ["Linear", "ReLU", "Tanh"] and len(a) == 1
    assert len(b * 3) == 6 and len(2 * b) == 4
    b += a
    b *= 2
    assert len(b) == 6 and b[2] is b[5]
    for bad in (lambda: a + 1, lambda: a * 1.5):
        with pytest.raises(TypeError):
            bad()
    with pytest.raises(ValueError):
        a * 0


def test_parameter_containers_as_pytorch_has_them():
    left = nn.ParameterDict({"a": lamina.zeros(1)})
    both = left | nn.ParameterDict({"b": lamina.zeros(2)})
    left |= both
    assert list(both) == list(left) == ["a", "b"] and list(nn.ParameterDict.fromkeys(["x"], lamina.ones(1))) == ["x"]
    assert repr(nn.ParameterList([lamina.zeros(2), lamina.zeros(1)])).splitlines() == [
        "ParameterList(",
        "  (0): Parameter containing: [lamina.float32 of size 2]",
        "  (1): Parameter containing: [lamina.float32 of size 1]",
        ")",
    ]


def test_modules_change_type_format_and_parts():
    model = nn.Sequential(nn.Conv2d(2, 4, 3), nn.ReLU())
    assert model.to(memory_format=lamina.channels_last)[0].weight.is_contiguous(memory_format=lamina.channels_last)
    assert model.type(lamina.float64)[0].bias.dtype == lamina.float64
    assert model.to_empty(device="cpu")[0].weight.shape == (4, 2, 3, 3)
    model.set_submodule("1", nn.Tanh())
    assert isinstance(model[1], nn.Tanh)
    with pytest.raises(TypeError):
        model.set_submodule("1", 3)


def test_a_forward_hook_may_see_failures():
    seen = []
    layer = nn.Linear(2, 2)
    layer.register_forward_hook(lambda m, a, y: seen.append(y), always_call=True)
    with pytest.raises(lamina.Error):
        layer(lamina.zeros(3, 5))
    assert seen == [None]


def test_optimizer_settings_are_checked_at_once():
    p = nn.Parameter(lamina.zeros(1))
    for kind in (lamina.optim.Adam, lamina.optim.AdamW, lamina.optim.NAdam, lamina.optim.RAdam, lamina.optim.Adamax):
        for betas in ((0.9,), (0.9, 0.9, 0.9), 0.9):
            with pytest.raises(ValueError, match="betas"):
                kind([p], betas=betas)


def test_rprop_in_float64_keeps_its_factors():
    p = nn.Parameter(lamina.ones(1, dtype=lamina.float64))
    optimizer = lamina.optim.Rprop([p], lr=0.01)
    for _ in range(2):
        p.grad = lamina.ones(1, dtype=lamina.float64)
        optimizer.step()
    assert p.item() == 1 - 0.01 - 0.01 * 1.2


def test_small_forms():
    assert F.bilinear(lamina.rand(2, 3), lamina.rand(2, 4), lamina.rand(5, 3, 4)).shape == (2, 5)
    for call in (
        lambda: F.bilinear((1,), lamina.rand(2), lamina.rand(1, 1, 2)),
        lambda: lamina.rand(3, 3).cholesky_solve((1,)),
    ):
        with pytest.raises(TypeError, match="must be a Tensor"):
            call()
    assert np.isnan(lamina.array_api.sign(lamina.tensor([math.nan])).item())
    assert nn.ConvTranspose1d(1, 1, 1).transposed and not nn.Conv1d(1, 1, 1).transposed and nn.ReLU6().max_val == 6
    with pytest.raises(RuntimeError, match="randomness"):
        lamina.func.vmap(lambda x: x, randomness=lamina.ones(3))
    with pytest.raises(ValueError, match="empty"):
        lamina.utils.data.RandomSampler([])


def test_nothing_reduced_over_the_longest_dim():
    """The number of chunks is counted without overflow (seen by the sanitizer)."""
    x = lamina.empty(0, 1).expand(0, 2**63 - 1)
    assert x.sum(1).shape == x.var(1).shape == (0,)


def test_none_in_lists_of_tensors_is_refused():
    x = lamina.ones(3, requires_grad=True)
    for call in (
        lambda: lamina.autograd.grad(x.sum(), [None]),
        lambda: lamina.autograd.grad([None], [x]),
        lambda: lamina.autograd.backward([None]),
        lambda: lamina.autograd.backward(None),
        lambda: x.sum().backward(inputs=[None]),
        lambda: x.sum().backward(3),
    ):
        with pytest.raises(TypeError, match="Tensor"):
            call()
    h, weights = lamina.zeros(1, 1, 3), [lamina.zeros(12, 3)] * 2 + [lamina.zeros(12)] * 2
    options = (True, 1, 0.0, False, False, False)
    for state, params in (([h, h], [None] * 4), ([h, None], weights), ([None, h], weights)):
        with pytest.raises(TypeError, match="None"):
            lamina.lstm(lamina.zeros(2, 1, 3), state, params, *options)
    with pytest.raises(TypeError, match="None"):
        lamina.lstm_cell(lamina.zeros(2, 3), [None, None], *weights)


def test_numbers_from_sequences_and_older_constructors():
    from collections import deque

    assert lamina.tensor(range(3)).tolist() == [0, 1, 2] and lamina.tensor(range(3)).dtype == lamina.int64
    assert lamina.tensor(deque([1.0, 2.0])).tolist() == [1.0, 2.0]
    assert lamina.Tensor([1, 2]).dtype == lamina.float32 and lamina.Tensor(2, 3).shape == (2, 3)
    assert lamina.Tensor().shape == (0,)
    for refused in ("abc", b"abc", {1: 2}, {3}):
        with pytest.raises(TypeError):
            lamina.tensor(refused)


def test_int64_is_numpys_int64():
    scalar = lamina.tensor([1, 2]).numpy()[0]
    assert isinstance(scalar, np.int64)
