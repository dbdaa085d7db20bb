// max_pool2d, its gradient and the gather that is the gradient of that. Shapes: see kernels.def.
// Law: the window is scanned in (row, column) order; a value replaces the best when it is greater or NaN (as PyTorch).
// The gradient of an input place adds its windows in (oh, ow) order.
#include "pool.h"

namespace lamina::cpu::inline LAMINA_ISA {
namespace {

template <class T>
inline constexpr T kLowest = -__builtin_inf();

// Rows of the output: `count` neighbouring channels of one output place.
template <class S, class T, class I>
LAMINA_INLINE void window_channels(const S* x, int64_t sh, int64_t sw, int64_t width, Range ky, Range kx, int64_t y,
                                   int64_t z, const Window& p, int64_t count, T* best, I* at) {
  const I first = I((y + ky.lo * p.dilation[0]) * width + z + kx.lo * p.dilation[1]);
  for (int64_t c = 0; c < count; ++c) best[c] = kLowest<T>, at[c] = first;
  for (int64_t a = ky.lo; a < ky.hi; ++a)
    for (int64_t b = kx.lo; b < kx.hi; ++b) {
      const int64_t iy = y + a * p.dilation[0], iz = z + b * p.dilation[1];
      const S* s = x + iy * sh + iz * sw;
      const I here = I(iy * width + iz);
      for (int64_t c = 0; c < count; ++c) {
        const T v = widen(s[c]);
        const bool take = (v > best[c]) | (v != v);
        best[c] = take ? v : best[c];
        at[c] = take ? here : at[c];
      }
    }
}

template <class S>
void max_pool(const View& x, const View& out, const View& indices, const Window& p) {
  using T = typename Arith<S>::type;
  using I = IntOf<T>;
  const int64_t channels = x.shape[1], h = x.shape[2], w = x.shape[3], oh = out.shape[2], ow = out.shape[3];
  const bool with_indices = indices.data != nullptr;
  const bool rows = by_channels(x, out) && h * w <= INT32_MAX;
  const int64_t block = rows ? kPoolBlock : 1, parts = rows ? oh : channels;
  for_tiles(x.shape[0] * parts, [&](int64_t i) {
    const int64_t n = i / parts, part = i % parts;
    T best[kPoolBlock];
    I at[kPoolBlock];
    const int64_t c0 = rows ? 0 : part, c1 = rows ? channels : part + 1, y0 = rows ? part : 0,
                  y1 = rows ? part + 1 : oh;
    for (int64_t y = y0; y < y1; ++y) {
      const Range ky = valid_taps(y, p.stride[0], p.padding[0], p.dilation[0], p.kernel[0], h);
      for (int64_t z = 0; z < ow; ++z) {
        const Range kx = valid_taps(z, p.stride[1], p.padding[1], p.dilation[1], p.kernel[1], w);
        const int64_t iy = y * p.stride[0] - p.padding[0], iz = z * p.stride[1] - p.padding[1];
        for (int64_t c = c0; c < c1; c += block) {
          const S* s = x.as<S>() + n * x.stride[0] + c * x.stride[1];
          S* o = out.as<S>() + n * out.stride[0] + c * out.stride[1] + y * out.stride[2] + z * out.stride[3];
          int64_t* q = indices.as<int64_t>() + n * indices.stride[0] + c * indices.stride[1] + y * indices.stride[2] +
                       z * indices.stride[3];
          const int64_t count = min_of(block, c1 - c);
          if (!rows) {
            int64_t place;
            window_channels<S, T, int64_t>(s, x.stride[2], x.stride[3], w, ky, kx, iy, iz, p, 1, best, &place);
            narrow(best[0], o[0]);
            if (with_indices) q[0] = place;
            continue;
          }
          if (count == kPoolBlock)
            window_channels<S, T, I>(s, x.stride[2], x.stride[3], w, ky, kx, iy, iz, p, kPoolBlock, best, at);
          else
            window_channels<S, T, I>(s, x.stride[2], x.stride[3], w, ky, kx, iy, iz, p, count, best, at);
          for (int64_t k = 0; k < count; ++k) narrow(best[k], o[k * out.stride[1]]);
          if (with_indices)
            for (int64_t k = 0; k < count; ++k) q[k * indices.stride[1]] = at[k];
        }
      }
    }
  });
}

// One plane (n, c) of a (N, C, H, W) view.
template <class S>
S* plane(const View& v, int64_t i) {
  return v.as<S>() + i / v.shape[1] * v.stride[0] + i % v.shape[1] * v.stride[1];
}

template <class S>
void max_pool_backward(const View& g, const View& indices, const View& gx) {
  using T = typename Arith<S>::type;
  const int64_t h = gx.shape[2], w = gx.shape[3], places = h * w;
  const bool dense = gx.stride[2] == w * gx.stride[3];
  if (sizeof(S) == sizeof(T) && dense && by_channels(g, gx) && indices.stride[1] == 1) {
    // All channels of an image together: rows stay whole cache lines.
    const int64_t parts = ceil_div(gx.shape[1], kPoolBlock);
    for_tiles(gx.shape[0] * parts, [&](int64_t i) {
      const int64_t n = i / parts, c0 = i % parts * kPoolBlock, count = min_of(kPoolBlock, gx.shape[1] - c0);
      T* x = gx.as<T>() + n * gx.stride[0] + c0;
      for (int64_t k = 0; k < places; ++k)
        for (int64_t c = 0; c < count; ++c) x[k * gx.stride[3] + c] = T(0);
      for (int64_t y = 0; y < g.shape[2]; ++y)
        for (int64_t z = 0; z < g.shape[3]; ++z) {
          const T* s = g.as<T>() + n * g.stride[0] + c0 + y * g.stride[2] + z * g.stride[3];
          const int64_t* q =
              indices.as<int64_t>() + n * indices.stride[0] + c0 + y * indices.stride[2] + z * indices.stride[3];
          for (int64_t c = 0; c < count; ++c)
            if (uint64_t(q[c]) < uint64_t(places)) x[q[c] * gx.stride[3] + c] += s[c];
        }
    });
    return;
  }
  for_tiles(gx.shape[0] * gx.shape[1], [&](int64_t i) {
    T* sum = static_cast<T*>(scratch(0, size_t(places + 1) * sizeof(T)));
    for (int64_t k = 0; k < places; ++k) sum[k] = T(0);
    const S* s = plane<S>(g, i);
    const int64_t* q = plane<int64_t>(indices, i);
    for (int64_t y = 0; y < g.shape[2]; ++y)
      for (int64_t z = 0; z < g.shape[3]; ++z) {
        const int64_t at = q[y * indices.stride[2] + z * indices.stride[3]];
        if (uint64_t(at) < uint64_t(places)) sum[at] += widen(s[y * g.stride[2] + z * g.stride[3]]);
      }
    S* x = plane<S>(gx, i);
    for (int64_t y = 0; y < h; ++y)
      for (int64_t z = 0; z < w; ++z) narrow(sum[y * w + z], x[y * gx.stride[2] + z * gx.stride[3]]);
  });
}

template <class S>
void max_pool_gather(const View& x, const View& indices, const View& out) {
  const int64_t w = x.shape[3], places = x.shape[2] * w;
  for_tiles(out.shape[0] * out.shape[2], [&](int64_t i) {
    const int64_t n = i / out.shape[2], y = i % out.shape[2];
    for (int64_t z = 0; z < out.shape[3]; ++z)
      for (int64_t c = 0; c < out.shape[1]; ++c) {
        const int64_t at = indices.as<int64_t>()[n * indices.stride[0] + c * indices.stride[1] + y * indices.stride[2] +
                                                 z * indices.stride[3]];
        S v{};
        if (uint64_t(at) < uint64_t(places))
          v = x.as<S>()[n * x.stride[0] + c * x.stride[1] + at / w * x.stride[2] + at % w * x.stride[3]];
        out.as<S>()[n * out.stride[0] + c * out.stride[1] + y * out.stride[2] + z * out.stride[3]] = v;
      }
  });
}

}  // namespace

void max_pool2d(const View& x, const View& out, const View& indices, const Window& window) {
  with_floating("max_pool2d", x.dtype, [&](auto s) { max_pool<decltype(s)>(x, out, indices, window); });
}
void max_pool2d_backward(const View& g, const View& indices, const View& gx) {
  with_floating("max_pool2d_backward", g.dtype, [&](auto s) { max_pool_backward<decltype(s)>(g, indices, gx); });
}
void max_pool2d_gather(const View& x, const View& indices, const View& out) {
  with_floating("max_pool2d_gather", x.dtype, [&](auto s) { max_pool_gather<decltype(s)>(x, indices, out); });
}

}  // namespace lamina::cpu::inline LAMINA_ISA
