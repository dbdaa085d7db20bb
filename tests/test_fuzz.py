"""A hundred thousand hostile calls over the whole registry: each returns or raises a typed error, none crashes."""

from __future__ import annotations

import pathlib
import subprocess
import sys

import pytest


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_hostile_calls(seed, tmp_path):
    log = tmp_path / "last_call"
    script = pathlib.Path(__file__).with_name("fuzz.py")
    r = subprocess.run([sys.executable, script, str(seed), "25000", log], capture_output=True, text=True, timeout=1200)
    assert r.returncode == 0, f"seed {seed}, last call: {log.read_text().strip()}\n{r.stderr[-2000:]}"
