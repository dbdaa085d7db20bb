// How a kernel call names a formula. Apart from the list of them, so that a new formula recompiles few files.
#pragma once
#include <cstdint>

namespace lamina {

enum class Ew : uint16_t;  // elementwise_ops.h

// part 0 is the forward formula (inputs x...); part i + 1 is the gradient for input i (inputs g, x..., y).
struct EwOp {
  Ew op;
  uint8_t part = 0;
};

}  // namespace lamina
