// The matrix product over the thread team: batch items and blocks of rows and columns are independent tiles.
#include "cpu/gemm.h"
#include "cpu/work.h"

namespace lamina::cpu::inline LAMINA_ISA {
namespace {

// Nanoseconds: tiles are cut no smaller than this until every thread has one, and than kEvenWork until every thread has
// four, so that a slow thread holds up nobody. Each tile packs its operands anew.
constexpr double kTileWork = 25e3, kEvenWork = 100e3;

// A product of any dtype: strides count elements of `size` bytes. One copy of the code below serves all dtypes.
using Any = Gemm<char>;
using Serial = void (*)(const Any&);

template <class T>
void serial(const Any& g) {
  gemm_serial(Gemm<T>{g.m, g.n, g.k, reinterpret_cast<const T*>(g.a), g.ars, g.acs, reinterpret_cast<const T*>(g.b),
                      g.brs, g.bcs, reinterpret_cast<T*>(g.c), g.crs, g.ccs, reinterpret_cast<const T*>(g.d), g.drs,
                      g.dcs});
}

// One multiply-add of elements of `size` bytes.
constexpr double cost_ns(int64_t size) { return size == 8 ? 2 * kMultiplyAddNs : kMultiplyAddNs; }

// The part [r, r + 1) of [0, n) cut into `parts`, borders at multiples of `align`.
void part_of(int64_t n, int64_t parts, int64_t r, int64_t align, int64_t* lo, int64_t* hi) {
  const int64_t units = (n + align - 1) / align;
  *lo = units * r / parts * align;
  *hi = units * (r + 1) / parts * align;
  if (*hi > n) *hi = n;
}

struct Grid {
  int64_t rows = 1, cols = 1;
};

// Cuts one product of `work` ns, `count` times.
Grid grid_of(const Any& g, double count, double work, int threads) {
  Grid grid;
  if (threads <= 1) return grid;
  for (;;) {
    const double tiles = count * double(grid.rows * grid.cols), each = work / double(grid.rows * grid.cols);
    if (!(tiles < threads ? each > 2 * kTileWork : tiles < 4.0 * threads && each > 2 * kEvenWork)) break;
    const int64_t r = g.m / grid.rows, c = g.n / grid.cols;
    if (r < 64 && c < 64) break;
    ++(r >= c ? grid.rows : grid.cols);
  }
  return grid;
}

void run(const Any& g, const GemmBatch& batch, int64_t size, Serial run_serial) {
  int64_t count = 1;
  for (int i = 0; i < batch.ndim; ++i) count *= batch.shape[i];
  if (count <= 0) return;
  const double work = double(g.m) * double(g.n) * double(g.k > 0 ? g.k : 1) * cost_ns(size);
  const int cap = threads_for(double(count) * work), threads = cap > 0 && cap < num_threads() ? cap : num_threads();
  const Grid grid = grid_of(g, double(count), work, threads);
  const int64_t each = grid.rows * grid.cols;
  const auto one = [&](int64_t index) {
    Any part = g;
    int64_t at = index / each, i0, i1, j0, j1;
    for (int i = batch.ndim - 1; i >= 0; --i) {
      const int64_t x = at % batch.shape[i] * size;
      at /= batch.shape[i];
      part.a += x * batch.a[i];
      part.b += x * batch.b[i];
      part.c += x * batch.c[i];
      if (g.d) part.d += x * batch.d[i];
    }
    part_of(g.m, grid.rows, index % each / grid.cols, 14, &i0, &i1);
    part_of(g.n, grid.cols, index % each % grid.cols, 32, &j0, &j1);
    part.m = i1 - i0;
    part.n = j1 - j0;
    part.a += i0 * g.ars * size;
    part.b += j0 * g.bcs * size;
    part.c += (i0 * g.crs + j0 * g.ccs) * size;
    if (g.d) part.d += (i0 * g.drs + j0 * g.dcs) * size;
    run_serial(part);
  };
  const double grain = kTileWork / (work / double(each));
  const int64_t run_length = grain < 1 ? 1 : grain > 1e6 ? 1000000 : int64_t(grain);
  for_work(double(count) * work, count * each, run_length, [&](int64_t lo, int64_t hi) {
    for (int64_t i = lo; i < hi; ++i) one(i);
  });
}

}  // namespace

template <class T>
void gemm(const Gemm<T>& g, const GemmBatch& batch) {
  if (g.m <= 0 || g.n <= 0) return;
  if (batch.ndim == 0 && threads_for(double(g.m) * double(g.n) * double(g.k) * cost_ns(sizeof(T))) == 1)
    return gemm_serial(g);
  run({g.m, g.n, g.k, reinterpret_cast<const char*>(g.a), g.ars, g.acs, reinterpret_cast<const char*>(g.b), g.brs,
       g.bcs, reinterpret_cast<char*>(g.c), g.crs, g.ccs, reinterpret_cast<const char*>(g.d), g.drs, g.dcs},
      batch, sizeof(T), serial<T>);
}

template void gemm(const Gemm<float>&, const GemmBatch&);
template void gemm(const Gemm<double>&, const GemmBatch&);
template void gemm(const Gemm<Half>&, const GemmBatch&);
template void gemm(const Gemm<BFloat16>&, const GemmBatch&);
template void gemm(const Gemm<int8_t>&, const GemmBatch&);
template void gemm(const Gemm<uint8_t>&, const GemmBatch&);
template void gemm(const Gemm<int16_t>&, const GemmBatch&);
template void gemm(const Gemm<int32_t>&, const GemmBatch&);
template void gemm(const Gemm<int64_t>&, const GemmBatch&);

}  // namespace lamina::cpu::inline LAMINA_ISA
