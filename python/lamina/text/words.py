"""Vocabulary and WordTokenizer: ids of whole words."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar

from .base import Tokenizer, text_of

SPECIALS = ("<pad>", "<unk>", "<bos>", "<eos>")


class Vocabulary:
    """Tokens with ids: the specials first, then by falling count, equal counts in alphabetical order.

    `tokens` is an iterable of tokens to count, or counts by token. min_freq leaves rarer tokens out, max_size bounds
    the number of ids, specials included. An unknown token has the id of "<unk>"; without that special it is refused.

    >>> import lamina
    >>> v = lamina.text.Vocabulary("to be or not to be".split(), min_freq=2)
    >>> v.tokens, v["be"], v["nothing"]
    (['<pad>', '<unk>', '<bos>', '<eos>', 'be', 'to'], 4, 1)
    """

    def __init__(
        self,
        tokens: Iterable[str] | Mapping[str, int] = (),
        min_freq: int = 1,
        max_size: int | None = None,
        specials: Sequence[str] = SPECIALS,
    ) -> None:
        if isinstance(tokens, str):
            raise TypeError("Vocabulary: tokens must be a list of strings, got one string; hint: split it first")
        if min_freq < 1:
            raise ValueError(f"Vocabulary: min_freq must be at least 1, got {min_freq}")
        if max_size is not None and max_size < max(len(specials), 1):
            raise ValueError(f"Vocabulary: max_size {max_size} leaves no room for the {len(specials)} specials")
        if len(set(specials)) != len(specials):
            raise ValueError(f"Vocabulary: specials must differ, got {list(specials)}")
        counts = Counter(tokens)
        if any(not isinstance(t, str) for t in counts):
            raise TypeError("Vocabulary: tokens must be strings")
        ranked = sorted((-n, t) for t, n in counts.items() if n >= min_freq and t not in specials)
        self.specials = tuple(specials)
        self.tokens = [*specials, *(t for _, t in ranked)][:max_size]
        self._ids = {t: i for i, t in enumerate(self.tokens)}
        self.pad, self.unk, self.bos, self.eos = (self._ids.get(s) if s in specials else None for s in SPECIALS)

    def __len__(self) -> int:
        return len(self.tokens)

    def __contains__(self, token: object) -> bool:
        return token in self._ids

    def __iter__(self) -> Iterator[str]:
        return iter(self.tokens)

    def __getitem__(self, token: str) -> int:
        found = self._ids.get(token, self.unk)
        if found is None:
            raise KeyError(f"Vocabulary: {token!r} is unknown, and there is no '<unk>' among the specials")
        return found

    def lookup(self, tokens: Iterable[str]) -> list[int]:
        """The ids of tokens."""
        return [self[t] for t in tokens]

    def token(self, i: int) -> str:
        """The token of an id."""
        if not 0 <= i < len(self.tokens):
            raise IndexError(f"Vocabulary: id {i} is outside of the vocabulary of {len(self.tokens)}")
        return self.tokens[i]

    def __repr__(self) -> str:
        return f"Vocabulary(size={len(self)})"


class WordTokenizer(Tokenizer):
    """Ids of words and signs: `decode` joins them with spaces, so white space and rare words do not come back.

    Words are runs of letters, digits and underscores, every other sign stands alone; lower: case is folded away.

    >>> import lamina
    >>> tokens = lamina.text.WordTokenizer.train("A cat, a dog.")
    >>> tokens.encode("a dog and a cat", eos=True)
    [4, 8, 1, 4, 7, 3]
    >>> tokens.decode([4, 8])
    'a dog'
    """

    kind: ClassVar[str] = "word"

    def __init__(self, vocabulary: Vocabulary, lower: bool = True) -> None:
        if not isinstance(vocabulary, Vocabulary):
            raise TypeError(f"WordTokenizer: expected a Vocabulary, got {type(vocabulary).__name__}")
        self.vocabulary, self.lower = vocabulary, lower
        self.pad = vocabulary.pad

    @classmethod
    def train(
        cls,
        text: str | Iterable[str],
        min_freq: int = 1,
        max_size: int | None = None,
        specials: Sequence[str] = SPECIALS,
        lower: bool = True,
    ) -> WordTokenizer:
        """The words of a text, or of many."""
        texts = [text] if isinstance(text, str) else text
        counts: Counter[str] = Counter()
        for item in texts:
            counts.update(_words(text_of("WordTokenizer.train", item), lower))
        return cls(Vocabulary(counts, min_freq, max_size, specials), lower)

    def __len__(self) -> int:
        return len(self.vocabulary)

    def encode(self, text: str, bos: bool = False, eos: bool = False) -> list[int]:
        """The ids of a text, on wish between "<bos>" and "<eos>"."""
        v = self.vocabulary
        for name, wanted, has in (("bos", bos, v.bos), ("eos", eos, v.eos)):
            if wanted and has is None:
                raise ValueError(f"WordTokenizer.encode: {name}=True, but '<{name}>' is not among the specials")
        ids = v.lookup(_words(text_of("WordTokenizer.encode", text), self.lower))
        front = [v.bos] if bos and v.bos is not None else []
        return front + ids + ([v.eos] if eos and v.eos is not None else [])

    def decode(self, ids: Iterable[int]) -> str:
        return " ".join(self.vocabulary.tokens[i] for i in self._checked(ids))

    def cut(self, text: str) -> int:
        """Where a stream may be cut without changing its ids: at white space."""
        end = len(text)
        while end > 0 and not text[end - 1].isspace():
            end -= 1
        return end

    def _piece(self, i: int) -> bytes:
        return self.vocabulary.tokens[i].encode("utf-8", "surrogatepass") + b" "

    def _to_json(self) -> dict[str, Any]:
        v = self.vocabulary
        return {"tokens": v.tokens[len(v.specials) :], "specials": list(v.specials), "lower": self.lower}

    @classmethod
    def _from_json(cls, content: dict[str, Any]) -> WordTokenizer:
        words = content["tokens"]
        counts = {t: len(words) - i for i, t in enumerate(words)}  # falling counts keep the order
        return cls(Vocabulary(counts, specials=content["specials"]), content["lower"])


def _words(text: str, lower: bool) -> list[str]:
    return re.findall(r"\w+|[^\w\s]", text.lower() if lower else text)
