"""Each check speaks in the smallest program that is wrong, names the place, and is silent in the right one."""

from __future__ import annotations

import math
import warnings

import lamina
import pytest
from lamina import nn, optim
from lamina.models import Model
from lamina.training import NaNLossError, TrainingWarning, watch

F = nn.functional


def data(n=24):
    g = lamina.Generator().manual_seed(1)
    return lamina.randn(n, 4, generator=g), lamina.randint(3, (n,), generator=g)


def net(*end, hidden=16):
    lamina.manual_seed(2)
    return nn.Sequential(nn.Linear(4, hidden), nn.ReLU(), nn.Linear(hidden, 3), *end)


def said(function):
    """The sentences of the TrainingWarnings that a program gives."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        function()
    assert all(issubclass(w.category, TrainingWarning) for w in caught), [str(w.message) for w in caught]
    return [str(w.message) for w in caught]


def loop(
    model,
    optimizer=None,
    *,
    loss=F.cross_entropy,
    zero=True,
    steps=6,
    before_loss=lambda z: z,
    backward=True,
    zero_late=False,
    to_none=True,
    micro=1,
):
    """A loop as people write it, with one thing wrong at most."""
    optimizer = optimizer or optim.SGD(model.parameters(), lr=0.05)
    x, y = data()
    with watch(model, optimizer):
        for _ in range(steps):
            if zero and not zero_late:
                optimizer.zero_grad(to_none)
            for _ in range(micro):
                out = model(x)
                value = loss(before_loss(out), y)
                if zero_late and zero:
                    optimizer.zero_grad(to_none)
                if backward:
                    value.backward()
            optimizer.step()


def fit(model, loss="cross_entropy", **options):
    options = {"epochs": 4, "batch_size": 8, "progress": False, "lr": 0.05, "optimizer": "sgd", **options}
    return lamina.fit(model, options.pop("data", data()), loss=loss, **options)


def nll(p, y):
    return F.nll_loss(p.log(), y)


def brier(p, y):
    return F.mse_loss(p, F.one_hot(y, 3).float())


# -- right programs ----------------------------------------------------------------------------------------------------
RIGHT = {
    "plain": lambda: loop(net()),
    "zero_grad before backward": lambda: loop(net(), zero_late=True),
    "zeros instead of None": lambda: loop(net(), to_none=False),
    "several backwards a step": lambda: loop(net(), micro=3),
    "sum": lambda: loop(net(), loss=lambda z, y: F.cross_entropy(z, y, reduction="sum")),
    "log_softmax and nll": lambda: loop(net(nn.LogSoftmax(1)), loss=F.nll_loss),
    "softmax, log and nll": lambda: loop(net(nn.Softmax(1)), loss=nll),
    "softmax and Brier": lambda: loop(net(nn.Softmax(1)), loss=brier),
    "sigmoid and bce": lambda: loop(
        net(nn.Sigmoid()), loss=lambda p, y: F.binary_cross_entropy(p, F.one_hot(y, 3).float())
    ),
    "logits and bce": lambda: loop(
        net(), loss=lambda p, y: F.binary_cross_entropy_with_logits(p, F.one_hot(y, 3).float())
    ),
    "dropout and batch norm": lambda: loop(
        nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Dropout(), nn.Linear(8, 3))
    ),
    "a head of zeros": lambda: loop(zero_head()),
    "lbfgs": lambda: fit(net(), optimizer="lbfgs", lr=0.5),
    "fit": lambda: fit(net(), metrics="accuracy", ema=0.9, accumulate=2),
    "fit, softmax and nll": lambda: fit(net(nn.Softmax(1)), nll),
    "fit a Model": lambda: Classifier().fit(data(), epochs=2, progress=False),
    "fit a GAN": lambda: Gan().fit(data()[0], epochs=4, batch_size=8, progress=False),
}


def zero_head():
    model = net()
    with lamina.no_grad():
        model[2].weight.zero_()
        model[2].bias.zero_()
    return model


class Classifier(Model):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(4, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(0.1), nn.Linear(16, 3))

    def forward(self, x):
        return self.body(x)


class Gan(Model):
    """The usual loop: the generator's step leaves gradients in the discriminator, which zeroes them itself."""

    def __init__(self, forget=False):
        super().__init__()
        lamina.manual_seed(4)
        self.forget = forget
        self.generator = nn.Sequential(nn.Linear(2, 16), nn.LeakyReLU(0.2), nn.Linear(16, 4))
        self.judge = nn.Sequential(nn.Linear(4, 16), nn.LeakyReLU(0.2), nn.Linear(16, 1))

    def metrics(self):
        return {}

    def configure_optimizers(self, lr):
        return {"g": optim.Adam(self.generator.parameters(), lr), "d": optim.Adam(self.judge.parameters(), lr)}

    def training_step(self, batch, optimizers):
        (real,) = batch
        fake = self.generator(lamina.randn(len(real), 2))
        if not self.forget:
            optimizers["d"].zero_grad()
        d = F.softplus(-self.judge(real)).mean() + F.softplus(self.judge(fake.detach())).mean()
        d.backward()
        optimizers["d"].step()
        optimizers["g"].zero_grad()
        g = F.softplus(-self.judge(fake)).mean()
        g.backward()
        optimizers["g"].step()
        return {"generator": g, "discriminator": d}


@pytest.mark.parametrize("name", RIGHT)
def test_right_programs_hear_nothing(name):
    assert said(RIGHT[name]) == []


# -- wrong programs ----------------------------------------------------------------------------------------------------
def frozen_out():
    model = net()
    loop(model, optim.SGD(model[2].parameters(), lr=0.05))


def another_models_optimizer():
    loop(net(), optim.SGD(net().parameters(), lr=0.05), steps=1)


def unused_layer():
    model = net()
    model.spare = nn.Linear(3, 3)
    model.forward = lambda x: model[2](model[1](model[0](x)))
    loop(model)


def dead():
    model = net()
    with lamina.no_grad():
        model[0].bias.fill_(-1000.0)
    return model


def eval_forgotten():
    model = nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.5), nn.BatchNorm1d(8))
    with watch(model), lamina.no_grad():
        model(data()[0])


def train_forgotten():
    loop(nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.5), nn.Linear(8, 3)).eval())


def functional_relu():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.second = nn.Linear(4, 8), nn.Linear(8, 3)

        def forward(self, x):
            return self.second(self.first(x).relu())

    model = Net()
    with lamina.no_grad():
        model.first.bias.fill_(-1000.0)
    return model


def one_hot(y):
    return F.one_hot(y, 3).float()


WRONG = {
    "zero_grad": (
        lambda: loop(net(), zero=False),
        "zero_grad() is missing: the gradient of '0.weight' still holds what an earlier step used",
    ),
    "zero_grad in training_step": (
        lambda: Gan(forget=True).fit(data()[0], epochs=1, batch_size=8, progress=False),
        "zero_grad() is missing: the gradient of 'judge.0.weight'",
    ),
    "parameters without an optimizer": (frozen_out, "'0.weight' and 1 more are not in the optimizer"),
    "parameters without an optimizer, fit": (
        lambda: fit(net(), optimizer=lambda params: optim.SGD(params[:3], lr=0.05)),
        "'2.bias' is not in the optimizer and will not be trained",
    ),
    "another model": (another_models_optimizer, "the optimizer has none of the model's parameters"),
    "unused layer": (unused_layer, "'spare.weight' and 1 more are without a gradient in the first 3 steps"),
    "no backward": (lambda: loop(net(), backward=False), "no parameter has a gradient: backward() was not called"),
    "lr 0": (lambda: zero_lr(), "the first 3 steps changed no parameter"),
    "lr 0, fit": (lambda: fit(net(), lr=0.0), "the first 3 steps changed no parameter"),
    "softmax": (lambda: loop(net(nn.Softmax(1))), "softmax before cross_entropy: that loss wants logits"),
    "softmax, sum, smoothing": (
        lambda: loop(
            net(nn.Softmax(1)),
            loss=lambda p, y: F.cross_entropy(p, y, reduction="sum", label_smoothing=0.1),
        ),
        "softmax before cross_entropy",
    ),
    "softmax in fit": (lambda: fit(net(nn.Softmax(1))), "softmax before cross_entropy"),
    "softmax in the loss of fit": (
        lambda: fit(net(), lambda z, y: F.cross_entropy(z.softmax(1), y)),
        "softmax before cross_entropy",
    ),
    "softmax in bf16": (lambda: fit(net(nn.Softmax(1)), precision="bf16"), "softmax before cross_entropy"),
    "log_softmax": (lambda: loop(net(nn.LogSoftmax(1))), "log_softmax before cross_entropy does nothing"),
    "sigmoid": (lambda: fit(net(nn.Sigmoid())), "sigmoid before cross_entropy"),
    "sigmoid and bce of logits": (
        lambda: loop(net(nn.Sigmoid()), loss=lambda p, y: F.binary_cross_entropy_with_logits(p, one_hot(y))),
        "sigmoid before binary_cross_entropy_with_logits",
    ),
    "sigmoid and bce of logits in fit": (
        lambda: fit(net(nn.Sigmoid()), "bce_with_logits", data=(data()[0], one_hot(data()[1]))),
        "sigmoid before binary_cross_entropy_with_logits",
    ),
    "eval": (
        eval_forgotten,
        "eval() is missing: without gradients the model was called in training mode, in which '1' (Dropout) and 1 more",
    ),
    "train": (train_forgotten, "train() is missing: the model is trained in eval mode, in which '1' (Dropout)"),
    "dead ReLU": (lambda: loop(dead()), "every value that '1' (ReLU) lets through is zero: dead ReLUs"),
    "dead ReLU in fit": (lambda: fit(dead()), "every value that '1' (ReLU) lets through is zero"),
    "dead functional ReLU": (lambda: loop(functional_relu()), "everything that enters 'second' (Linear) is zero"),
    "constant": (lambda: fit(constant()), "the model's output is the same for every row"),
}


def zero_lr():
    model = net()
    loop(model, optim.SGD(model.parameters(), lr=0.0))


def constant():
    class Constant(nn.Module):
        def __init__(self):
            super().__init__()
            self.value = nn.Parameter(lamina.zeros(3))

        def forward(self, x):
            return self.value.expand(len(x), 3) + 0 * x[:, :3].sign().abs()

    return Constant()


@pytest.mark.parametrize("name", WRONG)
def test_wrong_programs_are_told_once(name):
    program, sentence = WRONG[name]
    sentences = said(program)
    assert len(sentences) == 1 and sentences[0].startswith(sentence), sentences


def test_checks_can_be_left_out():
    assert said(lambda: fit(net(nn.Softmax(1)), checks=False)) == []


def test_watch_leaves_nothing_behind():
    model = net()
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    watching = watch(model, optimizer)
    assert "step" in optimizer.__dict__
    watching.close()
    assert "step" not in optimizer.__dict__
    assert all(m._hooks is None for m in model.modules())
    mine = model[0].register_forward_hook(lambda *a: None)
    watch(model).close()
    assert list(model[0]._hooks.forward) == [mine.id]


def test_watch_does_not_change_the_weights():
    plain, watched = net(nn.Dropout(0.2)), net(nn.Dropout(0.2))
    for model, looks in ((plain, False), (watched, True)):
        lamina.manual_seed(5)
        optimizer = optim.Adam(model.parameters(), lr=0.01)
        watching = watch(model, optimizer) if looks else None
        for _ in range(12):
            optimizer.zero_grad()
            F.cross_entropy(model(data()[0]), data()[1]).backward()
            optimizer.step()
        if watching:
            watching.close()
    assert [p.tolist() for p in plain.parameters()] == [p.tolist() for p in watched.parameters()]


def test_a_loss_of_what_the_model_gave_is_looked_at_on_request():
    model = net()
    with watch(model) as looks, pytest.warns(TrainingWarning, match="softmax before cross_entropy"):
        looks.loss(F.cross_entropy(model(data()[0]).softmax(1), data()[1]))


# -- numbers that are lost ---------------------------------------------------------------------------------------------
class Broken(nn.Module):
    def __init__(self, kind):
        super().__init__()
        self.kind = kind

    def forward(self, x):
        if self.kind == "log":
            return (x - x).log() - (x - x).log()
        return x * 1e30 * 1e30 if self.kind == "overflow" else x.abs().sqrt()


def broken(kind):
    lamina.manual_seed(0)
    return nn.ModuleDict(
        {"body": nn.Sequential(nn.Linear(4, 8), Broken(kind), nn.Dropout(0.1)), "head": nn.Linear(8, 3)}
    )


class Chain(nn.Module):
    def __init__(self, kind):
        super().__init__()
        parts = broken(kind)
        self.body, self.head = parts["body"], parts["head"]

    def forward(self, x):
        return self.head(self.body(x))


@pytest.mark.parametrize("kind", ["log", "overflow"])
def test_the_first_module_whose_output_is_not_finite_is_named(kind):
    model = Chain(kind)
    before = [p.clone() for p in model.parameters()]
    with pytest.raises(
        NaNLossError, match=r"step 1: the first output .* is that of 'body.1' \(Broken\); what enters it is finite"
    ):
        fit(model)
    assert all(bool((a == b).all()) for a, b in zip(before, model.parameters(), strict=True))
    with pytest.raises(NaNLossError, match=r"output of the model is not finite in step 1: .*'body.1' \(Broken\)"):
        loop(Chain(kind))


def test_nan_in_the_data_and_in_the_weights_and_in_the_loss():
    x, y = data()
    x[3, 1] = math.nan
    with pytest.raises(NaNLossError, match=r"'0' \(Linear\), and so is what enters it; hint: look for NaN"):
        fit(net(), data=(x, y))
    model = net()
    with lamina.no_grad():
        model[2].weight[0, 0] = math.inf
    with pytest.raises(
        NaNLossError, match=r"'2' \(Linear\), whose weight is not finite since an earlier step; hint: a smaller lr"
    ):
        fit(model)
    with pytest.raises(
        NaNLossError,
        match=r"infinite in step 2: .* finite \(up to .*e\+\d\d\), .* hint: a smaller lr \(.*\), clip_norm=1.0",
    ):
        fit(nn.Linear(4, 1), "mse", lr=1e30, data=(data()[0], data()[0][:, :1]))
    with pytest.raises(
        NaNLossError,
        match=r"every module's output is finite \(up to .*\), so it is the loss function that makes it; hint",
    ):
        fit(net(), lambda z, y: (z - z).sum().log())
    for base in (ValueError, ArithmeticError):
        assert issubclass(NaNLossError, base)


def test_a_gradient_that_is_not_finite_stops_watch_before_the_step():
    model = net()
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    before = model[0].weight.clone()
    x, _ = data()
    with (
        watch(model, optimizer),
        pytest.raises(
            NaNLossError, match=r"gradient of '0.weight' is not finite in step 1, the step was not made; every module"
        ),
    ):
        out = model(x)
        (out - out.detach()).abs().sqrt().sum().backward()  # the slope of a root at 0
        optimizer.step()
    assert model[0].weight.tolist() == before.tolist()
    with pytest.raises(
        NaNLossError, match=r"fit: the gradient of '0.weight' is not finite in step 1, the step was not"
    ):
        fit(model, lambda z, y: (z - z.detach()).abs().sqrt().sum())
    assert model[0].weight.tolist() == before.tolist()
    assert all(m._hooks is None for m in model.modules())


def test_own_steps_name_the_module_too():
    model = Gan()
    model.judge[1] = Broken("overflow")
    with pytest.raises(
        NaNLossError,
        match=r"a gradient of optimizer 'd' became NaN or infinite in step 1: .* is that of 'judge.1' \(Broken\)",
    ):
        model.fit(data()[0], epochs=1, progress=False)
    assert all(bool(p.isfinite().all()) for p in model.parameters())
