// Matrix product for kernels: c = a b (+ d), one definition of the result for every size, layout, level and thread
// count.
//
// Definition (f32, f64): k is cut into chunks of 256. A chunk is one chain of fused multiply-adds over k in increasing
// order, starting from zero; chunk results are added in order (total = chunk 0, total = total + chunk 1, ...); d, if
// given, is added last. Each operation rounds once. bf16 and f16 convert to f32 first and round once at the end.
// Integers: exact sums modulo 2^bits.
// The plain form, which tests/cpp/gemm_test.cpp compares bit for bit:
//   for each i, j:  for k0 in 0, 256, ...:  s = 0;  for p in [k0, min(k0 + 256, k)): s = fma(a[i][p], b[p][j], s)
//                   total = k0 == 0 ? s : total + s
//                   c[i][j] = d ? total + d[i][j] : total
//
// Method: packed panels and register tiles (gemm_tile.h); the order over k is never changed, so blocking is free.
#pragma once
#include <cstdint>

#include "lamina/dtype.h"
#include "lamina/host_device.h"

namespace lamina::cpu::inline LAMINA_ISA {

inline constexpr int64_t kGemmChunk = 256;

// c (m, n) = a (m, k) b (k, n) + d (m, n); rs: stride between rows, cs: between columns, of any sign, 0 for broadcast.
// d may be null, a row or column (stride 0), or c itself (accumulates). c overlaps neither a nor b.
template <class T>
struct Gemm {
  int64_t m, n, k;
  const T* a;
  int64_t ars, acs;
  const T* b;
  int64_t brs, bcs;
  T* c;
  int64_t crs, ccs;
  const T* d = nullptr;
  int64_t drs = 0, dcs = 0;
};

// Batch dimensions of a product, outermost first.
struct GemmBatch {
  int ndim = 0;
  int64_t shape[16], a[16], b[16], c[16], d[16];
};

// On the calling thread. Uses scratch slots 2 and 3. T: float, double, Half, BFloat16 and the integer types.
template <class T>
void gemm_serial(const Gemm<T>& g);

// Over the thread team when the work is worth it.
template <class T>
void gemm(const Gemm<T>& g, const GemmBatch& batch = {});

}  // namespace lamina::cpu::inline LAMINA_ISA
