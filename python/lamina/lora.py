"""LoRA: training a product of two thin matrices beside a frozen weight (Hu et al. 2021, arXiv 2106.09685)."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from typing import Any

import lamina

from . import nn
from ._C import Tensor
from ._C import functional as F
from ._patterns import Pattern, matched
from .nn import init

__all__ = [
    "LoRAEmbedding",
    "LoRALinear",
    "LoRAMultiheadAttention",
    "apply_lora",
    "lora_state_dict",
    "merge_lora",
    "remove",
]


class _Adapted(nn.Module):
    """A layer with adapters beside its own parameters, which keep their names and their objects."""

    _plain: type  # the class that the layer had and gets back
    _products: tuple[str, ...] = ("weight",)  # what the adapters are added to
    lora_A: nn.Parameter
    lora_B: nn.Parameter
    lora_rank: int
    lora_scale: float
    lora_dropout: float

    def _adapt(self, rank: int, alpha: float, dropout: float) -> None:
        self.__dict__.update(lora_rank=rank, lora_scale=alpha / rank, lora_dropout=dropout)
        for name in self._products:
            a, b = self._pair(name)
            weight = self._base(name)
            rows, columns = self._sizes(weight)
            place: dict[str, Any] = {"device": weight.device, "dtype": weight.dtype}
            self.register_parameter(a, nn.Parameter(lamina.empty((rank, columns), **place)))
            self.register_parameter(b, nn.Parameter(lamina.zeros((rows, rank), **place)))
            self._start(getattr(self, a), getattr(self, b))

    def _start(self, a: Tensor, b: Tensor) -> None:
        init.kaiming_uniform_(a, a=math.sqrt(5))  # b is zero: the layer begins as it was

    def _pair(self, name: str) -> tuple[str, str]:
        end = "" if name == self._products[0] else "_" + name.split(".")[0]
        return "lora_A" + end, "lora_B" + end

    def _base(self, name: str) -> Tensor:
        path, _, last = name.rpartition(".")
        found: Tensor = getattr(self.get_submodule(path), last)
        return found

    def _sizes(self, weight: Tensor) -> tuple[int, int]:
        return int(weight.shape[0]), int(weight.shape[1])

    def lora_delta(self, name: str = "weight") -> Tensor:
        """What the adapters add to a weight, in its shape: alpha / rank * B A."""
        a, b = self._pair(name)
        out: Tensor = (getattr(self, b) @ getattr(self, a)) * self.lora_scale
        return out

    def _drop(self) -> None:
        for name in self._products:
            for part in self._pair(name):
                delattr(self, part)
        for name in ("lora_rank", "lora_scale", "lora_dropout"):
            del self.__dict__[name]
        self.__class__ = self._plain

    def _merge(self) -> None:
        with lamina.no_grad():
            for name in self._products:
                weight = self._base(name)
                weight.add_(self.lora_delta(name))
        self._drop()

    def _beside(self, x: Tensor) -> Tensor:
        """scale * B (A dropout(x))"""
        x = F.dropout(x, self.lora_dropout, self.training)
        out: Tensor = F.linear(F.linear(x, self.lora_A), self.lora_B) * self.lora_scale
        return out

    def extra_repr(self) -> str:
        own = self._plain.extra_repr(self)  # type: ignore[attr-defined]
        return f"{own}{', ' if own else ''}rank={self.lora_rank}, scale={self.lora_scale:g}"


class LoRALinear(_Adapted, nn.Linear):
    """x W^T + b + scale * dropout(x) A^T B^T: (*, in) -> (*, out); lora_A (rank, in), lora_B (out, rank).

    Made by `apply_lora` of a Linear.

    >>> import lamina
    >>> model = lamina.nn.Sequential(lamina.nn.Linear(4, 3))
    >>> _ = lamina.lora.apply_lora(model, "0", rank=2)
    >>> model[0]
    LoRALinear(in_features=4, out_features=3, bias=True, rank=2, scale=8)
    """

    _plain = nn.Linear

    def forward(self, input: Tensor) -> Tensor:
        return nn.Linear.forward(self, input) + self._beside(input)


class LoRAEmbedding(_Adapted, nn.Embedding):
    """Rows of W + scale * A^T B^T: int (*) -> (*, dim); lora_A (rank, rows) starts at zero, lora_B (dim, rank).

    Made by `apply_lora` of an Embedding.

    >>> import lamina
    >>> model = lamina.nn.Sequential(lamina.nn.Embedding(10, 3))
    >>> lamina.lora.apply_lora(model, "0", rank=2)
    ['0']
    >>> model(lamina.tensor([1, 2])).shape
    (2, 3)
    """

    _plain = nn.Embedding

    def _sizes(self, weight: Tensor) -> tuple[int, int]:
        return int(weight.shape[1]), int(weight.shape[0])

    def _start(self, a: Tensor, b: Tensor) -> None:
        init.zeros_(a)
        init.normal_(b)

    def lora_delta(self, name: str = "weight") -> Tensor:
        return super().lora_delta(name).t()

    def forward(self, input: Tensor) -> Tensor:
        rows = F.embedding(input, self.lora_A.t(), self.padding_idx)
        out: Tensor = nn.Embedding.forward(self, input) + F.linear(rows, self.lora_B) * self.lora_scale
        return out


class LoRAMultiheadAttention(_Adapted, nn.MultiheadAttention):
    """MultiheadAttention with adapters on its input projections and on its output projection.

    lora_A (rank, E), lora_B (3E, rank) beside in_proj_weight; lora_A_out_proj, lora_B_out_proj beside out_proj.weight.
    Made by `apply_lora` of a MultiheadAttention whose keys and values have its own width, without dropout.

    >>> import lamina
    >>> model = lamina.nn.Sequential(lamina.nn.MultiheadAttention(8, 2))
    >>> _ = lamina.lora.apply_lora(model, "0", rank=2)
    >>> sum(p.numel() for p in model.parameters() if p.requires_grad)
    96
    """

    _plain = nn.MultiheadAttention
    _products = ("in_proj_weight", "out_proj.weight")

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        # The plain forward reads its weights itself: it gets a stand-in that holds the sums, so that threads may share.
        projection = _stand_in(
            self.out_proj, nn.Linear, weight=self.out_proj.weight + self.lora_delta("out_proj.weight")
        )
        weight = self._base("in_proj_weight") + self.lora_delta("in_proj_weight")
        whole = _stand_in(self, nn.MultiheadAttention, in_proj_weight=weight, out_proj=projection)
        return nn.MultiheadAttention.forward(whole, *args, **kwargs)


def _stand_in(layer: Any, kind: type, **changed: Any) -> Any:
    made: Any = object.__new__(kind)
    made.__dict__.update(layer.__dict__)
    made.__dict__.update(changed)
    return made


_KINDS: dict[type, type[_Adapted]] = {
    nn.Linear: LoRALinear,
    nn.Embedding: LoRAEmbedding,
    nn.MultiheadAttention: LoRAMultiheadAttention,
}


def _kind_for(module: nn.Module) -> type[_Adapted] | None:
    kind = _KINDS.get(type(module))
    if kind is None and (type(module).__module__, type(module).__name__) == ("lamina.models.gpt", "Conv1D"):
        kind = _conv1d(type(module))
    return kind


def _conv1d(plain: Any) -> type[_Adapted]:
    """For the linear layer of GPT, whose weight is (in, out)."""

    class LoRAConv1D(_Adapted, plain):  # type: ignore[misc]
        _plain = plain

        def _sizes(self, weight: Tensor) -> tuple[int, int]:
            return int(weight.shape[1]), int(weight.shape[0])

        def lora_delta(self, name: str = "weight") -> Tensor:
            return super().lora_delta(name).t()

        def forward(self, x: Tensor) -> Tensor:
            out: Tensor = plain.forward(self, x) + self._beside(x)
            return out

    _KINDS[plain] = LoRAConv1D
    return LoRAConv1D


def apply_lora(
    model: nn.Module,
    patterns: Pattern | Sequence[Pattern],
    rank: int = 8,
    alpha: float = 16.0,
    dropout: float = 0.0,
    *,
    also: Sequence[Pattern] = (),
) -> list[str]:
    """Puts adapters on the layers that patterns name and freezes everything else; returns the layers' names.

    A pattern is a glob over names of modules, the last parts of one ("q_proj"), or a compiled re.Pattern. Linear,
    Embedding, MultiheadAttention and the linear layers of models.GPT can have adapters; a pattern that names none
    raises ValueError. alpha / rank scales what the adapters add. `dropout` acts on their input, which Embedding has
    not. Parameters that match `also` (a new head, say) stay in training. Layers keep their objects, parameters and
    names: the state_dict has the adapters besides.

    >>> import lamina
    >>> model = lamina.models.MLP()
    >>> lamina.lora.apply_lora(model, "body.*", rank=4, also=["head"])
    ['body.0', 'body.3']
    >>> [n for n, p in model.named_parameters() if p.requires_grad][:3]
    ['body.0.lora_A', 'body.0.lora_B', 'body.3.lora_A']
    """
    _check(rank, alpha, dropout)
    wanted = [patterns] if isinstance(patterns, (str, re.Pattern)) else list(patterns)
    modules = {path: m for path, m in model.named_modules() if path}
    able_names: set[str] = set()
    inner = {f"{path}.out_proj" for path, m in modules.items() if isinstance(m, nn.MultiheadAttention)}
    for pattern, names in zip(wanted, matched("apply_lora", wanted, modules, suffix=True), strict=True):
        able = [n for n in names if n not in inner and (_kind_for(modules[n]) or isinstance(modules[n], _Adapted))]
        if not able:
            hint = (
                "; the projections of a MultiheadAttention belong to it: name the attention" if inner & {*names} else ""
            )
            raise ValueError(
                f"apply_lora: {pattern!r} names no layer that can have adapters, but {names[0]!r} "
                f"({type(modules[names[0]]).__name__}); expected Linear, Embedding or MultiheadAttention{hint}"
            )
        able_names.update(able)
    chosen = [name for name in modules if name in able_names]
    kept = {n for names in matched("apply_lora: also", list(also), dict(model.named_parameters())) for n in names}
    for name in chosen:
        _check_layer(name, modules[name], dropout)
    trained = [name for name, p in model.named_parameters() if p.requires_grad]
    for name, p in model.named_parameters():
        p.requires_grad_(name in kept and p.is_floating_point())
    for name in chosen:
        layer: Any = modules[name]
        layer.__class__ = _kind_for(layer)
        layer._adapt(rank, float(alpha), float(dropout))
    model.__dict__["_lora_trained"] = [*model.__dict__.get("_lora_trained", trained)]
    for name, p in model.named_parameters():
        if ".lora_" in f".{name}":
            p.requires_grad_()
    return chosen


def _check(rank: int, alpha: float, dropout: float) -> None:
    if isinstance(rank, bool) or not isinstance(rank, int) or rank < 1:
        raise ValueError(f"apply_lora: rank must be a positive whole number, got {rank!r}")
    if not 0 < float(alpha) < math.inf:
        raise ValueError(f"apply_lora: alpha must be above 0, got {alpha!r}")
    if not 0 <= float(dropout) < 1:
        raise ValueError(f"apply_lora: dropout must be in [0, 1), got {dropout!r}")


def _check_layer(name: str, module: Any, dropout: float) -> None:
    if isinstance(module, _Adapted):
        raise ValueError(f"apply_lora: '{name}' has adapters already; merge_lora or lora.remove first")
    if isinstance(module, nn.MultiheadAttention):
        if module.in_proj_weight is None:
            raise ValueError(f"apply_lora: '{name}' has keys or values of another width; its projections are three")
        if dropout:
            raise ValueError(
                f"apply_lora: '{name}' is a MultiheadAttention, whose adapters have no dropout of their own"
            )
    if isinstance(module, nn.Embedding) and module.max_norm is not None:
        raise ValueError(f"apply_lora: '{name}' has max_norm, which changes its frozen rows")


def _adapted(model: nn.Module, what: str) -> Iterator[tuple[str, Any]]:
    found = [(path, m) for path, m in model.named_modules() if isinstance(m, _Adapted)]
    if not found:
        raise ValueError(f"{what}: {type(model).__name__} has no adapters; apply_lora makes them")
    return iter(found)


def merge_lora(model: nn.Module) -> list[str]:
    """Adds what the adapters learned to the weights and takes the adapters away; returns the layers' names.

    The model computes the same to rounding, at the price it had before. Parameters are trained or frozen as they were
    before apply_lora.

    >>> import lamina
    >>> model = lamina.models.MLP()
    >>> _ = lamina.lora.apply_lora(model, "head")
    >>> lamina.lora.merge_lora(model), type(model.head).__name__
    (['head'], 'Linear')
    """
    names = []
    for path, layer in _adapted(model, "merge_lora"):
        layer._merge()
        names.append(path)
    _train_again(model)
    return names


def remove(model: nn.Module) -> list[str]:
    """Takes the adapters away without merging: the model is what it was before apply_lora; returns the layers' names.

    >>> import lamina
    >>> model = lamina.models.MLP()
    >>> _ = lamina.lora.apply_lora(model, "head")
    >>> lamina.lora.remove(model), len(list(model.parameters()))
    (['head'], 6)
    """
    names = []
    for path, layer in _adapted(model, "remove"):
        layer._drop()
        names.append(path)
    _train_again(model)
    return names


def _train_again(model: nn.Module) -> None:
    trained = set(model.__dict__.pop("_lora_trained", ()))
    for name, p in model.named_parameters():
        if name in trained:
            p.requires_grad_()


def lora_state_dict(model: nn.Module) -> dict[str, Tensor]:
    """The adapters and the parameters that train besides, by name: the small file that a fine-tuned model needs.

    After the same apply_lora `model.load_state_dict(saved, strict=False)` takes them back.

    >>> import lamina
    >>> model = lamina.models.MLP()
    >>> _ = lamina.lora.apply_lora(model, "head", rank=2)
    >>> {name: t.shape for name, t in lamina.lora.lora_state_dict(model).items()}
    {'head.lora_A': (2, 128), 'head.lora_B': (10, 2)}
    """
    next(_adapted(model, "lora_state_dict"))
    own = model.named_parameters()
    return {name: p.detach() for name, p in own if ".lora_" in f".{name}" or p.requires_grad}
