"""Run by test_cuda_shim.py in a process of its own: every operation that CUDA has, on both devices, bit for bit."""

from __future__ import annotations

import sys

import lamina
import numpy as np
from harness import REGISTRY, cases, names, outputs

compared = 0


def bits(t: lamina.Tensor) -> np.ndarray:
    a = t.cpu().float().numpy() if t.dtype == lamina.bfloat16 else t.detach().cpu().numpy()
    return np.where(np.isnan(a), np.nan, a) if a.dtype.kind == "f" else a  # one NaN


def check(name: str, cpu: lamina.Tensor, cuda: lamina.Tensor) -> None:
    global compared
    assert cuda.device.type == "cuda", f"{name}: the result is on {cuda.device}"
    assert cpu.dtype == cuda.dtype and cpu.shape == cuda.shape, name
    assert bits(cpu).tobytes() == bits(cuda).tobytes(), f"{name}: other bits on cuda"
    compared += cpu.numel()


def moved(a: object) -> object:
    return a.detach().cuda().requires_grad_(a.requires_grad) if isinstance(a, lamina.Tensor) else a


def elementwise(gradients: bool = False) -> None:
    for name in names():
        if "elementwise" not in REGISTRY[name]:
            continue
        for case in cases(name):
            if gradients and not case.twin.grad:
                continue
            for dtype in ("float32", "float64") if gradients else ("float32", "float64", "float16", "bfloat16"):
                if case.twin.only and dtype not in case.twin.only:
                    continue
                x = case.tensors(dtype, requires_grad=gradients)
                y = [moved(a) for a in x]
                keywords = case.keywords(dtype)
                ours = outputs(case.call(*x, **keywords))
                theirs = outputs(case.call(*y, **{k: moved(v) for k, v in keywords.items()}))
                for a, b in zip(ours, theirs, strict=True):
                    check(case.id, a, b)
                    if gradients and a.requires_grad:
                        a.backward(lamina.ones(a.shape, dtype=a.dtype))
                        b.backward(lamina.ones(a.shape, dtype=a.dtype).cuda())
                        for u, v in zip(x, y, strict=True):
                            if isinstance(u, lamina.Tensor) and u.grad is not None:
                                check(case.id + " gradient", u.grad, v.grad)


def layouts() -> None:
    x, y = lamina.randn(7, 5, 3), lamina.randn(5, 1)
    for a, b in (
        (x, y),
        (x.permute(2, 1, 0), y.expand(5, 7)),
        (x.narrow(1, 1, 3), y.narrow(0, 1, 3)),
        (x.select(0, 3).select(0, 1).select(0, 2), y),
    ):
        check("add", a + b, moved(a) + moved(b))
        check("where", lamina.where(a > b, a, b), lamina.where(moved(a) > moved(b), moved(a), moved(b)))
    for size in (0, 1, 255, 256, 257, 70_001):
        z = lamina.randn(size)
        check("exp", z.exp(), moved(z).exp())


def integers() -> None:
    a, b = lamina.randint(-50, 50, (100,)), lamina.randint(1, 9, (100,))
    for f in (
        lamina.add,
        lamina.mul,
        lamina.remainder,
        lamina.floor_divide,
        lamina.bitwise_xor,
        lamina.maximum,
        lamina.pow,
    ):
        for dtype in (lamina.int64, lamina.int32, lamina.int8):
            u, v = a.to(dtype), b.to(dtype)
            check(str(f), f(u, v), f(moved(u), moved(v)))


def sums() -> None:
    for shape, dims in (
        ((10_007,), None),
        ((33, 129), 1),
        ((129, 33), 0),
        ((5, 7, 11), (0, 2)),
        ((3, 0), 1),
        ((), None),
    ):
        for dtype in (lamina.float32, lamina.float64, lamina.bfloat16, lamina.int64):
            x = (lamina.randn(shape) * 10).to(dtype)
            check("sum", x.sum(dims), moved(x).sum(dims))
    x = lamina.randn(40, 50, 6)
    check("sum of a permuted tensor", x.permute(2, 0, 1).sum((0, 2)), moved(x).permute(2, 0, 1).sum((0, 2)))


def matmuls() -> None:
    for a, b in (
        ((65, 300), (300, 70)),
        ((17, 513), (513, 3)),
        ((2, 3, 4, 5), (5, 6)),
        ((4, 0), (0, 3)),
        ((7,), (7,)),
        ((3, 4), (4,)),
    ):
        for dtype in (lamina.float32, lamina.float64, lamina.bfloat16):
            x, y = lamina.randn(a).to(dtype), lamina.randn(b).to(dtype)
            check("matmul", x @ y, moved(x) @ moved(y))
    x, y = lamina.randn(130, 40), lamina.randn(70, 130)
    check("matmul of transposed", x.t() @ y.t(), moved(x).t() @ moved(y).t())
    linear = lamina.nn.functional.linear
    x, w, bias = lamina.randn(9, 40), lamina.randn(20, 40), lamina.randn(20)
    check("linear", linear(x, w, bias), linear(moved(x), moved(w), moved(bias)))
    check("linear of one row", linear(x[0], w, bias), linear(moved(x)[0], moved(w), moved(bias)))


def copies() -> None:
    x = lamina.randn(4, 9, 5) * 300
    types = [
        lamina.float32,
        lamina.float64,
        lamina.float16,
        lamina.bfloat16,
        lamina.int64,
        lamina.int32,
        lamina.int16,
        lamina.int8,
        lamina.uint8,
        lamina.bool,
    ]
    for a in types:
        for b in types:
            check(f"{a} to {b}", x.to(a).to(b), moved(x.to(a)).to(b))
    check("contiguous", x.permute(1, 2, 0).contiguous(), moved(x).permute(1, 2, 0).contiguous())
    y = moved(x)
    for t in (x, y):
        t.narrow(0, 1, 2).transpose(1, 2).fill_(7)
    check("fill_ of a view", x, y)
    check("full", lamina.full((3,), 2.5), lamina.full((3,), 2.5, device="cuda"))
    check("rand", manual(lambda: lamina.rand(100)), manual(lambda: lamina.rand(100, device="cuda")))


def manual(f):
    lamina.manual_seed(3)
    return f()


def training() -> None:
    """Ten steps of a two-layer network by gradient descent: the same weights on both devices."""
    lamina.manual_seed(5)
    x, target = lamina.randn(16, 12), lamina.randn(16, 3)
    w1, w2 = lamina.randn(12, 20), lamina.randn(20, 3)
    finished = []
    for device in ("cpu", "cuda"):
        a, b, p, q = (t.clone().to(device) for t in (x, target, w1, w2))
        for _ in range(10):
            p, q = p.detach().requires_grad_(), q.detach().requires_grad_()
            difference = lamina.nn.functional.gelu(a @ p) @ q - b
            (difference * difference).sum().backward()
            p, q = p.detach() - 0.001 * p.grad, q.detach() - 0.001 * q.grad
        finished.append((p, q))
    for cpu, cuda in zip(*finished, strict=True):
        check("training", cpu, cuda)


def errors() -> None:
    assert lamina.cuda.is_available() and lamina.cuda.device_count() >= 1, lamina.cuda.status()
    assert lamina.cuda.status().startswith("available: ")
    x = lamina.ones(3, device="cuda")
    for call, kind, text in (
        (lambda: lamina.zeros(2, device="cuda:77"), lamina.DeviceError, "cuda:77"),
        (lambda: x + lamina.ones(3), lamina.DeviceError, "different devices"),
        (lambda: x.numpy(), lamina.DeviceError, "cpu()"),
        (lambda: lamina.empty(2**59, device="cuda"), MemoryError, "bytes"),
    ):
        try:
            call()
        except kind as e:
            assert text in str(e), str(e)
        else:
            raise AssertionError(f"no {kind.__name__}: {text}")
    n = lamina.randint(1, 9, (5,)).cuda()
    y = n % lamina.zeros(5, dtype=lamina.int64, device="cuda")
    try:
        y.cpu()
    except lamina.DeviceError as e:
        assert "by zero" in str(e)
    else:
        raise AssertionError("an integer remainder by zero passed")
    check("after an error", lamina.ones(3) + 1, x + 1)


PARTS = {
    "elementwise": lambda: (elementwise(), layouts(), integers()),
    "gradients": lambda: elementwise(gradients=True),
    "sum": sums,
    "matmul": matmuls,
    "copy": copies,
    "training": training,
    "errors": errors,
}

if __name__ == "__main__":
    lamina.manual_seed(1)
    for part in sys.argv[1:] or PARTS:
        PARTS[part]()
    print(f"{compared} elements equal ({lamina.cuda.status()})")
