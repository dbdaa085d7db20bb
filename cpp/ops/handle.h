// A stand-in for an operand inside a gradient that is written by running operations again.
#pragma once
#include "lamina/autograd.h"

namespace lamina {

// x under a node of its own: a gradient for it counts what flows through this use of x, not what reaches x through
// other operands.
inline Tensor handle(const Tensor& x) {
  Tensor y = alias(x);
  if (recording({x})) record("handle", y, {x}, [](Grads& d, const Tensor& g) { d[0] = g; });
  return y;
}

}  // namespace lamina
