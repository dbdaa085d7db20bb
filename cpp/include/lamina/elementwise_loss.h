// Formulas of the losses, one term per element; cpp/ops/loss.cpp adds the reduction. Included by elementwise.h.
#pragma once

namespace lamina::ew {

// Gradients of input and target that differ in sign alone.
#define DIFFERENCE_BWD(value)                                                  \
  template <int I, class T>                                                    \
  LAMINA_FN static T bwd(T g, T a, T b, T, [[maybe_unused]] const double* p) { \
    const T d = a - b;                                                         \
    return I == 0 ? (value) : -(value);                                        \
  }

struct MseTerm : Binary<MseTerm> {
  static constexpr EwSpec spec{"(input - target)^2.", EwKind::arithmetic};
  template <class T>
  LAMINA_FN static T fwd(T a, T b, const double*) {
    return (a - b) * (a - b);
  }
  DIFFERENCE_BWD(g*(d + d))
};
struct L1Term : Binary<L1Term> {
  static constexpr EwSpec spec{"|input - target|.", EwKind::arithmetic};
  template <class T>
  LAMINA_FN static T fwd(T a, T b, const double*) {
    return abs(a - b);
  }
  DIFFERENCE_BWD(select(d > T(0), g, select(d < T(0), -g, g* T(0))))
};
struct SmoothL1Term : Binary<SmoothL1Term> {
  static constexpr EwSpec spec{"d^2 / (2 beta) where d = |input - target| is below beta, else d - beta / 2.",
                               EwKind::floating,
                               EwSaves::inputs,
                               true,
                               -3,
                               3,
                               {{"beta", 1}}};
  template <class T>
  LAMINA_FN static T fwd(T a, T b, const double* p) {
    const T d = abs(a - b);
    return select(d < T(p[0]), d * d * T(0.5 / p[0]), d - T(0.5 * p[0]));
  }
  DIFFERENCE_BWD(select(d >= T(p[0]), g, select(d <= T(-p[0]), -g, g*(d* T(1 / p[0])))))
};
#undef DIFFERENCE_BWD

// -(w t log s(x) + (1 - t) log(1 - s(x))) with s the sigmoid, by log(1 + exp(-|x|)): no digit is lost at either end.
struct BceLogitsTerm : Ternary<BceLogitsTerm> {
  static constexpr EwSpec spec{"Binary cross entropy of sigmoid(input); pos_weight weighs the positive term."};
  template <class T>
  LAMINA_FN static T fwd(T x, T t, T w, const double*) {
    const T rest = T(1) - t;
    return select(x < T(0), -(w * t), rest) * x + (w * t + rest) * tail(x);
  }
  template <int I, class T>
  LAMINA_FN static T bwd(T g, T x, [[maybe_unused]] T t, [[maybe_unused]] T w, T, const double*) {
    if constexpr (I == 0) {
      return g * ((T(1) - t) * sigmoid(x) - w * t * sigmoid(-x));
    } else {
      const T miss = select(x < T(0), -x, T(0)) + tail(x);  // -log s(x)
      if constexpr (I == 1)
        return g * (w * miss - (select(x < T(0), T(0), x) + tail(x)));
      else
        return g * (t * miss);
    }
  }

 private:
  // log(1 + exp(-|x|)), with its slope at 0.
  template <class T>
  LAMINA_FN static T tail(T x) {
    return log1p(exp(select(x < T(0), x, -x)));
  }
};

}  // namespace lamina::ew
