// Scaled dot-product attention, forward. Definition and layout: attention.h.
#include "cpu/attention.h"

namespace lamina::cpu::inline LAMINA_ISA {
namespace {

template <class T>
struct Forward {
  Attention<T> a;
  Heads<T> out;
  T *top, *total;

  // One block of queries of one head against all its keys.
  void block(int64_t b, int64_t h, int64_t i0, const T* keys, const T* values, T* s) const {
    const int64_t rows = least(kQueries, a.q.rows - i0), width = a.v.features, seen = a.seen_keys(i0 + rows);
    T *o = s + kQueries * kKeys, *m = o + kQueries * width, *factor = m + kQueries;
    double sum[kQueries];
    for (int64_t i = 0; i < rows * width; ++i) o[i] = T(0);
    for (int64_t i = 0; i < rows; ++i) m[i] = -T(__builtin_inf()), sum[i] = 0;
    for (int64_t j0 = 0; j0 < seen; j0 += kKeys) {
      const int64_t cols = least(kKeys, a.k.rows - j0);
      if (j0 % (64 * kKeys) == 0) check_interrupt();
      a.scores(b, h, i0, rows, j0, cols, keys ? keys + j0 * a.q.features : nullptr, s);
      for (int64_t i = 0; i < rows; ++i) {
        weigh(s + i * kKeys, cols, &m[i], &sum[i], o + i * width);
        if (a.spec.dropout > 0) {
          a.kept(b, h, i0 + i, j0, cols, factor);
          for (int64_t j = 0; j < cols; ++j) s[i * kKeys + j] *= factor[j];
        }
      }
      if (values) {
        const T* panels = values + j0 / kKeys * Attention<T>::block_size(a.v);
        multiply_panels(PanelProduct<T>{rows, width, cols, s, kKeys, 1, panels, o, width, false});
      } else {
        gemm_serial(Gemm<T>{rows, width, cols, s, kKeys, 1, a.v.at(b, h / a.per_group(), j0), a.v.row, 1, o, width, 1,
                            o, width, 1});
      }
    }
    for (int64_t i = 0; i < rows; ++i) {
      const bool empty = sum[i] == 0;  // nothing to attend to
      const Lanes16<T> divisor = Lanes16<T>::broadcast(empty ? T(1) : T(sum[i]));
      T* to = out.at(b, h, i0 + i);
      for (int64_t j = 0; j < width; j += kLanes)
        map([](auto x, auto y) __attribute__((always_inline)) { return x / y; },
            Lanes16<T>::load(o + i * width + j, width - j, T(0)), divisor)
            .store(to + j, width - j);
      const int64_t at = (b * a.heads + h) * a.q.rows + i0 + i;
      top[at] = empty ? T(0) : m[i];
      total[at] = empty ? T(1) : T(sum[i]);
    }
  }

  // s becomes exp(s - the new maximum); what was summed before shrinks to it.
  LAMINA_INLINE void weigh(T* s, int64_t n, T* m, double* sum, T* o) const {
    const T before = *m, here = max_row(s, n), now = here > before || here != here ? here : before;
    if (now == -T(__builtin_inf())) {
      for (int64_t j = 0; j < n; ++j) s[j] = T(0);
      return;
    }
    const Lanes16<T> highest = Lanes16<T>::broadcast(now);
    const double added = sum_row<T>(n, [&](int64_t j, int64_t c) __attribute__((always_inline)) {
      const Lanes16<T> e = exp_below(Lanes16<T>::load(s + j, c, -T(__builtin_inf())), highest);
      e.store(s + j, c);
      return e;
    });
    if (before != now) {
      const T shrink = exp_below(Lanes16<T>::broadcast(before), highest).r[0][0];
      *sum *= double(shrink);
      const Lanes16<T> factor = Lanes16<T>::broadcast(shrink);
      const int64_t width = a.v.features;
      for (int64_t j = 0; j < width; j += kLanes)
        (Lanes16<T>::load(o + j, width - j, T(0)) * factor).store(o + j, width - j);
    }
    *sum += added;
    *m = now;
  }

  void run() const {
    const int64_t queries = blocks(a.q.rows, kQueries), tasks = a.batch * a.groups;
    const double ns = a.work_ns(1);
    // Decoding has a query or few: to pack what they read once would cost more than to read it.
    const bool packs = a.q.rows * a.per_group() > 4;
    const int64_t parts = parts_of(tasks, queries, ns);
    for_work(ns, tasks * parts, 1, [&](int64_t lo, int64_t hi) {
      for (int64_t task = lo; task < hi; ++task) {
        const int64_t b = task / parts / a.groups, g = task / parts % a.groups, part = task % parts;
        const int64_t first = queries * part / parts, last = queries * (part + 1) / parts;
        T *keys = nullptr, *values = nullptr;
        if (packs) {
          const int64_t keys_size = panels_size<T>(a.q.features, a.k.rows);
          const int64_t values_size = blocks(a.k.rows, kKeys) * Attention<T>::block_size(a.v) + kPackSlack;
          keys = static_cast<T*>(scratch(0, size_t(keys_size + values_size) * sizeof(T)));
          values = keys + keys_size;
          const int64_t seen = a.whole_blocks(a.seen_keys(least(last * kQueries, a.q.rows)));
          Attention<T>::pack_transposed(a.k, b, g, 0, seen, keys);
          Attention<T>::pack_blocks(a.v, b, g, 0, seen, values);
        }
        T* s = static_cast<T*>(scratch(1, size_t(kQueries * (kKeys + a.v.features + 1) + kKeys + kLanes) * sizeof(T)));
        for (int64_t h = g * a.per_group(); h < (g + 1) * a.per_group(); ++h)
          for (int64_t i = first; i < last; ++i) {
            check_interrupt();
            block(b, h, i * kQueries, keys, values, s);
          }
      }
    });
  }
};

}  // namespace

void attention(const View& q, const View& k, const View& v, const View& mask, const AttentionSpec& spec,
               const View& out, const View& top, const View& total) {
  if (q.dtype == DType::float64) {
    Forward<double>{{q, k, v, mask, spec}, Heads<double>(out), top.as<double>(), total.as<double>()}.run();
  } else {
    Forward<float>{{q, k, v, mask, spec}, Heads<float>(out), top.as<float>(), total.as<float>()}.run();
  }
}

}  // namespace lamina::cpu::inline LAMINA_ISA
