"""Trainer and fit: equal to the plain loop, and each option does what it says."""

from __future__ import annotations

import math
import subprocess
import sys
from dataclasses import dataclass

import lamina
import numpy as np
import pytest
from lamina import nn, optim
from lamina.models import Model
from lamina.training import Callback, evaluate, predict
from lamina.utils.data import DataLoader, IterableDataset, TensorDataset

F = nn.functional


def rows(n=48, seed=1):
    g = lamina.Generator().manual_seed(seed)
    x = lamina.randn(n, 4, generator=g)
    return x, (x[:, 0] > 0).long() + (x[:, 1] > 0).long()


def net(*, dropout=0.0, seed=2):
    lamina.manual_seed(seed)
    return nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Dropout(dropout), nn.Linear(16, 3))


def fit(model, data=None, validation=None, **options):
    options = {"loss": "cross_entropy", "epochs": 3, "lr": 0.01, "batch_size": 8, "progress": False, **options}
    return lamina.fit(model, rows() if data is None else data, validation, **options)


def weights(model):
    return [p.tolist() for p in model.parameters()]


def without_time(history):
    return [{k: v for k, v in record.items() if k not in ("seconds", "joules")} for record in history]


# -- the loop ----------------------------------------------------------------------------------------------------------
def test_the_same_bits_as_the_plain_loop():
    model, by_hand = net(dropout=0.3), net(dropout=0.3)
    fit(model, clip_norm=0.5, scheduler="onecycle", seed=3)
    lamina.manual_seed(3)
    loader = DataLoader(TensorDataset(*rows()), 8, shuffle=True, generator=lamina.Generator().manual_seed(3))
    optimizer = optim.AdamW(by_hand.parameters(), lr=0.01)
    schedule = optim.lr_scheduler.OneCycleLR(optimizer, 0.01, 18)
    for _ in range(3):
        for x, y in loader:
            optimizer.zero_grad()
            F.cross_entropy(by_hand(x), y).backward()
            nn.utils.clip_grad_norm_(by_hand.parameters(), 0.5)
            optimizer.step()
            schedule.step()
    assert weights(model) == weights(by_hand)


def test_seed_alone_decides_and_the_users_random_numbers_are_not_touched():
    found = []
    for seed, draws in ((1, 0), (1, 5), (2, 0)):
        model = net(dropout=0.5)
        lamina.manual_seed(9)
        lamina.rand(draws)
        before = lamina.get_rng_state()
        fit(model, seed=seed)
        assert (lamina.get_rng_state() == before).all()
        found.append(weights(model))
    assert found[0] == found[1] != found[2]
    model = net(dropout=0.5)
    lamina.manual_seed(4)
    fit(model, seed=None)
    again = net(dropout=0.5)
    lamina.manual_seed(4)
    fit(again, seed=None)
    assert weights(model) == weights(again)


def test_modes_and_gradients_are_given_back():
    model = net(dropout=0.5)
    model.eval()
    model[2].train()
    fit(model, rows(), 0.25)
    assert [m.training for m in model.modules()] == [False, False, False, True, False]
    assert all(p.grad is None for p in model.parameters())


@pytest.mark.parametrize("kind", ["arrays", "float64", "loader", "list", "dataset", "stream", "tensors"])
def test_kinds_of_data(kind):
    x, y = rows()
    data = {
        "tensors": (x, y),
        "arrays": (x.numpy(), y.numpy()),
        "float64": (x.numpy().astype(np.float64), y.numpy()),
        "loader": DataLoader(TensorDataset(x, y), 8),
        "list": [(x[i], y[i]) for i in range(48)],
        "dataset": TensorDataset(x, y),
        "stream": Stream(),
    }[kind]
    history = fit(net(), data, validation=data, metrics="accuracy")
    assert history[-1]["step"] == 18 and history[-1]["loss"] < history[0]["loss"]
    assert sorted(history[-1]) == ["epoch", "loss", "lr", "seconds", "step", "val_accuracy", "val_loss"]


class Stream(IterableDataset):
    def __iter__(self):
        return iter(zip(*rows(), strict=True))


def test_a_float64_model_keeps_float64():
    x, y = rows()
    model = net().double()
    fit(model, (x.numpy().astype(np.float64), y))
    assert model[0].weight.dtype == lamina.float64


def test_data_that_is_refused():
    x, y = rows()
    for data, kind, message in (
        (iter([1]), TypeError, "can be read only once"),
        (5, TypeError, "data: expected a tensor or array"),
        ((), ValueError, "the tuple is empty"),
        ((x, y[:3]), ValueError, "same first size|size"),
        (x, ValueError, "a batch has one field"),
        (np.array(["a"]), TypeError, "expected numbers"),
        ({}, ValueError, "the dict is empty"),
        ({"x": x, "y": y[:3]}, ValueError, "same length"),
    ):
        with pytest.raises(kind, match=message):
            fit(net(), data)
    with pytest.raises(ValueError, match="leaves no rows on one side"):
        fit(net(), (x[:2], y[:2]), 0.1)
    with pytest.raises(TypeError, match="a fraction needs data with rows"):
        fit(net(), Stream(), 0.5)
    with pytest.raises(ValueError, match="the data has no batches"):
        fit(net(), (x[:0], y[:0]), shuffle=False)


def test_a_fraction_holds_out_the_same_rows():
    seen = []

    class Keep(Callback):
        def on_fit_begin(self, trainer):
            seen.append((len(trainer.loader.dataset), trainer.validation.dataset.tensors[0].tolist()))

    for seed in (5, 5, 6):
        fit(net(), rows(), 0.25, seed=seed, callbacks=[Keep()], epochs=1)
    assert seen[0] == seen[1] and seen[0][1] != seen[2][1]
    assert [n for n, _ in seen] == [36, 36, 36] and len(seen[0][1]) == 12


# -- options -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("batch, accumulate", [(8, 2), (6, 3), (5, 4), (16, 3)])
def test_accumulation_equals_the_big_batch(batch, accumulate):
    big, small = net(), net()
    fit(big, batch_size=batch * accumulate, optimizer="sgd", lr=0.1, shuffle=False)
    history = fit(small, batch_size=batch, accumulate=accumulate, optimizer="sgd", lr=0.1, shuffle=False)
    assert history[-1]["step"] == 3 * -(-48 // (batch * accumulate))
    for a, b in zip(big.parameters(), small.parameters(), strict=True):
        assert lamina.allclose(a, b, rtol=1e-5, atol=1e-6)


@pytest.mark.slow
def test_accumulation_gives_the_same_bits_at_any_number_of_threads():
    code = """
import hashlib, sys, lamina
from lamina import nn
lamina.set_num_threads(int(sys.argv[1]))
lamina.manual_seed(0)
x, y = lamina.randn(200, 32), lamina.randint(5, (200,))
model = nn.Sequential(nn.Linear(32, 200), nn.BatchNorm1d(200), nn.ReLU(), nn.Dropout(0.2), nn.Linear(200, 5))
options = dict(epochs=2, accumulate=3, ema=0.9, precision=sys.argv[2], progress=False)
lamina.fit(model, (x, y), 0.2, loss="cross_entropy", **options)
print(hashlib.sha256(b"".join(v.numpy().tobytes() for v in model.state_dict().values())).hexdigest())
"""
    for precision in ("float32", "bf16"):
        found = {
            subprocess.run([sys.executable, "-c", code, threads, precision], capture_output=True, text=True).stdout
            for threads in ("1", "2", "1")
        }
        assert len(found) == 1 and len(found.pop()) == 65


def test_clipping():
    model = net()
    seen = []

    class Norm(Callback):
        def on_batch_end(self, trainer, loss):
            grads = [p.grad for p in trainer.model.parameters()]
            seen.append((nn.utils.get_total_norm(grads).item(), max(g.abs().max().item() for g in grads)))

    fit(model, clip_norm=0.01, callbacks=[Norm()], epochs=1)
    assert all(norm <= 0.0100001 for norm, _ in seen)
    seen.clear()
    fit(model, clip_value=0.001, callbacks=[Norm()], epochs=1)
    assert all(largest <= 0.00100001 for _, largest in seen)


def test_ema_is_validated_and_kept():
    plain, model = net(), net()
    history = fit(model, rows(), rows(seed=3), ema=0.9, epochs=2)
    average = optim.swa_utils.AveragedModel(plain, multi_avg_fn=optim.swa_utils.get_ema_multi_avg_fn(0.9))

    class Average(Callback):
        def on_batch_end(self, trainer, loss):
            average.update_parameters(plain)

    raw = fit(plain, rows(), rows(seed=3), epochs=2, callbacks=[Average()])
    assert weights(model) == weights(average.module) != weights(plain)
    assert history["loss"] == raw["loss"] and history["val_loss"] != raw["val_loss"]
    assert history[-1]["val_loss"] == evaluate(model, rows(seed=3), loss="cross_entropy", batch_size=8)["loss"]


def test_bf16_trains_and_keeps_float32_weights():
    model, full = net(), net()
    history = fit(model, precision="bf16", epochs=6)
    assert history[-1]["loss"] < history[0]["loss"] and model[0].weight.dtype == lamina.float32
    fit(full, epochs=6)
    assert weights(model) != weights(full)
    assert all(lamina.allclose(a, b, atol=0.05) for a, b in zip(model.parameters(), full.parameters(), strict=True))


@pytest.mark.parametrize("optimizer", ["sgd", "AdamW", "lion", "lbfgs", "rmsprop", optim.Adam, "function", "instance"])
def test_optimizers(optimizer):
    model = net()
    given = {
        "function": lambda params: optim.SGD(params, lr=0.2, momentum=0.9),
        "instance": optim.SGD(model.parameters(), lr=0.2),
    }.get(optimizer, optimizer)
    history = fit(model, optimizer=given, epochs=4, batch_size=48 if optimizer == "lbfgs" else 8)
    assert history[-1]["loss"] < history[0]["loss"]
    assert history[0]["lr"] == (0.2 if optimizer in ("function", "instance") else 0.01)


@pytest.mark.parametrize(
    "name, rates",
    [
        ("onecycle", [0.01, 4e-8]),  # the rates of the first and the last step of a third, and of the whole
        ("cosine", [0.01 * (1 + math.cos(math.pi * 5 / 18)) / 2, 0.01 * (1 + math.cos(math.pi * 17 / 18)) / 2]),
        ("linear", [0.01 * 13 / 18, 0.01 / 18]),
        ("warmup_cosine", [0.01 * (1 + math.cos(math.pi * 4 / 17)) / 2, 0.01 * (1 + math.cos(math.pi * 16 / 17)) / 2]),
        ("step", [0.01, 1e-4]),
        ("exponential", [0.01, 0.01 * 0.95**2]),
    ],
)
def test_schedules_by_name(name, rates):
    found = fit(net(), scheduler=name)["lr"]
    assert [found[0], found[-1]] == pytest.approx(rates, rel=0.02)


def test_schedules_of_ones_own_and_their_times():
    seen = []

    class Rates(Callback):
        def on_batch_end(self, trainer, loss):
            seen.append(trainer.optimizers["optimizer"].param_groups[0]["lr"])

    half = lambda optimizer: optim.lr_scheduler.StepLR(optimizer, 1, 0.5)
    fit(net(), scheduler=half, epochs=2, batch_size=16, callbacks=[Rates()])
    assert seen == [0.01] * 3 + [0.005] * 3
    seen.clear()
    fit(net(), scheduler=half, scheduler_step="batch", epochs=1, batch_size=16, callbacks=[Rates()])
    assert seen == [0.005, 0.0025, 0.00125]
    model = net()
    optimizer = optim.SGD(model.parameters(), lr=1.0)
    schedule = optim.lr_scheduler.ExponentialLR(optimizer, 0.1)
    assert fit(model, optimizer=optimizer, scheduler=schedule, epochs=2)["lr"] == [1.0, 0.1]
    with pytest.raises(ValueError, match="belongs to another optimizer"):
        fit(net(), scheduler=schedule)
    history = fit(net(), rows(), rows(seed=3), scheduler="plateau", lr=0.0, epochs=6, checks=False)
    assert history["lr"] == [0.0] * 6
    history = fit(net(), scheduler="plateau", monitor="lr", optimizer="sgd", lr=0.5, epochs=7)
    assert history["lr"][3:] == [0.5, 0.5, 0.05, 0.05]


def test_steps_end_the_run_within_an_epoch():
    history = fit(net(), epochs=None, steps=8)
    assert [(r["epoch"], r["step"]) for r in history] == [(1, 6), (2, 8)]
    assert len(fit(net(), epochs=1, steps=100)) == 1
    history = fit(net(), record_every=4, epochs=2)
    assert [(r["epoch"], r["step"]) for r in history] == [(1, 4), (1, 6), (2, 8), (2, 12)]
    with pytest.raises(ValueError, match=r"needs to know the number of steps.*hint: give steps="):
        fit(net(), Stream(), scheduler="cosine")


def test_early_stopping_restores_the_best_weights():
    x, _ = rows(12)
    y = lamina.randint(3, (12,), generator=lamina.Generator().manual_seed(0))  # noise: learned by heart
    kept = {}

    class Keep(Callback):
        def on_epoch_end(self, trainer, record):
            kept[record["epoch"]] = weights(trainer.model)

    model = net()
    held = rows(40, seed=8)
    history = fit(model, (x, y), held, early_stopping=3, epochs=60, lr=0.05, callbacks=[Keep()], metrics=["accuracy"])
    best = min(range(len(history)), key=lambda i: history[i]["val_loss"]) + 1
    assert len(history) == best + 3 < 60 and history.best_epoch == best
    assert weights(model) == kept[best] != kept[best + 3]
    assert history.stopped == f"stopped early: val_loss was best ({history[best - 1]['val_loss']:.6g}) in epoch {best}"
    assert history.stopped in repr(history)
    other = net()
    again = fit(other, (x, y), held, early_stopping=3, epochs=60, lr=0.05, metrics=["accuracy"], restore_best=False)
    assert weights(other) == kept[best + 3] and without_time(again) == without_time(history)
    scores = fit(
        net(), (x, y), held, early_stopping=2, monitor="val_accuracy", epochs=30, lr=0.05, metrics=["accuracy"]
    )
    top = max(scores["val_accuracy"])
    assert scores[scores.best_epoch - 1]["val_accuracy"] == top
    eager = fit(net(), (x, y), held, early_stopping=1, min_delta=10.0, epochs=30)
    assert len(eager) == 2
    with pytest.raises(
        ValueError, match="monitor='val_f1' will not be measured; there is loss; hint: give validation="
    ):
        fit(net(), early_stopping=1, monitor="val_f1")
    with pytest.raises(ValueError, match=r"'val_f1' will not be measured; there is loss, val_loss, val_accuracy$"):
        fit(net(), rows(), held, early_stopping=1, monitor="val_f1", metrics="accuracy")
    with pytest.raises(ValueError, match="monitor='speed' is not measured; there is epoch, step, loss"):
        fit(net(), early_stopping=1, monitor="speed")


def test_metrics_in_every_form():
    from lamina.metrics import F1, Accuracy, MeanLoss

    def share(output, target):
        return (output.argmax(1) == target).float().mean()

    history = fit(net(), rows(), rows(seed=3), epochs=1, metrics=["accuracy", F1("micro"), Accuracy, share])
    record = history[0]
    assert record["val_accuracy"] == record["val_f1"] == pytest.approx(record["val_share"], rel=1e-6)
    history = fit(net(), rows(), rows(seed=3), epochs=1, metrics={"a": "accuracy", "b": F1})
    assert list(history[0]) == ["epoch", "step", "loss", "val_loss", "val_a", "val_b", "lr", "seconds"]
    with pytest.raises(ValueError, match="metrics='acuracy' is not known; did you mean 'accuracy'"):
        fit(net(), metrics="acuracy")
    assert MeanLoss().merge(MeanLoss()).compute() != 0


def test_losses_in_every_form():
    x, y = rows()
    found = {
        fit(net(), loss=loss)[-1]["loss"]
        for loss in ("cross_entropy", F.cross_entropy, nn.CrossEntropyLoss(), nn.CrossEntropyLoss)
    }
    assert len(found) == 1
    for loss, target in (
        ("mse", x[:, :3]),
        ("l1", x[:, :3]),
        ("huber", x[:, :3]),
        ("bce_with_logits", F.one_hot(y, 3)),
    ):
        assert fit(net(), (x, target), loss=loss)[-1]["loss"] > 0
    with pytest.raises(lamina.ShapeError, match=r"mse_loss: the model gives \(8, 3\), the target has \(8,\)"):
        fit(net(), (x, x[:, 0]), loss="mse")
    with pytest.raises(ValueError, match="loss='cross_entrpy' is not known; did you mean 'cross_entropy'"):
        fit(net(), loss="cross_entrpy")
    with pytest.raises(ValueError, match="the loss should be a tensor with one value, got shape"):
        fit(net(), loss=nn.CrossEntropyLoss(reduction="none"))
    with pytest.raises(ValueError, match="does not depend on any parameter; hint: detach"):
        fit(net(), loss=lambda z, y: F.cross_entropy(z.detach(), y))
    with pytest.raises(ValueError, match="Sequential is no Model, so it needs loss="):
        fit(net(), loss=None)


@pytest.mark.parametrize(
    "options, message",
    [
        ({"epochs": 0}, "epochs should be a positive whole number, got 0"),
        ({"steps": 1.5}, "steps should be"),
        ({"accumulate": True}, "accumulate should be"),
        ({"batch_size": None}, "batch_size should be"),
        ({"num_workers": -1}, "num_workers should be"),
        ({"clip_norm": 0}, "clip_norm should be above 0"),
        ({"lr": -1.0}, "lr should not be negative"),
        ({"ema": 1.0}, r"ema is a decay in \[0, 1\)"),
        ({"precision": "fp16"}, "precision must be"),
        ({"scheduler_step": "day"}, "scheduler_step must be"),
        ({"checkpoint_every": "5 days"}, "checkpoint_every should be 'epoch'"),
        ({"checkpoint_every": 0}, "checkpoint_every should be"),
        ({"early_stopping": 0}, "patience should be"),
        ({"early_stopping": 1, "mode": "up"}, "mode must be"),
        ({"optimizer": "adan"}, "optimizer='adan' is not known; did you mean"),
        ({"scheduler": "cosin"}, "scheduler='cosin' is not known; did you mean 'cosine'"),
        ({"log": "run.txt"}, r"expected a name ending in \.csv or \.jsonl, or a folder"),
        ({"optimizer": lambda p: optim.SGD(p), "weight_decay": 0.1}, "leave weight_decay out"),
    ],
)
def test_options_are_checked(options, message):
    with pytest.raises(ValueError, match=message):
        fit(net(), **options)


def test_other_wrong_options():
    for options, message in (
        ({"callbacks": [3]}, "callbacks should be Callbacks, got int"),
        ({"log": 3}, "log: expected a path or a list of paths, got int"),
        ({"shuffle": "yes"}, "shuffle should be True or False, got 'yes'"),
        ({"lr": "fast"}, "lr should be a number, got 'fast'"),
        ({"weigth_decay": 0.1}, "fit: there is no option 'weigth_decay'; did you mean 'weight_decay'"),
        ({"validation_data": 0.1}, "fit: there is no option 'validation_data'; did you mean 'validation'"),
    ):
        with pytest.raises(TypeError, match=message):
            fit(net(), **options)
        with pytest.raises(TypeError, match=message):
            Line().fit(rows(), **options)
    with pytest.raises(TypeError, match=r"Trainer: model must be an nn\.Module, got int"):
        fit(3)
    with pytest.raises(TypeError, match="optimizer: expected a name"):
        fit(net(), optimizer=3)
    with pytest.raises(TypeError, match="scheduler: expected a name"):
        fit(net(), scheduler=lambda o: 3)
    model = net()
    for p in model.parameters():
        p.requires_grad_(False)
    with pytest.raises(ValueError, match="no parameter that needs a gradient"):
        fit(model)


# -- models ------------------------------------------------------------------------------------------------------------
@dataclass
class LineConfig:
    inputs: int = 4
    classes: int = 3
    dropout: float = 0.5


class Line(Model):
    calls = 0

    def __init__(self, config=None, **overrides):
        super().__init__()
        self.config = config = self.configure(LineConfig, config, overrides)
        self.drop, self.head = nn.Dropout(config.dropout), nn.Linear(config.inputs, config.classes)

    def forward(self, x):
        Line.calls += 1
        return self.head(self.drop(x))


def test_a_model_fits_evaluates_and_predicts():
    lamina.manual_seed(0)
    model = Line(dropout=0.1)
    history = model.fit(rows(200), validation=rows(20, seed=3), epochs=30, lr=0.05, progress=False, early_stopping=9)
    assert {"val_loss", "val_accuracy"} <= set(history.names())
    found = model.evaluate(rows(20, seed=3))
    assert found["accuracy"] > 0.6 and model.training
    assert found == model.evaluate(rows(20, seed=3), batch_size=20)  # one batch or several: nothing but rounding
    said = model.predict(rows(20, seed=3)[0], batch_size=7)
    assert said.dtype == lamina.int64 and (said == rows(20, seed=3)[1]).float().mean().item() == pytest.approx(
        found["accuracy"]
    )
    assert (model.predict(rows(20, seed=3)) == said).all()
    assert (model.predict(rows(20, seed=3)[0].numpy()) == said).all()
    other = model.fit(rows(20), validation=rows(20), loss="nll", epochs=1, progress=False)
    assert "val_accuracy" in other.names() and other[0]["val_loss"] != found["loss"]  # its metrics, another loss
    before = Line.calls
    model.evaluate(rows(20, seed=3))
    assert Line.calls == before + 1  # loss and metrics share a pass
    with pytest.raises(ValueError, match="the data has no rows"):
        model.predict(lamina.zeros(0, 4))


def test_configure():
    assert Line(inputs=7).config == LineConfig(7) and Line(LineConfig(5), classes=9).config == LineConfig(5, 9)
    given = LineConfig()
    assert Line(given, inputs=2).config.inputs == 2 and given.inputs == 4
    with pytest.raises(
        TypeError,
        match=r"LineConfig has no field 'clases' \(it has inputs, classes, dropout\); did you mean 'classes'\?",
    ):
        Line(clases=3)
    with pytest.raises(TypeError, match="config must be a LineConfig, got dict"):
        Line({})


class Auto(Model):
    """One field a batch, a loss with random numbers, an output that is a tuple."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(4, 4)

    def forward(self, x):
        return self.layer(x)

    def training_loss(self, x):
        return F.mse_loss(self(x + 0.1 * lamina.randn(len(x), 4)), x)

    def metrics(self):
        return {}

    def prediction(self, x):
        return self(x), {"norm": x.norm(dim=1)}


def test_models_with_a_loss_of_their_own():
    model = Auto()
    history = model.fit(rows()[0], validation=rows()[0], epochs=5, lr=0.05, progress=False)
    assert history[-1]["val_loss"] < history[0]["val_loss"] and list(model.evaluate(rows()[0])) == ["loss"]
    assert model.evaluate(rows()[0]) == model.evaluate(rows()[0])  # the same noise in each call
    outputs, named = model.predict(rows()[0], batch_size=10)
    assert outputs.shape == (48, 4) and named["norm"].shape == (48,)
    with pytest.raises(ValueError, match=r"Line\.training_loss: a batch should be \(x, y\), got 1 field; hint"):
        Line().fit(rows()[0], progress=False)


class Two(Model):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(4, 1), nn.Linear(4, 1)

    def metrics(self):
        return {}

    def configure_optimizers(self, lr):
        return {"a": optim.SGD(self.a.parameters(), lr), "b": optim.Adam(self.b.parameters(), lr)}

    def training_step(self, batch, optimizers):
        losses = {}
        for name, layer in (("a", self.a), ("b", self.b)):
            optimizers[name].zero_grad()
            losses[name] = (layer(batch[0]) - batch[0].sum(1, keepdim=True)).square().mean()
            losses[name].backward()
            optimizers[name].step()
        return losses


def test_a_model_with_its_own_steps(tmp_path):
    model = Two()
    history = model.fit(rows()[0], epochs=4, lr=0.05, progress=False, scheduler="cosine", checkpoint=tmp_path / "c")
    assert history[-1]["a"] < history[0]["a"] and history[-1]["loss"] == pytest.approx(
        history[-1]["a"] + history[-1]["b"]
    )
    other = Two()
    other.fit(rows()[0], epochs=4, lr=0.05, progress=False, scheduler="cosine", checkpoint=tmp_path / "c", resume=True)
    assert weights(other) == weights(model)
    with pytest.raises(ValueError, match=r"Two makes its steps itself \(training_step\), so clip_norm has no effect"):
        model.fit(rows()[0], clip_norm=1.0)
    with pytest.raises(ValueError, match="Two has no loss and no metrics"):
        model.evaluate(rows()[0])
    with pytest.raises(ValueError, match="Two has no loss and no metrics to validate; hint: give metrics="):
        model.fit(rows()[0], validation=rows()[0])


def test_evaluate_and_predict_for_any_module():
    model = net(dropout=0.5)
    found = evaluate(model, rows(), loss="cross_entropy", metrics=["accuracy", "f1"])
    assert list(found) == ["loss", "accuracy", "f1"] and model.training
    assert found["loss"] == pytest.approx(F.cross_entropy(model.eval()(rows()[0]), rows()[1]).item(), rel=1e-6)
    assert predict(model, rows()[0], batch_size=9).tolist() == model(rows()[0]).tolist()
    matrix = evaluate(model, rows(), metrics=["confusion_matrix"])["confusion_matrix"]
    assert matrix.sum().item() == 48
    assert "val_accuracy" in fit(model, rows(), rows(), metrics=["confusion_matrix", "accuracy"], epochs=1).names()
    with pytest.raises(ValueError, match="has no loss and no metrics; hint"):
        evaluate(model, rows())


def test_parts_in_eval_mode_stay_so():
    model = lamina.nn.Sequential(lamina.nn.BatchNorm1d(3), lamina.nn.Linear(3, 2), lamina.nn.BatchNorm1d(2))
    model[0].eval()
    lamina.fit(model, (lamina.randn(20, 3) + 5, lamina.randn(20, 2)), 0.2, loss="mse", epochs=2, progress=False)
    assert model[0].running_mean.tolist() == [0.0, 0.0, 0.0] and not model[0].training
    assert model[2].running_mean.tolist() != [0.0, 0.0] and model[2].training
