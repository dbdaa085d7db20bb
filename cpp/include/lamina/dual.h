// Dual<S> = value + derivative: a formula run on it yields its own derivative. S is a scalar, SIMD lanes, another Dual
// or Tensor. The rule of each function stands beside its value; comparisons look at the value alone.
#pragma once
#include <type_traits>

#include "lamina/math.h"
#include "lamina/math_bessel.h"
#include "lamina/math_gamma.h"
#include "lamina/math_inverse.h"
#include "lamina/math_quantile.h"

namespace lamina {
namespace forward {

// The vocabulary for scalars; SIMD lanes and Tensor bring their own functions by argument-dependent lookup.
using math::abs, math::fma, math::sqrt, math::rint, math::floor, math::ceil, math::trunc, math::select, math::copysign;
using math::erf, math::erfc, math::ndtr, math::gelu, math::silu, math::any;
using math::erfinv, math::ndtri, math::erfcx, math::logit, math::sinc, math::lgamma, math::digamma, math::polygamma;
using math::exp, math::expm1, math::log, math::log1p, math::log2, math::log10, math::pow, math::sigmoid;
using math::exp2, math::asin, math::acos, math::asinh, math::acosh, math::atanh, math::hypot, math::tanhshrink;
using math::fmod, math::remainder, math::floor_divide, math::trunc_divide;
using math::i0, math::i1, math::i0e, math::i1e, math::frexp_mantissa;
using math::sin, math::cos, math::tan, math::atan, math::atan2, math::sinh, math::cosh, math::tanh;

template <class S>
struct Dual {
  S v, d;

  LAMINA_FN Dual(S value, S derivative) : v(value), d(derivative) {}
  template <class U>
    requires std::is_arithmetic_v<U>
  LAMINA_FN explicit Dual(U constant) : v(S(constant)), d(S(0)) {}

  LAMINA_FN friend Dual operator+(Dual a, Dual b) { return {a.v + b.v, a.d + b.d}; }
  LAMINA_FN friend Dual operator-(Dual a, Dual b) { return {a.v - b.v, a.d - b.d}; }
  LAMINA_FN friend Dual operator-(Dual a) { return {-a.v, -a.d}; }
  LAMINA_FN friend Dual operator*(Dual a, Dual b) { return {a.v * b.v, a.d * b.v + a.v * b.d}; }
  LAMINA_FN friend Dual operator/(Dual a, Dual b) {
    const S q = a.v / b.v;
    return {q, (a.d - q * b.d) / b.v};
  }
  LAMINA_FN friend auto operator<(Dual a, Dual b) { return a.v < b.v; }
  LAMINA_FN friend auto operator<=(Dual a, Dual b) { return a.v <= b.v; }
  LAMINA_FN friend auto operator>(Dual a, Dual b) { return a.v > b.v; }
  LAMINA_FN friend auto operator>=(Dual a, Dual b) { return a.v >= b.v; }
  LAMINA_FN friend auto operator==(Dual a, Dual b) { return a.v == b.v; }
  LAMINA_FN friend auto operator!=(Dual a, Dual b) { return a.v != b.v; }
};

template <class M, class S>
LAMINA_FN Dual<S> select(M m, Dual<S> a, Dual<S> b) {
  return {select(m, a.v, b.v), select(m, a.d, b.d)};
}
template <class S>
LAMINA_FN Dual<S> fma(Dual<S> a, Dual<S> b, Dual<S> c) {
  return {fma(a.v, b.v, c.v), a.d * b.v + a.v * b.d + c.d};
}

// RULE(f, y, dy): f(x) has value y and derivative dy; both may use x, dy also y.
#define RULE(f, value, derivative)  \
  template <class S>                \
  LAMINA_FN Dual<S> f(Dual<S> a) {  \
    const S x = a.v;                \
    const S y = value;              \
    return {y, a.d * (derivative)}; \
  }
RULE(exp, exp(x), y)
RULE(expm1, expm1(x), y + S(1))
RULE(log, log(x), S(1) / x)
RULE(log1p, log1p(x), S(1) / (x + S(1)))
RULE(log2, log2(x), S(1.4426950408889634) / x)
RULE(log10, log10(x), S(0.4342944819032518) / x)
RULE(sqrt, sqrt(x), S(0.5) / y)
RULE(sin, sin(x), cos(x))
RULE(cos, cos(x), -sin(x))
RULE(tan, tan(x), y* y + S(1))
RULE(atan, atan(x), S(1) / (x * x + S(1)))
RULE(sinh, sinh(x), cosh(x))
RULE(cosh, cosh(x), sinh(x))
RULE(tanh, tanh(x), S(1) - y * y)
RULE(erf, erf(x), S(1.1283791670955126) * exp(-(x * x)))
RULE(erfc, erfc(x), S(-1.1283791670955126) * exp(-(x * x)))
RULE(ndtr, ndtr(x), S(0.3989422804014327) * exp(S(-0.5) * x * x))
RULE(gelu, gelu(x), ndtr(x) + x * (S(0.3989422804014327) * exp(S(-0.5) * (x * x))))
RULE(exp2, exp2(x), y* S(0.6931471805599453))
RULE(asin, asin(x), S(1) / sqrt((S(1) - x) * (S(1) + x)))
RULE(acos, acos(x), S(-1) / sqrt((S(1) - x) * (S(1) + x)))
RULE(asinh, asinh(x), S(1) / sqrt(x * x + S(1)))
RULE(acosh, acosh(x), S(1) / sqrt((x - S(1)) * (x + S(1))))
RULE(atanh, atanh(x), S(1) / ((S(1) - x) * (S(1) + x)))
RULE(tanhshrink, tanhshrink(x), tanh(x) * tanh(x))
RULE(erfinv, erfinv(x), S(0.886226925452758) * exp(y * y))
RULE(ndtri, ndtri(x), S(2.5066282746310002) * exp(S(0.5) * y * y))
RULE(erfcx, erfcx(x), (x + x) * y - S(1.1283791670955126))
RULE(logit, logit(x), S(1) / (x * (S(1) - x)))
RULE(sinc, sinc(x), (cos(S(3.141592653589793) * x) - y) / x)
RULE(lgamma, lgamma(x), digamma(x))
RULE(digamma, digamma(x), polygamma(x, 1.0))
RULE(i0, i0(x), i1(x))
RULE(i1, i1(x), i0(x) - y / x)
RULE(i0e, i0e(x), i1e(x) - select(x > S(0), y, -y))
RULE(i1e, i1e(x), i0e(x) - y / x - select(x > S(0), y, -y))
RULE(frexp_mantissa, frexp_mantissa(x), y / x)
RULE(sigmoid, sigmoid(x), y*(S(1) - y))
RULE(silu, silu(x), sigmoid(x) * (x * (S(1) - sigmoid(x)) + S(1)))
RULE(abs, abs(x), select(x > S(0), S(1), select(x < S(0), S(-1), S(0))))
RULE(floor, floor(x), S(0))
RULE(ceil, ceil(x), S(0))
RULE(rint, rint(x), S(0))
RULE(trunc, trunc(x), S(0))
#undef RULE

template <class S>
LAMINA_FN Dual<S> atan2(Dual<S> a, Dual<S> b) {
  const S r = a.v * a.v + b.v * b.v;
  return {atan2(a.v, b.v), (a.d * b.v - a.v * b.d) / r};
}
template <class S>
LAMINA_FN Dual<S> hypot(Dual<S> a, Dual<S> b) {
  const S y = hypot(a.v, b.v);
  return {y, (a.v * a.d + b.v * b.d) / y};
}
template <class S>
LAMINA_FN Dual<S> polygamma(Dual<S> x, double n) {
  return {polygamma(x.v, n), x.d * polygamma(x.v, n + 1)};
}
template <class S>
LAMINA_FN Dual<S> copysign(Dual<S> a, Dual<S> b) {
  const S y = copysign(a.v, b.v);
  return {y, select(((a.v > S(0)) & (y > S(0))) | ((a.v < S(0)) & (y < S(0))), a.d, -a.d)};
}
// x^y: 0^y has derivative 0 in y for y >= 0, and the derivative in x is 0 where y is 0.
template <class S>
LAMINA_FN Dual<S> pow(Dual<S> a, Dual<S> b) {
  const S y = pow(a.v, b.v);
  const S da = select(b.v == S(0), S(0), b.v * pow(a.v, b.v - S(1)));
  const S db = select((a.v == S(0)) & (b.v >= S(0)), S(0), y * log(a.v));
  return {y, a.d * da + b.d * db};
}

template <class S>
LAMINA_FN Dual<S> floor_divide(Dual<S> a, Dual<S> b) {
  return {floor_divide(a.v, b.v), S(0)};
}
template <class S>
LAMINA_FN Dual<S> trunc_divide(Dual<S> a, Dual<S> b) {
  return {trunc_divide(a.v, b.v), S(0)};
}
template <class S>
LAMINA_FN Dual<S> remainder(Dual<S> a, Dual<S> b) {
  return {remainder(a.v, b.v), a.d - b.d * floor_divide(a.v, b.v)};
}
template <class S>
LAMINA_FN Dual<S> fmod(Dual<S> a, Dual<S> b) {
  return {fmod(a.v, b.v), a.d - b.d * trunc_divide(a.v, b.v)};
}

}  // namespace forward

using forward::Dual;

}  // namespace lamina
