// Repeating elements, tables of coordinates and powers, and dims of self changed in place.
#include <algorithm>
#include <cmath>

#include "lamina/autograd.h"
#include "lamina/devices.h"
#include "lamina/ops.h"

namespace lamina {
namespace {

void check_output_size(std::optional<int64_t> given, int64_t size) {
  if (given && *given != size)
    raise<ValueError>("repeat_interleave: output_size is ", *given, " but the repeats add up to ", size);
}

// Place i, counts[i] times.
Tensor repeated_places(const Tensor& repeats, std::optional<int64_t> output_size) {
  const NoGrad guard;
  if (repeats.dim() != 1 || (repeats.dtype() != DType::int64 && repeats.dtype() != DType::int32))
    raise<DtypeError>("repeat_interleave: repeats must be a 1-D tensor of int64 or int32, got ",
                      describe("repeats", repeats));
  const Tensor host = contiguous(to(repeats, DType::int64, Device{}));
  const auto* r = static_cast<const int64_t*>(host.data());
  int64_t total = 0;
  for (int64_t i = 0; i < host.numel(); ++i) {
    if (r[i] < 0) raise<ValueError>("repeat_interleave: repeats must not be negative, got ", r[i]);
    total = checked::add(total, r[i], "repeat_interleave");
  }
  check_output_size(output_size, total);
  const Tensor y = allocate(Dims{total}, DType::int64);
  auto* p = static_cast<int64_t*>(y.data());
  for (int64_t i = 0; i < host.numel(); ++i)
    for (int64_t k = 0; k < r[i]; ++k) *p++ = i;
  return to(y, {}, repeats.device());
}

}  // namespace

Tensor repeat_interleave(const Tensor& repeats, std::optional<int64_t> output_size) {
  return to(repeated_places(repeats, output_size), repeats.dtype());
}

Tensor repeat_interleave(const Tensor& input, int64_t repeats, std::optional<int64_t> dim,
                         std::optional<int64_t> output_size) {
  if (repeats < 0) raise<ValueError>("repeat_interleave: repeats must not be negative, got ", repeats);
  const Tensor x = dim ? input : reshape(input, {-1});
  const int64_t d = wrap_dim(dim.value_or(0), x.dim(), "repeat_interleave");
  if (x.dim() == 0) return repeat_interleave(reshape(x, {1}), repeats, 0, output_size);
  const int64_t n = checked::mul(x.size(d), repeats, "repeat_interleave");
  check_output_size(output_size, n);
  const Tensor tall = unsqueeze(x, d + 1);
  Size grown = tall.shape(), shape = x.shape();
  grown[size_t(d + 1)] = repeats;
  shape[size_t(d)] = n;
  const Tensor y = reshape(expand(tall, grown), shape);
  return y->storage == x->storage ? clone(y) : y;
}

Tensor repeat_interleave(const Tensor& input, const Tensor& repeats, std::optional<int64_t> dim,
                         std::optional<int64_t> output_size) {
  const Tensor x = dim && input.dim() > 0 ? input : reshape(input, {-1});
  const int64_t d = wrap_dim(dim.value_or(0), x.dim(), "repeat_interleave");
  const Tensor each = repeats.dim() == 0 || repeats.numel() == 1 ? expand(reshape(repeats, {1}), {x.size(d)}) : repeats;
  if (each.dim() != 1 || each.numel() != x.size(d))
    raise<ShapeError>("repeat_interleave: repeats must have one number for each of the ", x.size(d), " entries of dim ",
                      d, ": ", describe("input", input), ", ", describe("repeats", repeats));
  return index_select(x, d, repeated_places(each, output_size));
}

// ---- tables ----

namespace {

Tensor triangle_places(const char* op, int64_t rows, int64_t columns, int64_t offset, bool upper,
                       std::optional<DType> dtype, std::optional<Device> device) {
  if (rows < 0 || columns < 0) raise<ValueError>(op, ": sizes must not be negative, got ", rows, " and ", columns);
  if (rows > INT32_MAX || columns > INT32_MAX)
    raise<ShapeError>(op, ": a matrix of ", rows, " x ", columns, " has too many coordinates");
  const DType type = dtype.value_or(DType::int64);
  if (type != DType::int64 && type != DType::int32)
    raise<DtypeError>(op, ": dtype must be int64 or int32, got ", name(type));
  const int64_t k = std::clamp(offset, -rows - 1, columns + 1);
  const auto first = [&](int64_t i) { return upper ? std::clamp<int64_t>(i + k, 0, columns) : 0; };
  const auto end = [&](int64_t i) { return upper ? columns : std::clamp<int64_t>(i + k + 1, 0, columns); };
  int64_t n = 0;
  for (int64_t i = 0; i < rows; ++i) n = checked::add(n, end(i) - first(i), op);
  const Tensor y = allocate(Dims{2, n}, DType::int64);
  auto* p = static_cast<int64_t*>(y.data());
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t c = first(i); c < end(i); ++c, ++p) p[0] = i, p[n] = c;
  return to(y, type, device.value_or(Device{}));
}

}  // namespace

Tensor tril_indices(int64_t rows, int64_t columns, int64_t offset, std::optional<DType> dtype,
                    std::optional<Device> device) {
  return triangle_places("tril_indices", rows, columns, offset, false, dtype, device);
}
Tensor triu_indices(int64_t rows, int64_t columns, int64_t offset, std::optional<DType> dtype,
                    std::optional<Device> device) {
  return triangle_places("triu_indices", rows, columns, offset, true, dtype, device);
}

Tensor logspace(double start, double end, int64_t steps, double base, std::optional<DType> dtype,
                std::optional<Device> device, bool requires_grad) {
  if (steps < 0) raise<ValueError>("logspace: steps must not be negative, got ", steps);
  const DType type = dtype.value_or(default_dtype());
  if (!is_floating(type)) start = std::trunc(start), end = std::trunc(end);
  Tensor y;
  {
    const NoGrad guard;
    const Tensor exponent = linspace(start, end, steps, DType::float64, device);
    y = to(pow(full(Dims{}, base, DType::float64, exponent.device()), exponent), type);
  }
  if (requires_grad) y.requires_grad_(true);
  return y;
}

Tensor vander(const Tensor& x, std::optional<int64_t> columns, bool increasing) {
  if (x.dim() != 1) raise<ShapeError>("vander: x must be a vector, got ", describe("x", x));
  const int64_t n = columns.value_or(x.numel());
  if (n < 0) raise<ValueError>("vander: N must not be negative, got ", n);
  const DType type = is_floating(x.dtype()) ? x.dtype() : DType::int64;
  const Tensor one = ones({x.numel(), std::min<int64_t>(n, 1)}, type, x.device());
  if (n <= 1) return one;
  const Tensor powers = cumprod(expand(unsqueeze(to(x, type), 1), {x.numel(), n - 1}), 1);
  const Tensor y = cat({one, powers}, 1);
  return increasing ? y : flip(y, Dims{1});
}

// ---- dims of self ----

namespace {

// self takes the dims of a view of it. Only where no history knows its shape.
Tensor reshaped_in_place(const char* op, const Tensor& self, const Tensor& view) {
  if (self->autograd)
    raise<GradError>(
        op, ": a tensor of an autograd graph keeps its shape; use the form without _: ", describe("self", self));
  const Dims shape = view.shape(), stride = view.stride();
  self->shape = shape;
  self->stride = stride;
  return self;
}

}  // namespace

Tensor squeeze_(const Tensor& x, const OptDims& dim) { return reshaped_in_place("squeeze_", x, squeeze(x, dim)); }
Tensor unsqueeze_(const Tensor& x, int64_t dim) { return reshaped_in_place("unsqueeze_", x, unsqueeze(x, dim)); }
Tensor transpose_(const Tensor& x, int64_t a, int64_t b) {
  return reshaped_in_place("transpose_", x, transpose(x, a, b));
}
Tensor t_(const Tensor& x) { return reshaped_in_place("t_", x, t(x)); }

}  // namespace lamina
