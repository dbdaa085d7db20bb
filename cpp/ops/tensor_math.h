// The vocabulary of the formulas for T = Tensor, where a name differs from the operation of the same meaning.
#pragma once
#include "lamina/ops.h"

namespace lamina {

inline Tensor select(const Tensor& condition, const Tensor& a, const Tensor& b) { return where(condition, a, b); }
inline Tensor polygamma(const Tensor& x, double n) { return elementwise(Ew::Polygamma, {x, n}); }

}  // namespace lamina
