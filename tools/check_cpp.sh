#!/usr/bin/env bash
# Builds the library as C++ users do, runs its C++ tests, and builds and runs tests/consumer against the installed
# package, static (all SIMD levels) and shared. usage: tools/check_cpp.sh [WORK_DIR]
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
work=${1:-$(mktemp -d)}
mkdir -p "$work"

build() {  # name, further cmake options
  local name=$1
  shift
  cmake -S "$root" -B "$work/$name" -G Ninja -DCMAKE_INSTALL_PREFIX="$work/$name-install" "$@" >"$work/$name.log" 2>&1 || { tail -30 "$work/$name.log"; exit 1; }
  cmake --build "$work/$name" >>"$work/$name.log" 2>&1 || { grep -E "error|FAILED" "$work/$name.log" | head -30; exit 1; }
  cmake --install "$work/$name" >>"$work/$name.log" 2>&1
  cmake -S "$root/tests/consumer" -B "$work/$name-consumer" -G Ninja -DCMAKE_BUILD_TYPE=Release -DCMAKE_PREFIX_PATH="$work/$name-install" >>"$work/$name.log" 2>&1 || { tail -30 "$work/$name.log"; exit 1; }
  cmake --build "$work/$name-consumer" >>"$work/$name.log" 2>&1 || { tail -30 "$work/$name.log"; exit 1; }
  echo "== consumer, $name"
  "$work/$name-consumer/train_mlp"
}

build static -DLAMINA_TESTS=ON
python3 "$root/tools/check_isa.py" "$work/static"
ctest --test-dir "$work/static" --output-on-failure
strip -o "$work/train_mlp" "$work/static-consumer/train_mlp"
echo "static program that trains an MLP: $(stat -c %s "$work/train_mlp") bytes stripped"
build shared -DLAMINA_SHARED=ON -DLAMINA_SIMD=base
