"""Choosing the next token: temperature, top-k and top-p."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import lamina

if TYPE_CHECKING:
    from .._C import Generator, Tensor


def check_sampling(owner: str, temperature: float, top_k: int | None, top_p: float | None) -> None:
    """Raises ValueError for settings that mean nothing."""
    if not 0 <= temperature < math.inf:
        raise ValueError(f"{owner}: temperature must be 0 (the most likely token) or more, got {temperature}")
    if top_k is not None and top_k < 1:
        raise ValueError(f"{owner}: top_k must be at least 1, got {top_k}")
    if top_p is not None and not 0 < top_p <= 1:
        raise ValueError(f"{owner}: top_p must be in (0, 1], got {top_p}")


def filter_logits(
    logits: Tensor, temperature: float = 1.0, top_k: int | None = None, top_p: float | None = None
) -> Tensor:
    """Logits (*, V) over the temperature, minus infinity where they are left out: (*, V) -> (*, V).

    top_k keeps exactly the k largest, equal ones by place. top_p then keeps the fewest largest whose probabilities sum
    to at least p (arXiv 1904.09751). At least one is kept.

    >>> import lamina
    >>> lamina.text.filter_logits(lamina.tensor([1.0, 3.0, 2.0]), top_k=2).tolist()
    [-inf, 3.0, 2.0]
    """
    check_sampling("filter_logits", temperature, top_k, top_p)
    if temperature == 0:
        raise ValueError("filter_logits: a temperature of 0 leaves no distribution; take the argmax")
    if logits.dim() < 1 or logits.shape[-1] == 0:
        raise lamina.ShapeError(f"filter_logits: logits must be (*, V) with V > 0, got shape {tuple(logits.shape)}")
    if not logits.is_floating_point():
        raise lamina.DtypeError(f"filter_logits: logits must be floating, got {logits.dtype}")
    if temperature != 1:
        logits = logits / temperature
    size = logits.shape[-1]
    if (top_k is None or top_k >= size) and (top_p is None or top_p == 1):
        return logits
    ordered, places = logits.sort(-1, descending=True, stable=True)
    if top_k is not None and top_k < size:
        ordered = ordered.masked_fill(lamina.arange(size, device=logits.device) >= top_k, -math.inf)
    if top_p is not None and top_p < 1:
        probability = ordered.softmax(-1)
        before = probability.cumsum(-1) - probability  # what the larger ones sum to
        beyond = before >= top_p
        beyond[..., 0] = False
        ordered = ordered.masked_fill(beyond, -math.inf)
    return lamina.empty_like(ordered).scatter_(-1, places, ordered)


def sample(
    logits: Tensor,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    generator: Generator | None = None,
) -> Tensor:
    """One token a row, drawn from the filtered distribution: (N, V) -> int64 (N); temperature 0: the most likely.

    Raises ValueError for logits of NaN, which leave nothing to choose from.

    >>> import lamina
    >>> lamina.text.sample(lamina.tensor([[1.0, 3.0, 2.0]]), temperature=0).tolist()
    [1]
    """
    check_sampling("sample", temperature, top_k, top_p)
    if logits.dim() != 2:
        raise lamina.ShapeError(f"sample: logits must be (N, V), got shape {tuple(logits.shape)}")
    if bool(logits.isnan().any()):
        raise ValueError("sample: the logits hold NaN; hint: the model's weights or inputs do too")
    if temperature == 0:
        return logits.argmax(-1)
    kept = filter_logits(logits, temperature, top_k, top_p)
    return lamina.multinomial(kept.softmax(-1), 1, generator=generator).squeeze(1)
