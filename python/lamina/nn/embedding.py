"""Embedding and EmbeddingBag."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import _C
from .._C import Tensor
from . import init
from ._sizes import whole
from .module import Module
from .parameter import Parameter

if TYPE_CHECKING:
    from .._C import functional as _F
else:
    from . import _called as _F


class _Table(Module):
    """A table of rows: weight (num_embeddings, embedding_dim); row padding_idx starts at zero, without gradient."""

    weight: Parameter
    sparse = False

    def _setup(
        self, num: int, dim: int, padding_idx: int | None, max_norm: float | None, norm_type: float, scale: bool
    ) -> None:
        num = whole(type(self).__name__, "num_embeddings", num)
        dim = whole(type(self).__name__, "embedding_dim", dim)
        if padding_idx is not None:
            padding_idx = whole(type(self).__name__, "padding_idx", padding_idx)
            if not -num <= padding_idx < num:
                raise ValueError(f"{type(self).__name__}: padding_idx {padding_idx} is outside of the {num} rows")
            padding_idx %= num
        self.num_embeddings, self.embedding_dim, self.padding_idx = num, dim, padding_idx
        self.max_norm, self.norm_type, self.scale_grad_by_freq = max_norm, norm_type, scale

    def _weight(self, given: Tensor | None, device: Any, dtype: Any) -> None:
        shape = (self.num_embeddings, self.embedding_dim)
        if given is not None and tuple(given.shape) != shape:
            raise _C.ShapeError(f"{type(self).__name__}: _weight must have shape {shape}, got {tuple(given.shape)}")
        self.weight = Parameter(_C.empty(shape, device=device, dtype=dtype) if given is None else given)
        if given is None:
            self.reset_parameters()

    def reset_parameters(self) -> None:
        init.normal_(self.weight)
        if self.padding_idx is not None:
            init.zeros_(self.weight.detach()[self.padding_idx])

    @classmethod
    def from_pretrained(cls, embeddings: Tensor, freeze: bool = True, **kwargs: Any) -> Any:
        """A layer over given rows, not trained unless freeze is False."""
        if len(embeddings.shape) != 2:
            raise _C.ShapeError(f"{cls.__name__}: embeddings must be (V, D), got shape {tuple(embeddings.shape)}")
        make: Any = cls
        layer = make(*embeddings.shape, _weight=embeddings, **kwargs)
        layer.weight.requires_grad_(not freeze)
        return layer

    def _shown(self) -> str:
        text = f"{self.num_embeddings}, {self.embedding_dim}"
        if self.padding_idx is not None:
            text += f", padding_idx={self.padding_idx}"
        if self.max_norm is not None:
            text += f", max_norm={self.max_norm}"
        if self.norm_type != 2:
            text += f", norm_type={self.norm_type}"
        return text + (", scale_grad_by_freq=True" if self.scale_grad_by_freq else "")


class Embedding(_Table):
    """Rows of a table: int (*) -> (*, embedding_dim); weight (num_embeddings, embedding_dim).

    The row `padding_idx` starts at zero and receives no gradient; `max_norm` shortens looked-up rows in place.

    >>> import lamina
    >>> lamina.nn.Embedding(10, 3)(lamina.tensor([[1, 2], [4, 9]])).shape
    (2, 2, 3)
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
        _weight: Tensor | None = None,
        _freeze: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.sparse = sparse
        self._setup(num_embeddings, embedding_dim, padding_idx, max_norm, norm_type, scale_grad_by_freq)
        self._weight(_weight, device, dtype)
        self.weight.requires_grad_(not _freeze)

    def forward(self, input: Tensor) -> Tensor:
        limits = (self.max_norm, self.norm_type, self.scale_grad_by_freq, self.sparse)
        return _F.embedding(input, self.weight, self.padding_idx, *limits)

    def extra_repr(self) -> str:
        return self._shown()


class EmbeddingBag(_Table):
    """Sums, means or maxima of rows: int (B, L) -> (B, D), or int (L) with offsets (B) -> (B, D).

    >>> import lamina
    >>> lamina.nn.EmbeddingBag(10, 3, mode="sum")(lamina.tensor([1, 2, 4, 5]), lamina.tensor([0, 3])).shape
    (2, 3)
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        mode: str = "mean",
        sparse: bool = False,
        _weight: Tensor | None = None,
        include_last_offset: bool = False,
        padding_idx: int | None = None,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.mode, self.sparse, self.include_last_offset = mode, sparse, include_last_offset
        self._setup(num_embeddings, embedding_dim, padding_idx, max_norm, norm_type, scale_grad_by_freq)
        self._weight(_weight, device, dtype)

    def forward(self, input: Tensor, offsets: Tensor | None = None, per_sample_weights: Tensor | None = None) -> Tensor:
        limits = (self.max_norm, self.norm_type, self.scale_grad_by_freq, self.mode, self.sparse)
        bags = (per_sample_weights, self.include_last_offset, self.padding_idx)
        return _F.embedding_bag(input, self.weight, offsets, *limits, *bags)

    def extra_repr(self) -> str:
        text = f"{self.num_embeddings}, {self.embedding_dim}"
        if self.max_norm is not None:
            text += f", max_norm={self.max_norm}"
        if self.norm_type != 2:
            text += f", norm_type={self.norm_type}"
        if self.scale_grad_by_freq:
            text += ", scale_grad_by_freq=True"
        text += f", mode={self.mode!r}"
        return text if self.padding_idx is None else f"{text}, padding_idx={self.padding_idx}"
