// Writing along a dim, which scattering and reducing by index share.
#pragma once
#include "lamina/reduce_ops.h"
#include "lamina/tensor.h"

namespace lamina {

// self[index along dim] = how(self[...], src) for prod, amax and amin; no gradient, no version. self shares no memory
// with index and src.
void combine_along(const char* op, ReduceOp how, const Tensor& self, int64_t dim, const Tensor& index,
                   const Tensor& src);

// Writes where an index names a place more than once: true at positions whose write was the last to its place, in
// row-major order. What the others wrote is gone, and so is its gradient. Undefined where no place was written twice.
Tensor last_writers(const TensorList& indices, const Dims& sizes);  // one index per dim of the written, or undefined
Tensor last_writers_along(int64_t dim, int64_t size, const Tensor& index);
// The gradient with 0 where the write was lost.
Tensor without_lost(const Tensor& gradient, const Tensor& last);

}  // namespace lamina
