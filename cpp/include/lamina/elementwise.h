// One formula per elementwise operation; every other form of it is derived from this text: SIMD lanes, CUDA threads,
// first derivative (Dual), second derivative (T = Tensor), Python binding, stub, documentation and tests.
#pragma once
#include <cstdint>
#include <string_view>
#include <type_traits>

#include "lamina/dual.h"
#include "lamina/elementwise_ops.h"
#include "lamina/host_device.h"
#include "lamina/math.h"

namespace lamina {

// Which dtypes an operation takes and returns.
enum class EwKind : uint8_t {
  floating,    // integers become the default float dtype
  arithmetic,  // any number; the result has the promoted dtype
  predicate,   // any number; the result is bool
  bitwise,     // integers and bool
  logical,     // anything, read as bool; the result is bool
  selection,   // a condition read as bool, then two values of any dtype; the result has the values' promoted dtype
};
// What the gradient formulas read besides g.
enum class EwSaves : uint8_t { nothing, inputs, output, both };

struct EwParam {
  std::string_view name;
  double value = 0;  // default
};

struct EwSpec {
  std::string_view doc;
  EwKind kind = EwKind::floating;
  EwSaves saves = EwSaves::inputs;
  bool differentiable = true;
  double lo = -3, hi = 3;  // where tests draw their inputs
  EwParam params[3] = {};  // extra numbers, in order, as fwd sees them in p
};

// Base of every formula. Op::fwd(x..., p) takes any scalar kind; bwd<I> may be hidden by a hand-written one.
template <class Op, int Arity>
struct Formula {
  static constexpr int arity = Arity;
};

template <class Op>
struct Unary : Formula<Op, 1> {
  template <int I, class T>
  LAMINA_FN static T bwd(T g, T x, T, const double* p) {
    return g * Op::fwd(Dual<T>(x, T(1)), p).d;
  }
};
template <class Op>
struct Binary : Formula<Op, 2> {
  template <int I, class T>
  LAMINA_FN static T bwd(T g, T a, T b, T, const double* p) {
    return g * Op::fwd(Dual<T>(a, T(I == 0 ? 1 : 0)), Dual<T>(b, T(I == 1 ? 1 : 0)), p).d;
  }
};
template <class Op>
struct Ternary : Formula<Op, 3> {
  template <int I, class T>
  LAMINA_FN static T bwd(T g, T a, T b, T c, T, const double* p) {
    return g *
           Op::fwd(Dual<T>(a, T(I == 0 ? 1 : 0)), Dual<T>(b, T(I == 1 ? 1 : 0)), Dual<T>(c, T(I == 2 ? 1 : 0)), p).d;
  }
};

namespace ew {

// The words of the formulas. SIMD lanes, Dual and Tensor bring theirs by argument-dependent lookup.
using namespace forward;

template <class T>
inline constexpr bool kInteger = std::is_integral_v<math::lane_t<T>>;

// 1 where c holds, else 0.
template <class T, class C>
LAMINA_FN T as_number(C c) {
  return select(c, T(1), T(0));
}

}  // namespace ew
}  // namespace lamina

#include "lamina/elementwise_activation.h"
#include "lamina/elementwise_binary.h"
#include "lamina/elementwise_inverse.h"
#include "lamina/elementwise_loss.h"
#include "lamina/elementwise_pairs.h"
#include "lamina/elementwise_special.h"
#include "lamina/elementwise_unary.h"
