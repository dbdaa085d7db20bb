// Largest and smallest element; NaN wins.
#include "reduce.h"

namespace lamina::cpu::inline LAMINA_ISA {
namespace {

template <class T>
LAMINA_INLINE constexpr T lowest() {
  if constexpr (std::is_floating_point_v<T>) return -T(__builtin_inf());
  return T(INT64_MIN);
}
template <class T>
LAMINA_INLINE constexpr T highest() {
  if constexpr (std::is_floating_point_v<T>) return T(__builtin_inf());
  return T(INT64_MAX);
}

// b where it is beyond a or NaN, else a.
template <bool Max, class V>
LAMINA_INLINE V pick(V a, V b) {
  if constexpr (std::is_arithmetic_v<V>) {
    return (Max ? b > a : b < a) || b != b ? b : a;
  } else if constexpr (Max) {
    return select((b > a) | (b != b), b, a);
  } else {
    return select((b < a) | (b != b), b, a);
  }
}

template <class V>
LAMINA_INLINE V absolute(V x) {
  using T = typename V::value_type;
  if constexpr (std::is_floating_point_v<T>) {
    return from_bits(bits(x) & Vec<IntOf<T>>(IntOf<T>(~(uint64_t(1) << (sizeof(T) * 8 - 1)))));
  } else {
    return select(x < V(T(0)), -x, x);
  }
}

// A is T itself: an extremum is exact.
template <class Type, bool Max, bool Abs>
struct Extremum {
  using T = Type;
  using A = Type;
  static constexpr int inputs = 1, parts = 1;
  static constexpr bool shifted = false;
  static A identity() { return Abs && Max ? A(0) : Max ? lowest<A>() : highest<A>(); }
  static T pad(int, A) { return Abs && Max ? T(0) : Max ? lowest<T>() : highest<T>(); }
  template <class V>
  LAMINA_INLINE static V combine(V a, V b) {
    if constexpr (std::is_same_v<V, Lanes16<A>>) {
      for (int i = 0; i < Lanes16<A>::regs; ++i) a.r[i] = pick<Max>(a.r[i], b.r[i]);
      return a;
    } else {
      return pick<Max>(a, b);
    }
  }
  LAMINA_INLINE void block(Lanes16<A> (&acc)[1], const Lanes16<T> (&x)[1][4], const Lanes16<A>&) const {
    Lanes16<T> v[4];
    for (int j = 0; j < 4; ++j) {
      v[j] = x[0][j];
      if constexpr (Abs)
        for (int i = 0; i < Lanes16<T>::regs; ++i) v[j].r[i] = absolute(v[j].r[i]);
    }
    acc[0] = combine(acc[0], combine(combine(v[0], v[1]), combine(v[2], v[3])));
  }
};

template <class T, bool Max, bool Abs>
void extremum(const ReducePlan& plan, const View& out) {
  reduce_tree(Extremum<T, Max, Abs>(), plan, nullptr, [&out](int64_t lo, int64_t hi, const T* total, int64_t) {
    scatter_run<T>(out.dtype, total + lo, element(out.data, out.dtype, lo), 1, hi - lo);
  });
}

}  // namespace

template <class T>
void reduce_maximum(const ReducePlan& plan, double* top) {
  reduce_tree(Extremum<T, true, false>(), plan, nullptr, [top](int64_t lo, int64_t hi, const T* total, int64_t) {
    for (int64_t o = lo; o < hi; ++o) top[o] = total[o];
  });
}
template void reduce_maximum<float>(const ReducePlan&, double*);
template void reduce_maximum<double>(const ReducePlan&, double*);

template <class T>
void reduce_extrema(ReduceOp op, const ReducePlan& plan, const View& out) {
  if (op == ReduceOp::amax) return extremum<T, true, false>(plan, out);
  if (op == ReduceOp::amin) return extremum<T, false, false>(plan, out);
  if constexpr (std::is_floating_point_v<T>) {
    if (op == ReduceOp::norm_inf) return extremum<T, true, true>(plan, out);
    return extremum<T, false, true>(plan, out);
  }
}
template void reduce_extrema<float>(ReduceOp, const ReducePlan&, const View&);
template void reduce_extrema<double>(ReduceOp, const ReducePlan&, const View&);
template void reduce_extrema<int64_t>(ReduceOp, const ReducePlan&, const View&);

}  // namespace lamina::cpu::inline LAMINA_ISA
