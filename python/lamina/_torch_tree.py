"""The tree in a checkpoint of PyTorch, read from its pickle by a stack machine that can call nothing.

Pickle is a small program that may call any Python function. The machine here knows the instructions that a tree of
tensors needs and a fixed table of names, refuses everything else by name, and counts what it makes.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from typing import Any, NamedTuple

from ._placeholder import Placeholder

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
    base: tuple[str, int] | None = None  # a part of another storage: its key and where the part begins


class TensorRef(NamedTuple):
    storage: StorageRef
    dtype: str
    offset: int
    size: tuple[int, ...]
    stride: tuple[int, ...]
    requires_grad: bool
    negative: bool = False  # the values stand for their negatives
    buffer: bool | None = None  # an nn.Buffer, persistent or not


class ParameterRef(NamedTuple):
    data: TensorRef
    requires_grad: bool


class Dtype(NamedTuple):
    name: str


class DeviceRef(NamedTuple):
    name: str


class NumpyDtype:
    """A dtype of NumPy while it is read: its state follows its making."""

    def __init__(self, code: str) -> None:
        self.code, self.order = code, "|"


class NumpyArray:
    """An array of NumPy while it is read; `scalar`: it stands for its one element."""

    def __init__(self, dtype: Any = None, shape: tuple[int, ...] = (), data: bytes = b"", scalar: bool = False) -> None:
        self.dtype, self.shape, self.data, self.scalar, self.fortran = dtype, shape, data, scalar, False


class ArrayTensor(NamedTuple):
    """A tensor that was saved as an array of NumPy."""

    array: NumpyArray
    dtype: str
    requires_grad: bool


_MARK = object()
_NUMPY_CODE = re.compile(r"[biufc]\d{1,2}|[SU]\d{1,6}")
_BUILTINS = "list dict set frozenset tuple int float bool str bytes bytearray complex".split()
_PLAIN_KEYS = (str, int, float, bool, type(None))


class Machine:
    """The stack machine of pickle, cut down to trees of plain values and tensors."""

    def __init__(
        self,
        code: bytes,
        error: Callable[[str], Exception],
        *,
        name: str = "data.pkl",
        placeholders: bool = False,
        script: bool = False,
        known: dict[str, Any] | None = None,
    ) -> None:
        """`script`: the classes of TorchScript become placeholders. `known`: what persistent ids of a TAR file mean."""
        self._code, self._error, self._name, self.place, self._made = code, error, name, 0, 0
        self._placeholders, self._script, self._known = placeholders, script, known
        self.storages: dict[str, str] = {}  # key -> the class that the tree gives it
        self._stack: list[Any] = []
        self._memo: dict[int, Any] = {}

    def error(self, message: str) -> Exception:
        return self._error(f"{self._name}: {message}")

    def run(self) -> Any:
        """What one pickle leaves; the next call goes on behind it."""
        self._stack, self._memo = [], {}
        for _ in range(MAX_STEPS):
            code = self.take(1)[0]
            if code == 0x2E:  # STOP
                if len(self._stack) != 1:
                    raise self.error("the program leaves no single object")
                return self._pop()
            if code not in _STEPS:
                raise self.error(f"instruction 0x{code:02x} is not one that a tree of tensors needs")
            _STEPS[code](self)
        raise self.error(f"more than {MAX_STEPS:,} instructions")

    # -- reading ------------------------------------------------------------------------------------------------------
    def take(self, count: int) -> bytes:
        end = self.place + count
        if end > len(self._code):
            raise self.error("it ends early")
        data = self._code[self.place : end]
        self.place = end
        return data

    def _number(self, kind: str) -> Any:
        return struct.unpack("<" + kind, self.take(struct.calcsize("<" + kind)))[0]

    def _line(self) -> str:
        end = self._code.find(b"\n", self.place, self.place + 1024)
        if end < 0:
            raise self.error("a name has no end")
        text = self._code[self.place : end].decode("utf-8", "replace")
        self.place = end + 1
        return text

    def _text(self, length: int) -> None:
        try:
            self._push(self.take(length).decode("utf-8", "surrogatepass"))
        except UnicodeDecodeError:
            raise self.error("a text is not UTF-8") from None

    def _old_text(self, length: int) -> None:
        """A string of Python 2."""
        data = self.take(length)
        try:
            self._push(data.decode())
        except UnicodeDecodeError:
            self._push(data.decode("latin-1"))

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
        self._push(int.from_bytes(self.take(length), "little", signed=True))

    def _tuple(self, length: int) -> None:
        items = [self._pop() for _ in range(length)]
        self._push(tuple(reversed(items)))

    def _check_keys(self, keys: list[Any]) -> None:
        """Deep tuples overflow the C stack when hashed, huge integers can be made to collide."""
        for key in keys:
            if type(key) not in _PLAIN_KEYS or (type(key) is int and abs(key) >= 1 << 60):
                raise self.error(f"a key of type {type(key).__name__}; keys are strings and numbers")

    def _set_items(self, items: list[Any]) -> None:
        if len(items) % 2:
            raise self.error("a key without a value")
        pairs = list(zip(items[::2], items[1::2], strict=True))
        if self._stack and type(self._stack[-1]) is Placeholder:
            self._stack[-1].items.extend(pairs)
            return
        target = self._top(dict)
        self._check_keys(items[::2])
        target.update(pairs)

    def _append(self, items: list[Any]) -> None:
        top = self._stack[-1] if self._stack else None
        (top.items if type(top) is Placeholder else self._top(list)).extend(items)

    def _add_items(self, items: list[Any]) -> None:
        self._check_keys(items)
        self._top(set).update(items)

    def _frozen(self, items: list[Any]) -> None:
        self._check_keys(items)
        self._push(frozenset(items))

    def _global(self, module: Any, name: Any) -> None:
        if type(module) is not str or type(name) is not str:
            raise self.error("a name is not a text")
        full = f"{module.replace('__builtin__', 'builtins')}.{name}"
        if full not in _KNOWN and not self._placeholders and not (self._script and full.startswith(_SCRIPT)):
            raise self.error(
                f"{full[:120]!r} is not allowed: only tensors, dicts, lists, tuples, numbers and texts are read, and "
                "nothing in a file is executed. Save state_dict()s, not whole objects; hint: unknown='placeholder' reads "
                "what stands beside it"
            )
        self._push(Dtype(name) if module == "torch" and name in DTYPES else Global(full))

    def _stack_global(self) -> None:
        name, module = self._pop(), self._pop()
        self._global(module, name)

    def _build(self) -> None:
        """State for an object: OrderedDicts of modules carry `_metadata`, which lamina does not need."""
        state = self._pop()
        top = self._stack[-1] if self._stack else None
        if type(top) is Placeholder:
            top.state = state
        elif type(top) is NumpyDtype:
            if type(state) is not tuple or len(state) < 2 or state[1] not in ("<", ">", "|", "=") or None in state[:1]:
                raise self.error("the state of a NumPy dtype is damaged")
            top.order = state[1]
        elif type(top) is NumpyArray:
            if type(state) is not tuple or len(state) != 5:
                raise self.error("the state of a NumPy array is damaged")
            _, top.shape, top.dtype, top.fortran, top.data = state
            self._check_array(top)
        else:
            self._top(dict)

    def _check_array(self, array: NumpyArray) -> NumpyArray:
        shape, data = array.shape, array.data
        good = type(shape) is tuple and len(shape) <= 32 and all(type(n) is int and 0 <= n < 1 << 60 for n in shape)
        if not good or type(array.dtype) is not NumpyDtype or type(data) not in (bytes, bytearray):
            raise self.error("a NumPy array is damaged, or of objects")
        self._charge(len(data) // 64)  # several arrays may be made of one text
        return array

    def _persistent(self) -> None:
        ref = self._pop()
        if self._known is not None and type(ref) is str:
            if ref not in self._known:
                raise self.error(f"object {ref[:40]!r} is not in the file")
            self._push(self._known[ref])
            return
        if type(ref) is tuple and len(ref) == 4 and ref[0] == "module":  # a class with its source text, which is left
            self._push(ref[1])
            return
        if type(ref) is not tuple or len(ref) not in (5, 6) or ref[0] != "storage" or type(ref[1]) is not Global:
            raise self.error("a reference that is not one to a storage")
        _, kind, key, _, count = ref[:5]
        if type(key) is str and self.storages.setdefault(key, kind.name) != kind.name:
            raise self.error(f"storage {key[:40]!r} is used with two dtypes")
        self._push(self.storage(kind.name, key, count, ref[5] if len(ref) == 6 else None))

    def storage(self, kind: str, key: Any, count: Any, view: Any = None) -> Any:
        """The reference to a storage, or a part of one: (key, begin, elements)."""
        short = kind.removeprefix("torch.").removeprefix("storage.")
        if type(key) is not str:
            raise self.error("a reference that is not one to a storage")
        if type(count) is not int or not 0 <= count < 1 << 60:
            raise self.error(f"storage {key[:40]!r} has an impossible size")
        if short not in (*STORAGES, "UntypedStorage"):
            if self._placeholders:
                return Placeholder(kind, (key, count))
            raise self.error("a reference that is not one to a storage")
        whole = StorageRef(key, STORAGES.get(short, ""), count)
        if view is None:
            return whole
        if type(view) is not tuple or len(view) != 3 or type(view[0]) is not str:
            raise self.error("a reference that is not one to a storage")
        if any(type(n) is not int or not 0 <= n <= count for n in view[1:]) or view[1] + view[2] > count:
            raise self.error(f"a part that is not in storage {key[:40]!r}")
        return StorageRef(view[0], whole.dtype, view[2], (key, view[1]))

    def _reduce(self) -> None:
        args, function = self._pop(), self._pop()
        if type(function) is not Global or type(args) is not tuple:
            if self._placeholders and type(args) is tuple and type(function) is Placeholder:
                self._push(Placeholder(function.name, args))
                return
            raise self.error("a call of something that is no function")
        self._push(self._call(function.name, args))

    def _new_object(self, count: int) -> None:
        """NEWOBJ and NEWOBJ_EX: a class and its arguments."""
        named = self._pop() if count == 3 else {}
        args, cls = self._pop(), self._pop()
        if type(cls) is not Global or type(args) is not tuple or named != {}:
            raise self.error("an object of something that is no class")
        if cls.name in _KNOWN:
            self._push(self._call(cls.name, args))
        else:
            self._push(Placeholder(cls.name, args))

    def _call(self, name: str, args: tuple[Any, ...]) -> Any:
        try:
            made = self._made_by(name, args)
        except UnicodeError:  # of _codecs.encode
            made = None
        if made is not None:
            return made
        if name not in _KNOWN or self._placeholders:
            return Placeholder(name, args)
        raise self.error(f"a call of {name} with arguments that PyTorch does not write, or of a kind that lamina lacks")

    def _made_by(self, name: str, args: tuple[Any, ...]) -> Any:
        """What a call gives; None where the arguments are not those that are known."""
        if name.startswith("collections."):
            if not args or (name == "collections.defaultdict" and len(args) == 1 and type(args[0]) is Global):
                return {}
            given = args[0] if len(args) == 1 else None
            if type(given) is dict:
                self._charge(len(given))
                return dict(given)
            if type(given) is list and all(type(pair) in (list, tuple) and len(pair) == 2 for pair in given):
                self._charge(len(given))  # the form of Python 2
                self._check_keys([key for key, _ in given])
                return {key: value for key, value in given}
        elif name == "torch.Size":
            return args[0] if len(args) == 1 and type(args[0]) is tuple else None
        elif name == "torch.device":
            good = args and type(args[0]) is str and all(type(n) is int and 0 <= n < 1000 for n in args[1:])
            return DeviceRef(":".join(map(str, args))) if good and len(args) <= 2 else None
        elif name.startswith("builtins."):
            return self._plain(name.removeprefix("builtins."), args)
        elif name == "_codecs.encode":
            good = len(args) == 2 and type(args[0]) is str and args[1] in ("latin1", "latin-1", "utf-8")
            if good:
                self._charge(len(args[0]) // 64)
            return args[0].encode(args[1]) if good else None
        elif name.startswith("numpy."):
            return self._numpy(name, args)
        elif name.startswith("torch.jit._pickle."):
            return args[0] if args and (len(args) == 1 or name.endswith("restore_type_tag")) else None
        elif name.startswith("torch."):
            return self._tensor_call(name.rpartition(".")[2], args)
        return None

    def _plain(self, name: str, args: tuple[Any, ...]) -> Any:
        given = args[0] if len(args) == 1 else None
        if name in ("set", "frozenset") and (not args or type(given) is list):
            self._check_keys(list(given or ()))
            self._charge(len(given or ()))
            return set(given or ()) if name == "set" else frozenset(given or ())
        if name in ("bytes", "bytearray") and (not args or type(given) in (bytes, bytearray)):
            self._charge(len(given or b"") // 64)
            return (bytes if name == "bytes" else bytearray)(given or b"")
        if name == "complex" and len(args) == 2 and all(type(v) in (int, float) for v in args):
            return complex(*args)
        return None

    def _numpy(self, name: str, args: tuple[Any, ...]) -> Any:
        if name == "numpy.dtype" and args and type(args[0]) is str and _NUMPY_CODE.fullmatch(args[0]):
            return NumpyDtype(args[0])
        if name.endswith("multiarray.scalar") and len(args) == 2:
            return self._check_array(NumpyArray(args[0], (), args[1], scalar=True))
        if name.endswith("_reconstruct") and args and args[0] == Global("numpy.ndarray"):
            return NumpyArray()
        if name.endswith("_frombuffer") and len(args) == 4 and args[3] in ("C", "F"):
            made = NumpyArray(args[1], args[2], args[0])
            made.fortran = args[3] == "F"
            return self._check_array(made)
        return None

    def _tensor_call(self, name: str, args: tuple[Any, ...]) -> Any:
        if name in ("_rebuild_parameter", "_rebuild_parameter_with_state"):
            if len(args) in (3, 4) and type(args[0]) is TensorRef:
                return ParameterRef(args[0], bool(args[1]))
        elif name in ("_rebuild_tensor", "_rebuild_tensor_v2", "_rebuild_tensor_v3"):
            return self._tensor(name, args)
        elif name == "_rebuild_from_type_v2" and len(args) == 4 and type(args[0]) is Global and type(args[2]) is tuple:
            if args[1] not in (Global("torch.Tensor"), Global("torch.nn.parameter.Parameter")):
                return None
            made, state = self._tensor_call(args[0].name.rpartition(".")[2], args[2]), args[3]
            if type(made) is TensorRef and type(state) is dict and state.get("_is_buffer") is True:
                made = made._replace(buffer=state.get("persistent") is not False)
            return made
        elif name == "_rebuild_device_tensor_from_numpy" and len(args) == 4:
            if type(args[0]) is NumpyArray and type(args[1]) is Dtype:
                return ArrayTensor(args[0], args[1].name, args[3] is True)
        elif name == "_rebuild_device_tensor_from_cpu_tensor" and len(args) == 4 and type(args[0]) is TensorRef:
            if args[1] == Dtype(args[0].dtype):
                return args[0]._replace(requires_grad=args[3] is True)
        return None

    def _tensor(self, call: str, args: tuple[Any, ...]) -> Any:
        untyped = call.endswith("3")
        least, most = {"_rebuild_tensor": (4, 4), "_rebuild_tensor_v2": (6, 7), "_rebuild_tensor_v3": (7, 8)}[call]
        if self._placeholders and args and type(args[0]) is Placeholder:
            return None
        if not least <= len(args) <= most or type(args[0]) is not StorageRef:
            raise self.error("a tensor is made of something else than a storage, offset, size and stride")
        storage, offset, size, stride = args[:4]
        requires_grad, noted = args[4] if least > 4 else False, args[least] if len(args) > least else None
        dtype = storage.dtype
        if untyped:
            if type(args[6]) is not Dtype:
                if self._placeholders:
                    return None
                raise self.error("a tensor of a dtype that lamina does not have")
            dtype = args[6].name
        if not dtype:
            raise self.error("a tensor over an untyped storage without a dtype")
        if noted is not None and (type(noted) is not dict or set(noted) - {"neg", "conj"} or noted.get("conj")):
            raise self.error(f"a tensor with a property that lamina does not have ({str(noted)[:60]})")
        for what, values in (("offset", (offset,)), ("size", size), ("stride", stride)):
            if type(values) is not tuple or any(type(v) is not int or not 0 <= v < 1 << 60 for v in values):
                raise self.error(f"a tensor with an impossible {what}")
        if len(size) != len(stride) or len(size) > MAX_DIMS:
            raise self.error(f"a tensor of {len(size)} sizes and {len(stride)} strides (at most {MAX_DIMS} dims)")
        return TensorRef(storage, dtype, offset, size, stride, requires_grad is True, bool(noted and noted.get("neg")))


_NUMPY_CALLS = ("multiarray.scalar", "multiarray._reconstruct", "numeric._frombuffer")
_SCRIPT = ("__torch__.", "torch.jit._pickle.")
_KNOWN = frozenset(
    [
        "collections.OrderedDict",
        "collections.Counter",
        "torch.Size",
        "torch._utils._rebuild_tensor_v2",
        "torch._utils._rebuild_tensor_v3",
        "collections.defaultdict",
        "torch.device",
        "torch.Tensor",
        "torch.nn.parameter.Parameter",
        "torch._utils._rebuild_tensor",
        "torch._utils._rebuild_parameter",
        "torch._utils._rebuild_parameter_with_state",
        "torch._utils._rebuild_device_tensor_from_numpy",
        "torch._utils._rebuild_device_tensor_from_cpu_tensor",
        "torch._tensor._rebuild_from_type_v2",
        "_codecs.encode",
        "numpy.dtype",
        "numpy.ndarray",
        *(f"numpy.{core}.{name}" for core in ("core", "_core") for name in _NUMPY_CALLS),
        *(f"builtins.{name}" for name in _BUILTINS),
        "torch.storage.UntypedStorage",
        *(f"torch.{name}" for name in (*STORAGES, *DTYPES)),
    ]
)


_STEPS: dict[int, Callable[[Machine], Any]] = {
    0x80: lambda m: m.take(1),  # PROTO
    0x95: lambda m: m.take(8),  # FRAME
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
    0x47: lambda m: m._push(struct.unpack(">d", m.take(8))[0]),
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
    0x61: lambda m: m._append([m._pop()]),
    0x65: lambda m: m._append(m._to_mark()),
    0x73: lambda m: m._set_items([m._pop(), m._pop()][::-1]),
    0x75: lambda m: m._set_items(m._to_mark()),
    0x63: lambda m: m._global(m._line(), m._line()),
    0x93: lambda m: m._stack_global(),
    0x51: lambda m: m._persistent(),
    0x52: lambda m: m._reduce(),
    0x81: lambda m: m._new_object(2),
    0x92: lambda m: m._new_object(3),
    0x55: lambda m: m._old_text(m._number("B")),
    0x54: lambda m: m._old_text(m._number("I")),
    0x43: lambda m: m._push(m.take(m._number("B"))),
    0x42: lambda m: m._push(m.take(m._number("I"))),
    0x8E: lambda m: m._push(m.take(m._number("Q"))),
    0x96: lambda m: m._push(bytearray(m.take(m._number("Q")))),
    0x8F: lambda m: m._push(set()),
    0x90: lambda m: m._add_items(m._to_mark()),
    0x91: lambda m: m._frozen(m._to_mark()),
    0x32: lambda m: m._push(m._stack[-1] if m._stack and m._stack[-1] is not _MARK else m._pop()),
    0x62: lambda m: m._build(),
}
