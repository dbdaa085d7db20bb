// Lanes<T>: loads and stores of the first n lanes of a vector, for memory that ends there.
#pragma once
#include "cpu/simd.h"

namespace lamina::cpu::inline LAMINA_ISA {

// n <= 0 means no lane, n >= size all of them.
template <class T>
struct Lanes {
#if defined(__AVX512F__)
  uint32_t m;
  LAMINA_INLINE explicit Lanes(int64_t n)
      : m(n >= Vec<T>::size ? (1u << Vec<T>::size) - 1
          : n <= 0          ? 0
                            : (1u << n) - 1) {}
  LAMINA_INLINE Vec<T> load(const T* p) const {
    if constexpr (sizeof(T) == 4) {
      return _mm512_maskz_loadu_ps(__mmask16(m), p);
    } else {
      return _mm512_maskz_loadu_pd(__mmask8(m), p);
    }
  }
  LAMINA_INLINE void store(T* p, Vec<T> x) const {
    if constexpr (sizeof(T) == 4) {
      _mm512_mask_storeu_ps(p, __mmask16(m), x.v);
    } else {
      _mm512_mask_storeu_pd(p, __mmask8(m), x.v);
    }
  }
#elif defined(__AVX2__)
  __m256i m;
  LAMINA_INLINE explicit Lanes(int64_t n) {
    const int64_t c = n < 0 ? 0 : n > 8 ? 8 : n;
    if constexpr (sizeof(T) == 4) {
      m = _mm256_cmpgt_epi32(_mm256_set1_epi32(int(c)), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
    } else {
      m = _mm256_cmpgt_epi64(_mm256_set1_epi64x(c), _mm256_setr_epi64x(0, 1, 2, 3));
    }
  }
  LAMINA_INLINE Vec<T> load(const T* p) const {
    if constexpr (sizeof(T) == 4) {
      return _mm256_maskload_ps(p, m);
    } else {
      return _mm256_maskload_pd(p, m);
    }
  }
  LAMINA_INLINE void store(T* p, Vec<T> x) const {
    if constexpr (sizeof(T) == 4) {
      _mm256_maskstore_ps(p, m, x.v);
    } else {
      _mm256_maskstore_pd(p, m, x.v);
    }
  }
#else
  int64_t n;
  LAMINA_INLINE explicit Lanes(int64_t count) : n(count) {}
  LAMINA_INLINE Vec<T> load(const T* p) const {
    Vec<T> r(T(0));
    for (int i = 0; i < Vec<T>::size; ++i)
      if (i < n) r.v[i] = p[i];
    return r;
  }
  LAMINA_INLINE void store(T* p, Vec<T> x) const {
    for (int i = 0; i < Vec<T>::size; ++i)
      if (i < n) p[i] = x.v[i];
  }
#endif
};

}  // namespace lamina::cpu::inline LAMINA_ISA
