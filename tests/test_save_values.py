"""What save takes beside tensors, and where it writes: open files, NumPy's values, containers, records."""

from __future__ import annotations

import argparse
import collections
import dataclasses
import io
import json
import pathlib
import types
from typing import NamedTuple

import lamina
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lamina import serialization


class Point(NamedTuple):
    x: int
    y: object


Pair = collections.namedtuple("Pair", "a b")


@dataclasses.dataclass
class Settings:
    rate: float = 0.1
    sizes: tuple[int, ...] = (1, 2)
    ran: bool = dataclasses.field(default=False, init=False)

    def __post_init__(self):
        self.ran = True


@dataclasses.dataclass(frozen=True, slots=True)
class Frozen:
    name: str
    weight: object = None


def back(value, **options):
    stream = io.BytesIO()
    lamina.save(value, stream)
    stream.seek(0)
    return lamina.load(stream, **options)


VALUES = {
    "bytes": b"\0\xff",
    "bytearray": bytearray(b"ab"),
    "complex": complex(1.5, -0.0),
    "set": {1, "a", None, (2, 3)},
    "frozenset": frozenset([1.5, b"x"]),
    "ordered": collections.OrderedDict(b=1, a=[2]),
    "counter": collections.Counter("banana"),
    "defaultdict": collections.defaultdict(list, {"k": [1]}),
    "no factory": collections.defaultdict(None, {1: 2}),
    "range": range(2, 20, 3),
    "slice": slice(None, 5, -1),
    "ellipsis": ...,
    "dtype": lamina.bfloat16,
    "device": lamina.device("cpu"),
    "point": Point(1, [2]),
    "pair": Pair("x", None),
    "dataclass": Settings(0.5, (3,)),
    "slots": Frozen("n", (1, 2)),
    "namespace": argparse.Namespace(lr=0.1, layers=[1, 2]),
    "simple": types.SimpleNamespace(a=1),
    "nested": {"a": [{"b": (Point({"c": 1}, {2}),)}]},
}


@pytest.mark.parametrize("name", VALUES)
def test_values_come_back_as_they_were(name):
    got = back({"v": VALUES[name], "t": lamina.ones(1)})["v"]
    assert got == VALUES[name] and type(got) is type(VALUES[name])
    alone = back(VALUES[name])
    assert alone == VALUES[name] and type(alone) is type(VALUES[name])


@pytest.mark.parametrize(
    "array",
    [
        np.arange(6, dtype=np.int64).reshape(2, 3),
        np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        np.array([True, False]),
        np.array(1.5, dtype=np.float16),
        np.zeros((0, 3), np.uint16),
        np.array([1 + 2j], np.complex64),
        np.array([1, 2], ">i4"),
        np.array(["ab", "c"]),
        np.array([b"ab", b"c"]),
        np.array(["2020-01-01", "NaT"], "datetime64[D]"),
        np.arange(10)[::-3],
    ],
    ids=lambda a: f"{a.dtype}-{a.shape}",
)
def test_arrays_come_back_with_dtype_and_shape(array):
    got = back([array])[0]
    assert type(got) is np.ndarray and got.dtype == array.dtype and got.shape == array.shape
    np.testing.assert_array_equal(got, array)
    got[...] = got  # it may be written to


@pytest.mark.parametrize("number", [np.float32(0.1), np.float64(0.1), np.int8(-3), np.bool_(True), np.complex128(1j)])
def test_numpy_numbers_keep_their_type(number):
    got = back({"n": number})["n"]
    assert got == number and type(got) is type(number)


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats(allow_nan=False)
        | st.text(max_size=5)
        | st.binary(max_size=5)
        | st.complex_numbers(allow_nan=False),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.tuples(inner, inner)
            | st.dictionaries(st.text(max_size=3) | st.integers(), inner, max_size=3)
            | st.builds(Point, st.integers(), inner)
        ),
        max_leaves=12,
    )
)
@settings(max_examples=150, deadline=None)
def test_any_tree_comes_back_equal(tree):
    got = back(tree)
    assert got == tree and repr(got) == repr(tree)


def test_files_of_every_kind(tmp_path):
    class Place:
        def __fspath__(self):
            return str(tmp_path / "place")

    value = {"w": lamina.arange(3), "n": [1]}
    for target in (tmp_path / "a", str(tmp_path / "b"), Place(), pathlib.PurePosixPath(tmp_path / "c")):
        lamina.save(value, target)
        assert lamina.load(target)["w"].tolist() == [0, 1, 2]
    for buffering in (-1, 0):
        with open(tmp_path / "d", "wb", buffering=buffering) as file:
            lamina.save(value, file)
        assert (tmp_path / "d").read_bytes() == (tmp_path / "a").read_bytes()
        with open(tmp_path / "d", "rb", buffering=buffering) as file:
            assert lamina.load(file)["n"] == [1]
    with open(tmp_path / "two", "wb") as file:  # behind something else
        file.write(b"head")
        lamina.save(value, file)
    with open(tmp_path / "two", "rb") as file:
        assert file.read(4) == b"head" and lamina.load(file)["n"] == [1]
    stream = io.BytesIO()
    serialization.save_file({"w": lamina.ones(2)}, stream, {"k": "v"})
    stream.seek(0)
    tensors, texts = serialization.load_with_metadata(stream)
    assert tensors["w"].tolist() == [1, 1] and texts == {"k": "v"}


def test_pieces_that_a_file_takes_in_part():
    class Slow(io.RawIOBase):
        def __init__(self):
            self.data = b""

        def writable(self):
            return True

        def write(self, piece):
            self.data += bytes(piece[:1000])
            return min(len(piece), 1000)

    slow, whole = Slow(), io.BytesIO()
    for file in (slow, whole):
        lamina.save({"w": lamina.arange(5000), "b": lamina.ones(7, dtype=lamina.bool)}, file)
    assert slow.data == whole.getvalue()


def test_damage_in_memory_is_found():
    stream = io.BytesIO()
    lamina.save({"w": lamina.ones(4)}, stream)
    good = stream.getvalue()
    for cut in (0, 7, 8, 30, len(good) - 1):
        with pytest.raises(lamina.FileError, match="BytesIO"):
            lamina.load(io.BytesIO(good[:cut]))
    with pytest.raises(lamina.FileError, match="checksum"):
        lamina.load(io.BytesIO(good[:-1] + b"\1"))
    with pytest.raises(lamina.FileError):
        lamina.load(io.BytesIO(good + b"x"))
    with pytest.raises(TypeError, match="binary mode"):
        lamina.load(io.StringIO("text"))


def test_what_pytorch_programs_pass(tmp_path):
    lamina.save({"a": 1}, tmp_path / "f", pickle_protocol=4, _use_new_zipfile_serialization=False)
    assert lamina.load(tmp_path / "f", weights_only=False, map_location="cpu", mmap=True) == {"a": 1}


@pytest.mark.parametrize(
    "value",
    [lambda: 0, print, object(), np.array([{}], object), collections.defaultdict(lambda: 0), np.zeros(1, "i4,f4")],
    ids=["lambda", "builtin", "object", "array of objects", "defaultdict of a lambda", "record array"],
)
def test_what_no_file_holds_is_named(value):
    with pytest.raises(TypeError, match=r"save: 'a\.b' is a "):
        back({"a": {"b": value}})


def written(tree, modules=None):
    stream = io.BytesIO()
    texts = {"lamina.format": "2", "lamina.tree": json.dumps(tree)}
    if modules is not None:
        texts["lamina.modules"] = json.dumps(modules)
    serialization.save_file({"w": lamina.ones(4, dtype=lamina.uint8)}, stream, texts)
    return io.BytesIO(stream.getvalue())


@pytest.mark.parametrize(
    "node",
    [
        {"set": [{"l": []}]},
        {"set": [2**61]},
        {"frozenset": 3},
        {"bytes": "!"},
        {"bytes": 3},
        {"complex": [1]},
        {"dtype": "relu"},
        {"dtype": "dtype"},
        {"device": "nowhere"},
        {"device": 3},
        {"Size": [-1]},
        {"range": [1, 2, "x"]},
        {"number": ["O8", "AAAAAAAAAAA="]},
        {"number": ["<f8", "AA=="]},
        {"number": ["<f8", 7]},
        {"array": ["|O", [1], "w"]},
        {"array": ["<f8", [1], "w"]},
        {"array": ["<f4", [-1], "w"]},
        {"array": ["<f4", [2**70], "w"]},
        {"array": ["<f4", [1], "absent"]},
        {"defaultdict": ["exec", []]},
        {"defaultdict": ["list", 3]},
        {"Counter": [[[1], 2]]},
        {"namedtuple": ["a"]},
        {"module": 0},
        {"module": -1},
        {"parameter": ["absent", True]},
        {"nothing": 1},
        {"unsaved": {"l": []}, "l": []},
        [1],
        {},
    ],
    ids=str,
)
def test_hostile_nodes_end_in_file_errors(node):
    with pytest.raises(lamina.FileError, match="damaged"):
        lamina.load(written(node))


@pytest.mark.parametrize(
    ("node", "name"),
    [
        ({"namedtuple": ["os", "system", {}]}, None),
        ({"namedtuple": ["os", "stat_result", [1]]}, "os.stat_result"),
        ({"namedtuple": [__name__, "Point", [1, 2, 3]]}, "Point"),
        ({"namedtuple": [__name__, "Settings", []]}, "Settings"),
        ({"dataclass": ["subprocess", "Popen", []]}, "subprocess.Popen"),
        ({"dataclass": [__name__, "Settings", [["absent", 1]]]}, "Settings"),
        ({"dataclass": [__name__, "Settings", [["__class__", 1]]]}, "Settings"),
        ({"dataclass": [__name__ + ".Settings", "", []]}, "Settings"),
        ({"dataclass": ["antigravity", "x", []]}, "antigravity.x"),
        ({"Namespace": [["__class__", 1]]}, "__class__"),
        ({"Namespace": [["_get_kwargs", 1]]}, "_get_kwargs"),
        ({"operation": ["lamina", "load"]}, "lamina.load"),
        ({"operation": ["os", "system"]}, "os.system"),
        ({"operation": ["lamina.nn.functional", "__getattr__"]}, "__getattr__"),
        ({"operation": ["lamina.nn.functional", "Any"]}, "Any"),
        ({"layer": ["subprocess", "Popen"]}, "Popen"),
        ({"layer": ["lamina.nn.linear", "lamina"]}, "lamina"),
        ({"unsaved": "a lambda"}, "a lambda"),
    ],
    ids=str,
)
def test_nothing_in_a_file_chooses_code(node, name):
    with pytest.raises(lamina.FileError, match=name or "damaged"):
        lamina.load(written(node))
    if name and "Namespace" not in node:
        assert isinstance(lamina.load(written(node), unknown="placeholder"), lamina.Placeholder)


def test_unknown_records_become_placeholders_with_what_they_held():
    @dataclasses.dataclass
    class Here:
        a: int
        b: object

    stream = io.BytesIO()
    lamina.save({"s": Here(3, lamina.ones(2))}, stream)
    text = stream.getvalue().replace(b"<locals>.Here", b"<locals>.Gone")
    with pytest.raises(lamina.FileError, match=r"<locals>\.Gone is not made.*placeholder"):
        lamina.load(io.BytesIO(text), verify=False)
    got = lamina.load(io.BytesIO(text), verify=False, unknown="placeholder")["s"]
    assert isinstance(got, lamina.Placeholder) and got.name.endswith("Gone")
    assert got.state["a"] == 3 and got.state["b"].tolist() == [1, 1] and "attributes: a, b" in repr(got)
    with pytest.raises(ValueError, match="'error' or 'placeholder'"):
        lamina.load(io.BytesIO(text), unknown="ignore")


def test_dataclasses_are_filled_without_running_their_code():
    value = Settings(0.5)
    value.ran = "as it was"
    assert back(value).ran == "as it was"


def test_depth_and_versions_are_bounded():
    node = 1
    for _ in range(200):
        node = {"l": [node]}
    with pytest.raises(lamina.FileError, match="damaged"):
        lamina.load(written(node))
    stream = io.BytesIO()
    serialization.save_file({"w": lamina.ones(1)}, stream, {"lamina.format": "3", "lamina.tree": "1"})
    with pytest.raises(lamina.FileError, match="format 3 is of a later lamina"):
        lamina.load(io.BytesIO(stream.getvalue()))
    assert list(serialization.load_file(io.BytesIO(stream.getvalue()))) == ["w"]


def test_trees_of_the_first_version_are_written_as_before(tmp_path):
    """A file without further kinds has no version number: earlier releases read it."""
    lamina.save({"a": [1, (2.5, None)], "w": lamina.ones(2)}, tmp_path / "f")
    _, texts = serialization.load_with_metadata(tmp_path / "f")
    assert texts == {"lamina.tree": '{"d":[["a",{"l":[1,{"u":[2.5,null]}]}],["w",{"t":"w"}]]}'}
