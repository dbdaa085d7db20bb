// Register tiles of convolution in float: one instance per count of pixels and vectors.
#include "conv_tile.h"

namespace lamina::cpu::inline LAMINA_ISA {
namespace {

template <int R>
TileFn<float> pick(int64_t r, int64_t v) {
  if (r == R) return v == 1 ? &conv_tile<float, R, 1> : &conv_tile<float, R, 2>;
  if constexpr (R > 1) return pick<R - 1>(r, v);
  return nullptr;
}

}  // namespace

template <>
TileFn<float> tile_for<float>(int64_t r, int64_t v) {
  return v > 2 ? &conv_tile<float, 1, 2 * kWidePanels> : pick<kTilePixels>(r, v);
}

}  // namespace lamina::cpu::inline LAMINA_ISA
