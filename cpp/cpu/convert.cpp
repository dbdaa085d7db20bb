// Conversion between dtypes: one function per pair, vectorised by the compiler where both sides are contiguous.
#include "cpu/convert.h"

#include "lamina/round_odd.h"

namespace lamina::cpu::inline LAMINA_ISA {
namespace {

template <class T>
inline constexpr bool kIs16 = std::is_same_v<T, Half> || std::is_same_v<T, BFloat16>;

LAMINA_INLINE float half_to_float(Half h) {
  const uint32_t sign = uint32_t(h.bits & 0x8000u) << 16, rest = h.bits & 0x7fffu;
  // The exponent moves by 112; subnormals and infinity are mended by a float multiplication and a test.
  const float scaled = __builtin_bit_cast(float, rest << 13) * 0x1p112f;
  const uint32_t u = rest >= 0x7c00u ? (0x7f800000u | (rest << 13)) : __builtin_bit_cast(uint32_t, scaled);
  return __builtin_bit_cast(float, u | sign);
}
LAMINA_INLINE uint16_t float_to_half(float f) {
  const uint32_t u = __builtin_bit_cast(uint32_t, f), a = u & 0x7fffffffu;
  const uint32_t sign = (u >> 16) & 0x8000u;
  const float small = __builtin_bit_cast(float, a) + 0.5f;  // rounds at 2^-24
  const uint32_t subnormal = __builtin_bit_cast(uint32_t, small) - 0x3f000000u;
  const uint32_t normal = (a - 0x38000000u + 0xfffu + ((a >> 13) & 1u)) >> 13;
  uint32_t r = a < 0x38800000u ? subnormal : normal;
  r = a >= 0x477ff000u ? 0x7c00u : r;
  r = a > 0x7f800000u ? (0x7e00u | ((a >> 13) & 1023u)) : r;
  return uint16_t(r | sign);
}
LAMINA_INLINE float bfloat16_to_float(BFloat16 x) { return __builtin_bit_cast(float, uint32_t(x.bits) << 16); }
LAMINA_INLINE uint16_t float_to_bfloat16(float f) {
  const uint32_t u = __builtin_bit_cast(uint32_t, f);
  const uint32_t r = (u + 0x7fffu + ((u >> 16) & 1u)) >> 16;
  return uint16_t((u & 0x7fffffffu) > 0x7f800000u ? (u >> 16) | 0x40u : r);
}
template <class F>
LAMINA_INLINE int64_t to_int64(F x) {
  if (!(x == x)) return 0;
  return x >= F(0x1p63) ? INT64_MAX : x < F(-0x1p63) ? INT64_MIN : int64_t(x);
}

template <class To, class From>
LAMINA_INLINE To cast(From x) {
  if constexpr (std::is_same_v<To, From>)
    return x;
  else if constexpr (std::is_same_v<From, Half>)
    return cast<To>(half_to_float(x));
  else if constexpr (std::is_same_v<From, BFloat16>)
    return cast<To>(bfloat16_to_float(x));
  else if constexpr (std::is_same_v<To, bool>)
    return x != From(0);
  else if constexpr (std::is_same_v<To, Half>)
    return {float_to_half(odd_float(x))};
  else if constexpr (std::is_same_v<To, BFloat16>)
    return {float_to_bfloat16(odd_float(x))};
  else if constexpr (std::is_floating_point_v<From> && std::is_integral_v<To>)
    return To(to_int64(x));
  else
    return To(x);
}

// A bool may hold any nonzero byte (foreign memory): read as a number.
template <class T>
using Stored = std::conditional_t<std::is_same_v<T, bool>, uint8_t, T>;

// Kept scalar: gathers gain nothing, and 100 pairs of vectorised strided loops would be half of the library.
template <class From, class To>
[[gnu::noinline, gnu::optimize("no-tree-vectorize")]] void convert_strided(Block src, Block dst, int64_t rows,
                                                                           int64_t cols) {
  const auto* s = static_cast<const Stored<From>*>(src.data);
  To* d = static_cast<To*>(dst.data);
  for (int64_t r = 0; r < rows; ++r, s += src.row, d += dst.row)
    for (int64_t c = 0; c < cols; ++c) d[c * dst.col] = cast<To>(s[c * src.col]);
}
template <class T>
[[gnu::noinline]] void fill_run(T* d, T value, int64_t n) {
  for (int64_t i = 0; i < n; ++i) d[i] = value;
}
template <class From, class To>
void convert_block(Block src, Block dst, int64_t rows, int64_t cols) {
  constexpr int64_t short_row = 16;
  if (cols < short_row || dst.col != 1 || (src.col != 1 && src.col != 0))
    return convert_strided<From, To>(src, dst, rows, cols);
  const auto* s = static_cast<const Stored<From>*>(src.data);
  To* d = static_cast<To*>(dst.data);
  for (int64_t r = 0; r < rows; ++r, s += src.row, d += dst.row) {
    if (src.col == 0) {
      fill_run(d, cast<To>(*s), cols);
    } else if constexpr (std::is_same_v<Stored<From>, To>) {
      std::memcpy(d, s, size_t(cols) * sizeof(To));
    } else {
      for (int64_t i = 0; i < cols; ++i) d[i] = cast<To>(s[i]);
    }
  }
}

#define ROW(From)                                                                             \
  {convert_block<From, bool>,    convert_block<From, uint8_t>,  convert_block<From, int8_t>,  \
   convert_block<From, int16_t>, convert_block<From, int32_t>,  convert_block<From, int64_t>, \
   convert_block<From, Half>,    convert_block<From, BFloat16>, convert_block<From, float>,   \
   convert_block<From, double>}
constexpr ConvertFn kConvert[kNumDTypes][kNumDTypes] = {ROW(bool),    ROW(uint8_t), ROW(int8_t), ROW(int16_t),
                                                        ROW(int32_t), ROW(int64_t), ROW(Half),   ROW(BFloat16),
                                                        ROW(float),   ROW(double)};
#undef ROW

}  // namespace

ConvertFn convert_fn(DType from, DType to) { return kConvert[int(from)][int(to)]; }

}  // namespace lamina::cpu::inline LAMINA_ISA
