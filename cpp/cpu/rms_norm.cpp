// rms_norm over the trailing dims, row by row: y = x * r * w with r = 1 / sqrt(mean(x^2) + eps).
// Squares are added by the tree of rows.h; r is a double, rounded once. Backward: dx = r (w dy) - x r^3 mean(x w dy).
#include "rows.h"

namespace lamina::cpu::inline LAMINA_ISA {
namespace {

// The weight in the compute type, or null.
template <class T>
const T* weight_of(const View& v, int64_t n, T* buf) {
  if (!v.data) return nullptr;
  if (stored_as<T>(v.dtype)) return v.as<const T>();
  gather_run<T>(v.dtype, v.data, 1, n, buf);
  return buf;
}

template <class T>
void forward(const View& x, const View& weight, double eps, const View& y, const View& rstd) {
  const View views[2] = {x, y};
  const ReducePlan plan(views, 2, rstd);
  const int64_t n = plan.reduced.count;
  const T* w = weight_of<T>(weight, n, static_cast<T*>(scratch(2, size_t(n + 1) * sizeof(T))));
  double* scale = rstd.as<double>();
  for_rows<T, 1, 1>(plan, [=](int64_t row, const T* const* in, T* const* out) {
    const double squares = sum_row<T>(n, [&](int64_t i, int64_t c) __attribute__((always_inline)) {
      const Lanes16<T> v = Lanes16<T>::load(in[0] + i, c, T(0));
      return v * v;
    });
    scale[row] = 1 / __builtin_sqrt(squares / double(n) + eps);
    const Lanes16<T> r = Lanes16<T>::broadcast(T(scale[row]));
    for (int64_t i = 0; i < n; i += kLanes) {
      const Lanes16<T> v = Lanes16<T>::load(in[0] + i, n - i, T(0)) * r;
      (w ? v * Lanes16<T>::load(w + i, n - i, T(0)) : v).store(out[0] + i, n - i);
    }
  });
}

template <class T>
void backward(const View& x, const View& dy, const View& weight, const View& rstd, const View& dx) {
  const View views[3] = {x, dy, dx};
  const ReducePlan plan(views, 3, rstd);
  const int64_t n = plan.reduced.count;
  const T* w = weight_of<T>(weight, n, static_cast<T*>(scratch(2, size_t(n + 1) * sizeof(T))));
  const double* scale = rstd.as<double>();
  for_rows<T, 2, 1>(plan, [=](int64_t row, const T* const* in, T* const* out) {
    const auto weighted = [&](int64_t i, int64_t c) __attribute__((always_inline)) {
      const Lanes16<T> g = Lanes16<T>::load(in[1] + i, c, T(0));
      return w ? g * Lanes16<T>::load(w + i, c, T(0)) : g;
    };
    const double dot = sum_row<T>(n, [&](int64_t i, int64_t c) __attribute__((always_inline)) {
      return weighted(i, c) * Lanes16<T>::load(in[0] + i, c, T(0));
    });
    const double r = scale[row];
    const Lanes16<T> a = Lanes16<T>::broadcast(T(r)), b = Lanes16<T>::broadcast(T(-r * r * r * dot / double(n)));
    for (int64_t i = 0; i < n; i += kLanes)
      fma(weighted(i, n - i), a, Lanes16<T>::load(in[0] + i, n - i, T(0)) * b).store(out[0] + i, n - i);
  });
}

}  // namespace

void rms_norm(const View& x, const View& weight, double eps, const View& y, const View& rstd) {
  compute_of(x.dtype) == Compute::f64 ? forward<double>(x, weight, eps, y, rstd)
                                      : forward<float>(x, weight, eps, y, rstd);
}

void rms_norm_backward(const View& x, const View& dy, const View& weight, const View& rstd, const View& dx) {
  compute_of(x.dtype) == Compute::f64 ? backward<double>(x, dy, weight, rstd, dx)
                                      : backward<float>(x, dy, weight, rstd, dx);
}

}  // namespace lamina::cpu::inline LAMINA_ISA
