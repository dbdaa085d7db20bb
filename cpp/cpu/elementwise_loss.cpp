// Tile functions of the terms of the losses.
#include "cpu/elementwise_tiles.h"

namespace lamina::cpu::inline LAMINA_ISA {

extern const TileRow kLossTiles[] = {
#define X(name, Formula) row_of<ew::Formula>(),
    LAMINA_ELEMENTWISE_LOSS(X)
#undef X
};

}  // namespace lamina::cpu::inline LAMINA_ISA
