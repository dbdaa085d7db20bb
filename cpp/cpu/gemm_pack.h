// Packing for the matrix product: strided panels to contiguous ones, with transposition in registers and conversion.
#pragma once
#include "cpu/gemm.h"
#include "cpu/gemm_lanes.h"

namespace lamina::cpu::inline LAMINA_ISA {

template <class T>
LAMINA_INLINE T gemm_load(T x) {
  return x;
}
LAMINA_INLINE float gemm_load(BFloat16 x) { return __builtin_bit_cast(float, uint32_t(x.bits) << 16); }
LAMINA_INLINE float gemm_load(Half x) {
#if defined(__AVX2__)
  return _cvtsh_ss(x.bits);
#else
  const uint32_t sign = uint32_t(x.bits & 0x8000u) << 16, magnitude = uint32_t(x.bits & 0x7fffu);
  if (magnitude >= 0x7c00u) return __builtin_bit_cast(float, sign | 0x7f800000u | (magnitude << 13));
  // Scaling by 2^112 moves the exponent bias and normalises subnormal values; exact.
  return __builtin_bit_cast(float,
                            sign | __builtin_bit_cast(uint32_t, __builtin_bit_cast(float, magnitude << 13) * 0x1p112f));
#endif
}

// dst[p width + i] = src[i is + p ps] for i < w <= width, p < k; columns from w to width are unspecified. width is at
// most two vectors. Writes up to kPackSlack elements past the panel. Source type S (converted), computing type T.
inline constexpr int kPackSlack = 32;
template <class S, class T>
void pack_panel(const S* src, int64_t is, int64_t ps, int w, int width, int64_t k, T* dst);

// out[i rs + j cs] = src[i width + j], rounded to S, plus d before rounding (as in Gemm).
template <class S, class T>
void unpack_block(const T* src, int64_t width, int64_t m, int64_t n, const Gemm<S>& g);

}  // namespace lamina::cpu::inline LAMINA_ISA
