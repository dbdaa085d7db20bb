"""BPETokenizer: byte-level byte-pair encoding."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from heapq import heapify, heappop, heappush
from itertools import pairwise
from typing import Any, ClassVar

from .base import Tokenizer, text_of

# Words, after GPT-2: a contraction, letters, digits or signs with one space before them, or white space. All bytes from
# 128 on count as letters: the rule then knows no Unicode tables, which change with Python's version.
WORDS = re.compile(
    rb"'(?:[sdmt]|ll|ve|re)| ?[A-Za-z\x80-\xff]+| ?[0-9]+| ?[^\sA-Za-z0-9\x80-\xff]+|\s+(?!\S)|\s+",
)
_CACHE = 1 << 17  # words whose ids are remembered


class BPETokenizer(Tokenizer):
    """Byte-pair encoding of UTF-8 bytes (arXiv 1508.07909, GPT-2's byte level): every str and bytes can be encoded.

    Ids 0 to 255 are the bytes, then one id a merge in order of training, then the special tokens. `merges` holds pairs
    of ids, the most frequent first; merges never cross the border of a word. Special tokens in a text are ordinary text
    unless `encode(..., special=True)`, so text from strangers cannot forge them.

    >>> import lamina
    >>> tokens = lamina.text.BPETokenizer.train("low lower lowest", vocab_size=259, special_tokens=["<end>"])
    >>> tokens.encode("low<end>", special=True), len(tokens)
    ([257, 258], 259)
    >>> tokens.decode(tokens.encode("naïve"))
    'naïve'
    """

    kind: ClassVar[str] = "bpe"

    def __init__(self, merges: Iterable[Sequence[int]] = (), special_tokens: Sequence[str] = ()) -> None:
        self.merges: list[tuple[int, int]] = []
        self._bytes = [bytes([i]) for i in range(256)]
        for pair in merges:
            left, right = pair
            for side in (left, right):
                if type(side) is not int or not 0 <= side < len(self._bytes):
                    raise ValueError(f"BPETokenizer: merge {len(self.merges)} joins {pair}, an id that is not made yet")
            self.merges.append((left, right))
            self._bytes.append(self._bytes[left] + self._bytes[right])
        self._made = {pair: 256 + i for i, pair in enumerate(self.merges)}
        if len(self._made) != len(self.merges):
            raise ValueError("BPETokenizer: the same pair is merged twice")
        if isinstance(special_tokens, str) or any(not isinstance(s, str) or not s for s in special_tokens):
            raise ValueError(f"BPETokenizer: special_tokens must be a list of strings, got {special_tokens!r}")
        if len(set(special_tokens)) != len(special_tokens):
            raise ValueError("BPETokenizer: the same special token is given twice")
        self.special_tokens = {s: len(self._bytes) + i for i, s in enumerate(special_tokens)}
        self._bytes += [_utf8(s) for s in special_tokens]
        longest_first = sorted(self.special_tokens, key=len, reverse=True)
        self._special = re.compile("|".join(map(re.escape, longest_first))) if special_tokens else None
        self._cache: dict[bytes, list[int]] = {}

    @classmethod
    def train(cls, text: str | bytes, vocab_size: int, special_tokens: Sequence[str] = ()) -> BPETokenizer:
        """Merges the most frequent pair until `vocab_size` ids are there, or no pair occurs twice.

        Among pairs of equal count the one with the smallest (left id, right id) is merged first. Counts are kept up to
        date at the places of the merged pair alone, and each different word is stored once with its count.
        """
        count = vocab_size - 256 - len(special_tokens)
        if count < 0:
            raise ValueError(
                f"BPETokenizer.train: vocab_size must be at least {256 + len(special_tokens)} (256 bytes and "
                f"{len(special_tokens)} special tokens), got {vocab_size}"
            )
        from .bpe_train import learn

        return cls(learn(WORDS.findall(_as_bytes("BPETokenizer.train", text)), count), special_tokens)

    def __len__(self) -> int:
        return len(self._bytes)

    def encode(self, text: str | bytes, special: bool = False) -> list[int]:
        """The ids of a text or of bytes; `special`: special tokens in a str become their own ids."""
        if special and self._special is not None:
            text = text_of("BPETokenizer.encode (with special=True)", text)
            out: list[int] = []
            start = 0
            for found in self._special.finditer(text):
                out += self.encode(text[start : found.start()])
                out.append(self.special_tokens[found.group()])
                start = found.end()
            return out + self.encode(text[start:])
        cache = self._cache
        out = []
        for word in WORDS.findall(_as_bytes("BPETokenizer.encode", text)):
            ids = cache.get(word)
            if ids is None:
                ids = self._merge(word)
                if len(cache) < _CACHE:
                    cache[word] = ids
            out += ids
        return out

    def decode_bytes(self, ids: Iterable[int]) -> bytes:
        """The bytes of ids: always what was encoded."""
        return b"".join([self._bytes[i] for i in self._checked(ids)])

    def decode(self, ids: Iterable[int]) -> str:
        """The text of ids; bytes that are no UTF-8 become U+FFFD, lone surrogates of Python strings come back."""
        content = self.decode_bytes(ids)
        try:
            return content.decode("utf-8", "surrogatepass")
        except UnicodeDecodeError:
            return content.decode("utf-8", "replace")

    def cut(self, text: str) -> int:
        """Where a stream may be cut without changing its ids: before white space that follows something else."""
        end = len(text)
        while end > 0:
            end -= 1
            if text[end] in " \t\n\r\x0b\x0c" and end > 0 and text[end - 1] not in " \t\n\r\x0b\x0c":
                return end
        return 0

    def _merge(self, word: bytes) -> list[int]:
        """Merges of the lowest rank first, from the left, in O(n log n): a heap of places over a linked list."""
        ids = list(word)
        if len(ids) == 1:
            return ids
        made, size = self._made, len(ids)
        following = list(range(1, size + 1))
        before = list(range(-1, size - 1))
        heap = [(made[p], i) for i, p in enumerate(pairwise(ids)) if p in made]
        heapify(heap)
        while heap:
            new, i = heappop(heap)
            j = following[i]
            if j >= size or ids[i] < 0 or made.get((ids[i], ids[j])) != new:
                continue  # one of the two was merged meanwhile
            ids[i], ids[j] = new, -1
            k = following[i] = following[j]
            if k < size:
                before[k] = i
                rank = made.get((new, ids[k]))
                if rank is not None:
                    heappush(heap, (rank, i))
            h = before[i]
            if h >= 0:
                rank = made.get((ids[h], new))
                if rank is not None:
                    heappush(heap, (rank, h))
        return [i for i in ids if i >= 0]

    def _piece(self, i: int) -> bytes:
        return self._bytes[i]

    def _to_json(self) -> dict[str, Any]:
        return {"merges": self.merges, "special_tokens": list(self.special_tokens)}

    @classmethod
    def _from_json(cls, content: dict[str, Any]) -> BPETokenizer:
        return cls(content["merges"], content["special_tokens"])


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _as_bytes(owner: str, text: Any) -> bytes:
    if isinstance(text, (bytes, bytearray)):
        return bytes(text)
    if not isinstance(text, str):
        raise TypeError(f"{owner}: text must be a string or bytes, got {type(text).__name__}")
    return _utf8(text)
