"""Reference cycles through graphs: what nothing reaches any more is collected, what is in use never is."""

import functools
import gc
import random
import resource
import threading
import weakref

import lamina
import pytest
from lamina import nn
from lamina.autograd import Function
from lamina.utils.checkpoint import checkpoint


class Mark:
    """Kept by one part of a cycle; dead when the cycle was collected."""

    def hook(self, g):
        return None


class Keeps(Function):
    @staticmethod
    def forward(ctx, x):
        Keeps.ctx = ctx
        ctx.save_for_backward(x)
        return x * 2

    @staticmethod
    def backward(ctx, g):
        return g * 2


def leaf():
    return lamina.ones(3, requires_grad=True)


def hold(t, mark, *others):
    t.register_hook(lambda g, mark=mark, others=others: None)


def leaf_and_output(mark):
    x = leaf()
    hold(x, mark, x, x * 2)


def node_and_output(mark):
    h = leaf() * 2
    hold(h, mark, h, h * h)


def two_outputs(mark):
    h = leaf() * 2
    hold(h, mark, h * 3, h.exp())


def two_outputs_of_a_leaf(mark):
    x = leaf()
    hold(x, mark, x.sin(), (x * 2).exp() * x)


def whole_frame(mark):
    x = leaf()
    h = x * 2
    y = h.sin()
    loss = y.sum()

    def hook(g):
        return mark and (x, h, y, loss) and None

    h.register_hook(hook)


def after_backward(mark):
    x = leaf()
    h = x * 2
    loss = (h * h).sum()
    hold(h, mark, x, h, loss)
    loss.backward()


def post_accumulate(mark):
    x = leaf()
    y = x * 2
    x.register_post_accumulate_grad_hook(lambda p, all=(x, y, mark): None)


def context_of_two(mark):
    y = Keeps.apply(leaf())
    Keeps.ctx.kept, Keeps.ctx = (y * 2, y.exp(), mark), None


def grad_fn(mark):
    y = leaf() * 2
    hold(y, mark, y.grad_fn)


def grad_fn_of_another(mark):
    h = leaf() * 2
    y = h.exp() * h
    hold(h, mark, y, y.grad_fn, h, y.grad_fn.next_functions)


def packed(mark):
    box = [mark]
    with lamina.autograd.graph.saved_tensors_hooks(lambda t: (box, t), lambda p: p[1]):
        x = leaf()
        box.append(x.exp() * x)


def checkpointed(mark):
    layer = nn.Linear(3, 3)
    layer.mark, layer.out = mark, checkpoint(layer, leaf(), use_reentrant=False)
    hold(layer.out, mark, layer)


def parameter_and_module(mark):
    layer = nn.Linear(3, 3)
    hold(layer.weight, mark, layer)
    layer.out = layer(leaf())


def view_and_base(mark):
    x = leaf() * 1
    hold(x, mark, x, x[0], x[1:])


def written_view(mark):
    x = leaf() * 1
    v = x[:2]
    v.mul_(2)
    hold(x, mark, x, v)


def retained(mark):
    y = leaf() * 2
    y.retain_grad()
    z = (y * y).sum()
    z.backward()
    hold(y, mark, y, z)


def hooks_of_two(mark):
    y = leaf() * 2
    z = y * 2
    hold(y, mark, z)
    hold(z, mark, y)


def two_graphs(mark):
    x, a = leaf(), leaf()
    hold(x, mark, a, a * 2)
    hold(a, mark, x, x * 2)


def method(mark):
    mark.x = leaf()
    mark.h = mark.x * 2
    mark.y = mark.h.exp()
    mark.h.register_hook(mark.hook)
    mark.x.register_hook(mark.hook)


def long(mark):
    x = leaf()
    y = functools.reduce(lambda t, _: t * x + t.sin(), range(3000), x)
    hold(x, mark, x, y, y.sum())


KINDS = [
    leaf_and_output, node_and_output, two_outputs, two_outputs_of_a_leaf, whole_frame, after_backward, post_accumulate,
    context_of_two, grad_fn, grad_fn_of_another, packed, checkpointed, parameter_and_module, view_and_base,
    written_view, retained, hooks_of_two, two_graphs, method, long,
]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS, ids=lambda f: f.__name__)
def test_what_many_tensors_own_together_is_collected(kind):
    mark = Mark()
    dead = weakref.ref(mark)
    kind(mark)
    del mark
    for _ in range(2):
        gc.collect()
    assert dead() is None


@pytest.mark.parametrize("kind", [node_and_output, two_outputs, whole_frame, after_backward, view_and_base, packed])
def test_memory_does_not_grow(kind):
    gc.collect()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(100):
        kind([lamina.ones(1 << 20)])  # 4 MB
        gc.collect(1)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 16 << 10  # KB


def build(seed):
    """A random graph with hooks that hold its tensors: (tensors, the leaf, the list that hooks write to)."""
    r = random.Random(seed)
    x = lamina.tensor([0.5, 0.25], requires_grad=True)
    calls, tensors = [], [x * 1]
    for i in range(20):
        a, b = r.choice(tensors), r.choice(tensors)
        t = r.choice([lambda: a * b, lambda: a + b, lambda: a.sin(), lambda: Keeps.apply(a), lambda: b[:] * 2])()
        tensors.append(t)
        if r.random() < 0.6:
            others = r.sample(tensors, min(3, len(tensors)))
            r.choice(tensors).register_hook(lambda g, i=i, others=others: calls.append((i, len(others))))
        if r.random() < 0.3:
            t.note = r.choice(tensors).grad_fn
    return tensors, x, calls


@pytest.mark.parametrize("seed", range(25))
def test_what_is_held_keeps_its_hooks(seed):
    """Tensors of all ages, dropped in any order between collections of any generation."""
    r = random.Random(seed)
    tensors, x, calls = build(seed)
    if seed % 2:
        gc.collect()  # these are old, what follows is young
        tensors += [a * b for a, b in zip(tensors, reversed(tensors), strict=True)]
    kept = r.sample(tensors, 3)

    def gradients():
        calls.clear()
        return [lamina.autograd.grad(t.sum(), x, retain_graph=True)[0].tolist() for t in kept], list(calls)

    expected = gradients()
    r.shuffle(tensors)
    while tensors:
        del tensors[: r.randrange(1, 9)]
        gc.collect(r.randrange(3))
        assert gradients() == expected


def test_an_old_owner_keeps_what_a_young_one_shares():
    x = leaf()
    h = x * 2
    calls = []
    old = h * 3
    gc.collect()
    young = h * 4
    h.register_hook(lambda g, young=young: calls.append(1))
    del h, young
    for generation in (0, 1, 2, 0):
        gc.collect(generation)
    old.sum().backward()
    assert calls == [1] and x.grad.tolist() == [6.0] * 3


def test_a_finalizer_may_bring_a_cycle_back():
    class Phoenix(Mark):
        def __del__(self):
            risen.append(self.tensors)
            weakref.ref(self)
            (leaf() * 2).requires_grad_()

    risen, calls = [], []
    x = leaf()
    h = x * 2
    bird = Phoenix()
    bird.tensors = h * 2, h.exp()
    h.register_hook(lambda g, bird=bird: calls.append(1))
    del h, bird
    gc.collect()
    gc.collect()
    (y, z), *_ = risen
    (y + z).sum().backward()
    assert calls == [1] and x.grad is not None
    dead = weakref.ref(x)
    risen.clear()
    del x, y, z
    gc.collect()
    assert dead() is None


def test_emptied_callbacks_of_gc_are_only_a_leak():
    callbacks = gc.callbacks[:]
    try:
        gc.callbacks.clear()
        tensors, x, calls = build(3)
        t = tensors[-1]
        expected = lamina.autograd.grad(t.sum(), x, retain_graph=True)[0].tolist()
        ran = len(calls)
        del tensors
        for generation in (2, 0, 2):
            gc.collect(generation)
        assert lamina.autograd.grad(t.sum(), x, retain_graph=True)[0].tolist() == expected and len(calls) == 2 * ran
    finally:
        gc.callbacks[:] = callbacks


def test_referents_are_told_outside_of_a_collection():
    y = leaf() * 2
    hook = lambda g: None
    y.register_hook(hook)
    assert hook in gc.get_referents(y)
    assert gc.get_referrers(hook)


def test_collections_beside_threads_that_compute():
    stop = threading.Event()
    failed = []

    def work():
        while not stop.is_set():
            x = lamina.ones(64, 64, requires_grad=True)
            seen = []
            h = x @ x
            h.register_hook(lambda g, seen=seen, h=h: seen.append(1))
            (h @ x).sum().backward()
            if seen != [1]:
                failed.append(seen)

    threads = [threading.Thread(target=work) for _ in range(2)]
    for t in threads:
        t.start()
    for _ in range(60):
        two_outputs(Mark())
        gc.collect()
    stop.set()
    for t in threads:
        t.join()
    assert not failed
