"""Where a step stands in its sequence: encodings that are added, rotations of queries and keys, biases of attention.

Every class takes `offset`, the number of steps before the first one given, for decoding with a cache.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from .. import _C
from .._C import Tensor
from . import init
from .dropout import Dropout
from .embedding import Embedding
from .module import Module
from .parameter import Parameter


def _check_offset(name: str, offset: Any) -> None:
    if isinstance(offset, bool) or not isinstance(offset, int) or offset < 0:
        raise ValueError(f"{name}: offset must be a number of steps, 0 or more, got {offset!r}")


class _Angles:
    """position / base^(2i / dim), (T, dim / 2), as sines and cosines: computed in float64, kept per dtype and device.

    A row depends on its position alone, so the table may grow whenever a longer sequence comes.
    """

    def __init__(self, dim: int, base: float) -> None:
        self.dim, self.base = dim, base
        self._kept: dict[tuple[str, str], tuple[Tensor, Tensor]] = {}

    def rows(self, start: int, stop: int, like: Tensor) -> tuple[Tensor, Tensor]:
        """The sines and the cosines of the positions start..stop-1."""
        key = (str(like.dtype), str(like.device))
        kept = self._kept.get(key)
        if kept is None or kept[0].shape[0] < stop:
            size = max(64, 1 << (stop - 1).bit_length())
            exponent = _C.arange(0, self.dim, 2, dtype=_C.float64) / -self.dim
            frequency = _C.full((), self.base, dtype=_C.float64) ** exponent
            angles = _C.arange(size, dtype=_C.float64).unsqueeze(1) * frequency
            kept = (angles.sin().to(like.dtype).to(like.device), angles.cos().to(like.dtype).to(like.device))
            self._kept[key] = kept
        return kept[0][start:stop], kept[1][start:stop]


class _Added(Module):
    """x + rows for the positions of x, then dropout."""

    _rows: Callable[[int, int, Tensor], Tensor]  # the rows of the positions start..stop-1

    def __init__(self, d_model: int, dropout: float, batch_first: bool) -> None:
        super().__init__()
        if d_model <= 0:
            raise ValueError(f"{type(self).__name__}: d_model must be positive, got {d_model}")
        self.d_model, self.batch_first = d_model, batch_first
        self.dropout = Dropout(dropout)

    def forward(self, input: Tensor, offset: int = 0) -> Tensor:
        """(N, T, d_model), or (T, N, d_model) unless batch_first, or (T, d_model): `offset` steps came before."""
        name, shape = type(self).__name__, tuple(input.shape)
        _check_offset(name, offset)
        if len(shape) not in (2, 3) or shape[-1] != self.d_model:
            layout = "(N, T, d_model)" if self.batch_first else "(T, N, d_model)"
            raise _C.ShapeError(f"{name}: input must be {layout} with d_model {self.d_model}, got {shape}")
        first = len(shape) == 3 and not self.batch_first
        steps = shape[0 if first else -2]
        rows = self._rows(offset, offset + steps, input)
        out: Tensor = self.dropout(input + (rows.unsqueeze(1) if first else rows))
        return out


class SinusoidalPositionalEncoding(_Added):
    """Adds sin(t / base^(2i / d_model)) at 2i and its cosine at 2i + 1: (N, T, d_model) -> (N, T, d_model).

    t counts from `offset`; there is no longest sequence and nothing to train (arXiv 1706.03762, section 3.5).
    (T, N, d_model) with batch_first=False; (T, d_model) without a batch.

    >>> import lamina
    >>> encoding = lamina.nn.SinusoidalPositionalEncoding(4)
    >>> x = lamina.zeros(1, 6, 4)
    >>> bool((encoding(x)[:, 4:] == encoding(x[:, 4:], offset=4)).all())
    True
    """

    def __init__(self, d_model: int, dropout: float = 0.0, base: float = 10000.0, batch_first: bool = True) -> None:
        super().__init__(d_model, dropout, batch_first)
        if not base > 0:
            raise ValueError(f"SinusoidalPositionalEncoding: base must be positive, got {base}")
        self.base = base
        self._angles = _Angles(d_model, base)

    def _rows(self, start: int, stop: int, like: Tensor) -> Tensor:
        sin, cos = self._angles.rows(start, stop, like)
        return _C.stack([sin, cos], -1).flatten(1)[:, : self.d_model]

    def extra_repr(self) -> str:
        return f"{self.d_model}, base={self.base}, batch_first={self.batch_first}"


class LearnedPositionalEncoding(_Added):
    """Adds a learned row for each position: (N, T, d_model) -> (N, T, d_model); weight (max_length, d_model).

    The weight starts normal with standard deviation 0.02. (T, N, d_model) with batch_first=False; (T, d_model) without
    a batch. Raises ValueError beyond max_length.

    >>> import lamina
    >>> lamina.nn.LearnedPositionalEncoding(16, 4)(lamina.zeros(2, 6, 4), offset=10).shape
    (2, 6, 4)
    """

    def __init__(
        self,
        max_length: int,
        d_model: int,
        dropout: float = 0.0,
        batch_first: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(d_model, dropout, batch_first)
        if max_length <= 0:
            raise ValueError(f"LearnedPositionalEncoding: max_length must be positive, got {max_length}")
        self.max_length = max_length
        self.weight = Parameter(_C.empty((max_length, d_model), device=device, dtype=dtype))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        init.normal_(self.weight, 0.0, 0.02)

    def _rows(self, start: int, stop: int, like: Tensor) -> Tensor:
        if stop > self.max_length:
            raise ValueError(f"LearnedPositionalEncoding: position {stop - 1} is beyond max_length {self.max_length}")
        return self.weight[start:stop]

    def extra_repr(self) -> str:
        return f"{self.max_length}, {self.d_model}, batch_first={self.batch_first}"


class RotaryEmbedding(Module):
    """Rotates pairs of features by an angle that grows with the position: q, k (N, heads, T, D) -> the same shapes.

    Pair i turns by t / base^(2i / dim), t counted from `offset`, so that q k^T depends on distances alone (RoFormer,
    arXiv 2104.09864). Pairs are (2i, 2i + 1); with interleaved=False (i, i + dim / 2), as in LLaMA's weights. Features
    from dim on stay as they are. Rotate keys before they join a cache.

    >>> import lamina
    >>> rope = lamina.nn.RotaryEmbedding(8)
    >>> q, k = rope(lamina.randn(2, 4, 1, 8), lamina.randn(2, 4, 1, 8), offset=5)
    >>> q.shape
    (2, 4, 1, 8)
    """

    def __init__(self, dim: int, base: float = 10000.0, interleaved: bool = True) -> None:
        super().__init__()
        if dim <= 0 or dim % 2:
            raise ValueError(f"RotaryEmbedding: dim must be positive and even, got {dim}")
        if not base > 0:
            raise ValueError(f"RotaryEmbedding: base must be positive, got {base}")
        self.dim, self.base, self.interleaved = dim, base, interleaved
        self._angles = _Angles(dim, base)

    def forward(self, query: Tensor, key: Tensor, offset: int = 0) -> tuple[Tensor, Tensor]:
        return self.rotate(query, offset), self.rotate(key, offset)

    def rotate(self, x: Tensor, offset: int = 0) -> Tensor:
        """(*, T, D) -> (*, T, D), its steps being offset, offset + 1, ..."""
        _check_offset("RotaryEmbedding", offset)
        shape = tuple(x.shape)
        if len(shape) < 2 or shape[-1] < self.dim:
            raise _C.ShapeError(f"RotaryEmbedding: expected (*, T, D) with D >= {self.dim}, got shape {shape}")
        sin, cos = self._angles.rows(offset, offset + shape[-2], x)
        turned, rest = (x, None) if shape[-1] == self.dim else (x[..., : self.dim], x[..., self.dim :])
        if self.interleaved:
            a, b = turned.unflatten(-1, (-1, 2)).unbind(-1)
            out = _C.stack([a * cos - b * sin, b * cos + a * sin], -1).flatten(-2)
        else:
            a, b = turned.chunk(2, -1)
            out = _C.cat([a * cos - b * sin, b * cos + a * sin], -1)
        return out if rest is None else _C.cat([out, rest], -1)

    def extra_repr(self) -> str:
        return f"{self.dim}, base={self.base}, interleaved={self.interleaved}"


def _distances(name: str, queries: int, keys: int | None, offset: int, device: Any) -> Tensor:
    """key position - query position, int64 (T, S); queries stand at offset, offset + 1, ..."""
    _check_offset(name, offset)
    keys = offset + queries if keys is None else keys
    if queries < 0 or keys < 0:
        raise ValueError(f"{name}: lengths must not be negative, got {queries} queries and {keys} keys")
    at = _C.arange(offset, offset + queries, device=device)
    return _C.arange(keys, device=device).unsqueeze(0) - at.unsqueeze(1)


class ALiBi(Module):
    """A penalty on scores that grows with the distance: lengths (T, S) -> bias (heads, T, S), to be added to them.

    Head h of n takes slope_h |i - j| off, with slopes 2^(-8 h / n), h = 1..n; where n is no power of two, those of the
    power below and then every other one of twice it (arXiv 2108.12409). causal=True puts -inf where a key comes after
    its query, so that the bias is all that scaled_dot_product_attention needs as attn_mask.

    >>> import lamina
    >>> lamina.nn.ALiBi(2)(3)[0].tolist()
    [[-0.0, -0.0625, -0.125], [-0.0625, -0.0, -0.0625], [-0.125, -0.0625, -0.0]]
    """

    def __init__(self, num_heads: int, causal: bool = False) -> None:
        super().__init__()
        if num_heads <= 0:
            raise ValueError(f"ALiBi: num_heads must be positive, got {num_heads}")
        self.num_heads, self.causal = num_heads, causal
        power = 1 << (num_heads.bit_length() - 1)
        slopes = [2.0 ** (-8.0 * h / power) for h in range(1, power + 1)]
        slopes += [2.0 ** (-4.0 * h / power) for h in range(1, 2 * (num_heads - power), 2)]
        self.slopes = tuple(slopes)

    def forward(
        self,
        query_length: int,
        key_length: int | None = None,
        offset: int = 0,
        *,
        dtype: Any = None,
        device: Any = None,
    ) -> Tensor:
        """Queries stand at offset, offset + 1, ...; key_length is offset + query_length unless given."""
        distance = _distances("ALiBi", query_length, key_length, offset, device)
        dtype = _C.get_default_dtype() if dtype is None else dtype
        slopes = _C.tensor(self.slopes, dtype=dtype, device=device)
        bias = distance.abs().to(dtype) * -slopes.reshape(-1, 1, 1)
        return bias.masked_fill(distance > 0, -math.inf) if self.causal else bias

    def extra_repr(self) -> str:
        return f"{self.num_heads}, causal={self.causal}"


class T5RelativeBias(Module):
    """A learned bias for each head and range of distances: lengths (T, S) -> bias (heads, T, S), to be added to scores.

    Half of the buckets hold one distance each, the other half ranges that grow up to max_distance; bidirectional
    separates keys before and after the query, otherwise all those after it share bucket 0 (T5, arXiv 1910.10683).
    relative_attention_bias.weight (num_buckets, heads).

    >>> import lamina
    >>> bias = lamina.nn.T5RelativeBias(4)
    >>> bool((bias(6)[:, 5:] == bias(1, offset=5)).all()), bias(6).shape
    (True, (4, 6, 6))
    """

    def __init__(
        self,
        num_heads: int,
        num_buckets: int = 32,
        max_distance: int = 128,
        bidirectional: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        one_way = num_buckets // 2 if bidirectional else num_buckets
        if num_heads <= 0 or one_way < 2 or (bidirectional and num_buckets % 2):
            least = "even and at least 4" if bidirectional else "at least 2"
            raise ValueError(f"T5RelativeBias: num_buckets must be {least}, got {num_buckets} for {num_heads} heads")
        if max_distance <= one_way // 2:
            raise ValueError(f"T5RelativeBias: max_distance must be above {one_way // 2}, got {max_distance}")
        self.num_heads, self.num_buckets, self.max_distance = num_heads, num_buckets, max_distance
        self.bidirectional = bidirectional
        self.relative_attention_bias = Embedding(num_buckets, num_heads, device=device, dtype=dtype)
        self._one_way = one_way
        self._by_distance = tuple(_bucket(d, one_way, max_distance) for d in range(max_distance + 1))

    def buckets(self, query_length: int, key_length: int | None = None, offset: int = 0) -> Tensor:
        """The bucket of each pair: int64 (T, S)."""
        device = self.relative_attention_bias.weight.device
        distance = _distances("T5RelativeBias", query_length, key_length, offset, device)
        size = distance.abs() if self.bidirectional else distance.neg().clamp(min=0)
        found = _C.tensor(self._by_distance, device=device)[size.clamp(max=self.max_distance)]
        return found + self._one_way * (distance > 0).to(_C.int64) if self.bidirectional else found

    def forward(self, query_length: int, key_length: int | None = None, offset: int = 0) -> Tensor:
        """Queries stand at offset, offset + 1, ...; key_length is offset + query_length unless given."""
        rows: Tensor = self.relative_attention_bias(self.buckets(query_length, key_length, offset))
        return rows.permute(2, 0, 1)

    def extra_repr(self) -> str:
        sizes = f"{self.num_heads}, num_buckets={self.num_buckets}, max_distance={self.max_distance}"
        return f"{sizes}, bidirectional={self.bidirectional}"


def _bucket(distance: int, buckets: int, max_distance: int) -> int:
    """exact + floor(m log(distance / exact) / log(max_distance / exact)) with m ranges, in whole numbers."""
    exact = buckets // 2
    if distance < exact:
        return distance
    ranges, found = buckets - exact, 0
    while found < ranges - 1 and max_distance ** (found + 1) * exact ** (ranges - found - 1) <= distance**ranges:
        found += 1
    return exact + found
