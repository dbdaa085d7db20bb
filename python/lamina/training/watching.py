"""watch: says in one sentence what a training loop of your own, or Trainer's, does that cannot be meant."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from typing import Any

import lamina

from .. import nn
from .._C import Tensor
from ..nn.dropout import Dropout
from ..nn.norm import _BatchNorm
from ..optim import Optimizer
from ._before_loss import activation_name, loss_behind, sentence, wrong_in_graph
from ._diagnosis import explain, finite, label, tensors_in
from .warnings import NaNLossError, TrainingWarning

_RELUS = (nn.ReLU, nn.ReLU6)
_FIRST = 3  # steps that are looked at closely, then 5, 10, 20, 50, 100, ...


def watch(model: nn.Module, optimizer: Any = None) -> Watch:
    """Looks on while you train `model` in a loop of your own: use it as a context manager, or call `close()`.

    It warns (TrainingWarning, each thing once, with the layer's path) of: parameters that the optimizer does not have,
    or that get no gradient; a forgotten zero_grad; steps that change nothing; softmax, log_softmax or sigmoid before a
    loss that wants logits; train() or eval() forgotten where there is dropout or batch norm; dead ReLUs and outputs
    that are the same for every row. An output or a gradient that is not finite raises NaNLossError before the step,
    which names the first module that makes one. Steps 1 to 3, 5, 10, 20, 50, 100, ... are looked at closely; the others
    cost one look at the output and at the gradients. The weights come out the same.

    >>> import lamina, warnings
    >>> model = lamina.nn.Linear(2, 2)
    >>> optimizer = lamina.optim.SGD(model.parameters(), lr=0.1)
    >>> with warnings.catch_warnings(record=True) as said, lamina.training.watch(model, optimizer):
    ...     for step in range(3):
    ...         lamina.nn.functional.cross_entropy(model(lamina.eye(2)), lamina.tensor([0, 1])).backward()
    ...         optimizer.step()
    >>> str(said[0].message)[:51]
    "zero_grad() is missing: the gradient of 'weight' st"
    """
    return Watch(model, optimizer)


class Watch:
    """What `watch` returns. `open` and `close` attach and remove its hooks; `loss(tensor)` also looks at a loss."""

    def __init__(self, model: nn.Module, optimizer: Any = None, *, own_loop: bool = True) -> None:
        if isinstance(optimizer, Optimizer):
            self.optimizers = [optimizer]
        else:
            self.optimizers = list(optimizer.values() if isinstance(optimizer, Mapping) else optimizer or ())
        self.model, self.own_loop = model, own_loop
        self.steps = 0
        self._said: set[str] = set()
        self._handles: list[Any] = []
        self._gates = [_ZeroGrad(self, o) for o in self.optimizers]
        self._names = {id(p): name for name, p in model.named_parameters()}
        self._noisy = [m for m in model.modules() if isinstance(m, (Dropout, _BatchNorm))]
        self._alive: set[str] = set()  # of this step: seen with something else than zeros
        self._dead: dict[str, None] = {}  # in the order of the forward pass
        self._dead_before: set[str] = set()
        self._without: set[str] | None = None  # parameters that never had a gradient
        self._still = 0
        self._eval_forward = False
        self._check_membership()
        if own_loop:
            self.open()

    def __enter__(self) -> Watch:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def say(self, kind: str, text: str) -> None:
        """Warns, of each kind once."""
        if kind not in self._said:
            self._said.add(kind)
            warnings.warn(text, TrainingWarning, stacklevel=2)

    # -- hooks --------------------------------------------------------------------------------------------------------
    def open(self) -> None:
        """Attaches the hooks."""
        self.close()
        self._handles = [
            self.model.register_forward_pre_hook(self._before_forward, with_kwargs=True),
            self.model.register_forward_hook(self._after_forward, with_kwargs=True),
        ]
        for module in self.model.modules():
            if module is not self.model and not any(True for _ in module.children()):
                hook = self._after_relu if isinstance(module, _RELUS) else self._after_leaf
                self._handles.append(module.register_forward_hook(hook))
        for gate in self._gates:
            gate.open()

    def close(self) -> None:
        """Removes them; the model and the optimizers are as before."""
        for handle in self._handles:
            handle.remove()
        if self._handles:
            for module in self.model.modules():
                hooks = module.__dict__.get("_hooks")
                if hooks is not None and hooks.idle():
                    module.__dict__.pop("_hooks", None)  # calls are plain again
        self._handles = []
        for gate in self._gates:
            gate.close()

    def closely(self) -> bool:
        """Whether the present step is one that is looked at closely."""
        return looked_at(self.steps)

    def loss(self, loss: Tensor) -> Tensor:
        """Looks at how a loss was computed, and gives it back; for losses of outputs that change after the model."""
        if not finite(loss):
            raise NaNLossError(f"watch: the loss is {loss.item()}; {self._explained()}")
        wrong = wrong_in_graph(loss)
        if wrong is not None:
            self.say("logits", sentence(*wrong))
        return loss

    def _before_forward(self, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self._arguments, self._state = (args, kwargs), lamina.get_rng_state()

    def _after_forward(self, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> None:
        if self.own_loop and not finite(output):
            raise NaNLossError(
                f"watch: the output of the model is not finite in step {self.steps + 1}: " + self._explained()
            )
        if lamina.is_grad_enabled():
            self._eval_forward = not module.training and bool(self._noisy) and not any(m.training for m in self._noisy)
        elif self.own_loop:
            self._check_eval()
        outputs = tensors_in(output)
        if outputs and lamina.is_grad_enabled() and self.closely():
            self._check_rows(outputs[0], [*tensors_in(args), *tensors_in(kwargs)])
            self._listen(outputs[0])

    def _listen(self, output: Tensor) -> None:
        """Probabilities: waits for the gradient, which tells the loss."""
        if not output.requires_grad or "logits" in self._said or not self.own_loop:
            return
        activation = activation_name(output)
        if not activation:
            return

        def hook(gradient: Tensor) -> None:
            loss = loss_behind(output, gradient)
            if loss:
                self.say("logits", sentence(loss, activation))

        output.register_hook(hook)

    def _after_relu(self, module: nn.Module, args: Any, output: Tensor) -> None:
        if lamina.is_grad_enabled() and self.closely():
            self._note(f"every value that {label(self.model, module)} lets through", output)

    def _after_leaf(self, module: nn.Module, args: Any, output: Any) -> None:
        if lamina.is_grad_enabled() and self.closely() and any(True for _ in module.parameters(recurse=False)):
            for x in tensors_in(args)[:1]:
                if x.is_floating_point() and x.requires_grad:  # not the data
                    self._note(f"everything that enters {label(self.model, module)}", x)

    def _note(self, what: str, values: Tensor) -> None:
        self._look(f"{what} is zero: dead ReLUs", values.numel() < 2 or bool(values.detach().any()))

    def _look(self, what: str, alive: bool) -> None:
        if alive:
            self._alive.add(what)
        else:
            self._dead[what] = None

    # -- checks -------------------------------------------------------------------------------------------------------
    def _check_membership(self) -> None:
        if not self.optimizers:
            return
        held = {id(p) for o in self.optimizers for g in o.param_groups for p in g["params"]}
        missing = [name for name, p in self.model.named_parameters() if p.requires_grad and id(p) not in held]
        if missing and len(missing) == sum(p.requires_grad for p in self.model.parameters()):
            self.say("membership", "the optimizer has none of the model's parameters: it was made for another model")
            self._said.update(("no gradient", "left out", "still"))  # what follows from it is not told
        elif missing:
            self.say("membership", f"{_some(missing)} not in the optimizer and will not be trained")

    def _check_eval(self) -> None:
        if not self.model.training or any(isinstance(m, _BatchNorm) and m.momentum is None for m in self._noisy):
            return
        noisy = [label(self.model, m) for m in self._noisy if m.training]
        if noisy:
            self.say(
                "eval",
                f"eval() is missing: without gradients the model was called in training mode, in which {noisy[0]}"
                f"{f' and {len(noisy) - 1} more' if noisy[1:] else ''} works differently",
            )

    def _check_rows(self, output: Tensor, inputs: list[Tensor]) -> None:
        values = output.detach()
        if values.dim() == 0 or values.shape[0] < 2 or not values.is_floating_point() or values.numel() == 0:
            return
        rows = [t for t in inputs if t.dim() and t.shape[0] == values.shape[0]]
        if not rows or not any(bool((t[1:] != t[:1]).any()) for t in rows):
            return
        self._look("the model's output is the same for every row", bool((values[1:] != values[:1]).any()))

    def before_step(self, optimizer: Optimizer) -> None:
        """What can be said once the gradients are there."""
        params = [p for g in optimizer.param_groups for p in g["params"] if p.requires_grad]
        with_grad = [p for p in params if p.grad is not None]
        if params and not with_grad:
            self.say(
                "no gradient",
                "no parameter has a gradient: backward() was not called, or detach() or no_grad() cut the graph",
            )
        if (self.own_loop or self.closely()) and not all(finite(p.grad) for p in with_grad):
            bad = next(p for p in with_grad if not finite(p.grad))
            name = self._names.get(id(bad), "a parameter")
            raise NaNLossError(
                f"{'watch' if self.own_loop else 'fit'}: the gradient of '{name}' is not finite in step "
                f"{self.steps + 1}, the step was not made; " + self._explained()
            )
        if self._eval_forward:
            noisy = label(self.model, self._noisy[0])
            self.say(
                "train",
                f"train() is missing: the model is trained in eval mode, in which {noisy} does nothing of its own",
            )
        if self.closely():
            self._check_gradients(params, with_grad)

    def _check_gradients(self, params: list[Tensor], with_grad: list[Tensor]) -> None:
        if with_grad:
            self._look("every gradient is zero", any(bool(p.grad.any()) for p in with_grad))
        if self.steps < _FIRST and len(self.optimizers) == 1:
            without = {self._names.get(id(p), "") for p in params if p.grad is None} - {""}
            self._without = without if self._without is None else self._without & without
            if self._without and with_grad and self.steps == _FIRST - 1:
                names = [n for n in self._names.values() if n in self._without]
                self.say(
                    "left out", f"{_some(names)} without a gradient in the first {_FIRST} steps: not part of the loss"
                )

    def after_step(self, changed: bool | None) -> None:
        """Counts the step; the dead are reported when they were dead in two looks that follow each other."""
        if changed is not None:
            self._still = 0 if changed else self._still + 1
            if self._still == _FIRST:
                self.say(
                    "still", f"the first {_FIRST} steps changed no parameter, though there were gradients: is lr 0?"
                )
        if self.closely():
            dead = [what for what in self._dead if what not in self._alive]
            again = [what for what in dead if what in self._dead_before]
            if again:  # what follows from the first is not told
                self.say("dead", f"{again[0]} (steps up to {self.steps + 1}); a smaller lr, or other initial values?")
            self._dead_before, self._dead, self._alive = set(dead), {}, set()
        self.steps += 1

    def _explained(self) -> str:
        if not hasattr(self, "_arguments"):
            return "the model was not called"
        (args, kwargs), state, attached = self._arguments, self._state, bool(self._handles)
        self.close()  # not these hooks again
        try:
            return explain(self.model, lambda: self.model(*args, **kwargs), state)
        finally:
            if attached:
                self.open()


class _ZeroGrad:
    """Wraps one optimizer's step: was its gradient new since the last one?"""

    def __init__(self, owner: Watch, optimizer: Optimizer) -> None:
        self.owner, self.optimizer = owner, optimizer
        self._fresh = self._fired = self._attached = False
        self._handle: Any = None

    def open(self) -> None:
        params = [p for g in self.optimizer.param_groups for p in g["params"] if p.requires_grad]
        if params:
            self._param = params[0]
            self._handle = self._param.register_hook(self._at_gradient)
        self._before = self.optimizer.__dict__.get("step")  # somebody else's wrapper
        self._own = self.optimizer.step
        self.optimizer.step = self._step  # type: ignore[method-assign]
        self._attached = True

    def close(self) -> None:
        if self._handle is not None:
            self._handle.remove()
            self._handle = None
        if self._attached:
            self.optimizer.__dict__.pop("step", None)
            if self._before is not None:
                self.optimizer.step = self._before  # type: ignore[method-assign]
        self._attached = False

    def _at_gradient(self, gradient: Tensor) -> None:
        self._fired = True
        held = self._param.grad
        if held is None or not bool(held.detach().any()):
            self._fresh = True

    def _step(self, closure: Any = None) -> Any:
        owner = self.owner
        counts = owner._gates[0] is self  # of several optimizers the first counts the steps
        if closure is not None:
            self._fired = self._fresh = False
            result = self._own(closure)
            if counts:
                owner.after_step(None)
            return result
        if self._fired and not self._fresh:
            name = owner._names.get(id(self._param), "a parameter")
            owner.say(
                "zero_grad",
                f"zero_grad() is missing: the gradient of '{name}' still holds what an earlier step used, and new ones "
                "add to it",
            )
        self._fired = self._fresh = False
        owner.before_step(self.optimizer)
        kept = self._copies() if counts and owner.steps < _FIRST else []
        result = self._own()
        if counts:
            owner.after_step(any(bool((p.detach() != old).any()) for p, old in kept) if kept else None)
        return result

    def _copies(self) -> list[tuple[Tensor, Tensor]]:
        """A few parameters with a gradient, as they are before the step."""
        params: Iterable[Tensor] = (p for g in self.optimizer.param_groups for p in g["params"])
        some = [p for p in params if p.grad is not None and p.numel() < 10**6 and bool(p.grad.any())][:8]
        return [(p, p.detach().clone()) for p in some]


def looked_at(step: int) -> bool:
    """The steps, counted from 0, that are looked at closely: the first three, then 5, 10, 20, 50, ..."""
    digits = str(step + 1)
    return step < _FIRST or (digits[0] in "125" and not digits[1:].strip("0"))


def _some(names: list[str]) -> str:
    """'a' and 2 more are"""
    first = f"'{names[0]}'"
    return f"{first} is" if len(names) == 1 else f"{first} and {len(names) - 1} more are"
