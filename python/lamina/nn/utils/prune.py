"""Pruning: a parameter becomes `<name>_orig` times the mask `<name>_mask`, recomputed before every call."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import lamina

from ..._C import Tensor
from ..parameter import Parameter
from ._computed import Computed


def _amount(amount: float | int, total: int) -> int:
    """A share of `total` (float) or a number (int) of elements to prune."""
    if isinstance(amount, float):
        if not 0 <= amount <= 1:
            raise ValueError(f"prune: amount as a share must lie in [0, 1], got {amount}")
        return round(amount * total)
    if not 0 <= amount <= total:
        raise ValueError(f"prune: amount {amount} must lie between 0 and the {total} elements there are")
    return int(amount)


def _state(module: Any, name: str) -> tuple[Tensor, Tensor]:
    """The unpruned parameter and its present mask."""
    if name in module.__dict__.get("_pruned", {}):
        return getattr(module, name + "_orig").detach(), getattr(module, name + "_mask")
    if name not in module._parameter_names or module.__dict__[name] is None:
        raise ValueError(f"prune: {type(module).__name__} has no parameter {name!r}")
    weight = module.__dict__[name].detach()
    return weight, lamina.ones_like(weight)


def _set_mask(module: Any, name: str, mask: Tensor) -> Any:
    orig, kept = name + "_orig", name + "_mask"
    pruned = module.__dict__.setdefault("_pruned", {})
    if name not in pruned:
        param = module.__dict__[name]
        delattr(module, name)
        module.register_parameter(orig, param)
        module.register_buffer(kept, mask)

        pruned[name] = module.register_forward_pre_hook(_Masked(name))
    else:
        module.__dict__[kept] = mask
    setattr(module, name, getattr(module, orig) * getattr(module, kept))
    return module


class _Masked(Computed):
    def compute_weight(self, module: Any) -> Tensor:
        out: Tensor = getattr(module, self.name + "_orig") * getattr(module, self.name + "_mask")
        return out


def _drop(mask: Tensor, order: Any, count: int) -> Tensor:
    """The mask without the first `count` of `order` among the elements it keeps."""
    kept = mask.detach().double().numpy().reshape(-1).copy()
    order = order[kept[order] != 0][:count]
    kept[order] = 0.0
    return lamina.from_numpy(kept).to(mask.dtype).reshape(mask.shape)


def _ascending(scores: Tensor) -> Any:
    """Places by size; equal ones in their order."""
    return scores.detach().double().reshape(-1).numpy().argsort(kind="stable")


def _shuffled(count: int) -> Any:
    return lamina.randperm(count).numpy()


def l1_unstructured(module: Any, name: str, amount: float | int, importance_scores: Tensor | None = None) -> Any:
    """Prunes the elements of smallest size (or importance).

    >>> from lamina import nn
    >>> layer = nn.utils.prune.l1_unstructured(nn.Linear(4, 2), "weight", amount=3)
    >>> int((layer.weight == 0).sum().item()), sorted(layer.state_dict())
    (3, ['bias', 'weight_mask', 'weight_orig'])
    """
    weight, mask = _state(module, name)
    scores = (weight if importance_scores is None else importance_scores).abs()
    return _set_mask(module, name, _drop(mask, _ascending(scores), _amount(amount, int(mask.sum().item()))))


def random_unstructured(module: Any, name: str, amount: float | int) -> Any:
    """Prunes elements at random."""
    _, mask = _state(module, name)
    return _set_mask(module, name, _drop(mask, _shuffled(mask.numel()), _amount(amount, int(mask.sum().item()))))


def _structured(module: Any, name: str, amount: float | int, dim: int, order: Any, alive: list[bool]) -> Any:
    _, mask = _state(module, name)
    lost = [int(i) for i in order if alive[i]][: _amount(amount, sum(alive))]
    kept = lamina.ones(mask.shape[dim], dtype=mask.dtype)
    for i in lost:
        kept[i] = 0.0
    line = [1] * len(mask.shape)
    line[dim] = -1
    return _set_mask(module, name, mask * kept.reshape(line))


def _channels(module: Any, name: str, dim: int) -> tuple[Tensor, int, list[bool], list[int]]:
    weight, mask = _state(module, name)
    if len(weight.shape) < 2:
        raise ValueError(f"prune: structured pruning needs at least 2 dims, {name!r} has shape {tuple(weight.shape)}")
    axis = dim % len(weight.shape)
    others = [d for d in range(len(weight.shape)) if d != axis]
    return weight * mask, axis, [bool(a) for a in (mask.sum(others) > 0).tolist()], others


def ln_structured(
    module: Any, name: str, amount: float | int, n: float, dim: int, importance_scores: Tensor | None = None
) -> Any:
    """Prunes whole channels of dim whose norm n is smallest."""
    weight, axis, alive, others = _channels(module, name, dim)
    scores = lamina.norm(weight if importance_scores is None else importance_scores, float(n), others)
    return _structured(module, name, amount, axis, _ascending(scores), alive)


def random_structured(module: Any, name: str, amount: float | int, dim: int) -> Any:
    """Prunes whole channels of dim at random."""
    _, axis, alive, _ = _channels(module, name, dim)
    return _structured(module, name, amount, axis, _shuffled(len(alive)), alive)


def custom_from_mask(module: Any, name: str, mask: Tensor) -> Any:
    """Prunes where mask is 0."""
    weight, now = _state(module, name)
    if tuple(mask.shape) != tuple(weight.shape):
        raise ValueError(f"custom_from_mask: mask {tuple(mask.shape)} must have the shape {tuple(weight.shape)}")
    return _set_mask(module, name, now * mask.to(now.dtype))


def identity(module: Any, name: str) -> Any:
    """The names of a pruned parameter, with nothing pruned."""
    return _set_mask(module, name, _state(module, name)[1])


def global_unstructured(
    parameters: Iterable[tuple[Any, str]], pruning_method: Any = l1_unstructured, amount: float | int = 0, **kwargs: Any
) -> None:
    """Prunes the smallest elements of all parameters together; pruning_method is l1_unstructured or a random one."""
    pairs = list(parameters)
    states = [_state(module, name) for module, name in pairs]
    masks = lamina.cat([mask.reshape(-1) for _, mask in states])
    sizes = lamina.cat([weight.reshape(-1) for weight, _ in states]).abs()
    order = (
        _shuffled(masks.numel()) if pruning_method in (random_unstructured, RandomUnstructured) else _ascending(sizes)
    )
    masks = _drop(masks, order, _amount(amount, int(masks.sum().item())))
    start = 0
    for (module, name), (weight, _) in zip(pairs, states, strict=True):
        _set_mask(module, name, masks[start : start + weight.numel()].reshape(weight.shape))
        start += weight.numel()


class L1Unstructured:
    """Names l1_unstructured for global_unstructured."""

    apply = staticmethod(l1_unstructured)


class RandomUnstructured:
    """Names random_unstructured for global_unstructured."""

    apply = staticmethod(random_unstructured)


def remove(module: Any, name: str) -> Any:
    """Makes the pruning final: a plain parameter again, with zeros where it was pruned."""
    pruned = module.__dict__.get("_pruned", {})
    if name not in pruned:
        raise ValueError(f"prune.remove: {type(module).__name__}.{name} is not pruned")
    pruned.pop(name).remove()
    orig = getattr(module, name + "_orig")
    with lamina.no_grad():
        value = orig * getattr(module, name + "_mask")
    for part in (name, name + "_orig", name + "_mask"):
        delattr(module, part)
    module.register_parameter(name, Parameter(value, orig.requires_grad))
    return module


def is_pruned(module: Any) -> bool:
    """Whether the module or one below it is pruned."""
    return any(m.__dict__.get("_pruned") for m in module.modules())
