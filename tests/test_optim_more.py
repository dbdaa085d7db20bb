"""Combined schedules, L-BFGS, Muon, Lion, SparseAdam and weight averages, against PyTorch or a NumPy twin."""

import copy

import lamina
import numpy as np
import pytest
from conftest import needs_torch, torch
from lamina import nn, optim
from lamina.optim import swa_utils

MODULES = (lamina, torch)


def rand(*shape, seed=0, dtype=np.float32):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


# -- schedules on one optimizer ---------------------------------------------------------------------------------------
COMBINED = {
    "sequential": lambda o, s: s.SequentialLR(
        o, [s.LinearLR(o, 0.1, total_iters=5), s.CosineAnnealingLR(o, 20), s.ExponentialLR(o, 0.9)], [5, 25]
    ),
    "sequential_multiplicative": lambda o, s: s.SequentialLR(
        o, [s.ConstantLR(o, 0.1), s.MultiplicativeLR(o, lambda e: 0.95), s.PolynomialLR(o, 9)], [3, 30]
    ),
    "sequential_multiplicative_first": lambda o, s: s.SequentialLR(
        o, [s.MultiplicativeLR(o, lambda e: 0.95), s.StepLR(o, 4, 0.5)], [10]
    ),
    "sequential_restarts": lambda o, s: s.SequentialLR(
        o, [s.LinearLR(o, 0.1, total_iters=5), s.CosineAnnealingWarmRestarts(o, 4, 2)], [5]
    ),
    "sequential_of_sequential": lambda o, s: s.SequentialLR(
        o, [s.SequentialLR(o, [s.ConstantLR(o, 0.1), s.StepLR(o, 3)], [4]), s.ExponentialLR(o, 0.5)], [20]
    ),
    "chained": lambda o, s: s.ChainedScheduler([s.ConstantLR(o, 0.1, 4), s.ExponentialLR(o, 0.9)]),
    "chained_three": lambda o, s: s.ChainedScheduler(
        [s.LinearLR(o, 0.2, total_iters=7), s.MultiStepLR(o, [3, 9], 0.5), s.CosineAnnealingLR(o, 10, 0.001)]
    ),
    "chained_poly": lambda o, s: s.ChainedScheduler(
        [s.PolynomialLR(o, 60, 2.0), s.StepLR(o, 7, 0.7), s.MultiplicativeLR(o, lambda e: 0.99)], o
    ),
}


def optimizer(module, lr=0.1):
    params = [module.nn.Parameter(module.tensor([1.0])) for _ in range(2)]
    return module.optim.SGD([{"params": params[:1]}, {"params": params[1:], "lr": 0.3}], lr=lr)


def rates(module, make, steps=50):
    opt = optimizer(module)
    schedule, seen = make(opt, module.optim.lr_scheduler), []
    for _ in range(steps):
        seen.append([g["lr"] for g in opt.param_groups])
        assert schedule.get_last_lr() == seen[-1]
        opt.step()
        schedule.step()
    return np.array(seen)


@needs_torch
@pytest.mark.parametrize("name", sorted(set(COMBINED) - {"sequential_of_sequential"}))
@pytest.mark.filterwarnings("ignore")
def test_combined_schedules_equal_torch(name):
    np.testing.assert_allclose(rates(lamina, COMBINED[name]), rates(torch, COMBINED[name]), rtol=1e-9, atol=1e-12)


def test_a_sequence_inside_a_sequence_starts_at_its_first_epoch():  # PyTorch's starts at its second
    seen = rates(lamina, COMBINED["sequential_of_sequential"], 23)[:, 0]
    inner = [0.01] * 4 + [0.1] * 3 + [0.01] * 3 + [0.001] * 3 + [1e-4] * 3 + [1e-5] * 3 + [1e-6]
    np.testing.assert_allclose(seen, [*inner, 0.1, 0.05, 0.025], rtol=1e-9)


@pytest.mark.parametrize("at", [1, 4, 7, 26])
@pytest.mark.parametrize("name", COMBINED)
def test_combined_schedules_resume(name, at, tmp_path):
    whole, make = rates(lamina, COMBINED[name], 40), COMBINED[name]
    opt = optimizer(lamina)
    schedule = make(opt, optim.lr_scheduler)
    for _ in range(at):
        schedule.step()
    lamina.save({"opt": opt.state_dict(), "schedule": schedule.state_dict()}, tmp_path / "x.safetensors")
    saved = lamina.load(tmp_path / "x.safetensors")
    again = optimizer(lamina, 0.7)
    schedule = make(again, optim.lr_scheduler)
    again.load_state_dict(saved["opt"])
    schedule.load_state_dict(saved["schedule"])
    for row in whole[at + 1 :]:
        schedule.step()
        assert schedule.get_last_lr() == row.tolist()


@needs_torch
@pytest.mark.filterwarnings("ignore")
def test_schedules_step_by_hand_on_one_optimizer():
    seen = []
    for module in MODULES:
        opt, s, mine = optimizer(module), module.optim.lr_scheduler, []
        parts = [s.ExponentialLR(opt, 0.9), s.MultiStepLR(opt, [2, 5], 0.5), s.LinearLR(opt, 0.5)]
        swa = module.optim.swa_utils.SWALR(opt, 0.02, anneal_epochs=4)
        for epoch in range(20):
            if epoch == 3:
                opt.param_groups[0]["lr"] = 0.25  # by the user's hand
            for part in parts if epoch < 10 else [swa]:
                part.step()
            mine.append([g["lr"] for g in opt.param_groups])
        seen.append(mine)
    np.testing.assert_allclose(*seen, rtol=1e-9)


def test_schedule_arguments():
    opt, s = optimizer(lamina), optim.lr_scheduler
    for call in (
        lambda: s.ConstantLR(opt, factor=2.0),
        lambda: s.PolynomialLR(opt, 0),
        lambda: s.CosineAnnealingWarmRestarts(opt, 0),
        lambda: s.CosineAnnealingWarmRestarts(opt, 2, 0.5),
        lambda: s.CosineAnnealingWarmRestarts(opt, 2).step(-1),
        lambda: s.CyclicLR(opt, 0.1, 0.2, mode="square"),
        lambda: s.CyclicLR(opt, [0.1] * 3, 0.2),
        lambda: s.CyclicLR(optim.Rprop([nn.Parameter(lamina.ones(1))]), 0.1, 0.2),
        lambda: s.SequentialLR(opt, [], []),
        lambda: s.SequentialLR(opt, [s.StepLR(opt, 1)], [2]),
        lambda: s.SequentialLR(opt, [s.ReduceLROnPlateau(opt)], []),
        lambda: s.ChainedScheduler([]),
        lambda: s.ChainedScheduler([s.StepLR(opt, 1), s.StepLR(optimizer(lamina), 1)]),
        lambda: swa_utils.SWALR(opt, 0.1, anneal_strategy="up"),
        lambda: swa_utils.SWALR(opt, 0.1, anneal_epochs=-1),
    ):
        with pytest.raises(ValueError):
            call()
    with pytest.raises(TypeError):
        s.MultiplicativeLR(opt, 0.5)
    with pytest.raises(TypeError):
        s.ChainedScheduler([object()])


@needs_torch
def test_fractions_of_epochs():
    seen = []
    for module in MODULES:
        opt = optimizer(module)
        s = module.optim.lr_scheduler.CosineAnnealingWarmRestarts(opt, 3, 2)
        mine = []
        for i in range(60):
            s.step(i / 4)
            mine.append(s.get_last_lr())
        seen.append(mine)
    np.testing.assert_allclose(*seen, rtol=1e-9)


def test_callable_objects_are_saved():
    class Decay:
        def __init__(self, rate):
            self.rate = rate

        def __call__(self, epoch):
            return self.rate**epoch

    first = optim.lr_scheduler.LambdaLR(optimizer(lamina), Decay(0.5))
    second = optim.lr_scheduler.LambdaLR(optimizer(lamina), Decay(0.1))
    second.load_state_dict(first.state_dict())
    second.step()
    assert second.get_last_lr() == [0.05, 0.15]


# -- optimizers -------------------------------------------------------------------------------------------------------
def rosenbrock(x):
    return ((x[1:] - x[:-1] ** 2) ** 2 * 100 + (1 - x[:-1]) ** 2).sum()


def bowl(x):
    return (lambda y: (y * y).sum() + 0.1 * (y**4).sum() + (y[1:] * y[:-1]).sum())(x - 0.5)


LBFGS = [  # arguments, function, steps that agree to rounding (a long valley makes rounding grow)
    ({"lr": 0.05}, bowl, 6),
    ({"lr": 1, "line_search_fn": "strong_wolfe"}, bowl, 20),
    ({"lr": 0.5, "line_search_fn": "strong_wolfe", "history_size": 2, "max_iter": 3}, bowl, 20),
    ({"lr": 0.001}, rosenbrock, 18),
    ({"lr": 1, "line_search_fn": "strong_wolfe"}, rosenbrock, 3),
    ({"lr": 0.5, "line_search_fn": "strong_wolfe", "history_size": 3, "max_iter": 7, "max_eval": 30}, rosenbrock, 9),
    ({"lr": 1, "line_search_fn": "strong_wolfe", "max_iter": 1}, rosenbrock, 20),
    ({"lr": 1, "line_search_fn": "strong_wolfe", "max_iter": 5, "max_eval": 6}, rosenbrock, 9),
]


def lbfgs_run(module, args, function, steps):
    shapes = [(4,), (2,), (2, 3)]
    a, unused, b = (module.nn.Parameter(module.tensor(rand(*s, dtype=np.float64))) for s in shapes)
    opt, losses = module.optim.LBFGS([a, unused, b], **args), []

    def closure():
        opt.zero_grad()
        loss = function(a) + function(b.reshape(-1)) / 10
        loss.backward()
        return loss

    for _ in range(steps):
        losses.append(opt.step(closure).item())
    return np.concatenate([p.detach().numpy().reshape(-1) for p in (a, b, unused)]), losses, opt


@needs_torch
@pytest.mark.parametrize("args,function,steps", LBFGS)
def test_lbfgs_equals_torch(args, function, steps):
    ours, losses, opt = lbfgs_run(lamina, args, function, steps)
    theirs, expected, reference = lbfgs_run(torch, args, function, steps)
    np.testing.assert_allclose(losses, expected, rtol=1e-7)
    np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-8)
    mine, other = (next(iter(o.state_dict()["state"].values())) for o in (opt, reference))
    assert set(mine) == set(other) - {"al"} and mine["func_evals"] == other["func_evals"]


def test_lbfgs_resumes(tmp_path):
    args = LBFGS[5][0]
    _, whole, _ = lbfgs_run(lamina, args, rosenbrock, 8)
    _, first, opt = lbfgs_run(lamina, args, rosenbrock, 4)
    lamina.save({"opt": opt.state_dict(), "p": [p.detach() for p in opt._params]}, tmp_path / "x.safetensors")
    saved = lamina.load(tmp_path / "x.safetensors")
    params = [nn.Parameter(p.clone()) for p in saved["p"]]
    again = optim.LBFGS(params, lr=9.0)
    again.load_state_dict(saved["opt"])

    def closure():
        again.zero_grad()
        loss = rosenbrock(params[0]) + rosenbrock(params[2].reshape(-1)) / 10
        loss.backward()
        return loss

    assert first + [float(again.step(closure)) for _ in range(4)] == whole


def test_lbfgs_arguments():
    w = nn.Parameter(lamina.ones(1))
    with pytest.raises(ValueError, match="strong_wolfe"):
        optim.LBFGS([w], line_search_fn="armijo")
    with pytest.raises(ValueError, match="groups"):
        optim.LBFGS([{"params": [w]}, {"params": [nn.Parameter(lamina.ones(1))]}])
    with pytest.raises(TypeError, match="closure"):
        optim.LBFGS([w]).step()


def muon_twin(w, grads, lr=0.02, momentum=0.95, nesterov=True, adjust_lr_fn=None, decay=0.1):
    """Muon in float64; PyTorch's iteration in bfloat16 comes within 1 % of a step to it."""
    m, w = np.zeros_like(w, np.float64), w.astype(np.float64)
    for g in grads:
        m = momentum * m + (1 - momentum) * g
        x = (1 - momentum) * g + momentum * m if nesterov else m
        x = x.T if w.shape[0] > w.shape[1] else x
        x = x / np.linalg.norm(x)
        for _ in range(5):
            gram = x @ x.T
            x = 3.4445 * x + (-4.7750 * gram + 2.0315 * gram @ gram) @ x
        x = x.T if w.shape[0] > w.shape[1] else x
        rows, columns = w.shape
        scale = np.sqrt(max(1, rows / columns)) if adjust_lr_fn is None else 0.2 * np.sqrt(max(rows, columns))
        w = w * (1 - lr * decay) - lr * scale * x
    return w


@needs_torch
@pytest.mark.parametrize("args", [{}, {"nesterov": False, "adjust_lr_fn": "match_rms_adamw"}, {"momentum": 0.5}])
@pytest.mark.parametrize("shape", [(8, 8), (12, 5), (4, 16)])
def test_muon_is_nearer_to_float64_than_torch(args, shape):
    start, grads, errors = rand(*shape), [rand(*shape, seed=i + 1) for i in range(20)], []
    expected = muon_twin(start, grads, **args)
    for module in MODULES:
        w = module.nn.Parameter(module.tensor(start))
        opt = module.optim.Muon([w], lr=0.02, **args)
        for g in grads:
            w.grad = module.tensor(g)
            opt.step()
        errors.append(np.sqrt(np.mean((w.detach().numpy() - expected) ** 2)))
    assert errors[0] < 1e-5 < errors[1] < 2e-3


def test_lion_follows_the_paper():
    w, m = rand(5, 3).astype(np.float64), np.zeros((5, 3))
    p = nn.Parameter(lamina.tensor(w))
    opt = optim.Lion([p], lr=0.01, betas=(0.9, 0.99), weight_decay=0.1)
    for step in range(20):
        g = rand(5, 3, seed=step + 1).astype(np.float64)
        p.grad = lamina.tensor(g)
        opt.step()
        w = w * (1 - 0.01 * 0.1) - 0.01 * np.sign(0.9 * m + 0.1 * g)
        m = 0.99 * m + 0.01 * g
    np.testing.assert_allclose(p.detach().numpy(), w, rtol=1e-12)
    state = optim.Lion([p])
    state.load_state_dict(opt.state_dict())
    assert state.state_dict()["state"][0]["step"] == 20 and state.param_groups[0]["weight_decay"] == 0.1


@needs_torch
@pytest.mark.parametrize("maximize", [False, True])
def test_sparse_adam_equals_torch(maximize):
    seen = []
    for module in MODULES:
        w = module.nn.Parameter(module.tensor(rand(6, 3)))
        opt = module.optim.SparseAdam([w], lr=0.05, maximize=maximize)
        for step in range(20):
            g = rand(6, 3, seed=step + 1)
            g[np.random.default_rng(step).random(6) < 0.5] = 0
            grad = module.tensor(g)
            w.grad = grad if module is lamina else grad.to_sparse(1)
            opt.step()
        seen.append(w.detach().numpy())
    np.testing.assert_allclose(*seen, rtol=2e-6, atol=2e-6)


@pytest.mark.parametrize(
    "call",
    [
        lambda w: optim.RMSprop([w], alpha=-1),
        lambda w: optim.Adagrad([w], lr_decay=-1),
        lambda w: optim.Adadelta([w], rho=1.5),
        lambda w: optim.Adamax([w], betas=(0.9, 1.0)),
        lambda w: optim.NAdam([w], momentum_decay=-1),
        lambda w: optim.RAdam([w], eps=-1),
        lambda w: optim.Rprop([w], etas=(1.5, 2.0)),
        lambda w: optim.SparseAdam([w], eps=0.0),
        lambda w: optim.Lion([w], betas=(-0.1, 0.9)),
        lambda w: optim.Muon([w]),
        lambda w: optim.Muon([nn.Parameter(lamina.ones(2, 2))], adjust_lr_fn="other"),
        lambda w: optim.NAdam([w], differentiable=True),
        lambda w: optim.AdamW([w], betas=(2.0, 0.9)),
    ],
)
def test_bad_arguments(call):
    with pytest.raises(ValueError):
        call(nn.Parameter(lamina.ones(1)))
    with pytest.raises(TypeError):
        optim.AdamW([nn.Parameter(lamina.ones(1))], momentum=0.5)


@pytest.mark.parametrize("name", [n for n in optim.__all__ if n[0].isupper() and n != "Optimizer"])
def test_every_optimizer_learns(name):
    lamina.manual_seed(0)
    model = nn.Linear(4, 3, bias=False)
    x, target = lamina.randn(32, 4), lamina.randn(4, 3)
    make = getattr(optim, name)
    opt = (
        make(model.parameters(), lr=0.01)
        if name != "LBFGS"
        else make(model.parameters(), line_search_fn="strong_wolfe")
    )

    def closure():
        opt.zero_grad()
        loss = ((model(x) - x @ target) ** 2).mean()
        loss.backward()
        return loss

    first = opt.step(closure).item()
    for _ in range(40):
        last = opt.step(closure).item()
    assert last < 0.95 * first or (name == "Adadelta" and last < first)


# -- averages ---------------------------------------------------------------------------------------------------------
def network(module):
    torch_like = module.nn
    return torch_like.Sequential(torch_like.Linear(3, 4), torch_like.BatchNorm1d(4), torch_like.Linear(4, 2))


AVERAGES = {
    "mean": lambda m: {},
    "swa": lambda m: {"multi_avg_fn": m.optim.swa_utils.get_swa_multi_avg_fn()},
    "ema": lambda m: {"multi_avg_fn": m.optim.swa_utils.get_ema_multi_avg_fn(0.9)},
    "ema_one": lambda m: {"avg_fn": m.optim.swa_utils.get_ema_avg_fn(0.9)},
    "swa_one": lambda m: {"avg_fn": m.optim.swa_utils.get_swa_avg_fn()},
    "buffers": lambda m: {"avg_fn": lambda a, p, n: (a + p) / 2, "use_buffers": True},
    "ema_buffers": lambda m: {"multi_avg_fn": m.optim.swa_utils.get_ema_multi_avg_fn(0.5), "use_buffers": True},
}


@needs_torch
@pytest.mark.parametrize("name", AVERAGES)
def test_averages_equal_torch(name):
    seen = []
    for module in MODULES:
        model = network(module)
        values = {}
        for i, (key, value) in enumerate(model.state_dict().items()):
            values[key] = module.tensor(rand(*value.shape, seed=i)) if value.ndim else module.tensor(7)
        model.load_state_dict(values)
        average = module.optim.swa_utils.AveragedModel(model, **AVERAGES[name](module))
        for step in range(5):
            with module.no_grad():
                for i, p in enumerate([*model.parameters(), *model.buffers()]):
                    p.copy_(module.tensor(rand(*p.shape, seed=100 * step + i)) if p.ndim else module.tensor(3 * step))
            average.update_parameters(model)
        batches = [module.tensor(rand(8, 3, seed=50 + i)) for i in range(3)]
        module.optim.swa_utils.update_bn([(b, 0) for b in batches], average)
        assert average.module[1].momentum == 0.1 and average.training
        state = {k: v.detach().numpy() for k, v in average.state_dict().items()}
        seen.append({**state, "y": average.eval()(batches[0]).detach().numpy()})
    assert list(seen[0]) == list(seen[1])
    for key in seen[0]:
        np.testing.assert_allclose(seen[0][key], seen[1][key], rtol=1e-5, atol=1e-6, err_msg=key)


def test_averaged_model_is_a_module(tmp_path):
    model = network(lamina)
    average = swa_utils.AveragedModel(model)
    average.update_parameters(model)
    lamina.save(average, tmp_path / "a.safetensors")
    other = swa_utils.AveragedModel(network(lamina))
    other.load_state_dict(lamina.load(tmp_path / "a.safetensors"))
    assert other.n_averaged.item() == 1 and copy.deepcopy(other).n_averaged.item() == 1
    assert other.module[0].weight.tolist() == model[0].weight.tolist()
    with pytest.raises(ValueError):
        swa_utils.get_ema_multi_avg_fn(1.5)
    with pytest.raises(ValueError):
        swa_utils.AveragedModel(model, avg_fn=lambda a, p, n: a, multi_avg_fn=lambda a, p, n: None)
    swa_utils.update_bn([], nn.Linear(1, 1))
