"""torch.torch_version: a version that compares by its numbers."""

from __future__ import annotations

import re
from typing import Any


def _key(version: Any) -> tuple[tuple[int, ...], bool]:
    """(numbers without closing zeros, whether it is a release): 2.1rc1 comes before 2.1."""
    text = ".".join(map(str, version)) if isinstance(version, (tuple, list)) else str(version)
    match = re.match(r"\s*v?(\d+(?:\.\d+)*)", text)
    if not match:
        raise ValueError(f"TorchVersion: {version!r} is not a version")
    numbers = [int(part) for part in match.group(1).split(".")]
    while len(numbers) > 1 and not numbers[-1]:
        numbers.pop()
    return tuple(numbers), not re.match(r"\.?(a|b|rc|dev)", text[match.end() :])


class TorchVersion(str):
    """A str; <, <=, ==, > and >= with texts and tuples go by the numbers.

    >>> from lamina.torch_version import TorchVersion
    >>> TorchVersion("2.6.0+lamina") >= "2.10", TorchVersion("2.6.0+lamina") > (1, 12)
    (False, True)
    """

    __slots__ = ()

    def _compare(self, other: Any, outcomes: str) -> bool:
        try:
            mine, theirs = _key(self), _key(other)
        except ValueError:
            return False
        return ("<" if mine < theirs else ">" if mine > theirs else "=") in outcomes

    def __lt__(self, other: Any) -> bool:
        return self._compare(other, "<")

    def __le__(self, other: Any) -> bool:
        return self._compare(other, "<=")

    def __gt__(self, other: Any) -> bool:
        return self._compare(other, ">")

    def __ge__(self, other: Any) -> bool:
        return self._compare(other, ">=")

    def __eq__(self, other: object) -> bool:
        return str.__eq__(self, other) is True or self._compare(other, "=")

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = str.__hash__
