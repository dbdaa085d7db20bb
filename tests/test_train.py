"""Training gives the same weights, bit for bit, at any number of threads and SIMD level (accuracy: test_cli.py)."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

# A short training whose weights depend on every kernel of the CNN: prints the hash of the weights.
SCRIPT = """
import hashlib, sys, lamina
from lamina import optim
import lamina.nn.functional as F
lamina.set_num_threads(int(sys.argv[1]))
lamina.manual_seed(3)
(x, y), _ = lamina.datasets.split(*lamina.datasets.digits())
models = [lamina.models.MLP(), lamina.models.CNN()]
h = hashlib.sha256()
for model in models:
    model.train()
    optimizer = optim.AdamW(model.parameters(), lr=2e-3)
    for i in range(12):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x[i * 64 : i * 64 + 64]), y[i * 64 : i * 64 + 64])
        loss.backward()
        optimizer.step()
    for name, value in sorted(model.state_dict().items()):
        h.update(value.contiguous().numpy().tobytes())
print(h.hexdigest())
"""


def weights_hash(threads: int, isa: str) -> str:
    run = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(threads)],
        env=dict(os.environ, LAMINA_ISA=isa),
        capture_output=True,
        text=True,
        timeout=600,
    )
    if run.returncode and "this build and CPU offer" in run.stderr:
        pytest.skip(f"this CPU has no {isa}")
    assert run.returncode == 0, run.stderr[-2000:]
    return run.stdout.strip()


def test_trained_weights_have_the_same_bits():
    reference = weights_hash(1, "")
    assert weights_hash(2, "") == reference
    assert weights_hash(4, "") == reference
    assert weights_hash(1, "avx2") == reference
    assert weights_hash(2, "avx512") == reference
