// The register tile of the matrix product: R rows by V vectors of columns, one k chunk, any strides of a, rows of b.
#pragma once
#include "cpu/gemm.h"
#include "cpu/simd.h"

namespace lamina::cpu::inline LAMINA_ISA {

// The largest tile: as many accumulators as the registers of the level hold.
#if defined(__AVX512F__)
inline constexpr int kTileRows = 14, kTileVecs = 2;
#elif defined(__AVX2__)
inline constexpr int kTileRows = 6, kTileVecs = 2;
#else
inline constexpr int kTileRows = 2, kTileVecs = 2;
#endif
template <class T>
inline constexpr int kTileCols = kTileVecs * Vec<T>::size;

// c[i][j] = (first ? 0 : c[i][j]) + sum over p < k of a[i ars + p acs] b[p brs + j], then + d[i][j]; j < n columns.
template <class T>
struct Tile {
  int64_t k;
  const T* a;
  int64_t ars, acs;
  const T* b;
  int64_t brs;
  T* c;
  int64_t crs;
  int64_t n;
  bool first;
  const T* d;        // null but for the last chunk
  int64_t drs, dcs;  // dcs: 0 or 1
};

// The first n lanes of a vector, in memory that ends there.
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

// Tail: the last vector may be partial. Rows are addressed from every fourth one: base + {0, 1, 2, 3} ars.
template <class T, int R, int V, bool Tail>
void tile(const Tile<T>& t) {
  constexpr int kBases = (R + 3) / 4, kSize = Vec<T>::size;
  const Lanes<T> last(Tail ? t.n - (V - 1) * kSize : kSize);
  Vec<T> acc[R][V];
#pragma GCC unroll 16
  for (int i = 0; i < R; ++i) {
#pragma GCC unroll 4
    for (int j = 0; j < V; ++j) acc[i][j] = Vec<T>(T(0));
  }
  const int64_t s = t.ars, s3 = 3 * s, acs = t.acs, brs = t.brs;
  const T* a[kBases];
#pragma GCC unroll 4
  for (int q = 0; q < kBases; ++q) a[q] = t.a + 4 * q * s;
  const T* b = t.b;
  for (int64_t p = t.k; p > 0; --p) {
    Vec<T> x[V];
#pragma GCC unroll 4
    for (int j = 0; j < V; ++j) x[j] = Tail && j == V - 1 ? last.load(b + j * kSize) : Vec<T>::load(b + j * kSize);
#pragma GCC unroll 16
    for (int i = 0; i < R; ++i) {
      const T* r = a[i / 4];
      const Vec<T> v(i % 4 == 0 ? r[0] : i % 4 == 1 ? r[s] : i % 4 == 2 ? r[2 * s] : r[s3]);
#pragma GCC unroll 4
      for (int j = 0; j < V; ++j) acc[i][j] = fma(v, x[j], acc[i][j]);
    }
#pragma GCC unroll 4
    for (int q = 0; q < kBases; ++q) a[q] += acs;
    b += brs;
  }
  const bool first = t.first;
  const T* d = t.d;
#pragma GCC unroll 16
  for (int i = 0; i < R; ++i) {
    T* c = t.c + i * t.crs;
#pragma GCC unroll 4
    for (int j = 0; j < V; ++j) {
      const bool part = Tail && j == V - 1;
      Vec<T> y = acc[i][j];
      if (!first) y = (part ? last.load(c + j * kSize) : Vec<T>::load(c + j * kSize)) + y;
      if (d) {
        const T* e = d + i * t.drs;
        y = y + (t.dcs == 0 ? Vec<T>(*e) : part ? last.load(e + j * kSize) : Vec<T>::load(e + j * kSize));
      }
      if (part) {
        last.store(c + j * kSize, y);
      } else {
        y.store(c + j * kSize);
      }
    }
  }
}

// How many rows the next tile takes of m that are left: full tiles, then two halves, so that no tile is thin.
LAMINA_INLINE int tile_rows(int64_t m) {
  constexpr int kHalf = kTileRows > 8 ? 8 : kTileRows;
  if (m <= kHalf) return int(m);
  if (m < kTileRows || (m > kTileRows && m <= 2 * kHalf)) return int(m + 1) / 2;
  return kTileRows;
}

template <class T>
using TileFn = void (*)(const Tile<T>&);

// The tile function for a row count from tile_rows and n columns.
template <class T>
TileFn<T> tile_function(int rows, int64_t n);

}  // namespace lamina::cpu::inline LAMINA_ISA
