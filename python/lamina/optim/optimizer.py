"""Optimizer: parameter groups and per-parameter state; a subclass writes `_update(group)`.

The fused steps behind it (every list has one entry per parameter; parameters and state are written in place, without
autograd, and their versions are bumped):

    _C.sgd_step(params, grads, momentum_buffers, fresh, lr, momentum, dampening, weight_decay, nesterov, maximize)
        momentum_buffers and fresh are [] when momentum is 0; fresh[i] is 1 where buffer i has no value yet, else 0
    _C.adam_step(params, grads, exp_avgs, exp_avg_sqs, max_exp_avg_sqs, steps, lr, beta1, beta2, eps, weight_decay,
                 decoupled, maximize)
        steps[i] counts from 1; max_exp_avg_sqs is [] without amsgrad; decoupled is AdamW's weight decay
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import lamina

from .._C import Tensor
from ._hooks import OptimizerHooks, keep_count

Group = dict[str, Any]
_ACCEPTED = frozenset(("foreach", "fused", "capturable"))  # how PyTorch's steps run: here there is one way


def settings(arguments: dict[str, Any]) -> dict[str, Any]:
    """A group's defaults from the `locals()` of a constructor."""
    if arguments.get("differentiable"):
        raise ValueError(
            f"{type(arguments['self']).__name__}: differentiable=True is not supported, steps are not recorded; "
            "hint: write the update with tensor operations to differentiate through it"
        )
    left_out = _ACCEPTED | {"self", "params", "__class__", "differentiable"}
    return {name: value for name, value in arguments.items() if name not in left_out}


class Optimizer(OptimizerHooks):
    """Base class; `params` is an iterable of tensors, of (name, tensor) pairs, or of group dicts with "params".

    `state[param]` is a dict, made empty when first asked for.
    """

    _like_param: frozenset[str] = frozenset()  # state that must have its parameter's shape
    _counts: frozenset[str] = frozenset()  # state that PyTorch keeps in tensors of one element, lamina in ints ...
    _numbers: frozenset[str] = frozenset()  # ... and in floats

    def __init__(self, params: Iterable[Any], defaults: dict[str, Any]) -> None:
        self.defaults = defaults
        self.state: defaultdict[Tensor, dict[str, Any]] = defaultdict(dict)
        self.param_groups: list[Group] = []
        keep_count(self)
        if isinstance(params, Tensor):
            raise TypeError(
                "params argument given to the optimizer should be an iterable of Tensors or dicts, got Tensor"
            )
        if isinstance(params, set):
            raise TypeError("optimizer parameters need to be in an ordered collection, a set has no order")
        groups = list(params)
        if not groups:
            raise ValueError("optimizer got an empty parameter list")
        for group in groups if isinstance(groups[0], dict) else [{"params": groups}]:
            self.add_param_group(group)

    def add_param_group(self, param_group: Group) -> None:
        """Adds a group with its own settings; the optimizer's defaults fill in what it leaves out."""
        if not isinstance(param_group, dict):
            raise TypeError(f"param_group must be a dict, but got {type(param_group).__name__}")
        group = {**self.defaults, **param_group}
        params = group["params"]
        if isinstance(params, set):
            raise TypeError("optimizer parameters need to be in an ordered collection, a set has no order")
        params = [params] if isinstance(params, Tensor) else list(params)
        named = [isinstance(param, tuple) for param in params]
        if any(named):
            if not all(named):
                raise ValueError("all optimizer params should be with names, or all without; some have none")
            group["param_names"] = [name for name, _ in params]
            params = [param for _, param in params]
        if self.param_groups and ("param_names" in group) != ("param_names" in self.param_groups[0]):
            raise ValueError("all optimizer param groups should be with names, or all without")
        rate = group.get("lr")
        if isinstance(rate, Tensor) and rate.numel() != 1:
            raise ValueError(f"lr must be a number or a tensor of one element, got one of shape {tuple(rate.shape)}")
        known = {id(p) for g in self.param_groups for p in g["params"]}
        for param in params:
            if not isinstance(param, Tensor):
                raise TypeError(f"optimizer can only optimize Tensors, but one of the params is {type(param).__name__}")
            if not param.is_leaf:
                raise ValueError("can't optimize a non-leaf Tensor: it is the result of an operation")
            if id(param) in known:
                raise ValueError("some parameters appear in more than one place of the parameter groups")
            known.add(id(param))
        group["params"] = params
        self._check_group(group)
        self.param_groups.append(group)

    def _check_group(self, group: Group) -> None:
        """Raises ValueError for settings out of range."""

    def _require(self, group: Group, *names: str) -> None:
        for name in names:
            if not group[name] >= 0.0:
                raise ValueError(f"Invalid {name} value: {group[name]} ({type(self).__name__} needs {name} >= 0)")

    def _require_betas(self, group: Group) -> None:
        betas = group["betas"]
        if not isinstance(betas, (tuple, list)) or len(betas) != 2:
            raise ValueError(f"Invalid betas: {betas!r} ({type(self).__name__} needs two numbers)")
        if isinstance(betas[0], Tensor) != isinstance(betas[1], Tensor):
            raise ValueError("Invalid betas: either both are numbers or both are tensors")
        for i, beta in enumerate(betas):
            if not 0.0 <= beta < 1.0:
                raise ValueError(f"Invalid beta parameter at index {i}: {beta} (needs 0 <= beta < 1)")

    def _update(self, group: Group) -> None:
        raise NotImplementedError(f"{type(self).__name__} must define step() or _update(group)")

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """One update from the gradients that are there; `closure` computes loss and gradients anew first."""
        loss = None
        if closure is not None:
            with lamina.enable_grad():
                loss = closure()
        for group in self.param_groups:
            self._update(group)
        return loss

    def zero_grad(self, set_to_none: bool = True) -> None:
        for group in self.param_groups:
            for param in group["params"]:
                if set_to_none:
                    param.grad = None
                elif param.grad is not None:
                    param.grad.detach_().zero_()

    def state_dict(self) -> dict[str, Any]:
        """{"state": {number: {name: value}}, "param_groups": [{..., "params": [number]}]}; tensors share memory."""
        self._run("state_dict_pre")
        number = {p: i for i, p in enumerate(p for g in self.param_groups for p in g["params"])}
        groups, start = [], 0
        for group in self.param_groups:
            end = start + len(group["params"])
            groups.append({**group, "params": list(range(start, end))})
            start = end
        state = {number.get(k, k): dict(v) if isinstance(v, dict) else v for k, v in self.state.items()}
        return self._changed("state_dict_post", {"state": state, "param_groups": groups})

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Takes over settings and state (copied, in each parameter's dtype and device)."""
        state_dict = self._changed("load_state_dict_pre", dict(state_dict))
        saved = state_dict["param_groups"]
        if len(saved) != len(self.param_groups):
            raise ValueError(
                f"loaded state dict has {len(saved)} parameter groups, the optimizer has {len(self.param_groups)}"
            )
        for i, (own, new) in enumerate(zip(self.param_groups, saved, strict=True)):
            if len(own["params"]) != len(new["params"]):
                raise ValueError(
                    f"loaded state dict has {len(new['params'])} parameters in group {i}, "
                    f"the optimizer has {len(own['params'])}"
                )
        numbers = [n for group in saved for n in group["params"]]
        params = dict(zip(numbers, (p for group in self.param_groups for p in group["params"]), strict=True))
        state: defaultdict[Any, Any] = defaultdict(dict)
        for key, values in state_dict["state"].items():
            key = int(key) if isinstance(key, str) and key.isdigit() else key
            if key in params:
                state[params[key]] = {name: self._fit(name, value, params[key]) for name, value in values.items()}
            else:  # state of the optimizer itself, under a name
                state[key] = values
        self.state = state
        for own, new in zip(self.param_groups, saved, strict=True):
            own.update({name: value for name, value in new.items() if name != "params"})
        self._run("load_state_dict_post")

    def _fit(self, name: str, value: Any, param: Tensor) -> Any:
        """A loaded value of the state of a parameter, in the parameter's dtype and device; "step" keeps its dtype."""
        if name in self._counts:
            return int(value.item()) if isinstance(value, Tensor) else int(value)
        if name in self._numbers:
            return float(value)
        if isinstance(value, Tensor):
            if name in self._like_param and tuple(value.shape) != tuple(param.shape):
                raise ValueError(
                    f"optimizer state '{name}' has shape {tuple(value.shape)}, its parameter {tuple(param.shape)}"
                )
            if name == "step":
                return value.detach().clone()
            dtype = param.dtype if param.is_floating_point() else value.dtype
            return value.detach().to(param.device).to(dtype).clone()
        if isinstance(value, dict):
            return {key: self._fit(key, part, param) for key, part in value.items()}
        if type(value) in (list, tuple):
            return type(value)(self._fit("", part, param) for part in value)
        return value

    def __repr__(self) -> str:
        lines = [f"{type(self).__name__} ("]
        for i, group in enumerate(self.param_groups):
            lines.append(f"Parameter Group {i}")
            lines.extend(f"    {name}: {group[name]}" for name in sorted(group) if name != "params")
        return "\n".join([*lines, ")"])


class PerTensor(Optimizer):
    """Optimizers whose step is written for one parameter, with tensor operations and without recording them."""

    _counts = frozenset(("step",))
    _like_param = frozenset(
        "acc_delta ax exp_avg exp_avg_sq exp_inf grad_avg momentum_buffer prev square_avg step_size sum".split()
    )

    def _start(self, param: Tensor, group: Group) -> dict[str, Any]:
        """The state before the first step; "step" is added to it."""
        return {}

    def _step_one(self, param: Tensor, grad: Tensor, own: dict[str, Any], group: Group) -> None:
        raise NotImplementedError

    def _gradient(self, param: Tensor, group: Group) -> Tensor:
        """The gradient to descend: its sign by `maximize`, with the weight decay that is added to it."""
        grad: Tensor = -param.grad if group.get("maximize") else param.grad
        decay = group.get("weight_decay", 0)
        if decay == 0:
            return grad
        if group.get("decoupled_weight_decay"):
            param.mul_(1 - group["lr"] * decay)
            return grad
        return grad.add(param, alpha=decay)

    def _update(self, group: Group) -> None:
        with lamina.no_grad():
            for param in group["params"]:
                if param.grad is None:
                    continue
                own = self.state.get(param)
                if not own:
                    own = {"step": 0, **self._start(param, group)}
                own["step"] += 1
                self._step_one(param, self._gradient(param, group), own, group)
                self.state[param] = own


def __getattr__(name: str) -> object:
    from .._missing import later

    return later(__name__, name)
