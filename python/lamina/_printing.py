"""Tensors as text, in the layout PyTorch users know."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from . import _C
from ._C import Tensor


@dataclass
class _Options:
    precision: int = 4
    threshold: float = 1000
    edgeitems: int = 3
    linewidth: int = 80
    sci_mode: bool | None = None


_options = _Options()
_PROFILES = {
    "default": _Options(),
    "short": _Options(precision=2, edgeitems=2),
    "full": _Options(threshold=math.inf),
}
_GAP = object()  # stands for the elements that a summary leaves out


def set_printoptions(
    precision: int | None = None,
    threshold: float | None = None,
    edgeitems: int | None = None,
    linewidth: int | None = None,
    profile: str | None = None,
    sci_mode: bool | None = None,
) -> None:
    """Sets how tensors are printed; what is left out stays (sci_mode returns to automatic).

    precision: digits after the point; threshold: elements beyond which only `edgeitems` at each end are shown;
    linewidth: characters per line; profile: 'default', 'short' or 'full' before the other arguments;
    sci_mode: True or False forces scientific notation on or off.
    """
    global _options
    if profile is not None:
        if profile not in _PROFILES:
            raise ValueError(f"set_printoptions: profile must be one of {sorted(_PROFILES)}, got {profile!r}")
        _options = _Options(**vars(_PROFILES[profile]))
    if precision is not None:
        _options.precision = int(precision)
    if threshold is not None:
        _options.threshold = threshold
    if edgeitems is not None:
        _options.edgeitems = int(edgeitems)
    if linewidth is not None:
        _options.linewidth = int(linewidth)
    _options.sci_mode = sci_mode


def get_printoptions() -> dict[str, Any]:
    """The settings of set_printoptions."""
    return dict(vars(_options))


@contextlib.contextmanager
def printoptions(**kwargs: Any) -> Iterator[None]:
    """set_printoptions for a block."""
    global _options
    before = _Options(**vars(_options))
    try:
        set_printoptions(**kwargs)
        yield
    finally:
        _options = before


# ---- numbers ----


class _Numbers:
    """One width and one notation for all the numbers shown."""

    def __init__(self, values: list[Any], floating: bool) -> None:
        self.floating = floating
        self.whole = True
        self.scientific = False
        self.width = 1
        if not floating:
            self.width = max((len(str(v)) for v in values), default=1)
            return
        finite = [v for v in values if math.isfinite(v) and v != 0]
        if finite:
            self._choose(finite)
        elif _options.sci_mode is not None:
            self.scientific = _options.sci_mode

    def _choose(self, finite: list[float]) -> None:
        self.whole = all(v == math.floor(v) for v in finite)
        low, high = min(map(abs, finite)), max(map(abs, finite))
        wide = high / low > 1000 or high > 1e8
        chosen = _options.sci_mode
        self.scientific = wide or (not self.whole and low < 1e-4) if chosen is None else chosen
        if self.scientific:
            self.width = max(self.width, *(len(f"{v:.{_options.precision}e}") for v in finite))
        elif self.whole:
            self.width = max(self.width, *(len(f"{v:.0f}") + 1 for v in finite))
        else:
            self.width = max(self.width, *(len(f"{v:.{_options.precision}f}") for v in finite))

    def text(self, value: Any) -> str:
        if not self.floating:
            s = str(value)
        elif self.scientific:
            s = f"{value:{self.width}.{_options.precision}e}"
        elif self.whole:
            s = f"{value:.0f}" + ("." if math.isfinite(value) else "")
        else:
            s = f"{value:.{_options.precision}f}"
        return s.rjust(self.width)


# ---- layout ----


def _shown(x: Tensor, edge: int | None) -> Any:
    """Nested lists of what is shown: all of x, or `edge` entries at both ends of every dim with a gap between."""
    if edge is None or x.dim() == 0:
        return x.tolist()
    n = x.shape[0]
    if n <= 2 * edge:
        return x.tolist() if x.dim() == 1 else [_shown(x.select(0, i), edge) for i in range(n)]
    if edge == 0:
        return [_GAP]
    if x.dim() == 1:
        return [*x.narrow(0, 0, edge).tolist(), _GAP, *x.narrow(0, n - edge, edge).tolist()]
    ends = [*range(edge), *range(n - edge, n)]
    rows = [_shown(x.select(0, i), edge) for i in ends]
    return [*rows[:edge], _GAP, *rows[edge:]]


def _flat(shown: Any) -> list[Any]:
    if not isinstance(shown, list):
        return [shown]
    return [v for item in shown if item is not _GAP for v in _flat(item)]


def _lines(shown: Any, dim: int, indent: int, numbers: _Numbers) -> str:
    if dim == 0:
        return numbers.text(shown)
    if dim == 1:
        # The gap takes a place of its own, but its text is not padded to the width.
        items = [" ..." if v is _GAP else numbers.text(v) for v in shown]
        per_line = max(1, (_options.linewidth - indent) // (numbers.width + 2))
        rows = [", ".join(items[i : i + per_line]) for i in range(0, len(items), per_line)]
        return "[" + (",\n" + " " * (indent + 1)).join(rows) + "]"
    parts = ["..." if s is _GAP else _lines(s, dim - 1, indent + 1, numbers) for s in shown]
    return "[" + ("," + "\n" * (dim - 1) + " " * (indent + 1)).join(parts) + "]"


def _grad_fn_name(x: Tensor) -> str:
    name: str = x.grad_fn.name()
    if name.endswith("Backward"):
        return name
    return "".join(part[:1].upper() + part[1:] for part in name.split("_") if part) + "Backward"


def _suffixes(x: Tensor, empty: bool) -> list[str]:
    out = []
    if str(x.device) != "cpu":
        out.append(f"device='{x.device}'")
    default = _C.get_default_dtype()
    if empty and x.dim() != 1:
        out.append(f"size={tuple(x.shape)}")
    if x.dtype != default and (empty or x.dtype not in (_C.int64, _C.bool)):
        out.append(f"dtype={x.dtype}")
    if x.grad_fn is not None:
        out.append(f"grad_fn=<{_grad_fn_name(x)}>")
    elif x.requires_grad:
        out.append("requires_grad=True")
    return out


def tensor_text(x: Tensor, prefix: str = "tensor(") -> str:
    """What repr(x) gives."""
    empty = x.numel() == 0
    indent = len(prefix)
    if empty:
        body = "[]"
    else:
        edge = _options.edgeitems if x.numel() > _options.threshold else None
        shown = _shown(x.detach(), edge)
        body = _lines(shown, x.dim(), indent, _Numbers(_flat(shown), x.is_floating_point()))
    text = prefix + body
    last = len(text) - text.rfind("\n") + 1
    for suffix in _suffixes(x, empty):
        if last + len(suffix) + 2 > _options.linewidth:
            text += ",\n" + " " * indent + suffix
            last = indent + len(suffix)
        else:
            text += ", " + suffix
            last += len(suffix) + 2
    return text + ")"


def format_tensor(x: Tensor, spec: str) -> str:
    """What format(x, spec) gives: that of the number for a 0-d tensor."""
    if x.dim() == 0:
        return format(x.item(), spec)
    return object.__format__(x, spec)
