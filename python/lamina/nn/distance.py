"""Similarities and distances of vectors."""

from __future__ import annotations

from .. import _C
from .._C import Tensor
from .module import Module


class CosineSimilarity(Module):
    """Cosine of the angle between x1 and x2 over dim: (*, D, *), (*, D, *) -> (*, *).

    >>> import lamina
    >>> lamina.nn.CosineSimilarity(0)(lamina.tensor([1.0, 0.0]), lamina.tensor([0.0, 2.0])).item()
    0.0
    """

    def __init__(self, dim: int = 1, eps: float = 1e-8) -> None:
        super().__init__()
        self.dim, self.eps = dim, eps

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        return _C.cosine_similarity(x1, x2, self.dim, self.eps)


class PairwiseDistance(Module):
    """The norm p of x1 - x2 + eps over the last dim: (*, D), (*, D) -> (*).

    >>> import lamina
    >>> round(lamina.nn.PairwiseDistance()(lamina.tensor([3.0, 0.0]), lamina.tensor([0.0, 4.0])).item(), 4)
    5.0
    """

    def __init__(self, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> None:
        super().__init__()
        self.norm, self.eps, self.keepdim = p, eps, keepdim

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        return _C.pairwise_distance(x1, x2, self.norm, self.eps, self.keepdim)
