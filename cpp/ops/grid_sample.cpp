// grid_sample and affine_grid, made of operations: corners are gathered, their weights are functions of the grid, so
// that gradients of both (and second ones) follow.
#include "reduce.h"

namespace lamina {
namespace {

enum class Outside { zeros, border, reflection };

struct Sampler {
  Outside outside;
  bool align;

  // [-1, 1] to pixels.
  Tensor pixels(const Tensor& g, int64_t size) const {
    return align ? (g + 1) * (double(size - 1) / 2) : ((g + 1) * double(size) - 1) / 2;
  }
  // A coordinate moved inside, unless zeros lie outside.
  Tensor inside(const Tensor& x, int64_t size) const {
    if (outside == Outside::zeros) return x;
    Tensor moved = x;
    if (outside == Outside::reflection) {
      const double low = align ? 0 : -0.5, span = align ? double(size - 1) : double(size);
      if (span == 0) return x * 0;
      const Tensor away = abs(x - low), extra = fmod(away, span), flips = floor(away.detach() / span);
      moved = where(fmod(flips, 2) == 0, extra + low, span - extra + low);
    }
    return clamp_max(clamp_min(moved, 0.0), double(size - 1));
  }
};

// Values of x (N, C, places) at whole coordinates (each (N, points)), zero outside: (N, C, points).
Tensor pick(const Tensor& flat, const std::vector<Tensor>& at, const Dims& sizes) {
  Tensor index, valid;
  for (size_t d = 0; d < at.size(); ++d) {
    const Tensor c = at[d].detach();
    const double last = double(sizes[d] - 1);
    const Tensor ok = logical_and(c >= 0, c <= last),
                 i = to(clamp_max(clamp_min(where(ok, c, 0.0), 0.0), last), DType::int64);
    index = index.defined() ? index * sizes[d] + i : i;
    valid = valid.defined() ? logical_and(valid, ok) : ok;
  }
  const Dims shape{flat.shape()[0], flat.shape()[1], index.shape()[1]};
  return where(unsqueeze(valid, 1), gather(flat, 2, expand(unsqueeze(index, 1), shape)), 0.0);
}

// Weights of the four taps floor(x) - 1 ... floor(x) + 2.
std::vector<Tensor> cubic_weights(const Tensor& t) {
  const double A = -0.75;
  const auto near = [=](const Tensor& x) { return ((A + 2) * x - (A + 3)) * x * x + 1; };
  const auto far = [=](const Tensor& x) { return ((A * x - 5 * A) * x + 8 * A) * x - 4 * A; };
  return {far(t + 1), near(t), near(1 - t), far(2 - t)};
}

// Taps of each axis: whole coordinates and weights; the result adds all combinations, the last axis fastest.
struct Taps {
  std::vector<Tensor> at, weight;
};
Tensor combine(const Tensor& flat, const std::vector<Taps>& axes, const Dims& sizes) {
  Tensor total;
  size_t count = 1;
  for (const Taps& a : axes) count *= a.at.size();
  for (size_t i = 0; i < count; ++i) {
    std::vector<Tensor> at(axes.size());
    Tensor w;
    size_t rest = i;
    for (size_t d = axes.size(); d-- > 0;) {
      const size_t k = rest % axes[d].at.size();
      rest /= axes[d].at.size();
      at[d] = axes[d].at[k];
      const Tensor& own = axes[d].weight[k];
      if (own.defined()) w = w.defined() ? own * w : own;
    }
    Tensor v = pick(flat, at, sizes);
    if (w.defined()) v = v * unsqueeze(w, 1);
    total = total.defined() ? total + v : v;
  }
  return total;
}

void check_grid(const Tensor& x, const Tensor& grid) {
  const auto both = [&] { return describe("input", x) + ", " + describe("grid", grid); };
  need_floating("grid_sample", x);
  if (x.dim() != 4 && x.dim() != 5)
    raise<ShapeError>("grid_sample: input must be (N, C, H, W) or (N, C, D, H, W): ", both());
  if (grid.dim() != x.dim() || grid.size(-1) != x.dim() - 2 || grid.size(0) != x.size(0))
    raise<ShapeError>("grid_sample: grid must be (N, ", x.dim() == 4 ? "H_out, W_out, 2" : "D_out, H_out, W_out, 3",
                      ") with input's N: ", both());
  if (grid.dtype() != x.dtype())
    raise<DtypeError>("grid_sample: operands must have one dtype: ", both(), "; convert with .to(dtype)");
  if (grid.device() != x.device()) raise<DeviceError>("grid_sample: operands are on different devices: ", both());
  for (int64_t d = 1; d < x.dim(); ++d)
    if (x.size(d) == 0) raise<ShapeError>("grid_sample: only the batch may be empty: ", both());
}

}  // namespace

Tensor grid_sample(const Tensor& input, const Tensor& grid, std::string_view mode, std::string_view padding_mode,
                   std::optional<bool> align_corners) {
  check_grid(input, grid);
  const bool bilinear = mode == "bilinear", cubic = mode == "bicubic";
  if (!bilinear && !cubic && mode != "nearest")
    raise<ValueError>("grid_sample: mode must be 'bilinear', 'nearest' or 'bicubic', got '", mode, "'");
  if (cubic && input.dim() == 5)
    raise<ValueError>("grid_sample: mode 'bicubic' is for images (N, C, H, W), got ", describe("input", input));
  if (padding_mode != "zeros" && padding_mode != "border" && padding_mode != "reflection")
    raise<ValueError>("grid_sample: padding_mode must be 'zeros', 'border' or 'reflection', got '", padding_mode, "'");
  const Sampler s{padding_mode == "zeros"    ? Outside::zeros
                  : padding_mode == "border" ? Outside::border
                                             : Outside::reflection,
                  align_corners.value_or(false)};
  const bool half = size_of(input.dtype()) < 4;
  const Tensor x = half ? to(input, DType::float32) : input, g = half ? to(grid, DType::float32) : grid;
  const size_t rank = size_t(x.dim() - 2);
  const Dims sizes(x.shape().data() + 2, rank);
  std::vector<Taps> axes;
  for (size_t d = 0; d < rank; ++d) {  // grid holds (x, y, z), sizes are (depth, rows, columns)
    const Tensor p = s.pixels(flatten(select(g, -1, int64_t(rank - 1 - d)), 1, -1), sizes[d]);
    if (cubic) {
      const Tensor base = floor(p.detach());
      Taps taps{{}, cubic_weights(p - base)};
      for (int k = -1; k < 3; ++k) taps.at.push_back(s.inside(base + k, sizes[d]));
      axes.push_back(taps);
      continue;
    }
    const Tensor at = s.inside(p, sizes[d]);
    if (!bilinear) {
      axes.push_back({{round(at.detach(), 0)}, {Tensor()}});
      continue;
    }
    const Tensor base = floor(at.detach()), t = at - base;
    axes.push_back({{base, base + 1}, {1 - t, t}});
  }
  Dims shape = grid.shape();
  shape.erase(shape.size() - 1);
  shape.insert(1, x.shape()[1]);
  const Tensor y = reshape(combine(flatten(x, 2, -1), axes, sizes), shape);
  return half ? to(y, input.dtype()) : y;
}

Tensor affine_grid(const Tensor& theta, const Dims& size, std::optional<bool> align_corners) {
  need_floating("affine_grid", theta);
  const int64_t rank = int64_t(size.size()) - 2;
  if (rank != 2 && rank != 3)
    raise<ShapeError>("affine_grid: size must be (N, C, H, W) or (N, C, D, H, W), got ", to_string(size));
  if (theta.dim() != 3 || theta.shape() != Dims{size[0], rank, rank + 1})
    raise<ShapeError>("affine_grid: theta must be (", size[0], ", ", rank, ", ", rank + 1, ") for size ",
                      to_string(size), ": ", describe("theta", theta));
  Dims space;
  for (size_t d = 2; d < size.size(); ++d) {
    if (size[d] < 1) raise<ShapeError>("affine_grid: sizes must be positive, got ", to_string(size));
    space.push_back(size[d]);
  }
  numel_of(space, "affine_grid");
  TensorList columns;
  for (size_t d = space.size(); d-- > 0;) {  // x, y, z: the last dim first
    const int64_t n = space[d];
    Dims line(space.size(), 1);
    line[d] = n;
    Tensor steps = n == 1 ? zeros(Size{1}, DType::float64) : linspace(-1, 1, n, DType::float64);
    if (!align_corners.value_or(false)) steps = steps * (double(n - 1) / double(n));
    columns.push_back(flatten(expand(reshape(to(steps, theta.dtype(), theta.device()), line), space)));
  }
  columns.push_back(ones(Size{columns[0].numel()}, theta.dtype(), theta.device()));
  Dims shape = space;
  shape.insert(0, size[0]);
  shape.push_back(rank);
  return reshape(matmul(unsqueeze(stack(columns, 1), 0), transpose(theta, 1, 2)), shape);
}

}  // namespace lamina
