"""Where the random numbers of a pass over data come from: each batch has streams of its own, whoever makes it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from types import FunctionType, MethodType
from typing import Any

import lamina

from ..._C import Generator, Tensor, _child_seed, _redirect, _spawn

_MOST = 10_000  # objects looked at below a loader
_LONG = 64  # longer lists hold data, not settings
_ORDER = 2**63  # the number that the order of a pass has among its batches

Redirects = tuple[tuple[Generator | None, Generator], ...]


class Pass:
    """The streams of one pass: those of the default generator and of the generators that the dataset holds.

    Their seeds are functions of the generator's seed, of how many passes took a stream from it, and of the batch's
    number. `base` is the loader's generator (None: the default one). No draw is made from any of them.
    """

    def __init__(self, base: Generator | None, data: Any, order: Any) -> None:
        self.seed = _spawn(lamina.default_generator if base is None else base)
        self._data: list[tuple[Generator | None, int]] = [(None, self.seed)]
        self._data += [(g, _spawn(g)) for g in find_generators(data)]
        own = [(g, _child_seed(self.seed, _ORDER + i)) for i, g in enumerate(find_generators(order), 1)]
        self._order = _streams([(None, self.seed), *own], _ORDER)

    def batch(self, number: int) -> Redirects:
        """What the making of this batch draws from."""
        return _streams(self._data, number)

    def order(self, work: Iterable[Any]) -> Iterator[Any]:
        """The sampler's items: the first draws from the generators themselves, later ones from a stream of the pass.

        So threads that ask for them ahead of time change neither the order nor what else draws from the generator.
        """
        end = object()
        source = iter(work)
        item = next(source, end)
        while item is not end:
            yield item
            item = drawn(self._order, next, source, end)


def drawn(redirects: Redirects, function: Callable[..., Any], *arguments: Any) -> Any:
    """function(*arguments), whose random numbers on this thread come from the streams."""
    outer = _redirect(())
    try:
        _redirect((*redirects, *outer))
        return function(*arguments)
    finally:
        _redirect(outer)


def seeded(seed: int) -> Redirects:
    """A stream with this seed in place of the default generator."""
    return ((None, Generator().manual_seed(seed)),)


def _streams(keys: list[tuple[Generator | None, int]], number: int) -> Redirects:
    return tuple((g, Generator().manual_seed(_child_seed(key, number))) for g, key in keys)


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
