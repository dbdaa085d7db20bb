// The matrix product over the thread team: batch items and blocks of rows and columns are independent tiles.
#include "cpu/gemm.h"
#include "cpu/parallel.h"

namespace lamina::cpu::inline LAMINA_ISA {
namespace {

constexpr double kTileWork = 5e5;  // multiply-adds that are worth a tile of their own

// The part [r, r + 1) of [0, n) cut into `parts`, borders at multiples of `align`.
void part_of(int64_t n, int64_t parts, int64_t r, int64_t align, int64_t* lo, int64_t* hi) {
  const int64_t units = (n + align - 1) / align;
  *lo = units * r / parts * align;
  *hi = units * (r + 1) / parts * align;
  if (*hi > n) *hi = n;
}

}  // namespace

template <class T>
void gemm(const Gemm<T>& g, const GemmBatch& batch) {
  int64_t count = 1;
  for (int i = 0; i < batch.ndim; ++i) count *= batch.shape[i];
  if (count <= 0 || g.m <= 0 || g.n <= 0) return;
  const double work = double(g.m) * double(g.n) * double(g.k > 0 ? g.k : 1);
  const int threads = num_threads();
  int64_t rows = 1, cols = 1;  // the grid that cuts one product
  if (threads > 1 && double(count) * work > 2 * kTileWork) {
    while (double(count * rows * cols) < 4.0 * threads && work / double(rows * cols) > 2 * kTileWork) {
      const int64_t r = g.m / rows, c = g.n / cols;
      if (r < 64 && c < 64) break;
      ++(r >= c ? rows : cols);
    }
  }
  const int64_t each = rows * cols;
  const auto run = [&](int64_t index) {
    Gemm<T> part = g;
    int64_t at = index / each;
    for (int i = batch.ndim - 1; i >= 0; --i) {
      const int64_t x = at % batch.shape[i];
      at /= batch.shape[i];
      part.a += x * batch.a[i];
      part.b += x * batch.b[i];
      part.c += x * batch.c[i];
      if (g.d) part.d += x * batch.d[i];
    }
    int64_t i0, i1, j0, j1;
    part_of(g.m, rows, index % each / cols, 14, &i0, &i1);
    part_of(g.n, cols, index % each % cols, 32, &j0, &j1);
    part.m = i1 - i0;
    part.n = j1 - j0;
    part.a += i0 * g.ars;
    part.b += j0 * g.bcs;
    part.c += i0 * g.crs + j0 * g.ccs;
    if (g.d) part.d += i0 * g.drs + j0 * g.dcs;
    gemm_serial(part);
  };
  if (count * each == 1) return gemm_serial(g);
  const double grain = kTileWork / (work / double(each));
  for_ranges(count * each,
             grain < 1     ? 1
             : grain > 1e6 ? 1000000
                           : int64_t(grain),
             [&](int64_t lo, int64_t hi) {
               for (int64_t i = lo; i < hi; ++i) run(i);
             });
}

#define LAMINA_GEMM(T) template void gemm(const Gemm<T>&, const GemmBatch&);
LAMINA_GEMM(float)
LAMINA_GEMM(double)
LAMINA_GEMM(Half)
LAMINA_GEMM(BFloat16)
LAMINA_GEMM(int8_t)
LAMINA_GEMM(uint8_t)
LAMINA_GEMM(int16_t)
LAMINA_GEMM(int32_t)
LAMINA_GEMM(int64_t)
#undef LAMINA_GEMM

}  // namespace lamina::cpu::inline LAMINA_ISA
