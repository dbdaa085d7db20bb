// Host shim: runs CUDA kernel sources on the CPU, so that they are tested where no GPU is. Each CUDA thread is a fiber;
// a fiber that reaches a barrier waits until its block (or warp) has. Threads of a block run in the order that
// LAMINA_SHIM_ORDER names (forward, reverse or a seed): results must not depend on it. Shared memory starts as 0xff
// bytes (NaN), device memory too. A barrier that not all threads reach, or reach at different places, ends the process.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <source_location>
#include <type_traits>

#define __global__ static
#define __device__
#define __host__
#define __forceinline__ inline __attribute__((always_inline))
#define __launch_bounds__(...)

struct dim3 {
  unsigned x, y, z;
  constexpr dim3(unsigned x_ = 1, unsigned y_ = 1, unsigned z_ = 1) : x(x_), y(y_), z(z_) {}
};

namespace lamina::shim {

using Where = std::source_location;

// What a running kernel thread may ask.
struct Thread {
  dim3 thread, block, block_size, grid;
  unsigned linear = 0;  // within the block
};
const Thread& self();
void block_barrier(Where where);
void warp_barrier(unsigned mask, Where where);
// Gives `value` to the warp and returns what lane `source` gave.
void exchange(unsigned mask, const void* value, size_t bytes, unsigned source, void* out, Where where);
// The block's memory for one declaration; the first thread makes it.
void* shared(const void* declaration, size_t bytes);

// Runs body(context) once per thread of the grid.
void launch(dim3 grid, dim3 block, void (*body)(const void*), const void* context);

template <class F>
void launch(dim3 grid, dim3 block, const F& f) {
  launch(grid, block, [](const void* c) { (*static_cast<const F*>(c))(); }, &f);
}

template <class T>
T shuffle(unsigned mask, T value, unsigned source, Where where) {
  static_assert(sizeof(T) <= 16 && std::is_trivially_copyable_v<T>);
  T out;
  exchange(mask, &value, sizeof value, source, &out, where);
  return out;
}

}  // namespace lamina::shim

#define threadIdx (::lamina::shim::self().thread)
#define blockIdx (::lamina::shim::self().block)
#define blockDim (::lamina::shim::self().block_size)
#define gridDim (::lamina::shim::self().grid)

#define LAMINA_LAUNCH(kernel, grid, block, ...) ::lamina::shim::launch((grid), (block), [&] { kernel(__VA_ARGS__); })
#define LAMINA_SHARED(T, name, n)            \
  static const char name##_declaration_ = 0; \
  T* const name = static_cast<T*>(::lamina::shim::shared(&name##_declaration_, sizeof(T) * (n)))

inline void __syncthreads(lamina::shim::Where w = lamina::shim::Where::current()) { lamina::shim::block_barrier(w); }
inline void __syncwarp(unsigned mask = ~0u, lamina::shim::Where w = lamina::shim::Where::current()) {
  lamina::shim::warp_barrier(mask, w);
}
template <class T>
T __shfl_sync(unsigned mask, T v, int lane, int = 32, lamina::shim::Where w = lamina::shim::Where::current()) {
  return lamina::shim::shuffle(mask, v, unsigned(lane) & 31, w);
}
template <class T>
T __shfl_xor_sync(unsigned mask, T v, int bits, int = 32, lamina::shim::Where w = lamina::shim::Where::current()) {
  return lamina::shim::shuffle(mask, v, (lamina::shim::self().linear ^ unsigned(bits)) & 31, w);
}
template <class T>
T __shfl_down_sync(unsigned mask, T v, unsigned by, int = 32, lamina::shim::Where w = lamina::shim::Where::current()) {
  const unsigned lane = lamina::shim::self().linear & 31;
  return lamina::shim::shuffle(mask, v, lane + by < 32 ? lane + by : lane, w);
}

// The part of the runtime that lamina calls. Device memory is host memory.
using cudaStream_t = void*;
using cudaMemPool_t = void*;
enum cudaError_t {
  cudaSuccess = 0,
  cudaErrorInvalidValue = 1,
  cudaErrorMemoryAllocation = 2,
  cudaErrorInvalidDevice = 101
};
enum cudaMemcpyKind { cudaMemcpyHostToDevice = 1, cudaMemcpyDeviceToHost = 2, cudaMemcpyDeviceToDevice = 3 };
enum cudaMemPoolAttr { cudaMemPoolAttrReleaseThreshold = 4 };
cudaError_t cudaMallocAsync(void** p, size_t bytes, cudaStream_t stream);
cudaError_t cudaFreeAsync(void* p, cudaStream_t stream);
cudaError_t cudaGetDeviceCount(int* count);
cudaError_t cudaSetDevice(int device);
const char* cudaGetErrorString(cudaError_t error);
inline cudaError_t cudaMemcpy(void* dst, const void* src, size_t bytes, cudaMemcpyKind) {
  std::memcpy(dst, src, bytes);
  return cudaSuccess;
}
inline cudaError_t cudaMemset(void* p, int value, size_t bytes) {
  std::memset(p, value, bytes);
  return cudaSuccess;
}
inline cudaError_t cudaGetLastError() { return cudaSuccess; }
inline cudaError_t cudaDeviceSynchronize() { return cudaSuccess; }
inline cudaError_t cudaDeviceGetDefaultMemPool(cudaMemPool_t*, int) { return cudaSuccess; }
inline cudaError_t cudaMemPoolSetAttribute(cudaMemPool_t, cudaMemPoolAttr, void*) { return cudaSuccess; }
