// Every operation as a C++ function: the elementwise list and the rows of ops.def, with operators for Tensor.
#pragma once
#include <initializer_list>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "lamina/elementwise_ops.h"
#include "lamina/tensor.h"

namespace lamina {

class Generator;  // random.h

enum class Reduction : uint8_t { none, mean, sum };

// Argument kinds of ops.def beyond the plain C++ ones.
struct Size : Dims {  // a shape; Python also takes it as separate numbers: view(2, 3)
  using Dims::Dims;
  Size(const Dims& d) : Dims(d) {}
};
struct OutputSize : Dims {  // sizes of an output; Python's None is kAsInput
  static constexpr int64_t kAsInput = std::numeric_limits<int64_t>::min();
  using Dims::Dims;
  OutputSize(const Dims& d) : Dims(d) {}
};
using OptDims = std::optional<Dims>;  // None, one dim or several
using Numbers = std::vector<double>;  // one float or several
struct Operand : Tensor {             // a tensor or a number
  Operand() = default;
  Operand(const Tensor& t) : Tensor(t) {}
  template <class T>
    requires std::is_arithmetic_v<T>
  Operand(T v) : Tensor(weak_scalar(Scalar(v))) {}
};
struct Tensors : TensorList {  // a list of tensors; Python also takes them one by one: block_diag(a, b)
  using TensorList::TensorList;
  Tensors(const TensorList& l) : TensorList(l) {}
};
struct DimsPair {  // the dims of two tensors that belong together, or how many of them
  std::optional<int64_t> count;
  Dims first, second;
  DimsPair(int64_t n = 0) : count(n) {}
  DimsPair(int n) : count(n) {}
  DimsPair(const Dims& a, const Dims& b) : first(a), second(b) {}
};
struct Flag {  // a bool that no number stands for: tells overloads apart
  bool on = false;
};
struct Padding {  // numbers, or "same" / "valid"
  Dims size;
  std::string mode;
  Padding(int64_t p = 0) : size{p} {}
  Padding(int p) : size{p} {}
  Padding(std::initializer_list<int64_t> p) : size(p) {}
  Padding(const Dims& p) : size(p) {}
  Padding(const char* m) : mode(m) {}
};

struct ValuesIndices {
  Tensor values, indices;
};
struct TensorPair {
  Tensor first, second;
};
struct MinMax {
  Tensor min, max;
};
struct Histogram {
  Tensor hist, bin_edges;
};
struct Several {  // Python: one tensor, or a tuple where there are more
  TensorList all;
  operator Tensor() const { return all[0]; }
};
struct MaybePair {  // Python: one tensor, or a pair where second is defined
  Tensor first, second;
  operator Tensor() const { return first; }
};

// ---- elementwise ----
struct EwArg {
  const Tensor* tensor = nullptr;
  Scalar number;
  EwArg(const Tensor& t) : tensor(&t) {}
  template <class T>
    requires std::is_arithmetic_v<T>
  EwArg(T v) : number(v) {}
};
template <class T>
concept EwArgument = std::is_base_of_v<Tensor, T> || std::is_arithmetic_v<T>;

// Operands first (tensors or numbers, broadcast), then the op's extra numbers.
Tensor elementwise(Ew op, std::span<const EwArg> args);
inline Tensor elementwise(Ew op, std::initializer_list<EwArg> args) {
  return elementwise(op, std::span(args.begin(), args.size()));
}
// Writes the result into the first operand.
Tensor& elementwise_(Ew op, Tensor& self, std::span<const EwArg> others);
inline Tensor& elementwise_(Ew op, Tensor& self, std::initializer_list<EwArg> others) {
  return elementwise_(op, self, std::span(others.begin(), others.size()));
}

#define X(name, Formula)                                      \
  template <EwArgument... A>                                  \
    requires(std::is_base_of_v<Tensor, A> || ...)             \
  Tensor name(const A&... args) {                             \
    return elementwise(Ew::Formula, {EwArg(args)...});        \
  }                                                           \
  template <EwArgument... A>                                  \
  Tensor& name##_(Tensor& self, const A&... args) {           \
    return elementwise_(Ew::Formula, self, {EwArg(args)...}); \
  }
LAMINA_ELEMENTWISE_PUBLIC(X)
#undef X

// ---- structured and composite ----
#define OP(where, name, R, signature, doc) R name signature;
#include "lamina/ops.def"
#undef OP

// ---- operators ----
template <class A, class B>
concept TensorWithNumber =
    EwArgument<A> && EwArgument<B> && (std::is_base_of_v<Tensor, A> || std::is_base_of_v<Tensor, B>);
#define LAMINA_OPERATOR(symbol, Formula)           \
  template <class A, class B>                      \
    requires TensorWithNumber<A, B>                \
  Tensor operator symbol(const A& a, const B& b) { \
    return elementwise(Ew::Formula, {a, b});       \
  }
LAMINA_OPERATOR(+, Add)
LAMINA_OPERATOR(-, Sub)
LAMINA_OPERATOR(*, Mul)
LAMINA_OPERATOR(/, Div)
LAMINA_OPERATOR(<, Lt)
LAMINA_OPERATOR(<=, Le)
LAMINA_OPERATOR(>, Gt)
LAMINA_OPERATOR(>=, Ge)
LAMINA_OPERATOR(==, Eq)
LAMINA_OPERATOR(!=, Ne)
LAMINA_OPERATOR(&, BitwiseAnd)
LAMINA_OPERATOR(|, BitwiseOr)
LAMINA_OPERATOR(^, BitwiseXor)
LAMINA_OPERATOR(<<, BitwiseLeftShift)
LAMINA_OPERATOR(>>, BitwiseRightShift)
#undef LAMINA_OPERATOR
inline Tensor operator-(const Tensor& a) { return elementwise(Ew::Neg, {a}); }
inline Tensor operator!(const Tensor& a) { return elementwise(Ew::LogicalNot, {a}); }

}  // namespace lamina
