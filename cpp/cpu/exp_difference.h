// exp(x - m) for softmax, log-sum-exp and cross entropy.
#pragma once
#include "lamina/math.h"
#include "lanes.h"

namespace lamina::cpu::inline LAMINA_ISA {

// exp(x - (m + low)), |low| tiny. d = x - m rounds, and exp would multiply that error by |d|; the exact error goes back
// in as e + e * error.
template <class T>
LAMINA_INLINE Vec<T> exp_difference(Vec<T> x, Vec<T> m, Vec<T> low) {
  const Vec<T> d = x - m, b = d - x;
  const Vec<T> error = ((x - (d - b)) - (m + b)) - low, e = math::exp(d);
  return fma(e, select(math::abs(error) < Vec<T>(T(1)), error, Vec<T>(T(0))), e);  // an infinite x has no error
}
template <class T>
LAMINA_INLINE Lanes16<T> exp_difference(Lanes16<T> x, const Lanes16<T>& m) {
  for (int i = 0; i < Lanes16<T>::regs; ++i) x.r[i] = exp_difference(x.r[i], m.r[i], Vec<T>(T(0)));
  return x;
}
template <class T>
LAMINA_INLINE Lanes16<T> exp_difference(Lanes16<T> x, const Lanes16<T>& m, const Lanes16<T>& low) {
  for (int i = 0; i < Lanes16<T>::regs; ++i) x.r[i] = exp_difference(x.r[i], m.r[i], low.r[i]);
  return x;
}

}  // namespace lamina::cpu::inline LAMINA_ISA
