// Which dims are reduced and which are kept, merged where memory allows, for one to three inputs of equal shape.
#pragma once
#include "gather.h"
#include "lamina/view.h"

namespace lamina::cpu::inline LAMINA_ISA {

inline constexpr int kMaxInputs = 3;

// One list of dims with a stride per input; the order of its elements is logical (row-major) order.
struct DimList {
  int ndim = 0;
  int64_t count = 1;
  int64_t shape[kMaxDims], stride[kMaxInputs][kMaxDims], flat[kMaxDims];  // flat: stride in the row-major result

  // Adds an inner dim, merging it into the last one where every input allows.
  void push(int64_t size, const int64_t* strides, int inputs, int64_t flat_stride) {
    count *= size;
    if (size == 1) return;
    bool merge = ndim > 0 && flat[ndim - 1] == flat_stride * size;
    for (int k = 0; k < inputs && merge; ++k) merge = stride[k][ndim - 1] == strides[k] * size;
    if (merge) {
      shape[ndim - 1] *= size;
    } else {
      shape[ndim++] = size;
    }
    for (int k = 0; k < inputs; ++k) stride[k][ndim - 1] = strides[k];
    flat[ndim - 1] = flat_stride;
  }
  // Offset of element i in input k.
  int64_t offset(int64_t i, int k) const {
    if (ndim == 1) return i * stride[k][0];
    int64_t o = 0;
    for (int d = ndim - 1; d >= 0; --d) {
      o += i % shape[d] * stride[k][d];
      i /= shape[d];
    }
    return o;
  }
};

struct ReducePlan {
  int inputs;
  View in[kMaxInputs];
  DimList reduced, kept;
  int column_dim = -1;  // a kept dim with stride 1 in every input, or -1

  // `out` has the rank of the inputs and size 1 in every reduced dim.
  ReducePlan(const View* ins, int n_inputs, const View& out) : inputs(n_inputs) {
    for (int k = 0; k < inputs; ++k) in[k] = ins[k];
    const int n = ins[0].ndim;
    int64_t flat_kept[kMaxDims], flat_reduced[kMaxDims], fk = 1, fr = 1;
    for (int d = n - 1; d >= 0; --d) {
      const bool is_reduced = ins[0].shape[d] != out.shape[d];
      flat_kept[d] = fk, flat_reduced[d] = fr;
      (is_reduced ? fr : fk) *= ins[0].shape[d];
    }
    for (int d = 0; d < n; ++d) {
      int64_t strides[kMaxInputs];
      for (int k = 0; k < inputs; ++k) strides[k] = ins[k].stride[d];
      const bool is_reduced = ins[0].shape[d] != out.shape[d];
      (is_reduced ? reduced : kept).push(ins[0].shape[d], strides, inputs, is_reduced ? flat_reduced[d] : flat_kept[d]);
    }
    for (int d = 0; d < kept.ndim && column_dim < 0; ++d) {
      bool unit = true;
      for (int k = 0; k < inputs; ++k) unit = unit && kept.stride[k][d] == 1;
      if (unit && kept.shape[d] >= 4) column_dim = d;
    }
    if (reduced.ndim == 0) return;
    bool rows = true;  // reduced elements lie side by side: one row at a time is best
    for (int k = 0; k < inputs; ++k) rows = rows && reduced.stride[k][reduced.ndim - 1] == 1;
    if (rows) column_dim = -1;
  }
};

// `len` elements of the reduced index from `start`, for the kept offset `base`, side by side: a pointer into the input
// where they already are, else a copy in `buf`.
template <class C>
const C* gather_reduced(const ReducePlan& plan, int k, int64_t base, int64_t start, int64_t len, C* buf) {
  const DimList& r = plan.reduced;
  const View& v = plan.in[k];
  const int last = r.ndim - 1;
  if (last < 0) {
    gather_run<C>(v.dtype, element(v.data, v.dtype, base), 1, len, buf);
    return buf;
  }
  const int64_t step = r.stride[k][last];
  if (r.ndim == 1 && step == 1 && stored_as<C>(v.dtype)) return v.as<const C>() + base + start;
  int64_t index[kMaxDims], rest = start, at = base;
  for (int d = last; d >= 0; --d) {
    index[d] = rest % r.shape[d];
    rest /= r.shape[d];
    at += index[d] * r.stride[k][d];
  }
  if (stored_as<C>(v.dtype) && step == 1 && index[last] + len <= r.shape[last]) return v.as<const C>() + at;
  for (int64_t done = 0; done < len;) {
    int64_t run = r.shape[last] - index[last];
    if (run > len - done) run = len - done;
    gather_run<C>(v.dtype, element(v.data, v.dtype, at), step, run, buf + done);
    done += run;
    at += run * step;
    index[last] += run;
    for (int d = last; d > 0 && index[d] == r.shape[d]; --d) {
      at += r.stride[k][d - 1] - index[d] * r.stride[k][d];
      index[d] = 0;
      ++index[d - 1];
    }
  }
  return buf;
}

}  // namespace lamina::cpu::inline LAMINA_ISA
