// Products that read a matrix once: vector times matrix in either layout, and dot products. Definition: gemm.h.
// One row of c has too few chains to fill the registers, so lanes run along columns (loaded transposed where the rows
// of b are not contiguous) or, in a dot product, along the chunks.
#include "cpu/gemv.h"

#include "cpu/gemm_square.h"
#include "cpu/parallel.h"

namespace lamina::cpu::inline LAMINA_ISA {
namespace {

template <class T>
LAMINA_INLINE void finish(const Gemm<T>& g, int64_t j, T total) {
  if (g.d) total = total + g.d[j * g.dcs];
  g.c[j * g.ccs] = total;
}

// The last few k of a chunk: dst[q n + i] = row i of b at q.
template <class T, int N>
LAMINA_INLINE void gather(const T* const* row, int depth, T* dst) {
  for (int q = 0; q < depth; ++q)
    for (int i = 0; i < N; ++i) dst[q * N + i] = row[i][q];
}

// One row of a, the columns of b contiguous: G squares of columns at a time, Step of k from each in turn.
template <class T, int G, int Step>
void along_columns(const Gemm<T>& g, int64_t j0) {
  using Q = Square<T>;
  using V = typename Q::V;
  constexpr int n = Q::n;
  const int64_t columns = g.n - j0 < G * n ? g.n - j0 : G * n;
  V total[G] = {};
  for (int64_t p0 = 0; p0 < g.k; p0 += kGemmChunk) {
    if (p0 > 0) check_interrupt();
    const int64_t kc = g.k - p0 < kGemmChunk ? g.k - p0 : kGemmChunk;
    V acc[G];
#pragma GCC unroll 8
    for (int u = 0; u < G; ++u) acc[u] = Q::zero();
    const T* a = g.a + p0 * g.acs;
    const T* row[G * n];
    for (int i = 0; i < G * n; ++i) row[i] = g.b + p0 + (j0 + (i < columns ? i : columns - 1)) * g.bcs;
    int64_t p = 0;
    for (; p + Step <= kc; p += Step, a += Step * g.acs) {
#pragma GCC unroll 8
      for (int u = 0; u < G; ++u) {
#pragma GCC unroll 4
        for (int h = 0; h < Step; h += n) {
          const T* at[n];
          V column[n];
#pragma GCC unroll 8
          for (int i = 0; i < n; ++i) at[i] = row[u * n + i] + p + h;
          Q::load(at, column);
#pragma GCC unroll 8
          for (int q = 0; q < n; ++q) acc[u] = Q::fma(Q::broadcast(a[(h + q) * g.acs]), column[q], acc[u]);
        }
      }
    }
    if (p < kc) {
      for (int u = 0; u < G; ++u) {
        const T* at[n];
        T rest[n * Step];
        for (int i = 0; i < n; ++i) at[i] = row[u * n + i] + p;
        gather<T, n>(at, int(kc - p), rest);
        for (int q = 0; q < int(kc - p); ++q)
          acc[u] = Q::fma(Q::broadcast(a[q * g.acs]), Q::load(rest + q * n), acc[u]);
      }
    }
#pragma GCC unroll 8
    for (int u = 0; u < G; ++u) total[u] = p0 == 0 ? acc[u] : Q::add(total[u], acc[u]);
  }
  T out[G * n];
  for (int u = 0; u < G; ++u) Q::store(out + u * n, total[u]);
  for (int64_t j = 0; j < columns; ++j) finish(g, j0 + j, out[j]);
}

// One row of a, the rows of b contiguous: whole rows are streamed, four at a time, the sums stay in the nearest cache.
template <class T>
void along_rows(const Gemm<T>& g) {
  constexpr int n = Vec<T>::size;
  constexpr int64_t kCols = 4096 / sizeof(T);
  alignas(64) T acc[kCols], total[kCols];
  for (int64_t j0 = 0; j0 < g.n; j0 += kCols) {
    const int64_t columns = g.n - j0 < kCols ? g.n - j0 : kCols, whole = columns / n * n;
    for (int64_t p0 = 0; p0 < g.k; p0 += kGemmChunk) {
      check_interrupt();
      const int64_t p1 = g.k - p0 < kGemmChunk ? g.k : p0 + kGemmChunk;
      for (int64_t j = 0; j < kCols; ++j) acc[j] = 0;
      int64_t p = p0;
      for (; p + 4 <= p1; p += 4) {
        const T* b = g.b + p * g.brs + j0;
        Vec<T> x[4];
#pragma GCC unroll 4
        for (int q = 0; q < 4; ++q) x[q] = Vec<T>(g.a[(p + q) * g.acs]);
        for (int64_t j = 0; j < whole; j += n) {
          Vec<T> s = Vec<T>::load(acc + j);
#pragma GCC unroll 4
          for (int q = 0; q < 4; ++q) s = fma(x[q], Vec<T>::load(b + q * g.brs + j), s);
          s.store(acc + j);
        }
        for (int64_t j = whole; j < columns; ++j) {
          Vec<T> s(acc[j]);
          for (int q = 0; q < 4; ++q) s = fma(x[q], Vec<T>(b[q * g.brs + j]), s);
          acc[j] = s[0];
        }
      }
      for (; p < p1; ++p)
        for (int64_t j = 0; j < columns; ++j)
          acc[j] = fma(Vec<T>(g.a[p * g.acs]), Vec<T>(g.b[p * g.brs + j0 + j]), Vec<T>(acc[j]))[0];
      for (int64_t j = 0; j < columns; ++j) total[j] = p0 == 0 ? acc[j] : total[j] + acc[j];
    }
    for (int64_t j = 0; j < columns; ++j) finish(g, j0 + j, total[j]);
  }
}

// Chunks [0, chunks) of a contiguous dot product, each in a lane of its own; sums to out.
template <class T, int G>
void chunk_sums(const T* a, const T* b, int64_t chunks, T* out) {
  using Q = Square<T>;
  using V = typename Q::V;
  constexpr int n = Q::n;
  V acc[G];
#pragma GCC unroll 4
  for (int u = 0; u < G; ++u) acc[u] = Q::zero();
  for (int64_t p = 0; p < kGemmChunk; p += n) {
#pragma GCC unroll 4
    for (int u = 0; u < G; ++u) {
      const T *ra[n], *rb[n];
      V x[n], y[n];
#pragma GCC unroll 8
      for (int i = 0; i < n; ++i) {
        const int64_t lane = u * n + i < chunks ? u * n + i : chunks - 1;
        ra[i] = a + lane * kGemmChunk + p;
        rb[i] = b + lane * kGemmChunk + p;
      }
      Q::load(ra, x);
      Q::load(rb, y);
#pragma GCC unroll 8
      for (int q = 0; q < n; ++q) acc[u] = Q::fma(x[q], y[q], acc[u]);
    }
  }
#pragma GCC unroll 4
  for (int u = 0; u < G; ++u) Q::store(out + u * n, acc[u]);
}

template <class T>
void dot(const Gemm<T>& g) {
  constexpr int kLanes = 2 * Square<T>::n;
  constexpr int64_t kPiece = kLanes * kGemmChunk;
  T total = 0, sums[kLanes];
  for (int64_t p0 = 0; p0 < g.k; p0 += kPiece) {
    const int64_t kc = g.k - p0 < kPiece ? g.k - p0 : kPiece, full = kc / kGemmChunk, rest = kc % kGemmChunk;
    check_interrupt();
    const T *a = g.a + p0 * g.acs, *b = g.b + p0 * g.brs;
    if (g.acs != 1) {
      T* copy = static_cast<T*>(scratch(2, kPiece * sizeof(T)));
      for (int64_t p = 0; p < kc; ++p) copy[p] = a[p * g.acs];
      a = copy;
    }
    if (g.brs != 1) {
      T* copy = static_cast<T*>(scratch(3, kPiece * sizeof(T)));
      for (int64_t p = 0; p < kc; ++p) copy[p] = b[p * g.brs];
      b = copy;
    }
    if (full > 0) chunk_sums<T, 2>(a, b, full, sums);
    for (int64_t i = 0; i < full; ++i) total = p0 + i == 0 ? sums[i] : total + sums[i];
    if (rest > 0) {
      Vec<T> s(T(0));
      for (int64_t p = full * kGemmChunk; p < kc; ++p) s = fma(Vec<T>(a[p]), Vec<T>(b[p]), s);
      total = p0 + full == 0 ? s[0] : total + s[0];
    }
  }
  finish(g, 0, total);
}

}  // namespace

template <class T>
bool gemv(const Gemm<T>& g) {
  if (g.m != 1) return false;
  if (g.n == 1) return dot(g), true;
  if (g.brs == 1 && g.bcs != 1) {
    constexpr int n = Square<T>::n, kLine = 64 / int(sizeof(T));
    // Columns a multiple of 1 KiB apart share few cache sets: take whole cache lines, from fewer columns.
    const bool crowded = g.bcs * int64_t(sizeof(T)) % 1024 == 0;
    int64_t j = 0;
    if (!crowded)
      for (; g.n - j > 2 * n; j += 4 * n) along_columns<T, 4, n>(g, j);
    for (; j < g.n; j += 2 * n) along_columns<T, 2, kLine>(g, j);
    return true;
  }
  if (g.bcs == 1 && g.n >= 256) return along_rows(g), true;
  return false;
}

template bool gemv(const Gemm<float>&);
template bool gemv(const Gemm<double>&);

}  // namespace lamina::cpu::inline LAMINA_ISA
