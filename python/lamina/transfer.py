"""Transfer learning: freezing parts, a new head, learning rates by part, and weights from other programs' files."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, is_dataclass, replace
from typing import TYPE_CHECKING, Any

import lamina

from ._C import Tensor
from ._patterns import Pattern, matched
from .serialization import load_state

if TYPE_CHECKING:
    from .nn import Module

__all__ = ["LoadReport", "freeze", "load_partial", "parameter_groups", "replace_head", "unfreeze"]

HEADS = ("head", "heads", "fc", "classifier", "output", "out", "lm_head", "decoder")
PREFIXES = ("module.", "model.", "transformer.", "bert.", "roberta.", "gpt.", "backbone.", "encoder.", "_orig_mod.")
WRAPPERS = ("state_dict", "model_state_dict", "model", "weights")  # keys of checkpoints that hold the weights


def freeze(model: Module, *patterns: Pattern) -> list[str]:
    """Takes parameters out of training (requires_grad False, gradient dropped); returns the names that matched.

    A pattern is a glob over names ("stage?.*.weight"), the name of a module ("stage1"), or a compiled re.Pattern that
    is searched in them; none means all. One that matches nothing raises ValueError with the nearest names. Batch norms
    keep measuring in training mode; `model.stage1.eval()` stops that.

    >>> import lamina
    >>> model = lamina.models.CNN()
    >>> lamina.transfer.freeze(model, "stage1.0")
    ['stage1.0.conv.weight', 'stage1.0.norm.weight', 'stage1.0.norm.bias']
    """
    return _set_trained("freeze", model, patterns, False)


def unfreeze(model: Module, *patterns: Pattern) -> list[str]:
    """Takes parameters back into training; patterns and result as in `freeze`.

    >>> import lamina
    >>> model = lamina.models.CNN()
    >>> _ = lamina.transfer.freeze(model)
    >>> lamina.transfer.unfreeze(model, "head")
    ['head.weight', 'head.bias']
    """
    return _set_trained("unfreeze", model, patterns, True)


def _set_trained(what: str, model: Module, patterns: tuple[Pattern, ...], trained: bool) -> list[str]:
    params = dict(model.named_parameters())
    hits = {name for names in matched(what, patterns or ("*",), params) for name in names}
    for name in hits:
        params[name].requires_grad_(trained)
        if not trained:
            params[name].grad = None
    return [name for name in params if name in hits]


def replace_head(model: Module, classes: int, name: str | None = None) -> Module:
    """Swaps the last Linear or convolution for a fresh one with `classes` outputs; returns the new layer.

    The layer is `name`, or the last one below a child called head, heads, fc, classifier, output ..., or else the last
    one of the model. The rest of its settings, its dtype and device stay; `model.config.classes`, where there is one,
    follows. The new weights come from the default generator.

    >>> import lamina
    >>> model = lamina.models.CNN()
    >>> lamina.transfer.replace_head(model, 3)
    Linear(in_features=256, out_features=3, bias=True)
    >>> model(lamina.zeros(1, 1, 8, 8)).shape
    (1, 3)
    """
    from . import nn

    if isinstance(classes, bool) or not isinstance(classes, int) or classes < 1:
        raise ValueError(f"replace_head: classes must be a positive whole number, got {classes!r}")
    kinds = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)
    heads = {path: m for path, m in model.named_modules() if isinstance(m, kinds) and path}
    if name is None:
        named = [path for path in heads if path.split(".")[0] in HEADS]
        if not heads:
            raise ValueError(f"replace_head: {type(model).__name__} has no Linear or convolution below it")
        name = (named or list(heads))[-1]
    elif name not in heads:
        matched("replace_head", (name,), heads)
        raise ValueError(f"replace_head: {name!r} is no Linear or convolution")
    old: Any = heads[name]
    place = {"device": old.weight.device, "dtype": old.weight.dtype}
    if isinstance(old, nn.Linear):
        new: Any = nn.Linear(old.in_features, classes, old.bias is not None, **place)
    else:
        if old.groups != 1:
            raise ValueError(f"replace_head: '{name}' is a convolution of {old.groups} groups, which no head is")
        settings = (old.kernel_size, old.stride, old.padding, old.dilation, 1, old.bias is not None, old.padding_mode)
        new = type(old)(old.in_channels, classes, *settings, **place)
    new.train(old.training)
    model.set_submodule(name, new)
    config = getattr(model, "config", None)
    if is_dataclass(config) and not isinstance(config, type) and hasattr(config, "classes"):
        model.config = replace(config, classes=classes)
    return new  # type: ignore[no-any-return]


def parameter_groups(model: Module, rates: Mapping[Any, Any]) -> list[dict[str, Any]]:
    """Groups for an optimizer: {pattern: lr} or {pattern: {"lr": ..., "weight_decay": ...}}; the first match counts.

    Parameters that no pattern matches come in a last group, with the optimizer's own settings. Frozen parameters are
    left out. Patterns are as in `freeze`.

    >>> import lamina
    >>> model = lamina.models.CNN()
    >>> groups = lamina.transfer.parameter_groups(model, {"head": 1e-2, "stage1": 1e-5})
    >>> [group["lr"] for group in lamina.optim.SGD(groups, lr=1e-3).param_groups]
    [0.01, 1e-05, 0.001]
    """
    params = dict(model.named_parameters())
    hits = matched("parameter_groups", list(rates), params)
    groups: list[dict[str, Any]] = []
    taken: set[str] = set()
    for options, names in [*zip(rates.values(), hits, strict=True), ({}, list(params))]:
        if not isinstance(options, Mapping):
            options = {"lr": options}
        chosen = [params[n] for n in names if n not in taken and params[n].requires_grad]
        taken.update(names)
        if chosen:
            groups.append({**options, "params": chosen})
    if not groups:
        raise ValueError(f"parameter_groups: {type(model).__name__} has no parameter that needs a gradient")
    return groups


@dataclass
class LoadReport:
    """What `load_partial` did, by names: of the model, and for `unexpected` of the file."""

    loaded: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)  # in the model, not in the file
    unexpected: list[str] = field(default_factory=list)  # in the file, not in the model
    mismatched: list[tuple[str, tuple[int, ...], tuple[int, ...]]] = field(default_factory=list)  # shape there, here
    removed: str = ""  # a prefix that the file's names had and the model's have not
    added: str = ""

    def __str__(self) -> str:
        total = len(self.loaded) + len(self.missing) + len(self.mismatched)
        head = f"loaded {len(self.loaded)} of {total} tensors"
        head += f", without the prefix '{self.removed}'" if self.removed else ""
        head += f", with the prefix '{self.added}'" if self.added else ""
        shapes = [f"{name}: {there} in the file, {here} in the model" for name, there, here in self.mismatched]
        parts = [("missing in the file", self.missing), ("not in the model", self.unexpected), ("other shapes", shapes)]
        return "\n".join([head, *(_listed(title, rows) for title, rows in parts if rows)])


def _listed(title: str, rows: list[str]) -> str:
    more = [f"  ... and {len(rows) - 10} more"] if len(rows) > 10 else []
    return "\n".join([f"{title} ({len(rows)}):", *(f"  {row}" for row in rows[:10]), *more])


def load_partial(model: Module, source: Any, strict: bool = False) -> LoadReport:
    """Copies in what fits by name and shape, from a file (safetensors, lamina's or PyTorch's) or a dict of tensors.

    Names may differ by a prefix such as "module.", "model.", "transformer." or "bert.": of these and of the modules'
    own names the one that fits most tensors is taken off or put before. Checkpoints that hold the weights under
    "state_dict" or "model" are looked into. With `strict` anything missing, unexpected or of another shape raises
    RuntimeError, and so does always a source that fits nowhere; then nothing has changed.

    >>> import lamina
    >>> model = lamina.nn.Linear(2, 3)
    >>> print(lamina.transfer.load_partial(model, {"module.weight": lamina.ones(3, 2), "module.bias": lamina.ones(4)}))
    loaded 1 of 2 tensors, without the prefix 'module.'
    other shapes (1):
      bias: (4,) in the file, (3,) in the model
    """
    from .nn._state import entries

    given = _weights(source)
    own = dict(entries(model))
    removed, added = _best_prefixes(given, own)
    report = LoadReport(removed=removed, added=added)
    found: dict[str, Tensor] = {}
    for key, value in given.items():
        name = _renamed(key, removed, added, own)
        if name not in own or name in found:
            report.unexpected.append(key)
        else:
            found[name] = value
    for name, value in own.items():
        if name not in found:
            report.missing.append(name)
        elif tuple(found[name].shape) != tuple(value.shape):
            report.mismatched.append((name, tuple(found[name].shape), tuple(value.shape)))
        else:
            report.loaded.append(name)
    if not report.loaded or (strict and (report.missing or report.unexpected or report.mismatched)):
        reason = "nothing fits" if not report.loaded else "strict=True, and not all fits"
        raise RuntimeError(f"load_partial: {reason}: {type(model).__name__}: {report}")
    with lamina.no_grad():
        for name in report.loaded:
            own[name].copy_(found[name])
    return report


def _weights(source: Any) -> dict[str, Tensor]:
    """The tensors by name of a path, a dict, or a checkpoint with one inside."""
    if isinstance(source, (str, os.PathLike)):
        source = load_state(source)
    if hasattr(source, "state_dict") and not isinstance(source, Mapping):
        source = source.state_dict()
    if not isinstance(source, Mapping):
        raise TypeError(f"load_partial: expected a path or a dict of tensors, got {type(source).__name__}")
    for key in WRAPPERS:
        inner = source.get(key)
        if isinstance(inner, Mapping) and any(isinstance(v, Tensor) for v in inner.values()):
            return _weights(inner)
    found = {key: value for key, value in source.items() if isinstance(key, str) and isinstance(value, Tensor)}
    if not found:
        keys = ", ".join(repr(k) for k in list(source)[:8])
        raise ValueError(f"load_partial: no tensors by name in it (its keys: {keys or 'none'})")
    return found


def _renamed(key: str, removed: str, added: str, own: Mapping[str, Any]) -> str:
    name = added + key.removeprefix(removed)
    if name in own:
        return name
    for old, new in ((".gamma", ".weight"), (".beta", ".bias")):  # norms in files that began in TensorFlow
        if name.endswith(old) and name.removesuffix(old) + new in own:
            return name.removesuffix(old) + new
    return key if key in own else name


def _best_prefixes(given: Mapping[str, Tensor], own: Mapping[str, Tensor]) -> tuple[str, str]:
    """(to take off the file's names, to put before them): what fits most tensors, the least change first."""
    removals = dict.fromkeys(["", *PREFIXES, *_heads_of(given)])
    additions = dict.fromkeys(["", *PREFIXES, *_heads_of(own)])
    starts = [p for p in removals if not p or any(key.startswith(p) for key in given)]
    ends = [p for p in additions if not p or any(key.startswith(p) for key in own)]
    best, choice = -1, ("", "")
    for removed in starts:
        for added in ends:
            fits = 0
            for key, value in given.items():
                name = _renamed(key, removed, added, own)
                fits += 2 if name in own and tuple(own[name].shape) == tuple(value.shape) else name in own
            if fits > best:
                best, choice = fits, (removed, added)
    return choice


def _heads_of(names: Mapping[str, Any]) -> list[str]:
    """Prefixes of one and two parts that at least half of the names share, so that a few are tried."""
    counts: dict[str, int] = {}
    for name in names:
        parts = name.split(".")
        for depth in (1, 2):
            if len(parts) > depth:
                prefix = ".".join(parts[:depth]) + "."
                counts[prefix] = counts.get(prefix, 0) + 1
    return [prefix for prefix, count in counts.items() if 2 * count >= len(names)]
