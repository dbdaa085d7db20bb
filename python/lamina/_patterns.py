"""Names of parameters and modules by pattern: a glob, a module's name, or a compiled regular expression."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase

Pattern = str | re.Pattern[str]


def matches(pattern: Pattern, name: str, suffix: bool = False) -> bool:
    """A glob over the whole name, the name of a module above it, or a regular expression found anywhere in it.

    suffix: also the last parts of the name ("q_proj" for "layers.3.q_proj").
    """
    if isinstance(pattern, re.Pattern):
        return pattern.search(name) is not None
    if fnmatchcase(name, pattern) or fnmatchcase(name, pattern + ".*"):
        return True
    return suffix and fnmatchcase(name, "*." + pattern)


def matched(what: str, patterns: Sequence[Pattern], names: Iterable[str], suffix: bool = False) -> list[list[str]]:
    """The names that each pattern matches; ValueError with the nearest names for one that matches none."""
    known = list(names)
    found = []
    for pattern in patterns:
        if not isinstance(pattern, (str, re.Pattern)):
            raise TypeError(f"{what}: a pattern is a str or a compiled re.Pattern, got {type(pattern).__name__}")
        hits = [name for name in known if matches(pattern, name, suffix)]
        if not hits:
            text = pattern if isinstance(pattern, str) else pattern.pattern
            raise ValueError(f"{what}: {text!r} matches no name{nearest(text, known)}")
        found.append(hits)
    return found


def nearest(name: str, known: Sequence[str]) -> str:
    """`; nearest: 'a', 'b'` for an error, among the names and the modules above them."""
    from difflib import get_close_matches

    modules = [path.rpartition(".")[0] for path in known]
    near = get_close_matches(name.strip("*."), [n for n in dict.fromkeys([*known, *modules]) if n], 3, 0.4)
    shown = near or list(known[:3])
    return f"; nearest: {', '.join(map(repr, shown))}" if shown else ""
