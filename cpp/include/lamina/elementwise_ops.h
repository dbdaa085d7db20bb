// The one list of elementwise operations; elementwise_*.h hold their formulas.
#pragma once
#include <cstdint>

namespace lamina {

// X(name, Formula): `name` is the function people call, `Formula` its struct in namespace ew.
#define LAMINA_ELEMENTWISE_UNARY(X) \
  X(abs, Abs)                       \
  X(neg, Neg)                       \
  X(sign, Sign)                     \
  X(square, Square)                 \
  X(sqrt, Sqrt)                     \
  X(rsqrt, Rsqrt)                   \
  X(reciprocal, Reciprocal)         \
  X(exp, Exp)                       \
  X(expm1, Expm1)                   \
  X(log, Log)                       \
  X(log1p, Log1p)                   \
  X(log2, Log2)                     \
  X(log10, Log10)                   \
  X(sin, Sin)                       \
  X(cos, Cos)                       \
  X(tan, Tan)                       \
  X(atan, Atan)                     \
  X(sinh, Sinh)                     \
  X(cosh, Cosh)                     \
  X(tanh, Tanh)                     \
  X(erf, Erf)                       \
  X(erfc, Erfc)                     \
  X(ndtr, Ndtr)                     \
  X(floor, Floor)                   \
  X(ceil, Ceil)                     \
  X(round, Round)                   \
  X(trunc, Trunc)                   \
  X(isnan, Isnan)                   \
  X(isinf, Isinf)                   \
  X(isfinite, Isfinite)             \
  X(logical_not, LogicalNot)        \
  X(bitwise_not, BitwiseNot)

#define LAMINA_ELEMENTWISE_ACTIVATION(X) \
  X(sigmoid, Sigmoid)                    \
  X(logsigmoid, Logsigmoid)              \
  X(softplus, Softplus)                  \
  X(relu, Relu)                          \
  X(relu6, Relu6)                        \
  X(leaky_relu, LeakyRelu)               \
  X(elu, Elu)                            \
  X(selu, Selu)                          \
  X(gelu, Gelu)                          \
  X(gelu_tanh, GeluTanh)                 \
  X(silu, Silu)                          \
  X(mish, Mish)                          \
  X(hardtanh, Hardtanh)                  \
  X(hardsigmoid, Hardsigmoid)            \
  X(hardswish, Hardswish)

#define LAMINA_ELEMENTWISE_BINARY(X) \
  X(add, Add)                        \
  X(sub, Sub)                        \
  X(mul, Mul)                        \
  X(div, Div)                        \
  X(floor_divide, FloorDivide)       \
  X(trunc_divide, TruncDivide)       \
  X(remainder, Remainder)            \
  X(fmod, Fmod)                      \
  X(pow, Pow)                        \
  X(atan2, Atan2)                    \
  X(minimum, Minimum)                \
  X(maximum, Maximum)                \
  X(clamp_min, ClampMin)             \
  X(clamp_max, ClampMax)             \
  X(eq, Eq)                          \
  X(ne, Ne)                          \
  X(lt, Lt)                          \
  X(le, Le)                          \
  X(gt, Gt)                          \
  X(ge, Ge)                          \
  X(logical_and, LogicalAnd)         \
  X(logical_or, LogicalOr)           \
  X(logical_xor, LogicalXor)         \
  X(bitwise_and, BitwiseAnd)         \
  X(bitwise_or, BitwiseOr)           \
  X(bitwise_xor, BitwiseXor)

#define LAMINA_ELEMENTWISE_TERNARY(X) \
  X(clamp, Clamp)                     \
  X(lerp, Lerp)                       \
  X(where, Where)

// Terms of the losses; Python sees only the losses themselves, rows of ops.def.
#define LAMINA_ELEMENTWISE_LOSS(X) \
  X(mse_loss, MseTerm)             \
  X(l1_loss, L1Term)               \
  X(smooth_l1_loss, SmoothL1Term)  \
  X(binary_cross_entropy_with_logits, BceLogitsTerm)

#define LAMINA_ELEMENTWISE(X)      \
  LAMINA_ELEMENTWISE_UNARY(X)      \
  LAMINA_ELEMENTWISE_ACTIVATION(X) \
  LAMINA_ELEMENTWISE_BINARY(X)     \
  LAMINA_ELEMENTWISE_TERNARY(X)    \
  LAMINA_ELEMENTWISE_LOSS(X)

enum class Ew : uint16_t {
#define X(name, Formula) Formula,
  LAMINA_ELEMENTWISE(X)
#undef X
};
inline constexpr int kNumElementwise = 0
#define X(name, Formula) +1
    LAMINA_ELEMENTWISE(X);
inline constexpr int kNamedElementwise = kNumElementwise - (0 LAMINA_ELEMENTWISE_LOSS(X));  // those Python sees
#undef X

// part 0 is the forward formula (inputs x...); part i + 1 is the gradient for input i (inputs g, x..., y).
struct EwOp {
  Ew op;
  uint8_t part = 0;
};

}  // namespace lamina
