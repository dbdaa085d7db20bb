// The kernels that CUDA offers. Each name declared here is defined in the file of its stem; the others stay null.
#include "gpu.h"

namespace lamina::cuda {

#define KERNEL(name, signature) void name signature;
#include "lamina/kernels.def"
#undef KERNEL

Kernels table() {
  Kernels t;
  t.elementwise = elementwise;
  t.copy = copy;
  t.fill = fill;
  t.matmul = matmul;
  t.reduce = reduce;
  return t;
}

}  // namespace lamina::cuda
