// A Python-like number: bool, integer or float.
#pragma once
#include <cstdint>
#include <type_traits>

#include "lamina/dtype.h"

namespace lamina {

class Scalar {
 public:
  Scalar() : Scalar(int64_t(0)) {}
  template <class T>
    requires std::is_arithmetic_v<T>
  Scalar(T v) {
    if constexpr (std::is_same_v<T, bool>) {
      kind_ = Kind::boolean, i_ = v;
    } else if constexpr (std::is_integral_v<T>) {
      kind_ = Kind::integer, i_ = int64_t(v);
    } else {
      kind_ = Kind::floating, d_ = double(v);
    }
  }
  bool is_bool() const { return kind_ == Kind::boolean; }
  bool is_integral() const { return kind_ == Kind::integer; }
  bool is_floating() const { return kind_ == Kind::floating; }
  double to_double() const { return is_floating() ? d_ : double(i_); }
  // Floats outside the range of int64 saturate; NaN is 0.
  int64_t to_int() const {
    if (!is_floating()) return i_;
    if (!(d_ == d_)) return 0;
    if (d_ >= 0x1p63) return INT64_MAX;
    if (d_ < -0x1p63) return INT64_MIN;
    return int64_t(d_);
  }
  bool to_bool() const { return is_floating() ? d_ != 0 : i_ != 0; }

 private:
  enum class Kind : uint8_t { boolean, integer, floating };
  Kind kind_;
  union {
    int64_t i_;
    double d_;
  };
};

}  // namespace lamina
