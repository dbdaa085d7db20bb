// Conversion of a run of elements between any two dtypes, with strides in elements.
#pragma once
#include "cpu/simd.h"
#include "lamina/dtype.h"

namespace lamina::cpu::inline LAMINA_ISA {

// dst[i * dst_stride] = src[i * src_stride], converted. Integers wrap around when narrowed; floats go to integers
// through int64, rounded towards zero, saturated there, NaN as 0; anything but zero is true.
using ConvertFn = void (*)(const void* src, int64_t src_stride, void* dst, int64_t dst_stride, int64_t n);
ConvertFn convert_fn(DType from, DType to);

// p + n elements of type t.
LAMINA_INLINE char* advance(const void* p, int64_t n, DType t) {
  return const_cast<char*>(static_cast<const char*>(p)) + n * int64_t(size_of(t));
}

}  // namespace lamina::cpu::inline LAMINA_ISA
