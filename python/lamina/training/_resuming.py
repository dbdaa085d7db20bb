"""What a run was begun with, kept in its checkpoint: a resumed run says which of today's options it does not follow."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Iterator, Mapping
from typing import Any

from .warnings import TrainingWarning

Begun = dict[str, Any]
_MOVED = ("params", "initial_lr", "base_lrs", "last_epoch")  # by schedules and steps


def begun(trainer: Any) -> Begun:
    """The kinds of optimizers and schedules, and the plain settings that a checkpoint's state will overrule."""
    found: Begun = {}
    own = callable(trainer.optimizer) and not isinstance(trainer.optimizer, type)
    if isinstance(trainer.optimizer, (str, type)) or trainer.own_step:
        found["options"] = {"lr": float(trainer.lr), "weight_decay": trainer.weight_decay}
    for what, several in (("optimizer", trainer.optimizers), ("scheduler", trainer.schedulers)):
        for name, one in several.items():
            label = what if len(several) == 1 else f"{what} {name!r}"
            groups = one.param_groups if what == "optimizer" else [one.state_dict()]
            skipped = _MOVED if own or "options" not in found else (*_MOVED, "lr", "weight_decay")
            settings = [
                {k: _plain(v) for k, v in group.items() if k not in skipped and _is_plain(k, v)} for group in groups
            ]
            found[label] = {"kind": type(one).__name__, "settings": settings}
    return found


def check_kinds(before: Begun, now: Begun) -> None:
    """Raises ValueError where the file's optimizer or schedule is of another class than today's."""
    for label in now:
        was, is_ = (part.get(label, {}).get("kind") for part in (before, now))
        if was is not None and was != is_:
            raise ValueError(
                f"resume: the {label} was {was} when the run began, now it is {is_}; give the same one, or begin a new run "
                'from the weights: lamina.load(path)["model"]'
            )


def warn_overruled(before: Begun, now: Begun) -> None:
    """One TrainingWarning that names each setting which was asked for now and stays as the file has it."""
    found = [f"{name}={old!r} (not {new!r})" for name, old, new in _differing(before, now)]
    if found:
        warnings.warn(
            f"resume: the run goes on with what it began with: {', '.join(found)}; hint: for other settings change "
            "trainer.optimizers in a callback, or begin a new run from the weights",
            TrainingWarning,
            stacklevel=4,
        )


def _differing(before: Begun, now: Begun) -> Iterator[tuple[str, Any, Any]]:
    old, new = before.get("options", {}), now.get("options", {})
    yield from ((name, old[name], new[name]) for name in new if name in old and old[name] != new[name])
    for label, part in now.items():
        if label == "options":
            continue
        groups = zip(before.get(label, {}).get("settings", []), part["settings"], strict=False)
        for i, (mine, yours) in enumerate(groups):
            place = f"{label}: " if i == 0 else f"{label}, group {i}: "
            yield from ((place + k, mine[k], yours[k]) for k in yours if k in mine and mine[k] != yours[k])


def _is_plain(name: str, value: Any) -> bool:
    if isinstance(value, (list, tuple)):
        return not name.startswith("_") and len(value) <= 8 and all(_is_plain(name, item) for item in value)
    return not name.startswith("_") and isinstance(value, (bool, int, float, str, type(None)))


def _plain(value: Any) -> Any:
    return [_plain(item) for item in value] if isinstance(value, (list, tuple)) else value


def say_where(trainer: Any, path: Any) -> None:
    """One line on stderr: from where the run goes on."""
    parts = [f"epoch {trainer.epoch + 1}" + (f" of {trainer.epochs}" if trainer.epochs else "")]
    if trainer._done():
        parts = [f"its end, after epoch {trainer.epoch}"]
    elif trainer.state.batch:
        parts.append(f"batch {trainer.state.batch + 1}")
    steps = f" of {trainer.total_steps}" if trainer.total_steps else ""
    print(
        f"lamina: resumes {os.fspath(path)} at {', '.join(parts)} ({trainer.step}{steps} steps done)", file=sys.stderr
    )


def say_none(path: Any) -> None:
    """One line on stderr: the run begins anew."""
    print(f"lamina: resume: there is no {os.fspath(path)} yet, so the run begins anew", file=sys.stderr)


def begun_of(extra: Mapping[str, Any]) -> Begun:
    """What a checkpoint says; {} in files that do not."""
    found: Begun = extra.get("begun", {})
    return found
