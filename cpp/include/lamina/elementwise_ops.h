// The one list of elementwise operations; elementwise_*.h hold their formulas.
#pragma once
#include <cstdint>

#include "lamina/elementwise_op.h"

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

#define LAMINA_ELEMENTWISE_INVERSE(X) \
  X(exp2, Exp2)                       \
  X(asin, Asin)                       \
  X(acos, Acos)                       \
  X(asinh, Asinh)                     \
  X(acosh, Acosh)                     \
  X(atanh, Atanh)                     \
  X(frac, Frac)                       \
  X(deg2rad, Deg2rad)                 \
  X(rad2deg, Rad2deg)                 \
  X(signbit, Signbit)                 \
  X(isposinf, Isposinf)               \
  X(isneginf, Isneginf)               \
  X(celu, Celu)                       \
  X(softsign, Softsign)               \
  X(threshold, Threshold)             \
  X(tanhshrink, Tanhshrink)           \
  X(softshrink, Softshrink)           \
  X(hardshrink, Hardshrink)

#define LAMINA_ELEMENTWISE_SPECIAL(X) \
  X(erfinv, Erfinv)                   \
  X(ndtri, Ndtri)                     \
  X(erfcx, Erfcx)                     \
  X(log_ndtr, LogNdtr)                \
  X(logit, Logit)                     \
  X(entr, Entr)                       \
  X(sinc, Sinc)                       \
  X(lgamma, Lgamma)                   \
  X(digamma, Digamma)                 \
  X(i0, I0)                           \
  X(i1, I1)                           \
  X(i0e, I0e)                         \
  X(i1e, I1e)

#define LAMINA_ELEMENTWISE_PAIRS(X)         \
  X(hypot, Hypot)                           \
  X(logaddexp, Logaddexp)                   \
  X(logaddexp2, Logaddexp2)                 \
  X(xlogy, Xlogy)                           \
  X(xlog1py, Xlog1py)                       \
  X(copysign, Copysign)                     \
  X(heaviside, Heaviside)                   \
  X(ldexp, Ldexp)                           \
  X(fmax, Fmax)                             \
  X(fmin, Fmin)                             \
  X(gcd, Gcd)                               \
  X(lcm, Lcm)                               \
  X(bitwise_left_shift, BitwiseLeftShift)   \
  X(bitwise_right_shift, BitwiseRightShift) \
  X(addcmul, Addcmul)                       \
  X(addcdiv, Addcdiv)

// Formulas without a public name of their own: rows of ops.def call them.
#define LAMINA_ELEMENTWISE_INTERNAL(X) \
  X(prelu, Prelu)                      \
  X(glu, Glu)                          \
  X(nextafter, Nextafter)              \
  X(polygamma, Polygamma)              \
  X(nan_to_num, NanToNum)              \
  X(frexp_mantissa, FrexpMantissa)     \
  X(frexp_exponent, FrexpExponent)

// Terms of the losses; Python sees only the losses themselves, rows of ops.def.
#define LAMINA_ELEMENTWISE_LOSS(X) \
  X(mse_loss, MseTerm)             \
  X(l1_loss, L1Term)               \
  X(smooth_l1_loss, SmoothL1Term)  \
  X(binary_cross_entropy_with_logits, BceLogitsTerm)

// GROUP(tiles, LIST): every list in order. Each has a file of its own, so that no file takes long to compile.
#define LAMINA_ELEMENTWISE_GROUPS(GROUP)                 \
  GROUP(kUnaryTiles, LAMINA_ELEMENTWISE_UNARY)           \
  GROUP(kActivationTiles, LAMINA_ELEMENTWISE_ACTIVATION) \
  GROUP(kBinaryTiles, LAMINA_ELEMENTWISE_BINARY)         \
  GROUP(kTernaryTiles, LAMINA_ELEMENTWISE_TERNARY)       \
  GROUP(kInverseTiles, LAMINA_ELEMENTWISE_INVERSE)       \
  GROUP(kSpecialTiles, LAMINA_ELEMENTWISE_SPECIAL)       \
  GROUP(kPairTiles, LAMINA_ELEMENTWISE_PAIRS)            \
  GROUP(kLossTiles, LAMINA_ELEMENTWISE_LOSS)             \
  GROUP(kInternalTiles, LAMINA_ELEMENTWISE_INTERNAL)

#define LAMINA_ELEMENTWISE_PUBLIC(X) \
  LAMINA_ELEMENTWISE_UNARY(X)        \
  LAMINA_ELEMENTWISE_ACTIVATION(X)   \
  LAMINA_ELEMENTWISE_BINARY(X)       \
  LAMINA_ELEMENTWISE_TERNARY(X)      \
  LAMINA_ELEMENTWISE_INVERSE(X)      \
  LAMINA_ELEMENTWISE_SPECIAL(X)      \
  LAMINA_ELEMENTWISE_PAIRS(X)
#define LAMINA_ELEMENTWISE(X)  \
  LAMINA_ELEMENTWISE_PUBLIC(X) \
  LAMINA_ELEMENTWISE_LOSS(X)   \
  LAMINA_ELEMENTWISE_INTERNAL(X)

enum class Ew : uint16_t {
#define X(name, Formula) Formula,
  LAMINA_ELEMENTWISE(X)
#undef X
};
inline constexpr int kNumElementwise = 0
#define X(name, Formula) +1
    LAMINA_ELEMENTWISE(X);
inline constexpr int kNamedElementwise = 0 LAMINA_ELEMENTWISE_PUBLIC(X);  // those Python sees, the first
#undef X

}  // namespace lamina
