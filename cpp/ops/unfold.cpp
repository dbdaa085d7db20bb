// im2col (nn.functional.unfold) and fold (each the other's gradient), pixel_shuffle, pixel_unshuffle, channel_shuffle:
// images rearranged.
#include "lamina/autograd.h"
#include "lamina/devices.h"
#include "lamina/ops.h"
#include "window.h"

namespace lamina {
namespace {

Tensor columns_to_image(const Tensor& columns, const Dims& image, const Window& p);

// A (N, C, KH, KW, OH, OW) view of windows of a padded image.
Tensor window_view(const Tensor& padded, const Dims& shape, const Window& p) {
  const Dims& s = padded.stride();
  return alias(padded, shape,
               Dims{s[0], s[1], s[2] * p.dilation[0], s[3] * p.dilation[1], s[2] * p.stride[0], s[3] * p.stride[1]},
               padded->offset);
}

Tensor image_to_columns(const Tensor& x, const Dims& shape, const Window& p) {
  Tensor y = allocate(shape, x.dtype(), x.device());
  {
    const NoGrad quiet;
    const bool bare = p.padding[0] == 0 && p.padding[1] == 0;
    const Tensor padded =
        bare ? x : pad(x, Dims{p.padding[1], p.padding[1], p.padding[0], p.padding[0]}, "constant", 0.0);
    if (y.numel() > 0) kernel(&Kernels::copy, x.device())(window_view(padded, shape, p).view_of(), y.view_of());
  }
  if (recording({x}))
    record("unfold", y, {x},
           [image = x.shape(), p](Grads& d, const Tensor& g) { d[0] = columns_to_image(g, image, p); });
  return y;
}

// Taps are added in (kh, kw) order.
Tensor columns_to_image(const Tensor& columns, const Dims& image, const Window& p) {
  Tensor y;
  {
    const NoGrad quiet;
    const int64_t h = image[2] + 2 * p.padding[0], w = image[3] + 2 * p.padding[1];
    const Tensor padded = zeros(Size{image[0], image[1], h, w}, columns.dtype(), columns.device());
    const Tensor windows = window_view(padded, columns.shape(), p);
    if (columns.numel() > 0)
      for (int64_t i = 0; i < p.kernel[0]; ++i)
        for (int64_t j = 0; j < p.kernel[1]; ++j) {
          Tensor place = select(select(windows, 2, i), 2, j);
          add_(place, select(select(columns, 2, i), 2, j));
        }
    y = contiguous(narrow(narrow(padded, 2, p.padding[0], image[2]), 3, p.padding[1], image[3]));
  }
  if (recording({columns}))
    record("fold", y, {columns},
           [shape = columns.shape(), p](Grads& d, const Tensor& g) { d[0] = image_to_columns(g, shape, p); });
  return y;
}

// The window, and (N, C, KH, KW, OH, OW) for an image (N, C, H, W).
struct Columns {
  Window window;
  Dims shape;
};
Columns read_columns(const char* op, const Dims& image, const Dims& kernel, const Dims& dilation, const Dims& padding,
                     const Dims& stride) {
  Columns c;
  Window& p = c.window;
  read_sizes(op, "kernel_size", kernel, 2, 1, p.kernel);
  read_sizes(op, "dilation", dilation, 2, 1, p.dilation);
  read_sizes(op, "padding", padding, 2, 0, p.padding);
  read_sizes(op, "stride", stride, 2, 1, p.stride);
  int64_t out[2];
  for (size_t d = 0; d < 2; ++d) {
    const int64_t padded = checked::add(image[2 + d], checked::mul(p.padding[d], 2, op), op);
    const int64_t room = checked::sub(padded, reach(op, p.kernel[d], p.dilation[d]), op);
    if (room < 0)
      raise<ShapeError>(op, ": the kernel ", to_string(kernel), " with dilation ", to_string(dilation),
                        " does not fit into an image of ", image[2], " x ", image[3], " with padding ",
                        to_string(padding));
    out[d] = room / p.stride[d] + 1;
  }
  c.shape = {image[0], image[1], p.kernel[0], p.kernel[1], out[0], out[1]};
  numel_of(c.shape, op);
  return c;
}

}  // namespace

Tensor im2col(const Tensor& input, const Dims& kernel_size, const Dims& dilation, const Dims& padding,
              const Dims& stride) {
  check_image("unfold", input, 2, Takes::everything);
  if (input.dim() == 3) return squeeze(im2col(unsqueeze(input, 0), kernel_size, dilation, padding, stride), Dims{0});
  const Columns c = read_columns("unfold", input.shape(), kernel_size, dilation, padding, stride);
  const Dims& s = c.shape;
  return reshape(image_to_columns(input, s, c.window), {s[0], s[1] * s[2] * s[3], s[4] * s[5]});
}

Tensor fold(const Tensor& input, const Dims& output_size, const Dims& kernel_size, const Dims& dilation,
            const Dims& padding, const Dims& stride) {
  if (input.dim() == 2)
    return squeeze(fold(unsqueeze(input, 0), output_size, kernel_size, dilation, padding, stride), Dims{0});
  if (input.dim() != 3)
    raise<ShapeError>("fold: input must be (N, C KH KW, L) or (C KH KW, L), got ", describe("input", input));
  int64_t size[2], kernel[2];
  read_sizes("fold", "output_size", output_size, 2, 1, size);
  read_sizes("fold", "kernel_size", kernel_size, 2, 1, kernel);
  const int64_t taps = checked::mul(kernel[0], kernel[1], "fold");
  if (input.shape()[1] % taps || input.shape()[1] == 0)
    raise<ShapeError>("fold: dim 1 must be a multiple of the ", taps, " taps of kernel_size ", to_string(kernel_size),
                      ", got ", describe("input", input));
  const Dims image{input.shape()[0], input.shape()[1] / taps, size[0], size[1]};
  const Columns c = read_columns("fold", image, kernel_size, dilation, padding, stride);
  if (input.shape()[2] != c.shape[4] * c.shape[5])
    raise<ShapeError>("fold: output_size ", to_string(output_size), " has ", c.shape[4], " x ", c.shape[5],
                      " windows, but input has ", input.shape()[2], " columns: ", describe("input", input));
  return columns_to_image(reshape(input, c.shape), image, c.window);
}

// ---- pixels and channels ----

Tensor pixel_shuffle(const Tensor& input, int64_t r) {
  if (input.dim() < 3) raise<ShapeError>("pixel_shuffle: needs (*, C, H, W), got ", describe("input", input));
  if (r < 1) raise<ValueError>("pixel_shuffle: upscale_factor must be positive, got ", r);
  const int64_t square = checked::mul(r, r, "pixel_shuffle"), c = input.size(-3), h = input.size(-2),
                w = input.size(-1);
  if (c % square)
    raise<ShapeError>("pixel_shuffle: ", c, " channels are not a multiple of upscale_factor squared, ", square, ": ",
                      describe("input", input));
  const Tensor x =
      reshape(input, {numel_of(Dims(input.shape().data(), input.shape().size() - 3)), c / square, r, r, h, w});
  Dims shape = input.shape();
  const size_t n = shape.size();
  shape[n - 3] = c / square, shape[n - 2] = h * r, shape[n - 1] = w * r;
  return reshape(permute(x, {0, 1, 4, 2, 5, 3}), shape);
}

Tensor pixel_unshuffle(const Tensor& input, int64_t r) {
  if (input.dim() < 3) raise<ShapeError>("pixel_unshuffle: needs (*, C, H, W), got ", describe("input", input));
  if (r < 1) raise<ValueError>("pixel_unshuffle: downscale_factor must be positive, got ", r);
  const int64_t c = input.size(-3), h = input.size(-2), w = input.size(-1);
  if (h % r || w % r)
    raise<ShapeError>("pixel_unshuffle: height and width must be multiples of downscale_factor ", r, ": ",
                      describe("input", input));
  const Tensor x =
      reshape(input, {numel_of(Dims(input.shape().data(), input.shape().size() - 3)), c, h / r, r, w / r, r});
  Dims shape = input.shape();
  const size_t n = shape.size();
  shape[n - 3] = checked::mul(c, checked::mul(r, r)), shape[n - 2] = h / r, shape[n - 1] = w / r;
  return reshape(permute(x, {0, 1, 3, 5, 2, 4}), shape);
}

Tensor channel_shuffle(const Tensor& input, int64_t groups) {
  if (input.dim() < 3) raise<ShapeError>("channel_shuffle: needs (N, C, *), got ", describe("input", input));
  const int64_t c = input.shape()[1];
  if (groups < 1 || c % groups)
    raise<ShapeError>("channel_shuffle: ", c, " channels do not divide into ", groups,
                      " groups: ", describe("input", input));
  Dims split = input.shape();
  split[1] = groups;
  split.insert(2, c / groups);
  return reshape(transpose(reshape(input, split), 1, 2), input.shape());
}

}  // namespace lamina
