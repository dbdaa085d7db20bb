"""Custom functions: lamina.autograd.Function."""

import functools
import gc
import random
import traceback
import weakref

import lamina
import pytest
from lamina.autograd import Function, gradcheck, gradgradcheck, once_differentiable


class Cube(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x * x

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return g * 3 * x * x


class Exp(Function):
    @staticmethod
    def forward(ctx, x):
        y = x.exp()
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx, g):
        (y,) = ctx.saved_tensors
        return g * y


class SumAndProduct(Function):
    """Two outputs, an argument that is no tensor, setup_context."""

    @staticmethod
    def forward(x, y, k):
        return x + y, x * y * k

    @staticmethod
    def setup_context(ctx, inputs, output):
        x, y, ctx.k = inputs
        ctx.save_for_backward(x, y)

    @staticmethod
    def backward(ctx, ga, gb):
        x, y = ctx.saved_tensors
        return ga + gb * y * ctx.k, ga + gb * x * ctx.k, None


def leaf(*values, dtype=None):
    return lamina.tensor(list(values), dtype=dtype or lamina.float64, requires_grad=True)


def test_value_and_gradient():
    x = leaf(1.0, -2.0, 3.0)
    y = Cube.apply(x)
    assert y.tolist() == [1.0, -8.0, 27.0]
    assert y.requires_grad and not y.is_leaf and y.grad_fn.name() == "CubeBackward"
    y.sum().backward()
    assert x.grad.tolist() == [3.0, 12.0, 27.0]


def test_no_recording():
    x = leaf(2.0)
    with lamina.no_grad():
        assert not Cube.apply(x).requires_grad
    assert not Cube.apply(x.detach()).requires_grad
    assert x.grad is None


def test_forward_runs_without_recording_and_backward_with_the_callers_mode():
    seen = []

    class F(Function):
        @staticmethod
        def forward(ctx, x):
            seen.append(lamina.is_grad_enabled())
            return x * 2

        @staticmethod
        def backward(ctx, g):
            seen.append(lamina.is_grad_enabled())
            return g * 2

    x = leaf(1.0)
    F.apply(x).sum().backward()
    lamina.autograd.grad(F.apply(x).sum(), x, create_graph=True)
    assert seen == [False, False, False, True]
    assert lamina.is_grad_enabled()


@pytest.mark.parametrize("f", [Cube, Exp])
def test_gradcheck(f):
    x = leaf(0.5, -1.25, 2.0)
    assert gradcheck(f.apply, (x,))
    assert gradgradcheck(f.apply, (x,))


def test_two_outputs():
    x, y = leaf(0.5, -1.0), leaf(2.0, 3.0)
    assert gradcheck(lambda a, b: SumAndProduct.apply(a, b, 3.0), (x, y))
    assert gradgradcheck(lambda a, b: SumAndProduct.apply(a, b, 3.0), (x, y))
    _a, b = SumAndProduct.apply(x, y, 3.0)
    b.sum().backward()  # the gradient of a is made of zeros
    assert x.grad.tolist() == [6.0, 9.0] and y.grad.tolist() == [1.5, -3.0]


def test_second_derivative_of_a_saved_output():
    x = leaf(0.3)
    (g,) = lamina.autograd.grad(Exp.apply(x).sum(), x, create_graph=True)
    (h,) = lamina.autograd.grad(g.sum(), x, create_graph=True)
    (k,) = lamina.autograd.grad(h.sum(), x)
    assert abs(k.item() - lamina.tensor(0.3, dtype=lamina.float64).exp().item()) < 1e-12


def test_needs_input_grad_and_none():
    seen = []

    class F(Function):
        @staticmethod
        def forward(ctx, x, k, y):
            return x * k + y

        @staticmethod
        def backward(ctx, g):
            seen.append(ctx.needs_input_grad)
            return None, None, g

    x, y = leaf(1.0), leaf(2.0)
    F.apply(x.detach(), 3, y).sum().backward()
    assert seen == [(False, False, True)]
    assert y.grad.tolist() == [1.0]
    F.apply(x, 3, y).sum().backward()
    assert x.grad is None


@pytest.mark.parametrize("on", [True, False])
def test_materialize(on):
    seen = []

    class F(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.set_materialize_grads(on)
            return x * 1, x * 2

        @staticmethod
        def backward(ctx, a, b):
            seen.append(b if b is None else b.tolist())
            return a

    x = leaf(1.0, 2.0)
    F.apply(x)[0].sum().backward()
    assert seen == [[0.0, 0.0] if on else None]


def test_non_differentiable_outputs():
    class Sort(Function):
        @staticmethod
        def forward(ctx, x):
            rank = (x > 0).long()
            twice = x * 2
            ctx.mark_non_differentiable(twice)
            return x * 3, rank, twice

        @staticmethod
        def backward(ctx, a, b, c):
            return a * 3

    x = leaf(1.0, -2.0)
    y, rank, twice = Sort.apply(x)
    assert y.requires_grad and not rank.requires_grad and not twice.requires_grad
    y.sum().backward()
    assert x.grad.tolist() == [3.0, 3.0]


def test_in_place():
    class Double(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.mark_dirty(x)
            x.mul_(2)
            return x

        @staticmethod
        def backward(ctx, g):
            return g * 2

    x = leaf(1.0, 2.0)
    y = x * 3
    z = Double.apply(y)
    assert z is y and z.tolist() == [6.0, 12.0]
    z.sum().backward()
    assert x.grad.tolist() == [6.0, 6.0]
    with pytest.raises(lamina.GradError, match="leaf"):
        Double.apply(leaf(1.0))
    view = (leaf(1.0, 2.0) * 1).narrow(0, 0, 1)
    Double.apply(view).sum().backward()


def test_dirty_must_be_returned():
    class F(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.mark_dirty(x)
            return x * 1

        @staticmethod
        def backward(ctx, g):
            return g

    with pytest.raises(lamina.GradError, match="returned"):
        F.apply(leaf(1.0) * 1)


def test_input_returned_as_it_is():
    class Identity(Function):
        @staticmethod
        def forward(ctx, x):
            return x

        @staticmethod
        def backward(ctx, g):
            return g * 10

    x = leaf(1.0)
    y = Identity.apply(x)
    assert y is not x and not y.is_leaf
    y.sum().backward()
    assert x.is_leaf and x.grad.tolist() == [10.0]


def test_changed_saved_tensor_is_noticed():
    x = leaf(1.0)
    a = x * 2
    y = Cube.apply(a)
    a.add_(1)
    with pytest.raises(lamina.GradError, match="changed in place"):
        y.sum().backward()


def test_second_backward():
    x = leaf(2.0)
    y = Cube.apply(x).sum()
    y.backward(retain_graph=True)
    y.backward()
    assert x.grad.tolist() == [24.0]
    with pytest.raises(lamina.GradError, match="retain_graph"):
        y.backward()


# ---- errors ----


def make(result):
    class Bad(Function):
        @staticmethod
        def forward(ctx, x, y):
            return x * 2

        @staticmethod
        def backward(ctx, g):
            return result(g) if callable(result) else result

    return Bad


@pytest.mark.parametrize(
    ("result", "error", "text"),
    [
        (lambda g: g, lamina.GradError, "returned 1 gradients, expected 2"),
        (lambda g: (g, g, g), lamina.GradError, "returned 3 gradients"),
        (lambda g: (g.sum(), None), lamina.GradError, "must match"),
        (lambda g: (g.float(), None), lamina.GradError, "must match"),
        (lambda g: (1.0, None), TypeError, "Tensors or None"),
        (lambda g: ("no", None), TypeError, "str"),
    ],
)
def test_bad_gradients(result, error, text):
    x = leaf(1.0, 2.0)
    with pytest.raises(error, match=text):
        make(result).apply(x, 1).sum().backward()
    assert lamina.is_grad_enabled() and x.grad is None
    x.sum().backward()  # the engine is clean
    assert x.grad.tolist() == [1.0, 1.0]


def test_extra_none_is_fine():
    x = leaf(1.0)
    make(lambda g: (g, None, None)).apply(x, 1).sum().backward()
    assert x.grad.tolist() == [1.0]


class Odd(Exception):
    pass


@pytest.mark.parametrize("create_graph", [False, True])
def test_exceptions_keep_type_and_traceback(create_graph):
    class Fail(Function):
        @staticmethod
        def forward(ctx, x):
            return x * 1

        @staticmethod
        def backward(ctx, g):
            raise Odd("in backward")

    x = leaf(1.0)
    y = Fail.apply(x).sum()
    with pytest.raises(Odd, match="in backward") as caught:
        y.backward(create_graph=create_graph)
    assert any(
        f.name == "backward" and "test_function" in f.filename for f in traceback.extract_tb(caught.value.__traceback__)
    )
    assert lamina.is_grad_enabled()

    class FailForward(Function):
        @staticmethod
        def forward(ctx, x):
            raise Odd("in forward")

    with pytest.raises(Odd, match="in forward"):
        FailForward.apply(x)
    assert lamina.is_grad_enabled()


def test_misuse():
    with pytest.raises(TypeError, match="apply"):
        Cube()
    with pytest.raises(NotImplementedError, match="forward"):
        type("Empty", (Function,), {}).apply(leaf(1.0))
    with pytest.raises(TypeError, match="Tensor"):
        type("Text", (Function,), {"forward": staticmethod(lambda ctx, x: "text")}).apply(leaf(1.0))
    with pytest.raises(TypeError, match="save_for_backward"):
        type("Keep", (Function,), {"forward": staticmethod(lambda ctx, x: ctx.save_for_backward(3))}).apply(leaf(1.0))


def test_once_differentiable():
    class Square(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        @once_differentiable
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            return g * 2 * x

    x = leaf(3.0)
    Square.apply(x).sum().backward()
    assert x.grad.tolist() == [6.0]
    y = Square.apply(x * 1).sum()
    seed = lamina.ones((), dtype=lamina.float64, requires_grad=True)
    (g,) = lamina.autograd.grad(y, x, seed, create_graph=True)
    with pytest.raises(lamina.GradError, match="once_differentiable"):
        g.sum().backward()


# ---- life and death ----


class Mark:
    pass


def test_context_dies_with_the_graph():
    class F(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.mark = Mark()
            refs.append(weakref.ref(ctx.mark))
            return x * 1

        @staticmethod
        def backward(ctx, g):
            return g

    refs = []
    y = F.apply(leaf(1.0))
    assert refs[0]() is not None
    del y
    assert refs[0]() is None


@pytest.mark.parametrize("distance", [0, 1, 5])
def test_cycle_through_the_context_is_collected(distance):
    class F(Function):
        @staticmethod
        def forward(ctx, x):
            contexts.append(ctx)
            ctx.mark = Mark()
            return x * 1

        @staticmethod
        def backward(ctx, g):
            return g

    contexts = []
    y = F.apply(leaf(1.0))
    for _ in range(distance):
        y = y * y + 1
    contexts[0].output = y  # output -> graph -> ctx -> output
    dead = weakref.ref(contexts[0].mark)
    contexts.clear()
    del y
    gc.collect()
    assert dead() is None


def test_cycle_through_a_hook_is_collected():
    x = leaf(1.0)
    mark = Mark()
    x.register_hook(lambda g, x=x, mark=mark: None)
    y = x * 2
    y.register_hook(lambda g, y=y, mark=mark: None)
    dead = weakref.ref(mark)
    del x, y, mark
    gc.collect()
    gc.collect()  # x belongs to the graph of y, which went first
    assert dead() is None


class Keeps(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * 2

    @staticmethod
    def backward(ctx, g):
        return g * 2


def write_row(h):
    y = h * 1
    y[0].mul_(h[1])
    return y


PAST_SAVED = {
    "product": lambda h: h * h,
    "exp": lambda h: h.exp() * h.exp(),
    "matmul": lambda h: h.unsqueeze(0) @ h.unsqueeze(1),
    "shared": lambda h: (h + 1) * (h - 1),
    "diamond": lambda h: h.neg() + h.abs(),
    "loss": lambda h: lamina.nn.functional.mse_loss(h, h * 2),
    "softmax": lambda h: h.softmax(0) * h,
    "function": lambda h: Keeps.apply(h) + h,
    "row": write_row,
    "retained": lambda h: (h.square().retain_grad(), h * h)[1],
    "deep": lambda h: functools.reduce(lambda y, _: y * h + y.sin(), range(300), h),
    "indexed": lambda h: lamina.cat([h, h[h > 0]]) * 3,
}


@pytest.mark.parametrize("name", PAST_SAVED)
@pytest.mark.parametrize("on_leaf", [False, True])
def test_cycle_past_a_saved_tensor_is_collected(name, on_leaf):
    gc.collect()
    x = lamina.tensor([1.0, 2.0], requires_grad=True)
    h = x if on_leaf else x * 2
    mark = Mark()
    y = PAST_SAVED[name](h)
    h.register_hook(lambda g, y=y, mark=mark: None)  # y -> what it saved -> h -> hook -> y
    dead = weakref.ref(mark)
    del x, h, y, mark
    gc.collect()
    gc.collect()
    assert dead() is None


def test_what_another_tensor_owns_is_not_collected():
    x = lamina.tensor([1.0, 2.0], requires_grad=True)
    h = x * 2
    seen = []
    y, z = h * h, h * 3
    h.register_hook(lambda g, y=y: seen.append(g.tolist()))
    del h, y
    for _ in range(3):
        gc.collect()
    z.sum().backward()
    assert seen == [[3.0, 3.0]] and x.grad.tolist() == [6.0, 6.0]


@pytest.mark.parametrize("seed", range(30))
def test_collection_in_random_graphs(seed):
    """Whatever is dropped in whatever order: what is still held has the hooks and the gradient it always had."""
    r = random.Random(seed)
    x = lamina.tensor([0.5, 0.25], requires_grad=True)
    calls = []
    tensors = [x * 1]
    for i in range(25):
        a, b = r.choice(tensors), r.choice(tensors)
        t = r.choice([lambda: a * b, lambda: a + b, lambda: a.sin(), lambda: Keeps.apply(a), lambda: b - a])()
        if r.random() < 0.6:
            others = r.sample(tensors, min(2, len(tensors))) + [t] * r.randrange(2)
            t.register_hook(lambda g, i=i, others=others: calls.append((i, len(others))))
        if r.random() < 0.3:
            t.note = r.choice(tensors)
        tensors.append(t)
    kept = r.sample(tensors, 3)

    def gradients():
        calls.clear()
        return [lamina.autograd.grad(t.sum(), x, retain_graph=True)[0].tolist() for t in kept], list(calls)

    expected = gradients()
    r.shuffle(tensors)
    a = b = t = None
    while tensors:
        del tensors[: r.randrange(1, 9)]
        gc.collect()
        assert gradients() == expected


def test_live_graphs_survive_collection():
    class F(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.factor = [3.0]
            return x * 3

        @staticmethod
        def backward(ctx, g):
            return g * ctx.factor[0]

    x = leaf(1.0)
    x.register_hook(lambda g: g * 2)
    y = F.apply(x) * 1
    for _ in range(3):
        gc.collect()
    y.sum().backward()
    assert x.grad.tolist() == [6.0]
