"""MultiheadAttention, and the names that choose a kernel in PyTorch: SDPBackend, sdpa_kernel."""

from __future__ import annotations

from typing import Any

from .. import _C
from .._C import Tensor
from . import init
from ._attention import Masks, Weights, attend
from ._sdpa import SDPBackend as SDPBackend
from ._sdpa import sdpa_kernel as sdpa_kernel
from ._sizes import whole
from .kv_cache import KVCache
from .linear import Linear
from .module import Module
from .parameter import Parameter


class MultiheadAttention(Module):
    """Attention of several heads (arXiv 1706.03762): (L, N, E), (S, N, kdim), (S, N, vdim) -> (L, N, E), weights.

    (N, L, E) with batch_first, (L, E) without a batch. Each head attends with softmax(q k^T / sqrt(E / num_heads)) v;
    a query that may attend to nothing gives the bias of out_proj. dropout acts on the weights in training;
    add_bias_kv adds a learned key and value, add_zero_attn a zero one. Parameters: in_proj_weight (3E, E), or
    q_proj_weight (E, E), k_proj_weight (E, kdim), v_proj_weight (E, vdim) where kdim or vdim differ; in_proj_bias (3E).

    >>> import lamina
    >>> x = lamina.randn(2, 5, 8)
    >>> out, weights = lamina.nn.MultiheadAttention(8, 2, batch_first=True)(x, x, x)
    >>> out.shape, weights.shape
    ((2, 5, 8), (2, 5, 5))
    """

    in_proj_weight: Parameter | None
    in_proj_bias: Parameter | None
    q_proj_weight: Parameter | None
    k_proj_weight: Parameter | None
    v_proj_weight: Parameter | None
    bias_k: Parameter | None
    bias_v: Parameter | None

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        add_bias_kv: bool = False,
        add_zero_attn: bool = False,
        kdim: int | None = None,
        vdim: int | None = None,
        batch_first: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        embed_dim = whole("MultiheadAttention", "embed_dim", embed_dim)
        num_heads = whole("MultiheadAttention", "num_heads", num_heads)
        if embed_dim <= 0 or num_heads <= 0:
            raise ValueError(f"MultiheadAttention: embed_dim {embed_dim} and num_heads {num_heads} must be positive")
        if embed_dim % num_heads:
            raise ValueError(
                f"MultiheadAttention: embed_dim must be divisible by num_heads, got {embed_dim} and {num_heads}"
            )
        if not 0 <= dropout <= 1:
            raise ValueError(f"MultiheadAttention: dropout must be between 0 and 1, got {dropout}")
        self.embed_dim, self.num_heads, self.head_dim = embed_dim, num_heads, embed_dim // num_heads
        self.kdim = embed_dim if kdim is None else whole("MultiheadAttention", "kdim", kdim)
        self.vdim = embed_dim if vdim is None else whole("MultiheadAttention", "vdim", vdim)
        self.dropout, self.batch_first, self.add_zero_attn = dropout, batch_first, add_zero_attn
        self._qkv_same_embed_dim = self.kdim == embed_dim and self.vdim == embed_dim
        place: dict[str, Any] = {"device": device, "dtype": dtype}
        same = self._qkv_same_embed_dim
        shapes: dict[str, tuple[int, ...] | None] = {
            "in_proj_weight": (3 * embed_dim, embed_dim) if same else None,
            "q_proj_weight": None if same else (embed_dim, embed_dim),
            "k_proj_weight": None if same else (embed_dim, self.kdim),
            "v_proj_weight": None if same else (embed_dim, self.vdim),
            "in_proj_bias": (3 * embed_dim,) if bias else None,
            "bias_k": (1, 1, embed_dim) if add_bias_kv else None,
            "bias_v": (1, 1, embed_dim) if add_bias_kv else None,
        }
        for name, shape in shapes.items():
            self.register_parameter(name, None if shape is None else Parameter(_C.empty(shape, **place)))
        self.out_proj = Linear(embed_dim, embed_dim, bias, **place)
        self._reset_parameters()

    def _reset_parameters(self) -> None:
        for weight in (self.in_proj_weight, self.q_proj_weight, self.k_proj_weight, self.v_proj_weight):
            if weight is not None:
                init.xavier_uniform_(weight)
        for bias in (self.in_proj_bias, self.out_proj.bias):
            if bias is not None:
                init.zeros_(bias)
        for extra in (self.bias_k, self.bias_v):
            if extra is not None:
                init.xavier_normal_(extra)

    def forward(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        key_padding_mask: Tensor | None = None,
        need_weights: bool = True,
        attn_mask: Tensor | None = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
        *,
        cache: KVCache | None = None,
    ) -> tuple[Tensor, Tensor | None]:
        """The output, and the weights (N, L, S), or (N, heads, L, S) unless averaged; None without need_weights.

        In masks of bools True means not to attend; masks of floats are added to the scores. key_padding_mask (N, S);
        attn_mask (L, S) or (N * heads, L, S). is_causal without attn_mask: no query attends to later keys; with one it
        promises that attn_mask says just that, and attn_mask need not be read. need_weights=False is the fast way.
        cache: keys and values join it, and queries, which continue it, attend to all that it holds.
        """
        in_proj: Any = self.in_proj_weight
        if in_proj is None:
            in_proj = (self.q_proj_weight, self.k_proj_weight, self.v_proj_weight)
        if cache is not None and (self.bias_k is not None or self.add_zero_attn):
            raise ValueError("MultiheadAttention: a cache does not go with add_bias_kv or add_zero_attn")
        self._check_widths(query, key, value)
        out = self.out_proj
        return attend(
            (query, key, value),
            self.num_heads,
            Weights(in_proj, self.in_proj_bias, self.bias_k, self.bias_v, out.weight, out.bias),
            Masks(attn_mask, key_padding_mask, is_causal),
            batch_first=self.batch_first,
            add_zero_attn=self.add_zero_attn,
            dropout_p=self.dropout if self.training else 0.0,
            need_weights=need_weights,
            average=average_attn_weights,
            cache=cache,
        )

    def merge_masks(
        self, attn_mask: Tensor | None, key_padding_mask: Tensor | None, query: Tensor
    ) -> tuple[Tensor | None, int | None]:
        """One mask of both kinds, and 1 (key_padding_mask alone, as it is), 2 (with attn_mask) or None (no mask).

        query (N, L, E), attn_mask (L, L) or (N * heads, L, L), key_padding_mask (N, L) -> (N, heads, L, L). Masks of
        bools join, masks of floats add up.
        """
        if attn_mask is None:
            return (None, None) if key_padding_mask is None else (key_padding_mask, 1)
        batch, length, _ = query.shape
        if attn_mask.dim() == 3:
            merged = attn_mask.reshape(batch, -1, length, length)
        else:
            merged = attn_mask.reshape(1, 1, length, length).expand(batch, self.num_heads, -1, -1)
        if key_padding_mask is not None:
            merged = merged + key_padding_mask.reshape(batch, 1, 1, length)
        return merged, 2

    def _check_widths(self, *inputs: Any) -> None:
        names = ("query", "key", "value")
        for name, x, width in zip(names, inputs, (self.embed_dim, self.kdim, self.vdim), strict=True):
            if isinstance(x, Tensor) and x.dim() and x.shape[-1] != width:
                raise _C.ShapeError(
                    f"MultiheadAttention: {name} has {x.shape[-1]} features, expected {width}: {tuple(x.shape)}"
                )
