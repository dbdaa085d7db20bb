"""Probabilities given to a loss that wants logits: seen in the graph of the loss, or in the gradient it sends back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import lamina

if TYPE_CHECKING:
    from .._C import Tensor

# operations that only move or convert values
_MOVES = frozenset(
    "view reshape flatten unflatten squeeze unsqueeze transpose permute contiguous to slice select narrow clone "
    "expand movedim moveaxis t".split()
)
_WRONG = {
    "cross_entropy": ("softmax", "log_softmax", "sigmoid", "logsigmoid"),
    "binary_cross_entropy_with_logits": ("sigmoid", "logsigmoid", "softmax", "log_softmax"),
}
_ROWS = 64


def activation_of(node: Any) -> str:
    """The operation that a graph node's values come from, behind those that only move them; '' for a leaf."""
    for _ in range(16):
        if node is None:
            return ""
        name = str(node.name())
        if name not in _MOVES:
            return name
        following = node.next_functions
        node = following[0][0] if following else None
    return ""


def wrong_in_graph(loss: Tensor) -> tuple[str, str] | None:
    """(loss function, activation before it) where a loss of logits is given probabilities; looks at 200 nodes."""
    stack, seen = [loss.grad_fn], 0
    while stack and seen < 200:
        node = stack.pop()
        if node is None:
            continue
        seen += 1
        wrong = _WRONG.get(str(node.name()))
        following = node.next_functions
        if wrong is None:
            stack.extend(n for n, _ in reversed(following))
            continue
        activation = activation_of(following[0][0]) if following else ""
        if activation in wrong:
            return str(node.name()), activation
    return None


def sentence(loss: str, activation: str) -> str:
    """What to do about it."""
    if activation == "log_softmax" and loss == "cross_entropy":
        return "log_softmax before cross_entropy does nothing: leave it out, or use nll_loss after it"
    instead = "cross_entropy" if loss == "cross_entropy" else "binary_cross_entropy (without logits)"
    hint = "leave the activation out" if loss == "cross_entropy" else f"leave it out, or use {instead}"
    return (
        f"{activation} before {loss}: that loss wants logits and applies its own, so learning is slow and stops early; "
        f"{hint}"
    )


def activation_name(output: Tensor) -> str:
    """softmax, log_softmax or sigmoid where a model's output comes from one (or its rows look like it), else ''."""
    name = activation_of(output.grad_fn)
    if name in ("softmax", "log_softmax", "sigmoid", "logsigmoid"):
        return name
    if output.dim() < 2 or output.shape[1] < 2 or not output.is_floating_point() or output.numel() == 0:
        return ""
    rows = output.detach()[:_ROWS].double()
    if bool((rows >= 0).all()) and _near(rows.sum(1), 1.0):
        return "softmax"
    return "log_softmax" if bool((rows <= 0).all()) and _near(rows.exp().sum(1), 1.0) else ""


def _near(values: Tensor, number: float, room: float = 1e-4) -> bool:
    return bool(((values - number).abs() < room).all())


def loss_behind(output: Tensor, gradient: Tensor) -> str:
    """The loss of logits whose gradient with respect to `output` this is: target = activation(output) - n gradient.

    n is the number of rows (or elements) of a mean, or 1 of a sum.
    """
    with lamina.no_grad():
        out, grad = output.detach().double(), gradient.detach().double()
        if not bool(grad.any()):
            return ""
        rows = out.numel() // out.shape[1] if out.dim() > 1 else out.numel()
        if out.dim() > 1 and out.shape[1] > 1 and any(_classes(out.softmax(1) - grad * n) for n in (rows, 1)):
            return "cross_entropy"
        if any(_bits(out.sigmoid() - grad * n) for n in (out.numel(), rows, 1)):
            return "binary_cross_entropy_with_logits"
    return ""


def _classes(target: Tensor) -> bool:
    """Whether rows are one class each: one large value, and one small value that all others have, in all rows."""
    rows = target.movedim(1, -1).reshape(-1, target.shape[1])[:_ROWS].sort(1)[0]
    small, large = rows[:, :-1], rows[:, -1]
    return bool(
        small.max() - small.min() < 1e-3
        and large.max() - large.min() < 1e-3
        and small.min() > -1e-3
        and large.min() > small.max() + 1e-2
    )


def _bits(target: Tensor) -> bool:
    flat = target.reshape(-1)[: _ROWS * 16]
    return bool(((flat.abs() < 1e-3) | ((flat - 1).abs() < 1e-3)).all())
