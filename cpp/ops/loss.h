// What the losses share.
#pragma once
#include "reduce.h"

namespace lamina {

inline Tensor reduce_loss(const Tensor& l, Reduction reduction) {
  if (reduction == Reduction::none) return l;
  return reduction == Reduction::mean ? mean(l) : sum(l);
}

}  // namespace lamina
