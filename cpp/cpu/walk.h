// Loop nests over several operands: dimensions in the memory order of the first one, merged where all operands allow
// it.
#pragma once
#include "cpu/convert.h"
#include "lamina/view.h"

namespace lamina::cpu::inline LAMINA_ISA {

inline constexpr int kMaxOperands = 6;

// Operand 0 (the output) decides the order. The last dimension is the innermost; there is at least one, of size >= 1.
struct Walk {
  int ndim, operands;
  int64_t shape[kMaxDims];
  int64_t stride[kMaxOperands][kMaxDims];
  char* base[kMaxOperands];
  DType dtype[kMaxOperands];
  bool linear[kMaxOperands];  // element i of the walk is at base + i

  int64_t numel() const {
    int64_t n = 1;
    for (int d = 0; d < ndim; ++d) n *= shape[d];
    return n;
  }
};

// views[i] all have the shape of views[0], which has no zero size.
Walk make_walk(const View* const* views, int count);

// A place in the walk: the coordinates of element `at`.
struct Place {
  int64_t index[kMaxDims];
  LAMINA_INLINE Place(const Walk& w, int64_t at) {
    for (int d = w.ndim - 1; d > 0; --d) {
      index[d] = at % w.shape[d];
      at /= w.shape[d];
    }
    index[0] = at;
  }
  // On by `cols` elements within a row, or by `rows` whole rows of one second-to-last dimension.
  LAMINA_INLINE void forward_rows(const Walk& w, int64_t rows, int64_t cols) {
    int d = w.ndim - 1;
    if (cols < w.shape[d])
      index[d] += cols;
    else if (d > 0)
      index[--d] += rows;
    for (; d > 0 && index[d] >= w.shape[d]; --d) {
      const int64_t carry = index[d] < 2 * w.shape[d] ? 1 : index[d] / w.shape[d];  // n may span several short rows
      index[d] -= carry * w.shape[d];
      index[d - 1] += carry;
    }
  }
  LAMINA_INLINE int64_t offset(const Walk& w, int operand) const {
    int64_t o = 0;
    for (int d = 0; d < w.ndim; ++d) o += index[d] * w.stride[operand][d];
    return o;
  }
};

}  // namespace lamina::cpu::inline LAMINA_ISA
