"""The random states of a run, and the place in its data: what makes a resumed epoch equal the unbroken one."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import FunctionType, MethodType
from typing import Any

import lamina

from .._C import Generator, Tensor

_MOST = 10_000  # objects looked at below a loader
_LONG = 64  # longer lists hold data, not settings


class Stream:
    """The batches of one epoch after the other, with what is needed to begin again in the middle of one.

    At the start of an epoch the states of all generators are noted, and before each batch that of the default one,
    which dropout and the dataset may share. A resumed epoch sets the former, reads the used batches again with the
    latter, and then has every state as it was. `inside` are generators that the loader itself draws from: reading again
    brings them to their place, ahead of it by what threads prefetch.
    """

    def __init__(self, inside: Sequence[Generator], others: Sequence[Any]) -> None:
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

    def mark(self) -> None:
        """Batches given out after this are not used until the next mark: a save in between leaves them to be read."""
        self._marking, self._mark = True, (self.used, [_state_of(g) for g in self._others])

    def batches(self, loader: Iterable[Any]) -> Iterator[Any]:
        """What is left of this epoch."""
        source = self._replayed(loader) if self._loaded is not None else self._begun(loader)
        while True:
            self._fetching = lamina.get_rng_state()
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
        self._start, self._before, self.used = list(loaded["start"]), loaded["before"].clone(), len(loaded["before"])
        for generator, state in zip(generators, self._start, strict=True):
            _set_state(generator, state)
        lamina.set_rng_state(self._before[0])
        source = iter(loader)
        for state in self._before:
            lamina.set_rng_state(state)
            if next(source, self) is self:
                raise ValueError(f"resume: the data has fewer batches than the {self.used} used before")
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
                    f"Checkpoint: the {where} had {len(state[name])} generators when the file was written, "
                    f"now {len(here)}"
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
    else:
        _bits_of(generator).state = _arrays(state)


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


def find_generators(root: Any) -> list[Generator]:
    """The lamina generators that an object holds (attributes, items, closures), in a fixed order, each once."""
    found: list[Generator] = []
    seen: set[int] = set()
    stack, looked = [root], 0
    while stack and looked < _MOST:
        value = stack.pop()
        if value is None or isinstance(value, (Tensor, str, bytes, int, float, type)) or id(value) in seen:
            continue
        seen.add(id(value))
        looked += 1
        if isinstance(value, Generator):
            if value is not lamina.default_generator:
                found.append(value)
            continue
        stack.extend(reversed(list(_inner(value))))
    return found


def _inner(value: Any) -> Iterable[Any]:
    if isinstance(value, Mapping):
        return value.values() if len(value) <= _LONG else ()
    if isinstance(value, (list, tuple)):
        return value if len(value) <= _LONG else ()
    if isinstance(value, FunctionType):
        cells = [cell.cell_contents for cell in value.__closure__ or () if _filled(cell)]
        return [*cells, *(value.__defaults__ or []), *(value.__kwdefaults__ or {}).values()]
    if isinstance(value, MethodType):
        return [value.__self__, value.__func__]
    held = getattr(value, "__dict__", None)
    if not isinstance(held, dict) or type(value).__name__ == "module":
        return ()
    partial = [value.func, value.args, value.keywords] if type(value).__name__ == "partial" else []
    return [*partial, *held.values()]


def _filled(cell: Any) -> bool:
    try:
        return cell.cell_contents is not None
    except ValueError:  # not assigned yet
        return False
