// dropout: the mask is a function of the generator's draw and the element index.
#include "lamina/autograd.h"
#include "lamina/devices.h"
#include "lamina/ops.h"
#include "lamina/random.h"

namespace lamina {

Tensor dropout(const Tensor& input, double p, bool training) {
  if (!(p >= 0 && p <= 1)) raise<ValueError>("dropout: p must be in [0, 1], got ", p);
  if (!is_floating(input.dtype())) raise<DtypeError>("dropout: needs a floating dtype, got ", describe("input", input));
  if (!training || p == 0) return input;
  const Tensor x = contiguous(input);
  Tensor y = allocate(x.shape(), x.dtype(), x.device());
  const Tensor mask = allocate(x.shape(), DType::bool_, x.device());
  const Generator::Draw draw = default_generator().next();
  if (x.numel() > 0)
    kernel(&Kernels::dropout, x.device())(x.view_of(), y.view_of(), mask.view_of(), p, draw.seed, draw.offset);
  if (recording({x}))
    record("dropout", y, {x}, [mask, scale = p < 1 ? 1 / (1 - p) : 0.0](Grads& d, const Tensor& g) {
      d[0] = where(mask, g * scale, Tensor(0.0));
    });
  return y;
}

}  // namespace lamina
