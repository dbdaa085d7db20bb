"""The cross-entropy of a linear layer's outputs, without ever holding all of them."""

from __future__ import annotations

from typing import Any

import lamina

from .._C import InvalidValue, Tensor
from .._C import functional as _F
from ..autograd import Function

_ROWS = 256  # rows at a time: a chain of the product that makes the weight's gradient, whose bits so stay the same


def linear_cross_entropy(
    input: Tensor,
    linear_weight: Tensor,
    target: Tensor,
    *,
    linear_bias: Tensor | None = None,
    weight: Tensor | None = None,
    reduction: str = "mean",
    ignore_index: int | None = None,
    label_smoothing: float = 0.0,
    options: Any = None,
) -> Tensor:
    """cross_entropy(linear(input, linear_weight, linear_bias), target) with the logits of 256 rows at a time.

    input (N, in) or (in), linear_weight (C, *, in), linear_bias (C, *), target classes int (N, *) or probabilities
    (N, C, *) -> (), or (N, *) with reduction "none". Backward computes the logits again; a second gradient holds them
    all. `options` is accepted: there is one way. Raises ShapeError for sizes that do not fit. After Wijmans et al.
    (2024), Cut your losses in large-vocabulary language models.
    """
    if reduction not in ("mean", "sum", "none"):
        raise InvalidValue(f"linear_cross_entropy: reduction must be 'mean', 'sum' or 'none', got {reduction!r}")
    if input.ndim not in (1, 2) or linear_weight.ndim < 2 or input.shape[-1] != linear_weight.shape[-1]:
        raise lamina.ShapeError(
            f"linear_cross_entropy: input {tuple(input.shape)} and linear_weight {tuple(linear_weight.shape)} must be "
            "(N, in) or (in) and (C, *, in)"
        )
    outputs = tuple(linear_weight.shape[:-1])
    if linear_bias is not None and tuple(linear_bias.shape) != outputs:
        raise lamina.ShapeError(f"linear_cross_entropy: linear_bias {tuple(linear_bias.shape)} must be {outputs}")
    if input.ndim == 1:
        if len(outputs) > 1:
            raise lamina.ShapeError("linear_cross_entropy: a weight with further dims needs an input (N, in)")
        input, target, alone = input.unsqueeze(0), target.unsqueeze(0), True
    else:
        alone = False
    classes = not target.is_floating_point()
    ignored = -100 if ignore_index is None else ignore_index
    if not classes and ignore_index is not None and ignore_index >= 0:
        raise InvalidValue("linear_cross_entropy: ignore_index is for targets that are classes, not probabilities")
    rest = {"weight": weight, "ignore_index": ignored, "label_smoothing": label_smoothing}
    rows: Tensor = _Rows.apply(input, linear_weight, linear_bias, target, rest)
    if reduction == "none":
        return rows[0] if alone else rows
    if reduction == "sum":
        return rows.sum()
    if not classes:
        return rows.sum() / (rows.numel() or 1)
    kept = target != ignored
    if weight is None:
        return rows.sum() / kept.sum()
    weights = weight[lamina.where(kept, target, 0)] * kept
    return rows.sum() / weights.sum()


def _loss(x: Tensor, weight: Tensor, bias: Tensor | None, target: Tensor, rest: dict[str, Any]) -> Tensor:
    """The losses of some rows, all at once."""
    logits = _F.linear(x, weight.flatten(0, -2), None if bias is None else bias.flatten())
    logits = logits.reshape((x.shape[0], *weight.shape[:-1]))
    return _F.cross_entropy(logits, target, reduction="none", **rest)


class _Rows(Function):
    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None, target: Tensor, rest: dict[str, Any]
    ) -> Tensor:
        ctx.save_for_backward(x, weight, bias, target)
        ctx.rest = rest
        pieces = zip(x.split(_ROWS), target.split(_ROWS), strict=True)
        losses = [_loss(part, weight, bias, goal, rest) for part, goal in pieces]
        return losses[0] if len(losses) == 1 else lamina.cat(losses)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        x, weight, bias, target = ctx.saved_tensors
        needs = ctx.needs_input_grad[:4]
        if lamina.is_grad_enabled():  # to be differentiated again
            wanted = [t for t, need in zip((x, weight, bias, target), needs, strict=True) if need]
            loss = _loss(x, weight, bias, target, ctx.rest)
            found = iter(lamina.autograd.grad(loss, wanted, grad, create_graph=True))
            return (*(next(found) if need else None for need in needs), None)
        return (*_gradients(x, weight, bias, target, ctx.rest, grad, needs), None)


def _gradients(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    target: Tensor,
    rest: dict[str, Any],
    grad: Tensor,
    needs: tuple[bool, ...],
) -> tuple[Tensor | None, ...]:
    """Chunk by chunk, adding to the gradients of weight and bias in the order of the rows."""
    flat = weight.detach().flatten(0, -2)
    flat_bias = None if bias is None else bias.detach().flatten()
    parts: list[Tensor] = []
    goals: list[Tensor] = []
    sums: dict[str, Tensor] = {}

    def add(name: str, value: Tensor) -> None:
        sums[name] = sums[name].add_(value) if name in sums else value

    for part, goal, slope in zip(x.detach().split(_ROWS), target.split(_ROWS), grad.split(_ROWS), strict=True):
        goal = goal.detach().requires_grad_(needs[3])
        in_logits, *in_goal = _slopes(part, flat, flat_bias, tuple(weight.shape[:-1]), goal, rest, slope)
        goals += in_goal
        if needs[0]:
            parts.append(in_logits @ flat)
        if needs[1]:
            add("weight", in_logits.mT @ part)
        if needs[2]:
            add("bias", in_logits.sum(0))
    return (
        (lamina.cat(parts) if parts else lamina.zeros_like(x)) if needs[0] else None,
        sums["weight"].reshape(weight.shape) if "weight" in sums else None,
        sums["bias"].reshape(bias.shape) if bias is not None and "bias" in sums else None,
        (lamina.cat(goals) if goals else lamina.zeros_like(target)) if needs[3] else None,
    )


def _slopes(
    x: Tensor, weight: Tensor, bias: Tensor | None, outputs: Any, target: Tensor, rest: dict[str, Any], grad: Tensor
) -> tuple[Tensor, ...]:
    """The gradient in the logits of some rows, and in their targets where those need one."""
    logits = _F.linear(x, weight, bias).requires_grad_()
    with lamina.enable_grad():
        loss = _F.cross_entropy(logits.reshape((x.shape[0], *outputs)), target, reduction="none", **rest)
    found: Any = lamina.autograd.grad(loss, (logits, target) if target.requires_grad else (logits,), grad)
    return tuple(found)
