// The matrix product of integers: sums modulo 2^bits.
#include "cpu/gemm.h"
#include "cpu/parallel.h"

namespace lamina::cpu::inline LAMINA_ISA {
namespace {

constexpr int64_t kCols = 256, kDepth = 64;  // the block of b that stays in cache

// Not vectorised: gathers are slower than scalar loads here.
template <class T>
[[gnu::optimize("no-tree-vectorize")]] void pack_rows(const T* b, int64_t brs, int64_t bcs, int64_t k, int64_t n,
                                                      T* to) {
  for (int64_t p = 0; p < k; ++p)
    for (int64_t j = 0; j < n; ++j) to[p * kCols + j] = b[p * brs + j * bcs];
}

}  // namespace

// Row by row: a row of sums stays in registers or the nearest cache while the rows of a block of b pass by.
template <class T>
void gemm_serial(const Gemm<T>& g) {
  using U = std::conditional_t<sizeof(T) == 8, uint64_t, uint32_t>;  // wraps, and is wide enough
  U sum[kCols] = {};
  for (int64_t j0 = 0; j0 < g.n; j0 += kCols) {
    const int64_t nj = g.n - j0 < kCols ? g.n - j0 : kCols;
    for (int64_t p0 = 0; p0 == 0 || p0 < g.k; p0 += kDepth) {
      const int64_t p1 = g.k - p0 < kDepth ? g.k : p0 + kDepth;
      const T* b = g.b + p0 * g.brs + j0 * g.bcs;
      int64_t brs = g.brs;
      if (g.bcs != 1 && g.k > 0) {
        T* packed = static_cast<T*>(scratch(2, kCols * kDepth * sizeof(T)));
        pack_rows(b, g.brs, g.bcs, p1 - p0, nj, packed);
        b = packed;
        brs = kCols;
      }
      for (int64_t i = 0; i < g.m; ++i) {
        if (i > 0) check_interrupt();
        T* c = g.c + i * g.crs + j0 * g.ccs;
        for (int64_t j = 0; j < nj; ++j)
          sum[j] = p0 > 0 ? U(c[j * g.ccs]) : g.d ? U(g.d[i * g.drs + (j0 + j) * g.dcs]) : U(0);
        for (int64_t p = p0; p < p1; ++p) {
          const U a = U(g.a[i * g.ars + p * g.acs]);
          const T* row = b + (p - p0) * brs;
          for (int64_t j = 0; j < nj; ++j) sum[j] += a * U(row[j]);
        }
        for (int64_t j = 0; j < nj; ++j) c[j * g.ccs] = T(sum[j]);
      }
    }
  }
}

template void gemm_serial(const Gemm<int8_t>&);
template void gemm_serial(const Gemm<uint8_t>&);
template void gemm_serial(const Gemm<int16_t>&);
template void gemm_serial(const Gemm<int32_t>&);
template void gemm_serial(const Gemm<int64_t>&);

}  // namespace lamina::cpu::inline LAMINA_ISA
