// Sorting, the largest and smallest elements, medians, modes, and searching in sorted lines.
#include "sort.h"

#include "lamina/devices.h"

namespace lamina {

namespace {

// A row-major tensor as rows of n.
View as_rows(const Tensor& t, int64_t n) {
  View v = t.view_of();
  v.ndim = 2;
  v.shape[0] = n > 0 ? t.numel() / n : 0;
  v.shape[1] = n;
  v.stride[0] = n;
  v.stride[1] = 1;
  return v;
}

void need_line(const char* op, const Tensor& x, int64_t dim) {
  if (x.dim() > 0 && x.size(dim) == 0)
    raise<ValueError>(op, ": dim ", dim, " is empty, so nothing can be chosen: ", describe("input", x));
}

}  // namespace

ValuesIndices ranked(const char* op, const Tensor& input, int64_t dim, bool descending, int64_t first, int64_t count) {
  const NoGrad guard;
  const Tensor x = input.dim() == 0 ? reshape(input.detach(), {1}) : input.detach();
  const int64_t d = input.dim() == 0 ? 0 : dim, last = x.dim() - 1, n = x.size(d);
  if (n >= int64_t(1) << 32) raise<ShapeError>(op, ": lines of 2^32 or more elements: ", describe("input", input));
  const Tensor lines = contiguous(d == last ? x : transpose(x, d, last));
  Dims shape = lines.shape();
  shape[size_t(last)] = count;
  Tensor values = allocate(shape, x.dtype(), x.device()), indices = allocate(shape, DType::int64, x.device());
  if (values.numel() > 0)
    kernel(&Kernels::sort, x.device())(as_rows(lines, n), descending, first, as_rows(values, count),
                                       as_rows(indices, count));
  if (d != last) {
    values = contiguous(transpose(values, d, last));
    indices = contiguous(transpose(indices, d, last));
  }
  if (input.dim() == 0) return {alias(values, Dims{}, Dims{}, 0), alias(indices, Dims{}, Dims{}, 0)};
  return {values, indices};
}

Tensor at_places(const Tensor& x, int64_t dim, const Tensor& places, bool keepdim) {
  const Tensor y = gather(x, dim, places);
  return keepdim || x.dim() == 0 ? y : squeeze(y, Dims{dim});
}

namespace {

Tensor without(const Tensor& t, int64_t dim, bool keepdim) {
  return keepdim || t.dim() == 0 ? t : squeeze(t, Dims{dim});
}

// Values that stand at different places of each line, with their gradient.
ValuesIndices with_gradient(const char* op, const Tensor& x, int64_t dim, ValuesIndices r) {
  if (is_floating(x.dtype()) && recording({x}))
    record(op, r.values, {x}, [at = save(r.indices), dim, shape = x.shape()](Grads& d, const Tensor& g) {
      d[0] = shape.empty() ? g : scatter(zeros(shape, g.dtype(), g.device()), dim, at.get(), g);
    });
  return r;
}

// Places of the middle of each line (dim kept); NaN counts as the largest number or, for nanmedian, not at all.
Tensor middle(const char* op, const Tensor& x, int64_t dim, bool skip_nan) {
  const NoGrad guard;
  need_line(op, x, dim);
  const int64_t n = x.dim() == 0 ? 1 : x.size(dim);
  const Tensor bad = is_floating(x.dtype()) ? isnan(x.detach()) : Tensor();
  if (!bad.defined() || x.dim() == 0 || !any(bad).item().to_bool())
    return ranked(op, x, dim, false, (n - 1) / 2, 1).indices;
  if (!skip_nan) {
    const Tensor first = argmax(to(bad, DType::uint8), dim, true);
    return where(any(bad, Dims{dim}, true), first, ranked(op, x, dim, false, (n - 1) / 2, 1).indices);
  }
  const Tensor good = n - sum(bad, Dims{dim}, true), rank = floor_divide(clamp_min(good - 1, 0), 2);
  return gather(ranked(op, x, dim, false, 0, n).indices, dim, rank);
}

Tensor middle_of_all(const char* op, const Tensor& x, bool skip_nan) {
  Tensor y;
  {
    const NoGrad guard;
    if (x.numel() == 0) return full(Dims{}, is_floating(x.dtype()) ? __builtin_nan("") : 0, x.dtype(), x.device());
    const Tensor flat = reshape(x.detach(), {-1});
    y = clone(reshape(gather(flat, 0, middle(op, flat, 0, skip_nan)), Dims{}));
  }
  // Equal elements share the gradient evenly, as in PyTorch.
  if (is_floating(x.dtype()) && recording({x}))
    record(op, y, {x}, [in = save(x), out = save_output(y)](Grads& d, const Tensor& g) {
      const Tensor v = in.get().detach(), m = out.get().detach();
      const Tensor hit = to((v == m) | (isnan(v) & isnan(m)), v.dtype());
      d[0] = g * hit / sum(hit);
    });
  return y;
}

ValuesIndices middle_along(const char* op, const Tensor& x, int64_t dim, bool keepdim, bool skip_nan) {
  const int64_t d = wrap_dim(dim, x.dim(), op);
  const Tensor places = middle(op, x, d, skip_nan);
  return {at_places(x, d, places, keepdim), without(places, d, keepdim)};
}

}  // namespace

// ---- sorting ----

ValuesIndices sort(const Tensor& x, int64_t dim, bool descending, bool) {
  const int64_t d = wrap_dim(dim, x.dim(), "sort");
  return with_gradient("sort", x, d, ranked("sort", x, d, descending, 0, x.dim() == 0 ? 1 : x.size(d)));
}
Tensor argsort(const Tensor& x, int64_t dim, bool descending, bool) {
  const int64_t d = wrap_dim(dim, x.dim(), "argsort");
  return ranked("argsort", x, d, descending, 0, x.dim() == 0 ? 1 : x.size(d)).indices;
}
Tensor msort(const Tensor& x) { return sort(x, 0, false, true).values; }

ValuesIndices topk(const Tensor& x, int64_t k, int64_t dim, bool largest, bool) {
  const int64_t d = wrap_dim(dim, x.dim(), "topk"), n = x.dim() == 0 ? 1 : x.size(d);
  if (k < 0 || k > n)
    raise<ValueError>("topk: k must be from 0 to ", n, ", the size of dim ", d, ", got ", k, ": ",
                      describe("input", x));
  if (x.dim() == 0 && k == 0) raise<ValueError>("topk: k must be 1 for a 0-d tensor");
  return with_gradient("topk", x, d, ranked("topk", x, d, largest, 0, k));
}

ValuesIndices kthvalue(const Tensor& x, int64_t k, int64_t dim, bool keepdim) {
  const int64_t d = wrap_dim(dim, x.dim(), "kthvalue"), n = x.dim() == 0 ? 1 : x.size(d);
  if (k < 1 || k > n)
    raise<ValueError>("kthvalue: k must be from 1 to ", n, ", the size of dim ", d, ", got ", k, ": ",
                      describe("input", x));
  const Tensor places = ranked("kthvalue", x, d, false, k - 1, 1).indices;
  return {at_places(x, d, places, keepdim), without(places, d, keepdim)};
}

Tensor median(const Tensor& x) { return middle_of_all("median", x, false); }
Tensor nanmedian(const Tensor& x) { return middle_of_all("nanmedian", x, true); }
ValuesIndices median(const Tensor& x, int64_t dim, bool keepdim) {
  return middle_along("median", x, dim, keepdim, false);
}
ValuesIndices nanmedian(const Tensor& x, int64_t dim, bool keepdim) {
  return middle_along("nanmedian", x, dim, keepdim, true);
}

ValuesIndices mode(const Tensor& x, int64_t dim, bool keepdim) {
  const int64_t d = wrap_dim(dim, x.dim(), "mode");
  need_line("mode", x, d);
  if (x.dim() == 0) return {clone(x), zeros({}, DType::int64, x.device())};
  Tensor places;
  {
    const NoGrad guard;
    const int64_t n = x.size(d);
    const ValuesIndices s = ranked("mode", x, d, false, 0, n);
    // Length of the run of equal elements that ends at each place; the first longest run wins.
    const Tensor same = narrow(s.values, d, 1, n - 1) == narrow(s.values, d, 0, n - 1);
    const Tensor fresh = cat({ones_like(narrow(s.values, d, 0, 1), DType::bool_), logical_not(same)}, d);
    Dims line(x.shape().size(), 1);
    line[size_t(d)] = n;
    const Tensor place = reshape(arange(n, DType::int64, x.device()), line);
    const Tensor start = cummax(where(fresh, place, zeros({}, DType::int64, x.device())), d).values;
    places = gather(s.indices, d, argmax(place - start, d, true));
  }
  return {at_places(x, d, places, keepdim), without(places, d, keepdim)};
}

// ---- searching ----

Tensor searchsorted(const Tensor& sorted, const Operand& input, bool out_int32, bool right,
                    std::optional<std::string_view> side, const Tensor& sorter) {
  const NoGrad guard;
  if (side && *side != "left" && *side != "right")
    raise<ValueError>("searchsorted: side must be 'left' or 'right', got '", *side, "'");
  if (side && right && *side == "left") raise<ValueError>("searchsorted: side is 'left' but right is true");
  if (sorted.dim() == 0)
    raise<ShapeError>("searchsorted: sorted_sequence needs at least 1 dim, got ", describe("sorted_sequence", sorted));
  const bool one = sorted.dim() == 1;
  bool fits = one || input.dim() == sorted.dim();
  for (int64_t i = 0; fits && !one && i + 1 < sorted.dim(); ++i) fits = input.size(i) == sorted.size(i);
  if (!fits)
    raise<ShapeError>("searchsorted: sorted_sequence must be 1-D or have input's sizes but the last: ",
                      describe("sorted_sequence", sorted), ", ", describe("input", input));
  if (!input->weak && input.device() != sorted.device())
    raise<DeviceError>("searchsorted: ", describe("sorted_sequence", sorted), " and ", describe("input", input),
                       " live on different devices");
  Tensor line = sorted.detach();
  if (sorter.defined()) {
    if (sorter.shape() != sorted.shape() || sorter.dtype() != DType::int64)
      raise<ShapeError>("searchsorted: sorter must be int64 of sorted_sequence's shape: ",
                        describe("sorted_sequence", sorted), ", ", describe("sorter", sorter));
    line = gather(line, -1, sorter);
  }
  const Tensor* both[] = {&line, &input};
  const DType common = result_type(both);
  const DType wide = common == DType::float64 ? common : is_floating(common) ? DType::float32 : DType::int64;
  line = contiguous(to(line, wide));
  const Tensor values = contiguous(to(input.detach(), wide, sorted.device()));
  const Tensor places = allocate(input.shape(), DType::int64, sorted.device());
  const int64_t n = line.size(-1), m = one ? values.numel() : values.size(-1);
  if (values.numel() > 0) {
    View s = as_rows(line, n);
    if (one) s.shape[0] = 1;
    kernel(&Kernels::searchsorted, sorted.device())(s, as_rows(values, m), right || (side && *side == "right"),
                                                    as_rows(places, m));
  }
  return out_int32 ? to(places, DType::int32) : places;
}

Tensor bucketize(const Operand& input, const Tensor& boundaries, bool out_int32, bool right) {
  if (boundaries.dim() != 1)
    raise<ShapeError>("bucketize: boundaries must have 1 dim, got ", describe("boundaries", boundaries));
  return searchsorted(boundaries, input, out_int32, right, {}, {});
}

}  // namespace lamina
