// The register tile of the matrix product: R rows by V vectors of columns, one k chunk, any strides of a, rows of b.
#pragma once
#include "cpu/gemm.h"
#include "cpu/gemm_lanes.h"

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
// k counts whole chunks but for the last call; the sum is formed chunk by chunk.
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
  const T* d;        // null but for the last call
  int64_t drs, dcs;  // dcs: 0 or 1
};

// Tail: the last vector may be partial. Rows are addressed from every fourth one: base + {0, 1, 2, 3} ars.
template <class T, int R, int V, bool Tail>
void tile(const Tile<T>& t) {
  constexpr int kBases = (R + 3) / 4, kSize = Vec<T>::size, kWidth = V * kSize;
  alignas(64) T running[R * kWidth];  // totals between chunks, near at hand while c may be far
  const Lanes<T> last(Tail ? t.n - (V - 1) * kSize : kSize);
  // Strides in bytes: GCC would make a second copy of the loop for an element stride of 1.
  const int64_t s = t.ars, s3 = 3 * s, acs = t.acs * int64_t(sizeof(T)), brs = t.brs * int64_t(sizeof(T));
  const char* a[kBases];
#pragma GCC unroll 4
  for (int q = 0; q < kBases; ++q) a[q] = reinterpret_cast<const char*>(t.a + 4 * q * s);
  const char* at_b = reinterpret_cast<const char*>(t.b);
  const auto load = [&](const T* p, int j)
                        __attribute__((always_inline)) { return Tail && j == V - 1 ? last.load(p) : Vec<T>::load(p); };
  const T* from = t.first ? nullptr : t.c;
  int64_t from_rs = t.crs;
  for (int64_t left = t.k; left > 0;) {
    Vec<T> acc[R][V];
    const auto each = [&](auto&& f) __attribute__((always_inline)) {
#pragma GCC unroll 16
      for (int i = 0; i < R; ++i) {
#pragma GCC unroll 4
        for (int j = 0; j < V; ++j) f(i, j, acc[i][j]);
      }
    };
    each([](int, int, Vec<T>& y) { y = Vec<T>(T(0)); });
    for (int64_t p = left < kGemmChunk ? left : kGemmChunk; p > 0; --p) {
      const T* b = reinterpret_cast<const T*>(at_b);
      Vec<T> x[V];
#pragma GCC unroll 4
      for (int j = 0; j < V; ++j) x[j] = load(b + j * kSize, j);
#pragma GCC unroll 16
      for (int i = 0; i < R; ++i) {
        const T* r = reinterpret_cast<const T*>(a[i / 4]);
        const Vec<T> v(i % 4 == 0 ? r[0] : i % 4 == 1 ? r[s] : i % 4 == 2 ? r[2 * s] : r[s3]);
#pragma GCC unroll 4
        for (int j = 0; j < V; ++j) acc[i][j] = fma(v, x[j], acc[i][j]);
      }
#pragma GCC unroll 4
      for (int q = 0; q < kBases; ++q) a[q] += acs;
      at_b += brs;
    }
    left -= kGemmChunk;
    const bool done = left <= 0;
    T* to = done ? t.c : running;
    const int64_t to_rs = done ? t.crs : kWidth;
    // Each case is a pass of its own over the registers: tests inside would be repeated for every one of them.
    if (from) each([&](int i, int j, Vec<T>& y) { y = load(from + i * from_rs + j * kSize, j) + y; });
    if (const T* d = done ? t.d : nullptr) {
      const int64_t drs = t.drs;
      if (t.dcs == 0) {
        each([&](int i, int, Vec<T>& y) { y = y + Vec<T>(d[i * drs]); });
      } else {
        each([&](int i, int j, Vec<T>& y) { y = y + load(d + i * drs + j * kSize, j); });
      }
    }
    each([&](int i, int j, Vec<T>& y) {
      if (Tail && j == V - 1) {
        last.store(to + i * to_rs + j * kSize, y);
      } else {
        y.store(to + i * to_rs + j * kSize);
      }
    });
    from = running;
    from_rs = kWidth;
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
