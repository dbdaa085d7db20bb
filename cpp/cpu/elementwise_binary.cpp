// Tile functions of the formulas of two arguments.
#include "cpu/elementwise_tiles.h"

namespace lamina::cpu::inline LAMINA_ISA {

extern const TileRow kBinaryTiles[] = {
#define X(name, Formula) row_of<ew::Formula>(),
    LAMINA_ELEMENTWISE_BINARY(X)
#undef X
};

}  // namespace lamina::cpu::inline LAMINA_ISA
