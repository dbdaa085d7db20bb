// Geometry of a 2-D sliding window (convolution, pooling): {vertical, horizontal} pairs.
#pragma once
#include <cstdint>

namespace lamina {

// Output row o and tap k read input row o * stride - padding + k * dilation. `padding` is what lies above and left of
// the input; what lies below and right follows from the output's shape. Padding may be negative (cropping).
struct Window {
  int64_t kernel[2] = {1, 1};
  int64_t stride[2] = {1, 1};
  int64_t padding[2] = {0, 0};
  int64_t dilation[2] = {1, 1};
};

}  // namespace lamina
