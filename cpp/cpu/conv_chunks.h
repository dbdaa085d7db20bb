// Chunks of output pixels of the weight gradient, and the runs of pixels of one tap. Law: see conv_weight_grad.cpp.
#pragma once
#include "conv.h"

namespace lamina::cpu::inline LAMINA_ISA {
namespace {

// Chunks of output pixels: some whole images, or a band of rows of one image, or a piece of a row.
struct Chunks {
  int64_t images, rows, cols;  // of one chunk
  int64_t image_parts, row_parts, col_parts;
};
struct Box {
  int64_t n0, n1, y0, y1, z0, z1;
};

Chunks chunks_of(const Conv& c) {
  Chunks k;
  const int64_t pixels = c.oh * c.ow;
  k.images = max_of(1, kChunk / max_of(1, pixels));
  k.rows = pixels <= kChunk ? c.oh : max_of(1, kChunk / c.ow);
  k.cols = min_of(c.ow, kChunk);
  k.image_parts = ceil_div(c.n, k.images);
  k.row_parts = ceil_div(c.oh, max_of(1, k.rows));
  k.col_parts = ceil_div(c.ow, max_of(1, k.cols));
  return k;
}

Box box_of(const Conv& c, const Chunks& k, int64_t i) {
  const int64_t z = i % k.col_parts * k.cols, y = i / k.col_parts % k.row_parts * k.rows;
  const int64_t n = i / (k.col_parts * k.row_parts) * k.images;
  return {n, min_of(c.n, n + k.images), y, min_of(c.oh, y + k.rows), z, min_of(c.ow, z + k.cols)};
}

// The part of each image that a box of outputs meets.
struct Input {
  int64_t y0, rows, z0, cols;
};

Range input_range(int64_t lo, int64_t hi, int64_t stride, int64_t pad, int64_t reach, int64_t size) {
  const int64_t a = min_of(size, max_of(0, lo * stride - pad));
  return {a, max_of(a, min_of(size, (hi - 1) * stride - pad + reach + 1))};
}
Input input_of(const Conv& c, const Box& b) {
  const Range y = input_range(b.y0, b.y1, c.stride[0], c.pad[0], (c.kh - 1) * c.dil[0], c.h);
  const Range z = input_range(b.z0, b.z1, c.stride[1], c.pad[1], (c.kw - 1) * c.dil[1], c.w);
  return {y.lo, y.hi - y.lo, z.lo, z.hi - z.lo};
}

// Elements from image to image, row to row, pixel to pixel.
struct Steps {
  int64_t image, row, pixel;
};
Steps dense_steps(int64_t rows, int64_t cols, int64_t pixel) { return {rows * cols * pixel, cols * pixel, pixel}; }

// Runs of one tap: the pixels of the box whose tap lies inside the image, row by row, at most one run per output row.
// x begins at the corner `in`, the gradient at the corner of the box.
int64_t tap_runs(const Conv& c, const Box& b, int64_t ky, int64_t kx, const Input& in, const Steps& xs, const Steps& gs,
                 PixelRun* runs) {
  const Range ys = valid_outputs(ky, c.stride[0], c.pad[0], c.dil[0], c.oh, c.h);
  const Range zs = valid_outputs(kx, c.stride[1], c.pad[1], c.dil[1], c.ow, c.w);
  const int64_t lo = max_of(zs.lo, b.z0), hi = min_of(zs.hi, b.z1);
  int64_t count = 0;
  if (hi <= lo) return 0;
  for (int64_t n = 0; n < b.n1 - b.n0; ++n)
    for (int64_t y = max_of(ys.lo, b.y0); y < min_of(ys.hi, b.y1); ++y) {
      const int64_t iy = y * c.stride[0] - c.pad[0] + ky * c.dil[0] - in.y0;
      const int64_t iz = lo * c.stride[1] - c.pad[1] + kx * c.dil[1] - in.z0;
      runs[count++] = {n * xs.image + iy * xs.row + iz * xs.pixel,
                       n * gs.image + (y - b.y0) * gs.row + (lo - b.z0) * gs.pixel, hi - lo};
    }
  return count;
}

}  // namespace
}  // namespace lamina::cpu::inline LAMINA_ISA
