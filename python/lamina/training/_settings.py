"""Checks of Trainer's options, all before anything is trained."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from operator import index
from typing import Any

from .callbacks import Callback

PRECISIONS = {"float32": "float32", "fp32": "float32", "bf16": "bf16", "bfloat16": "bf16"}


def check(options: Any) -> None:
    """Raises ValueError or TypeError for an option out of range; `options` is the Trainer."""
    for name in ("epochs", "steps", "batch_size", "accumulate", "record_every"):
        value = getattr(options, name)
        if value is None and name != "batch_size" and name != "accumulate":
            continue
        if isinstance(value, bool) or not hasattr(value, "__index__") or value < 1:
            raise ValueError(f"Trainer: {name} should be a positive whole number, got {value!r}")
        setattr(options, name, index(value))  # NumPy's integers too
    if isinstance(options.num_workers, bool) or not isinstance(options.num_workers, int) or options.num_workers < 0:
        raise ValueError(f"Trainer: num_workers should be a whole number from 0, got {options.num_workers!r}")
    for name in ("clip_norm", "clip_value"):
        value = getattr(options, name)
        if value is not None and not _number(name, value) > 0:
            raise ValueError(f"Trainer: {name} should be above 0, got {value!r}")
    if not _number("lr", options.lr) >= 0:
        raise ValueError(f"Trainer: lr should not be negative, got {options.lr!r}")
    if options.ema_decay is not None and not 0.0 <= _number("ema", options.ema_decay) < 1.0:
        raise ValueError(f"Trainer: ema is a decay in [0, 1), got {options.ema_decay!r}")
    for name in ("shuffle", "progress", "energy", "checks", "drop_last"):
        if not isinstance(getattr(options, name), bool):
            raise TypeError(f"Trainer: {name} should be True or False, got {getattr(options, name)!r}")
    for callback in options.callbacks:
        if not isinstance(callback, Callback):
            raise TypeError(f"Trainer: callbacks should be Callbacks, got {type(callback).__name__}")
    if not options.precision:
        raise ValueError("Trainer: precision must be 'float32' or 'bf16'")
    if options.scheduler_step not in (None, "batch", "epoch"):
        raise ValueError(f"Trainer: scheduler_step must be 'batch' or 'epoch', got {options.scheduler_step!r}")
    if options.resume and options.checkpoint is None and options.resume is True:
        raise ValueError("Trainer: resume=True needs checkpoint=path; or give resume the path itself")


def _number(name: str, value: Any) -> float:
    if isinstance(value, (bool, str)) or not hasattr(value, "__float__"):
        raise TypeError(f"Trainer: {name} should be a number, got {value!r}")
    return float(value)


def check_names(options: dict[str, Any], known: Iterable[str]) -> None:
    """Raises TypeError for an option that Trainer does not have, and says the nearest."""
    names = [name for name in known if name not in ("self", "model")]
    for name in options:
        if name not in names:
            near = get_close_matches(name, [*names, "validation"], 1, 0.5)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise TypeError(f"fit: there is no option {name!r}{hint}")


def check_own_step(options: Any, model: str) -> None:
    """Options that a model with a training_step of its own cannot follow."""
    for name, off in (("accumulate", 1), ("clip_norm", None), ("clip_value", None), ("loss", None)):
        if getattr(options, name) != off:
            raise ValueError(f"Trainer: {model} makes its steps itself (training_step), so {name} has no effect there")


def checkpoint_period(every: Any) -> tuple[int, str]:
    """(how many, "epoch" or "step") of checkpoint_every: "epoch", "5 epochs", "100 steps", or a number of steps."""
    if isinstance(every, int) and not isinstance(every, bool) and every > 0:
        return every, "step"
    if isinstance(every, str):
        count, _, unit = every.strip().rpartition(" ")
        unit = unit.removesuffix("s")
        if unit in ("epoch", "step") and (count == "" or (count.isdigit() and int(count) > 0)):
            return int(count or 1), unit
    raise ValueError(
        f"Trainer: checkpoint_every should be 'epoch', '5 epochs', '100 steps' or a number of steps, got {every!r}"
    )


def check_measured(trainer: Any) -> None:
    """What validation and early stopping need is there: said before the first epoch, not after it."""
    judge = trainer._judge
    names = [*(["loss"] if judge.loss is not None else []), *judge.metrics()]
    if trainer.validation is not None and not names:
        raise ValueError(
            f"fit: {type(trainer.model).__name__} has no loss and no metrics to validate; hint: give metrics=, or "
            "leave validation out"
        )
    there = [f"val_{name}" for name in names] if trainer.validation is not None else []
    if trainer.stopping is not None and trainer.monitored.startswith("val_") and trainer.monitored not in there:
        raise ValueError(
            f"fit: monitor={trainer.monitored!r} will not be measured; there is {', '.join(['loss', *there])}"
            + ("" if there else "; hint: give validation=")
        )
