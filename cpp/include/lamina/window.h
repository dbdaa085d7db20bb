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

// One axis of the input gradient of a convolution. Inputs that are equal modulo the stride meet the same taps; those of
// the phase `first` are inputs first + stride * j for j < count and taps tap + step * t for t < taps. They are a
// convolution of stride 1 over the outputs, with these taps backwards, padding `pad` and dilation `dil`.
struct Phase {
  int64_t count, taps, tap, step, pad, dil;
};

[[gnu::always_inline]] inline Phase phase_of(int64_t first, int64_t size, int64_t kernel, int64_t stride, int64_t pad,
                                             int64_t dil) {
  int64_t a = stride, b = dil;
  while (b) {
    const int64_t r = a % b;
    a = b, b = r;
  }
  const int64_t step = stride / a;
  Phase p{first < size ? (size - first + stride - 1) / stride : 0, 0, 0, step, 0, dil / a};
  while (p.tap < step && (first + pad - p.tap * dil) % stride != 0) ++p.tap;
  if (p.tap == step || p.tap >= kernel) return p;
  p.taps = (kernel - p.tap + step - 1) / step;
  p.pad = (p.taps - 1) * p.dil - (first + pad - p.tap * dil) / stride;
  return p;
}

}  // namespace lamina
