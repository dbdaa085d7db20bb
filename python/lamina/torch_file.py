"""Reads what `torch.save` wrote, without running anything that the file says.

A checkpoint of PyTorch is a zip archive: one pickle with the tree, one entry per storage with the numbers; before 1.6 it
was a stream of pickles or a TAR archive (_torch_legacy). Pickle is a small program for a stack machine; the one in
_torch_tree runs no function, and what it leaves is made into tensors here.
"""

from __future__ import annotations

import io
import math
import os
from typing import Any, Protocol

from . import _C
from ._C import Tensor
from ._placeholder import Placeholder, check_unknown
from ._torch_legacy import is_stream, is_tar, open_stream, open_tar
from ._torch_tree import (
    DTYPES,
    ArrayTensor,
    DeviceRef,
    Dtype,
    Global,
    Machine,
    NumpyArray,
    NumpyDtype,
    ParameterRef,
    StorageRef,
    TensorRef,
)
from ._zip import Archive
from .serialization import Source

MAX_PICKLE, MAX_DEPTH = 1 << 26, 64


class Store(Protocol):
    """Where the numbers of a file lie."""

    order: str  # "<" or ">"

    def error(self, message: str) -> Exception: ...
    def size(self, key: str) -> int | None:
        """Bytes of a storage; None where there is none of that name."""

    def read_into(self, key: str, buffer: Any) -> None: ...


def load_torch(f: Any, *, verify: bool = True, unknown: str = "error", device: Any = None) -> Any:
    """The object in a file of `torch.save`, of any version: state_dicts, optimizers' state_dicts, checkpoints.

    Trees of dicts, lists, tuples, sets, numbers, strings, bytes, bools and None with tensors come back, all tensors on
    the CPU and those of one storage sharing memory; ordered dicts as dicts, parameters as `nn.Parameter`, NumPy's arrays
    and numbers as they were. Of a TorchScript archive come the weights by name. Nothing in the file is executed: any
    other object (a whole pickled model, say) raises FileError with its name, or with `unknown="placeholder"` becomes a
    lamina.Placeholder that records what it was made of. `verify=False` reads past wrong checksums. `lamina.load`
    calls this for such files.

    >>> import lamina, tempfile, os
    >>> path = os.path.join(tempfile.mkdtemp(), "notes.pt")
    >>> with open(path, "wb") as file:
    ...     _ = file.write(b"no zip file")
    >>> lamina.torch_file.load_torch(path)
    Traceback (most recent call last):
    lamina.FileError: load: ...notes.pt: not a whole zip file (no directory at its end)...
    """
    placeholders = check_unknown(unknown)
    source = f if isinstance(f, Source) else None
    name = os.fspath(f) if source is None else source.name
    with open(name, "rb") if source is None or source.data is None else io.BytesIO(source.data) as file:
        head = file.read(512)
        if is_stream(head):
            tree, store = open_stream(file, name, placeholders)
        elif is_tar(head):
            tree, store = open_tar(file, name, placeholders)
        else:
            return _from_zip(Archive(file, name), verify, placeholders, device)
        return _Builder(store, placeholders, device).build(tree, 0)


def _from_zip(archive: Archive, verify: bool, placeholders: bool, device: Any) -> Any:
    pickles = [n for n in archive.entries if n.count("/") == 1 and n.endswith("/data.pkl")]
    if len(pickles) != 1:
        raise archive.error("a zip file, but not one of torch.save (there is no data.pkl in it)")
    base = pickles[0][: -len("data.pkl")]
    script = base + "constants.pkl" in archive.entries
    if archive.entries[pickles[0]].size > MAX_PICKLE:
        raise archive.error(f"data.pkl is larger than {MAX_PICKLE:,} bytes")
    code = archive.read(pickles[0], verify)
    tree = Machine(code, archive.error, placeholders=placeholders, script=script).run()
    builder = _Builder(_ZipStore(archive, base, verify), placeholders, device)
    return builder.weights(tree) if script and type(tree) is Placeholder else builder.build(tree, 0)


class _ZipStore:
    """The storages in a zip archive."""

    def __init__(self, archive: Archive, base: str, verify: bool) -> None:
        self._archive, self._base, self._verify, self.error = archive, base, verify, archive.error
        entry = archive.entries.get(base + "byteorder")
        small = entry is None or entry.size <= 64
        order = (archive.read(base + "byteorder", verify) if small else b"?") if entry is not None else b"little"
        if order.strip() not in (b"little", b"big"):
            raise archive.error(f"unknown byte order {order[:20]!r}")
        self.order = "<" if order.strip() == b"little" else ">"

    def size(self, key: str) -> int | None:
        entry = self._archive.entries.get(f"{self._base}data/{key}")
        return None if entry is None else entry.size

    def read_into(self, key: str, buffer: Any) -> None:
        self._archive.read_into(f"{self._base}data/{key}", buffer, self._verify)


class _Builder:
    """Makes tensors of the references in a tree: one read per storage, views of it that share its memory."""

    def __init__(self, store: Store, placeholders: bool, device: Any) -> None:
        self._store, self._placeholders, self._device = store, placeholders, device
        self._storages: dict[str, tuple[str, Tensor]] = {}
        self._done: dict[int, tuple[Any, Any]] = {}  # id -> (what it was, what it became)

    def weights(self, script: Placeholder) -> dict[str, Tensor]:
        """The tensors of a TorchScript module by dotted name."""
        found: dict[str, Tensor] = {}
        stack: list[tuple[str, Placeholder]] = [("", script)]
        seen = 0
        while stack:
            path, module = stack.pop()
            seen += 1
            if seen > 1 << 20 or path.count(".") > MAX_DEPTH:
                raise self._store.error("data.pkl: modules that are nested too deep, or contain themselves")
            below = []
            for key, value in module.state.items() if type(module.state) is dict else ():
                if type(value) is Placeholder:
                    below.append((f"{path}{key}.", value))
                elif type(value) in (TensorRef, ParameterRef):
                    found[f"{path}{key}"] = self.build(value, 0).detach()
            stack.extend(reversed(below))
        return found

    def build(self, value: Any, depth: int) -> Any:
        """The tree with tensors for references; objects that occur twice stay one object."""
        if depth > MAX_DEPTH:
            raise self._store.error(f"data.pkl: the tree is nested deeper than {MAX_DEPTH} levels, or contains itself")
        kind = type(value)
        if kind in (str, int, float, bool, type(None), bytes, complex):
            return value
        if id(value) in self._done:
            return self._done[id(value)][1]
        if kind is Placeholder:  # it may contain itself
            made = Placeholder(value.name)
            self._done[id(value)] = value, made
            made.args = self.build(value.args, depth + 1)
            made.state = self.build(value.state, depth + 1)
            made.items = self.build(value.items, depth + 1)
            return made
        made = self._made(value, depth)
        self._done[id(value)] = (value, made)
        return made

    def _made(self, value: Any, depth: int) -> Any:
        kind = type(value)
        if kind is dict:
            return {k: self.build(v, depth + 1) for k, v in value.items()}
        if kind in (list, tuple):
            items = [self.build(v, depth + 1) for v in value]
            return items if kind is list else tuple(items)
        if kind in (set, frozenset, bytearray):
            return value
        if kind is TensorRef:
            return self._placed(self._tensor(value), value)
        if kind is ParameterRef:
            from .nn import Parameter

            data = self._placed(self._tensor(value.data).detach(), value.data)
            return Parameter(data, requires_grad=value.requires_grad and data.is_floating_point())
        if kind is Dtype:
            return getattr(_C, value.name)
        if kind is DeviceRef:
            return self._device_of(value)
        if kind in (NumpyArray, NumpyDtype):
            return self._numpy(value)
        if kind is ArrayTensor:
            made = _C.from_numpy(self._numpy(value.array)).to(getattr(_C, value.dtype))
            return made.requires_grad_() if value.requires_grad and made.is_floating_point() else made
        if self._placeholders and kind in (Global, StorageRef):
            return Placeholder(value.name if kind is Global else "torch.storage", tuple(value))
        raise self._store.error("data.pkl: a bare function or storage stands in the tree")

    def _placed(self, tensor: Tensor, ref: TensorRef) -> Tensor:
        if self._device is not None:
            tensor = tensor.to(self._device)
        if ref.buffer is None:
            return tensor
        from .nn import Buffer

        return Buffer(tensor, persistent=ref.buffer)

    def _device_of(self, ref: DeviceRef) -> Any:
        try:
            return _C.device(ref.name)
        except Exception:
            if self._placeholders:
                return Placeholder("torch.device", (ref.name,))
            raise self._store.error(f"data.pkl: a device {ref.name[:40]!r}, which lamina does not have") from None

    def _numpy(self, value: Any) -> Any:
        import numpy as np

        try:
            if type(value) is NumpyDtype:
                return np.dtype(value.order.replace("|", "=") + value.code)
            flat = np.frombuffer(value.data, self._numpy(value.dtype))
            made = flat.reshape(value.shape, order="F" if value.fortran is True else "C").copy()
            return made[()] if value.scalar else made
        except (ValueError, TypeError):
            raise self._store.error("data.pkl: a NumPy array is damaged") from None

    def _tensor(self, ref: TensorRef) -> Tensor:
        flat = self._storage(ref.storage, ref.dtype)
        last = ref.offset + sum((n - 1) * s for n, s in zip(ref.size, ref.stride, strict=True))
        if math.prod(ref.size) == 0:
            return _C.empty(ref.size, dtype=getattr(_C, ref.dtype))
        if last >= flat.numel() or math.prod(ref.size) >= 1 << 60:
            raise self._store.error(
                f"a tensor of shape {ref.size}, strides {ref.stride} and offset {ref.offset} reaches over the "
                f"{flat.numel()} elements of storage {ref.storage.key[:40]!r}"
            )
        out = flat.as_strided(ref.size, ref.stride, flat.storage_offset() + ref.offset)
        if ref.negative:  # x.conj().imag in PyTorch
            out = -out
        return out.requires_grad_() if ref.requires_grad and out.is_floating_point() else out

    def _storage(self, ref: StorageRef, dtype: str) -> Tensor:
        if ref.base is not None:  # a part of another
            key, begin = ref.base
            whole = self._storage(StorageRef(key, ref.dtype, -1), dtype)
            if begin + ref.elements > whole.numel():
                raise self._store.error(f"storage {ref.key[:40]!r} is no part of storage {key[:40]!r}")
            return whole[begin : begin + ref.elements]
        if ref.key in self._storages:
            known, flat = self._storages[ref.key]
            if known != dtype:
                raise self._store.error(f"storage {ref.key[:40]!r} is used with two dtypes")
            return flat
        import numpy as np

        size = self._store.size(ref.key)
        if size is None:
            raise self._store.error(f"storage {ref.key[:40]!r} is missing")
        kind = np.dtype(self._store.order + DTYPES[dtype][0])
        count, rest = divmod(size, kind.itemsize)
        if rest or ref.elements not in (-1, count if ref.dtype else size):
            raise self._store.error(
                f"storage {ref.key[:40]!r} has {size} bytes, its reference says {ref.elements} x {dtype}"
            )
        values = np.empty(count, kind)
        self._store.read_into(ref.key, values)
        values = values.astype(kind.newbyteorder("="), copy=False)
        if dtype == "bool":
            values = values != 0
        if dtype == "bfloat16":  # the upper halves of float32
            flat = _C.from_numpy((values.astype("i4") << 16).view("f4")).to(_C.bfloat16)
        else:
            flat = _C.from_numpy(values)
        self._storages[ref.key] = dtype, flat
        return flat
