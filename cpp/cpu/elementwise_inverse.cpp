// Tile functions of exp2, inverse functions, signs and the shrinking activations.
#include "cpu/elementwise_tiles.h"

namespace lamina::cpu::inline LAMINA_ISA {

extern const TileRow kInverseTiles[] = {
#define X(name, Formula) row_of<ew::Formula>(),
    LAMINA_ELEMENTWISE_INVERSE(X)
#undef X
};

}  // namespace lamina::cpu::inline LAMINA_ISA
