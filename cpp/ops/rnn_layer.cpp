// One recurrent layer in one direction. The input products of all steps are one matrix product; the steps run in one
// kernel, forward and backward. Where a second gradient may follow, the same layer is written with operations.
#include <utility>

#include "handle.h"
#include "norm.h"
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

// x with zeros behind each row's length: what padding holds must not reach the gradients of the weights (0 * NaN).
Tensor without_padding(const Tensor& x, const RnnRun& run) {
  if (!run.lengths.defined()) return x;
  const int64_t along = run.batch_first ? 1 : 0;
  const Tensor steps = arange(x.shape()[size_t(along)], DType::int64);
  const Tensor alive = run.batch_first ? unsqueeze(run.lengths, 1) > steps : unsqueeze(steps, 1) < run.lengths;
  return where(unsqueeze(alive, -1), x, Tensor(0.0));
}

RnnResult by_operations(RnnMode mode, const Tensor& given, const RnnWeights& w, const RnnState& start,
                        const RnnRun& run) {
  const Tensor x = without_padding(given, run);
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

// ---- the kernels ----

// Steps first, whatever the order in memory.
View steps_first(const Tensor& t, bool batch_first) {
  if (!t.defined()) return {};
  View v = t.view_of();
  if (batch_first) {
    std::swap(v.shape[0], v.shape[1]);
    std::swap(v.stride[0], v.stride[1]);
  }
  return v;
}
Tensor bare(const Tensor& t) { return t.defined() ? t.detach() : t; }
RnnWeights bare(const RnnWeights& w) { return {bare(w.w_ih), bare(w.w_hh), bare(w.b_ih), bare(w.b_hh), bare(w.w_hr)}; }

// What the backward kernel needs besides the operands.
struct Kept {
  Tensor gates, cells;
};

RnnResult forward(RnnMode mode, const Tensor& x, const RnnWeights& w, const RnnState& start, const RnnRun& run,
                  bool keep, Kept* kept) {
  const NoGrad quiet;
  const Tensor gates = linear(x, w.w_ih, input_bias(mode, w));
  const int64_t hidden = gates.shape()[2] / gates_of(mode);
  const auto like_gates = [&](int64_t features) {
    return allocate(Dims{gates.shape()[0], gates.shape()[1], features}, x.dtype(), x.device());
  };
  const bool gru = mode == RnnMode::gru;
  Tensor cells;
  if (keep && (gru || mode == RnnMode::lstm)) cells = like_gates(hidden);
  RnnResult r{like_gates(start.h.shape()[1]), clone(contiguous(start.h)),
              start.c.defined() ? clone(contiguous(start.c)) : Tensor()};
  const Tensor bias = gru && w.b_hh.defined() ? contiguous(w.b_hh) : Tensor();
  kernel(&Kernels::rnn, x.device())(mode, steps_first(gates, run.batch_first), w.w_hh.view_of(), optional_view(w.w_hr),
                                    optional_view(bias), optional_view(run.lengths), run.reverse, keep,
                                    steps_first(cells, run.batch_first), steps_first(r.y, run.batch_first),
                                    r.h.view_of(), optional_view(r.c));
  if (keep) *kept = {gates, cells};
  return r;
}

// Inputs of the node, in this order.
enum { kX, kWIh, kWHh, kBIh, kBHh, kWHr, kH, kC, kInputs };

void backward(RnnMode mode, Grads& d, std::span<const Tensor> g, const Tensor& given_x, const RnnWeights& w,
              const RnnState& start, const RnnRun& run, const Kept& kept, const Tensor& y) {
  const Tensor &gates = kept.gates, x = contiguous(given_x);
  const int64_t features = gates.shape()[2], hidden = features / gates_of(mode), out = start.h.shape()[1];
  const auto like_gates = [&](int64_t n) {
    return allocate(Dims{gates.shape()[0], gates.shape()[1], n}, x.dtype(), x.device());
  };
  const auto state = [](const Tensor& gradient, const Tensor& like) {
    if (!like.defined()) return Tensor();
    return gradient.defined() ? clone(contiguous(gradient)) : zeros(Size(like.shape()), like.dtype(), like.device());
  };
  const Tensor dh = state(g[1], start.h), dc = state(start.c.defined() ? g[2] : Tensor(), start.c);
  const bool gru = mode == RnnMode::gru, projects = w.w_hr.defined();
  const Tensor dgates = like_gates(features), dhidden = gru ? like_gates(features) : Tensor(), before = like_gates(out),
               inner = projects ? like_gates(hidden) : Tensor(), dout = projects ? like_gates(out) : Tensor();
  const Tensor gy = g[0].defined() ? contiguous(g[0]) : Tensor(), h0 = contiguous(start.h),
               c0 = start.c.defined() ? contiguous(start.c) : Tensor();
  const auto along = [&](const Tensor& t) { return steps_first(t, run.batch_first); };
  kernel(&Kernels::rnn_backward, x.device())(
      mode, along(gates), along(kept.cells), along(y), w.w_hh.view_of(), optional_view(w.w_hr), h0.view_of(),
      optional_view(c0), optional_view(run.lengths), run.reverse, along(gy), dh.view_of(), optional_view(dc),
      along(dgates), along(dhidden), along(before), along(inner), along(dout));
  // The products over all steps.
  const auto rows = [](const Tensor& t) { return flatten(t, 0, 1); };
  const Tensor to_input = rows(dgates), to_hidden = gru ? rows(dhidden) : to_input;
  if (d.want(kX)) d[kX] = matmul(dgates, w.w_ih);
  if (d.want(kWIh)) d[kWIh] = matmul(t(to_input), rows(without_padding(x, run)));
  if (d.want(kWHh)) d[kWHh] = matmul(t(to_hidden), rows(before));
  const Tensor bias = d.want(kBIh) || (d.want(kBHh) && !gru) ? sum(to_input, Dims{0}) : Tensor();
  if (d.want(kBIh)) d[kBIh] = bias;
  if (d.want(kBHh)) d[kBHh] = gru ? sum(to_hidden, Dims{0}) : bias;
  if (projects && d.want(kWHr)) d[kWHr] = matmul(t(rows(dout)), rows(inner));
  if (d.want(kH)) d[kH] = dh;
  if (start.c.defined() && d.want(kC)) d[kC] = dc;
}

// The operands, saved for backward.
struct SavedOperands {
  Saved all[kInputs];
  SavedOperands(const Tensor& x, const RnnWeights& w, const RnnState& s)
      : all{save(x), save(w.w_ih), save(w.w_hh), save(w.b_ih), save(w.b_hh), save(w.w_hr), save(s.h), save(s.c)} {}
};

}  // namespace

RnnResult rnn_layer(RnnMode mode, const Tensor& x, const RnnWeights& w, const RnnState& start, const RnnRun& run) {
  if (x.numel() == 0 || start.h.numel() == 0 || w.w_hh.numel() == 0) return by_operations(mode, x, w, start, run);
  const bool keep = recording({x, w.w_ih, w.w_hh, w.b_ih, w.b_hh, w.w_hr, start.h, start.c});
  Kept kept;
  RnnResult r = forward(mode, bare(x), bare(w), {bare(start.h), bare(start.c)}, run, keep, &kept);
  if (!keep) return r;
  Tensor outputs[3] = {r.y, r.h, r.c};
  const std::reference_wrapper<const Tensor> inputs[kInputs] = {x,      w.w_ih, w.w_hh,  w.b_ih,
                                                                w.b_hh, w.w_hr, start.h, start.c};
  record("rnn", std::span(outputs, r.c.defined() ? 3 : 2), inputs,
         [mode, run, kept, y = save_output(outputs[0]), saved = SavedOperands(x, w, start)](Grads& d,
                                                                                            std::span<const Tensor> g) {
           Tensor o[kInputs];
           for (int i = 0; i < kInputs; ++i)
             if (saved.all[i].defined()) o[i] = saved.all[i].get();
           if (grad_enabled())
             return differentiate_again(d, g, o, [&](const TensorList& h) {
               const RnnResult again =
                   by_operations(mode, h[kX], {h[kWIh], h[kWHh], h[kBIh], h[kBHh], h[kWHr]}, {h[kH], h[kC]}, run);
               return TensorList{again.y, again.h, again.c};
             });
           backward(mode, d, g, o[kX], {o[kWIh], o[kWHh], o[kBIh], o[kBHh], o[kWHr]}, {o[kH], o[kC]}, run, kept,
                    y.get());
         });
  return {outputs[0], outputs[1], outputs[2]};
}

}  // namespace lamina
