// Pooling over rows and columns: maxima, means, adaptive means. Outputs keep the memory order of the input
// (channels-last or not).
#include "pool.h"

namespace lamina {
namespace {

// Where the input of a pooling came from: what its gradient must look like.
struct Origin {
  Dims shape;
  ImageOrder order;
  explicit Origin(const Tensor& x) : shape(x.shape()), order(image_order(x)) {}
};

Window read_window(const char* op, const Tensor& x, const Dims& kernel, const OptDims& stride, const Dims& padding,
                   const Dims& dilation) {
  Window p;
  read_sizes(op, "kernel_size", kernel, 2, 1, p.kernel);
  read_sizes(op, "stride", stride && !stride->empty() ? *stride : kernel, 2, 1, p.stride);
  read_sizes(op, "padding", padding, 2, 0, p.padding);
  read_sizes(op, "dilation", dilation, 2, 1, p.dilation);
  for (size_t d = 0; d < 2; ++d)
    if (p.padding[d] > reach(op, p.kernel[d], p.dilation[d]) / 2)
      raise<ShapeError>(op, ": padding must be at most half of what the kernel covers: padding ", to_string(padding),
                        ", kernel_size ", to_string(kernel), ", ", describe("input", x));
  return p;
}

// PyTorch's rule: with ceil_mode a last window may hang over, but it must begin inside the input or its left padding.
Dims pooled_shape(const char* op, const Tensor& x, const Window& p, bool ceil_mode) {
  Dims s = x.shape();
  for (size_t d = 0; d < 2; ++d) {
    const int64_t size = s[2 + d], padded = checked::add(size, checked::mul(p.padding[d], 2, op), op);
    const int64_t room = checked::sub(padded, reach(op, p.kernel[d], p.dilation[d]), op);
    const int64_t top = checked::add(room, ceil_mode ? p.stride[d] - 1 : 0, op);
    int64_t out = top < 0 ? 0 : top / p.stride[d] + 1;
    if (ceil_mode && out > 0 && (out - 1) * p.stride[d] >= size + p.padding[d]) --out;
    if (out < 1 || size == 0)
      raise<ShapeError>(op, ": the output would be empty: kernel_size (", p.kernel[0], ", ", p.kernel[1], "), ",
                        describe("input", x), "; use a smaller kernel or more padding");
    s[2 + d] = out;
  }
  return s;
}

// ---- max ----

Tensor max_gather(const Tensor& x, const Tensor& indices);

Tensor max_scatter(const Tensor& g, const Tensor& indices, const Origin& origin) {
  Tensor gx = allocate_image(origin.shape, g.dtype(), g.device(), origin.order);
  kernel(&Kernels::max_pool2d_backward, g.device())(g.view_of(), indices.view_of(), gx.view_of());
  if (recording({g}))
    record("max_pool2d_backward", gx, {g},
           [indices = save(indices)](Grads& d, const Tensor& gg) { d[0] = max_gather(gg, indices.get()); });
  return gx;
}

// x at the places that were the maxima of another input.
Tensor max_gather(const Tensor& x, const Tensor& indices) {
  Tensor y = allocate_image(indices.shape(), x.dtype(), x.device(), image_order(x));
  kernel(&Kernels::max_pool2d_gather, x.device())(x.view_of(), indices.view_of(), y.view_of());
  if (recording({x}))
    record("max_pool2d_gather", y, {x}, [indices = save(indices), origin = Origin(x)](Grads& d, const Tensor& g) {
      d[0] = max_scatter(g, indices.get(), origin);
    });
  return y;
}

}  // namespace

TensorPair max_windows(const char* op, const Tensor& input, const Dims& kernel_size, const OptDims& stride,
                       const Dims& padding, const Dims& dilation, bool ceil_mode, bool want_indices) {
  const Window p = read_window(op, input, kernel_size, stride, padding, dilation);
  const Dims shape = pooled_shape(op, input, p, ceil_mode);
  const ImageOrder order = image_order(input);
  const bool track = recording({input});
  Tensor y = allocate_image(shape, input.dtype(), input.device(), order), indices;
  View places = y.view_of();
  places.data = nullptr;
  if (track || want_indices) {
    indices = allocate_image(shape, DType::int64, input.device(), order);
    places = indices.view_of();
  }
  kernel(&Kernels::max_pool2d, input.device())(input.view_of(), y.view_of(), places, p);
  if (track)
    record("max_pool2d", y, {input}, [indices = save(indices), origin = Origin(input)](Grads& d, const Tensor& g) {
      d[0] = max_scatter(g, indices.get(), origin);
    });
  return {y, indices};
}

// ---- average ----

namespace {

struct Average {
  std::optional<Window> window;  // none: adaptive
  bool count_include_pad = true;
  int64_t divisor = 0;
  const Window* pointer() const { return window ? &*window : nullptr; }
};

Tensor average_backward(const Tensor& g, const Origin& origin, const Average& a, const char* name);

Tensor average(const Tensor& x, const Dims& shape, const Average& a, const char* name) {
  Tensor y = allocate_image(shape, x.dtype(), x.device(), image_order(x));
  kernel(&Kernels::avg_pool2d, x.device())(x.view_of(), y.view_of(), a.pointer(), a.count_include_pad, a.divisor);
  if (recording({x}))
    record(name, y, {x},
           [a, origin = Origin(x), name](Grads& d, const Tensor& g) { d[0] = average_backward(g, origin, a, name); });
  return y;
}

Tensor average_backward(const Tensor& g, const Origin& origin, const Average& a, const char* name) {
  Tensor gx = allocate_image(origin.shape, g.dtype(), g.device(), origin.order);
  kernel(&Kernels::avg_pool2d_backward, g.device())(g.view_of(), gx.view_of(), a.pointer(), a.count_include_pad,
                                                    a.divisor);
  if (recording({g}))
    record(name, gx, {g},
           [a, shape = g.shape(), name](Grads& d, const Tensor& gg) { d[0] = average(gg, shape, a, name); });
  return gx;
}

}  // namespace

Tensor mean_windows(const char* op, const Tensor& input, const Dims& kernel_size, const OptDims& stride,
                    const Dims& padding, bool ceil_mode, bool count_include_pad, int64_t divisor) {
  const Window p = read_window(op, input, kernel_size, stride, padding, Dims{1});
  return average(input, pooled_shape(op, input, p, ceil_mode), {p, count_include_pad, divisor}, "avg_pool2d");
}

Tensor adaptive_means(const char* op, const Tensor& x, int64_t rows, int64_t columns) {
  const Dims& s = x.shape();
  if (s[1] == 0 || s[2] == 0 || s[3] == 0)
    raise<ShapeError>(op, ": channels, rows and columns must not be empty: ", describe("input", x));
  checked::mul(checked::add(rows, 1), s[2], op);
  checked::mul(checked::add(columns, 1), s[3], op);
  return average(x, {s[0], s[1], rows, columns}, {}, "adaptive_avg_pool2d");
}

}  // namespace lamina
