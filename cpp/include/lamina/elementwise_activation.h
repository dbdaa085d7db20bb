// Formulas of the activation functions. Included by elementwise.h.
#pragma once

namespace lamina::ew {

#define FWD          \
  template <class T> \
  LAMINA_FN static T fwd(T x, [[maybe_unused]] const double* p)
#define BWD                 \
  template <int I, class T> \
  LAMINA_FN static T bwd(T g, [[maybe_unused]] T x, [[maybe_unused]] T y, [[maybe_unused]] const double* p)

struct Sigmoid : Unary<Sigmoid> {
  static constexpr EwSpec spec{"1 / (1 + exp(-input)).", EwKind::floating, EwSaves::output};
  FWD { return sigmoid(x); }
  BWD { return g * ((T(1) - y) * y); }
};
struct Logsigmoid : Unary<Logsigmoid> {
  static constexpr EwSpec spec{"log(sigmoid(input)), without overflow."};
  FWD { return select(x < T(0), x, T(0)) - log1p(exp(-abs(x))); }
  BWD { return g * sigmoid(-x); }
};
struct Softplus : Unary<Softplus> {
  static constexpr EwSpec spec{"log(1 + exp(beta * input)) / beta; input itself where beta * input > threshold.",
                               EwKind::floating,
                               EwSaves::inputs,
                               true,
                               -3,
                               3,
                               {{"beta", 1}, {"threshold", 20}}};
  FWD {
    const T b(p[0]), z = x * b;
    return select(z > T(p[1]), x, log1p(exp(z)) / b);
  }
  BWD {
    const T z = x * T(p[0]);
    return select(z > T(p[1]), g, g * sigmoid(z));
  }
};
struct Relu : Unary<Relu> {
  static constexpr EwSpec spec{"max(input, 0).", EwKind::arithmetic, EwSaves::output};
  FWD { return select(x <= T(0), T(0), x); }  // NaN stays
  BWD { return select(y <= T(0), T(0), g); }
};
struct Relu6 : Unary<Relu6> {
  static constexpr EwSpec spec{"min(max(input, 0), 6).", EwKind::arithmetic, EwSaves::inputs, true, -3, 9};
  FWD { return select(x <= T(0), T(0), select(x >= T(6), T(6), x)); }
  BWD { return select((x <= T(0)) | (x >= T(6)), T(0), g); }
};
struct LeakyRelu : Unary<LeakyRelu> {
  static constexpr EwSpec spec{"input where positive, else negative_slope * input.",
                               EwKind::floating,
                               EwSaves::inputs,
                               true,
                               -3,
                               3,
                               {{"negative_slope", 0.01}}};
  FWD { return select(x > T(0), x, x * T(p[0])); }
  BWD { return select(x > T(0), g, g * T(p[0])); }
};
struct Elu : Unary<Elu> {
  static constexpr EwSpec spec{"input where positive, else alpha * (exp(input) - 1).",
                               EwKind::floating,
                               EwSaves::inputs,
                               true,
                               -3,
                               3,
                               {{"alpha", 1}}};
  FWD { return select(x > T(0), x, T(p[0]) * expm1(x)); }
  BWD { return select(x > T(0), g, g * T(p[0]) * exp(x)); }
};
struct Selu : Unary<Selu> {
  static constexpr EwSpec spec{"scale * elu(input, alpha) with the constants of self-normalizing networks."};
  static constexpr double alpha = 1.6732632423543772848170429916717, scale = 1.0507009873554804934193349852946;
  FWD { return select(x > T(0), x * T(scale), T(scale * alpha) * expm1(x)); }
  BWD { return select(x > T(0), g * T(scale), g * T(scale * alpha) * exp(x)); }
};
struct Gelu : Unary<Gelu> {
  static constexpr EwSpec spec{"input * P(N(0, 1) <= input), exact."};
  FWD { return gelu(x); }
  BWD {
    if constexpr (math::Single<T>)
      return g * math::gelu_slope(x);
    else
      return g * (ndtr(x) + x * (T(0.3989422804014327) * exp(T(-0.5) * (x * x))));
  }
};
struct GeluTanh : Unary<GeluTanh> {
  static constexpr EwSpec spec{"The tanh approximation of gelu."};
  static constexpr double c = 2 * 0.7978845608028654, c3 = c * 0.044715;  // (1 + tanh u) / 2 = sigmoid(2 u)
  FWD { return x * sigmoid(x * (T(c) + T(c3) * (x * x))); }
  BWD {
    const T z = x * x, s = sigmoid(x * (T(c) + T(c3) * z));
    return g * (s + x * (s * (T(1) - s)) * (T(c) + T(3 * c3) * z));
  }
};
struct Silu : Unary<Silu> {
  static constexpr EwSpec spec{"input * sigmoid(input)."};
  FWD { return silu(x); }
  BWD {
    const T s = sigmoid(x);
    return g * (s * (T(1) + x * (T(1) - s)));
  }
};
struct Mish : Unary<Mish> {
  static constexpr EwSpec spec{"input * tanh(softplus(input))."};
  // tanh(log(1 + e)) = n / (n + 2) with n = e (e + 2)
  FWD {
    const T e = exp(x), n = e * (e + T(2));
    return select(x > T(20), x, x * (n / (n + T(2))));
  }
  BWD {
    const T e = exp(x), n = e * (e + T(2)), t = n / (n + T(2)), s = sigmoid(x);
    return select(x > T(20), g, g * (t + x * s * (T(1) - t * t)));
  }
};
struct Hardtanh : Unary<Hardtanh> {
  static constexpr EwSpec spec{"input clamped to [min_val, max_val].", EwKind::arithmetic, EwSaves::inputs, true, -3, 3,
                               {{"min_val", -1}, {"max_val", 1}}};
  FWD { return select(x < T(p[0]), T(p[0]), select(x > T(p[1]), T(p[1]), x)); }
  BWD { return select((x <= T(p[0])) | (x >= T(p[1])), T(0), g); }
};
struct Hardsigmoid : Unary<Hardsigmoid> {
  static constexpr EwSpec spec{"min(max(input + 3, 0), 6) / 6.", EwKind::floating, EwSaves::inputs, true, -5, 5};
  FWD { return select(x <= T(-3), T(0), select(x >= T(3), T(1), (x + T(3)) / T(6))); }
  BWD { return select((x <= T(-3)) | (x >= T(3)), T(0), g / T(6)); }
};
struct Hardswish : Unary<Hardswish> {
  static constexpr EwSpec spec{"input * hardsigmoid(input).", EwKind::floating, EwSaves::inputs, true, -5, 5};
  FWD { return select(x <= T(-3), T(0), select(x >= T(3), x, x * (x + T(3)) / T(6))); }
  BWD { return select(x <= T(-3), T(0), select(x >= T(3), g, g * (x / T(3) + T(0.5)))); }
};

#undef FWD
#undef BWD

}  // namespace lamina::ew
