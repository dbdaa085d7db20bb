// conv2d: x (N, G*IC, H, W), w (G*OC, IC, KH, KW), bias (G*OC) or none -> out (N, G*OC, OH, OW); memory in any layout.
// Method: implicit GEMM. Weights are packed into panels, pixels are broadcast straight from channels-last memory (other
// layouts are converted band by band), a register tile holds 14 pixels x 32 channels.
// Law, equal to this reference bit for bit at every SIMD level, thread count, layout and batch:
//   k runs over (kh, kw, ic) in that order; taps in the padding are left out (they keep their place in k);
//   each chunk of 256 places of k is a chain acc = fma(x, w, acc) from zero; the totals of chunks that hold a tap are
//   added in order (the first is the start); last + bias. f16 and bf16 do the same in float and round once.
#include "conv.h"

namespace lamina::cpu::inline LAMINA_ISA {

void conv_any(DType t, const Conv& c) {
  if (depthwise(t, c)) return;
  switch (t) {
    case DType::float32:
      return conv_core<float>(c);
    case DType::float64:
      return conv_core<double>(c);
    case DType::float16:
      return conv_core<Half>(c);
    default:
      return conv_core<BFloat16>(c);
  }
}

void conv2d(const View& x, const View& w, const View* bias, const View& out, const Window& p, int64_t groups) {
  Conv c{x.shape[0],
         groups,
         w.shape[1],
         w.shape[0] / groups,
         x.shape[2],
         x.shape[3],
         out.shape[2],
         out.shape[3],
         w.shape[2],
         w.shape[3],
         {p.stride[0], p.stride[1]},
         {p.padding[0], p.padding[1]},
         {p.dilation[0], p.dilation[1]},
         x.data,
         {x.stride[0], x.stride[1], x.stride[2], x.stride[3]},
         w.data,
         w.stride[0] * (w.shape[0] / groups),
         w.stride[0],
         w.stride[1],
         w.stride[2],
         w.stride[3],
         bias ? bias->data : nullptr,
         bias ? bias->stride[0] : 0,
         out.data,
         {out.stride[0], out.stride[1], out.stride[2], out.stride[3]}};
  conv_any(x.dtype, c);
}

}  // namespace lamina::cpu::inline LAMINA_ISA
