// The part of Vec<T> that needs AVX-512 instructions (x86-64-v4). Included by simd.h.
#pragma once

namespace lamina::cpu::inline LAMINA_ISA {

LAMINA_INLINE Vec<float> fma(Vec<float> a, Vec<float> b, Vec<float> c) { return _mm512_fmadd_ps(a.v, b.v, c.v); }
LAMINA_INLINE Vec<double> fma(Vec<double> a, Vec<double> b, Vec<double> c) { return _mm512_fmadd_pd(a.v, b.v, c.v); }
LAMINA_INLINE Vec<float> sqrt(Vec<float> a) { return _mm512_sqrt_ps(a.v); }
LAMINA_INLINE Vec<double> sqrt(Vec<double> a) { return _mm512_sqrt_pd(a.v); }
LAMINA_INLINE Vec<float> rint(Vec<float> a) { return _mm512_roundscale_ps(a.v, 8); }
LAMINA_INLINE Vec<double> rint(Vec<double> a) { return _mm512_roundscale_pd(a.v, 8); }
LAMINA_INLINE Vec<float> lesser(Vec<float> a, Vec<float> b) { return _mm512_min_ps(a.v, b.v); }
LAMINA_INLINE Vec<double> lesser(Vec<double> a, Vec<double> b) { return _mm512_min_pd(a.v, b.v); }
LAMINA_INLINE Vec<float> greater(Vec<float> a, Vec<float> b) { return _mm512_max_ps(a.v, b.v); }
LAMINA_INLINE Vec<double> greater(Vec<double> a, Vec<double> b) { return _mm512_max_pd(a.v, b.v); }
// x * 2^k for an integer-valued k, rounded once.
LAMINA_INLINE Vec<float> scalb(Vec<float> x, Vec<float> k) { return _mm512_scalef_ps(x.v, k.v); }
LAMINA_INLINE Vec<double> scalb(Vec<double> x, Vec<double> k) { return _mm512_scalef_pd(x.v, k.v); }
LAMINA_INLINE bool any(Mask<float> m) { return _mm512_movepi32_mask((__m512i)m.m) != 0; }
LAMINA_INLINE bool any(Mask<double> m) { return _mm512_movepi64_mask((__m512i)m.m) != 0; }
LAMINA_INLINE bool any(Mask<int32_t> m) { return _mm512_movepi32_mask((__m512i)m.m) != 0; }
LAMINA_INLINE bool any(Mask<int64_t> m) { return _mm512_movepi64_mask((__m512i)m.m) != 0; }

LAMINA_INLINE Vec<double> widen_low(Vec<float> x) { return _mm512_cvtps_pd(_mm512_castps512_ps256(x.v)); }
LAMINA_INLINE Vec<double> widen_high(Vec<float> x) { return _mm512_cvtps_pd(_mm512_extractf32x8_ps(x.v, 1)); }
LAMINA_INLINE Vec<float> narrow(Vec<double> low, Vec<double> high) {
  return _mm512_insertf32x8(_mm512_castps256_ps512(_mm512_cvtpd_ps(low.v)), _mm512_cvtpd_ps(high.v), 1);
}

template <class T>
LAMINA_INLINE Vec<T> Vec<T>::load(const T* p, int n) {
  if constexpr (sizeof(T) == 4)
    return native(_mm512_maskz_loadu_epi32(__mmask16((1u << n) - 1), p));
  else
    return native(_mm512_maskz_loadu_epi64(__mmask8((1u << n) - 1), p));
}
template <class T>
LAMINA_INLINE void Vec<T>::store(T* p, int n) const {
  if constexpr (sizeof(T) == 4)
    _mm512_mask_storeu_epi32(p, __mmask16((1u << n) - 1), (__m512i)v);
  else
    _mm512_mask_storeu_epi64(p, __mmask8((1u << n) - 1), (__m512i)v);
}

}  // namespace lamina::cpu::inline LAMINA_ISA
