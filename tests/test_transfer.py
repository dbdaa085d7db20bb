"""Freezing, new heads, rates by part, and weights whose names do not quite fit."""

from __future__ import annotations

import re

import lamina
import numpy as np
import pytest
from conftest import needs_torch, torch
from lamina import models, nn
from lamina.transfer import freeze, load_partial, parameter_groups, replace_head, unfreeze


def trained(model):
    return [name for name, p in model.named_parameters() if p.requires_grad]


def test_freeze_and_unfreeze_by_glob_module_and_regex():
    model = models.CNN()
    names = [name for name, _ in model.named_parameters()]
    assert freeze(model) == names and trained(model) == []
    assert unfreeze(model, "head") == ["head.weight", "head.bias"] == trained(model)
    assert unfreeze(model, re.compile(r"norm\.bias$")) == [n for n in names if n.endswith("norm.bias")]
    assert unfreeze(model, "stage1.*.conv.weight", "stage?.0") == [
        n for n in names if (n.startswith("stage1") and "conv" in n) or n.startswith(("stage1.0", "stage2.0"))
    ]
    unfreeze(model)
    model(lamina.zeros(2, 1, 4, 4)).sum().backward()
    freeze(model, "stage1")
    assert model.stage1[0].conv.weight.grad is None and model.head.weight.grad is not None


def test_a_pattern_without_a_match_says_the_nearest_names():
    model = models.CNN()
    for call in (freeze, unfreeze):
        with pytest.raises(ValueError, match=r"'haed' matches no name; nearest: 'head"):
            call(model, "stage1", "haed")
    assert trained(model) == [name for name, _ in model.named_parameters()]
    with pytest.raises(ValueError, match="matches no name"):
        freeze(model, re.compile("^x$"))
    with pytest.raises(TypeError, match="a pattern is"):
        freeze(model, 3)


class Named(nn.Module):
    def __init__(self, **children):
        super().__init__()
        for name, child in children.items():
            setattr(self, name, child)


def test_replace_head_finds_it_by_name():
    body = nn.Linear(4, 4)
    cases = [
        (Named(fc=nn.Linear(4, 9), aux=nn.Linear(4, 9)), "fc"),
        (Named(features=body, classifier=nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 9))), "classifier.2"),
        (Named(heads=Named(head=nn.Linear(4, 9)), last=nn.Linear(4, 4)), "heads.head"),
        (Named(classifier=nn.Sequential(nn.Dropout(), nn.Conv2d(4, 9, 1, stride=2, bias=False))), "classifier.1"),
        (nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 9), nn.ReLU()), "1"),
    ]
    for model, name in cases:
        model = model.double().eval()
        old = model.get_submodule(name)
        new = replace_head(model, 3)
        assert model.get_submodule(name) is new is not old and type(new) is type(old)
        assert new.weight.dtype == lamina.float64 and not new.training and new.weight.shape[0] == 3
        assert (new.bias is None) == (old.bias is None)
        if isinstance(new, nn.Conv2d):
            assert new.stride == (2, 2)


def test_replace_head_of_models_and_its_errors():
    model = models.CNN()
    config = model.config
    replace_head(model, 3)
    assert model.config.classes == 3 and config.classes == 10
    assert model(lamina.zeros(2, 1, 8, 8)).shape == (2, 3)
    replace_head(model, 5, "stage1.0.conv")
    assert model.stage1[0].conv.weight.shape[0] == 5
    for bad in (0, True, 2.5, "3"):
        with pytest.raises(ValueError, match="classes must be"):
            replace_head(model, bad)
    with pytest.raises(ValueError, match="no Linear or convolution below"):
        replace_head(nn.Sequential(nn.ReLU()), 2)
    with pytest.raises(ValueError, match="matches no name; nearest: 'head'"):
        replace_head(model, 2, "haed")
    with pytest.raises(ValueError, match="groups"):
        replace_head(nn.Sequential(nn.Conv2d(4, 4, 1, groups=2)), 2)


def test_parameter_groups():
    model = models.CNN()
    freeze(model, "stage1.0")
    groups = parameter_groups(model, {"head.bias": {"lr": 0.1, "weight_decay": 0.0}, "head": 0.01, "stage1": 1e-5})
    assert [{k: v for k, v in g.items() if k != "params"} for g in groups] == [
        {"lr": 0.1, "weight_decay": 0.0},
        {"lr": 0.01},
        {"lr": 1e-5},
        {},
    ]
    listed = [id(p) for g in groups for p in g["params"]]
    assert sorted(listed) == sorted(id(p) for p in model.parameters() if p.requires_grad)
    optimizer = lamina.optim.AdamW(groups, lr=1e-3)
    assert [g["lr"] for g in optimizer.param_groups] == [0.1, 0.01, 1e-5, 1e-3]
    with pytest.raises(ValueError, match="nearest"):
        parameter_groups(model, {"heads.fc": 1.0})
    freeze(model)
    with pytest.raises(ValueError, match="no parameter"):
        parameter_groups(model, {"head": 1.0})


def make():
    return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2))


@pytest.mark.parametrize("there", ["", "module.", "model.", "transformer.", "bert.", "net.body."])
@pytest.mark.parametrize("here", ["", "backbone"])
def test_prefixes_are_found(there, here):
    source, target = make(), make()
    model = Named(backbone=target) if here else target
    report = load_partial(model, {there + k: v for k, v in source.state_dict().items()}, strict=True)
    assert len(report.loaded) == 9 and (report.removed, report.added) == (there, f"{here}." if here else "")
    for a, b in zip(source.parameters(), target.parameters(), strict=True):
        assert a.tolist() == b.tolist()


def test_reports_say_what_did_not_fit():
    model = make()
    before = model[2].weight.tolist()
    state = {f"module.{k}": v for k, v in make().state_dict().items()}
    state["module.2.weight"] = lamina.ones(7, 4)
    del state["module.1.running_mean"]
    state["module.head.weight"] = lamina.ones(1)
    report = load_partial(model, state)
    assert report.missing == ["1.running_mean"] and report.unexpected == ["module.head.weight"]
    assert report.mismatched == [("2.weight", (7, 4), (2, 4))] and model[2].weight.tolist() == before
    assert str(report) == (
        "loaded 7 of 9 tensors, without the prefix 'module.'\n"
        "missing in the file (1):\n  1.running_mean\n"
        "not in the model (1):\n  module.head.weight\n"
        "other shapes (1):\n  2.weight: (7, 4) in the file, (2, 4) in the model"
    )
    untouched = make()
    before = {k: v.tolist() for k, v in untouched.state_dict().items()}
    with pytest.raises(RuntimeError, match=r"(?s)strict=True.*other shapes") as caught:
        load_partial(untouched, state, strict=True)
    assert "2.weight: (7, 4)" in str(caught.value)
    assert {k: v.tolist() for k, v in untouched.state_dict().items()} == before
    with pytest.raises(RuntimeError, match="nothing fits"):
        load_partial(model, {"a": lamina.ones(1)})
    many = str(load_partial(model, {**model.state_dict(), **{f"x{i}": lamina.ones(1) for i in range(30)}}))
    assert "... and 20 more" in many


def test_sources(tmp_path):
    source = make()
    lamina.save({"epoch": 3, "model": source, "optimizer": {}} | {"model": source.state_dict()}, tmp_path / "c")
    lamina.save(source, tmp_path / "m.safetensors")
    for given in (tmp_path / "c", str(tmp_path / "m.safetensors"), source, {"state_dict": source.state_dict()}):
        model = make()
        assert len(load_partial(model, given, strict=True).loaded) == 9
        assert model[0].weight.tolist() == source[0].weight.tolist()
    norm = nn.Sequential(nn.LayerNorm(3))
    load_partial(norm, {"bert.0.gamma": lamina.ones(3) * 2, "bert.0.beta": lamina.ones(3)}, strict=True)
    assert norm[0].weight.tolist() == [2, 2, 2] and norm[0].bias.tolist() == [1, 1, 1]
    for bad in (None, 3, [1]):
        with pytest.raises(TypeError, match="path or a dict"):
            load_partial(make(), bad)
    with pytest.raises(ValueError, match="no tensors by name"):
        load_partial(make(), {"epoch": 3})
    half = {k: v.half() if v.is_floating_point() else v for k, v in source.state_dict().items()}
    model = make()
    load_partial(model, half)
    assert model[0].weight.dtype == lamina.float32


@needs_torch
def test_a_checkpoint_of_pytorch_loads_without_renaming(tmp_path):
    theirs = torch.nn.DataParallel(
        torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4), torch.nn.Linear(4, 2))
    )
    torch.save({"state_dict": theirs.state_dict(), "epoch": 1}, tmp_path / "c.pth")
    model = make()
    assert load_partial(model, tmp_path / "c.pth", strict=True).removed == "module."
    x = np.random.default_rng(0).standard_normal((5, 3)).astype("f4")
    want = theirs.module.eval()(torch.from_numpy(x)).detach().numpy()
    np.testing.assert_allclose(model.eval()(lamina.from_numpy(x)).detach().numpy(), want, rtol=1e-5, atol=1e-6)


def test_weights_of_a_trunk_alone_fit_a_whole_model():
    sizes = {"layers": 1, "width": 16, "heads": 2, "vocab": 20, "context": 8}
    source, target = models.GPT(**sizes), models.GPT(**sizes)
    trunk = {k.removeprefix("transformer."): v for k, v in source.state_dict().items() if k.startswith("transformer.")}
    report = load_partial(target, trunk)
    assert report.added == "transformer." and report.missing == ["lm_head.weight"] and not report.unexpected
    ids = lamina.tensor([[1, 2, 3]])
    assert target.eval()(ids).tolist() == source.eval()(ids).tolist()  # the head is the embedding
    resnet = models.ResNet(classes=5)
    state = models.ResNet(classes=7).state_dict()
    report = load_partial(resnet, {f"backbone.{k}": v for k, v in state.items()})
    assert report.removed == "backbone." and [m[0] for m in report.mismatched] == ["fc.weight", "fc.bias"]
    assert not report.missing and not report.unexpected
