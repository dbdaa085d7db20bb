"""Multi-head attention as a function: projections, masks, heads; the layer MultiheadAttention stands in attention.py."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from .. import _C
from .._C import Tensor
from .._C import functional as _F
from .kv_cache import KVCache

OP = "multi_head_attention_forward"


class Weights(NamedTuple):
    """The parameters of attention: in_proj one (3E, E), or three of their own."""

    in_proj: Tensor | tuple[Tensor, Tensor, Tensor]
    in_bias: Tensor | None
    bias_k: Tensor | None
    bias_v: Tensor | None
    out: Tensor
    out_bias: Tensor | None


class Masks(NamedTuple):
    """What may be attended to; in bool masks True blocks, float ones are added."""

    attn: Tensor | None
    padding: Tensor | None
    causal: bool


def project(query: Tensor, key: Tensor, value: Tensor, weights: Weights) -> tuple[Tensor, Tensor, Tensor]:
    """Queries, keys and values (N, T, E): one product where they come from one tensor."""
    packed, bias = weights.in_proj, weights.in_bias
    if isinstance(packed, Tensor) and query is key and key is value:
        q, k, v = _F.linear(query, packed, bias).chunk(3, -1)
        return q, k, v
    w = packed.chunk(3) if isinstance(packed, Tensor) else packed
    b: Any = (None, None, None) if bias is None else bias.chunk(3)
    if isinstance(packed, Tensor) and key is value:
        size = w[0].shape[0]
        k, v = _F.linear(key, packed[size:], None if bias is None else bias[size:]).chunk(2, -1)
        return _F.linear(query, w[0], b[0]), k, v
    return _F.linear(query, w[0], b[0]), _F.linear(key, w[1], b[1]), _F.linear(value, w[2], b[2])


def attend(
    inputs: tuple[Tensor, Tensor, Tensor],
    heads: int,
    weights: Weights,
    masks: Masks,
    *,
    batch_first: bool,
    add_zero_attn: bool = False,
    dropout_p: float = 0.0,
    need_weights: bool = False,
    average: bool = True,
    static: tuple[Tensor | None, Tensor | None] = (None, None),
    cache: KVCache | None = None,
) -> tuple[Tensor, Tensor | None]:
    """The whole of attention over (T, N, E), (N, T, E) with batch_first, or (T, E)."""
    masks = checked(inputs, masks, batch_first)
    single = inputs[0].dim() == 2
    moved: dict[int, Tensor] = {}  # one tensor given twice stays one
    for x in inputs:
        if id(x) not in moved:
            moved[id(x)] = x.unsqueeze(0) if single else x if batch_first else x.transpose(0, 1)
    query, key, value = (moved[id(x)] for x in inputs)
    q, k, v = project(query, key, value, weights)
    n, length = int(q.shape[0]), int(q.shape[1])
    own = int(k.shape[1])  # keys that masks speak of, before those that everybody sees
    if weights.bias_k is not None and weights.bias_v is not None:
        k = _C.cat([k, weights.bias_k.expand(n, 1, k.shape[2])], 1)
        v = _C.cat([v, weights.bias_v.expand(n, 1, v.shape[2])], 1)
    q, k, v = (x.unflatten(-1, (heads, -1)).transpose(1, 2) for x in (q, k, v))  # (N, H, T, D)
    k, v = (x if s is None else _static(s, n, heads, x) for x, s in zip((k, v), static, strict=True))
    own = own if static[0] is None else int(k.shape[2])
    past = 0
    if cache is not None:
        past, (k, v) = cache.length, cache.append(k, v)
        own += past
    if add_zero_attn:
        k, v = (_C.cat([x, x.new_zeros((n, heads, 1, x.shape[3]))], 2) for x in (k, v))
    size = (n, heads, length, own)
    mask, causal = combined(masks, size, int(k.shape[2]) - own, past, need_weights, q.dtype, q.device)
    if need_weights:
        shares = _shares(q, k, mask, dropout_p)
        out = shares @ v
    else:
        out = _F.scaled_dot_product_attention(q, k, v, mask, dropout_p, causal)
    out = _F.linear(out.transpose(1, 2).flatten(2), weights.out, weights.out_bias)
    out = out.squeeze(0) if single else out if batch_first else out.transpose(0, 1)
    if not need_weights:
        return out, None
    shares = shares.mean(1) if average else shares
    return out, shares.squeeze(0) if single else shares


def _static(given: Tensor, n: int, heads: int, computed: Tensor) -> Tensor:
    """static_k and static_v (N * H, S, D) as (N, H, S, D)."""
    if given.dim() != 3 or given.shape[0] != n * heads or given.shape[2] != computed.shape[3]:
        expected = f"({n * heads}, S, {computed.shape[3]})"
        raise _C.ShapeError(f"{OP}: static_k and static_v must be {expected}, got {tuple(given.shape)}")
    return given.unflatten(0, (n, heads))


def _shares(q: Tensor, k: Tensor, mask: Tensor | None, dropout_p: float) -> Tensor:
    """softmax(q k^T / sqrt(D) + mask), (N, H, T, S); a row without anything to attend to is 0."""
    scores = (q * math.sqrt(1.0 / q.shape[-1])) @ k.transpose(-2, -1)
    if mask is None:
        shares = scores.softmax(-1)
    else:
        blocked = mask.logical_not() if mask.dtype == _C.bool else mask == -math.inf
        lost = blocked.all(-1, keepdim=True)
        scores = scores.masked_fill(blocked, -math.inf) if mask.dtype == _C.bool else scores + mask
        shares = scores.masked_fill(lost, 0.0).softmax(-1).masked_fill(lost, 0.0)
    return _F.dropout(shares, dropout_p, True) if dropout_p > 0 else shares


# ---- masks ----


def combined(
    masks: Masks, size: tuple[int, int, int, int], extra: int, past: int, full: bool, dtype: Any, device: Any
) -> tuple[Tensor | None, bool]:
    """One mask for scaled_dot_product_attention (True or 0: attend), and whether it is causal by itself.

    size (N, H, T, S); `extra` keys more are seen by all; `past` steps of the keys lie before the queries; `full`: a
    causal mask has to be written out.
    """
    n, heads, length, keys = size
    attn, padding, causal = masks
    if causal and not full and extra == 0 and padding is None and past == 0:
        return None, True
    parts: list[Tensor] = []
    if attn is not None:
        expected = [(length, keys), (n * heads, length, keys)]
        if tuple(attn.shape) not in expected:
            either = " or ".join(map(str, expected))
            raise _C.ShapeError(f"{OP}: attn_mask has shape {tuple(attn.shape)}, expected {either}")
        parts.append(attn if attn.dim() == 2 else attn.unflatten(0, (n, heads)))
    elif causal and length > 1:
        parts.append(_C.ones(length, keys, dtype=_C.bool, device=device).triu(1 + past))
    if padding is not None:
        if tuple(padding.shape) != (n, keys):
            raise _C.ShapeError(f"{OP}: key_padding_mask has shape {tuple(padding.shape)}, expected {(n, keys)}")
        parts.append(padding.reshape(n, 1, 1, keys))
    if not parts:
        return None, False
    if all(p.dtype == _C.bool for p in parts):
        blocked = parts[0] if len(parts) == 1 else parts[0] | parts[1]
        return _F.pad(blocked, (0, extra)).logical_not() if extra else blocked.logical_not(), False
    added = [additive(p, dtype) for p in parts]
    mask = added[0] if len(added) == 1 else added[0] + added[1]
    return (_F.pad(mask, (0, extra)) if extra else mask), False


def additive(mask: Tensor, dtype: Any) -> Tensor:
    """A mask to be added: -inf where a bool one is True."""
    if mask.dtype != _C.bool:
        return mask.to(dtype)
    return _C.zeros_like(mask, dtype=dtype).masked_fill(mask, -math.inf)


def checked(inputs: tuple[Any, Any, Any], masks: Masks, batch_first: bool) -> Masks:
    """The masks as those of a batch, after checks of everything that has a shape."""
    for what, x in zip(("query", "key", "value"), inputs, strict=True):
        if not isinstance(x, Tensor):
            raise TypeError(f"{OP}: {what} must be a Tensor, got {type(x).__name__}")
    query, key, value = inputs
    dims, batch = query.dim(), 0 if batch_first else 1
    shapes = f"query {tuple(query.shape)}, key {tuple(key.shape)}, value {tuple(value.shape)}"
    if dims not in (2, 3) or key.dim() != dims or value.dim() != dims:
        raise _C.ShapeError(f"{OP}: query, key and value must all have 3 dims, or 2 without a batch: {shapes}")
    if key.shape[:-1] != value.shape[:-1]:
        raise _C.ShapeError(f"{OP}: key and value must have one length and batch: {shapes}")
    if dims == 3 and query.shape[batch] != key.shape[batch]:
        raise _C.ShapeError(f"{OP}: query and key must have one batch size (dim {batch}): {shapes}")
    for what, mask in (("attn_mask", masks.attn), ("key_padding_mask", masks.padding)):
        if mask is not None and mask.dtype != _C.bool and not mask.is_floating_point():
            raise _C.DtypeError(f"{OP}: {what} must be bool (True: do not attend) or floating, got {mask.dtype}")
    padding = masks.padding
    if padding is not None and dims == 2:
        if padding.dim() != 1:
            raise _C.ShapeError(f"{OP}: without a batch key_padding_mask must be (S,), got {tuple(padding.shape)}")
        return masks._replace(padding=padding.unsqueeze(0))
    return masks


def multi_head_attention_forward(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    embed_dim_to_check: int,
    num_heads: int,
    in_proj_weight: Tensor | None,
    in_proj_bias: Tensor | None,
    bias_k: Tensor | None,
    bias_v: Tensor | None,
    add_zero_attn: bool,
    dropout_p: float,
    out_proj_weight: Tensor,
    out_proj_bias: Tensor | None,
    training: bool = True,
    key_padding_mask: Tensor | None = None,
    need_weights: bool = True,
    attn_mask: Tensor | None = None,
    use_separate_proj_weight: bool = False,
    q_proj_weight: Tensor | None = None,
    k_proj_weight: Tensor | None = None,
    v_proj_weight: Tensor | None = None,
    static_k: Tensor | None = None,
    static_v: Tensor | None = None,
    average_attn_weights: bool = True,
    is_causal: bool = False,
) -> tuple[Tensor, Tensor | None]:
    """Attention of several heads (arXiv 1706.03762): (L, N, E), (S, N, kdim), (S, N, vdim) -> (L, N, E), weights or None.

    The weights are (N, L, S), or (N, heads, L, S) with average_attn_weights=False. nn.MultiheadAttention says what the
    masks mean; parameters are given as that layer holds them.

    >>> import lamina
    >>> x, w = lamina.randn(5, 2, 4), lamina.randn(12, 4)
    >>> F = lamina.nn.functional
    >>> F.multi_head_attention_forward(x, x, x, 4, 2, w, None, None, None, False, 0.0, w[:4], None)[0].shape
    (5, 2, 4)
    """
    if isinstance(query, Tensor) and query.dim() and query.shape[-1] != embed_dim_to_check:
        raise _C.ShapeError(f"{OP}: query has {query.shape[-1]} features, expected {embed_dim_to_check}")
    if num_heads < 1 or embed_dim_to_check % num_heads:
        raise ValueError(f"{OP}: embed_dim {embed_dim_to_check} is not divisible by num_heads {num_heads}")
    in_proj: Any = (q_proj_weight, k_proj_weight, v_proj_weight) if use_separate_proj_weight else in_proj_weight
    if in_proj is None or (use_separate_proj_weight and None in [w if w is None else 0 for w in in_proj]):
        raise ValueError(f"{OP}: in_proj_weight, or with use_separate_proj_weight all three weights, must be given")
    return attend(
        (query, key, value),
        num_heads,
        Weights(in_proj, in_proj_bias, bias_k, bias_v, out_proj_weight, out_proj_bias),
        Masks(attn_mask, key_padding_mask, is_causal),
        batch_first=False,
        add_zero_attn=add_zero_attn,
        dropout_p=dropout_p if training else 0.0,
        need_weights=need_weights,
        average=average_attn_weights,
        static=(static_k, static_v),
    )
