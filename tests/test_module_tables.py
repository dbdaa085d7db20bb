"""`_parameters`, `_buffers`, `_modules` and the tables of hooks, as programs write to them: PyTorch and lamina agree."""

from __future__ import annotations

import copy
import gc
import pickle
import weakref
from collections import OrderedDict

import lamina
import pytest
from conftest import needs_torch, torch
from lamina import nn

LIBRARIES = [pytest.param(lamina, id="lamina"), pytest.param(torch, id="torch", marks=needs_torch)]


def names(module):
    return [n for n, _ in module.named_parameters()], [n for n, _ in module.named_buffers()], list(module.state_dict())


@pytest.mark.parametrize("lib", LIBRARIES)
def test_tables_write_through(lib):
    net = lib.nn.Linear(2, 2)
    weight = net._parameters["weight"]
    assert weight is net.weight and list(net._parameters) == ["weight", "bias"] and len(net._parameters) == 2
    del net._parameters["weight"]
    assert not hasattr(net, "weight") and names(net)[0] == ["bias"]
    net.weight = weight.detach() * 2  # a plain attribute now, as weight norms by hooks have it
    assert names(net) == (["bias"], [], ["bias"])
    assert net(lib.ones(1, 2)).shape == (1, 2)
    del net.weight
    net._parameters["weight"] = weight
    assert net.weight is weight and names(net)[0] == ["bias", "weight"]
    assert net._parameters.pop("bias").shape == (2,) and net._parameters.pop("bias", None) is None
    net._parameters["bias"] = None
    net._buffers["mean"] = lib.zeros(2)
    net.mean = lib.ones(2)
    net._modules["act"] = lib.nn.ReLU()
    assert names(net) == (["weight"], ["mean"], ["weight", "mean"]) and net.mean.tolist() == [1.0, 1.0]
    assert [n for n, _ in net.named_children()] == ["act"] and net.act is net._modules["act"]
    net._modules.update(a=lib.nn.Tanh(), act=None)
    assert next(iter(net._modules.items())) == ("act", None) and type(net.a).__name__ == "Tanh"
    assert "a" in net._modules and net._modules.get("b") is None and list(reversed(net._modules)) == ["a", "act"]
    with pytest.raises(KeyError):
        del net._modules["b"]
    with pytest.raises(KeyError):
        net._buffers["weight"]
    net._modules.clear()
    assert not net._modules and not hasattr(net, "act")


@pytest.mark.parametrize("lib", LIBRARIES)
def test_tables_take_what_no_attribute_takes(lib):
    net = lib.nn.Linear(1, 1)
    raw = net.weight
    net._parameters["weight"] = raw * 3  # a dropped-out weight keeps its history
    net(lib.ones(1, 1)).sum().backward()
    assert raw.grad.item() == 3.0 and [n for n, _ in net.named_parameters()] == ["weight", "bias"]
    with pytest.raises(TypeError, match="Parameter or None"):
        net.weight = lib.ones(1, 1)


@pytest.mark.parametrize("lib", LIBRARIES)
def test_buffers_that_do_not_persist(lib):
    net = lib.nn.Module()
    net.register_buffer("a", lib.ones(1), persistent=False)
    net.register_buffer("b", lib.ones(1))
    assert net._non_persistent_buffers_set == {"a"} and "b" not in net._non_persistent_buffers_set
    net._buffers["a"] = lib.zeros(1)
    assert list(net.state_dict()) == ["b"]
    net._non_persistent_buffers_set.discard("a")
    net._non_persistent_buffers_set.add("b")
    assert list(net.state_dict()) == ["a"] and net._non_persistent_buffers_set | {"c"} == {"b", "c"}
    net._non_persistent_buffers_set = set()
    assert list(net.state_dict()) == ["a", "b"]
    net.register_buffer("a", lib.ones(1), persistent=False)
    assert list(net.state_dict()) == ["b"]


@pytest.mark.parametrize("lib", LIBRARIES)
def test_tables_are_assigned(lib):
    net = lib.nn.Linear(1, 1)
    net._parameters = OrderedDict((name, p) for name, p in reversed(net._parameters.items()))
    assert list(net.state_dict()) == ["bias", "weight"]
    other = net.__new__(type(net))  # a replica, as data parallel code makes it
    other.__dict__ = net.__dict__.copy()
    other._parameters = other._parameters.copy()
    other._buffers = other._buffers.copy()
    other._modules = other._modules.copy()
    other._parameters["weight"] = lib.nn.Parameter(lib.full((1, 1), 5.0))
    other._parameters["new"] = lib.nn.Parameter(lib.zeros(1))
    assert names(net)[0] == ["bias", "weight"] and names(other)[0] == ["bias", "weight", "new"]
    assert net.weight.item() != 5.0 and other.weight.item() == 5.0
    net._modules = {"a": lib.nn.ReLU()}
    assert type(net.a).__name__ == "ReLU"
    net._parameters = {}
    assert not hasattr(net, "weight") and list(net.parameters()) == []


def test_views_do_not_own_and_copies_are_dicts():
    net = nn.Linear(1, 1)
    table, alive = net._parameters, weakref.ref(net)
    assert isinstance(pickle.loads(pickle.dumps(nn.Tanh()._parameters)), OrderedDict)
    assert copy.copy(table) == {"weight": net.weight, "bias": net.bias} and "weight" in repr(table)
    table.move_to_end("weight")
    assert list(net.state_dict()) == ["bias", "weight"]
    table.move_to_end("weight", last=False)
    assert list(net.state_dict()) == ["weight", "bias"]
    gc.disable()
    try:
        del net, table
        assert alive() is None, "a module goes without the collector, as it always did"
    finally:
        gc.enable()
    with pytest.raises(KeyError, match="no buffer 'x'"):
        nn.Tanh()._non_persistent_buffers_set.add("x")


def test_a_shallow_copy_registers_for_itself():
    net = nn.Sequential(nn.Linear(1, 1))
    other = copy.copy(net)
    other.more = nn.ReLU()
    assert other[0] is net[0] and [len(net), len(other)] == [1, 2]
    net.zero_grad()


@pytest.mark.parametrize("lib", LIBRARIES)
def test_tables_of_hooks(lib):
    said = []
    net = lib.nn.Linear(1, 1)
    handle = net.register_forward_hook(lambda m, args, out: said.append("hook"))
    assert list(net._forward_hooks) == [handle.id] and not net._forward_pre_hooks
    net._forward_pre_hooks[10**9] = lambda m, args: said.append("pre")
    net(lib.ones(1, 1))
    assert said == ["pre", "hook"]
    net._forward_hooks.clear()
    net._forward_pre_hooks = OrderedDict()
    net(lib.ones(1, 1))
    assert said == ["pre", "hook"]
    handle.remove()
    net._forward_hooks[1] = lambda m, args, out: out * 2
    net._backward_hooks[2] = lambda m, grad_input, grad_output: said.append("back")
    net._is_full_backward_hook = True
    x = lib.ones(1, 1, requires_grad=True)
    net(x).sum().backward()
    assert said[-1] == "back" and x.grad.item() == 2 * net.weight.item()


@pytest.mark.parametrize("lib", LIBRARIES)
def test_the_two_kinds_of_backward_hooks_do_not_mix(lib):
    said = []
    net = lib.nn.Sequential(lib.nn.Linear(1, 1), lib.nn.ReLU(inplace=True))
    net[0].register_backward_hook(lambda m, grad_input, grad_output: said.append(grad_output[0].item()))
    net(lib.ones(1, 1)).sum().backward()
    assert len(said) == 1
    with pytest.raises(RuntimeError, match="Cannot use both"):
        net[0].register_full_backward_hook(lambda *a: None)


def test_old_pickles_of_pytorch_shape():
    """What a module's `__dict__` holds in PyTorch, at several ages: `__setstate__` makes a module of it."""
    weight = nn.Parameter(lamina.full((1, 1), 2.0))
    state = {
        "in_features": 1,
        "out_features": 1,
        "training": False,
        "_parameters": OrderedDict(weight=weight, bias=None),
        "_buffers": OrderedDict(seen=lamina.ones(1), scratch=lamina.ones(1)),
        "_non_persistent_buffers_set": {"scratch"},
        "_backward_hooks": OrderedDict(),
        "_forward_hooks": OrderedDict({3: lambda m, args, out: out + 1}),
        "_modules": OrderedDict(act=nn.ReLU()),
    }
    net = nn.Linear.__new__(nn.Linear)
    net.__setstate__(state)
    assert net.weight is weight and list(net.state_dict()) == ["weight", "seen"] and not net.training
    assert net(lamina.ones(1, 1)).item() == 3.0 and type(net.act) is nn.ReLU
    assert pickle.loads(pickle.dumps(nn.Linear(1, 1))).weight.shape == (1, 1)


@pytest.mark.parametrize("lib", LIBRARIES)
def test_names_and_init_of_subclasses(lib):
    class Named(lib.nn.Linear):
        def _get_name(self):
            return "Renamed"

    class Behind:
        def __init__(self, size, **more):
            self.size, self.more = size, more

    class Both(lib.nn.Module, Behind):
        call_super_init = True

        def __init__(self):
            super().__init__(3, a=1)

    assert repr(Named(1, 2)) == "Renamed(in_features=1, out_features=2, bias=True)"
    assert Both().size == 3 and Both().more == {"a": 1}
    with pytest.raises(TypeError, match=r"unexpected|positional"):
        lib.nn.Module(1)
    with pytest.raises(TypeError, match="unexpected"):
        lib.nn.Module(size=1)


@pytest.mark.parametrize("lib", LIBRARIES)
def test_guided_backpropagation_with_older_hooks(lib):
    """Hooks on ReLUs that work in place, and beside another use of what they read."""
    net = lib.nn.Sequential(lib.nn.Linear(2, 3), lib.nn.ReLU(inplace=True), lib.nn.Linear(3, 1))
    net[0].weight.data = lib.tensor([[-1.0, 0.0], [1.0, 2.0], [3.0, 4.0]])
    net[0].bias.data.fill_(0.5)
    net[2].weight.data = lib.tensor([[1.0, -1.0, 2.0]])
    net[1].register_backward_hook(lambda m, grad_input, grad_output: (grad_input[0].clamp(min=0.0),))
    x = lib.ones(1, 2, requires_grad=True)
    net(x).sum().backward()
    assert x.grad.tolist() == [[6.0, 8.0]]
    seen = []
    act = lib.nn.ReLU()
    act.register_backward_hook(
        lambda m, grad_input, grad_output: seen.append((grad_input[0].item(), grad_output[0].item()))
    )
    y = lib.ones(1, requires_grad=True) * 2
    (act(y) * 3 + y * 5).sum().backward()
    assert seen == [(3.0, 3.0)]


def test_an_older_hook_that_cannot_see_says_so():
    block = nn.Sequential(nn.ReLU(inplace=True))
    block.register_backward_hook(lambda *a: None)
    with pytest.raises(lamina.GradError, match="in place"):
        block(lamina.ones(1, requires_grad=True) * 2)
    assert block(lamina.ones(1)).item() == 1.0
