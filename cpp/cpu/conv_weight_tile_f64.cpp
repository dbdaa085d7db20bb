// Register tiles of the weight gradient in double: one instance per count of channels and vectors.
#include "conv_weight_tile.h"

namespace lamina::cpu::inline LAMINA_ISA {
namespace {

template <int R>
WeightTileFn<double> pick(int64_t r, int64_t v) {
  if (r == R) return v == 1 ? &weight_tile<double, R, 1> : &weight_tile<double, R, 2>;
  if constexpr (R > 1) return pick<R - 1>(r, v);
  return nullptr;
}

}  // namespace

template <>
WeightTileFn<double> weight_tile_for<double>(int64_t r, int64_t v) {
  return pick<kTilePixels>(r, v);
}

}  // namespace lamina::cpu::inline LAMINA_ISA
