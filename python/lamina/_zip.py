"""The zip archives that hold PyTorch's checkpoints: names and places of stored (uncompressed) entries, checked.

Only what such files need is read. Entries must lie inside the file, one behind the other without overlap, under names
that occur once: what is read in all is never more than the file, whatever its directory says.
"""

from __future__ import annotations

import os
import struct
import zlib
from typing import Any, BinaryIO, NamedTuple

from . import _C

MAX_DIRECTORY = 1 << 28  # bytes of names and places
_END, _END64, _LOCATOR = struct.Struct("<4s4H2LH"), struct.Struct("<4sQ2H2L4Q"), struct.Struct("<4sLQL")
_CENTRAL, _LOCAL = struct.Struct("<4s6H3L5H2L"), struct.Struct("<4s5H3L2H")


class Entry(NamedTuple):
    """Where one entry lies."""

    header: int  # offset of its local header
    size: int
    plain: bool  # neither compressed nor encrypted
    crc: int


class Archive:
    """The entries of an open zip file by name; FileError when the file is damaged or is not what PyTorch writes."""

    def __init__(self, file: BinaryIO, name: str) -> None:
        self._file, self._name = file, name
        self._size = file.seek(0, os.SEEK_END)
        start, length, count = self._find_directory()
        if length > MAX_DIRECTORY:
            raise self.error(f"its directory has {length:,} bytes; at most {MAX_DIRECTORY:,} are read")
        if count * _CENTRAL.size > length or start + length > self._size:
            raise self.error(f"its directory ({count} entries, {length} bytes at {start}) does not fit into the file")
        self.entries = self._read_directory(self._at(start, length), count)
        self._limits: dict[str, int] = {}  # where what follows an entry begins
        following, other = start, "directory"
        for header, size, this in sorted(((e.header, e.size, n) for n, e in self.entries.items()), reverse=True):
            if header + _LOCAL.size + size > following:
                raise self.error(f"entries {this[:80]!r} and {other[:80]!r} overlap")
            self._limits[this] = following
            following, other = header, this

    def error(self, message: str) -> Exception:
        return _C.FileError(f"load: {self._name}: {message}")

    def _at(self, offset: int, length: int) -> bytes:
        if offset < 0 or length < 0 or offset + length > self._size:
            raise self.error(f"{length} bytes at {offset} lie outside of the file of {self._size} bytes")
        self._file.seek(offset)
        data = self._file.read(length)
        if len(data) != length:
            raise self.error("the file ends early")
        return data

    def _find_directory(self) -> tuple[int, int, int]:
        """(offset, length, number of entries) of the directory, from the record at the end of the file."""
        tail_start = max(0, self._size - _END.size - 0xFFFF)
        tail = self._at(tail_start, self._size - tail_start)
        place = tail.rfind(b"PK\5\6")
        while place >= 0:
            if place + _END.size <= len(tail):
                _, _, _, _, count, length, start, comment = _END.unpack_from(tail, place)
                if place + _END.size + comment == len(tail):
                    break
            place = tail.rfind(b"PK\5\6", 0, place)
        else:
            raise self.error("not a whole zip file (no directory at its end); was the copy or download cut short?")
        if 0xFFFF in (count,) or 0xFFFFFFFF in (length, start):
            locator = tail_start + place - _LOCATOR.size
            mark, _, at, _ = _LOCATOR.unpack(self._at(locator, _LOCATOR.size))
            if mark != b"PK\6\7" or at + _END64.size > locator:
                raise self.error("the zip64 record is damaged")
            mark, _, _, _, _, _, _, count, length, start = _END64.unpack(self._at(at, _END64.size))
            if mark != b"PK\6\6":
                raise self.error("the zip64 record is damaged")
        return start, length, count

    def _read_directory(self, data: bytes, count: int) -> dict[str, Entry]:
        entries: dict[str, Entry] = {}
        place = 0
        for _ in range(count):
            if place + _CENTRAL.size > len(data):
                raise self.error("its directory ends early")
            (mark, _, _, flags, method, _, _, crc, packed, size, names, extras, comments, _, _, _, header) = (
                _CENTRAL.unpack_from(data, place)
            )
            place += _CENTRAL.size
            end = place + names + extras + comments
            if mark != b"PK\1\2" or end > len(data):
                raise self.error("its directory is damaged")
            name = data[place : place + names].decode("utf-8", "replace")
            wide = _wide_sizes(data[place + names : place + names + extras], size, packed, header)
            if wide is None:
                raise self.error(f"entry {name[:80]!r}: the zip64 field is damaged")
            size, packed, header = wide
            if name in entries:
                raise self.error(f"entry {name[:80]!r} occurs twice")
            entries[name] = Entry(header, packed, not flags & 1 and method == 0 and packed == size, crc)
            place = end
        return entries

    def read_into(self, name: str, buffer: Any, verify: bool) -> None:
        """Fills a writable buffer of the entry's size; `verify` compares the checksum."""
        entry = self.entries[name]
        if not entry.plain:
            raise self.error(f"entry {name[:80]!r} is compressed or encrypted; PyTorch writes neither")
        mark, _, _, _, _, _, _, _, _, names, extras = _LOCAL.unpack(self._at(entry.header, _LOCAL.size))
        start = entry.header + _LOCAL.size + names + extras
        if mark != b"PK\3\4" or start + entry.size > self._limits[name]:
            raise self.error(f"entry {name[:80]!r} is damaged")
        if self._at(entry.header + _LOCAL.size, names).decode("utf-8", "replace") != name:
            raise self.error(f"entry {name[:80]!r} has another name in its own header")
        self._file.seek(start)
        view = memoryview(buffer).cast("B") if entry.size else memoryview(b"")
        if entry.size and self._file.readinto(view) != entry.size:  # type: ignore[attr-defined]
            raise self.error("the file ends early")
        if verify and zlib.crc32(view) != entry.crc:
            raise self.error(f"entry {name[:80]!r} does not match its checksum; verify=False reads it anyway")

    def read(self, name: str, verify: bool) -> bytes:
        """The bytes of a small entry."""
        buffer = bytearray(self.entries[name].size)
        self.read_into(name, buffer, verify)
        return bytes(buffer)


def _wide_sizes(extra: bytes, size: int, packed: int, header: int) -> tuple[int, int, int] | None:
    """Sizes and offset of an entry, taken from its zip64 field where 32 bits were not enough; None when damaged."""
    values = [size, packed, header]
    wanted = [i for i, v in enumerate(values) if v == 0xFFFFFFFF]
    place = 0
    while wanted and place + 4 <= len(extra):
        kind, length = struct.unpack_from("<2H", extra, place)
        place += 4
        if kind == 1:
            if length < 8 * len(wanted) or place + length > len(extra):
                return None
            for i, value in zip(wanted, struct.unpack_from(f"<{len(wanted)}Q", extra, place), strict=True):
                values[i] = value
            wanted = []
        place += length
    return None if wanted else (values[0], values[1], values[2])
