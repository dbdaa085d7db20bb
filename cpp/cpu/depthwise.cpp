// Depthwise convolution: every group has one input and one output channel; vectors run along the channels.
// Same shapes and laws as conv2d and its gradients (a chunk of k is never full here: at most 256 taps come this way),
// so each output is one chain of fma over the taps (kh, kw) inside the image, + bias.
#include "conv_chunks.h"

namespace lamina::cpu::inline LAMINA_ISA {
namespace {

enum Slot { kTaps, kBand, kOther, kSums };
constexpr int kPixels = 8;   // of a tile
constexpr int kVectors = 4;  // a task takes this many vectors of channels

struct Tap {
  int64_t x, w;  // offsets from tap 0 of the pixel, from the packed weights
};

template <class T>
struct PixelsCall {
  const T* x;
  int64_t xs;
  const Tap* taps;
  int64_t count;
  const T *w, *bias;
  T* out;
  int64_t os, lanes;
};

// R pixels of one vector of channels.
template <class T, int R>
void pixels_tile(const PixelsCall<T>& c) {
  constexpr int L = Vec<T>::size;
  const bool whole = c.lanes == L;
  Vec<T> acc[R];
#pragma GCC unroll 8
  for (int r = 0; r < R; ++r) acc[r] = Vec<T>(T(0));
  for (int64_t t = 0; t < c.count; ++t) {
    const Vec<T> b = Vec<T>::load(c.w + c.taps[t].w);
    const T* p = c.x + c.taps[t].x;
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r)
      acc[r] = fma(whole ? Vec<T>::load(p + r * c.xs) : load_some(p + r * c.xs, c.lanes), b, acc[r]);
  }
#pragma GCC unroll 8
  for (int r = 0; r < R; ++r) {
    if (c.bias) acc[r] = acc[r] + Vec<T>::load(c.bias);
    store_some(acc[r], c.out + r * c.os, c.lanes);
  }
}

// Channels [g0, g0 + count) of one image, channels-last in the arithmetic type, rows [y0, y1) in a scratch copy if need
// be.
template <class S, class T>
struct Source {
  const T* x;
  int64_t pitch, row_pitch;

  Source(const void* data, const int64_t* s, int64_t image, int64_t g0, int64_t count, int64_t y0, int64_t y1,
         int64_t width, int slot) {
    const S* from = static_cast<const S*>(data) + image * s[0] + g0 * s[1];
    x = reinterpret_cast<const T*>(from);
    pitch = s[3], row_pitch = s[2];
    if (sizeof(S) == sizeof(T) && s[1] == 1) return;
    T* copy = static_cast<T*>(scratch(slot, size_t((y1 - y0) * width * count + 1) * sizeof(T)));
    channels_last<S, T>(from + y0 * s[2], s[1], s[2], s[3], count, y1 - y0, width, copy, count);
    pitch = count, row_pitch = width * count;
    x = copy - y0 * row_pitch;
  }
};

// Output rows [lo, hi) of the channels [g0, g0 + count); w is packed [tap][padded channels].
template <class S, class T>
void forward_task(const Conv& c, const T* w, int64_t padded, int64_t image, int64_t lo, int64_t hi, int64_t g0,
                  int64_t count) {
  constexpr int64_t L = Vec<T>::size;
  const int64_t r0 = min_of(c.h, max_of(0, lo * c.stride[0] - c.pad[0]));
  const int64_t r1 = max_of(r0, min_of(c.h, (hi - 1) * c.stride[0] - c.pad[0] + (c.kh - 1) * c.dil[0] + 1));
  const Source<S, T> in(c.x, c.xs, image, g0, count, r0, r1, c.w, kBand);
  Tap* taps = static_cast<Tap*>(scratch(kOther, size_t(c.kh * c.kw + 1) * sizeof(Tap)));
  const bool direct = sizeof(S) == sizeof(T) && c.os[1] == 1;
  alignas(64) T tile[kPixels * L], bias[kVectors * L];
  if (c.bias)
    for (int64_t i = 0; i < count; ++i) bias[i] = widen(static_cast<const S*>(c.bias)[(g0 + i) * c.bs]);
  for (int64_t y = lo; y < hi; ++y) {
    const Range ky = valid_taps(y, c.stride[0], c.pad[0], c.dil[0], c.kh, c.h);
    Range kx{0, -1};
    int64_t used = 0, until = 0;  // outputs before `until` share the taps of kx
    for (int64_t z = 0, n = 0; z < c.ow; z += n) {
      if (z == until) {
        kx = valid_taps(z, c.stride[1], c.pad[1], c.dil[1], c.kw, c.w);
        for (until = z + 1; until < c.ow; ++until) {
          const Range other = valid_taps(until, c.stride[1], c.pad[1], c.dil[1], c.kw, c.w);
          if (other.lo != kx.lo || other.hi != kx.hi) break;
        }
        used = 0;
        for (int64_t a = ky.lo; a < ky.hi; ++a)
          for (int64_t b = kx.lo; b < kx.hi; ++b)
            taps[used++] = {a * c.dil[0] * in.row_pitch + b * c.dil[1] * in.pitch, (a * c.kw + b) * padded};
      }
      n = until - z >= 8 ? 8 : until - z >= 4 ? 4 : until - z >= 2 ? 2 : 1;
      for (int64_t i = 0; i < count; i += L) {
        const int64_t lanes = min_of(L, count - i);
        S* out = static_cast<S*>(c.out) + image * c.os[0] + (g0 + i) * c.os[1] + y * c.os[2] + z * c.os[3];
        const PixelsCall<T> call{
            in.x + (y * c.stride[0] - c.pad[0]) * in.row_pitch + (z * c.stride[1] - c.pad[1]) * in.pitch + i,
            c.stride[1] * in.pitch,
            taps,
            used,
            w + g0 + i,
            c.bias ? bias + i : nullptr,
            direct ? reinterpret_cast<T*>(out) : tile,
            direct ? c.os[3] : L,
            lanes};
        switch (n) {
          case 8:
            pixels_tile<T, 8>(call);
            break;
          case 4:
            pixels_tile<T, 4>(call);
            break;
          case 2:
            pixels_tile<T, 2>(call);
            break;
          default:
            pixels_tile<T, 1>(call);
        }
        if (!direct)
          for (int64_t p = 0; p < n; ++p)
            for (int64_t q = 0; q < lanes; ++q) narrow(tile[p * L + q], out[p * c.os[3] + q * c.os[1]]);
      }
    }
  }
}

template <class S>
void forward(const Conv& c) {
  using T = typename Arith<S>::type;
  constexpr int64_t L = Vec<T>::size, kBlock = kVectors * L;
  if (c.n * c.groups * c.oh * c.ow == 0) return;
  const int64_t padded = ceil_div(c.groups, L) * L;
  T* w = static_cast<T*>(scratch(kTaps, size_t((c.kh * c.kw + 1) * padded) * sizeof(T)));
  for (int64_t a = 0; a < c.kh; ++a)
    for (int64_t b = 0; b < c.kw; ++b)
      for (int64_t g = 0; g < padded; ++g)
        w[(a * c.kw + b) * padded + g] =
            g < c.groups ? widen(static_cast<const S*>(c.wt)[g * c.wg + a * c.wh + b * c.ww]) : T(0);
  const int64_t blocks = ceil_div(c.groups, kBlock), row_bytes = c.stride[0] * c.w * kBlock * int64_t(sizeof(T));
  const int64_t wanted = ceil_div(4 * num_threads(), c.n * blocks);
  const int64_t band = max_of(1, min_of(ceil_div(c.oh, wanted), max_of(2 * c.kh, (256 << 10) / max_of(1, row_bytes))));
  const int64_t bands = ceil_div(c.oh, band);
  for_tiles(c.n * bands * blocks, [&](int64_t i) {
    const int64_t g0 = i % blocks * kBlock, lo = i / blocks % bands * band;
    forward_task<S, T>(c, w, padded, i / (blocks * bands), lo, min_of(c.oh, lo + band), g0,
                       min_of(kBlock, c.groups - g0));
  });
}

// For V vectors of channels from g0: per tap a chain over each chunk's pixels, totals added in order; sums [tap][V *
// L].
template <class S, class T, int V>
void weight_task(const Conv& c, int64_t g0, int64_t count) {
  constexpr int64_t L = Vec<T>::size, P = V * L;
  const Chunks chunks = chunks_of(c);
  const int64_t total = chunks.image_parts * chunks.row_parts * chunks.col_parts, taps = c.kh * c.kw;
  T* sums = static_cast<T*>(scratch(kSums, size_t(taps * P) * sizeof(T)));
  for (int64_t i = 0; i < taps * P; ++i) sums[i] = T(0);
  for (int64_t k = 0; k < total; ++k) {
    const Box box = box_of(c, chunks, k);
    const Input in = input_of(c, box);
    const int64_t images = box.n1 - box.n0, rows = box.y1 - box.y0, cols = box.z1 - box.z0;
    PixelRun* runs = static_cast<PixelRun*>(scratch(kTaps, size_t(images * rows) * sizeof(PixelRun)));
    const S* x = static_cast<const S*>(c.x) + box.n0 * c.xs[0] + g0 * c.xs[1] + in.y0 * c.xs[2] + in.z0 * c.xs[3];
    const S* g = static_cast<const S*>(c.out) + box.n0 * c.os[0] + g0 * c.os[1] + box.y0 * c.os[2] + box.z0 * c.os[3];
    const T *xp = reinterpret_cast<const T*>(x), *gp = reinterpret_cast<const T*>(g);
    Steps xs{c.xs[0], c.xs[2], c.xs[3]}, gs{c.os[0], c.os[2], c.os[3]};
    if (sizeof(S) != sizeof(T) || c.xs[1] != 1 || count < P) {
      T* copy = static_cast<T*>(scratch(kBand, size_t(images * in.rows * in.cols * P) * sizeof(T)));
      xp = copy;
      xs = dense_steps(in.rows, in.cols, P);
      for (int64_t n = 0; n < images; ++n)
        channels_last<S, T>(x + n * c.xs[0], c.xs[1], c.xs[2], c.xs[3], count, in.rows, in.cols, copy + n * xs.image,
                            P);
    }
    if (sizeof(S) != sizeof(T) || c.os[1] != 1 || count < P) {
      T* copy = static_cast<T*>(scratch(kOther, size_t(images * rows * cols * P) * sizeof(T)));
      gp = copy;
      gs = dense_steps(rows, cols, P);
      for (int64_t n = 0; n < images; ++n)
        channels_last<S, T>(g + n * c.os[0], c.os[1], c.os[2], c.os[3], count, rows, cols, copy + n * gs.image, P);
    }
    for (int64_t t = 0; t < taps; ++t) {
      Vec<T> acc[V];
      for (int v = 0; v < V; ++v) acc[v] = Vec<T>(T(0));
      const int64_t used = tap_runs(c, box, t / c.kw, t % c.kw, in, xs, gs, runs);
      for (int64_t r = 0; r < used; ++r) {
        const T *px = xp + runs[r].x, *pg = gp + runs[r].g;  // the lanes beyond `count` are never stored
        for (int64_t n = runs[r].count; n > 0; --n, px += c.stride[1] * xs.pixel, pg += gs.pixel)
#pragma GCC unroll 4
          for (int v = 0; v < V; ++v) acc[v] = fma(Vec<T>::load(px + v * L), Vec<T>::load(pg + v * L), acc[v]);
      }
      for (int v = 0; v < V; ++v) (Vec<T>::load(sums + t * P + v * L) + acc[v]).store(sums + t * P + v * L);
    }
  }
  S* w = static_cast<S*>(const_cast<void*>(c.wt)) + g0 * c.wg;
  for (int64_t t = 0; t < taps; ++t)
    for (int64_t i = 0; i < count; ++i) narrow(sums[t * P + i], w[i * c.wg + t / c.kw * c.wh + t % c.kw * c.ww]);
}

template <class S, int V>
void weight_tasks(const Conv& c) {
  using T = typename Arith<S>::type;
  constexpr int64_t P = V * Vec<T>::size;
  for_ranges(c.groups, P, [&](int64_t lo, int64_t hi) { weight_task<S, T, V>(c, lo, hi - lo); });
}

template <class S>
void weight_grad(const Conv& c) {
  constexpr int64_t L = Vec<typename Arith<S>::type>::size;
  return c.groups >= 4 * L * num_threads() ? weight_tasks<S, 4>(c) : weight_tasks<S, 1>(c);
}

}  // namespace

bool depthwise(DType t, const Conv& c) {
  if (c.groups == 1 || c.ic != 1 || c.oc != 1 || c.kh * c.kw > kChunk) return false;
  switch (t) {
    case DType::float32:
      forward<float>(c);
      break;
    case DType::float64:
      forward<double>(c);
      break;
    case DType::float16:
      forward<Half>(c);
      break;
    default:
      forward<BFloat16>(c);
  }
  return true;
}

bool depthwise_weight_grad(DType t, const Conv& c) {
  if (c.groups == 1 || c.ic != 1 || c.oc != 1) return false;
  switch (t) {
    case DType::float32:
      weight_grad<float>(c);
      break;
    case DType::float64:
      weight_grad<double>(c);
      break;
    case DType::float16:
      weight_grad<Half>(c);
      break;
    default:
      weight_grad<BFloat16>(c);
  }
  return true;
}

}  // namespace lamina::cpu::inline LAMINA_ISA
