// exp(x - m) for softmax, log-sum-exp and cross entropy.
#pragma once
#include "lamina/math.h"
#include "lanes.h"

namespace lamina::cpu::inline LAMINA_ISA {

// d = x - m rounds, and exp would multiply that error by |d|; the exact error goes back in as e + e * error.
template <class T>
LAMINA_INLINE Vec<T> exp_difference(Vec<T> x, Vec<T> m) {
  const Vec<T> d = x - m, b = d - x;
  const Vec<T> error = (x - (d - b)) - (m + b), e = math::exp(d);
  return fma(e, select(math::abs(error) < Vec<T>(T(1)), error, Vec<T>(T(0))), e);  // an infinite x has no error
}
template <class T>
LAMINA_INLINE Lanes16<T> exp_difference(Lanes16<T> x, const Lanes16<T>& m) {
  for (int i = 0; i < Lanes16<T>::regs; ++i) x.r[i] = exp_difference(x.r[i], m.r[i]);
  return x;
}

// exp(x) / 2^k for one row, k near log2(e) * its largest element: a row divided by its sum does not care for the power
// of two, and without the subtraction of the maximum there is no rounding error to put back.
template <class T>
struct ScaledExp {
  Vec<T> floor, exponent;
  T k;

  // The floors leave exponents that scalb takes in two halves. Beyond this the exponent is not exact; then use
  // exp_difference. False for NaN.
  static bool covers(T top) { return top <= T(1e6) && top >= T(-1e6); }
  explicit ScaledExp(T top)
      : floor(top - T(sizeof(T) == 4 ? 160 : 1400)), exponent(T(0)), k(math::rint(top * T(math::kLog2e))) {
    exponent = Vec<T>(k);
  }
  LAMINA_INLINE Vec<T> operator()(Vec<T> x) const {
    using math::scalb;
    const auto e = math::exp_reduce(greater(floor, x));  // below the floor all is 0; NaN passes
    return scalb(fma(fma(math::exp_kernel(e.r), e.r, Vec<T>(T(1))), e.r, Vec<T>(T(1))), e.k - exponent);
  }
  LAMINA_INLINE Lanes16<T> operator()(Lanes16<T> x) const {
    for (int i = 0; i < Lanes16<T>::regs; ++i) x.r[i] = (*this)(x.r[i]);
    return x;
  }
  // The logarithm of a sum of such terms, with the power of two back in.
  double log(double sum) const { return math::fma(double(k), math::kLn2, math::log(sum)); }
};

}  // namespace lamina::cpu::inline LAMINA_ISA
