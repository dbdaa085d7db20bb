"""Fails when an object of a SIMD level emits a weak symbol outside that level's namespace.

The linker keeps one copy of a weak symbol: an AVX-512 copy of a shared inline function would then run on every CPU.
usage: check_isa.py BUILD_DIR
"""

from __future__ import annotations

import pathlib
import subprocess
import sys


def leaks(build: pathlib.Path) -> list[str]:
    out = []
    for level in ("avx2", "avx512"):
        objects = sorted(build.glob(f"**/lamina_cpu_{level}.dir/**/*.o"))
        for start in range(0, len(objects), 50):
            text = subprocess.run(
                ["nm", "-A", "-C", "--defined-only", *map(str, objects[start : start + 50])],
                capture_output=True,
                text=True,
                check=True,
            ).stdout
            for line in text.splitlines():
                name, _, rest = line.partition(".o:")
                fields = rest.split(maxsplit=2)
                if len(fields) == 3 and fields[1] in "WVu" and f"{level}::" not in fields[2]:
                    out.append(f"{level}: {pathlib.Path(name).name}: {fields[2]}")
    return out


if __name__ == "__main__":
    found = leaks(pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "build"))
    print("\n".join(sorted(set(found))) or "SIMD levels: no symbol is shared between them")
    sys.exit(1 if found else 0)
