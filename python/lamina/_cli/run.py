"""One training run of the `lamina` command: Trainer with the options of the command line."""

from __future__ import annotations

import math
import os
import shlex
import time
from argparse import Namespace
from dataclasses import asdict
from typing import Any

from .. import serialization
from ..training import Callback, History, NaNLossError, Trainer
from ..training._reporting import Reporter
from . import files, show
from .arguments import FAMILIES
from .files import Recipe

LINES = 20  # about as many say the course of a run
SILENCE = 15.0  # seconds without one


class Lines(Reporter):
    """The bar, and the line of each `every`th record, of the first and the last of this call, and after a long silence."""

    def __init__(self, every: int) -> None:
        super().__init__()
        self.every, self.said = every, -math.inf

    def on_epoch_end(self, trainer: Trainer, record: dict[str, float]) -> None:
        last = trainer.epoch == trainer.epochs or trainer.step == trainer.steps
        now = time.monotonic()
        if last or len(trainer.history) % self.every == 0 or now - self.said >= SILENCE:
            self.said = now
            super().on_epoch_end(trainer, record)


class Same(Callback):
    """Keeps the recipe in the checkpoint, so that a run is gone on with under the options it began with."""

    def __init__(self, recipe: Recipe) -> None:
        self.plan = {name: value for name, value in asdict(recipe).items() if name not in ("version", "shape")}

    def state_dict(self) -> dict[str, Any]:
        return {"plan": self.plan}

    def check(self, path: str) -> None:
        """Raises ValueError for a file of another run."""
        tree = serialization.load(path)
        try:
            states = tree["extra"]["callbacks"]
            before = next(state["plan"] for state in states if "plan" in state)
        except (KeyError, TypeError, StopIteration):
            raise ValueError(f"--resume: {path} is not a checkpoint of `lamina train`") from None
        for name, value in self.plan.items():
            if before.get(name) != value:
                was, now = _differing(before.get(name), value)
                raise ValueError(
                    f"--resume: {name} was {was} when the run began, now it is {now}; give the same options"
                )


def _differing(a: Any, b: Any) -> tuple[Any, Any]:
    """The first entries of two dicts that differ, or the two values."""
    if isinstance(a, dict) and isinstance(b, dict):
        for key in b:
            if a.get(key) != b[key]:
                return f"{key} {a.get(key)!r}", f"{b[key]!r}"
    return a, b


def length(arguments: Namespace) -> tuple[int | None, int | None]:
    """(epochs, steps) of the run: what was asked for, else the family's own."""
    if arguments.epochs is None and arguments.steps is None:
        family = FAMILIES[arguments.model]
        return family.epochs, family.steps
    return arguments.epochs, arguments.steps


def train(
    arguments: Namespace,
    model: Any,
    recipe: Recipe,
    data: Any,
    validation: Any = None,
    *,
    callbacks: list[Callback] | None = None,
    record_every: int | None = None,
    **options: Any,
) -> History:
    """Trains `model`, with checkpoints in --out, and gives the history."""
    os.makedirs(arguments.out, exist_ok=True)
    checkpoint, same = os.path.join(arguments.out, "checkpoint.safetensors"), Same(recipe)
    if arguments.resume:
        path = checkpoint if arguments.resume is True else arguments.resume
        if not os.path.exists(path):
            raise ValueError(f"--resume: there is no {path}; without --resume the run begins anew")
        same.check(path)
    lines = [] if arguments.quiet else [Lines(1 if record_every else max(1, (recipe.epochs or 1) // LINES))]
    every = arguments.checkpoint_every or record_every or "epoch"
    trainer = Trainer(
        model,
        epochs=recipe.epochs,
        steps=recipe.steps,
        batch_size=arguments.batch,
        lr=arguments.lr,
        seed=arguments.seed,
        precision=arguments.precision,
        progress=False,
        log=arguments.log,
        checkpoint=checkpoint,
        checkpoint_every=int(every) if isinstance(every, str) and every.isdigit() else every,
        resume=arguments.resume,
        callbacks=[*(callbacks or []), same, *lines],
        record_every=record_every,
        **options,
    )
    trainer.way_on = _way_on(arguments)
    try:
        return trainer.fit(data, validation)
    except NaNLossError as error:
        raise ValueError(
            f"{str(error).partition('; hint: a smaller lr')[0]}; hint: a smaller --lr than {arguments.lr:g}"
        ) from None


def finish(arguments: Namespace, module: Any, recipe: Recipe, drawings: Any) -> None:
    """Saves the model and its pictures; the checkpoint has done its work, unless it was asked for."""
    path = os.path.join(arguments.out, "model.safetensors")
    files.save(path, module, recipe)
    show.say(arguments, f"saved {path}")
    show.pictures(arguments, drawings)
    checkpoint = os.path.join(arguments.out, "checkpoint.safetensors")
    if not arguments.checkpoint_every and os.path.exists(checkpoint):
        os.remove(checkpoint)


def _way_on(arguments: Namespace) -> str:
    """The command that goes on with this run."""
    words, skip = [], False
    for word in arguments.words:
        if skip and word == arguments.resume:
            skip = False
            continue
        skip = word == "--resume"
        if not skip and not word.startswith("--resume="):
            words.append(word)
    return shlex.join(["lamina", *words, "--resume"])
