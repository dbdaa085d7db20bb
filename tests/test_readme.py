"""The README's Python example runs as printed and learns."""

from __future__ import annotations

import pathlib
import re
import subprocess
import sys

README = pathlib.Path(__file__).resolve().parent.parent / "README.md"


def test_python_example(tmp_path):
    code = re.search(r"```python\n(.*?)```", README.read_text(), re.S)[1]
    assert len(code.strip().splitlines()) <= 20
    run = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stderr
    assert float(run.stdout.split()[-1]) > 0.9
    assert (tmp_path / "digits.safetensors").is_file()
