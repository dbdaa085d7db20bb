// The ternary elementwise kernels, from the formulas that the CPU uses.
#include "elementwise.h"

namespace lamina::cuda {

const EwRow* ternary_rows() {
  static const EwRow rows[] = {
#define X(name, Formula) row_of<ew::Formula>(),
      LAMINA_ELEMENTWISE_TERNARY(X)
#undef X
  };
  return rows;
}

}  // namespace lamina::cuda
