// Running sums, products, extrema and log-sum-exps along one dim.
#include "inplace.h"
#include "lamina/autograd.h"
#include "lamina/devices.h"
#include "lamina/ops.h"

namespace lamina {
namespace {

Tensor run_scan(ReduceOp op, const Tensor& x, int64_t dim, DType dtype, const Tensor& indices = {}) {
  Tensor y = allocate(x.shape(), dtype, x.device());
  View at = y.view_of();
  at.data = nullptr;
  if (indices.defined()) at = indices.view_of();
  if (x.numel() > 0) kernel(&Kernels::scan, x.device())(op, x.view_of(), int(dim), y.view_of(), at);
  return y;
}

// Views of the line from its end.
Tensor reversed(const Tensor& x, int64_t dim) { return slice(x, dim, {}, {}, -1); }

// An in-place form takes dtype for the sake of its twin.
void check_own_dtype(const char* op, const Tensor& self, std::optional<DType> dtype) {
  if (dtype && *dtype != self.dtype())
    raise<DtypeError>(op, ": the result cannot be ", name(*dtype), ", it is written into ", describe("self", self));
}

// What sum and prod read: floats in the dtype of the result.
struct Operands {
  Tensor from;
  DType result;
};
Operands operands(const Tensor& x, std::optional<DType> dtype) {
  const DType result = dtype.value_or(is_floating(x.dtype()) ? x.dtype() : DType::int64);
  return {is_floating(result) || !is_floating(x.dtype()) ? x : to(x, result), result};
}

ValuesIndices running_extremum(const char* op, ReduceOp which, const Tensor& x, int64_t dim) {
  const int64_t d = wrap_dim(dim, x.dim(), op);
  Tensor indices = allocate(x.shape(), DType::int64, x.device());
  if (x.dim() == 0) return {clone(x), zero_(indices)};
  Tensor y = run_scan(which, x, d, x.dtype(), indices);
  if (is_floating(x.dtype()) && recording({x}))
    record(op, y, {x}, [at = save(indices), d, shape = x.shape()](Grads& r, const Tensor& g) {
      r[0] = scatter_add(zeros(shape, g.dtype(), g.device()), d, at.get(), g);
    });
  return {y, indices};
}

}  // namespace

Tensor cumsum(const Tensor& x, int64_t dim, std::optional<DType> dtype) {
  const int64_t d = wrap_dim(dim, x.dim(), "cumsum");
  const auto [from, result] = operands(x, dtype);
  if (x.dim() == 0) return from.dtype() == result ? clone(from) : to(from, result);
  Tensor y = run_scan(ReduceOp::sum, from, d, result);
  if (is_floating(result) && recording({x}))
    record("cumsum", y, {x}, [d, type = x.dtype()](Grads& r, const Tensor& g) {
      r[0] = to(flip(cumsum(reversed(g, d), d), Dims{d}), type);
    });
  return y;
}

// d y[j] / d x[k] = y[k - 1] x[k + 1] ... x[j]: the sum over j of g[j] times the last factors is a recurrence from the
// end, so that no zero is divided by.
Tensor cumprod(const Tensor& x, int64_t dim, std::optional<DType> dtype) {
  const int64_t d = wrap_dim(dim, x.dim(), "cumprod");
  const auto [from, result] = operands(x, dtype);
  if (x.dim() == 0) return from.dtype() == result ? clone(from) : to(from, result);
  Tensor y = run_scan(ReduceOp::prod, from, d, result);
  if (is_floating(result) && recording({x}))
    record("cumprod", y, {x}, [in = save(x), out = save_output(y), d](Grads& r, const Tensor& g) {
      const Tensor v = in.get();
      const Tensor wide = to(v, g.dtype());
      const int64_t n = v.size(d);
      if (n == 0) {
        r[0] = zeros_like(v);
        return;
      }
      const Tensor one = ones_like(narrow(wide.detach(), d, 0, 1));
      const Tensor before = cat({one, narrow(out.get(), d, 0, n - 1)}, d);
      const Tensor factor = cat({narrow(wide, d, 1, n - 1), one}, d);
      const Tensor after = flip(linear_scan(reversed(factor, d), reversed(g, d), d), Dims{d});
      r[0] = to(before * after, v.dtype());
    });
  return y;
}

Tensor cumsum_(const Tensor& self, int64_t dim, std::optional<DType> dtype) {
  check_own_dtype("cumsum_", self, dtype);
  return copy_(self, cumsum(self, dim));
}
Tensor cumprod_(const Tensor& self, int64_t dim, std::optional<DType> dtype) {
  check_own_dtype("cumprod_", self, dtype);
  return copy_(self, cumprod(readable(self), dim));
}

ValuesIndices cummax(const Tensor& x, int64_t dim) { return running_extremum("cummax", ReduceOp::amax, x, dim); }
ValuesIndices cummin(const Tensor& x, int64_t dim) { return running_extremum("cummin", ReduceOp::amin, x, dim); }

// dx[k] = exp(x[k]) * sum over j >= k of g[j] exp(-y[j]), as a recurrence with factors exp(y[k] - y[k + 1]) <= 1.
Tensor logcumsumexp(const Tensor& input, int64_t dim) {
  const int64_t d = wrap_dim(dim, input.dim(), "logcumsumexp");
  const Tensor x = is_floating(input.dtype()) ? input : to(input, default_dtype());
  if (x.dim() == 0) return clone(x);
  Tensor y = run_scan(ReduceOp::logsumexp, x, d, x.dtype());
  if (recording({x}))
    record("logcumsumexp", y, {x}, [in = save(x), out = save_output(y), d](Grads& r, const Tensor& g) {
      const Tensor v = in.get(), top = out.get();
      const int64_t n = v.size(d);
      if (n == 0) {
        r[0] = zeros_like(v);
        return;
      }
      const auto ratio = [](const Tensor& a, const Tensor& b) {  // exp(a - b) where both may be infinite
        return exp(where(a == b, Tensor(0.0), a - b));
      };
      const Tensor last = zeros_like(narrow(v.detach(), d, 0, 1));
      const Tensor factor = cat({ratio(narrow(top, d, 0, n - 1), narrow(top, d, 1, n - 1)), last}, d);
      const Tensor after = flip(linear_scan(reversed(factor, d), reversed(g, d), d), Dims{d});
      r[0] = after * where(isinf(top) & (top < 0), Tensor(0.0), ratio(v, top));
    });
  return y;
}

// The recurrence is its own gradient, run from the end.
Tensor linear_scan(const Tensor& a, const Tensor& b, int64_t dim) {
  Tensor y = allocate(b.shape(), b.dtype(), b.device());
  if (y.numel() > 0) kernel(&Kernels::linear_scan, b.device())(a.view_of(), b.view_of(), int(dim), y.view_of());
  if (recording({a, b}))
    record("linear_scan", y, {a, b}, [in = save(a), out = save_output(y), dim](Grads& r, const Tensor& g) {
      const Tensor u = in.get();
      const int64_t n = u.size(dim);
      if (n == 0) {
        r[0] = zeros_like(u), r[1] = zeros_like(g);
        return;
      }
      const Tensor zero = zeros_like(narrow(u.detach(), dim, 0, 1));
      const Tensor factor = cat({narrow(u, dim, 1, n - 1), zero}, dim);
      const Tensor back = flip(linear_scan(reversed(factor, dim), reversed(g, dim), dim), Dims{dim});
      if (r.want(0)) r[0] = back * cat({zero, narrow(out.get(), dim, 0, n - 1)}, dim);
      if (r.want(1)) r[1] = back;
    });
  return y;
}

}  // namespace lamina
