// The pools that people call, of one, two and three dims, on those over rows and columns: one dim is one row; three
// dims are a pool over the planes and one over the depth, for a maximum of maxima and a mean of means of equal windows
// are the same as over the whole window. Also adaptive maxima, lp_pool and max_unpool.
#include <cmath>

#include "integers.h"
#include "pool.h"

namespace lamina {
namespace {

// `rank` numbers as the pair for the planes and the pair for the depth.
struct Pairs {
  Dims plane, depth;
};
Pairs pairs(const char* op, const char* what, const Dims& given, int64_t rank, int64_t least, int64_t neutral) {
  int64_t v[3] = {neutral, neutral, neutral};
  read_sizes(op, what, given, rank, least, v + 3 - rank);
  return {{v[1], v[2]}, {v[0], neutral}};
}

struct Args {
  Pairs kernel, stride, padding, dilation;
};
Args read_args(const char* op, int64_t rank, const Tensor& x, const Dims& kernel, const OptDims& stride,
               const Dims& padding, const Dims& dilation) {
  check_image(op, x, rank, Takes::numbers);
  return {pairs(op, "kernel_size", kernel, rank, 1, 1),
          pairs(op, "stride", stride && !stride->empty() ? *stride : kernel, rank, 1, 1),
          pairs(op, "padding", padding, rank, 0, 0), pairs(op, "dilation", dilation, rank, 1, 1)};
}

// (C, ...) had gained a batch of one: gone again.
Tensor without_batch(const Tensor& y, const Tensor& x, int64_t rank) {
  return y.defined() && x.dim() == rank + 1 ? squeeze(y, Dims{0}) : y;
}

// A volume (N, C, D, H, W) as images, without a copy: (N, C D, H, W), or (N D, C, H, W) where channels are neighbours.
struct Planes {
  Dims shape;
  bool by_depth;
  explicit Planes(const Tensor& x) : shape(x.shape()), by_depth(image_order(x) == ImageOrder::channels_last) {}
  Tensor split(const Tensor& x) const {
    return by_depth ? flatten(permute(x, {0, 2, 1, 3, 4}), 0, 1) : flatten(x, 1, 2);
  }
  Tensor join(const Tensor& y) const {
    const int64_t h = y.shape()[2], w = y.shape()[3];
    return by_depth ? permute(reshape(y, {shape[0], shape[2], shape[1], h, w}), {0, 2, 1, 3, 4})
                    : reshape(y, {shape[0], shape[1], shape[2], h, w});
  }
};
// The depth as rows: (N, C, D, H W), and back.
Tensor depth_rows(const Tensor& x) { return flatten(x, 3, 4); }
Tensor depth_back(const Tensor& y, const Tensor& like) {
  const Dims &s = y.shape(), &l = like.shape();
  return reshape(y, {s[0], s[1], s[2], l[3], l[4]});
}

// Half-precision sums pass on unrounded from the planes to the depth.
Tensor widened(const Tensor& x) {
  return x.dtype() == DType::float64 || x.dtype() == DType::float32 ? x : to(x, DType::float32);
}

// ---- maxima ----

MaybePair max_pool(const char* op, int64_t rank, const Tensor& input, const Dims& kernel, const OptDims& stride,
                   const Dims& padding, const Dims& dilation, bool ceil_mode, bool want) {
  const Args a = read_args(op, rank, input, kernel, stride, padding, dilation);
  if (!is_floating(input.dtype()) && input.numel() > 0) {
    const Ranks r = ranks_of(input);
    const MaybePair y = max_pool(op, rank, r.rank, kernel, stride, padding, dilation, ceil_mode, want);
    return {reshape(index_select(r.values, 0, flatten(to(y.first, DType::int64))), y.first.shape()), y.second};
  }
  for (int64_t d = input.dim() - rank - 1; d < input.dim(); ++d)
    if (input.size(d) == 0) raise<ShapeError>(op, ": channels and sides must not be empty: ", describe("input", input));
  const Tensor x = input.dim() == rank + 1 ? unsqueeze(input, 0) : input;
  const auto pool = [&](const Tensor& t, Dims Pairs::* part, bool indices) {
    return max_windows(op, t, a.kernel.*part, a.stride.*part, a.padding.*part, a.dilation.*part, ceil_mode, indices);
  };
  TensorPair r;
  if (rank == 3) {
    const Planes planes(x);
    const TensorPair inner = pool(planes.split(x), &Pairs::plane, want);
    const Tensor volume = planes.join(inner.first);
    const TensorPair outer = pool(depth_rows(volume), &Pairs::depth, want);
    r.first = depth_back(outer.first, volume);
    if (want) {  // the plane of the maximum, then where in that plane it was
      const Tensor places = flatten(depth_rows(planes.join(inner.second)), 2, 3), at = flatten(outer.second, 2, 3);
      const int64_t outputs = volume.shape()[3] * volume.shape()[4], plane = x.shape()[3] * x.shape()[4];
      r.second = reshape(floor_divide(at, outputs) * plane + gather(places, 2, at), r.first.shape());
    }
  } else {
    r = pool(rank == 1 ? unsqueeze(x, -2) : x, &Pairs::plane, want);
    if (rank == 1) r = {squeeze(r.first, Dims{-2}), want ? squeeze(r.second, Dims{-2}) : Tensor()};
  }
  return {without_batch(r.first, input, rank), want ? without_batch(r.second, input, rank) : Tensor()};
}

// ---- means ----

Tensor avg_pool(const char* op, int64_t rank, const Tensor& input, const Dims& kernel, const OptDims& stride,
                const Dims& padding, bool ceil_mode, bool include_pad, std::optional<int64_t> divisor) {
  if (divisor && *divisor == 0) raise<ValueError>(op, ": divisor_override must not be zero");
  const Args a = read_args(op, rank, input, kernel, stride, padding, Dims{1});
  if (!is_floating(input.dtype())) {
    const auto by = [&](std::optional<int64_t> count) {
      return [&, count](const Tensor& t) {
        return avg_pool(op, rank, t, kernel, stride, padding, ceil_mode, include_pad, count);
      };
    };
    return means_of_integers(input, by(1), by({}), divisor);
  }
  const auto pool = [&](const Tensor& t, Dims Pairs::* part, int64_t by) {
    return mean_windows(op, t, a.kernel.*part, a.stride.*part, a.padding.*part, ceil_mode, include_pad, by);
  };
  const Tensor x = input.dim() == rank + 1 ? unsqueeze(input, 0) : input;
  Tensor y;
  if (rank == 3) {
    const Planes planes(x);
    const Tensor volume = planes.join(pool(planes.split(widened(x)), &Pairs::plane, divisor ? 1 : 0));
    y = to(depth_back(pool(depth_rows(volume), &Pairs::depth, divisor.value_or(0)), volume), x.dtype());
  } else if (rank == 1) {
    y = squeeze(pool(unsqueeze(x, -2), &Pairs::plane, divisor.value_or(0)), Dims{-2});
  } else {
    y = pool(x, &Pairs::plane, divisor.value_or(0));
  }
  return without_batch(y, input, rank);
}

// None stands for the input's size there.
Dims asked_size(const OutputSize& size, int64_t rank, const Tensor& input) {
  Dims out = size.size() == 1 ? Dims(size_t(rank), size[0]) : Dims(size);
  if (int64_t(out.size()) != rank) return out;  // read_sizes refuses it
  for (int64_t d = 0; d < rank; ++d)
    if (out[size_t(d)] == OutputSize::kAsInput) out[size_t(d)] = input.size(d - rank);
  return out;
}

Tensor adaptive_avg_pool(const char* op, int64_t rank, const Tensor& input, const OutputSize& output_size) {
  check_image(op, input, rank);
  int64_t out[3] = {1, 1, 1};
  read_sizes(op, "output_size", asked_size(output_size, rank, input), rank, 0, out + 3 - rank);
  const Tensor x = input.dim() == rank + 1 ? unsqueeze(input, 0) : input;
  Tensor y;
  if (rank == 3) {
    if (x.numel() == 0 && x.shape()[0] != 0)
      raise<ShapeError>(op, ": channels and sides must not be empty: ", describe("input", input));
    const Planes planes(x);
    const Tensor volume = planes.join(adaptive_means(op, planes.split(widened(x)), out[1], out[2]));
    const int64_t pixels = checked::mul(out[1], out[2], op);
    if (pixels == 0 || out[0] == 0)
      return without_batch(zeros(Size{x.shape()[0], x.shape()[1], out[0], out[1], out[2]}, x.dtype(), x.device()),
                           input, rank);
    y = to(depth_back(adaptive_means(op, depth_rows(volume), out[0], pixels), volume), x.dtype());
  } else {
    y = rank == 1 ? squeeze(adaptive_means(op, unsqueeze(x, -2), 1, out[2]), Dims{-2})
                  : adaptive_means(op, x, out[1], out[2]);
  }
  return without_batch(y, input, rank);
}

// ---- adaptive maxima ----

// Maxima over windows of dim d, and the place of each along d. Windows are filled up with their last place, which
// cannot win against itself.
TensorPair window_maxima(const Tensor& x, int64_t d, int64_t outputs) {
  const int64_t size = x.size(d);
  const auto lo = [&](int64_t o) { return o * size / outputs; };
  const auto hi = [&](int64_t o) { return ((o + 1) * size + outputs - 1) / outputs; };
  const int64_t longest = std::min(size, size / outputs + 2);
  const Tensor list = allocate(Dims{checked::mul(outputs, longest)}, DType::int64);
  for (int64_t o = 0; o < outputs; ++o)
    for (int64_t k = 0; k < longest; ++k) list.data_as<int64_t>()[o * longest + k] = std::min(lo(o) + k, hi(o) - 1);
  const Tensor places = to(list, {}, x.device());
  Dims windows = x.shape(), line(x.shape().size(), 1);
  windows[size_t(d)] = outputs;
  windows.insert(size_t(d) + 1, longest);
  line[size_t(d)] = outputs;
  const ValuesIndices m = max(reshape(index_select(x, d, places), windows), d + 1);
  const Tensor first = reshape(arange(outputs, {}, x.device()) * longest, line), at = m.indices + first;
  return {m.values, reshape(index_select(places, 0, flatten(at)), at.shape())};
}

MaybePair adaptive_max_pool(const char* op, int64_t rank, const Tensor& input, const OutputSize& output_size,
                            bool want) {
  check_image(op, input, rank);
  int64_t out[3] = {1, 1, 1};
  read_sizes(op, "output_size", asked_size(output_size, rank, input), rank, 1, out + 3 - rank);
  const Tensor x = input.dim() == rank + 1 ? unsqueeze(input, 0) : input;
  Dims kernel;
  bool even = true;
  for (int64_t d = 2; d < rank + 2; ++d) {
    const int64_t size = x.size(d), o = out[1 - rank + d];
    if (size == 0 || x.size(1) == 0)
      raise<ShapeError>(op, ": channels and sides must not be empty: ", describe("input", input));
    checked::mul(checked::add(o, 1, op), size, op);
    even = even && size % o == 0;
    kernel.push_back(size / o);
  }
  if (even) return max_pool(op, rank, input, kernel, {}, Dims{0}, Dims{1}, false, want);
  Tensor values = x, indices;
  int64_t inner = 1;
  for (int64_t d = rank + 1; d >= 2; --d) {
    const int64_t size = x.size(d);
    const TensorPair r = window_maxima(values, d, out[1 - rank + d]);
    values = r.first;
    if (want) indices = indices.defined() ? r.second * inner + gather(indices, d, r.second) : r.second;
    inner *= size;
  }
  return {without_batch(values, input, rank), want ? without_batch(indices, input, rank) : Tensor()};
}

// ---- powers, and the way back ----

Tensor lp_pool(const char* op, int64_t rank, const Tensor& input, double p, const Dims& kernel, const OptDims& stride,
               bool ceil_mode) {
  check_image(op, input, rank);
  int64_t k[3] = {1, 1, 1};
  read_sizes(op, "kernel_size", kernel, rank, 1, k);
  if (p == 0 || std::isnan(p)) raise<ValueError>(op, ": norm_type must not be zero, got ", p);
  const Tensor m = avg_pool(op, rank, pow(input, p), kernel, stride, Dims{0}, ceil_mode, true, {});
  return pow(sign(m) * relu(abs(m)) * double(k[0] * k[1] * k[2]), 1 / p);
}

Tensor max_unpool(const char* op, int64_t rank, const Tensor& input, const Tensor& indices, const Dims& kernel_size,
                  const OptDims& stride_given, const Dims& padding_given, const OptDims& output_size) {
  check_image(op, input, rank);
  if (indices.shape() != input.shape() || indices.dtype() != DType::int64)
    raise<ShapeError>(op,
                      ": indices must be int64 of input's shape, as the pool returned them: ", describe("input", input),
                      ", ", describe("indices", indices));
  int64_t kernel[3], stride[3], padding[3];
  read_sizes(op, "kernel_size", kernel_size, rank, 1, kernel);
  read_sizes(op, "stride", stride_given && !stride_given->empty() ? *stride_given : kernel_size, rank, 1, stride);
  read_sizes(op, "padding", padding_given, rank, 0, padding);
  const size_t first = size_t(input.dim() - rank);
  Dims shape = input.shape();
  int64_t places = 1;
  if (output_size && int64_t(output_size->size()) != rank && output_size->size() != shape.size())
    raise<ShapeError>(op, ": output_size must hold ", rank, " sizes, got ", to_string(*output_size));
  for (int64_t d = 0; d < rank; ++d) {
    const int64_t usual =
        checked::sub(checked::add(checked::mul(shape[first + size_t(d)] - 1, stride[d], op), kernel[d], op),
                     checked::mul(2, padding[d], op), op);
    int64_t size = usual;
    if (output_size) {
      size = (*output_size)[output_size->size() - size_t(rank - d)];
      if (size <= usual - stride[d] || size >= usual + stride[d])
        raise<ValueError>(op, ": output_size ", to_string(*output_size), " does not fit: size ", d,
                          " must lie between ", usual - stride[d] + 1, " and ", usual + stride[d] - 1);
    }
    if (size < 1) raise<ShapeError>(op, ": the output would be empty: ", describe("input", input));
    shape[first + size_t(d)] = size;
    places = checked::mul(places, size, op);
  }
  Dims flat(shape.data(), first);
  flat.push_back(places);
  const Tensor y = scatter(zeros(Size(flat), input.dtype(), input.device()), -1, flatten(indices, int64_t(first), -1),
                           flatten(input, int64_t(first), -1));
  return reshape(y, shape);
}

}  // namespace

#define LAMINA_POOLS(rank)                                                                                        \
  MaybePair max_pool##rank##d(const Tensor& input, const Dims& kernel_size, const OptDims& stride,                \
                              const Dims& padding, const Dims& dilation, bool ceil_mode, bool return_indices) {   \
    return max_pool("max_pool" #rank "d", rank, input, kernel_size, stride, padding, dilation, ceil_mode,         \
                    return_indices);                                                                              \
  }                                                                                                               \
  TensorPair max_pool##rank##d_with_indices(const Tensor& input, const Dims& kernel_size, const OptDims& stride,  \
                                            const Dims& padding, const Dims& dilation, bool ceil_mode, bool) {    \
    const MaybePair r =                                                                                           \
        max_pool("max_pool" #rank "d", rank, input, kernel_size, stride, padding, dilation, ceil_mode, true);     \
    return {r.first, r.second};                                                                                   \
  }                                                                                                               \
  Tensor adaptive_avg_pool##rank##d(const Tensor& input, const OutputSize& output_size) {                         \
    return adaptive_avg_pool("adaptive_avg_pool" #rank "d", rank, input, output_size);                            \
  }                                                                                                               \
  MaybePair adaptive_max_pool##rank##d(const Tensor& input, const OutputSize& output_size, bool return_indices) { \
    return adaptive_max_pool("adaptive_max_pool" #rank "d", rank, input, output_size, return_indices);            \
  }                                                                                                               \
  TensorPair adaptive_max_pool##rank##d_with_indices(const Tensor& input, const OutputSize& output_size, bool) {  \
    const MaybePair r = adaptive_max_pool("adaptive_max_pool" #rank "d", rank, input, output_size, true);         \
    return {r.first, r.second};                                                                                   \
  }                                                                                                               \
  Tensor lp_pool##rank##d(const Tensor& input, double norm_type, const Dims& kernel_size, const OptDims& stride,  \
                          bool ceil_mode) {                                                                       \
    return lp_pool("lp_pool" #rank "d", rank, input, norm_type, kernel_size, stride, ceil_mode);                  \
  }                                                                                                               \
  Tensor max_unpool##rank##d(const Tensor& input, const Tensor& indices, const Dims& kernel_size,                 \
                             const OptDims& stride, const Dims& padding, const OptDims& output_size) {            \
    return max_unpool("max_unpool" #rank "d", rank, input, indices, kernel_size, stride, padding, output_size);   \
  }
LAMINA_POOLS(1)
LAMINA_POOLS(2)
LAMINA_POOLS(3)
#undef LAMINA_POOLS

Tensor avg_pool1d(const Tensor& input, const Dims& kernel_size, const OptDims& stride, const Dims& padding,
                  bool ceil_mode, bool count_include_pad) {
  return avg_pool("avg_pool1d", 1, input, kernel_size, stride, padding, ceil_mode, count_include_pad, {});
}
Tensor avg_pool2d(const Tensor& input, const Dims& kernel_size, const OptDims& stride, const Dims& padding,
                  bool ceil_mode, bool count_include_pad, std::optional<int64_t> divisor_override) {
  return avg_pool("avg_pool2d", 2, input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override);
}
Tensor avg_pool3d(const Tensor& input, const Dims& kernel_size, const OptDims& stride, const Dims& padding,
                  bool ceil_mode, bool count_include_pad, std::optional<int64_t> divisor_override) {
  return avg_pool("avg_pool3d", 3, input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override);
}

}  // namespace lamina
