// Tile functions of the formulas of one argument.
#include "cpu/elementwise_tiles.h"

namespace lamina::cpu::inline LAMINA_ISA {

extern const TileRow kUnaryTiles[] = {
#define X(name, Formula) row_of<ew::Formula>(),
    LAMINA_ELEMENTWISE_UNARY(X)
#undef X
};

}  // namespace lamina::cpu::inline LAMINA_ISA
