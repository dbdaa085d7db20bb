"""Readers of IDX and CSV files. Every malformed file ends in a FileError or ValueError that says where it is wrong."""

from __future__ import annotations

import gzip
import math
import os
import zlib
from typing import TYPE_CHECKING, Any

import lamina

if TYPE_CHECKING:
    from .._C import Tensor

_IDX_TYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_MAX_BYTES = 8 << 30


def _read(path: str | os.PathLike[str], limit: int = _MAX_BYTES) -> bytes:
    """The whole file, unpacked when it is gzip."""
    name = os.fspath(path)
    try:
        with open(name, "rb") as file:
            packed = file.read(2) == b"\x1f\x8b"
        with gzip.open(name, "rb") if packed else open(name, "rb") as source:
            content = source.read(limit + 1)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise lamina.FileError(f"{name}: damaged gzip file ({error})") from None
    except OSError as error:
        raise lamina.FileError(f"{name}: cannot be read ({error.strerror or error})") from None
    if len(content) > limit:
        raise lamina.FileError(f"{name}: holds more than {limit >> 30} GiB")
    return content


def idx(path: str | os.PathLike[str]) -> Tensor:
    """The tensor in an IDX file (MNIST's format, .gz or plain): uint8, int8, int16, int32, float32 or float64."""
    name = os.fspath(path)
    content = _read(name)
    if len(content) < 4 or content[:2] != b"\0\0" or content[2] not in _IDX_TYPES:
        raise lamina.FileError(f"{name}: not an IDX file (it starts with {content[:4].hex(' ') or 'nothing'})")
    code, rank = _IDX_TYPES[content[2]], content[3]
    start = 4 + 4 * rank
    if len(content) < start:
        raise lamina.FileError(f"{name}: the IDX header ends after {len(content)} of {start} bytes")
    shape = [int.from_bytes(content[i : i + 4], "big") for i in range(4, start, 4)]
    need = math.prod(shape) * int(code[-1])
    if len(content) - start != need:
        raise lamina.FileError(
            f"{name}: the IDX header says shape {tuple(shape)}, {need} bytes of data, "
            f"the file has {len(content) - start}"
        )
    import numpy as np

    array = np.frombuffer(content, code, offset=start).reshape(shape)
    return lamina.from_numpy(array.astype(array.dtype.newbyteorder("="), copy=True))


def csv(
    path: str | os.PathLike[str], target: str | int | None = -1, delimiter: str | None = None
) -> tuple[Tensor, Tensor | None]:
    """(features float32 (N, F), labels int64 (N)) of a CSV of numbers, with or without a header line.

    `target` is the label column, by name or number (the last by default; None: there is no label). The delimiter
    (comma, semicolon, tab) is found from the first line. A first column without a name beside named ones is the index
    that pandas' to_csv adds: it is left out, and numbers of columns count without it.
    """
    name = os.fspath(path)
    try:
        lines = _read(name).decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise lamina.FileError(f"{name}: not a text file (byte {error.start} is not UTF-8)") from None
    rows = [(number, line) for number, line in enumerate(lines, 1) if line.strip()]
    if not rows:
        raise ValueError(f"{name}: the file is empty")
    sign = delimiter or max(",;\t", key=rows[0][1].count)
    first = [cell.strip().strip('"') for cell in rows[0][1].split(sign)]
    has_header = not all(_is_number(cell) for cell in first)
    skipped = int(len(first) > 1 and first[0] == "" and not any(_is_number(cell) for cell in first))
    if has_header:
        rows = rows[1:]
        if not rows:
            raise ValueError(f"{name}: there is a header line but no data")
    width, first = len(first), first[skipped:]
    column = _column(name, target, first if has_header else None, len(first))
    features: list[list[float]] = []
    labels: list[int] = []
    for number, line in rows:
        cells = line.split(sign)
        if len(cells) != width:
            raise ValueError(f"{name}, line {number}: {len(cells)} values, expected {width}")
        values = _numbers(name, number, cells[skipped:], first if has_header else None)
        if column is not None:
            label = values.pop(column)
            if label != int(label):
                raise ValueError(f"{name}, line {number}: the label {label} is not a whole number")
            labels.append(int(label))
        features.append(values)
    x = lamina.tensor(features, dtype=lamina.float32)
    return x, None if column is None else lamina.tensor(labels, dtype=lamina.int64)


def _column(name: str, target: str | int | None, header: list[str] | None, width: int) -> int | None:
    if target is None:
        return None
    if isinstance(target, str):
        if header is None:
            raise ValueError(
                f"{name}: there is no header line, so the target column cannot be {target!r}; give its number"
            )
        if target not in header:
            raise ValueError(f"{name}: there is no column {target!r}; there are {', '.join(header[:20])}")
        return header.index(target)
    if not -width <= target < width:
        raise ValueError(f"{name}: target column {target} is out of range for {width} columns")
    return target % width


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _numbers(name: str, number: int, cells: list[str], header: list[str] | None) -> list[float]:
    values: list[Any] = []
    for i, cell in enumerate(cells):
        try:
            value = float(cell.strip().strip('"'))
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            where = f"column {header[i]!r}" if header else f"column {i}"
            raise ValueError(f"{name}, line {number}, {where}: {cell.strip()!r} is not a finite number")
        values.append(value)
    return values
