"""lamina.save and lamina.load: the tree rule, plain safetensors, and files that are not ours."""

import json
import math
import struct

import lamina
import pytest
from lamina import nn, serialization


def test_state_dict_is_a_plain_safetensors_file(tmp_path):
    model = nn.Linear(3, 2)
    for obj in (model, model.state_dict()):
        lamina.save(obj, tmp_path / "m.safetensors")
        loaded = serialization.load_file(tmp_path / "m.safetensors")
        assert {k: v.tolist() for k, v in loaded.items()} == {k: v.tolist() for k, v in model.state_dict().items()}
    raw = (tmp_path / "m.safetensors").read_bytes()
    header = json.loads(raw[8 : 8 + struct.unpack("<Q", raw[:8])[0]])
    assert header["weight"]["shape"] == [2, 3] and header["weight"]["dtype"] == "F32"
    assert "lamina.tree" not in header.get("__metadata__", {})
    assert list(lamina.load(tmp_path / "m.safetensors")) == ["weight", "bias"]


def test_trees_come_back_equal(tmp_path):
    w = lamina.arange(6).reshape(2, 3)
    tree = {
        "model": {"a.b": w, "a": {"b": w + 1}},
        "epoch": 3,
        7: ["x", None, True, (1.5, -math.inf, [])],
        "big": 2**70,
        "empty": {},
        "text": "naïve \u0000 \U0001f600",
    }
    lamina.save(tree, tmp_path / "t")
    back = lamina.load(tmp_path / "t")
    assert back["model"]["a.b"].tolist() == w.tolist() and back["model"]["a"]["b"].tolist() == (w + 1).tolist()
    del tree["model"], back["model"]
    assert back == tree and [type(v) for v in back.values()] == [type(v) for v in tree.values()]
    for obj in (lamina.ones(2), [lamina.ones(2)], 5, None, {}):
        lamina.save(obj, tmp_path / "t")
        got = lamina.load(tmp_path / "t")
        assert type(got) is type(obj) and repr(got) == repr(obj)
    lamina.save({"n": float("nan")}, tmp_path / "t")
    assert math.isnan(lamina.load(tmp_path / "t")["n"])


def test_metadata(tmp_path):
    serialization.save_file({"w": lamina.ones(1)}, tmp_path / "f", {"k": "v"})
    tensors, metadata = serialization.load_with_metadata(tmp_path / "f")
    assert metadata["k"] == "v" and tensors["w"].tolist() == [1.0]
    assert serialization.load_file(tmp_path / "f")["w"].tolist() == [1.0]


def test_what_a_file_cannot_hold(tmp_path):
    deep = []
    for _ in range(100_000):
        deep = [deep]
    for obj, kind, message in (
        ({"f": print}, TypeError, "builtin_function"),
        ({"o": lamina.optim.SGD([nn.Parameter(lamina.ones(1))])}, TypeError, r"pass its state_dict\(\)"),
        ({(1, 2): 3}, TypeError, "keys"),
        (deep, ValueError, "deeper than 64"),
    ):
        with pytest.raises(kind, match=message):
            lamina.save(obj, tmp_path / "t")
    assert list(tmp_path.iterdir()) == []


def test_damaged_trees_end_in_file_errors(tmp_path):
    for tree in (
        "{",
        "[]x",
        '{"t":"absent"}',
        '{"q":[]}',
        '{"d":[[1]]}',
        '{"l":3}',
        '{"l":[],"u":[]}',
        '{"d":[[[1],2]]}',
    ):
        serialization.save_file({"w": lamina.ones(1)}, tmp_path / "t", {"lamina.tree": tree})
        with pytest.raises(lamina.FileError, match="damaged"):
            lamina.load(tmp_path / "t")
    serialization.save_file({}, tmp_path / "t", {"lamina.tree": '{"l":[' * 500 + "1" + "]}" * 500})
    with pytest.raises(lamina.FileError):
        lamina.load(tmp_path / "t")
    with pytest.raises(OSError):
        lamina.load(tmp_path / "missing")


def test_training_goes_on_from_a_checkpoint_with_the_same_bits(tmp_path):
    def build():
        lamina.manual_seed(0)
        model = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Tanh(), nn.Linear(8, 2))
        return model, lamina.optim.AdamW(model.parameters(), lr=0.01)

    def step(model, opt, i):
        x = lamina.randn(16, 4, generator=lamina.Generator().manual_seed(i))
        opt.zero_grad()
        model(x).square().mean().backward()
        opt.step()

    model, opt = build()
    for i in range(3):
        step(model, opt, i)
    lamina.save({"model": model.state_dict(), "opt": opt.state_dict(), "step": 3}, tmp_path / "c")
    for i in range(3, 6):
        step(model, opt, i)
    again, opt2 = build()
    saved = lamina.load(tmp_path / "c")
    again.load_state_dict(saved["model"])
    opt2.load_state_dict(saved["opt"])
    for i in range(saved["step"], 6):
        step(again, opt2, i)
    assert [v.tolist() for v in again.state_dict().values()] == [v.tolist() for v in model.state_dict().values()]
