// What every CUDA source includes: the toolkit under nvcc, or the host shim, which runs the same text on the CPU.
// Kernels are launched, and shared memory is declared, through these macros only; no PTX outside wrappers.
#pragma once
#include <cstddef>
#include <cstdint>

#include "lamina/backend.h"

#ifdef __CUDACC__
#include <cuda_runtime.h>
// LAMINA_LAUNCH((kernel<A, B>), grid, block, arguments...) on the default stream.
#define LAMINA_LAUNCH(kernel, grid, block, ...) kernel<<<(grid), (block)>>>(__VA_ARGS__)
// LAMINA_SHARED(float, tile, 256): an array shared by the block.
#define LAMINA_SHARED(T, name, n) __shared__ T name[n]
#else
#include "shim/cuda_shim.h"
#endif

namespace lamina::cuda {

// Kernels return nothing: the first failure is kept and comes out of the next copy or synchronize.
void remember(const char* what, const char* reason);
// Keeps a failed launch of the kernel just launched.
void check_launch(const char* what);
void unsupported(const char* kernel, DType dtype);

// Device memory for the time of a kernel call; null (and remembered) where there is none.
class Workspace {
 public:
  Workspace(const char* what, size_t bytes);
  ~Workspace();
  Workspace(const Workspace&) = delete;
  Workspace& operator=(const Workspace&) = delete;
  void* get() const { return p_; }

 private:
  void* p_ = nullptr;
};

inline constexpr int kThreads = 256;
// Blocks for n items at one per thread, few enough that a grid-stride loop covers the rest.
inline unsigned blocks_for(int64_t n) {
  const int64_t blocks = (n + kThreads - 1) / kThreads, most = 1 << 16;
  return unsigned(blocks < most ? blocks : most);
}

Kernels table();

}  // namespace lamina::cuda
