"""Files of PyTorch before 1.6: a stream of pickles with the storages behind it, and before 0.1.10 a TAR archive."""

from __future__ import annotations

import os
import struct
from collections.abc import Callable
from typing import Any, BinaryIO

from . import _C
from ._placeholder import Placeholder
from ._torch_tree import DTYPES, MAX_DIMS, STORAGES, Global, Machine, StorageRef, TensorRef

MAX_HEAD = 1 << 26  # bytes of pickles before the storages
MAX_COUNT = 1 << 20  # storages, tensors and members
_BLOCK = 512


class FileStore:
    """Storages that lie at known places of an open file."""

    order = "<"  # the writers turned the bytes of other machines

    def __init__(self, file: BinaryIO, error: Callable[[str], Exception]) -> None:
        self._file, self.error = file, error
        self.places: dict[str, tuple[int, int]] = {}  # key -> (offset, bytes)

    def size(self, key: str) -> int | None:
        return self.places[key][1] if key in self.places else None

    def read_into(self, key: str, buffer: Any) -> None:
        offset, size = self.places[key]
        self._file.seek(offset)
        view = memoryview(buffer).cast("B") if size else memoryview(b"")
        if size and self._file.readinto(view) != size:  # type: ignore[attr-defined]
            raise self.error("the file ends early")


def _error_of(name: str) -> Callable[[str], Exception]:
    return lambda message: _C.FileError(f"load: {name}: {message}")


def is_stream(head: bytes) -> bool:
    """Whether a file begins with the magic number, pickled by any protocol."""
    return head[:1] == b"\x80" and b"\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19" in head[:32]


# -- the stream of 0.1.10 to 1.5 --------------------------------------------------------------------------------------
def open_stream(file: BinaryIO, name: str, placeholders: bool) -> tuple[Any, FileStore]:
    """(the tree, where its storages lie): magic number, version, system, tree, keys, and then the storages by key."""
    error = _error_of(name)
    store, end = FileStore(file, error), file.seek(0, os.SEEK_END)
    file.seek(0)
    machine = Machine(file.read(MAX_HEAD), error, name="the pickle", placeholders=placeholders)
    machine.run()
    if machine.run() != 1001:
        raise error("a version of PyTorch's older format that is not known")
    machine.run()
    tree, kinds = machine.run(), machine.storages
    keys = machine.run()
    if type(keys) is not list or len(keys) > MAX_COUNT:
        raise error("the list of storages is damaged")
    place = machine.place
    for key in keys:
        if type(key) is not str or key in store.places or key not in kinds:
            raise error("the list of storages is damaged")
        size = _count_at(file, place, end, error) * _width(kinds[key])
        place += 8
        if size > end - place:
            raise error(f"storage {key[:40]!r} has {size} bytes, the file ends before")
        store.places[key] = place, size
        place += size
    return tree, store


def _width(kind: str) -> int:
    """Bytes of an element of a storage class, of those that lamina lacks, too."""
    short = kind.rpartition(".")[2]
    if short in STORAGES:
        return int(DTYPES[STORAGES[short]][0][1:])
    return {"ComplexFloatStorage": 8, "ComplexDoubleStorage": 16, "QInt32Storage": 4}.get(short, 1)


def _count_at(file: BinaryIO, place: int, end: int, error: Callable[[str], Exception]) -> int:
    if place + 8 > end:
        raise error("the file ends early")
    file.seek(place)
    count: int = struct.unpack("<q", file.read(8))[0]
    if not 0 <= count < 1 << 56:
        raise error("a storage has an impossible size")
    return count


# -- the TAR archives before that -------------------------------------------------------------------------------------
def is_tar(head: bytes) -> bool:
    return head[257:262] == b"ustar"


def open_tar(file: BinaryIO, name: str, placeholders: bool) -> tuple[Any, FileStore]:
    """(the tree, where its storages lie) of an archive with the members storages, tensors and pickle."""
    error = _error_of(name)
    members = _members(file, error)
    if not {"storages", "tensors", "pickle"} <= set(members):
        raise error("a TAR archive, but not one of torch.save (storages, tensors and pickle are its members)")
    store = FileStore(file, error)
    kinds, known = _tar_storages(file, members["storages"], store, placeholders)
    _tar_tensors(file, members["tensors"], kinds, known, error, placeholders)
    code = _read(file, *members["pickle"], error)
    return Machine(code, error, name="the pickle", placeholders=placeholders, known=known).run(), store


def _members(file: BinaryIO, error: Callable[[str], Exception]) -> dict[str, tuple[int, int]]:
    """Name -> (offset, bytes) of the plain files, which lie one behind the other."""
    end, place = file.seek(0, os.SEEK_END), 0
    found: dict[str, tuple[int, int]] = {}
    for _ in range(64):
        if place + _BLOCK > end:
            break
        file.seek(place)
        block = file.read(_BLOCK)
        if not block.strip(b"\0"):
            break
        text = block[124:136].strip(b"\0 ")
        if not text or len(text) > 11 or text.strip(b"01234567"):
            raise error("a member of the TAR archive has no size")
        size, short = int(text, 8), block[:100].rstrip(b"\0").decode("utf-8", "replace").removeprefix("./")
        if size > end - place - _BLOCK:
            raise error(f"member {short[:40]!r} of the TAR archive does not fit into the file")
        if block[156:157] in (b"0", b"\0"):
            if short in found:
                raise error(f"member {short[:40]!r} occurs twice")
            found[short] = place + _BLOCK, size
        place += _BLOCK + (size + _BLOCK - 1) // _BLOCK * _BLOCK
    return found


def _read(file: BinaryIO, offset: int, size: int, error: Callable[[str], Exception]) -> bytes:
    if size > MAX_HEAD:
        raise error(f"a pickle of more than {MAX_HEAD:,} bytes")
    file.seek(offset)
    return file.read(size)


def _tar_storages(
    file: BinaryIO, member: tuple[int, int], store: FileStore, placeholders: bool
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Places of the storages; (key -> its reference, what persistent ids mean)."""
    error, (place, size) = store.error, member
    end = place + size
    refs: dict[str, Any] = {}

    def pickle() -> Any:
        nonlocal place
        file.seek(place)
        machine = Machine(file.read(min(end - place, 4096)), error, name="storages", placeholders=placeholders)
        value = machine.run()
        place += machine.place
        return value

    def counted(value: Any) -> int:
        if type(value) is not int or not 0 <= value <= MAX_COUNT:
            raise error("the list of storages is damaged")
        return value

    for _ in range(counted(pickle())):
        found = pickle()
        if type(found) is not tuple or len(found) != 3 or type(found[0]) is not int or type(found[2]) is not Global:
            raise error("the list of storages is damaged")
        key, kind = str(found[0]), found[2].name
        count = _count_at(file, place, end, error)
        width = _width(kind)
        if count * width > end - place - 8:
            raise error(f"storage {key!r} does not fit into the file")
        store.places[key] = place + 8, count * width
        place += 8 + count * width
        refs[key] = Machine(b"", error, placeholders=placeholders).storage(kind, key, count)
    file.seek(place)
    machine = Machine(file.read(min(end - place, MAX_HEAD)), error, name="storages", placeholders=placeholders)
    for view in machine.run() or ():
        if type(view) is not tuple or len(view) != 4 or any(type(n) is not int or n < 0 for n in view):
            raise error("a part of a storage is damaged")
        target, root, offset, count = view
        whole = refs.get(str(root))
        if type(whole) is not StorageRef or offset + count > whole.elements:
            raise error("a part of a storage is damaged")
        refs[str(target)] = StorageRef(str(target), whole.dtype, count, (str(root), offset))
    return refs, dict(refs)


def _tar_tensors(
    file: BinaryIO,
    member: tuple[int, int],
    storages: dict[str, Any],
    known: dict[str, Any],
    error: Callable[[str], Exception],
    placeholders: bool,
) -> None:
    """Adds the tensors: each a pickle (key, storage, class) and its dims, sizes, strides and offset."""
    data = _read(file, *member, error)
    machine = Machine(data, error, name="tensors", placeholders=True)  # the classes of tensors are not needed
    count = machine.run()
    if type(count) is not int or not 0 <= count <= MAX_COUNT:
        raise error("the list of tensors is damaged")
    for _ in range(count):
        found = machine.run()
        if type(found) is not tuple or len(found) != 3 or type(found[0]) is not int:
            raise error("the list of tensors is damaged")
        storage = storages.get(str(found[1]))
        (dims,) = struct.unpack("<i", machine.take(4))
        machine.take(4)  # once a half of the number of dims
        if not 0 <= dims <= MAX_DIMS:
            raise error(f"a tensor of {dims} dims (at most {MAX_DIMS})")
        numbers = struct.unpack(f"<{2 * dims + 1}q", machine.take(8 * (2 * dims + 1)))
        size, stride, offset = numbers[:dims], numbers[dims:-1], numbers[-1]
        if any(not 0 <= n < 1 << 60 for n in numbers):
            raise error("a tensor with an impossible size, stride or offset")
        if type(storage) is StorageRef:
            known[str(found[0])] = TensorRef(storage, storage.dtype, offset, size, stride, False)
        elif placeholders and type(storage) is Placeholder:
            known[str(found[0])] = Placeholder(storage.name, (size, stride, offset))
        else:
            raise error("a tensor of a storage that is not there")
