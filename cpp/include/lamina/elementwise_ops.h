// The one list of elementwise operations; elementwise.h holds their formulas.
#pragma once
#include <cstdint>

namespace lamina {

// X(name, Formula): `name` is the function people call, `Formula` its struct in elementwise.h.
#define LAMINA_ELEMENTWISE(X) \
  X(add, Add)                 \
  X(mul, Mul)                 \
  X(gt, Gt)                   \
  X(exp, Exp)                 \
  X(relu, Relu)

enum class Ew : uint16_t {
#define X(name, Formula) Formula,
  LAMINA_ELEMENTWISE(X)
#undef X
};

// part 0 is the forward formula (inputs x...); part i + 1 is the gradient for input i (inputs g, x..., y).
struct EwOp {
  Ew op;
  uint8_t part = 0;
};

}  // namespace lamina
