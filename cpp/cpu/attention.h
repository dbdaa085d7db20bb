// What attention's forward and backward share: heads, packed blocks of keys, and the scores of one block.
//
// Definition. Keys are taken in blocks of 128, in order. s = scale * (q . k) (a chain as in gemm.h), then the mask is
// added, or puts -inf where it is false; likewise above the diagonal where causal. For each query, block by block:
//   m' = max(m, max s);  p = exp(s - m');  c = exp(m - m');  l = l c + sum p;  o = o c + p v;  at the end out = o / l
// (sum p: the tree of 16 lanes; p v: one chain over the block). A block that no query of 56 sees is left out, which
// changes nothing: its p are 0. So a query's bits depend on its own keys alone, and memory is O(L + S).
#pragma once
#include "cpu/gemm.h"
#include "cpu/gemm_panels.h"
#include "cpu/one_copy.h"
#include "cpu/parallel.h"
#include "cpu/philox_lanes.h"
#include "exp_difference.h"
#include "lamina/sequence.h"
#include "rows.h"

namespace lamina::cpu::inline LAMINA_ISA {

inline constexpr int64_t kQueries = 56, kKeys = 128;

LAMINA_INLINE int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
LAMINA_INLINE int64_t blocks(int64_t n, int64_t size) { return (n + size - 1) / size; }

template <class T>
LAMINA_ONE_COPY Lanes16<T> exp_below(const Lanes16<T>& x, const Lanes16<T>& m) {
  return exp_difference(x, m);
}

// (B, H, rows, features) with adjacent features.
template <class T>
struct Heads {
  T* data;
  int64_t batch, head, row, rows, features;
  explicit Heads(const View& v)
      : data(v.as<T>()),
        batch(v.stride[0]),
        head(v.stride[1]),
        row(v.stride[2]),
        rows(v.shape[2]),
        features(v.shape[3]) {}
  explicit operator bool() const { return data; }
  LAMINA_INLINE T* at(int64_t b, int64_t h, int64_t i = 0) const { return data + b * batch + h * head + i * row; }
};

template <class T>
struct Attention {
  Heads<T> q, k, v;
  View mask;
  AttentionSpec spec;
  int64_t batch, heads, groups;  // groups: heads of keys
  Attention(const View& query, const View& key, const View& value, const View& m, const AttentionSpec& a)
      : q(query),
        k(key),
        v(value),
        mask(m),
        spec(a),
        batch(query.shape[0]),
        heads(query.shape[1]),
        groups(key.shape[1]) {}

  int64_t per_group() const { return heads / groups; }
  // Keys that some query below i sees.
  int64_t seen_keys(int64_t i) const { return spec.causal ? least(i, k.rows) : k.rows; }
  int64_t whole_blocks(int64_t j) const { return least(blocks(j, kKeys) * kKeys, k.rows); }
  double work_ns(double products) const {
    const double pairs = double(batch * heads) * double(q.rows) * double(k.rows) * (spec.causal ? 0.5 : 1);
    return pairs * (products * double(q.features + v.features) * kMultiplyAddNs + 0.5);
  }

  // s[i][j], rows kKeys apart, for queries [i0, i0 + rows) and keys [j0, j0 + cols), from the panels of those keys, or
  // from the keys where they lie.
  void scores(int64_t b, int64_t h, int64_t i0, int64_t rows, int64_t j0, int64_t cols, const T* panels, T* s) const {
    if (panels) {
      multiply_panels(PanelProduct<T>{rows, cols, q.features, q.at(b, h, i0), q.row, 1, panels, s, kKeys});
    } else {
      gemm_serial(Gemm<T>{rows, cols, q.features, q.at(b, h, i0), q.row, 1, k.at(b, h / per_group(), j0), 1, k.row, s,
                          kKeys, 1});
    }
    const Lanes16<T> scale = Lanes16<T>::broadcast(T(spec.scale));
    for (int64_t i = 0; i < rows; ++i) {
      T* row = s + i * kKeys;
      for (int64_t j = 0; j < cols; j += kLanes)
        (Lanes16<T>::load(row + j, cols - j, T(0)) * scale).store(row + j, cols - j);
      if (mask.data) apply_mask(b, h, i0 + i, j0, cols, row);
      if (spec.causal)
        for (int64_t j = i0 + i + 1 > j0 ? i0 + i + 1 - j0 : 0; j < cols; ++j) row[j] = -T(__builtin_inf());
    }
  }
  void apply_mask(int64_t b, int64_t h, int64_t i, int64_t j0, int64_t cols, T* row) const {
    const int64_t step = mask.stride[3], at = b * mask.stride[0] + h * mask.stride[1] + i * mask.stride[2] + j0 * step;
    if (mask.dtype == DType::bool_) {
      const bool* m = mask.as<const bool>() + at;
      for (int64_t j = 0; j < cols; ++j) row[j] = m[j * step] ? row[j] : -T(__builtin_inf());
    } else {
      const T* m = mask.as<const T>() + at;
      for (int64_t j = 0; j < cols; ++j) row[j] += m[j * step];
    }
  }

  // factor[j] = 1 / (1 - dropout) where the weight of key j0 + j stays, else 0: the numbers of the dropout kernel.
  void kept(int64_t b, int64_t h, int64_t i, int64_t j0, int64_t cols, T* factor) const {
    constexpr int64_t kSize = 4 * philox::kLanes;
    const int64_t first = ((b * heads + h) * q.rows + i) * k.rows + j0;
    const uint64_t threshold = philox::bernoulli_threshold(spec.dropout);
    const T scale = threshold >> 32 ? T(0) : T(1.0 / (1.0 - spec.dropout));
    philox_lanes::Words words;
    int64_t group = -1;
    for (int64_t j = 0; j < cols; ++j) {
      const int64_t e = first + j;
      if (e / kSize != group) philox_lanes::group_words(words, spec.seed, spec.offset, group = e / kSize);
      factor[j] = (&words.w[0][0])[e % kSize] >= uint32_t(threshold) ? scale : T(0);
    }
  }

  // Panels of k^T or v^T for keys [j0, j1), or of the rows of each block of keys, one block after the other.
  static void pack_transposed(const Heads<T>& x, int64_t b, int64_t g, int64_t j0, int64_t j1, T* to) {
    pack_panels(x.at(b, g, j0), int64_t(1), x.row, x.features, j1 - j0, to);
  }
  static int64_t block_size(const Heads<T>& x) { return panels_size<T>(kKeys, x.features) - kPackSlack; }
  static void pack_blocks(const Heads<T>& x, int64_t b, int64_t g, int64_t j0, int64_t j1, T* to) {
    for (int64_t j = j0; j < j1; j += kKeys, to += block_size(x))
      pack_panels(x.at(b, g, j), x.row, int64_t(1), least(kKeys, j1 - j), x.features, to);
  }
};

// How many parts each group of heads is cut into, so that every thread has work.
inline int64_t parts_of(int64_t tasks, int64_t most, double ns) {
  const int cap = threads_for(ns), threads = cap > 0 && cap < num_threads() ? cap : num_threads();
  if (threads == 1 || tasks >= 4 * threads) return 1;
  const int64_t parts = (4 * threads + tasks - 1) / tasks;
  return parts < most ? parts : most;
}

}  // namespace lamina::cpu::inline LAMINA_ISA
