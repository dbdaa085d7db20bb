"""Character models of workloads.py on real text: how well they learn on lamina and on PyTorch, and the bits they end in.

usage: python bench/quality_text.py LIBRARY THREADS STEPS SEED     (hashes of trained weights)

Both libraries run the same text of the model from the same weights on the same batches, all made by NumPy.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import math
import os
import string
import subprocess
import sys
import time
from argparse import Namespace
from typing import Any

import numpy as np
from lamina import text
from workloads import VOCABULARY, char_lstm, gpt

LENGTH, BATCH, WIDTH = 128, 16, 128
STEPS, LR = {"gpt": 600, "lstm": 1000}, {"gpt": 2e-3, "lstm": 4e-3}
WEIGHT_DECAY, WARMUP = 0.01, 0.1
HELD_OUT = 512  # windows of the held-out text that are read, evenly spread
BLOCK = 10  # steps of one library before it is the other's turn
CHARACTERS = [c for c in string.printable if c.isprintable() or c == "\n"]  # others are read as "?"


def encoded() -> tuple[np.ndarray, np.ndarray]:
    """Ids of the default corpus: (training part, held-out part)."""
    tokenizer = text.CharTokenizer(CHARACTERS, unknown="?")
    assert len(tokenizer) == VOCABULARY
    return text.split(np.array(tokenizer.encode(text.corpus())))


def bigram_bits(train: np.ndarray, held_out: np.ndarray) -> float:
    """Bits per character of counted pairs of characters: what needs no network."""
    counts = np.ones((VOCABULARY, VOCABULARY))
    np.add.at(counts, (train[:-1], train[1:]), 1)
    chances = counts / counts.sum(1, keepdims=True)
    return float(-np.log2(chances[held_out[:-1], held_out[1:]]).mean())


class Run:
    """One model in training on one library."""

    def __init__(self, library: str, name: str, steps: int, seed: int) -> None:
        self.library = lib = importlib.import_module(library)
        self.name, self.steps, self.step, self.wall, self.cpu = name, steps, 0, 0.0, 0.0
        self.model = (
            gpt(lib, context=LENGTH, width=WIDTH, heads=4, layers=3) if name == "gpt" else char_lstm(lib.nn, WIDTH)
        )
        rng = np.random.default_rng(seed)
        with lib.no_grad():
            for key, p in self.model.named_parameters():
                if len(p.shape) > 1:
                    p.copy_(lib.tensor((rng.standard_normal(p.shape) * p.shape[1] ** -0.5).astype(np.float32)))
                elif "bias" in key:
                    p.zero_()
        self.optimizer = lib.optim.AdamW(self.model.parameters(), lr=LR[name], weight_decay=WEIGHT_DECAY)
        self.rng = np.random.default_rng(seed + 1)  # of the batches

    def loss(self, ids: np.ndarray, starts: np.ndarray) -> Any:
        """The mean cross entropy of the windows of ids that begin at `starts`."""
        windows = self.library.tensor(ids[starts[:, None] + np.arange(LENGTH + 1)])
        logits = self.model(windows[:, :-1])
        return self.library.nn.functional.cross_entropy(logits.reshape(-1, VOCABULARY), windows[:, 1:].reshape(-1))

    def train(self, ids: np.ndarray, steps: int) -> None:
        """Some steps; the learning rate rises over the first tenth of the run and falls to zero over the rest."""
        clock, used = time.perf_counter(), time.process_time()
        for _ in range(steps):
            done = (self.step + 1) / (self.steps + 1)
            for group in self.optimizer.param_groups:
                group["lr"] = LR[self.name] * min(done / WARMUP, (1 - done) / (1 - WARMUP))
            self.optimizer.zero_grad()
            self.loss(ids, self.rng.integers(0, len(ids) - LENGTH, BATCH)).backward()
            self.optimizer.step()
            self.step += 1
        self.wall += time.perf_counter() - clock
        self.cpu += time.process_time() - used

    def bits(self, ids: np.ndarray, windows: int) -> float:
        """Bits per character on evenly spread windows of the held-out text."""
        starts = np.linspace(0, len(ids) - LENGTH - 1, windows).astype(int)
        with self.library.no_grad():
            losses = [self.loss(ids, part).item() for part in starts.reshape(-1, BATCH)]
        return float(np.mean(losses) / math.log(2))

    def hash(self) -> str:
        content = [p.detach().numpy().tobytes() for _, p in sorted(self.model.named_parameters())]
        return hashlib.sha256(b"".join(content)).hexdigest()[:16]


def _compare(name: str, steps: int, seed: int, train: np.ndarray, held_out: np.ndarray) -> dict[str, Any]:
    """The two libraries in turns of a few steps, so that a busy machine slows both alike."""
    runs = {library: Run(library, name, steps, seed) for library in ("lamina", "torch")}
    windows = HELD_OUT if steps >= 100 else BATCH
    curves: dict[str, list[list[float]]] = {library: [] for library in runs}
    quarter = max(1, steps // 4)
    for begin in range(0, steps, BLOCK):
        for run in list(runs.values())[:: 1 if begin // BLOCK % 2 else -1]:
            run.train(train, min(BLOCK, steps - begin))
        step = runs["lamina"].step
        if step // quarter > begin // quarter or step == steps:
            for library, run in runs.items():
                curves[library].append([step, run.bits(held_out, windows)])
            print(name, step, {library: round(curve[-1][1], 4) for library, curve in curves.items()}, flush=True)
    figures: dict[str, Any] = {"parameters": sum(p.numel() for p in runs["lamina"].model.parameters()), "steps": steps}
    for library, run in runs.items():
        last = curves[library][-1][1]
        figures[library] = {
            "bits_per_character": last,
            "wall_seconds": run.wall,
            "cpu_seconds": run.cpu,
            "curve": curves[library],
        }
    return figures


def language(options: Namespace) -> dict[str, Any]:
    """Bits per character of a GPT and an LSTM on held-out text, on lamina and on PyTorch, after the same steps."""
    import torch

    torch.set_num_threads(options.threads)
    train, held_out = encoded()
    figures: dict[str, Any] = {
        "torch_version": torch.__version__.split("+")[0],
        "characters": len(train) + len(held_out),
        "bigram_bits": bigram_bits(train, held_out),
    }
    for name in ("gpt", "lstm"):
        figures[name] = _compare(name, options.steps or STEPS[name], options.seed, train, held_out)
    return figures


def _hashes(library: str, threads: int, level: str, steps: int, seed: int) -> dict[str, str]:
    """Hashes of the weights of a process with so many threads at a SIMD level; none where this CPU lacks the level."""
    environment = {"LAMINA_ISA": level, "ATEN_CPU_CAPABILITY": level, "OMP_NUM_THREADS": str(threads)}
    run = subprocess.run(
        [sys.executable, __file__, library, str(threads), str(steps), str(seed)],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    if run.returncode and "this build and CPU offer" in run.stderr:
        return {}
    if run.returncode:
        raise RuntimeError(f"{library} at {threads} threads and {level}: {run.stderr[-400:]}")
    found: dict[str, str] = json.loads(run.stdout)
    return found


def exact(options: Namespace) -> dict[str, Any]:
    """Hashes of the weights after the same training at 1 and 2 threads with AVX2 and AVX-512, for both libraries."""
    figures: dict[str, Any] = {"steps": options.steps or 30, "gpt": {}, "lstm": {}}
    for library in ("lamina", "torch"):
        for level in ("avx2", "avx512"):
            for threads in (1, 2):
                for name, value in _hashes(library, threads, level, figures["steps"], options.seed).items():
                    figures[name].setdefault(library, {})[f"{level}, threads {threads}"] = value
    return figures


def main() -> None:
    library, *numbers = sys.argv[1:]
    threads, steps, seed = map(int, numbers)
    train, hashes = encoded()[0], {}
    for name in ("gpt", "lstm"):
        run = Run(library, name, steps, seed)
        run.library.set_num_threads(threads)
        run.train(train, steps)
        hashes[name] = run.hash()
    print(json.dumps(hashes))


if __name__ == "__main__":
    main()
