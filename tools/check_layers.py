"""Fails on an #include that goes against the layers of the house (docs/design.md).

L0 headers without tensors <- L1 cpp/cpu, cuda; L0 <- L2 core <- L3 autograd <- L4 ops <- L5 optim, nn, io, python.
"""

from __future__ import annotations

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
# Public headers by the lowest layer that may include them; the rest of cpp/include/lamina is layer 0.
HEADERS = {
    "tensor.h": 2, "ref.h": 2, "shape.h": 0, "devices.h": 2, "random.h": 2, "autograd.h": 3, "owned.h": 3,
    "ops.h": 3, "ops.def": 3, "formulas.h": 4, "optim.h": 5, "nn.h": 5, "io.h": 5, "lamina.h": 5,
}  # fmt: skip
FOLDERS = {
    "cpp/cpu": 1,
    "cuda": 1,
    "cpp/core": 2,
    "cpp/autograd": 3,
    "cpp/ops": 4,
    "cpp/optim": 5,
    "cpp/nn": 5,
    "cpp/io": 5,
    "python/src": 5,
}
KERNELS = ("cpp/cpu", "cuda")


def layer_of(path: pathlib.Path) -> int | None:
    relative = path.relative_to(ROOT).as_posix()
    if relative.startswith("cpp/include/lamina/"):
        return HEADERS.get(path.name, 0)
    for folder, layer in FOLDERS.items():
        if relative.startswith(folder + "/"):
            return layer
    return None


def target_of(source: pathlib.Path, include: str) -> pathlib.Path | None:
    for base in (source.parent, ROOT / "cpp" / "include", ROOT / "cpp", ROOT):
        candidate = (base / include).resolve()
        if candidate.is_file() and ROOT in candidate.parents:
            return candidate
    return None


def problems() -> list[str]:
    out = []
    files = [
        f
        for pattern in ("*.h", "*.cpp", "*.cu", "*.cuh", "*.def")
        for d in ("cpp", "cuda", "python/src")
        for f in (ROOT / d).rglob(pattern)
    ]
    for source in sorted(files):
        mine = layer_of(source)
        if mine is None:
            continue
        for number, line in enumerate(source.read_text().splitlines(), 1):
            match = re.match(r'\s*#\s*include\s*"([^"]+)"', line)
            target = match and target_of(source, match.group(1))
            theirs = layer_of(target) if target else None
            where = f"{source.relative_to(ROOT)}:{number}"
            if theirs is None:
                continue
            if theirs > mine:
                out.append(f"{where}: layer {mine} includes {match.group(1)} of layer {theirs}")
            if mine >= 2 and any(target.relative_to(ROOT).as_posix().startswith(k + "/") for k in KERNELS):
                out.append(
                    f"{where}: {match.group(1)} is a kernel's own header; reach kernels through lamina/backend.h"
                )
            folders = [f for f in KERNELS if source.relative_to(ROOT).as_posix().startswith(f + "/")]
            if folders and any(
                target.relative_to(ROOT).as_posix().startswith(k + "/") for k in KERNELS if k not in folders
            ):
                out.append(f"{where}: CPU and CUDA kernels never include each other")
    return out


if __name__ == "__main__":
    found = problems()
    print("\n".join(found) or "layers: every include points downwards")
    sys.exit(1 if found else 0)
