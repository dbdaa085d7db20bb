// Checks shared by convolution, pooling and images: lists of sizes, ranks.
#pragma once
#include "lamina/checked.h"
#include "lamina/tensor.h"
#include "lamina/window.h"

namespace lamina {

// {3} or {3, 2} -> `rank` numbers, each at least `least`.
inline void read_sizes(const char* op, const char* what, const Dims& given, int64_t rank, int64_t least, int64_t* out) {
  if (given.size() != 1 && int64_t(given.size()) != rank)
    raise<ShapeError>(op, ": ", what, rank == 1 ? " must be one number, got " : " must be one number or ",
                      rank == 1   ? std::string()
                      : rank == 2 ? "a pair (vertical, horizontal), got "
                                  : "three (depth, vertical, horizontal), got ",
                      to_string(given));
  for (size_t d = 0; d < size_t(rank); ++d) {
    out[d] = given[given.size() == 1 ? 0 : d];
    if (out[d] < least) raise<ShapeError>(op, ": ", what, " must be at least ", least, ", got ", to_string(given));
  }
}

enum class Takes : uint8_t { floats, numbers, everything };

// (C, ...) or (N, C, ...) with `rank` dims behind the channels, and a dtype that the operation takes.
inline void check_image(const char* op, const Tensor& x, int64_t rank = 2, Takes takes = Takes::floats) {
  constexpr const char* axes[4] = {"", "L", "H, W", "D, H, W"};
  if (x.dim() != rank + 1 && x.dim() != rank + 2)
    raise<ShapeError>(op, ": input must be (N, C, ", axes[rank], ") or (C, ", axes[rank], "), got ",
                      describe("input", x));
  if (takes == Takes::numbers && x.dtype() == DType::bool_)
    raise<DtypeError>(op, ": bool is no number, got ", describe("input", x), "; convert it with .float()");
  if (takes == Takes::floats && !is_floating(x.dtype()))
    raise<DtypeError>(op, ": needs a floating dtype, got ", describe("input", x), "; convert it with .float()");
}

// Places that a kernel of `taps` taps covers.
inline int64_t reach(const char* op, int64_t taps, int64_t dilation) {
  return checked::add(checked::mul(taps - 1, dilation, op), 1, op);
}

}  // namespace lamina
