"""Optimizers and schedules against PyTorch, and their state."""

import math

import lamina
import numpy as np
import pytest
from lamina import nn, optim
from lamina.optim import lr_scheduler as sched


@pytest.fixture(scope="module")
def torch():
    return pytest.importorskip("torch")


def rand(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


CONFIGS = [
    ("SGD", {"lr": 0.1}),
    ("SGD", {"lr": 0.1, "momentum": 0.9}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "dampening": 0.5, "weight_decay": 0.1}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.1}),
    ("SGD", {"lr": 0.1, "maximize": True, "momentum": 0.5}),
    ("Adam", {"lr": 0.01}),
    ("Adam", {"lr": 0.01, "betas": (0.5, 0.9), "eps": 1e-3, "weight_decay": 0.1}),
    ("Adam", {"lr": 0.01, "amsgrad": True, "maximize": True}),
    ("Adam", {"lr": 0.01, "weight_decay": 0.1, "decoupled_weight_decay": True}),
    ("AdamW", {"lr": 0.01}),
    ("AdamW", {"lr": 0.01, "weight_decay": 0.2, "amsgrad": True}),
    ("RMSprop", {"lr": 0.01}),
    ("RMSprop", {"lr": 0.01, "alpha": 0.9, "eps": 1e-4, "momentum": 0.9, "centered": True, "weight_decay": 0.1}),
    ("RMSprop", {"lr": 0.01, "maximize": True, "momentum": 0.5}),
    ("Adagrad", {"lr": 0.1}),
    ("Adagrad", {"lr": 0.1, "lr_decay": 0.1, "weight_decay": 0.1, "initial_accumulator_value": 0.5, "eps": 1e-3}),
    ("Adagrad", {"lr": 0.1, "maximize": True}),
    ("Adadelta", {"lr": 1.0}),
    ("Adadelta", {"lr": 0.5, "rho": 0.8, "eps": 1e-3, "weight_decay": 0.1, "maximize": True}),
    ("Adamax", {"lr": 0.01}),
    ("Adamax", {"lr": 0.01, "betas": (0.5, 0.9), "eps": 1e-3, "weight_decay": 0.1, "maximize": True}),
    ("NAdam", {"lr": 0.01}),
    ("NAdam", {"lr": 0.01, "betas": (0.5, 0.9), "weight_decay": 0.1, "momentum_decay": 0.1}),
    ("NAdam", {"lr": 0.01, "weight_decay": 0.1, "decoupled_weight_decay": True, "maximize": True}),
    ("RAdam", {"lr": 0.01}),
    ("RAdam", {"lr": 0.01, "betas": (0.5, 0.9), "eps": 1e-3, "weight_decay": 0.1}),
    ("RAdam", {"lr": 0.01, "weight_decay": 0.1, "decoupled_weight_decay": True, "maximize": True}),
    ("Rprop", {"lr": 0.01}),
    ("Rprop", {"lr": 0.1, "etas": (0.4, 1.5), "step_sizes": (0.01, 0.2), "maximize": True}),
    ("ASGD", {"lr": 0.1}),
    ("ASGD", {"lr": 0.1, "lambd": 0.1, "alpha": 0.5, "t0": 4, "weight_decay": 0.1, "maximize": True}),
]


def run(module, tensor, name, args, steps=20):
    """Three parameters of different shapes; the second has no gradient in odd steps."""
    params = [module.nn.Parameter(tensor(rand(*s, seed=i))) for i, s in enumerate([(5, 4), (7,), (2, 3, 2)])]
    opt = getattr(module.optim, name)(params, **args)
    for step in range(steps):
        opt.zero_grad()
        for i, p in enumerate(params):
            if i != 1 or step % 2 == 0:
                p.grad = tensor(rand(*p.shape, seed=100 + 10 * step + i))
        opt.step()
    return params, opt


@pytest.mark.parametrize("name,args", CONFIGS, ids=[f"{n}{i}" for i, (n, _) in enumerate(CONFIGS)])
def test_optimizer_equals_torch(torch, name, args):
    ours, opt = run(lamina, lamina.tensor, name, args)
    theirs, expected = run(torch, torch.tensor, name, args)
    for p, tp in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(p.detach().numpy(), tp.detach().numpy(), rtol=2e-6, atol=2e-6)
    state, reference = opt.state_dict(), expected.state_dict()
    assert set(state["state"]) == set(reference["state"])
    for i, values in reference["state"].items():
        for key, value in values.items():
            mine = state["state"][i][key]
            got = mine.numpy() if isinstance(mine, lamina.Tensor) else mine
            np.testing.assert_allclose(got, value.numpy(), rtol=2e-6, atol=2e-6)
    for group, other in zip(state["param_groups"], reference["param_groups"], strict=True):
        assert group["params"] == other["params"]
        assert {k: v for k, v in group.items() if k in args} == {k: v for k, v in other.items() if k in args}


@pytest.mark.parametrize("name,args", CONFIGS, ids=[f"{n}{i}" for i, (n, _) in enumerate(CONFIGS)])
def test_state_of_torch_loads(torch, name, args):
    _, theirs = run(torch, torch.tensor, name, args, steps=3)
    reference = theirs.state_dict()
    reference["state"] = {
        i: {k: lamina.tensor(v.numpy()) for k, v in values.items()} for i, values in reference["state"].items()
    }
    ours, opt = run(lamina, lamina.tensor, name, args, steps=0)
    opt.load_state_dict(reference)
    for p in ours:
        p.grad = lamina.ones_like(p)
    opt.step()
    assert {i: set(v) for i, v in opt.state_dict()["state"].items()} == {
        i: set(v) for i, v in reference["state"].items()
    }


@pytest.mark.parametrize("name,args", CONFIGS, ids=[f"{n}{i}" for i, (n, _) in enumerate(CONFIGS)])
def test_resuming_gives_the_same_bits(name, args, tmp_path):
    whole, _ = run(lamina, lamina.tensor, name, args, steps=6)
    params, opt = run(lamina, lamina.tensor, name, args, steps=3)
    lamina.save(opt.state_dict(), tmp_path / "opt.safetensors")
    again = [nn.Parameter(p.detach().clone()) for p in params]
    fresh = getattr(optim, name)(again, lr=99.0)
    fresh.load_state_dict(lamina.load(tmp_path / "opt.safetensors"))
    for step in range(3, 6):
        fresh.zero_grad()
        for i, p in enumerate(again):
            if i != 1 or step % 2 == 0:
                p.grad = lamina.tensor(rand(*p.shape, seed=100 + 10 * step + i))
        fresh.step()
    assert [p.tolist() for p in again] == [p.tolist() for p in whole]


def test_param_groups():
    a, b = nn.Parameter(lamina.ones(1)), nn.Parameter(lamina.ones(1))
    opt = optim.SGD([{"params": [a]}, {"params": b, "lr": 0.5}], lr=0.1)
    a.grad = b.grad = lamina.ones(1)
    opt.step()
    assert a.item() == pytest.approx(0.9) and b.item() == 0.5
    c = nn.Parameter(lamina.ones(1))
    opt.add_param_group({"params": [c]})
    assert len(opt.param_groups) == 3 and opt.param_groups[2]["lr"] == 0.1
    assert "Parameter Group 2" in repr(opt)
    named = optim.SGD(nn.Linear(1, 1).named_parameters(), lr=0.1)
    assert named.param_groups[0]["param_names"] == ["weight", "bias"]


def test_closure_and_zero_grad():
    w = nn.Parameter(lamina.tensor([3.0]))
    opt = optim.SGD([w], lr=0.1)

    def closure():
        opt.zero_grad()
        loss = (w * w).sum()
        loss.backward()
        return loss

    with lamina.no_grad():
        assert opt.step(closure).item() == 9.0
    assert w.item() == pytest.approx(2.4)
    opt.zero_grad(set_to_none=False)
    assert w.grad.tolist() == [0.0]
    opt.zero_grad()
    assert w.grad is None
    opt.step()  # nothing to do


def test_steps_are_seen_by_version_checks():
    w = nn.Parameter(lamina.ones(2))
    loss = (w * w).sum()
    w.grad = lamina.ones(2)
    optim.SGD([w], lr=0.1).step()
    with pytest.raises(RuntimeError, match=r"in.?place|version|modified"):
        loss.backward()


@pytest.mark.parametrize(
    "call",
    [
        lambda w: optim.SGD([], lr=0.1),
        lambda w: optim.SGD(w, lr=0.1),
        lambda w: optim.SGD([w], lr=-1),
        lambda w: optim.SGD([w], lr=float("nan")),
        lambda w: optim.SGD([w], momentum=-1),
        lambda w: optim.SGD([w], nesterov=True),
        lambda w: optim.Adam([w], betas=(1.0, 0.9)),
        lambda w: optim.Adam([w], eps=-1),
        lambda w: optim.AdamW([w], weight_decay=-1),
        lambda w: optim.SGD([w, w]),
        lambda w: optim.SGD([w * 2]),
        lambda w: optim.SGD(["w"]),
        lambda w: optim.SGD({w}),
        lambda w: optim.SGD([{"params": {w}}]),
    ],
)
def test_bad_arguments(call):
    with pytest.raises((ValueError, TypeError)):
        call(nn.Parameter(lamina.ones(1)))


def test_load_state_dict_checks():
    w = nn.Parameter(lamina.ones(2))
    opt = optim.Adam([w])
    w.grad = lamina.ones(2)
    opt.step()
    state = opt.state_dict()
    with pytest.raises(ValueError, match="groups"):
        optim.Adam([{"params": [w]}, {"params": [nn.Parameter(lamina.ones(1))]}]).load_state_dict(state)
    with pytest.raises(ValueError, match="parameters"):
        optim.Adam([w, nn.Parameter(lamina.ones(1))]).load_state_dict(state)
    with pytest.raises(ValueError, match="shape"):
        optim.Adam([nn.Parameter(lamina.ones(3))]).load_state_dict(state)
    other = optim.Adam([nn.Parameter(lamina.ones(2, dtype=lamina.float64))])
    other.load_state_dict(state)
    (values,) = other.state.values()
    assert values["exp_avg"].dtype == lamina.float64 and values["step"] == 1


# -- schedules --------------------------------------------------------------------------------------------------------
SCHEDULES = [
    ("StepLR", {"step_size": 3, "gamma": 0.5}),
    ("MultiStepLR", {"milestones": [2, 5, 5], "gamma": 0.3}),
    ("ExponentialLR", {"gamma": 0.9}),
    ("LinearLR", {"start_factor": 0.2, "total_iters": 4}),
    ("CosineAnnealingLR", {"T_max": 6, "eta_min": 0.01}),
    ("LambdaLR", {"lr_lambda": lambda epoch: 0.9**epoch}),
    ("ConstantLR", {"factor": 0.3, "total_iters": 4}),
    ("PolynomialLR", {"total_iters": 12, "power": 2.0}),
    ("MultiplicativeLR", {"lr_lambda": lambda epoch: 0.9 + 0.01 * (epoch % 3)}),
    ("CosineAnnealingWarmRestarts", {"T_0": 3, "eta_min": 0.01}),
    ("CosineAnnealingWarmRestarts", {"T_0": 2, "T_mult": 2}),
    ("CyclicLR", {"base_lr": 0.01, "max_lr": 0.2, "step_size_up": 3}),
    (
        "CyclicLR",
        {"base_lr": 0.01, "max_lr": [0.2, 0.1], "step_size_up": 3, "step_size_down": 5, "mode": "triangular2"},
    ),
    ("CyclicLR", {"base_lr": 0.01, "max_lr": 0.2, "step_size_up": 4, "mode": "exp_range", "gamma": 0.9}),
    (
        "CyclicLR",
        {"base_lr": 0.1, "max_lr": 0.2, "step_size_up": 4, "scale_fn": lambda x: 1 / x, "cycle_momentum": False},
    ),
    ("swa_utils.SWALR", {"swa_lr": [0.05, 0.01], "anneal_epochs": 8}),
    ("swa_utils.SWALR", {"swa_lr": 0.05, "anneal_epochs": 5, "anneal_strategy": "linear"}),
    ("OneCycleLR", {"max_lr": 0.5, "total_steps": 20}),
    ("OneCycleLR", {"max_lr": [0.5, 0.1], "epochs": 4, "steps_per_epoch": 5, "anneal_strategy": "linear"}),
    ("OneCycleLR", {"max_lr": 0.5, "total_steps": 20, "three_phase": True, "pct_start": 0.4, "cycle_momentum": False}),
]


def schedule_run(module, tensor, name, args, optimizer="SGD", steps=19):
    params = [module.nn.Parameter(tensor(rand(1))) for _ in range(2)]
    groups = [{"params": params[0]}, {"params": params[1], "lr": 0.3}]
    opt = getattr(module.optim, optimizer)(groups, lr=0.1, **({"momentum": 0.9} if optimizer == "SGD" else {}))
    place = module.optim.swa_utils if name.startswith("swa_utils.") else module.optim.lr_scheduler
    s = getattr(place, name.rpartition(".")[2])(opt, **args)
    seen = []
    for _ in range(steps):
        seen.append(
            [(g["lr"], g.get("momentum", g.get("betas", [0])[0] if "betas" in g else 0)) for g in opt.param_groups]
        )
        opt.step()
        s.step()
    return np.array(seen, dtype=np.float64), s


@pytest.mark.parametrize("optimizer", ["SGD", "Adam"])
@pytest.mark.parametrize("name,args", SCHEDULES, ids=[f"{n}{i}" for i, (n, _) in enumerate(SCHEDULES)])
def test_schedule_equals_torch(torch, name, args, optimizer):
    steps = 19 if name == "OneCycleLR" else 50
    ours, _ = schedule_run(lamina, lamina.tensor, name, args, optimizer, steps)
    theirs, _ = schedule_run(torch, torch.tensor, name, args, optimizer, steps)
    np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name,args", SCHEDULES, ids=[f"{n}{i}" for i, (n, _) in enumerate(SCHEDULES)])
def test_schedule_resumes(name, args, tmp_path):
    whole, _ = schedule_run(lamina, lamina.tensor, name, args, steps=12)
    _, first = schedule_run(lamina, lamina.tensor, name, args, steps=7)
    lamina.save(first.state_dict(), tmp_path / "schedule.safetensors")
    _, second = schedule_run(lamina, lamina.tensor, name, args, steps=0)
    second.load_state_dict(lamina.load(tmp_path / "schedule.safetensors"))
    rates = []
    for _ in range(5):
        second.step()
        rates.append([g["lr"] for g in second.optimizer.param_groups])
    again, _ = schedule_run(lamina, lamina.tensor, name, args, steps=13)
    assert rates == again[8:13, :, 0].tolist() and second.get_last_lr() == rates[-1]
    assert (whole == again[:12]).all()


@pytest.mark.parametrize("args", [{}, {"mode": "max", "threshold_mode": "abs"}, {"cooldown": 2, "min_lr": 0.02}])
def test_plateau_equals_torch(torch, args):
    metrics = [1.0, 0.9, 0.91, 0.92, 0.93, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.6, 0.7, 0.4, 0.4, 0.4, 0.4, 0.4]
    rates = []
    for module, tensor in ((lamina, lamina.tensor), (torch, torch.tensor)):
        opt = module.optim.SGD([module.nn.Parameter(tensor(rand(1)))], lr=0.5)
        s = module.optim.lr_scheduler.ReduceLROnPlateau(opt, factor=0.5, patience=2, **args)
        seen = []
        for m in metrics:
            s.step(m)
            seen.append(opt.param_groups[0]["lr"])
        rates.append(seen)
    assert rates[0] == rates[1] and min(rates[0]) < 0.5


def test_schedule_errors():
    opt = optim.SGD([nn.Parameter(lamina.ones(1))], lr=0.1)
    for call in (
        lambda: sched.OneCycleLR(opt, 0.1),
        lambda: sched.OneCycleLR(opt, 0.1, total_steps=0),
        lambda: sched.OneCycleLR(opt, 0.1, total_steps=5, pct_start=2),
        lambda: sched.OneCycleLR(opt, 0.1, total_steps=5, anneal_strategy="up"),
        lambda: sched.ReduceLROnPlateau(opt, factor=1.0),
        lambda: sched.ReduceLROnPlateau(opt, mode="low"),
        lambda: sched.LambdaLR(opt, [lambda e: 1.0] * 2),
        lambda: sched.LinearLR(opt, start_factor=0.0),
    ):
        with pytest.raises(ValueError):
            call()
    with pytest.raises(TypeError):
        sched.StepLR("opt", 1)
    with pytest.raises(KeyError):
        sched.StepLR(opt, 1, last_epoch=3)
    s = sched.OneCycleLR(optim.SGD([nn.Parameter(lamina.ones(1))], momentum=0.9), 0.1, total_steps=2)
    s.step()
    s.step()
    with pytest.raises(ValueError, match="total number of steps is 2"):
        s.step()
    assert math.isfinite(s.get_last_lr()[0])
