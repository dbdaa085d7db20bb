"""Losses over many classes: linear + cross-entropy without the logits, and the adaptive softmax."""

from __future__ import annotations

import subprocess
import sys

import lamina
import lamina.nn.functional as F
import numpy as np
import pytest
from conftest import needs_torch, torch
from lamina import nn

R = np.random.default_rng(0)


def case(rows, bias=True, soft=False, inner=(), dtype="float64"):
    """(input, weight, bias, target) as leaves."""
    size, classes = 7, 11
    kind = getattr(lamina, dtype)
    made = [
        lamina.tensor(R.normal(size=s), dtype=kind, requires_grad=True)
        for s in ((rows, size), (classes, *inner, size), (classes, *inner))
    ]
    if soft:
        target = lamina.tensor(R.dirichlet(np.ones(classes), (rows, *inner)), dtype=kind)
        target = (target.movedim(-1, 1) if inner else target).detach().requires_grad_()
    else:
        target = lamina.tensor(R.integers(0, classes, (rows, *inner)))
    return made[0], made[1], made[2] if bias else None, target


def both(x, w, b, target, **options):
    logits = F.linear(x, w.flatten(0, -2), None if b is None else b.flatten()).reshape((len(x), *w.shape[:-1]))
    plain = {k: v for k, v in options.items() if not (k == "ignore_index" and v is None)}
    return F.linear_cross_entropy(x, w, target, linear_bias=b, **options), F.cross_entropy(logits, target, **plain)


FORMS = [
    {}, {"reduction": "sum"}, {"reduction": "none"}, {"label_smoothing": 0.1}, {"ignore_index": 3}, {"weighted": True},
    {"weighted": True, "ignore_index": 2, "label_smoothing": 0.3}, {"soft": True}, {"soft": True, "reduction": "sum"},
    {"soft": True, "weighted": True}, {"inner": (2, 3)}, {"inner": (4,), "reduction": "none"}, {"bias": False},
    {"inner": (2,), "soft": True},
]  # fmt: skip


@pytest.mark.parametrize("rows", [1, 5, 256, 600])
@pytest.mark.parametrize("form", FORMS, ids=str)
def test_equals_the_two_steps(rows, form):
    options = dict(form)
    made = case(rows, options.pop("bias", True), options.pop("soft", False), options.pop("inner", ()))
    if options.pop("weighted", False):
        options["weight"] = lamina.tensor(R.uniform(0.5, 2, 11))
    ours, expected = both(*made, **options)
    np.testing.assert_allclose(ours.detach().numpy(), expected.detach().numpy(), rtol=1e-12)
    leaves = [t for t in made if t is not None and t.requires_grad]
    weights = lamina.tensor(np.cos(np.arange(ours.numel())).reshape(ours.shape))
    found = lamina.autograd.grad(ours, leaves, weights)
    for a, b in zip(found, lamina.autograd.grad(expected, leaves, weights), strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-10, atol=1e-13)


def test_gradients_have_the_bits_of_the_two_steps():
    """The chunks are those of the product's own chains over the rows."""
    x, w, _, target = case(700, dtype="float32")
    ours, expected = both(x, w, None, target, reduction="none")
    assert ours.tolist() == expected.tolist()
    slope = lamina.rand(700)
    for a, b in zip(
        lamina.autograd.grad(ours, (x, w), slope), lamina.autograd.grad(expected, (x, w), slope), strict=True
    ):
        assert a.tolist() == b.tolist()


def test_gradcheck_and_a_second_gradient():
    x, w, b, target = case(4)

    def loss(x, w, b):
        return F.linear_cross_entropy(x, w, target, linear_bias=b, label_smoothing=0.1)

    assert lamina.autograd.gradcheck(loss, (x, w, b))
    assert lamina.autograd.gradgradcheck(loss, (x, w, b))


def test_one_row_without_a_batch():
    x, w, b, target = case(1)
    alone = F.linear_cross_entropy(x[0], w, target[0], linear_bias=b)
    assert alone.shape == () and alone.item() == F.linear_cross_entropy(x, w, target, linear_bias=b).item()
    assert F.linear_cross_entropy(x[0], w, target[0], reduction="none").shape == ()


def test_no_rows_and_frozen_parts():
    x, w, b, target = case(3)
    empty = F.linear_cross_entropy(x[:0], w, target[:0], linear_bias=b, reduction="sum")
    empty.backward()
    assert empty.item() == 0
    loss = F.linear_cross_entropy(x.detach(), w, target)
    assert lamina.autograd.grad(loss, w)[0].abs().max().item() > 0
    loss = F.linear_cross_entropy(x, w.detach(), target)
    assert lamina.autograd.grad(loss, x)[0].abs().max().item() > 0


@needs_torch
@pytest.mark.parametrize("inner", [(), (2, 3)])
def test_the_layer_equals_torch(inner):
    theirs = torch.nn.LinearCrossEntropyLoss(7, 11, out_features=inner, bias=True, dtype=torch.float64)
    ours = nn.LinearCrossEntropyLoss(7, 11, out_features=inner, bias=True, dtype=lamina.float64)
    ours.load_state_dict({k: lamina.tensor(v.numpy()) for k, v in theirs.state_dict().items()})
    x, target = R.normal(size=(9, 7)), R.integers(0, 11, (9, *inner))
    found = ours(lamina.tensor(x), lamina.tensor(target)).item()
    assert found == pytest.approx(theirs(torch.tensor(x), torch.tensor(target)).item(), rel=1e-12)
    assert "num_classes=11" in repr(ours)


MEMORY = """
import resource, sys, lamina, lamina.nn.functional as F
lamina.set_num_threads(1)
x, w = lamina.randn(4096, 64, requires_grad=True), (lamina.randn(32000, 64) * 0.1).requires_grad_()
target = lamina.randint(0, 32000, (4096,))
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
before = peak()
if sys.argv[1] == "one":
    F.linear_cross_entropy(x, w, target).backward()
else:
    F.cross_entropy(F.linear(x, w), target).backward()
print(peak() - before)
"""


@pytest.mark.slow
def test_memory_is_a_quarter_of_the_two_steps():
    used = [
        int(subprocess.run([sys.executable, "-c", MEMORY, way], capture_output=True, text=True, check=True).stdout)
        for way in ("one", "two")
    ]
    assert used[0] <= 0.25 * used[1], used


@pytest.mark.parametrize(
    "call",
    [
        lambda: F.linear_cross_entropy(lamina.zeros(2, 3), lamina.zeros(4, 5), lamina.tensor([0, 1])),
        lambda: F.linear_cross_entropy(lamina.zeros(2, 3), lamina.zeros(4, 3), lamina.tensor([0, 4])),
        lambda: F.linear_cross_entropy(lamina.zeros(2, 3), lamina.zeros(4, 3), lamina.tensor([0])),
        lambda: F.linear_cross_entropy(lamina.zeros(2, 3), lamina.zeros(4, 3), lamina.tensor([0, 1]), reduction="avg"),
        lambda: F.linear_cross_entropy(
            lamina.zeros(2, 3), lamina.zeros(4, 3), lamina.tensor([0, 1]), linear_bias=lamina.zeros(3)
        ),
        lambda: F.linear_cross_entropy(lamina.zeros(3), lamina.zeros(4, 2, 3), lamina.tensor(0)),
        lambda: nn.LinearCrossEntropyLoss(3, 4, label_smoothing=2.0),
        lambda: nn.LinearCrossEntropyLoss(3, 4, weight=lamina.ones(3)),
        lambda: nn.AdaptiveLogSoftmaxWithLoss(8, 20, cutoffs=[10, 4]),
        lambda: nn.AdaptiveLogSoftmaxWithLoss(8, 20, cutoffs=[4, 20]),
        lambda: nn.AdaptiveLogSoftmaxWithLoss(8, 20, cutoffs=[4])(lamina.zeros(2, 8), lamina.tensor([0, 20])),
        lambda: nn.AdaptiveLogSoftmaxWithLoss(8, 20, cutoffs=[4])(lamina.zeros(2, 8), lamina.tensor([0])),
    ],
)
def test_refused(call):
    with pytest.raises((ValueError, IndexError)):
        call()


@needs_torch
@pytest.mark.parametrize(("cutoffs", "div", "bias"), [([4, 10], 4.0, False), ([2], 2.0, True), ([1, 5, 19], 1.5, True)])
def test_adaptive_softmax_equals_torch(cutoffs, div, bias):
    theirs = torch.nn.AdaptiveLogSoftmaxWithLoss(16, 20, cutoffs, div, bias, dtype=torch.float64)
    ours = nn.AdaptiveLogSoftmaxWithLoss(16, 20, cutoffs, div, bias, dtype=lamina.float64)
    ours.load_state_dict({k: lamina.tensor(v.numpy()) for k, v in theirs.state_dict().items()})
    x, target = R.normal(size=(30, 16)), R.integers(0, 20, 30)
    a, b = ours(lamina.tensor(x), lamina.tensor(target)), theirs(torch.tensor(x), torch.tensor(target))
    np.testing.assert_allclose(a.output.detach().numpy(), b.output.detach().numpy(), rtol=1e-12)
    a.loss.backward()
    b.loss.backward()
    for p, q in zip(ours.parameters(), theirs.parameters(), strict=True):
        np.testing.assert_allclose(p.grad.numpy(), q.grad.numpy(), rtol=1e-9, atol=1e-14)
    with lamina.no_grad():
        np.testing.assert_allclose(
            ours.log_prob(lamina.tensor(x)).numpy(), theirs.log_prob(torch.tensor(x)).detach().numpy(), rtol=1e-10
        )
        assert ours.predict(lamina.tensor(x)).tolist() == theirs.predict(torch.tensor(x)).tolist()
        alone = ours(lamina.tensor(x[0]), lamina.tensor(target[0]))
    assert alone.output.shape == () and alone.output.item() == pytest.approx(a.output[0].item(), rel=1e-12)
    ours.reset_parameters()


@needs_torch
@pytest.mark.parametrize("rank", [2, 3])
@pytest.mark.parametrize("by_ratio", [False, True])
@pytest.mark.parametrize("batched", [True, False])
def test_fractional_pools_equal_torch(rank, by_ratio, batched):
    sizes, kernel = (9, 12, 7)[-rank:], (2, 3, 2)[-rank:]
    x, samples = R.normal(size=(2, 3, *sizes)), R.uniform(size=(2, 3, rank))
    if not batched:
        x, samples = x[0], samples[:1]
    options = {"output_ratio": (0.5, 0.6, 0.7)[-rank:]} if by_ratio else {"output_size": (4, 5, 3)[-rank:]}
    found = []
    for module in (lamina, torch):
        t = module.tensor(x, requires_grad=True)
        pool = getattr(module.nn, f"FractionalMaxPool{rank}d")
        layer = pool(kernel, **options, return_indices=True, _random_samples=module.tensor(samples))
        y, places = layer(t)
        (y * module.tensor(np.cos(np.arange(y.numel())).reshape(y.shape))).sum().backward()
        found.append((y.detach().numpy(), places.numpy(), t.grad.numpy()))
    for a, b in zip(*found, strict=True):
        np.testing.assert_array_equal(a, b)


def test_fractional_pools_draw_and_refuse():
    lamina.manual_seed(0)
    x, pool = lamina.rand(1, 2, 20, 20), nn.FractionalMaxPool2d(2, output_ratio=0.6)
    first, second = pool(x), pool(x)
    assert first.shape == (1, 2, 12, 12) and first.tolist() != second.tolist()
    lamina.manual_seed(0)
    lamina.rand(1, 2, 20, 20)
    assert pool(x).tolist() == first.tolist()
    assert F.fractional_max_pool2d_with_indices(x, 3, output_size=4)[1].dtype == lamina.int64
    for bad in (
        lambda: nn.FractionalMaxPool2d(2),
        lambda: nn.FractionalMaxPool2d(2, output_size=2, output_ratio=0.5),
        lambda: nn.FractionalMaxPool2d(2, output_ratio=1.5),
        lambda: F.fractional_max_pool2d(x, 2, output_size=20),
        lambda: F.fractional_max_pool2d(x, (2, 2, 2), output_size=2),
        lambda: F.fractional_max_pool3d(x[0, 0], 2, output_size=2),
        lambda: F.fractional_max_pool2d(x, 2, output_size=4, _random_samples=lamina.zeros(1, 1, 2)),
    ):
        with pytest.raises(ValueError, match="ractional"):
            bad()
