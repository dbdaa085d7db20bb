#!/bin/sh
# On a machine with a GPU, nvcc, a C++20 compiler and CMake: builds the CUDA plug-in, compares every kernel with the CPU
# bit for bit on the device, and writes the figures to bench/results/. Nothing else of the project is needed.
#   tools/gpu_check.sh [build folder]     LAMINA_CUDA_ARCHITECTURES=90a-real overrides the architectures
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
build=${1:-$root/build-gpu}
cmake -S "$root" -B "$build" -DLAMINA_CUDA=ON -DLAMINA_TESTS=ON -DLAMINA_PYTHON=OFF \
  ${LAMINA_CUDA_ARCHITECTURES:+-DLAMINA_CUDA_ARCHITECTURES="$LAMINA_CUDA_ARCHITECTURES"}
cmake --build "$build" --parallel "$(nproc)" --target lamina_cuda cuda_test cuda_bench
LAMINA_CUDA_LIBRARY=$build/cuda/liblamina_cuda.so
export LAMINA_CUDA_LIBRARY
"$build/tests/cpp/cuda_test"
gpu=$(nvidia-smi --query-gpu=name --format=csv,noheader | head -n 1 | tr -c 'A-Za-z0-9\n' '_')
mkdir -p "$root/bench/results"
"$build/cuda/cuda_bench" | tee "$root/bench/results/cuda_$gpu.json"
