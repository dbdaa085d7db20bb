// Running sums.
#include "lamina/autograd.h"
#include "lamina/devices.h"
#include "lamina/ops.h"

namespace lamina {

Tensor cumsum(const Tensor& x, int64_t dim, std::optional<DType> dtype) {
  const int64_t d = wrap_dim(dim, x.dim(), "cumsum");
  const DType result = dtype.value_or(is_floating(x.dtype()) ? x.dtype() : DType::int64);
  const Tensor from = is_floating(result) || !is_floating(x.dtype()) ? x : to(x, result);
  if (x.dim() == 0) return from.dtype() == result ? clone(from) : to(from, result);
  Tensor y = allocate(x.shape(), result, x.device());
  kernel(&Kernels::cumsum, x.device())(from.view_of(), int(d), y.view_of());
  if (is_floating(result) && recording({x}))
    record("cumsum", y, {x}, [d, type = x.dtype()](Grads& r, const Tensor& g) {
      r[0] = to(flip(cumsum(flip(g, Dims{d}), d), Dims{d}), type);
    });
  return y;
}

}  // namespace lamina
