"""Classification over many classes: AdaptiveLogSoftmaxWithLoss and LinearCrossEntropyLoss."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import lamina

from .._C import InvalidValue, Tensor
from ._linear_cross_entropy import linear_cross_entropy
from .containers import ModuleList, Sequential
from .linear import Linear
from .loss import _WeightedLoss
from .module import Module


@dataclass(frozen=True)
class LinearCrossEntropyOptions:
    """How PyTorch cuts the batch (N, in) -> chunks; without effect: here it is always 256 rows at a time.

    >>> import lamina
    >>> lamina.nn.LinearCrossEntropyOptions(batch_chunk_size=64).batch_chunk_size
    64
    """

    allow_retain_graph: bool = False
    batch_chunk_size: int | None = None
    chunking_method: str | None = "auto"


class LinearCrossEntropyLoss(_WeightedLoss):
    """The last layer and its loss in one, without ever holding all logits: input (N, in), classes (N, *) -> ().

    `linear` is the layer, with num_classes * prod(out_features) outputs; with out_features (d1, d2 ...) targets are
    (N, d1, d2 ...). Memory is that of the logits of 256 rows.

    >>> import lamina
    >>> loss = lamina.nn.LinearCrossEntropyLoss(16, 1000)
    >>> loss(lamina.zeros(8, 16), lamina.arange(8)).shape
    ()
    """

    def __init__(
        self,
        in_features: int,
        num_classes: int,
        *,
        out_features: Sequence[int] = (),
        bias: bool = False,
        device: Any = None,
        dtype: Any = None,
        reduction: str = "mean",
        weight: Tensor | None = None,
        ignore_index: int | None = None,
        label_smoothing: float = 0.0,
        options: LinearCrossEntropyOptions | None = None,
    ) -> None:
        if weight is not None and tuple(weight.shape) != (num_classes,):
            raise lamina.ShapeError(
                f"LinearCrossEntropyLoss: weight must be ({num_classes},), got {tuple(weight.shape)}"
            )
        if not 0 <= label_smoothing <= 1:
            raise InvalidValue(f"LinearCrossEntropyLoss: label_smoothing must be in [0, 1], got {label_smoothing}")
        super().__init__(weight, reduction=reduction)
        self.num_classes, self.out_features = num_classes, tuple(out_features)
        self.ignore_index, self.label_smoothing, self.options = ignore_index, label_smoothing, options
        self.linear = Linear(in_features, math.prod(self.out_features, start=num_classes), bias, device, dtype)

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        outputs, bias = (self.num_classes, *self.out_features), self.linear.bias
        return linear_cross_entropy(
            input,
            self.linear.weight.reshape((*outputs, self.linear.in_features)),
            target,
            linear_bias=None if bias is None else bias.reshape(outputs),
            weight=self.weight,
            reduction=self.reduction,
            ignore_index=self.ignore_index,
            label_smoothing=self.label_smoothing,
        )

    def extra_repr(self) -> str:
        return (
            f"in_features={self.linear.in_features}, num_classes={self.num_classes}, out_features={self.out_features}, "
            f"bias={self.linear.bias is not None}, reduction={self.reduction}, ignore_index={self.ignore_index}, "
            f"label_smoothing={self.label_smoothing}, options={self.options}"
        )


class ASMOutput(NamedTuple):
    """What AdaptiveLogSoftmaxWithLoss gives: log-probabilities of the targets (N,), and minus their mean."""

    output: Tensor
    loss: Tensor


class AdaptiveLogSoftmaxWithLoss(Module):
    """A softmax in clusters of classes sorted by frequency (Grave et al. 2017): (N, in), classes (N,) -> (N,), ().

    The head scores the classes below cutoffs[0] and the clusters [cutoffs[i], cutoffs[i + 1]); the tail of cluster i
    goes through in // div_value^(i + 1) features, so that rare classes cost little.

    >>> import lamina
    >>> softmax = lamina.nn.AdaptiveLogSoftmaxWithLoss(8, 20, cutoffs=[4, 10])
    >>> output, loss = softmax(lamina.zeros(5, 8), lamina.tensor([0, 3, 5, 12, 19]))
    >>> output.shape, softmax.log_prob(lamina.zeros(5, 8)).shape
    ((5,), (5, 20))
    """

    def __init__(
        self,
        in_features: int,
        n_classes: int,
        cutoffs: Sequence[int],
        div_value: float = 4.0,
        head_bias: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        cuts = list(cutoffs)
        whole = all(isinstance(c, int) for c in cuts)
        if not cuts or not whole or cuts != sorted(set(cuts)) or cuts[0] <= 0 or cuts[-1] > n_classes - 1:
            raise InvalidValue(
                "AdaptiveLogSoftmaxWithLoss: cutoffs must be different rising ints between 1 and n_classes - 1 = "
                f"{n_classes - 1}, got {cutoffs}"
            )
        self.in_features, self.n_classes, self.div_value, self.head_bias = in_features, n_classes, div_value, head_bias
        self.cutoffs = [*cuts, n_classes]
        self.shortlist_size, self.n_clusters = cuts[0], len(cuts)
        self.head_size = self.shortlist_size + self.n_clusters
        place = {"device": device, "dtype": dtype}
        self.head = Linear(in_features, self.head_size, head_bias, **place)
        self.tail = ModuleList()
        for i in range(self.n_clusters):
            inner, size = int(in_features // div_value ** (i + 1)), self.cutoffs[i + 1] - self.cutoffs[i]
            self.tail.append(
                Sequential(Linear(in_features, inner, False, **place), Linear(inner, size, False, **place))
            )

    def reset_parameters(self) -> None:
        self.head.reset_parameters()
        for layer in self.tail.modules():
            if isinstance(layer, Linear):
                layer.reset_parameters()

    def forward(self, input: Tensor, target: Tensor) -> ASMOutput:
        alone = target.ndim == 0
        if input.ndim != target.ndim + 1 or target.ndim > 1 or (not alone and len(input) != len(target)):
            raise lamina.ShapeError(
                "AdaptiveLogSoftmaxWithLoss: needs input (N, in) and target (N,), or (in) and (), got "
                f"{tuple(input.shape)} and {tuple(target.shape)}"
            )
        if alone:
            input, target = input.unsqueeze(0), target.unsqueeze(0)
        if bool(((target < 0) | (target >= self.n_classes)).any()):
            raise InvalidValue(
                f"AdaptiveLogSoftmaxWithLoss: targets must be in [0, {self.n_classes - 1}], got "
                f"{target.min().item()} to {target.max().item()}"
            )
        place, output = target, lamina.zeros(len(target), dtype=input.dtype, device=input.device)
        for i, (low, high) in enumerate(zip(self.cutoffs[:-1], self.cutoffs[1:], strict=True)):
            inside = (target >= low) & (target < high)
            rows = inside.nonzero().squeeze(1)
            if not len(rows):
                continue
            logs = self.tail[i](input.index_select(0, rows)).log_softmax(1)
            of_target = logs.gather(1, (target.index_select(0, rows) - low).unsqueeze(1)).squeeze(1)
            output = output.index_copy(0, rows, of_target.to(output.dtype))
            place = lamina.where(inside, self.shortlist_size + i, place)
        output = output + self.head(input).log_softmax(1).gather(1, place.unsqueeze(1)).squeeze(1)
        loss = -output.mean()
        return ASMOutput(output[0] if alone else output, loss)

    def log_prob(self, input: Tensor) -> Tensor:
        """Log-probabilities of all classes: (N, in) -> (N, n_classes)."""
        head = self.head(input).log_softmax(1)
        parts = [head[:, : self.shortlist_size]]
        for i, tail in enumerate(self.tail):
            parts.append(tail(input).log_softmax(1) + head[:, self.shortlist_size + i].unsqueeze(1))
        return lamina.cat(parts, 1)

    def predict(self, input: Tensor) -> Tensor:
        """The class of the highest probability: (N, in) -> (N,). Tails run for the rows that need them alone."""
        head = self.head(input)
        best: Tensor = head.argmax(1)
        rows = (best >= self.shortlist_size).nonzero().squeeze(1)
        if len(rows):
            best = best.index_copy(0, rows, self.log_prob(input.index_select(0, rows)).argmax(1))
        return best

    def extra_repr(self) -> str:
        return f"{self.in_features}, {self.n_classes}, cutoffs={self.cutoffs[:-1]}, div_value={self.div_value}"


__all__ = ["AdaptiveLogSoftmaxWithLoss", "LinearCrossEntropyLoss", "LinearCrossEntropyOptions"]
