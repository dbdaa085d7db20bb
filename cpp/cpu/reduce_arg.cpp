// Largest or smallest element with its place: the first one in logical order; a NaN is beyond everything.
#include "reduce.h"
#include "work.h"

namespace lamina::cpu::inline LAMINA_ISA {
namespace {

template <class T>
struct Best {
  T value;
  int64_t index;
};

// Scans p[0, n) after `best`, whose elements come earlier.
template <bool Max, class T>
LAMINA_INLINE void scan(const T* p, int64_t n, int64_t first, Best<T>& best) {
  if (best.index >= 0 && best.value != best.value) return;
  T top = p[0];
  bool nan = false;
  if (n >= 4 * kLanes) {
    Lanes16<T> acc = Lanes16<T>::load(p);
    auto bad = acc.r[0] != acc.r[0];
    int64_t i = 0;
    for (; i + kLanes <= n; i += kLanes) {
      const Lanes16<T> x = Lanes16<T>::load(p + i);
      for (int r = 0; r < Lanes16<T>::regs; ++r) {
        acc.r[r] = select(Max ? x.r[r] > acc.r[r] : x.r[r] < acc.r[r], x.r[r], acc.r[r]);
        bad = bad | (x.r[r] != x.r[r]);
      }
    }
    alignas(64) T lane[kLanes];
    acc.store(lane);
    top = lane[0];
    for (int l = 1; l < kLanes; ++l) top = (Max ? lane[l] > top : lane[l] < top) ? lane[l] : top;
    for (int l = 0; l < Vec<T>::size; ++l) nan = nan || bad.m[l];
    for (; i < n; ++i) {
      nan = nan || p[i] != p[i];
      top = (Max ? p[i] > top : p[i] < top) ? p[i] : top;
    }
  } else {
    for (int64_t i = 0; i < n; ++i) {
      nan = nan || p[i] != p[i];
      top = (Max ? p[i] > top : p[i] < top) ? p[i] : top;
    }
  }
  if (!nan && best.index >= 0 && !(Max ? top > best.value : top < best.value)) return;
  int64_t i = 0;
  while (nan ? p[i] == p[i] : p[i] != top) ++i;
  best = {p[i], first + i};
}

// Up to 16 neighbouring columns at a time, transposed through a buffer, so that each cache line is read once.
template <bool Max, class T>
void arg_columns(const ReducePlan& plan, int64_t o, int columns, Best<T>* best) {
  constexpr int64_t kRows = 256;
  T* buf = static_cast<T*>(scratch(1, size_t((kRows + 1) * kLanes) * sizeof(T)));
  T* row = buf + kRows * kLanes;
  const View& v = plan.in[0];
  const int64_t n = plan.reduced.count, base = plan.kept.offset(o, 0);
  for (int64_t start = 0; start < n; start += kRows) {
    const int64_t len = n - start < kRows ? n - start : kRows;
    for (int64_t i = 0; i < len; ++i) {
      gather_run<T>(v.dtype, element(v.data, v.dtype, base + plan.reduced.offset(start + i, 0)), 1, columns, row);
      for (int c = 0; c < columns; ++c) buf[c * kRows + i] = row[c];
    }
    for (int c = 0; c < columns; ++c) scan<Max>(buf + c * kRows, len, start, best[c]);
    if ((start + kRows) % (kPoll / kLanes) == 0) check_interrupt();
  }
}

template <bool Max, class T>
void arg_rows(const ReducePlan& plan, int64_t o, Best<T>& best) {
  T* buf = static_cast<T*>(scratch(1, size_t(kChunk) * sizeof(T)));
  const int64_t n = plan.reduced.count, base = plan.kept.offset(o, 0);
  for (int64_t start = 0; start < n; start += kChunk) {
    const int64_t len = n - start < kChunk ? n - start : kChunk;
    scan<Max>(gather_reduced<T>(plan, 0, base, start, len, buf), len, start, best);
    if ((start + kChunk) % kPoll == 0) check_interrupt();
  }
}

template <bool Max, class T>
void arg_as(const ReducePlan& plan, const View& values, const View& indices) {
  const int64_t n = plan.reduced.count, outputs = plan.kept.count;
  const int last = plan.kept.ndim - 1;
  const bool columns = plan.column_dim >= 0 && plan.column_dim == last;
  const int64_t grain = kTileElements / (n < kTileElements ? n : kTileElements);
  for_work(double(n) * double(outputs) * kElementNs, outputs, grain, [&](int64_t lo, int64_t hi) {
    for (int64_t o = lo; o < hi;) {
      Best<T> best[kLanes];
      for (Best<T>& b : best) b = {T(), -1};
      int64_t count = 1;
      if (columns) {
        count = plan.kept.shape[last] - o % plan.kept.shape[last];  // columns left before the next outer step
        if (count > hi - o) count = hi - o;
        if (count > kLanes) count = kLanes;
        arg_columns<Max>(plan, o, int(count), best);
      } else {
        arg_rows<Max>(plan, o, best[0]);
      }
      for (int64_t c = 0; c < count; ++c, ++o) {
        if (values.data) scatter_run<T>(values.dtype, &best[c].value, element(values.data, values.dtype, o), 1, 1);
        if (indices.data) indices.as<int64_t>()[o] = best[c].index;
      }
    }
  });
}

template <class T>
void arg_either(bool largest, const ReducePlan& plan, const View& values, const View& indices) {
  largest ? arg_as<true, T>(plan, values, indices) : arg_as<false, T>(plan, values, indices);
}

}  // namespace

void arg_reduce(bool largest, const View& in, const View& values, const View& indices) {
  const ReducePlan plan(&in, 1, indices.data ? indices : values);
  if (plan.kept.count == 0 || plan.reduced.count == 0) return;
  switch (compute_of(in.dtype)) {
    case Compute::f32:
      return arg_either<float>(largest, plan, values, indices);
    case Compute::f64:
      return arg_either<double>(largest, plan, values, indices);
    case Compute::i64:
      return arg_either<int64_t>(largest, plan, values, indices);
  }
}

}  // namespace lamina::cpu::inline LAMINA_ISA
