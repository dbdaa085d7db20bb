// resample: a sparse matrix applied along one dim. It is the forward and (transposed) the gradient of every separable
// interpolation. Law: each output is one chain acc = fma(weight[k], x[index[k]], acc) from zero, k ascending.
#include "conv.h"
#include "lamina/math.h"

namespace lamina::cpu::inline LAMINA_ISA {
namespace {

template <class T>
struct Taps {
  const int64_t *begin, *index;
  const double* weight;
  int64_t outputs;
};

// Rows of `n` neighbours: y[o * ys + i] for every output o.
template <class T>
void rows(const Taps<T>& t, const T* x, int64_t xs, T* y, int64_t ys, int64_t n) {
  constexpr int64_t L = Vec<T>::size;
  for (int64_t o = 0; o < t.outputs; ++o, y += ys)
    for (int64_t i = 0; i < n; i += 4 * L) {
      const int64_t left = min_of(4 * L, n - i);
      Vec<T> acc[4] = {Vec<T>(T(0)), Vec<T>(T(0)), Vec<T>(T(0)), Vec<T>(T(0))};
      for (int64_t k = t.begin[o]; k < t.begin[o + 1]; ++k) {
        const Vec<T> w(T(t.weight[k]));
        const T* s = x + t.index[k] * xs + i;
        if (left == 4 * L) {
          for (int j = 0; j < 4; ++j) acc[j] = fma(w, Vec<T>::load(s + j * L), acc[j]);
        } else {
          for (int j = 0; j * L < left; ++j) acc[j] = fma(w, load_some(s + j * L, min_of(L, left - j * L)), acc[j]);
        }
      }
      for (int j = 0; j * L < left; ++j) store_some(acc[j], y + i + j * L, min_of(L, left - j * L));
    }
}

template <class T>
void apply(const View& x, int dim, const Taps<T>& t, const View& y) {
  int inner = -1;  // a dim whose elements are neighbours in both
  for (int d = 0; d < x.ndim; ++d)
    if (d != dim && x.stride[d] == 1 && y.stride[d] == 1 && x.shape[d] > 1 &&
        (inner < 0 || x.shape[d] > x.shape[inner]))
      inner = d;
  const int64_t width = inner < 0 ? 1 : x.shape[inner];
  int64_t outer = 1;
  for (int d = 0; d < x.ndim; ++d)
    if (d != dim && d != inner) outer *= x.shape[d];
  const int64_t xs = x.stride[dim], ys = y.stride[dim], cost = t.outputs * width + 1;
  for_ranges(outer, max_of(1, 32768 / cost), [&](int64_t lo, int64_t hi) {
    for (int64_t i = lo; i < hi; ++i) {
      const T* from = x.as<const T>();
      T* to = y.as<T>();
      int64_t rest = i;
      for (int d = x.ndim - 1; d >= 0; --d) {
        if (d == dim || d == inner) continue;
        from += rest % x.shape[d] * x.stride[d], to += rest % x.shape[d] * y.stride[d];
        rest /= x.shape[d];
      }
      if (inner >= 0) {
        rows(t, from, xs, to, ys, width);
        continue;
      }
      for (int64_t o = 0; o < t.outputs; ++o) {
        T acc = T(0);
        for (int64_t k = t.begin[o]; k < t.begin[o + 1]; ++k)
          acc = math::fma(T(t.weight[k]), from[t.index[k] * xs], acc);
        to[o * ys] = acc;
      }
    }
  });
}

}  // namespace

void resample(const View& x, int dim, const View& begin, const View& index, const View& weight, const View& y) {
  const auto run = [&](auto zero) {
    using T = decltype(zero);
    apply<T>(x, dim, {begin.as<const int64_t>(), index.as<const int64_t>(), weight.as<const double>(), y.shape[dim]},
             y);
  };
  if (x.dtype == DType::float64) return run(double());
  if (x.dtype == DType::float32) return run(float());
  unsupported("resample", x.dtype);
}

}  // namespace lamina::cpu::inline LAMINA_ISA
