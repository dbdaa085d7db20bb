// The numbers of one optimizer step, for the fused kernels.
#pragma once
#include <cstdint>

namespace lamina {

struct SgdStep {
  double lr, momentum = 0, dampening = 0, weight_decay = 0;
  bool nesterov = false, maximize = false;
  const bool* fresh = nullptr;  // per tensor: its momentum buffer has no value yet and becomes the gradient
};

struct AdamStep {
  double lr = 1e-3, beta1 = 0.9, beta2 = 0.999, eps = 1e-8, weight_decay = 0;
  bool decoupled = false, maximize = false;  // decoupled: AdamW
  const int64_t* steps = nullptr;            // per tensor: the number of this step, from 1
};

}  // namespace lamina
