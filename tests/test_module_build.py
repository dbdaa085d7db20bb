"""How modules are built: in inference_mode, with nn.Buffer, with lists for sizes; hooks of all modules."""

from __future__ import annotations

import copy

import lamina
import numpy as np
import pytest
from conftest import needs_torch, torch
from lamina import nn

LIBRARIES = [pytest.param(lamina, id="lamina"), pytest.param(torch, id="torch", marks=needs_torch)]


@pytest.mark.parametrize("lib", LIBRARIES)
@pytest.mark.parametrize("kind", ["Linear", "LSTM", "Embedding", "Bilinear"])
def test_built_and_used_in_inference_mode(lib, kind):
    with lib.inference_mode():
        sizes = {"Bilinear": (2, 2, 2)}.get(kind, (2, 2))
        module = getattr(lib.nn, kind)(*sizes)
        assert all(p.requires_grad and p.is_leaf for p in module.parameters())
        module.load_state_dict({k: lib.ones(*v.shape) for k, v in module.state_dict().items()})
        assert all((p == 1).all() for p in module.parameters())
        x = lib.tensor([0, 1]) if kind == "Embedding" else lib.ones(1, 1, 2)
        out = module(x, x) if kind == "Bilinear" else module(x)
        assert not (out[0] if kind == "LSTM" else out).requires_grad
        assert lib.ones(2, requires_grad=True).requires_grad


@pytest.mark.parametrize("lib", LIBRARIES)
def test_built_in_no_grad(lib):
    with lib.no_grad():
        net = lib.nn.Sequential(lib.nn.Linear(2, 2), lib.nn.BatchNorm1d(2))
    net(lib.ones(3, 2)).sum().backward()
    assert all(p.grad is not None for p in net.parameters())


def test_built_in_inference_mode_and_trained_outside():
    """PyTorch refuses the step; here the values are the module's own, so it trains like another."""
    with lamina.inference_mode():
        layer = nn.Linear(1, 1)
        plain = lamina.ones(1)
    optimizer = lamina.optim.SGD(layer.parameters(), lr=0.5)
    before = layer.weight.item()
    layer(lamina.ones(1, 1)).sum().backward()
    optimizer.step()
    assert layer.weight.item() == before - 0.5
    for start in (plain.requires_grad_, lambda: nn.Parameter(plain).add(1).backward()):
        with pytest.raises(lamina.GradError, match="inference_mode"):
            start()
    layer.weight.requires_grad_(False).requires_grad_(False)
    assert copy.deepcopy(layer)(lamina.ones(1, 1)).shape == (1, 1)


@pytest.mark.parametrize("lib", LIBRARIES)
def test_buffers_by_assignment(lib):
    net = lib.nn.Module()
    net.mean = lib.nn.Buffer(lib.zeros(2))
    net.scratch = lib.nn.Buffer(lib.ones(1), persistent=False)
    net.plain = lib.ones(1)
    assert [n for n, _ in net.named_buffers()] == ["mean", "scratch"] and list(net.state_dict()) == ["mean"]
    assert isinstance(net.mean, lib.nn.Buffer) and not isinstance(net.plain, lib.nn.Buffer)
    assert isinstance(net.mean, lib.Tensor) and not isinstance(net.mean, lib.nn.Parameter)
    net.scratch = lib.zeros(1)
    assert list(net.state_dict()) == ["mean"] and lib.nn.Buffer().shape == (0,)
    net.scratch = lib.nn.Buffer(lib.ones(1))
    assert list(net.state_dict()) == ["mean", "scratch"]
    net.scratch = lib.nn.Parameter(lib.ones(1))
    assert [n for n, _ in net.named_buffers()] == ["mean"]
    source = lib.zeros(2)
    net.mean = lib.nn.Buffer(source)
    source.fill_(3.0)
    assert net.mean.tolist() == [3.0, 3.0]


@needs_torch
@pytest.mark.parametrize(
    "make",
    [
        lambda nn: nn.Conv2d(1, 2, 3, stride=[2]),
        lambda nn: nn.Conv2d(1, 2, [3, 2], stride=[1, 2], padding=[1], dilation=(1,)),
        lambda nn: nn.Conv2d(1, 2, 3, padding=(2,)),
        lambda nn: nn.ConvTranspose2d(1, 2, 3, stride=[2], padding=[1], output_padding=[1]),
        lambda nn: nn.MaxPool2d([2], stride=[1]),
        lambda nn: nn.AvgPool2d([3], padding=[1]),
        lambda nn: nn.AdaptiveAvgPool2d([1, None]),
        lambda nn: nn.LayerNorm([8]),
        lambda nn: nn.ZeroPad2d([1, 2, 0, 1]),
    ],
)
def test_lists_for_sizes(make):
    ours, theirs = make(nn), make(torch.nn)
    theirs.load_state_dict({k: torch.tensor(v.numpy()) for k, v in ours.state_dict().items()})
    x = np.random.default_rng(0).normal(size=(1, 1, 8, 8)).astype(np.float32)
    expected = theirs(torch.tensor(x)).detach().numpy()
    np.testing.assert_allclose(ours(lamina.tensor(x)).detach().numpy(), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("lib", LIBRARIES)
def test_hooks_of_all_modules(lib):
    if lib is lamina:
        import lamina.nn.modules.module as place
    else:
        from torch.nn.modules import module as place
    said = []
    net = lib.nn.Sequential(lib.nn.Linear(1, 1), lib.nn.Tanh())
    net[1].register_forward_pre_hook(lambda m, args: said.append("own"))
    handles = [
        place.register_module_forward_pre_hook(lambda m, args: said.append("pre " + type(m).__name__)),
        place.register_module_forward_hook(lambda m, args, out: said.append("post " + type(m).__name__)),
        place.register_module_full_backward_pre_hook(lambda m, grads: said.append("grad " + type(m).__name__)),
        place.register_module_full_backward_hook(lambda m, gi, go: said.append("back " + type(m).__name__)),
    ]
    x = lib.ones(1, 1, requires_grad=True)
    net(x).sum().backward()
    assert said == [
        *("pre Sequential", "pre Linear", "post Linear", "pre Tanh", "own", "post Tanh", "post Sequential"),
        *("grad Sequential", "grad Tanh", "back Tanh", "grad Linear", "back Linear", "back Sequential"),
    ]
    said.clear()
    for handle in handles:
        handle.remove()
    net(x).sum().backward()
    assert said == ["own"]
    if lib is lamina:
        assert nn.Module._hooks is None, "calls are plain again"


@pytest.mark.parametrize("lib", LIBRARIES)
def test_hooks_of_registration(lib):
    if lib is lamina:
        import lamina.nn.modules.module as place
    else:
        from torch.nn.modules import module as place
    said = []
    handles = [
        place.register_module_module_registration_hook(lambda m, name, child: said.append(("module", name))),
        place.register_module_parameter_registration_hook(lambda m, name, p: said.append(("parameter", name))),
        place.register_module_buffer_registration_hook(lambda m, name, b: lib.full((1,), 7.0)),
    ]
    try:
        net = lib.nn.Sequential(lib.nn.Linear(1, 1))
        net.register_buffer("a", lib.zeros(1))
    finally:
        for handle in handles:
            handle.remove()
    assert said == [("parameter", "weight"), ("parameter", "bias"), ("module", "0")]
    assert net.a.tolist() == [7.0]
    net.register_buffer("b", lib.zeros(1))
    assert net.b.tolist() == [0.0] and len(said) == 3


@needs_torch
@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 9])
def test_cross_map_lrn(size):
    x = np.random.default_rng(0).normal(size=(2, 6, 2, 3)).astype(np.float32)
    ours, theirs = nn.CrossMapLRN2d(size, 0.5, 0.7, 1.5), torch.nn.CrossMapLRN2d(size, 0.5, 0.7, 1.5)
    np.testing.assert_allclose(ours(lamina.tensor(x)).numpy(), theirs(torch.tensor(x)).numpy(), rtol=1e-5)
    assert repr(ours) == repr(theirs)
    with pytest.raises(lamina.ShapeError, match="4D"):
        ours(lamina.ones(2, 3))
    y = lamina.tensor(x[:1, :, :1, :1]).double().requires_grad_()
    assert lamina.autograd.gradcheck(ours.double(), (y,))


def test_skip_init_and_what_needs_processes():
    state = lamina.get_rng_state()
    assert nn.utils.skip_init(nn.Linear, 2, 3).weight.shape == (3, 2)
    assert (lamina.get_rng_state() == state).all()
    with pytest.raises(RuntimeError, match="device"):
        nn.utils.skip_init(nn.ReLU)
    with pytest.raises(RuntimeError, match="Module class"):
        nn.utils.skip_init(dict)
    with pytest.raises(NotImplementedError, match="processes"):
        nn.parallel.DistributedDataParallel(nn.Linear(1, 1))


@pytest.mark.parametrize("lib", LIBRARIES)
def test_subclasses_with_their_own_getattr(lib):
    class Wrapper(lib.nn.Module):
        def __init__(self, module):
            super().__init__()
            self.module = module

        def __getattr__(self, name):
            try:
                return super().__getattr__(name)
            except AttributeError:
                return getattr(self.module, name)

    class Mixin:
        def __getattr__(self, name):
            return "found" if name == "lost" else super().__getattr__(name)

    class Both(Mixin, lib.nn.Linear):
        pass

    net = Wrapper(lib.nn.Linear(2, 3))
    assert net.out_features == 3 and net.weight is net.module.weight and net.training
    with pytest.raises(AttributeError, match="'Linear' object has no attribute 'nothing'"):
        net.nothing  # noqa: B018
    assert Both(1, 1).lost == "found" and Both(1, 1).weight.shape == (1, 1)
    with pytest.raises(AttributeError, match="'Both' object has no attribute 'nothing'"):
        Both(1, 1).nothing  # noqa: B018
    assert copy.deepcopy(Both(1, 1)).lost == "found"
    assert "__getattr__" not in nn.Module.__dict__ and type(nn.Linear(1, 1)) is nn.Linear
