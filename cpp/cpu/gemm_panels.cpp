// Packs a matrix as panels, and multiplies by it.
#include "cpu/gemm_panels.h"

#include "cpu/parallel.h"
#include "cpu/work.h"

namespace lamina::cpu::inline LAMINA_ISA {

// Polls for Ctrl-C once some milliseconds of work have passed.
static void poll_after(double* since, double ns) {
  if ((*since += ns) < 4e6) return;
  *since = 0;
  check_interrupt();
}

template <class T>
void pack_panels(const T* b, int64_t brs, int64_t bcs, int64_t k, int64_t n, T* to) {
  constexpr int64_t kCols = kTileCols<T>;
  double since = 0;
  for (int64_t j = 0; j < n; j += kCols) {
    pack_panel(b + j * bcs, bcs, brs, int(n - j < kCols ? n - j : kCols), int(kCols), k, to + j * k);
    poll_after(&since, double(kCols * k));
  }
}

template <class T>
void multiply_panels(const PanelProduct<T>& g) {
  constexpr int64_t kCols = kTileCols<T>;
  double since = 0;
  for (int64_t j = 0; j < g.n; j += kCols) {
    const int64_t n = g.n - j < kCols ? g.n - j : kCols;
    Tile<T> t{g.k, nullptr, g.ars, g.acs, g.panels + j * g.k, kCols, nullptr, g.crs, n, g.first, nullptr, g.drs, 1};
    for (int64_t i = 0; i < g.m;) {
      const int r = tile_rows(g.m - i);
      t.a = g.a + i * g.ars;
      t.c = g.c + i * g.crs + j;
      t.d = g.d ? g.d + i * g.drs + j : nullptr;
      tile_function<T>(r, n)(t);
      i += r;
    }
    poll_after(&since, double(kCols * g.k) * double(g.m) * kMultiplyAddNs);
  }
}

template void pack_panels(const float*, int64_t, int64_t, int64_t, int64_t, float*);
template void pack_panels(const double*, int64_t, int64_t, int64_t, int64_t, double*);
template void multiply_panels(const PanelProduct<float>&);
template void multiply_panels(const PanelProduct<double>&);

}  // namespace lamina::cpu::inline LAMINA_ISA
