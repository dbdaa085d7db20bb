"""Checkpoints of PyTorch are read without running them: what torch.save writes, and files that mean harm."""

from __future__ import annotations

import io
import pickle
import pickletools
import resource
import struct
import time
import zipfile

import lamina
import numpy as np
import pytest
from conftest import needs_torch, torch
from hypothesis import given, settings
from hypothesis import strategies as st
from lamina.torch_file import load_torch

TENSOR = b"ctorch._utils\n_rebuild_tensor_v2\n"


def text(value):
    return b"X" + struct.pack("<I", len(value)) + value.encode()


def number(value):
    return b"\x8a\x09" + value.to_bytes(9, "little", signed=True)


def sizes(*values):
    return b"(" + b"".join(number(v) for v in values) + b"t"


def storage(key="0", count=6, kind=b"ctorch\nFloatStorage\n"):
    return b"(" + text("storage") + kind + text(key) + text("cpu") + number(count) + b"tQ"


def tensor(size=(2, 3), stride=(3, 1), offset=0, store=None):
    return TENSOR + b"(" + (store or storage()) + number(offset) + sizes(*size) + sizes(*stride) + b"\x89}tR"


def program(body):
    return b"\x80\x02" + body + b"."


VALUES = np.arange(6, dtype="<f4").tobytes()


def write(path, code, entries=None, **options):
    with zipfile.ZipFile(path, "w", **options) as archive:
        archive.writestr("a/data.pkl", code)
        for name, data in ({"data/0": VALUES} if entries is None else entries).items():
            archive.writestr("a/" + name, data)
    return path


def refused(path, message, **options):
    with pytest.raises(lamina.FileError, match=message):
        load_torch(path, **options)


# -- files that PyTorch writes ----------------------------------------------------------------------------------------
def same(mine, theirs):
    if isinstance(theirs, torch.Tensor):
        assert tuple(mine.shape) == tuple(theirs.shape) and str(mine.dtype).split(".")[-1] == str(theirs.dtype)[6:]
        wide = theirs.detach().float() if theirs.is_floating_point() else theirs.detach()
        assert mine.detach().to(lamina.float32 if theirs.is_floating_point() else mine.dtype).tolist() == wide.tolist()
        assert mine.requires_grad == theirs.requires_grad
    elif isinstance(theirs, dict):
        assert list(mine) == list(theirs) and type(mine) is dict
        for key, value in theirs.items():
            same(mine[key], value)
    elif isinstance(theirs, (list, tuple)):
        assert len(mine) == len(theirs)
        for a, b in zip(mine, theirs, strict=True):
            same(a, b)
    else:
        assert mine == theirs and type(mine) is type(theirs)


@needs_torch
@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_state_dicts_and_checkpoints_equal_those_of_pytorch(tmp_path, protocol):
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Conv2d(1, 4, 3), torch.nn.BatchNorm2d(4), torch.nn.LSTM(3, 2))
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.1, amsgrad=True)
    model[1](model[0](torch.randn(2, 1, 5, 5))).sum().backward()
    optimizer.step()
    base = torch.arange(12.0)
    kinds = ["float64", "float32", "float16", "bfloat16", "int64", "int32", "int16", "int8", "uint8"]
    checkpoint = {
        "model": model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "schedule": torch.optim.lr_scheduler.MultiStepLR(optimizer, [3, 5]).state_dict()["base_lrs"],
        "plain": (1, -2.5, None, True, False, "naïve", 2**70, [], {}, {1: [2, (3,)]}),
        "views": [base[2:8].view(2, 3).t(), base, base[::5], torch.ones(1).expand(2, 3)],
        "kinds": {k: (torch.randn(3, 2) * 9).abs().to(getattr(torch, k)) for k in kinds},
        "bool": torch.tensor([True, False]),
        "parameter": torch.nn.Parameter(torch.ones(2)),
        "needs grad": torch.ones(2, requires_grad=True),
        "empty": torch.zeros(0, 3),
        "scalar": torch.tensor(3),
    }
    torch.save(checkpoint, tmp_path / "f.pt", pickle_protocol=protocol)
    same(lamina.load(tmp_path / "f.pt"), checkpoint)


@needs_torch
def test_sharing_special_values_and_types(tmp_path):
    base = torch.arange(6.0)
    odd = torch.tensor([float("nan"), float("inf"), -0.0, 1e-45, 3e38])
    tree = {"a": base, "b": base[2:4], "same": (base, base), "odd": odd, "half": odd.bfloat16(), "size": base.shape}
    torch.save({**tree, "dtype": torch.float16}, tmp_path / "f.pt")
    back = lamina.load(tmp_path / "f.pt")
    back["a"][2] = 50.0
    assert back["b"].tolist() == [50.0, 3.0] and back["same"][0] is back["same"][1]
    assert back["size"] == (6,) and back["dtype"] is lamina.float16
    assert back["odd"].numpy().tobytes() == odd.numpy().tobytes()
    assert repr(back["half"].float().tolist()) == repr(odd.bfloat16().float().tolist())


@needs_torch
def test_a_state_dict_loads_into_a_layer(tmp_path):
    theirs = torch.nn.Linear(3, 2)
    torch.save(theirs.state_dict(), tmp_path / "f.pt")
    mine = lamina.nn.Linear(3, 2)
    mine.load_state_dict(lamina.load(tmp_path / "f.pt"))
    np.testing.assert_array_equal(mine.weight.detach().numpy(), theirs.weight.detach().numpy())
    steps = torch.optim.Adam(theirs.parameters())
    theirs(torch.ones(1, 3)).sum().backward()
    steps.step()
    torch.save(steps.state_dict(), tmp_path / "o.pt")
    own = lamina.optim.Adam(mine.parameters())
    own.load_state_dict(lamina.load(tmp_path / "o.pt"))
    assert own.state[mine.weight]["step"] == 1


@needs_torch
def test_objects_are_refused_by_name(tmp_path):
    torch.save(torch.nn.Linear(1, 1), tmp_path / "model.pt")
    refused(tmp_path / "model.pt", r"'torch.nn.modules.linear.Linear' is not allowed.*state_dict")
    torch.save({"c": torch.zeros(2, dtype=torch.complex64)}, tmp_path / "c.pt")
    refused(tmp_path / "c.pt", "ComplexFloatStorage' is not allowed")
    torch.save({"c": torch.zeros(2, dtype=torch.float8_e4m3fn)}, tmp_path / "c.pt")
    refused(tmp_path / "c.pt", "float8_e4m3fn' is not allowed")


# -- files made by hand -----------------------------------------------------------------------------------------------
def test_a_file_made_by_hand(tmp_path):
    path = write(tmp_path / "f.pt", program(b"}" + text("w") + tensor() + b"s"))
    assert lamina.load(path)["w"].tolist() == [[0, 1, 2], [3, 4, 5]]
    big = {"data/0": np.arange(6, dtype=">f4").tobytes(), "byteorder": b"big"}
    assert load_torch(write(tmp_path / "f.pt", program(tensor()), big)).tolist() == [[0, 1, 2], [3, 4, 5]]
    bools = program(tensor(store=storage(kind=b"ctorch\nBoolStorage\n")))
    assert load_torch(write(tmp_path / "f.pt", bools, {"data/0": bytes([0, 1, 2, 255, 0, 1])})).sum().item() == 4


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"cos\nsystem\n" + b"(" + text("true") + b"tR", r"'os.system' is not allowed"),
        (text("builtins") + text("eval") + b"\x93", r"'builtins.eval' is not allowed"),
        (b"ctorch\nload\n", r"'torch.load' is not allowed"),
        (b"ctorch.storage\n_load_from_bytes\n", "not allowed"),
        (b"c" + b"a" * 5000 + b"\nb\n", "no end"),
        (b"(S'abc'\ni__main__\nX\n", "instruction 0x53"),
        (b"\x82\x01", "instruction 0x82"),
        (b"K\x01K\x02R", "no function"),
        (b"ccollections\nOrderedDict\nK\x01\x85R", "arguments"),
        (b"ccollections\nOrderedDict\n", "bare function"),
        (storage(), "bare function or storage"),
        (text("x") + b"Q", "reference"),
        (b"", "leaves no single object"),
        (b"0", "nothing on the stack"),
        (b"K\x01K\x02", "no single object"),
        (b"h\x07", "before it is made"),
        (b"q\x00", "nothing on the stack"),
        (b"t", "no mark"),
        (b"K\x01K\x01a", "expects a list"),
        (b"})K\x01s", "a key of type tuple"),
        (b"}" + number(1 << 60) + b"K\x01s", "a key"),
        (b"}(K\x01u", "without a value"),
        (b"]q\x00h\x00a", "contains itself"),
        (b"]" * 5000 + b"a" * 4999, "deeper than 64"),
        (b"\x8b\xff\xff\xff\x7f", "integer of"),
        (b"X\xff\xff\xff\xffab", "ends early"),
        (b"\x8d" + b"\xff" * 8 + b"ab", "ends early"),
        (b"X\x01\0\0\0\xff", "UTF-8"),
        (tensor(size=(2, 4)), "reaches over the 6 elements"),
        (tensor(offset=4), "reaches over"),
        (tensor(offset=-1), "impossible offset"),
        (tensor(size=(2, -3)), "impossible size"),
        (tensor(stride=(-3, 1)), "impossible stride"),
        (tensor(size=(1 << 59, 1 << 59), stride=(0, 0)), "reaches over"),
        (tensor(size=(2,) * 17, stride=(0,) * 17), "at most 16"),
        (tensor(size=(2,)), "1 sizes and 2 strides"),
        (tensor(store=storage(count=7)), "24 bytes"),
        (tensor(store=storage(count=1 << 61)), "impossible size"),
        (tensor(store=storage(key="9")), "storage '9' is missing"),
        (tensor(store=storage(key="../0")), "missing"),
        (tensor(store=storage(kind=b"ctorch.storage\nUntypedStorage\n", count=24)), "without a dtype"),
        (tensor() + tensor(store=storage(kind=b"ctorch\nIntStorage\n")) + b"\x86", "two dtypes"),
    ],
)
def test_hostile_programs(tmp_path, body, message):
    refused(write(tmp_path / "f.pt", program(body)), message)


BOMBS = {
    "lists": (b"](" + b"]" * 30_000_000 + b"e", "objects"),
    "marks": (b"(" * 30_000_000, "objects"),
    "memo": (b"]" + b"".join(b"r" + struct.pack("<I", i) for i in range(3_000_000)), "objects"),
    "idle": (b"\x80\x02" * 20_000_000, "instructions"),
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", BOMBS)
def test_bombs_end_quickly_and_small(tmp_path, kind):
    code, message = BOMBS[kind]
    path = write(tmp_path / "f.pt", program(code))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    begin = time.process_time()
    refused(path, message)
    assert time.process_time() - begin < 15
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 600e3  # kilobytes


def test_copies_are_counted_and_shared_objects_are_made_once(tmp_path):
    keys = b"".join(b"J" + struct.pack("<i", i) + b"N" for i in range(100_000))
    copies = b"}(" + keys + b"uq\x000" + b"ccollections\nOrderedDict\nq\x010" + b"h\x01h\x00\x85R" * 1000
    refused(write(tmp_path / "f.pt", program(copies)), "objects")
    # Each level holds the one below it twice: 2^60 paths, 60 objects.
    levels = (b"q" + bytes([i]) + b"0]h" + bytes([i]) + b"ah" + bytes([i]) + b"a" for i in range(60))
    assert len(load_torch(write(tmp_path / "f.pt", program(b"]" + b"".join(levels))))) == 2
    refused(write(tmp_path / "f.pt", b"\x80" * ((1 << 26) + 1)), "larger than")


def test_damaged_archives(tmp_path):
    path = tmp_path / "f.pt"
    good = write(path, program(tensor())).read_bytes()
    directory = good.index(b"PK\1\2")

    def changed(place, data):
        path.write_bytes(good[:place] + data + good[place + len(data) :])
        return path

    refused(write(path, program(tensor()), compression=zipfile.ZIP_DEFLATED), "compressed")
    for cut in (0, 1, 21, 22, 100, directory, len(good) - 1):
        path.write_bytes(good[:cut])
        refused(path, "not a whole zip file")
    end = len(good) - 22
    refused(changed(end + 16, struct.pack("<L", 1 << 31)), "does not fit")
    refused(changed(end + 12, struct.pack("<L", (1 << 32) - 2)), "bytes; at most")
    refused(changed(end + 10, struct.pack("<H", 60000)), "does not fit")
    refused(changed(end + 16, struct.pack("<L", (1 << 32) - 1)), "zip64")
    refused(changed(directory + 42, struct.pack("<L", (1 << 32) - 1)), "zip64")
    refused(changed(directory + 24, struct.pack("<L", 1 << 30)), "compressed")
    refused(changed(directory + 20, struct.pack("<LL", 1 << 30, 1 << 30)), "overlap")
    refused(changed(directory, b"XX"), "damaged")
    refused(changed(0, b"XX"), "damaged")
    refused(changed(30, b"b"), "another name")
    refused(changed(26, struct.pack("<H", 60000)), "damaged")
    flipped = changed(good.index(VALUES) + 2, b"\x01")
    refused(flipped, r"checksum; verify=False")
    assert load_torch(flipped, verify=False).shape == (2, 3)
    with pytest.warns(UserWarning, match="Duplicate"):
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("a/data.pkl", b"")
            archive.writestr("a/data.pkl", b"")
    refused(path, "twice")
    # Two names for one place: a small file must not be read again and again.
    second = good.index(b"PK\1\2", directory + 1)
    offset = struct.pack("<L", 0)
    refused(changed(second + 42, offset), "overlap|another name")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "hello")
    refused(path, "not one of torch.save")
    zipfile.ZipFile(path, "w").close()
    refused(path, "not one of torch.save")
    refused(write(path, program(tensor()), {"data/0": VALUES, "byteorder": b"middle"}), "byte order")


def test_zip64_records_are_read(tmp_path):
    """PyTorch writes them for archives over 4 GiB; here by hand, in a small one."""
    path = tmp_path / "f.pt"
    good = write(path, program(tensor())).read_bytes()
    end = len(good) - 22
    _, _, _, _, count, length, start, _ = struct.unpack("<4s4H2LH", good[end:])
    wide = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, count, count, length, start)
    locator = struct.pack("<4sLQL", b"PK\6\7", 0, end, 1)
    tail = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, (1 << 32) - 1, (1 << 32) - 1, 0)
    path.write_bytes(good[:end] + wide + locator + tail)
    assert load_torch(path).tolist() == [[0, 1, 2], [3, 4, 5]]
    for bad in (1 << 62, len(good)):
        path.write_bytes(good[:end] + wide + struct.pack("<4sLQL", b"PK\6\7", 0, bad, 1) + tail)
        refused(path, "zip64")


def test_paths_and_kinds(tmp_path):
    with pytest.raises(OSError):
        load_torch(tmp_path / "absent.pt")
    with pytest.raises(lamina.FileError):
        lamina.load(tmp_path / "absent.pt")
    with pytest.raises(TypeError):
        lamina.load(3)


GOOD = None


def good_file():
    """One valid file with every kind of instruction, as bytes."""
    global GOOD
    if GOOD is None:
        tree = {"a": [1, 2.5, None, True, (1, 2, 3, 4)], 7: {"b": "text" * 9}, "n": 2**40, "x": -5, "y": 300}
        code = pickle.dumps(tree, 2)[:-1]
        code += text("w") + b"q\x60" + tensor() + b"q\x61s" + text("v") + b"h\x61s."
        stream = io.BytesIO()
        write(stream, code)
        GOOD = stream.getvalue()
    return GOOD


def test_the_valid_file_of_the_fuzz_is_valid(tmp_path):
    (tmp_path / "f.pt").write_bytes(good_file())
    tree = load_torch(tmp_path / "f.pt")
    assert tree["w"] is tree["v"] and tree["a"][4] == (1, 2, 3, 4)
    pickletools.dis(zipfile.ZipFile(tmp_path / "f.pt").read("a/data.pkl"), io.StringIO())


@settings(max_examples=1500, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), min_size=1, max_size=6),
    st.integers(0, 3),
    st.booleans(),
)
def test_mutations_of_a_valid_file_end_in_a_tree_or_a_file_error(tmp_path_factory, changes, cut, verify):
    data = bytearray(good_file())
    for place, value in changes:
        data[place % len(data)] = value
    if cut == 3:
        data = data[: changes[0][0] % len(data)]
    path = tmp_path_factory.getbasetemp() / "fuzz.pt"
    path.write_bytes(data)
    try:
        load_torch(path, verify=verify)
    except lamina.FileError:
        pass


OPS = st.sampled_from(
    [b"]", b"}", b")", b"(", b"N", b"\x88", b"K\x05", text("k"), b"q\x01", b"h\x01", b"a", b"e", b"s", b"u", b"t", b"0"]
    + [b"\x85", b"\x86", b"\x87", b"Q", b"R", b"b", b"\x94", tensor(), storage(), b"ccollections\nOrderedDict\n"]
)


@settings(max_examples=1500, deadline=None)
@given(st.lists(OPS, max_size=40))
def test_random_programs_end_in_a_tree_or_a_file_error(tmp_path_factory, ops):
    path = write(tmp_path_factory.getbasetemp() / "fuzz.pt", program(b"".join(ops)))
    try:
        load_torch(path)
    except lamina.FileError:
        pass
