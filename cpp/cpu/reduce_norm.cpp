// Vector norms. Every term is taken in double: squares of f32 are exact there and cannot overflow.
#include "reduce.h"

namespace lamina::cpu::inline LAMINA_ISA {
namespace {

LAMINA_INLINE Lanes16<double> absolute(Lanes16<double> x) {
  for (int i = 0; i < Lanes16<double>::regs; ++i) x.r[i] = from_bits(bits(x.r[i]) & Vec<int64_t>(INT64_MAX));
  return x;
}

// Order 0 counts non-zeros, order 1 adds |x|, order 2 adds x^2.
template <class Type, int Order>
struct PowerSum {
  using T = Type;
  using A = double;
  static constexpr int inputs = 1, parts = 1;
  static constexpr bool shifted = false;
  static A identity() { return 0; }
  static T pad(int, A) { return 0; }
  template <class V>
  LAMINA_INLINE static V combine(V a, V b) {
    return a + b;
  }
  LAMINA_INLINE void block(Lanes16<A> (&acc)[1], const Lanes16<T> (&x)[1][4], const Lanes16<A>&) const {
    for (int j = 0; j < 4; ++j) {
      const Lanes16<double> v = widen(x[0][j]);
      if constexpr (Order == 0) {
        for (int i = 0; i < Lanes16<double>::regs; ++i) {
          const Vec<double> zero(0.0), one(1.0);
          acc[0].r[i] = acc[0].r[i] + select(v.r[i] == zero, zero, one);
        }
      } else if constexpr (Order == 1) {
        acc[0] = acc[0] + absolute(v);
      } else {
        acc[0] = fma(v, v, acc[0]);
      }
    }
  }
};

}  // namespace

template <class T>
void reduce_norms(ReduceOp op, const ReducePlan& plan, double p, const View& out) {
  if (op == ReduceOp::norm_0) {
    reduce_tree(PowerSum<T, 0>(), plan, nullptr, store_to<double>(out, [](double t) { return t; }));
  } else if (op == ReduceOp::norm_1) {
    reduce_tree(PowerSum<T, 1>(), plan, nullptr, store_to<double>(out, [](double t) { return t; }));
  } else if (op == ReduceOp::norm_2) {
    reduce_tree(PowerSum<T, 2>(), plan, nullptr, store_to<double>(out, [](double t) { return __builtin_sqrt(t); }));
  } else {
    reduce_norm_p<T>(plan, p, out);
  }
}
template void reduce_norms<float>(ReduceOp, const ReducePlan&, double, const View&);
template void reduce_norms<double>(ReduceOp, const ReducePlan&, double, const View&);

}  // namespace lamina::cpu::inline LAMINA_ISA
