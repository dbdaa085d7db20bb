"""docs/add_an_op.md, followed to the letter on a copy of the sources: the new operations work."""

from __future__ import annotations

import pathlib
import re
import shutil
import subprocess
import sys
import sysconfig

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent
DOC = ROOT / "docs" / "add_an_op.md"

CHECK = """
import numpy as np, lamina
x = lamina.tensor([1.0, -2.0, 3.0], dtype=lamina.float64, requires_grad=True)
y = lamina.cube(x)
np.testing.assert_array_equal(y.detach().numpy(), [1, -8, 27])
g, = lamina.autograd.grad(y.sum(), x, create_graph=True)
np.testing.assert_array_equal(g.detach().numpy(), [3, 12, 27])
gg, = lamina.autograd.grad(g.sum(), x)
np.testing.assert_array_equal(gg.numpy(), [6, -12, 18])
z = x.detach().clone().cube_()
np.testing.assert_array_equal(z.numpy(), [1, -8, 27])
np.testing.assert_allclose(x.root_mean_square().item(), np.sqrt(14 / 3), rtol=1e-14)
assert "power of three" in lamina.cube.__doc__
"""


@pytest.mark.slow
def test_following_the_page(tmp_path):
    pybind11 = pytest.importorskip("pybind11")
    cmake, ninja = (
        shutil.which("cmake", path=sysconfig.get_path("scripts")),
        shutil.which("ninja", path=sysconfig.get_path("scripts")),
    )
    if not (cmake and ninja):
        pytest.skip("cmake and ninja of the test extra are not installed")
    source = tmp_path / "lamina"
    for part in ("cpp", "python", "cmake"):
        shutil.copytree(ROOT / part, source / part)
    shutil.copy(ROOT / "CMakeLists.txt", source)
    blocks = re.findall(r"```cpp\n(.*?)```", DOC.read_text(), re.S)
    struct, row, body = blocks[0], blocks[1], blocks[2]

    formulas = source / "cpp/include/lamina/elementwise_unary.h"
    formulas.write_text(re.sub(r"(struct Abs : )", lambda m: struct + m.group(1), formulas.read_text(), count=1))
    names = source / "cpp/include/lamina/elementwise_ops.h"
    names.write_text(re.sub(r"X\(abs, Abs\)", "X(abs, Abs) X(cube, Cube)", names.read_text(), count=1))
    table = source / "cpp/include/lamina/ops.def"
    table.write_text(table.read_text() + row)
    (source / "cpp/ops/root_mean_square.cpp").write_text(body)

    build = tmp_path / "build"
    configure = [cmake, "-S", source, "-B", build, "-G", "Ninja", f"-DCMAKE_MAKE_PROGRAM={ninja}", "-DCMAKE_BUILD_TYPE=None", "-DCMAKE_CXX_FLAGS=-O0",
                 "-DLAMINA_SIMD=base", "-DLAMINA_PYTHON=ON", f"-DPython_EXECUTABLE={sys.executable}", f"-Dpybind11_DIR={pybind11.get_cmake_dir()}"]  # fmt: skip
    subprocess.run(configure, check=True, capture_output=True)
    built = subprocess.run([cmake, "--build", build], capture_output=True, text=True)
    assert built.returncode == 0, built.stdout[-3000:]
    package = tmp_path / "site" / "lamina"
    shutil.copytree(ROOT / "python" / "lamina", package)
    for module in (build / "python").glob("_C*.so"):
        shutil.copy(module, package)
    run = subprocess.run(
        [sys.executable, "-c", CHECK], env={"PYTHONPATH": str(package.parent)}, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr
