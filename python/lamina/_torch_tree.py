"""The tree in a checkpoint of PyTorch, read from its pickle by a stack machine that can call nothing.

Pickle is a small program that may call any Python function. The machine here knows the instructions that a tree of
tensors needs and a fixed table of names, refuses everything else by name, and counts what it makes.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any, NamedTuple

MAX_STEPS, MAX_OBJECTS, MAX_DIMS = 1 << 23, 1 << 21, 16

# name in the file -> (NumPy dtype of the bytes, lamina dtype)
DTYPES = {
    "float64": ("f8", "float64"),
    "float32": ("f4", "float32"),
    "float16": ("f2", "float16"),
    "bfloat16": ("i2", "bfloat16"),
    "int64": ("i8", "int64"),
    "int32": ("i4", "int32"),
    "int16": ("i2", "int16"),
    "int8": ("i1", "int8"),
    "uint8": ("u1", "uint8"),
    "bool": ("u1", "bool"),
}
STORAGES = {
    "DoubleStorage": "float64",
    "FloatStorage": "float32",
    "HalfStorage": "float16",
    "BFloat16Storage": "bfloat16",
    "LongStorage": "int64",
    "IntStorage": "int32",
    "ShortStorage": "int16",
    "CharStorage": "int8",
    "ByteStorage": "uint8",
    "BoolStorage": "bool",
}


class Global(NamedTuple):
    name: str


class StorageRef(NamedTuple):
    key: str
    dtype: str  # "" for an untyped storage
    elements: int


class TensorRef(NamedTuple):
    storage: StorageRef
    dtype: str
    offset: int
    size: tuple[int, ...]
    stride: tuple[int, ...]
    requires_grad: bool


class ParameterRef(NamedTuple):
    data: TensorRef
    requires_grad: bool


class Dtype(NamedTuple):
    name: str


_MARK = object()
_PLAIN_KEYS = (str, int, float, bool, type(None))


class Machine:
    """The stack machine of pickle, cut down to trees of plain values and tensors."""

    def __init__(self, code: bytes, error: Callable[[str], Exception]) -> None:
        self._code, self._error, self._place, self._made = code, error, 0, 0
        self._stack: list[Any] = []
        self._memo: dict[int, Any] = {}

    def error(self, message: str) -> Exception:
        return self._error(f"data.pkl: {message}")

    def run(self) -> Any:
        for _ in range(MAX_STEPS):
            code = self._take(1)[0]
            if code == 0x2E:  # STOP
                if len(self._stack) != 1:
                    raise self.error("the program leaves no single object")
                return self._pop()
            if code not in _STEPS:
                raise self.error(f"instruction 0x{code:02x} is not one that a tree of tensors needs")
            _STEPS[code](self)
        raise self.error(f"more than {MAX_STEPS:,} instructions")

    # -- reading ------------------------------------------------------------------------------------------------------
    def _take(self, count: int) -> bytes:
        end = self._place + count
        if end > len(self._code):
            raise self.error("it ends early")
        data = self._code[self._place : end]
        self._place = end
        return data

    def _number(self, kind: str) -> Any:
        return struct.unpack("<" + kind, self._take(struct.calcsize("<" + kind)))[0]

    def _line(self) -> str:
        end = self._code.find(b"\n", self._place, self._place + 1024)
        if end < 0:
            raise self.error("a name has no end")
        text = self._code[self._place : end].decode("utf-8", "replace")
        self._place = end + 1
        return text

    def _text(self, length: int) -> None:
        try:
            self._push(self._take(length).decode("utf-8", "surrogatepass"))
        except UnicodeDecodeError:
            raise self.error("a text is not UTF-8") from None

    # -- the stack ----------------------------------------------------------------------------------------------------
    def _push(self, value: Any) -> None:
        self._charge(1)
        self._stack.append(value)

    def _charge(self, count: int) -> None:
        """Counts what is made: a few bytes of a file must not become gigabytes of objects."""
        self._made += count
        if self._made > MAX_OBJECTS:
            raise self.error(f"more than {MAX_OBJECTS:,} objects")

    def _pop(self) -> Any:
        if not self._stack or self._stack[-1] is _MARK:
            raise self.error("an instruction finds nothing on the stack")
        return self._stack.pop()

    def _to_mark(self) -> list[Any]:
        place = len(self._stack) - 1
        while place >= 0 and self._stack[place] is not _MARK:
            place -= 1
        if place < 0:
            raise self.error("an instruction finds no mark on the stack")
        items = self._stack[place + 1 :]
        del self._stack[place:]
        return items

    def _top(self, kind: type) -> Any:
        if not self._stack or type(self._stack[-1]) is not kind:
            raise self.error(f"an instruction expects a {kind.__name__} on the stack")
        return self._stack[-1]

    def _get(self, number: int) -> None:
        if number not in self._memo:
            raise self.error(f"object {number} is used before it is made")
        self._push(self._memo[number])

    def _put(self, number: int) -> None:
        if not self._stack or self._stack[-1] is _MARK:
            raise self.error("an instruction finds nothing on the stack")
        self._charge(1)
        self._memo[number] = self._stack[-1]

    # -- instructions of some size ------------------------------------------------------------------------------------
    def _int(self, length: int) -> None:
        if length > 64:
            raise self.error(f"an integer of {length} bytes")
        self._push(int.from_bytes(self._take(length), "little", signed=True))

    def _tuple(self, length: int) -> None:
        items = [self._pop() for _ in range(length)]
        self._push(tuple(reversed(items)))

    def _set_items(self, items: list[Any]) -> None:
        target = self._top(dict)
        if len(items) % 2:
            raise self.error("a key without a value")
        for key, value in zip(items[::2], items[1::2], strict=True):
            # Deep tuples overflow the C stack when hashed, huge integers can be made to collide.
            if type(key) not in _PLAIN_KEYS or (type(key) is int and abs(key) >= 1 << 60):
                raise self.error(f"a key of type {type(key).__name__}; keys are strings and numbers")
            target[key] = value

    def _global(self, module: Any, name: Any) -> None:
        if type(module) is not str or type(name) is not str:
            raise self.error("a name is not a text")
        full = f"{module}.{name}"
        if full not in _KNOWN:
            raise self.error(
                f"{full[:120]!r} is not allowed: only tensors, dicts, lists, tuples, numbers and texts are read, and "
                "nothing in a file is executed. Save state_dict()s, not whole objects"
            )
        self._push(Dtype(name) if module == "torch" and name in DTYPES else Global(full))

    def _stack_global(self) -> None:
        name, module = self._pop(), self._pop()
        self._global(module, name)

    def _build(self) -> None:
        """State for an object: OrderedDicts of modules carry `_metadata`, which lamina does not need."""
        self._pop()
        self._top(dict)

    def _persistent(self) -> None:
        ref = self._pop()
        if type(ref) is not tuple or len(ref) != 5 or ref[0] != "storage" or type(ref[1]) is not Global:
            raise self.error("a reference that is not one to a storage")
        _, kind, key, _, count = ref
        short = kind.name.removeprefix("torch.").removeprefix("storage.")
        if short not in (*STORAGES, "UntypedStorage") or type(key) is not str:
            raise self.error("a reference that is not one to a storage")
        if type(count) is not int or not 0 <= count < 1 << 60:
            raise self.error(f"storage {key[:40]!r} has an impossible size")
        self._push(StorageRef(key, STORAGES.get(short, ""), count))

    def _reduce(self) -> None:
        args, function = self._pop(), self._pop()
        if type(function) is not Global or type(args) is not tuple:
            raise self.error("a call of something that is no function")
        self._push(self._call(function.name, args))

    def _call(self, name: str, args: tuple[Any, ...]) -> Any:
        if name in ("collections.OrderedDict", "collections.Counter"):
            if not args:
                return {}
            if len(args) == 1 and type(args[0]) is dict:
                self._charge(len(args[0]))
                return dict(args[0])
        elif name == "torch.Size":
            if len(args) == 1 and type(args[0]) is tuple:
                return args[0]
        elif name == "torch._utils._rebuild_parameter":
            if len(args) == 3 and type(args[0]) is TensorRef:
                return ParameterRef(args[0], bool(args[1]))
        elif name in ("torch._utils._rebuild_tensor_v2", "torch._utils._rebuild_tensor_v3"):
            return self._tensor(name.endswith("3"), args)
        raise self.error(f"a call of {name} with arguments that PyTorch does not write")

    def _tensor(self, untyped: bool, args: tuple[Any, ...]) -> TensorRef:
        least = 7 if untyped else 6  # the dtype is the seventh
        if not least <= len(args) <= least + 1 or type(args[0]) is not StorageRef:
            raise self.error("a tensor is made of something else than a storage, offset, size and stride")
        storage, offset, size, stride, requires_grad = args[:5]
        dtype = storage.dtype
        if untyped:
            if type(args[6]) is not Dtype:
                raise self.error("a tensor of a dtype that lamina does not have")
            dtype = args[6].name
        if not dtype:
            raise self.error("a tensor over an untyped storage without a dtype")
        for what, values in (("offset", (offset,)), ("size", size), ("stride", stride)):
            if type(values) is not tuple or any(type(v) is not int or not 0 <= v < 1 << 60 for v in values):
                raise self.error(f"a tensor with an impossible {what}")
        if len(size) != len(stride) or len(size) > MAX_DIMS:
            raise self.error(f"a tensor of {len(size)} sizes and {len(stride)} strides (at most {MAX_DIMS} dims)")
        return TensorRef(storage, dtype, offset, size, stride, requires_grad is True)


_KNOWN = frozenset(
    [
        "collections.OrderedDict",
        "collections.Counter",
        "torch.Size",
        "torch._utils._rebuild_tensor_v2",
        "torch._utils._rebuild_tensor_v3",
        "torch._utils._rebuild_parameter",
        "torch.storage.UntypedStorage",
        *(f"torch.{name}" for name in (*STORAGES, *DTYPES)),
    ]
)


def _append(machine: Machine, items: list[Any]) -> None:
    machine._top(list).extend(items)


_STEPS: dict[int, Callable[[Machine], Any]] = {
    0x80: lambda m: m._take(1),  # PROTO
    0x95: lambda m: m._take(8),  # FRAME
    0x28: lambda m: m._push(_MARK),
    0x30: lambda m: m._pop(),
    0x4E: lambda m: m._push(None),
    0x88: lambda m: m._push(True),
    0x89: lambda m: m._push(False),
    0x7D: lambda m: m._push({}),
    0x5D: lambda m: m._push([]),
    0x29: lambda m: m._push(()),
    0x4A: lambda m: m._push(m._number("i")),
    0x4B: lambda m: m._push(m._number("B")),
    0x4D: lambda m: m._push(m._number("H")),
    0x8A: lambda m: m._int(m._number("B")),
    0x8B: lambda m: m._int(m._number("I")),
    0x47: lambda m: m._push(struct.unpack(">d", m._take(8))[0]),
    0x58: lambda m: m._text(m._number("I")),
    0x8C: lambda m: m._text(m._number("B")),
    0x8D: lambda m: m._text(m._number("Q")),
    0x71: lambda m: m._put(m._number("B")),
    0x72: lambda m: m._put(m._number("I")),
    0x94: lambda m: m._put(len(m._memo)),
    0x68: lambda m: m._get(m._number("B")),
    0x6A: lambda m: m._get(m._number("I")),
    0x74: lambda m: m._push(tuple(m._to_mark())),
    0x85: lambda m: m._tuple(1),
    0x86: lambda m: m._tuple(2),
    0x87: lambda m: m._tuple(3),
    0x61: lambda m: _append(m, [m._pop()]),
    0x65: lambda m: _append(m, m._to_mark()),
    0x73: lambda m: m._set_items([m._pop(), m._pop()][::-1]),
    0x75: lambda m: m._set_items(m._to_mark()),
    0x63: lambda m: m._global(m._line(), m._line()),
    0x93: lambda m: m._stack_global(),
    0x51: lambda m: m._persistent(),
    0x52: lambda m: m._reduce(),
    0x62: lambda m: m._build(),
}
