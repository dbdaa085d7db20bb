// Writing along a dim, which scattering and reducing by index share.
#pragma once
#include "lamina/reduce_ops.h"
#include "lamina/tensor.h"

namespace lamina {

// self[index along dim] = how(self[...], src) for prod, amax and amin; no gradient, no version. self shares no memory
// with index and src.
void combine_along(const char* op, ReduceOp how, const Tensor& self, int64_t dim, const Tensor& index,
                   const Tensor& src);

}  // namespace lamina
