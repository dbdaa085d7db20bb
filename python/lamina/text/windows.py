"""Windows of a long sequence of ids: pairs (x, y) where y is x moved on by one."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import lamina

from ..utils.data import Dataset, IterableDataset

if TYPE_CHECKING:
    from .._C import Tensor


def _check_window(owner: str, length: int, stride: int | None) -> int:
    if length < 1:
        raise ValueError(f"{owner}: length must be positive, got {length}")
    if stride is not None and stride < 1:
        raise ValueError(f"{owner}: stride must be positive, got {stride}")
    return stride or length


class TextWindows(Dataset[Any]):
    """Pairs of int64 (length) windows of ids: y holds the token after each one of x; a last part that is too short is left
    out. stride (default: length) is the way from one window to the next.

    >>> import lamina
    >>> windows = lamina.text.TextWindows([5, 6, 7, 8, 9], length=2)
    >>> len(windows), [t.tolist() for t in windows[1]]
    (2, [[7, 8], [8, 9]])
    """

    def __init__(self, ids: Any, length: int, stride: int | None = None) -> None:
        self.stride = _check_window("TextWindows", length, stride)
        values = lamina.as_tensor(ids)
        if values.dim() != 1:
            raise lamina.ShapeError(f"TextWindows: ids must have one dim, got shape {tuple(values.shape)}")
        if values.numel() and (values.is_floating_point() or values.dtype == lamina.bool):
            raise lamina.DtypeError(f"TextWindows: ids must be integers, got {values.dtype}")
        if values.shape[0] <= length:
            raise ValueError(
                f"TextWindows: {values.shape[0]} ids make no window of length {length} (one more id is needed)"
            )
        self.ids, self.length = values.to(lamina.int64), length

    def __len__(self) -> int:
        return (int(self.ids.shape[0]) - 1 - self.length) // self.stride + 1

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        size = len(self)
        if not -size <= index < size:
            raise IndexError(f"TextWindows: index {index} is outside of the {size} windows")
        start = (index % size) * self.stride
        return self.ids[start : start + self.length], self.ids[start + 1 : start + 1 + self.length]


class TextStream(IterableDataset[Any]):
    """The windows of TextWindows over files that may be larger than memory: read in parts, in the order of the files.

    The ids are those of each whole file, wherever the parts end; windows do not cross from one file to the next.
    `buffer` > 1 mixes: each window given out is drawn from that many waiting ones, by `seed`, alike in each epoch.
    Raises FileError for files that cannot be read or are no UTF-8.

    >>> import lamina, tempfile, os
    >>> path = os.path.join(tempfile.mkdtemp(), "a.txt")
    >>> _ = open(path, "w").write("abcabcab")
    >>> stream = lamina.text.TextStream(path, lamina.text.CharTokenizer("abc"), length=3)
    >>> [x.tolist() for x, y in stream]
    [[0, 1, 2], [0, 1, 2]]
    """

    def __init__(
        self,
        paths: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
        tokenizer: Any,
        length: int,
        stride: int | None = None,
        buffer: int = 1,
        seed: int = 0,
        part: int = 1 << 20,
    ) -> None:
        self.stride = _check_window("TextStream", length, stride)
        if buffer < 1 or part < 1:
            raise ValueError(f"TextStream: buffer and part must be positive, got {buffer} and {part}")
        several = not isinstance(paths, (str, os.PathLike))
        self.paths = [os.fspath(p) for p in paths] if several else [os.fspath(paths)]  # type: ignore[union-attr, arg-type]
        missing = [p for p in self.paths if not os.path.isfile(p)]
        if missing or not self.paths:
            raise lamina.FileError(f"TextStream: {missing[0] if missing else 'paths'}: there is no such file")
        if not hasattr(tokenizer, "cut"):
            raise TypeError(f"TextStream: {type(tokenizer).__name__} cannot say where a text may be cut (method `cut`)")
        self.tokenizer, self.length, self.buffer, self.seed, self.part = tokenizer, length, buffer, seed, part

    def ids(self, path: str) -> Iterator[list[int]]:
        """The ids of one file, part by part."""
        rest = ""
        try:
            with open(path, encoding="utf-8", newline="") as file:
                while fresh := file.read(self.part):
                    rest += fresh
                    end = self.tokenizer.cut(rest)
                    if end:
                        yield self.tokenizer.encode(rest[:end])
                        rest = rest[end:]
        except OSError as error:
            raise lamina.FileError(f"{path}: cannot be read ({error.strerror or error})") from None
        except UnicodeDecodeError as error:
            raise lamina.FileError(f"{path}: not a text file ({error.reason})") from None
        if rest:
            yield self.tokenizer.encode(rest)

    def _windows(self) -> Iterator[tuple[Tensor, Tensor]]:
        length, stride = self.length, self.stride
        for path in self.paths:
            waiting: list[int] = []
            skip = 0  # ids up to the next window, when the stride is longer than the window
            for part in self.ids(path):
                waiting += part
                start = skip
                ids = lamina.tensor(waiting, dtype=lamina.int64)
                while start + length < len(waiting):
                    yield ids[start : start + length], ids[start + 1 : start + 1 + length]
                    start += stride
                gone = min(start, len(waiting))
                waiting, skip = waiting[gone:], start - gone

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        if self.buffer == 1:
            yield from self._windows()
            return
        generator = lamina.Generator().manual_seed(self.seed)
        held: list[tuple[Tensor, Tensor]] = []
        for window in self._windows():
            if len(held) < self.buffer:
                held.append(window)
                continue
            place = int(lamina.randint(0, self.buffer, (1,), generator=generator).item())
            yield held[place]
            held[place] = window
        for place in lamina.randperm(len(held), generator=generator).tolist():
            yield held[place]
