// cdist and pdist. The differences of all pairs are features times as large as the result: they are made, and made
// again for the gradient, some pairs at a time. How the pairs are cut never shows: no sum is cut.
#include <algorithm>
#include <array>
#include <limits>

#include "reduce.h"

namespace lamina {
namespace {

constexpr int64_t kHeld = 1 << 18;  // differences that are held at once, where one line of pairs has no more

void check_order(const char* op, double p) {
  if (!(p >= 0)) raise<ValueError>(op, ": p must not be negative, got ", p);
}
void write(const Tensor& from, const Tensor& to) { kernel(&Kernels::copy, to.device())(from.view_of(), to.view_of()); }
// The gradient of norm(difference, p, -1): g and y have the size 1 there.
Tensor norm_gradient(const char* op, const Tensor& g, const Tensor& difference, const Tensor& y, double p) {
  return norm_backward(g, difference, y, p, reduced_shape(op, difference, OptDims(Dims{-1}), true));
}

// ---- cdist ----

// Tensors that broadcast to (*, P, R, M); the first one is written.
using Operands = std::array<Tensor, 5>;

// f(parts) over parts of about kHeld elements of `shape`, cut along dims that the first tensor has, but the last.
template <class F>
void in_parts(Dims shape, const Operands& t, F& f) {
  const int64_t all = numel_of(shape);
  for (size_t d = 0; all > kHeld && d + 1 < shape.size(); ++d) {
    const int64_t n = shape[d];
    if (t[0].shape()[d] == 1) continue;
    const int64_t step = std::max<int64_t>(kHeld / (all / n), 1);
    for (int64_t i = 0; i < n; i += step) {
      shape[d] = std::min(step, n - i);
      Operands part = t;
      for (Tensor& x : part)
        if (x.defined() && x.shape()[d] != 1) x = narrow(x, int64_t(d), i, shape[d]);
      in_parts(shape, part, f);
    }
    return;
  }
  f(t);
}

// Rows of x1 as (*, P, 1, M), or of x2 as (*, 1, R, M), with as many dims.
Tensor lines(const Tensor& x, int64_t at, int64_t dims) {
  Tensor y = unsqueeze(x, at);
  while (y.dim() < dims) y = unsqueeze(y, 0);
  return y;
}

struct Lines {
  Tensor a, b;
  Dims shape;  // (*, P, R, M)
  Lines(const Tensor& x1, const Tensor& x2) {
    const int64_t dims = std::max(x1.dim(), x2.dim()) + 1;
    a = lines(x1, -2, dims), b = lines(x2, -3, dims);
    const Tensor* both[] = {&a, &b};
    shape = broadcast_shapes("cdist", both);
  }
};

Tensor distances(const Lines& l, double p) {
  const NoGrad off;
  if (numel_of(l.shape) <= kHeld) return norm(l.a - l.b, p, Dims{-1});
  Dims kept = l.shape;
  kept[kept.size() - 1] = 1;
  const Tensor y = allocate(kept, l.a.dtype(), l.a.device());
  const auto fill = [p](const Operands& t) { write(norm(t[1] - t[2], p, Dims{-1}, true), t[0]); };
  in_parts(l.shape, {y, l.a, l.b}, fill);
  return squeeze(y, Dims{-1});
}

// Gradient of the rows `a` of norm(a - b): the other operand's is that of norm(b - a).
Tensor rows_gradient(const Dims& shape, const Tensor& a, const Tensor& b, const Tensor& y, const Tensor& g, double p) {
  const Tensor out = allocate(a.shape(), a.dtype(), a.device());
  const auto fill = [p](const Operands& t) {
    write(sum_to(norm_gradient("cdist", t[4], t[1] - t[2], t[3], p), t[0].shape()), t[0]);
  };
  in_parts(shape, {out, a, b, y, g}, fill);
  return out;
}

void cdist_backward(Grads& d, const Tensor& gradient, const Tensor& x1, const Tensor& x2, const Tensor& norms,
                    double p) {
  const Lines l(x1, x2);
  const Tensor g = unsqueeze(gradient, -1), y = unsqueeze(norms, -1);
  if (!grad_enabled()) {
    if (d.want(0)) d[0] = reshape(rows_gradient(l.shape, l.a, l.b, y, g, p), x1.shape());
    if (d.want(1)) d[1] = reshape(rows_gradient(l.shape, l.b, l.a, y, g, p), x2.shape());
    return;
  }
  const Tensor all = norm_gradient("cdist", g, l.a - l.b, y, p);  // a second gradient reads them all
  if (d.want(0)) d[0] = reshape(sum_to(all, l.a.shape()), x1.shape());
  if (d.want(1)) d[1] = reshape(sum_to(-all, l.b.shape()), x2.shape());
}

// ---- pdist ----

// Pairs of rows (i, j) with i < j, in order.
class Pairs {
 public:
  explicit Pairs(int64_t rows) : rows_(rows) {}
  int64_t count() const { return rows_ * (rows_ - 1) / 2; }
  // The next n pairs, as numbers of rows.
  std::array<Tensor, 2> next(int64_t n, Device device) {
    const Tensor first = allocate(Dims{n}, DType::int64), second = allocate(Dims{n}, DType::int64);
    for (int64_t at = 0; at < n; ++at, ++j_) {
      if (j_ == rows_) j_ = ++i_ + 1;
      first.data_as<int64_t>()[at] = i_, second.data_as<int64_t>()[at] = j_;
    }
    return {to(first, {}, device), to(second, {}, device)};
  }

 private:
  int64_t rows_, i_ = 0, j_ = 1;
};

// f(first rows, second rows, place of the first pair, number of pairs) over all pairs, some at a time.
template <class F>
void over_pairs(const Tensor& x, F f) {
  Pairs pairs(x.shape()[0]);
  const int64_t count = pairs.count(), step = std::max<int64_t>(kHeld / std::max<int64_t>(x.shape()[1], 1), 1);
  for (int64_t at = 0; at < count; at += step) {
    const int64_t n = std::min(step, count - at);
    const auto [first, second] = pairs.next(n, x.device());
    f(first, second, at, n);
  }
}
Tensor pair_differences(const Tensor& x, const Tensor& first, const Tensor& second) {
  return index_select(x, 0, first) - index_select(x, 0, second);
}

Tensor pdist_gradient(const Tensor& gradient, const Tensor& x, const Tensor& y, double p) {
  const int64_t rows = x.shape()[0];
  if (grad_enabled()) {
    Pairs pairs(rows);
    const auto [first, second] = pairs.next(pairs.count(), x.device());
    const Tensor all =
        norm_gradient("pdist", unsqueeze(gradient, -1), pair_differences(x, first, second), unsqueeze(y, -1), p);
    const Tensor zero = zeros_like(x.detach());
    return index_add(zero, 0, first, all) - index_add(zero, 0, second, all);
  }
  // Sums of many values are kept in float64 from part to part, as index_add does within one call.
  const bool many = Pairs(rows).count() / 2 >= rows || x.dtype() == DType::float64;
  const DType wide = many ? DType::float64 : DType::float32;
  const Tensor plus = zeros(Size(x.shape()), wide, x.device()), minus = zeros(Size(x.shape()), wide, x.device());
  over_pairs(x, [&](const Tensor& first, const Tensor& second, int64_t at, int64_t n) {
    const Tensor part = norm_gradient("pdist", unsqueeze(narrow(gradient, 0, at, n), -1),
                                      pair_differences(x, first, second), unsqueeze(narrow(y, 0, at, n), -1), p);
    index_add_(plus, 0, first, to(part, wide));
    index_add_(minus, 0, second, to(part, wide));
  });
  return to(plus, x.dtype()) - to(minus, x.dtype());
}

}  // namespace

Tensor cdist(const Tensor& x1, const Tensor& x2, double p, std::string_view compute_mode) {
  if (compute_mode != "use_mm_for_euclid_dist_if_necessary" && compute_mode != "use_mm_for_euclid_dist" &&
      compute_mode != "donot_use_mm_for_euclid_dist")
    raise<ValueError>("cdist: compute_mode '", compute_mode, "' is none of PyTorch's three");
  check_order("cdist", p);
  if (x1.dim() < 2 || x2.dim() < 2 || x1.size(-1) != x2.size(-1))
    raise<ShapeError>("cdist: expects (*, P, M) and (*, R, M): ", describe("x1", x1), ", ", describe("x2", x2));
  if (!is_floating(x1.dtype()) || x1.dtype() != x2.dtype())
    raise<DtypeError>("cdist: operands must have the same floating dtype: ", describe("x1", x1), ", ",
                      describe("x2", x2));
  if (x1.size(-1) == 0) return sum(unsqueeze(x1, -2) - unsqueeze(x2, -3), Dims{-1});
  Tensor y = distances(Lines(x1, x2), p);
  if (recording({x1, x2}))
    record("cdist", y, {x1, x2}, [x1 = save(x1), x2 = save(x2), y = save_output(y), p](Grads& d, const Tensor& g) {
      cdist_backward(d, g, x1.get(), x2.get(), y.get(), p);
    });
  return y;
}

Tensor pdist(const Tensor& input, double p) {
  need_floating("pdist", input);
  if (input.dim() != 2) raise<ShapeError>("pdist: needs a matrix (N, D), got ", describe("input", input));
  check_order("pdist", p);
  Tensor y = zeros(Size{Pairs(input.shape()[0]).count()}, input.dtype(), input.device());
  if (input.shape()[1] > 0) {
    const NoGrad off;
    over_pairs(input, [&](const Tensor& first, const Tensor& second, int64_t at, int64_t n) {
      write(norm(pair_differences(input, first, second), p, Dims{1}, false, {}), narrow(y, 0, at, n));
    });
  }
  if (recording({input}))
    record("pdist", y, {input}, [x = save(input), y = save_output(y), p](Grads& d, const Tensor& g) {
      d[0] = pdist_gradient(g, x.get(), y.get(), p);
    });
  return y;
}

}  // namespace lamina
