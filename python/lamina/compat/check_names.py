"""`python -m lamina.as_torch --check package`: what a package takes from torch and lamina lacks. Nothing is imported."""

from __future__ import annotations

import ast
import importlib.util
import pathlib
from collections import defaultdict
from collections.abc import Iterator, Sequence

import lamina

from . import c_names
from .torch_import import COMPILED

Uses = dict[str, list[str]]  # torch.x.y -> file:line


def report(packages: Sequence[str]) -> int:
    """Prints the missing names of each package with the places that use them; 1 where there are any, 2 for no package."""
    status = 0
    for package in packages:
        files = list(_files(package))
        if not files:
            print(f"{package}: no such package or folder; nothing of it was imported")
            status = 2
            continue
        missing, compiled = check(files)
        print(f"{package}: {len(files)} files, {len(missing)} names of torch that lamina lacks")
        for name, places in sorted(missing.items(), key=lambda item: (-len(item[1]), item[0])):
            more = f" and {len(places) - 1} more" if len(places) > 1 else ""
            print(f"  {name:45} {places[0]}{more}")
        for name, places in sorted(compiled.items()):
            print(f"  {name:45} {places[0]}  needs PyTorch's C++ library")
        status = max(status, int(bool(missing)))
    return status


def check(files: Sequence[pathlib.Path]) -> tuple[Uses, Uses]:
    """(names of torch that lamina lacks, packages that need PyTorch's C++ library), each with the places of use."""
    uses: Uses = defaultdict(list)
    compiled: Uses = defaultdict(list)
    for file in files:
        try:
            tree = ast.parse(file.read_bytes())
        except (SyntaxError, ValueError):
            continue
        aliases = _imports(tree, file, uses, compiled)
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute):
                name = _dotted(node, aliases)
                if name:
                    uses[name].append(f"{file.name}:{node.lineno}")
    missing = {name: places for name, places in uses.items() if not _there(name)}
    roots = {name for name in missing if name.rpartition(".")[0] not in missing}  # not what hangs on a missing module
    return {name: missing[name] for name in roots}, dict(compiled)


def _files(package: str) -> Iterator[pathlib.Path]:
    path = pathlib.Path(package)
    if not path.exists():
        try:
            spec = importlib.util.find_spec(package)
        except ModuleNotFoundError:
            return
        if spec is None:
            return
        places = list(spec.submodule_search_locations or []) or [spec.origin or ""]
        for place in places:
            yield from _files(place)
    elif path.is_dir():
        yield from sorted(path.rglob("*.py"))
    elif path.suffix == ".py":
        yield path


def _imports(tree: ast.Module, file: pathlib.Path, uses: Uses, compiled: Uses) -> dict[str, str]:
    """Notes what the file imports; gives its local names of torch's modules and objects."""
    aliases: dict[str, str] = {}
    for node in ast.walk(tree):
        if not isinstance(node, (ast.Import, ast.ImportFrom)):
            continue
        home = (node.module or "") if isinstance(node, ast.ImportFrom) and not node.level else ""
        for item in node.names:
            full = f"{home}.{item.name}" if home else item.name
            top = full.partition(".")[0]
            place = f"{file.name}:{node.lineno}"
            if isinstance(node, ast.ImportFrom) and not home:
                continue
            if top in COMPILED:
                compiled[top].append(place)
            if top != "torch" or item.name == "*":
                continue
            uses[full].append(place)
            if home or item.asname:
                aliases[item.asname or item.name] = full
            else:
                aliases["torch"] = "torch"
    return aliases


def _dotted(node: ast.Attribute, aliases: dict[str, str]) -> str:
    """torch.x.y for `alias.x.y`, or nothing."""
    parts = []
    value: ast.expr = node
    while isinstance(value, ast.Attribute):
        parts.append(value.attr)
        value = value.value
    if not isinstance(value, ast.Name) or value.id not in aliases:
        return ""
    return ".".join([aliases[value.id], *reversed(parts)])


def _there(name: str) -> bool:
    """Whether lamina has it; what hangs on an object that is neither a module nor a class is not judged."""
    value: object = lamina
    path = "lamina"
    for part in name.split(".")[1:]:
        if not isinstance(value, (type, type(lamina))):
            return True
        path = f"{path}.{part}"
        try:
            value = c_names if path == "lamina._C" else getattr(value, part)
        except AttributeError:
            try:
                value = importlib.import_module(path)
            except ImportError:
                return part in ("__version__", "__file__", "__path__")
    return True
