// avg_pool2d and adaptive_avg_pool2d with their gradient. Shapes: see kernels.def.
// Law: the window's values are added in (row, column) order in double, divided in double and rounded once. The gradient
// of an input place adds g / divisor of its windows in (oh, ow) order in the arithmetic type.
#include "pool.h"

namespace lamina::cpu::inline LAMINA_ISA {
namespace {

// Output o of one axis covers inputs [lo, hi); `counted` of its places count in the divisor.
struct Cover {
  int64_t lo, hi, counted;
};
// Outputs that cover an input: [lo, hi). Both bounds of Cover grow with o, so they are neighbours.
struct Axis {
  Cover* cover;
  Range* of_input;
  int64_t outputs, inputs;
};

Axis make_axis(void* memory, int64_t inputs, int64_t outputs, const Window* p, int d, bool include_pad) {
  Axis a{static_cast<Cover*>(memory), reinterpret_cast<Range*>(static_cast<Cover*>(memory) + outputs), outputs, inputs};
  for (int64_t o = 0; o < outputs; ++o) {
    Cover& c = a.cover[o];
    if (!p) {
      c.lo = o * inputs / outputs;
      c.hi = ceil_div((o + 1) * inputs, outputs);
      c.counted = c.hi - c.lo;
      continue;
    }
    const int64_t from = o * p->stride[d] - p->padding[d], to = min_of(from + p->kernel[d], inputs + p->padding[d]);
    c.lo = min_of(inputs, max_of(from, 0));
    c.hi = max_of(c.lo, min_of(to, inputs));
    c.counted = include_pad ? to - from : c.hi - c.lo;
  }
  int64_t first = 0, last = 0;
  for (int64_t i = 0; i < inputs; ++i) {
    while (first < outputs && a.cover[first].hi <= i) ++first;
    while (last < outputs && a.cover[last].lo <= i) ++last;
    a.of_input[i] = {first, max_of(first, last)};
  }
  return a;
}

struct Axes {
  Axis y, z;
  int64_t divisor;
  double at(int64_t oy, int64_t oz) const {
    return double(divisor ? divisor : y.cover[oy].counted * z.cover[oz].counted);
  }
};

Axes make_axes(const View& x, const View& out, const Window* p, bool include_pad, int64_t divisor) {
  const size_t bytes = size_t(out.shape[2]) * sizeof(Cover) + size_t(x.shape[2]) * sizeof(Range);
  char* memory = static_cast<char*>(
      scratch(0, bytes + size_t(out.shape[3]) * sizeof(Cover) + size_t(x.shape[3]) * sizeof(Range) + 1));
  return {make_axis(memory, x.shape[2], out.shape[2], p, 0, include_pad),
          make_axis(memory + bytes, x.shape[3], out.shape[3], p, 1, include_pad), divisor};
}

// Tiles of rows over all channels, or of planes: f(n, c0, c1, y0, y1) for outputs of `height` rows.
template <class F>
LAMINA_INLINE void for_parts(bool rows, int64_t images, int64_t channels, int64_t height, F&& f) {
  const int64_t parts = rows ? height : channels;
  for_tiles(images * parts, [&](int64_t i) {
    const int64_t n = i / parts, k = i % parts;
    if (rows)
      f(n, int64_t(0), channels, k, k + 1);
    else
      f(n, k, k + 1, int64_t(0), height);
  });
}

template <class S>
void forward(const View& x, const View& out, const Axes& axes) {
  using T = typename Arith<S>::type;
  const bool rows = by_channels(x, out);
  for_parts(rows, x.shape[0], x.shape[1], out.shape[2], [&](int64_t n, int64_t c0, int64_t c1, int64_t y0, int64_t y1) {
    double sum[kPoolBlock];
    for (int64_t y = y0; y < y1; ++y)
      for (int64_t z = 0; z < out.shape[3]; ++z) {
        const Cover cy = axes.y.cover[y], cz = axes.z.cover[z];
        const double divisor = cy.lo < cy.hi && cz.lo < cz.hi ? axes.at(y, z) : 1.0;
        for (int64_t c = c0; c < c1; c += kPoolBlock) {
          const int64_t count = min_of(kPoolBlock, c1 - c);
          for (int64_t k = 0; k < count; ++k) sum[k] = 0;
          for (int64_t iy = cy.lo; iy < cy.hi; ++iy)
            for (int64_t iz = cz.lo; iz < cz.hi; ++iz) {
              const S* s = x.as<S>() + n * x.stride[0] + c * x.stride[1] + iy * x.stride[2] + iz * x.stride[3];
              if (count == 1)
                sum[0] += double(widen(s[0]));
              else
                for (int64_t k = 0; k < count; ++k) sum[k] += double(widen(s[k]));
            }
          S* o = out.as<S>() + n * out.stride[0] + c * out.stride[1] + y * out.stride[2] + z * out.stride[3];
          for (int64_t k = 0; k < count; ++k) narrow(T(sum[k] / divisor), o[k * out.stride[1]]);
        }
      }
  });
}

template <class S>
void backward(const View& g, const View& gx, const Axes& axes) {
  using T = typename Arith<S>::type;
  const bool rows = by_channels(g, gx);
  for_parts(
      rows, gx.shape[0], gx.shape[1], gx.shape[2], [&](int64_t n, int64_t c0, int64_t c1, int64_t y0, int64_t y1) {
        T sum[kPoolBlock];
        for (int64_t y = y0; y < y1; ++y)
          for (int64_t z = 0; z < gx.shape[3]; ++z) {
            const Range ry = axes.y.of_input[y], rz = axes.z.of_input[z];
            for (int64_t c = c0; c < c1; c += kPoolBlock) {
              const int64_t count = min_of(kPoolBlock, c1 - c);
              for (int64_t k = 0; k < count; ++k) sum[k] = T(0);
              for (int64_t oy = ry.lo; oy < ry.hi; ++oy)
                for (int64_t oz = rz.lo; oz < rz.hi; ++oz) {
                  const S* s = g.as<S>() + n * g.stride[0] + c * g.stride[1] + oy * g.stride[2] + oz * g.stride[3];
                  const T divisor = T(axes.at(oy, oz));
                  if (count == 1)
                    sum[0] += widen(s[0]) / divisor;
                  else
                    for (int64_t k = 0; k < count; ++k) sum[k] += widen(s[k]) / divisor;
                }
              S* o = gx.as<S>() + n * gx.stride[0] + c * gx.stride[1] + y * gx.stride[2] + z * gx.stride[3];
              for (int64_t k = 0; k < count; ++k) narrow(sum[k], o[k * gx.stride[1]]);
            }
          }
      });
}

}  // namespace

void avg_pool2d(const View& x, const View& out, const Window* window, bool count_include_pad, int64_t divisor) {
  const Axes axes = make_axes(x, out, window, count_include_pad, divisor);
  with_floating("avg_pool2d", x.dtype, [&](auto s) { forward<decltype(s)>(x, out, axes); });
}
void avg_pool2d_backward(const View& g, const View& gx, const Window* window, bool count_include_pad, int64_t divisor) {
  const Axes axes = make_axes(gx, g, window, count_include_pad, divisor);
  with_floating("avg_pool2d", g.dtype, [&](auto s) { backward<decltype(s)>(g, gx, axes); });
}

}  // namespace lamina::cpu::inline LAMINA_ISA
