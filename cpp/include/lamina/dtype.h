// Element types: their names, sizes, categories and promotion.
#pragma once
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "lamina/host_device.h"

namespace lamina {

enum class DType : uint8_t { bool_, uint8, int8, int16, int32, int64, float16, bfloat16, float32, float64 };
inline constexpr int kNumDTypes = 10;

// 16-bit storage types. Arithmetic happens in float; rounding is to nearest even.
struct Half {
  uint16_t bits;
};
struct BFloat16 {
  uint16_t bits;
};

LAMINA_HD constexpr float to_float(BFloat16 x) { return std::bit_cast<float>(uint32_t(x.bits) << 16); }
LAMINA_HD constexpr BFloat16 to_bfloat16(float f) {
  const uint32_t u = std::bit_cast<uint32_t>(f);
  if ((u & 0x7fffffffu) > 0x7f800000u) return {uint16_t((u >> 16) | 0x40u)};
  return {uint16_t((u + 0x7fffu + ((u >> 16) & 1u)) >> 16)};
}
LAMINA_HD constexpr float to_float(Half h) {
  const uint32_t sign = uint32_t(h.bits & 0x8000u) << 16;
  const uint32_t exponent = (h.bits >> 10) & 31u, mantissa = h.bits & 1023u;
  if (exponent == 31) return std::bit_cast<float>(sign | 0x7f800000u | (mantissa << 13));
  if (exponent) return std::bit_cast<float>(sign | ((exponent + 112) << 23) | (mantissa << 13));
  const float tiny = float(mantissa) * 0x1p-24f;  // subnormal: exact
  return sign ? -tiny : tiny;
}
LAMINA_HD constexpr Half to_half(float f) {
  const uint32_t u = std::bit_cast<uint32_t>(f), a = u & 0x7fffffffu;
  const uint16_t sign = uint16_t((u >> 16) & 0x8000u);
  if (a > 0x7f800000u) return {uint16_t(sign | 0x7e00u | ((a >> 13) & 1023u))};
  if (a >= 0x477ff000u) return {uint16_t(sign | 0x7c00u)};
  if (a < 0x38800000u) {  // subnormal result: let the float adder round at 2^-24
    const float magic = 0.5f;
    const float r = std::bit_cast<float>(a) + magic;
    return {uint16_t(sign | (std::bit_cast<uint32_t>(r) - std::bit_cast<uint32_t>(magic)))};
  }
  return {uint16_t(sign | ((a - 0x38000000u + 0xfffu + ((a >> 13) & 1u)) >> 13))};
}

constexpr size_t size_of(DType t) {
  constexpr uint8_t sizes[kNumDTypes] = {1, 1, 1, 2, 4, 8, 2, 2, 4, 8};
  return sizes[static_cast<int>(t)];
}
constexpr std::string_view name(DType t) {
  constexpr std::string_view names[kNumDTypes] = {"bool",  "uint8",   "int8",     "int16",   "int32",
                                                  "int64", "float16", "bfloat16", "float32", "float64"};
  return names[static_cast<int>(t)];
}
constexpr bool is_floating(DType t) { return t >= DType::float16; }
constexpr bool is_integral(DType t) { return t < DType::float16 && t != DType::bool_; }

// PyTorch's table: categories bool < integer < float; uint8 with a signed type widens; f16 with bf16 is f32.
constexpr DType promote(DType a, DType b) {
  if (a == b) return a;
  if (a > b) {
    const DType t = a;
    a = b;
    b = t;
  }
  if (a == DType::bool_) return b;
  if (a == DType::uint8 && b == DType::int8) return DType::int16;
  if (a == DType::float16 && b == DType::bfloat16) return DType::float32;
  return b;
}

template <class T>
struct DTypeOf;
#define LAMINA_DTYPE(T, V)                   \
  template <>                                \
  struct DTypeOf<T> {                        \
    static constexpr DType value = DType::V; \
  };
LAMINA_DTYPE(bool, bool_)
LAMINA_DTYPE(uint8_t, uint8)
LAMINA_DTYPE(int8_t, int8)
LAMINA_DTYPE(int16_t, int16)
LAMINA_DTYPE(int32_t, int32)
LAMINA_DTYPE(int64_t, int64)
LAMINA_DTYPE(Half, float16)
LAMINA_DTYPE(BFloat16, bfloat16)
LAMINA_DTYPE(float, float32)
LAMINA_DTYPE(double, float64)
#undef LAMINA_DTYPE

}  // namespace lamina
