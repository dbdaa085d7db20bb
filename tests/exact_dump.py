"""Prints a hash of every operation's results and gradients: the same at any thread count and SIMD level."""

from __future__ import annotations

import hashlib
import json
import sys

import lamina
from harness import cases, names, outputs, to_numpy


def digest(case, dtype):
    h = hashlib.sha256()
    args = case.tensors(dtype, requires_grad=case.twin.grad)
    for o in outputs(case.call(*args, **case.keywords(dtype))):
        h.update(to_numpy(o).tobytes())
        if o.requires_grad:
            o.backward(lamina.ones_like(o), retain_graph=True)
    for a in args:
        for t in a if isinstance(a, list) else [a]:
            if isinstance(t, lamina.Tensor) and t.grad is not None:
                h.update(to_numpy(t.grad).tobytes())
    return h.hexdigest()[:16]


def main() -> None:
    out = {}
    for threads in [int(a) for a in sys.argv[1:]] or [1]:
        lamina.set_num_threads(threads)
        for name in names():
            for case in cases(name):
                for dtype in ("float32", "float64"):
                    out[f"{threads}/{case.id}/{dtype}"] = digest(case, dtype)
    print(json.dumps(out))


if __name__ == "__main__":
    main()
