"""Prints the size of the wheel and the time of `import lamina` over bare Python; fails above 5 MB or 30 ms.

usage: check_wheel.py WHEEL  (run with the Python that has lamina installed)
"""

from __future__ import annotations

import pathlib
import statistics
import subprocess
import sys
import time


def start(code: str) -> float:
    begin = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True)
    return (time.perf_counter() - begin) * 1e3


def main() -> int:
    size = pathlib.Path(sys.argv[1]).stat().st_size
    bare, ours = [], []
    for _ in range(15):  # in turn, so that a busy machine slows both alike
        bare.append(start("pass"))
        ours.append(start("import lamina"))
    extra = statistics.median(b - a for a, b in zip(bare, ours, strict=True))
    print(f"wheel: {size / 1e6:.2f} MB (limit 5); import lamina: {extra:.1f} ms over bare Python (limit 30)")
    loaded = subprocess.run(
        [sys.executable, "-c", "import lamina, sys; print('numpy' in sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    numpy_free = loaded.stdout.strip() == "False"
    if not numpy_free:
        print("import lamina loads NumPy: it must wait for its first use")
    return 0 if size <= 5e6 and extra <= 30 and numpy_free else 1


if __name__ == "__main__":
    sys.exit(main())
