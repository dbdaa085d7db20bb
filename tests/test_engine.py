"""The gradient engine under load: huge graphs, small stacks, flat memory, threads."""

import os
import subprocess
import sys
import threading

import lamina
import pytest
from lamina.autograd import grad

F64 = lamina.float64


def leaf(*values, dtype=F64):
    return lamina.tensor(list(values), dtype=dtype, requires_grad=True)


def run(code, timeout=120, **env):
    """A piece of Python in its own process."""
    return subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=timeout,
        env={**os.environ, **env},
        check=False,
    )


# A sanitizer's frames are many times larger.
SMALL_STACK = (64 << 10) * (16 if "ASAN_OPTIONS" in os.environ else 1)


def ok(code, **kwargs):
    r = run(code, **kwargs)
    assert r.returncode == 0, r.stdout + r.stderr
    return r.stdout


# ---- sizes ----


@pytest.mark.slow
def test_long_chain_and_small_stack():
    ok(
        """
import threading, lamina
def work():
    x = lamina.tensor([1.0, 2.0], requires_grad=True)
    y = x
    for _ in range(1_000_000):
        y = y + 1
    y.sum().backward()
    assert x.grad.tolist() == [1.0, 1.0]
    del y
    z = x
    for _ in range(1_000_000):
        z = z * 1.0
    del z  # never run
for size in (STACK, 4 * STACK):
    threading.stack_size(size)
    t = threading.Thread(target=work)
    t.start()
    t.join()
    assert not t.is_alive()
print("done")
""".replace("STACK", str(SMALL_STACK)),
        timeout=300,
    )


def test_kernels_on_a_small_stack():
    ok(
        """
import threading, lamina
def work():
    a, b = lamina.ones(40, 50), lamina.ones(50, 40)
    x = lamina.ones(40, 50, requires_grad=True)
    a.t() + b
    a.half() + a.half()
    (x.t() * b).exp().sum().backward()
    (x @ b).sum().backward()
    a.sum(0), a.sum(1), a.t().sum(1)
    image = lamina.ones(2, 3, 8, 8, requires_grad=True)
    weight = lamina.ones(4, 3, 3, 3, requires_grad=True)
    lamina.nn.functional.conv2d(image, weight).sum().backward()
    done.append(repr(a)[:6])
done = []
import lamina._printing, lamina.nn.functional
threading.stack_size(STACK)
t = threading.Thread(target=work)
t.start()
t.join()
assert done == ["tensor"]
""".replace("STACK", str(SMALL_STACK))
    )


@pytest.mark.slow
def test_wide_fan_in_and_fan_out():
    ok(
        """
import lamina
x = lamina.tensor([1.0], dtype=lamina.float64, requires_grad=True)
lamina.autograd.backward([x * 2.0 for _ in range(1_000_000)])
assert x.grad.tolist() == [2_000_000.0]
""",
        timeout=300,
    )


def test_deep_diamonds_take_linear_time():
    x = leaf(1.0)
    y = x
    for _ in range(200):
        y = y * 0.5 + y * 0.5  # 2 ** 200 paths
    y.sum().backward()
    assert x.grad.tolist() == [1.0]
    y = x
    for _ in range(200):
        y = y * 0.5 + y * 0.5
    assert grad(y.sum(), x)[0].tolist() == [1.0]


def test_flat_memory_over_many_steps():
    x = lamina.ones(1000, requires_grad=True)

    def step():
        ((x * 2 + 1).exp() * x).sum().backward()
        x.grad = None

    for _ in range(20):
        step()
    before = lamina.memory_stats()["allocated"]
    for _ in range(500):
        step()
    assert lamina.memory_stats()["allocated"] == before


# ---- threads ----


def test_backward_in_threads_on_shared_parameters():
    w = lamina.ones(64, dtype=F64, requires_grad=True)
    errors = []

    def work(k):
        try:
            for _ in range(200):
                ((w * k).exp() * 0 + w * k).sum().backward()
        except Exception as e:
            errors.append(e)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(1, 5)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not errors
    assert w.grad.tolist() == [200.0 * (1 + 2 + 3 + 4)] * 64


def test_hooks_and_functions_in_threads():
    calls = []

    class F(lamina.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * 2

        @staticmethod
        def backward(ctx, g):
            calls.append(threading.get_ident())
            return g * 2

    x = lamina.ones(10, dtype=F64, requires_grad=True)
    x.register_hook(lambda g: calls.append(threading.get_ident()))

    def work():
        for _ in range(50):
            F.apply(x).sum().backward()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert len(calls) == 4 * 50 * 2 and x.grad.tolist() == [400.0] * 10


def test_backward_releases_the_gil():
    x = lamina.ones(400, 400, requires_grad=True)
    y = x
    for _ in range(30):
        y = (y * 1.0001).exp().log()
    loss = y.sum()
    ticks, done = [], threading.Event()

    def tick():
        while not done.is_set():
            ticks.append(1)
            done.wait(0.0005)

    t = threading.Thread(target=tick)
    t.start()
    before = len(ticks)
    for _ in range(50):  # a busy machine may not run the other thread in one of them
        loss.backward(retain_graph=True)
        if len(ticks) > before:
            break
    during = len(ticks) - before
    done.set()
    t.join()
    assert during > 0


def test_backward_with_create_graph_warns_once():
    out = ok(
        """
import warnings, lamina
x = lamina.ones(1, requires_grad=True)
with warnings.catch_warnings(record=True) as seen:
    warnings.simplefilter("always")
    for _ in range(2):
        (x * x).sum().backward(create_graph=True)
        x.grad = None
print(len(seen), "create_graph" in str(seen[0].message))
"""
    )
    assert out.split() == ["1", "True"]
