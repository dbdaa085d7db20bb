// What the convolutions of one, two and three dims share: their geometry, their checks, and the operations behind them.
#pragma once
#include "lamina/autograd.h"
#include "lamina/devices.h"
#include "lamina/ops.h"
#include "memory_format.h"
#include "window.h"

namespace lamina {

// A sliding window over up to three dims, (depth, rows, columns); the last `rank` entries are used.
struct Slide {
  int64_t rank, kernel[3] = {1, 1, 1}, stride[3] = {1, 1, 1}, padding[3] = {0, 0, 0}, dilation[3] = {1, 1, 1};
  int64_t groups = 1;
  ImageOrder order = ImageOrder::interleaved;  // of the images that it makes, gradients included
  // Rows and columns, as the 2-D kernels want them.
  Window window() const {
    return {{kernel[1], kernel[2]}, {stride[1], stride[2]}, {padding[1], padding[2]}, {dilation[1], dilation[2]}};
  }
};

// 2-D: x (N, C, H, W), w (OC, C / groups, KH, KW), bias (OC) or undefined -> shape `out` (N, OC, OH, OW).
Tensor convolve2(const Tensor& x, const Tensor& w, const Tensor& bias, const Dims& out, const Slide& s);
Tensor input_grad2(const Tensor& g, const Tensor& w, const Dims& input, const Slide& s);
// 3-D, the same with depth before the rows.
Tensor convolve3(const Tensor& x, const Tensor& w, const Tensor& bias, const Dims& out, const Slide& s);
Tensor input_grad3(const Tensor& g, const Tensor& w, const Dims& input, const Slide& s);

}  // namespace lamina
