// Pooling over the rows and columns of (N, C, H, W), under the name that errors should give. pool_forms.cpp makes the
// pools of one and three dims of these.
#pragma once
#include "lamina/autograd.h"
#include "lamina/devices.h"
#include "lamina/ops.h"
#include "memory_format.h"
#include "window.h"

namespace lamina {

// Lists hold one number or a (vertical, horizontal) pair. The second result is undefined unless wanted.
TensorPair max_windows(const char* op, const Tensor& x, const Dims& kernel, const OptDims& stride, const Dims& padding,
                       const Dims& dilation, bool ceil_mode, bool want_indices);
// divisor 0: the number of places counted.
Tensor mean_windows(const char* op, const Tensor& x, const Dims& kernel, const OptDims& stride, const Dims& padding,
                    bool ceil_mode, bool count_include_pad, int64_t divisor);
Tensor adaptive_means(const char* op, const Tensor& x, int64_t rows, int64_t columns);

}  // namespace lamina
