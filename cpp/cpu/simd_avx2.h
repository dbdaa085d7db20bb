// The part of Vec<T> that needs AVX2 and FMA instructions (x86-64-v3). Included by simd.h.
#pragma once

namespace lamina::cpu::inline LAMINA_ISA {

LAMINA_INLINE Vec<float> fma(Vec<float> a, Vec<float> b, Vec<float> c) { return _mm256_fmadd_ps(a.v, b.v, c.v); }
LAMINA_INLINE Vec<double> fma(Vec<double> a, Vec<double> b, Vec<double> c) { return _mm256_fmadd_pd(a.v, b.v, c.v); }
LAMINA_INLINE Vec<float> sqrt(Vec<float> a) { return _mm256_sqrt_ps(a.v); }
LAMINA_INLINE Vec<double> sqrt(Vec<double> a) { return _mm256_sqrt_pd(a.v); }
LAMINA_INLINE Vec<float> rint(Vec<float> a) {
  return _mm256_round_ps(a.v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
LAMINA_INLINE Vec<double> rint(Vec<double> a) {
  return _mm256_round_pd(a.v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
LAMINA_INLINE Vec<float> lesser(Vec<float> a, Vec<float> b) { return _mm256_min_ps(a.v, b.v); }
LAMINA_INLINE Vec<double> lesser(Vec<double> a, Vec<double> b) { return _mm256_min_pd(a.v, b.v); }
LAMINA_INLINE Vec<float> greater(Vec<float> a, Vec<float> b) { return _mm256_max_ps(a.v, b.v); }
LAMINA_INLINE Vec<double> greater(Vec<double> a, Vec<double> b) { return _mm256_max_pd(a.v, b.v); }
template <class T>
LAMINA_INLINE bool any(Mask<T> m) {
  return !_mm256_testz_si256((__m256i)m.m, (__m256i)m.m);
}

// table[i mod 16] for a table of 16 floats.
LAMINA_INLINE Vec<float> lookup16(const float* table, Vec<int32_t> i) {
  const __m256 low = _mm256_permutevar8x32_ps(_mm256_loadu_ps(table), (__m256i)i.v);
  const __m256 high = _mm256_permutevar8x32_ps(_mm256_loadu_ps(table + 8), (__m256i)i.v);
  return _mm256_blendv_ps(low, high, _mm256_castsi256_ps(_mm256_slli_epi32((__m256i)i.v, 28)));
}

LAMINA_INLINE Vec<double> widen_low(Vec<float> x) { return _mm256_cvtps_pd(_mm256_castps256_ps128(x.v)); }
LAMINA_INLINE Vec<double> widen_high(Vec<float> x) { return _mm256_cvtps_pd(_mm256_extractf128_ps(x.v, 1)); }
LAMINA_INLINE Vec<float> narrow(Vec<double> low, Vec<double> high) {
  return _mm256_set_m128(_mm256_cvtpd_ps(high.v), _mm256_cvtpd_ps(low.v));
}

// Lane i of the mask is set where i < n.
template <class T>
LAMINA_INLINE __m256i first_lanes(int n) {
  if constexpr (sizeof(T) == 4)
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
  else
    return _mm256_cmpgt_epi64(_mm256_set1_epi64x(n), _mm256_setr_epi64x(0, 1, 2, 3));
}
template <class T>
LAMINA_INLINE Vec<T> Vec<T>::load(const T* p, int n) {
  if constexpr (sizeof(T) == 4)
    return native(_mm256_maskload_epi32(reinterpret_cast<const int*>(p), first_lanes<T>(n)));
  else
    return native(_mm256_maskload_epi64(reinterpret_cast<const long long*>(p), first_lanes<T>(n)));
}
template <class T>
LAMINA_INLINE void Vec<T>::store(T* p, int n) const {
  if constexpr (sizeof(T) == 4)
    _mm256_maskstore_epi32(reinterpret_cast<int*>(p), first_lanes<T>(n), (__m256i)v);
  else
    _mm256_maskstore_epi64(reinterpret_cast<long long*>(p), first_lanes<T>(n), (__m256i)v);
}

}  // namespace lamina::cpu::inline LAMINA_ISA
