// Formulas of exp2, inverse functions, angles, signs and the shrinking activations. Included by elementwise.h.
#pragma once

namespace lamina::ew {

#define FWD          \
  template <class T> \
  LAMINA_FN static T fwd(T x, [[maybe_unused]] const double* p)
#define BWD                 \
  template <int I, class T> \
  LAMINA_FN static T bwd(T g, [[maybe_unused]] T x, [[maybe_unused]] T y, [[maybe_unused]] const double* p)

struct Exp2 : Unary<Exp2> {
  static constexpr EwSpec spec{"2 to the power of input.", EwKind::floating, EwSaves::output};
  FWD { return exp2(x); }
  BWD { return g * (y * T(0.6931471805599453)); }
};
struct Asin : Unary<Asin> {
  static constexpr EwSpec spec{"Arc sine.", EwKind::floating, EwSaves::inputs, true, -0.95, 0.95};
  FWD { return asin(x); }
  BWD { return g / sqrt((T(1) - x) * (T(1) + x)); }
};
struct Acos : Unary<Acos> {
  static constexpr EwSpec spec{"Arc cosine.", EwKind::floating, EwSaves::inputs, true, -0.95, 0.95};
  FWD { return acos(x); }
  BWD { return -g / sqrt((T(1) - x) * (T(1) + x)); }
};
struct Asinh : Unary<Asinh> {
  static constexpr EwSpec spec{"Inverse hyperbolic sine."};
  FWD { return asinh(x); }
  BWD { return g / sqrt(x * x + T(1)); }
};
struct Acosh : Unary<Acosh> {
  static constexpr EwSpec spec{"Inverse hyperbolic cosine.", EwKind::floating, EwSaves::inputs, true, 1.1, 4};
  FWD { return acosh(x); }
  BWD { return g / sqrt((x - T(1)) * (x + T(1))); }
};
struct Atanh : Unary<Atanh> {
  static constexpr EwSpec spec{"Inverse hyperbolic tangent.", EwKind::floating, EwSaves::inputs, true, -0.9, 0.9};
  FWD { return atanh(x); }
  BWD { return g / ((T(1) - x) * (T(1) + x)); }
};
struct Frac : Unary<Frac> {
  static constexpr EwSpec spec{"input without its integer part.", EwKind::floating, EwSaves::nothing};
  FWD { return x - trunc(x); }
  BWD { return g; }
};
struct Deg2rad : Unary<Deg2rad> {
  static constexpr EwSpec spec{"Degrees to radians.", EwKind::floating, EwSaves::nothing};
  FWD { return x * T(0.017453292519943295); }
  BWD { return g * T(0.017453292519943295); }
};
struct Rad2deg : Unary<Rad2deg> {
  static constexpr EwSpec spec{"Radians to degrees.", EwKind::floating, EwSaves::nothing};
  FWD { return x * T(57.295779513082321); }
  BWD { return g * T(57.295779513082321); }
};
struct Signbit : Unary<Signbit> {
  static constexpr EwSpec spec{"Whether the sign bit is set: negative numbers and -0.", EwKind::predicate,
                               EwSaves::nothing, false};
  FWD { return as_number<T>(math::is_negative(x)); }
};
struct Isposinf : Unary<Isposinf> {
  static constexpr EwSpec spec{"Whether input is plus infinity.", EwKind::predicate, EwSaves::nothing, false};
  FWD {
    if constexpr (kInteger<T>)
      return T(0);
    else
      return as_number<T>(x == math::infinity<T>());
  }
};
struct Isneginf : Unary<Isneginf> {
  static constexpr EwSpec spec{"Whether input is minus infinity.", EwKind::predicate, EwSaves::nothing, false};
  FWD {
    if constexpr (kInteger<T>)
      return T(0);
    else
      return as_number<T>(x == -math::infinity<T>());
  }
};
struct Celu : Unary<Celu> {
  static constexpr EwSpec spec{"input where positive, else alpha * (exp(input / alpha) - 1).",
                               EwKind::floating,
                               EwSaves::inputs,
                               true,
                               -3,
                               3,
                               {{"alpha", 1}}};
  FWD { return select(x > T(0), x, T(p[0]) * expm1(x / T(p[0]))); }
  BWD { return select(x > T(0), g, g * exp(x / T(p[0]))); }
};
struct Softsign : Unary<Softsign> {
  static constexpr EwSpec spec{"input / (1 + |input|)."};
  FWD { return x / (T(1) + abs(x)); }
  BWD {
    const T d = T(1) + abs(x);
    return g / (d * d);
  }
};
struct Threshold : Unary<Threshold> {
  static constexpr EwSpec spec{"input where above threshold, else value.",
                               EwKind::arithmetic,
                               EwSaves::inputs,
                               true,
                               -3,
                               3,
                               {{"threshold", 0}, {"value", 0}}};
  FWD { return select(x <= T(p[0]), T(p[1]), x); }
  BWD { return select(x <= T(p[0]), T(0), g); }
};
struct Tanhshrink : Unary<Tanhshrink> {
  static constexpr EwSpec spec{"input - tanh(input), accurate near 0."};
  FWD { return tanhshrink(x); }
  BWD {
    const T t = tanh(x);
    return g * (t * t);
  }
};
struct Softshrink : Unary<Softshrink> {
  static constexpr EwSpec spec{
      "input moved towards 0 by lambd, 0 within.", EwKind::floating, EwSaves::inputs, true, -3, 3, {{"lambd", 0.5}}};
  FWD {
    const T moved = x - select(x > T(0), T(p[0]), T(-p[0]));
    return select((x >= T(-p[0])) & (x <= T(p[0])), T(0), moved);
  }
  BWD { return select((x >= T(-p[0])) & (x <= T(p[0])), T(0), g); }
};
struct Hardshrink : Unary<Hardshrink> {
  static constexpr EwSpec spec{
      "input, but 0 within [-lambd, lambd].", EwKind::floating, EwSaves::inputs, true, -3, 3, {{"lambd", 0.5}}};
  FWD { return select((x >= T(-p[0])) & (x <= T(p[0])), T(0), x); }
  BWD { return select((x >= T(-p[0])) & (x <= T(p[0])), T(0), g); }
};

#undef FWD
#undef BWD

}  // namespace lamina::ew
