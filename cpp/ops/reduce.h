// Shapes and kernel calls that all reductions share.
#pragma once
#include "lamina/autograd.h"
#include "lamina/devices.h"
#include "lamina/ops.h"

namespace lamina {

// Which dims are reduced, and the result's shape with and without them.
struct Reduced {
  Dims kept, shape;   // with reduced dims as 1; as the result has it
  Dims dims;          // the reduced dims, ascending
  int64_t count = 1;  // elements that meet in one result
};

Reduced reduced_shape(const char* op, const Tensor& x, const OptDims& dim, bool keepdim);
// One dim, or all of them.
Reduced reduced_shape(const char* op, const Tensor& x, std::optional<int64_t> dim, bool keepdim);
void need_floating(const char* op, const Tensor& x);
// An extremum of nothing does not exist.
void need_elements(const char* op, const Tensor& x, const Reduced& r);

// Gradient of the p-norm y of x, with operations.
Tensor norm_backward(const Tensor& gradient, const Tensor& x, const Tensor& norm_value, double p, const Reduced& r);

Tensor run_reduce(ReduceOp op, const Tensor& x, const Reduced& r, DType dtype, double p = 0);

}  // namespace lamina
