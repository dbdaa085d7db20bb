"""Times lamina's operations against PyTorch's, in turn, in one process on one core.

usage: taskset -c 1 python bench/ops.py [--only conv,gemm] [--rounds 15] [--json bench/results/ops.json]

ratio = torch time / lamina time (above 1: lamina is faster), the median over rounds; each round times both sides once, in
alternating order, so that a drifting machine slows both alike. Targets are the project's; a row below its target is marked.
"""

from __future__ import annotations

import argparse
import json
import pathlib
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import lamina
import numpy as np
import torch

RNG = np.random.default_rng(0)


@dataclass
class Row:
    name: str
    target: float  # of the ratio; for rows in microseconds: the largest time allowed
    make: Callable  # module -> function to time
    micro: bool = False  # only lamina's time counts


def tensor(m, *shape, grad=False):
    t = m.tensor(RNG.standard_normal(shape).astype(np.float32))
    return t.requires_grad_() if grad else t


def gemm(m, k, n, ta=False, tb=False):
    def make(lib):
        a, b = tensor(lib, *((k, m) if ta else (m, k))), tensor(lib, *((n, k) if tb else (k, n)))
        x, y = (a.t() if ta else a), (b.t() if tb else b)
        return lambda: lib.matmul(x, y)

    return make


def unary(name, n, functional=False, **keywords):
    def make(lib):
        x = tensor(lib, n)
        f = getattr(lib.nn.functional if functional else lib, name)
        return lambda: f(x, **keywords)

    return make


def binary_add(n):
    def make(lib):
        a, b = tensor(lib, n), tensor(lib, n)
        return lambda: lib.add(a, b)

    return make


def softmax(lib):
    x = tensor(lib, 1000, 1000)
    return lambda: lib.softmax(x, 1)


def softmax_train(lib):
    x, g = tensor(lib, 1000, 1000, grad=True), tensor(lib, 1000, 1000)

    def step():
        x.grad = None
        lib.softmax(x, 1).backward(g)

    return step


def gelu_train(lib):
    x, g = tensor(lib, 10**6, grad=True), tensor(lib, 10**6)

    def step():
        x.grad = None
        lib.nn.functional.gelu(x).backward(g)

    return step


def layer_norm(rows, columns, train):
    def make(lib):
        x = tensor(lib, rows, columns, grad=train)
        w, b = tensor(lib, columns, grad=train), tensor(lib, columns, grad=train)
        g = tensor(lib, rows, columns)

        def forward():
            return lib.nn.functional.layer_norm(x, (columns,), w, b)

        def step():
            x.grad = w.grad = b.grad = None
            forward().backward(g)

        return step if train else forward

    return make


def conv(n, c, h, w, k, padding, part):
    def make(lib):
        x, weight = tensor(lib, n, c, h, w), tensor(lib, k, c, 3, 3)
        f = lib.nn.functional.conv2d
        if part == "forward":
            return lambda: f(x, weight, padding=padding)
        leaf = (x if part == "input gradient" else weight).requires_grad_()
        y = f(x, weight, padding=padding)
        g = y.detach().clone()

        def step():
            leaf.grad = None
            y.backward(g, retain_graph=True)

        return step

    return make


def adamw(lib):
    p = tensor(lib, 10**7, grad=True)
    p.grad = tensor(lib, 10**7)
    return lib.optim.AdamW([p], lr=1e-3).step


def small_add(lib):
    a, b = tensor(lib, 16), tensor(lib, 16)
    f = lib.add

    def thousand():
        for _ in range(1000):
            f(a, b)

    return thousand


def chain(lib):
    x = tensor(lib, 16, grad=True)

    def step():
        x.grad = None
        y = x
        for _ in range(5):
            y = (y * 0.5).tanh()
        y.sum().backward()

    return step


def call(function, *arguments):
    """function(lib, *tensors); each argument makes one tensor of a library."""

    def make(lib):
        tensors = [a(lib) for a in arguments]
        return lambda: function(lib, *tensors)

    return make


def floats(*shape):
    return lambda lib: tensor(lib, *shape)


def indices(high, *shape):
    values = np.random.default_rng(1).integers(0, high, shape)
    return lambda lib: lib.tensor(values)


SURFACE = [
    Row("conv1d 32x64x1000 -> 64, k 3", 1.0, call(lambda m, x, w: m.nn.functional.conv1d(x, w, padding=1), floats(32, 64, 1000), floats(64, 64, 3))),
    Row("conv3d 4x16x16x32x32 -> 16, k 3", 1.0, call(lambda m, x, w: m.nn.functional.conv3d(x, w, padding=1), floats(4, 16, 16, 32, 32), floats(16, 16, 3, 3, 3))),
    Row("conv_transpose2d 16x64x16x16 -> 32, k 4", 1.0, call(lambda m, x, w: m.nn.functional.conv_transpose2d(x, w, stride=2, padding=1), floats(16, 64, 16, 16), floats(64, 32, 4, 4))),
    Row("group_norm 16x64x32x32, 8 groups", 1.0, call(lambda m, x, w, b: m.nn.functional.group_norm(x, 8, w, b), floats(16, 64, 32, 32), floats(64), floats(64))),
    Row("embedding 10000x128, 64x256 rows", 1.0, call(lambda m, i, w: m.nn.functional.embedding(i, w), indices(10000, 64, 256), floats(10000, 128))),
    Row("gather 1000x1000", 1.0, call(lambda m, x, i: m.gather(x, 1, i), floats(1000, 1000), indices(1000, 1000, 1000))),
    Row("scatter_add 1000x1000", 1.0, call(lambda m, x, i, s: m.scatter_add(x, 1, i, s), floats(1000, 1000), indices(1000, 1000, 1000), floats(1000, 1000))),
    Row("topk 10 of 1000x1000", 1.0, call(lambda m, x: m.topk(x, 10, 1), floats(1000, 1000))),
    Row("sort 1000x1000", 1.0, call(lambda m, x: m.sort(x, 1), floats(1000, 1000))),
    Row("sort 1e6", 1.0, call(lambda m, x: m.sort(x), floats(10**6))),
    Row("cumsum 1000x1000, last dim", 1.0, call(lambda m, x: m.cumsum(x, 1), floats(1000, 1000))),
    Row("cumsum 1000x1000, first dim", 1.0, call(lambda m, x: m.cumsum(x, 0), floats(1000, 1000))),
    Row("einsum bij,bjk->bik 32x128x128", 1.0, call(lambda m, a, b: m.einsum("bij,bjk->bik", a, b), floats(32, 128, 128), floats(32, 128, 128))),
    Row("einsum bhqd,bhkd->bhqk 8x8x64x64", 1.0, call(lambda m, a, b: m.einsum("bhqd,bhkd->bhqk", a, b), floats(8, 8, 64, 64), floats(8, 8, 64, 64))),
    Row("interpolate bilinear 8x32x32x32, x2", 1.0, call(lambda m, x: m.nn.functional.interpolate(x, scale_factor=2, mode="bilinear"), floats(8, 32, 32, 32))),
    Row("interpolate nearest 8x32x32x32, x2", 1.0, call(lambda m, x: m.nn.functional.interpolate(x, scale_factor=2, mode="nearest"), floats(8, 32, 32, 32))),
]  # fmt: skip

ROWS = [
    Row("gemm 1024x1024x1024", 1.0, gemm(1024, 1024, 1024)),
    Row("gemm 256x784x2048", 1.0, gemm(256, 784, 2048)),
    Row("gemm 32x784x128", 1.0, gemm(32, 784, 128)),
    *[
        Row(f"gemm {m}x{k}x{n} {'T' if ta else 'N'}{'T' if tb else 'N'}", 1.0, gemm(m, k, n, ta, tb))
        for m, k, n in ((1024, 1024, 1024), (256, 784, 2048), (32, 784, 128))
        for ta, tb in ((0, 1), (1, 0), (1, 1))
    ],
    *[
        Row(f"conv3x3 {n}x{c}x{h}x{h} -> {k} {part}", 1.0, conv(n, c, h, h, k, p, part))
        for n, c, h, k, p in ((64, 32, 26, 64, 0), (16, 128, 16, 128, 1))
        for part in ("forward", "input gradient", "weight gradient")
    ],
    Row("add 1e6", 1.0, binary_add(10**6)),
    Row("sum 1e6", 1.0, unary("sum", 10**6)),
    Row("gelu 1e6", 1.5, unary("gelu", 10**6, functional=True)),
    Row("gelu 1e6 forward+backward", 1.5, gelu_train),
    Row("softmax 1000x1000", 1.5, softmax),
    Row("softmax 1000x1000 forward+backward", 1.5, softmax_train),
    Row("layer_norm 1000x1000", 1.5, layer_norm(1000, 1000, False)),
    Row("layer_norm 1000x1000 forward+backward", 1.5, layer_norm(1000, 1000, True)),
    Row("exp 1e6", 2.5, unary("exp", 10**6)),
    Row("tanh 1e6", 4.0, unary("tanh", 10**6)),
    Row("add 1e7", 3.0, binary_add(10**7)),
    Row("gelu 1e7", 3.0, unary("gelu", 10**7, functional=True)),
    Row("layer_norm 10000x1000", 3.0, layer_norm(10000, 1000, False)),
    Row("AdamW step 1e7", 1.5, adamw),
    Row("small add (16 floats), us per call", 0.6, small_add, micro=True),
    Row("10-op chain forward+backward", 4.0, chain),
    *SURFACE,
]


def timed(f) -> float:
    """Seconds of one call; short ones are repeated to about a millisecond."""
    begin = time.perf_counter()
    f()
    once = time.perf_counter() - begin
    repeat = max(1, int(1e-3 / max(once, 1e-7)))
    begin = time.perf_counter()
    for _ in range(repeat):
        f()
    return (time.perf_counter() - begin) / repeat


def measure(row: Row, rounds: int) -> dict:
    theirs, ours = row.make(torch), row.make(lamina)
    for f in (theirs, ours):
        f()
        f()
    t, u = [], []
    for i in range(rounds):
        for f, out in ((theirs, t), (ours, u)) if i % 2 else ((ours, u), (theirs, t)):
            out.append(timed(f))
    ratio = statistics.median(a / b for a, b in zip(t, u, strict=True))
    return {"torch_ms": statistics.median(t) * 1e3, "lamina_ms": statistics.median(u) * 1e3, "ratio": ratio}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="comma-separated parts of row names")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--json", default="")
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    lamina.set_num_threads(arguments.threads)
    wanted = [w for w in arguments.only.split(",") if w]
    results = {}
    print(
        f"lamina {lamina.__version__} ({lamina.simd_level()}), PyTorch {torch.__version__}, {arguments.threads} thread(s)"
    )
    print(f"{'operation':44s} {'PyTorch ms':>11s} {'lamina ms':>11s} {'ratio':>7s} {'target':>7s}")
    for row in ROWS:
        if wanted and not any(w in row.name for w in wanted):
            continue
        try:
            r = measure(row, arguments.rounds)
        except AttributeError as missing:
            print(f"{row.name:44s} not there: {missing}")
            continue
        value = r["lamina_ms"] if row.micro else r["ratio"]  # a thousand calls in ms = us per call
        met = value <= row.target if row.micro else value >= row.target
        results[row.name] = {**r, "target": row.target, "met": met}
        print(
            f"{row.name:44s} {r['torch_ms']:11.3f} {r['lamina_ms']:11.3f} {r['ratio']:7.2f} {row.target:7.2f}{'' if met else '  below'}",
            flush=True,
        )
    print(f"{sum(r['met'] for r in results.values())} of {len(results)} targets met")
    if arguments.json:
        path = pathlib.Path(arguments.json)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(
            json.dumps(
                {
                    "torch": torch.__version__,
                    "lamina": lamina.__version__,
                    "simd": lamina.simd_level(),
                    "threads": arguments.threads,
                    "rows": results,
                },
                indent=1,
            )
            + "\n"
        )


if __name__ == "__main__":
    main()
