// Reductions: sums, means, products, variances and logic over any dims.
#include "reduce.h"

#include <algorithm>

namespace lamina {

Reduced reduced_shape(const char* op, const Tensor& x, const OptDims& dim, bool keepdim) {
  bool drop[kMaxDims] = {};
  const bool all_dims = !dim || dim->empty();
  if (all_dims) {
    for (bool& d : drop) d = true;
  } else {
    for (int64_t d : *dim) {
      const auto i = size_t(wrap_dim(d, x.dim(), op));
      if (drop[i] && x.dim() > 0) raise<ShapeError>(op, ": dim ", d, " appears twice in ", to_string(*dim));
      drop[i] = true;
    }
  }
  Reduced r;
  for (size_t i = 0; i < x.shape().size(); ++i) {
    r.kept.push_back(drop[i] ? 1 : x.shape()[i]);
    if (drop[i]) {
      r.dims.push_back(int64_t(i));
      r.count *= x.shape()[i];
    } else {
      r.shape.push_back(x.shape()[i]);
    }
  }
  if (keepdim) r.shape = r.kept;
  return r;
}

Reduced reduced_shape(const char* op, const Tensor& x, std::optional<int64_t> dim, bool keepdim) {
  return reduced_shape(op, x, dim ? OptDims(Dims{*dim}) : OptDims(), keepdim);
}

void need_floating(const char* op, const Tensor& x) {
  if (!is_floating(x.dtype()))
    raise<DtypeError>(op, ": needs a floating dtype, got ", describe("input", x), ". Convert it with .float()");
}

void need_elements(const char* op, const Tensor& x, const Reduced& r) {
  if (r.count > 0 || x.numel() > 0) return;
  if (std::ranges::all_of(r.kept, [](int64_t d) { return d > 0; }))
    raise<IndexError>(op, ": nothing to reduce: ", describe("input", x),
                      " has no element in the reduced dims. Check the size before");
}

Tensor run_reduce(ReduceOp op, const Tensor& x, const Reduced& r, DType dtype, double p) {
  Tensor out = allocate(r.kept, dtype, x.device());
  kernel(&Kernels::reduce, x.device())(op, x.view_of(), out.view_of(), p);
  return r.shape.size() == r.kept.size() ? out : alias(out, r.shape, contiguous_strides(r.shape), 0);
}

Tensor sum(const Tensor& input, const OptDims& dim, bool keepdim, std::optional<DType> dtype) {
  const Reduced r = reduced_shape("sum", input, dim, keepdim);
  const DType result = dtype.value_or(is_floating(input.dtype()) ? input.dtype() : DType::int64);
  const Tensor x = is_floating(result) == is_floating(input.dtype()) &&
                           (!is_floating(result) || size_of(result) <= size_of(input.dtype()))
                       ? input
                       : to(input.detach(), result);
  const DType accumulate = is_floating(result) ? result : DType::int64;
  Tensor y = run_reduce(ReduceOp::sum, x, r, accumulate);
  if (result != accumulate) y = to(y, result);
  if (is_floating(result) && recording({input}))
    record("sum", y, {input}, [shape = input.shape(), kept = r.kept, from = input.dtype()](Grads& d, const Tensor& g) {
      d[0] = expand(to(reshape(g, kept), from), shape);
    });
  return y;
}

Tensor mean(const Tensor& input, const OptDims& dim, bool keepdim, std::optional<DType> dtype) {
  const Tensor x = dtype && *dtype != input.dtype() ? to(input, dtype) : input;
  need_floating("mean", x);
  const Reduced r = reduced_shape("mean", x, dim, keepdim);
  Tensor y = run_reduce(ReduceOp::mean, x, r, x.dtype());
  if (recording({x}))
    record("mean", y, {x}, [shape = x.shape(), kept = r.kept, n = double(r.count)](Grads& d, const Tensor& g) {
      d[0] = expand(reshape(g, kept) / n, shape);
    });
  return y;
}

// The kernel sees truth values alone: a NaN is true, and no integer is cut to a byte.
static Tensor run_logical(ReduceOp op, const Tensor& x, const Reduced& r) {
  return run_reduce(op, x.dtype() == DType::bool_ ? x : ne(x, 0), r, DType::bool_);
}

Tensor any(const Tensor& input, const OptDims& dim, bool keepdim) {
  return run_logical(ReduceOp::any, input, reduced_shape("any", input, dim, keepdim));
}

Tensor all(const Tensor& input, const OptDims& dim, bool keepdim) {
  return run_logical(ReduceOp::all, input, reduced_shape("all", input, dim, keepdim));
}

// ---- product ----

namespace {

// The products of all factors but one, along the last dim. Blocks keep it at 16 products per factor: the others of a
// block times the other blocks.
Tensor products_of_others(const Tensor& x) {
  constexpr int64_t kBlock = 16;
  const int64_t n = x.size(-1);
  if (n <= kBlock)  // (..., n) becomes (..., n, n) with ones on the diagonal
    return prod(where(eye(n, {}, DType::bool_, x.device()), Tensor(1.0), unsqueeze(x, -2)), -1);
  const int64_t count = (n + kBlock - 1) / kBlock, rest = count * kBlock - n;
  Dims shape = x.shape();
  shape[shape.size() - 1] = count;
  shape.push_back(kBlock);
  const Tensor blocks = reshape(pad(x, Dims{0, rest}, "constant", 1.0), shape);
  const Tensor products = products_of_others(blocks) * unsqueeze(products_of_others(prod(blocks, -1)), -1);
  return narrow(flatten(products, -2), -1, 0, n);
}

// y / x in rows without zeros, whatever the other rows hold.
Tensor prod_backward(const Tensor& g, const Tensor& x, const Tensor& y, int64_t dim) {
  const Tensor zero = x.detach() == 0;
  if (!any(zero).item().to_bool()) return g * y / x;
  const Tensor others = transpose(products_of_others(transpose(x, dim, -1)), dim, -1);
  return where(any(zero, Dims{dim}, true), g * others, g * y / where(zero, Tensor(1.0), x));
}

}  // namespace

Tensor prod(const Tensor& input, std::optional<DType> dtype) { return prod(flatten(input), 0, false, dtype); }

Tensor prod(const Tensor& input, int64_t dim, bool keepdim, std::optional<DType> dtype) {
  const DType result = dtype.value_or(is_floating(input.dtype()) ? input.dtype() : DType::int64);
  const Tensor x = result == input.dtype() || !is_floating(result) ? input : to(input, result);
  const Reduced r = reduced_shape("prod", x, std::optional<int64_t>(dim), keepdim);
  const Tensor from = !is_floating(result) && is_floating(x.dtype()) ? to(x, DType::int64) : x;
  Tensor y = run_reduce(ReduceOp::prod, from, r, is_floating(result) ? result : DType::int64);
  if (y.dtype() != result) y = to(y, result);
  if (is_floating(result) && recording({x})) {
    const int64_t at = wrap_dim(dim, x.dim(), "prod");
    record("prod", y, {x}, [x = save(x), y = save_output(y), at, kept = r.kept](Grads& d, const Tensor& g) {
      const Tensor in = x.get();
      d[0] = in.dim() == 0 ? g : prod_backward(reshape(g, kept), in, reshape(y.get(), kept), at);
    });
  }
  return y;
}

// ---- variance ----

namespace {

double correction_of(std::optional<bool> unbiased, std::optional<double> correction, const char* op) {
  if (unbiased && correction) raise<TypeError>(op, ": give unbiased or correction, not both");
  return correction ? *correction : unbiased.value_or(true) ? 1 : 0;
}

// The kernel's output, without history.
Tensor run_var(const char* op, const Tensor& x, const Reduced& r, double correction, bool root) {
  need_floating(op, x);
  const Tensor var = allocate(r.kept, x.dtype(), x.device());
  View no_mean = var.view_of();
  no_mean.data = nullptr;
  kernel(&Kernels::var_mean, x.device())(x.view_of(), correction, root, var.view_of(), no_mean);
  return alias(var, r.shape, contiguous_strides(r.shape), 0);
}

Tensor var_backward(const Tensor& g, const Tensor& x, const Reduced& r, double correction) {
  return reshape(g, r.kept) * (2 / std::max(double(r.count) - correction, 0.0)) * (x - mean(x, r.dims, true));
}

}  // namespace

Tensor var(const Tensor& input, const OptDims& dim, std::optional<bool> unbiased, bool keepdim,
           std::optional<double> correction) {
  const Reduced r = reduced_shape("var", input, dim, keepdim);
  const double c = correction_of(unbiased, correction, "var");
  Tensor y = run_var("var", input, r, c, false);
  if (recording({input}))
    record("var", y, {input},
           [x = save(input), r, c](Grads& d, const Tensor& g) { d[0] = var_backward(g, x.get(), r, c); });
  return y;
}

Tensor std(const Tensor& input, const OptDims& dim, std::optional<bool> unbiased, bool keepdim,
           std::optional<double> correction) {
  const Reduced r = reduced_shape("std", input, dim, keepdim);
  const double c = correction_of(unbiased, correction, "std");
  Tensor y = run_var("std", input, r, c, true);
  if (recording({input}))
    record("std", y, {input}, [x = save(input), y = save_output(y), r, c](Grads& d, const Tensor& g) {
      const Tensor s = y.get();
      d[0] = var_backward(where(s == 0, Tensor(0.0), g / (s * 2)), x.get(), r, c);
    });
  return y;
}

Tensor var(const Tensor& input, Flag unbiased) { return var(input, OptDims(), unbiased.on, false, {}); }
Tensor std(const Tensor& input, Flag unbiased) { return std(input, OptDims(), unbiased.on, false, {}); }
TensorPair var_mean(const Tensor& input, Flag unbiased) { return var_mean(input, OptDims(), unbiased.on, false, {}); }

TensorPair var_mean(const Tensor& input, const OptDims& dim, std::optional<bool> unbiased, bool keepdim,
                    std::optional<double> correction) {
  return {var(input, dim, unbiased, keepdim, correction), mean(input, dim, keepdim)};
}

}  // namespace lamina
