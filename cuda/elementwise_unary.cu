// The unary elementwise kernels, from the formulas that the CPU uses.
#include "elementwise.h"

namespace lamina::cuda {

const EwRow* unary_rows() {
  static const EwRow rows[] = {
#define X(name, Formula) row_of<ew::Formula>(),
      LAMINA_ELEMENTWISE_UNARY(X)
#undef X
  };
  return rows;
}

}  // namespace lamina::cuda
