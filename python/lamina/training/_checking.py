"""What Trainer looks at while it runs: watch's hooks, in the steps that are looked at closely alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .callbacks import Callback
from .watching import Watch, looked_at

if TYPE_CHECKING:
    from .._C import Tensor
    from .trainer import Trainer


class Checker(Callback):
    """checks=True."""

    def __init__(self) -> None:
        self._watch: Watch | None = None
        self.looking = False

    def on_fit_begin(self, trainer: Trainer) -> None:
        self._watch = Watch(trainer.model, trainer.optimizers, own_loop=False)

    def on_batch_begin(self, trainer: Trainer, batches: list[tuple[Any, ...]]) -> None:
        assert self._watch is not None
        if looked_at(self._watch.steps):
            self._watch.open()
            self.looking = True

    def loss(self, loss: Tensor) -> None:
        """Looks at the loss of a step that is looked at closely."""
        if self.looking and self._watch is not None:
            self._watch.loss(loss)

    def close(self) -> None:
        """Removes the hooks."""
        if self._watch is not None and self.looking:
            self._watch.close()
        self.looking = False

    def on_batch_end(self, trainer: Trainer, loss: float) -> None:
        assert self._watch is not None
        if not self.looking:
            self._watch.steps += 1
        self.close()

    def on_fit_end(self, trainer: Trainer) -> None:
        self.close()
