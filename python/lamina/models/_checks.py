"""What models check before they are built and before they run, with errors that name the class and the field."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

from .. import _C
from .._C import Tensor


def whole(owner: str, least: int = 1, **fields: Any) -> None:
    """Each field is a whole number of at least `least`."""
    for name, value in fields.items():
        try:
            fine = not isinstance(value, bool) and operator.index(value) >= least
        except TypeError:
            fine = False
        if not fine:
            kind = "a positive whole number" if least == 1 else f"a whole number of at least {least}"
            raise ValueError(f"{owner}: {name} must be {kind}, got {value!r}")


def wholes(owner: str, least: int = 1, **fields: Any) -> None:
    """Each field is a non-empty sequence of whole numbers of at least `least`."""
    for name, value in fields.items():
        if not isinstance(value, Sequence) or isinstance(value, str) or not value:
            raise ValueError(f"{owner}: {name} must be one or more whole numbers, got {value!r}")
        for i, one in enumerate(value):
            whole(owner, least, **{f"{name}[{i}]": one})


def number(owner: str, least: float = 0.0, below: float = float("inf"), **fields: Any) -> None:
    """Each field is a number with least <= value < below."""
    for name, value in fields.items():
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not least <= value < below:
            bound = f"of at least {least:g}" if below == float("inf") else f"in [{least:g}, {below:g})"
            raise ValueError(f"{owner}: {name} must be a number {bound}, got {value!r}")


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
