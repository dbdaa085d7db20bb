"""save and load: one safetensors file, written atomically, no pickle.

The rule: a Module is saved as its state_dict. A dict of tensors by name becomes a plain safetensors file that other
programs read. Any other tree of dicts, lists, tuples, tensors, numbers, strings, bools and None (a checkpoint, an
optimizer's state_dict) is saved too: its tensors in the file's body, its shape as JSON in the file's metadata. `load`
gives back the same object. Nothing in a file is ever executed.
"""

from __future__ import annotations

import json
import os
from typing import Any

from . import _C
from ._C import Tensor

Path = str | os.PathLike[str]
_TREE = "lamina.tree"
_MAX_DEPTH = 64


def save(obj: Any, f: Path) -> None:
    """Writes a Module, a state_dict or a checkpoint; the old file stays whole until the new one is complete.

    >>> import lamina, tempfile, os
    >>> path = os.path.join(tempfile.mkdtemp(), "checkpoint.safetensors")
    >>> lamina.save({"model": {"w": lamina.ones(2)}, "epoch": 3}, path)
    >>> lamina.load(path)["epoch"]
    3
    """
    if hasattr(obj, "named_parameters") and hasattr(obj, "state_dict"):
        obj = obj.state_dict()
    if isinstance(obj, dict) and all(type(k) is str and isinstance(v, Tensor) for k, v in obj.items()):
        save_file(obj, f)
        return
    tensors: dict[str, Tensor] = {}
    tree = _pack(obj, "", tensors, 0)
    save_file(tensors, f, {_TREE: json.dumps(tree, separators=(",", ":"))})


def load(
    f: Path, map_location: Any = None, *, weights_only: bool = True, mmap: bool | None = None, verify: bool = True
) -> Any:
    """What `save` wrote; any other safetensors file as a dict of tensors by name; what `torch.save` wrote (torch_file).

    Tensors come to the CPU, or to `map_location`, a device; a function or a dict of devices, which say where tensors of
    other devices go, leave them there. `verify=False` reads a file whose checksums do not match; the structure of the
    file is checked always. `weights_only` and `mmap` change nothing: no file is ever executed.
    """
    if isinstance(map_location, bool):
        raise TypeError(f"load: map_location must be a device, got {map_location}; verify= is given by keyword")
    loaded = _load(f, verify)
    if map_location is None or isinstance(map_location, dict) or callable(map_location):
        return loaded
    device = map_location if isinstance(map_location, _C.device) else _C.device(map_location)
    return loaded if device.type == "cpu" else _moved(loaded, device)


def _moved(value: Any, device: Any) -> Any:
    """The tree with its tensors on a device."""
    if isinstance(value, Tensor):
        return value.to(device)
    if isinstance(value, dict):
        return type(value)((key, _moved(item, device)) for key, item in value.items())
    if type(value) in (list, tuple):
        return type(value)(_moved(item, device) for item in value)
    return value


def _load(f: Path, verify: bool) -> Any:
    if _is_torch_file(f):
        from .torch_file import load_torch

        return load_torch(f, verify=verify)
    tensors, metadata = load_with_metadata(f, verify=verify)
    if _TREE not in metadata:
        return tensors
    try:
        return _unpack(json.loads(metadata[_TREE]), tensors, 0)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise _C.FileError(f"load: {os.fspath(f)}: the tree of the checkpoint is damaged") from None


def _is_torch_file(f: Path) -> bool:
    """A zip archive or a pickle; the header of a safetensors file begins with a brace at its ninth byte."""
    try:
        with open(os.fspath(f), "rb") as file:
            head = file.read(9)
    except OSError:  # load_tensors says so in its own words
        return False
    return (head[:4] == b"PK\3\4" and head[8:] != b"{") or head[:3] == b"\x80\2\x8a"


def save_file(tensors: dict[str, Tensor], filename: Path, metadata: dict[str, str] | None = None) -> None:
    """Writes a safetensors file of tensors by name, with optional text metadata."""
    _C.save_tensors(tensors, os.fspath(filename), metadata or {})


def load_file(filename: Path, *, verify: bool = True) -> dict[str, Tensor]:
    """The tensors of a safetensors file by name; `verify` as in load."""
    return load_with_metadata(filename, verify=verify)[0]


def load_with_metadata(filename: Path, *, verify: bool = True) -> tuple[dict[str, Tensor], dict[str, str]]:
    """The tensors and the text metadata of a safetensors file; `verify` as in load."""
    tensors, metadata = _C.load_tensors(os.fspath(filename), verify)
    return tensors, metadata


def _pack(value: Any, path: str, tensors: dict[str, Tensor], depth: int) -> Any:
    """JSON of a tree: scalars stand for themselves, {"t": name} is a tensor, "d", "l", "u" a dict, list, tuple."""
    if depth > _MAX_DEPTH:
        raise ValueError(f"save: the object at '{path[:80]}' is nested deeper than {_MAX_DEPTH} levels")
    if isinstance(value, Tensor):
        name = path or "value"
        while name in tensors:  # {"a.b": ..., "a": {"b": ...}}
            name += "'"
        tensors[name] = value.detach()
        return {"t": name}
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, (int, float)):  # numpy.float64 too
        return float(value) if isinstance(value, float) else int(value)
    base = path + "." if path else ""
    if isinstance(value, dict):
        rows = []
        for key, item in value.items():
            if type(key) not in (str, int, float, bool, type(None)):
                raise TypeError(f"save: keys must be strings or numbers, got {type(key).__name__} in '{path}'")
            rows.append([key, _pack(item, f"{base}{key}", tensors, depth + 1)])
        return {"d": rows}
    if type(value) in (list, tuple):
        packed = [_pack(item, f"{base}{i}", tensors, depth + 1) for i, item in enumerate(value)]
        return {"l" if type(value) is list else "u": packed}
    hint = "; pass its state_dict()" if hasattr(value, "state_dict") else ""
    raise TypeError(
        f"save: '{path or 'obj'}' is a {type(value).__name__}; a file holds tensors, numbers, strings, bools, None, "
        f"and dicts, lists and tuples of them{hint}"
    )


def _unpack(node: Any, tensors: dict[str, Tensor], depth: int) -> Any:
    if depth > _MAX_DEPTH + 1:
        raise ValueError("too deep")
    if not isinstance(node, dict):
        return node
    ((kind, content),) = node.items()
    if kind == "t":
        return tensors[content]
    if kind == "d":
        return {key: _unpack(item, tensors, depth + 1) for key, item in content}
    items = [_unpack(item, tensors, depth + 1) for item in content]
    if kind not in ("l", "u"):
        raise ValueError(kind)
    return items if kind == "l" else tuple(items)
