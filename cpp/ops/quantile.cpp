// Quantiles of lines, and the different elements of tensors.
#include <algorithm>
#include <numeric>

#include "lamina/devices.h"
#include "sort.h"

namespace lamina {
namespace {

// Ranks of the quantiles q (Q) in lines of n elements, the last dim of s, which are sorted: (Q) or (*, Q).
Tensor ranks_of(const Tensor& s, const Tensor& q, bool skip_nan) {
  const int64_t n = s.size(-1);
  const Tensor bad = isnan(s.detach());
  if (!any(bad).item().to_bool()) return q * (n - 1);
  if (skip_nan) {
    const Tensor most = clamp_min(n - 1 - sum(bad, Dims{-1}, true), 0);
    return q * to(most, q.dtype());
  }
  const Tensor spoilt = any(bad, Dims{-1}, true);  // the last rank is a NaN
  return where(spoilt, full(Dims{}, n - 1, q.dtype(), q.device()), q * (n - 1));
}

Tensor quantile_of(const char* op, const Tensor& x, const Tensor& given, std::optional<int64_t> dim, bool keepdim,
                   std::string_view how, bool skip_nan) {
  if (x.dtype() != DType::float32 && x.dtype() != DType::float64)
    raise<DtypeError>(op, ": input must be float32 or float64, got ", describe("input", x));
  if (!given->weak && (given.dtype() != x.dtype() || given.dim() > 1))
    raise<DtypeError>(op,
                      ": q must be a number or a tensor of at most 1 dim with input's dtype: ", describe("q", given),
                      ", ", describe("input", x));
  if (how != "linear" && how != "lower" && how != "higher" && how != "midpoint" && how != "nearest")
    raise<ValueError>(op, ": interpolation must be 'linear', 'lower', 'higher', 'midpoint' or 'nearest', got '", how,
                      "'");
  if (x.numel() == 0) raise<ValueError>(op, ": input is empty: ", describe("input", x));
  const int64_t d = dim ? wrap_dim(*dim, x.dim(), op) : 0;
  const Tensor q = reshape(to(given, x.dtype(), x.device()), {-1});
  if (!all(logical_and(ge(q.detach(), 0), le(q.detach(), 1))).item().to_bool())
    raise<ValueError>(op, ": q must be in [0, 1]");
  const Tensor lines = dim && x.dim() > 0 ? movedim(x, Dims{d}, Dims{-1}) : reshape(x, {-1});
  const Tensor s = sort(lines, -1, false, true).values;
  const Tensor rank = ranks_of(s, q, skip_nan);
  const Tensor below = floor(rank.detach());
  Dims shape = s.shape();
  shape[shape.size() - 1] = q.numel();
  const auto at = [&](const Tensor& place) { return gather(s, -1, expand(to(place, DType::int64), shape)); };
  Tensor y;
  if (how == "lower") {
    y = at(below);
  } else if (how == "higher") {
    y = at(ceil(rank.detach()));
  } else if (how == "nearest") {
    y = at(round(rank.detach()));
  } else {
    const Tensor weight = how == "midpoint" ? full(Dims{}, 0.5, x.dtype(), x.device()) : rank - below;
    y = lerp(at(below), at(ceil(rank.detach())), weight);
  }
  // The quantiles lead; a number q leaves no dim.
  if (keepdim) {
    Size all(x.shape().size() + 1, 1);
    if (dim && x.dim() > 0) {
      y = unsqueeze(y, d);
    } else {
      all[all.size() - 1] = q.numel();
      y = reshape(y, all);
    }
  }
  return given.dim() == 0 ? squeeze(y, Dims{-1}) : movedim(y, Dims{-1}, Dims{0});
}

// Which rows of a list stand first in their run of equal rows, in the given order.
struct Runs {
  Tensor order;             // places in the list, row by row
  std::vector<int64_t> at;  // where runs start in `order`
};

Several finish_unique(const Tensor& values, const Runs& r, const Dims& inverse_shape, bool inverse, bool counts) {
  Several out{{values}};
  const int64_t n = r.order.numel(), runs = int64_t(r.at.size());
  const auto* order = static_cast<const int64_t*>(r.order.data());
  const auto end = [&](int64_t k) { return k + 1 < runs ? r.at[size_t(k + 1)] : n; };
  if (inverse) {
    const Tensor t = allocate(inverse_shape, DType::int64);
    for (int64_t k = 0; k < runs; ++k)
      for (int64_t i = r.at[size_t(k)]; i < end(k); ++i) static_cast<int64_t*>(t.data())[order[i]] = k;
    out.all.push_back(to(t, {}, values.device()));
  }
  if (counts) {
    const Tensor t = allocate(Dims{runs}, DType::int64);
    for (int64_t k = 0; k < runs; ++k) static_cast<int64_t*>(t.data())[k] = end(k) - r.at[size_t(k)];
    out.all.push_back(to(t, {}, values.device()));
  }
  return out;
}

Several unique_elements(const char* op, const Tensor& x, bool sorted, bool inverse, bool counts) {
  const Tensor flat = contiguous(reshape(x, {-1}));
  const int64_t n = flat.numel();
  ValuesIndices s;
  if (sorted) {
    s = ranked(op, flat, 0, false, 0, n);
  } else {
    s = {flat, arange(n, DType::int64, {})};
  }
  Runs r{contiguous(to(s.indices, {}, Device{})), {}};
  if (n > 0) {
    r.at.push_back(0);
    const Tensor fresh = to(nonzero(narrow(s.values, 0, 1, n - 1) != narrow(s.values, 0, 0, n - 1)), {}, Device{});
    const Tensor places = contiguous(reshape(fresh, {-1}));
    for (int64_t i = 0; i < places.numel(); ++i) r.at.push_back(static_cast<const int64_t*>(places.data())[i] + 1);
  }
  const Tensor starts = allocate(Dims{int64_t(r.at.size())}, DType::int64);
  std::copy(r.at.begin(), r.at.end(), static_cast<int64_t*>(starts.data()));
  return finish_unique(index_select(s.values, 0, to(starts, {}, x.device())), r, x.shape(), inverse, counts);
}

// Slices along dim compare as rows of class numbers, element by element.
Several unique_slices(const char* op, const Tensor& x, int64_t dim, bool sorted, bool inverse, bool counts) {
  const int64_t d = wrap_dim(dim, x.dim(), op);
  const Tensor v = x.dim() == 0 ? reshape(x, {1}) : x;
  const int64_t n = v.size(d), m = n > 0 ? v.numel() / n : 0;
  const Tensor rows = contiguous(reshape(movedim(v, Dims{d}, Dims{0}), {n, m}));
  const Tensor codes = contiguous(to(unique_elements(op, rows, true, true, false).all[1], {}, Device{}));
  const auto* c = static_cast<const int64_t*>(codes.data());
  Runs r{arange(n, DType::int64, {}), {}};
  auto* order = static_cast<int64_t*>(r.order.data());
  const auto less = [&](int64_t a, int64_t b) {
    return std::lexicographical_compare(c + a * m, c + a * m + m, c + b * m, c + b * m + m);
  };
  if (sorted) std::stable_sort(order, order + n, less);
  const Tensor first = allocate(Dims{n}, DType::int64);
  for (int64_t i = 0; i < n; ++i) {
    if (i > 0 && std::equal(c + order[i] * m, c + order[i] * m + m, c + order[i - 1] * m)) continue;
    static_cast<int64_t*>(first.data())[r.at.size()] = order[i];
    r.at.push_back(i);
  }
  const Tensor chosen = to(narrow(first, 0, 0, int64_t(r.at.size())), {}, x.device());
  return finish_unique(index_select(v, d, chosen), r, Dims{n}, inverse, counts);
}

}  // namespace

Tensor quantile(const Tensor& x, const Operand& q, std::optional<int64_t> dim, bool keepdim, std::string_view how) {
  return quantile_of("quantile", x, q, dim, keepdim, how, false);
}
Tensor nanquantile(const Tensor& x, const Operand& q, std::optional<int64_t> dim, bool keepdim, std::string_view how) {
  return quantile_of("nanquantile", x, q, dim, keepdim, how, true);
}

Several unique(const Tensor& x, bool, bool return_inverse, bool return_counts, std::optional<int64_t> dim) {
  const NoGrad guard;
  const Tensor v = x.detach();
  return dim ? unique_slices("unique", v, *dim, true, return_inverse, return_counts)
             : unique_elements("unique", v, true, return_inverse, return_counts);
}
Several unique_consecutive(const Tensor& x, bool return_inverse, bool return_counts, std::optional<int64_t> dim) {
  const NoGrad guard;
  const Tensor v = x.detach();
  return dim ? unique_slices("unique_consecutive", v, *dim, false, return_inverse, return_counts)
             : unique_elements("unique_consecutive", v, false, return_inverse, return_counts);
}

}  // namespace lamina
