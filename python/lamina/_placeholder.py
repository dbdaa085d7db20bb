"""Placeholder: what stands in a loaded tree for an object that no file may make."""

from __future__ import annotations

from typing import Any


class Placeholder:
    """The record of an object whose class `load` does not make: nothing of that class has run.

    `name` is the class or function in the file, `args` what it was called with, `state` what it was given afterwards
    (usually the dict of its attributes), `items` what was put into it as a list or dict.
    """

    __slots__ = ("args", "items", "name", "state")

    def __init__(self, name: str, args: tuple[Any, ...] = (), state: Any = None) -> None:
        self.name, self.args, self.state = name, args, state
        self.items: list[Any] = []

    def __repr__(self) -> str:
        known = f", attributes: {', '.join(map(str, list(self.state)[:6]))}" if isinstance(self.state, dict) else ""
        return f"<Placeholder for {self.name}{known}>"


def check_unknown(unknown: str) -> bool:
    """Whether placeholders are wanted."""
    if unknown not in ("error", "placeholder"):
        raise ValueError(f"load: unknown must be 'error' or 'placeholder', got {unknown!r}")
    return unknown == "placeholder"
