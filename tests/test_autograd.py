"""Gradients: graphs of every form, modes, hooks, in-place writes, anomaly mode, gradient checks."""

import gc
import threading
import warnings

import lamina
import numpy as np
import pytest
from lamina.autograd import GradcheckError, backward, detect_anomaly, grad, gradcheck, gradgradcheck, set_detect_anomaly

F64 = lamina.float64


def leaf(*values, dtype=F64):
    return lamina.tensor(list(values), dtype=dtype, requires_grad=True)


# ---- backward and grad ----


def test_diamond():
    x = leaf(1.5, -2.0)
    a = x * 2
    (a * x + a * a + x).sum().backward()
    assert x.grad.tolist() == [19.0, -23.0]


def test_same_tensor_many_times():
    x = leaf(2.0)
    (x * x * x + x + x).sum().backward()
    assert x.grad.tolist() == [14.0]


def test_accumulation_and_reset():
    x = leaf(1.0)
    for expected in (2.0, 4.0):
        (x * 2).sum().backward()
        assert x.grad.tolist() == [expected]
    kept = x.grad
    (x * 2).sum().backward()
    assert kept is x.grad and kept.tolist() == [6.0]  # added in place
    x.grad = None
    (x * 2).sum().backward()
    assert x.grad.tolist() == [2.0] and kept.tolist() == [6.0]


def test_first_gradient_is_not_the_callers_tensor():
    x, seed = leaf(1.0, 2.0), lamina.tensor([3.0, 4.0], dtype=F64)
    (x * 1).backward(seed)
    x.grad.add_(1)
    assert seed.tolist() == [3.0, 4.0]
    y = leaf(1.0, 2.0)
    z = leaf(1.0, 2.0)
    (y + z).backward(seed)
    y.grad.mul_(0)
    assert z.grad.tolist() == [3.0, 4.0] and seed.tolist() == [3.0, 4.0]


def test_roots():
    x = leaf(1.0, 2.0)
    with pytest.raises(lamina.GradError, match="implicitly"):
        (x * 2).backward()
    with pytest.raises(ValueError, match="shape"):
        (x * 2).backward(lamina.ones(3, dtype=F64))
    with pytest.raises(lamina.GradError, match="does not require grad"):
        x.detach().sum().backward()
    backward([(x * 2).sum(), x * 3], [None, lamina.tensor([1.0, 10.0], dtype=F64)])
    assert x.grad.tolist() == [5.0, 32.0]
    x.sum().backward()
    x.grad = None
    x.select(0, 0).backward()
    assert x.grad.tolist() == [1.0, 0.0]
    y = leaf(3.0).sum()
    backward([y, y])


def test_backward_from_a_leaf():
    x = leaf(1.0)
    x.backward(lamina.tensor([5.0], dtype=F64))
    assert x.grad.tolist() == [5.0]


def test_grad():
    x, y, z = leaf(1.0), leaf(2.0), leaf(3.0)
    loss = (x * y).sum()
    gx, gy = grad(loss, [x, y], retain_graph=True)
    assert gx.tolist() == [2.0] and gy.tolist() == [1.0] and x.grad is None and y.grad is None
    with pytest.raises(lamina.GradError, match="not used"):
        grad(loss, [x, z], retain_graph=True)
    assert grad(loss, [x, z], retain_graph=True, allow_unused=True)[1] is None
    assert grad(loss, [z], retain_graph=True, materialize_grads=True)[0].tolist() == [0.0]
    assert grad(loss, x)[0].tolist() == [2.0]
    with pytest.raises(lamina.GradError, match="retain_graph"):
        grad(loss, x)
    with pytest.raises(lamina.GradError, match="does not require grad"):
        grad((x * 1).sum(), lamina.ones(1))


def test_grad_of_intermediates():
    x = leaf(2.0)
    a = x * x
    b = a * 3
    loss = (b * a).sum()
    ga, gb = grad(loss, [a, b], retain_graph=True)
    assert ga.tolist() == [24.0] and gb.tolist() == [4.0]
    assert grad(loss, [x, a])[0].tolist() == [96.0]


def test_grad_leaves_other_leaves_alone():
    x, w = leaf(1.0), leaf(2.0)
    calls = []
    w.register_hook(lambda g: calls.append(1))
    grad((x * w).sum(), x)
    assert w.grad is None and calls == []


def test_backward_to_inputs_only():
    x, w = leaf(1.0), leaf(2.0)
    (x * w).sum().backward(inputs=[w])
    assert x.grad is None and w.grad.tolist() == [1.0]


def test_second_backward_is_refused():
    x = leaf(1.0)
    y = (x.exp() * x).sum()
    y.backward(retain_graph=True)
    y.backward()
    with pytest.raises(lamina.GradError, match="retain_graph=True"):
        y.backward()


def test_higher_derivatives():
    x = leaf(0.7)
    y = x.sin().sum()
    for expected in (x.cos(), -x.sin(), -x.cos(), x.sin()):
        (y,) = grad(y, x, create_graph=True)
        assert abs(y.item() - expected.item()) < 1e-12
        y = y.sum()


def test_create_graph_backward_gives_a_differentiable_grad():
    x = leaf(3.0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        (x * x * x).sum().backward(create_graph=True)
    assert x.grad.requires_grad
    (h,) = grad(x.grad.sum(), x)
    assert h.tolist() == [18.0]
    x.grad = None


@pytest.mark.parametrize("dtype", [lamina.float32, lamina.float16, lamina.bfloat16])
def test_mixed_dtypes(dtype):
    x, w = leaf(1.0, 2.0, dtype=dtype), leaf(3.0, 4.0)
    (x * w).sum().backward()
    assert x.grad.dtype == dtype and w.grad.dtype == F64
    assert x.grad.tolist() == [3.0, 4.0] and w.grad.tolist() == [1.0, 2.0]


def test_broadcast_gradients():
    x, y = lamina.ones(3, 1, dtype=F64, requires_grad=True), lamina.ones(1, 4, dtype=F64, requires_grad=True)
    (x * y).sum().backward()
    assert tuple(x.grad.shape) == (3, 1) and x.grad.tolist() == [[4.0]] * 3 and y.grad.tolist() == [[3.0] * 4]


# ---- modes ----


def test_modes():
    x = leaf(1.0)
    with lamina.no_grad():
        assert not lamina.is_grad_enabled() and not (x * 2).requires_grad
        with lamina.enable_grad():
            assert (x * 2).requires_grad
        assert not lamina.is_grad_enabled()
    with lamina.set_grad_enabled(False):
        assert not (x * 2).requires_grad
    assert lamina.is_grad_enabled()

    @lamina.no_grad()
    def f():
        return (x * 2).requires_grad

    assert not f() and lamina.is_grad_enabled()
    with pytest.raises(ZeroDivisionError), lamina.no_grad():
        raise ZeroDivisionError
    assert lamina.is_grad_enabled()


def test_inference_mode():
    x = leaf(1.0)
    with lamina.inference_mode():
        y = x * 2
        y.add_(1)
    assert not y.requires_grad
    with pytest.raises(lamina.GradError, match="inference_mode"):
        y.requires_grad_()
    assert (y * x).requires_grad


def test_modes_are_per_thread():
    seen = []
    with lamina.no_grad():
        t = threading.Thread(target=lambda: seen.append(lamina.is_grad_enabled()))
        t.start()
        t.join()
    assert seen == [True]


def test_leaf_rules():
    with pytest.raises(TypeError, match="floating"):
        lamina.tensor([1], requires_grad=True)
    x = leaf(1.0)
    y = x * 2
    assert x.is_leaf and not y.is_leaf and y.detach().is_leaf and lamina.ones(1).is_leaf
    with pytest.raises(lamina.GradError, match="leaf"):
        y.requires_grad_(False)
    with pytest.raises(lamina.GradError, match="must match"):
        x.grad = lamina.ones(2, dtype=F64)
    x.requires_grad_(False)
    assert not (x * 2).requires_grad


# ---- hooks ----


def test_hooks_order_change_and_removal():
    x = leaf(1.0)
    calls = []
    first = x.register_hook(lambda g: (calls.append("first"), g * 2)[1])
    second = x.register_hook(lambda g: calls.append("second"))
    (x * 3).sum().backward()
    assert calls == ["first", "second"] and x.grad.tolist() == [6.0]
    first.remove()
    first.remove()
    (x * 3).sum().backward()
    assert calls == ["first", "second", "second"] and x.grad.tolist() == [9.0]
    with second:
        pass
    (x * 3).sum().backward()
    assert len(calls) == 3


def test_hook_sees_the_whole_gradient_once():
    x = leaf(1.0)
    y = x * 1
    seen = []
    y.register_hook(lambda g: seen.append(g.tolist()))
    (y * 2 + y * 3).sum().backward()
    assert seen == [[5.0]]


def test_hook_on_an_intermediate_changes_what_flows_on():
    x = leaf(1.0)
    y = x * 2
    y.register_hook(lambda g: g * 10)
    y.retain_grad()
    y.sum().backward()
    assert x.grad.tolist() == [20.0] and y.grad.tolist() == [10.0]


def test_retain_grad():
    x = leaf(1.0)
    y = x * 2
    y.retain_grad()
    y.retain_grad()
    assert y.retains_grad
    (y * 3).sum().backward(retain_graph=True)
    assert y.grad.tolist() == [3.0]
    (y * 1).sum().backward()
    assert y.grad.tolist() == [4.0]


def test_post_accumulate_hook():
    x = leaf(1.0)
    seen = []
    handle = x.register_post_accumulate_grad_hook(lambda t: seen.append((t is x, t.grad.tolist())))
    (x * 2 + x).sum().backward()
    assert seen == [(True, [3.0])]
    handle.remove()
    x.sum().backward()
    assert len(seen) == 1
    with pytest.raises(lamina.GradError, match="leaf"):
        (x * 1).register_post_accumulate_grad_hook(print)


def test_step_in_post_accumulate_hook():
    x = leaf(1.0)

    def step(t):
        with lamina.no_grad():
            t.sub_(t.grad * 0.5)
        t.grad = None

    x.register_post_accumulate_grad_hook(step)
    (x * 2).sum().backward()
    assert x.tolist() == [0.0] and x.grad is None


@pytest.mark.parametrize(
    ("result", "error"),
    [
        (lambda g: g.sum(), lamina.GradError),
        (lambda g: g.float(), lamina.GradError),
        (lambda g: 3, TypeError),
        (lambda g: 1 / 0, ZeroDivisionError),
    ],
)
def test_bad_hooks_leave_the_engine_clean(result, error):
    x = leaf(1.0, 2.0)
    y = x * 2
    h = y.register_hook(result)
    with pytest.raises(error):
        y.sum().backward(retain_graph=True)
    assert lamina.is_grad_enabled() and x.grad is None
    h.remove()
    y.sum().backward()
    assert x.grad.tolist() == [2.0, 2.0]


def test_hook_rules():
    with pytest.raises(lamina.GradError, match="does not require grad"):
        lamina.ones(1).register_hook(print)
    with pytest.raises(TypeError, match="callable"):
        leaf(1.0).register_hook(3)


def test_hook_that_removes_and_adds_hooks():
    x = leaf(1.0)
    calls = []

    def one(g):
        calls.append("one")
        handle.remove()
        x.register_hook(lambda g: calls.append("new"))

    handle = x.register_hook(one)
    x.register_hook(lambda g: calls.append("two"))
    x.sum().backward()
    x.sum().backward()
    assert calls.count("one") == 1 and calls.count("two") == 2 and calls.count("new") >= 1


def test_handle_does_not_keep_the_graph():
    gc.collect()
    before = lamina.memory_stats()["allocated"]
    x = leaf(1.0)
    y = lamina.zeros(1 << 18, dtype=F64, requires_grad=True) * x
    handle = y.register_hook(print)
    del x, y
    gc.collect()
    assert lamina.memory_stats()["allocated"] == before
    handle.remove()


def test_backward_inside_a_hook():
    x, w = leaf(2.0), leaf(3.0)

    def hook(g):
        with lamina.enable_grad():
            (w * w).sum().backward()

    y = x * x
    y.register_hook(hook)
    y.sum().backward()
    assert x.grad.tolist() == [4.0] and w.grad.tolist() == [6.0]


# ---- in place ----


def test_in_place_gradients():
    x = leaf(1.0, 2.0)
    y = x * 1
    y.mul_(3).add_(1).mul_(2)
    y.sum().backward()
    assert x.grad.tolist() == [6.0, 6.0]
    x, w = leaf(1.0, 2.0), leaf(3.0, 5.0)
    y = x * 1
    y.mul_(w)
    y.div_(w * w)
    y.pow_(2)
    y.sum().backward()  # sum (x / w) ** 2
    for got, expected in zip(x.grad.tolist() + w.grad.tolist(), [2 / 9, 4 / 25, -2 / 27, -8 / 125], strict=True):
        assert abs(got - expected) < 1e-12


def test_writes_that_do_not_matter_are_allowed():
    x = leaf(1.0, 2.0)
    a = x * 1
    b = a * 3
    c = a / 2
    a.add_(1)
    (b + c).sum().backward()
    assert x.grad.tolist() == [3.5, 3.5]


def test_in_place_through_views():
    x = leaf(1.0, 2.0, 3.0)
    y = x * 1
    y.narrow(0, 0, 2).mul_(10)
    y.sum().backward()
    assert x.grad.tolist() == [10.0, 10.0, 1.0]
    x = leaf(1.0, 2.0, 3.0)
    y = x * 1
    v = y.narrow(0, 1, 2)
    y.mul_(2)
    v.sum().backward()
    assert x.grad.tolist() == [0.0, 2.0, 2.0]


def test_version_errors():
    x = leaf(1.0, 2.0)
    for write in (
        lambda y: y.add_(1),
        lambda y: y.narrow(0, 0, 1).zero_(),
        lambda y: y.detach().mul_(2),
        lambda y: y.data.fill_(0),
    ):
        y = x * 1
        z = y * y
        write(y)
        with pytest.raises(lamina.GradError, match=r"changed in place.*version 1, expected 0"):
            z.sum().backward()
    y = x.exp()
    y.add_(1)
    with pytest.raises(lamina.GradError, match="exp"):
        y.sum().backward()


def test_writing_leaves():
    x = leaf(1.0)
    with pytest.raises(lamina.GradError, match="leaf"):
        x.add_(1)
    with pytest.raises(lamina.GradError, match="leaf"):
        x.narrow(0, 0, 1).add_(1)
    with lamina.no_grad():
        x.add_(1)
    x.detach().add_(1)
    assert x.tolist() == [3.0] and x._version == 2


# ---- anomaly mode ----


def test_anomaly_names_the_forward():
    x = leaf(-1.0)

    def forward_place():
        return (x.sqrt() * 0).sum()

    with detect_anomaly():
        y = forward_place()
        with pytest.raises(lamina.GradError) as caught:
            y.backward()
    text = str(caught.value)
    assert "sqrt" in text and "forward_place" in text and "test_autograd.py" in text
    assert not lamina.is_anomaly_enabled()
    with set_detect_anomaly(True):
        assert lamina.is_anomaly_enabled()
    assert not lamina.is_anomaly_enabled()
    forward_place().backward()  # without anomaly mode NaN passes
    assert x.grad.isnan().tolist() == [True]


# ---- gradient checks ----


def test_gradcheck_finds_mistakes():
    class Wrong(lamina.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * x

        @staticmethod
        def backward(ctx, g):
            return g * 3

    x = leaf(1.0, 2.0)
    with pytest.raises(
        GradcheckError,
        match=r"output 0 with respect to input 0: d output\[0\] / d input\[0\] is 3, by central differences 2",
    ):
        gradcheck(Wrong.apply, (x,))
    assert gradcheck(Wrong.apply, (x,), raise_exception=False) is False
    with pytest.raises(ValueError, match="float64"):
        gradcheck(lambda t: t * 2, (leaf(1.0, dtype=lamina.float32),))
    with pytest.raises(ValueError, match="requires_grad"):
        gradcheck(lambda t: t * 2, (lamina.ones(1, dtype=F64),))


def test_gradcheck_passes():
    x, y = leaf(0.3, -0.8, 1.7), leaf(1.1, 0.4, -2.0)
    assert gradcheck(lambda a, b: (a * b, (a + b).exp()), (x, y))
    assert gradgradcheck(lambda a, b: (a * b, (a * b).exp()), (x, y))
    assert gradcheck(lambda a: a.sum(), x)
    m = lamina.tensor([[1.0, 2.0], [3.0, 4.5]], dtype=F64, requires_grad=True)
    assert gradcheck(lambda a: a.t().matmul(a), (m,)) and gradgradcheck(lambda a: a.t().matmul(a), (m,))
    assert gradcheck(lambda a: a * 2, (lamina.zeros(0, 3, dtype=F64, requires_grad=True),))


def test_gradgradcheck_finds_mistakes():
    class Wrong(lamina.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * x * x

        @staticmethod
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            return g * 3 * (x * x).detach()

    x = leaf(1.0, 2.0)
    assert gradcheck(Wrong.apply, (x,))
    with pytest.raises(GradcheckError):
        gradgradcheck(Wrong.apply, (x,))


def test_views_of_expanded_tensors_count_a_gradient_once():
    x = lamina.randn(3, 3, dtype=lamina.float64, requires_grad=True)
    x.expand(2, 3, 3).diagonal(0, -2, -1).sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), 2 * np.eye(3))
    x.grad = None
    lamina.as_strided(x[:1].expand(4, 3), (3,), (1,)).sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), [[1, 1, 1], [0, 0, 0], [0, 0, 0]])
    assert lamina.autograd.gradgradcheck(lambda t: t.expand(2, 3, 3).diagonal(0, -2, -1) ** 2, x)
