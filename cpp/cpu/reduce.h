// Entry points of the reductions that are split over several files to keep each one small to compile.
#pragma once
#include "lamina/reduce_ops.h"
#include "tree.h"

namespace lamina::cpu::inline LAMINA_ISA {

template <class T>
void reduce_sums(ReduceOp op, const ReducePlan& plan, const View& out);  // sum mean prod
template <class T>
void reduce_extrema(ReduceOp op, const ReducePlan& plan, const View& out);  // amax amin norm_inf norm_neg_inf
template <class T>
void reduce_norms(ReduceOp op, const ReducePlan& plan, double p, const View& out);  // norm_0 norm_1 norm_2 norm_p
template <class T>
void reduce_norm_p(const ReducePlan& plan, double p, const View& out);
template <class T>
void reduce_maximum(const ReducePlan& plan, double* top);
template <class T>
void reduce_logsumexp(const ReducePlan& plan, const View& out);
void reduce_logical(ReduceOp op, const ReducePlan& plan, const View& out);
// Mean and sum of squared differences from it, as doubles, one per kept element.
template <class T>
void reduce_moments(const ReducePlan& plan, double* mean, double* m2);

// One bit pattern for NaN: which operand's payload survives an addition is the compiler's choice.
LAMINA_INLINE double plain_nan(double x) { return x == x ? x : __builtin_nan(""); }
LAMINA_INLINE int64_t plain_nan(int64_t x) { return x; }

// A sink that stores finish(total) into a contiguous `out`.
template <class A, class F>
LAMINA_INLINE auto store_to(const View& out, F finish) {
  return [&out, finish](int64_t lo, int64_t hi, const A* total, int64_t) {
    A v[256];
    for (int64_t o = lo; o < hi; o += 256) {
      const int64_t n = hi - o < 256 ? hi - o : 256;
      for (int64_t i = 0; i < n; ++i) v[i] = plain_nan(finish(total[o + i]));
      scatter_run<A>(out.dtype, v, element(out.data, out.dtype, o), 1, n);
    }
  };
}

}  // namespace lamina::cpu::inline LAMINA_ISA
