// layer_norm over the trailing dims, row by row: x (rows, n) -> y (rows, n), mean and 1/deviation (rows) in double.
// Sums of differences from a number near the mean, so that a large mean costs no digits. The mean is kept as two
// numbers of T, hi + lo; x - hi is exact where digits would cancel. Reference: y = (x - mean) * rstd * w + b.
#include "rows.h"

namespace lamina::cpu::inline LAMINA_ISA {
namespace {

// Rows handled together; their parameter gradients are added in T before they go to double.
inline constexpr int kQuad = 4;
// Elements of a row whose terms are added in T, eight to a lane, before they go to double.
inline constexpr int64_t kWide = 8 * kLanes;

// A row parameter (weight, bias) in the compute type, or null.
template <class T>
const T* parameter(const View& v, int64_t n, T* buf) {
  if (!v.data) return nullptr;
  if (stored_as<T>(v.dtype)) return v.as<const T>();
  for_pieces(
      n, [&](int64_t lo, int64_t hi) { gather_run<T>(v.dtype, element(v.data, v.dtype, lo), 1, hi - lo, buf + lo); });
  return buf;
}

// xhat = (x - hi) * r - lo * r, with hi + lo the mean: x - hi is exact where digits cancel, and the rest is rounded
// once.
template <class T>
struct Standardize {
  Lanes16<T> hi, r, low;
  LAMINA_INLINE Standardize(double mean, T rstd)
      : hi(Lanes16<T>::broadcast(T(mean))),
        r(Lanes16<T>::broadcast(rstd)),
        low(Lanes16<T>::broadcast(T(-(mean - double(T(mean))) * double(rstd)))) {}
  LAMINA_INLINE Lanes16<T> operator()(const Lanes16<T>& x) const { return fma(x - hi, r, low); }
};

LAMINA_INLINE double fold_sum(const Lanes16<double>& a) {
  return fold([](auto x, auto y) __attribute__((always_inline)) { return x + y; }, a);
}

// x + y in the multipliers, where the adders are the bottleneck and fma is an instruction.
template <class T>
LAMINA_INLINE Lanes16<T> add_by_fma(const Lanes16<T>& x, const Lanes16<T>& y) {
#if defined(__FMA__)
  return fma(x, Lanes16<T>::broadcast(T(1)), y);
#else
  return x + y;
#endif
}

// Sums of d and d * d over a row, d = x - shift.
struct Sums {
  double d, squares;
};
template <class T>
LAMINA_INLINE Sums sums_about(const T* x, int64_t n, T shift) {
  const Lanes16<T> minus = Lanes16<T>::broadcast(-shift);
  Lanes16<double> a = Lanes16<double>::broadcast(0), q = a;
  const auto add = [&](auto load) __attribute__((always_inline)) {
    Lanes16<T> sum[4], square[4];
    for (int j = 0; j < 4; ++j) {
      const Lanes16<T> d = add_by_fma(load(2 * j * kLanes), minus), e = add_by_fma(load((2 * j + 1) * kLanes), minus);
      sum[j] = d + e;
      square[j] = fma(e, e, d * d);
    }
    a = a + widen((sum[0] + sum[1]) + (sum[2] + sum[3]));
    q = q + widen((square[0] + square[1]) + (square[2] + square[3]));
  };
  for_pieces(n, [&](int64_t i, int64_t end) __attribute__((always_inline)) {
    for (; i + kWide <= end; i += kWide)
      add([&](int64_t j) __attribute__((always_inline)) { return Lanes16<T>::load(x + i + j); });
    if (i < end)
      add([&](int64_t j) __attribute__((always_inline)) { return Lanes16<T>::load(x + i + j, end - i - j, shift); });
  });
  return {fold_sum(a), fold_sum(q)};
}

// The mean of the first 16 elements.
template <class T>
LAMINA_INLINE T guess(const T* x, int64_t n) {
  if (n < kLanes) return x[0];
  return fold([](auto a, auto b) __attribute__((always_inline)) { return a + b; }, Lanes16<T>::load(x)) * T(1.0 / 16);
}

// Where the guess lies further from the mean than half a deviation, the subtraction costs digits, and a second pass
// about the mean itself follows: a decision of the row alone.
template <class T>
LAMINA_INLINE void statistics(const T* x, int64_t n, T shift, Sums s, double eps, double& mean, double& rstd) {
  double off = s.d / double(n), m2 = s.squares - s.d * off;
  if (off * s.d * 4 > m2) [[unlikely]] {
    shift = T(double(shift) + off);
    s = sums_about(x, n, shift);
    off = s.d / double(n), m2 = s.squares - s.d * off;
  }
  mean = double(shift) + off;
  rstd = 1 / __builtin_sqrt((m2 > 0 || m2 != m2 ? m2 : 0) / double(n) + eps);
}

template <class T>
void normalise(const T* x, const T* w, const T* b, int64_t n, double mean, double rstd, T* y) {
  const Standardize<T> standardize(mean, T(rstd));
  const Lanes16<T> one = Lanes16<T>::broadcast(T(1)), zero = Lanes16<T>::broadcast(T(0));
  for_pieces(n, [&](int64_t i, int64_t end) __attribute__((always_inline)) {
    if (w && b)
      for (; i + kLanes <= end; i += kLanes)
        fma(standardize(Lanes16<T>::load(x + i)), Lanes16<T>::load(w + i), Lanes16<T>::load(b + i)).store(y + i);
    for (; i < end; i += kLanes) {
      const int64_t c = end - i;
      const Lanes16<T> xhat = standardize(Lanes16<T>::load(x + i, c, T(0)));
      if (!w && !b) {
        xhat.store(y + i, c);
      } else {
        fma(xhat, w ? Lanes16<T>::load(w + i, c, T(0)) : one, b ? Lanes16<T>::load(b + i, c, T(0)) : zero)
            .store(y + i, c);
      }
    }
  });
}

template <class T>
void forward(const View& x, const View& weight, const View& bias, double eps, const View& y, const View& mean,
             const View& rstd) {
  const ReducePlan plan(&x, 1, mean);
  const int64_t n = plan.reduced.count, rows = plan.kept.count;
  T* params = static_cast<T*>(scratch(2, size_t(2 * n + 1) * sizeof(T)));
  const T *w = parameter(weight, n, params), *b = parameter(bias, n, params + n);
  const int64_t grain = kTileElements / 4 / (n < kTileElements ? n + 1 : kTileElements);
  for_work(double(rows) * double(n + 16) * 0.2, rows, grain > 0 ? grain : 1, [&](int64_t lo, int64_t hi) {
    T* buf = static_cast<T*>(scratch(1, size_t((kQuad + 1) * n) * sizeof(T)));
    const bool direct = stored_as<T>(y.dtype);
    double *m = mean.as<double>(), *r = rstd.as<double>();
    // Statistics of a few rows, then their results: the latencies of one row hide behind the next.
    const int64_t step = n <= 2048 ? kQuad : 1;
    for (int64_t i = lo; i < hi; i += step) {
      const T* row[kQuad];
      T shift[kQuad];
      Sums sums[kQuad];
      const int64_t count = hi - i < step ? hi - i : step;
      for (int64_t k = 0; k < count; ++k) {
        row[k] = gather_row<T>(plan, 0, plan.kept.offset(i + k, 0), n, buf + k * n);
        shift[k] = guess(row[k], n);
      }
      for (int64_t k = 0; k < count; ++k) sums[k] = sums_about(row[k], n, shift[k]);
      for (int64_t k = 0; k < count; ++k) statistics(row[k], n, shift[k], sums[k], eps, m[i + k], r[i + k]);
      for (int64_t k = 0; k < count; ++k) {
        T* to = direct ? y.as<T>() + (i + k) * n : buf + kQuad * n;
        normalise(row[k], w, b, n, m[i + k], r[i + k], to);
        if (!direct) scatter_row<T>(y.dtype, to, element(y.data, y.dtype, (i + k) * n), 1, n);
      }
    }
  });
}

// ---- backward: dx = rstd * (g - mean(g) - xhat * mean(g * xhat)), g = dy * w;  dw = sum dy * xhat,  db = sum dy ----

template <class T>
struct Row {
  const T *x, *dy;
  double mean;
  T rstd, c1, c2;  // c1 = mean(g), c2 = mean(g * xhat)
  T* dx;
};

template <class T>
void row_sums(Row<T>& row, const T* w, int64_t n) {
  const Standardize<T> standardize(row.mean, row.rstd);
  Lanes16<double> a1 = Lanes16<double>::broadcast(0), a2 = a1;
  const auto block = [&](int64_t i, auto load) __attribute__((always_inline)) {
    Lanes16<T> g[4], xhat[4];
    for (int j = 0; j < 4; ++j) {
      const int64_t at = i + j * kLanes;
      g[j] = load(row.dy, at, T(0));
      if (w) g[j] = g[j] * load(w, at, T(0));
      xhat[j] = standardize(load(row.x, at, T(row.mean)));
    }
    a1 = a1 + widen((g[0] + g[1]) + (g[2] + g[3]));
    a2 = a2 + widen(fma(g[1], xhat[1], g[0] * xhat[0]) + fma(g[3], xhat[3], g[2] * xhat[2]));
  };
  for_pieces(n, [&](int64_t i, int64_t end) __attribute__((always_inline)) {
    for (; i + kBlock <= end; i += kBlock)
      block(i, [](const T* p, int64_t at, T) __attribute__((always_inline)) { return Lanes16<T>::load(p + at); });
    // Beyond the end g is 0, and so is g * xhat.
    if (i < end)
      block(i, [end](const T* p, int64_t at, T rest)
                   __attribute__((always_inline)) { return Lanes16<T>::load(p + at, end - at, rest); });
  });
  row.c1 = T(fold_sum(a1) / double(n));
  row.c2 = T(fold_sum(a2) / double(n));
}

// What quad() writes: dx where wanted, and into dw and db (double, n each, may be null) the sums over its rows.
struct QuadSums {
  double *dw, *db;
};

// 16 columns from i of up to four rows; `here` of the columns exist.
template <bool Full, class T>
LAMINA_INLINE void quad_columns(const Row<T>* rows, int count, const T* w, int64_t i, int64_t here,
                                const QuadSums& sums) {
  using L = Lanes16<T>;
  const auto load = [here](const T* p)
                        __attribute__((always_inline)) { return Full ? L::load(p) : L::load(p, here, T(0)); };
  L xhat[kQuad], q[kQuad];
  for (int k = 0; k < kQuad; ++k) xhat[k] = q[k] = L::broadcast(T(0));
  const L wi = w ? load(w + i) : L::broadcast(T(1));
  for (int k = 0; k < kQuad; ++k) {
    if (k >= count) break;
    const Row<T>& r = rows[k];
    xhat[k] = Standardize<T>(r.mean, r.rstd)(load(r.x + i));
    q[k] = load(r.dy + i);
    if (!r.dx) continue;
    const L dx =
        fma(q[k], wi * L::broadcast(r.rstd), fma(xhat[k], L::broadcast(-r.c2 * r.rstd), L::broadcast(-r.c1 * r.rstd)));
    Full ? dx.store(r.dx + i) : dx.store(r.dx + i, here);
  }
  if (sums.dw)
    (Lanes16<double>::load(sums.dw + i) +
     widen(fma(q[1], xhat[1], q[0] * xhat[0]) + fma(q[3], xhat[3], q[2] * xhat[2])))
        .store(sums.dw + i);
  if (sums.db) (Lanes16<double>::load(sums.db + i) + widen((q[0] + q[1]) + (q[2] + q[3]))).store(sums.db + i);
}

template <class T>
void quad(const Row<T>* rows, int count, const T* w, int64_t n, const QuadSums& sums) {
  for_pieces(n, [&](int64_t i, int64_t end) __attribute__((always_inline)) {
    if (count == kQuad)
      for (; i + kLanes <= end; i += kLanes) quad_columns<true>(rows, kQuad, w, i, kLanes, sums);
    for (; i < end; i += kLanes) quad_columns<false>(rows, count, w, i, end - i, sums);
  });
}

// Rows per partial sum of dw and db: a function of the number of rows alone.
int64_t rows_per_chunk(int64_t rows) {
  const int64_t even = (rows + 127) / 128;
  return even < 64 ? 64 : (even + kQuad - 1) / kQuad * kQuad;
}

template <class T>
void fold_parameters(double* total, int64_t chunks, int64_t width, int64_t n, const View& dw, const View& db) {
  for (int64_t w = 1; w < chunks; w *= 2)
    for (int64_t c = 0; c + w < chunks; c += 2 * w)
      for (int64_t i = 0; i < 2 * width; ++i) total[c * 2 * width + i] += total[(c + w) * 2 * width + i];
  if (dw.data) scatter_row<double>(dw.dtype, total, dw.data, 1, n);
  if (db.data) scatter_row<double>(db.dtype, total + width, db.data, 1, n);
}

template <class T>
void backward(const View* in, const View& weight, const View& mean, const View& rstd, const View& dx, const View& dw,
              const View& db) {
  const ReducePlan plan(in, 2, mean);
  const int64_t n = plan.reduced.count, rows = plan.kept.count, step = rows_per_chunk(rows),
                chunks = (rows + step - 1) / step;
  const int64_t width = (n + kLanes - 1) / kLanes * kLanes;
  const bool params = dw.data || db.data, direct = stored_as<T>(dx.dtype);
  T* wbuf = static_cast<T*>(scratch(2, size_t(n + 1) * sizeof(T)));
  const T* w = parameter(weight, n, wbuf);
  double* total = static_cast<double*>(scratch(0, size_t((chunks > 0 ? chunks : 1) * 2 * width) * sizeof(double)));
  if (chunks == 0) __builtin_memset(total, 0, size_t(2 * width) * sizeof(double));
  const auto sum_chunk = [&](int64_t chunk) {
    T* buf = static_cast<T*>(scratch(1, size_t(3 * kQuad * n) * sizeof(T)));
    double *pw = total + chunk * 2 * width, *pb = pw + width;
    if (params)
      for_pieces(2 * width, [&](int64_t a, int64_t b) { __builtin_memset(pw + a, 0, size_t(b - a) * sizeof(double)); });
    const int64_t end = (chunk + 1) * step < rows ? (chunk + 1) * step : rows;
    for (int64_t i = chunk * step; i < end; i += kQuad) {
      const int count = int(end - i < kQuad ? end - i : kQuad);
      Row<T> q[kQuad];
      for (int k = 0; k < count; ++k) {
        T* space = buf + 3 * k * n;
        q[k].x = gather_row<T>(plan, 0, plan.kept.offset(i + k, 0), n, space);
        q[k].dy = gather_row<T>(plan, 1, plan.kept.offset(i + k, 1), n, space + n);
        q[k].mean = mean.as<double>()[i + k];
        q[k].rstd = T(rstd.as<double>()[i + k]);
        q[k].dx = !dx.data ? nullptr : direct ? dx.as<T>() + (i + k) * n : space + 2 * n;
        if (dx.data) row_sums(q[k], w, n);
      }
      quad<T>(q, count, w, n, QuadSums{dw.data ? pw : nullptr, db.data ? pb : nullptr});
      for (int k = 0; k < count && dx.data && !direct; ++k)
        scatter_row<T>(dx.dtype, q[k].dx, element(dx.data, dx.dtype, (i + k) * n), 1, n);
    }
  };
  for_tiles(chunks, sum_chunk, threads_for(double(rows) * double(n + 16) * 0.4));
  if (params) fold_parameters<T>(total, chunks, width, n, dw, db);
}

}  // namespace

void layer_norm(const View& x, const View& weight, const View& bias, double eps, const View& y, const View& mean,
                const View& rstd) {
  compute_of(x.dtype) == Compute::f64 ? forward<double>(x, weight, bias, eps, y, mean, rstd)
                                      : forward<float>(x, weight, bias, eps, y, mean, rstd);
}

void layer_norm_backward(const View& x, const View& dy, const View& weight, const View& mean, const View& rstd,
                         const View& dx, const View& dw, const View& db) {
  const View in[2] = {x, dy};
  compute_of(x.dtype) == Compute::f64 ? backward<double>(in, weight, mean, rstd, dx, dw, db)
                                      : backward<float>(in, weight, mean, rstd, dx, dw, db);
}

}  // namespace lamina::cpu::inline LAMINA_ISA
