"""Values in a file: a tree as JSON, its tensors beside it. docs/model_file.md is the format.

A node is a number, a text, true, false or null, which stand for themselves, or an object with one key, the kind. What
reads a node makes plain values alone; classes are those that this process has already, found by their exact name.
"""

from __future__ import annotations

import base64
import dataclasses
import importlib
import re
import sys
import types
from argparse import Namespace
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Callable, Iterable
from typing import Any

from . import _C
from ._C import Tensor
from ._placeholder import Placeholder

MAX_DEPTH, MAX_NODES = 64, 1 << 22
EXTRA = "lamina:"  # tensors of a model that are not in its state_dict
_KEYS = (str, int, float, bool, type(None))
_FACTORIES: dict[str, Any] = {t.__name__: t for t in (int, float, str, bool, list, dict, set, tuple)}
_NUMPY_KIND = re.compile(r"[<>|=]?([biufc]\d{1,2}|[SU]\d{1,6}|[mM]8(\[\d{0,6}[a-zA-Z]{1,2}\])?)")
Class = tuple[str, str]  # module and qualified name


class Unknown(Exception):
    """A value that cannot be written, or made, and its name."""

    path: str | None = None  # where it stands
    hint = ""


# -- classes ----------------------------------------------------------------------------------------------------------
def class_name(cls: type) -> Class:
    return cls.__module__, cls.__qualname__


class Classes:
    """The classes below `root` that this process has, by module and qualified name; no import, no attribute is read.

    Of several with one name the one that its module holds under it counts, then the one defined last.
    """

    def __init__(self, root: type) -> None:
        self._root, self._read = root, False
        self._found: dict[Class, type] = {}

    def find(self, home: Any, name: Any) -> type | None:
        if type(home) is not str or type(name) is not str:
            raise ValueError("a class is two texts")
        if self._import_own(home) or not self._read:
            self._read_all()
        here: Any = vars(sys.modules[home]).get(name.split(".")[0]) if home in sys.modules else None
        for part in name.split(".")[1:]:
            here = vars(here).get(part) if isinstance(here, type) else None
        if isinstance(here, type) and class_name(here) == (home, name) and self._root in type.mro(here):
            return here
        return self._found.get((home, name))

    def _read_all(self) -> None:
        self._found, self._read = {}, True
        stack, seen = [self._root], {self._root}
        while stack:
            cls = stack.pop()
            self._found[class_name(cls)] = cls
            below: list[type] = type.__subclasses__(cls)
            new = [c for c in below if c not in seen]
            seen.update(new)
            stack.extend(reversed(new))

    @staticmethod
    def _import_own(home: str) -> bool:
        """lamina's own layers and models count as imported, though their files are read when first asked for."""
        if home in sys.modules or home not in _own_modules():
            return False
        importlib.import_module(home)
        return True


def _own_modules() -> set[str]:
    from pkgutil import iter_modules

    names = {"lamina.timeseries", "lamina.tabular", "lamina.lora", "lamina.transfer"}
    names |= {"lamina._cli.classifier", "lamina._cli.autoencoder"}  # what `lamina train` wraps models in
    for home in ("lamina.nn", "lamina.nn.utils", "lamina.models", "lamina.vision", "lamina.audio"):
        names |= {f"{home}.{m.name}" for m in iter_modules(importlib.import_module(home).__path__)}
    return names


def static(cls: type, name: str) -> Any:
    """What the class says about an attribute, without running a descriptor; None where it says nothing."""
    for base in type.mro(cls):
        if name in vars(base):
            return vars(base)[name]
    return None


def place(target: Any, name: Any, value: Any) -> None:
    """Sets an attribute without running code: Unknown where the class has a method or property of that name."""
    if type(name) is not str or not is_free(type(target), name):
        raise Unknown(f"attribute {str(name)[:60]!r} of {type(target).__name__}")
    found = static(type(target), name)
    if isinstance(found, types.MemberDescriptorType):
        found.__set__(target, value)
    else:
        target.__dict__[name] = value


def is_free(cls: type, name: str) -> bool:
    """Whether an attribute of that name is a plain value: no method, no property, no name that Python itself uses."""
    found = static(cls, name)
    plain = found is None or isinstance(found, types.MemberDescriptorType) or not hasattr(type(found), "__get__")
    return plain and not (name.startswith("__") and name.endswith("__"))


# -- writing ----------------------------------------------------------------------------------------------------------
class Packer:
    """Makes nodes of values and collects their tensors; `modules` takes whole modules."""

    def __init__(self) -> None:
        self.tensors: dict[str, Tensor] = {}
        self.modules: Any = None
        self.plain = True  # only what the first version of the format has
        self.exact = False  # within a module: parameters stay parameters
        self._names: dict[int, tuple[Any, str]] = {}

    def tensor(self, value: Tensor, path: str) -> Any:
        """The node of a tensor; one that was written already keeps its first name."""
        if id(value) in self._names:
            return {"t": self._names[id(value)][1]}
        name = path or "value"
        while name in self.tensors:  # {"a.b": ..., "a": {"b": ...}}
            name += "'"
        self.tensors[name] = value.detach()
        self._names[id(value)] = value, name
        return {"t": name}

    def known(self, value: Tensor) -> str | None:
        """The name of a tensor that was written already."""
        return self._names[id(value)][1] if id(value) in self._names else None

    def pack(self, value: Any, path: str = "", depth: int = 0) -> Any:
        if depth > MAX_DEPTH:
            raise ValueError(f"save: the object at '{path[:80]}' is nested deeper than {MAX_DEPTH} levels")
        kind = type(value)
        if value is None or kind in (bool, str, int, float):
            return value
        if isinstance(value, Tensor):
            node = self.tensor(value, path)
            return {"parameter": [node["t"], value.requires_grad]} if self.exact and _is_parameter(value) else node
        base = path + "." if path else ""

        def below(items: Iterable[Any]) -> list[Any]:
            return [self.pack(v, f"{base}{i}", depth + 1) for i, v in enumerate(items)]

        if kind in (list, tuple):
            return {"l" if kind is list else "u": below(value)}
        if kind is dict:
            return {"d": self._rows(value, base, depth)}
        try:
            found = self._further(value, path, depth, below)
            if found is None:
                return self._as_base(value, path, depth)
        except Unknown as error:
            if error.path is None:
                error.path, error.hint = (
                    path or "obj",
                    "; pass its state_dict()" if hasattr(value, "state_dict") else "",
                )
            raise
        self.plain = False
        return found

    def _as_base(self, value: Any, path: str, depth: int) -> Any:
        """Subclasses of plain values are written as those."""
        if isinstance(value, (bool, int, str)):
            return int(value) if isinstance(value, int) else str(value)
        if isinstance(value, float):
            return float(value)
        if isinstance(value, dict):
            return self.pack(dict(value), path, depth)
        if isinstance(value, Placeholder):
            raise Unknown(value.name)
        raise Unknown(".".join(class_name(value)) if isinstance(value, type) else _described(value))

    def _rows(self, value: dict[Any, Any], base: str, depth: int) -> list[Any]:
        for key in value:
            if type(key) not in _KEYS:
                raise TypeError(
                    f"save: keys must be strings or numbers, got {type(key).__name__} in '{base.removesuffix('.')}'"
                )
        return [[key, self.pack(item, f"{base}{key}", depth + 1)] for key, item in value.items()]

    def _further(self, value: Any, path: str, depth: int, below: Callable[[Iterable[Any]], list[Any]]) -> Any:
        kind, base = type(value), path + "." if path else ""
        if isinstance(value, self._module_class()):
            return {"module": self.modules(value, path)}
        if kind in (OrderedDict, Counter):
            return {kind.__name__: self._rows(value, base, depth)}
        if kind is defaultdict:
            factory = value.default_factory
            name = None if factory is None else getattr(factory, "__name__", "")
            if name is not None and _FACTORIES.get(name) is not factory:
                raise Unknown(f"a defaultdict of {_described(factory)}")
            return {"defaultdict": [name, self._rows(value, base, depth)]}
        if kind in (set, frozenset):
            return {kind.__name__: below(value if len(value) < 2 else _ordered(value))}
        if kind in (bytes, bytearray):
            return {kind.__name__: base64.b64encode(value).decode()}
        if kind is complex:
            return {"complex": [value.real, value.imag]}
        if kind in (slice, range):
            return {kind.__name__: below((value.start, value.stop, value.step))}
        if kind is _C.dtype:
            return {"dtype": value.name}
        if kind is _C.device:
            return {"device": str(value)}
        if kind in (Namespace, types.SimpleNamespace):
            return {kind.__name__: self._rows(vars(value), base, depth)}
        if value is Ellipsis:
            return {"ellipsis": 0}
        return self._numpy(value, path) or self._record(value, path, depth, below) or _operation(value)

    @staticmethod
    def _module_class() -> type:
        return sys.modules["lamina.nn.module"].Module if "lamina.nn.module" in sys.modules else Unknown

    def _record(self, value: Any, path: str, depth: int, below: Callable[[Iterable[Any]], list[Any]]) -> Any:
        """Named tuples, Size and dataclasses."""
        cls, base = type(value), path + "." if path else ""
        if isinstance(value, tuple):
            if cls is _size_class():
                return {"Size": list(value)}
            if not hasattr(cls, "_fields"):
                raise Unknown(_described(value))
            return {"namedtuple": [*class_name(cls), below(value)]}
        if dataclasses.is_dataclass(value) and not isinstance(value, type) and _is_bare(cls):
            names = [f.name for f in dataclasses.fields(value) if hasattr(value, f.name)]
            rows = [[n, self.pack(getattr(value, n), f"{base}{n}", depth + 1)] for n in names]
            return {"dataclass": [*class_name(cls), rows]}
        return None

    def _numpy(self, value: Any, path: str) -> Any:
        np = sys.modules.get("numpy")
        if np is None or not isinstance(value, (np.ndarray, np.generic)):
            return None
        code = value.dtype.str
        if not _NUMPY_KIND.fullmatch(code) or (isinstance(value, np.ndarray) and type(value) is not np.ndarray):
            raise Unknown(f"numpy {type(value).__name__} of {value.dtype}")
        if isinstance(value, np.generic):
            return {"number": [code, base64.b64encode(value.tobytes()).decode()]}
        data = np.frombuffer(value.tobytes(), np.uint8).copy()
        return {"array": [code, list(value.shape), self.tensor(_C.from_numpy(data), path)["t"]]}


def _is_parameter(value: Tensor) -> bool:
    return type(value).__module__ == "lamina.nn.parameter"


def _is_bare(cls: type) -> bool:
    """Whether instances hold nothing but attributes, so that object.__new__ makes one."""
    return all(base is object or base.__flags__ & (1 << 9) for base in type.mro(cls))


def _ordered(items: Iterable[Any]) -> list[Any]:
    """A set in an order that does not depend on the run."""
    return sorted(items, key=lambda v: (type(v).__name__, repr(v)))


def _described(value: Any) -> str:
    if isinstance(value, (types.FunctionType, types.MethodType, types.BuiltinFunctionType)):
        return f"{type(value).__name__} {getattr(value, '__module__', None) or 'builtins'}.{value.__qualname__}"
    return type(value).__name__


def _size_class() -> Any:
    found = vars(sys.modules["lamina"]).get("Size", tuple)
    return None if found is tuple else found


def _operation(value: Any) -> Any:
    """lamina's own operations and layer classes, which modules hold as attributes, by name."""
    if isinstance(value, type) and value.__module__.startswith("lamina.nn.") and value.__module__ in _own_modules():
        return {"layer": list(class_name(value))}
    name = getattr(value, "__name__", None)
    for home in ("lamina", "lamina.nn.functional"):
        if type(name) is str and _own_operation(home, name) is value:
            return {"operation": [home, name]}
    return None


def _own_operation(home: Any, name: Any) -> Any:
    if home not in ("lamina", "lamina.nn.functional") or type(name) is not str or name.startswith("_"):
        return None
    if home == "lamina":
        found = vars(_C).get(name)
        return found if type(found) is type(_C.relu) else None
    functional = importlib.import_module(home)
    found = getattr(functional, name) if name in dir(functional) else None  # some files are read on first use
    if not isinstance(found, (types.FunctionType, type(_C.relu))):
        return None
    return found if str(found.__module__).startswith("lamina") else None


# -- reading ----------------------------------------------------------------------------------------------------------
class Unpacker:
    """Makes values of nodes. ValueError, KeyError and TypeError mean a damaged tree; Unknown a value that is not made."""

    def __init__(self, tensors: dict[str, Tensor], placeholders: bool) -> None:
        self.tensors, self.placeholders = tensors, placeholders
        self.modules: list[Any] = []
        self._count = 0
        self._tuples, self._objects = Classes(tuple), Classes(object)

    def unpack(self, node: Any, depth: int = 0) -> Any:
        self._count += 1
        if depth > MAX_DEPTH + 1 or self._count > MAX_NODES:
            raise ValueError("too deep or too large")
        if not isinstance(node, dict):
            if isinstance(node, list):
                raise ValueError("a bare list")
            return node
        ((kind, content),) = node.items()
        if kind == "t":
            return self.tensors[content]
        if kind == "d":
            return self._dict(content, depth)
        if kind in ("l", "u", "set", "frozenset", "slice", "range"):
            return self._sequence(kind, self._items(content, depth))
        make = _MAKERS.get(kind)
        if make is None:
            raise ValueError(kind)
        return make(self, content, depth)

    def _items(self, content: Any, depth: int) -> list[Any]:
        if type(content) is not list:
            raise ValueError("no list")
        return [self.unpack(item, depth + 1) for item in content]

    def _dict(self, content: Any, depth: int) -> dict[Any, Any]:
        made = {}
        for key, item in content:
            if type(key) not in _KEYS:
                raise ValueError("a key")
            made[key] = self.unpack(item, depth + 1)
        return made

    def _sequence(self, kind: str, items: list[Any]) -> Any:
        if kind == "l":
            return items
        if kind == "slice":
            return slice(*items)
        if kind == "range":
            return range(*items)
        if kind in ("set", "frozenset") and any(isinstance(v, int) and abs(v) >= 1 << 60 for v in items):
            raise ValueError("an item that can be made to collide")
        return {"u": tuple, "set": set, "frozenset": frozenset}[kind](items)

    def parameter(self, name: Any, requires_grad: bool) -> Any:
        """One parameter for one tensor of the file, however often it is asked for."""
        from .nn.parameter import Parameter

        if not isinstance(self.tensors[name], Parameter):
            value = self.tensors[name]
            self.tensors[name] = Parameter(value, requires_grad=requires_grad and value.is_floating_point())
        return self.tensors[name]

    def module(self, content: Any, depth: int) -> Any:
        if type(content) is not int or not 0 <= content < len(self.modules):
            raise ValueError("no such module")
        return self.modules[content]

    def _defaultdict(self, content: Any, depth: int) -> Any:
        name, rows = content
        return defaultdict(None if name is None else _FACTORIES[name], self._dict(rows, depth))

    def _namespace(self, made: Any, content: Any, depth: int) -> Any:
        for name, value in self._dict(content, depth).items():
            place(made, name, value)
        return made

    def _number(self, content: Any, depth: int) -> Any:
        import numpy as np

        code, data = content
        return np.frombuffer(base64.b64decode(data, validate=True), _numpy_dtype(code), 1)[0]

    def _array(self, content: Any, depth: int) -> Any:
        code, shape, name = content
        kind, data = _numpy_dtype(code), self.tensors[name].numpy()
        if not all(type(n) is int and n >= 0 for n in shape) or len(shape) > 64:
            raise ValueError("a shape")
        made = data.view(kind).reshape(shape)
        return made.astype(bool) if kind.kind == "b" else made

    def _namedtuple(self, content: Any, depth: int) -> Any:
        home, name, items = content
        made = self._items(items, depth)
        cls: Any = self._tuples.find(home, name)
        if cls is None or not hasattr(cls, "_fields") or len(cls._fields) != len(made):
            return self._missing(f"{home}.{name}", "named tuple", tuple(made), None)
        return tuple.__new__(cls, made)

    def _dataclass(self, content: Any, depth: int) -> Any:
        home, name, rows = content
        fields = self._dict(rows, depth)
        cls: Any = self._objects.find(home, name)
        known = [f.name for f in dataclasses.fields(cls)] if dataclasses.is_dataclass(cls) else None
        if known is None or not _is_bare(cls) or not set(fields) <= set(known):
            return self._missing(f"{home}.{name}", "dataclass", (), fields)
        made = object.__new__(cls)
        for field, value in fields.items():
            place(made, field, value)
        return made

    def _missing(self, name: str, kind: str, args: tuple[Any, ...], state: Any) -> Any:
        if self.placeholders:
            return Placeholder(name, args, state)
        raise Unknown(f"{kind} {name[:120]}")

    def _operation(self, content: Any, depth: int) -> Any:
        home, name = content
        found = _own_operation(home, name)
        return self._missing(f"{home}.{name}", "operation", (), None) if found is None else found

    def _layer(self, content: Any, depth: int) -> Any:
        home, name = content
        found = None
        if type(home) is str and home.startswith("lamina.nn."):
            found = Classes(importlib.import_module("lamina.nn.module").Module).find(home, name)
        return self._missing(f"{home}.{name}", "layer class", (), None) if found is None else found

    def _unsaved(self, content: Any, depth: int) -> Any:
        return self._missing(str(content), "what the writer could not save,", (), None)


def _numpy_dtype(code: Any) -> Any:
    import numpy as np

    if type(code) is not str or not _NUMPY_KIND.fullmatch(code):
        raise ValueError("a NumPy dtype")
    return np.dtype(code)


def _device(content: Any) -> Any:
    if type(content) is not str:
        raise ValueError("a device")
    try:
        return _C.device(content)
    except Exception:
        raise ValueError("a device") from None


def _complex(real: Any, imag: Any) -> complex:
    if type(real) is not float or type(imag) is not float:
        raise ValueError("a complex number")
    return complex(real, imag)


def _dtype(content: Any) -> Any:
    found = vars(_C).get(content)
    if not isinstance(found, _C.dtype):
        raise ValueError("a dtype")
    return found


def _size(content: Any) -> Any:
    if not all(type(n) is int and n >= 0 for n in content):
        raise ValueError("a size")
    return (_size_class() or tuple)(content)


_MAKERS: dict[str, Callable[[Unpacker, Any, int], Any]] = {
    "module": Unpacker.module,
    "parameter": lambda u, c, d: u.parameter(c[0], c[1] is True),
    "OrderedDict": lambda u, c, d: OrderedDict(u._dict(c, d)),
    "Counter": lambda u, c, d: Counter(u._dict(c, d)),
    "defaultdict": Unpacker._defaultdict,
    "bytes": lambda u, c, d: base64.b64decode(c, validate=True),
    "bytearray": lambda u, c, d: bytearray(base64.b64decode(c, validate=True)),
    "complex": lambda u, c, d: _complex(*c),
    "dtype": lambda u, c, d: _dtype(c),
    "device": lambda u, c, d: _device(c),
    "Namespace": lambda u, c, d: u._namespace(Namespace(), c, d),
    "SimpleNamespace": lambda u, c, d: u._namespace(types.SimpleNamespace(), c, d),
    "ellipsis": lambda u, c, d: Ellipsis,
    "Size": lambda u, c, d: _size(c),
    "number": Unpacker._number,
    "array": Unpacker._array,
    "namedtuple": Unpacker._namedtuple,
    "dataclass": Unpacker._dataclass,
    "operation": Unpacker._operation,
    "layer": Unpacker._layer,
    "unsaved": Unpacker._unsaved,
}
