"""A loss over data is that of all rows as one batch: records, validation, evaluate, metrics and accumulation."""

from __future__ import annotations

from functools import partial

import lamina
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lamina import nn
from lamina.metrics import Mean, MeanLoss
from lamina.models import GPT, T5
from lamina.training import evaluate

F = nn.functional
ROWS, CLASSES = 30, 3


def data(seed=0, places=()):
    g = lamina.Generator().manual_seed(seed)
    x = lamina.randn(ROWS, 4, generator=g)
    y = lamina.randint(CLASSES, (ROWS, *places), generator=g)
    y[:7], y[9:14] = -100, -100
    return x, y


class Places(nn.Module):
    """Scores (N, C, 2) from (N, 4)."""

    def __init__(self):
        super().__init__()
        self.head = nn.Linear(4, CLASSES * 2)

    def forward(self, x):
        return self.head(x).reshape(-1, CLASSES, 2)


def net():
    lamina.manual_seed(0)
    return nn.Linear(4, CLASSES)


WEIGHT = lamina.tensor([0.3, 2.0, 1.1])
LOSSES = {
    "ignored": nn.CrossEntropyLoss(),
    "weights": nn.CrossEntropyLoss(WEIGHT),
    "weights and smoothing": nn.CrossEntropyLoss(WEIGHT, label_smoothing=0.2),
    "another index": nn.CrossEntropyLoss(ignore_index=1),
    "name": "cross_entropy",
    "function": F.cross_entropy,
    "partial": partial(F.cross_entropy, weight=WEIGHT, ignore_index=2),
    "sum": nn.CrossEntropyLoss(WEIGHT, reduction="sum"),
}


def targets(kind, y):
    return y.clamp(min=0) if "index" in kind or kind == "partial" else y


def one_batch(kind, model, x, y):
    loss = LOSSES[kind]
    value = (F.cross_entropy if kind == "name" else loss)(model(x), y).item()
    return value / ROWS if kind == "sum" else value


@pytest.mark.parametrize("kind", LOSSES)
def test_evaluation_and_validation_do_not_depend_on_batches(kind):
    model, (x, y) = net(), data()
    y = targets(kind, y)
    expected = one_batch(kind, model, x, y)
    for size in (ROWS, 7, 4, 1):
        assert evaluate(model, (x, y), loss=LOSSES[kind], batch_size=size)["loss"] == pytest.approx(expected, rel=1e-6)
        options = {"optimizer": "sgd", "lr": 0.0, "epochs": 1, "progress": False, "checks": False}
        history = lamina.fit(model, (x, y * 0), (x, y), loss=LOSSES[kind], batch_size=size, **options)
        assert history[-1]["val_loss"] == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("kind", LOSSES)
def test_accumulated_steps_are_those_of_one_batch(kind):
    x, y = data()
    y = targets(kind, y)
    order = lamina.tensor([*range(14, 30), *range(14)])
    x, y = x[order], y[order]  # the last batches hold ignored targets alone

    def run(**options):
        model = net().double()
        options = {"optimizer": "sgd", "lr": 0.01, "steps": 2, "epochs": None, "shuffle": False, **options}
        history = lamina.fit(model, (x.double(), y), loss=double(LOSSES[kind]), progress=False, **options)
        return model.weight.detach().numpy(), history[-1]["loss"]

    (whole, loss), (parts, same) = run(batch_size=ROWS), run(batch_size=4, accumulate=8)
    assert np.allclose(whole, parts, rtol=1e-12, atol=1e-14) and loss == pytest.approx(same, rel=1e-12)


def double(loss):
    """The loss with float64 weights."""
    if isinstance(loss, nn.Module) and loss.weight is not None:
        return nn.CrossEntropyLoss(
            loss.weight.double(),
            ignore_index=loss.ignore_index,
            reduction=loss.reduction,
            label_smoothing=loss.label_smoothing,
        )
    if isinstance(loss, partial):
        return partial(loss.func, **{**loss.keywords, "weight": loss.keywords["weight"].double()})
    return loss


def test_other_losses_with_a_denominator():
    x, y = data(places=(2,))
    model, places = net(), Places()
    soft = lamina.rand(ROWS, CLASSES).softmax(1)
    cases = [
        (places, y, nn.CrossEntropyLoss(WEIGHT)),
        (places, y.clamp(min=0), nn.CrossEntropyLoss(label_smoothing=0.1)),
        (model, soft, nn.CrossEntropyLoss(WEIGHT)),
        (nn.Sequential(model, nn.LogSoftmax(1)), data()[1], nn.NLLLoss(WEIGHT)),
        (nn.Sequential(model, nn.LogSoftmax(1)), data()[1].clamp(min=0), nn.NLLLoss(ignore_index=0)),
        (nn.Sequential(model, nn.LogSoftmax(1)), soft, nn.KLDivLoss(reduction="batchmean")),
        (model, soft, nn.MSELoss()),
        (model, soft, nn.BCEWithLogitsLoss(pos_weight=WEIGHT)),
    ]
    for net_, target, loss in cases:
        expected = loss(net_(x), target).item()
        for size in (ROWS, 8, 1):
            assert evaluate(net_, (x, target), loss=loss, batch_size=size)["loss"] == pytest.approx(expected, rel=1e-5)


def test_a_loss_of_ones_own_says_its_denominator():
    class Masked(nn.Module):
        def forward(self, output, target):
            kept = target >= 0
            return (output[:, 0] - target)[kept].square().mean()

        def denominator(self, target):
            return int((target >= 0).sum().item())

    model, (x, y) = net(), data()
    expected = Masked()(model(x), y).item()
    for size in (ROWS, 4):
        assert evaluate(model, (x, y), loss=Masked(), batch_size=size)["loss"] == pytest.approx(expected, rel=1e-6)

    class Focal(nn.CrossEntropyLoss):
        """A mean over rows, whatever its base class divides by."""

        def forward(self, output, target):
            return F.cross_entropy(output, target.clamp(min=0), reduction="none").mean()

    expected = Focal()(model(x), y).item()
    assert evaluate(model, (x, y), loss=Focal(), batch_size=4)["loss"] == pytest.approx(expected, rel=1e-6)


def test_batches_of_different_length_count_by_elements():
    batches = [(lamina.rand(2, n), lamina.rand(2, n)) for n in (1, 3, 8)]
    expected = np.concatenate([((a - b) ** 2).numpy().reshape(-1) for a, b in batches]).mean()
    found = evaluate(nn.Identity(), lamina.utils.data.DataLoader(batches, None), loss="mse")["loss"]
    assert found == pytest.approx(float(expected), rel=1e-6)


def test_models_count_the_targets_that_count():
    lamina.manual_seed(1)
    gpt = GPT(vocab=11, context=6, width=8, layers=1, heads=2)
    x, y = lamina.randint(11, (10, 6)), lamina.randint(11, (10, 6))
    y[:3], y[4:, 2:] = -100, -100
    t5 = T5(vocab=11, width=8, layers=1, heads=2)
    labels = lamina.where(lamina.rand(10, 5) < 0.5, lamina.randint(2, 11, (10, 5)), t5.config.pad)
    labels[:, 0] = 3
    for model, batch in ((gpt, (x, y)), (t5, (x, labels))):
        model.eval()
        expected = model.training_loss(*batch).item()
        for size in (10, 3, 1):
            assert model.evaluate(batch, batch_size=size)["loss"] == pytest.approx(expected, rel=1e-5)


def test_metrics_that_are_losses():
    model, (x, y) = net(), data()
    loss = nn.CrossEntropyLoss(WEIGHT)
    whole = loss(model(x), y).item()
    for metrics in ({"own": loss}, {"own": F.cross_entropy}):
        found = [evaluate(model, (x, y), metrics=metrics, batch_size=n)["own"] for n in (ROWS, 4, 1)]
        assert found[1:] == pytest.approx([found[0]] * 2, rel=1e-6)
    assert evaluate(model, (x, y), metrics={"own": loss}, batch_size=4)["own"] == pytest.approx(whole, rel=1e-6)
    metric = Mean(lambda output, target: (output - target).mean())
    metric.update(lamina.tensor([1.0, 3.0]), lamina.tensor([0.0, 0.0]))
    assert metric.compute() == 2.0


def test_no_target_that_counts():
    model, (x, y) = net(), data()
    y[:] = -100
    assert np.isnan(evaluate(model, (x, y), loss="cross_entropy")["loss"])
    with pytest.raises(lamina.training.NaNLossError, match="no target"):
        lamina.fit(model, (x, y), loss="cross_entropy", progress=False)


@given(st.lists(st.tuples(st.floats(-10, 10), st.integers(0, 5) | st.floats(0, 5)), min_size=1, max_size=8))
@settings(max_examples=50, deadline=None)
def test_mean_loss_goes_through_its_state(parts):
    whole, first = MeanLoss(), MeanLoss()
    for i, (value, weight) in enumerate(parts):
        whole.update(value, weight)
        first.update(value, weight)
        if i == len(parts) // 2:
            first = MeanLoss.from_state(first.state())
    total = sum(w for _, w in parts)
    assert whole.state() == first.state()
    if total > 1e-9:
        assert whole.compute() == pytest.approx(sum(v * w for v, w in parts) / total, abs=1e-9)
    old = MeanLoss.from_state([whole._sum.units, 0.0, 4])  # a file with a count of rows
    assert old.state()[2:] == [4, 1]
