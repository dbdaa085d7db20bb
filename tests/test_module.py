"""nn.Module: registration, walks, state, hooks, modes, errors, printing."""

import copy
import gc
import weakref

import lamina
import pytest
from lamina import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(3, 4)
        self.norm = nn.BatchNorm1d(4)
        self.fc2 = nn.Linear(4, 2, bias=False)
        self.register_buffer("scale", lamina.ones(1))
        self.register_buffer("scratch", lamina.zeros(1), persistent=False)

    def forward(self, x):
        return self.fc2(self.norm(self.fc1(x))) * self.scale


def same(a, b):
    return a.tolist() == b.tolist()


# -- registration -----------------------------------------------------------------------------------------------------
def test_names_in_order():
    net = Net()
    assert [n for n, _ in net.named_parameters()] == [
        "fc1.weight",
        "fc1.bias",
        "norm.weight",
        "norm.bias",
        "fc2.weight",
    ]
    buffers = ["scale", "scratch", "norm.running_mean", "norm.running_var", "norm.num_batches_tracked"]
    assert [n for n, _ in net.named_buffers()] == buffers
    assert [n for n, _ in net.named_modules()] == ["", "fc1", "norm", "fc2"]
    assert [n for n, _ in net.named_children()] == ["fc1", "norm", "fc2"]
    assert [n for n, _ in net.named_parameters(prefix="p", recurse=False)] == []
    assert [n for n, _ in net.fc1.named_parameters(prefix="p")] == ["p.weight", "p.bias"]
    assert list(net._modules) == ["fc1", "norm", "fc2"] and list(net.fc2._parameters) == ["weight", "bias"]
    assert net.fc2.bias is None and len(list(net.buffers())) == 5


def test_assignment_moves_between_kinds():
    m = nn.Module()
    m.a = nn.Parameter(lamina.ones(2))
    m.a = nn.Linear(1, 1)
    assert not list(m.named_parameters(recurse=False)) and [n for n, _ in m.named_children()] == ["a"]
    with pytest.raises(TypeError, match="child module 'a'"):
        m.a = 3
    m.a = None
    assert list(m.named_children()) == [] and m.a is None
    del m.a
    assert not hasattr(m, "a")
    m.b = nn.Parameter(lamina.ones(1))
    with pytest.raises(TypeError, match="parameter 'b'"):
        m.b = lamina.ones(1)
    m.register_buffer("c", None)
    m.c = lamina.ones(1)
    assert [n for n, _ in m.named_buffers()] == ["c"]
    with pytest.raises(TypeError, match="buffer 'c'"):
        m.c = "text"
    assert "b" in dir(m) and "forward" in dir(m)


def test_registration_errors():
    m = nn.Module()
    for bad in ("", "a.b"):
        with pytest.raises(KeyError):
            m.register_parameter(bad, None)
        with pytest.raises(KeyError):
            m.add_module(bad, nn.Identity())
        with pytest.raises(KeyError):
            m.register_buffer(bad, None)
    m.plain = 1
    with pytest.raises(KeyError, match="already exists"):
        m.register_parameter("plain", None)
    with pytest.raises(TypeError):
        m.register_parameter("p", lamina.ones(1))
    with pytest.raises(TypeError):
        m.add_module("m", lamina.ones(1))
    with pytest.raises(TypeError):
        m.register_buffer("x", 3)

    class Early(nn.Module):
        def __init__(self):
            self.fc = nn.Linear(1, 1)

    with pytest.raises(AttributeError, match=r"before Module.__init__\(\) call"):
        Early()
    with pytest.raises(NotImplementedError, match="forward"):
        nn.Module()(1)
    with pytest.raises(AttributeError):
        _ = m.missing


def test_shared_parameters_and_modules_count_once():
    m = nn.Module()
    m.a = nn.Linear(2, 2)
    m.b = m.a
    m.c = nn.Linear(2, 2)
    m.c.weight = m.a.weight
    assert [n for n, _ in m.named_parameters()] == ["a.weight", "a.bias", "c.bias"]
    assert len(list(m.named_parameters(remove_duplicate=False))) == 6
    assert [n for n, _ in m.named_modules(remove_duplicate=False)] == ["", "a", "b", "c"]
    assert list(m.state_dict()) == ["a.weight", "a.bias", "b.weight", "b.bias", "c.weight", "c.bias"]


def test_lookup():
    net = nn.Sequential(Net(), nn.ReLU())
    assert net.get_submodule("0.fc1") is net[0].fc1 and net.get_submodule("") is net
    assert net.get_parameter("0.fc1.weight") is net[0].fc1.weight
    assert net.get_buffer("0.scale") is net[0].scale
    for call in (lambda: net.get_submodule("0.fc9"), lambda: net.get_parameter("0.scale")):
        with pytest.raises(AttributeError):
            call()


# -- state ------------------------------------------------------------------------------------------------------------
def test_state_dict_round_trip():
    a, b = Net(), Net()
    state = a.state_dict()
    assert list(state) == [
        "scale",
        "fc1.weight",
        "fc1.bias",
        "norm.weight",
        "norm.bias",
        "norm.running_mean",
        "norm.running_var",
        "norm.num_batches_tracked",
        "fc2.weight",
    ]
    assert not any(v.requires_grad for v in state.values())
    result = b.load_state_dict(state)
    assert result.missing_keys == [] and result.unexpected_keys == []
    assert repr(result) == "<All keys matched successfully>"
    assert all(same(x, y) for x, y in zip(a.state_dict().values(), b.state_dict().values(), strict=True))
    assert b.fc1.weight.requires_grad and b.fc1.weight.is_leaf
    assert a.state_dict(keep_vars=True)["fc1.weight"] is a.fc1.weight
    assert next(iter(a.state_dict(prefix="m."))) == "m.scale"


def test_load_state_dict_reports_all_and_changes_nothing():
    net = Net()
    before = {k: v.tolist() for k, v in net.state_dict().items()}
    state = {k: v + 1 for k, v in net.state_dict().items()}
    del state["fc1.bias"]
    state["extra"] = lamina.ones(1)
    state["fc2.weight"] = lamina.ones(7, 7)
    with pytest.raises(RuntimeError) as caught:
        net.load_state_dict(state)
    text = str(caught.value)
    assert text.startswith('Error(s) in loading state_dict for Net:\n\tMissing key(s) in state_dict: "fc1.bias". ')
    assert 'Unexpected key(s) in state_dict: "extra". ' in text
    assert "size mismatch for fc2.weight: copying a param with shape (7, 7) from checkpoint" in text
    assert {k: v.tolist() for k, v in net.state_dict().items()} == before
    del state["fc2.weight"]
    result = net.load_state_dict(state, strict=False)
    assert result.missing_keys == ["fc1.bias", "fc2.weight"] and result.unexpected_keys == ["extra"]
    assert same(net.scale, lamina.tensor([2.0]))


def test_load_state_dict_assign():
    net = nn.Linear(2, 2)
    new = {"weight": lamina.ones(2, 2), "bias": lamina.zeros(2)}
    net.load_state_dict(new, assign=True)
    assert isinstance(net.weight, nn.Parameter) and net.weight.requires_grad
    new["weight"].fill_(5)
    assert net.weight.tolist() == [[5.0, 5.0], [5.0, 5.0]]


def test_deepcopy_is_independent():
    net = Net()
    twin = copy.deepcopy(net)
    assert [n for n, _ in twin.named_parameters()] == [n for n, _ in net.named_parameters()]
    assert all(a is not b and same(a, b) for a, b in zip(net.parameters(), twin.parameters(), strict=True))
    with lamina.no_grad():
        twin.fc1.weight.zero_()
    assert not same(net.fc1.weight, twin.fc1.weight)


# -- changes ----------------------------------------------------------------------------------------------------------
def test_modes_and_freezing():
    class Frozen(nn.BatchNorm1d):
        def train(self, mode=True):
            return super().train(False)

    net = nn.Sequential(nn.Linear(2, 2), Frozen(2), nn.Dropout())
    assert net.train() is net and [m.training for m in net] == [True, False, True]
    net.eval()
    assert not any(m.training for m in net.modules())
    with pytest.raises(ValueError):
        net.train(1)
    net.requires_grad_(False)
    assert not any(p.requires_grad for p in net.parameters())


def test_apply_visits_children_first():
    order = []
    net = nn.Sequential(nn.Linear(1, 1), nn.Sequential(nn.ReLU()))
    assert net.apply(lambda m: order.append(type(m).__name__)) is net
    assert order == ["Linear", "ReLU", "Sequential", "Sequential"]


def test_dtype_changes_keep_parameter_objects():
    net = Net()
    weight = net.fc1.weight
    net(lamina.randn(4, 3)).sum().backward()
    assert net.double() is net and net.fc1.weight is weight and weight.dtype == lamina.float64
    assert weight.grad.dtype == lamina.float64 and net.scale.dtype == lamina.float64
    assert net.norm.num_batches_tracked.dtype == lamina.int64
    net(lamina.randn(4, 3, dtype=lamina.float64)).sum().backward()
    assert net.to(lamina.float32).fc1.weight.dtype == lamina.float32
    assert net.to("cpu", lamina.float64).fc1.weight.dtype == lamina.float64
    assert net.to(lamina.ones(1)).fc1.weight.dtype == lamina.float32
    assert net.half().fc1.weight.dtype == lamina.float16
    assert net.bfloat16().float().fc1.weight.dtype == lamina.float32
    with pytest.raises(TypeError, match="floating"):
        net.to(lamina.int64)


def test_zero_grad():
    net = nn.Linear(2, 1)
    net(lamina.ones(1, 2)).sum().backward()
    net.zero_grad(set_to_none=False)
    assert net.weight.grad.tolist() == [[0.0, 0.0]]
    net.zero_grad()
    assert net.weight.grad is None


# -- hooks ------------------------------------------------------------------------------------------------------------
def test_forward_hooks():
    m = nn.Identity()
    seen = []
    a = m.register_forward_pre_hook(lambda mod, args: (args[0] + 1,))
    b = m.register_forward_hook(lambda mod, args, out: seen.append((mod is m, len(args))))
    c = m.register_forward_hook(lambda mod, args, out: out * 10)
    assert m(lamina.tensor([1.0])).tolist() == [20.0] and seen == [(True, 1)]
    for handle in (a, b, c):
        handle.remove()
        handle.remove()
    assert m(lamina.tensor([1.0])).tolist() == [1.0]
    order = []
    m.register_forward_hook(lambda *_: order.append("second"))
    m.register_forward_hook(lambda *_: order.append("first"), prepend=True)
    m(lamina.ones(1))
    assert order == ["first", "second"]
    with m.register_forward_hook(lambda *_: order.append("inside")):
        m(lamina.ones(1))
    m(lamina.ones(1))
    assert order.count("inside") == 1


def test_forward_hooks_with_kwargs():
    class Add(nn.Module):
        def forward(self, x, *, by=0.0):
            return x + by

    m = Add()
    m.register_forward_pre_hook(lambda mod, args, kwargs: (args, {"by": kwargs["by"] * 2}), with_kwargs=True)
    m.register_forward_hook(lambda mod, args, kwargs, out: out + kwargs["by"], with_kwargs=True)
    assert m(lamina.zeros(1), by=1.0).tolist() == [4.0]
    m.register_forward_pre_hook(lambda mod, args, kwargs: args, with_kwargs=True)
    with pytest.raises(RuntimeError, match="pre-hook"):
        m(lamina.zeros(1), by=1.0)


def test_full_backward_hook_sees_and_changes_gradients():
    m = nn.Linear(2, 1, bias=False)
    with lamina.no_grad():
        m.weight.copy_(lamina.tensor([[2.0, 3.0]]))
    seen = []
    m.register_full_backward_hook(lambda mod, gi, go: seen.append((gi[0].tolist(), go[0].tolist())))
    x = lamina.ones(1, 2, requires_grad=True)
    (m(x) * 5).sum().backward()
    assert seen == [([[10.0, 15.0]], [[5.0]])] and x.grad.tolist() == [[10.0, 15.0]]

    m.register_full_backward_hook(lambda mod, gi, go: (gi[0] * 0 + 7,))
    m.register_full_backward_pre_hook(lambda mod, go: (go[0] * 2,))
    x.grad = None
    (m(x) * 5).sum().backward()
    assert seen[-1] == ([[20.0, 30.0]], [[10.0]]) and x.grad.tolist() == [[7.0, 7.0]]


def test_full_backward_hook_when_no_input_needs_a_gradient():
    m = nn.Linear(2, 1)
    seen = []
    m.register_full_backward_hook(lambda mod, gi, go: seen.append((gi, go[0].tolist())))
    m(lamina.ones(3, 2)).sum().backward()
    assert seen == [((None,), [[1.0], [1.0], [1.0]])] and m.weight.grad.tolist() == [[3.0, 3.0]]


def test_exceptions_in_hooks_come_out_as_themselves():
    m = nn.Identity()

    class Mine(Exception):
        pass

    def fail(*_):
        raise Mine("here")

    handle = m.register_forward_hook(fail)
    with pytest.raises(Mine, match=r"^here$"):
        m(lamina.ones(1))
    handle.remove()
    m.register_full_backward_hook(fail)
    out = m(lamina.ones(1, requires_grad=True))
    with pytest.raises(Mine, match=r"^here$"):
        out.sum().backward()


# -- errors and printing ----------------------------------------------------------------------------------------------
def test_errors_name_the_layer_once():
    class Inner(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc1 = nn.Linear(16, 10)

        def forward(self, x):
            return self.fc1(x)

    class Outer(nn.Module):
        def __init__(self):
            super().__init__()
            self.heads = nn.ModuleList([nn.Identity(), Inner()])

        def forward(self, x):
            return self.heads[1](x)

    with pytest.raises(lamina.Error, match=r" \[in Outer\.heads\.1\.fc1\]$") as caught:
        Outer()(lamina.zeros(8, 12))
    assert str(caught.value).count("[in ") == 1
    with pytest.raises(lamina.Error, match=r" \[in Linear\]$"):
        nn.Linear(16, 10)(lamina.zeros(8, 12))


def test_other_errors_are_left_alone():
    class Bad(nn.Module):
        def forward(self, x):
            raise KeyError("k")

    with pytest.raises(KeyError) as caught:
        nn.Sequential(Bad())(lamina.zeros(1))
    assert caught.value.args == ("k",)


def test_repr():
    net = nn.Sequential(nn.Linear(2, 3), nn.ModuleList([nn.ReLU(), nn.ReLU(), nn.Dropout(0.1)]))
    assert repr(net) == (
        "Sequential(\n"
        "  (0): Linear(in_features=2, out_features=3, bias=True)\n"
        "  (1): ModuleList(\n"
        "    (0-1): 2 x ReLU()\n"
        "    (2): Dropout(p=0.1, inplace=False)\n"
        "  )\n"
        ")"
    )
    assert repr(nn.Conv2d(1, 2, 3, padding=1)) == "Conv2d(1, 2, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1))"


def test_depth_is_not_limited_by_the_stack():
    top = nn.Module()
    m = top
    for _ in range(5000):
        m.a = nn.Module()
        m = m.a
    m.w = nn.Parameter(lamina.zeros(1))
    assert len(list(top.modules())) == 5001 and len(list(top.parameters())) == 1
    top.eval().double().requires_grad_(False)
    assert m.w.dtype == lamina.float64 and not m.training
    assert len(top.state_dict()) == 1
    top.apply(lambda _: None)
    shallow = nn.Module()
    m = shallow
    for _ in range(1200):
        m.a = nn.Module()
        m = m.a
    assert repr(shallow).count("Module(") == 1201


def test_a_module_inside_itself_does_not_hang():
    m = nn.Module()
    m.child = nn.Linear(1, 1)
    m.child.up = m
    assert len(list(m.modules())) == 2 and "..." in repr(m)
    assert list(m.state_dict()) == ["child.weight", "child.bias"]
    m.eval().apply(lambda _: None)


def test_modules_are_collected():
    net = Net()
    gone = weakref.ref(net)
    net(lamina.ones(2, 3)).sum().backward()
    del net
    gc.collect()
    assert gone() is None


# -- containers -------------------------------------------------------------------------------------------------------
def test_sequential():
    s = nn.Sequential(nn.Linear(2, 3), nn.ReLU())
    s.append(nn.Linear(3, 1))
    s.insert(1, nn.Tanh())
    assert [type(m).__name__ for m in s] == ["Linear", "Tanh", "ReLU", "Linear"]
    assert list(s.state_dict()) == ["0.weight", "0.bias", "3.weight", "3.bias"]
    assert s(lamina.ones(5, 2)).shape == (5, 1) and len(s[1:3]) == 2 and s[-1] is s[3]
    assert list(s[2:].state_dict()) == ["3.weight", "3.bias"]
    s[1] = nn.Identity()
    del s[2]
    assert [type(m).__name__ for m in s] == ["Linear", "Identity", "Linear"]
    s.extend([nn.ReLU()])
    assert type(s.pop()).__name__ == "ReLU" and len(s) == 3
    for bad in (3, -4):
        with pytest.raises(IndexError):
            s[bad]
    named = nn.Sequential({"first": nn.Linear(1, 1), "second": nn.ReLU()})
    assert list(named.state_dict()) == ["first.weight", "first.bias"]
    with pytest.raises(TypeError):
        nn.Sequential(3)


def test_module_list_and_dict():
    ml = nn.ModuleList([nn.ReLU()])
    ml += [nn.Tanh()]
    assert len([*ml, nn.SiLU()]) == 3 and len(ml) == 2 and isinstance(ml[:1], nn.ModuleList)
    with pytest.raises(NotImplementedError):
        ml(lamina.ones(1))
    with pytest.raises(TypeError):
        ml.extend(3)
    md = nn.ModuleDict([("a", nn.Linear(1, 1))])
    md["b"] = nn.ReLU()
    assert list(md) == ["a", "b"] and "a" in md and len(md) == 2 and list(md.state_dict()) == ["a.weight", "a.bias"]
    assert isinstance(md.pop("b"), nn.ReLU) and list(md.keys()) == ["a"]
    with pytest.raises(KeyError):
        md["zz"]
    md.clear()
    assert len(md) == 0 and list(md.items()) == []
