// Formulas of two and three arguments. Included by elementwise.h.
#pragma once

namespace lamina::ew {

#define FWD          \
  template <class T> \
  LAMINA_FN static T fwd(T a, T b, [[maybe_unused]] const double* p)
#define BWD                                                                                     \
  template <int I, class T>                                                                     \
  LAMINA_FN static T bwd(T g, [[maybe_unused]] T a, [[maybe_unused]] T b, [[maybe_unused]] T y, \
                         [[maybe_unused]] const double* p)

struct Add : Binary<Add> {
  static constexpr EwSpec spec{
      "input + alpha * other.", EwKind::arithmetic, EwSaves::nothing, true, -3, 3, {{"alpha", 1}}};
  FWD { return a + T(p[0]) * b; }
  BWD { return I == 0 || p[0] == 1 ? g : g * T(p[0]); }
};
struct Sub : Binary<Sub> {
  static constexpr EwSpec spec{
      "input - alpha * other.", EwKind::arithmetic, EwSaves::nothing, true, -3, 3, {{"alpha", 1}}};
  FWD { return a - T(p[0]) * b; }
  BWD { return I == 0 ? g : p[0] == 1 ? -g : g * T(-p[0]); }
};
struct Mul : Binary<Mul> {
  static constexpr EwSpec spec{"input * other.", EwKind::arithmetic};
  FWD { return a * b; }
  BWD { return g * (I == 0 ? b : a); }
};
struct Div : Binary<Div> {
  static constexpr EwSpec spec{"input / other.", EwKind::floating, EwSaves::inputs, true, 0.5, 3};
  FWD { return a / b; }
  BWD { return I == 0 ? g / b : -g * ((a / b) / b); }
};
struct FloorDivide : Binary<FloorDivide> {
  static constexpr EwSpec spec{"Quotient rounded down.", EwKind::arithmetic, EwSaves::nothing, true, 0.5, 3};
  FWD { return floor_divide(a, b); }
  BWD { return g * T(0); }
};
struct TruncDivide : Binary<TruncDivide> {
  static constexpr EwSpec spec{"Quotient rounded towards zero.", EwKind::arithmetic, EwSaves::nothing, true, 0.5, 3};
  FWD { return trunc_divide(a, b); }
  BWD { return g * T(0); }
};
struct Remainder : Binary<Remainder> {
  static constexpr EwSpec spec{
      "Remainder with the sign of other, as Python's %.", EwKind::arithmetic, EwSaves::inputs, true, 0.5, 3};
  FWD { return remainder(a, b); }
  BWD { return I == 0 ? g : -g * floor_divide(a, b); }
};
struct Fmod : Binary<Fmod> {
  static constexpr EwSpec spec{"Remainder with the sign of input.", EwKind::arithmetic, EwSaves::inputs, true, 0.5, 3};
  FWD { return fmod(a, b); }
  BWD { return I == 0 ? g : -g * trunc_divide(a, b); }
};
struct Pow : Binary<Pow> {
  static constexpr EwSpec spec{"input to the power of exponent.", EwKind::arithmetic, EwSaves::both, true, 0.3, 3};
  FWD { return pow(a, b); }
  BWD {
    if constexpr (I == 0)
      return select(b == T(0), T(0), g * (b * pow(a, b - T(1))));
    else
      return select((a == T(0)) & (b >= T(0)), T(0), g * (y * log(a)));
  }
};
struct Atan2 : Binary<Atan2> {
  static constexpr EwSpec spec{"Angle of the point (other, input)."};
  FWD { return atan2(a, b); }
  BWD {
    const T r = a * a + b * b;  // 0 at the origin, where the gradient is 0 by convention
    return select(r == T(0), T(0), g * ((I == 0 ? b : -a) / r));
  }
};
// The gradient of a tie is shared half and half.
struct Minimum : Binary<Minimum> {
  static constexpr EwSpec spec{"The smaller of both; NaN if either is.", EwKind::arithmetic};
  FWD { return select((a < b) | (a != a), a, b); }
  BWD { return select(a == b, g * T(0.5), select(I == 0 ? a > b : b > a, T(0), g)); }
};
struct Maximum : Binary<Maximum> {
  static constexpr EwSpec spec{"The larger of both; NaN if either is.", EwKind::arithmetic};
  FWD { return select((a > b) | (a != a), a, b); }
  BWD { return select(a == b, g * T(0.5), select(I == 0 ? a < b : b < a, T(0), g)); }
};
struct ClampMin : Binary<ClampMin> {
  static constexpr EwSpec spec{"max(input, min); the gradient is input's at a tie.", EwKind::arithmetic};
  FWD { return select((a > b) | (a != a), a, b); }
  BWD { return I == 0 ? select(a >= b, g, T(0)) : select(a < b, g, T(0)); }
};
struct ClampMax : Binary<ClampMax> {
  static constexpr EwSpec spec{"min(input, max); the gradient is input's at a tie.", EwKind::arithmetic};
  FWD { return select((a < b) | (a != a), a, b); }
  BWD { return I == 0 ? select(a <= b, g, T(0)) : select(a > b, g, T(0)); }
};

// COMPARE(Eq, ==, doc): predicates, without gradient.
#define COMPARE(Name, op, doc)                                                     \
  struct Name : Binary<Name> {                                                     \
    static constexpr EwSpec spec{doc, EwKind::predicate, EwSaves::nothing, false}; \
    FWD { return as_number<T>(a op b); }                                           \
  };
COMPARE(Eq, ==, "input == other.")
COMPARE(Ne, !=, "input != other.")
COMPARE(Lt, <, "input < other.")
COMPARE(Le, <=, "input <= other.")
COMPARE(Gt, >, "input > other.")
COMPARE(Ge, >=, "input >= other.")
#undef COMPARE

#define LOGICAL(Name, op, doc)                                                   \
  struct Name : Binary<Name> {                                                   \
    static constexpr EwSpec spec{doc, EwKind::logical, EwSaves::nothing, false}; \
    FWD { return as_number<T>((a != T(0)) op(b != T(0))); }                      \
  };
LOGICAL(LogicalAnd, &, "True where both are nonzero.")
LOGICAL(LogicalOr, |, "True where either is nonzero.")
LOGICAL(LogicalXor, ^, "True where exactly one is nonzero.")
#undef LOGICAL

#define BITWISE(Name, op, doc)                                                   \
  struct Name : Binary<Name> {                                                   \
    static constexpr EwSpec spec{doc, EwKind::bitwise, EwSaves::nothing, false}; \
    FWD { return a op b; }                                                       \
  };
BITWISE(BitwiseAnd, &, "Bitwise and.")
BITWISE(BitwiseOr, |, "Bitwise or.")
BITWISE(BitwiseXor, ^, "Bitwise exclusive or.")
#undef BITWISE

#undef FWD
#undef BWD
#define FWD          \
  template <class T> \
  LAMINA_FN static T fwd(T a, T b, T c, const double*)
#define BWD                 \
  template <int I, class T> \
  LAMINA_FN static T bwd(T g, [[maybe_unused]] T a, [[maybe_unused]] T b, [[maybe_unused]] T c, T, const double*)

struct Clamp : Ternary<Clamp> {
  static constexpr EwSpec spec{"min(max(input, min), max); the gradient at the borders is input's.",
                               EwKind::arithmetic};
  FWD {
    const T low = select((a > b) | (a != a), a, b);
    return select((low < c) | (low != low), low, c);
  }
  BWD {
    if constexpr (I == 0)
      return select((a >= b) & (a <= c), g, T(0));
    else if constexpr (I == 1)
      return select((a < b) & (b < c), g, T(0));
    else
      return select((a > c) | (c < b), g, T(0));
  }
};
struct Lerp : Ternary<Lerp> {
  static constexpr EwSpec spec{"input + weight * (end - input)."};
  FWD { return select((c < T(0.5)) & (c > T(-0.5)), a + c * (b - a), b - (b - a) * (T(1) - c)); }
  BWD {
    if constexpr (I == 0)
      return g * (T(1) - c);
    else if constexpr (I == 1)
      return g * c;
    else
      return g * (b - a);
  }
};
struct Where : Ternary<Where> {
  static constexpr EwSpec spec{"input where condition holds, else other.", EwKind::selection};
  FWD { return select(a != T(0), b, c); }
  BWD {
    if constexpr (I == 0)
      return g * T(0);
    else if constexpr (I == 1)
      return select(a != T(0), g, T(0));
    else
      return select(a != T(0), T(0), g);
  }
};

#undef FWD
#undef BWD

}  // namespace lamina::ew
