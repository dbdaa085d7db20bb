"""PyTorch's older files, TorchScript archives, and objects beside the tensors of a checkpoint."""

from __future__ import annotations

import argparse
import collections
import io
import pathlib
import pickle
import struct
import tarfile
import warnings

import lamina
import numpy as np
import pytest
from conftest import needs_torch, torch
from hypothesis import given, settings
from hypothesis import strategies as st

GOLDEN = pathlib.Path(__file__).parent / "golden"


class Trainer:
    """An object that a training script keeps beside its weights."""

    def __init__(self):
        self.best, self.names, self.me = 0.5, ["a"], self


class Log(list):
    pass


def stream(value, **options):
    out = io.BytesIO()
    torch.save(value, out, **options)
    return out.getvalue()


def read(data, **options):
    return lamina.load(io.BytesIO(data), **options)


OLD = {"_use_new_zipfile_serialization": False}


# -- the stream before 1.6 --------------------------------------------------------------------------------------------
@needs_torch
@pytest.mark.parametrize("protocol", [2, 3, 4])
def test_the_older_stream_equals_pytorch(tmp_path, protocol):
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Conv2d(1, 4, 3), torch.nn.BatchNorm2d(4))
    base = torch.arange(12.0)
    kinds = ["float64", "float32", "float16", "bfloat16", "int64", "int32", "int16", "int8", "uint8", "bool"]
    tree = {
        "model": net.state_dict(),
        "views": [base[2:8].view(2, 3).t(), base, base[::5], torch.ones(1).expand(2, 3)],
        "kinds": {k: torch.tensor([0, 1, 1]).to(getattr(torch, k)) for k in kinds},
        "p": torch.nn.Parameter(torch.ones(2)),
        "empty": torch.zeros(0, 3),
        "n": (1, None, "text"),
    }
    torch.save(tree, tmp_path / "f", pickle_protocol=protocol, **OLD)
    got = lamina.load(tmp_path / "f")
    for name, value in tree["model"].items():
        np.testing.assert_array_equal(got["model"][name].numpy(), value.numpy())
    assert [v.tolist() for v in got["views"]] == [v.tolist() for v in tree["views"]]
    assert {k: (v.dtype.name, v.tolist()) for k, v in got["kinds"].items()} == {
        k: (k, v.tolist()) for k, v in tree["kinds"].items()
    }
    assert got["p"].requires_grad and got["empty"].shape == (0, 3) and got["n"] == (1, None, "text")
    got["views"][1][0] = 7.0
    assert got["views"][2][0].item() == 7.0  # one storage


def test_golden_files_of_every_kind():
    for name in ("before_1_6.pt", "before_0_1_10.tar", "script.pt", "zip.pt"):
        got = lamina.load(GOLDEN / name)
        assert got["weight"].tolist() == [[0, 1, 2], [3, 4, 5]] and got["bias"].tolist() == [1.5, -2.5], name


# -- TAR --------------------------------------------------------------------------------------------------------------
def tar(storages=None, tensors=None, tree=None, names=("storages", "tensors", "pickle")):
    """An archive as PyTorch 0.1 wrote them, of a weight (2, 3) over six floats and the last two as a view."""
    if storages is None:
        storages = pickle.dumps(1, 2) + pickle.dumps((10, "cpu", collections.OrderedDict), 2).replace(
            b"ccollections\nOrderedDict\n", b"ctorch\nFloatStorage\n"
        )
        storages += struct.pack("<q", 6) + np.arange(6, dtype="<f4").tobytes() + pickle.dumps([(11, 10, 4, 2)], 2)
    if tensors is None:
        kind = lambda key, storage: pickle.dumps((key, storage, collections.OrderedDict), 2).replace(
            b"ccollections\nOrderedDict\n", b"ctorch\nFloatTensor\n"
        )
        tensors = pickle.dumps(2, 2) + kind(20, 10) + struct.pack("<ii5q", 2, 0, 2, 3, 3, 1, 0)
        tensors += kind(21, 11) + struct.pack("<ii3q", 1, 0, 2, 1, 0)
    if tree is None:
        key = lambda k: b"X" + struct.pack("<I", len(k)) + k
        tree = b"\x80\x02}" + key(b"weight") + key(b"20") + b"Qs" + key(b"bias") + key(b"21") + b"Qs."
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:", format=tarfile.PAX_FORMAT) as archive:
        for name, data in zip(names, (storages, tensors, tree), strict=True):
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return out.getvalue()


def test_tar_files():
    got = read(tar())
    assert got["weight"].tolist() == [[0, 1, 2], [3, 4, 5]] and got["bias"].tolist() == [4, 5]
    got["weight"][1, 1] = 9.0
    assert got["bias"].tolist() == [9, 5]


@needs_torch
def test_tar_files_are_those_of_pytorch(tmp_path):
    (tmp_path / "f.tar").write_bytes(tar())
    theirs = torch.load(tmp_path / "f.tar", weights_only=False)
    assert theirs["weight"].tolist() == [[0, 1, 2], [3, 4, 5]] and theirs["bias"].tolist() == [4, 5]


def spoilt(good, old, new):
    assert old in good
    return good.replace(old, new, 1)


def test_damaged_tar_files():
    good = tar()
    cases = [good[:n] for n in (300, 512, 600, 1024, 2000)]
    cases += [tar(names=("a", "tensors", "pickle")), tar(names=("storages", "storages", "pickle"))]
    cases += [tar(storages=b"\x80\x02cos\nsystem\n."), tar(tree=b"\x80\x02cos\nsystem\n."), tar(tensors=b"\x80\x02N.")]
    cases += [tar(tree=b"\x80\x02X\x02\0\0\x0099Q."), tar(storages=pickle.dumps(10**9, 2))]
    cases += [spoilt(good, struct.pack("<q", 6), struct.pack("<q", n)) for n in (-1, 7, 1 << 60)]
    cases += [spoilt(good, struct.pack("<ii", 2, 0), struct.pack("<ii", n, 0)) for n in (-1, 17, 1 << 30)]
    cases += [
        spoilt(good, struct.pack("<5q", 2, 3, 3, 1, 0), struct.pack("<5q", *s))
        for s in ((3, 3, 3, 1, 0), (2, 3, 3, 1, 9), (-2, 3, 3, 1, 0))
    ]
    cases += [spoilt(good, b"(K\x0bK\nK\x04K\x02", b"(K\x0bK\nK\x05K\x02")]
    for number, data in enumerate(cases):
        with pytest.raises(lamina.FileError):
            read(data)
            pytest.fail(f"case {number} was read")


# -- damage to the stream ---------------------------------------------------------------------------------------------
def old_file():
    return (GOLDEN / "before_1_6.pt").read_bytes()


@given(st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), min_size=1, max_size=5), st.integers(0, 3))
@settings(max_examples=300, deadline=None)
def test_mutated_streams_end_in_a_tree_or_a_file_error(changes, cut):
    for good in (old_file(), tar()):
        data = bytearray(good)
        for place, value in changes:
            data[place % len(data)] = value
        if cut == 3:
            data = data[: changes[0][0] % len(data)]
        try:
            read(bytes(data), unknown="placeholder" if cut == 2 else "error")
        except lamina.FileError:
            pass


@needs_torch
def test_damaged_streams():
    good = stream({"w": torch.arange(3)}, **OLD)
    for data in (good[:20], good[:-1], good[:-30], spoilt(good, struct.pack("<q", 3), struct.pack("<q", 4))):
        with pytest.raises(lamina.FileError):
            read(data)
    with pytest.raises(lamina.FileError, match="version"):
        read(spoilt(good, b"M\xe9\x03.", b"M\xea\x03."))
    with pytest.raises(lamina.FileError, match=r"'torch\.nn\.modules\.linear\.Linear' is not allowed"):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            read(stream(torch.nn.Linear(1, 1), **OLD))


# -- TorchScript ------------------------------------------------------------------------------------------------------
@needs_torch
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_weights_of_torchscript_archives(tmp_path):
    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.body = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.BatchNorm1d(2))
            self.register_buffer("scale", torch.arange(2.0))
            self.sizes, self.rate, self.names = [1, 2], 0.5, {"a": 1}

        def forward(self, x):
            return self.body(x) * self.scale * self.rate + self.sizes[0] + self.names["a"]

    net = Net().eval()
    for make in (torch.jit.script, lambda m: torch.jit.trace(m, torch.ones(1, 3))):
        torch.jit.save(make(net), tmp_path / "s.pt")
        got = lamina.load(tmp_path / "s.pt")
        state = net.state_dict()
        assert sorted(got) == sorted(state)
        for name, value in state.items():
            np.testing.assert_array_equal(got[name].numpy(), value.numpy())
            assert not got[name].requires_grad


# -- objects ----------------------------------------------------------------------------------------------------------
@needs_torch
@pytest.mark.parametrize("options", [{}, OLD, {"pickle_protocol": 4}], ids=["zip", "stream", "protocol 4"])
def test_objects_become_placeholders_on_request(options):
    model = torch.nn.Sequential(torch.nn.Linear(2, 2))
    log = Log([1, 2])
    log.note = "x"
    tree = {
        "model": model.state_dict(),
        "args": argparse.Namespace(lr=0.1, hidden=[1, 2]),
        "trainer": Trainer(),
        "log": log,
        "kind": Trainer,
        "whole": model,
        "complex": torch.zeros(2, dtype=torch.complex64),
        "sparse": torch.eye(2).to_sparse(),
        "path": pathlib.PurePosixPath("a/b"),
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        data = stream(tree, **options)
    with pytest.raises(lamina.FileError, match=r"'argparse\.Namespace' is not allowed.*unknown='placeholder'"):
        read(data)
    got = read(data, unknown="placeholder")
    assert got["model"]["0.weight"].tolist() == model[0].weight.tolist()
    assert isinstance(got["args"], lamina.Placeholder) and got["args"].name == "argparse.Namespace"
    assert got["args"].state == {"lr": 0.1, "hidden": [1, 2]}
    assert got["trainer"].name.endswith("Trainer") and got["trainer"].state["me"] is got["trainer"]
    assert got["log"].items == [1, 2] and got["log"].state == {"note": "x"} and got["kind"].name.endswith("Trainer")
    inner = got["whole"].state["_modules"]["0"].state["_parameters"]
    assert inner["weight"].tolist() == model[0].weight.tolist() and inner["weight"].requires_grad
    assert "_rebuild_sparse_tensor" in got["sparse"].name and isinstance(got["complex"], lamina.Placeholder)


@needs_torch
def test_plain_objects_of_other_libraries_are_read():
    tree = {
        "number": np.float64(1.5),
        "small": np.int8(-3),
        "array": np.arange(6, dtype=">i4").reshape(2, 3),
        "fortran": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        "text": np.array(["ab", "c"]),
        "bools": np.array([True, False]),
        "kind": np.dtype("f4"),
        "count": collections.Counter("aab"),
        "ordered": collections.OrderedDict(a=1),
        "default": collections.defaultdict(list, {"k": [1]}),
        "set": {1, 2},
        "frozen": frozenset("a"),
        "bytes": b"\0\xff",
        "array of bytes": bytearray(b"ab"),
        "complex": 1 + 2j,
        "device": torch.device("cuda", 1),
    }
    for options in ({}, {"pickle_protocol": 4}, {"pickle_protocol": 5}, OLD):
        got = read(stream(tree, **options))
        for name, value in tree.items():
            if isinstance(value, (np.ndarray, np.generic)):
                np.testing.assert_array_equal(got[name], value)
                assert (
                    type(got[name]) is type(value) and got[name].dtype == value.dtype.newbyteorder("=")
                ) or name == "array"
            elif name == "device":
                assert str(got[name]) == "cuda:1"
            else:
                assert got[name] == value, name
    with pytest.raises(lamina.FileError, match="numpy"):
        read(stream({"a": np.array([{}], object)}))


@needs_torch
def test_signs_marks_and_states_of_tensors():
    x = torch.tensor([1 + 2j, 3 - 4j])
    for options in ({}, OLD):
        got = read(stream({"i": x.conj().imag, "v": x.conj().imag[1:], "plain": x.imag}, **options))
        assert got["i"].tolist() == [-2, 4] and got["v"].tolist() == [4] and got["plain"].tolist() == [2, -4]
    noted = torch.nn.Parameter(torch.ones(2), requires_grad=False)
    noted.tag = "x"
    named = torch.ones(3)
    named.tag = 3
    tree = {"b": torch.nn.Buffer(torch.ones(2)), "p": noted, "t": named}
    tree["loose"] = torch.nn.Buffer(torch.zeros(1), persistent=False)
    got = read(stream(tree))
    assert isinstance(got["b"], lamina.nn.Buffer) and got["b"].persistent and not got["loose"].persistent
    assert isinstance(got["p"], lamina.nn.Parameter) and not got["p"].requires_grad and got["t"].tolist() == [1, 1, 1]
    hooked = torch.ones(2, requires_grad=True)
    hooked.register_hook(torch.nn.functional.relu)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert read(stream({"h": hooked}), unknown="placeholder")["h"].requires_grad


@needs_torch
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("ComplexFloatStorage", lambda: torch.zeros(2, dtype=torch.complex64)),
        ("float8_e4m3fn", lambda: torch.zeros(2, dtype=torch.float8_e4m3fn)),
        ("uint16", lambda: torch.zeros(2, dtype=torch.uint16)),
        ("_rebuild_sparse_tensor", lambda: torch.eye(2).to_sparse()),
        ("_rebuild_qtensor", lambda: torch.quantize_per_tensor(torch.ones(2), 1, 0, torch.qint8)),
        ("_rebuild_meta_tensor", lambda: torch.ones(2, device="meta")),
        ("_rebuild_nested_tensor", lambda: torch.nested.nested_tensor([torch.ones(1), torch.ones(2)])),
    ],
)
def test_tensors_that_lamina_lacks_are_named(name, make):
    data = stream({"w": torch.ones(1), "x": make()})
    with pytest.raises(lamina.FileError, match=name):
        read(data)
    got = read(data, unknown="placeholder")
    assert got["w"].tolist() == [1] and isinstance(got["x"], lamina.Placeholder)
