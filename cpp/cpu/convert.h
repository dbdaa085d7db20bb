// Conversion of a matrix of elements between any two dtypes, with any strides.
#pragma once
#include "cpu/simd.h"
#include "lamina/dtype.h"

namespace lamina::cpu::inline LAMINA_ISA {

// A matrix of elements in memory.
struct Block {
  void* data;
  int64_t row, col;  // strides in elements
};

// dst = src, converted, for a matrix of rows x cols. Integers wrap around when narrowed; floats go to integers through
// int64, rounded towards zero, saturated there, NaN as 0; anything but zero is true.
using ConvertFn = void (*)(Block src, Block dst, int64_t rows, int64_t cols);
ConvertFn convert_fn(DType from, DType to);

// p + n elements of type t.
LAMINA_INLINE char* advance(const void* p, int64_t n, DType t) {
  return const_cast<char*>(static_cast<const char*>(p)) + n * int64_t(size_of(t));
}

}  // namespace lamina::cpu::inline LAMINA_ISA
