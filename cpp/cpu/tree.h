// The reduction tree, one definition for rows, columns and every other layout. Reduced elements are numbered in logical
// order and cut into chunks of 16384, chunks into blocks of 64. Inside a chunk, lane l of 16 takes from each block the
// elements l, l + 16, l + 32, l + 48 (an op sums them pairwise in T) and adds them to its running total (double for
// floats); missing elements are the op's identity. Lanes fold 16 -> 8 -> 4 -> 2 -> 1, chunks fold pairwise. Nothing
// else matters: outer dims, strides, threads and SIMD width cannot change a bit.
//
// An op is:  struct { using T, A; static constexpr int inputs, parts; static constexpr bool shifted;
//   static A identity();  T pad(int input, A shift) const;  template <class V> static V combine(V, V);  // V: A,
//   Vec<A>, Lanes16<A> void block(Lanes16<A> (&acc)[parts], const Lanes16<T> (&x)[inputs][4], const Lanes16<A>& shift)
//   const; }
#pragma once
#include "lamina/reduce_ops.h"
#include "lanes.h"
#include "parallel.h"
#include "reduce_plan.h"

namespace lamina::cpu::inline LAMINA_ISA {

inline constexpr int64_t kChunk = kReduceChunk, kBlock = 64, kTileElements = 65536;
inline constexpr int kPanel = 128;  // columns that are reduced together: 16 lanes of doubles in 16 KiB

// ---- one chunk of one row ----

template <class Op>
LAMINA_INLINE void row_chunk(const Op& op, const typename Op::T* const (&p)[Op::inputs], int64_t len,
                             typename Op::A shift, typename Op::A (&out)[Op::parts]) {
  using T = typename Op::T;
  using A = typename Op::A;
  Lanes16<A> acc[Op::parts];
  for (int s = 0; s < Op::parts; ++s) acc[s] = Lanes16<A>::broadcast(Op::identity());
  const Lanes16<A> sh = Lanes16<A>::broadcast(shift);
  Lanes16<T> x[Op::inputs][4];
  int64_t i = 0;
  for (; i + kBlock <= len; i += kBlock) {
    for (int k = 0; k < Op::inputs; ++k)
      for (int j = 0; j < 4; ++j) x[k][j] = Lanes16<T>::load(p[k] + i + j * kLanes);
    op.block(acc, x, sh);
  }
  if (i < len) {
    for (int k = 0; k < Op::inputs; ++k)
      for (int j = 0; j < 4; ++j)
        x[k][j] = Lanes16<T>::load(p[k] + i + j * kLanes, len - i - j * kLanes, op.pad(k, shift));
    op.block(acc, x, sh);
  }
  for (int s = 0; s < Op::parts; ++s)
    out[s] = fold([](auto a, auto b) __attribute__((always_inline)) { return Op::combine(a, b); }, acc[s]);
}

// ---- one chunk of a panel of columns ----

template <class Op>
struct Columns {
  using T = typename Op::T;
  using A = typename Op::A;
  const Op& op;
  const ReducePlan& plan;
  const A* shift;  // per column of the panel
  int64_t base[Op::inputs];
  int width;
  alignas(64) A acc[Op::parts][kLanes][kPanel];
  alignas(64) T pad[Op::inputs][kPanel];

  Columns(const Op& o, const ReducePlan& p) : op(o), plan(p) {}

  // Rows `start` to `start + len` of the reduced index; totals go to acc[s][0].
  void chunk(int64_t start, int64_t len) {
    for (int s = 0; s < Op::parts; ++s)
      for (int l = 0; l < kLanes; ++l)
        for (int c = 0; c < padded(); ++c) acc[s][l][c] = Op::identity();
    for (int k = 0; k < Op::inputs; ++k)
      for (int c = 0; c < padded(); ++c) pad[k][c] = op.pad(k, Op::shifted ? shift[c] : A());
    for (int64_t b = 0; b < len; b += kBlock) block(start + b, int(len - b < kBlock ? len - b : kBlock));
    for (int s = 0; s < Op::parts; ++s)
      for (int w = kLanes / 2; w > 0; w /= 2)
        for (int l = 0; l < w; ++l)
          for (int c = 0; c < width; c += kLanes)
            Op::combine(Lanes16<A>::load(acc[s][l] + c), Lanes16<A>::load(acc[s][l + w] + c)).store(acc[s][l] + c);
  }

 private:
  // Totals and shifts have room for whole groups of 16; only the input ends at `width`.
  int padded() const { return (width + kLanes - 1) / kLanes * kLanes; }

  void block(int64_t start, int rows) {
    const T* row[Op::inputs][kBlock];
    for (int k = 0; k < Op::inputs; ++k) {
      find_rows(k, start, rows, row[k]);
      for (int64_t i = rows; i < kBlock; ++i) row[k][i] = pad[k];
    }
    for (int l = 0; l < kLanes && l < rows; ++l) {
      const T* r[Op::inputs][4];
      for (int k = 0; k < Op::inputs; ++k)
        for (int j = 0; j < 4; ++j) r[k][j] = row[k][l + j * kLanes];
      int c = 0;
      for (; c + kLanes <= width; c += kLanes) step<false>(l, c, r);
      if (c < width) step<true>(l, c, r);
    }
  }

  template <bool Partial>
  LAMINA_INLINE void step(int l, int c, const T* const (&r)[Op::inputs][4]) {
    Lanes16<T> x[Op::inputs][4];
    for (int k = 0; k < Op::inputs; ++k)
      for (int j = 0; j < 4; ++j)
        x[k][j] = Partial ? Lanes16<T>::load(r[k][j] + c, width - c, T(0)) : Lanes16<T>::load(r[k][j] + c);
    Lanes16<A> a[Op::parts], sh = Lanes16<A>::broadcast(A());
    if constexpr (Op::shifted) sh = Lanes16<A>::load(shift + c);
    for (int s = 0; s < Op::parts; ++s) a[s] = Lanes16<A>::load(&acc[s][l][c]);
    op.block(a, x, sh);
    for (int s = 0; s < Op::parts; ++s) a[s].store(&acc[s][l][c]);
  }

  void find_rows(int k, int64_t start, int rows, const T** row) {
    const DimList& d = plan.reduced;
    const View& v = plan.in[k];
    T* copy = stored_as<T>(v.dtype)
                  ? nullptr
                  : static_cast<T*>(scratch(1, Op::inputs * kBlock * kPanel * sizeof(T))) + k * kBlock * kPanel;
    const int64_t step = d.ndim == 1 ? d.stride[k][0] : 0;
    int64_t at = base[k] + d.offset(start, k);
    for (int i = 0; i < rows; ++i) {
      if (i > 0) at = d.ndim == 1 ? at + step : base[k] + d.offset(start + i, k);
      if (!copy) {
        row[i] = v.as<const T>() + at;
      } else {
        gather_run<T>(v.dtype, element(v.data, v.dtype, at), 1, width, copy + i * kPanel);
        row[i] = copy + i * kPanel;
      }
    }
  }
};

// ---- whole reductions ----

// A kept dim that is cut into panels, and the order of the others.
struct Panels {
  int64_t columns = 1, per_outer = 1, outer = 1, column_flat = 1;
  DimList rest;
  Panels(const ReducePlan& plan) {
    const DimList& d = plan.kept;
    columns = d.shape[plan.column_dim];
    column_flat = d.flat[plan.column_dim];
    per_outer = (columns + kPanel - 1) / kPanel;
    for (int i = 0; i < d.ndim; ++i) {
      if (i == plan.column_dim) continue;
      rest.shape[rest.ndim] = d.shape[i];
      rest.flat[rest.ndim] = d.flat[i];
      for (int k = 0; k < plan.inputs; ++k) rest.stride[k][rest.ndim] = d.stride[k][i];
      ++rest.ndim;
      outer *= d.shape[i];
    }
  }
  int64_t flat(int64_t i) const {
    int64_t o = 0;
    for (int d = rest.ndim - 1; d >= 0; --d) {
      o += i % rest.shape[d] * rest.flat[d];
      i /= rest.shape[d];
    }
    return o;
  }
};

// Pairwise over chunks: total[s][0][o] for outputs lo to hi. Layout [parts][chunks][outputs].
template <class Op>
void fold_chunks(typename Op::A* total, int64_t chunks, int64_t outputs, int64_t lo, int64_t hi) {
  for (int s = 0; s < Op::parts; ++s) {
    auto* t = total + s * chunks * outputs;
    for (int64_t w = 1; w < chunks; w *= 2)
      for (int64_t c = 0; c + w < chunks; c += 2 * w)
        for (int64_t o = lo; o < hi; ++o)
          t[c * outputs + o] = Op::combine(t[c * outputs + o], t[(c + w) * outputs + o]);
  }
}

template <class Op>
void reduce_columns(const Op& op, const ReducePlan& plan, const typename Op::A* shift, typename Op::A* total,
                    int64_t chunks) {
  using A = typename Op::A;
  const Panels panels(plan);
  const int64_t n = plan.reduced.count, outputs = plan.kept.count, per_chunk = panels.outer * panels.per_outer;
  const int64_t cost = (n < kChunk ? n : kChunk) * (panels.columns < kPanel ? panels.columns : kPanel);
  for_ranges(per_chunk * chunks, cost > kTileElements ? 1 : kTileElements / (cost > 0 ? cost : 1),
             [&](int64_t lo, int64_t hi) {
               Columns<Op> columns(op, plan);
               alignas(64) A local[kPanel] = {};
               for (int64_t i = lo; i < hi; ++i) {
                 const int64_t c = i / per_chunk, outer = i % per_chunk / panels.per_outer,
                               first = i % panels.per_outer * kPanel;
                 const int64_t o = panels.flat(outer) + first * panels.column_flat;
                 columns.width = int(panels.columns - first < kPanel ? panels.columns - first : kPanel);
                 for (int k = 0; k < Op::inputs; ++k) columns.base[k] = panels.rest.offset(outer, k) + first;
                 if constexpr (Op::shifted) {
                   for (int j = 0; j < columns.width; ++j) local[j] = shift[o + j * panels.column_flat];
                   columns.shift = local;
                 }
                 const int64_t start = c * kChunk;
                 columns.chunk(start, n - start < kChunk ? n - start : kChunk);
                 for (int s = 0; s < Op::parts; ++s)
                   for (int j = 0; j < columns.width; ++j)
                     total[(s * chunks + c) * outputs + o + j * panels.column_flat] = columns.acc[s][0][j];
               }
             });
}

template <class Op>
void reduce_rows(const Op& op, const ReducePlan& plan, const typename Op::A* shift, typename Op::A* total,
                 int64_t chunks) {
  using T = typename Op::T;
  using A = typename Op::A;
  const int64_t n = plan.reduced.count, outputs = plan.kept.count;
  const int64_t cost = n < kChunk ? n + 16 : kChunk;
  for_ranges(outputs * chunks, 4 * kTileElements / cost, [&](int64_t lo, int64_t hi) {
    T* buf = static_cast<T*>(scratch(1, Op::inputs * kChunk * sizeof(T)));
    for (int64_t i = lo; i < hi; ++i) {
      const int64_t o = chunks == 1 ? i : i / chunks, c = i - o * chunks, start = c * kChunk,
                    len = n - start < kChunk ? n - start : kChunk;
      const T* p[Op::inputs];
      for (int k = 0; k < Op::inputs; ++k)
        p[k] = gather_reduced<T>(plan, k, plan.kept.offset(o, k), start, len, buf + k * kChunk);
      A out[Op::parts];
      row_chunk(op, p, len, Op::shifted ? shift[o] : A(), out);
      for (int s = 0; s < Op::parts; ++s) total[(s * chunks + c) * outputs + o] = out[s];
    }
  });
}

template <class Op>
LAMINA_INLINE int64_t chunk_count(const ReducePlan& plan) {
  return plan.reduced.count > kChunk ? (plan.reduced.count - 1) / kChunk + 1 : 1;
}

// Reduces every output and calls sink(lo, hi, totals) on ranges of outputs: totals[s * stride + o] is part s of output
// o. `shift` (one per output) only for shifted ops. Uses scratch slots 0 (totals) and 1.
template <class Op, class Sink>
void reduce_tree(const Op& op, const ReducePlan& plan, const typename Op::A* shift, Sink sink) {
  using A = typename Op::A;
  const int64_t outputs = plan.kept.count, chunks = chunk_count<Op>(plan), stride = chunks * outputs;
  if (outputs == 0) return;
  A* total = static_cast<A*>(scratch(0, size_t(Op::parts * stride) * sizeof(A)));
  if (plan.reduced.count == 0) {
    for (int64_t i = 0; i < Op::parts * stride; ++i) total[i] = Op::identity();
  } else if (plan.column_dim >= 0) {
    reduce_columns(op, plan, shift, total, chunks);
  } else {
    reduce_rows(op, plan, shift, total, chunks);
  }
  const int64_t grain = kTileElements / chunks;
  for_ranges(outputs, grain > 0 ? grain : 1, [&](int64_t lo, int64_t hi) {
    if (chunks > 1) fold_chunks<Op>(total, chunks, outputs, lo, hi);
    sink(lo, hi, static_cast<const A*>(total), stride);
  });
}

}  // namespace lamina::cpu::inline LAMINA_ISA
