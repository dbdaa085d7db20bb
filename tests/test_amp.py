"""GradScaler against PyTorch's, and the names that refuse."""

import lamina
import numpy as np
import pytest
from conftest import needs_torch, torch
from lamina import amp, nn, optim


@needs_torch
def test_grad_scaler_equals_torch():
    seen = []
    for module in (lamina, torch):
        w = module.nn.Parameter(module.tensor([1.0, 2.0]))
        opt, mine = module.optim.SGD([w], lr=0.1), []
        scaler = module.amp.GradScaler("cpu", init_scale=8.0, growth_interval=3)
        for step in range(12):
            opt.zero_grad()
            loss = (w * w).sum() * (float("inf") if step in (2, 7) else 1.0)
            scaler.scale(loss).backward()
            if step % 2:
                scaler.unscale_(opt)
            scaler.step(opt)
            scaler.update()
            mine.append([scaler.get_scale(), *w.detach().numpy().tolist()])
        scaler.update(4.0)
        seen.append((mine, scaler.state_dict()))
    np.testing.assert_allclose(seen[0][0], seen[1][0], rtol=1e-6)
    assert seen[0][1] == seen[1][1]
    again = amp.GradScaler("cpu")
    again.load_state_dict(seen[1][1])
    assert again.state_dict() == seen[0][1]


def test_grad_scaler_order():
    w = nn.Parameter(lamina.ones(1))
    opt, scaler = optim.SGD([w], lr=0.1), amp.GradScaler("cpu")
    with pytest.raises(RuntimeError):
        scaler.update()
    w.grad = lamina.ones(1)
    scaler.unscale_(opt)
    with pytest.raises(RuntimeError, match="already"):
        scaler.unscale_(opt)
    scaler.step(opt)
    with pytest.raises(RuntimeError, match="already"):
        scaler.step(opt)
    with pytest.raises(RuntimeError, match="after step"):
        scaler.unscale_(opt)
    with pytest.raises(RuntimeError, match="Closure"):
        scaler.step(opt, lambda: None)
    a, (b,) = scaler.scale((lamina.ones(1), [lamina.ones(1)]))
    assert a.item() == b.item() == 65536
    for bad in ({"growth_factor": 1.0}, {"backoff_factor": 1.0}):
        with pytest.raises(ValueError):
            amp.GradScaler("cpu", **bad)
    off = amp.GradScaler("cpu", enabled=False)
    off.step(opt)
    off.update()
    assert off.scale(3) == 3 and off.get_scale() == 1.0 and off.state_dict() == {} and not off.is_enabled()


def test_names_that_refuse():
    with pytest.raises(NotImplementedError, match="enabled=False"):
        lamina.autocast("cpu", dtype=lamina.bfloat16)
    with amp.autocast("cpu", enabled=False):
        assert lamina.ones(1).dtype == lamina.float32
    assert amp.autocast(enabled=False)(lambda x: x + 1)(1) == 2
    for call in (lamina.jit.script, lamina.jit.trace):
        with pytest.raises(NotImplementedError, match="hint"):
            call(nn.Linear(1, 1))
    assert not lamina.jit.is_scripting() and not lamina.jit.is_tracing()
