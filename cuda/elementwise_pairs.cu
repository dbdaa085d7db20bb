// More elementwise kernels of two and three arguments, from the formulas that the CPU uses.
#include "elementwise.h"

namespace lamina::cuda {

const EwRow* pairs_rows() {
  static const EwRow rows[] = {
#define X(name, Formula) row_of<ew::Formula>(),
      LAMINA_ELEMENTWISE_PAIRS(X)
#undef X
  };
  return rows;
}

}  // namespace lamina::cuda
