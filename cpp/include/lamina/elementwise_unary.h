// Formulas of one argument: arithmetic, exponential, trigonometric, rounding, tests. Included by elementwise.h.
#pragma once

namespace lamina::ew {

#define FWD          \
  template <class T> \
  LAMINA_FN static T fwd(T x, const double*)
#define BWD                 \
  template <int I, class T> \
  LAMINA_FN static T bwd(T g, [[maybe_unused]] T x, [[maybe_unused]] T y, const double*)

struct Abs : Unary<Abs> {
  static constexpr EwSpec spec{"Absolute value; its gradient at 0 is 0.", EwKind::arithmetic};
  FWD { return abs(x); }
  BWD { return select(x > T(0), g, select(x < T(0), -g, g * T(0))); }
};
struct Neg : Unary<Neg> {
  static constexpr EwSpec spec{"-input.", EwKind::arithmetic, EwSaves::nothing};
  FWD { return -x; }
  BWD { return -g; }
};
struct Sign : Unary<Sign> {
  static constexpr EwSpec spec{"-1, 0 or 1 by the sign of input.", EwKind::arithmetic, EwSaves::nothing};
  FWD { return select(x > T(0), T(1), select(x < T(0), T(-1), T(0))); }
  BWD { return g * T(0); }
};
struct Square : Unary<Square> {
  static constexpr EwSpec spec{"input * input.", EwKind::arithmetic};
  FWD { return x * x; }
  BWD { return g * (x + x); }
};
struct Sqrt : Unary<Sqrt> {
  static constexpr EwSpec spec{"Square root.", EwKind::floating, EwSaves::output, true, 0.1, 4};
  FWD { return sqrt(x); }
  BWD { return g / (y + y); }
};
struct Rsqrt : Unary<Rsqrt> {
  static constexpr EwSpec spec{"1 / sqrt(input).", EwKind::floating, EwSaves::output, true, 0.1, 4};
  FWD { return T(1) / sqrt(x); }
  BWD { return T(-0.5) * g * (y * y * y); }
};
struct Reciprocal : Unary<Reciprocal> {
  static constexpr EwSpec spec{"1 / input.", EwKind::floating, EwSaves::output, true, 0.2, 4};
  FWD { return T(1) / x; }
  BWD { return -g * (y * y); }
};
struct Exp : Unary<Exp> {
  static constexpr EwSpec spec{"e to the power of input.", EwKind::floating, EwSaves::output};
  FWD { return exp(x); }
  BWD { return g * y; }
};
struct Expm1 : Unary<Expm1> {
  static constexpr EwSpec spec{"exp(input) - 1, accurate near 0.", EwKind::floating, EwSaves::output};
  FWD { return expm1(x); }
  BWD { return g * (y + T(1)); }
};
struct Log : Unary<Log> {
  static constexpr EwSpec spec{"Natural logarithm.", EwKind::floating, EwSaves::inputs, true, 0.1, 4};
  FWD { return log(x); }
  BWD { return g / x; }
};
struct Log1p : Unary<Log1p> {
  static constexpr EwSpec spec{"log(1 + input), accurate near 0.", EwKind::floating, EwSaves::inputs, true, -0.8, 4};
  FWD { return log1p(x); }
  BWD { return g / (x + T(1)); }
};
struct Log2 : Unary<Log2> {
  static constexpr EwSpec spec{"Logarithm to base 2.", EwKind::floating, EwSaves::inputs, true, 0.1, 4};
  FWD { return log2(x); }
  BWD { return g / (x * T(0.6931471805599453)); }
};
struct Log10 : Unary<Log10> {
  static constexpr EwSpec spec{"Logarithm to base 10.", EwKind::floating, EwSaves::inputs, true, 0.1, 4};
  FWD { return log10(x); }
  BWD { return g / (x * T(2.302585092994046)); }
};
struct Sin : Unary<Sin> {
  static constexpr EwSpec spec{"Sine."};
  FWD { return sin(x); }
  BWD { return g * cos(x); }
};
struct Cos : Unary<Cos> {
  static constexpr EwSpec spec{"Cosine."};
  FWD { return cos(x); }
  BWD { return -g * sin(x); }
};
struct Tan : Unary<Tan> {
  static constexpr EwSpec spec{"Tangent.", EwKind::floating, EwSaves::output, true, -1.2, 1.2};
  FWD { return tan(x); }
  BWD { return g * (y * y + T(1)); }
};
struct Atan : Unary<Atan> {
  static constexpr EwSpec spec{"Arc tangent."};
  FWD { return atan(x); }
  BWD { return g / (x * x + T(1)); }
};
struct Sinh : Unary<Sinh> {
  static constexpr EwSpec spec{"Hyperbolic sine."};
  FWD { return sinh(x); }
  BWD { return g * cosh(x); }
};
struct Cosh : Unary<Cosh> {
  static constexpr EwSpec spec{"Hyperbolic cosine."};
  FWD { return cosh(x); }
  BWD { return g * sinh(x); }
};
struct Tanh : Unary<Tanh> {
  static constexpr EwSpec spec{"Hyperbolic tangent.", EwKind::floating, EwSaves::output};
  FWD { return tanh(x); }
  BWD { return g * (T(1) - y * y); }
};
struct Erf : Unary<Erf> {
  static constexpr EwSpec spec{"Error function."};
  FWD { return erf(x); }
  BWD { return g * (T(1.1283791670955126) * exp(-(x * x))); }
};
struct Erfc : Unary<Erfc> {
  static constexpr EwSpec spec{"1 - erf(input), accurate in the tail."};
  FWD { return erfc(x); }
  BWD { return g * (T(-1.1283791670955126) * exp(-(x * x))); }
};
struct Ndtr : Unary<Ndtr> {
  static constexpr EwSpec spec{"Distribution function of the standard normal law."};
  FWD { return ndtr(x); }
  BWD { return g * (T(0.3989422804014327) * exp(T(-0.5) * (x * x))); }
};
struct Floor : Unary<Floor> {
  static constexpr EwSpec spec{"Largest integer <= input.", EwKind::arithmetic, EwSaves::nothing};
  FWD { return floor(x); }
  BWD { return g * T(0); }
};
struct Ceil : Unary<Ceil> {
  static constexpr EwSpec spec{"Smallest integer >= input.", EwKind::arithmetic, EwSaves::nothing};
  FWD { return ceil(x); }
  BWD { return g * T(0); }
};
struct Round : Unary<Round> {
  static constexpr EwSpec spec{"Nearest integer, halves to even.", EwKind::arithmetic, EwSaves::nothing};
  FWD { return rint(x); }
  BWD { return g * T(0); }
};
struct Trunc : Unary<Trunc> {
  static constexpr EwSpec spec{"Integer part, towards zero.", EwKind::arithmetic, EwSaves::nothing};
  FWD { return trunc(x); }
  BWD { return g * T(0); }
};
struct Isnan : Unary<Isnan> {
  static constexpr EwSpec spec{"Whether input is NaN.", EwKind::predicate, EwSaves::nothing, false};
  FWD { return as_number<T>(x != x); }
};
struct Isinf : Unary<Isinf> {
  static constexpr EwSpec spec{"Whether input is plus or minus infinity.", EwKind::predicate, EwSaves::nothing, false};
  FWD {
    if constexpr (kInteger<T>)
      return T(0);
    else
      return as_number<T>(abs(x) == math::infinity<T>());
  }
};
struct Isfinite : Unary<Isfinite> {
  static constexpr EwSpec spec{"Whether input is neither infinite nor NaN.", EwKind::predicate, EwSaves::nothing,
                               false};
  FWD {
    if constexpr (kInteger<T>)
      return T(1);
    else
      return as_number<T>(abs(x) < math::infinity<T>());
  }
};
struct LogicalNot : Unary<LogicalNot> {
  static constexpr EwSpec spec{"True where input is zero.", EwKind::logical, EwSaves::nothing, false};
  FWD { return as_number<T>(x == T(0)); }
};
struct BitwiseNot : Unary<BitwiseNot> {
  static constexpr EwSpec spec{"Every bit flipped; logical not for bool.", EwKind::bitwise, EwSaves::nothing, false};
  FWD { return ~x; }
};

#undef FWD
#undef BWD

}  // namespace lamina::ew
