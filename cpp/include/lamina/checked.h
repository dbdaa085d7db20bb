// Checked integer arithmetic: every size, stride and byte count goes through here.
#pragma once
#include <cstdint>

#include "lamina/error.h"

namespace lamina::checked {

inline int64_t add(int64_t a, int64_t b, const char* what = "size") {
  int64_t r;
  if (__builtin_add_overflow(a, b, &r)) raise<ShapeError>(what, ": ", a, " + ", b, " does not fit in 64 bits");
  return r;
}
inline int64_t sub(int64_t a, int64_t b, const char* what = "size") {
  int64_t r;
  if (__builtin_sub_overflow(a, b, &r)) raise<ShapeError>(what, ": ", a, " - ", b, " does not fit in 64 bits");
  return r;
}
inline int64_t mul(int64_t a, int64_t b, const char* what = "size") {
  int64_t r;
  if (__builtin_mul_overflow(a, b, &r)) raise<ShapeError>(what, ": ", a, " * ", b, " does not fit in 64 bits");
  return r;
}

}  // namespace lamina::checked
