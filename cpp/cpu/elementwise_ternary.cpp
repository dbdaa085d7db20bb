// Tile functions of the formulas of three arguments.
#include "cpu/elementwise_tiles.h"

namespace lamina::cpu::inline LAMINA_ISA {

extern const TileRow kTernaryTiles[] = {
#define X(name, Formula) row_of<ew::Formula>(),
    LAMINA_ELEMENTWISE_TERNARY(X)
#undef X
};

}  // namespace lamina::cpu::inline LAMINA_ISA
