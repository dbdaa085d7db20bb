// Tile functions of more formulas of two and three arguments.
#include "cpu/elementwise_tiles.h"

namespace lamina::cpu::inline LAMINA_ISA {

extern const TileRow kPairTiles[] = {
#define X(name, Formula) row_of<ew::Formula>(),
    LAMINA_ELEMENTWISE_PAIRS(X)
#undef X
};

}  // namespace lamina::cpu::inline LAMINA_ISA
