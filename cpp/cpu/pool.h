// Shared by the pooling kernels: dtype dispatch and loops over channels-last rows or over planes.
#pragma once
#include "conv.h"

namespace lamina::cpu::inline LAMINA_ISA {

inline constexpr int64_t kPoolBlock = 64;  // channels at a time where they are neighbours in memory

// Calls f with a value of the storage type of a floating dtype.
template <class F>
LAMINA_INLINE void with_floating(const char* kernel, DType t, F&& f) {
  switch (t) {
    case DType::float32:
      return f(float());
    case DType::float64:
      return f(double());
    case DType::float16:
      return f(Half());
    case DType::bfloat16:
      return f(BFloat16());
    default:
      unsupported(kernel, t);
  }
}

// Channels are neighbours in both: work row by row on blocks of channels, else plane by plane.
LAMINA_INLINE bool by_channels(const View& a, const View& b) {
  return a.stride[1] == 1 && b.stride[1] == 1 && a.shape[1] > 1;
}

}  // namespace lamina::cpu::inline LAMINA_ISA
