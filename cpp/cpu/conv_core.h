// Implicit GEMM over channels-last memory: the body behind forward and input gradient. Law: see conv.cpp.
#pragma once
#include "conv.h"
#include "conv_tile.h"

namespace lamina::cpu::inline LAMINA_ISA {
namespace {

enum Slot { kPanels, kBand, kLists };

// Output rows (or columns) in [lo, hi) that share the valid taps [klo, khi).
struct Segment {
  int64_t lo, hi, klo, khi;
};

// Splits [lo, hi) of one axis into segments; writes at most hi - lo of them.
int64_t split(const Conv& c, int axis, int64_t lo, int64_t hi, Segment* s) {
  const int64_t taps = axis ? c.kw : c.kh, size = axis ? c.w : c.h;
  int64_t count = 0;
  for (int64_t o = lo; o < hi; ++o) {
    const Range r = valid_taps(o, c.stride[axis], c.pad[axis], c.dil[axis], taps, size);
    if (count && s[count - 1].klo == r.lo && s[count - 1].khi == r.hi)
      s[count - 1].hi = o + 1;
    else
      s[count++] = {o, o + 1, r.lo, r.hi};
  }
  return count;
}

// Panel of (group, block of V * L output channels): row (kh, kw, ic), zeros behind the last channel.
template <class S, class T>
void pack_panel(const Conv& c, int64_t group, int64_t o0, int64_t width, T* dst) {
  constexpr int64_t L = Vec<T>::size;
  const S* w = static_cast<const S*>(c.wt) + group * c.wg + o0 * c.wo;
  const int64_t taps = c.kh * c.kw, wanted = min_of(width, c.oc - o0);
  if constexpr (sizeof(S) == sizeof(T)) {
    // Taps contiguous, forward or backward: transpose blocks of output channels x memory.
    const int64_t dir = c.kw > 1 ? c.ww : c.kh > 1 ? c.wh : 1;
    const bool dense = (dir == 1 || dir == -1) && (c.kw == 1 || c.ww == dir) && (c.kh == 1 || c.wh == dir * c.kw);
    if (dense) {
      const int64_t merge = c.wi == taps ? c.ic : 1, run = merge * taps;
      const S* base = dir < 0 ? w - (taps - 1) : w;
      alignas(64) T block[L * L];
      for (int64_t i = 0; i < c.ic; i += merge)
        for (int64_t o = 0; o < width; o += L) {
          int64_t channel = i, tap = 0;
          for (int64_t j = 0; j < run; j += L) {
            const int64_t cols = min_of(L, run - j);
            if (o < wanted)
              transpose_block<T>(base + i * c.wi + o * c.wo + j, c.wo, min_of(L, wanted - o), cols, block, L, L);
            for (int64_t q = 0; q < cols; ++q) {
              const int64_t row = (dir < 0 ? taps - 1 - tap : tap) * c.ic + channel;
              (o < wanted ? Vec<T>::load(block + q * L) : Vec<T>(T(0))).store(dst + row * width + o);
              if (++tap == taps) tap = 0, ++channel;
            }
          }
        }
      return;
    }
  }
  for (int64_t y = 0; y < c.kh; ++y)
    for (int64_t z = 0; z < c.kw; ++z)
      for (int64_t i = 0; i < c.ic; ++i, dst += width) {
        const S* s = w + i * c.wi + y * c.wh + z * c.ww;
        for (int64_t o = 0; o < width; ++o) dst[o] = o < wanted ? widen(s[o * c.wo]) : T(0);
      }
}

// Runs of the taps [y.klo, y.khi) x [z.klo, z.khi), cut where a chunk of the full k index (kh, kw, ic) ends.
int64_t make_runs(const Conv& c, const Segment& y, const Segment& z, int64_t pitch, int64_t row_pitch, Run* runs) {
  int64_t count = 0;
  const bool joined = pitch == c.ic && c.dil[1] == 1;
  const int64_t zw = z.khi - z.klo, inner = joined ? 1 : zw, length = joined ? zw * c.ic : c.ic;
  if (zw == 0) return 0;
  for (int64_t ky = y.klo; ky < y.khi; ++ky)
    for (int64_t t = 0; t < inner; ++t) {
      const int64_t kx = z.klo + t;
      int64_t k = (ky * c.kw + kx) * c.ic, x = ky * c.dil[0] * row_pitch + kx * c.dil[1] * pitch, left = length;
      while (left > 0) {
        const int64_t take = min_of(left, kChunk - k % kChunk);
        if (count && runs[count - 1].row / kChunk != k / kChunk) runs[count - 1].flush = 1;
        runs[count++] = {x, k, int32_t(take), 0};
        k += take, x += take, left -= take;
      }
    }
  return count;
}

template <class S, class T>
struct Job {
  const Conv& c;
  const T* panels;
  int64_t block, blocks, panel_size;  // channels per panel, panels per group, elements per panel
  bool convert;
  int64_t pitch;        // of a converted pixel
  int64_t band, bands;  // output rows per band
  int64_t splits;       // parts of the panels of one group
};

// All tiles of one rectangle of outputs and one group, for the panels [b0, b1).
template <class S, class T>
void rectangle(const Job<S, T>& job, int64_t image, int64_t group, const Segment& y, const Segment& z, const T* x,
               int64_t pitch, int64_t row_pitch, const Run* runs, int64_t run_count, int64_t b0, int64_t b1) {
  constexpr int64_t L = Vec<T>::size;
  const Conv& c = job.c;
  const int64_t rows = y.hi - y.lo, cols = z.hi - z.lo;
  const bool down = cols * ceil_div(rows, kTilePixels) < rows * ceil_div(cols, kTilePixels);
  const int64_t lines = down ? cols : rows, pixels = down ? rows : cols;
  const int64_t tiles = ceil_div(pixels, kTilePixels);
  const int64_t xy = c.stride[0] * row_pitch, xz = c.stride[1] * pitch;
  const bool direct = sizeof(S) == sizeof(T) && c.os[1] == 1;
  alignas(64) T tile[kTilePixels * 2 * L], total[kTilePixels * 2 * L], bias[2 * kWidePanels * L];
  int64_t panels = 1;
  for (int64_t b = b0; b < b1; b += panels) {
    const int64_t o0 = b * job.block;
    panels = rows * cols == 1 && b + kWidePanels <= b1 && c.oc - o0 >= kWidePanels * 2 * L ? kWidePanels : 1;
    const int64_t wanted = min_of(panels * job.block, c.oc - o0), width = ceil_div(wanted, L) * L;
    if (c.bias)
      for (int64_t o = 0; o < width; ++o)
        bias[o] = o < wanted ? widen(static_cast<const S*>(c.bias)[(group * c.oc + o0 + o) * c.bs]) : T(0);
    TileCall<T> call{nullptr,
                     down ? xy : xz,
                     runs,
                     run_count,
                     job.panels + (group * job.blocks + b) * job.panel_size,
                     c.bias ? bias : nullptr,
                     tile,
                     width,
                     width,
                     total,
                     job.panel_size};
    S* out = static_cast<S*>(c.out) + image * c.os[0] + (group * c.oc + o0) * c.os[1];
    const int64_t pixel_step = down ? c.os[2] : c.os[3];
    for (int64_t line = 0; line < lines; ++line)
      for (int64_t t = 0; t < tiles; ++t) {
        const int64_t p0 = pixels * t / tiles, p1 = pixels * (t + 1) / tiles;
        const int64_t oy = y.lo + (down ? p0 : line), oz = z.lo + (down ? line : p0);
        call.x = x + oy * xy + oz * xz;
        S* o = out + oy * c.os[2] + oz * c.os[3];
        if (direct) {
          call.out = reinterpret_cast<T*>(o);
          call.os = pixel_step;
          call.lanes = wanted;
        }
        tile_for<T>(p1 - p0, width / L)(call);
        if (direct) continue;
        for (int64_t p = 0; p < p1 - p0; ++p)
          for (int64_t q = 0; q < wanted; ++q) narrow(tile[p * width + q], o[p * pixel_step + q * c.os[1]]);
      }
  }
}

// One image, one band of output rows, one group, one part of its panels.
template <class S, class T>
void band_task(const Job<S, T>& job, int64_t task) {
  const Conv& c = job.c;
  const int64_t part = task % job.splits, group = task / job.splits % c.groups;
  const int64_t band = task / (job.splits * c.groups) % job.bands, image = task / (job.splits * c.groups * job.bands);
  const int64_t lo = band * job.band, hi = min_of(c.oh, lo + job.band);
  const S* source = static_cast<const S*>(c.x) + image * c.xs[0] + group * c.ic * c.xs[1];
  const T* x = reinterpret_cast<const T*>(source);
  int64_t pitch = c.xs[3], row_pitch = c.xs[2];
  if (job.convert) {
    const int64_t r0 = min_of(c.h, max_of(0, lo * c.stride[0] - c.pad[0]));
    const int64_t r1 = max_of(r0, min_of(c.h, (hi - 1) * c.stride[0] - c.pad[0] + (c.kh - 1) * c.dil[0] + 1));
    T* copy = static_cast<T*>(scratch(kBand, size_t((r1 - r0) * c.w * job.pitch) * sizeof(T) + 64));
    channels_last<S, T>(source + r0 * c.xs[2], c.xs[1], c.xs[2], c.xs[3], c.ic, r1 - r0, c.w, copy, job.pitch);
    pitch = job.pitch, row_pitch = c.w * pitch;
    x = copy - r0 * row_pitch;
  }
  x -= c.pad[0] * row_pitch + c.pad[1] * pitch;
  const int64_t max_runs = c.kh * c.kw * (c.ic / kChunk + 2);
  auto* ys =
      static_cast<Segment*>(scratch(kLists, size_t(hi - lo + c.ow) * sizeof(Segment) + size_t(max_runs) * sizeof(Run)));
  Segment* zs = ys + (hi - lo);
  Run* runs = reinterpret_cast<Run*>(zs + c.ow);
  const int64_t ny = split(c, 0, lo, hi, ys), nz = split(c, 1, 0, c.ow, zs);
  for (int64_t a = 0; a < ny; ++a)
    for (int64_t b = 0; b < nz; ++b) {
      const int64_t count = make_runs(c, ys[a], zs[b], pitch, row_pitch, runs);
      rectangle(job, image, group, ys[a], zs[b], x, pitch, row_pitch, runs, count, job.blocks * part / job.splits,
                job.blocks * (part + 1) / job.splits);
    }
}

// A pointwise convolution over dense pixels is one long row, where there are images enough for all threads.
Conv flatten_pointwise(Conv c) {
  if (c.kh == 1 && c.kw == 1 && c.stride[0] == 1 && c.stride[1] == 1 && c.pad[0] == 0 && c.pad[1] == 0 && c.oh == c.h &&
      c.ow == c.w && c.xs[2] == c.w * c.xs[3] && c.os[2] == c.ow * c.os[3] && c.n * c.groups >= 2 * num_threads()) {
    c.w = c.ow = c.h * c.w;
    c.h = c.oh = 1;
  }
  return c;
}

}  // namespace

template <class S>
void conv_core(const Conv& given) {
  using T = typename Arith<S>::type;
  constexpr int64_t L = Vec<T>::size;
  const Conv c = flatten_pointwise(given);
  if (c.n * c.groups * c.oc * c.oh * c.ow == 0) return;
  Job<S, T> job{c, nullptr, c.oc > L ? 2 * L : L, 0, 0, false, c.ic, c.oh, 1, 1};
  job.blocks = ceil_div(c.oc, job.block);
  job.panel_size = max_of(1, c.kh * c.kw * c.ic) * job.block;
  job.convert = sizeof(S) != sizeof(T) || (c.xs[1] != 1 && c.ic > 1);
  if (c.ic >= 64) {  // an odd number of cache lines, so that the pixels of a tile fall in different cache sets
    job.pitch = (ceil_div(c.ic * int64_t(sizeof(T)), 64) | 1) * 64 / int64_t(sizeof(T));
    if (c.xs[3] * c.stride[1] * int64_t(sizeof(T)) % 512 == 0) job.convert = true;
  }
  auto* panels = static_cast<T*>(scratch(kPanels, size_t(c.groups * job.blocks * job.panel_size) * sizeof(T)));
  job.panels = panels;
  for_tiles(c.groups * job.blocks, [&](int64_t i) {
    const int64_t o0 = i % job.blocks * job.block;
    pack_panel<S, T>(c, i / job.blocks, o0, min_of(job.block, ceil_div(c.oc - o0, L) * L), panels + i * job.panel_size);
  });
  // Bands: the input of one fits half of the second-level cache, and there are some tasks per thread.
  const int64_t row_bytes = max_of(1, c.stride[0] * c.w * c.ic * int64_t(sizeof(T)));
  const int64_t wanted = ceil_div(4 * num_threads(), c.n * c.groups);
  job.band = max_of(1, min_of(c.oh, min_of(max_of((512 << 10) / row_bytes, 2 * c.kh), ceil_div(c.oh, wanted))));
  job.bands = ceil_div(c.oh, job.band);
  const int64_t tasks = c.n * c.groups * job.bands;
  if (tasks < 2 * num_threads()) job.splits = min_of(job.blocks, ceil_div(2 * num_threads(), tasks));
  for_tiles(tasks * job.splits, [&](int64_t i) { band_task(job, i); });
}

}  // namespace lamina::cpu::inline LAMINA_ISA
