// Ranks of lines, which sorting, selecting and medians share.
#pragma once
#include "lamina/autograd.h"
#include "lamina/ops.h"

namespace lamina {

// Ranks first to first + count of every line along dim, in stable order, with their places. No gradient.
ValuesIndices ranked(const char* op, const Tensor& x, int64_t dim, bool descending, int64_t first, int64_t count);
// x at places along dim (each line's own), with a gradient; without keepdim the dim is dropped.
Tensor at_places(const Tensor& x, int64_t dim, const Tensor& places, bool keepdim);

}  // namespace lamina
