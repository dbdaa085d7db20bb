// copy and fill, with conversion between any two dtypes and any strides.
#include "convert.h"
#include "gpu.h"
#include "walk.h"

namespace lamina::cuda {
namespace {

// Carrier: double holds every float exactly, int64 every integer.
template <class Carrier>
__global__ void __launch_bounds__(kThreads) copy_kernel(const Walk walk) {
  const int64_t step = int64_t(gridDim.x) * kThreads;
  for (int64_t i = int64_t(blockIdx.x) * kThreads + threadIdx.x; i < walk.numel; i += step) {
    int64_t at[kMaxOperands];
    walk.offsets(i, at, 2);
    store(walk.base[0], at[0], walk.dtype[0], load<Carrier>(walk.base[1], at[1], walk.dtype[1]));
  }
}

template <class Bits>
__global__ void __launch_bounds__(kThreads) move_kernel(const Walk walk) {
  const int64_t step = int64_t(gridDim.x) * kThreads;
  for (int64_t i = int64_t(blockIdx.x) * kThreads + threadIdx.x; i < walk.numel; i += step) {
    int64_t at[kMaxOperands];
    walk.offsets(i, at, 2);
    static_cast<Bits*>(walk.base[0])[at[0]] = static_cast<const Bits*>(walk.base[1])[at[1]];
  }
}

template <class Carrier>
__global__ void __launch_bounds__(kThreads) fill_kernel(const Walk walk, Carrier value) {
  const int64_t step = int64_t(gridDim.x) * kThreads;
  for (int64_t i = int64_t(blockIdx.x) * kThreads + threadIdx.x; i < walk.numel; i += step) {
    int64_t at[kMaxOperands];
    walk.offsets(i, at, 1);
    store(walk.base[0], at[0], walk.dtype[0], value);
  }
}

}  // namespace

void copy(const View& src, const View& dst) {
  const int64_t n = dst.numel();
  if (n == 0) return;
  const View* views[] = {&dst, &src};
  const Walk walk = make_walk(views, 2);
  if (src.dtype == dst.dtype && src.dtype != DType::bool_) {  // NaN payloads stay: bits are moved, not numbers
    switch (size_of(src.dtype)) {
      case 1:
        LAMINA_LAUNCH(move_kernel<uint8_t>, blocks_for(n), kThreads, walk);
        break;
      case 2:
        LAMINA_LAUNCH(move_kernel<uint16_t>, blocks_for(n), kThreads, walk);
        break;
      case 4:
        LAMINA_LAUNCH(move_kernel<uint32_t>, blocks_for(n), kThreads, walk);
        break;
      default:
        LAMINA_LAUNCH(move_kernel<uint64_t>, blocks_for(n), kThreads, walk);
    }
  } else if (is_floating(src.dtype)) {
    LAMINA_LAUNCH(copy_kernel<double>, blocks_for(n), kThreads, walk);
  } else {
    LAMINA_LAUNCH(copy_kernel<int64_t>, blocks_for(n), kThreads, walk);
  }
  check_launch("copy");
}

void fill(const View& dst, Scalar value) {
  const int64_t n = dst.numel();
  if (n == 0) return;
  const View* views[] = {&dst};
  const Walk walk = make_walk(views, 1);
  if (value.is_floating()) {
    LAMINA_LAUNCH(fill_kernel<double>, blocks_for(n), kThreads, walk, value.to_double());
  } else {
    LAMINA_LAUNCH(fill_kernel<int64_t>, blocks_for(n), kThreads, walk, value.to_int());
  }
  check_launch("fill");
}

}  // namespace lamina::cuda
