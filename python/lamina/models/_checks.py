"""What models check before they are built and before they run, with errors that name the class and the field."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import Any

from .. import _C
from .._C import Tensor

_MOST = 2**31 - 1


def whole(owner: str, least: int = 1, most: int = _MOST, **fields: Any) -> None:
    """Each field is a whole number with least <= value <= most."""
    for name, value in fields.items():
        try:
            fine = not isinstance(value, bool) and least <= operator.index(value) <= most
        except TypeError:
            fine = False
        if not fine:
            kind = "a positive whole number" if least == 1 else f"a whole number of at least {least}"
            bound = "" if most == _MOST else f" and at most {most}"
            raise ValueError(f"{owner}: {name} must be {kind}{bound}, got {value!r}")


def wholes(owner: str, least: int = 1, most: int = _MOST, **fields: Any) -> None:
    """Each field is a non-empty tuple (or list) of whole numbers with least <= value <= most."""
    for name, value in fields.items():
        if not isinstance(value, (tuple, list)) or not value:
            raise ValueError(f"{owner}: {name} must be a tuple of one or more whole numbers, got {value!r}")
        for i, one in enumerate(value):
            whole(owner, least, most, **{f"{name}[{i}]": one})


def stages(owner: str, value: Any, fields: Sequence[str]) -> tuple[tuple[int, ...], ...]:
    """A tuple of tuples with these fields, each a positive whole number below 10000."""
    if not isinstance(value, (tuple, list)) or not value:
        raise ValueError(f"{owner}: stages must be a tuple of ({', '.join(fields)}), got {value!r}")
    for i, one in enumerate(value):
        wholes(owner, most=9999, **{f"stages[{i}]": one})
        if len(one) != len(fields):
            raise ValueError(f"{owner}: stages[{i}] must be ({', '.join(fields)}), got {one!r}")
    return tuple(map(tuple, value))


def numbers(owner: str, least: float = -math.inf, below: float = math.inf, **fields: Any) -> None:
    """Each field is a pair of numbers with least <= value < below."""
    for name, value in fields.items():
        if not isinstance(value, (tuple, list)) or len(value) != 2:
            raise ValueError(f"{owner}: {name} must be a pair of numbers, got {value!r}")
        number(owner, least, below, **{f"{name}[0]": value[0], f"{name}[1]": value[1]})


def flag(owner: str, **fields: Any) -> None:
    """Each field is True or False."""
    for name, value in fields.items():
        if not isinstance(value, bool):
            raise ValueError(f"{owner}: {name} must be True or False, got {value!r}")


def number(owner: str, least: float = 0.0, below: float = math.inf, **fields: Any) -> None:
    """Each field is a number with least <= value < below."""
    for name, value in fields.items():
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not least <= value < below:
            bound = f" of at least {least:g}" if below == math.inf else f" in [{least:g}, {below:g})"
            raise ValueError(f"{owner}: {name} must be a number{'' if least == -math.inf else bound}, got {value!r}")


def choice(owner: str, options: Sequence[str], **fields: Any) -> None:
    """Each field is one of the options."""
    for name, value in fields.items():
        if value not in options:
            raise ValueError(f"{owner}: {name} must be {' or '.join(map(repr, options))}, got {value!r}")


def check_images(owner: str, x: Tensor, channels: int, least: int = 1, side: int | None = None) -> None:
    """x is (N, channels, H, W), floating, with H, W >= least (or both equal to side)."""
    shape = tuple(x.shape)
    size = f"{side}, {side}" if side is not None else "H, W"
    wanted = f"images (N, {channels}, {size})" + (f" with H, W >= {least}" if side is None and least > 1 else "")
    if len(shape) != 4:
        hint = "x.unsqueeze(0) makes a batch of one image" if len(shape) == 3 else "batch, channels, height, width"
        raise _C.ShapeError(f"{owner}: expected {wanted}, got shape {shape}; {hint}")
    if shape[1] != channels:
        hint = "; channels come before height and width" if shape[3] == channels else ""
        raise _C.ShapeError(f"{owner}: expected {wanted}, got {shape[1]} channels in shape {shape}{hint}")
    if (shape[2:] != (side, side)) if side is not None else min(shape[2:]) < least:
        raise _C.ShapeError(f"{owner}: expected {wanted}, got shape {shape}")
    check_floats(owner, x)


def check_rows(owner: str, x: Tensor, shape: Sequence[int]) -> None:
    """x is (N, *shape), floating."""
    if tuple(x.shape[1:]) != tuple(shape) or len(x.shape) == 0:
        wanted = ", ".join(["N", *map(str, shape)])
        raise _C.ShapeError(f"{owner}: expected shape ({wanted}), got {tuple(x.shape)}")
    check_floats(owner, x)


def check_floats(owner: str, x: Tensor) -> None:
    """x holds floating numbers."""
    if not x.is_floating_point():
        raise _C.DtypeError(f"{owner}: expected floating values, got {x.dtype}; images of bytes: x.float() / 255")
