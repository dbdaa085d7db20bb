// conv2d_weight_grad: g (N, G*OC, OH, OW), x (N, G*IC, H, W) -> gw (G*OC, IC, KH, KW).
// Method: per chunk of output pixels, x and g are packed into panels over channels; a register tile of 14 input x 32
// output channels runs along the pixels of each tap.
// Law: output pixels are taken in the order (n, oh, ow). Where OH * OW <= 256, a chunk is 256 / (OH * OW) whole images;
// else it is max(1, 256 / OW) rows of one image, a row longer than 256 being cut every 256. In each chunk a chain
// acc = fma(x, g, acc) from zero runs over the pixels whose tap lies inside the image; the totals are added in order.
#include "conv_weight_grad.h"

namespace lamina::cpu::inline LAMINA_ISA {

void conv2d_weight_grad(const View& g, const View& x, const View& gw, const Window& p, int64_t groups) {
  Conv c{};
  c.n = x.shape[0], c.groups = groups, c.ic = gw.shape[1], c.oc = gw.shape[0] / groups;
  c.h = x.shape[2], c.w = x.shape[3], c.oh = g.shape[2], c.ow = g.shape[3], c.kh = gw.shape[2], c.kw = gw.shape[3];
  c.x = x.data, c.wt = gw.data, c.out = g.data;
  for (int d = 0; d < 2; ++d) c.stride[d] = p.stride[d], c.pad[d] = p.padding[d], c.dil[d] = p.dilation[d];
  for (int d = 0; d < 4; ++d) c.xs[d] = x.stride[d], c.os[d] = g.stride[d];
  c.wg = c.oc * gw.stride[0], c.wo = gw.stride[0], c.wi = gw.stride[1], c.wh = gw.stride[2], c.ww = gw.stride[3];
  if (depthwise_weight_grad(x.dtype, c)) return;
  switch (x.dtype) {
    case DType::float32:
      return weight_grad_core<float>(c);
    case DType::float64:
      return weight_grad_core<double>(c);
    case DType::float16:
      return weight_grad_core<Half>(c);
    default:
      return weight_grad_core<BFloat16>(c);
  }
}

}  // namespace lamina::cpu::inline LAMINA_ISA
