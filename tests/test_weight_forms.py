"""Reparametrised weights: state dicts of the older and newer form, copies, pickles, and orthogonal matrices."""

from __future__ import annotations

import copy
import io
import pickle

import lamina
import numpy as np
import pytest
from conftest import needs_torch, torch
from lamina import nn
from lamina.nn.utils import parametrizations, parametrize, prune

OLDER = {"weight_norm": nn.utils.weight_norm, "spectral_norm": nn.utils.spectral_norm}
NEWER = {"weight_norm": parametrizations.weight_norm, "spectral_norm": parametrizations.spectral_norm}
LAYERS = [
    lambda lib: lib.nn.Linear(3, 2),
    lambda lib: lib.nn.ConvTranspose1d(2, 3, 2),
    lambda lib: lib.nn.Conv2d(1, 2, 3),
]


def close(a, b):
    np.testing.assert_allclose(np.asarray(a.detach()), np.asarray(b.detach()), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("kind", OLDER)
@pytest.mark.parametrize("make", LAYERS)
def test_older_and_newer_forms_read_each_other(kind, make):
    older, newer = nn.Sequential(OLDER[kind](make(lamina))).eval(), nn.Sequential(NEWER[kind](make(lamina))).eval()
    newer.load_state_dict(older.state_dict())
    older(lamina.ones(2, 1, 4, 4)[:, 0] if kind == "" else _input(older[0]))
    close(newer[0].weight, older[0].weight)
    third = nn.Sequential(OLDER[kind](make(lamina))).eval()
    third.load_state_dict(newer.state_dict())
    third(_input(third[0]))
    close(third[0].weight, older[0].weight)
    with pytest.raises(RuntimeError, match="Missing"):
        newer.load_state_dict({"0.weight_v": older.state_dict()["0.weight_v"], "0.bias": older.state_dict()["0.bias"]})


def _input(layer):
    return {"Linear": lamina.ones(1, 3), "ConvTranspose1d": lamina.ones(1, 2, 4), "Conv2d": lamina.ones(1, 1, 4, 4)}[
        nn.utils.parametrize.type_before_parametrizations(layer).__name__
    ]


@needs_torch
@pytest.mark.parametrize("kind", OLDER)
@pytest.mark.parametrize("make", LAYERS)
def test_state_dicts_of_pytorch_in_both_forms(kind, make):
    theirs = getattr(torch.nn.utils, kind)(make(torch)).eval()
    modern = getattr(torch.nn.utils.parametrizations, kind)(make(torch)).eval()
    for source in (theirs, modern):
        state = {k: lamina.tensor(v.numpy()) for k, v in source.state_dict().items()}
        for form in (OLDER, NEWER):
            ours = form[kind](make(lamina)).eval()
            ours.load_state_dict(state)
            x = _input(ours)
            close(ours(x), source(torch.tensor(x.numpy())))


@needs_torch
def test_spectral_norm_of_files_without_the_right_vector():
    theirs, ours = torch.nn.utils.spectral_norm(torch.nn.Linear(3, 2)), nn.utils.spectral_norm(nn.Linear(3, 2))
    theirs.train()(torch.ones(1, 3))
    state = dict(theirs.state_dict())
    del state["weight_v"]
    state["weight"] = theirs.weight.detach()
    ours.load_state_dict({k: lamina.tensor(v.numpy()) for k, v in state.items()})
    ours.eval()(lamina.ones(1, 3))
    close(ours.weight, theirs.weight)  # PyTorch's v has the same product and noise in the directions it leaves open
    with pytest.raises(RuntimeError, match="weight_v"):
        ours.load_state_dict({k: lamina.tensor(v.numpy()) for k, v in state.items() if k != "weight"})


class Pruned:
    """A pruned layer under the name of a form."""

    @staticmethod
    def make(layer):
        return prune.l1_unstructured(layer, "weight", amount=2)


FORMS = [*OLDER.values(), *NEWER.values(), parametrizations.orthogonal, Pruned.make]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("copied", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_copies_and_pickles(form, copied):
    net = nn.Sequential(form(nn.Linear(3, 2)), nn.ReLU())
    net(lamina.ones(1, 3)).sum().backward()
    other = copied(net)
    net.eval(), other.eval()
    x = lamina.randn(2, 3)
    assert other(x).tolist() == net(x).tolist() and list(other.state_dict()) == list(net.state_dict())
    before = net(x).tolist()
    with lamina.no_grad():
        for p in other.parameters():
            p.mul_(3.0).add_(0.5)
    assert other(x).tolist() != before and net(x).tolist() == before
    other.train()(x).sum().backward()
    assert all(p.grad is not None for p in other.parameters())


def test_the_weight_of_a_copy_is_there_before_its_first_call():
    layer = nn.utils.spectral_norm(nn.Linear(3, 2))
    state = {k: v.clone() for k, v in layer.state_dict().items()}
    other = copy.deepcopy(layer)
    assert other.weight.tolist() == layer.weight.tolist()
    assert all((other.state_dict()[k] == v).all() for k, v in state.items()), "a copy makes no step of its own"


def test_copies_of_parametrised_modules_are_their_own():
    layer = parametrizations.weight_norm(nn.Linear(3, 2))
    other = copy.deepcopy(layer)
    parametrize.remove_parametrizations(other, "weight")
    assert type(other) is nn.Linear and parametrize.is_parametrized(layer, "weight")
    assert layer.weight.shape == (2, 3) and list(other.state_dict()) == ["bias", "weight"]
    parametrizations.weight_norm(layer, "bias", dim=None)
    third = copy.deepcopy(layer)
    assert parametrize.is_parametrized(third, "bias") and type(third).__name__ == "ParametrizedLinear"
    assert isinstance(layer, nn.Linear) and parametrize.type_before_parametrizations(third) is nn.Linear
    with pytest.raises(ValueError, match="not parametrised"):
        parametrize.remove_parametrizations(other, "weight")


def test_hooks_are_found_by_their_class():
    from lamina.nn.utils.spectral_norm import SpectralNorm
    from lamina.nn.utils.weight_norm import WeightNorm

    layer = nn.utils.weight_norm(nn.Linear(3, 2))
    (hook,) = layer._forward_pre_hooks.values()
    assert isinstance(hook, WeightNorm) and hook.name == "weight" and hook.dim == 0
    hook.remove(layer)
    assert not layer._forward_pre_hooks and list(layer.state_dict()) == ["bias", "weight"]
    with pytest.raises(ValueError, match="none for 'weight'"):
        nn.utils.remove_weight_norm(layer)
    assert any(isinstance(h, SpectralNorm) for h in nn.utils.spectral_norm(layer)._forward_pre_hooks.values())
    with pytest.raises(RuntimeError, match="already"):
        nn.utils.weight_norm(layer)


@needs_torch
@pytest.mark.parametrize("kind", ["matrix_exp", "cayley", "householder"])
@pytest.mark.parametrize("shape", [(3, 3), (5, 3), (3, 5), (2, 4, 3)])
@pytest.mark.parametrize("trivial", [True, False])
def test_orthogonal_is_pytorchs(kind, shape, trivial):
    if not trivial and kind != "householder":
        module = nn.Module()
        module.weight = nn.Parameter(lamina.randn(*shape))
        with pytest.raises(NotImplementedError, match="use_trivialization"):
            parametrizations.orthogonal(module, "weight", kind, use_trivialization=False).weight = lamina.ones(*shape)
        return
    value = np.random.default_rng(0).normal(size=shape)
    nets = []
    for lib, utils in ((lamina, parametrizations), (torch, torch.nn.utils.parametrizations)):
        net = lib.nn.Module()
        net.weight = lib.nn.Parameter(lib.tensor(value))
        nets.append(utils.orthogonal(net, "weight", kind, use_trivialization=trivial))
    ours, theirs = nets
    n, k = shape[-2:]
    if n == k or not trivial:  # the base of others is completed at random
        close(ours.weight, theirs.weight)
    state = {key: lamina.tensor(v.numpy()) for key, v in theirs.state_dict().items()}
    assert list(ours.state_dict()) == list(state)
    step = np.random.default_rng(1).normal(size=shape) * 0.3
    ours.load_state_dict(state)
    for lib, net in ((lamina, ours), (torch, theirs)):
        with lib.no_grad():
            net.parametrizations.weight.original += lib.tensor(step).tril(-1)
        (net.weight**3).sum().backward()
    close(ours.weight, theirs.weight)
    close(ours.parametrizations.weight.original.grad, theirs.parametrizations.weight.original.grad)


def test_orthogonal_refuses():
    with pytest.raises(ValueError, match="matrix"):
        parametrizations.orthogonal(nn.Linear(2, 2), "bias")
    with pytest.raises(ValueError, match="orthogonal_map"):
        parametrizations.orthogonal(nn.Linear(2, 2), orthogonal_map="qr")
    with pytest.raises(ValueError, match="no parameter"):
        parametrizations.orthogonal(nn.Linear(2, 2), "wait")
    layer = parametrizations.orthogonal(nn.Linear(3, 2))
    with pytest.raises(lamina.ShapeError, match="shape"):
        layer.weight = lamina.ones(3, 2)
    file = io.BytesIO()
    pickle.dump(layer, file)
    assert file.tell()
