// Matrix products.
#include "lamina/autograd.h"
#include "lamina/devices.h"
#include "lamina/ops.h"

namespace lamina {

Tensor matmul(const Tensor& a, const Tensor& b) {
  if (a.dim() != 2 || b.dim() != 2 || a.shape()[1] != b.shape()[0])
    raise<ShapeError>("matmul: inner sizes differ: ", describe("input", a), ", ", describe("other", b));
  Tensor y = allocate(Dims{a.shape()[0], b.shape()[1]}, a.dtype(), a.device());
  kernel(&Kernels::matmul, a.device())(a.view_of(), b.view_of(), y.view_of());
  if (recording({a, b}))
    record("matmul", y, {a, b}, [a = save(a), b = save(b)](Grads& d, const Tensor& g) {
      if (d.want(0)) d[0] = matmul(g, t(b.get()));
      if (d.want(1)) d[1] = matmul(t(a.get()), g);
    });
  return y;
}

}  // namespace lamina
