"""In-place operations with and without views: values and gradients as in PyTorch, and what is refused."""

from __future__ import annotations

import lamina
import numpy as np
import pytest
from conftest import needs_torch, torch

R = np.random.default_rng(5)
A, B, ROW = R.standard_normal((4, 3)), R.standard_normal((4, 3)), R.standard_normal(3)
INDEX, MASK = np.array([0, 2, 2]), R.random((4, 3)) < 0.5
DIFFERENT = np.array([2, 0, 3])  # where places repeat, PyTorch gives overwritten values a gradient


def select_mul(x, w, m):
    y = x * 1.0
    y[0].mul_(w[0])
    return y


def slice_add(x, w, m):
    y = x * 2.0
    y[:, 1] += w[:, 0]
    return y


def view_then_use_view(x, w, m):
    y = x * 1.0
    v = y.view(-1)
    v.mul_(w.view(-1))
    return y + v.view(4, 3) * 2.0


def write_base_use_old_view(x, w, m):
    y = x * 1.0
    v = y[1:3]
    y.mul_(w)
    return v * v


def chain_of_views(x, w, m):
    y = x * 1.0
    y.t()[1].view(2, 2)[0].add_(w[0, 0])
    return y * w


def fresh_base(x, w, m):
    y = m.zeros(4, 3, dtype=m.float64)
    y[1] = x[0] * w[1]
    y[2:] = w[:2]
    return y * x


def two_writes(x, w, m):
    y = x * 1.0
    y[0] = w[0] * 2.0
    y[0] = y[0].clone() * w[1]
    y[1:3].sub_(x[1:3] * 3.0)
    return y


def write_twice_through_one_view(x, w, m):
    y = x * 1.0
    v = y[:2]
    v.mul_(w[:2])
    v.add_(w[2:])
    return y.exp() + (v * 2.0).sum()


def two_views(x, w, m):
    y = x * 1.0
    a, b = y[:2], y[1:3]
    a.mul_(w[:2])
    b.add_(a * 1.0)
    return y + a.sum() * b.sum()


def base_after_view(x, w, m):
    y = x * 1.0
    v = y[0]
    v.mul_(w[0])
    y.add_(w)
    v.mul_(2.0)
    return y * y


def fill_part(x, w, m):
    y = x * w
    y[1:3, 0] = 5.0
    y[3].zero_()
    return y * w


def copy_broadcast(x, w, m):
    y = x * 1.0
    y[:, 1:] = w[:, :1]
    y.copy_(y.clone() * w[0])
    return y


def self_multiply(x, w, m):
    y = x * 1.0
    y.mul_(y.clone())
    y[0].mul_(y[1].clone())
    return y * w


def transpose_write(x, w, m):
    y = (x * 1.0).t()
    y[1:].mul_(w.t()[1:])
    return y.exp()


def stepped(x, w, m):
    y = x * 1.0
    y[::2] *= w[::2]
    y[1::2, ::2] = w[1::2, ::2] * x[1::2, 1:2]
    return y


def channels(x, w, m):
    y = (x * 1.0).view(1, 4, 3, 1).permute(0, 2, 1, 3)
    y[:, 0].mul_(w[:, 0].view(1, 4, 1))
    return y


def put(x, w, m):
    y = x * 1.0
    y[m.tensor(DIFFERENT)] = w[1:]
    return y * x


def put_into_view(x, w, m):
    y = x * 1.0
    y[1:][m.tensor(INDEX[:1]), 1:] = w[0, 1:]
    y[:, m.tensor([2, 0])] *= 3.0
    return y * w


def put_accumulate(x, w, m):
    y = x * 1.0
    y.index_put_((m.tensor(INDEX),), w[1:], accumulate=True)
    y[0].index_put_((m.tensor(INDEX),), w[3], accumulate=True)
    return y * y


def masked(x, w, m):
    y = x * w
    y[m.tensor(MASK)] = 0.5
    y[1:].masked_fill_(m.tensor(MASK[1:]), w[0, 0])
    return y * x


def masked_values(x, w, m):
    y = x * w
    y[m.tensor(MASK)] = w[m.tensor(MASK)] * 2.0
    return y * x


def index_family(x, w, m):
    y = x * 1.0
    y.index_add_(0, m.tensor(INDEX), w[:3], alpha=2)
    y.index_copy_(1, m.tensor([2]), w[:, :1])
    y.index_fill_(0, m.tensor([1]), 3.0)
    return y * w


def scatter_family(x, w, m):
    y = x * 1.0
    i = m.tensor([[0, 1, 2], [2, 0, 1]])
    y.scatter_(0, i, w[:2])
    y.scatter_add_(1, i, w[1:3])
    y[2:].scatter_(1, i, 2.5)
    return y * w


def clamp_family(x, w, m):
    y = x * 1.0
    y[:2].clamp_(-0.5, 0.5)
    y[2:].clamp_(min=w[0])
    y.div_(w.exp())
    y[0].sub_(w[0], alpha=2)
    return y


def relu_inplace(x, w, m):
    y = x * 1.0
    m.nn.functional.relu(y[1:], inplace=True)
    return y * w


def detached_write(x, w, m):
    y = x * 1.0
    y.detach().add_(1.0)
    return y * 2.0 + w


def expanded_value(x, w, m):
    y = m.zeros(2, 4, 3, dtype=m.float64)
    y[0] = x
    y[1] = w.sum()
    return y.exp()


PROGRAMS = [
    select_mul, slice_add, view_then_use_view, write_base_use_old_view, chain_of_views, fresh_base, two_writes, write_twice_through_one_view,
    two_views, base_after_view, fill_part, copy_broadcast, self_multiply, transpose_write, stepped, channels, put, put_into_view, put_accumulate,
    masked, masked_values, index_family, scatter_family, clamp_family, relu_inplace, detached_write, expanded_value,
]  # fmt: skip


def run(program, m, second):
    x, w = (m.tensor(a, requires_grad=True) for a in (A, B))
    y = program(x, w, m)
    weight = m.tensor(np.cos(np.arange(y.numel())).reshape(tuple(y.shape)))
    grad = lamina._C._autograd.grad if m is lamina else torch.autograd.grad
    value = (y * weight).sum()
    g = grad(value, [x, w], create_graph=second, allow_unused=True)
    out = [y, *g]
    if second:
        total = sum((t * t).sum() for t in g if t is not None)
        out += grad(total, [x, w], allow_unused=True) if total.requires_grad else []
    return [None if t is None else t.detach().numpy() for t in out]


@needs_torch
@pytest.mark.parametrize("second", [False, True], ids=["first", "second"])
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda p: p.__name__)
def test_gradients_as_in_torch(program, second):
    ours, theirs = run(program, lamina, second), run(program, torch, second)
    assert len(ours) == len(theirs)
    for o, t in zip(ours, theirs, strict=True):
        if o is None or t is None:
            assert (o is None or not o.any()) and (t is None or not t.any())
        else:
            np.testing.assert_allclose(o, t, rtol=1e-10, atol=1e-10)


def test_a_view_times_its_neighbour():
    """PyTorch refuses this one; lamina keeps the values that the gradient reads."""
    a = lamina.tensor(A, requires_grad=True)
    y = a * 1.0
    y[0].mul_(y[1])
    y.sum().backward()
    expected = np.ones_like(A)
    expected[0], expected[1] = A[1], 1 + A[0]
    np.testing.assert_allclose(a.grad.numpy(), expected, rtol=1e-14)


def test_overlapping_views_add_their_gradients():
    for strides, size in [((1, 1), (3, 2)), ((0, 1), (5, 4)), ((2, 1), (3, 3))]:
        a = lamina.tensor(A.ravel()[:8], requires_grad=True)
        weight = np.cos(np.arange(np.prod(size))).reshape(size)
        y = a * 1.0
        (y.as_strided(size, strides, 0) * lamina.tensor(weight)).sum().backward()
        expected = np.zeros(8)
        np.add.at(expected, np.add.outer(np.arange(size[0]) * strides[0], np.arange(size[1]) * strides[1]), weight)
        np.testing.assert_allclose(a.grad.numpy(), expected, rtol=1e-13)


def test_writes_into_reversed_memory():
    base = lamina.from_numpy(np.zeros(4)[::-1])
    w = lamina.tensor([2.0, 3.0], dtype=lamina.float64, requires_grad=True)
    base[1:3] = w * w
    (base * lamina.tensor([1.0, 2.0, 3.0, 4.0], dtype=lamina.float64)).sum().backward()
    assert w.grad.tolist() == [2 * 2 * 2, 2 * 3 * 3]


def test_infinite_gradients_stay_outside_what_was_overwritten():
    x = lamina.zeros(2, requires_grad=True)
    y = x * 1.0
    y[0] = 4.0
    y.sqrt().sum().backward()
    assert x.grad.tolist() == [0.0, float("inf")]


def test_what_may_not_be_written():
    leaf = lamina.ones(3, requires_grad=True)
    for write in (
        lambda: leaf.mul_(2),
        lambda: leaf[0].mul_(2),
        lambda: leaf.__setitem__(0, 1.0),
        lambda: leaf[[0]].__class__ and leaf.index_put_([lamina.tensor([0])], lamina.ones(1)),
    ):
        with pytest.raises(RuntimeError, match="leaf"):
            write()
    with lamina.no_grad():
        leaf[0] = 5.0
    assert leaf.tolist() == [5, 1, 1] and leaf.is_leaf
    expanded = lamina.ones(1).expand(3)
    for write in (
        lambda: expanded.add_(1),
        lambda: expanded.__setitem__([0], 2.0),
        lambda: expanded.__setitem__(lamina.tensor([True] * 3), 2.0),
    ):
        with pytest.raises(ValueError, match="expanded"):
            write()
    fixed = np.ones(3)
    fixed.flags.writeable = False
    with pytest.raises(ValueError, match="read-only"):
        lamina.from_numpy(fixed)[[0]] = 2.0
    x = lamina.arange(3)
    with pytest.raises(ValueError, match="shares memory"):
        x.index_put_([x], lamina.zeros(3, dtype=lamina.int64))


def test_a_write_after_use_is_caught():
    x = lamina.ones(3, requires_grad=True)
    y = x * 2
    z = y * y
    y[0] = 7.0
    with pytest.raises(RuntimeError):
        z.sum().backward()


def test_failed_writes_change_nothing():
    x, index = lamina.zeros(3, 4), lamina.tensor([[0, 1, 2, 9]])
    for write in (lambda: x.scatter_(0, index, 1.0), lambda: x.scatter_add_(0, index, lamina.ones(1, 4)), lambda: x.index_add_(0, lamina.tensor([0, 3]), lamina.ones(2, 4)),
                  lambda: x.index_put_([lamina.tensor([0, 5])], lamina.ones(1)), lambda: x.gather(1, lamina.tensor([[-1]])), lambda: x.index_select(0, lamina.tensor([3]))):  # fmt: skip
        with pytest.raises(IndexError, match=r"index -?\d is out of range for dim \d of size \d"):
            write()
    assert not x.any().item()
    with pytest.raises(ValueError, match="no larger"):
        x.scatter_(0, lamina.zeros(2, 5, dtype=lamina.int64), 1.0)
    with pytest.raises(ValueError, match="no larger"):
        x.scatter_(0, lamina.zeros(2, 4, dtype=lamina.int64), lamina.ones(1, 4))
    with pytest.raises(TypeError, match="int64"):
        x.gather(0, lamina.zeros(1, 4))


def test_halves_and_small_integers_add_wide():
    x = lamina.zeros(2, dtype=lamina.float16).scatter_add_(
        0, lamina.zeros(3000, dtype=lamina.int64), lamina.ones(3000, dtype=lamina.float16)
    )
    assert x.tolist() == [3000, 0]  # 2049 is not a half: adding in halves would stop at 2048
    y = lamina.zeros(2, dtype=lamina.uint8).index_add_(
        0, lamina.tensor([1, 1]), lamina.tensor([200, 57], dtype=lamina.uint8)
    )
    assert y.tolist() == [0, 1]


FORMS = [
    lambda m, x: m.clamp(x, -0.5, 0.5), lambda m, x: m.clamp(x, min=0.1), lambda m, x: m.clamp(x, max=m.tensor(ROW)), lambda m, x: x.clamp(None, 0.3),
    lambda m, x: m.clamp(x, m.tensor(ROW), m.tensor(ROW) + 1), lambda m, x: m.clip(x, -1, 1), lambda m, x: m.clamp(m.tensor([1, 5, 9]), 2, 6), lambda m, x: m.clamp(m.tensor([1, 5]), 1.5),
    lambda m, x: m.div(x, 0.3, rounding_mode="floor"), lambda m, x: m.div(x, 0.3, rounding_mode="trunc"), lambda m, x: x.div(2), lambda m, x: m.div(m.tensor([7, -7]), 2, rounding_mode="floor"),
    lambda m, x: m.div(m.tensor([7, -7]), 2), lambda m, x: m.true_divide(x, 2), lambda m, x: x.divide(3.0), lambda m, x: m.multiply(x, x), lambda m, x: x.subtract(1),
    lambda m, x: m.add(x, x, alpha=3), lambda m, x: m.sub(x, 1, alpha=2), lambda m, x: x.add(x, alpha=0.5), lambda m, x: m.absolute(x), lambda m, x: x.negative(),
    lambda m, x: m.greater(x, 0), lambda m, x: m.less_equal(x, 0), lambda m, x: x.eq(x), lambda m, x: x.not_equal(0.0), lambda m, x: x.lt(0.5), lambda m, x: x.ge(m.tensor(ROW)),
    lambda m, x: m.round(x, decimals=1), lambda m, x: m.round(x * 100, decimals=-1), lambda m, x: x.round(), lambda m, x: m.pow(x.abs(), exponent=1.5), lambda m, x: m.pow(2, x), lambda m, x: x.pow(2),
    lambda m, x: 2.0**x, lambda m, x: m.lerp(x, x * 2, 0.25), lambda m, x: m.lerp(x, x * 2, m.tensor(ROW)), lambda m, x: x.lerp(end=x + 1, weight=0.5),
    lambda m, x: m.where(x > 0, x, 0.0), lambda m, x: m.where(x > 0, 1.0, 0.0), lambda m, x: m.where(condition=x > 0, input=x, other=-x), lambda m, x: x.where(x > 0, -1.0),
    lambda m, x: m.where(x > 0), lambda m, x: m.nonzero(x > 0), lambda m, x: (x > 0).nonzero(as_tuple=True), lambda m, x: m.atan2(x, other=x + 3), lambda m, x: m.remainder(x, 0.7), lambda m, x: m.fmod(x, 0.7),
    lambda m, x: m.nn.functional.gelu(x), lambda m, x: m.nn.functional.gelu(x, approximate="tanh"), lambda m, x: m.nn.functional.softplus(x, beta=2, threshold=1), lambda m, x: m.nn.functional.softplus(x, 2, 1),
    lambda m, x: m.nn.functional.hardtanh(x, min_val=-0.2, max_val=0.3), lambda m, x: m.nn.functional.hardtanh(x, -0.2, 0.3), lambda m, x: m.nn.functional.elu(x, alpha=0.5), lambda m, x: m.nn.functional.elu(x, 0.5),
    lambda m, x: m.nn.functional.leaky_relu(x, 0.2), lambda m, x: m.nn.functional.leaky_relu(x, negative_slope=0.2, inplace=False), lambda m, x: m.nn.functional.relu(x * 1, inplace=True),
    lambda m, x: m.nn.functional.relu(x * 1, True), lambda m, x: m.nn.functional.silu(x * 1, inplace=True), lambda m, x: m.nn.functional.selu(x), lambda m, x: m.nn.functional.relu6(x), lambda m, x: m.nn.functional.mish(x),
    lambda m, x: m.nn.functional.hardsigmoid(x), lambda m, x: m.nn.functional.hardswish(x), lambda m, x: m.nn.functional.logsigmoid(x), lambda m, x: m.concat([x, x]), lambda m, x: m.concatenate((x, x), axis=1),
    lambda m, x: m.swapaxes(x, 0, 1), lambda m, x: x.moveaxis(0, 1), lambda m, x: m.cat([x, m.tensor(INDEX[:, None] * m.ones(3).numpy()).long()]), lambda m, x: x.split([1, 3])[1], lambda m, x: x.repeat(2, 1),
    lambda m, x: x.flip(0, 1), lambda m, x: x.flip([0]), lambda m, x: m.nn.functional.one_hot(m.tensor(INDEX), num_classes=4), lambda m, x: m.masked_select(x, x > 0), lambda m, x: x.index_select(1, m.tensor([0, 0])),
    lambda m, x: m.nn.functional.pad(x, (1, 2), value=1), lambda m, x: m.nn.functional.pad(x, (1, 1), "reflect"), lambda m, x: m.scatter(x, 0, m.tensor([[0, 1, 2]]), m.ones(1, 3, dtype=m.float64), reduce="add"),
    lambda m, x: m.logical_and(x > 0, x < 1), lambda m, x: ~(x > 0), lambda m, x: m.bitwise_xor(m.tensor([5]), 3), lambda m, x: m.sign(x), lambda m, x: m.logical_not(x), lambda m, x: x.square(), lambda m, x: m.isfinite(x),
]  # fmt: skip


@needs_torch
@pytest.mark.parametrize("number", range(len(FORMS)))
def test_forms_as_in_torch(number):
    form = FORMS[number]
    ours, theirs = form(lamina, lamina.tensor(A)), form(torch, torch.tensor(A))
    ours, theirs = (list(r) if isinstance(r, (tuple, list)) else [r] for r in (ours, theirs))
    assert len(ours) == len(theirs)
    for o, t in zip(ours, theirs, strict=True):
        assert o.shape == tuple(t.shape)
        assert str(o.dtype).split(".")[1] == str(t.dtype).split(".")[1]
        np.testing.assert_allclose(o.numpy(), t.numpy(), rtol=1e-12, atol=1e-12)


# ---- views made where nothing is recorded ----


def hidden_view(m, kind, mode):
    """A view of a plain tensor, a leaf or a result, made under no_grad or inference_mode."""
    x = m.ones(4, requires_grad=kind != "plain")
    base = x * 2 if kind == "result" else x
    with getattr(m, mode)():
        return base, base[:2]


HIDDEN_WRITES = {
    "number": lambda m, v, w: v.mul_(2),
    "tensor": lambda m, v, w: v.mul_(w),
    "operator": lambda m, v, w: v.__iadd__(w),
    "copy": lambda m, v, w: v.copy_(w),
    "fill": lambda m, v, w: v.fill_(1),
    "set": lambda m, v, w: v.__setitem__(0, w[1]),
    "masked": lambda m, v, w: v.masked_fill_(w > 0, 1.0),
    "index": lambda m, v, w: v.index_add_(0, m.tensor([0]), w[:1]),
    "further": lambda m, v, w: v.view(2, 1)[:, 0].mul_(w),
    "quiet": lambda m, v, w: m.no_grad()(lambda: v.mul_(w))(),
    "detached": lambda m, v, w: v.detach().mul_(w),
    "cloned": lambda m, v, w: v.clone().mul_(w),
    "constant": lambda m, v, w: v.mul_(w.detach()),
    "compare": lambda m, v, w: v.gt_(0),
}


@needs_torch
@pytest.mark.parametrize("mode", ["no_grad", "inference_mode"])
@pytest.mark.parametrize("kind", ["plain", "leaf", "result"])
@pytest.mark.parametrize("write", HIDDEN_WRITES)
def test_a_view_made_without_recording_is_refused_as_in_torch(mode, kind, write):
    outcome = []
    for m in (torch, lamina):
        base, v = hidden_view(m, kind, mode)
        w = m.tensor([2.0, 3.0], requires_grad=True)
        try:
            HIDDEN_WRITES[write](m, v, w)
            outcome.append("written")
        except RuntimeError:
            outcome.append("refused")
            assert v.tolist() == base[:2].tolist() == [2.0 if kind == "result" else 1.0] * 2
    assert outcome[0] == outcome[1]


@pytest.mark.parametrize("mode", ["no_grad", "inference_mode"])
def test_the_error_names_the_view(mode):
    _, v = hidden_view(lamina, "plain", mode)
    with pytest.raises(lamina.GradError, match=rf"mul_: self is a view made in {mode}.*self \(2,\) float32.*clone"):
        v.mul_(lamina.ones(2, requires_grad=True))
    for part in lamina.no_grad()(lambda: lamina.ones(4).chunk(2))():
        with pytest.raises(lamina.GradError, match="view made in no_grad"):
            part += lamina.ones(2, requires_grad=True)


# ---- comparisons ----

COMPARISONS = ["eq_", "ne_", "lt_", "le_", "gt_", "ge_", "logical_and_", "logical_or_", "logical_xor_"]
LONG_NAMES = ["not_equal_", "less_", "less_equal_", "greater_", "greater_equal_"]


@needs_torch
@pytest.mark.parametrize("name", COMPARISONS + LONG_NAMES)
@pytest.mark.parametrize("dtype", ["float32", "float64", "bfloat16", "float16", "int64", "int32", "uint8", "bool"])
def test_comparisons_in_place(name, dtype):
    def both(other):
        out = []
        for m in (lamina, torch):
            a = m.tensor([[0, 1, 2], [3, 1, 0]]).to(getattr(m, dtype))
            b = other(m)
            assert getattr(a, name)(b) is a
            out.append((str(a.dtype).split(".")[-1], a.tolist()))
        assert out[0] == out[1]

    both(lambda m: m.tensor([[0, 2, 2], [1, 1, 1]]))
    both(lambda m: m.tensor([0.5, 1.0, 0.0]))
    both(lambda m: m.tensor([True, False, True]))
    if not name.startswith("logical"):
        both(lambda m: 1)
        both(lambda m: 0.5)


@needs_torch
def test_logical_not_in_place():
    for dtype in ("float32", "int64", "bool"):
        for m in (lamina, torch):
            x = m.tensor([0, 2, 1]).to(getattr(m, dtype))
            assert x.logical_not_() is x and x.dtype == getattr(m, dtype) and x.tolist() == [1, 0, 0]


@pytest.mark.parametrize("name", [*COMPARISONS, "logical_not_"])
def test_a_comparison_in_place_ends_the_history(name):
    x = lamina.arange(4.0).requires_grad_()
    y = x * 2
    args = () if name == "logical_not_" else (lamina.ones(2),)
    getattr(y[:2], name)(*args)  # only the part written
    y.sum().backward()
    assert x.grad.tolist() == [0, 0, 2, 2]
    with pytest.raises(lamina.GradError, match="leaf"):
        getattr(x, name)(*(lamina.ones(4) for _ in args))
    with pytest.raises(lamina.ShapeError):
        getattr(lamina.ones(2), name if args else "eq_")(lamina.ones(3, 2))


@pytest.mark.parametrize("exponent", [2, 3.0, 0.5, -1, lamina.tensor(2.0)], ids=str)
@pytest.mark.parametrize("write", [lambda y: y.div_(2), lambda y: y.mul_(3.0), lambda y: y.add_(1)])
def test_the_result_of_a_power_may_be_written(exponent, write):
    x = lamina.tensor([1.0, 4.0], requires_grad=True)
    write(x**exponent).sum().backward()
    z = x.detach().clone().requires_grad_()
    write((z**exponent).clone()).sum().backward()
    assert lamina.equal(x.grad, z.grad)
    assert lamina.equal(
        lamina.autograd.grad((x**exponent).sum(), x, create_graph=True)[0], exponent * x ** (exponent - 1)
    )


def test_the_result_of_a_power_is_kept_for_its_exponent():
    exponent = lamina.tensor(2.0, requires_grad=True)
    y = lamina.tensor([1.0, 4.0]) ** exponent
    y.mul_(2.0)
    with pytest.raises(lamina.GradError, match="changed in place"):
        y.sum().backward()
