// conv2d_input_grad: g (N, G*OC, OH, OW), w (G*OC, IC, KH, KW) -> gx (N, G*IC, H, W).
// Method: inputs whose row and column are equal modulo the stride meet the same taps, so each of these phases is a
// stride-1 convolution of g with the flipped, transposed taps of that phase, written to every stride-th row and column.
// Law: the law of conv2d for that sub-convolution, k over (kh descending, kw descending, oc).
#include "conv.h"

namespace lamina::cpu::inline LAMINA_ISA {

void conv2d_input_grad(const View& g, const View& w, const View& gx, const Window& p, int64_t groups) {
  const size_t size = size_of(gx.dtype);
  const int64_t oc = w.shape[0] / groups;
  for (int64_t i = 0; i < p.stride[0]; ++i)
    for (int64_t j = 0; j < p.stride[1]; ++j) {
      const Phase y = phase_of(i, gx.shape[2], w.shape[2], p.stride[0], p.padding[0], p.dilation[0]);
      const Phase z = phase_of(j, gx.shape[3], w.shape[3], p.stride[1], p.padding[1], p.dilation[1]);
      if (y.count == 0 || z.count == 0) continue;
      Conv c{};
      c.n = g.shape[0], c.groups = groups, c.ic = oc, c.oc = w.shape[1];
      c.h = g.shape[2], c.w = g.shape[3], c.oh = y.count, c.ow = z.count, c.kh = y.taps, c.kw = z.taps;
      c.stride[0] = c.stride[1] = 1;
      c.pad[0] = y.pad, c.pad[1] = z.pad, c.dil[0] = y.dil, c.dil[1] = z.dil;
      c.x = g.data;
      for (int d = 0; d < 4; ++d) c.xs[d] = g.stride[d], c.os[d] = gx.stride[d] * (d < 2 ? 1 : p.stride[d - 2]);
      const int64_t last_y = y.tap + (y.taps - 1) * y.step, last_z = z.tap + (z.taps - 1) * z.step;
      const int64_t corner = y.taps && z.taps ? last_y * w.stride[2] + last_z * w.stride[3] : 0;
      c.wt = static_cast<const char*>(w.data) + corner * int64_t(size);
      c.wg = oc * w.stride[0], c.wo = w.stride[1], c.wi = w.stride[0];
      c.wh = -y.step * w.stride[2], c.ww = -z.step * w.stride[3];
      c.out = static_cast<char*>(gx.data) + (i * gx.stride[2] + j * gx.stride[3]) * int64_t(size);
      conv_any(gx.dtype, c);
    }
}

}  // namespace lamina::cpu::inline LAMINA_ISA
