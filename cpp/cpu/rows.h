// Visits every row of a reduction as contiguous numbers of T: in place where memory allows, else through scratch; rows
// that lie side by side in memory (a class dim that is not the last) are transposed 16 at a time.
#pragma once
#include "lanes.h"
#include "parallel.h"
#include "reduce_plan.h"
#include "tree.h"
#include "work.h"

namespace lamina::cpu::inline LAMINA_ISA {

// Inputs views are read, Outputs views are written; all have the same shape (the plan's). visit(row, in, out): in[k]
// and out[k] point at n numbers of T. out may be read back by the visitor. Uses scratch slot 1; the visitor may use
// slot 3.
template <class T, int Inputs, int Outputs, class F>
void for_rows(const ReducePlan& plan, const F& visit) {
  static_assert(Inputs + Outputs <= kMaxInputs);
  const int64_t n = plan.reduced.count, rows = plan.kept.count;
  const int last = plan.kept.ndim - 1;
  const bool columns = plan.column_dim >= 0 && plan.column_dim == last;
  const int64_t cost = n < kTileElements / 4 ? n + 8 : kTileElements / 4, grain = kTileElements / 4 / cost;
  const double ns = double(rows) * double(n + 8) * (columns ? 2 : 0.5);
  constexpr int kViews = Inputs + Outputs;
  for_work(ns, rows, columns && grain < kLanes ? int64_t(kLanes) : grain, [&](int64_t lo, int64_t hi) {
    T* buf = static_cast<T*>(scratch(1, size_t(kViews * (columns ? kLanes : 1) * (n + kLanes)) * sizeof(T)));
    for (int64_t i = lo; i < hi;) {
      int64_t count = 1;
      if (columns) {
        count = plan.kept.shape[last] - i % plan.kept.shape[last];
        if (count > hi - i) count = hi - i;
        if (count > kLanes) count = kLanes;
      }
      const T* in[Inputs];
      T* out[Outputs + 1];
      if (count == 1) {
        for (int k = 0; k < Inputs; ++k) in[k] = gather_row<T>(plan, k, plan.kept.offset(i, k), n, buf + k * n);
        bool direct[Outputs + 1];
        for (int k = 0; k < Outputs; ++k) {
          const View& v = plan.in[Inputs + k];
          const DimList& r = plan.reduced;
          direct[k] = stored_as<T>(v.dtype) && (r.ndim == 0 || (r.ndim == 1 && r.stride[Inputs + k][0] == 1));
          out[k] = direct[k] ? v.as<T>() + plan.kept.offset(i, Inputs + k) : buf + (Inputs + k) * n;
        }
        visit(i, in, out);
        for (int k = 0; k < Outputs; ++k)
          if (!direct[k]) scatter_reduced(plan, Inputs + k, plan.kept.offset(i, Inputs + k), n, out[k]);
      } else {
        for (int k = 0; k < Inputs; ++k) transpose_in(plan, k, i, int(count), n, buf + k * kLanes * n);
        for (int c = 0; c < count; ++c) {
          for (int k = 0; k < Inputs; ++k) in[k] = buf + (k * kLanes + c) * n;
          for (int k = 0; k < Outputs; ++k) out[k] = buf + ((Inputs + k) * kLanes + c) * n;
          visit(i + c, in, out);
        }
        for (int k = Inputs; k < kViews; ++k) transpose_out(plan, k, i, int(count), n, buf + k * kLanes * n);
      }
      i += count;
    }
  });
}

// A whole row as gather_reduced gives it.
template <class T>
[[gnu::noinline]] const T* gather_long_row(const ReducePlan& plan, int k, int64_t base, int64_t n, T* buf) {
  const DimList& r = plan.reduced;
  if (r.ndim == 1 && r.stride[k][0] == 1 && stored_as<T>(plan.in[k].dtype))
    return gather_reduced<T>(plan, k, base, 0, n, buf);
  for_pieces(n, [&](int64_t lo, int64_t hi) {
    const T* p = gather_reduced<T>(plan, k, base, lo, hi - lo, buf + lo);
    if (p != buf + lo) __builtin_memcpy(buf + lo, p, size_t(hi - lo) * sizeof(T));
  });
  return buf;
}
template <class T>
LAMINA_INLINE const T* gather_row(const ReducePlan& plan, int k, int64_t base, int64_t n, T* buf) {
  return n <= kPoll ? gather_reduced<T>(plan, k, base, 0, n, buf) : gather_long_row<T>(plan, k, base, n, buf);
}

// `n` elements from `from` to a strided run.
template <class T>
void scatter_row(DType t, const T* from, void* to, int64_t step, int64_t n) {
  for_pieces(n,
             [&](int64_t lo, int64_t hi) { scatter_run<T>(t, from + lo, element(to, t, lo * step), step, hi - lo); });
}

// `n` reduced elements back to memory.
template <class T>
void scatter_reduced(const ReducePlan& plan, int k, int64_t base, int64_t n, const T* from) {
  const View& v = plan.in[k];
  const DimList& r = plan.reduced;
  const int last = r.ndim - 1;
  const int64_t run = last < 0 ? 1 : r.shape[last], step = last < 0 ? 1 : r.stride[k][last];
  int64_t since = 0;
  for (int64_t i = 0; i < n; i += run) {
    scatter_row<T>(v.dtype, from + i, element(v.data, v.dtype, base + r.offset(i, k)), step, run);
    if ((since += run) < kPoll) continue;
    since = 0;
    check_interrupt();
  }
}

// buf[c][i] = element i of row o + c.
template <class T>
void transpose_in(const ReducePlan& plan, int k, int64_t o, int count, int64_t n, T* buf) {
  const View& v = plan.in[k];
  const int64_t base = plan.kept.offset(o, k);
  alignas(64) T row[kLanes];
  for (int64_t i = 0; i < n; ++i) {
    const char* from = element(v.data, v.dtype, base + plan.reduced.offset(i, k));
    const T* p = row;
    if (stored_as<T>(v.dtype)) {
      p = reinterpret_cast<const T*>(from);
    } else {
      gather_run<T>(v.dtype, from, 1, count, row);
    }
    for (int c = 0; c < count; ++c) buf[c * n + i] = p[c];
    if (i % (kPoll / kLanes) == kPoll / kLanes - 1) check_interrupt();
  }
}
template <class T>
void transpose_out(const ReducePlan& plan, int k, int64_t o, int count, int64_t n, const T* buf) {
  const View& v = plan.in[k];
  const int64_t base = plan.kept.offset(o, k);
  alignas(64) T row[kLanes];
  for (int64_t i = 0; i < n; ++i) {
    for (int c = 0; c < count; ++c) row[c] = buf[c * n + i];
    scatter_run<T>(v.dtype, row, element(v.data, v.dtype, base + plan.reduced.offset(i, k)), 1, count);
    if (i % (kPoll / kLanes) == kPoll / kLanes - 1) check_interrupt();
  }
}

// ---- sums over one contiguous row: blocks of 64, four terms in T, then double ----

// f(i, count): 16 terms from index i, of which `count` exist; the missing ones must be 0.
template <class T, class F>
LAMINA_INLINE double sum_row(int64_t n, F&& f) {
  Lanes16<double> acc = Lanes16<double>::broadcast(0);
  for_pieces(n, [&](int64_t i, int64_t end) __attribute__((always_inline)) {
    for (; i + kBlock <= end; i += kBlock)
      acc = acc + widen((f(i, kLanes) + f(i + 16, kLanes)) + (f(i + 32, kLanes) + f(i + 48, kLanes)));
    if (i < end) {
      Lanes16<T> v[4];
      for (int j = 0; j < 4; ++j) {
        const int64_t left = end - i - j * kLanes;
        v[j] = left > 0 ? f(i + j * kLanes, left < kLanes ? left : kLanes) : Lanes16<T>::broadcast(T(0));
      }
      acc = acc + widen((v[0] + v[1]) + (v[2] + v[3]));
    }
  });
  return fold([](auto x, auto y) __attribute__((always_inline)) { return x + y; }, acc);
}

// Largest element; NaN where there is one.
template <class T>
LAMINA_INLINE T max_row(const T* x, int64_t n) {
  const T lowest = -T(__builtin_inf());
  const auto pick = [](auto a, auto b) __attribute__((always_inline)) { return select((b > a) | (b != b), b, a); };
  Lanes16<T> a = Lanes16<T>::broadcast(lowest), b = a;
  for_pieces(n, [&](int64_t i, int64_t end) __attribute__((always_inline)) {
    for (; i + 2 * kLanes <= end; i += 2 * kLanes) {
      a = map(pick, a, Lanes16<T>::load(x + i));
      b = map(pick, b, Lanes16<T>::load(x + i + kLanes));
    }
    for (; i < end; i += kLanes) a = map(pick, a, Lanes16<T>::load(x + i, end - i, lowest));
  });
  return fold(pick, map(pick, a, b));
}

}  // namespace lamina::cpu::inline LAMINA_ISA
