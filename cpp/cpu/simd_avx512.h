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
// Codes: 0 y, 1 x, 3 the default NaN, 4 -infinity, 5 infinity. Classes, from the lowest nibble on:
// quiet NaN, signalling NaN, zero, one, -infinity, infinity, negative, positive.
inline constexpr int kLogEdges = 0x03530411;
LAMINA_INLINE bool any(Mask<float> m) { return _mm512_movepi32_mask((__m512i)m.m) != 0; }
LAMINA_INLINE bool any(Mask<double> m) { return _mm512_movepi64_mask((__m512i)m.m) != 0; }
LAMINA_INLINE bool any(Mask<int32_t> m) { return _mm512_movepi32_mask((__m512i)m.m) != 0; }
LAMINA_INLINE bool any(Mask<int64_t> m) { return _mm512_movepi64_mask((__m512i)m.m) != 0; }

// x = 2^e m with 3/4 <= m < 3/2, for positive finite x.
LAMINA_INLINE Vec<float> mantissa(Vec<float> x) {
  return _mm512_getmant_ps(x.v, _MM_MANT_NORM_p75_1p5, _MM_MANT_SIGN_src);
}
LAMINA_INLINE Vec<double> mantissa(Vec<double> x) {
  return _mm512_getmant_pd(x.v, _MM_MANT_NORM_p75_1p5, _MM_MANT_SIGN_src);
}
LAMINA_INLINE Vec<float> exponent(Vec<float> x, Vec<float> m) {
  const __m512 e = _mm512_getexp_ps(x.v);
  return _mm512_sub_ps(e, _mm512_getexp_ps(m.v));
}
LAMINA_INLINE Vec<double> exponent(Vec<double> x, Vec<double> m) {
  const __m512d e = _mm512_getexp_pd(x.v);
  return _mm512_sub_pd(e, _mm512_getexp_pd(m.v));
}
// y, but what a logarithm returns where x is 0, negative, infinite or NaN: one nibble per class of x, from quiet NaN
// on.
LAMINA_INLINE Vec<float> log_edges(Vec<float> x, Vec<float> y) {
  return _mm512_fixupimm_ps(y.v, x.v, _mm512_set1_epi32(kLogEdges), 0);
}
LAMINA_INLINE Vec<double> log_edges(Vec<double> x, Vec<double> y) {
  return _mm512_fixupimm_pd(y.v, x.v, _mm512_set1_epi64(kLogEdges), 0);
}

// table[i mod 16] for a table of 16 floats.
LAMINA_INLINE Vec<float> lookup16(const float* table, Vec<int32_t> i) {
  return _mm512_permutexvar_ps((__m512i)i.v, _mm512_loadu_ps(table));
}

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
