"""The random states of a run, and the place in its data: what makes a resumed epoch equal the unbroken one."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import lamina

from .._C import Generator, Tensor
from ..utils.data.streams import find_generators


class Stream:
    """The batches of one epoch after the other, with what is needed to begin again in the middle of one.

    At the start of an epoch the states of all generators are noted, and before each batch that of the default one,
    which dropout and the order of the data share. A resumed epoch sets the former, reads the used batches again with
    the latter, and then has every state as it was. `inside` is what reading again brings to its place: generators of
    the loader, and samplers, datasets and loaders that have a state_dict.
    """

    def __init__(self, inside: Sequence[Any], others: Sequence[Any]) -> None:
        known = {id(g) for g in inside}
        self._inside = list(inside)
        self._others = [g for g in others if id(g) not in known and g is not lamina.default_generator]
        for generator in self._others:
            _state_of(generator)  # refuses what has none
        self.used = 0
        self._start: list[Any] = []
        self._before: Tensor | None = None  # a row for each used batch, and room for more
        self._fetching: Tensor | None = None
        self._loaded: Mapping[str, Any] | None = None
        self._marking = False
        self._mark: tuple[int, list[Any]] | None = None  # batches used, and the states of the others, at the last mark

    @property
    def given(self) -> int:
        """Batches of this epoch that were given out, also those that a resumed epoch is still to read again."""
        before = None if self._loaded is None else self._loaded["before"]
        return self.used if before is None else len(before)

    def mark(self) -> None:
        """Batches given out after this are not used until the next mark: a save in between leaves them to be read."""
        self._marking, self._mark = True, (self.used, [_state_of(g) for g in self._others])

    def batches(self, loader: Iterable[Any]) -> Iterator[Any]:
        """What is left of this epoch."""
        state: Tensor | None = None
        if self._loaded is not None:
            source = self._replayed(loader)
        else:
            state = lamina.get_rng_state()  # the loader draws its order, or takes its streams, from there
            source = self._begun(loader)
        while True:
            self._fetching, state = lamina.get_rng_state() if state is None else state, None
            try:
                batch = next(source)
            except StopIteration:
                self._fetching = None
                return
            self._note(self._fetching)
            self._fetching = None
            yield batch

    def _note(self, state: Tensor) -> None:
        """A batch was read from that state."""
        if self._before is None or self.used == len(self._before):
            room = lamina.zeros(max(64, 2 * self.used), len(state), dtype=state.dtype)
            if self._before is not None:
                room[: self.used] = self._before
            self._before = room
        self._before[self.used] = state
        self.used += 1

    def _begun(self, loader: Iterable[Any]) -> Iterator[Any]:
        self.close()
        self._start = [_state_of(g) for g in (*self._inside, *self._others)]
        if self._marking:
            self._mark = 0, self._start[len(self._inside) :]
        return iter(loader)

    def _replayed(self, loader: Iterable[Any]) -> Iterator[Any]:
        loaded = self._loaded  # stays until everything is read again
        assert loaded is not None
        generators = (*self._inside, *self._others)
        if loaded["before"] is None:  # between two epochs
            self._set_now(loaded)
            return self._begun(loader)
        self._start, self._before, self.used = list(loaded["start"]), None, 0
        for generator, state in zip(generators, self._start, strict=True):
            _set_state(generator, state)
        lamina.set_rng_state(loaded["before"][0])
        source = iter(loader)
        for state in loaded["before"]:
            if self.used:
                lamina.set_rng_state(state)
            if next(source, self) is self:
                raise ValueError(f"resume: the data has fewer batches than the {len(loaded['before'])} used before")
            self._note(state)
        for generator, state in zip(self._others, loaded["others"], strict=True):
            _set_state(generator, state)
        lamina.set_rng_state(loaded["default"])
        if self._marking:
            self.mark()
        self._loaded = None
        return source

    def _set_now(self, loaded: Mapping[str, Any]) -> None:
        states = (*loaded["inside"], *loaded["others"])
        for generator, state in zip((*self._inside, *self._others), states, strict=True):
            _set_state(generator, state)
        lamina.set_rng_state(loaded["default"])

    def close(self) -> None:
        """The epoch is over."""
        self.used, self._start, self._before, self._loaded, self._mark = 0, [], None, None, None

    def state_dict(self) -> dict[str, Any]:
        if self._loaded is not None:  # nothing was read since
            return dict(self._loaded)
        used, others = self.used, [_state_of(g) for g in self._others]
        inside = [_state_of(g) for g in self._inside]
        default = lamina.get_rng_state() if self._fetching is None else self._fetching
        if self._mark is not None and (self._fetching is not None or self._mark[0] < used):
            given_out, (used, others) = used, self._mark
            if used < given_out and self._before is not None:
                default = self._before[used]
        if self._start and not used:  # the loader may have drawn its order, but nothing was used
            inside, others = self._start[: len(inside)], self._start[len(inside) :]
        return {
            "start": list(self._start),
            "before": None if self._before is None or not used else self._before[:used],
            "default": default,
            "inside": inside,
            "others": others,
        }

    def check(self, state: Mapping[str, Any]) -> None:
        for name, here in (("inside", self._inside), ("others", self._others)):
            if len(state[name]) != len(here):
                where = "loader and its dataset" if name == "inside" else "argument generators"
                raise ValueError(
                    f"Checkpoint: the {where} had {len(state[name])} generators (or parts with a state_dict) when the "
                    f"file was written, now {len(here)}"
                )

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.check(state)
        self.close()
        self._set_now(state)
        self._loaded = state


def _state_of(generator: Any) -> Any:
    if isinstance(generator, Generator):
        return generator.get_state()
    if isinstance(generator, random.Random):
        return generator.getstate()
    if _has_state(generator):
        return copy.deepcopy(generator.state_dict())
    bits = _bits_of(generator)
    if bits is not None:
        return _plain(bits.state)
    raise TypeError(
        "generators: expected lamina.Generator, numpy.random.Generator or random.Random, "
        f"got {type(generator).__name__}"
    )


def _set_state(generator: Any, state: Any) -> None:
    if isinstance(generator, Generator):
        generator.set_state(state)
    elif isinstance(generator, random.Random):
        generator.setstate(state)
    elif _has_state(generator):
        generator.load_state_dict(copy.deepcopy(state))
    else:
        _bits_of(generator).state = _arrays(state)


def _has_state(value: Any) -> bool:
    return all(callable(getattr(value, name, None)) for name in ("state_dict", "load_state_dict"))


def find_states(loader: Any) -> list[Any]:
    """What a pass over the loader moves on: its generators, and each of its parts that has a state_dict of its own."""
    return [*find_generators(loader), *(part for part in parts_of(loader) if _has_state(part))]


def parts_of(loader: Any) -> list[Any]:
    """A loader, its samplers and its dataset, and those that these hold, such as the Augment in a Subset."""
    found: list[Any] = []
    waiting, seen = [loader], set()
    while waiting:
        part = waiting.pop()
        if part is None or id(part) in seen:
            continue
        seen.add(id(part))
        found.append(part)
        waiting += [getattr(part, name, None) for name in ("dataset", "batch_sampler", "sampler")]
        several = getattr(part, "datasets", None)
        waiting += list(several.values()) if isinstance(several, Mapping) else list(several or ())
    return found


def _bits_of(generator: Any) -> Any:
    """The bit generator of a numpy.random.Generator or RandomState."""
    bits = getattr(generator, "bit_generator", None)
    return getattr(generator, "_bit_generator", None) if bits is None else bits


def _plain(value: Any) -> Any:
    """The state of a NumPy bit generator, its arrays as lists."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if type(value).__module__ != "numpy":
        return value
    return {"dtype": str(value.dtype), "array": value.tolist()} if value.shape else value.item()


def _arrays(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if set(value) == {"dtype", "array"}:
        import numpy as np

        return np.array(value["array"], dtype=value["dtype"])
    return {key: _arrays(item) for key, item in value.items()}
