// Elementwise operations that check their arguments or fill in defaults before a formula runs.
#include <algorithm>
#include <cmath>

#include "lamina/autograd.h"
#include "lamina/ops.h"
#include "reduce.h"

namespace lamina {
namespace {

double largest(DType t) {
  switch (t) {
    case DType::float16:
      return 65504;
    case DType::bfloat16:
      return 0x1.fep127;
    case DType::float32:
      return 0x1.fffffep127;
    default:
      return 0x1.fffffffffffffp1023;
  }
}

struct Replacements {
  double nan, posinf, neginf;
};
Replacements replacements(DType t, std::optional<double> nan, std::optional<double> posinf,
                          std::optional<double> neginf) {
  return {nan.value_or(0), posinf.value_or(largest(t)), neginf.value_or(-largest(t))};
}

// Half floats are computed as float32, whose neighbours are others.
void check_neighbours(const char* op, const Tensor& x, const Tensor& other) {
  for (const Tensor* t : {&x, &other})
    if (t->dtype() != DType::float32 && t->dtype() != DType::float64)
      raise<DtypeError>(op, ": needs float32 or float64, got ", describe("input", x), ", ", describe("other", other));
}

}  // namespace

Tensor logit(const Tensor& x, std::optional<double> eps) { return elementwise(Ew::Logit, {x, eps.value_or(-1)}); }
Tensor logit_(const Tensor& self, std::optional<double> eps) {
  Tensor x = self;
  return elementwise_(Ew::Logit, x, {eps.value_or(-1)});
}

Tensor nan_to_num(const Tensor& x, std::optional<double> nan, std::optional<double> posinf,
                  std::optional<double> neginf) {
  if (!is_floating(x.dtype())) return clone(x);
  const Replacements r = replacements(x.dtype(), nan, posinf, neginf);
  return elementwise(Ew::NanToNum, {x, r.nan, r.posinf, r.neginf});
}
Tensor nan_to_num_(const Tensor& self, std::optional<double> nan, std::optional<double> posinf,
                   std::optional<double> neginf) {
  if (!is_floating(self.dtype())) return self;
  const Replacements r = replacements(self.dtype(), nan, posinf, neginf);
  Tensor x = self;
  return elementwise_(Ew::NanToNum, x, {r.nan, r.posinf, r.neginf});
}

Tensor polygamma(int64_t n, const Tensor& x) {
  if (n < 0 || n > 100) raise<ValueError>("polygamma: n must be within 0 and 100, got ", n);
  return n == 0 ? elementwise(Ew::Digamma, {x}) : elementwise(Ew::Polygamma, {x, double(n)});
}

Tensor mvlgamma(const Tensor& x, int64_t p) {
  if (p < 1 || p > 1000) raise<ValueError>("mvlgamma: p must be from 1 to 1000, got ", p);
  Tensor y = elementwise(Ew::Lgamma, {x});
  for (int64_t j = 1; j < p; ++j) y = y + elementwise(Ew::Lgamma, {x - 0.5 * double(j)});
  return y + 0.25 * double(p * (p - 1)) * 1.1447298858494002;  // log pi
}

Tensor prelu(const Tensor& x, const Tensor& weight) {
  const int64_t channels = x.dim() > 1 ? x.shape()[1] : 1;
  if (weight.dim() > 1 || (weight.numel() != 1 && weight.numel() != channels))
    raise<ShapeError>("prelu: weight must have one element or one for each of the ", channels,
                      " channels (dim 1 of input): ", describe("input", x), ", ", describe("weight", weight));
  if (weight.dtype() != x.dtype())
    raise<DtypeError>("prelu: input and weight must have one dtype: ", describe("input", x), ", ",
                      describe("weight", weight));
  Dims shape(size_t(x.dim()), 1);
  if (x.dim() > 1) shape[1] = weight.numel();
  return elementwise(Ew::Prelu, {x, reshape(weight, shape)});
}

Tensor glu(const Tensor& x, int64_t dim) {
  if (x.dim() == 0) raise<ShapeError>("glu: needs at least one dim, got ", describe("input", x));
  const int64_t d = wrap_dim(dim, x.dim(), "glu"), size = x.shape()[size_t(d)];
  if (size % 2 != 0)
    raise<ShapeError>("glu: the size of dim ", dim, " must be even, got ", size, ": ", describe("input", x));
  return elementwise(Ew::Glu, {narrow(x, d, 0, size / 2), narrow(x, d, size / 2, size / 2)});
}

Tensor rrelu(const Tensor& x, double lower, double upper, bool training) {
  if (!(lower <= upper)) raise<ValueError>("rrelu: needs lower <= upper, got lower ", lower, " and upper ", upper);
  if (!training) return elementwise(Ew::LeakyRelu, {x, (lower + upper) / 2});
  need_floating("rrelu", x);
  const Tensor slope = uniform_(empty_like(x), lower, upper);
  return elementwise(Ew::Prelu, {x, slope});
}

Tensor nextafter(const Tensor& x, const Tensor& other) {
  check_neighbours("nextafter", x, other);
  return elementwise(Ew::Nextafter, {x, other});
}
Tensor nextafter_(const Tensor& self, const Tensor& other) {
  check_neighbours("nextafter_", self, other);
  Tensor x = self;
  return elementwise_(Ew::Nextafter, x, {other});
}

TensorPair frexp(const Tensor& x) {
  need_floating("frexp", x);
  return {elementwise(Ew::FrexpMantissa, {x}), to(elementwise(Ew::FrexpExponent, {x.detach()}), DType::int32)};
}

Tensor float_power(const Operand& x, const Operand& exponent) {
  return elementwise(Ew::Pow, {to(x, DType::float64), to(exponent, DType::float64)});
}
Tensor float_power_(const Tensor& self, const Operand& exponent) {
  if (self.dtype() != DType::float64)
    raise<DtypeError>("float_power_: the result is float64 and does not fit in ", describe("self", self));
  Tensor x = self;
  return elementwise_(Ew::Pow, x, {to(exponent, DType::float64)});
}

Tensor rsub(const Tensor& x, const Operand& other, Scalar alpha) {
  return elementwise(Ew::Sub, {other, x, alpha.to_double()});
}

Tensor positive(const Tensor& x) {
  if (x.dtype() == DType::bool_) raise<DtypeError>("positive: bool has no sign: ", describe("input", x));
  return x;
}

Tensor isreal(const Tensor& x) { return full(x.shape(), true, DType::bool_, x.device()); }

// Blocks of test elements, so that the table of comparisons stays small.
Tensor isin(const Operand& elements, const Operand& test_elements, bool, bool invert) {
  const NoGrad guard;
  const Tensor x = unsqueeze(elements, -1), t = reshape(test_elements, Dims{-1});
  constexpr int64_t kTable = 1 << 20;
  const int64_t count = t.numel(), step = std::max<int64_t>(1, kTable / std::max<int64_t>(1, x.numel()));
  Tensor found = full(elements.shape(), false, DType::bool_, elements.device());
  for (int64_t i = 0; i < count; i += step) {
    const Tensor block = narrow(t, 0, i, std::min(step, count - i));
    found = found | any(elementwise(Ew::Eq, {x, block}), Dims{-1});
  }
  return invert ? elementwise(Ew::LogicalNot, {found}) : found;
}

}  // namespace lamina
