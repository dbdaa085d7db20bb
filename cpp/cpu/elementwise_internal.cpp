// Tile functions of the formulas without a public name.
#include "cpu/elementwise_tiles.h"

namespace lamina::cpu::inline LAMINA_ISA {

extern const TileRow kInternalTiles[] = {
#define X(name, Formula) row_of<ew::Formula>(),
    LAMINA_ELEMENTWISE_INTERNAL(X)
#undef X
};

}  // namespace lamina::cpu::inline LAMINA_ISA
