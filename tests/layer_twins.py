"""Layers beside PyTorch's: the same state, the same inputs, then outputs and all gradients compared."""

from __future__ import annotations

from collections.abc import Callable

import lamina
import numpy as np
from conftest import torch
from harness import to_numpy

TOLERANCE = {"float32": 1e-5, "float64": 1e-10}


def near(got, expected, dtype: str, what: str = "") -> None:
    """Equal up to the tolerance, relative to the largest value."""
    got, expected = to_numpy(got), expected.detach().numpy()
    assert got.shape == expected.shape, (what, got.shape, expected.shape)
    assert str(got.dtype) == str(expected.dtype), what
    scale = float(np.abs(expected).max(initial=0.0))
    np.testing.assert_allclose(got, expected, rtol=0, atol=TOLERANCE[dtype] * scale + 1e-30, err_msg=what)


def flat(result) -> list:
    """The tensors of a nested result, in order."""
    if result is None:
        return []
    return [t for part in result for t in flat(part)] if isinstance(result, (tuple, list)) else [result]


def share_state(ours, theirs) -> None:
    """PyTorch's parameters, copied into lamina's layer: every key must be there."""
    state = theirs.state_dict()
    assert list(ours.state_dict()) == list(state)
    ours.load_state_dict({k: lamina.tensor(v.numpy()) for k, v in state.items()})


def compare(ours, theirs, arrays: list, call: Callable, dtype: str) -> None:
    """call(home, layer, *tensors) under both, with home lamina or torch; arrays are float inputs with gradients."""
    ours, theirs = ours.to(getattr(lamina, dtype)), theirs.to(getattr(torch, dtype))
    share_state(ours, theirs)
    arrays = [a.astype(dtype) for a in arrays]
    mine = [lamina.tensor(a, requires_grad=True) for a in arrays]
    other = [torch.tensor(a, requires_grad=True) for a in arrays]
    got, expected = flat(call(lamina, ours, *mine)), flat(call(torch, theirs, *other))
    assert len(got) == len(expected)
    rng = np.random.default_rng(11)
    losses = [lamina.zeros((), dtype=getattr(lamina, dtype)), torch.zeros((), dtype=getattr(torch, dtype))]
    for i, (a, b) in enumerate(zip(got, expected, strict=True)):
        if b.is_floating_point():
            near(a, b, dtype, f"output {i}")
            weight = rng.standard_normal(tuple(b.shape)).astype(dtype)
            losses[0] = losses[0] + (a * lamina.tensor(weight)).sum()
            losses[1] = losses[1] + (b * torch.tensor(weight)).sum()
        else:
            np.testing.assert_array_equal(to_numpy(a), b.numpy())
    for loss in losses:
        loss.backward()
    for i, (a, b) in enumerate(zip(mine, other, strict=True)):
        assert (a.grad is None) == (b.grad is None), f"gradient of input {i}"
        if b.grad is not None:
            near(a.grad, b.grad, dtype, f"gradient of input {i}")
    theirs_by_name = dict(theirs.named_parameters())
    for name, p in ours.named_parameters():
        if theirs_by_name[name].grad is not None:
            near(p.grad, theirs_by_name[name].grad, dtype, f"gradient of {name}")
