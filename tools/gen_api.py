"""Writes docs/api.md, the reference of every operation, layer and optimizer, from the registry; --check only compares.

What an operation supports is measured on its test samples: dtypes that it takes, gradient, gradient of the gradient.
usage: gen_api.py [--check] (needs the built module and tests/)
"""

from __future__ import annotations

import argparse
import inspect
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tools")]

import harness  # noqa: E402
import lamina  # noqa: E402
from gen_stubs import row_signatures  # noqa: E402

TARGET = ROOT / "docs" / "api.md"
DTYPES = {"float64": "f64", "float32": "f32", "bfloat16": "bf16", "float16": "f16"}
WHERE = {"f": "lamina.", "n": "lamina.nn.functional.", "l": "lamina.linalg.", "m": "Tensor."}
ON_CUDA = frozenset("sum mean matmul mm bmm mv dot linear clone contiguous copy_ fill_ zero_".split())
HEADER = """# Reference

Written by `tools/gen_api.py` from the registry and the docstrings; do not edit. Signatures, semantics and defaults are
PyTorch's; [differences.md](differences.md) lists where not. The table says what the tests' own samples show: floating dtypes,
whether a gradient (1) and a gradient of the gradient (2) exist, and whether a CUDA kernel exists.

"""


def support(name: str) -> tuple[str, str]:
    """Floating dtypes and order of differentiation of one operation, from its samples."""
    if not harness.twins().get(name):
        return "", ""
    found = []
    for dtype, short in DTYPES.items():
        try:
            for case in harness.cases(name):
                case.run(dtype)
            found.append(short)
        except lamina.DtypeError:
            pass
    twin = harness.twins()[name]
    return " ".join(found), "2" if twin.grad and twin.second else "1" if twin.grad else ""


def operations() -> list[str]:
    out = ["## Operations", "", "| name | found as | dtypes | gradient | CUDA |", "|---|---|---|---|---|"]
    details = ["", "## Signatures", ""]
    for name, row in sorted(harness.REGISTRY.items()):
        places = " ".join(f"`{WHERE[w]}{name.removeprefix('linalg_')}`" for w in row["where"] if w in WHERE)
        if not places or (name.endswith("_") and name[:-1] in harness.REGISTRY):
            continue
        if name + "_" in harness.REGISTRY:
            places += f" `Tensor.{name}_`"
        dtypes, order = support(name)
        cuda = "yes" if "elementwise" in row or name in ON_CUDA else ""
        out.append(f"| {name} | {places} | {dtypes} | {order} | {cuda} |")
        details += [f"- `{name}{s}` {doc}" for s, doc in row_signatures(row, False)]
    return out + details


def classes(title: str, module: object, base: type) -> list[str]:
    out = ["", f"## {title}", ""]
    for name in sorted(dir(module)):
        member = getattr(module, name)
        if inspect.isclass(member) and issubclass(member, base) and member is not base:
            doc = (inspect.getdoc(member) or "").split("\n\n")[0].replace("\n", " ")
            out.append(f"- `{name}{plain_signature(member)}` {doc}")
    return out


class Named:
    """A function among the defaults, shown by its name: its address changes from run to run."""

    def __init__(self, function: object) -> None:
        self.name = function.__name__

    def __repr__(self) -> str:
        return self.name


def plain_signature(member: type) -> inspect.Signature:
    """Names and defaults: the types are in the docstring and the sources."""
    s = inspect.signature(member)
    plain = [p.replace(annotation=inspect.Parameter.empty) for p in s.parameters.values()]
    plain = [p.replace(default=Named(p.default)) if inspect.isroutine(p.default) else p for p in plain]
    return s.replace(parameters=plain, return_annotation=inspect.Signature.empty)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="only compare")
    check = parser.parse_args().check
    lines = operations()
    lines += classes("Layers and losses (lamina.nn)", lamina.nn, lamina.nn.Module)
    lines += classes("Optimizers (lamina.optim)", lamina.optim, lamina.optim.Optimizer)
    schedulers = lamina.optim.lr_scheduler
    lines += classes("Learning rates (lamina.optim.lr_scheduler)", schedulers, object)
    text = HEADER + "\n".join(lines) + "\n"
    if not check:
        TARGET.write_text(text)
    elif not TARGET.exists() or TARGET.read_text() != text:
        print("docs/api.md is out of date: run python tools/gen_api.py")
        return 1
    print(f"docs/api.md: {len(harness.REGISTRY)} operations")
    return 0


if __name__ == "__main__":
    sys.exit(main())
