// Numbers on their way to a 16-bit float, so that they are rounded once.
#pragma once
#include <bit>
#include <cstdint>
#include <type_traits>

#include "lamina/host_device.h"

namespace lamina {

// A float that rounds to 16 bits as x itself does. Where no float equals x, it is the neighbour with the odd last bit:
// never a tie of the second rounding, and on the same side of every tie as x.
template <class T>
LAMINA_HD [[gnu::always_inline]] constexpr float odd_float(T x) {
  if constexpr (std::is_same_v<T, double>) {
    const float nearest = float(x);
    const double back = double(nearest);
    const bool above = (back < 0 ? -back : back) > (x < 0 ? -x : x);
    return std::bit_cast<float>((std::bit_cast<uint32_t>(nearest) - uint32_t(above)) | uint32_t(back != x));
  } else if constexpr (std::is_integral_v<T> && sizeof(T) == 8) {
    // Below bit 11 the same is done among integers: the result is exact in double.
    const bool small = x < T(1) << 53 && x > -(T(1) << 53);
    return odd_float(double(small ? x : T((x & ~T(2047)) | T((x & 2047) != 0) << 11)));
  } else if constexpr (std::is_integral_v<T> && sizeof(T) == 4) {
    return odd_float(double(x));
  } else {
    return float(x);
  }
}

}  // namespace lamina
