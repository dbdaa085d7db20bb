// batch_norm over dim 1 of (N, C, ...), any memory layout (the result has the layout of its own view).
// Statistics: one pass, as reduce_moments. Then y = d * a + b with d = (x - hi) - lo, hi + lo = mean, a = w * rstd.
// Backward (batch statistics): dx = a * (dy - mean(dy) - xhat * mean(dy * xhat)), dw = sum dy * xhat, db = sum dy.
#include "channels.h"
#include "reduce.h"

namespace lamina::cpu::inline LAMINA_ISA {
namespace {

template <class T>
struct Scale {  // params: hi, lo, a, b
  LAMINA_INLINE static Lanes16<T> apply(const Lanes16<T> (&x)[1], const Lanes16<T> (&p)[4]) {
    return fma((x[0] - p[0]) - p[1], p[2], p[3]);
  }
};
template <class T>
struct ScaleGrad {  // inputs: dy, x; params: hi, lo, a, k1, k0
  LAMINA_INLINE static Lanes16<T> apply(const Lanes16<T> (&x)[2], const Lanes16<T> (&p)[5]) {
    const Lanes16<T> d = (x[1] - p[0]) - p[1];
    return fma(x[0], p[2], fma(d, p[3], p[4]));
  }
};

// Sums of dy and dy * (x - mean).
template <class Type>
struct GradSums {
  using T = Type;
  using A = double;
  static constexpr int inputs = 2, parts = 2;
  static constexpr bool shifted = true;
  static A identity() { return 0; }
  static T pad(int input, A shift) { return input == 0 ? T(0) : T(shift); }
  template <class V>
  LAMINA_INLINE static V combine(V a, V b) {
    return a + b;
  }
  LAMINA_INLINE void block(Lanes16<A> (&acc)[2], const Lanes16<T> (&x)[2][4], const Lanes16<A>& mean) const {
    for (int j = 0; j < 4; ++j) {
      const Lanes16<A> g = widen(x[0][j]);
      acc[0] = acc[0] + g;
      acc[1] = fma(g, widen(x[1][j]) - mean, acc[1]);
    }
  }
};

// Element c of a vector of any float dtype, as double.
double at(const View& v, int64_t c, double absent) {
  if (!v.data) return absent;
  if (v.dtype == DType::float64) return v.as<double>()[c * v.stride[0]];
  float x;
  gather_run<float>(v.dtype, element(v.data, v.dtype, c * v.stride[0]), 1, 1, &x);
  return x;
}
void put(const View& v, int64_t c, double x) {
  scatter_run<double>(v.dtype, &x, element(v.data, v.dtype, c * v.stride[0]), 1, 1);
}

// The view of a per-channel vector as (1, C, 1, ...).
View keep_channel(int32_t ndim, int64_t channels) {
  View v{nullptr, DType::float64, ndim, {}, {}};
  for (int d = 0; d < ndim; ++d) v.shape[d] = d == 1 ? channels : 1, v.stride[d] = d == 1 ? 1 : 0;
  return v;
}

template <class T>
struct Workspace {
  T* param[5];
  double *mean, *m2;
  explicit Workspace(int64_t channels) {
    char* p = static_cast<char*>(scratch(2, size_t(channels + 16) * (5 * sizeof(T) + 2 * sizeof(double))));
    mean = reinterpret_cast<double*>(p);
    m2 = mean + channels;
    T* t = reinterpret_cast<T*>(m2 + channels);
    for (int j = 0; j < 5; ++j) param[j] = t + j * channels;
  }
};

struct Running {
  const View &mean, &var;
  double momentum;
};

template <class T>
void forward(const View& x, const View& weight, const View& bias, const Running& running, bool training, double eps,
             const View& y, double* mean, double* rstd) {
  const int64_t channels = x.shape[1];
  Workspace<T> work(channels);
  if (training) {
    const View shape = keep_channel(x.ndim, channels);
    const ReducePlan plan(&x, 1, shape);
    reduce_moments<T>(plan, mean, work.m2);
    const double n = double(plan.reduced.count);
    for (int64_t c = 0; c < channels; ++c) {
      rstd[c] = 1 / __builtin_sqrt(work.m2[c] / n + eps);
      if (!running.mean.data) continue;
      const double m = running.momentum, old_mean = at(running.mean, c, 0), old_var = at(running.var, c, 0);
      put(running.mean, c, old_mean + m * (mean[c] - old_mean));
      put(running.var, c, old_var + m * (work.m2[c] / (n - 1) - old_var));
    }
  } else {
    for (int64_t c = 0; c < channels; ++c) {
      mean[c] = at(running.mean, c, 0);
      rstd[c] = 1 / __builtin_sqrt(at(running.var, c, 1) + eps);
    }
  }
  T* p[4];
  for (int j = 0; j < 4; ++j) p[j] = work.param[j];
  for (int64_t c = 0; c < channels; ++c) {
    p[0][c] = T(mean[c]);
    p[1][c] = T(mean[c] - double(p[0][c]));
    p[2][c] = T(at(weight, c, 1) * rstd[c]);
    p[3][c] = T(at(bias, c, 0));
  }
  const View v[2] = {x, y};
  ChannelPass<T, Scale<T>, 1, 4>(v, p).run();
}

template <class T>
void backward(const View& dy, const View& x, const View& weight, const double* mean, const double* rstd, bool training,
              const View& dx, const View& dw, const View& db) {
  const int64_t channels = x.shape[1];
  Workspace<T> work(channels);
  const View in[2] = {dy, x};
  const View shape = keep_channel(x.ndim, channels);
  const ReducePlan plan(in, 2, shape);
  double *sum = work.mean, *dot = work.m2;
  for (int64_t c = 0; c < channels; ++c) sum[c] = dot[c] = 0;
  if (training || dw.data || db.data) {
    reduce_tree(GradSums<T>(), plan, mean, [=](int64_t lo, int64_t hi, const double* total, int64_t stride) {
      for (int64_t o = lo; o < hi; ++o) sum[o] = total[o], dot[o] = total[stride + o];
    });
  }
  const double n = double(plan.reduced.count);
  for (int64_t c = 0; c < channels; ++c) {
    if (dw.data) put(dw, c, dot[c] * rstd[c]);
    if (db.data) put(db, c, sum[c]);
  }
  if (!dx.data) return;
  T** p = work.param;
  for (int64_t c = 0; c < channels; ++c) {
    const double a = at(weight, c, 1) * rstd[c];
    p[0][c] = T(mean[c]);
    p[1][c] = T(mean[c] - double(p[0][c]));
    p[2][c] = T(a);
    p[3][c] = training ? T(-a * rstd[c] * rstd[c] * dot[c] / n) : T(0);
    p[4][c] = training ? T(-a * sum[c] / n) : T(0);
  }
  const View v[3] = {dy, x, dx};
  ChannelPass<T, ScaleGrad<T>, 2, 5>(v, work.param).run();
}

}  // namespace

void batch_norm(const View& x, const View& weight, const View& bias, const View& running_mean, const View& running_var,
                bool training, double momentum, double eps, const View& y, const View& mean, const View& rstd) {
  const Running running{running_mean, running_var, momentum};
  double *m = mean.as<double>(), *r = rstd.as<double>();
  compute_of(x.dtype) == Compute::f64 ? forward<double>(x, weight, bias, running, training, eps, y, m, r)
                                      : forward<float>(x, weight, bias, running, training, eps, y, m, r);
}

void batch_norm_backward(const View& dy, const View& x, const View& weight, const View& mean, const View& rstd,
                         bool training, const View& dx, const View& dw, const View& db) {
  const double *m = mean.as<double>(), *r = rstd.as<double>();
  compute_of(x.dtype) == Compute::f64 ? backward<double>(dy, x, weight, m, r, training, dx, dw, db)
                                      : backward<float>(dy, x, weight, m, r, training, dx, dw, db);
}

}  // namespace lamina::cpu::inline LAMINA_ISA
