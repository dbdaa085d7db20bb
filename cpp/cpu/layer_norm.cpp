// layer_norm over the trailing dims, row by row: x (rows, n) -> y (rows, n), mean and 1/deviation (rows) in double.
// Two passes over a row that sits in the L1 cache: the mean, then squares of differences from it, so that a large mean
// costs no digits. The mean is kept as two numbers of T, hi + lo; x - hi is exact where digits would cancel.
// Reference: d = (x - hi) - lo;  y = d * rstd * w + b.
#include "rows.h"

namespace lamina::cpu::inline LAMINA_ISA {
namespace {

// A row parameter (weight, bias) in the compute type, or null.
template <class T>
const T* parameter(const View& v, int64_t n, T* buf) {
  if (!v.data) return nullptr;
  if (stored_as<T>(v.dtype)) return v.as<const T>();
  gather_run<T>(v.dtype, v.data, 1, n, buf);
  return buf;
}

template <class T>
struct Center {
  Lanes16<T> hi, lo;
  LAMINA_INLINE explicit Center(double mean)
      : hi(Lanes16<T>::broadcast(T(mean))), lo(Lanes16<T>::broadcast(T(mean - double(T(mean))))) {}
  LAMINA_INLINE Lanes16<T> operator()(const Lanes16<T>& x) const { return (x - hi) - lo; }
};

LAMINA_INLINE double fold_sum(const Lanes16<double>& a) {
  return fold([](auto x, auto y) __attribute__((always_inline)) { return x + y; }, a);
}

// 1 in the first `count` lanes, then 0.
template <class T>
LAMINA_INLINE Lanes16<T> ones(int64_t count) {
  alignas(64) static constexpr T table[2 * kLanes] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
  return Lanes16<T>::load(table + kLanes - count);
}

// The mean is summed about the first element, which keeps the digits that a large common offset would take.
template <class T>
void statistics(const T* x, int64_t n, double eps, double& mean, double& rstd) {
  const T first = x[0];
  const Lanes16<T> shift = Lanes16<T>::broadcast(first);
  mean = double(first) + sum_row<T>(n, [&](int64_t i, int64_t c) __attribute__((always_inline)) {
                           return Lanes16<T>::load(x + i, c, first) - shift;
                         }) / double(n);
  const Center<T> center(mean);
  const double m2 = sum_row<T>(n, [&](int64_t i, int64_t c) __attribute__((always_inline)) {
    Lanes16<T> d = center(Lanes16<T>::load(x + i, c, first));
    if (c < kLanes) d = d * ones<T>(c);
    return d * d;
  });
  rstd = 1 / __builtin_sqrt(m2 / double(n) + eps);
}

template <class T>
void normalise(const T* x, const T* w, const T* b, int64_t n, double mean, double rstd, T* y) {
  const Center<T> center(mean);
  const Lanes16<T> r = Lanes16<T>::broadcast(T(rstd)), one = Lanes16<T>::broadcast(T(1)),
                   zero = Lanes16<T>::broadcast(T(0));
  for (int64_t i = 0; i < n; i += kLanes) {
    const int64_t c = n - i;
    const Lanes16<T> xhat = center(Lanes16<T>::load(x + i, c, T(0))) * r;
    if (!w && !b) {
      xhat.store(y + i, c);
    } else {
      fma(xhat, w ? Lanes16<T>::load(w + i, c, T(0)) : one, b ? Lanes16<T>::load(b + i, c, T(0)) : zero)
          .store(y + i, c);
    }
  }
}

template <class T>
void forward(const View& x, const View& weight, const View& bias, double eps, const View& y, const View& mean,
             const View& rstd) {
  const ReducePlan plan(&x, 1, mean);
  const int64_t n = plan.reduced.count, rows = plan.kept.count;
  T* params = static_cast<T*>(scratch(2, size_t(2 * n + 1) * sizeof(T)));
  const T *w = parameter(weight, n, params), *b = parameter(bias, n, params + n);
  const int64_t grain = kTileElements / 4 / (n < kTileElements ? n + 1 : kTileElements);
  for_ranges(rows, grain > 0 ? grain : 1, [&](int64_t lo, int64_t hi) {
    T* buf = static_cast<T*>(scratch(1, size_t(2 * n) * sizeof(T)));
    const bool direct = stored_as<T>(y.dtype);
    for (int64_t i = lo; i < hi; ++i) {
      const T* row = gather_reduced<T>(plan, 0, plan.kept.offset(i, 0), 0, n, buf);
      double m, r;
      statistics(row, n, eps, m, r);
      mean.as<double>()[i] = m;
      rstd.as<double>()[i] = r;
      T* to = direct ? y.as<T>() + i * n : buf + n;
      normalise(row, w, b, n, m, r, to);
      if (!direct) scatter_run<T>(y.dtype, to, element(y.data, y.dtype, i * n), 1, n);
    }
  });
}

// ---- backward: dx = rstd * (g - mean(g) - xhat * mean(g * xhat)), g = dy * w;  dw = sum dy * xhat,  db = sum dy ----

inline constexpr int kQuad = 4;  // rows whose parameter gradients are added in T before they go to double

template <class T>
struct Row {
  const T *x, *dy;
  double mean;
  T rstd, c1, c2;  // c1 = mean(g), c2 = mean(g * xhat)
  T* dx;
};

template <class T>
void row_sums(Row<T>& row, const T* w, int64_t n) {
  const Center<T> center(row.mean);
  const Lanes16<T> r = Lanes16<T>::broadcast(row.rstd);
  Lanes16<double> a1 = Lanes16<double>::broadcast(0), a2 = a1;
  for (int64_t i = 0; i < n; i += kBlock) {
    Lanes16<T> g[4], h[4];
    for (int j = 0; j < 4; ++j) {
      const int64_t at = i + j * kLanes,
                    c = n - at;  // g is 0 beyond the end, and so is g * xhat (x is read as the mean)
      g[j] = Lanes16<T>::load(row.dy + at, c, T(0));
      if (w) g[j] = g[j] * Lanes16<T>::load(w + at, c, T(0));
      h[j] = g[j] * (center(Lanes16<T>::load(row.x + at, c, T(row.mean))) * r);
    }
    a1 = a1 + widen((g[0] + g[1]) + (g[2] + g[3]));
    a2 = a2 + widen((h[0] + h[1]) + (h[2] + h[3]));
  }
  row.c1 = T(fold_sum(a1) / double(n));
  row.c2 = T(fold_sum(a2) / double(n));
}

// dx of up to four rows; their dy * xhat and dy, summed over the rows, go to dw and db (double, n each) where not null.
template <class T>
void quad(const Row<T>* rows, int count, const T* w, int64_t n, bool want_dx, double* dw, double* db) {
  for (int64_t i = 0; i < n; i += kLanes) {
    const int64_t c = n - i;
    Lanes16<T> p[kQuad], q[kQuad];
    for (int k = 0; k < kQuad; ++k) p[k] = q[k] = Lanes16<T>::broadcast(T(0));
    const Lanes16<T> wi = w ? Lanes16<T>::load(w + i, c, T(0)) : Lanes16<T>::broadcast(T(1));
    for (int k = 0; k < count; ++k) {
      const Row<T>& r = rows[k];
      const Lanes16<T> rs = Lanes16<T>::broadcast(r.rstd);
      const Lanes16<T> xhat = Center<T>(r.mean)(Lanes16<T>::load(r.x + i, c, T(0))) * rs;
      q[k] = Lanes16<T>::load(r.dy + i, c, T(0));
      p[k] = q[k] * xhat;
      if (want_dx) {
        const Lanes16<T> g = q[k] * wi - Lanes16<T>::broadcast(r.c1);
        (rs * fma(Lanes16<T>::broadcast(-r.c2), xhat, g)).store(r.dx + i, c);
      }
    }
    if (dw) (Lanes16<double>::load(dw + i) + widen((p[0] + p[1]) + (p[2] + p[3]))).store(dw + i);
    if (db) (Lanes16<double>::load(db + i) + widen((q[0] + q[1]) + (q[2] + q[3]))).store(db + i);
  }
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
  if (dw.data) scatter_run<double>(dw.dtype, total, dw.data, 1, n);
  if (db.data) scatter_run<double>(db.dtype, total + width, db.data, 1, n);
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
  for_tiles(chunks, [&](int64_t chunk) {
    T* buf = static_cast<T*>(scratch(1, size_t(3 * kQuad * n) * sizeof(T)));
    double *pw = total + chunk * 2 * width, *pb = pw + width;
    if (params) __builtin_memset(pw, 0, size_t(2 * width) * sizeof(double));
    const int64_t end = (chunk + 1) * step < rows ? (chunk + 1) * step : rows;
    for (int64_t i = chunk * step; i < end; i += kQuad) {
      const int count = int(end - i < kQuad ? end - i : kQuad);
      Row<T> q[kQuad];
      for (int k = 0; k < count; ++k) {
        T* space = buf + 3 * k * n;
        q[k].x = gather_reduced<T>(plan, 0, plan.kept.offset(i + k, 0), 0, n, space);
        q[k].dy = gather_reduced<T>(plan, 1, plan.kept.offset(i + k, 1), 0, n, space + n);
        q[k].mean = mean.as<double>()[i + k];
        q[k].rstd = T(rstd.as<double>()[i + k]);
        q[k].dx = direct && dx.data ? dx.as<T>() + (i + k) * n : space + 2 * n;
        if (dx.data) row_sums(q[k], w, n);
      }
      quad(q, count, w, n, dx.data != nullptr, dw.data ? pw : nullptr, db.data ? pb : nullptr);
      for (int k = 0; k < count && dx.data && !direct; ++k)
        scatter_run<T>(dx.dtype, q[k].dx, element(dx.data, dx.dtype, (i + k) * n), 1, n);
    }
  });
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
