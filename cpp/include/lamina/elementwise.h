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
};
// What the gradient formulas read besides g.
enum class EwSaves : uint8_t { nothing, inputs, output, both };

struct EwParam {
  std::string_view name;
  double value;  // default
};

struct EwSpec {
  std::string_view doc;
  EwKind kind = EwKind::floating;
  EwSaves saves = EwSaves::inputs;
  bool differentiable = true;
  double lo = -3, hi = 3;      // where tests draw their inputs
  EwParam params[3] = {};      // extra numbers, in order, as fwd sees them in p
};

// Base of every formula. Op::fwd(x..., p) takes any scalar kind; bwd<I> may be hidden by a hand-written one.
template <class Op, int Arity>
struct Formula {
  static constexpr int arity = Arity;
};

template <class Op>
struct Unary : Formula<Op, 1> {
  template <int I, class T>
  LAMINA_HD static T bwd(T g, T x, T, const double* p) {
    return g * Op::fwd(Dual<T>(x, T(1)), p).d;
  }
};
template <class Op>
struct Binary : Formula<Op, 2> {
  template <int I, class T>
  LAMINA_HD static T bwd(T g, T a, T b, T, const double* p) {
    return g * Op::fwd(Dual<T>(a, T(I == 0 ? 1 : 0)), Dual<T>(b, T(I == 1 ? 1 : 0)), p).d;
  }
};

namespace ew {

struct Add : Binary<Add> {
  static constexpr EwSpec spec{"input + alpha * other.", EwKind::arithmetic, EwSaves::nothing};
  template <class T>
  LAMINA_HD static T fwd(T a, T b, const double*) {
    return a + b;
  }
  template <int I, class T>
  LAMINA_HD static T bwd(T g, T, T, T, const double*) {
    return g;
  }
};
struct Mul : Binary<Mul> {
  static constexpr EwSpec spec{"input * other.", EwKind::arithmetic};
  template <class T>
  LAMINA_HD static T fwd(T a, T b, const double*) {
    return a * b;
  }
  template <int I, class T>
  LAMINA_HD static T bwd(T g, T a, T b, T, const double*) {
    return g * (I == 0 ? b : a);
  }
};
struct Gt : Binary<Gt> {
  static constexpr EwSpec spec{"input > other.", EwKind::predicate, EwSaves::nothing, false};
  template <class T>
  LAMINA_HD static T fwd(T a, T b, const double*) {
    return select(a > b, T(1), T(0));
  }
};
struct Exp : Unary<Exp> {
  static constexpr EwSpec spec{"e to the power of input.", EwKind::floating, EwSaves::output};
  template <class T>
  LAMINA_HD static T fwd(T x, const double*) {
    return exp(x);
  }
  template <int I, class T>
  LAMINA_HD static T bwd(T g, T, T y, const double*) {
    return g * y;
  }
};
struct Relu : Unary<Relu> {
  static constexpr EwSpec spec{"max(input, 0).", EwKind::arithmetic, EwSaves::output};
  template <class T>
  LAMINA_HD static T fwd(T x, const double*) {
    return select(x > T(0), x, T(0));
  }
  template <int I, class T>
  LAMINA_HD static T bwd(T g, T, T y, const double*) {
    return select(y > T(0), g, T(0));
  }
};

}  // namespace ew
}  // namespace lamina
