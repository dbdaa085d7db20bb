// conv2d. Outputs and input gradients are channels-last in memory. The forward, the input gradient and the weight
// gradient are each other's gradients, so derivatives of any order run on the same three kernels.
#include "lamina/autograd.h"
#include "lamina/devices.h"
#include "lamina/ops.h"
#include "window.h"

namespace lamina {
namespace {

struct Geometry {
  Window window;
  int64_t groups;
};

Tensor input_grad(const Tensor& g, const Tensor& w, const Dims& input, const Geometry& geo);
Tensor weight_grad(const Tensor& g, const Tensor& x, const Dims& weight, const Geometry& geo);

Tensor allocate_image(const Dims& shape, const Tensor& like) {
  return allocate_strided(shape, channels_last_strides(shape), like.dtype(), like.device());
}

// x (N, C, H, W), w (OC, C / groups, KH, KW), bias (OC) or undefined -> (N, OC, rows, cols).
Tensor convolve(const Tensor& x, const Tensor& w, const Tensor& bias, int64_t rows, int64_t cols, const Geometry& geo) {
  Tensor y = allocate_image({x.shape()[0], w.shape()[0], rows, cols}, x);
  View b;
  if (bias.defined()) b = bias.view_of();
  kernel(&Kernels::conv2d, x.device())(x.view_of(), w.view_of(), bias.defined() ? &b : nullptr, y.view_of(), geo.window,
                                       geo.groups);
  if (recording({x, w, bias}))
    record("conv2d", y, {x, w, bias}, [x = save(x), w = save(w), geo](Grads& d, const Tensor& g) {
      if (d.want(0)) d[0] = input_grad(g, w.get(), x.get().shape(), geo);
      if (d.want(1)) d[1] = weight_grad(g, x.get(), w.get().shape(), geo);
      if (d.want(2)) d[2] = sum(g, Dims{0, 2, 3});
    });
  return y;
}

Tensor input_grad(const Tensor& g, const Tensor& w, const Dims& input, const Geometry& geo) {
  Tensor gx = allocate_image(input, g);
  kernel(&Kernels::conv2d_input_grad, g.device())(g.view_of(), w.view_of(), gx.view_of(), geo.window, geo.groups);
  if (recording({g, w}))
    record("conv2d_input_grad", gx, {g, w}, [g = save(g), w = save(w), geo](Grads& d, const Tensor& gg) {
      const Dims& out = g.get().shape();
      if (d.want(0)) d[0] = convolve(gg, w.get(), {}, out[2], out[3], geo);
      if (d.want(1)) d[1] = weight_grad(g.get(), gg, w.get().shape(), geo);
    });
  return gx;
}

Tensor weight_grad(const Tensor& g, const Tensor& x, const Dims& weight, const Geometry& geo) {
  Tensor gw = allocate(weight, g.dtype(), g.device());
  kernel(&Kernels::conv2d_weight_grad, g.device())(g.view_of(), x.view_of(), gw.view_of(), geo.window, geo.groups);
  if (recording({g, x}))
    record("conv2d_weight_grad", gw, {g, x}, [g = save(g), x = save(x), geo](Grads& d, const Tensor& gg) {
      const Dims& out = g.get().shape();
      if (d.want(0)) d[0] = convolve(x.get(), gg, {}, out[2], out[3], geo);
      if (d.want(1)) d[1] = input_grad(g.get(), gg, x.get().shape(), geo);
    });
  return gw;
}

void check_operands(const Tensor& x, const Tensor& w, const Tensor& bias, int64_t groups) {
  const auto operands = [&] {
    return describe("input", x) + ", " + describe("weight", w) + (bias.defined() ? ", " + describe("bias", bias) : "");
  };
  if (w.dim() != 4)
    raise<ShapeError>("conv2d: weight must be (out channels, in channels / groups, KH, KW): ", operands());
  if (w.dtype() != x.dtype() || (bias.defined() && bias.dtype() != x.dtype()))
    raise<DtypeError>("conv2d: operands must have one dtype: ", operands(), "; convert with .to(dtype)");
  if (w.device() != x.device() || (bias.defined() && bias.device() != x.device()))
    raise<DeviceError>("conv2d: operands are on different devices: ", operands());
  if (groups < 1) raise<ValueError>("conv2d: groups must be positive, got ", groups);
  const int64_t channels = x.shape()[size_t(x.dim()) - 3], oc = w.shape()[0];
  if (checked::mul(w.shape()[1], groups, "conv2d") != channels)
    raise<ShapeError>("conv2d: input has ", channels, " channels, weight expects ", w.shape()[1] * groups,
                      groups > 1 ? str(" (", w.shape()[1], " for each of ", groups, " groups)") : std::string(), ": ",
                      operands());
  if (oc % groups)
    raise<ShapeError>("conv2d: ", oc, " output channels do not divide into ", groups, " groups: ", operands());
  if (oc == 0 || channels == 0 || w.shape()[2] == 0 || w.shape()[3] == 0)
    raise<ShapeError>("conv2d: channels and kernel sizes must be positive: ", operands());
  if (bias.defined() && (bias.dim() != 1 || bias.shape()[0] != oc))
    raise<ShapeError>("conv2d: bias must have shape (", oc, ",), one number per output channel: ", operands());
}

}  // namespace

Tensor conv2d(const Tensor& input, const Tensor& weight, const Tensor& bias, const Dims& stride, const Padding& padding,
              const Dims& dilation, int64_t groups) {
  check_image("conv2d", input);
  check_operands(input, weight, bias, groups);
  if (input.dim() == 3)
    return squeeze(conv2d(unsqueeze(input, 0), weight, bias, stride, padding, dilation, groups), Dims{0});
  Geometry geo{{}, groups};
  Window& p = geo.window;
  read_pair("conv2d", "stride", stride, 1, p.stride);
  read_pair("conv2d", "dilation", dilation, 1, p.dilation);
  if (padding.mode.empty())
    read_pair("conv2d", "padding", padding.size, 0, p.padding);
  else if (padding.mode != "same" && padding.mode != "valid")
    raise<ValueError>("conv2d: padding must be numbers, 'same' or 'valid', got '", padding.mode, "'");
  const bool same = padding.mode == "same";
  if (same && (p.stride[0] != 1 || p.stride[1] != 1))
    raise<ValueError>("conv2d: padding='same' needs stride 1, got stride ", to_string(stride));
  int64_t out[2];
  for (size_t d = 0; d < 2; ++d) {
    p.kernel[d] = weight.shape()[2 + d];
    const int64_t size = input.shape()[2 + d], covered = reach("conv2d", p.kernel[d], p.dilation[d]);
    if (same) {  // an odd total puts the extra place after the input, as in PyTorch
      p.padding[d] = (covered - 1) / 2;
      out[d] = size;
      continue;
    }
    const int64_t padded = checked::add(size, checked::mul(p.padding[d], 2, "conv2d"), "conv2d");
    if (padded < covered)
      raise<ShapeError>("conv2d: the kernel covers ", covered, d ? " columns" : " rows", ", the padded input has only ",
                        padded, ": ", describe("input", input), ", ", describe("weight", weight),
                        "; use a smaller kernel or more padding");
    out[d] = (padded - covered) / p.stride[d] + 1;
  }
  return convolve(input, weight, bias, out[0], out[1], geo);
}

}  // namespace lamina
