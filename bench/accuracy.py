"""Prints how far lamina's results are from the exact ones: elementwise functions in ULP, sums and products in eps.

usage: python bench/accuracy.py [--stride 4099] [--json bench/results/accuracy.json]     (--stride 1: every float32)
"""

from __future__ import annotations

import argparse
import json
import pathlib
import sys

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests"))

import lamina
import lamina.nn.functional as F
from ulp import FUNCTIONS, float32_error, float64_error, ulps

RNG = np.random.default_rng(0)
EPS = float(np.finfo(np.float32).eps)


def of_terms(got: np.ndarray, exact: np.ndarray, absolute: np.ndarray) -> float:
    """Largest error in eps of the sum of absolute terms."""
    return float(np.max(np.abs(got.astype(np.float64) - exact) / (absolute * EPS)))


def normal(*shape: int, mean: float = 0.0) -> np.ndarray:
    return (RNG.standard_normal(shape) + mean).astype(np.float32)


def sums() -> dict[str, tuple[float, float]]:
    """Name -> (error, bar)."""
    rows: dict[str, tuple[float, float]] = {}
    for n in (1000, 100_000, 10_000_000):
        x = normal(n)
        w, t = x.astype(np.float64), lamina.from_numpy(x)
        rows[f"sum of {n}"] = of_terms(t.sum().numpy(), w.sum(), np.abs(w).sum()), 1
        rows[f"mean of {n}"] = of_terms(t.mean().numpy(), w.mean(), np.abs(w).mean()), 1
    for k in (64, 1024, 16384):
        a, b = normal(32, k), normal(k, 32)
        wa, wb = a.astype(np.float64), b.astype(np.float64)
        got = lamina.matmul(lamina.from_numpy(a), lamina.from_numpy(b)).numpy()
        rows[f"matmul, k = {k}"] = of_terms(got, wa @ wb, np.abs(wa) @ np.abs(wb)), 1
    x, k = normal(2, 64, 12, 12), normal(8, 64, 3, 3)
    windows = np.lib.stride_tricks.sliding_window_view(x.astype(np.float64), (3, 3), (2, 3))
    got = F.conv2d(lamina.from_numpy(x), lamina.from_numpy(k)).numpy()
    exact, absolute = (
        np.einsum("nchwij,ocij->nohw", f(windows), f(k.astype(np.float64))) for f in (np.asarray, np.abs)
    )
    rows["conv2d, 64 channels, 3x3"] = of_terms(got, exact, absolute), 1
    x = normal(64, 768, mean=1000)
    w = x.astype(np.float64)
    got = lamina.var(lamina.from_numpy(x), dim=1).numpy()
    exact = w.var(1, ddof=1)
    rows["var at mean 1000"] = float(np.max(np.abs(got / exact - 1)) / EPS), 2
    got = F.layer_norm(lamina.from_numpy(x), (768,)).numpy()
    exact = (w - w.mean(1, keepdims=True)) / np.sqrt(w.var(1, keepdims=True) + 1e-5)
    rows["layer_norm at mean 1000"] = float(np.max(np.abs(got - exact) / np.maximum(np.abs(exact), 1)) / EPS), 2
    x = normal(64, 1000) * 10
    w = x.astype(np.float64)
    e = np.exp(w - w.max(1, keepdims=True))
    got = F.softmax(lamina.from_numpy(x), dim=1).numpy()
    rows["softmax (ULP)"] = float(ulps(got, e / e.sum(1, keepdims=True)).max()), 4
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stride", type=int, default=4099, help="measure every n-th float32")
    parser.add_argument("--json", type=pathlib.Path)
    options = parser.parse_args()
    table = []
    print(f"lamina {lamina.__version__}, {lamina.simd_level()}; float32: every {options.stride}. bit pattern")
    print(f"{'function':12} {'ULP f32':>8} {'bar':>5} {'at':>16}   {'ULP f64':>8} {'bar':>5} {'at':>24}")
    for name, function in FUNCTIONS.items():
        a, b = float32_error(name, options.stride), float64_error(name)
        mark = "" if a.error <= function.bar and b.error <= function.bar64 else "  ABOVE"
        single = f"{a.error:8.3f} {function.bar:5g} {a.at:16.9g}"
        print(f"{name:12} {single}   {b.error:8.3f} {function.bar64:5g} {b.at:24.17g}{mark}", flush=True)
        table.append(
            {"name": name, "float32": a.error, "bar": function.bar, "float64": b.error, "bar64": function.bar64}
        )
    print(f"\n{'sums, in eps of the sum of absolute terms':44} {'error':>8} {'bar':>5}")
    for name, (error, bar) in sums().items():
        print(f"{name:44} {error:8.3f} {bar:5g}{'' if error <= bar else '  ABOVE'}")
        table.append({"name": name, "error": error, "bar": bar})
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(table, indent=1))


if __name__ == "__main__":
    main()
