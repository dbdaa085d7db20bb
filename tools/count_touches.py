"""How many files one operation touches: prints, for the two kinds of operation, the files that name it, tests aside.

usage: python tools/count_touches.py [elementwise structured]   (default: expm1 softmax)
"""

from __future__ import annotations

import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
SOURCES = ("cpp/include/lamina/*", "cpp/ops/*", "cpp/cpu/*", "cuda/*")


def declares(path: pathlib.Path, name: str) -> bool:
    """Whether the file holds a part of the operation: its list entry, its formula, its row or its definition."""
    struct = "".join(part.capitalize() for part in name.split("_"))
    text = path.read_text()
    patterns = [
        rf"X\({name}, ",
        rf"struct {struct} :",
        rf"(OP\(\"\w*\", |KERNEL\(){name},",
        rf"^(void|Tensor) {name}\(const",
    ]
    return any(re.search(p, text, re.M) for p in patterns)


def touched(name: str) -> list[str]:
    listed = subprocess.run(["git", "ls-files", *SOURCES], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [f for f in listed.split() if declares(ROOT / f, name)]


def main() -> None:
    names = sys.argv[1:] or ["expm1", "softmax"]
    for kind, name in zip(("elementwise", "structured"), names, strict=False):
        files = touched(name)
        twin = "its NumPy twin in tests/reference"
        print(f"{kind} ({name}): {len(files)} source files and {twin}: {', '.join(files)}")


if __name__ == "__main__":
    main()
