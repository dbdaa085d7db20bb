// Instantiates the register tiles of the matrix product.
#include "cpu/gemm_tile.h"

namespace lamina::cpu::inline LAMINA_ISA {

template <class T, int R>
static TileFn<T> by_width(int64_t n) {
  if (n >= kTileCols<T>) return tile<T, R, kTileVecs, false>;
  return n > Vec<T>::size ? tile<T, R, kTileVecs, true> : tile<T, R, 1, true>;
}

template <class T>
TileFn<T> tile_function(int rows, int64_t n) {
  switch (rows) {
    case 1:
      return by_width<T, 1>(n);
    case 2:
      return by_width<T, 2>(n);
#if defined(__AVX2__)
    case 3:
      return by_width<T, 3>(n);
    case 4:
      return by_width<T, 4>(n);
    case 5:
      return by_width<T, 5>(n);
    case 6:
      return by_width<T, 6>(n);
#endif
#if defined(__AVX512F__)
    case 7:
      return by_width<T, 7>(n);
    case 8:
      return by_width<T, 8>(n);
    case 14:
      return by_width<T, 14>(n);
#endif
    default:
      return nullptr;
  }
}

template TileFn<float> tile_function<float>(int, int64_t);
template TileFn<double> tile_function<double>(int, int64_t);

}  // namespace lamina::cpu::inline LAMINA_ISA
