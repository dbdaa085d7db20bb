"""Code in a process of its own, with a time limit: for tests of what could hang or kill it."""

import os
import subprocess
import sys

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
