"""Packages whose names load their file on first use, so that importing them costs nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping


def lazy(package: str, files: Mapping[str, str]) -> tuple[Callable[[str], object], Callable[[], list[str]], list[str]]:
    """(__getattr__, __dir__, __all__) of a package: file -> the names it defines; the files are attributes, too."""
    home = {name: file for file, names in files.items() for name in names.split()}

    def load(name: str) -> object:
        import importlib

        if name in home:
            return getattr(importlib.import_module(f"{package}.{home[name]}"), name)
        if name in files:
            return importlib.import_module(f"{package}.{name}")
        from ._missing import later

        return later(package, name)

    def names() -> list[str]:
        import sys

        return sorted({*vars(sys.modules[package]), *home})

    return load, names, sorted(home)
