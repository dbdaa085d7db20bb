// Formulas of special functions: the gamma and Bessel families, quantiles, entropy. Included by elementwise.h.
#pragma once

namespace lamina::ew {

#define FWD          \
  template <class T> \
  LAMINA_FN static T fwd(T x, [[maybe_unused]] const double* p)
#define BWD                 \
  template <int I, class T> \
  LAMINA_FN static T bwd(T g, [[maybe_unused]] T x, [[maybe_unused]] T y, [[maybe_unused]] const double* p)

struct Erfinv : Unary<Erfinv> {
  static constexpr EwSpec spec{
      "Inverse of erf: infinite at 1 and -1, NaN beyond.", EwKind::floating, EwSaves::output, true, -0.95, 0.95};
  FWD { return erfinv(x); }
  BWD { return g * (T(0.886226925452758) * exp(y * y)); }
};
struct Ndtri : Unary<Ndtri> {
  static constexpr EwSpec spec{"The x whose normal distribution function ndtr(x) is input.",
                               EwKind::floating,
                               EwSaves::output,
                               true,
                               0.03,
                               0.97};
  FWD { return ndtri(x); }
  BWD { return g * (T(2.5066282746310002) * exp(T(0.5) * (y * y))); }
};
struct Erfcx : Unary<Erfcx> {
  static constexpr EwSpec spec{"exp(input^2) erfc(input), without overflow.", EwKind::floating, EwSaves::both};
  FWD { return erfcx(x); }
  BWD { return g * ((x + x) * y - T(1.1283791670955126)); }
};
struct LogNdtr : Unary<LogNdtr> {
  static constexpr EwSpec spec{"log(ndtr(input)), accurate in the tail."};
  FWD {
    const T tail = log(T(0.5) * erfcx(x * T(-0.7071067811865476))) - T(0.5) * (x * x);
    return select(x < T(0), tail, log1p(-ndtr(-x)));
  }
  BWD { return g * (T(0.7978845608028654) / erfcx(x * T(-0.7071067811865476))); }
};
struct Logit : Unary<Logit> {
  static constexpr EwSpec spec{"log(input / (1 - input)), input clamped to [eps, 1 - eps] where eps is given.",
                               EwKind::floating,
                               EwSaves::inputs,
                               true,
                               0.05,
                               0.95,
                               {{"eps", -1}}};
  FWD {
    if (p[0] < 0) return logit(x);
    const T lo(p[0]), hi(1 - p[0]);
    return logit(select(x < lo, lo, select(x > hi, hi, x)));
  }
  BWD {
    const bool clamps = p[0] >= 0;
    const T lo(clamps ? p[0] : 0), hi(clamps ? 1 - p[0] : 1);
    return select((x < lo) | (x > hi), T(clamps ? 0 : __builtin_nan("")), g / (x * (T(1) - x)));
  }
};
struct Entr : Unary<Entr> {
  static constexpr EwSpec spec{
      "-input * log(input): 0 at 0, minus infinity below.", EwKind::floating, EwSaves::inputs, true, 0.1, 3};
  FWD {
    const T edge = select(x == T(0), T(0), select(x < T(0), T(-__builtin_inf()), x));
    return select(x > T(0), -x * log(x), edge);
  }
  BWD { return g * (-log(x) - T(1)); }
};
struct Sinc : Unary<Sinc> {
  static constexpr EwSpec spec{"sin(pi input) / (pi input), 1 at 0.", EwKind::floating, EwSaves::both};
  FWD { return sinc(x); }
  BWD {
    const T d = select(x == T(0), T(1), x);
    return select(x == T(0), T(0), g * ((cos(T(3.141592653589793) * x) - y) / d));
  }
};
struct Lgamma : Unary<Lgamma> {
  static constexpr EwSpec spec{
      "log |gamma(input)|: log((input - 1)!).", EwKind::floating, EwSaves::inputs, true, 0.4, 9};
  FWD { return lgamma(x); }
  BWD { return g * digamma(x); }
};
struct Digamma : Unary<Digamma> {
  static constexpr EwSpec spec{
      "Derivative of lgamma; NaN at negative integers.", EwKind::floating, EwSaves::inputs, true, 0.4, 9};
  FWD { return digamma(x); }
  BWD { return g * polygamma(x, 1.0); }
};
// At 0 the quotient I1(x) / x is 1/2.
struct I0 : Unary<I0> {
  static constexpr EwSpec spec{"Modified Bessel function of the first kind, order 0."};
  FWD { return i0(x); }
  BWD { return g * i1(x); }
};
struct I1 : Unary<I1> {
  static constexpr EwSpec spec{"Modified Bessel function of the first kind, order 1.", EwKind::floating, EwSaves::both};
  FWD { return i1(x); }
  BWD {
    const T quotient = select(x == T(0), T(0.5), y / select(x == T(0), T(1), x));
    return g * (i0(x) - quotient);
  }
};
struct I0e : Unary<I0e> {
  static constexpr EwSpec spec{"exp(-|input|) i0(input).", EwKind::floating, EwSaves::both};
  FWD { return i0e(x); }
  BWD { return g * (i1e(x) - select(x > T(0), y, select(x < T(0), -y, T(0)))); }
};
struct I1e : Unary<I1e> {
  static constexpr EwSpec spec{"exp(-|input|) i1(input).", EwKind::floating, EwSaves::both};
  FWD { return i1e(x); }
  BWD {
    const T quotient = select(x == T(0), T(0.5), y / select(x == T(0), T(1), x));
    return g * ((i0e(x) - select(x > T(0), y, select(x < T(0), -y, T(0)))) - quotient);
  }
};

#undef FWD
#undef BWD

}  // namespace lamina::ew
