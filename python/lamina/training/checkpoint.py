"""Checkpoint: everything a run needs to go on in the same bits, in one safetensors file."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import lamina

from .. import serialization
from ._random import Stream, find_states, parts_of

Path = str | os.PathLike[str]
_FORMAT = 1


class Checkpoint:
    """Model, optimizers, schedules, averages, random states and the place in the data, saved and loaded as one.

    `optimizer` and `scheduler` are one or a dict of several by name. `ema` is an AveragedModel. `loader` is the
    DataLoader whose order and place are kept, with the lamina generators that it and its dataset hold, and the states
    of loader, samplers and datasets that have state_dict and load_state_dict; `generators` are others (lamina's,
    NumPy's, random.Random). `parts` are further objects with state_dict and load_state_dict, by name;
    `extra` is a dict of numbers, strings, tensors, dicts and lists of your own.

    In a loop of your own, `epochs` and `batches` go on where the file was written, within an epoch too: the batches
    that were used are read again and left out, and the random states are set as they were. Datasets and samplers that
    have a `set_epoch`, as vision.Augment, are told the number of each epoch before it begins. The file is written at
    once or not at all, and holds the model's state under "model": `lamina.load(path)["model"]`.

    Raises ValueError (what does not fit; before anything is changed), FileError (damaged file) and OSError.

    >>> import lamina, os, tempfile
    >>> from lamina.utils.data import DataLoader, TensorDataset
    >>> path = os.path.join(tempfile.mkdtemp(), "run.safetensors")
    >>> model = lamina.nn.Linear(2, 1)
    >>> optimizer = lamina.optim.SGD(model.parameters(), lr=0.1)
    >>> loader = DataLoader(TensorDataset(lamina.rand(8, 2)), batch_size=4, shuffle=True)
    >>> checkpoint = lamina.Checkpoint(model=model, optimizer=optimizer, loader=loader)
    >>> if os.path.exists(path):
    ...     checkpoint.load(path)
    >>> for epoch in checkpoint.epochs(2):
    ...     for (x,) in checkpoint.batches():
    ...         optimizer.zero_grad()
    ...         model(x).square().mean().backward()
    ...         optimizer.step()
    ...         checkpoint.step += 1
    ...     checkpoint.save(path)
    >>> lamina.load(path)["step"], lamina.load(path)["epoch"]
    (4, 2)
    """

    def __init__(
        self,
        *,
        model: Any = None,
        optimizer: Any = None,
        scheduler: Any = None,
        ema: Any = None,
        loader: Any = None,
        generators: Sequence[Any] = (),
        parts: Mapping[str, Any] | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self._parts: dict[str, Any] = {}
        for name, part in (("model", model), ("ema", ema), *_named("optimizer", optimizer)):
            self._add(name, part)
        for name, part in (*_named("scheduler", scheduler), *[(f"parts.{k}", v) for k, v in (parts or {}).items()]):
            self._add(name, part)
        self.loader, self.extra = loader, {} if extra is None else extra
        self.epoch = self.step = 0
        self._stream = Stream(find_states(loader) if loader is not None else [], generators)

    def _add(self, name: str, part: Any) -> None:
        if part is None:
            return
        if not hasattr(part, "state_dict") or not hasattr(part, "load_state_dict"):
            raise TypeError(
                f"Checkpoint: {name} needs state_dict and load_state_dict, a {type(part).__name__} has none"
            )
        self._parts[name] = part

    @property
    def batch(self) -> int:
        """How many batches of this epoch were given out."""
        return self._stream.given

    def epochs(self, count: int) -> Iterator[int]:
        """The numbers of the epochs that are left of `count`, from 0; `epoch` counts those that are done."""
        while self.epoch < count:
            before = self.epoch
            yield before
            if self.epoch == before:  # the loop over the batches was left early
                self.close_epoch()

    def batches(self, loader: Iterable[Any] | None = None) -> Iterator[Any]:
        """The batches that are left of this epoch; when they end, the epoch is done."""
        yield from self.open_epoch(loader)
        self.close_epoch()

    def open_epoch(self, loader: Iterable[Any] | None = None) -> Iterator[Any]:
        """As `batches`, but the epoch stays open until `close_epoch`: what comes after its last batch belongs to it."""
        source = self.loader if loader is None else loader
        if source is None:
            raise ValueError("Checkpoint: batches() needs a loader, here or in the constructor")
        _set_epoch(source, self.epoch)
        return self._stream.batches(source)

    def mark(self) -> None:
        """Says that a step is whole: a save before the next mark leaves the batches given out since then to be read.

        Without any mark, each batch that was given out counts as used.
        """
        self._stream.mark()

    def close_epoch(self) -> None:
        """The epoch is done; the next batches begin another."""
        self.epoch += 1
        self._stream.close()

    def state_dict(self) -> dict[str, Any]:
        """The tree that the file holds; its tensors share memory with the objects."""
        tree: dict[str, Any] = {"lamina.checkpoint": _FORMAT, "epoch": self.epoch, "step": self.step}
        tree.update({name: part.state_dict() for name, part in self._parts.items()})
        tree["random"] = self._stream.state_dict()
        tree["extra"] = self.extra
        return tree

    def save(self, path: Path) -> None:
        """Writes the file: a new one is complete before it takes the place of the old one."""
        serialization.save(self.state_dict(), path)

    def load(self, path: Path) -> None:
        """Takes everything back, from this process's run or another's."""
        tree = serialization.load(path)
        if not isinstance(tree, dict) or "lamina.checkpoint" not in tree:
            raise ValueError(f"Checkpoint: {os.fspath(path)} is not a checkpoint; hint: lamina.load reads other files")
        self.load_state_dict(tree)

    def load_state_dict(self, tree: Mapping[str, Any]) -> None:
        if tree["lamina.checkpoint"] != _FORMAT:
            raise ValueError(
                f"Checkpoint: format {tree['lamina.checkpoint']} is not known; this lamina reads {_FORMAT}"
            )
        own = {"lamina.checkpoint", "epoch", "step", "random", "extra"}
        missing, left = [n for n in self._parts if n not in tree], [n for n in tree if n not in own | set(self._parts)]
        if missing or left:
            raise ValueError(
                f"Checkpoint: the file has {', '.join(sorted(set(tree) - own))}; "
                f"asked for {', '.join(sorted(self._parts))}"
            )
        self._stream.check(tree["random"])
        before = {name: _copied(part.state_dict()) for name, part in self._parts.items()}
        try:
            for name, part in self._parts.items():
                part.load_state_dict(tree[name])
        except BaseException:
            for name, part in self._parts.items():
                part.load_state_dict(before[name])
            raise
        self._stream.load_state_dict(tree["random"])
        self.epoch, self.step = tree["epoch"], tree["step"]
        self.extra.clear()
        self.extra.update(tree["extra"])


def _set_epoch(loader: Any, epoch: int) -> None:
    """Tells the sampler, the dataset and what these hold which epoch begins."""
    for part in parts_of(loader):
        if callable(getattr(part, "set_epoch", None)):
            part.set_epoch(epoch)


def _named(kind: str, value: Any) -> list[tuple[str, Any]]:
    if isinstance(value, Mapping):
        return [(f"{kind}.{name}", item) for name, item in value.items()]
    if isinstance(value, (list, tuple)):
        return [(f"{kind}.{i}", item) for i, item in enumerate(value)]
    return [(kind, value)]


def _copied(tree: Any) -> Any:
    """The tree with tensors of its own."""
    if isinstance(tree, lamina.Tensor):
        return tree.clone()
    if isinstance(tree, dict):
        return {key: _copied(value) for key, value in tree.items()}
    if type(tree) in (list, tuple):
        return type(tree)(_copied(value) for value in tree)
    return tree
