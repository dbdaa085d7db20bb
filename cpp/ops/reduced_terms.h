// Losses that are a sum or mean over one elementwise formula.
#pragma once
#include "lamina/ops.h"

namespace lamina {

// The formula over all operands, reduced to a number: one node, whose backward is the formula's own gradient.
Tensor reduced_terms(Ew op, std::span<const EwArg> args, Reduction reduction);
inline Tensor reduced_terms(Ew op, std::initializer_list<EwArg> args, Reduction reduction) {
  return reduced_terms(op, std::span(args.begin(), args.size()), reduction);
}

}  // namespace lamina
