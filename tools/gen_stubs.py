"""Writes python/lamina/_C.pyi from the registry of the built module; --check only compares.

usage: gen_stubs.py [--check]
"""

from __future__ import annotations

import argparse
import inspect
import pathlib
import re
import sys

from lamina import _C
from lamina.linalg import classic

TARGET = pathlib.Path(__file__).resolve().parent.parent / "python" / "lamina" / "_C.pyi"
HEADER = '''"""Types of the engine. Written by tools/gen_stubs.py from the registry; do not edit."""

import builtins
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple, TypeAlias, overload

from typing_extensions import Self

Number: TypeAlias = builtins.int | builtins.float | builtins.bool

class ValuesIndices(NamedTuple):
    values: Tensor
    indices: Tensor

class MinMax(NamedTuple):
    min: Tensor
    max: Tensor

class Histogram(NamedTuple):
    hist: Tensor
    bin_edges: Tensor

'''
# Dunders that come from slots, with their types.
OPERATORS = ["add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "and", "or", "xor", "lshift", "rshift"]
COMPARISONS = ["lt", "le", "gt", "ge", "eq", "ne"]


def elementwise_signature(row: dict, method: bool) -> str:
    e = row["elementwise"]
    first, *others = e["operands"]
    parts = ["self" if method else f"{first}: Tensor | Number" if others else f"{first}: Tensor"]
    parts += [f"{n}: Tensor | Number" for n in others]
    parts += [f"{n}: Number = {v:g}" for n, v in e["params"]]
    if not method and not others:
        parts.append("inplace: bool = False")
    return f"({', '.join(parts)}) -> Tensor"


def row_signatures(row: dict, method: bool) -> list[tuple[str, str]]:
    if not row["overloads"]:
        return [(elementwise_signature(row, method), row["elementwise"]["doc"])]
    out = []
    for o in row["overloads"]:
        parts = []
        for i, (name, kind, default, varargs) in enumerate(o["params"]):
            if method and i == 0:
                parts.append("self")
            elif varargs:
                star = not default and i == len(o["params"]) - 1
                parts.append(f"*{name}: Any" if star or not default else f"{name}: {kind} = {default}")
            else:
                parts.append(f"{name}: {kind}" + (f" = {default}" if default else ""))
        # After *args the rest is keyword-only, which is how it is called.
        out.append((f"({', '.join(parts)}) -> {o['result']}", o["doc"]))
    return out


def with_out(signature: str) -> str:
    """The signature of a function, whose result may be written into a tensor (or several)."""
    arguments, _, result = signature.rpartition(") -> ")
    if "Tensor" not in result and result not in ("Any", "ValuesIndices", "MinMax", "Histogram"):
        return signature
    star = "" if "*" in arguments else "*, "
    return f"{arguments}, {star}out: Any = None) -> {result}"


def free_signatures(row: dict) -> list[tuple[str, str]]:
    return [(with_out(s), doc) for s, doc in row_signatures(row, False)]


def function(name: str, signatures: list[tuple[str, str]], indent: str) -> str:
    lines = []
    for signature, doc in signatures:
        if len(signatures) > 1:
            lines.append(f"{indent}@overload")
        lines.append(f'{indent}def {name}{signature}:\n{indent}    """{doc}"""')
    return "\n".join(lines) + "\n"


def pybind_signature(member: object, name: str, method: bool) -> tuple[str, str]:
    """From the docstring that pybind11 writes; argument types it cannot know become Any."""
    doc = (inspect.getdoc(member) or "").strip()
    text = doc.splitlines()[0] if doc else f"{name}(*args, **kwargs)"
    match = re.match(r"\w+\((.*)\)(?: -> (.*))?$", text)
    arguments, result = (match.group(1), match.group(2)) if match else ("*args: Any, **kwargs: Any", None)
    parts = []
    for i, part in enumerate(p for p in re.split(r",\s*(?![^\[]*\])", arguments) if p):
        if method and i == 0:
            parts.append("self")
            continue
        head, _, default = part.partition(" = ")
        label = head.split(":")[0].strip()
        parts.append(label if label in ("*", "/") else f"{label}: Any" + (" = ..." if default else ""))
    known = {"int", "float", "bool", "str", "None", "Tensor"}
    returned = (result or "Any").replace("lamina._C.", "").replace("lamina.", "")
    rest = "\n".join(doc.splitlines()[1:]).strip()
    return f"({', '.join(parts)}) -> {returned if returned in known else 'Any'}", rest or name


def python_signature(function: object) -> tuple[str, str]:
    """Of a method that hands its arguments on to a Python function."""
    parts = ["self"]
    for p in list(inspect.signature(function).parameters.values())[1:]:
        parts.append(f"{p.name}: Any" + ("" if p.default is p.empty else " = ..."))
    return f"({', '.join(parts)}) -> Any", (inspect.getdoc(function) or function.__name__).splitlines()[0]


def written_signature(function: object) -> tuple[str, str]:
    """Of a method written in Python, with the types that its source says; its defaults stay there."""
    parts, bare = [], True
    for p in inspect.signature(function).parameters.values():
        if p.kind is p.KEYWORD_ONLY and bare:
            parts.append("*")
        bare = bare and p.kind is not p.VAR_POSITIONAL and p.kind is not p.KEYWORD_ONLY
        star = "*" if p.kind is p.VAR_POSITIONAL else "**" if p.kind is p.VAR_KEYWORD else ""
        default = "" if p.default is p.empty else " = ..."
        parts.append("self" if p.name == "self" else f"{star}{p.name}: {p.annotation}{default}")
    result = inspect.signature(function).return_annotation
    return f"({', '.join(parts)}) -> {result}", (inspect.getdoc(function) or function.__name__).splitlines()[0]


def aliased(member: object, rows: list[dict]) -> dict | None:
    """The row of an operation that stands under a second name."""
    if not isinstance(member, type(_C.add)):
        return None
    return next(r for r in rows if r["name"] == member.__name__)


def tensor_class(rows: list[dict]) -> str:
    body = ["class Tensor:", '    """A multi-dimensional array of one dtype, with automatic differentiation."""', ""]
    body.append("    def __new__(cls, data: Tensor, *args: Any, **kwargs: Any) -> Self: ...")
    body.append("    def __getitem__(self, index: Any, /) -> Tensor: ...")
    body.append("    def __setitem__(self, index: Any, value: Tensor | Number, /) -> None: ...")
    body.append("    def __iter__(self) -> Iterator[Tensor]: ...")
    for name in OPERATORS:
        body.append(f"    def __{name}__(self, other: Tensor | Number, /) -> Tensor: ...")
        body.append(f"    def __r{name}__(self, other: Tensor | Number, /) -> Tensor: ...")
        body.append(f"    def __i{name}__(self, other: Tensor | Number, /) -> Tensor: ...")
    for name in COMPARISONS:
        note = "  # type: ignore[override]" if name in ("eq", "ne") else ""
        body.append(f"    def __{name}__(self, other: Any, /) -> Tensor: ...{note}")
    for name in ("neg", "pos", "abs", "invert"):
        body.append(f"    def __{name}__(self) -> Tensor: ...")
    body += [
        "    def __matmul__(self, other: Tensor, /) -> Tensor: ...",
        "    def __rmatmul__(self, other: Tensor, /) -> Tensor: ...",
        "    def __hash__(self) -> int: ...",
        "    def __bool__(self) -> bool: ...",
        "    def __float__(self) -> float: ...",
        "    def __int__(self) -> int: ...",
        "    def __index__(self) -> int: ...",
        "    def __len__(self) -> int: ...",
    ]
    ops = {r["name"] for r in rows if "m" in r["where"]}
    plain = {"__module__", "__doc__", "__dict__", "__new__", "__init__", "__hash__", "__weakref__"}
    for name, member in sorted(vars(_C.Tensor).items()):
        if (
            name in ops
            or name in plain
            or type(member).__name__
            in ("wrapper_descriptor", "member_descriptor", "getset_descriptor", "builtin_function_or_method")
        ):
            continue
        if isinstance(member, property):
            body.append(f'    @property\n    def {name}(self) -> Any:\n        """{member.__doc__ or name}"""')
            if member.fset:
                body.append(f"    @{name}.setter\n    def {name}(self, value: Any) -> None: ...")
            continue
        if isinstance(member, bool):
            body.append(f"    {name}: builtins.bool")
            continue
        if row := aliased(member, rows):
            body.append(function(name, row_signatures(row, True), "    ").rstrip("\n"))
        elif inspect.isfunction(member):
            body.append(function(name, [written_signature(member)], "    ").rstrip("\n"))
        elif callable(member):
            twin = vars(classic).get(name)  # a method that calls the Python function of its name
            signature, doc = (
                python_signature(twin)
                if inspect.isfunction(twin) and not name.startswith("_")
                else pybind_signature(member, name, True)
            )
            body.append(f'    def {name}{signature}:\n        """{doc}"""')
    for row in sorted(rows, key=lambda r: r["name"]):
        if "m" in row["where"]:
            body.append(function(row["name"], row_signatures(row, True), "    "))
    return "\n".join(body) + "\n\n"


def module_members(rows: list[dict]) -> str:
    ops = {r["name"] for r in rows if "f" in r["where"]}
    out = []
    for name, member in sorted(vars(_C).items()):
        if name in ops or (name.startswith("__") and name != "__version__") or name in ("Tensor", "dtype", "device"):
            continue
        if isinstance(member, _C.dtype):
            out.append(f"{name}: dtype")
        elif isinstance(member, type) and issubclass(member, BaseException):
            bases = ", ".join(b.__name__ for b in member.__bases__)
            out.append(f"class {name}({bases}): ...")
        elif isinstance(member, type):
            out.append(f"class {name}:\n    def __init__(self, *args: Any, **kwargs: Any) -> None: ...")
            for k, v in sorted(vars(member).items()):
                if k.startswith("_") and k not in ("__enter__", "__exit__", "__len__"):
                    continue
                if isinstance(v, property):
                    out.append(f"    @property\n    def {k}(self) -> Any: ...")
                elif callable(v):
                    out.append(f"    def {k}{pybind_signature(v, k, True)[0]}: ...")
        elif inspect.ismodule(member):
            continue
        elif row := aliased(member, rows):
            out.append(function(name, free_signatures(row), "").rstrip("\n"))
        elif callable(member):
            signature, doc = pybind_signature(member, name, False)
            out.append(f'def {name}{signature}:\n    """{doc}"""')
        elif isinstance(member, _C.Generator):
            out.append(f"{name}: Generator")
        elif isinstance(member, str):
            out.append(f"{name}: str")
    return "\n".join(out) + "\n\n"


def submodules(rows: list[dict]) -> str:
    out = []
    for home, doc in (("functional", "lamina.nn.functional"), ("_linalg", "lamina.linalg")):
        out += [f"class {home}:", f'    """Operations of {doc}."""']
        for name, member in sorted(vars(getattr(_C, home)).items()):
            if row := aliased(member, rows):
                text = function(name, free_signatures(row), "    ")
                out.append(re.sub(r"^    def ", "    @staticmethod\n    def ", text, flags=re.M))
    for name, member in sorted(vars(_C).items()):
        if inspect.ismodule(member) and name not in ("functional", "_linalg"):
            out.append(f"class {name}:")
            for k, v in sorted(vars(member).items()):
                if callable(v) and not k.startswith("__"):
                    out.append(f"    @staticmethod\n    def {k}{pybind_signature(v, k, False)[0]}: ...")
    return "\n".join(out) + "\n"


def read_only(fact: str) -> str:
    name, kind = fact.split(": ")
    return f"    @property\n    def {name}(self) -> {kind}: ...\n"


def text() -> str:
    rows = _C._registry()
    members = [HEADER]
    facts = "name: str", "itemsize: int", "is_floating_point: bool", "is_signed: bool", "is_complex: bool"
    members.append("class dtype:\n" + "".join(read_only(fact) for fact in facts) + "\n")
    start = "def __init__(self, type: str | device, index: int | None = None) -> None: ..."
    members.append(f"class device:\n    {start}\n{read_only('type: str')}{read_only('index: int | None')}\n")
    members.append("_Dtype: TypeAlias = dtype\n_Device: TypeAlias = device\n\n")
    # Tensor.dtype and Tensor.device hide the classes of these names inside the class.
    members.append(re.sub(r": (dtype|device)\b", lambda m: ": _" + m[1].capitalize(), tensor_class(rows)))
    for row in sorted(rows, key=lambda r: r["name"]):
        if "f" in row["where"]:
            members.append(function(row["name"], free_signatures(row), ""))
    members.append(module_members(rows))
    members.append(submodules(rows))
    # `int`, `float` and `bool` name dtypes and methods here, so types say builtins.int and so on.
    body = re.sub(r"(: |-> |\[|\| )(int|float|bool)\b", r"\1builtins.\2", "".join(members[1:]))
    return members[0] + body


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="only say whether the file is up to date")
    arguments = parser.parse_args()
    new = text()
    if arguments.check:
        if not TARGET.exists() or TARGET.read_text() != new:
            print(f"{TARGET.name} is stale: run python tools/gen_stubs.py", file=sys.stderr)
            return 1
        print(f"{TARGET.name} is up to date")
        return 0
    TARGET.write_text(new)
    print(f"wrote {TARGET}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
