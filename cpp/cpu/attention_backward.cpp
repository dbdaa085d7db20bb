// Scaled dot-product attention, backward. With p = exp(s - top) / total, block by block as forward (attention.h), and
// D = sum over features of g * out:
//   dp = g v^T;  ds = p (dp - D);  dq += scale ds k;  dk += scale ds^T q;  dv += p^T g
// (dropout: p and dp carry its factors where they meet v). dq adds blocks of keys in order, dk and dv add blocks of 56
// queries in order of head and query; what runs on one thread or many adds in the same order.
#include "cpu/attention.h"

namespace lamina::cpu::inline LAMINA_ISA {
namespace {

template <class T>
struct Backward {
  Attention<T> a;
  Heads<T> out, g;
  const T *top, *total;
  Heads<T> dq, dk, dv;
  T* dmask;

  // Buffers of one task.
  struct Space {
    T *keys, *values, *key_rows;                // panels of k^T and v^T, blocks of k
    T *dk, *dv;                                 // sums over queries, for the keys of this task
    T *p, *ds, *queries, *grads, *dq, *factor;  // of one block
  };
  Space space_for(int64_t keys) const {
    const int64_t e = a.q.features, v = a.v.features;
    const int64_t sizes[] = {panels_size<T>(e, keys),
                             panels_size<T>(v, keys),
                             blocks(keys, kKeys) * Attention<T>::block_size(a.k) + kPackSlack,
                             keys * e,
                             keys * v,
                             kQueries * kKeys,
                             kQueries * kKeys,
                             panels_size<T>(kQueries, e),
                             panels_size<T>(kQueries, v),
                             kQueries * e,
                             kKeys};
    int64_t all = 0;
    for (int64_t n : sizes) all += (n + kLanes - 1) / kLanes * kLanes;
    T* at = static_cast<T*>(scratch(0, size_t(all) * sizeof(T)));
    T* part[11];
    for (int i = 0; i < 11; ++i) {
      part[i] = at;
      at += (sizes[i] + kLanes - 1) / kLanes * kLanes;
    }
    return {part[0], part[1], part[2], part[3], part[4], part[5], part[6], part[7], part[8], part[9], part[10]};
  }

  // Row i of a block: p from s, ds from dp.
  LAMINA_INLINE void row(int64_t b, int64_t h, int64_t i, int64_t j0, int64_t cols, T* p, T* ds, T* factor,
                         T dot) const {
    const int64_t at = (b * a.heads + h) * a.q.rows + i;
    const auto all = [](T x) { return Lanes16<T>::broadcast(x); };
    const Lanes16<T> highest = all(top[at]), inverse = all(T(1) / total[at]), d = all(dot),
                     scale = all(T(a.spec.scale));
    const bool drops = a.spec.dropout > 0;
    if (drops) a.kept(b, h, i, j0, cols, factor);
    T* mask = dmask ? dmask + at * a.k.rows + j0 : nullptr;
    for (int64_t j = 0; j < cols; j += kLanes) {
      const int64_t n = cols - j;
      const Lanes16<T> w = exp_below(Lanes16<T>::load(p + j, n, -T(__builtin_inf())), highest) * inverse;
      Lanes16<T> dw = Lanes16<T>::load(ds + j, n, T(0)), seen = w;
      if (drops) {
        const Lanes16<T> f = Lanes16<T>::load(factor + j, n, T(0));
        dw = dw * f;
        seen = w * f;
      }
      const Lanes16<T> change = w * (dw - d);
      seen.store(p + j, n);
      if (mask) change.store(mask + j, n);
      (change * scale).store(ds + j, n);
    }
  }

  // Queries [i0, i0 + rows) of a head with keys [from, to), of which the space holds those from `base` on.
  void block(int64_t b, int64_t h, int64_t i0, int64_t from, int64_t to, int64_t base, const Space& w) const {
    const int64_t rows = least(kQueries, a.q.rows - i0), e = a.q.features, v = a.v.features;
    T dot[kQueries];
    for (int64_t i = 0; i < rows; ++i) {
      const T *x = g.at(b, h, i0 + i), *y = out.at(b, h, i0 + i);
      dot[i] = T(sum_row<T>(v, [&](int64_t j, int64_t c) __attribute__((always_inline)) {
        return Lanes16<T>::load(x + j, c, T(0)) * Lanes16<T>::load(y + j, c, T(0));
      }));
    }
    if (dk) {
      pack_panels(a.q.at(b, h, i0), a.q.row, int64_t(1), rows, e, w.queries);
      pack_panels(g.at(b, h, i0), g.row, int64_t(1), rows, v, w.grads);
    }
    for (int64_t i = 0; i < rows * e; ++i) w.dq[i] = T(0);
    for (int64_t j0 = from; j0 < to; j0 += kKeys) {
      const int64_t cols = least(kKeys, a.k.rows - j0), at = j0 - base;
      a.scores(b, h, i0, rows, j0, cols, w.keys + at * e, w.p);
      multiply_panels(PanelProduct<T>{rows, cols, v, g.at(b, h, i0), g.row, 1, w.values + at * v, w.ds, kKeys});
      for (int64_t i = 0; i < rows; ++i)
        row(b, h, i0 + i, j0, cols, w.p + i * kKeys, w.ds + i * kKeys, w.factor, dot[i]);
      if (dq)
        multiply_panels(PanelProduct<T>{rows, e, cols, w.ds, kKeys, 1,
                                        w.key_rows + at / kKeys * Attention<T>::block_size(a.k), w.dq, e, false});
      if (!dk) continue;
      multiply_panels(PanelProduct<T>{cols, e, rows, w.ds, 1, kKeys, w.queries, w.dk + at * e, e, false});
      multiply_panels(PanelProduct<T>{cols, v, rows, w.p, 1, kKeys, w.grads, w.dv + at * v, v, false});
    }
    if (dq)
      for (int64_t i = 0; i < rows; ++i) store(w.dq + i * e, dq.at(b, h, i0 + i), e);
  }
  static void store(const T* from, T* to, int64_t n) {
    for (int64_t j = 0; j < n; ++j) to[j] = from[j];
  }

  // Query blocks [first, last) of the heads of group `at` with keys [from, to).
  void task(int64_t b, int64_t at, int64_t first, int64_t last, int64_t from, int64_t to) const {
    const int64_t e = a.q.features, v = a.v.features, keys = to - from;
    const Space w = space_for(keys);
    Attention<T>::pack_transposed(a.k, b, at, from, to, w.keys);
    Attention<T>::pack_transposed(a.v, b, at, from, to, w.values);
    if (dq) Attention<T>::pack_blocks(a.k, b, at, from, to, w.key_rows);
    if (dk) {
      for (int64_t i = 0; i < keys * e; ++i) w.dk[i] = T(0);
      for (int64_t i = 0; i < keys * v; ++i) w.dv[i] = T(0);
    }
    for (int64_t h = at * a.per_group(); h < (at + 1) * a.per_group(); ++h)
      for (int64_t i = first; i < last; ++i) {
        check_interrupt();
        const int64_t seen = a.whole_blocks(a.seen_keys(least((i + 1) * kQueries, a.q.rows)));
        block(b, h, i * kQueries, from, least(seen, to), from, w);
      }
    if (!dk) return;
    for (int64_t j = 0; j < keys; ++j) {
      store(w.dk + j * e, dk.at(b, at, from + j), e);
      store(w.dv + j * v, dv.at(b, at, from + j), v);
    }
  }

  // Over all groups: the queries, or the keys, cut into parts.
  void sweep(int64_t parts, bool by_keys, double ns) const {
    const int64_t queries = blocks(a.q.rows, kQueries), keys = blocks(a.k.rows, kKeys);
    for_work(ns, a.batch * a.groups * parts, 1, [&](int64_t lo, int64_t hi) {
      for (int64_t i = lo; i < hi; ++i) {
        const int64_t b = i / parts / a.groups, at = i / parts % a.groups, part = i % parts;
        if (by_keys) {
          task(b, at, 0, queries, keys * part / parts * kKeys, least(keys * (part + 1) / parts * kKeys, a.k.rows));
        } else {
          const int64_t last = queries * (part + 1) / parts;
          task(b, at, queries * part / parts, last, 0, a.whole_blocks(a.seen_keys(least(last * kQueries, a.q.rows))));
        }
      }
    });
  }

  void run() const {
    const double ns = a.work_ns(2.5);
    const int64_t tasks = a.batch * a.groups;
    const int64_t by_queries = parts_of(tasks, blocks(a.q.rows, kQueries), ns);
    // A part without all keys would leave keys that no query sees unwritten.
    if (by_queries == 1) return sweep(1, true, ns);
    Backward for_queries = *this, for_keys = *this;
    for_queries.dk.data = for_queries.dv.data = nullptr;
    for_keys.dq.data = for_keys.dmask = nullptr;
    if (dq || dmask) for_queries.sweep(by_queries, false, ns * 0.6);
    if (dk) for_keys.sweep(parts_of(tasks, blocks(a.k.rows, kKeys), ns), true, ns * 0.8);
  }
};

template <class T>
void backward(const View& q, const View& k, const View& v, const View& mask, const AttentionSpec& spec, const View& out,
              const View& top, const View& total, const View& g, const View& dq, const View& dk, const View& dv,
              const View& dmask) {
  using H = Heads<T>;
  Backward<T>{{q, k, v, mask, spec}, H(out), H(g), top.as<const T>(), total.as<const T>(), H(dq), H(dk), H(dv),
              dmask.as<T>()}
      .run();
}

}  // namespace

void attention_backward(const View& q, const View& k, const View& v, const View& mask, const AttentionSpec& spec,
                        const View& out, const View& top, const View& total, const View& g, const View& dq,
                        const View& dk, const View& dv, const View& dmask) {
  const auto run = q.dtype == DType::float64 ? backward<double> : backward<float>;
  run(q, k, v, mask, spec, out, top, total, g, dq, dk, dv, dmask);
}

}  // namespace lamina::cpu::inline LAMINA_ISA
