"""PyTorch's own list of modules (its module_db) run on lamina: state dict keys, outputs and gradients in float64, in
training and evaluation, and the inputs that PyTorch refuses.

`run(name)` gives the differences of one module; tests/test_module_db.py asserts on them.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Iterator
from typing import Any

import lamina
import numpy as np
import op_db
import torch
from op_db_exceptions import MODULES

TOLERANCE = dict(rtol=1e-7, atol=1e-8)


@functools.cache
def database() -> dict[str, Any]:
    from torch.testing._internal.common_modules import module_db

    return {info.name.removeprefix("nn."): info for info in module_db if "quantized" not in info.name}


def class_of(name: str) -> Any:
    home: Any = lamina.nn
    for part in name.split("."):
        home = getattr(home, part, None)
        if home is None:
            return None
    return home


def converted(a: Any, grad: bool = False) -> Any:
    """The argument for lamina; modules are built again from their settings, functions found by name."""
    if isinstance(a, torch.nn.utils.rnn.PackedSequence):
        parts = (a.data, a.batch_sizes, a.sorted_indices, a.unsorted_indices)
        return lamina.nn.utils.rnn.PackedSequence(*(converted(p, grad) for p in parts))
    if isinstance(a, torch.nn.Module):
        return module_again(a)
    if isinstance(a, (tuple, list)) and not hasattr(a, "_fields"):
        return type(a)(converted(x, grad) for x in a)
    if isinstance(a, dict):
        return {k: converted(v, grad) for k, v in a.items()}
    if callable(a) and not isinstance(a, torch.Tensor) and hasattr(a, "__name__"):
        return getattr(lamina.nn.functional, a.__name__, None) or getattr(lamina, a.__name__)
    return op_db.to_lamina(a, grad, {})


def module_again(theirs: torch.nn.Module) -> Any:
    kind = getattr(lamina.nn, type(theirs).__name__)
    if isinstance(theirs, torch.nn.TransformerEncoderLayer):
        attention, linear = theirs.self_attn, theirs.linear1
        ours = kind(
            *(attention.embed_dim, attention.num_heads, linear.out_features, 0.0),
            **{"activation": converted(theirs.activation), "layer_norm_eps": theirs.norm1.eps},
            **{"batch_first": attention.batch_first, "norm_first": theirs.norm_first, "bias": linear.bias is not None},
        )
    else:
        given = {n: getattr(theirs, n) for n in inspect.signature(kind).parameters if hasattr(theirs, n)}
        given = {n: v.item() if isinstance(v, torch.Tensor) else v for n, v in given.items() if n != "bias"}
        ours = kind(**given)
    share(ours, theirs)
    return ours


def share(ours: Any, theirs: torch.nn.Module) -> None:
    state = {}
    for key, value in theirs.state_dict().items():
        if isinstance(value, torch.Tensor) and not torch.nn.parameter.is_lazy(value):
            state[key] = lamina.tensor(value.numpy())
    if state or not any(torch.nn.parameter.is_lazy(p) for p in theirs.parameters()):
        ours.load_state_dict(state)


def built(info: Any, given: Any) -> tuple[Any, torch.nn.Module]:
    name = info.name.removeprefix("nn.")
    call = given.constructor_input
    theirs = info.module_cls(*call.args, **call.kwargs)
    args, kwargs = converted(call.args), converted(call.kwargs)
    ours = class_of(name)(*args, **kwargs)
    return ours.double(), theirs.double()


def tensors(a: Any) -> list[Any]:
    if isinstance(a, (torch.Tensor, lamina.Tensor)):
        return [a]
    if isinstance(a, dict):
        return [t for v in a.values() for t in tensors(v)]
    if isinstance(a, (tuple, list)):
        return [t for v in a for t in tensors(v)]
    return []


def compare(info: Any, given: Any, training: bool, random: bool) -> Iterator[str]:
    ours, theirs = built(info, given)
    ours.train(training), theirs.train(training)
    lazy = any(torch.nn.parameter.is_lazy(p) for p in theirs.parameters())
    if list(ours.state_dict()) != list(theirs.state_dict()):
        yield f"keys {list(ours.state_dict())} but PyTorch has {list(theirs.state_dict())}"
        return
    call = given.forward_input
    args, kwargs = converted(call.args, True), converted(call.kwargs, True)
    if lazy:  # both read their sizes off the first input
        ours(*args, **kwargs), theirs(*call.args, **call.kwargs)
        theirs.double(), ours.double()
        if random:
            return
    share(ours, theirs)
    expected, got = tensors(theirs(*call.args, **call.kwargs)), tensors(ours(*args, **kwargs))
    if len(got) != len(expected):
        yield f"{len(got)} results but PyTorch has {len(expected)}"
        return
    for i, (o, t) in enumerate(zip(got, expected, strict=True)):
        yield op_db.same(o, t, None if random else TOLERANCE, f"result {i}")
    if random:
        return
    for o, t in zip(got, expected, strict=True):
        if t.requires_grad != o.requires_grad:
            yield f"requires_grad is {o.requires_grad} but PyTorch has {t.requires_grad}"
        elif t.requires_grad:
            weight = np.cos(np.arange(t.numel(), dtype=np.float64)).reshape(t.shape)
            o.backward(lamina.tensor(weight), retain_graph=True)
            t.backward(torch.tensor(weight), retain_graph=True)
    pairs = list(zip(tensors([args, kwargs]), tensors([call.args, call.kwargs]), strict=True))
    pairs += [(o, t) for (_, o), (_, t) in zip(ours.named_parameters(), theirs.named_parameters(), strict=True)]
    for i, (o, t) in enumerate(pairs):
        if t.requires_grad and t.is_leaf and t.grad is not None:
            yield op_db.same(np.zeros(o.shape) if o.grad is None else o.grad, t.grad, TOLERANCE, f"gradient {i}")
    for (name, o), (_, t) in zip(ours.named_buffers(), theirs.named_buffers(), strict=True):
        yield op_db.same(o, t, TOLERANCE, f"buffer {name}")


def refused(info: Any, training: bool) -> Iterator[str]:
    """Inputs that PyTorch refuses and lamina takes."""
    if info.module_error_inputs_func is None:
        return
    for number, wrong in enumerate(info.module_error_inputs_func(info, "cpu", torch.float64, False, training)):
        given = wrong.module_error_input
        try:  # some are wrong in training alone
            theirs = info.module_cls(*given.constructor_input.args, **given.constructor_input.kwargs).double()
            theirs.train(training)(*given.forward_input.args, **given.forward_input.kwargs)
            continue
        except Exception:
            pass
        try:
            ours = class_of(info.name.removeprefix("nn."))(
                *converted(given.constructor_input.args), **converted(given.constructor_input.kwargs)
            ).double()
            ours.train(training)
            ours(*converted(given.forward_input.args), **converted(given.forward_input.kwargs))
        except (ValueError, TypeError, RuntimeError, IndexError, op_db.Unsupported):
            continue
        yield f"takes wrong input {number}: PyTorch says {wrong.error_regex!r}"


def run(name: str, most: int) -> list[str]:
    """The differences that are no decision of MODULES, in about `most` of the inputs of each mode."""
    info, found = database()[name], []
    allowed = [text for key, text, _ in MODULES if key == name]
    for training in (False, True):
        torch.manual_seed(0)
        inputs = info.module_inputs_func(info, device="cpu", dtype=torch.float64, requires_grad=True, training=training)
        problems = list(refused(info, training))
        step = max(1, len(inputs) // most)
        for number, given in enumerate(inputs[::step]):
            where = f"{'training' if training else 'evaluation'} {number} ({given.desc}): "
            random = training and (
                name.rpartition(".")[2].rstrip("123d") in ("Dropout", "AlphaDropout", "FeatureAlphaDropout", "RReLU")
            )
            try:
                problems += [where + p for p in compare(info, given, training, random) if p]
            except op_db.Unsupported:
                continue
            except Exception as error:  # any error of lamina is a finding
                problems.append(f"{where}{type(error).__name__}: {' '.join(str(error).split())[:300]}")
        found += [p for p in problems if not any(text in p for text in allowed)]
    return found
