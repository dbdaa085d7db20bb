// Elements of any dtype read into, and written from, a compute type: the same conversions as on the CPU.
#pragma once
#include <type_traits>

#include "lamina/dtype.h"
#include "lamina/round_odd.h"

namespace lamina::cuda {

// Towards zero, saturated, NaN is 0.
template <class F>
LAMINA_HD inline int64_t to_int64(F x) {
  if (!(x == x)) return 0;
  return x >= F(0x1p63) ? INT64_MAX : x < F(-0x1p63) ? INT64_MIN : int64_t(x);
}

template <class To, class From>
LAMINA_HD inline To cast(From x) {
  if constexpr (std::is_same_v<To, From>) {
    return x;
  } else if constexpr (std::is_same_v<From, Half> || std::is_same_v<From, BFloat16>) {
    return cast<To>(to_float(x));
  } else if constexpr (std::is_same_v<To, bool>) {
    return x != From(0);
  } else if constexpr (std::is_same_v<To, Half>) {
    return to_half(odd_float(x));
  } else if constexpr (std::is_same_v<To, BFloat16>) {
    return to_bfloat16(odd_float(x));
  } else if constexpr (std::is_floating_point_v<From> && std::is_integral_v<To>) {
    return To(to_int64(x));
  } else {
    return To(x);
  }
}

// Element i as a C; bool is read as a byte, since foreign memory may hold any.
template <class C>
LAMINA_HD inline C load(const void* p, int64_t i, DType dtype) {
  switch (dtype) {
    case DType::bool_:
      return cast<C>(static_cast<const uint8_t*>(p)[i] != 0);
    case DType::uint8:
      return cast<C>(static_cast<const uint8_t*>(p)[i]);
    case DType::int8:
      return cast<C>(static_cast<const int8_t*>(p)[i]);
    case DType::int16:
      return cast<C>(static_cast<const int16_t*>(p)[i]);
    case DType::int32:
      return cast<C>(static_cast<const int32_t*>(p)[i]);
    case DType::int64:
      return cast<C>(static_cast<const int64_t*>(p)[i]);
    case DType::float16:
      return cast<C>(static_cast<const Half*>(p)[i]);
    case DType::bfloat16:
      return cast<C>(static_cast<const BFloat16*>(p)[i]);
    case DType::float32:
      return cast<C>(static_cast<const float*>(p)[i]);
    case DType::float64:
      return cast<C>(static_cast<const double*>(p)[i]);
  }
  return C(0);
}

template <class C>
LAMINA_HD inline void store(void* p, int64_t i, DType dtype, C x) {
  switch (dtype) {
    case DType::bool_:
      static_cast<bool*>(p)[i] = cast<bool>(x);
      return;
    case DType::uint8:
      static_cast<uint8_t*>(p)[i] = cast<uint8_t>(x);
      return;
    case DType::int8:
      static_cast<int8_t*>(p)[i] = cast<int8_t>(x);
      return;
    case DType::int16:
      static_cast<int16_t*>(p)[i] = cast<int16_t>(x);
      return;
    case DType::int32:
      static_cast<int32_t*>(p)[i] = cast<int32_t>(x);
      return;
    case DType::int64:
      static_cast<int64_t*>(p)[i] = cast<int64_t>(x);
      return;
    case DType::float16:
      static_cast<Half*>(p)[i] = cast<Half>(x);
      return;
    case DType::bfloat16:
      static_cast<BFloat16*>(p)[i] = cast<BFloat16>(x);
      return;
    case DType::float32:
      static_cast<float*>(p)[i] = cast<float>(x);
      return;
    case DType::float64:
      static_cast<double*>(p)[i] = cast<double>(x);
      return;
  }
}

}  // namespace lamina::cuda
