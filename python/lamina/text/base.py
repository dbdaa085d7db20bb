"""Tokenizer: what all tokenizers share, and the one JSON file each is saved as."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import lamina

if TYPE_CHECKING:
    from .._C import Tensor

T = TypeVar("T", bound="Tokenizer")
Path = str | os.PathLike[str]


class Tokenizer:
    """Base class: text to ids and back. `Tokenizer.load(path)` reads a tokenizer of any kind.

    A kind writes `encode`, `_piece` (the text of one id, as bytes), `__len__`, `_to_json` and `_from_json`.

    >>> import lamina
    >>> tokens = lamina.text.CharTokenizer.train("hello")
    >>> isinstance(tokens, lamina.text.Tokenizer), len(tokens)
    (True, 4)
    """

    kind: ClassVar[str] = ""
    pad: int | None = None  # the id that fills up short rows of `batch`

    def __len__(self) -> int:
        raise NotImplementedError(f"{type(self).__name__} must define __len__")

    def encode(self, text: str) -> list[int]:
        """The ids of a text."""
        raise NotImplementedError(f"{type(self).__name__} must define encode")

    def decode(self, ids: Iterable[int]) -> str:
        """The text of ids (a list, or an integer tensor or array of one dim)."""
        return b"".join(map(self._piece, self._checked(ids))).decode("utf-8", "replace")

    def characters(self, ids: Iterable[int]) -> int:
        """How many characters of text the ids stand for: what bits per character are counted in."""
        counts: dict[int, int] = {}
        for i in self._checked(ids):
            counts[i] = counts.get(i, 0) + 1
        return sum(n * sum(byte & 0xC0 != 0x80 for byte in self._piece(i)) for i, n in counts.items())

    def batch(self, texts: Sequence[str], length: int | None = None) -> tuple[Tensor, Tensor]:
        """Ids int64 (N, L) and true lengths int64 (N); short rows end with `pad`, or with 0 where there is none.

        L is the longest row; `length` cuts longer rows off.
        """
        if isinstance(texts, str):
            raise TypeError(f"{type(self).__name__}.batch: texts must be a list of strings, got one string")
        if length is not None and length < 1:
            raise ValueError(f"{type(self).__name__}.batch: length must be positive, got {length}")
        rows = [self.encode(text)[:length] for text in texts]
        width = max(map(len, rows), default=0)
        filled = [row + [self.pad or 0] * (width - len(row)) for row in rows]
        ids = lamina.tensor(filled, dtype=lamina.int64).reshape(len(rows), width)
        return ids, lamina.tensor([len(row) for row in rows], dtype=lamina.int64)

    def save(self, path: Path) -> None:
        """Writes one JSON file; an old file stays whole until the new one is complete."""
        name = os.fspath(path)
        text = json.dumps({"lamina.tokenizer": self.kind, **self._to_json()}, ensure_ascii=True)
        part = f"{name}.{os.getpid()}.part"
        try:
            with open(part, "w", encoding="ascii") as file:
                file.write(text)
            os.replace(part, name)
        except OSError as error:
            if os.path.exists(part):
                os.remove(part)
            raise lamina.FileError(f"{name}: cannot be written ({error.strerror or error})") from None

    @classmethod
    def load(cls: type[T], path: Path) -> T:
        """What `save` wrote; called on a kind, a file of another kind is refused."""
        name = os.fspath(path)
        try:
            with open(name, encoding="utf-8") as file:
                content = json.load(file)
            kind = content.pop("lamina.tokenizer")
            found = next((c for c in _kinds() if c.kind == kind), None)
            if found is None:
                raise ValueError(f"unknown kind {kind!r}")
            tokenizer = found._from_json(content)
        except OSError as error:
            raise lamina.FileError(f"{name}: cannot be read ({error.strerror or error})") from None
        except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError) as error:
            raise lamina.FileError(f"{name}: not a tokenizer that lamina saved ({error})") from None
        if not isinstance(tokenizer, cls):
            raise lamina.FileError(f"{name}: holds a {type(tokenizer).__name__}, expected a {cls.__name__}")
        return tokenizer

    def _piece(self, i: int) -> bytes:
        raise NotImplementedError(f"{type(self).__name__} must define _piece")

    def _to_json(self) -> dict[str, Any]:
        raise NotImplementedError(f"{type(self).__name__} must define _to_json")

    @classmethod
    def _from_json(cls, content: dict[str, Any]) -> Tokenizer:
        raise NotImplementedError(f"{cls.__name__} must define _from_json")

    def _checked(self, ids: Any) -> list[int]:
        """Ids as plain ints, each inside the vocabulary."""
        values = ids.tolist() if hasattr(ids, "tolist") else list(ids)
        size = len(self)
        for i in values if isinstance(values, list) else [values]:
            if type(i) is not int:
                raise TypeError(f"{type(self).__name__}.decode: ids must be ints in one dim, found {type(i).__name__}")
            if not 0 <= i < size:
                raise IndexError(f"{type(self).__name__}.decode: id {i} is outside of the vocabulary of {size}")
        return values if isinstance(values, list) else [values]

    def __repr__(self) -> str:
        return f"{type(self).__name__}(size={len(self)})"


def _kinds() -> list[type[Tokenizer]]:
    """All kinds of tokenizers, those of other programs too."""
    found = [Tokenizer]
    for cls in found:
        found.extend(cls.__subclasses__())
    return found


def text_of(owner: str, text: Any) -> str:
    """The argument, which must be a string."""
    if not isinstance(text, str):
        raise TypeError(f"{owner}: text must be a string, got {type(text).__name__}")
    return text
