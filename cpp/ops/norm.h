// What the normalisations share: optional operands and the checks of weight and bias.
#pragma once
#include <algorithm>

#include "reduce.h"

namespace lamina {

inline View optional_view(const Tensor& t) { return t.defined() ? t.view_of() : View{}; }

// A weight or bias: its own dtype, or float32 beside a 16-bit input.
inline void check_parameter(const char* op, const char* label, const Tensor& p, const Tensor& x,
                            std::span<const int64_t> shape) {
  if (!p.defined()) return;
  if (!std::ranges::equal(p.shape(), shape))
    raise<ShapeError>(op, ": ", label, " must have shape ", to_string(shape), ": ", describe("input", x), ", ",
                      describe(label, p));
  const bool wider = p.dtype() == DType::float32 && (x.dtype() == DType::float16 || x.dtype() == DType::bfloat16);
  if (p.dtype() != x.dtype() && !wider)
    raise<DtypeError>(op, ": ", label, " has another dtype than input: ", describe("input", x), ", ",
                      describe(label, p), ". Convert one with .to(dtype)");
  if (p.device() != x.device())
    raise<DeviceError>(op, ": ", label, " is on another device: ", describe("input", x), ", ", describe(label, p),
                       ". Move one with .to(device)");
}

}  // namespace lamina
