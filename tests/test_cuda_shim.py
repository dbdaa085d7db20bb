"""The CUDA kernels without a GPU: the sources of cuda/, built by the host compiler, run as device "cuda" in their own
process, where every result must have the CPU's bits. LAMINA_TEST_CUDA_LIBRARY names another plug-in to test."""

from __future__ import annotations

import os
import pathlib
import shutil
import subprocess
import sys
import sysconfig

import lamina
import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent
SCRIPT = pathlib.Path(__file__).with_name("cuda_compare.py")


def run(code: list[str], **extra: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(SCRIPT.parent), *sys.path]), **extra}
    return subprocess.run([sys.executable, *code], env=env, capture_output=True, text=True, timeout=900)


@pytest.fixture(scope="module")
def library(tmp_path_factory) -> str:
    if named := os.environ.get("LAMINA_TEST_CUDA_LIBRARY"):
        return named
    # The test extra's CMake: the system's own may be too old.
    cmake = shutil.which("cmake", path=sysconfig.get_path("scripts")) or shutil.which("cmake")
    if not (ROOT / "cuda").is_dir() or not cmake:
        pytest.skip("needs the sources in cuda/ and cmake")
    folder = os.environ.get("LAMINA_SHIM_BUILD") or str(tmp_path_factory.getbasetemp() / "cuda_shim")
    steps = (
        [cmake, "-S", str(ROOT / "cuda" / "shim"), "-B", folder],
        [cmake, "--build", folder, "--parallel", str(os.cpu_count() or 1)],
    )
    for step in steps:
        done = subprocess.run(step, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return str(pathlib.Path(folder) / "liblamina_cuda_shim.so")


@pytest.mark.slow
@pytest.mark.parametrize("order", ["forward", "reverse", "7"])
def test_every_kernel_has_the_bits_of_the_cpu(library, order):
    barriers = ["sum", "matmul"]  # the order of a block's threads can matter only there
    parts = ["elementwise", "gradients", *barriers, "copy", "training"] if order == "forward" else barriers
    done = run([str(SCRIPT), *parts], LAMINA_CUDA_LIBRARY=library, LAMINA_SHIM_ORDER=order)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert "equal" in done.stdout


@pytest.mark.slow
def test_status_and_errors_with_a_device(library):
    done = run([str(SCRIPT), "errors"], LAMINA_CUDA_LIBRARY=library)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]


def test_status_tells_why_there_is_no_cuda(tmp_path):
    tell = "import lamina; print(lamina.cuda.is_available(), lamina.cuda.device_count(), lamina.cuda.status())"
    missing = str(tmp_path / "none.so")
    done = run(["-c", tell], LAMINA_CUDA_LIBRARY=missing)
    assert done.stdout.startswith("False 0 the CUDA plug-in cannot be loaded") and missing in done.stdout, (
        done.stdout + done.stderr
    )
    other = run(["-c", "import ctypes.util; print(ctypes.CDLL('libm.so.6')._name)"]).stdout.strip()
    done = run(["-c", tell], LAMINA_CUDA_LIBRARY=other)
    assert done.stdout.startswith("False 0") and "is not a lamina plug-in" in done.stdout, done.stdout + done.stderr


def test_a_stale_plugin_is_refused_by_name(tmp_path):
    compiler = shutil.which("c++") or shutil.which("g++")
    if not compiler:
        pytest.skip("needs a C++ compiler")
    source, plugin = tmp_path / "stale.cpp", tmp_path / "stale.so"
    source.write_text('extern "C" bool lamina_backend_get(unsigned long, void*) { return false; }\n')
    subprocess.run([compiler, "-shared", "-fPIC", str(source), "-o", str(plugin)], check=True)
    code = (
        "import lamina\n"
        "print(lamina.cuda.status())\n"
        "try: lamina.zeros(2, device='cuda')\n"
        "except lamina.DeviceError as e: print(e)\n"
    )
    done = run(["-c", code], LAMINA_CUDA_LIBRARY=str(plugin))
    assert done.stdout.count("was built for another version of lamina") == 2 and done.stdout.count(str(plugin)) == 2, (
        done.stdout + done.stderr
    )


def test_without_a_plugin_the_device_says_so():
    if lamina.cuda.is_available():
        pytest.skip("there is a CUDA device")
    assert lamina.cuda.device_count() == 0 and lamina.cuda.status()
    with pytest.raises(lamina.DeviceError, match="cuda:0: "):
        lamina.zeros(2, device="cuda")
