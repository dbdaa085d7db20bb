// What the forward and the backward kernel of recurrent layers share: sequences, packed weights, rows of a batch.
#pragma once
#include "cpu/gemm_panels.h"
#include "cpu/one_copy.h"
#include "cpu/parallel.h"
#include "cpu/work.h"
#include "lamina/math.h"
#include "lamina/sequence.h"
#include "lamina/view.h"

namespace lamina::cpu::inline LAMINA_ISA {

// (T, N, features) with adjacent features; without data where the view has none.
template <class T>
struct Sequence {
  T* data;
  int64_t step, row;
  explicit Sequence(const View& v) : data(v.as<T>()), step(v.stride[0]), row(v.stride[1]) {}
  explicit operator bool() const { return data; }
  LAMINA_INLINE T* at(int64_t t, int64_t n) const { return data + t * step + n * row; }
};

// b (k, n) of a product that every step repeats.
template <class T>
struct Weight {
  int64_t k = 0, n = 0, brs = 0, bcs = 0;
  const T* b = nullptr;
  const T* panels = nullptr;

  int64_t panel_size() const { return b ? panels_size<T>(k, n) : 0; }
  T* pack(T* to) {
    if (!b) return to;
    pack_panels(b, brs, bcs, k, n, to);
    panels = to;
    return to + panels_size<T>(k, n);
  }
  // c (m, n) = a b + d, d a row (drs 0), rows or null.
  void multiply(int64_t m, const T* a, int64_t ars, T* c, int64_t crs, const T* d = nullptr, int64_t drs = 0) const {
    if (panels) {
      multiply_panels(PanelProduct<T>{m, n, k, a, ars, 1, panels, c, crs, true, d, drs});
    } else {
      gemm_serial(Gemm<T>{m, n, k, a, ars, 1, b, brs, bcs, c, crs, 1, d, drs, 1});
    }
  }
};
template <class T>
Weight<T> weight_of(const View& v) {  // x W
  if (!v.data) return {};
  return {v.shape[0], v.shape[1], v.stride[0], v.stride[1], v.as<const T>(), nullptr};
}
template <class T>
Weight<T> transposed_weight_of(const View& v) {  // x W^T
  if (!v.data) return {};
  return {v.shape[1], v.shape[0], v.stride[1], v.stride[0], v.as<const T>(), nullptr};
}

// Packs in slot 0 of the calling thread where enough products follow; packing costs as much as some ten of one row.
template <class T>
void pack_weights(Weight<T>& a, Weight<T>& b, int64_t steps, int64_t rows) {
  if (steps * ((rows + 13) / 14) < 8) return;
  T* to = static_cast<T*>(scratch(0, size_t(a.panel_size() + b.panel_size()) * sizeof(T)));
  b.pack(a.pack(to));
}

// f(r0, r1) over blocks of rows, which are independent of each other: a thread takes its rows through all steps.
template <class F>
void for_batch(double ns, int64_t rows, const F& f) {
  const int cap = threads_for(ns), threads = cap > 0 && cap < num_threads() ? cap : num_threads();
  int64_t each = (rows + threads - 1) / threads;
  if (each > 112) each = 112;  // buffers of a block stay in the second-level cache
  for_work(ns, rows, each, f);
}

// f(j, lanes) over registers of n elements.
template <class T, class F>
LAMINA_INLINE void for_lanes(int64_t n, const F& f) {
  for (int64_t j = 0; j < n; j += Vec<T>::size) f(j, Lanes<T>(n - j));
}

template <class T>
LAMINA_ONE_COPY Vec<T> gate_sigmoid(Vec<T> x) {
  return math::sigmoid(x);
}
template <class T>
LAMINA_ONE_COPY Vec<T> gate_tanh(Vec<T> x) {
  return math::tanh(x);
}

// A product step: about 2 ns per output element beside the multiply-adds.
constexpr double rnn_ns(int64_t steps, int64_t rows, int64_t gates, int64_t out) {
  return double(steps) * double(rows) * double(gates) * (double(out) * kMultiplyAddNs + 2);
}

}  // namespace lamina::cpu::inline LAMINA_ISA
