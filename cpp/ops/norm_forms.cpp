// group_norm, instance_norm, rms_norm, local_response_norm, normalize. group_norm takes its statistics in one pass over
// each group and applies them in one more; both run on the kernels of var_mean, batch_norm and layer_norm, in any
// layout.
#include <cmath>
#include <limits>

#include "norm.h"

namespace lamina {
namespace {

// ---- group_norm ----

// (N, C, ...) as (N, groups, C / groups, ...), never a copy.
View grouped(const Tensor& x, int64_t groups) {
  View v = x.view_of();
  for (int d = v.ndim; d > 2; --d) v.shape[d] = v.shape[d - 1], v.stride[d] = v.stride[d - 1];
  v.shape[2] = v.shape[1] / groups, v.stride[2] = v.stride[1];
  v.shape[1] = groups, v.stride[1] *= v.shape[2];
  ++v.ndim;
  return v;
}
// Sample n of (N, C, ...) as (1, C, ...); row n of a contiguous (N, C).
View sample(const Tensor& x, int64_t n) {
  View v = x.view_of();
  v.data = static_cast<char*>(v.data) + n * v.stride[0] * int64_t(size_of(v.dtype));
  v.shape[0] = 1;
  return v;
}
View row(const Tensor& t, int64_t n) {
  View v = t.view_of();
  v.data = t.data_as<double>() + n * t.shape()[1];
  v.ndim = 1, v.shape[0] = t.shape()[1], v.stride[0] = 1;
  return v;
}

struct Groups {
  int64_t groups;
  double eps;
  Dims kept;            // (N, groups, 1, ...)
  Tensor mean, rstd;    // of kept, f64
  Tensor means, rstds;  // the same per channel (N, C), f64
};

Tensor per_channel(const Tensor& stat, int64_t channels) {
  const int64_t n = stat.shape()[0], groups = stat.shape()[1];
  return reshape(contiguous(expand(reshape(stat, {n, groups, 1}), Size{n, groups, channels / groups})), {n, channels});
}

// Gradients as operations, for a second one: layer_norm of the groups, then the affine map.
Tensor group_norm_composite(const Tensor& x, const Groups& s) {
  Dims split = x.shape();
  split[1] = s.groups;
  split.insert(2, x.shape()[1] / s.groups);
  Dims rest;
  for (size_t d = 2; d < split.size(); ++d) rest.push_back(split[d]);
  return reshape(layer_norm(reshape(x, split), rest, {}, {}, s.eps), x.shape());
}

struct GroupGradients {
  Tensor x, weight, bias;
};

GroupGradients group_norm_gradients(const Tensor& g, const Tensor& x, const Tensor& weight, const Groups& s,
                                    const bool (&want)[3], DType bias_dtype) {
  GroupGradients out;
  const int64_t n = x.shape()[0], channels = x.shape()[1];
  Dims line(x.shape().size() - 1, 1), dims;
  line[0] = channels;
  for (size_t d = 0; d < x.shape().size(); ++d)
    if (d != 1) dims.push_back(int64_t(d));
  const Tensor gw = weight.defined() && want[0] ? g * reshape(weight, line) : g;
  if (grad_enabled()) {
    if (want[1]) out.weight = to(sum(g * group_norm_composite(x, s), dims), weight.dtype());
    if (want[2]) out.bias = to(sum(g, dims), bias_dtype);
    if (!want[0]) return out;
    Dims split = x.shape(), inner;
    split[1] = s.groups;
    split.insert(2, channels / s.groups);
    for (size_t d = 2; d < split.size(); ++d) inner.push_back(int64_t(d));
    const Tensor xs = reshape(x, split), gs = reshape(gw, split), c = xs - mean(xs, inner, true);
    const Tensor r = rsqrt(mean(square(c), inner, true) + s.eps), xhat = c * r;
    out.x = to(reshape(r * (gs - mean(gs, inner, true) - xhat * mean(gs * xhat, inner, true)), x.shape()), x.dtype());
    return out;
  }
  if (want[1] || want[2]) {
    const Tensor dw = allocate(Dims{n, channels}, DType::float64, x.device()), db = allocate_like(dw);
    for (int64_t i = 0; i < n; ++i)
      kernel(&Kernels::batch_norm_backward, x.device())(sample(g, i), sample(x, i), View{}, row(s.means, i),
                                                        row(s.rstds, i), false, View{}, row(dw, i), row(db, i));
    if (want[1]) out.weight = to(sum(dw, Dims{0}), weight.dtype());
    if (want[2]) out.bias = to(sum(db, Dims{0}), bias_dtype);
  }
  if (want[0]) {
    out.x = allocate(x.shape(), x.dtype(), x.device());
    kernel(&Kernels::layer_norm_backward, x.device())(grouped(x, s.groups), grouped(gw, s.groups), View{},
                                                      s.mean.view_of(), s.rstd.view_of(), grouped(out.x, s.groups),
                                                      View{}, View{});
  }
  return out;
}

}  // namespace

Tensor group_norm(const Tensor& input, int64_t num_groups, const Tensor& weight, const Tensor& bias, double eps) {
  need_floating("group_norm", input);
  if (input.dim() < 2) raise<ShapeError>("group_norm: needs (N, C, ...), got ", describe("input", input));
  const int64_t n = input.shape()[0], channels = input.shape()[1];
  if (num_groups < 1 || channels % num_groups || channels == 0)
    raise<ShapeError>("group_norm: ", channels, " channels do not divide into ", num_groups,
                      " groups: ", describe("input", input));
  check_parameter("group_norm", "weight", weight, input, Dims{channels});
  check_parameter("group_norm", "bias", bias, input, Dims{channels});
  if (input.dim() >= kMaxDims) raise<ShapeError>("group_norm: too many dims: ", describe("input", input));
  Tensor y = allocate_like(input);
  Groups s{num_groups, eps, Dims(input.shape().size() + 1, 1), {}, {}, {}, {}};
  s.kept[0] = n, s.kept[1] = num_groups;
  if (input.numel() > 0) {
    const NoGrad quiet;
    const View groups = grouped(input, num_groups);
    const Tensor variance = allocate(s.kept, DType::float64, input.device());
    s.mean = allocate_like(variance);
    kernel(&Kernels::var_mean, input.device())(groups, 0, false, variance.view_of(), s.mean.view_of());
    s.rstd = reciprocal(sqrt(variance + eps));
    s.means = per_channel(s.mean, channels);
    const Tensor variances = per_channel(variance, channels), unused = allocate_like(s.means);
    s.rstds = allocate_like(s.means);
    const View w = optional_view(weight), b = optional_view(bias);
    for (int64_t i = 0; i < n; ++i)
      kernel(&Kernels::batch_norm, input.device())(sample(input, i), w, b, row(s.means, i), row(variances, i), false, 0,
                                                   eps, sample(y, i), row(unused, i), row(s.rstds, i));
  }
  if (recording({input, weight, bias}))
    record("group_norm", y, {input, weight, bias},
           [x = save(input), w = save(weight), s, bias_dtype = bias.defined() ? bias.dtype() : input.dtype()](
               Grads& d, const Tensor& g) {
             const Tensor in = x.get();
             if (in.numel() == 0) {
               if (d.want(0)) d[0] = zeros_like(in);
               for (size_t i = 1; i < 3; ++i)
                 if (d.want(i)) d[i] = zeros(Size{in.shape()[1]}, i == 1 ? w.get().dtype() : bias_dtype, in.device());
               return;
             }
             const GroupGradients out =
                 group_norm_gradients(g, in, w.get(), s, {d.want(0), d.want(1), d.want(2)}, bias_dtype);
             if (d.want(0)) d[0] = out.x;
             if (d.want(1)) d[1] = out.weight;
             if (d.want(2)) d[2] = out.bias;
           });
  return y;
}

// ---- instance_norm: batch_norm of (1, N C, ...) ----

Tensor instance_norm(const Tensor& input, const Tensor& running_mean, const Tensor& running_var, const Tensor& weight,
                     const Tensor& bias, bool use_input_stats, double momentum, double eps) {
  need_floating("instance_norm", input);
  if (input.dim() < 3) raise<ShapeError>("instance_norm: needs (N, C, L, ...), got ", describe("input", input));
  if (!use_input_stats) {
    if (!running_mean.defined())
      raise<TypeError>("instance_norm: running_mean and running_var are needed where use_input_stats is False");
    return batch_norm(input, running_mean, running_var, weight, bias, false, momentum, eps);
  }
  const int64_t n = input.shape()[0], c = input.shape()[1];
  for (const auto& [label, t] : {std::pair("weight", weight), std::pair("bias", bias),
                                 std::pair("running_mean", running_mean), std::pair("running_var", running_var)})
    check_parameter("instance_norm", label, t, input, Dims{c});
  if (running_mean.defined() != running_var.defined())
    raise<TypeError>("instance_norm: give running_mean and running_var, or neither");
  if (n == 0 || c == 0) return clone(input);
  if (input.numel() == checked::mul(n, c))
    raise<ValueError>("instance_norm: needs more than one place per channel, got ", describe("input", input));
  Dims shape = input.shape();
  shape[0] = 1, shape[1] = n * c;
  const auto tiled = [&](const Tensor& t) { return t.defined() ? repeat(t, Size{n}) : t; };
  const Tensor m = running_mean.defined() ? tiled(running_mean.detach()) : Tensor(),
               v = running_var.defined() ? tiled(running_var.detach()) : Tensor();
  const Tensor y = batch_norm(reshape(input, shape), m, v, tiled(weight), tiled(bias), true, momentum, eps);
  if (m.defined()) {
    const NoGrad quiet;
    copy_(running_mean, mean(reshape(m, {n, c}), Dims{0}));
    copy_(running_var, mean(reshape(v, {n, c}), Dims{0}));
  }
  return reshape(y, input.shape());
}

// ---- rms_norm ----

namespace {

double epsilon_of(DType t) {
  switch (t) {
    case DType::float64:
      return std::numeric_limits<double>::epsilon();
    case DType::float32:
      return double(std::numeric_limits<float>::epsilon());
    case DType::float16:
      return 0x1p-10;
    default:
      return 0x1p-7;
  }
}

}  // namespace

Tensor rms_norm(const Tensor& input, const Dims& normalized_shape, const Tensor& weight, std::optional<double> eps) {
  need_floating("rms_norm", input);
  const size_t k = normalized_shape.size(), n = input.shape().size();
  if (k == 0 || k > n ||
      !std::ranges::equal(std::span<const int64_t>(input.shape()).subspan(n - k),
                          std::span<const int64_t>(normalized_shape)))
    raise<ShapeError>("rms_norm: normalized_shape ", to_string(normalized_shape), " must be the last sizes of ",
                      describe("input", input));
  check_parameter("rms_norm", "weight", weight, input, normalized_shape);
  const double e = eps.value_or(epsilon_of(input.dtype()));
  Dims kept = input.shape(), leading, dims;
  for (size_t i = 0; i < n; ++i) (i < n - k ? leading : dims).push_back(int64_t(i));
  for (size_t i = n - k; i < n; ++i) kept[i] = 1;
  Tensor y = allocate(input.shape(), input.dtype(), input.device());
  const Tensor rstd = allocate(kept, DType::float64, input.device());
  if (input.numel() > 0) {
    const Tensor w = weight.defined() ? contiguous(weight.detach()) : Tensor();
    kernel(&Kernels::rms_norm, input.device())(input.view_of(), optional_view(w), e, y.view_of(), rstd.view_of());
  }
  if (recording({input, weight}))
    record("rms_norm", y, {input, weight},
           [x = save(input), w = save(weight), rstd, e, leading, dims](Grads& d, const Tensor& g) {
             const Tensor in = x.get(), own = w.get();
             const auto fold = [&](const Tensor& t) { return leading.empty() ? t : sum(t, leading); };
             if (grad_enabled() || in.numel() == 0) {
               const Tensor r = rsqrt(mean(square(in), dims, true) + e), xhat = in * r;
               const Tensor gw = own.defined() ? g * own : g;
               if (d.want(0)) d[0] = to(r * (gw - xhat * mean(gw * xhat, dims, true)), in.dtype());
               if (d.want(1)) d[1] = to(fold(g * xhat), own.dtype());
               return;
             }
             if (d.want(0)) {
               const Tensor dx = allocate(in.shape(), in.dtype(), in.device()),
                            cw = own.defined() ? contiguous(own) : own;
               kernel(&Kernels::rms_norm_backward, in.device())(in.view_of(), g.view_of(), optional_view(cw),
                                                                rstd.view_of(), dx.view_of());
               d[0] = dx;
             }
             if (d.want(1)) {
               const DType wide = in.dtype() == DType::float64 ? DType::float64 : DType::float32;
               d[1] = to(fold(g * in * to(rstd, wide)), own.dtype());
             }
           });
  return y;
}

// ---- composites ----

Tensor local_response_norm(const Tensor& input, int64_t size, double alpha, double beta, double k) {
  if (input.dtype() == DType::bool_) need_floating("local_response_norm", input);
  if (input.dim() < 3) raise<ShapeError>("local_response_norm: needs (N, C, L, ...), got ", describe("input", input));
  if (size < 1) raise<ValueError>("local_response_norm: size must be positive, got ", size);
  if (input.numel() == 0) return clone(input);
  const Dims& s = input.shape();
  // Channels as rows, the places as columns.
  const Tensor squares = reshape(square(input), {s[0], 1, s[1], input.numel() / (s[0] * s[1])});
  const Tensor around = pad(squares, Dims{0, 0, size / 2, (size - 1) / 2}, "constant", 0.0);
  const Tensor means = reshape(avg_pool2d(around, Dims{size, 1}, Dims{1}, Dims{0}, false, true, {}), s);
  return input / pow(means * alpha + k, beta);
}

Tensor renorm(const Tensor& input, double p, int64_t dim, double maxnorm) {
  need_floating("renorm", input);
  if (!(p > 0)) raise<ValueError>("renorm: p must be positive, got ", p);
  if (!(maxnorm >= 0)) raise<ValueError>("renorm: maxnorm must not be negative, got ", maxnorm);
  if (input.dim() < 2) raise<ShapeError>("renorm: needs at least 2 dims, got ", describe("input", input));
  const int64_t kept = wrap_dim(dim, input.dim(), "renorm");
  Dims dims;
  for (int64_t d = 0; d < input.dim(); ++d)
    if (d != kept) dims.push_back(d);
  const DType wide = size_of(input.dtype()) < 4 ? DType::float32 : input.dtype();
  const Tensor length = norm(to(input, wide), p, dims, true, {});
  return input * to(where(length > maxnorm, maxnorm / (length + 1e-7), 1.0), input.dtype());
}
Tensor renorm_(const Tensor& self, double p, int64_t dim, double maxnorm) {
  return copy_(self, renorm(recording({self}) ? clone(self) : self, p, dim, maxnorm));
}

Tensor normalize(const Tensor& input, double p, int64_t dim, double eps) {
  need_floating("normalize", input);
  return input / clamp_min(norm(input, p, Dims{dim}, true, {}), eps);
}

}  // namespace lamina
