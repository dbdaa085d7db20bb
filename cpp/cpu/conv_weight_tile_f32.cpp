// Register tiles of the weight gradient in float: one instance per count of channels and vectors.
#include "conv_weight_tile.h"

namespace lamina::cpu::inline LAMINA_ISA {
namespace {

template <int R>
WeightTileFn<float> pick(int64_t r, int64_t v) {
  if (r == R) return v == 1 ? &weight_tile<float, R, 1> : &weight_tile<float, R, 2>;
  if constexpr (R > 1) return pick<R - 1>(r, v);
  return nullptr;
}

}  // namespace

template <>
WeightTileFn<float> weight_tile_for<float>(int64_t r, int64_t v) {
  return pick<kTilePixels>(r, v);
}

}  // namespace lamina::cpu::inline LAMINA_ISA
