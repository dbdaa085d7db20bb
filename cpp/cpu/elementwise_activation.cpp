// Tile functions of the formulas of the activation functions.
#include "cpu/elementwise_tiles.h"

namespace lamina::cpu::inline LAMINA_ISA {

extern const TileRow kActivationTiles[] = {
#define X(name, Formula) row_of<ew::Formula>(),
    LAMINA_ELEMENTWISE_ACTIVATION(X)
#undef X
};

}  // namespace lamina::cpu::inline LAMINA_ISA
