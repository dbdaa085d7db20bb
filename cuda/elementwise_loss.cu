// The terms of the losses, from the formulas that the CPU uses.
#include "elementwise.h"

namespace lamina::cuda {

const EwRow* loss_rows() {
  static const EwRow rows[] = {
#define X(name, Formula) row_of<ew::Formula>(),
      LAMINA_ELEMENTWISE_LOSS(X)
#undef X
  };
  return rows;
}

}  // namespace lamina::cuda
