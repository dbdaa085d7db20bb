"""How a module prints, and how an error tells which layer it came from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .module import Module


def repr_of(top: Module) -> str:
    done: dict[int, str] = {}  # finished texts of the children of open modules
    stack: list[tuple[Module, bool]] = [(top, False)]
    while stack:
        module, ready = stack.pop()
        if ready:
            done[id(module)] = _one_repr(module, done)
        elif id(module) not in done:
            done[id(module)] = "..."  # shown where a module contains itself
            stack.append((module, True))
            stack.extend((child, False) for child in module.children())
    return done[id(top)]


def _one_repr(module: Module, done: dict[int, str]) -> str:
    extra = module.extra_repr()
    rows: list[tuple[str, int, str]] = []  # (first name, count, text)
    for name, child in module._modules.items():
        text = done[id(child)] if child is not None else "None"
        if module._collapse_repr and rows and rows[-1][2] == text:
            rows[-1] = (rows[-1][0], rows[-1][1] + 1, text)
        else:
            rows.append((name, 1, text))
    lines = extra.split("\n") if extra else []
    if not rows and len(lines) <= 1:
        return f"{module._get_name()}({extra})"
    for name, count, text in rows:
        label = f"({name}): " if count == 1 else f"({name}-{int(name) + count - 1}): {count} x "
        lines.append(label + text)
    return f"{module._get_name()}(\n  " + "\n".join(lines).replace("\n", "\n  ") + "\n)"


def say_where(error: Any, module: Module) -> None:
    """Adds ` [in Model.head.fc1]` to the message; each outer module replaces it by its longer path."""
    at = getattr(error, "_in_module", None)
    if at is None:
        if len(error.args) != 1 or not isinstance(error.args[0], str):
            return
        message, path = error.args[0], ""
    else:
        message, child, path = at
        name = next((n for n, m in module.named_modules() if m is child), type(child).__name__)
        path = f".{name}{path}" if name else path
    error._in_module = (message, module, path)
    error.args = (f"{message} [in {type(module).__name__}{path}]",)
