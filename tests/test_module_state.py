"""State dicts as classes and hooks change them: each situation runs under PyTorch and lamina, and both say the same."""

from __future__ import annotations

from collections import OrderedDict

import lamina
import pytest
from conftest import needs_torch, torch
from lamina import nn

LIBRARIES = [pytest.param(lamina, id="lamina"), pytest.param(torch, id="torch", marks=needs_torch)]


def counter(lib):
    class Counter(lib.nn.Module):
        def __init__(self, calls=0):
            super().__init__()
            self.calls, self.weight = calls, lib.nn.Parameter(lib.ones(1))

        def get_extra_state(self):
            return {"calls": self.calls}

        def set_extra_state(self, state):
            self.calls = state["calls"]

    return Counter


@pytest.mark.parametrize("lib", LIBRARIES)
def test_extra_state_of_children(lib):
    make = counter(lib)
    old = lib.nn.Sequential(lib.nn.Linear(2, 2), lib.nn.ModuleList([make(7), make(9)]))
    new = lib.nn.Sequential(lib.nn.Linear(2, 2), lib.nn.ModuleList([make(), make()]))
    state = old.state_dict()
    assert list(state) == ["0.weight", "0.bias", "1.0.weight", "1.0._extra_state", "1.1.weight", "1.1._extra_state"]
    assert not new.load_state_dict(state).missing_keys
    assert [m.calls for m in new[1]] == [7, 9]
    del state["1.1._extra_state"]
    with pytest.raises(RuntimeError, match=r'Missing key\(s\) in state_dict: "1.1._extra_state"'):
        new.load_state_dict(state)
    plain = lib.nn.Sequential(lib.nn.Linear(2, 2), lib.nn.ModuleList([lib.nn.Module(), lib.nn.Module()]))
    found = plain.load_state_dict(old.state_dict(), strict=False)
    assert sorted(found.unexpected_keys) == ["1.0._extra_state", "1.0.weight", "1.1._extra_state", "1.1.weight"]


@pytest.mark.parametrize("lib", LIBRARIES)
def test_extra_state_without_its_other_half(lib):
    class Half(lib.nn.Module):
        def set_extra_state(self, state):
            pass

    assert list(Half().state_dict()) == []
    with pytest.raises(RuntimeError, match="_extra_state"):
        Half().load_state_dict({})
    with pytest.raises(RuntimeError):
        Half().get_extra_state()


@pytest.mark.parametrize("lib", LIBRARIES)
def test_writing_is_overridden_in_children(lib):
    class Versioned(lib.nn.Linear):
        _version = 3

        def _save_to_state_dict(self, destination, prefix, keep_vars):
            super()._save_to_state_dict(destination, prefix, keep_vars)
            destination[prefix + "version"] = lib.tensor(3)

    class Renamed(lib.nn.Linear):
        def state_dict(self, *args, destination=None, prefix="", keep_vars=False):
            out = super().state_dict(*args, destination=destination, prefix=prefix, keep_vars=keep_vars)
            out[prefix + "kernel"] = out.pop(prefix + "weight")
            return out

    class OldStyle(lib.nn.Linear):
        def state_dict(self, destination=None, prefix="", keep_vars=False):
            return super().state_dict(destination=destination, prefix=prefix + "old.", keep_vars=keep_vars)

    net = lib.nn.Sequential(Versioned(1, 1), lib.nn.Sequential(Renamed(1, 1), OldStyle(1, 1)), lib.nn.BatchNorm1d(1))
    state = net.state_dict()
    assert list(state)[:3] == ["0.weight", "0.bias", "0.version"]
    assert list(state)[3:7] == ["1.0.bias", "1.0.kernel", "1.1.old.weight", "1.1.old.bias"]
    versions = {"": 1, "0": 3, "1": 1, "1.0": 1, "1.1.old": 1, "2": 2}
    assert {k: v["version"] for k, v in state._metadata.items()} == versions
    assert type(state) is OrderedDict


@pytest.mark.parametrize("lib", LIBRARIES)
def test_hooks_of_writing(lib):
    said = []
    net = lib.nn.Sequential(lib.nn.Linear(1, 1), lib.nn.Sequential(lib.nn.Linear(1, 1)))
    inner = net[1][0]
    inner.register_state_dict_pre_hook(lambda m, prefix, keep_vars: said.append(("pre", m is inner, prefix, keep_vars)))

    def post(module, state, prefix, local_metadata):
        said.append(("post", module is inner, prefix, local_metadata["version"], list(state)))
        state[prefix + "more"] = state.pop(prefix + "bias")

    handle = inner.register_state_dict_post_hook(post)
    net._register_state_dict_hook(lambda m, state, prefix, meta: {k.upper(): v for k, v in state.items()})
    assert list(net.state_dict()) == ["0.WEIGHT", "0.BIAS", "1.0.WEIGHT", "1.0.MORE"]
    keys = ["0.weight", "0.bias", "1.0.weight", "1.0.bias"]
    assert said == [("pre", True, "1.0.", False), ("post", True, "1.0.", 1, keys)]
    handle.remove()
    assert list(net.state_dict()) == ["0.WEIGHT", "0.BIAS", "1.0.WEIGHT", "1.0.BIAS"]
    inner.register_state_dict_post_hook(lambda m, state, prefix, meta: state)
    with pytest.raises(RuntimeError, match="post-hook must return None"):
        net.state_dict()


@pytest.mark.parametrize("lib", LIBRARIES)
def test_hooks_of_reading(lib):
    said = []
    net = lib.nn.Sequential(lib.nn.Sequential(lib.nn.Linear(1, 1)), lib.nn.Linear(1, 1))
    inner = net[0][0]

    def rename(state, prefix, metadata, strict, missing, unexpected, errors):
        said.append((sorted(state), prefix, strict, missing, unexpected, errors))
        state[prefix + "weight"] = state.pop(prefix + "kernel")

    def public(module, state, prefix, *rest):
        said.append((module is inner, prefix + "weight" in state))

    def forgive(module, found):
        said.append((module is net, list(found.missing_keys), inner.weight.item()))
        found.missing_keys.remove("1.bias")

    inner._register_load_state_dict_pre_hook(rename)
    inner._register_load_state_dict_pre_hook(lambda m, *rest: said.append(m is inner), with_module=True)
    inner.register_load_state_dict_pre_hook(public)
    net.register_load_state_dict_post_hook(forgive)
    given = {"0.0.kernel": lib.full((1, 1), 5.0), "0.0.bias": lib.zeros(1), "1.weight": lib.zeros(1, 1)}
    found = net.load_state_dict(given)
    assert not found.missing_keys and inner.weight.item() == 5.0 and "0.0.kernel" in given
    assert said[0] == (["0.0.bias", "0.0.kernel"], "0.0.", True, [], [], [])
    assert said[1:] == [True, (True, True), (True, ["1.bias"], 5.0)]
    assert len(inner._load_state_dict_pre_hooks) == 3 and len(net._load_state_dict_post_hooks) == 1


@pytest.mark.parametrize("lib", LIBRARIES)
def test_reading_is_overridden_in_children(lib):
    class Frozen(lib.nn.Module):
        _version = 2

        def __init__(self, n):
            super().__init__()
            self.register_buffer("weight", lib.ones(n))
            self.below = lib.nn.Linear(1, 1)

        def _load_from_state_dict(
            self, state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs
        ):
            self.seen = (sorted(state_dict), local_metadata.get("version"), strict)
            state_dict.pop(prefix + "num_batches_tracked", None)
            if prefix + "below.kernel" in state_dict:
                state_dict[prefix + "below.weight"] = state_dict.pop(prefix + "below.kernel")
            super()._load_from_state_dict(
                state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs
            )
            self.after = self.weight.tolist()

    net = lib.nn.Sequential(Frozen(2), lib.nn.Sequential(lib.nn.Linear(1, 1), Frozen(1)))
    state = net.state_dict()
    state["0.weight"] = lib.full((2,), 4.0)
    state["0.num_batches_tracked"] = lib.tensor(3)
    state["0.below.kernel"] = lib.full((1, 1), 8.0)
    del state["0.below.weight"]
    net.load_state_dict(state)
    assert net[0].after == [4.0, 4.0] and net[0].below.weight.item() == 8.0
    assert net[0].seen == (["0.below.bias", "0.below.kernel", "0.num_batches_tracked", "0.weight"], 2, True)
    state["1.1.other"], state["1.1.below.x"], state["2.x"] = lib.ones(1), lib.ones(1), lib.ones(1)
    assert sorted(net.load_state_dict(state, strict=False).unexpected_keys) == ["1.1.below.x", "1.1.other", "2.x"]
    with pytest.raises(RuntimeError, match="Unexpected"):
        net.load_state_dict(state)


def test_a_failed_load_changes_plain_modules_in_no_case():
    class Eager(nn.Linear):
        def _load_from_state_dict(self, *args):
            super()._load_from_state_dict(*args)

    net = nn.Sequential(nn.Linear(1, 1), Eager(1, 1), nn.Linear(1, 1))
    before = {k: v.item() for k, v in net.state_dict().items()}
    bad = {k: lamina.full(v.shape, 9.0) for k, v in net.state_dict().items()} | {"2.weight": lamina.ones(2, 2)}
    with pytest.raises(RuntimeError, match=r"size mismatch for 2\.weight"):
        net.load_state_dict(bad)
    after = {k: v.item() for k, v in net.state_dict().items()}
    assert {k for k in after if after[k] != before[k]} == {"1.weight", "1.bias"}, "only the class that took its own"

    looked = nn.Sequential(nn.Linear(1, 1), nn.Linear(1, 1))
    looked[0].register_load_state_dict_pre_hook(lambda *rest: None)
    looked.register_load_state_dict_post_hook(lambda *rest: pytest.fail("the shapes do not fit"))
    before = {k: v.item() for k, v in looked.state_dict().items()}
    bad = {k: lamina.full(v.shape, 9.0) for k, v in looked.state_dict().items()} | {"1.weight": lamina.ones(2, 2)}
    with pytest.raises(RuntimeError, match="size mismatch"):
        looked.load_state_dict(bad)
    assert before == {k: v.item() for k, v in looked.state_dict().items()}


@pytest.mark.parametrize("lib", LIBRARIES)
@pytest.mark.parametrize("kind", ["BatchNorm1d", "BatchNorm2d", "BatchNorm3d", "InstanceNorm1d"])
def test_norms_from_before_they_counted_batches(lib, kind):
    options = {"track_running_stats": True, "affine": True} if kind.startswith("Inst") else {}
    net = lib.nn.Sequential(lib.nn.Conv1d(1, 2, 1), lib.nn.ModuleList([getattr(lib.nn, kind)(2, **options)]))
    net[1][0].num_batches_tracked.fill_(4)
    old = {n: t.clone() + 1 for n, t in net.state_dict().items() if not n.endswith("num_batches_tracked")}
    assert not net.load_state_dict(old).missing_keys
    assert net[1][0].running_mean.tolist() == [1.0, 1.0] and net[1][0].num_batches_tracked.item() == 4
    new = OrderedDict(old)
    new._metadata = {"1.0": {"version": 2}}
    assert net.load_state_dict(new, strict=False).missing_keys == ["1.0.num_batches_tracked"]


@pytest.mark.parametrize("lib", LIBRARIES)
def test_norms_below_a_class_that_reads_itself(lib):
    class Block(lib.nn.Module):
        def __init__(self):
            super().__init__()
            self.norm = lib.nn.BatchNorm1d(2)

        def _load_from_state_dict(self, state_dict, prefix, *rest):
            for key in [k for k in state_dict if k.startswith(prefix + "bn.")]:
                state_dict[key.replace("bn.", "norm.")] = state_dict.pop(key)
            super()._load_from_state_dict(state_dict, prefix, *rest)

    net = lib.nn.Sequential(Block())
    old = {f"0.bn.{n}": lib.full((2,), 3.0) for n in ("weight", "bias", "running_mean", "running_var")}
    assert not net.load_state_dict(old).missing_keys and net[0].norm.running_var.tolist() == [3.0, 3.0]


@pytest.mark.parametrize("lib", LIBRARIES)
def test_assign_tells_the_modules(lib):
    told = []

    class Asks(lib.nn.Linear):
        def _load_from_state_dict(self, state_dict, prefix, local_metadata, *rest):
            told.append(local_metadata.get("assign_to_params_buffers", False))
            super()._load_from_state_dict(state_dict, prefix, local_metadata, *rest)

    net, weight = lib.nn.Sequential(Asks(1, 1)), lib.nn.Parameter(lib.ones(1, 1), requires_grad=False)
    state = {"0.weight": weight, "0.bias": lib.ones(1)}
    net.load_state_dict(state, assign=True)
    assert net[0].weight is weight and weight.requires_grad and type(net[0].bias) is lib.nn.Parameter
    net.load_state_dict(net.state_dict())
    assert told == [True, False]


def test_tied_weights_under_either_name():
    class Tied(nn.Module):
        def __init__(self):
            super().__init__()
            self.embed, self.head = nn.Embedding(2, 1), nn.Linear(1, 2, bias=False)
            self.head.weight = self.embed.weight

    for key in ("embed.weight", "head.weight"):
        for assign in (False, True):
            net = Tied()
            assert not net.load_state_dict({key: lamina.full((2, 1), 6.0)}, assign=assign).missing_keys
            assert net.head.weight is net.embed.weight and net.head.weight.tolist() == [[6.0], [6.0]]
    with pytest.raises(RuntimeError, match=r'Missing key\(s\) in state_dict: "embed.weight", "head.weight"'):
        Tied().load_state_dict({})
    with pytest.raises(RuntimeError, match=r"size mismatch for head\.weight"):
        Tied().load_state_dict({"head.weight": lamina.ones(3, 1)})


@pytest.mark.parametrize("lib", LIBRARIES)
def test_small_manners(lib):
    net = lib.nn.Sequential(lib.nn.Linear(1, 1))
    with pytest.raises(TypeError, match="dict-like"):
        net.load_state_dict([("0.weight", lib.ones(1, 1))])
    net.scale = lib.nn.Parameter(lib.tensor(1.0))
    found = net.load_state_dict({"scale": lib.tensor([3.0])}, strict=False)  # from before there were scalars
    assert net.scale.item() == 3.0 and sorted(found.missing_keys) == ["0.bias", "0.weight"]
    net.head = lib.nn.Linear(1, 1)
    net.head = None  # a place that is kept free: its keys are let pass
    assert net.load_state_dict(net.state_dict() | {"head.weight": lib.ones(1, 1)}).unexpected_keys == []
    out = {"before": 1}
    assert net.state_dict(destination=out, prefix="p.") is out and list(out)[:2] == ["before", "p.scale"]


@pytest.mark.parametrize("lib", LIBRARIES)
def test_copies_have_their_own_hooks(lib):
    import copy

    seen = []
    net = lib.nn.Linear(1, 1)
    net.register_load_state_dict_pre_hook(lambda module, *rest: seen.append(module))
    other = copy.deepcopy(net)
    other.load_state_dict(net.state_dict())
    assert len(seen) == 1 and seen[0] is other


def test_deep_trees_and_trees_inside_themselves():
    class Below(nn.Module):
        def __init__(self):
            super().__init__()
            self.w = nn.Parameter(lamina.zeros(1))

        def _load_from_state_dict(self, state_dict, prefix, *rest):
            state_dict[prefix + "w"] = state_dict.pop(prefix + "old")
            super()._load_from_state_dict(state_dict, prefix, *rest)

    top = module = nn.Module()
    for _ in range(3000):
        module.a = nn.Module()
        module = module.a
    module.b = Below()
    key = "a." * 3000 + "b."
    assert list(top.state_dict()) == [key + "w"]
    top.load_state_dict({key + "old": lamina.ones(1)})
    assert module.b.w.item() == 1.0

    ring = Below()
    ring.again = ring
    assert list(ring.state_dict()) == ["w"]
    ring.load_state_dict({"old": lamina.ones(1)})


@pytest.mark.parametrize("lib", LIBRARIES)
def test_walks_that_children_override(lib):
    said = []

    class Own(lib.nn.Module):
        def __init__(self):
            super().__init__()
            self.inside = lib.nn.Linear(1, 1)

        def apply(self, fn):
            said.append("own")
            return super().apply(fn)

        def named_modules(self, memo=None, prefix="", remove_duplicate=True):
            yield prefix, self

    net = lib.nn.Sequential(lib.nn.Tanh(), Own(), lib.nn.ReLU())
    net.apply(lambda module: said.append(type(module).__name__))
    assert said == ["Tanh", "own", "Linear", "Own", "ReLU", "Sequential"]
    assert [n for n, _ in net.named_modules()] == ["", "0", "1", "2"]
    assert list(net.parameters()) == []
    assert [type(m).__name__ for m in net.modules()] == ["Sequential", "Tanh", "Own", "ReLU"]
    assert [n for n, _ in net._named_members(lambda m: m._modules.items(), prefix="p")] == [
        "p.0",
        "p.1",
        "p.2",
        "p.1.inside",
    ]
