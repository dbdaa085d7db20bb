// Largest and smallest elements, with or without their places; logsumexp and norms.
#include "reduce.h"

namespace lamina {
namespace {

// The gradient is shared evenly among equal elements, as in PyTorch.
Tensor share_evenly(const Tensor& g, const Tensor& x, const Tensor& y, const Reduced& r) {
  const Tensor top = reshape(y, r.kept);
  const Tensor hit = to((x == top) | (isnan(x) & isnan(top)), x.dtype());
  return reshape(g, r.kept) * hit / sum(hit, r.dims, true);
}

Tensor extremum(const char* op, ReduceOp which, const Tensor& x, const Reduced& r) {
  need_elements(op, x, r);
  const bool number = is_floating(x.dtype()) || x.dtype() == DType::int64;
  Tensor y = run_reduce(which, x, r, number ? x.dtype() : DType::int64);
  if (!number) y = to(y, x.dtype());
  if (is_floating(x.dtype()) && recording({x}))
    record(op, y, {x}, [x = save(x), y = save_output(y), r](Grads& d, const Tensor& g) {
      d[0] = share_evenly(g, x.get().detach(), y.get().detach(), r);
    });
  return y;
}

struct Found {
  Tensor values, indices;  // either undefined where not wanted
};
Found run_arg(const char* op, bool largest, const Tensor& x, const Reduced& r, bool want_values) {
  need_elements(op, x, r);
  const Tensor values = want_values ? allocate(r.kept, x.dtype(), x.device()) : Tensor(),
               indices = allocate(r.kept, DType::int64, x.device());
  View none = indices.view_of();
  none.data = nullptr;
  kernel(&Kernels::arg_reduce, x.device())(largest, x.view_of(), want_values ? values.view_of() : none,
                                           indices.view_of());
  const Dims strides = contiguous_strides(r.shape);
  return {want_values ? alias(values, r.shape, strides, 0) : Tensor(), alias(indices, r.shape, strides, 0)};
}

ValuesIndices with_indices(const char* op, bool largest, const Tensor& x, int64_t dim, bool keepdim) {
  const Reduced r = reduced_shape(op, x, std::optional<int64_t>(dim), keepdim);
  Found f = run_arg(op, largest, x, r, true);
  if (is_floating(x.dtype()) && recording({x})) {
    const int64_t at = wrap_dim(dim, x.dim(), op);
    record(op, f.values, {x},
           [index = save(f.indices), shape = x.shape(), kept = r.kept, at](Grads& d, const Tensor& g) {
             if (shape.empty()) {
               d[0] = g;
               return;
             }
             Dims line(shape.size(), 1);
             line[size_t(at)] = shape[size_t(at)];
             const Tensor place = reshape(arange(shape[size_t(at)], {}, g.device()), line);
             d[0] = where(place == reshape(index.get(), kept), reshape(g, kept), Tensor(0.0));
           });
  }
  return {f.values, f.indices};
}

}  // namespace

Tensor amax(const Tensor& input, const OptDims& dim, bool keepdim) {
  return extremum("amax", ReduceOp::amax, input, reduced_shape("amax", input, dim, keepdim));
}
Tensor amin(const Tensor& input, const OptDims& dim, bool keepdim) {
  return extremum("amin", ReduceOp::amin, input, reduced_shape("amin", input, dim, keepdim));
}
Tensor max(const Tensor& input) {
  return extremum("max", ReduceOp::amax, input, reduced_shape("max", input, OptDims(), false));
}
Tensor min(const Tensor& input) {
  return extremum("min", ReduceOp::amin, input, reduced_shape("min", input, OptDims(), false));
}
ValuesIndices max(const Tensor& input, int64_t dim, bool keepdim) {
  return with_indices("max", true, input, dim, keepdim);
}
ValuesIndices min(const Tensor& input, int64_t dim, bool keepdim) {
  return with_indices("min", false, input, dim, keepdim);
}
Tensor max(const Tensor& input, const Tensor& other) { return maximum(input, other); }
Tensor min(const Tensor& input, const Tensor& other) { return minimum(input, other); }

Tensor argmax(const Tensor& input, std::optional<int64_t> dim, bool keepdim) {
  return run_arg("argmax", true, input, reduced_shape("argmax", input, dim, keepdim), false).indices;
}
Tensor argmin(const Tensor& input, std::optional<int64_t> dim, bool keepdim) {
  return run_arg("argmin", false, input, reduced_shape("argmin", input, dim, keepdim), false).indices;
}

Tensor logsumexp(const Tensor& input, const Dims& dim, bool keepdim) {
  const Tensor x = is_floating(input.dtype()) ? input : to(input, default_dtype());
  const Reduced r = reduced_shape("logsumexp", x, OptDims(dim), keepdim);
  Tensor y = run_reduce(ReduceOp::logsumexp, x, r, x.dtype());
  if (recording({x}))
    record("logsumexp", y, {x}, [x = save(x), y = save_output(y), r](Grads& d, const Tensor& g) {
      const Tensor top = reshape(y.get(), r.kept);
      d[0] = reshape(g, r.kept) * exp(x.get() - where(isinf(top), Tensor(0.0), top));  // exp(-inf - 0) is 0, not NaN
    });
  return y;
}

// ---- norms ----

namespace {

constexpr double kInfinity = __builtin_inf();

ReduceOp norm_op(double p) {
  if (p == 0) return ReduceOp::norm_0;
  if (p == 1) return ReduceOp::norm_1;
  if (p == 2) return ReduceOp::norm_2;
  if (p == kInfinity) return ReduceOp::norm_inf;
  return p == -kInfinity ? ReduceOp::norm_neg_inf : ReduceOp::norm_p;
}

}  // namespace

Tensor norm_backward(const Tensor& gradient, const Tensor& x, const Tensor& norm_value, double p, const Reduced& r) {
  const Tensor g = reshape(gradient, r.kept), y = reshape(norm_value, r.kept);
  if (p == 0) return zeros_like(x);
  if (p == 1) return g * sign(x);
  if (p == 2) return x * where(y == 0, Tensor(0.0), g / y);
  if (p == kInfinity || p == -kInfinity) {
    const Tensor hit = to(abs(x.detach()) == y.detach(), x.dtype());
    return g * sign(x) * hit / sum(hit, r.dims, true);
  }
  // sign(x) |x|^(p - 1) / y^(p - 1); at x = 0 the limit for p > 1.
  const Tensor zero = x.detach() == 0, safe = where(zero, Tensor(1.0), abs(x)), bottom = where(y == 0, Tensor(1.0), y);
  return g * where(zero, Tensor(0.0), sign(x) * pow(safe, p - 1)) / pow(bottom, p - 1);
}

Tensor norm(const Tensor& input, double p, const OptDims& dim, bool keepdim, std::optional<DType> dtype) {
  const Tensor x = dtype && *dtype != input.dtype() ? to(input, dtype) : input;
  need_floating("norm", x);
  const Reduced r = reduced_shape("norm", x, dim, keepdim);
  if (p == kInfinity || p == -kInfinity || p < 0) need_elements("norm", x, r);
  Tensor y = run_reduce(norm_op(p), x, r, x.dtype(), p);
  if (recording({x}))
    record("norm", y, {x}, [x = save(x), y = save_output(y), p, r](Grads& d, const Tensor& g) {
      d[0] = norm_backward(g, x.get(), y.get(), p, r);
    });
  return y;
}

Tensor norm(const Tensor& input, std::string_view p, const OptDims& dim, bool keepdim, std::optional<DType> dtype) {
  if (p != "fro")
    raise<ValueError>("norm: p must be a number or 'fro', got '", p, "'; linalg.matrix_norm has the other norms");
  return norm(input, 2, dim, keepdim, dtype);
}

}  // namespace lamina
