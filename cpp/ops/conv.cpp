// conv1d, conv2d, conv3d and their transposes. Outputs and input gradients have their channels side by side in memory,
// and look so only where an operand does (docs/adr/0009). The forward, the input gradient and the weight gradient are
// each other's gradients, so derivatives of any order run on the same three kernels. conv1d is conv2d over one row; a
// transposed convolution is an input gradient.
#include "conv.h"

#include "integers.h"

namespace lamina {
namespace {

Tensor weight_grad2(const Tensor& g, const Tensor& x, const Dims& weight, const Slide& s);

// Channels side by side in the strides, too, where either order is the other.
View image_view(const Tensor& t) {
  View v = t.view_of();
  if (v.shape[1] != 1 && v.shape[2] * v.shape[3] != 1) return v;
  const Dims dense = channels_last_strides(t.shape());
  if (t.is_flat()) std::copy(dense.begin(), dense.end(), v.stride);
  return v;
}

}  // namespace

Tensor convolve2(const Tensor& x, const Tensor& w, const Tensor& bias, const Dims& out, const Slide& s) {
  Tensor y = allocate_image(out, x.dtype(), x.device(), s.order);
  View b;
  if (bias.defined()) b = bias.view_of();
  kernel(&Kernels::conv2d, x.device())(x.view_of(), w.view_of(), bias.defined() ? &b : nullptr, image_view(y),
                                       s.window(), s.groups);
  if (recording({x, w, bias}))
    record("conv2d", y, {x, w, bias}, [x = save(x), w = save(w), s](Grads& d, const Tensor& g) {
      if (d.want(0)) d[0] = input_grad2(g, w.get(), x.get().shape(), s);
      if (d.want(1)) d[1] = weight_grad2(g, x.get(), w.get().shape(), s);
      if (d.want(2)) d[2] = sum(g, Dims{0, 2, 3});
    });
  return y;
}

Tensor input_grad2(const Tensor& g, const Tensor& w, const Dims& input, const Slide& s) {
  Tensor gx = allocate_image(input, g.dtype(), g.device(), s.order);
  kernel(&Kernels::conv2d_input_grad, g.device())(image_view(g), w.view_of(), image_view(gx), s.window(), s.groups);
  if (recording({g, w}))
    record("conv2d_input_grad", gx, {g, w}, [g = save(g), w = save(w), s](Grads& d, const Tensor& gg) {
      if (d.want(0)) d[0] = convolve2(gg, w.get(), {}, g.get().shape(), s);
      if (d.want(1)) d[1] = weight_grad2(g.get(), gg, w.get().shape(), s);
    });
  return gx;
}

namespace {

Tensor weight_grad2(const Tensor& g, const Tensor& x, const Dims& weight, const Slide& s) {
  Tensor gw = allocate(weight, g.dtype(), g.device());
  kernel(&Kernels::conv2d_weight_grad, g.device())(image_view(g), x.view_of(), gw.view_of(), s.window(), s.groups);
  if (recording({g, x}))
    record("conv2d_weight_grad", gw, {g, x}, [g = save(g), x = save(x), s](Grads& d, const Tensor& gg) {
      if (d.want(0)) d[0] = convolve2(x.get(), gg, {}, g.get().shape(), s);
      if (d.want(1)) d[1] = input_grad2(g.get(), gg, x.get().shape(), s);
    });
  return gw;
}

// ---- checks ----

constexpr const char* kKernels[4] = {"", "K", "KH, KW", "KD, KH, KW"};
constexpr const char* kAxes[3] = {" planes", " rows", " columns"};

struct Call {
  const char* op;
  int64_t rank;
  bool transposed;
};

void check_operands(const Call& call, const Tensor& x, const Tensor& w, const Tensor& bias, int64_t groups) {
  const char* op = call.op;
  const auto operands = [&] {
    return describe("input", x) + ", " + describe("weight", w) + (bias.defined() ? ", " + describe("bias", bias) : "");
  };
  check_image(op, x, call.rank, Takes::numbers);
  if (w.dim() != call.rank + 2)
    raise<ShapeError>(
        op, ": weight must be ",
        call.transposed ? "(in channels, out channels / groups, " : "(out channels, in channels / groups, ",
        kKernels[call.rank], "): ", operands());
  if (w.dtype() != x.dtype() || (bias.defined() && bias.dtype() != x.dtype()))
    raise<DtypeError>(op, ": operands must have one dtype: ", operands(), "; convert with .to(dtype)");
  if (w.device() != x.device() || (bias.defined() && bias.device() != x.device()))
    raise<DeviceError>(op, ": operands are on different devices: ", operands());
  if (groups < 1) raise<ValueError>(op, ": groups must be positive, got ", groups);
  const int64_t channels = x.shape()[size_t(x.dim() - call.rank - 1)], first = w.shape()[0], second = w.shape()[1];
  const int64_t wide = checked::mul(second, groups, op), expected = call.transposed ? first : wide;
  const int64_t oc = call.transposed ? wide : first;
  if (expected != channels)
    raise<ShapeError>(
        op, ": input has ", channels, " channels, weight expects ", expected,
        groups > 1 && !call.transposed ? str(" (", second, " for each of ", groups, " groups)") : std::string(), ": ",
        operands());
  if (first % groups)
    raise<ShapeError>(op, ": ", first, call.transposed ? " input" : " output", " channels do not divide into ", groups,
                      " groups: ", operands());
  if (channels == 0 || w.numel() == 0)
    raise<ShapeError>(op, ": channels and kernel sizes must be positive: ", operands());
  if (bias.defined() && (bias.dim() != 1 || bias.shape()[0] != oc))
    raise<ShapeError>(op, ": bias must have shape (", oc, ",), one number per output channel: ", operands());
}

// Rank 1 as one row of rank 2.
Tensor as_image(const Tensor& x, int64_t rank) { return rank == 1 ? unsqueeze(x, -2) : x; }

Slide read_slide(const Call& call, const Tensor& w, const Dims& stride, const Dims& padding, const Dims& dilation,
                 int64_t groups) {
  Slide s{call.rank};
  s.groups = groups;
  const int64_t at = 3 - call.rank;
  read_sizes(call.op, "stride", stride, call.rank, 1, s.stride + at);
  read_sizes(call.op, "dilation", dilation, call.rank, 1, s.dilation + at);
  read_sizes(call.op, "padding", padding, call.rank, 0, s.padding + at);
  for (int64_t d = at; d < 3; ++d) s.kernel[d] = w.shape()[size_t(2 + d - at)];
  return s;
}

ImageOrder order_of_results(const Tensor& x, const Tensor& w) {
  const bool asked = image_order(x) == ImageOrder::channels_last || image_order(w) == ImageOrder::channels_last;
  return asked ? ImageOrder::channels_last : ImageOrder::interleaved;
}

Tensor conv(const Call& call, const Tensor& input, const Tensor& weight, const Tensor& bias, const Dims& stride,
            const Padding& padding, const Dims& dilation, int64_t groups) {
  const char* op = call.op;
  check_operands(call, input, weight, bias, groups);
  if (input.dim() == call.rank + 1)
    return squeeze(conv(call, unsqueeze(input, 0), weight, bias, stride, padding, dilation, groups), Dims{0});
  if (!padding.mode.empty() && padding.mode != "same" && padding.mode != "valid")
    raise<ValueError>(op, ": padding must be numbers, 'same' or 'valid', got '", padding.mode, "'");
  const bool same = padding.mode == "same";
  Slide s = read_slide(call, weight, stride, padding.mode.empty() ? padding.size : Dims{0}, dilation, groups);
  const Tensor x = as_image(input, call.rank), w = as_image(weight, call.rank);
  s.order = order_of_results(x, w);
  Dims out = x.shape();
  out[1] = w.shape()[0];
  const int64_t at = 3 - call.rank;
  for (int64_t d = at; d < 3; ++d) {
    if (same && s.stride[d] != 1)
      raise<ValueError>(op, ": padding='same' needs stride 1, got stride ", to_string(stride));
    const size_t dim = size_t(x.dim() - 3 + d);
    const int64_t size = x.shape()[dim], covered = reach(op, s.kernel[d], s.dilation[d]);
    if (same) {  // an odd total puts the extra place after the input, as in PyTorch
      s.padding[d] = (covered - 1) / 2;
      continue;
    }
    const int64_t padded = checked::add(size, checked::mul(s.padding[d], 2, op), op);
    if (padded < covered)
      raise<ShapeError>(op, ": the kernel covers ", covered, kAxes[d], ", the padded input has only ", padded, ": ",
                        describe("input", input), ", ", describe("weight", weight),
                        "; use a smaller kernel or more padding");
    out[dim] = (padded - covered) / s.stride[d] + 1;
  }
  if (call.rank == 3 && is_floating(x.dtype())) return convolve3(x, w, bias, out, s);
  const Tensor y = is_floating(x.dtype()) ? convolve2(x, w, bias, out, s) : convolve_integers(x, w, bias, out, s);
  return call.rank == 1 ? squeeze(y, Dims{2}) : y;
}

Tensor conv_transpose(const Call& call, const Tensor& input, const Tensor& weight, const Tensor& bias,
                      const Dims& stride, const Dims& padding, const Dims& output_padding, int64_t groups,
                      const Dims& dilation) {
  const char* op = call.op;
  check_operands(call, input, weight, bias, groups);
  if (input.dim() == call.rank + 1)
    return squeeze(
        conv_transpose(call, unsqueeze(input, 0), weight, bias, stride, padding, output_padding, groups, dilation),
        Dims{0});
  Slide s = read_slide(call, weight, stride, padding, dilation, groups);
  const int64_t at = 3 - call.rank;
  int64_t extra[3] = {0, 0, 0};
  read_sizes(op, "output_padding", output_padding, call.rank, 0, extra + at);
  const Tensor x = as_image(input, call.rank), w = as_image(weight, call.rank);
  s.order = order_of_results(x, w);
  Dims out = x.shape();
  out[1] = w.shape()[1] * groups;
  for (int64_t d = at; d < 3; ++d) {
    if (extra[d] >= s.stride[d] && extra[d] >= s.dilation[d])
      raise<ValueError>(op, ": output_padding must be smaller than stride or dilation, got output_padding ",
                        to_string(output_padding), ", stride ", to_string(stride), ", dilation ", to_string(dilation));
    const size_t dim = size_t(x.dim() - 3 + d);
    const int64_t grown = checked::mul(x.shape()[dim] - 1, s.stride[d], op),
                  padded = checked::add(checked::add(grown, reach(op, s.kernel[d], s.dilation[d]), op), extra[d], op);
    out[dim] = checked::sub(padded, checked::mul(s.padding[d], 2, op), op);
    if (x.shape()[dim] < 1 || out[dim] < 1)
      raise<ShapeError>(op, ": the output would be empty: ", describe("input", input), ", ", describe("weight", weight),
                        ", padding ", to_string(padding), "; use less padding");
  }
  Tensor y = !is_floating(x.dtype()) ? convolve_integers_transposed(x, w, out, s)
             : call.rank == 3        ? input_grad3(x, w, out, s)
                                     : input_grad2(x, w, out, s);
  if (bias.defined()) {
    Dims line(size_t(y.dim() - 1), 1);
    line[0] = out[1];
    add_(y, reshape(bias, line));
  }
  return call.rank == 1 ? squeeze(y, Dims{2}) : y;
}

}  // namespace

Tensor conv1d(const Tensor& input, const Tensor& weight, const Tensor& bias, const Dims& stride, const Padding& padding,
              const Dims& dilation, int64_t groups) {
  return conv({"conv1d", 1, false}, input, weight, bias, stride, padding, dilation, groups);
}
Tensor conv2d(const Tensor& input, const Tensor& weight, const Tensor& bias, const Dims& stride, const Padding& padding,
              const Dims& dilation, int64_t groups) {
  return conv({"conv2d", 2, false}, input, weight, bias, stride, padding, dilation, groups);
}
Tensor conv3d(const Tensor& input, const Tensor& weight, const Tensor& bias, const Dims& stride, const Padding& padding,
              const Dims& dilation, int64_t groups) {
  return conv({"conv3d", 3, false}, input, weight, bias, stride, padding, dilation, groups);
}

#define LAMINA_CONV_TRANSPOSE(rank)                                                                                 \
  Tensor conv_transpose##rank##d(const Tensor& input, const Tensor& weight, const Tensor& bias, const Dims& stride, \
                                 const Dims& padding, const Dims& output_padding, int64_t groups,                   \
                                 const Dims& dilation) {                                                            \
    return conv_transpose({"conv_transpose" #rank "d", rank, true}, input, weight, bias, stride, padding,           \
                          output_padding, groups, dilation);                                                        \
  }
LAMINA_CONV_TRANSPOSE(1)
LAMINA_CONV_TRANSPOSE(2)
LAMINA_CONV_TRANSPOSE(3)
#undef LAMINA_CONV_TRANSPOSE

}  // namespace lamina
