// The elementwise kernels without a public name, from the formulas that the CPU uses.
#include "elementwise.h"

namespace lamina::cuda {

const EwRow* internal_rows() {
  static const EwRow rows[] = {
#define X(name, Formula) row_of<ew::Formula>(),
      LAMINA_ELEMENTWISE_INTERNAL(X)
#undef X
  };
  return rows;
}

}  // namespace lamina::cuda
