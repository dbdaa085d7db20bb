// Several operands of one shape, given to a kernel by value: dimensions merged where all operands allow it.
#pragma once
#include "lamina/view.h"

namespace lamina::cuda {

inline constexpr int kMaxOperands = 6;

struct Walk {
  int ndim = 0, operands = 0;
  bool linear = true;  // element i of every operand is at base + i
  bool narrow = true;  // element numbers fit 32 bits
  int64_t numel = 1;
  int64_t shape[kMaxDims];
  int64_t stride[kMaxOperands][kMaxDims];
  void* base[kMaxOperands];
  DType dtype[kMaxOperands];

  // Offsets of element i, by the number type that division is cheapest in.
  template <class Int>
  LAMINA_HD void offsets_as(Int i, int64_t (&at)[kMaxOperands], int count) const {
    for (int j = 0; j < count; ++j) at[j] = 0;
    for (int d = ndim - 1; d > 0; --d) {
      const Int size = Int(shape[d]), next = i / size, k = i - next * size;
      for (int j = 0; j < count; ++j) at[j] += int64_t(k) * stride[j][d];
      i = next;
    }
    if (ndim > 0)
      for (int j = 0; j < count; ++j) at[j] += int64_t(i) * stride[j][0];
  }
  LAMINA_HD void offsets(int64_t i, int64_t (&at)[kMaxOperands], int count) const {
    if (linear) {
      for (int j = 0; j < count; ++j) at[j] = i;
    } else if (narrow) {
      offsets_as(uint32_t(i), at, count);
    } else {
      offsets_as(i, at, count);
    }
  }
};

// Operand 0 gives the memory order: neighbouring threads write neighbouring elements.
inline Walk make_walk(const View* const* views, int count) {
  Walk w;
  w.operands = count;
  for (int j = 0; j < count; ++j) {
    w.base[j] = views[j]->data;
    w.dtype[j] = views[j]->dtype;
  }
  const View& out = *views[0];
  int order[kMaxDims], n = 0;
  auto width = [&](int d) { return out.stride[d] < 0 ? -out.stride[d] : out.stride[d]; };
  for (int d = 0; d < out.ndim; ++d) {
    w.numel *= out.shape[d];
    if (out.shape[d] == 1) continue;
    int at = n++;
    for (; at > 0 && width(order[at - 1]) < width(d); --at) order[at] = order[at - 1];
    order[at] = d;
  }
  for (int i = 0; i < n; ++i) {
    const int d = order[i];
    bool merge = w.ndim > 0;
    for (int j = 0; j < count && merge; ++j) merge = w.stride[j][w.ndim - 1] == views[j]->stride[d] * out.shape[d];
    if (merge) {
      w.shape[w.ndim - 1] *= out.shape[d];
    } else {
      w.shape[w.ndim++] = out.shape[d];
    }
    for (int j = 0; j < count; ++j) w.stride[j][w.ndim - 1] = views[j]->stride[d];
  }
  for (int j = 0; j < count; ++j) w.linear = w.linear && (w.ndim == 0 || (w.ndim == 1 && w.stride[j][0] == 1));
  w.narrow = w.numel <= INT32_MAX;
  return w;
}

}  // namespace lamina::cuda
