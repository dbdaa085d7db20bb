// Reductions: sums and their kin over any dims.
#include "lamina/autograd.h"
#include "lamina/devices.h"
#include "lamina/ops.h"

namespace lamina {
namespace {

// Which dims are reduced, and the result's shape with and without them.
struct Reduced {
  Dims kept, dropped;  // with reduced dims as 1; without them
};

Reduced reduced_shape(const char* op, const Tensor& x, const OptDims& dim, bool keepdim) {
  bool drop[kMaxDims] = {};
  if (dim && !dim->empty()) {
    for (int64_t d : *dim) {
      const auto i = size_t(wrap_dim(d, x.dim(), op));
      if (drop[i] && x.dim() > 0) raise<ShapeError>(op, ": dim ", d, " appears twice in ", to_string(*dim));
      drop[i] = true;
    }
  } else {
    for (bool& d : drop) d = true;
  }
  Reduced r;
  for (size_t i = 0; i < x.shape().size(); ++i) {
    r.kept.push_back(drop[i] ? 1 : x.shape()[i]);
    if (!drop[i]) r.dropped.push_back(x.shape()[i]);
  }
  if (keepdim) r.dropped = r.kept;
  return r;
}

Tensor run_reduce(ReduceOp op, const Tensor& x, const Reduced& r, DType dtype, double p = 0) {
  Tensor out = allocate(r.kept, dtype, x.device());
  kernel(&Kernels::reduce, x.device())(op, x.view_of(), out.view_of(), p);
  return alias(out, r.dropped, contiguous_strides(r.dropped), 0);
}

}  // namespace

Tensor sum(const Tensor& input, const OptDims& dim, bool keepdim, std::optional<DType> dtype) {
  const Reduced r = reduced_shape("sum", input, dim, keepdim);
  const DType result = dtype.value_or(is_floating(input.dtype()) ? input.dtype() : DType::int64);
  const Tensor x = is_floating(result) == is_floating(input.dtype()) ? input : to(input, result);
  const DType accumulate = is_floating(result) ? result : DType::int64;
  Tensor y = run_reduce(ReduceOp::sum, x, r, accumulate);
  if (result != accumulate) y = to(y, result);
  if (recording({input}))
    record("sum", y, {input}, [shape = input.shape(), kept = r.kept, from = input.dtype()](Grads& d, const Tensor& g) {
      d[0] = expand(to(reshape(g, kept), from), shape);
    });
  return y;
}

Tensor any(const Tensor& input, const OptDims& dim, bool keepdim) {
  return run_reduce(ReduceOp::any, input, reduced_shape("any", input, dim, keepdim), DType::bool_);
}

}  // namespace lamina
