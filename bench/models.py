"""Times the models of workloads.py on lamina and on PyTorch: the same text, in turn, each run in a fresh process.

usage: python bench/models.py [--only gpt,lstm] [--rounds 5] [--threads 1] [--seconds 1.5] [--clock cpu]
       [--json bench/results/models.json]

ratio = torch time / lamina time of a round's median steps (above 1: lamina is faster); the table shows the median over
rounds and its range. The two alternate, and which one goes first, so that a drifting machine slows both alike. With one
thread both are pinned to one core. --clock cpu counts the processor's time alone, for a machine that does other work too.
A workload that fails in either library counts as ratio 0.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import pathlib
import statistics
import subprocess
import sys

import lamina
import torch
from workloads import WORKLOADS

SCRIPT = pathlib.Path(__file__).resolve().parent / "workloads.py"


class Failed(Exception):
    """A workload ended without a time."""


def once(library: str, name: str, threads: int, seconds: float, clock: str) -> float:
    """The median time of a step in milliseconds, measured in a process of its own."""
    pin = ["taskset", "-c", str(max(os.sched_getaffinity(0)))] if threads == 1 else []
    options = [f"--seconds={seconds}", f"--threads={threads}", f"--clock={clock}"]
    run = subprocess.run(
        [*pin, sys.executable, str(SCRIPT), library, name, *options],
        env={**os.environ, "OMP_NUM_THREADS": str(threads), "LAMINA_NUM_THREADS": str(threads)},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    if run.returncode:
        raise Failed(f"{library}: {(run.stderr.strip().splitlines() or ['no output'])[-1]}")
    return json.loads(run.stdout)["median_ms"]


def compare(name: str, rounds: int, threads: int, seconds: float, clock: str) -> dict:
    times: dict[str, list[float]] = {"torch": [], "lamina": []}
    for i in range(rounds):
        for library in ("torch", "lamina") if i % 2 else ("lamina", "torch"):
            try:
                times[library].append(once(library, name, threads, seconds, clock))
            except (Failed, subprocess.TimeoutExpired) as error:
                return {"ratio": 0.0, "error": str(error)}
    ratios = sorted(a / b for a, b in zip(times["torch"], times["lamina"], strict=True))
    return {
        "torch_ms": statistics.median(times["torch"]),
        "lamina_ms": statistics.median(times["lamina"]),
        "ratio": statistics.median(ratios),
        "low": ratios[0],
        "high": ratios[-1],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="comma-separated parts of names")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=1.5)
    parser.add_argument("--clock", choices=("wall", "cpu"), default="wall")
    parser.add_argument("--json", default="")
    arguments = parser.parse_args()
    wanted = [w for w in arguments.only.split(",") if w]
    print(
        f"lamina {lamina.__version__} ({lamina.simd_level()}), PyTorch {torch.__version__}, {arguments.threads} thread(s)"
    )
    print(f"{'workload':20s} {'PyTorch ms':>11s} {'lamina ms':>11s} {'ratio':>7s}  range")
    results = {}
    for name in WORKLOADS:
        if wanted and not any(w in name for w in wanted):
            continue
        r = results[name] = compare(name, arguments.rounds, arguments.threads, arguments.seconds, arguments.clock)
        if "error" in r:
            print(f"{name:20s} {'':11s} {'':11s} {0:7.2f}  {r['error']}", flush=True)
            continue
        print(
            f"{name:20s} {r['torch_ms']:11.3f} {r['lamina_ms']:11.3f} {r['ratio']:7.2f}  {r['low']:.2f}..{r['high']:.2f}",
            flush=True,
        )
    ran = [r["ratio"] for r in results.values() if r["ratio"]]
    if ran:
        mean = math.exp(sum(map(math.log, ran)) / len(ran))
        print(f"{len(ran)} of {len(results)} ran; geometric mean {mean:.2f}; slowest {min(ran):.2f}")
    if arguments.json:
        path = pathlib.Path(arguments.json)
        path.parent.mkdir(parents=True, exist_ok=True)
        about = {
            "torch": torch.__version__,
            "lamina": lamina.__version__,
            "simd": lamina.simd_level(),
            "threads": arguments.threads,
            "rounds": arguments.rounds,
            "clock": arguments.clock,
        }
        path.write_text(json.dumps({**about, "rows": results}, indent=1) + "\n")


if __name__ == "__main__":
    main()
