"""Checks of Trainer's options, all before anything is trained."""

from __future__ import annotations

from typing import Any

PRECISIONS = {"float32": "float32", "fp32": "float32", "bf16": "bf16", "bfloat16": "bf16"}


def check(options: Any) -> None:
    """Raises ValueError or TypeError for an option out of range; `options` is the Trainer."""
    for name in ("epochs", "steps", "batch_size", "accumulate", "record_every"):
        value = getattr(options, name)
        if value is None and name != "batch_size" and name != "accumulate":
            continue
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise ValueError(f"Trainer: {name} should be a positive whole number, got {value!r}")
    if isinstance(options.num_workers, bool) or not isinstance(options.num_workers, int) or options.num_workers < 0:
        raise ValueError(f"Trainer: num_workers should be a whole number from 0, got {options.num_workers!r}")
    for name in ("clip_norm", "clip_value"):
        value = getattr(options, name)
        if value is not None and not float(value) > 0:
            raise ValueError(f"Trainer: {name} should be above 0, got {value!r}")
    if not float(options.lr) >= 0:
        raise ValueError(f"Trainer: lr should not be negative, got {options.lr!r}")
    if options.ema_decay is not None and not 0.0 <= float(options.ema_decay) < 1.0:
        raise ValueError(f"Trainer: ema is a decay in [0, 1), got {options.ema_decay!r}")
    if not options.precision:
        raise ValueError("Trainer: precision must be 'float32' or 'bf16'")
    if options.scheduler_step not in (None, "batch", "epoch"):
        raise ValueError(f"Trainer: scheduler_step must be 'batch' or 'epoch', got {options.scheduler_step!r}")
    if options.resume and options.checkpoint is None and options.resume is True:
        raise ValueError("Trainer: resume=True needs checkpoint=path; or give resume the path itself")


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
