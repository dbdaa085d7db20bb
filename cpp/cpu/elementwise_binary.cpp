// Tile functions of the formulas of two and three arguments, and of the losses.
#include "cpu/elementwise_tiles.h"

namespace lamina::cpu::inline LAMINA_ISA {

extern const TileRow kBinaryTiles[] = {
#define X(name, Formula) row_of<ew::Formula>(),
    LAMINA_ELEMENTWISE_BINARY(X) LAMINA_ELEMENTWISE_TERNARY(X) LAMINA_ELEMENTWISE_LOSS(X)
#undef X
};

}  // namespace lamina::cpu::inline LAMINA_ISA
