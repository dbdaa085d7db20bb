// batch_norm and layer_norm. Gradients come from one fused kernel; where a second gradient may follow, from operations.
#include "norm.h"

namespace lamina {
namespace {

// What both gradients are made of, as operations: xhat, rstd and g * weight.
struct Composite {
  Tensor xhat, rstd;
  Composite(const Tensor& x, const Dims& dims, double eps) {
    const Tensor d = x - mean(x, dims, true);
    rstd = rsqrt(mean(square(d), dims, true) + eps);
    xhat = d * rstd;
  }
  Tensor dx(const Tensor& gw, const Dims& dims) const {
    return rstd * (gw - mean(gw, dims, true) - xhat * mean(gw * xhat, dims, true));
  }
};

struct Gradients {
  Tensor x, weight, bias;
};
void hand_over(Grads& d, const Gradients& g) {
  if (d.want(0)) d[0] = g.x;
  if (d.want(1)) d[1] = g.weight;
  if (d.want(2)) d[2] = g.bias;
}

// ---- layer_norm ----

Gradients layer_norm_gradients(const Tensor& g, const Tensor& x, const Tensor& weight, const Tensor& m,
                               const Tensor& rstd, double eps, size_t first, const bool (&want)[3], DType bias_dtype) {
  const std::span<const int64_t> trailing = std::span<const int64_t>(x.shape()).subspan(first);
  Gradients out;
  if (grad_enabled()) {
    Dims dims, leading;
    for (size_t i = 0; i < x.shape().size(); ++i) (i < first ? leading : dims).push_back(int64_t(i));
    const Composite c(x, dims, eps);
    if (want[0]) out.x = to(c.dx(weight.defined() ? g * weight : g, dims), x.dtype());
    const auto fold = [&](const Tensor& t) { return leading.empty() ? t : sum(t, leading); };
    if (want[1]) out.weight = to(fold(g * c.xhat), weight.dtype());
    if (want[2]) out.bias = to(fold(g), bias_dtype);
    return out;
  }
  if (want[0]) out.x = allocate(x.shape(), x.dtype(), x.device());
  if (want[1]) out.weight = allocate(trailing, weight.dtype(), x.device());
  if (want[2]) out.bias = allocate(trailing, bias_dtype, x.device());
  if (x.numel() == 0) {
    for (const Tensor* t : {&out.weight, &out.bias})
      if (t->defined()) zero_(*t);
    return out;
  }
  const Tensor w = weight.defined() ? contiguous(weight) : Tensor();
  kernel(&Kernels::layer_norm_backward, x.device())(x.view_of(), g.view_of(), optional_view(w), m.view_of(),
                                                    rstd.view_of(), optional_view(out.x), optional_view(out.weight),
                                                    optional_view(out.bias));
  return out;
}

}  // namespace

Tensor layer_norm(const Tensor& input, const Dims& normalized_shape, const Tensor& weight, const Tensor& bias,
                  double eps) {
  need_floating("layer_norm", input);
  const size_t k = normalized_shape.size(), n = input.shape().size();
  if (k == 0 || k > n ||
      !std::ranges::equal(std::span<const int64_t>(input.shape()).subspan(n - k),
                          std::span<const int64_t>(normalized_shape)))
    raise<ShapeError>("layer_norm: normalized_shape ", to_string(normalized_shape), " must be the last sizes of ",
                      describe("input", input));
  check_parameter("layer_norm", "weight", weight, input, normalized_shape);
  check_parameter("layer_norm", "bias", bias, input, normalized_shape);
  Dims kept = input.shape();
  for (size_t i = n - k; i < n; ++i) kept[i] = 1;
  Tensor y = allocate(input.shape(), input.dtype(), input.device());
  const Tensor m = allocate(kept, DType::float64, input.device()),
               rstd = allocate(kept, DType::float64, input.device());
  if (input.numel() > 0) {
    const Tensor w = weight.defined() ? contiguous(weight.detach()) : Tensor(),
                 b = bias.defined() ? contiguous(bias.detach()) : Tensor();
    kernel(&Kernels::layer_norm, input.device())(input.view_of(), optional_view(w), optional_view(b), eps, y.view_of(),
                                                 m.view_of(), rstd.view_of());
  }
  if (recording({input, weight, bias}))
    record("layer_norm", y, {input, weight, bias},
           [x = save(input), w = save(weight), m, rstd, eps, first = n - k,
            bias_dtype = bias.defined() ? bias.dtype() : input.dtype()](Grads& d, const Tensor& g) {
             hand_over(d, layer_norm_gradients(g, x.get(), w.get(), m, rstd, eps, first,
                                               {d.want(0), d.want(1), d.want(2)}, bias_dtype));
           });
  return y;
}

// ---- batch_norm ----

namespace {

Gradients batch_norm_gradients(const Tensor& g, const Tensor& x, const Tensor& weight, const Tensor& m,
                               const Tensor& rstd, bool training, double eps, const bool (&want)[3], DType bias_dtype) {
  const int64_t channels = x.shape()[1];
  Gradients out;
  if (grad_enabled()) {
    Dims dims, line(x.shape().size(), 1);
    for (size_t i = 0; i < x.shape().size(); ++i)
      if (i != 1) dims.push_back(int64_t(i));
    line[1] = channels;
    const Tensor gw = weight.defined() ? g * reshape(weight, line) : g;
    Tensor xhat;
    if (training) {
      const Composite c(x, dims, eps);
      xhat = c.xhat;
      if (want[0]) out.x = to(c.dx(gw, dims), x.dtype());
    } else {
      const Tensor r = to(reshape(rstd, line), x.dtype());
      xhat = (x - to(reshape(m, line), x.dtype())) * r;
      if (want[0]) out.x = to(gw * r, x.dtype());
    }
    if (want[1]) out.weight = to(sum(g * xhat, dims), weight.dtype());
    if (want[2]) out.bias = to(sum(g, dims), bias_dtype);
    return out;
  }
  if (want[0]) out.x = allocate_like(x);
  if (want[1]) out.weight = allocate(Dims{channels}, weight.dtype(), x.device());
  if (want[2]) out.bias = allocate(Dims{channels}, bias_dtype, x.device());
  kernel(&Kernels::batch_norm_backward, x.device())(g.view_of(), x.view_of(), optional_view(weight), m.view_of(),
                                                    rstd.view_of(), training, optional_view(out.x),
                                                    optional_view(out.weight), optional_view(out.bias));
  return out;
}

void check_running(const char* label, const Tensor& r, const Tensor& x, const Dims& shape) {
  check_parameter("batch_norm", label, r, x, shape);
  if (r.defined() && r.requires_grad())
    raise<GradError>("batch_norm: ", label, " must not require grad: it is written in place");
}

}  // namespace

Tensor batch_norm(const Tensor& input, const Tensor& running_mean, const Tensor& running_var, const Tensor& weight,
                  const Tensor& bias, bool training, double momentum, double eps) {
  need_floating("batch_norm", input);
  if (input.shape() == Dims{0}) {  // PyTorch sees no channels there
    check_running("running_mean", running_mean, input, Dims{0});
    check_running("running_var", running_var, input, Dims{0});
    return clone(input);
  }
  if (input.dim() < 2) raise<ShapeError>("batch_norm: needs (N, C, ...), got ", describe("input", input));
  const Dims shape{input.shape()[1]};
  check_parameter("batch_norm", "weight", weight, input, shape);
  check_parameter("batch_norm", "bias", bias, input, shape);
  check_running("running_mean", running_mean, input, shape);
  check_running("running_var", running_var, input, shape);
  if (running_mean.defined() != running_var.defined())
    raise<TypeError>("batch_norm: give running_mean and running_var, or neither");
  if (!training && !running_mean.defined())
    raise<TypeError>("batch_norm: evaluation needs running_mean and running_var; or pass training=True");
  if (input.numel() == 0) {  // leaves the running statistics alone
    Size along(input.shape().size(), 1);
    along[1] = shape[0];
    const Tensor scaled = weight.defined() ? input * reshape(weight, along) : clone(input);
    return bias.defined() ? scaled + reshape(bias, along) : scaled;
  }
  if (!(eps >= 0)) raise<ValueError>("batch_norm: eps must not be negative, got ", eps);
  if (training && input.numel() == shape[0])
    raise<ValueError>("batch_norm: training needs more than one value per channel, got ", describe("input", input),
                      running_mean.defined() ? ". Use a larger batch or .eval()" : ". Use a larger batch");
  Tensor y = allocate_like(input);
  const Tensor m = allocate(shape, DType::float64, input.device()),
               rstd = allocate(shape, DType::float64, input.device());
  kernel(&Kernels::batch_norm, input.device())(input.view_of(), optional_view(weight), optional_view(bias),
                                               optional_view(running_mean), optional_view(running_var), training,
                                               momentum, eps, y.view_of(), m.view_of(), rstd.view_of());
  if (training && running_mean.defined()) {
    wrote(running_mean);
    wrote(running_var);
  }
  if (recording({input, weight, bias}))
    record("batch_norm", y, {input, weight, bias},
           [x = save(input), w = save(weight), m, rstd, training, eps,
            bias_dtype = bias.defined() ? bias.dtype() : input.dtype()](Grads& d, const Tensor& g) {
             hand_over(d, batch_norm_gradients(g, x.get(), w.get(), m, rstd, training, eps,
                                               {d.want(0), d.want(1), d.want(2)}, bias_dtype));
           });
  return y;
}

}  // namespace lamina
