// Exp2, inverse functions, signs and the shrinking activations, from the formulas that the CPU uses.
#include "elementwise.h"

namespace lamina::cuda {

const EwRow* inverse_rows() {
  static const EwRow rows[] = {
#define X(name, Formula) row_of<ew::Formula>(),
      LAMINA_ELEMENTWISE_INVERSE(X)
#undef X
  };
  return rows;
}

}  // namespace lamina::cuda
