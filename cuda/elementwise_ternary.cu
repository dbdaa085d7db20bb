// The ternary elementwise kernels and those of the losses, from the formulas that the CPU uses.
#include "elementwise.h"

namespace lamina::cuda {

const EwRow* ternary_rows() {
  static const EwRow rows[] = {
#define X(name, Formula) row_of<ew::Formula>(),
      LAMINA_ELEMENTWISE_TERNARY(X) LAMINA_ELEMENTWISE_LOSS(X)
#undef X
  };
  return rows;
}

}  // namespace lamina::cuda
