"""Learning byte-pair merges."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from heapq import heapify, heappop, heappush
from itertools import pairwise

Pair = tuple[int, int]


def learn(words: Iterable[bytes], count: int) -> list[Pair]:
    """Up to `count` merges: the most frequent pair of neighbours each time, ties by the smallest ids.

    All different words lie one after another in flat lists: symbols, the places of their neighbours (-1 at the borders
    of a word) and the count of the word. For each pair the places where it was seen are kept; a place that was merged
    otherwise since then is passed over. A step costs as much as its pair has places, whatever the size of the text.
    """
    symbols: list[int] = []
    following: list[int] = []
    before: list[int] = []
    weight: list[int] = []
    counts: dict[Pair, int] = {}
    places: dict[Pair, list[int]] = {}
    for word, times in sorted(Counter(words).items()):
        start, size = len(symbols), len(word)
        symbols += word
        following += [*range(start + 1, start + size), -1]
        before += [-1, *range(start, start + size - 1)]
        weight += [times] * size
        for i, pair in enumerate(pairwise(word), start):
            counts[pair] = counts.get(pair, 0) + times
            places.setdefault(pair, []).append(i)
    heap = [(-n, pair) for pair, n in counts.items()]
    heapify(heap)
    merges: list[Pair] = []
    while heap and len(merges) < count:
        negative, pair = heappop(heap)
        now = counts.get(pair, 0)
        if now != -negative:  # the count fell since this was written down
            if now > 1:
                heappush(heap, (-now, pair))
            continue
        if now < 2:
            break
        new = 256 + len(merges)
        merges.append(pair)
        grown = _merge(pair, new, symbols, following, before, weight, counts, places)
        for fresh in grown:
            heappush(heap, (-counts[fresh], fresh))
        counts.pop(pair, None)
    return merges


def _merge(
    pair: Pair,
    new: int,
    symbols: list[int],
    following: list[int],
    before: list[int],
    weight: list[int],
    counts: dict[Pair, int],
    places: dict[Pair, list[int]],
) -> list[Pair]:
    """Replaces the pair by `new` at all its places, from the left; the pairs that are new."""
    left, right = pair
    grown: dict[Pair, None] = {}

    def add(fresh: Pair, place: int, times: int) -> None:
        counts[fresh] = counts.get(fresh, 0) + times
        places.setdefault(fresh, []).append(place)
        grown[fresh] = None

    for i in places.pop(pair):
        j = following[i]
        if symbols[i] != left or j < 0 or symbols[j] != right:
            continue
        times, h, k = weight[i], before[i], following[j]
        symbols[i], symbols[j] = new, -1
        following[i] = k
        if k >= 0:
            before[k] = i
            counts[right, symbols[k]] -= times
            add((new, symbols[k]), i, times)
        if h >= 0:
            counts[symbols[h], left] -= times
            add((symbols[h], new), h, times)
    return list(grown)
