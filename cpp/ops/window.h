// Checks shared by convolution and pooling: pairs of numbers, ranks, output sizes.
#pragma once
#include "lamina/checked.h"
#include "lamina/tensor.h"
#include "lamina/window.h"

namespace lamina {

// {3} or {3, 2} -> out[0], out[1], each at least `least`.
inline void read_pair(const char* op, const char* what, const Dims& given, int64_t least, int64_t* out) {
  if (given.size() != 1 && given.size() != 2)
    raise<ShapeError>(op, ": ", what, " must be one number or a pair (vertical, horizontal), got ", to_string(given));
  for (size_t d = 0; d < 2; ++d) {
    out[d] = given[given.size() == 1 ? 0 : d];
    if (out[d] < least) raise<ShapeError>(op, ": ", what, " must be at least ", least, ", got ", to_string(given));
  }
}

// Rank 3 (C, H, W) or 4 (N, C, H, W), and a floating dtype.
inline void check_image(const char* op, const Tensor& x) {
  if (x.dim() != 3 && x.dim() != 4)
    raise<ShapeError>(op, ": input must be (N, C, H, W) or (C, H, W), got ", describe("input", x));
  if (!is_floating(x.dtype()))
    raise<DtypeError>(op, ": needs a floating dtype, got ", describe("input", x), "; convert it with .float()");
}

// Places that a kernel of `taps` taps covers.
inline int64_t reach(const char* op, int64_t taps, int64_t dilation) {
  return checked::add(checked::mul(taps - 1, dilation, op), 1, op);
}

inline Dims channels_last_strides(const Dims& s) {
  const int64_t pixel = std::max<int64_t>(s[1], 1), row = checked::mul(pixel, std::max<int64_t>(s[3], 1));
  return {checked::mul(row, std::max<int64_t>(s[2], 1)), 1, row, pixel};
}

}  // namespace lamina
