// Tile functions of the special functions.
#include "cpu/elementwise_tiles.h"

namespace lamina::cpu::inline LAMINA_ISA {

extern const TileRow kSpecialTiles[] = {
#define X(name, Formula) row_of<ew::Formula>(),
    LAMINA_ELEMENTWISE_SPECIAL(X)
#undef X
};

}  // namespace lamina::cpu::inline LAMINA_ISA
