// Reductions over any dims: dispatch, sums and products. The order of additions is that of tree.h.
#include "reduce.h"

namespace lamina::cpu::inline LAMINA_ISA {
namespace {

template <class Type>
struct Sum {
  using T = Type;
  using A = SumOf<T>;
  static constexpr int inputs = 1, parts = 1;
  static constexpr bool shifted = false;
  static A identity() { return 0; }
  static T pad(int, A) { return 0; }
  template <class V>
  LAMINA_INLINE static V combine(V a, V b) {
    return a + b;
  }
  // Four terms are added in T (two roundings), the rest in A: as fast as memory, and at most 1 eps off.
  LAMINA_INLINE void block(Lanes16<A> (&acc)[1], const Lanes16<T> (&x)[1][4], const Lanes16<A>&) const {
    acc[0] = acc[0] + widen((x[0][0] + x[0][1]) + (x[0][2] + x[0][3]));
  }
};

template <class Type>
struct Prod {
  using T = Type;
  using A = SumOf<T>;
  static constexpr int inputs = 1, parts = 1;
  static constexpr bool shifted = false;
  static A identity() { return 1; }
  static T pad(int, A) { return 1; }
  template <class V>
  LAMINA_INLINE static V combine(V a, V b) {
    return a * b;
  }
  LAMINA_INLINE void block(Lanes16<A> (&acc)[1], const Lanes16<T> (&x)[1][4], const Lanes16<A>&) const {
    for (int j = 0; j < 4; ++j) acc[0] = acc[0] * widen(x[0][j]);
  }
};

template <class T>
void reduce_as(ReduceOp op, const ReducePlan& plan, double p, const View& out) {
  switch (op) {
    case ReduceOp::sum:
    case ReduceOp::mean:
    case ReduceOp::prod:
      return reduce_sums<T>(op, plan, out);
    case ReduceOp::amax:
    case ReduceOp::amin:
    case ReduceOp::norm_inf:
    case ReduceOp::norm_neg_inf:
      return reduce_extrema<T>(op, plan, out);
    case ReduceOp::logsumexp:
      if constexpr (std::is_floating_point_v<T>) reduce_logsumexp<T>(plan, out);
      return;
    default:
      if constexpr (std::is_floating_point_v<T>) reduce_norms<T>(op, plan, p, out);
  }
}

}  // namespace

template <class T>
void reduce_sums(ReduceOp op, const ReducePlan& plan, const View& out) {
  using A = SumOf<T>;
  if (op == ReduceOp::prod) {
    reduce_tree(Prod<T>(), plan, nullptr, store_to<A>(out, [](A t) { return t; }));
  } else if (op == ReduceOp::sum) {
    reduce_tree(Sum<T>(), plan, nullptr, store_to<A>(out, [](A t) { return t; }));
  } else if constexpr (std::is_floating_point_v<T>) {
    const double n = double(plan.reduced.count);
    reduce_tree(Sum<T>(), plan, nullptr, store_to<A>(out, [n](A t) { return t / n; }));
  }
}

void reduce(ReduceOp op, const View& in, const View& out, double p) {
  const ReducePlan plan(&in, 1, out);
  if (op == ReduceOp::any || op == ReduceOp::all) return reduce_logical(op, plan, out);
  switch (compute_of(in.dtype)) {
    case Compute::f32:
      return reduce_as<float>(op, plan, p, out);
    case Compute::f64:
      return reduce_as<double>(op, plan, p, out);
    case Compute::i64:
      return reduce_as<int64_t>(op, plan, p, out);
  }
}

}  // namespace lamina::cpu::inline LAMINA_ISA
