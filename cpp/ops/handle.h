// Gradients of a fused operation for a second differentiation: it runs again, as plain operations (docs/adr/0007).
#pragma once
#include "lamina/autograd.h"
#include "lamina/ops.h"

namespace lamina {

// x under a node of its own: a gradient for it counts what flows through this use of x, not what reaches x through
// other operands.
inline Tensor handle(const Tensor& x) {
  Tensor y = alias(x);
  if (recording({x})) record("handle", y, {x}, [](Grads& d, const Tensor& g) { d[0] = g; });
  return y;
}

// d[i] for each operand, from the gradients g of the outputs: run(handles of the operands) gives those outputs by
// operations. What is undefined in `operands` stays so.
template <class F>
void differentiate_again(Grads& d, std::span<const Tensor> g, std::span<const Tensor> operands, const F& run) {
  TensorList handles, wanted, outputs, gradients;
  for (size_t i = 0; i < operands.size(); ++i) {
    handles.push_back(operands[i].defined() ? handle(operands[i]) : Tensor());
    if (operands[i].defined() && d.want(i)) wanted.push_back(handles.back());
  }
  const TensorList results = run(handles);
  for (size_t i = 0; i < g.size(); ++i)
    if (g[i].defined() && results[i].requires_grad()) outputs.push_back(results[i]), gradients.push_back(g[i]);
  const TensorList found =
      outputs.empty() ? TensorList(wanted.size()) : grad(outputs, wanted, gradients, true, true, true);
  size_t next = 0;
  for (size_t i = 0; i < operands.size(); ++i) {
    const Tensor& x = operands[i];
    if (!x.defined() || !d.want(i)) continue;
    const Tensor& f = found[next++];
    d[i] = f.defined() ? f : zeros(Size(x.shape()), x.dtype(), x.device());
  }
}

}  // namespace lamina
