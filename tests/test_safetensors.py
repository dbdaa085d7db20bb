"""safetensors files: as the safetensors package reads and writes them, every damage refused, checksums for anyone."""

from __future__ import annotations

import contextlib
import json
import os
import zlib

import lamina
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lamina import _C

DTYPES = ["bool", "uint8", "int8", "int16", "int32", "int64", "float16", "bfloat16", "float32", "float64"]


def sample() -> dict[str, lamina.Tensor]:
    tensors = {name: (lamina.arange(6).reshape(2, 3) - 2).to(getattr(lamina, name)) for name in DTYPES}
    return tensors | {"scalar": lamina.tensor(2.5), "empty": lamina.zeros(0, 4), 'odd "name" \n é': lamina.ones(1)}


def content(tensors: dict[str, lamina.Tensor]) -> dict[str, tuple]:
    return {k: (str(t.dtype), tuple(t.shape), t.tolist()) for k, t in tensors.items()}


def test_round_trip(tmp_path):
    path = tmp_path / "m.safetensors"
    _C.save_tensors(sample(), path, {"format": "pt", "note": "ü"})
    tensors, metadata = _C.load_tensors(path)
    assert list(tensors) == list(sample()) and content(tensors) == content(sample())
    assert metadata == {"format": "pt", "note": "ü"}
    strided = lamina.arange(12).reshape(3, 4).t()
    _C.save_tensors({"x": strided}, path, {})
    assert _C.load_tensors(os.fsencode(path))[0]["x"].tolist() == strided.tolist()


def test_with_the_safetensors_package(tmp_path):
    safetensors = pytest.importorskip(
        "safetensors.numpy", reason="the safetensors package (extra 'test') is not installed"
    )
    path = str(tmp_path / "m.safetensors")
    ours = {k: t for k, t in sample().items() if k != "bfloat16"}
    _C.save_tensors(ours, path, {"format": "pt"})
    theirs = safetensors.load_file(path)
    assert set(theirs) == set(ours)
    for name, array in theirs.items():
        np.testing.assert_array_equal(array, ours[name].numpy())
        assert array.dtype == ours[name].numpy().dtype
    safetensors.save_file({"a": np.arange(5.0), "b": np.ones((2, 0), np.int16)}, path, {"k": "v"})
    tensors, metadata = _C.load_tensors(path)
    assert tensors["a"].tolist() == [0, 1, 2, 3, 4] and tensors["b"].shape == (2, 0) and metadata == {"k": "v"}


def test_checksums_are_plain_crc32(tmp_path):
    path = tmp_path / "m.safetensors"
    x = lamina.arange(6, dtype=lamina.float32).reshape(2, 3)
    _C.save_tensors({"x": x}, path, {})
    raw = path.read_bytes()
    header = json.loads(raw[8 : 8 + int.from_bytes(raw[:8], "little")])
    seed = zlib.crc32(b"F32[2,3]")
    assert header["__metadata__"]["crc32:x"] == f"{zlib.crc32(x.numpy().tobytes(), seed):08x}"
    assert (8 + int.from_bytes(raw[:8], "little")) % 64 == 0


@pytest.fixture(scope="module")
def good(tmp_path_factory) -> tuple[bytes, str]:
    path = tmp_path_factory.mktemp("files") / "m.safetensors"
    _C.save_tensors(sample(), path, {"format": "pt"})
    return path.read_bytes(), str(path)


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_damage_is_refused(good, data):
    """A changed file is refused, or still says the same (JSON has several spellings)."""
    raw, path = good
    damaged = bytearray(raw)
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(damaged) - 1))
        kind = data.draw(st.sampled_from(["flip", "cut", "drop", "insert"]))
        if kind == "flip":
            damaged[at] ^= data.draw(st.integers(1, 255))
        elif kind == "cut":
            del damaged[at + 1 :]
        elif kind == "drop":
            del damaged[at]
        else:
            damaged.insert(at, data.draw(st.integers(0, 255)))
        if not damaged:
            break
    with open(path + ".bad", "wb") as f:
        f.write(damaged)
    try:
        tensors, _ = _C.load_tensors(path + ".bad")
    except lamina.FileError:
        return
    assert content(tensors) == content(sample())


@settings(max_examples=200, deadline=None)
@given(
    header=st.binary(max_size=200)
    | st.text(alphabet='{}[]",:0123456789eE-\\udtypeshapF32 ', max_size=200).map(str.encode),
    body=st.binary(max_size=16),
)
def test_arbitrary_headers(good, header, body):
    path = good[1] + ".any"
    with open(path, "wb") as f:
        f.write(len(header).to_bytes(8, "little") + header + body)
    with contextlib.suppress(lamina.FileError):
        _C.load_tensors(path)


def test_verify_false_reads_what_the_checksums_refuse(tmp_path):
    path = tmp_path / "m.safetensors"
    lamina.save({"a": lamina.tensor([1.0, 2.0]), "step": 3}, path)
    good = path.read_bytes()
    path.write_bytes(good[:-1] + bytes([good[-1] ^ 0x80]))  # the sign of the last element
    for load in (lamina.load, lamina.serialization.load_file, lamina.serialization.load_with_metadata):
        with pytest.raises(lamina.FileError, match="verify=False"):
            load(path)
    assert lamina.load(path, verify=False)["a"].tolist() == [1.0, -2.0]
    assert lamina.load(path, verify=False)["step"] == 3
    assert lamina.serialization.load_file(path, verify=False)["a"].tolist() == [1.0, -2.0]
    with pytest.raises(TypeError):
        lamina.load(path, False)


def test_verify_false_reads_damaged_metadata_but_no_damaged_structure(tmp_path):
    path = tmp_path / "m.safetensors"
    lamina.serialization.save_file({"a": lamina.ones(4)}, path, {"note": "right"})
    good = path.read_bytes()
    path.write_bytes(good.replace(b"right", b"wrong"))
    with pytest.raises(lamina.FileError, match="metadata"):
        lamina.load(path)
    assert lamina.serialization.load_with_metadata(path, verify=False)[1] == {"note": "wrong"}
    for damaged in (good[:-1], good + b"x", good.replace(b"[4]", b"[5]"), b"{" + good[1:]):
        path.write_bytes(damaged)
        with pytest.raises(lamina.FileError):
            lamina.load(path, verify=False)


def test_errors_are_os_errors(tmp_path):
    with pytest.raises(OSError, match="No such file"):
        _C.load_tensors(tmp_path / "none")
    with pytest.raises(OSError, match="not a regular file"):
        _C.load_tensors(tmp_path)
    with pytest.raises(OSError, match="not a regular file"):
        _C.save_tensors({}, "/dev/full", {})
    with pytest.raises(OSError, match="folder"):
        _C.save_tensors({}, tmp_path, {})
    with pytest.raises(TypeError, match="'x'"):
        _C.save_tensors({"x": 3}, tmp_path / "m", {})
    with pytest.raises(ValueError, match="crc32:"):
        _C.save_tensors({}, tmp_path / "m", {"crc32:a": ""})
    assert not list(tmp_path.iterdir())
