// Loop nests over several operands.
#include "cpu/walk.h"

namespace lamina::cpu::inline LAMINA_ISA {
namespace {

int64_t magnitude(int64_t x) { return x < 0 ? -x : x; }

// Whether dimension a of views[0] belongs outside dimension b: by the output's strides, ties by the inputs'.
bool outside(const View* const* views, int count, int a, int b) {
  for (int j = 0; j < count; ++j) {
    const int64_t sa = magnitude(views[j]->stride[a]), sb = magnitude(views[j]->stride[b]);
    if (sa != sb) return sa > sb;
  }
  return false;
}

}  // namespace

Walk make_walk(const View* const* views, int count) {
  Walk w;
  w.operands = count;
  int order[kMaxDims], n = 0;
  for (int d = 0; d < views[0]->ndim; ++d) {
    if (views[0]->shape[d] == 1) continue;
    int at = n++;
    for (; at > 0 && outside(views, count, d, order[at - 1]); --at) order[at] = order[at - 1];
    order[at] = d;
  }
  for (int j = 0; j < count; ++j) {
    w.base[j] = static_cast<char*>(views[j]->data);
    w.dtype[j] = views[j]->dtype;
  }
  w.ndim = 0;
  for (int k = 0; k < n; ++k) {
    const int d = order[k];
    const int64_t size = views[0]->shape[d];
    const bool flip = views[0]->stride[d] < 0;  // walk upwards through the output
    bool merge = w.ndim > 0;
    int64_t s[kMaxOperands];
    for (int j = 0; j < count; ++j) {
      s[j] = flip ? -views[j]->stride[d] : views[j]->stride[d];
      if (flip) w.base[j] = advance(w.base[j], (size - 1) * views[j]->stride[d], w.dtype[j]);
      merge = merge && w.stride[j][w.ndim - 1] == s[j] * size;
    }
    if (!merge) w.shape[w.ndim++] = 1;
    w.shape[w.ndim - 1] *= size;
    for (int j = 0; j < count; ++j) w.stride[j][w.ndim - 1] = s[j];
  }
  if (w.ndim == 0) {
    w.ndim = 1;
    w.shape[0] = 1;
    for (int j = 0; j < count; ++j) w.stride[j][0] = 1;
  }
  for (int j = 0; j < count; ++j) {
    int64_t expect = 1;
    w.linear[j] = true;
    for (int d = w.ndim - 1; d >= 0; --d) {
      w.linear[j] = w.linear[j] && w.stride[j][d] == expect;
      expect *= w.shape[d];
    }
  }
  return w;
}

}  // namespace lamina::cpu::inline LAMINA_ISA
