"""CharTokenizer: one id a character."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from .base import Tokenizer, text_of


class CharTokenizer(Tokenizer):
    """One id a character, in the order of code points; surrogates are kept, so any str comes back.

    `unknown` (one character) stands for characters that were not in the training text; without it they are refused.

    >>> import lamina
    >>> tokens = lamina.text.CharTokenizer.train("hello")
    >>> tokens.encode("hole"), tokens.decode([1, 0, 2, 2, 3])
    ([1, 3, 2, 0], 'hello')
    """

    kind: ClassVar[str] = "char"

    def __init__(self, characters: Iterable[str], unknown: str | None = None) -> None:
        self.symbols = sorted({*characters, *([] if unknown is None else [unknown])})
        if not self.symbols or any(not isinstance(c, str) or len(c) != 1 for c in self.symbols):
            raise ValueError("CharTokenizer: characters must be single characters, and at least one")
        self.unknown = unknown
        self._ids = {c: i for i, c in enumerate(self.symbols)}

    @classmethod
    def train(cls, text: str, unknown: str | None = None) -> CharTokenizer:
        """The characters of a text."""
        return cls(text_of("CharTokenizer.train", text), unknown)

    def __len__(self) -> int:
        return len(self.symbols)

    def encode(self, text: str) -> list[int]:
        ids = self._ids
        text = text_of("CharTokenizer.encode", text)
        if self.unknown is not None:
            other = ids[self.unknown]
            return [ids.get(c, other) for c in text]
        try:
            return [ids[c] for c in text]
        except KeyError as error:
            raise ValueError(
                f"CharTokenizer.encode: {error.args[0]!r} was not in the training text; hint: CharTokenizer.train(text, "
                'unknown="?") maps such characters to one'
            ) from None

    def decode(self, ids: Iterable[int]) -> str:
        return "".join(self.symbols[i] for i in self._checked(ids))

    def characters(self, ids: Iterable[int]) -> int:
        return len(self._checked(ids))

    def cut(self, text: str) -> int:
        """Where a stream may be cut without changing its ids: anywhere."""
        return len(text)

    def _to_json(self) -> dict[str, Any]:
        return {"characters": [ord(c) for c in self.symbols], "unknown": self.unknown}

    @classmethod
    def _from_json(cls, content: dict[str, Any]) -> CharTokenizer:
        return cls(map(chr, content["characters"]), content["unknown"])
