// The register tile of the weight gradient: up to 14 input channels x 2 vectors of output channels, a chain over
// pixels.
#pragma once
#include "conv_tile.h"

namespace lamina::cpu::inline LAMINA_ISA {

template <class T>
struct WeightCall {
  const T* x;      // [pixel][channels of the tile]
  int64_t x_step;  // from output pixel to output pixel
  const T* g;      // [pixel][vectors * size]
  const PixelRun* runs;
  int64_t run_count;
  T* sum;  // [channel][vectors * size], += the chain
};

template <class T, int R, int V>
void weight_tile(const WeightCall<T>& c) {
  constexpr int L = Vec<T>::size;
  Vec<T> acc[R][V];
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 2
    for (int v = 0; v < V; ++v) {
      acc[r][v] = Vec<T>(T(0));
      __builtin_prefetch(c.sum + (r * V + v) * L, 1);
    }
  for (const PixelRun *run = c.runs, *end = run + c.run_count; run != end; ++run) {
    const T *x = c.x + run->x, *g = c.g + run->g;
    for (int64_t n = run->count; n > 0; --n) {
      Vec<T> b[V];
#pragma GCC unroll 2
      for (int v = 0; v < V; ++v) b[v] = Vec<T>::load(g + v * L);
#pragma GCC unroll 16
      for (int r = 0; r < R; ++r) {
        const Vec<T> a(x[r]);
#pragma GCC unroll 2
        for (int v = 0; v < V; ++v) acc[r][v] = fma(a, b[v], acc[r][v]);
      }
      x += c.x_step;
      g += V * L;
    }
  }
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 2
    for (int v = 0; v < V; ++v) {
      T* s = c.sum + (r * V + v) * L;
      (Vec<T>::load(s) + acc[r][v]).store(s);
    }
}

template <class T>
using WeightTileFn = void (*)(const WeightCall<T>&);

// Tile of r input channels and v vectors.
template <class T>
WeightTileFn<T> weight_tile_for(int64_t r, int64_t v);

}  // namespace lamina::cpu::inline LAMINA_ISA
