// Square<T>: a square block of a matrix, loaded so that its columns become registers (a transposition on the fly).
#pragma once
#include "cpu/simd.h"

namespace lamina::cpu::inline LAMINA_ISA {

#if defined(__AVX2__)
// 32-byte registers at every AVX level. Halves are joined by loads, so that shuffles stay within 128-bit lanes.
template <class T>
struct Square;

template <>
struct Square<float> {
  static constexpr int n = 8;
  using V = __m256;
  LAMINA_INLINE static V join(const float* lo, const float* hi) {
    return _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(lo)), _mm_loadu_ps(hi), 1);
  }
  // column[q][i] = row[i][q]
  LAMINA_INLINE static void load(const float* const* row, V* column) {
#pragma GCC unroll 2
    for (int c = 0; c < 8; c += 4) {
      const V x0 = join(row[0] + c, row[4] + c), x1 = join(row[1] + c, row[5] + c);
      const V x2 = join(row[2] + c, row[6] + c), x3 = join(row[3] + c, row[7] + c);
      const __m256d a = _mm256_castps_pd(_mm256_unpacklo_ps(x0, x1)), b = _mm256_castps_pd(_mm256_unpackhi_ps(x0, x1));
      const __m256d d = _mm256_castps_pd(_mm256_unpacklo_ps(x2, x3)), e = _mm256_castps_pd(_mm256_unpackhi_ps(x2, x3));
      column[c] = _mm256_castpd_ps(_mm256_unpacklo_pd(a, d));
      column[c + 1] = _mm256_castpd_ps(_mm256_unpackhi_pd(a, d));
      column[c + 2] = _mm256_castpd_ps(_mm256_unpacklo_pd(b, e));
      column[c + 3] = _mm256_castpd_ps(_mm256_unpackhi_pd(b, e));
    }
  }
  LAMINA_INLINE static V zero() { return _mm256_setzero_ps(); }
  LAMINA_INLINE static V broadcast(float x) { return _mm256_set1_ps(x); }
  LAMINA_INLINE static V load(const float* p) { return _mm256_loadu_ps(p); }
  LAMINA_INLINE static void store(float* p, V x) { _mm256_storeu_ps(p, x); }
  LAMINA_INLINE static V fma(V a, V b, V c) { return _mm256_fmadd_ps(a, b, c); }
  LAMINA_INLINE static V add(V a, V b) { return _mm256_add_ps(a, b); }
};

template <>
struct Square<double> {
  static constexpr int n = 4;
  using V = __m256d;
  LAMINA_INLINE static V join(const double* lo, const double* hi) {
    return _mm256_insertf128_pd(_mm256_castpd128_pd256(_mm_loadu_pd(lo)), _mm_loadu_pd(hi), 1);
  }
  LAMINA_INLINE static void load(const double* const* row, V* column) {
#pragma GCC unroll 2
    for (int c = 0; c < 4; c += 2) {
      const V x0 = join(row[0] + c, row[2] + c), x1 = join(row[1] + c, row[3] + c);
      column[c] = _mm256_unpacklo_pd(x0, x1);
      column[c + 1] = _mm256_unpackhi_pd(x0, x1);
    }
  }
  LAMINA_INLINE static V zero() { return _mm256_setzero_pd(); }
  LAMINA_INLINE static V broadcast(double x) { return _mm256_set1_pd(x); }
  LAMINA_INLINE static V load(const double* p) { return _mm256_loadu_pd(p); }
  LAMINA_INLINE static void store(double* p, V x) { _mm256_storeu_pd(p, x); }
  LAMINA_INLINE static V fma(V a, V b, V c) { return _mm256_fmadd_pd(a, b, c); }
  LAMINA_INLINE static V add(V a, V b) { return _mm256_add_pd(a, b); }
};
#else
template <class T>
struct Square {
  static constexpr int n = Vec<T>::size;
  using V = Vec<T>;
  LAMINA_INLINE static void load(const T* const* row, V* column) {
    for (int q = 0; q < n; ++q) {
      typename Native<T>::type x = {};
      for (int i = 0; i < n; ++i) x[i] = row[i][q];
      column[q] = x;
    }
  }
  LAMINA_INLINE static V zero() { return V(T(0)); }
  LAMINA_INLINE static V broadcast(T x) { return V(x); }
  LAMINA_INLINE static V load(const T* p) { return V::load(p); }
  LAMINA_INLINE static void store(T* p, V x) { x.store(p); }
  LAMINA_INLINE static V fma(V a, V b, V c) { return cpu::fma(a, b, c); }
  LAMINA_INLINE static V add(V a, V b) { return a + b; }
};
#endif

}  // namespace lamina::cpu::inline LAMINA_ISA
