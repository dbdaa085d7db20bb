// Reductions made of others, counts in bins, differences and integrals of samples.
#include <cmath>

#include "inplace.h"
#include "reduce.h"

namespace lamina {

// ---- reductions ----

Tensor count_nonzero(const Tensor& x, const OptDims& dim) {
  const NoGrad guard;
  return sum(x.dtype() == DType::bool_ ? x.detach() : ne(x.detach(), 0), dim && dim->empty() ? OptDims() : dim);
}

namespace {

Tensor without_nan(const Tensor& x) { return is_floating(x.dtype()) ? where(isnan(x.detach()), Tensor(0.0), x) : x; }

}  // namespace

Tensor nansum(const Tensor& x, const OptDims& dim, bool keepdim, std::optional<DType> dtype) {
  return sum(without_nan(x), dim, keepdim, dtype);
}

Tensor nanmean(const Tensor& x, const OptDims& dim, bool keepdim, std::optional<DType> dtype) {
  need_floating("nanmean", dtype ? to(x.detach(), dtype) : x);
  const Tensor good = logical_not(isnan(x.detach()));
  const Tensor total = nansum(x, dim, keepdim, dtype);
  return total / to(sum(good, dim, keepdim), total.dtype());
}

TensorPair std_mean(const Tensor& x, Flag unbiased) { return std_mean(x, OptDims(), unbiased.on, false, {}); }
TensorPair std_mean(const Tensor& x, const OptDims& dim, std::optional<bool> unbiased, bool keepdim,
                    std::optional<double> correction) {
  return {std(x, dim, unbiased, keepdim, correction), mean(x, dim, keepdim)};
}

MinMax aminmax(const Tensor& x, std::optional<int64_t> dim, bool keepdim) {
  const OptDims d = dim ? OptDims(Dims{*dim}) : OptDims();
  return {amin(x, d, keepdim), amax(x, d, keepdim)};
}

// ---- counts ----

Tensor bincount(const Tensor& x, const Tensor& weights, int64_t minlength) {
  const NoGrad guard;
  if (x.dim() != 1 || is_floating(x.dtype()) || x.dtype() == DType::bool_)
    raise<ShapeError>("bincount: input must be 1-D and hold integers, got ", describe("input", x));
  if (minlength < 0) raise<ValueError>("bincount: minlength must not be negative, got ", minlength);
  if (weights.defined() && weights.shape() != x.shape())
    raise<ShapeError>("bincount: weights must have input's shape: ", describe("input", x), ", ",
                      describe("weights", weights));
  int64_t size = minlength;
  if (x.numel() > 0) {
    if (amin(x).item().to_int() < 0) raise<ValueError>("bincount: input holds negative numbers");
    size = std::max(size, checked::add(amax(x).item().to_int(), 1, "bincount"));
  }
  const DType type = !weights.defined()                  ? DType::int64
                     : weights.dtype() == DType::float32 ? DType::float32
                                                         : DType::float64;
  const Tensor source =
      weights.defined() ? to(weights.detach(), type) : expand(full(Dims{}, 1, type, x.device()), x.shape());
  return index_add_(zeros({size}, type, x.device()), 0, to(x, DType::int64), source, 1);
}

Tensor histc(const Tensor& x, int64_t bins, Scalar min_given, Scalar max_given) {
  const NoGrad guard;
  need_floating("histc", x);
  if (bins <= 0) raise<ValueError>("histc: bins must be positive, got ", bins);
  double low = min_given.to_double(), high = max_given.to_double();
  const Tensor v = reshape(x.detach(), {-1});
  if (low == high && v.numel() > 0) {
    low = amin(v).item().to_double();
    high = amax(v).item().to_double();
  }
  if (low == high) low -= 1, high += 1;
  if (!(low < high) || !std::isfinite(low) || !std::isfinite(high))
    raise<ValueError>("histc: needs finite bounds with min <= max, got min ", low, " and max ", high);
  const Tensor inside = masked_select(v, logical_and(ge(v, low), le(v, high)));
  const Tensor place = to((inside - low) / (high - low) * double(bins), DType::int64);
  return to(bincount(clamp_max(place, bins - 1), {}, bins), x.dtype());
}

namespace {

Histogram counted(const Tensor& x, const Tensor& edges, const Tensor& weight, bool density) {
  const int64_t bins = edges.numel() - 1;
  if (weight.defined() && (weight.shape() != x.shape() || weight.dtype() != x.dtype()))
    raise<ShapeError>("histogram: weight must have input's shape and dtype: ", describe("input", x), ", ",
                      describe("weight", weight));
  const Tensor v = reshape(x.detach(), {-1});
  // The last bin holds its right edge too; bins + 1 collects what lies outside.
  Tensor place = searchsorted(edges, Operand(v), false, true, {}, {}) - 1;
  place = where(v == select(edges, 0, bins), full({}, bins - 1, DType::int64), place);
  place = where(logical_or(place < 0, place >= bins), full({}, bins, DType::int64), place);
  const Tensor w = weight.defined() ? reshape(weight.detach(), {-1}) : ones_like(v);
  Tensor hist = narrow(index_add_(zeros({bins + 1}, x.dtype(), x.device()), 0, place, w, 1), 0, 0, bins);
  if (density) hist = hist / (sum(hist) * diff(edges, 1, -1, {}, {}));
  return {contiguous(hist), edges};
}

}  // namespace

Histogram histogram(const Tensor& x, int64_t bins, std::optional<std::vector<double>> range, const Tensor& weight,
                    bool density) {
  const NoGrad guard;
  need_floating("histogram", x);
  if (bins <= 0) raise<ValueError>("histogram: bins must be positive, got ", bins);
  double low = 0, high = 0;
  if (range) {
    if (range->size() != 2) raise<ValueError>("histogram: range needs two numbers, got ", range->size());
    low = (*range)[0], high = (*range)[1];
  } else if (x.numel() > 0) {
    low = amin(x.detach()).item().to_double();
    high = amax(x.detach()).item().to_double();
  }
  if (x.numel() == 0 && !range) high = 1;
  if (low == high) low -= 0.5, high += 0.5;
  if (!(low < high) || !std::isfinite(low) || !std::isfinite(high))
    raise<ValueError>("histogram: needs a finite range that ascends, got ", low, " to ", high);
  return counted(x, linspace(low, high, checked::add(bins, 1, "histogram"), x.dtype(), x.device()), weight, density);
}
Histogram histogram(const Tensor& x, const Tensor& bins, const Tensor& weight, bool density) {
  const NoGrad guard;
  need_floating("histogram", x);
  if (bins.dim() != 1 || bins.numel() < 1 || bins.dtype() != x.dtype())
    raise<ShapeError>("histogram: bins must be a 1-D tensor of input's dtype: ", describe("input", x), ", ",
                      describe("bins", bins));
  return counted(x, clone(contiguous(bins.detach())), weight, density);
}

// ---- differences and integrals ----

Tensor diff(const Tensor& input, int64_t n, int64_t dim, const Tensor& prepend, const Tensor& append) {
  if (n < 0) raise<ValueError>("diff: n must not be negative, got ", n);
  if (input.dim() == 0) raise<ShapeError>("diff: needs at least 1 dim, got ", describe("input", input));
  const int64_t d = wrap_dim(dim, input.dim(), "diff");
  Tensor x = input;
  if (n > 0 && (prepend.defined() || append.defined())) {
    TensorList parts;
    if (prepend.defined()) parts.push_back(prepend);
    parts.push_back(input);
    if (append.defined()) parts.push_back(append);
    x = cat(parts, d);
  }
  for (int64_t i = 0; i < n && x.size(d) > 0; ++i) {
    const Tensor right = narrow(x, d, 1, x.size(d) - 1), left = narrow(x, d, 0, x.size(d) - 1);
    x = x.dtype() == DType::bool_ ? logical_xor(right, left) : right - left;
  }
  return is_same(x, input) ? clone(x) : x;
}

namespace {

// Areas between neighbours along dim.
Tensor areas(const char* op, const Tensor& y, const Tensor& x, std::optional<double> dx, int64_t d) {
  if (x.defined() && dx) raise<ValueError>(op, ": takes x or dx, not both");
  const int64_t n = y.size(d);
  if (n == 0) return narrow(y, d, 0, 0);
  const Tensor both = narrow(y, d, 1, n - 1) + narrow(y, d, 0, n - 1);
  if (!x.defined()) return both * (dx.value_or(1.0) / 2);
  Tensor step = x;
  if (x.dim() == 1 && y.dim() != 1) {
    if (x.numel() != n)
      raise<ShapeError>(op, ": x needs one place for each of the ", n, " samples: ", describe("y", y), ", ",
                        describe("x", x));
    Size line(y.shape().size(), 1);
    line[size_t(d)] = n;
    step = reshape(x, line);
  }
  const int64_t there = d - y.dim();
  if (step.dim() < -there || step.size(there) != n)
    raise<ShapeError>(op, ": x must have y's size in dim ", d, ": ", describe("y", y), ", ", describe("x", x));
  return both * diff(step, 1, there, {}, {}) / 2;
}

}  // namespace

Tensor trapezoid(const Tensor& y, const Tensor& x, std::optional<double> dx, int64_t dim) {
  if (y.dim() == 0) raise<ShapeError>("trapezoid: y needs at least 1 dim, got ", describe("y", y));
  const int64_t d = wrap_dim(dim, y.dim(), "trapezoid");
  return sum(areas("trapezoid", y, x, dx, d), Dims{d - y.dim()});
}
Tensor cumulative_trapezoid(const Tensor& y, const Tensor& x, std::optional<double> dx, int64_t dim) {
  if (y.dim() == 0) raise<ShapeError>("cumulative_trapezoid: y needs at least 1 dim, got ", describe("y", y));
  const int64_t d = wrap_dim(dim, y.dim(), "cumulative_trapezoid");
  return cumsum(areas("cumulative_trapezoid", y, x, dx, d), d - y.dim());
}

}  // namespace lamina
