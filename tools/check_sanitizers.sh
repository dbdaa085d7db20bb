#!/usr/bin/env bash
# Builds lamina with ASan and UBSan and runs the tests on it. usage: tools/check_sanitizers.sh [pytest arguments]
# Needs the Python of a virtual environment with the test extra, pybind11, cmake and ninja on PATH.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
build=$root/build/sanitize
cmake -S "$root" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Sanitize -DCMAKE_CXX_FLAGS_SANITIZE=-O2 -DLAMINA_SANITIZE=address,undefined -DLAMINA_PYTHON=ON \
  -DLAMINA_SIMD="${LAMINA_SIMD:-base;avx2;avx512}" -DPython_EXECUTABLE="$(command -v python)" -Dpybind11_DIR="$(python -m pybind11 --cmakedir)" >/dev/null
cmake --build "$build"
rm -rf "$build/site" && mkdir -p "$build/site"
cp -r "$root/python/lamina" "$build/site/"
cp "$build"/python/_C*.so "$build/site/lamina/"
# libstdc++ is preloaded too, so that ASan finds __cxa_throw before the module is loaded.
preload="$(g++ -print-file-name=libasan.so) $(g++ -print-file-name=libubsan.so) $(g++ -print-file-name=libstdc++.so)"
cd "$root"
ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1 UBSAN_OPTIONS=print_stacktrace=1 LD_PRELOAD="$preload" PYTHONPATH="$build/site" \
  python -m pytest -q -p no:cacheprovider "${@:-tests}"
