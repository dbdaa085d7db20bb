// cross_entropy and nll_loss with class indices. Rows run along dim `classes` of x (N, C, ...); targets, losses, scales
// and log-sum-exps have one number per row, in row-major order of the other dims.
// loss = (1 - s) w_t (lse - x_t) + s / C * sum_c w_c (lse - x_c);  scale = w_t;  both 0 where the target is ignored.
// dx_j = g ((1 - s) w_t (p_j - [j = t]) + s / C (p_j sum_c w_c - w_j)), p = exp(x - lse): one pass over x and dx.
// nll_loss is the same with lse = 0, p = 0 and s = 0.
#include "exp_difference.h"
#include "rows.h"

namespace lamina::cpu::inline LAMINA_ISA {
namespace {

struct Problem {
  const int64_t* target;
  int64_t classes, ignore;
  double smoothing;
  const double* weight;  // (C) or null
  double weight_sum;     // C without weights

  double w(int64_t c) const { return weight ? weight[c] : 1; }
};

// Weights as doubles in scratch slot 2.
Problem problem_of(const View& target, const View& weight, int64_t classes, int64_t ignore, double smoothing) {
  Problem p{target.as<const int64_t>(), classes, ignore, smoothing, nullptr, double(classes)};
  if (!weight.data) return p;
  char* space = static_cast<char*>(scratch(2, size_t(classes + 1) * (sizeof(double) + sizeof(float))));
  double* w = reinterpret_cast<double*>(space);
  if (weight.dtype == DType::float64) {
    gather_run<double>(weight.dtype, weight.data, weight.stride[0], classes, w);
  } else {
    float* f = reinterpret_cast<float*>(space + size_t(classes + 1) * sizeof(double));
    gather_run<float>(weight.dtype, weight.data, weight.stride[0], classes, f);
    for (int64_t c = 0; c < classes; ++c) w[c] = f[c];
  }
  p.weight = w;
  p.weight_sum = 0;
  for (int64_t c = 0; c < classes; ++c) p.weight_sum += w[c];
  return p;
}

View reduced_shape(const View& v, int dim) {
  View r = v;
  r.shape[dim] = 1;
  return r;
}

// The smallest row with a bad target wins, whatever the threads do.
void note_bad(int64_t* bad, int64_t row) {
  int64_t now = __atomic_load_n(bad, __ATOMIC_RELAXED);
  while ((now < 0 || row < now) &&
         !__atomic_compare_exchange_n(bad, &now, row, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
  }
}

template <class T>
double log_sum_exp(const T* x, int64_t n) {
  T top = max_row(x, n);
  const T absent = -T(__builtin_inf());
  if (top - top != 0 && top == top) top = top > 0 ? top : T(0);  // all -inf: exp(-inf - 0) is 0
  const Lanes16<T> m = Lanes16<T>::broadcast(top);
  const double sum = sum_row<T>(n, [&](int64_t i, int64_t c) __attribute__((always_inline)) {
    return exp_difference(Lanes16<T>::load(x + i, c, absent), m);
  });
  return double(top) + math::log(sum);
}

// sum_c w_c (lse - x_c)
template <class T>
double smooth_part(const Problem& p, const T* x, int64_t n, double lse) {
  if (p.weight) {
    double s = 0;
    for_pieces(n, [&](int64_t c, int64_t end) {
      for (; c < end; ++c) s += p.weight[c] * (lse - double(x[c]));
    });
    return s;
  }
  const double sum = sum_row<T>(
      n, [&](int64_t i, int64_t c) __attribute__((always_inline)) { return Lanes16<T>::load(x + i, c, T(0)); });
  return double(n) * lse - sum;
}

template <class T>
void forward(const View& x, int dim, const Problem& p, double* loss, double* scale, double* lse, int64_t* bad) {
  const View views[2] = {x, x};
  const ReducePlan plan(views, 1, reduced_shape(x, dim));
  for_rows<T, 1, 0>(plan, [=, &p](int64_t i, const T* const* in, T* const*) {
    const T* row = in[0];
    const int64_t t = p.target[i];
    const double l = lse ? log_sum_exp(row, p.classes) : 0;
    if (lse) lse[i] = l;
    loss[i] = scale[i] = 0;
    if (t == p.ignore) return;
    if (t < 0 || t >= p.classes) return note_bad(bad, i);
    scale[i] = p.w(t);
    loss[i] = (1 - p.smoothing) * scale[i] * (l - double(row[t]));
    if (p.smoothing > 0) loss[i] += p.smoothing / double(p.classes) * smooth_part(p, row, p.classes, l);
  });
}

template <class T>
void clear(T* p, int64_t n) {
  for_pieces(n, [&](int64_t lo, int64_t hi) { __builtin_memset(p + lo, 0, size_t(hi - lo) * sizeof(T)); });
}

// dx = p_j * a - (j = t) * hit - w_j * flat
template <class T>
void grad_row(const Problem& p, const T* x, int64_t t, double lse, double a, double hit, double flat, T* dx) {
  const int64_t n = p.classes;
  const Lanes16<T> f = Lanes16<T>::broadcast(T(-flat));
  if (ScaledExp<T>::covers(T(lse))) {
    const ScaledExp<T> e{T(lse)};
    const Lanes16<T> factor = Lanes16<T>::broadcast(T(a * math::exp(e.log(1) - lse)));
    for_pieces(n, [&](int64_t i, int64_t end) __attribute__((always_inline)) {
      for (; i < end; i += kLanes) fma(e(Lanes16<T>::load(x + i, end - i, T(0))), factor, f).store(dx + i, end - i);
    });
  } else {
    const Lanes16<T> hi = Lanes16<T>::broadcast(T(lse)), av = Lanes16<T>::broadcast(T(a));
    for_pieces(n, [&](int64_t i, int64_t end) __attribute__((always_inline)) {
      for (; i < end; i += kLanes)
        fma(exp_difference(Lanes16<T>::load(x + i, end - i, T(0)), hi), av, f).store(dx + i, end - i);
    });
  }
  if (p.weight && flat != 0)
    for_pieces(n, [&](int64_t c, int64_t end) {
      for (; c < end; ++c) dx[c] = T(double(dx[c]) + flat - flat * p.weight[c]);
    });
  // The hit class loses no digits where its probability is near 1: 1 - p is computed in double.
  const double e = double(x[t]) - lse;
  dx[t] = T(math::exp(e) * a - hit - (p.weight ? p.weight[t] : 1) * flat);
}

template <class T>
void backward(const View& x, int dim, const Problem& p, const double* lse, const View& grad, double total,
              const View& dx) {
  const View views[2] = {x, dx};
  const ReducePlan plan(views, 2, reduced_shape(x, dim));
  const int64_t step = grad.ndim > 0 && grad.stride[0] != 0 ? 1 : 0;
  const double* g = grad.as<const double>();
  for_rows<T, 1, 1>(plan, [=, &p](int64_t i, const T* const* in, T* const* out) {
    const int64_t t = p.target[i], n = p.classes;
    T* to = out[0];
    if (t == p.ignore || t < 0 || t >= n) {
      clear(to, n);
      return;
    }
    const double gi = g[i * step] / total, hit = gi * (1 - p.smoothing) * p.w(t), flat = gi * p.smoothing / double(n);
    if (lse) return grad_row(p, in[0], t, lse[i], hit + flat * p.weight_sum, hit, flat, to);
    clear(to, n);
    to[t] = T(-hit);
  });
}

}  // namespace

void cross_entropy(const View& x, int dim, const View& target, const View& weight, int64_t ignore_index,
                   double smoothing, const View& loss, const View& scale, const View& lse, int64_t* bad) {
  *bad = -1;
  const Problem p = problem_of(target, weight, x.shape[dim], ignore_index, smoothing);
  double *l = loss.as<double>(), *s = scale.as<double>(), *e = lse.as<double>();
  compute_of(x.dtype) == Compute::f64 ? forward<double>(x, dim, p, l, s, e, bad)
                                      : forward<float>(x, dim, p, l, s, e, bad);
}

void cross_entropy_backward(const View& x, int dim, const View& target, const View& weight, int64_t ignore_index,
                            double smoothing, const View& lse, const View& grad, double total, const View& dx) {
  const Problem p = problem_of(target, weight, x.shape[dim], ignore_index, smoothing);
  const double* e = lse.as<const double>();
  compute_of(x.dtype) == Compute::f64 ? backward<double>(x, dim, p, e, grad, total, dx)
                                      : backward<float>(x, dim, p, e, grad, total, dx);
}

}  // namespace lamina::cpu::inline LAMINA_ISA
