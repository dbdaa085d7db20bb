"""Margin, likelihood and alignment losses: `reduction` is "mean" (the default), "sum" or "none"."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from .._C import Tensor
from . import functional
from .distance import PairwiseDistance
from .loss import _Loss, _WeightedLoss
from .module import Module

if TYPE_CHECKING:
    from .._C import functional as _F
else:
    from . import _called as _F


class HuberLoss(_Loss):
    """Quadratic below `delta`, linear above: (*), (*) -> ().

    >>> import lamina
    >>> lamina.nn.HuberLoss()(lamina.tensor([3.0]), lamina.tensor([1.0])).item()
    1.5
    """

    def __init__(self, reduction: str = "mean", delta: float = 1.0) -> None:
        super().__init__(reduction=reduction)
        self.delta = delta

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return _F.huber_loss(input, target, reduction=self.reduction, delta=self.delta)


class KLDivLoss(Module):
    """target (log target - input), input holding log probabilities: (*), (*) -> (); also "batchmean".

    >>> import lamina
    >>> p = lamina.tensor([[0.5, 0.5]])
    >>> lamina.nn.KLDivLoss(reduction="batchmean")(p.log(), p).item()
    0.0
    """

    def __init__(
        self,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
        log_target: bool = False,
    ) -> None:
        super().__init__()
        if size_average is not None or reduce is not None:
            from ..compat.forms import reduction_of

            reduction = reduction_of(size_average, reduce)
        self.reduction, self.log_target = reduction, log_target

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return _F.kl_div(input, target, self.reduction, self.log_target)


class _MarginLoss(_Loss):
    def __init__(
        self,
        margin: float,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.margin = margin


class HingeEmbeddingLoss(_MarginLoss):
    """input where the target is 1, max(0, margin - input) where it is -1: (*), (*) -> ().

    >>> import lamina
    >>> lamina.nn.HingeEmbeddingLoss()(lamina.tensor([0.5, 0.25]), lamina.tensor([1, -1])).item()
    0.625
    """

    def __init__(
        self,
        margin: float = 1.0,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(margin, size_average, reduce, reduction)

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return _F.hinge_embedding_loss(input, target, self.margin, self.reduction)


class MarginRankingLoss(_MarginLoss):
    """max(0, margin - target (input1 - input2)): (N), (N), (N) of 1 and -1 -> ().

    >>> import lamina
    >>> lamina.nn.MarginRankingLoss()(lamina.tensor([1.0]), lamina.tensor([3.0]), lamina.tensor([1])).item()
    2.0
    """

    def __init__(
        self,
        margin: float = 0.0,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(margin, size_average, reduce, reduction)

    def forward(self, input1: Tensor, input2: Tensor, target: Tensor) -> Tensor:
        return _F.margin_ranking_loss(input1, input2, target, self.margin, self.reduction)


class SoftMarginLoss(_Loss):
    """log(1 + exp(-target input)): (*), (*) of 1 and -1 -> ().

    >>> import lamina
    >>> round(lamina.nn.SoftMarginLoss()(lamina.tensor([0.0]), lamina.tensor([1])).item(), 4)
    0.6931
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return _F.soft_margin_loss(input, target, self.reduction)


class MultiMarginLoss(_WeightedLoss):
    """Mean over classes of max(0, margin - input at the class + input)^p: (N, C), int (N) -> ().

    >>> import lamina
    >>> lamina.nn.MultiMarginLoss()(lamina.tensor([[1.0, 0.5]]), lamina.tensor([0])).item()
    0.25
    """

    def __init__(
        self,
        p: int = 1,
        margin: float = 1.0,
        weight: Tensor | None = None,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(weight, size_average, reduce, reduction)
        self.p, self.margin = p, margin

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return _F.multi_margin_loss(input, target, self.p, self.margin, self.weight, self.reduction)


class MultiLabelMarginLoss(_Loss):
    """Hinges between each target class and each other class: (N, C), int (N, C) that -1 ends -> ().

    >>> import lamina
    >>> lamina.nn.MultiLabelMarginLoss()(lamina.tensor([[1.0, 0.5]]), lamina.tensor([[0, -1]])).item()
    0.25
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return _F.multilabel_margin_loss(input, target, self.reduction)


class MultiLabelSoftMarginLoss(_WeightedLoss):
    """Mean over classes of the binary cross entropy of sigmoid(input): (N, C), (N, C) -> ().

    >>> import lamina
    >>> round(lamina.nn.MultiLabelSoftMarginLoss()(lamina.zeros(1, 2), lamina.ones(1, 2)).item(), 4)
    0.6931
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return _F.multilabel_soft_margin_loss(input, target, self.weight, self.reduction)


class TripletMarginLoss(_MarginLoss):
    """max(0, |anchor - positive| - |anchor - negative| + margin): (N, D), (N, D), (N, D) -> ().

    >>> import lamina
    >>> x = lamina.zeros(1, 2)
    >>> lamina.nn.TripletMarginLoss()(x, x, x).item()
    1.0
    """

    def __init__(
        self,
        margin: float = 1.0,
        p: float = 2.0,
        eps: float = 1e-6,
        swap: bool = False,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(margin, size_average, reduce, reduction)
        if margin <= 0:
            raise ValueError(f"TripletMarginLoss: margin must be positive, got {margin}")
        self.p, self.eps, self.swap = p, eps, swap

    def forward(self, anchor: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
        rest = (self.margin, self.p, self.eps, self.swap, self.reduction)
        return _F.triplet_margin_loss(anchor, positive, negative, *rest)


class TripletMarginWithDistanceLoss(_MarginLoss):
    """TripletMarginLoss with a distance of one's own: (N, D), (N, D), (N, D) -> ().

    >>> import lamina
    >>> x = lamina.zeros(1, 2)
    >>> lamina.nn.TripletMarginWithDistanceLoss(margin=0.5)(x, x, x).item()
    0.5
    """

    def __init__(
        self,
        *,
        distance_function: Callable[[Tensor, Tensor], Tensor] | None = None,
        margin: float = 1.0,
        swap: bool = False,
        reduction: str = "mean",
    ) -> None:
        super().__init__(margin, reduction=reduction)
        if margin <= 0:
            raise ValueError(f"TripletMarginWithDistanceLoss: margin must be positive, got {margin}")
        self.distance_function: Callable[[Tensor, Tensor], Tensor] = distance_function or PairwiseDistance()
        self.swap = swap

    def forward(self, anchor: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
        return functional.triplet_margin_with_distance_loss(
            anchor,
            positive,
            negative,
            distance_function=self.distance_function,
            margin=self.margin,
            swap=self.swap,
            reduction=self.reduction,
        )


class CosineEmbeddingLoss(_MarginLoss):
    """1 - cos where the target is 1, max(0, cos - margin) where it is -1: (N, D), (N, D), (N) -> ().

    >>> import lamina
    >>> x = lamina.tensor([[1.0, 0.0]])
    >>> lamina.nn.CosineEmbeddingLoss()(x, -x, lamina.tensor([1])).item()
    2.0
    """

    def __init__(
        self,
        margin: float = 0.0,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(margin, size_average, reduce, reduction)

    def forward(self, input1: Tensor, input2: Tensor, target: Tensor) -> Tensor:
        return _F.cosine_embedding_loss(input1, input2, target, self.margin, self.reduction)


class GaussianNLLLoss(_Loss):
    """(log var + (input - target)^2 / var) / 2: (*), (*), var (*) or one per row -> ().

    >>> import lamina
    >>> x = lamina.zeros(3)
    >>> lamina.nn.GaussianNLLLoss()(x, x + 2, x + 1).item()
    2.0
    """

    def __init__(self, *, full: bool = False, eps: float = 1e-6, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)
        self.full, self.eps = full, eps

    def forward(self, input: Tensor, target: Tensor, var: Tensor | float) -> Tensor:
        return _F.gaussian_nll_loss(input, target, var, self.full, self.eps, self.reduction)


class PoissonNLLLoss(_Loss):
    """exp(input) - target input, or input - target log(input + eps): (*), (*) -> ().

    >>> import lamina
    >>> lamina.nn.PoissonNLLLoss()(lamina.zeros(2), lamina.ones(2)).item()
    1.0
    """

    def __init__(
        self,
        log_input: bool = True,
        full: bool = False,
        size_average: bool | None = None,
        eps: float = 1e-8,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.log_input, self.full, self.eps = log_input, full, eps

    def forward(self, log_input: Tensor, target: Tensor) -> Tensor:
        return _F.poisson_nll_loss(log_input, target, self.log_input, self.full, self.reduction, self.eps)


class CTCLoss(_Loss):
    """Minus the log probability of the targets over all alignments: (T, N, C), (N, S) or (sum of lengths) -> ().

    >>> import lamina
    >>> log_probs = lamina.nn.functional.log_softmax(lamina.zeros(4, 1, 3), 2)
    >>> round(lamina.nn.CTCLoss()(log_probs, lamina.tensor([[1, 2]]), [4], [2]).item(), 4)  # log(81 / 15) / 2
    0.8432
    """

    def __init__(self, blank: int = 0, reduction: str = "mean", zero_infinity: bool = False) -> None:
        super().__init__(reduction=reduction)
        self.blank, self.zero_infinity = blank, zero_infinity

    def forward(
        self,
        log_probs: Tensor,
        targets: Tensor,
        input_lengths: Tensor | Sequence[int],
        target_lengths: Tensor | Sequence[int],
    ) -> Tensor:
        lengths: tuple[Any, Any] = (input_lengths, target_lengths)
        return _F.ctc_loss(log_probs, targets, *lengths, self.blank, self.reduction, self.zero_infinity)
