// The register tile of convolution: up to 14 pixels x 2 vectors of output channels.
#pragma once
#include "conv.h"

namespace lamina::cpu::inline LAMINA_ISA {

// Pixels of a tile: 14 x 2 accumulators, 2 weights and a broadcast fill 32 registers (6 x 2 fill 16).
#if defined(__AVX512F__)
inline constexpr int kTilePixels = 14;
#elif defined(__AVX2__)
inline constexpr int kTilePixels = 6;
#else
inline constexpr int kTilePixels = 4;
#endif

// Consecutive taps whose inputs lie consecutively in memory: `count` elements from x (relative to the pixel's tap 0)
// and rows of the weight panel from `row`. After a run with `flush` the chunk is complete.
struct Run {
  int64_t x, row;
  int32_t count, flush;
};

template <class T>
struct TileCall {
  const T* x;  // tap 0 of pixel 0 (may lie outside the image)
  int64_t xs;  // from pixel to pixel
  const Run* runs;
  int64_t run_count;
  const T* panel;  // [row][vectors * size]
  const T* bias;   // null: none
  T* out;          // [pixel][vectors * size] with pitch os
  int64_t os;
  int64_t lanes;           // of them wanted in out
  T* total;                // working memory, kTilePixels * 2 vectors
  int64_t panel_step = 0;  // from panel to panel, where there are several
};

// A single pixel takes this many panels of two vectors at once: enough chains to fill the pipeline.
inline constexpr int kWidePanels = 4;

// Hides where a pointer came from, so that each keeps its own register and addresses stay base + pixel stride.
template <class P>
LAMINA_INLINE void opaque(P& p) {
  asm("" : "+r"(p));
}

// R pixels x V vectors: every run is a chain of fma from zero, chunk totals add up in order, the bias comes last.
template <class T, int R, int V>
void conv_tile(const TileCall<T>& c) {
  constexpr int L = Vec<T>::size, G = (R + 2) / 3, W = (V > 2 ? 2 : V) * L;  // W: a row of a panel
  Vec<T> acc[R][V];
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 8
    for (int v = 0; v < V; ++v) acc[r][v] = Vec<T>(T(0));
  // The lines of out arrive while the chains run.
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 8
    for (int v = 0; v < V; ++v) __builtin_prefetch(c.out + r * c.os + v * L, 1);
  bool first = true;
  const int64_t xs = c.xs;
  T* const total = c.total;
  for (const Run *run = c.runs, *end = run + c.run_count; run != end; ++run) {
    const T* p[G];
#pragma GCC unroll 5
    for (int g = 0; g < G; ++g) {
      p[g] = c.x + run->x + 3 * g * xs;
      opaque(p[g]);
    }
    const T* w = c.panel + run->row * W;
    for (int32_t k = run->count; k > 0; --k) {
      Vec<T> b[V];
#pragma GCC unroll 8
      for (int v = 0; v < V; ++v) b[v] = Vec<T>::load(w + (V > 2 ? v / 2 * c.panel_step + v % 2 * L : v * L));
#pragma GCC unroll 16
      for (int r = 0; r < R; ++r) {
        const Vec<T> a(p[r / 3][r % 3 * xs]);
#pragma GCC unroll 8
        for (int v = 0; v < V; ++v) acc[r][v] = fma(a, b[v], acc[r][v]);
      }
      w += W;
#pragma GCC unroll 5
      for (int g = 0; g < G; ++g) ++p[g];
    }
    if (!run->flush || run + 1 == end) continue;
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r)
#pragma GCC unroll 8
      for (int v = 0; v < V; ++v) {
        T* t = total + (r * V + v) * L;
        (first ? acc[r][v] : Vec<T>::load(t) + acc[r][v]).store(t);
        acc[r][v] = Vec<T>(T(0));
      }
    first = false;
  }
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 8
    for (int v = 0; v < V; ++v) {
      Vec<T> y = acc[r][v];
      if (!first) y = Vec<T>::load(total + (r * V + v) * L) + y;
      if (c.bias) y = y + Vec<T>::load(c.bias + v * L);
      const int64_t lanes = c.lanes - v * L;
      if (lanes >= L)
        y.store(c.out + r * c.os + v * L);
      else if (lanes > 0)
        store_some(y, c.out + r * c.os + v * L, lanes);
    }
}

template <class T>
using TileFn = void (*)(const TileCall<T>&);

// Tile of r pixels and v vectors; v = 2 * kWidePanels for one pixel.
template <class T>
TileFn<T> tile_for(int64_t r, int64_t v);

}  // namespace lamina::cpu::inline LAMINA_ISA
