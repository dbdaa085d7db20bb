"""One step of an optimizer from a group of batches: the usual one, LBFGS, and that of a model with its own."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, NoReturn

import lamina

from .. import optim
from .._C import Tensor
from ..nn.utils import clip_grad_norm_, clip_grad_value_
from ._data import Batch, rows_of
from ._diagnosis import explain, explain_own_step, finite
from .warnings import NaNLossError

if TYPE_CHECKING:
    from .trainer import Trainer

Losses = tuple[dict[str, float], float]  # by name, and what they count beside those of other steps
_NO_TARGET = (
    "no target of the batch counts, so the loss is a mean over nothing; hint: look at the targets and ignore_index, or "
    "take larger batches"
)


def step_of(trainer: Trainer) -> Usual:
    """How this model is trained."""
    if trainer.own_step:
        return Own(trainer)
    if any(isinstance(o, optim.LBFGS) for o in trainer.optimizers.values()):
        if trainer.accumulate > 1:
            raise ValueError("accumulate: LBFGS computes the loss several times a step; hint: a larger batch_size")
        return Closure(trainer)
    return Usual(trainer)


class Usual:
    """zero_grad, loss and backward of each batch, clipping, step."""

    def __init__(self, trainer: Trainer) -> None:
        self.trainer = trainer
        self.model: Any = trainer.model
        self.optimizers = list(trainer.optimizers.values())
        self.loss = trainer.task.loss
        self.params = [p for o in self.optimizers for g in o.param_groups for p in g["params"]]

    def autocast(self) -> AbstractContextManager[Any]:
        if self.trainer.precision == "float32":
            return nullcontext()
        device = str(self.params[0].device).partition(":")[0] if self.params else "cpu"
        return lamina.autocast(device, dtype=lamina.bfloat16)

    def __call__(self, batches: list[Batch]) -> Losses:
        for optimizer in self.optimizers:
            optimizer.zero_grad()
        value, weight = self._backward(batches)
        self._clip()
        for optimizer in self.optimizers:
            optimizer.step()
        return {"loss": value}, weight

    def _backward(self, batches: list[Batch]) -> tuple[float, float]:
        """The gradients of the loss of all batches as one, that loss, and its denominator."""
        assert self.loss is not None
        task, value = self.trainer.task, 0.0
        weights = [task.weight(batch) for batch in batches]
        total = sum(weights)
        for batch, weight in zip(batches, weights, strict=True):
            state = lamina.get_rng_state()
            with self.autocast():
                loss = self._scalar(self.loss(*batch))
            found = float(loss.item())
            if weight == 0 and total > 0:  # a mean over no target
                continue
            if not math.isfinite(found):
                if total == 0:
                    raise NaNLossError(
                        f"fit: the loss became {_kind(found)} in step {self.trainer.step + 1}: {_NO_TARGET}"
                    )
                self._not_finite(f"the loss became {_kind(found)}", batch, state)
            if self.trainer.checker is not None:
                self.trainer.checker.loss(loss)
            share = 1.0 if task.summed or len(batches) == 1 else weight / total if total else 1 / len(batches)
            value += found * share
            (loss if share == 1.0 else loss * share).backward()
        return value, total

    def _scalar(self, loss: Any) -> Tensor:
        if not isinstance(loss, Tensor) or loss.numel() != 1:
            got = f"shape {tuple(loss.shape)}" if isinstance(loss, Tensor) else type(loss).__name__
            raise ValueError(f"fit: the loss should be a tensor with one value, got {got}; hint: reduction='mean'")
        if not loss.requires_grad:
            raise ValueError(
                "fit: the loss does not depend on any parameter; hint: detach(), no_grad(), item() or numpy() in "
                "forward cuts it off"
            )
        return loss

    def _not_finite(self, what: str, batch: Batch, state: Tensor) -> NoReturn:
        """Ends the run before the weights are touched."""
        if self.trainer.checker is not None:
            self.trainer.checker.close()
        found = self._where(batch, state).partition("; hint: a smaller lr")[0]
        raise NaNLossError(f"fit: {what} in step {self.trainer.step + 1}: {found}{self._advice(found)}")

    def _advice(self, found: str) -> str:
        """What to try that the run does not do yet; nothing where the data is at fault."""
        if "in the data" in found:
            return ""
        trainer = self.trainer
        rate = max((float(g["lr"]) for o in self.optimizers for g in o.param_groups), default=trainer.lr)
        tries = [f"a smaller lr ({rate / 10:.3g})"]
        if trainer.clip_norm is None and not trainer.own_step:
            tries.append("clip_norm=1.0")
        if trainer.scheduler is None:
            tries.append("scheduler='warmup_cosine'")
        if trainer.precision != "float32":
            tries.append("precision='float32'")
        return f"; hint: {', '.join(tries)}"

    def _where(self, batch: Batch, state: Tensor) -> str:
        def again() -> None:
            assert self.loss is not None
            with self.autocast():
                self.loss(*batch)

        return explain(self.model, again, state)

    def _clip(self) -> None:
        if self.trainer.clip_value is not None:
            clip_grad_value_(self.params, self.trainer.clip_value)
        if self.trainer.clip_norm is not None:
            clip_grad_norm_(self.params, self.trainer.clip_norm)


class Closure(Usual):
    """LBFGS computes loss and gradients as often as it needs."""

    def __call__(self, batches: list[Batch]) -> Losses:
        first: list[tuple[float, float]] = []

        def closure() -> float:
            for optimizer in self.optimizers:
                optimizer.zero_grad()
            first.append(self._backward(batches))
            self._clip()
            return first[-1][0]

        for optimizer in self.optimizers:
            optimizer.step(closure)
        return {"loss": first[0][0]}, first[0][1]


class Own(Usual):
    """The model's training_step does everything itself and tells its losses."""

    def __call__(self, batches: list[Batch]) -> Losses:
        state, batch = lamina.get_rng_state(), batches[0]
        with self.autocast(), self._guarded(batch, state):
            losses = self.model.training_step(batch, self.trainer.optimizers)
        if isinstance(losses, Tensor):
            losses = {"loss": losses}
        if not isinstance(losses, dict) or not losses:
            raise TypeError(
                f"{type(self.model).__name__}.training_step should return a dict of losses, got {type(losses).__name__}"
            )
        found = {name: float(v.item() if isinstance(v, Tensor) else v) for name, v in losses.items()}
        for name, value in found.items():
            if not math.isfinite(value):
                self._not_finite(f"the loss {name!r} became {_kind(value)}", batch, state)
        return (found if "loss" in found else {"loss": sum(found.values()), **found}), rows_of(batch)

    @contextmanager
    def _guarded(self, batch: Batch, state: Tensor) -> Iterator[None]:
        """With checks, a step from gradients that are not finite is not made."""
        before = {name: o.__dict__.get("step") for name, o in self.trainer.optimizers.items()}
        if self.trainer.checker is not None:
            for name, optimizer in self.trainer.optimizers.items():
                optimizer.step = self._checked(name, optimizer, batch, state)
        try:
            yield
        finally:
            for name, optimizer in self.trainer.optimizers.items():
                optimizer.__dict__.pop("step", None)
                if before[name] is not None and self.trainer.checker is not None and self.trainer.checker.looking:
                    optimizer.step = before[name]

    def _checked(self, name: str, optimizer: Any, batch: Batch, state: Tensor) -> Callable[..., Any]:
        step = optimizer.step

        def checked(closure: Any = None) -> Any:
            if closure is not None:
                return step(closure)
            if not all(finite(p.grad) for g in optimizer.param_groups for p in g["params"] if p.grad is not None):
                self._not_finite(f"a gradient of optimizer {name!r} became NaN or infinite", batch, state)
            return step()

        return checked

    def _where(self, batch: Batch, state: Tensor) -> str:
        return explain_own_step(self.model, batch, list(self.trainer.optimizers), state)


def _kind(value: float) -> str:
    return "NaN" if math.isnan(value) else "infinite"
