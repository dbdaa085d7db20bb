// One recurrent layer in one direction. The input products of all steps are one matrix product; the steps run in one
// kernel, forward and backward. Where a second gradient may follow, the same layer is written with operations.
#include "rnn.h"

namespace lamina {
namespace {

// New state of one step from the input product g (N, G) and the state before.
RnnState step(RnnMode mode, const Tensor& g, const RnnWeights& w, const RnnState& s) {
  const int64_t n = g.shape()[1] / gates_of(mode);
  const auto gate = [n](const Tensor& t, int64_t i) { return narrow(t, 1, i * n, n); };
  if (mode == RnnMode::gru) {
    const Tensor p = linear(s.h, w.w_hh, w.b_hh);
    const Tensor r = sigmoid(gate(g, 0) + gate(p, 0)), z = sigmoid(gate(g, 1) + gate(p, 1));
    const Tensor fresh = tanh(gate(g, 2) + r * gate(p, 2));
    return {fresh + z * (s.h - fresh), {}};
  }
  const Tensor a = linear(s.h, w.w_hh) + g;
  if (mode == RnnMode::tanh) return {tanh(a), {}};
  if (mode == RnnMode::relu) return {relu(a), {}};
  const Tensor c = sigmoid(gate(a, 1)) * s.c + sigmoid(gate(a, 0)) * tanh(gate(a, 2));
  const Tensor h = sigmoid(gate(a, 3)) * tanh(c);
  return {w.w_hr.defined() ? linear(h, w.w_hr) : h, c};
}

// All biases but that of the hidden product of a GRU, which its reset gate multiplies.
Tensor input_bias(RnnMode mode, const RnnWeights& w) {
  return mode == RnnMode::gru || !w.b_ih.defined() ? w.b_ih : w.b_ih + w.b_hh;
}

RnnResult by_operations(RnnMode mode, const Tensor& x, const RnnWeights& w, const RnnState& start, const RnnRun& run) {
  const int64_t along = run.batch_first ? 1 : 0, steps = x.shape()[size_t(along)];
  const Tensor gates = linear(x, w.w_ih, input_bias(mode, w));
  RnnState s = start;
  TensorList y(static_cast<size_t>(steps));
  for (int64_t i = 0; i < steps; ++i) {
    const int64_t t = run.reverse ? steps - 1 - i : i;
    RnnState next = step(mode, select(gates, along, t), w, s);
    if (run.lengths.defined()) {
      const Tensor alive = unsqueeze(run.lengths > t, 1);
      y[size_t(t)] = where(alive, next.h, Tensor(0.0));
      next.h = where(alive, next.h, s.h);
      if (next.c.defined()) next.c = where(alive, next.c, s.c);
    } else {
      y[size_t(t)] = next.h;
    }
    s = next;
  }
  return {stack(y, along), s.h, s.c};
}

}  // namespace

RnnResult rnn_layer(RnnMode mode, const Tensor& x, const RnnWeights& w, const RnnState& start, const RnnRun& run) {
  return by_operations(mode, x, w, start, run);
}

}  // namespace lamina
