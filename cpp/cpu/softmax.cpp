// softmax and log_softmax along one dim, forward and backward.
// y = exp(x - m) / sum exp(x - m), m = max x;  log y = (x - m) - log(sum).
// dx = y (dy - sum dy y);  for log_softmax dx = dy - exp(y) sum dy.
#include "exp_difference.h"
#include "rows.h"

namespace lamina::cpu::inline LAMINA_ISA {
namespace {

// e(x) is exp(x) up to a factor that all elements share; y is the row of e(x), the result their sum.
template <class T, class E>
LAMINA_INLINE double exp_row(const T* x, int64_t n, T* y, const E& e) {
  return sum_row<T>(n, [&](int64_t i, int64_t c) __attribute__((always_inline)) {
    const Lanes16<T> v = e(Lanes16<T>::load(x + i, c, -T(__builtin_inf())));
    if (y) v.store(y + i, c);
    return v;
  });
}
template <class T>
LAMINA_INLINE auto exp_below(T top) {
  return [m = Lanes16<T>::broadcast(top)](const Lanes16<T>& x)
             __attribute__((always_inline)) { return exp_difference(x, m); };
}

template <class T>
void softmax_row(const T* x, int64_t n, T* y) {
  const T top = max_row(x, n);
  const double sum = ScaledExp<T>::covers(top) ? exp_row(x, n, y, ScaledExp<T>(top)) : exp_row(x, n, y, exp_below(top));
  // e / s by the reciprocal and one correction: as good as a division, and exactly 1 for a lone element.
  const T divisor = T(sum);
  const Lanes16<T> s = Lanes16<T>::broadcast(-divisor), inverse = Lanes16<T>::broadcast(T(1) / divisor);
  const auto divide = [&](const Lanes16<T>& e) __attribute__((always_inline)) {
    const Lanes16<T> q = e * inverse;
    return fma(fma(q, s, e), inverse, q);
  };
  for_pieces(n, [&](int64_t i, int64_t end) __attribute__((always_inline)) {
    for (; i + kLanes <= end; i += kLanes) divide(Lanes16<T>::load(y + i)).store(y + i);
    if (i < end) divide(Lanes16<T>::load(y + i, end - i, T(0))).store(y + i, end - i);
  });
}

template <class T>
void log_softmax_row(const T* x, int64_t n, T* y) {
  const T top = max_row(x, n);
  // About the maximum, so that a lone or certain element has exp(0) = 1 and loses nothing.
  const double lse = double(top) + math::log(exp_row<T>(x, n, nullptr, exp_below(top)));
  // Near the largest term the digits of lse beyond T are all that is left.
  const Lanes16<T> hi = Lanes16<T>::broadcast(T(lse)), lo = Lanes16<T>::broadcast(T(lse - double(T(lse))));
  for_pieces(n, [&](int64_t i, int64_t end) __attribute__((always_inline)) {
    for (; i < end; i += kLanes) ((Lanes16<T>::load(x + i, end - i, T(0)) - hi) - lo).store(y + i, end - i);
  });
}

template <class T>
void softmax_grad_row(const T* dy, const T* y, int64_t n, T* dx) {
  const double dot = sum_row<T>(n, [&](int64_t i, int64_t c) __attribute__((always_inline)) {
    return Lanes16<T>::load(dy + i, c, T(0)) * Lanes16<T>::load(y + i, c, T(0));
  });
  const Lanes16<T> s = Lanes16<T>::broadcast(T(dot));
  for_pieces(n, [&](int64_t i, int64_t end) __attribute__((always_inline)) {
    for (; i < end; i += kLanes)
      (Lanes16<T>::load(y + i, end - i, T(0)) * (Lanes16<T>::load(dy + i, end - i, T(0)) - s)).store(dx + i, end - i);
  });
}

template <class T>
void log_softmax_grad_row(const T* dy, const T* y, int64_t n, T* dx) {
  const double total = sum_row<T>(
      n, [&](int64_t i, int64_t c) __attribute__((always_inline)) { return Lanes16<T>::load(dy + i, c, T(0)); });
  const Lanes16<T> s = Lanes16<T>::broadcast(T(-total));
  for_pieces(n, [&](int64_t i, int64_t end) __attribute__((always_inline)) {
    for (; i < end; i += kLanes) {
      const Lanes16<T> e = map([](auto v) __attribute__((always_inline)) { return math::exp(v); },
                               Lanes16<T>::load(y + i, end - i, T(0)));
      fma(e, s, Lanes16<T>::load(dy + i, end - i, T(0))).store(dx + i, end - i);
    }
  });
}

// The view with size 1 at `dim`, for the plan.
View reduced_shape(const View& v, int dim) {
  View r = v;
  if (r.ndim > 0) r.shape[dim] = 1;
  return r;
}

template <class T>
void forward(const View* views, int dim, bool log) {
  const ReducePlan plan(views, 2, reduced_shape(views[0], dim));
  const int64_t n = plan.reduced.count;
  for_rows<T, 1, 1>(plan, [=](int64_t, const T* const* in, T* const* out) {
    log ? log_softmax_row(in[0], n, out[0]) : softmax_row(in[0], n, out[0]);
  });
}
template <class T>
void backward(const View* views, int dim, bool log) {
  const ReducePlan plan(views, 3, reduced_shape(views[0], dim));
  const int64_t n = plan.reduced.count;
  for_rows<T, 2, 1>(plan, [=](int64_t, const T* const* in, T* const* out) {
    log ? log_softmax_grad_row(in[0], in[1], n, out[0]) : softmax_grad_row(in[0], in[1], n, out[0]);
  });
}

}  // namespace

void softmax(const View& x, int dim, bool log, const View& y) {
  const View views[2] = {x, y};
  compute_of(x.dtype) == Compute::f64 ? forward<double>(views, dim, log) : forward<float>(views, dim, log);
}

void softmax_backward(const View& dy, const View& y, int dim, bool log, const View& dx) {
  const View views[3] = {dy, y, dx};
  compute_of(y.dtype) == Compute::f64 ? backward<double>(views, dim, log) : backward<float>(views, dim, log);
}

}  // namespace lamina::cpu::inline LAMINA_ISA
