"""save and load: one safetensors file, written atomically, no pickle.

The rule: a dict of tensors by name becomes a plain safetensors file that other programs read. Any other value (a module,
a checkpoint, an optimizer's state_dict) is saved too: its tensors in the file's body, its shape as JSON in the file's
metadata. `load` gives back the same object. Nothing in a file is ever executed. docs/model_file.md is the format.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from typing import IO, Any

from . import _C
from ._C import Tensor
from ._placeholder import check_unknown

Path = str | os.PathLike[str]
File = Path | IO[bytes]
VERSION = 2  # of trees; 1 has neither modules nor further kinds and is written without the number
_TREE, _MODULES, _VERSION = "lamina.tree", "lamina.modules", "lamina.format"


def save(
    obj: Any,
    f: File,
    pickle_module: Any = None,
    pickle_protocol: int = 2,
    _use_new_zipfile_serialization: bool = True,
    *,
    metadata: dict[str, str] | None = None,
) -> None:
    """Writes a module, a state_dict or a checkpoint to a path or an open binary file.

    A file at a path stays whole until the new one is complete. Values may be tensors, numbers, texts, bytes, None, NumPy
    arrays and numbers, dtypes, devices, modules, and lists, tuples, dicts, sets, named tuples and dataclasses of them.
    A module is saved whole: `load` gives it back where its class is known. `metadata` adds texts for other programs;
    PyTorch's other arguments change nothing. Raises TypeError for anything else, by name.

    >>> import lamina, tempfile, os
    >>> path = os.path.join(tempfile.mkdtemp(), "checkpoint.safetensors")
    >>> lamina.save({"model": {"w": lamina.ones(2)}, "epoch": 3}, path)
    >>> lamina.load(path)["epoch"]
    3
    """
    tensors, texts = packed(obj)
    save_file(tensors, f, {**texts, **(metadata or {})})


def packed(obj: Any) -> tuple[dict[str, Tensor], dict[str, str]]:
    """(tensors by name, metadata) of the file that `save` writes of a value."""
    if isinstance(obj, dict) and all(type(k) is str and isinstance(v, Tensor) for k, v in obj.items()):
        return obj, {}
    from ._tree import Packer, Unknown

    packer = Packer()
    table: list[Any] = []
    if "lamina.nn.module" in sys.modules:  # else there is no module in it
        from ._model_file import ModulePacker

        table = ModulePacker(packer).table
    try:
        tree = packer.pack(obj)
    except Unknown as error:
        raise TypeError(
            f"save: '{error.path}' is a {error}; a file holds tensors, numbers, strings, bools, None, bytes, arrays, "
            f"dtypes, modules, and dicts, lists, tuples, sets, named tuples and dataclasses of them{error.hint}"
        ) from None
    texts = {_TREE: _json(tree)}
    if not packer.plain:
        texts[_VERSION] = str(VERSION)
    if table:
        texts[_MODULES] = _json(table)
    return packer.tensors, texts


def _json(tree: Any) -> str:
    return json.dumps(tree, separators=(",", ":"))


def load(
    f: File,
    map_location: Any = None,
    pickle_module: Any = None,
    *,
    weights_only: bool = True,
    mmap: bool | None = None,
    verify: bool = True,
    unknown: str = "error",
) -> Any:
    """What `save` wrote; any other safetensors file as a dict of tensors by name; what `torch.save` wrote (torch_file).

    `f` is a path or an open binary file, which is read to its end. Modules are made of the classes that this program has
    defined or imported, found by their exact names, without running their code; FileError names a class that is not
    there. `unknown="placeholder"` puts an inert lamina.Placeholder in place of it, or of any object of a PyTorch file
    that is not made, so that what stands beside it can be read.

    Tensors come to the CPU, or to `map_location`, a device; a function or a dict of devices, which say where tensors of
    other devices go, leave them there. `verify=False` reads a file whose checksums do not match; the structure of the
    file is checked always. `weights_only`, `mmap` and `pickle_module` change nothing: no file is ever executed.
    """
    if isinstance(map_location, bool):
        raise TypeError(f"load: map_location must be a device, got {map_location}; verify= is given by keyword")
    placeholders = check_unknown(unknown)
    kept = map_location is None or isinstance(map_location, dict) or callable(map_location)
    device = None if kept else map_location if isinstance(map_location, _C.device) else _C.device(map_location)
    place = None if device is None or device.type == "cpu" else device
    source = Source(f)
    if source.is_torch():
        from .torch_file import load_torch

        return load_torch(f if source.data is None else source, verify=verify, unknown=unknown, device=place)
    tensors, metadata = source.read(verify)
    if place is not None:
        tensors = {name: value.to(place) for name, value in tensors.items()}
    return _made(tensors, metadata, placeholders, source.name)


def _made(tensors: dict[str, Tensor], metadata: dict[str, str], placeholders: bool, name: str) -> Any:
    """The value that the metadata of a file describes; its tensors where there is none."""
    if _TREE not in metadata:
        return tensors
    version = metadata.get(_VERSION, "1")
    if version not in ("1", str(VERSION)):
        raise _C.FileError(
            f"load: {name}: format {version[:20]} is of a later lamina, this one knows {VERSION}; "
            "lamina.serialization.load_file reads its tensors"
        )
    from ._tree import Unknown, Unpacker

    unpacker = Unpacker(tensors, placeholders)
    try:
        if _MODULES in metadata:
            from ._model_file import ModuleReader

            ModuleReader(unpacker, json.loads(metadata[_MODULES]))
        return unpacker.unpack(json.loads(metadata[_TREE]))
    except Unknown as error:
        raise _C.FileError(
            f"load: {name}: {error} is not made: only classes that this program has defined or imported, and plain values; "
            "hint: import what defines it first, or unknown='placeholder'; lamina.serialization.load_file reads the tensors"
        ) from None
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError, OverflowError, RuntimeError):
        raise _C.FileError(f"load: {name}: the tree of the checkpoint is damaged") from None


def load_state(f: File, *, verify: bool = True) -> Any:
    """As `load`, with the state_dict of a whole model in place of it: for what wants weights, whatever class they had."""
    source = Source(f)
    if not source.is_torch():
        tensors, metadata = source.read(verify)
        if _MODULES not in metadata:
            return _made(tensors, metadata, False, source.name)
        if metadata.get(_TREE) == '{"module":0}':
            return weights_of(tensors, metadata)
    source_file: Any = source
    loaded = load(source_file, verify=verify)
    return loaded.state_dict() if hasattr(loaded, "named_parameters") else loaded


def weights_of(tensors: dict[str, Tensor], metadata: dict[str, str]) -> dict[str, Tensor]:
    """Of all tensors of a file those that are no further values of a model: its state_dict."""
    extra = "lamina:" if _MODULES in metadata else "\0"
    return {name: value for name, value in tensors.items() if not name.startswith(extra)}


class Source:
    """A path, or the rest of an open binary file."""

    def __init__(self, f: Any) -> None:
        self.data: bytes | None = None
        self.name: str
        if isinstance(f, Source):
            self.data, self.name = f.data, f.name
        elif hasattr(f, "read") and not isinstance(f, os.PathLike):
            found = f.read()
            if not isinstance(found, (bytes, bytearray)):
                raise TypeError(
                    f"load: expected a file opened in binary mode, its read() gave a {type(found).__name__}"
                )
            given = getattr(f, "name", None)
            self.data, self.name = bytes(found), given if isinstance(given, str) else type(f).__name__
        else:
            self.name = os.fsdecode(os.fspath(f))

    def is_torch(self) -> bool:
        """A zip archive, a pickle or a tar archive; the header of a safetensors file is a brace at its ninth byte."""
        if self.data is not None:
            head = self.data[:512]
        else:
            try:
                with open(self.name, "rb") as file:
                    head = file.read(512)
            except OSError:  # load_tensors says so in its own words
                return False
        if head[8:].lstrip(b" \t\r\n")[:1] == b"{" and head[257:262] != b"ustar":
            return False
        from ._torch_legacy import is_stream, is_tar

        return head[:4] == b"PK\3\4" or is_stream(head) or is_tar(head)

    def read(self, verify: bool) -> tuple[dict[str, Tensor], dict[str, str]]:
        if self.data is None:
            tensors, metadata = _C.load_tensors(self.name, verify)
        else:
            tensors, metadata = _C.parse_tensors(self.data, self.name, verify)
        return tensors, metadata


def save_file(tensors: dict[str, Tensor], filename: File, metadata: dict[str, str] | None = None) -> None:
    """Writes a safetensors file of tensors by name, with optional text metadata, to a path or an open binary file."""
    if hasattr(filename, "write") and not isinstance(filename, os.PathLike):
        _C.write_tensors(tensors, _writer(filename), metadata or {})
    else:
        _C.save_tensors(tensors, os.fspath(filename), metadata or {})


def _writer(file: Any) -> Callable[[bytes], None]:
    """All of a piece: an unbuffered file may take a part of it."""

    def write(data: bytes) -> None:
        rest = memoryview(data)
        while len(rest):
            done = file.write(rest)
            rest = rest[len(rest) if done is None else done :]

    return write


def load_file(filename: File, *, verify: bool = True) -> dict[str, Tensor]:
    """The tensors of a safetensors file by name, of a model those of its state_dict; `verify` as in load."""
    return weights_of(*load_with_metadata(filename, verify=verify))


def load_with_metadata(filename: File, *, verify: bool = True) -> tuple[dict[str, Tensor], dict[str, str]]:
    """The tensors and the text metadata of a safetensors file, as they are there; `verify` as in load."""
    return Source(filename).read(verify)


def __getattr__(name: str) -> object:
    from ._missing import later

    return later(__name__, name)
