// scan: running sums, products, extrema and log-sum-exps along one dim, and the recurrence y[i] = b[i] + a[i] y[i - 1].
// Every line is y[i] = f(y[i - 1], x[i]) from left to right, in f64 (integers: int64, wrapping around). Only sums of
// floats run in blocks of 8: p = the block's own running sums by three shifted additions, y = carry + p, and the carry
// of f64 keeps its rounding error. Lines side by side in memory go 64 at a time.
#include "cpu/convert.h"
#include "cpu/parallel.h"
#include "lamina/math.h"
#include "lamina/reduce_ops.h"
#include "lamina/view.h"

namespace lamina::cpu::inline LAMINA_ISA {
namespace {

constexpr int64_t kBuffer = 512;   // elements of a line converted at a time
constexpr int kTogether = 4;       // lines that run side by side to hide the latency of a step
constexpr int kPanel = 64;         // columns of a panel
constexpr int kBlock = 8;          // elements of a block of a sum, rows of a panel
constexpr int64_t kGrain = 16384;  // elements of a task

// ---- one step ----

struct ProdStep {
  using T = double;
  double state = 1;
  LAMINA_INLINE double next(double v, int64_t) { return state *= v; }
};
struct IntegerProdStep {
  using T = int64_t;
  uint64_t state = 1;
  LAMINA_INLINE int64_t next(int64_t v, int64_t) { return int64_t(state *= uint64_t(v)); }
};
struct IntegerSumStep {
  using T = int64_t;
  uint64_t state = 0;
  LAMINA_INLINE int64_t next(int64_t v, int64_t) { return int64_t(state += uint64_t(v)); }
};
// The last of equal extrema, as PyTorch has it; a NaN stays.
template <class V, bool kLargest>
struct ExtremumStep {
  using T = V;
  T state = std::is_floating_point_v<T> ? T(kLargest ? -__builtin_inf() : __builtin_inf())
                                        : T(kLargest ? INT64_MIN : INT64_MAX);
  int64_t at = 0;
  LAMINA_INLINE T next(T v, int64_t i) {
    const bool take = (v != v) | ((state == state) & (kLargest ? v >= state : v <= state));
    state = take ? v : state;
    at = take ? i : at;
    return state;
  }
  // A line: new extrema are rare enough to branch.
  void run(const T* from, T* to, int64_t* place, int64_t n, int64_t first) {
    T best = state;
    int64_t where = at;
    for (int64_t k = 0; k < n; ++k) {
      const T x = from[k];
      if (!(kLargest ? x < best : x > best) && (x != x || best == best)) best = x, where = first + k;
      to[k] = best;
      place[k] = where;
    }
    state = best, at = where;
  }
};
// log(sum exp) = top + log(rest): rest counts in units of exp(top).
struct LogSumExpStep {
  using T = double;
  double top = -__builtin_inf(), rest = 0;
  LAMINA_INLINE double next(double v, int64_t) {
    const bool below = v <= top;
    const double gap = v == top ? 0 : below ? v - top : top - v;
    const double e = math::exp(gap);
    rest = below ? rest + e : rest * e + 1;
    top = below ? top : v;
    return top + math::log(rest);
  }
};
template <class Step>
inline constexpr bool has_place = false;
template <class V, bool kLargest>
inline constexpr bool has_place<ExtremumStep<V, kLargest>> = true;

// ---- where lines lie ----

struct Job {
  View x, y, indices;
  int dim;
  int64_t n, lines;
  bool places;
  int column = -1;  // a dim along which neighbours lie side by side

  Job(const View& in, int d, const View& out, const View& at)
      : x(in), y(out), indices(at), dim(d), n(in.shape[d]), lines(in.numel() / in.shape[d]), places(at.data) {
    if (x.stride[dim] == 1) return;
    for (int e = 0; e < x.ndim; ++e)
      if (e != dim && x.stride[e] == 1 && y.stride[e] == 1 && x.shape[e] >= 8) column = e;
  }
  // Offset of a line (the dims but `dim` and `skip`, row-major) in a view.
  int64_t offset(const View& v, int64_t line, int skip) const {
    int64_t o = 0;
    for (int d = x.ndim - 1; d >= 0; --d) {
      if (d == dim || d == skip) continue;
      o += line % x.shape[d] * v.stride[d];
      line /= x.shape[d];
    }
    return o;
  }
};

template <class T>
constexpr DType kComputeType = std::is_same_v<T, double>  ? DType::float64
                               : std::is_same_v<T, float> ? DType::float32
                                                          : DType::int64;

// ---- lines ----

// Lines whose elements lie side by side as S, four at a time.
template <class Step, class S>
void scan_dense(const Job& j, int64_t first, int count) {
  using T = typename Step::T;
  Step s[kTogether];
  const S* x[kTogether];
  S* y[kTogether];
  for (int l = 0; l < count; ++l) {
    x[l] = j.x.as<const S>() + j.offset(j.x, first + l, -1);
    y[l] = j.y.as<S>() + j.offset(j.y, first + l, -1);
  }
  if (count == kTogether) {
    for (int64_t k = 0; k < j.n; ++k) {
#pragma GCC unroll 4
      for (int l = 0; l < kTogether; ++l) y[l][k] = S(s[l].next(T(x[l][k]), k));
    }
    return;
  }
  for (int l = 0; l < count; ++l) {
    Step t;
    for (int64_t k = 0; k < j.n; ++k) y[l][k] = S(t.next(T(x[l][k]), k));
  }
}

template <class Step>
void scan_lines(const Job& j, int64_t first, int count) {
  using T = typename Step::T;
  const int64_t xs = j.x.stride[j.dim], ys = j.y.stride[j.dim];
  if (xs == 1 && ys == 1 && j.x.dtype == j.y.dtype) {
    if (j.x.dtype == DType::float32 && std::is_floating_point_v<T>) return scan_dense<Step, float>(j, first, count);
    if (j.x.dtype == kComputeType<T>) return scan_dense<Step, T>(j, first, count);
  }
  const ConvertFn load = convert_fn(j.x.dtype, kComputeType<T>), store = convert_fn(kComputeType<T>, j.y.dtype);
  for (int l = 0; l < count; ++l) {
    Step s;
    T buffer[kBuffer];
    const int64_t xo = j.offset(j.x, first + l, -1), yo = j.offset(j.y, first + l, -1);
    for (int64_t i = 0; i < j.n; i += kBuffer) {
      const int64_t m = j.n - i < kBuffer ? j.n - i : kBuffer;
      load({advance(j.x.data, xo + i * xs, j.x.dtype), 0, xs}, {buffer, 0, 1}, 1, m);
      for (int64_t k = 0; k < m; ++k) buffer[k] = s.next(buffer[k], i + k);
      store({buffer, 0, 1}, {advance(j.y.data, yo + i * ys, j.y.dtype), 0, ys}, 1, m);
    }
  }
}

// Extrema and their places.
template <class Step>
void place_lines(const Job& j, int64_t first, int count) {
  using T = typename Step::T;
  const ConvertFn load = convert_fn(j.x.dtype, kComputeType<T>), store = convert_fn(kComputeType<T>, j.y.dtype);
  const int64_t xs = j.x.stride[j.dim], ys = j.y.stride[j.dim], ps = j.indices.stride[j.dim];
  const bool dense_x = xs == 1 && j.x.dtype == kComputeType<T>, dense_y = ys == 1 && j.y.dtype == kComputeType<T>;
  T buffer[kBuffer];
  int64_t places[kBuffer];
  for (int l = 0; l < count; ++l) {
    Step s;
    const int64_t xo = j.offset(j.x, first + l, -1), yo = j.offset(j.y, first + l, -1);
    auto* p = j.indices.as<int64_t>() + j.offset(j.indices, first + l, -1);
    for (int64_t i = 0; i < j.n; i += kBuffer) {
      const int64_t m = j.n - i < kBuffer ? j.n - i : kBuffer;
      const char* from = advance(j.x.data, xo + i * xs, j.x.dtype);
      char* to = advance(j.y.data, yo + i * ys, j.y.dtype);
      if (!dense_x) load({const_cast<char*>(from), 0, xs}, {buffer, 0, 1}, 1, m);
      s.run(dense_x ? reinterpret_cast<const T*>(from) : buffer, dense_y ? reinterpret_cast<T*>(to) : buffer,
            ps == 1 ? p + i : places, m, i);
      if (!dense_y) store({buffer, 0, 1}, {to, 0, ys}, 1, m);
      if (ps != 1)
        for (int64_t k = 0; k < m; ++k) p[(i + k) * ps] = places[k];
    }
  }
}

// ---- sums of floats ----

// What is carried from block to block; Exact keeps the rounding error (two-sum), for f64.
template <bool kExact>
struct Carry {
  double sum = 0, rest = 0;
  LAMINA_INLINE double base() const { return kExact ? (rest == rest ? rest : 0.0) : sum; }
  LAMINA_INLINE double place(double p) const { return kExact ? sum + (p + base()) : sum + p; }
  LAMINA_INLINE void add(double v) {
    const double t = sum + v;
    if constexpr (kExact) {
      const double back = t - sum;
      rest += (sum - (t - back)) + (v - back);
    }
    sum = t;
  }
};

typedef double Eight __attribute__((vector_size(64), aligned(8), may_alias));
typedef int64_t EightPlaces __attribute__((vector_size(64)));

// buffer[0 .. m) becomes its running sums; m <= kBuffer, entries up to the next multiple of 8 may be overwritten.
template <bool kExact>
LAMINA_INLINE void sum_run(double* buffer, int64_t m, Carry<kExact>& carry) {
  typedef double Aligned __attribute__((vector_size(64)));
  const Aligned zero = {};
  for (int64_t k = m; k % kBlock; ++k) buffer[k] = 0;
  for (int64_t k = 0; k < m; k += kBlock) {
    Aligned v = *reinterpret_cast<const Eight*>(buffer + k);
    v += __builtin_shuffle(v, zero, EightPlaces{8, 0, 1, 2, 3, 4, 5, 6});
    v += __builtin_shuffle(v, zero, EightPlaces{8, 8, 0, 1, 2, 3, 4, 5});
    v += __builtin_shuffle(v, zero, EightPlaces{8, 8, 8, 8, 0, 1, 2, 3});
    const Aligned out = kExact ? carry.sum + (v + carry.base()) : carry.sum + v;
    *reinterpret_cast<Eight*>(buffer + k) = out;
    carry.add(v[7]);
  }
}

// The same for integers, whose order does not matter.
struct IntegerCarry {
  uint64_t sum = 0;
};
LAMINA_INLINE void sum_run(int64_t* buffer, int64_t m, IntegerCarry& carry) {
  typedef uint64_t Wrapping __attribute__((vector_size(64)));
  typedef uint64_t Unaligned __attribute__((vector_size(64), aligned(8), may_alias));
  const Wrapping zero = {};
  for (int64_t k = m; k % kBlock; ++k) buffer[k] = 0;
  for (int64_t k = 0; k < m; k += kBlock) {
    Wrapping v = *reinterpret_cast<const Unaligned*>(buffer + k);
    v += __builtin_shuffle(v, zero, EightPlaces{8, 0, 1, 2, 3, 4, 5, 6});
    v += __builtin_shuffle(v, zero, EightPlaces{8, 8, 0, 1, 2, 3, 4, 5});
    v += __builtin_shuffle(v, zero, EightPlaces{8, 8, 8, 8, 0, 1, 2, 3});
    *reinterpret_cast<Unaligned*>(buffer + k) = v + carry.sum;
    carry.sum += v[7];
  }
}

template <class Carried, class T>
void sum_lines(const Job& j, int64_t first, int count) {
  const ConvertFn load = convert_fn(j.x.dtype, kComputeType<T>), store = convert_fn(kComputeType<T>, j.y.dtype);
  alignas(64) T buffer[kBuffer];
  const int64_t xs = j.x.stride[j.dim], ys = j.y.stride[j.dim];
  for (int l = 0; l < count; ++l) {
    Carried carry;
    const int64_t xo = j.offset(j.x, first + l, -1), yo = j.offset(j.y, first + l, -1);
    for (int64_t i = 0; i < j.n; i += kBuffer) {
      const int64_t m = j.n - i < kBuffer ? j.n - i : kBuffer;
      load({advance(j.x.data, xo + i * xs, j.x.dtype), 0, xs}, {buffer, 0, 1}, 1, m);
      sum_run(buffer, m, carry);
      store({buffer, 0, 1}, {advance(j.y.data, yo + i * ys, j.y.dtype), 0, ys}, 1, m);
    }
  }
}

// ---- panels: 8 rows of up to 64 neighbouring lines ----

template <bool kExact>
struct SumPanel {
  using T = double;
  Carry<kExact> carry[kPanel];
  void run(double (*b)[kPanel], int rows, int64_t) {
    for (int r = rows; r < kBlock; ++r)
      for (int c = 0; c < kPanel; ++c) b[r][c] = 0;
    for (int s = 1; s < kBlock; s *= 2)
      for (int r = kBlock - 1; r >= s; --r)
        for (int c = 0; c < kPanel; ++c) b[r][c] += b[r - s][c];
    for (int c = 0; c < kPanel; ++c) {
      const Carry<kExact> before = carry[c];
      carry[c].add(b[kBlock - 1][c]);
      for (int r = 0; r < kBlock; ++r) b[r][c] = before.place(b[r][c]);
    }
  }
};
template <class Step>
struct StepPanel {
  using T = typename Step::T;
  Step s[kPanel];
  int64_t place[has_place<Step> ? kBlock : 1][has_place<Step> ? kPanel : 1];
  void run(T (*b)[kPanel], int rows, int64_t first) {
    for (int r = 0; r < rows; ++r)
      for (int c = 0; c < kPanel; ++c) {
        b[r][c] = s[c].next(b[r][c], first + r);
        if constexpr (has_place<Step>) place[r][c] = s[c].at;
      }
  }
};
template <class Panel>
inline constexpr bool panel_places = false;
template <class Step>
inline constexpr bool panel_places<StepPanel<Step>> = has_place<Step>;

template <class Panel>
void scan_panel(const Job& j, int64_t outer, int64_t column, int width) {
  using T = typename Panel::T;
  const ConvertFn load = convert_fn(j.x.dtype, kComputeType<T>), store = convert_fn(kComputeType<T>, j.y.dtype);
  const int64_t xs = j.x.stride[j.dim], ys = j.y.stride[j.dim];
  const int64_t xo = j.offset(j.x, outer, j.column) + column, yo = j.offset(j.y, outer, j.column) + column;
  Panel panel;
  alignas(64) T buffer[kBlock][kPanel] = {};
  for (int64_t i = 0; i < j.n; i += kBlock) {
    const int rows = j.n - i < kBlock ? int(j.n - i) : kBlock;
    load({advance(j.x.data, xo + i * xs, j.x.dtype), xs, 1}, {buffer, kPanel, 1}, rows, width);
    panel.run(buffer, rows, i);
    store({buffer, kPanel, 1}, {advance(j.y.data, yo + i * ys, j.y.dtype), ys, 1}, rows, width);
    if constexpr (panel_places<Panel>) {
      const int64_t ps = j.indices.stride[j.dim], pc = j.indices.stride[j.column];
      auto* p = j.indices.as<int64_t>() + j.offset(j.indices, outer, j.column) + column * pc + i * ps;
      for (int r = 0; r < rows; ++r)
        for (int c = 0; c < width; ++c) p[r * ps + c * pc] = panel.place[r][c];
    }
  }
}

// ---- dispatch ----

// lines(job, first, count) and the Panel compute the same.
template <class Panel, class F>
void run(const Job& j, F&& lines) {
  if (j.column >= 0) {
    const int64_t columns = j.x.shape[j.column], panels = (columns + kPanel - 1) / kPanel;
    for_tiles(j.lines / columns * panels, [&](int64_t t) {
      const int64_t c = t % panels * kPanel;
      scan_panel<Panel>(j, t / panels, c, columns - c < kPanel ? int(columns - c) : kPanel);
    });
    return;
  }
  const int64_t grain = kGrain / (j.n < kGrain ? j.n : kGrain);
  for_ranges(j.lines, grain < kTogether ? kTogether : grain, [&](int64_t lo, int64_t hi) {
    for (int64_t l = lo; l < hi; l += kTogether) lines(l, hi - l < kTogether ? int(hi - l) : kTogether);
  });
}
template <class Step>
void run_steps(const Job& j) {
  run<StepPanel<Step>>(j, [&](int64_t first, int count) {
    if constexpr (has_place<Step>) {
      place_lines<Step>(j, first, count);
    } else {
      scan_lines<Step>(j, first, count);
    }
  });
}
template <bool kExact>
void run_sums(const Job& j) {
  run<SumPanel<kExact>>(j, [&](int64_t first, int count) { sum_lines<Carry<kExact>, double>(j, first, count); });
}

template <bool kLargest>
void run_extrema(const Job& j) {
  if (!is_floating(j.x.dtype)) return run_steps<ExtremumStep<int64_t, kLargest>>(j);
  return j.x.dtype == DType::float64 ? run_steps<ExtremumStep<double, kLargest>>(j)
                                     : run_steps<ExtremumStep<float, kLargest>>(j);
}

}  // namespace

void scan(ReduceOp op, const View& x, int dim, const View& y, const View& indices) {
  if (x.numel() == 0) return;
  const Job j(x, dim, y, indices);
  const bool floating = is_floating(y.dtype);
  switch (op) {
    case ReduceOp::sum:
      if (!floating)
        return run<StepPanel<IntegerSumStep>>(
            j, [&](int64_t first, int count) { sum_lines<IntegerCarry, int64_t>(j, first, count); });
      return y.dtype == DType::float64 ? run_sums<true>(j) : run_sums<false>(j);
    case ReduceOp::prod:
      return floating ? run_steps<ProdStep>(j) : run_steps<IntegerProdStep>(j);
    case ReduceOp::amax:
      return run_extrema<true>(j);
    case ReduceOp::amin:
      return run_extrema<false>(j);
    case ReduceOp::logsumexp:
      return run_steps<LogSumExpStep>(j);
    default:
      unsupported("scan", x.dtype);
  }
}

void linear_scan(const View& a, const View& b, int dim, const View& y) {
  if (y.numel() == 0) return;
  const Job ja(a, dim, y, View{}), jb(b, dim, y, View{});
  const ConvertFn load_a = convert_fn(a.dtype, DType::float64), load_b = convert_fn(b.dtype, DType::float64),
                  store = convert_fn(DType::float64, y.dtype);
  const int64_t grain = kGrain / (ja.n < kGrain ? ja.n : kGrain);
  for_ranges(ja.lines, grain, [&](int64_t lo, int64_t hi) {
    double u[kBuffer], v[kBuffer];
    for (int64_t l = lo; l < hi; ++l) {
      const int64_t ao = ja.offset(a, l, -1), bo = jb.offset(b, l, -1), yo = ja.offset(y, l, -1);
      double last = 0;
      for (int64_t i = 0; i < ja.n; i += kBuffer) {
        const int64_t m = ja.n - i < kBuffer ? ja.n - i : kBuffer;
        load_a({advance(a.data, ao + i * a.stride[dim], a.dtype), 0, a.stride[dim]}, {u, 0, 1}, 1, m);
        load_b({advance(b.data, bo + i * b.stride[dim], b.dtype), 0, b.stride[dim]}, {v, 0, 1}, 1, m);
        for (int64_t k = 0; k < m; ++k)
          v[k] = last = i + k == 0 ? v[k] : v[k] + u[k] * last;  // nothing before the first
        store({v, 0, 1}, {advance(y.data, yo + i * y.stride[dim], y.dtype), 0, y.stride[dim]}, 1, m);
      }
    }
  });
}

}  // namespace lamina::cpu::inline LAMINA_ISA
