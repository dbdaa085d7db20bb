"""summary: a table of a model's layers with shapes, parameters, operations and memory; it shows where a shape fails."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import lamina

from . import _C
from ._C import Tensor
from ._flops import Formula, formula_of

if TYPE_CHECKING:
    from .nn import Module


@dataclass
class LayerSummary:
    """One line of a summary: a module, from its first call."""

    path: str  # dotted name in the model, "" for the model itself
    kind: str  # name of its class
    inputs: str = ""  # shapes
    output: str = ""
    parameters: int = 0  # its own, and those of modules below it that have no line
    trainable: int = 0
    flops: int = 0
    counted: bool = False  # there is a formula for its class
    activations: int = 0  # bytes of its outputs, where it has no layers below it
    calls: int = 0
    depth: int = 0
    error: str = ""


@dataclass
class Summary:
    """What `lamina.summary` gives: `rows` and totals; `str()` is the table.

    Counts are of one forward pass. `flops` counts a multiply-add as two and covers the layers that `_flops` lists;
    `activation_bytes` adds the outputs of the layers without layers below them.
    """

    rows: list[LayerSummary] = field(default_factory=list)
    parameters: int = 0
    trainable: int = 0
    parameter_bytes: int = 0
    buffer_bytes: int = 0

    @property
    def flops(self) -> int:
        return sum(row.flops for row in self.rows)

    @property
    def activation_bytes(self) -> int:
        return sum(row.activations for row in self.rows)

    def __str__(self) -> str:
        return _table(self)

    __repr__ = __str__


def summary(
    model: Module, input: Any, *, dtype: Any = None, depth: int | None = None, flops: dict[type, Formula] | None = None
) -> Summary:
    """The layers of `model` as one forward pass of `input` meets them.

    `input`: a tensor, a tuple of tensors, or the shape of one (ints, the batch included; filled with zeros of `dtype`,
    which is that of the parameters unless given). `depth` hides deeper layers. `flops` adds formulas for your classes:
    {Class: f(module, args, output) -> int}, without its layers. Runs in eval mode without gradients; modes, hooks and the random state come
    back. Where a layer fails, the error keeps its type, its message holds the table up to that layer, and its attribute
    `summary` is the table's object.

    >>> import lamina
    >>> model = lamina.nn.Sequential(lamina.nn.Linear(8, 16), lamina.nn.ReLU(), lamina.nn.Linear(16, 2))
    >>> print(lamina.summary(model, (4, 8)))
    layer        output   parameters  FLOPs  activations
    ----------------------------------------------------
    Sequential   (4, 2)            -      -            -
    ├─ 0 Linear  (4, 16)         144  1,024        256 B
    ├─ 1 ReLU    (4, 16)           -      -        256 B
    └─ 2 Linear  (4, 2)           34    256         32 B
    ----------------------------------------------------
    parameters 178 (178 trainable), 712 B; activations 544 B; 1,280 FLOPs in one forward pass
    """
    if not isinstance(model, lamina.nn.Module):
        raise TypeError(f"summary: model must be a Module, got {type(model).__name__}")
    if depth is not None and (not isinstance(depth, int) or isinstance(depth, bool) or depth < 0):
        raise ValueError(f"summary: depth must be None or an int of at least 0, got {depth!r}")
    args = _arguments(model, input, dtype)
    watch = _Watch(model, flops or {})
    modes = [(module, module.training) for module in model.modules()]
    try:
        model.eval()
        with lamina.no_grad(), lamina.random.fork_rng():
            model(*args)
    except Exception as error:
        raise watch.explained(error, depth) from error
    finally:
        for module, mode in modes:
            module.training = mode
        watch.remove()
    return watch.result(depth)


def _arguments(model: Module, input: Any, dtype: Any) -> tuple[Any, ...]:
    if isinstance(input, Tensor):
        return (input,)
    if not isinstance(input, (tuple, list)) or not input:
        raise TypeError(f"summary: input must be a tensor, a tuple of tensors or a shape, got {type(input).__name__}")
    whole = all(isinstance(n, int) and not isinstance(n, bool) for n in input)
    if not whole:
        if not any(isinstance(part, Tensor) for part in input):
            raise TypeError("summary: input must be a tensor, a tuple of tensors or a shape such as (32, 3, 64, 64)")
        return tuple(input)
    if any(n < 0 for n in input):
        raise ValueError(f"summary: the shape {tuple(input)} has a negative size")
    first = next((p for p in model.parameters() if p.is_floating_point()), None)
    if dtype is None:
        dtype = _C.get_default_dtype() if first is None else first.dtype
    return (_C.zeros(tuple(input), dtype=dtype, device=None if first is None else first.device),)


class _Watch:
    """Hooks on every module that write a line at its first call and complete it at the end of each."""

    def __init__(self, model: Module, extra: dict[type, Formula]) -> None:
        self._model, self._extra = model, extra
        self._paths = {id(m): path for path, m in model.named_modules()}
        self._rows: dict[int, LayerSummary] = {}
        self._stack: list[tuple[Any, Formula | None, bool]] = []
        self._covered = 0  # open modules whose formula covers all below them
        self._without_hooks = [m for m in model.modules() if "_hooks" not in m.__dict__]
        self._handles: list[Any] = []
        for module in model.modules():
            self._handles.append(module.register_forward_pre_hook(self._enter, with_kwargs=True))
            self._handles.append(module.register_forward_hook(self._leave, with_kwargs=True))

    def remove(self) -> None:
        for handle in self._handles:
            handle.remove()
        for module in self._without_hooks:
            module.__dict__.pop("_hooks", None)

    def _enter(self, module: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        formula, covers = formula_of(module, self._extra)
        self._stack.append((module, formula, covers))
        if id(module) not in self._rows:
            path = self._paths.get(id(module), "?")
            row = LayerSummary(path, type(module).__name__, _shapes((*args, *kwargs.values())), counted=bool(formula))
            self._rows[id(module)] = row
        self._covered += covers

    def _leave(self, module: Any, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> None:
        _, formula, covers = self._stack.pop()
        row = self._rows[id(module)]
        self._covered -= covers
        row.calls += 1
        row.output = row.output or _shapes((output,))
        if formula is not None and self._covered == 0:
            row.flops += int(formula(module, (*args, *kwargs.values()), output))
        if (covers or not any(True for _ in module.children())) and self._covered == 0:
            row.activations += _bytes(output)

    def explained(self, error: Exception, depth: int | None) -> Exception:
        """An error of the same type that names the layer at fault and shows the table up to it."""
        module = self._stack[-1][0] if self._stack else self._model
        row = self._rows.get(id(module)) or LayerSummary("", type(module).__name__)
        message = str(error)
        row.error = message.splitlines()[0] if message else type(error).__name__
        table = self.result(depth)
        name = f"'{row.path}' ({row.kind})" if row.path else row.kind
        text = f"summary: layer {name} failed on input {row.inputs or 'of no tensors'}: {message}\n{table}"
        try:
            found = type(error)(text)
        except Exception:  # a type that takes other arguments
            found = RuntimeError(text)
        found.summary = table  # type: ignore[attr-defined]
        return found

    def result(self, depth: int | None) -> Summary:
        by_path = {row.path: row for row in self._rows.values()}
        rows = _as_tree(by_path)
        out = Summary(rows)
        for path, p in self._model.named_parameters():
            size, bytes_ = int(p.numel()), int(p.numel()) * int(p.element_size())
            out.parameters += size
            out.parameter_bytes += bytes_
            out.trainable += size if p.requires_grad else 0
            owner = _nearest(path.rpartition(".")[0], by_path)
            if owner is not None:
                owner.parameters += size
                owner.trainable += size if p.requires_grad else 0
        out.buffer_bytes = sum(int(b.numel()) * int(b.element_size()) for b in self._model.buffers())
        if depth is not None:
            out.rows = _folded(rows, by_path, depth)
        return out


def _nearest(path: str, rows: dict[str, LayerSummary]) -> LayerSummary | None:
    """The line of the module at `path`, or of the nearest one above it that was called."""
    while path not in rows:
        if not path:
            return None
        path = path.rpartition(".")[0]
    return rows[path]


def _as_tree(rows: dict[str, LayerSummary]) -> list[LayerSummary]:
    """Lines with those of the modules below them right behind, in the order of calls; sets their depth."""
    below: dict[str, list[LayerSummary]] = {}
    tops = []
    for path, row in rows.items():
        above = _nearest(path.rpartition(".")[0], rows) if path else None
        below.setdefault(above.path, []).append(row) if above else tops.append(row)
    out, stack = [], [(row, 0) for row in reversed(tops)]
    while stack:
        row, row.depth = stack.pop()
        out.append(row)
        stack.extend((child, row.depth + 1) for child in reversed(below.get(row.path, [])))
    return out


def _folded(rows: list[LayerSummary], by_path: dict[str, LayerSummary], depth: int) -> list[LayerSummary]:
    """Lines down to a depth; what is below is added to the line that hides it."""
    for row in rows:
        if row.depth <= depth:
            continue
        owner = row
        while owner.depth > depth:
            owner = _nearest(owner.path.rpartition(".")[0], by_path) or owner
        for name in ("parameters", "trainable", "flops", "activations"):
            setattr(owner, name, getattr(owner, name) + getattr(row, name))
        owner.counted = owner.counted or row.counted
        owner.error = owner.error or row.error
    return [row for row in rows if row.depth <= depth]


def _shapes(values: Any) -> str:
    """Shapes of the tensors among values, as text."""
    return ", ".join(str(tuple(t.shape)) for t in _tensors(values))


def _bytes(value: Any) -> int:
    return sum(int(t.numel()) * int(t.element_size()) for t in _tensors(value))


def _tensors(value: Any) -> list[Tensor]:
    if isinstance(value, Tensor):
        return [value]
    if isinstance(value, dict):
        value = tuple(value.values())
    if isinstance(value, (tuple, list)):
        return [t for item in value for t in _tensors(item)]
    return []


# -- the table ------------------------------------------------------------------------------------------------------------
def _table(summary: Summary) -> str:
    rows = summary.rows
    cells = [["layer", "output", "parameters", "FLOPs", "activations"]]
    for name, row in zip(_names(rows), rows, strict=True):
        held = f"{row.parameters:,}" if row.parameters else "-"
        if row.parameters and row.trainable < row.parameters:
            held += " frozen" if row.trainable == 0 else f" ({row.trainable:,} trainable)"
        cells.append(
            [
                name + (f" x{row.calls}" if row.calls > 1 else ""),
                (row.output or "-") if not row.error else f"FAILED on {row.inputs or 'no tensors'}",
                held,
                f"{row.flops:,}" if row.counted and not row.error and row.flops else "-",
                _memory(row.activations) if row.activations else "-",
            ]
        )
    widths = [max(len(line[i]) for line in cells) for i in range(5)]
    lines = [
        "  ".join(_aligned(cell, w, i) for i, (cell, w) in enumerate(zip(line, widths, strict=True))) for line in cells
    ]
    rule = "-" * len(lines[0])
    for i, row in reversed(list(enumerate(rows, 1))):
        if row.error:
            lines.insert(i + 1, f"    ^ {row.error}")
    total = (
        f"parameters {summary.parameters:,} ({summary.trainable:,} trainable), {_memory(summary.parameter_bytes)}"
        + (f"; buffers {_memory(summary.buffer_bytes)}" if summary.buffer_bytes else "")
        + f"; activations {_memory(summary.activation_bytes)}; {summary.flops:,} FLOPs in one forward pass"
    )
    return "\n".join(line.rstrip() for line in [lines[0], rule, *lines[1:], rule, total])


def _names(rows: list[LayerSummary]) -> list[str]:
    """Names with the lines of a tree: a line stands below the last one of smaller depth before it."""
    out = []
    for i, row in enumerate(rows):
        if row.depth == 0:
            out.append(row.kind)
            continue
        later = [r.depth for r in rows[i + 1 :]]
        text = ""
        for level in range(1, row.depth + 1):
            below = next((d for d in later if d <= level), 0)
            more = below == level
            text += ("├─ " if more else "└─ ") if level == row.depth else ("│  " if more else "   ")
        above = next((r for r in reversed(rows[:i]) if r.depth < row.depth), None)
        prefix = above.path + "." if above is not None and above.path else ""
        out.append(f"{text}{row.path.removeprefix(prefix)} {row.kind}")
    return out


def _aligned(cell: str, width: int, column: int) -> str:
    return cell.ljust(width) if column < 2 else cell.rjust(width)


def _memory(count: int) -> str:
    size = float(count)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024 or unit == "GiB":
            return f"{size:,.0f} {unit}" if unit == "B" else f"{size:,.1f} {unit}"
        size /= 1024
    raise AssertionError
