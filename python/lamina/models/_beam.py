"""Beam search: the most likely sequences, kept `beams` at a time."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import lamina

from .._C import Tensor

# From all ids so far (R, T) and the rows that each of them goes on from (R,) to logits (R, V).
Step = Callable[[Tensor, Tensor], Tensor]


class Row:
    """The search for one input: the score of each live beam, and what ended."""

    def __init__(self, beams: int, penalty: float) -> None:
        self.beams, self.penalty = beams, penalty
        self.scores = [0.0] + [-math.inf] * (beams - 1)  # one beam at first
        self.ended: list[tuple[float, list[int]]] = []

    @property
    def room(self) -> int:
        """How many beams may go on: each that ends makes the search narrower."""
        return self.beams - len(self.ended)

    def end(self, score: float, ids: list[int]) -> None:
        self.ended.append((score / len(ids) ** self.penalty, ids))

    def done(self, length: int, longest: int) -> bool:
        """Nothing alive can still beat the best that ended: a sum of logarithms only falls."""
        alive = max(self.scores)
        if self.room == 0 or alive == -math.inf:
            return True
        if not self.ended:
            return False
        reach: float = max(alive / n**self.penalty for n in (length + 1, longest))
        return self.best()[0] >= reach

    def best(self) -> tuple[float, list[int]]:
        return max(self.ended, key=lambda e: e[0])  # the earliest of equal ones


def beam_search(
    step: Step, rows: int, start: int, end: int, beams: int, longest: int, length_penalty: float, device: Any = None
) -> list[tuple[float, list[int]]]:
    """(score, ids after `start`, with `end` where it came) of each row; score = log probability / length^length_penalty.

    In each step the best continuations of all live beams of a row are taken, equal ones by place; those that end are put
    aside and leave fewer beams, so that one beam is greedy search. Rows have no influence on each other.
    """
    found = [Row(beams, length_penalty) for _ in range(rows)]
    ids = lamina.full((rows * beams, 1), start, dtype=lamina.int64, device=device)
    origin = lamina.arange(rows * beams, device=device)
    for length in range(1, longest + 1):
        logp = step(ids, origin).to(lamina.float64).log_softmax(-1)
        if bool(logp.isnan().any()):
            raise ValueError("beam search: the logits hold NaN; hint: the model's weights or inputs do too")
        vocab = int(logp.shape[1])
        scores = lamina.tensor([row.scores for row in found], dtype=lamina.float64, device=device)
        total = (scores.unsqueeze(2) + logp.reshape(rows, beams, vocab)).reshape(rows, -1)
        values, places = (t.tolist() for t in total.topk(min(beams, beams * vocab), 1))
        past = ids.tolist()
        parents, tokens = [], []
        for r, row in enumerate(found):
            scores_now, room = [-math.inf] * beams, row.room
            for b in range(beams):
                parent, token = r * beams + places[r][b] // vocab, places[r][b] % vocab
                parents.append(parent)
                tokens.append(token)
                if b >= room or values[r][b] == -math.inf:
                    continue
                if token == end or length == longest:
                    row.end(values[r][b], [*past[parent][1:], token])
                else:
                    scores_now[b] = values[r][b]
            row.scores = scores_now
            if row.done(length, longest):
                row.scores = [-math.inf] * beams
        origin = lamina.tensor(parents, dtype=lamina.int64, device=device)
        fresh = lamina.tensor(tokens, dtype=lamina.int64, device=device).unsqueeze(1)
        ids = lamina.cat([ids.index_select(0, origin), fresh], 1)
        if all(max(row.scores) == -math.inf for row in found):
            break
    return [row.best() for row in found]
