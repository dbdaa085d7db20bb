"""Reads what `torch.save` wrote, without running anything that the file says.

A checkpoint of PyTorch is a zip archive: one pickle with the tree, one entry per storage with the numbers. Pickle is a
small program for a stack machine; the one in _torch_tree runs no function, and what it leaves is made into tensors here.
"""

from __future__ import annotations

import io
import math
import os
from typing import Any

from . import _C
from ._C import Tensor
from ._torch_tree import DTYPES, Dtype, Machine, ParameterRef, StorageRef, TensorRef
from ._zip import Archive
from .serialization import Source

Path = str | os.PathLike[str]
MAX_PICKLE, MAX_DEPTH = 1 << 26, 64
LEGACY = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19"  # how files of PyTorch before 1.6 begin


def load_torch(f: Any, *, verify: bool = True, unknown: str = "error", device: Any = None) -> Any:
    """The object in a file of `torch.save` (PyTorch 1.6 or later): state_dicts, optimizers' state_dicts, checkpoints.

    Trees of dicts, lists, tuples, numbers, strings, bools and None with tensors come back, all tensors on the CPU and
    those of one storage sharing memory; ordered dicts as dicts, parameters as `nn.Parameter`. Nothing in the file is
    executed: any other object (a whole pickled model, say) raises FileError with its name. `verify=False` reads past
    wrong checksums. `lamina.load` calls this for such files.

    >>> import lamina, tempfile, os
    >>> path = os.path.join(tempfile.mkdtemp(), "notes.pt")
    >>> with open(path, "wb") as file:
    ...     _ = file.write(b"no zip file")
    >>> lamina.torch_file.load_torch(path)
    Traceback (most recent call last):
    lamina.FileError: load: ...notes.pt: not a whole zip file (no directory at its end)...
    """
    name = f.name if isinstance(f, Source) else os.fspath(f)
    with open(name, "rb") if not isinstance(f, Source) or f.data is None else io.BytesIO(f.data) as file:
        if file.read(len(LEGACY)) == LEGACY:
            raise _C.FileError(
                f"load: {name}: the format of PyTorch before 1.6, which only running its pickle could read. Save it anew "
                "where PyTorch is: torch.save(torch.load(file), file), or with safetensors.torch.save_file"
            )
        archive = Archive(file, name)
        pickles = [n for n in archive.entries if n.count("/") == 1 and n.endswith("/data.pkl")]
        if len(pickles) != 1:
            raise archive.error("a zip file, but not one of torch.save (there is no data.pkl in it)")
        base = pickles[0][: -len("data.pkl")]
        if base + "constants.pkl" in archive.entries:
            raise archive.error("a TorchScript archive; save the model's state_dict() with torch.save instead")
        if archive.entries[pickles[0]].size > MAX_PICKLE:
            raise archive.error(f"data.pkl is larger than {MAX_PICKLE:,} bytes")
        tree = Machine(archive.read(pickles[0], verify), archive.error).run()
        return _Builder(archive, base, verify).build(tree, 0)


class _Builder:
    """Makes tensors of the references in a tree: one read per storage, views of it that share its memory."""

    def __init__(self, archive: Archive, base: str, verify: bool) -> None:
        self._archive, self._base, self._verify = archive, base, verify
        self._storages: dict[str, tuple[str, Tensor]] = {}
        self._done: dict[int, tuple[Any, Any]] = {}  # id -> (what it was, what it became)
        order = self._small("byteorder", b"little").strip()
        if order not in (b"little", b"big"):
            raise archive.error(f"unknown byte order {order[:20]!r}")
        self._order = "<" if order == b"little" else ">"

    def _small(self, name: str, default: bytes) -> bytes:
        entry = self._archive.entries.get(self._base + name)
        if entry is None:
            return default
        return self._archive.read(self._base + name, self._verify) if entry.size <= 64 else b"?"

    def build(self, value: Any, depth: int) -> Any:
        """The tree with tensors for references; objects that occur twice stay one object."""
        if depth > MAX_DEPTH:
            raise self._archive.error(
                f"data.pkl: the tree is nested deeper than {MAX_DEPTH} levels, or contains itself"
            )
        kind = type(value)
        if kind in (str, int, float, bool, type(None)):
            return value
        if id(value) in self._done:
            return self._done[id(value)][1]
        made: Any
        if kind is dict:
            made = {k: self.build(v, depth + 1) for k, v in value.items()}
        elif kind in (list, tuple):
            items = [self.build(v, depth + 1) for v in value]
            made = items if kind is list else tuple(items)
        elif kind is TensorRef:
            made = self._tensor(value)
        elif kind is ParameterRef:
            from .nn import Parameter

            data = self._tensor(value.data).detach()
            made = Parameter(data, requires_grad=value.requires_grad and data.is_floating_point())
        elif kind is Dtype:
            made = getattr(_C, value.name)
        else:
            raise self._archive.error("data.pkl: a bare function or storage stands in the tree")
        self._done[id(value)] = (value, made)
        return made

    def _tensor(self, ref: TensorRef) -> Tensor:
        flat = self._storage(ref.storage, ref.dtype)
        last = ref.offset + sum((n - 1) * s for n, s in zip(ref.size, ref.stride, strict=True))
        if math.prod(ref.size) == 0:
            return _C.empty(ref.size, dtype=getattr(_C, ref.dtype))
        if last >= flat.numel() or math.prod(ref.size) >= 1 << 60:
            raise self._archive.error(
                f"a tensor of shape {ref.size}, strides {ref.stride} and offset {ref.offset} reaches over the "
                f"{flat.numel()} elements of storage {ref.storage.key[:40]!r}"
            )
        out = flat.as_strided(ref.size, ref.stride, ref.offset)
        return out.requires_grad_() if ref.requires_grad and out.is_floating_point() else out

    def _storage(self, ref: StorageRef, dtype: str) -> Tensor:
        if ref.key in self._storages:
            known, flat = self._storages[ref.key]
            if known != dtype:
                raise self._archive.error(f"storage {ref.key[:40]!r} is used with two dtypes")
            return flat
        import numpy as np

        name = f"{self._base}data/{ref.key}"
        entry = self._archive.entries.get(name)
        if entry is None:
            raise self._archive.error(f"storage {ref.key[:40]!r} is missing")
        kind = np.dtype(self._order + DTYPES[dtype][0])
        count, rest = divmod(entry.size, kind.itemsize)
        if rest or ref.elements != (count if ref.dtype else entry.size):
            raise self._archive.error(
                f"storage {ref.key[:40]!r} has {entry.size} bytes, its reference says {ref.elements} x {dtype}"
            )
        values = np.empty(count, kind)
        self._archive.read_into(name, values, self._verify)
        values = values.astype(kind.newbyteorder("="), copy=False)
        if dtype == "bool":
            values = values != 0
        if dtype == "bfloat16":  # the upper halves of float32
            flat = _C.from_numpy((values.astype("i4") << 16).view("f4")).to(_C.bfloat16)
        else:
            flat = _C.from_numpy(values)
        self._storages[ref.key] = dtype, flat
        return flat
