// Mean and variance over any dims in one pass: moments about the first element (f32, where double sums leave the
// difference exact) or about the mean of a first pass (f64).
#include "reduce.h"

namespace lamina::cpu::inline LAMINA_ISA {
namespace {

// Sums of d and d * d, d = x - shift. The first element as shift belongs to the data, so its distance from the mean is
// at most sqrt(n) deviations: the subtraction below cannot lose more than n * 2^-53.
template <class Type>
struct Moments {
  using T = Type;
  using A = double;
  static constexpr int inputs = 1, parts = 2;
  static constexpr bool shifted = true;
  static A identity() { return 0; }
  static T pad(int, A shift) { return T(shift); }
  template <class V>
  LAMINA_INLINE static V combine(V a, V b) {
    return a + b;
  }
  LAMINA_INLINE void block(Lanes16<A> (&acc)[2], const Lanes16<T> (&x)[1][4], const Lanes16<A>& shift) const {
    for (int j = 0; j < 4; ++j) {
      const Lanes16<A> d = widen(x[0][j]) - shift;
      acc[0] = acc[0] + d;
      acc[1] = fma(d, d, acc[1]);
    }
  }
};

template <class T>
void first_elements(const ReducePlan& plan, double* shift) {
  const View& v = plan.in[0];
  for_ranges(plan.kept.count, kTileElements, [&](int64_t lo, int64_t hi) {
    for (int64_t o = lo; o < hi; ++o) {
      T x;
      gather_run<T>(v.dtype, element(v.data, v.dtype, plan.kept.offset(o, 0)), 1, 1, &x);
      shift[o] = x;
    }
  });
}

}  // namespace

template <class T>
void reduce_moments(const ReducePlan& plan, double* mean, double* m2) {
  const double n = double(plan.reduced.count);
  if (plan.reduced.count == 0) {
    for (int64_t o = 0; o < plan.kept.count; ++o) mean[o] = m2[o] = __builtin_nan("");
    return;
  }
  first_elements<T>(plan, mean);
  for (int pass = std::is_same_v<T, double> ? 0 : 1; pass < 2; ++pass) {
    reduce_tree(Moments<T>(), plan, mean, [=](int64_t lo, int64_t hi, const double* total, int64_t stride) {
      for (int64_t o = lo; o < hi; ++o) {
        const double d = total[o] / n;
        const double s = total[stride + o] - total[o] * d;
        mean[o] += d;
        m2[o] = s < 0 ? 0 : s;
      }
    });
  }
}
template void reduce_moments<float>(const ReducePlan&, double*, double*);
template void reduce_moments<double>(const ReducePlan&, double*, double*);

// Either output may be null data.
void var_mean(const View& in, double correction, bool root, const View& var, const View& mean) {
  const View& shape = var.data ? var : mean;
  const ReducePlan plan(&in, 1, shape);
  const int64_t outputs = plan.kept.count;
  double* m = static_cast<double*>(scratch(2, size_t(2 * outputs + 1) * sizeof(double)));
  double* s = m + outputs;
  compute_of(in.dtype) == Compute::f64 ? reduce_moments<double>(plan, m, s) : reduce_moments<float>(plan, m, s);
  const double left = double(plan.reduced.count) - correction, divisor = left > 0 ? left : 0;
  for (int64_t o = 0; o < outputs; ++o) {
    double v = s[o] / divisor;
    if (root) v = __builtin_sqrt(v);
    s[o] = plain_nan(v);
    m[o] = plain_nan(m[o]);
  }
  if (var.data) scatter_run<double>(var.dtype, s, var.data, 1, outputs);
  if (mean.data) scatter_run<double>(mean.dtype, m, mean.data, 1, outputs);
}

}  // namespace lamina::cpu::inline LAMINA_ISA
