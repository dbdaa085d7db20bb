// Reducing into places named by an index, and moving elements by places of the flattened tensor or by a mask.
#include "index.h"
#include "inplace.h"
#include "lamina/autograd.h"
#include "lamina/devices.h"
#include "lamina/ops.h"

namespace lamina {
namespace {

// The leading part of t that an index of this shape reads, and back with zeros.
Tensor narrow_to(const Tensor& t, const Dims& shape) {
  Tensor y = t;
  for (size_t d = 0; d < shape.size(); ++d)
    if (y.shape()[d] != shape[d]) y = narrow(y, int64_t(d), 0, shape[d]);
  return y;
}
Tensor widen_to(const Tensor& t, const Dims& shape) {
  if (t.shape() == shape) return t;
  Dims grow;
  for (size_t d = shape.size(); d-- > 0;) {
    grow.push_back(0);
    grow.push_back(shape[d] - t.shape()[d]);
  }
  return pad(t, grow, "constant");
}

// How often each place is named; 1 where never.
Tensor hits(const Tensor& x, int64_t dim, const Tensor& index, bool include_self) {
  const NoGrad guard;
  const Tensor one = full(Dims{}, 1, x.dtype(), x.device());
  Tensor n = expand(one, x.shape());
  if (!include_self) n = scatter(n, dim, index, Scalar(0));
  return scatter_add(n, dim, index, expand(one, index.shape()));
}

// Products: the nonzero factors of a place are multiplied apart from its zeros, so that nothing is divided by zero.
// With one zero only that factor has a gradient, with more none has; the product of the zeros carries the second
// gradient.
void product_gradient(Grads& d, const Tensor& g, const Tensor& x, const Tensor& src, int64_t dim, const Tensor& index,
                      bool include_self) {
  const Tensor zero_x = x.detach() == 0, zero_src = src.detach() == 0;
  // Product over each place of what `keep` selects, 1 elsewhere.
  const auto product_of = [&](const Tensor& keep_x, const Tensor& keep_src) {
    Tensor from = where(keep_x, x, Tensor(1.0));
    if (!include_self) from = scatter(from, dim, index, Scalar(1));
    return scatter_reduce(from, dim, index, where(keep_src, src, Tensor(1.0)), "prod", true);
  };
  Tensor zeros_met = to(zero_x, x.dtype());
  if (!include_self) zeros_met = scatter(zeros_met, dim, index, Scalar(0));
  zeros_met = scatter_add(zeros_met, dim, index, to(zero_src, x.dtype()));
  const Tensor one_zero = zeros_met == 1;
  const Tensor product = g * product_of(logical_not(zero_x), logical_not(zero_src));
  // Of a factor that is not zero, and of one that is.
  const bool any_zero = any(zeros_met).item().to_bool();
  const Tensor others = any_zero ? product * product_of(zero_x, zero_src) : product;
  const Tensor of_zero = any_zero ? where(one_zero, product, Tensor(0.0)) : product;
  if (d.want(0)) {
    d[0] = where(zero_x, of_zero, others / where(zero_x, Tensor(1.0), x));
    if (!include_self) d[0] = scatter(d[0], dim, index, Scalar(0));
  }
  if (d.want(1)) {
    const Tensor factor = narrow_to(src, index.shape()), zero = narrow_to(zero_src, index.shape());
    const Tensor there =
        where(zero, gather(of_zero, dim, index), gather(others, dim, index) / where(zero, Tensor(1.0), factor));
    d[1] = widen_to(there, src.shape());
  }
}

// Equal extrema share the gradient evenly.
void extremum_gradient(Grads& d, const Tensor& g, const Tensor& x, const Tensor& src, const Tensor& y, int64_t dim,
                       const Tensor& index, bool include_self) {
  const Tensor a = x.detach(), b = narrow_to(src.detach(), index.shape()), top = y.detach();
  Tensor own = to(a == top, x.dtype());
  const Tensor theirs = to(b == gather(top, dim, index), x.dtype());
  Tensor count = include_self ? own : scatter(own, dim, index, Scalar(0));
  count = scatter_add(count, dim, index, theirs);
  const Tensor each = g / where(count == 0, Tensor(1.0), count);
  if (d.want(0)) {
    d[0] = own * each;
    if (!include_self) d[0] = scatter(d[0], dim, index, Scalar(0));
  }
  if (d.want(1)) d[1] = widen_to(theirs * gather(each, dim, index), src.shape());
}

// What any number replaces.
Scalar neutral(ReduceOp how, DType dtype) {
  const bool low = how == ReduceOp::amax;
  if (how == ReduceOp::prod) return 1;
  if (is_floating(dtype)) return low ? -__builtin_inf() : __builtin_inf();
  switch (dtype) {
    case DType::bool_:
      return low ? 0 : 1;
    case DType::uint8:
      return low ? 0 : 255;
    case DType::int8:
      return low ? -128 : 127;
    case DType::int16:
      return low ? -32768 : 32767;
    case DType::int32:
      return low ? int64_t(INT32_MIN) : int64_t(INT32_MAX);
    default:
      return low ? INT64_MIN : INT64_MAX;
  }
}

}  // namespace

Tensor scatter_reduce(const Tensor& x, int64_t dim_given, const Tensor& index, const Tensor& src,
                      std::string_view reduce, bool include_self) {
  const int64_t dim = wrap_dim(dim_given, x.dim(), "scatter_reduce");
  if (reduce == "sum" || reduce == "mean") {
    const Tensor base = include_self ? x : scatter(x, dim, index, Scalar(0));
    const Tensor y = scatter_add(base, dim, index, src);
    if (reduce == "sum") return y;
    const Tensor n = hits(x.detach(), dim, index, include_self);
    return is_floating(x.dtype()) ? y / n : floor_divide(y, n);
  }
  if (reduce != "prod" && reduce != "amax" && reduce != "amin")
    raise<ValueError>("scatter_reduce: reduce must be 'sum', 'prod', 'mean', 'amax' or 'amin', got '", reduce, "'");
  const ReduceOp how = reduce == "prod" ? ReduceOp::prod : reduce == "amax" ? ReduceOp::amax : ReduceOp::amin;
  Tensor y;
  {
    const NoGrad guard;
    y = include_self ? clone(x.detach()) : scatter(x.detach(), dim, index, neutral(how, x.dtype()));
    combine_along("scatter_reduce", how, y, dim, index, src.detach());
  }
  if (is_floating(x.dtype()) && recording({x, src}))
    record("scatter_reduce", y, {x, src},
           [a = save(x), b = save(src), at = save(index), out = save_output(y), how, dim, include_self](
               Grads& d, const Tensor& g) {
             const Tensor i = to(at.get(), DType::int64);
             if (how == ReduceOp::prod) {
               product_gradient(d, g, a.get(), b.get(), dim, i, include_self);
             } else {
               extremum_gradient(d, g, a.get(), b.get(), out.get(), dim, i, include_self);
             }
           });
  return y;
}
Tensor scatter_reduce_(const Tensor& self, int64_t dim, const Tensor& index, const Tensor& src, std::string_view reduce,
                       bool include_self) {
  return copy_(self, scatter_reduce(readable(self, src), dim, index, src, reduce, include_self));
}

Tensor index_reduce(const Tensor& x, int64_t dim, const Tensor& index, const Tensor& source, std::string_view reduce,
                    bool include_self) {
  const int64_t d = wrap_dim(dim, x.dim(), "index_reduce");
  if (reduce != "prod" && reduce != "mean" && reduce != "amax" && reduce != "amin")
    raise<ValueError>("index_reduce: reduce must be 'prod', 'mean', 'amax' or 'amin', got '", reduce, "'");
  if (x.dim() == 0 && index.numel() == 1 && source.numel() == 1)
    return reshape(index_reduce(reshape(x, {1}), 0, reshape(index, {1}), reshape(source, {1}), reduce, include_self),
                   {});
  if (x.dim() == 0 || index.dim() != 1)
    raise<ShapeError>("index_reduce: index must have 1 dim and input at least 1: ", describe("input", x), ", ",
                      describe("index", index));
  Dims want = x.shape(), line(x.shape().size(), 1);
  want[size_t(d)] = line[size_t(d)] = index.numel();
  if (source.shape() != want)
    raise<ShapeError>("index_reduce: source must have shape ", to_string(want), ", got ", describe("source", source));
  return scatter_reduce(x, d, expand(reshape(index, line), want), source, reduce, include_self);
}
Tensor index_reduce_(const Tensor& self, int64_t dim, const Tensor& index, const Tensor& source,
                     std::string_view reduce, bool include_self) {
  return copy_(self, index_reduce(readable(self, source), dim, index, source, reduce, include_self));
}

// ---- places of the flattened tensor ----

namespace {

Tensor flat_index(const char* op, const Tensor& index) {
  if (index.dtype() != DType::int64)
    raise<DtypeError>(op, ": index must be int64, got ", describe("index", index), "; use .long()");
  return reshape(index, {-1});
}

}  // namespace

Tensor take(const Tensor& x, const Tensor& given) {
  return reshape(index(reshape(x, {-1}), {flat_index("take", given)}), given.shape());
}
Tensor put(const Tensor& x, const Tensor& index, const Tensor& source, bool accumulate) {
  if (source.dtype() != x.dtype() || source.numel() != index.numel())
    raise<ShapeError>("put: source must have input's dtype and as many elements as index: ", describe("input", x), ", ",
                      describe("index", index), ", ", describe("source", source));
  return reshape(index_put(reshape(x, {-1}), {flat_index("put", index)}, reshape(source, {-1}), accumulate), x.shape());
}
Tensor put_(const Tensor& self, const Tensor& index, const Tensor& source, bool accumulate) {
  return copy_(self, put(self, index, source, accumulate));
}

// ---- masks ----

Tensor masked_scatter(const Tensor& given, const Tensor& mask_given, const Tensor& source) {
  if (mask_given.dtype() != DType::bool_)
    raise<DtypeError>("masked_scatter: mask must be bool, got ", describe("mask", mask_given), "; use mask.bool()");
  if (source.dtype() != given.dtype())
    raise<DtypeError>("masked_scatter: source must have input's dtype: ", describe("input", given), ", ",
                      describe("source", source));
  const Tensor* both[] = {&given, &mask_given};
  const Dims shape = broadcast_shapes("masked_scatter", both);
  const Tensor x = expand(given, shape), mask = expand(mask_given, shape);
  const int64_t n = sum(mask).item().to_int();
  if (n > source.numel())
    raise<ShapeError>("masked_scatter: the mask holds ", n, " times but source has ", source.numel(),
                      " elements: ", describe("mask", mask_given), ", ", describe("source", source));
  const Tensor values = narrow(reshape(source, {-1}), 0, 0, n);
  if (shape.empty()) return n > 0 ? reshape(values, {}) + 0 : clone(x);
  return index_put(x, {mask}, values);
}
Tensor masked_scatter_(const Tensor& self, const Tensor& mask, const Tensor& source) {
  const Tensor* both[] = {&self, &mask};
  if (broadcast_shapes("masked_scatter_", both) != self.shape())
    raise<ShapeError>("masked_scatter_: mask does not broadcast to self: ", describe("self", self), ", ",
                      describe("mask", mask));
  return copy_(self, masked_scatter(self, mask, source));
}

Tensor argwhere(const Tensor& x) { return nonzero(x); }

}  // namespace lamina
