// What the generic elementwise code knows of each operation: name, arity, spec and its gradients written with tensors.
#pragma once
#include "lamina/elementwise.h"
#include "lamina/ops.h"

namespace lamina {

struct EwInfo {
  std::string_view name;
  int arity;
  EwSpec spec;
  // Gradient for input i as tensor operations: differentiable again. Null where the op has no gradient.
  Tensor (*gradient[3])(const Tensor& g, const Tensor* x, const Tensor& y, const double* p);
};

const EwInfo& ew_info(Ew op);
int ew_count();

}  // namespace lamina
