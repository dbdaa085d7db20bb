// Elementwise operations whose arguments go beyond operands and numbers: optional bounds, modes, rounding.
#include <cmath>

#include "lamina/autograd.h"
#include "lamina/ops.h"

namespace lamina {
namespace {

Ew clamp_op(const std::optional<Operand>& min, const std::optional<Operand>& max) {
  if (!min && !max) raise<ValueError>("clamp: at least one of min and max must be given");
  return min && max ? Ew::Clamp : min ? Ew::ClampMin : Ew::ClampMax;
}

Ew division(std::optional<std::string_view> mode) {
  if (!mode) return Ew::Div;
  if (*mode == "floor") return Ew::FloorDivide;
  if (*mode == "trunc") return Ew::TruncDivide;
  raise<ValueError>("div: rounding_mode must be None, 'floor' or 'trunc', got '", *mode, "'");
}

// x scaled by 10^decimals, rounded to even and scaled back.
Tensor rounded(const Tensor& x, int64_t decimals) {
  if (decimals == 0 || !is_floating(x.dtype())) return elementwise(Ew::Round, {x});
  if (decimals > 300 || decimals < -300)
    raise<ValueError>("round: decimals must be within -300 and 300, got ", decimals);
  double scale = 1;
  for (int64_t i = 0; i < std::abs(decimals); ++i) scale *= 10;
  return decimals > 0 ? elementwise(Ew::Round, {x * scale}) / scale : elementwise(Ew::Round, {x / scale}) * scale;
}

}  // namespace

Tensor clamp(const Tensor& x, const std::optional<Operand>& min, const std::optional<Operand>& max) {
  const Ew op = clamp_op(min, max);
  return op == Ew::Clamp ? elementwise(op, {x, *min, *max}) : elementwise(op, {x, min ? *min : *max});
}
Tensor clamp_(const Tensor& self, const std::optional<Operand>& min, const std::optional<Operand>& max) {
  const Ew op = clamp_op(min, max);
  Tensor x = self;
  return op == Ew::Clamp ? elementwise_(op, x, {*min, *max}) : elementwise_(op, x, {min ? *min : *max});
}

Tensor div(const Tensor& x, const Operand& other, std::optional<std::string_view> rounding_mode) {
  return elementwise(division(rounding_mode), {x, other});
}
Tensor div_(const Tensor& self, const Operand& other, std::optional<std::string_view> rounding_mode) {
  Tensor x = self;
  return elementwise_(division(rounding_mode), x, {other});
}

Tensor round(const Tensor& x, int64_t decimals) { return rounded(x, decimals); }

Tensor gelu(const Tensor& x, std::string_view approximate) {
  if (approximate != "none" && approximate != "tanh")
    raise<ValueError>("gelu: approximate must be 'none' or 'tanh', got '", approximate, "'");
  return elementwise(approximate == "none" ? Ew::Gelu : Ew::GeluTanh, {x});
}

Tensor where(const Tensor& condition, const Operand& input, const Operand& other) {
  return elementwise(Ew::Where, {condition, input, other});
}

// ---- comparisons of whole tensors ----

bool equal(const Tensor& x, const Tensor& other) {
  const NoGrad guard;
  return x.shape() == other.shape() && !any(elementwise(Ew::Ne, {x, other})).item().to_bool();
}

Tensor isclose(const Tensor& x, const Tensor& other, double rtol, double atol, bool equal_nan) {
  const NoGrad guard;
  if (!(rtol >= 0 && atol >= 0))
    raise<ValueError>("isclose: rtol and atol must not be negative, got rtol ", rtol, ", atol ", atol);
  if (x.dtype() != other.dtype())
    raise<DtypeError>("isclose: input and other must have one dtype: ", describe("input", x), ", ",
                      describe("other", other));
  const Tensor a = is_floating(x.dtype()) ? x : to(x, DType::float64),
               b = is_floating(x.dtype()) ? other : to(other, DType::float64);
  // An infinite `other` would allow any distance.
  const Tensor near = elementwise(Ew::Le, {elementwise(Ew::Abs, {a - b}), atol + rtol * elementwise(Ew::Abs, {b})});
  Tensor close = (a == b) | (near & elementwise(Ew::Isfinite, {a}) & elementwise(Ew::Isfinite, {b}));
  if (equal_nan) close = close | (elementwise(Ew::Isnan, {a}) & elementwise(Ew::Isnan, {b}));
  return close;
}

bool allclose(const Tensor& x, const Tensor& other, double rtol, double atol, bool equal_nan) {
  const NoGrad guard;
  return !any(!isclose(x, other, rtol, atol, equal_nan)).item().to_bool();
}

}  // namespace lamina
