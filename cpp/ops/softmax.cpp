// softmax and log_softmax.
#include "reduce.h"

namespace lamina {
namespace {

// dx from the forward result: the fused kernel, or operations where a second gradient may follow.
Tensor softmax_backward(const Tensor& g, const Tensor& y, int64_t dim, bool log) {
  if (grad_enabled()) {
    if (log) return g - exp(y) * sum(g, Dims{dim}, true);
    return y * (g - sum(g * y, Dims{dim}, true));
  }
  Tensor dx = allocate_like(y);
  if (y.numel() > 0)
    kernel(&Kernels::softmax_backward, y.device())(g.view_of(), y.view_of(), int(dim), log, dx.view_of());
  return dx;
}

Tensor softmax_of(const char* op, const Tensor& input, int64_t dim, std::optional<DType> dtype, bool log) {
  const Tensor x = dtype && *dtype != input.dtype() ? to(input, dtype) : input;
  need_floating(op, x);
  const int64_t at = wrap_dim(dim, x.dim(), op);
  Tensor y = allocate_like(x);
  if (x.numel() > 0) kernel(&Kernels::softmax, x.device())(x.view_of(), int(at), log, y.view_of());
  if (recording({x}))
    record(op, y, {x},
           [y = save_output(y), at, log](Grads& d, const Tensor& g) { d[0] = softmax_backward(g, y.get(), at, log); });
  return y;
}

}  // namespace

Tensor softmax(const Tensor& input, int64_t dim, std::optional<DType> dtype) {
  return softmax_of("softmax", input, dim, dtype, false);
}
Tensor log_softmax(const Tensor& input, int64_t dim, std::optional<DType> dtype) {
  return softmax_of("log_softmax", input, dim, dtype, true);
}

}  // namespace lamina
