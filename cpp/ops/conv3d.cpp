// The 3-D convolution on the 2-D kernels: in memory (N, groups, H, W, D, C) the taps of one window's depth and their
// channels are one run, so every output plane is a 2-D convolution whose channels are (depth tap, channel).
// Order of additions: (kh, kw, kd, c) in the chunks of conv2d. Forward, input gradient and weight gradient are each
// other's gradients.
#include "conv.h"

namespace lamina {
namespace {

Tensor weight_grad3(const Tensor& g, const Tensor& x, const Dims& weight, const Slide& s);

// `count` depth windows of x (N, C, D, H, W): window j has taps j * stride - pad + t * dilation, zeros outside.
// image(n, group) is a (count, taps * C / groups, H, W) view.
class Windows {
 public:
  Windows(const Tensor& x, int64_t groups, int64_t count, int64_t taps, int64_t stride, int64_t pad, int64_t dilation)
      : width_(x.shape()[1] / groups) {
    const Dims& s = x.shape();
    const int64_t depth = (count - 1) * stride + (taps - 1) * dilation + 1;
    memory_ = allocate(Dims{s[0], groups, s[3], s[4], depth, width_}, x.dtype(), x.device());
    step_ = stride * width_;
    const int64_t lo = std::max<int64_t>(0, pad), hi = std::max(lo, std::min(depth, s[2] + pad));
    fill(0, std::min(lo, depth));
    fill(hi, depth);
    if (lo < hi) {
      const View v = x.view_of();
      View from = part(lo, hi);
      const int64_t strides[6] = {v.stride[0], v.stride[1] * width_, v.stride[3],
                                  v.stride[4], v.stride[2],          v.stride[1]};
      std::copy_n(strides, 6, from.stride);
      from.data = static_cast<char*>(v.data) + (lo - pad) * v.stride[2] * int64_t(size_of(v.dtype));
      kernel(&Kernels::copy, x.device())(from, part(lo, hi));
    }
    if (dilation > 1 && taps > 1) spread(count, taps, stride, dilation);
    view_ = {nullptr, x.dtype(), 4, {count, taps * width_, s[3], s[4]}, {}};
    const Dims& m = memory_.stride();
    const int64_t image[4] = {step_, 1, m[2], m[3]};
    std::copy_n(image, 4, view_.stride);
  }
  View image(int64_t n, int64_t group) const {
    View v = view_;
    v.data = static_cast<char*>(memory_.data()) +
             (n * memory_.stride()[0] + group * memory_.stride()[1]) * int64_t(size_of(v.dtype));
    return v;
  }

 private:
  View part(int64_t lo, int64_t hi) const {
    View v = memory_.view_of();
    v.shape[4] = hi - lo;
    v.data = static_cast<char*>(v.data) + lo * v.stride[4] * int64_t(size_of(v.dtype));
    return v;
  }
  void fill(int64_t lo, int64_t hi) const {
    if (lo < hi && memory_.numel() > 0) kernel(&Kernels::fill, memory_.device())(part(lo, hi), 0);
  }
  // Taps with gaps become neighbours in a second copy: (.., count, taps, C).
  void spread(int64_t count, int64_t taps, int64_t stride, int64_t dilation) {
    const Dims s = memory_.shape(), m = memory_.stride();
    const Tensor windows = alias(memory_, Dims{s[0], s[1], s[2], s[3], count, taps, width_},
                                 Dims{m[0], m[1], m[2], m[3], stride * width_, dilation * width_, 1}, 0);
    const Tensor dense = allocate(windows.shape(), memory_.dtype(), memory_.device());
    kernel(&Kernels::copy, memory_.device())(windows.view_of(), dense.view_of());
    memory_ = alias(dense, Dims{s[0], s[1], s[2], s[3], count * taps, width_},
                    contiguous_strides(Dims{s[0], s[1], s[2], s[3], count * taps, width_}), 0);
    step_ = taps * width_;
  }
  Tensor memory_;
  View view_;
  int64_t width_, step_;
};

// Planes of one sample and group of a (N, C, D, H, W) tensor as images: every `stride`-th from `first` on.
View planes(const Tensor& t, int64_t n, int64_t group, int64_t groups, int64_t first, int64_t stride, int64_t count) {
  const View v = t.view_of();
  const int64_t width = v.shape[1] / groups;
  View out{nullptr, v.dtype, 4, {count, width, v.shape[3], v.shape[4]}, {}};
  const int64_t strides[4] = {v.stride[2] * stride, v.stride[1], v.stride[3], v.stride[4]};
  std::copy_n(strides, 4, out.stride);
  out.data = static_cast<char*>(v.data) +
             (n * v.stride[0] + group * width * v.stride[1] + first * v.stride[2]) * int64_t(size_of(v.dtype));
  return out;
}

// w (A, B, KD, KH, KW) with its depth beside one of its channel dims, as a contiguous 4-D weight.
Tensor depth_in_columns(const Tensor& w) {  // (A, KD * B, KH, KW)
  const Dims& s = w.shape();
  return reshape(contiguous(permute(w, {0, 2, 1, 3, 4})), {s[0], s[2] * s[1], s[3], s[4]});
}

void rows_of(View& v, int64_t first, int64_t count) {
  v.data = static_cast<char*>(v.data) + first * v.stride[0] * int64_t(size_of(v.dtype));
  v.shape[0] = count;
}

}  // namespace

Tensor convolve3(const Tensor& x, const Tensor& w, const Tensor& bias, const Dims& out, const Slide& s) {
  Tensor y = allocate_image(out, x.dtype(), x.device(), s.order);
  if (y.numel() > 0) {
    const NoGrad quiet;
    const Windows windows(x, s.groups, out[2], s.kernel[0], s.stride[0], s.padding[0], s.dilation[0]);
    const Tensor taps = depth_in_columns(w);
    const int64_t oc = out[1] / s.groups;
    const auto conv = kernel(&Kernels::conv2d, x.device());
    for (int64_t n = 0; n < out[0]; ++n)
      for (int64_t group = 0; group < s.groups; ++group) {
        View weight = taps.view_of(), b;
        rows_of(weight, group * oc, oc);
        if (bias.defined()) {
          b = bias.view_of();
          rows_of(b, group * oc, oc);
        }
        conv(windows.image(n, group), weight, bias.defined() ? &b : nullptr,
             planes(y, n, group, s.groups, 0, 1, out[2]), s.window(), 1);
      }
  }
  if (recording({x, w, bias}))
    record("conv3d", y, {x, w, bias}, [x = save(x), w = save(w), s](Grads& d, const Tensor& g) {
      if (d.want(0)) d[0] = input_grad3(g, w.get(), x.get().shape(), s);
      if (d.want(1)) d[1] = weight_grad3(g, x.get(), w.get().shape(), s);
      if (d.want(2)) d[2] = sum(g, Dims{0, 2, 3, 4});
    });
  return y;
}

// Planes of x that are equal modulo the stride meet the same depth taps: a window over g, then the 2-D input gradient.
Tensor input_grad3(const Tensor& g, const Tensor& w, const Dims& input, const Slide& s) {
  Tensor gx = allocate_image(input, g.dtype(), g.device(), s.order);
  if (gx.numel() > 0) {
    const NoGrad quiet;
    const auto back = kernel(&Kernels::conv2d_input_grad, g.device());
    const int64_t oc = w.shape()[0] / s.groups, c = w.shape()[1];
    for (int64_t first = 0; first < s.stride[0]; ++first) {
      const Phase p = phase_of(first, input[2], s.kernel[0], s.stride[0], s.padding[0], s.dilation[0]);
      if (p.count == 0) continue;
      if (p.taps == 0) {
        for (int64_t n = 0; n < input[0]; ++n)
          kernel(&Kernels::fill, g.device())(planes(gx, n, 0, 1, first, s.stride[0], p.count), 0);
        continue;
      }
      const Windows windows(g, s.groups, p.count, p.taps, 1, p.pad, p.dil);
      // Taps backwards, beside the output channels: (groups, taps, oc, c, KH, KW).
      const Tensor chosen = flip(slice(w, 2, p.tap, p.tap + (p.taps - 1) * p.step + 1, p.step), Dims{2});
      const Tensor split = reshape(chosen, {s.groups, oc, c, p.taps, s.kernel[1], s.kernel[2]});
      const Tensor taps = reshape(contiguous(permute(split, {0, 3, 1, 2, 4, 5})),
                                  {s.groups * p.taps * oc, c, s.kernel[1], s.kernel[2]});
      for (int64_t n = 0; n < input[0]; ++n)
        for (int64_t group = 0; group < s.groups; ++group) {
          View weight = taps.view_of();
          rows_of(weight, group * p.taps * oc, p.taps * oc);
          back(windows.image(n, group), weight, planes(gx, n, group, s.groups, first, s.stride[0], p.count), s.window(),
               1);
        }
    }
  }
  if (recording({g, w}))
    record("conv3d_input_grad", gx, {g, w}, [g = save(g), w = save(w), s](Grads& d, const Tensor& gg) {
      if (d.want(0)) d[0] = convolve3(gg, w.get(), {}, g.get().shape(), s);
      if (d.want(1)) d[1] = weight_grad3(g.get(), gg, w.get().shape(), s);
    });
  return gx;
}

namespace {

// Samples are added in order.
Tensor weight_grad3(const Tensor& g, const Tensor& x, const Dims& weight, const Slide& s) {
  const Dims& out = g.shape();
  const int64_t oc = out[1] / s.groups, taps = s.kernel[0], c = weight[1];
  Tensor gw;
  {
    const NoGrad quiet;
    Tensor total = zeros(Size{out[1], taps * c, weight[3], weight[4]}, g.dtype(), g.device());
    if (g.numel() > 0 && x.numel() > 0) {
      const Windows windows(x, s.groups, out[2], taps, s.stride[0], s.padding[0], s.dilation[0]);
      const auto back = kernel(&Kernels::conv2d_weight_grad, g.device());
      const Tensor part = out[0] > 1 ? allocate_like(total) : Tensor();
      for (int64_t n = 0; n < out[0]; ++n) {
        const Tensor& to = n == 0 ? total : part;
        for (int64_t group = 0; group < s.groups; ++group) {
          View rows = to.view_of();
          rows_of(rows, group * oc, oc);
          back(planes(g, n, group, s.groups, 0, 1, out[2]), windows.image(n, group), rows, s.window(), 1);
        }
        if (n > 0) add_(total, part);
      }
    }
    gw = contiguous(permute(reshape(total, {out[1], taps, c, weight[3], weight[4]}), {0, 2, 1, 3, 4}));
  }
  if (recording({g, x}))
    record("conv3d_weight_grad", gw, {g, x}, [g = save(g), x = save(x), s](Grads& d, const Tensor& gg) {
      if (d.want(0)) d[0] = convolve3(x.get(), gg, {}, g.get().shape(), s);
      if (d.want(1)) d[1] = input_grad3(g.get(), gg, x.get().shape(), s);
    });
  return gw;
}

}  // namespace
}  // namespace lamina
