"""PyTorch's own list of optimizers, with all their settings and wrong settings: 15 steps in float64 agree."""

from __future__ import annotations

import lamina
import numpy as np
import pytest
from conftest import needs_torch, torch
from lamina import nn, optim

if torch is not None:
    from torch.testing._internal.common_optimizers import OptimizerErrorEnum, optim_db

    INPUTS = [
        (info.optim_cls.__name__, number, given.kwargs)
        for info in optim_db
        for number, given in enumerate(info.optim_inputs_func(device="cpu"))
    ]
    WRONG = [
        (info.optim_cls.__name__, number, wrong)
        for info in optim_db
        for number, wrong in enumerate(info.optim_error_inputs_func("cpu", torch.float32))
    ]
else:
    INPUTS = WRONG = []

# Wrong settings that lamina takes, each a decision.
TAKEN = {
    "lr as a Tensor is not supported for capturable=False": "foreach changes nothing: a tensor of one element is fine",
    r"betas\[0\] as a Tensor is not supported for capturable=False": "foreach changes nothing",
}


def steps(module, name, kwargs):
    """The parameters after 15 steps down a smooth function, in float64; every third step one has no gradient."""
    shapes = [(5, 4), (3, 6)] if name == "Muon" else [(5, 4), (7,), (2, 3, 2)]
    r = np.random.default_rng(0)
    params = [module.nn.Parameter(module.tensor(r.normal(size=s))) for s in shapes]
    target = [module.tensor(r.normal(size=s)) for s in shapes]
    optimizer = getattr(module.optim, name)(params, **kwargs)

    def closure():
        optimizer.zero_grad()
        loss = sum(
            (((p - t) ** 2) * (1 + t.abs())).sum() + (p * t).sin().sum() for p, t in zip(params, target, strict=True)
        )
        loss.backward()
        return loss

    for step in range(15):
        if name == "LBFGS":
            optimizer.step(closure)
            continue
        closure()
        if step % 3 == 1:
            params[1].grad = None
        optimizer.step()
    return [p.detach().numpy() for p in params]


def converted(kwargs, module):
    return {
        k: module.tensor(v.item(), dtype=getattr(module, str(v.dtype).removeprefix("torch.")))
        if isinstance(v, torch.Tensor)
        else v
        for k, v in kwargs.items()
    }


@needs_torch
@pytest.mark.parametrize(("name", "number", "kwargs"), INPUTS, ids=[f"{n}-{i}" for n, i, _ in INPUTS])
def test_fifteen_steps(name, number, kwargs):
    if name == "SparseAdam":
        pytest.skip("PyTorch's takes sparse gradients alone: test_optim_more compares it on rows")
    ours = steps(lamina, name, converted(kwargs, lamina))
    theirs = steps(torch, name, kwargs)
    tolerance = 2e-2 if name == "Muon" else 1e-9  # PyTorch's Muon orthogonalizes in bfloat16
    for a, b in zip(ours, theirs, strict=True):
        assert np.abs(a - b).max() <= tolerance * np.abs(b).max()


@needs_torch
@pytest.mark.parametrize(("name", "number", "wrong"), WRONG, ids=[f"{n}-{i}" for n, i, _ in WRONG])
def test_wrong_settings_are_refused(name, number, wrong):
    given = wrong.optimizer_error_input
    if wrong.error_on != OptimizerErrorEnum.CONSTRUCTION_ERROR:
        pytest.skip("an error of complex parameters, which lamina does not have")
    made: dict[int, lamina.Tensor] = {}

    def convert(part):
        if isinstance(part, torch.Tensor):
            if part.layout != torch.strided or part.is_complex():
                pytest.skip("lamina has neither sparse nor complex tensors")
            return made.setdefault(id(part), nn.Parameter(lamina.tensor(part.detach().numpy())))
        if isinstance(part, dict):
            return {key: convert(value) if key == "params" else value for key, value in part.items()}
        return type(part)(convert(p) for p in part) if isinstance(part, (list, tuple)) else part

    params = [nn.Parameter(lamina.ones(2, 2))] if given.params is None else convert(given.params)
    if isinstance(given.params, torch.Tensor):
        params = params.detach()
    kwargs = {k: convert(v) for k, v in given.kwargs.items()}
    if any(wrong.error_regex.startswith(text) for text in TAKEN):
        getattr(optim, name)(params, **kwargs)
        return
    with pytest.raises((ValueError, TypeError)):
        getattr(optim, name)(params, **kwargs)


@pytest.mark.parametrize("name", ["SGD", "Adam", "AdamW", "RMSprop", "Adagrad", "Adafactor", "LBFGS", "NAdam"])
def test_lr_may_be_a_tensor(name):
    """Of one element: as the number, also when a program changes it in place."""
    found = []
    for rate in (0.1, lamina.tensor(0.1, dtype=lamina.float64)):
        w = nn.Parameter(lamina.ones(2, 2, dtype=lamina.float64))
        optimizer = getattr(optim, name)([w], lr=rate)
        for step in range(3):

            def closure():
                optimizer.zero_grad()
                loss = (w * w).sum()
                loss.backward()
                return loss

            closure()
            optimizer.step(closure if name == "LBFGS" else None)
            if step == 0:
                if isinstance(rate, float):
                    optimizer.param_groups[0]["lr"] = 0.05
                else:
                    rate.fill_(0.05)
        found.append(w.detach().numpy())
    np.testing.assert_allclose(*found, rtol=1e-12)
