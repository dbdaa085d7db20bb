"""L-BFGS with a strong Wolfe line search."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import lamina

from .. import _C
from .._C import Tensor
from .optimizer import Optimizer, settings


class _Point(NamedTuple):
    """Step length along the direction, loss, flat gradient, and slope (gradient times direction)."""

    t: float
    loss: float
    grad: Tensor
    slope: float


def _cubic_minimum(a: _Point, b: _Point, low: float, high: float) -> float:
    """Where the cubic through both points and slopes is lowest, within [low, high]; the middle where it has none."""
    if a.t > b.t:
        a, b = b, a
    d1 = a.slope + b.slope - 3 * (a.loss - b.loss) / (a.t - b.t)
    square = d1 * d1 - a.slope * b.slope
    if not square >= 0:
        return (low + high) / 2
    d2 = math.sqrt(square)
    bottom = b.slope - a.slope + 2 * d2
    if bottom == 0:
        return (low + high) / 2
    return min(max(b.t - (b.t - a.t) * ((b.slope + d2 - d1) / bottom), low), high)


def _strong_wolfe(
    evaluate: Callable[[float], _Point],
    start: _Point,
    t: float,
    widest: float,
    budget: int,
    c1: float = 1e-4,
    c2: float = 0.9,
    tolerance_change: float = 1e-9,
) -> tuple[_Point, int]:
    """A step with enough decrease and a flat slope (Nocedal and Wright, algorithms 3.5 and 3.6): (point, calls)."""

    def too_high(p: _Point) -> bool:
        return p.loss > start.loss + c1 * p.t * start.slope

    def flat(p: _Point) -> bool:
        return abs(p.slope) <= -c2 * start.slope

    before, new, calls, tries = start, evaluate(t), 1, 0
    while tries < budget:  # widen until a minimum lies between `before` and `new`
        if too_high(new) or (tries > 1 and new.loss >= before.loss):
            break
        if flat(new):
            return new, calls
        if new.slope >= 0:
            break
        t = _cubic_minimum(before, new, new.t + 0.01 * (new.t - before.t), new.t * 10)
        before, new = new, evaluate(t)
        calls, tries = calls + 1, tries + 1
    else:
        before = start
    low, high = (before, new) if before.loss <= new.loss else (new, before)
    stalled = False
    while tries < budget:  # narrow
        left, right = min(low.t, high.t), max(low.t, high.t)
        if (right - left) * widest < tolerance_change:
            break
        t = _cubic_minimum(low, high, left, right)
        margin = 0.1 * (right - left)
        near = min(right - t, t - left) < margin
        if near and (stalled or t >= right or t <= left):
            t, near = (right - margin if abs(t - right) < abs(t - left) else left + margin), False
        stalled = near
        new = evaluate(t)
        calls, tries = calls + 1, tries + 1
        if too_high(new) or new.loss >= low.loss:
            low, high = (low, new) if low.loss <= new.loss else (new, low)
        elif flat(new):
            return new, calls
        else:
            low, high = new, low if new.slope * (high.t - low.t) >= 0 else high
    return low, calls


class LBFGS(Optimizer):
    """L-BFGS (Liu and Nocedal 1989): quasi-Newton steps from the last `history_size` changes of gradient and place.

    `step(closure)` makes up to max_iter iterations, calling the closure (which clears the gradients, computes the
    loss, calls backward and returns the loss) up to max_eval times. line_search_fn is None (each step has length lr)
    or "strong_wolfe". One parameter group only; the state belongs to the first parameter.

    >>> import lamina
    >>> w = lamina.nn.Parameter(lamina.tensor([3.0, -2.0]))
    >>> opt = lamina.optim.LBFGS([w], line_search_fn="strong_wolfe")
    >>> def closure():
    ...     opt.zero_grad()
    ...     loss = ((w - 1) ** 4).sum()
    ...     loss.backward()
    ...     return loss
    >>> first = opt.step(closure); bool(((w - 1).abs() < 0.02).all())
    True
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        history_size: int = 100,
        line_search_fn: str | None = None,
    ) -> None:
        max_eval = max_iter * 5 // 4 if max_eval is None else max_eval
        super().__init__(params, settings(locals()))
        if len(self.param_groups) != 1:
            raise ValueError("LBFGS doesn't support per-parameter options (parameter groups)")
        self._params: list[Tensor] = self.param_groups[0]["params"]

    def _check_group(self, group: dict[str, Any]) -> None:
        self._require(group, "lr")
        if group["line_search_fn"] not in (None, "strong_wolfe"):
            raise ValueError(f"LBFGS: line_search_fn must be None or 'strong_wolfe', got {group['line_search_fn']!r}")

    def _flat_grad(self) -> Tensor:
        parts = [_C.zeros_like(p.detach()) if p.grad is None else p.grad for p in self._params]
        return _C.cat([part.detach().reshape(-1) for part in parts])

    def _move(self, direction: Tensor, length: float) -> None:
        start = 0
        for p in self._params:
            end = start + p.numel()
            p.add_(direction[start:end].reshape(p.shape), alpha=length)
            start = end

    @staticmethod
    def _direction(grad: Tensor, own: dict[str, Any]) -> Tensor:
        """-H grad by the two-loop recursion."""
        q, weights = -grad, []
        history = list(zip(own["old_dirs"], own["old_stps"], own["ro"], strict=True))
        for change, step, ro in reversed(history):
            weights.append(step.dot(q).item() * ro)
            q.add_(change, alpha=-weights[-1])
        q.mul_(own["H_diag"])
        for (change, step, ro), weight in zip(history, reversed(weights), strict=True):
            q.add_(step, alpha=weight - change.dot(q).item() * ro)
        return q

    @staticmethod
    def _remember(grad: Tensor, own: dict[str, Any], size: int) -> None:
        change, step = grad - own["prev_flat_grad"], own["d"] * own["t"]
        curvature = change.dot(step).item()
        if curvature <= 1e-10:
            return
        for name, value in (("old_dirs", change), ("old_stps", step), ("ro", 1.0 / curvature)):
            own[name] = [*own[name], value][-size:]
        own["H_diag"] = curvature / change.dot(change).item()

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        if closure is None:
            raise TypeError("LBFGS.step needs a closure that computes the loss and its gradients anew")
        with lamina.no_grad():
            return self._iterate(closure)

    def _iterate(self, closure: Callable[[], Any]) -> Any:
        group = self.param_groups[0]

        def compute() -> tuple[Any, float, Tensor]:
            with lamina.enable_grad():
                loss = closure()
            own["func_evals"] += 1
            return loss, float(loss), self._flat_grad()

        own = self.state[self._params[0]]
        own.setdefault("func_evals", 0)
        own.setdefault("n_iter", 0)
        before = own["func_evals"]
        first_loss, loss, grad = compute()
        if grad.abs().max().item() <= group["tolerance_grad"]:
            return first_loss
        for iteration in range(1, group["max_iter"] + 1):
            own["n_iter"] += 1
            if own["n_iter"] == 1:
                own.update(d=-grad, old_dirs=[], old_stps=[], ro=[], H_diag=1.0)
                t = min(1.0, 1.0 / grad.abs().sum().item()) * group["lr"]
            else:
                self._remember(grad, own, group["history_size"])
                own["d"], t = self._direction(grad, own), float(group["lr"])
            direction, slope = own["d"], grad.dot(own["d"]).item()
            own.update(prev_flat_grad=grad, prev_loss=loss, t=t)
            if slope > -group["tolerance_change"]:
                break
            last_loss, widest = loss, direction.abs().max().item()
            if group["line_search_fn"] is not None:
                places = [p.clone() for p in self._params]

                def evaluate(length: float) -> _Point:
                    self._move(direction, length)
                    _, value, slopes = compute()
                    for p, place in zip(self._params, places, strict=True):
                        p.copy_(place)
                    return _Point(length, value, slopes, slopes.dot(direction).item())

                budget = group["max_eval"] - (own["func_evals"] - before)
                point, _ = _strong_wolfe(evaluate, _Point(0.0, loss, grad, slope), t, widest, budget)
                t, loss, grad = point.t, point.loss, point.grad
                own["t"] = t
                self._move(direction, t)
            else:
                self._move(direction, t)
                if iteration != group["max_iter"]:
                    _, loss, grad = compute()
            if (
                own["func_evals"] - before >= group["max_eval"]
                or grad.abs().max().item() <= group["tolerance_grad"]
                or widest * abs(t) <= group["tolerance_change"]
                or abs(loss - last_loss) < group["tolerance_change"]
            ):
                break
        return first_loss

    def _fit(self, name: str, value: Any, param: Tensor) -> Any:
        """The flat vectors need no parameter's shape; numbers that PyTorch keeps in tensors become floats."""
        if isinstance(value, list):
            return [self._fit(name, item, param) for item in value]
        if isinstance(value, Tensor):
            return value.item() if value.ndim == 0 else value.detach().to(param.device).to(param.dtype).clone()
        return value
