// Reductions that need exp, log or pow: logsumexp and the norm of any order.
#include "exp_difference.h"
#include "reduce.h"

namespace lamina::cpu::inline LAMINA_ISA {
namespace {

// Sum of exp(x - shift); the rounding error of x - shift goes back in, so that far terms keep their digits.
template <class Type>
struct SumExp {
  using T = Type;
  using A = double;
  static constexpr int inputs = 1, parts = 1;
  static constexpr bool shifted = true;
  static A identity() { return 0; }
  static T pad(int, A) { return T(-__builtin_inf()); }
  template <class V>
  LAMINA_INLINE static V combine(V a, V b) {
    return a + b;
  }
  LAMINA_INLINE void block(Lanes16<A> (&acc)[1], const Lanes16<T> (&x)[1][4], const Lanes16<A>& shift) const {
    const Lanes16<T> s = narrow(shift, T());
    Lanes16<T> e[4];
    for (int j = 0; j < 4; ++j) e[j] = exp_difference(x[0][j], s);
    acc[0] = acc[0] + widen((e[0] + e[1]) + (e[2] + e[3]));
  }
};

template <class Type>
struct PowSum {
  using T = Type;
  using A = double;
  static constexpr int inputs = 1, parts = 1;
  static constexpr bool shifted = false;
  double p;
  static A identity() { return 0; }
  T pad(int, A) const { return p < 0 ? T(__builtin_inf()) : T(0); }  // |pad|^p is 0
  template <class V>
  LAMINA_INLINE static V combine(V a, V b) {
    return a + b;
  }
  LAMINA_INLINE void block(Lanes16<A> (&acc)[1], const Lanes16<T> (&x)[1][4], const Lanes16<A>&) const {
    for (int j = 0; j < 4; ++j) {
      const Lanes16<double> v = widen(x[0][j]);
      for (int i = 0; i < Lanes16<double>::regs; ++i) {
        const Vec<double> a = math::abs(v.r[i]);
        acc[0].r[i] = acc[0].r[i] + math::pow(a, Vec<double>(p));
      }
    }
  }
};

}  // namespace

template <class T>
void reduce_logsumexp(const ReducePlan& plan, const View& out) {
  const int64_t outputs = plan.kept.count;
  double* top = static_cast<double*>(scratch(2, size_t(outputs + 1) * sizeof(double)));
  reduce_maximum<T>(plan, top);
  for (int64_t o = 0; o < outputs; ++o)  // exp(-inf - -inf) must be 0
    if (top[o] == -__builtin_inf()) top[o] = 0;
  reduce_tree(SumExp<T>(), plan, top, [=, &out](int64_t lo, int64_t hi, const double* total, int64_t) {
    for (int64_t o = lo; o < hi; ++o) {
      const double v = top[o] == __builtin_inf() ? top[o] : plain_nan(top[o] + math::log(total[o]));
      scatter_run<double>(out.dtype, &v, element(out.data, out.dtype, o), 1, 1);
    }
  });
}
template void reduce_logsumexp<float>(const ReducePlan&, const View&);
template void reduce_logsumexp<double>(const ReducePlan&, const View&);

template <class T>
void reduce_norm_p(const ReducePlan& plan, double p, const View& out) {
  reduce_tree(PowSum<T>{p}, plan, nullptr, store_to<double>(out, [p](double t) { return math::pow(t, 1.0 / p); }));
}
template void reduce_norm_p<float>(const ReducePlan&, double, const View&);
template void reduce_norm_p<double>(const ReducePlan&, double, const View&);

}  // namespace lamina::cpu::inline LAMINA_ISA
