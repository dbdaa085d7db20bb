"""lamina.func and lamina.autograd.functional against PyTorch."""

from __future__ import annotations

import importlib

import lamina
import numpy as np
import pytest
from conftest import needs_torch, torch
from lamina import nn

RNG = np.random.default_rng(5)
A, B, M = RNG.standard_normal(3), RNG.standard_normal((3, 2)), RNG.standard_normal((2, 3))


def both(call):
    """The result of call(package, wrap an array) for lamina and for PyTorch, as nested arrays."""
    ours = call(lamina, lambda a: lamina.tensor(a))
    theirs = call(torch, lambda a: torch.tensor(a))
    return ours, theirs


def same(ours, theirs):
    if isinstance(theirs, (tuple, list)):
        assert isinstance(ours, (tuple, list)) and len(ours) == len(theirs)
        for o, t in zip(ours, theirs, strict=True):
            same(o, t)
    elif isinstance(theirs, dict):
        assert ours.keys() == theirs.keys()
        for k in theirs:
            same(ours[k], theirs[k])
    else:
        assert ours.shape == tuple(theirs.shape)
        assert ours.requires_grad == theirs.requires_grad
        np.testing.assert_allclose(ours.detach().numpy(), theirs.detach().numpy(), rtol=1e-10, atol=1e-12)


def f(x):
    return (x.sin() * x).sum()


def g(x, y):
    return x.exp() @ y, (x * x).sum()


CALLS = {
    "grad": lambda p, t: p.func.grad(f)(t(A)),
    "grad_of_grad": lambda p, t: p.func.grad(lambda x: p.func.grad(f)(x).cos().sum())(t(A)),
    "grad_thrice": lambda p, t: p.func.grad(p.func.grad(p.func.grad(lambda x: x.exp() * x.sin())))(t(np.float64(0.5))),
    "grad_argnums": lambda p, t: p.func.grad(lambda x, y: g(x, y)[0].sum(), argnums=(1, 0))(t(A), t(B)),
    "grad_aux": lambda p, t: p.func.grad(lambda x: (f(x), x * 2), has_aux=True)(t(A)),
    "grad_tree": lambda p, t: p.func.grad(lambda d: (d["w"] * d["b"][0]).sum())({"w": t(A), "b": [t(A)]}),
    "grad_and_value": lambda p, t: p.func.grad_and_value(f)(t(A)),
    "grad_and_value_aux": lambda p, t: p.func.grad_and_value(lambda x: (f(x), {"a": x}), has_aux=True)(t(A)),
    "grad_of_constant": lambda p, t: p.func.grad(lambda x: (x * 0).sum())(t(A)),
    "vjp": lambda p, t: (lambda out, pull: (out, pull((t(A[:2]), t(np.float64(2.0))))))(*p.func.vjp(g, t(A), t(B))),
    "vjp_single": lambda p, t: p.func.vjp(lambda x: x.sin(), t(A))[1](t(A)),
    "jvp": lambda p, t: p.func.jvp(g, (t(A), t(B)), (t(A), t(B * 2))),
    "jvp_constant": lambda p, t: p.func.jvp(lambda x: (x.sin(), x * 0), (t(A),), (t(A),)),
    "jvp_of_jvp": lambda p, t: p.func.jvp(lambda x: p.func.jvp(f, (x,), (t(A),))[1], (t(A),), (t(A),)),
    "jacrev": lambda p, t: p.func.jacrev(g)(t(A), t(B)),
    "jacrev_both": lambda p, t: p.func.jacrev(g, argnums=(0, 1))(t(A), t(B)),
    "jacfwd": lambda p, t: p.func.jacfwd(g, argnums=(0, 1))(t(A), t(B)),
    "jacfwd_linear": lambda p, t: p.func.jacfwd(lambda x: x * 2)(t(A)),
    "jacrev_aux": lambda p, t: p.func.jacrev(lambda x: (x.sin(), x), has_aux=True)(t(A)),
    "hessian": lambda p, t: p.func.hessian(f)(t(A)),
    "hessian_vector": lambda p, t: p.func.hessian(lambda x: x.sin() * x.sum())(t(A)),
    "jacrev_of_jacrev": lambda p, t: p.func.jacrev(p.func.jacrev(lambda x: x.exp() @ t(B)))(t(A)),
    "vmap": lambda p, t: p.vmap(lambda x: x.sin().sum())(t(B)),
    "vmap_dims": lambda p, t: p.func.vmap(lambda x, y: x @ y, in_dims=(1, None), out_dims=-1)(t(B), t(B.T.copy().T)),
    "vmap_tree": lambda p, t: p.func.vmap(lambda d, y: {"s": d["a"] + y, "p": (d["a"] * y,)}, in_dims=({"a": 0}, 0))({"a": t(B)}, t(B)),
    "vmap_out": lambda p, t: p.func.vmap(lambda x: (x, x * 2), out_dims=(0, 1))(t(B)),
    "vmap_of_grad": lambda p, t: p.func.vmap(p.func.grad(f))(t(B)),
    "grad_of_vmap": lambda p, t: p.func.grad(lambda x: p.func.vmap(f)(x).sum())(t(B)),
    "vmap_of_vmap": lambda p, t: p.func.vmap(p.func.vmap(p.dot, (None, 0)), (0, None))(t(B), t(B)),
    "vmap_chunk": lambda p, t: p.func.vmap(f, chunk_size=2)(t(B)),
    "vmap_jacrev": lambda p, t: p.func.vmap(p.func.jacrev(lambda x: x.exp()))(t(B)),
    "vmap_kwargs": lambda p, t: p.func.vmap(lambda x, y: x * y)(t(B), y=t(B)),
}  # fmt: skip


@needs_torch
@pytest.mark.parametrize("name", CALLS)
def test_func_against_torch(name):
    importlib.import_module("torch.func")
    same(*both(CALLS[name]))


@needs_torch
def test_results_stay_differentiable_where_outer_code_records():
    w, v = lamina.tensor(A, requires_grad=True), torch.tensor(A, requires_grad=True)
    ours = lamina.func.grad(lambda x: (x * x * w).sum())(lamina.tensor(A))
    theirs = torch.func.grad(lambda x: (x * x * v).sum())(torch.tensor(A))
    same(ours, theirs)
    ours.sum().backward()
    theirs.sum().backward()
    same(w.grad, v.grad)
    w.grad = v.grad = None
    lamina.func.grad(f)(w).sum().backward()
    torch.func.grad(f)(v).sum().backward()
    same(w.grad, v.grad)
    out, pull = lamina.func.vjp(lambda x: x.sin(), lamina.tensor(A))
    assert not out.requires_grad and not pull(lamina.tensor(A))[0].requires_grad
    with lamina.no_grad():
        assert not lamina.func.grad(f)(w).requires_grad


def test_func_errors():
    x = lamina.tensor(A)
    for call, error in [
        (lambda: lamina.func.grad(lambda v: v)(x), RuntimeError),
        (lambda: lamina.func.grad(f, argnums=3)(x), RuntimeError),
        (lambda: lamina.func.grad(f, argnums=(0, 0))(x), RuntimeError),
        (lambda: lamina.func.grad(f)(lamina.arange(3)), TypeError),
        (lambda: lamina.func.grad(lambda v: 1.0)(x), RuntimeError),
        (lambda: lamina.func.grad(f, has_aux=True)(x), RuntimeError),
        (lambda: lamina.func.jvp(f, (x,), (x[:2],)), RuntimeError),
        (lambda: lamina.func.jvp(f, x, x), RuntimeError),
        (lambda: lamina.func.vjp(g, x, lamina.tensor(B))[1](x), RuntimeError),
        (lambda: lamina.vmap(f, in_dims=None)(x), ValueError),
        (lambda: lamina.vmap(f, in_dims=2)(x), ValueError),
        (lambda: lamina.vmap(g)(x, lamina.ones(2, 2)), ValueError),
        (lambda: lamina.vmap(lambda v: 1)(x), ValueError),
        (lambda: lamina.vmap(f, in_dims=(0, 0))(x), ValueError),
        (lambda: lamina.vmap(lambda v: v + lamina.rand(1))(x), RuntimeError),
        (lambda: lamina.vmap(f, randomness="x"), RuntimeError),
    ]:
        with pytest.raises(error):
            call()


def test_vmap_randomness_and_empty_batches():
    x = lamina.zeros(4, 3)
    same_everywhere = lamina.vmap(lambda v: v + lamina.rand(3), randomness="same")(x)
    assert bool((same_everywhere == same_everywhere[0]).all())
    different = lamina.vmap(lambda v: v + lamina.rand(3), randomness="different")(x)
    assert not bool((different[1] == different[0]).any())
    assert lamina.vmap(lambda v: v.sum())(lamina.zeros(0, 3)).shape == (0,)
    assert lamina.vmap(lambda v: v * 2, out_dims=1)(lamina.zeros(0, 3)).shape == (3, 0)


def model():
    lamina.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.BatchNorm1d(4), nn.Linear(4, 2))


def test_functional_call():
    net, x = model().eval(), lamina.randn(5, 3)
    before = {n: p for n, p in net.named_parameters()}
    doubled = {n: p.detach() * 2 for n, p in net.named_parameters()}
    got = lamina.func.functional_call(net, doubled, (x,))
    other = model().eval()
    other.load_state_dict({**other.state_dict(), **doubled})
    np.testing.assert_array_equal(got.detach().numpy(), other(x).detach().numpy())
    assert all(before[n] is p for n, p in net.named_parameters())
    gradient = lamina.func.grad(lambda p: lamina.func.functional_call(net, p, x).sum())(doubled)
    other(x).sum().backward()
    for name, p in other.named_parameters():
        np.testing.assert_allclose(gradient[name].numpy(), p.grad.numpy(), rtol=1e-6, atol=1e-7)
    with pytest.raises(RuntimeError, match="unexpected"):
        lamina.func.functional_call(net, {"x": x}, x, strict=True)
    with pytest.raises(ValueError, match="several"):
        lamina.func.functional_call(net, (doubled, doubled), x)
    with pytest.raises(RuntimeError):
        lamina.func.functional_call(net, {"0.weight": lamina.ones(4, 9)}, x)
    assert all(before[n] is p for n, p in net.named_parameters())


def test_tied_weights():
    class Tied(nn.Module):
        def __init__(self):
            super().__init__()
            self.a = nn.Linear(2, 2, bias=False)
            self.b = nn.Linear(2, 2, bias=False)
            self.b.weight = self.a.weight

        def forward(self, x):
            return self.b(self.a(x))

    net, w = Tied(), lamina.eye(2) * 3
    assert lamina.func.functional_call(net, {"a.weight": w}, lamina.ones(1, 2)).tolist() == [[9.0, 9.0]]
    half = lamina.func.functional_call(net, {"a.weight": w}, lamina.ones(1, 2), tie_weights=False)
    assert half.tolist() == net.b(lamina.ones(1, 2) * 3).tolist()


def test_ensemble_by_stacked_state():
    nets = [nn.Linear(3, 2) for _ in range(4)]
    x = lamina.randn(5, 3)
    params, buffers = lamina.func.stack_module_state(nets)
    assert params["weight"].shape == (4, 2, 3) and params["weight"].is_leaf and params["weight"].requires_grad
    out = lamina.vmap(lambda p, b, v: lamina.func.functional_call(nets[0], (p, b), (v,)), in_dims=(0, 0, None))(
        params, buffers, x
    )
    np.testing.assert_array_equal(out.detach().numpy(), np.stack([n(x).detach().numpy() for n in nets]))
    out.sum().backward()
    assert params["weight"].grad.shape == (4, 2, 3)
    with pytest.raises(RuntimeError):
        lamina.func.stack_module_state([])
    with pytest.raises(RuntimeError, match="class"):
        lamina.func.stack_module_state([nets[0], nn.Tanh()])


FUNCTIONAL = {
    "jacobian": lambda p, t: p.autograd.functional.jacobian(lambda x: x.exp() * x.sum(), t(A)),
    "jacobian_many": lambda p, t: p.autograd.functional.jacobian(g, (t(A), t(B))),
    "jacobian_forward": lambda p, t: p.autograd.functional.jacobian(g, (t(A), t(B)), vectorize=True, strategy="forward-mode"),
    "jacobian_graph": lambda p, t: p.autograd.functional.jacobian(lambda x: x.exp() * x.sum(), t(A).requires_grad_(), create_graph=True),
    "jacobian_constant": lambda p, t: p.autograd.functional.jacobian(lambda x: t(A) * 1, t(A)),
    "hessian": lambda p, t: p.autograd.functional.hessian(f, t(A)),
    "hessian_many": lambda p, t: p.autograd.functional.hessian(lambda x, y: (x.exp() @ y).sin().sum(), (t(A), t(B))),
    "hessian_linear": lambda p, t: p.autograd.functional.hessian(lambda x: x.sum(), t(A)),
    "vjp": lambda p, t: p.autograd.functional.vjp(lambda x: x.exp(), t(A), t(A)),
    "vjp_many": lambda p, t: p.autograd.functional.vjp(lambda x, y: x.exp() @ y, (t(A), t(B)), t(A[:2])),
    "vjp_no_v": lambda p, t: p.autograd.functional.vjp(f, t(A)),
    "jvp": lambda p, t: p.autograd.functional.jvp(lambda x: x.exp() * x.sum(), t(A), t(A)),
    "jvp_many": lambda p, t: p.autograd.functional.jvp(g, (t(A), t(B)), (t(A), t(B))),
    "jvp_graph": lambda p, t: p.autograd.functional.jvp(lambda x: x.exp(), t(A).requires_grad_(), t(A), create_graph=True),
    "hvp": lambda p, t: p.autograd.functional.hvp(f, t(A), t(A)),
    "vhp": lambda p, t: p.autograd.functional.vhp(lambda x, y: (x.exp() @ y).sin().sum(), (t(A), t(B)), (t(A), t(B))),
    "vhp_graph": lambda p, t: p.autograd.functional.vhp(f, t(A).requires_grad_(), t(A), create_graph=True),
}  # fmt: skip


@needs_torch
@pytest.mark.parametrize("name", FUNCTIONAL)
def test_functional_against_torch(name):
    same(*both(FUNCTIONAL[name]))


def test_functional_graph_and_strict():
    F = lamina.autograd.functional
    x = lamina.tensor(A, requires_grad=True)
    F.jacobian(lambda v: v**3, x, create_graph=True).sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), 6 * A)
    assert not F.jacobian(lambda v: v**3, x).requires_grad
    for call in (F.jacobian, F.vjp):
        with pytest.raises(RuntimeError, match="strict"):
            call(lambda v: lamina.ones(1, dtype=lamina.float64), lamina.tensor(A), strict=True)
    with pytest.raises(RuntimeError, match="strict"):
        F.hessian(lambda v: v.sum(), lamina.tensor(A), strict=True)
    with pytest.raises(RuntimeError):
        F.hessian(lambda v: v, x)
    with pytest.raises(TypeError):
        F.jacobian(lambda v: 3, x)
    with pytest.raises(ValueError):
        F.jacobian(f, x, strategy="sideways")
