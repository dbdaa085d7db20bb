"""Code in a process of its own, with a time limit: for tests of what could hang or kill it."""

import json
import os
import pathlib
import subprocess
import sys

import pytest

HERE = pathlib.Path(__file__).parent

HEAD = "import os, sys, time, threading, signal, gc\nimport lamina\n"


def run(code, timeout=60, **env):
    return subprocess.run(
        [sys.executable, "-c", HEAD + code],
        capture_output=True,
        text=True,
        timeout=timeout,
        env={**os.environ, **env},
        check=False,
    )


def ok(code, **kwargs):
    r = run(code, **kwargs)
    assert r.returncode == 0, f"exit {r.returncode}\n{r.stdout}\n{r.stderr}"
    return r.stdout


def dumped(script, isa, *threads, timeout=900):
    """The JSON that a script of this folder prints for these numbers of threads, at a SIMD level ("": the best)."""
    path = os.pathsep.join([str(HERE), *os.environ.get("PYTHONPATH", "").split(os.pathsep)])
    run = subprocess.run(
        [sys.executable, str(HERE / script), *map(str, threads)],
        env=dict(os.environ, LAMINA_ISA=isa, PYTHONPATH=path),
        capture_output=True,
        text=True,
        timeout=timeout,
    )
    if run.returncode != 0 and "this build and CPU offer" in run.stderr:
        pytest.skip(f"this CPU has no {isa}")
    assert run.returncode == 0, run.stderr[-2000:]
    return json.loads(run.stdout)
