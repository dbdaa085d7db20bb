"""Metrics of text: perplexity and BLEU."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

from ._base import ExactSum, Metric, to_array


class Perplexity(Metric):
    """exp of the mean cross entropy of the tokens: how many equally likely tokens the model hesitates between.

    `update(logits, target)`: (N, C, *) with classes (N, *); `dim` says where C is, for example -1 for (N, T, C). Tokens
    whose target is `ignore_index` do not count.

    >>> import lamina
    >>> metric = lamina.metrics.Perplexity()
    >>> metric.update(lamina.zeros(3, 4), lamina.tensor([0, 1, 3]))
    >>> round(metric.compute(), 4)
    4.0
    """

    def __init__(self, dim: int = 1, ignore_index: int = -100) -> None:
        self.dim, self.ignore_index = dim, ignore_index
        super().__init__()

    def reset(self) -> None:
        self._sum, self._count = ExactSum(), 0

    def update(self, output: Any, target: Any) -> None:
        from .. import as_tensor, no_grad
        from ..nn.functional import cross_entropy

        logits, classes = as_tensor(output), as_tensor(target)
        with no_grad():
            each = cross_entropy(
                logits.detach().movedim(self.dim, 1), classes, reduction="none", ignore_index=self.ignore_index
            )
            kept = classes != self.ignore_index
            self._sum.add(to_array("Perplexity", each[kept]))
            self._count += int(kept.sum().item())

    def compute(self) -> float:
        mean = self._sum.over(self._count)
        return math.exp(mean) if mean < 700 else math.inf if mean == mean else mean

    def _merge(self, other: Perplexity) -> None:
        self._sum.merge(other._sum)
        self._count += other._count


class BLEU(Metric):
    """Corpus BLEU (Papineni et al. 2002): n-gram precisions, clipped by the references, and a penalty for brevity.

    `update(candidates, references)`: sentences as lists of tokens (strings are split at spaces), and for each one its
    references: a list of sentences, or one string. The value is in [0, 1]: the geometric mean of the precisions of
    1 to `order` tokens, times exp(1 - r / c) where the c tokens of the candidates are fewer than the r of the closest
    references (of equally close ones the shorter). smoothing: "none", "add" (Lin and Och 2004: 1 is added to counts and
    totals of more than one token) or "exp" (an order without a match takes half of the one before: 1/2, 1/4, ...).

    >>> from lamina.metrics import BLEU
    >>> metric = BLEU()
    >>> metric.update(["the cat sat on the mat"], [["the cat sat on the mat", "a cat was on the mat"]])
    >>> metric.compute()
    1.0
    """

    def __init__(self, order: int = 4, smoothing: str = "none") -> None:
        if isinstance(order, bool) or not isinstance(order, int) or order < 1:
            raise ValueError(f"BLEU: order should be a positive whole number, got {order!r}")
        if smoothing not in ("none", "add", "exp"):
            raise ValueError(f"BLEU: smoothing must be 'none', 'add' or 'exp', got {smoothing!r}")
        self.order, self.smoothing = order, smoothing
        super().__init__()

    def reset(self) -> None:
        self._matches, self._totals = [0] * self.order, [0] * self.order
        self._length = self._reference = 0

    def update(self, candidates: Sequence[Any], references: Sequence[Any]) -> None:
        if isinstance(candidates, str) or len(candidates) != len(references):
            raise ValueError(
                "BLEU: expected a list of sentences and as many lists of references, got "
                + ("a string" if isinstance(candidates, str) else f"{len(candidates)} and {len(references)}")
            )
        for candidate, several in zip(candidates, references, strict=True):
            self._sentence(_tokens(candidate), [_tokens(one) for one in _sentences(several)])

    def _sentence(self, candidate: list[Any], references: list[list[Any]]) -> None:
        if not references:
            raise ValueError("BLEU: a sentence has no reference")
        self._length += len(candidate)
        self._reference += min((abs(len(r) - len(candidate)), len(r)) for r in references)[1]
        for n in range(1, self.order + 1):
            own = _grams(candidate, n)
            most: Counter[Any] = Counter()
            for reference in references:
                most |= _grams(reference, n)
            self._matches[n - 1] += sum((own & most).values())
            self._totals[n - 1] += sum(own.values())

    def compute(self) -> float:
        if self._length == 0:
            return float("nan") if self._reference == 0 else 0.0
        total, halved = 0.0, 1.0
        for n, (match, count) in enumerate(zip(self._matches, self._totals, strict=True)):
            if self.smoothing == "add" and n:
                match, count = match + 1, count + 1
            if count == 0 or (match == 0 and self.smoothing != "exp"):
                return 0.0
            if match == 0:
                halved /= 2
            total += math.log((match or halved) / count)
        short = min(0.0, 1 - self._reference / self._length)
        return math.exp(total / self.order + short)

    def _merge(self, other: BLEU) -> None:
        self._matches = [a + b for a, b in zip(self._matches, other._matches, strict=True)]
        self._totals = [a + b for a, b in zip(self._totals, other._totals, strict=True)]
        self._length += other._length
        self._reference += other._reference


def _tokens(sentence: Any) -> list[Any]:
    return sentence.split() if isinstance(sentence, str) else list(sentence)


def _sentences(references: Any) -> list[Any]:
    """A string is one reference; a list holds several, each a string or a list of tokens."""
    items = [references] if isinstance(references, str) else list(references)
    for item in items:
        if not isinstance(item, (str, list, tuple)):
            raise TypeError(
                "BLEU: the references of a sentence should be a list of strings or token lists, got a list of "
                f"{type(item).__name__}; hint: a single token list goes into a list of its own"
            )
    return items


def _grams(tokens: list[Any], n: int) -> Counter[Any]:
    return Counter(tuple(tokens[i : i + n]) for i in range(len(tokens) - n + 1))
