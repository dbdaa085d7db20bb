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


F = nn.functional
AUTOCAST = {  # what to run in each library, with float32 and bfloat16 matrices and class numbers
    "matmul": lambda m, a, b, i: a @ a,
    "mixed": lambda m, a, b, i: m.matmul(a, b),
    "float64": lambda m, a, b, i: a.double() @ a.double(),
    "linear": lambda m, a, b, i: m.nn.functional.linear(a, weight=a),
    "addmm": lambda m, a, b, i: m.addmm(a, a, a),
    "conv2d": lambda m, a, b, i: m.nn.functional.conv2d(a[None, None], a[None, None, :2, :2]),
    "mv": lambda m, a, b, i: m.mv(a, a[0]),
    "add": lambda m, a, b, i: a + a,
    "softmax": lambda m, a, b, i: m.nn.functional.softmax(b, 1),
    "layer_norm": lambda m, a, b, i: m.nn.functional.layer_norm(b, (4,)),
    "cross_entropy": lambda m, a, b, i: m.nn.functional.cross_entropy(b, i),
    "mse_loss": lambda m, a, b, i: m.nn.functional.mse_loss(b, b + 1),
    "cat": lambda m, a, b, i: m.cat([a, b]),
    "exp": lambda m, a, b, i: b.exp(),
}


@needs_torch
@pytest.mark.parametrize("name", AUTOCAST)
def test_autocast_equals_torch(name):
    results = []
    for m in (lamina, torch):
        a = m.tensor(np.linspace(-1, 1, 16, dtype=np.float32).reshape(4, 4), requires_grad=True)
        i = m.tensor([0, 3, 2, 1])
        with m.autocast("cpu"):
            assert m.is_autocast_enabled() if m is lamina else True
            y = AUTOCAST[name](m, a, a.detach().bfloat16().requires_grad_(), i)
        y.float().sum().backward()
        results.append((str(y.dtype).split(".")[1], y.detach().float().numpy(), a.grad))
    (ours, y, g), (theirs, yt, gt) = results
    assert ours == theirs
    np.testing.assert_allclose(y, yt, rtol=1e-2, atol=1e-2)
    assert (g is None) == (gt is None)
    if g is not None:
        assert g.dtype == lamina.float32
        np.testing.assert_allclose(g.numpy(), gt.numpy(), rtol=3e-2, atol=3e-2)


def test_autocast_is_a_mode_of_the_block_and_the_thread():
    import threading

    a, seen = lamina.ones(2, 2), []
    with lamina.autocast("cpu", dtype=lamina.float16):
        thread = threading.Thread(target=lambda: seen.append((a @ a).dtype))
        thread.start()
        thread.join()
        assert (a @ a).dtype == lamina.float16
        with lamina.autocast("cpu", enabled=False):
            assert (a @ a).dtype == lamina.float32
        assert lamina.get_autocast_dtype() == lamina.float16
        with pytest.raises(ZeroDivisionError), lamina.autocast("cpu"):
            raise ZeroDivisionError
        assert (a @ a).dtype == lamina.float16
    assert seen == [lamina.float32] and (a @ a).dtype == lamina.float32
    assert amp.autocast("cpu")(lambda: a @ a)().dtype == lamina.bfloat16
    with pytest.raises(TypeError, match="bfloat16"):
        lamina.autocast("cpu", dtype=lamina.int8)
    with pytest.raises(RuntimeError, match="device_type"):
        lamina.autocast("tpu")


def test_autocast_trains():
    lamina.manual_seed(0)
    model = nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Linear(16, 2))
    x = lamina.randn(64, 2)
    y = (x[:, 0] * x[:, 1] > 0).long()
    opt = optim.Adam(model.parameters(), lr=0.05)
    for _ in range(150):
        opt.zero_grad()
        with lamina.autocast("cpu"):
            loss = F.cross_entropy(model(x), y)
        loss.backward()
        opt.step()
    assert loss.dtype == lamina.float32 and loss.item() < 0.2
    assert all(p.dtype == lamina.float32 and p.grad.dtype == lamina.float32 for p in model.parameters())


def test_names_that_refuse():
    with pytest.raises(NotImplementedError, match="hint"):
        lamina.jit.trace(nn.Linear(1, 1))
    assert not lamina.jit.is_scripting() and not lamina.jit.is_tracing()
