"""Whole modules in a file: which class each is, and what it holds. docs/model_file.md is the format.

Reading makes the modules with `object.__new__` and fills them with plain values, tensors and modules; no `__init__`,
`__setstate__`, property or `__setattr__` of a class runs. Classes are those that this process has already.
"""

from __future__ import annotations

import functools
import warnings
from typing import Any

from ._C import Tensor
from ._tree import EXTRA, Class, Classes, Packer, Unknown, Unpacker, class_name, is_free, place
from .nn._tables import register
from .nn.module import Module
from .nn.parameter import Parameter

MAX_MODULES = 1 << 20
# What Module itself keeps in an instance; the tables of a file say the same.
_OWN = frozenset(vars(Module())) | frozenset(Module.__annotations__) | {"_hooks", "_class_before"}


class ModulePlaceholder(Module):
    """Stands for a module whose class this program does not have: its tensors, modules and attributes, no forward."""

    _placeholder_name: str

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError(f"this is a placeholder for {self._placeholder_name}, a class this program lacks")

    def extra_repr(self) -> str:
        return f"for {self._placeholder_name}"


# -- writing ----------------------------------------------------------------------------------------------------------
class ModulePacker:
    """The table of modules of one file."""

    def __init__(self, packer: Packer) -> None:
        self.table: list[dict[str, Any]] = []
        self._packer, self._known = packer, dict[int, tuple[Module, int]]()
        self._storages: dict[int, list[tuple[Tensor, str]]] = {}
        self._waiting: list[tuple[Module, int, str]] = []
        self._state: dict[str, Tensor] = {}
        self._busy = False
        packer.modules = self.add

    def add(self, module: Module, path: str) -> int:
        """The number of a module. The outermost one is packed whole, with the tensors of its state_dict by name."""
        number = self._number(module, path)
        if self._busy:
            return number
        self._busy = self._packer.exact = True
        prefix = path + "." if path else ""
        own = {f"{prefix}{k}": v for k, v in module.state_dict().items() if isinstance(v, Tensor)}
        self._state.update(own)
        filled: list[tuple[Module, int, str]] = []
        while self._waiting or filled:  # the tables of all before the attributes, which may be of those tensors
            if self._waiting:
                filled.append(self._waiting.pop())
                self._fill(*filled[-1])
            else:
                self._fill_attributes(*filled.pop(0))
        for name, value in own.items():  # tied weights under every name, for other readers
            self._packer.tensors.setdefault(name, value.detach())
        self._busy = self._packer.exact = False
        return number

    def _number(self, module: Module, path: str) -> int:
        if id(module) not in self._known:
            self._known[id(module)] = module, len(self.table)
            self._waiting.append((module, len(self.table), path))
            self.table.append({})
        return self._known[id(module)][1]

    def _fill(self, module: Module, number: int, path: str) -> None:
        from .nn.utils.parametrize import type_before_parametrizations

        cls, base = type_before_parametrizations(module), path + "." if path else ""
        node = self.table[number]
        node["class"], node["training"] = list(class_name(cls)), bool(module.training)
        node["parameters"] = [
            [name, None if p is None else self._tensor(p, base + name), p is not None and p.requires_grad]
            for name, p in module._parameters.items()
        ]
        kept = _persistent(module)
        node["buffers"] = [
            [name, None if b is None else self._tensor(b, base + name), name in kept]
            for name, b in module._buffers.items()
        ]
        children = [(n, c, base + n) for n, c in module._modules.items()]
        node["modules"] = [[n, None if c is None else self._number(c, p)] for n, c, p in reversed(children)][::-1]
        if cls is not type(module):
            node["parametrized"] = list(vars(module)["parametrizations"]._modules)
        computed = _computed(module)
        if computed:
            node["computed"] = [[type(hook).__name__, vars(hook)] for hook in computed]
        if _has_hooks(module, len(computed)):
            warnings.warn(f"save: the hooks of {path or type(module).__name__} are not saved", stacklevel=2)

    def _fill_attributes(self, module: Module, number: int, path: str) -> None:
        node, cls, base = self.table[number], type(module), path + "." if path else ""
        tables = {row[0] for table in ("parameters", "buffers", "modules") for row in node[table]}
        tables |= {hook.name for hook in _computed(module)}
        rest = {n: v for n, v in vars(module).items() if n not in tables and n not in _OWN}
        node["attributes"] = [
            [n, self._attribute(module, n, v, base + n)] for n, v in rest.items() if _is_state(cls, n)
        ]

    def _attribute(self, module: Module, name: str, value: Any, path: str) -> Any:
        try:
            if not is_free(type(module), name):
                raise Unknown(f"{name}, which the class has as a method")
            if isinstance(value, Tensor):
                return self._tensor(value, path)
            return self._packer.pack(value, EXTRA + path, 1)
        except (Unknown, TypeError, ValueError) as error:
            return _unsaved(path, str(error).removeprefix("save: "))

    def _tensor(self, value: Tensor, path: str) -> Any:
        """The node of a tensor: under its name of the state_dict where it has one, or a view of an earlier one."""
        known = self._packer.known(value)
        if known is not None:
            return {"t": known}
        if type(value).__name__.startswith("Uninitialized"):
            return _unsaved(path, f"{type(value).__name__}: call the model once before saving")
        plain = value.detach()
        key = plain.untyped_storage().data_ptr() if plain.numel() else 0
        for base, name in self._storages.get(key, []):
            start = plain.storage_offset() - base.storage_offset()
            reach = sum((n - 1) * s for n, s in zip(plain.shape, plain.stride(), strict=True))
            if base.dtype == plain.dtype and start >= 0 and start + reach < base.numel():
                return {"view": [name, list(plain.shape), list(plain.stride()), start]}
        node: dict[str, str] = self._packer.tensor(value, path if path in self._state else EXTRA + path)
        if key and plain.is_contiguous():
            self._storages.setdefault(key, []).append((plain, node["t"]))
        return node


def _unsaved(path: str, what: str) -> Any:
    """The node of a value that no file holds: saving goes on, for the sake of the tensors."""
    warnings.warn(
        f"save: {path!r} ({what}) cannot be saved: load will not give the model back, only its tensors "
        "(lamina.serialization.load_file) and what unknown='placeholder' makes of it",
        stacklevel=2,
    )
    return {"unsaved": what[:200]}


def _persistent(module: Module) -> set[str]:
    return {n for n, keep in module._buffer_names.items() if keep}


def _is_state(cls: type, name: str) -> bool:
    """Not what a cached property keeps, which is computed anew."""
    from ._tree import static

    return not isinstance(static(cls, name), functools.cached_property)


def _has_hooks(module: Module, known: int) -> bool:
    hooks = vars(module._hooks).values() if module._hooks is not None else ()
    return sum(len(table) for table in hooks if isinstance(table, dict)) > known


def _computed(module: Module) -> list[Any]:
    """The hooks of weight_norm and spectral_norm, which are data."""
    hooks = module._hooks.forward_pre.values() if module._hooks is not None else ()
    return [hook for hook in hooks if type(hook) in _norms().values()]


def _norms() -> dict[str, Any]:
    from .nn.utils.spectral_norm import SpectralNorm
    from .nn.utils.weight_norm import WeightNorm

    return {"SpectralNorm": SpectralNorm, "WeightNorm": WeightNorm}


def _compute_again(module: Any, kind: Any, fields: Any) -> None:
    """weight_norm or spectral_norm of a module that holds its parts."""
    from .nn.utils._computed import install

    model = vars(_norms()["WeightNorm"]("", 0) if kind == "WeightNorm" else _norms()["SpectralNorm"]())
    if type(fields) is not dict or set(fields) != set(model):
        raise ValueError("fields of a norm")
    hook = object.__new__(_norms()[kind])
    for name, value in fields.items():
        whole = type(value) is int and -64 <= value <= 10_000
        if not (
            type(value) is str if name == "name" else whole or value is None or (name == "eps" and type(value) is float)
        ):
            raise ValueError("a field of a norm")
        hook.__dict__[name] = value
    parts = ("_g", "_v") if kind == "WeightNorm" else ("_orig", "_u", "_v")
    held = all(hook.name + part in module.__dict__ for part in parts)  # and no property is read
    if not held or hook.name in module.__dict__ or not is_free(type(module), hook.name) or hook.name in _OWN:
        raise ValueError("a norm without its parts, or of what is there")
    install(module, hook)


# -- reading ----------------------------------------------------------------------------------------------------------
class ModuleReader:
    """Makes the modules of a table: all of them first, then what they hold, so that any may refer to any."""

    def __init__(self, unpacker: Unpacker, table: Any) -> None:
        if type(table) is not list or len(table) > MAX_MODULES:
            raise ValueError("no table of modules")
        self._unpacker = unpacker
        classes = Classes(Module)
        names: list[Class] = [(node["class"][0], node["class"][1]) for node in table]
        found = {name: classes.find(*name) for name in dict.fromkeys(names)}
        missing = [".".join(name) for name, cls in found.items() if cls is None]
        if missing and not unpacker.placeholders:
            raise Unknown(f"module{'s' if len(missing) > 1 else ''} {', '.join(missing[:8])[:400]}")
        for name in names:
            made: Any = object.__new__(found[name] or ModulePlaceholder)
            Module.__init__(made)
            if found[name] is None:
                made.__dict__["_placeholder_name"] = ".".join(name)
            unpacker.modules.append(made)
        _refuse_cycles([[child for _, child in node["modules"] if child is not None] for node in table])
        for module, node in zip(unpacker.modules, table, strict=True):
            self._fill(module, node)
        for module, node in zip(unpacker.modules, table, strict=True):
            for name, value in node["attributes"]:
                self._check(module, name)
                place(module, name, self._value(value))
            for kind, fields in node.get("computed", ()):
                _compute_again(module, kind, fields)
            if node.get("parametrized"):
                from .nn.utils.parametrize import parametrized_again

                parametrized_again(module, node["parametrized"])

    def _fill(self, module: Any, node: dict[str, Any]) -> None:
        module.__dict__["training"] = node["training"] is True
        for name, value, requires_grad in node["parameters"]:
            self._check(module, name)
            register(module.__dict__, "parameter", name, self._parameter(value, requires_grad is True))
        for name, value, persistent in node["buffers"]:
            self._check(module, name)
            made = None if value is None else self._value(value)
            if made is not None and not isinstance(made, Tensor):
                raise ValueError("a buffer that is no tensor")
            register(module.__dict__, "buffer", name, made, persistent is True)
        for name, child in node["modules"]:
            self._check(module, name)
            made = None if child is None else self._unpacker.module(child, 0)
            register(module.__dict__, "module", name, made)

    def _check(self, module: Any, name: Any) -> None:
        cls = type(module)
        if (
            type(name) is not str
            or not name
            or "." in name
            or name in _OWN
            or name in module.__dict__
            or not is_free(cls, name)
        ):
            raise Unknown(f"attribute {str(name)[:60]!r} of {cls.__name__}")

    def _value(self, node: Any) -> Any:
        """A value of a module; one tensor of the file is one tensor here."""
        if not isinstance(node, dict) or "view" not in node:
            return self._unpacker.unpack(node, 1)
        name, size, stride, offset = node["view"]
        flat = self._unpacker.tensors[name]
        numbers = [*size, *stride, offset]
        if (
            len(size) != len(stride)
            or len(size) > 16
            or any(type(n) is not int or not 0 <= n < 1 << 60 for n in numbers)
        ):
            raise ValueError("a view")
        if 0 in size or offset + sum((n - 1) * s for n, s in zip(size, stride, strict=True)) >= flat.numel():
            raise ValueError("a view outside of its tensor")
        return flat.as_strided(size, stride, offset)

    def _parameter(self, node: Any, requires_grad: bool) -> Parameter | None:
        if node is None:
            return None
        if isinstance(node, dict) and list(node) == ["t"]:
            made: Parameter = self._unpacker.parameter(node["t"], requires_grad)
            return made
        value = self._value(node)
        if not isinstance(value, Tensor):
            raise Unknown("a parameter without a value")
        return Parameter(value, requires_grad=requires_grad and value.is_floating_point())


def _refuse_cycles(children: list[list[Any]]) -> None:
    """ValueError where a module would be its own descendant."""
    state = [0] * len(children)  # 1: above us, 2: done
    for start in range(len(children)):
        stack: list[tuple[int, bool]] = [(start, False)]
        while stack:
            number, left = stack.pop()
            if left:
                state[number] = 2
            elif state[number] == 1:
                continue
            elif state[number] == 0:
                state[number] = 1
                stack.append((number, True))
                for child in children[number]:
                    if type(child) is not int or not 0 <= child < len(children):
                        raise ValueError("no such module")
                    if state[child] == 1:
                        raise ValueError("a module contains itself")
                    if state[child] == 0:
                        stack.append((child, False))
