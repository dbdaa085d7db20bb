// More formulas of two and three arguments, and those that only rows of ops.def call. Included by elementwise.h.
#pragma once

namespace lamina::ew {

#define FWD          \
  template <class T> \
  LAMINA_FN static T fwd(T a, T b, [[maybe_unused]] const double* p)
#define BWD                                                                                     \
  template <int I, class T>                                                                     \
  LAMINA_FN static T bwd(T g, [[maybe_unused]] T a, [[maybe_unused]] T b, [[maybe_unused]] T y, \
                         [[maybe_unused]] const double* p)

struct Hypot : Binary<Hypot> {
  static constexpr EwSpec spec{"sqrt(input^2 + other^2), without overflow on the way.", EwKind::floating,
                               EwSaves::both};
  FWD { return hypot(a, b); }
  BWD {
    const auto origin = y == T(0);  // where the gradient is 0 by convention
    return select(origin, T(0), g * ((I == 0 ? a : b) / select(origin, T(1), y)));
  }
};
// Equal operands, infinite ones too, are 0 apart.
struct Logaddexp : Binary<Logaddexp> {
  static constexpr EwSpec spec{"log(exp(input) + exp(other)), without overflow."};
  FWD {
    const T d = select(a == b, T(0), abs(a - b)), m = select((a > b) | (a != a), a, b);
    return m + log1p(exp(-d));
  }
  BWD {
    const T d = select(a == b, T(0), I == 0 ? a - b : b - a);
    return g * sigmoid(d);
  }
};
struct Logaddexp2 : Binary<Logaddexp2> {
  static constexpr EwSpec spec{"log2(2^input + 2^other), without overflow."};
  FWD {
    const T d = select(a == b, T(0), abs(a - b)), m = select((a > b) | (a != a), a, b);
    return m + T(1.4426950408889634) * log1p(exp2(-d));
  }
  BWD {
    const T d = select(a == b, T(0), I == 0 ? a - b : b - a);
    return g * sigmoid(T(0.6931471805599453) * d);
  }
};
struct Xlogy : Binary<Xlogy> {
  static constexpr EwSpec spec{
      "input * log(other), 0 where input is 0 (and other not NaN).", EwKind::floating, EwSaves::inputs, true, 0.2, 3};
  FWD { return select((a == T(0)) & (b == b), T(0), a * log(b)); }
  BWD { return I == 0 ? select((a == T(0)) & (b <= T(0)), T(0), g * log(b)) : g * (a / b); }
};
struct Xlog1py : Binary<Xlog1py> {
  static constexpr EwSpec spec{"input * log(1 + other), 0 where input is 0 (and other not NaN).",
                               EwKind::floating,
                               EwSaves::inputs,
                               true,
                               0.2,
                               3};
  FWD { return select((a == T(0)) & (b == b), T(0), a * log1p(b)); }
  BWD { return I == 0 ? select((a == T(0)) & (b <= T(-1)), T(0), g * log1p(b)) : g * (a / (T(1) + b)); }
};
struct Copysign : Binary<Copysign> {
  static constexpr EwSpec spec{"|input| with the sign of other; the gradient at 0 is 0.", EwKind::floating,
                               EwSaves::both};
  FWD { return copysign(a, b); }
  BWD {
    if constexpr (I == 1)
      return g * T(0);
    else
      return select(a == T(0), T(0), select(((a > T(0)) & (y > T(0))) | ((a < T(0)) & (y < T(0))), g, -g));
  }
};
struct Heaviside : Binary<Heaviside> {
  static constexpr EwSpec spec{"0 below 0, 1 above, values at 0.", EwKind::arithmetic, EwSaves::nothing, false};
  FWD { return select(a == T(0), b, select(a > T(0), T(1), T(0))); }
};
// 2^other in two factors, which do not overflow before the result does.
struct Ldexp : Binary<Ldexp> {
  static constexpr EwSpec spec{"input * 2^other.", EwKind::floating, EwSaves::both};
  FWD {
    const T half = b * T(0.5), most = T(2000);
    const T h = floor(select(half < -most, -most, select(half > most, most, half)));
    return a * exp2(h) * exp2(b - h);
  }
  BWD { return I == 0 ? g * exp2(b) : g * (y * T(0.6931471805599453)); }
};
// A tie counts for input.
struct Fmax : Binary<Fmax> {
  static constexpr EwSpec spec{"The larger of both; a NaN only where both are.", EwKind::arithmetic};
  FWD { return select((a >= b) | (b != b), a, b); }
  BWD { return I == 0 ? select((a >= b) | (b != b), g, T(0)) : select((a >= b) | (b != b), T(0), g); }
};
struct Fmin : Binary<Fmin> {
  static constexpr EwSpec spec{"The smaller of both; a NaN only where both are.", EwKind::arithmetic};
  FWD { return select((a <= b) | (b != b), a, b); }
  BWD { return I == 0 ? select((a <= b) | (b != b), g, T(0)) : select((a <= b) | (b != b), T(0), g); }
};

#define INTEGER(Name, f, doc)                                                    \
  struct Name : Binary<Name> {                                                   \
    static constexpr EwSpec spec{doc, EwKind::bitwise, EwSaves::nothing, false}; \
    FWD { return math::f(a, b); }                                                \
  };
INTEGER(Gcd, gcd, "Greatest common divisor.")
INTEGER(Lcm, lcm, "Least common multiple.")
INTEGER(BitwiseLeftShift, shift_left, "input * 2^other in the integers; 0 where other is negative or above the width.")
INTEGER(BitwiseRightShift, shift_right,
        "input / 2^other rounded down; only the sign is left where other is negative or above the width.")
#undef INTEGER

// ---- called by rows of ops.def alone ----

struct Prelu : Binary<Prelu> {
  static constexpr EwSpec spec{"input where positive, else weight * input."};
  FWD { return select(a > T(0), a, b * a); }
  BWD { return I == 0 ? select(a > T(0), g, g * b) : select(a > T(0), T(0), g * a); }
};
struct Glu : Binary<Glu> {
  static constexpr EwSpec spec{"The first half times the sigmoid of the second."};
  FWD { return a * sigmoid(b); }
  BWD {
    const T s = sigmoid(b);
    return I == 0 ? g * s : g * (a * (s * (T(1) - s)));
  }
};
struct Nextafter : Binary<Nextafter> {
  static constexpr EwSpec spec{"The next number from input towards other.", EwKind::floating, EwSaves::nothing, false};
  FWD { return math::nextafter(a, b); }
};

#undef FWD
#undef BWD
#define FWD          \
  template <class T> \
  LAMINA_FN static T fwd(T x, [[maybe_unused]] const double* p)
#define BWD                 \
  template <int I, class T> \
  LAMINA_FN static T bwd(T g, [[maybe_unused]] T x, [[maybe_unused]] T y, [[maybe_unused]] const double* p)

struct Polygamma : Unary<Polygamma> {
  static constexpr EwSpec spec{
      "The n-th derivative of digamma.", EwKind::floating, EwSaves::inputs, true, 0.4, 9, {{"n", 1}}};
  FWD { return polygamma(x, p[0]); }
  BWD { return g * polygamma(x, p[0] + 1); }
};
struct NanToNum : Unary<NanToNum> {
  static constexpr EwSpec spec{
      "NaN and the infinities replaced by numbers.", EwKind::floating, EwSaves::inputs, true, -3, 3,
      {{"nan", 0}, {"posinf", 0}, {"neginf", 0}}};
  FWD {
    const T inf(__builtin_inf());
    return select(x != x, T(p[0]), select(x == inf, T(p[1]), select(x == -inf, T(p[2]), x)));
  }
  BWD { return select(abs(x) < T(__builtin_inf()), g, T(0)); }
};
struct FrexpMantissa : Unary<FrexpMantissa> {
  static constexpr EwSpec spec{"m of input = m 2^e with 1/2 <= |m| < 1.", EwKind::floating, EwSaves::both};
  FWD { return frexp_mantissa(x); }
  BWD { return select(x == T(0), g, g * (y / select(x == T(0), T(1), x))); }
};
struct FrexpExponent : Unary<FrexpExponent> {
  static constexpr EwSpec spec{"e of input = m 2^e with 1/2 <= |m| < 1.", EwKind::floating, EwSaves::nothing, false};
  FWD { return math::frexp_exponent(x); }
};

#undef FWD
#undef BWD
#define FWD          \
  template <class T> \
  LAMINA_FN static T fwd(T a, T b, T c, const double* p)
#define BWD                                                                                                           \
  template <int I, class T>                                                                                           \
  LAMINA_FN static T bwd(T g, [[maybe_unused]] T a, [[maybe_unused]] T b, [[maybe_unused]] T c, [[maybe_unused]] T y, \
                         const double* p)

struct Addcmul : Ternary<Addcmul> {
  static constexpr EwSpec spec{
      "input + value * tensor1 * tensor2.", EwKind::arithmetic, EwSaves::inputs, true, -3, 3, {{"value", 1}}};
  FWD { return a + T(p[0]) * (b * c); }
  BWD { return I == 0 ? g : g * (T(p[0]) * (I == 1 ? c : b)); }
};
struct Addcdiv : Ternary<Addcdiv> {
  static constexpr EwSpec spec{
      "input + value * tensor1 / tensor2.", EwKind::floating, EwSaves::inputs, true, 0.5, 3, {{"value", 1}}};
  FWD { return a + T(p[0]) * (b / c); }
  BWD { return I == 0 ? g : I == 1 ? g * (T(p[0]) / c) : g * (T(-p[0]) * ((b / c) / c)); }
};

#undef FWD
#undef BWD

}  // namespace lamina::ew
