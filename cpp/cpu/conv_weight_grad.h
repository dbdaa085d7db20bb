// The body of the weight gradient. Law: see conv_weight_grad.cpp.
#pragma once
#include "conv_chunks.h"
#include "conv_weight_tile.h"

namespace lamina::cpu::inline LAMINA_ISA {
namespace {

enum Slot { kSums, kInput, kGradient, kPartials };

// x, g and w (= gw) of one group; tiles of input channels, blocks of output channels.
template <class S, class T>
struct WeightJob {
  const Conv& c;
  Chunks chunks;
  int64_t block, blocks, tiles;
  int64_t block_size;  // elements of the sums of one block: [kh][kw][ic][block]

  int64_t width(int64_t b) const { return min_of(block, ceil_div(c.oc - b * block, Vec<T>::size) * Vec<T>::size); }
  int64_t channel(int64_t tile) const { return c.ic * tile / tiles; }
};

// Adds one chunk's chains to the sums of the blocks [b0, b1) and the tiles [t0, t1).
template <class S, class T>
void chunk_pass(const WeightJob<S, T>& job, int64_t group, int64_t chunk, int64_t b0, int64_t b1, int64_t t0,
                int64_t t1, T* sums) {
  constexpr int64_t L = Vec<T>::size;
  const Conv& c = job.c;
  const Box box = box_of(c, job.chunks, chunk);
  const int64_t images = box.n1 - box.n0, height = box.y1 - box.y0, breadth = box.z1 - box.z0,
                pixels = images * height * breadth;
  // Gradient panels [block][pixel][width].
  T* gp = static_cast<T*>(scratch(kGradient, size_t((b1 - b0) * pixels * job.block) * sizeof(T)));
  for (int64_t b = b0; b < b1; ++b) {
    const int64_t o0 = b * job.block, wanted = min_of(job.block, c.oc - o0), width = job.width(b);
    T* dst = gp + (b - b0) * pixels * job.block;
    const S* g = static_cast<const S*>(c.out) + (group * c.oc + o0) * c.os[1] + box.y0 * c.os[2] + box.z0 * c.os[3];
    for (int64_t n = 0; n < images; ++n)
      channels_last<S, T>(g + (box.n0 + n) * c.os[0], c.os[1], c.os[2], c.os[3], wanted, height, breadth,
                          dst + n * height * breadth * width, width);
    if (wanted < width)
      for (int64_t p = 0; p < pixels; ++p)
        for (int64_t o = wanted; o < width; ++o) dst[p * width + o] = T(0);
  }
  // Input panels [tile][image][row][column][channels of the tile] of the part of x that the chunk meets.
  const Input in = input_of(c, box);
  const int64_t inputs = images * in.rows * in.cols;
  T* xp = static_cast<T*>(
      scratch(kInput, size_t(inputs * kTilePixels) * sizeof(T) + size_t(images * height) * sizeof(PixelRun) + 64));
  PixelRun* runs = reinterpret_cast<PixelRun*>(xp + (inputs * kTilePixels + 15) / 16 * 16);
  for (int64_t t = t0; t < t1; ++t) {
    const int64_t i0 = job.channel(t), r = job.channel(t + 1) - i0;
    const S* x = static_cast<const S*>(c.x) + (group * c.ic + i0) * c.xs[1] + in.y0 * c.xs[2] + in.z0 * c.xs[3];
    for (int64_t n = 0; n < images; ++n)
      channels_last<S, T>(x + (box.n0 + n) * c.xs[0], c.xs[1], c.xs[2], c.xs[3], r, in.rows, in.cols,
                          xp + n * in.rows * in.cols * r, r);
    const Steps xs = dense_steps(in.rows, in.cols, r);
    for (int64_t b = b0; b < b1; ++b) {
      const int64_t width = job.width(b);
      const WeightTileFn<T> tile = weight_tile_for<T>(r, width / L);
      T* sum = sums + b * job.block_size;
      for (int64_t ky = 0; ky < c.kh; ++ky)
        for (int64_t kx = 0; kx < c.kw; ++kx) {
          const int64_t count = tap_runs(c, box, ky, kx, in, xs, dense_steps(height, breadth, width), runs);
          if (count == 0) continue;
          tile({xp, c.stride[1] * r, gp + (b - b0) * pixels * job.block, runs, count,
                sum + ((ky * c.kw + kx) * c.ic + i0) * width});
        }
    }
  }
}

// gw of one block from its sums.
template <class S, class T>
void write_block(const WeightJob<S, T>& job, int64_t group, int64_t b, const T* sums) {
  const Conv& c = job.c;
  const int64_t o0 = b * job.block, wanted = min_of(job.block, c.oc - o0), width = job.width(b), taps = c.kh * c.kw;
  S* w = static_cast<S*>(const_cast<void*>(c.wt)) + group * c.wg + o0 * c.wo;
  if constexpr (sizeof(S) == sizeof(T)) {
    constexpr int64_t L = Vec<T>::size;
    if (c.ww == 1 && c.wh == c.kw && c.wi == taps && taps > 1) {
      for (int64_t i = 0; i < c.ic; ++i)
        for (int64_t t = 0; t < taps; t += L)
          for (int64_t o = 0; o < wanted; o += L)
            transpose_block<T>(sums + (t * c.ic + i) * width + o, c.ic * width, min_of(L, taps - t),
                               min_of(L, wanted - o), w + o * c.wo + i * taps + t, c.wo, min_of(L, taps - t));
      return;
    }
  }
  for (int64_t o = 0; o < wanted; ++o)
    for (int64_t i = 0; i < c.ic; ++i)
      for (int64_t ky = 0; ky < c.kh; ++ky)
        for (int64_t kx = 0; kx < c.kw; ++kx)
          narrow(sums[((ky * c.kw + kx) * c.ic + i) * width + o], w[o * c.wo + i * c.wi + ky * c.wh + kx * c.ww]);
}

template <class T>
void clear(T* p, int64_t n) {
  for (int64_t i = 0; i < n; ++i) p[i] = T(0);
}

// Sums of one group with every thread at its own blocks and tiles, all chunks in order.
template <class S, class T>
void by_channels(const WeightJob<S, T>& job, int64_t group, int64_t count, int64_t po, int64_t pi, T* sums) {
  for_tiles(po * pi, [&](int64_t i) {
    const int64_t a = i / pi, b = i % pi;
    for (int64_t k = 0; k < count; ++k) {
      if (i == 0 && k % 8 == 7) check_interrupt();
      chunk_pass(job, group, k, job.blocks * a / po, job.blocks * (a + 1) / po, job.tiles * b / pi,
                 job.tiles * (b + 1) / pi, sums);
    }
  });
}

// Few channels: every thread at its own chunks; their totals are added in order afterwards.
template <class S, class T>
void by_chunks(const WeightJob<S, T>& job, int64_t group, int64_t count, T* sums) {
  const int64_t size = job.blocks * job.block_size;
  const int64_t round = min_of(count, max_of(num_threads() * 2, (8 << 20) / (size * int64_t(sizeof(T)))));
  T* partials = static_cast<T*>(scratch(kPartials, size_t(round * size) * sizeof(T)));
  for (int64_t k0 = 0; k0 < count; k0 += round) {
    const int64_t now = min_of(round, count - k0);
    for_tiles(now, [&](int64_t k) {
      clear(partials + k * size, size);
      chunk_pass(job, group, k0 + k, 0, job.blocks, 0, job.tiles, partials + k * size);
    });
    for_ranges(size, 4096, [&](int64_t lo, int64_t hi) {
      for (int64_t k = 0; k < now; ++k)
        for (int64_t i = lo; i < hi; ++i) sums[i] += partials[k * size + i];
    });
  }
}

}  // namespace

// c.out is the gradient of the output, c.wt is written.
template <class S>
void weight_grad_core(const Conv& c) {
  using T = typename Arith<S>::type;
  constexpr int64_t L = Vec<T>::size;
  if (c.groups * c.oc * c.ic * c.kh * c.kw == 0) return;
  WeightJob<S, T> job{c, chunks_of(c), c.oc > L ? 2 * L : L, 0, ceil_div(c.ic, kTilePixels), 0};
  job.blocks = ceil_div(c.oc, job.block);
  job.block_size = c.kh * c.kw * c.ic * job.block;
  const int64_t count = job.chunks.image_parts * job.chunks.row_parts * job.chunks.col_parts,
                size = job.blocks * job.block_size;
  T* sums = static_cast<T*>(scratch(kSums, size_t(size) * sizeof(T)));
  const int64_t threads = num_threads(), po = min_of(job.blocks, threads),
                pi = min_of(job.tiles, ceil_div(threads, po));
  for (int64_t group = 0; group < c.groups; ++group) {
    clear(sums, size);
    if (po * pi < threads)
      by_chunks(job, group, count, sums);
    else
      by_channels(job, group, count, po, pi, sums);
    for_tiles(job.blocks, [&](int64_t b) { write_block(job, group, b, sums + b * job.block_size); });
  }
}

}  // namespace lamina::cpu::inline LAMINA_ISA
