// lstm, gru, rnn_tanh, rnn_relu: stacks of recurrent layers, and their cells. The layers themselves: rnn_layer.cpp.
// LSTM: Hochreiter & Schmidhuber 1997; GRU: Cho et al. 2014, with the reset gate behind the hidden product.
#include "rnn.h"

#include <algorithm>

namespace lamina {
namespace {

struct Stack {
  const char* op;
  RnnMode mode;
  bool biases;
  int64_t layers;
  double dropout;
  bool train, bidirectional, batch_first;

  int64_t directions() const { return bidirectional ? 2 : 1; }
};

const char* name_of(RnnMode mode) {
  constexpr const char* kNames[] = {"rnn_tanh", "rnn_relu", "lstm", "gru"};
  return kNames[int(mode)];
}

// The weights of every layer and direction; a projection shows in their number.
std::vector<RnnWeights> read_weights(const Stack& s, const TensorList& params) {
  const int64_t count = int64_t(params.size()), plain = s.biases ? 4 : 2;
  if (s.layers < 1 || s.layers > count)  // first, so that no product below overflows
    raise<ValueError>(s.op, ": num_layers must be at least 1 and no more than there are params, ", count, ", got ",
                      s.layers);
  const int64_t runs = s.layers * s.directions();
  const bool projects = s.mode == RnnMode::lstm && count == runs * (plain + 1);
  const int64_t each = plain + projects;
  if (count != runs * each)
    raise<ValueError>(s.op, ": params must hold ", plain, " tensors for each of num_layers * directions = ", runs,
                      ", got ", count);
  for (size_t i = 0; i < params.size(); ++i)
    if (!params[i].defined()) raise<TypeError>(s.op, ": params[", i, "] is None; expected a tensor");
  std::vector<RnnWeights> out;
  for (int64_t i = 0; i < runs; ++i) {
    const Tensor* p = params.data() + i * each;
    RnnWeights w{p[0], p[1], {}, {}, {}};
    if (s.biases) w.b_ih = p[2], w.b_hh = p[3];
    if (projects) w.w_hr = p[plain];
    out.push_back(std::move(w));
  }
  return out;
}

void need_shape(const char* op, const char* label, const Tensor& t, const Dims& shape, const Tensor& x) {
  if (!t.defined()) raise<TypeError>(op, ": ", label, " is None; expected a tensor of shape ", to_string(shape));
  if (t.shape() != shape)
    raise<ShapeError>(op, ": ", label, " must have shape ", to_string(shape), ", got ", describe(label, t), " for ",
                      describe("input", x));
  if (t.dtype() != x.dtype())
    raise<DtypeError>(op, ": ", label, " has another dtype than input: ", describe("input", x), ", ",
                      describe(label, t), ". Convert one with .to(dtype)");
  if (t.device() != x.device())
    raise<DeviceError>(op, ": ", label, " is on another device: ", describe("input", x), ", ", describe(label, t),
                       ". Move one with .to(device)");
}

// Sizes of one layer, read off its weights.
struct Widths {
  int64_t hidden, out, gates;
};
Widths widths_of(const char* op, RnnMode mode, const RnnWeights& w) {
  const int64_t n = gates_of(mode);
  if (w.w_hh.dim() != 2 || w.w_hh.shape()[0] % n != 0)
    raise<ShapeError>(op, ": w_hh must be (", n, " * hidden, hidden), got ", describe("w_hh", w.w_hh));
  const int64_t gates = w.w_hh.shape()[0], hidden = gates / n;
  return {hidden, w.w_hr.defined() ? w.w_hh.shape()[1] : hidden, gates};
}

void check_layer(const char* op, RnnMode mode, const Tensor& x, const RnnWeights& w, bool biases) {
  const Widths size = widths_of(op, mode, w);
  const int64_t features = x.shape().back();
  if (w.w_ih.dim() == 2 && w.w_ih.shape()[1] != features)
    raise<ShapeError>(op, ": input has ", features, " features, w_ih expects ", w.w_ih.shape()[1], ": ",
                      describe("input", x), ", ", describe("w_ih", w.w_ih));
  need_shape(op, "w_ih", w.w_ih, {size.gates, features}, x);
  need_shape(op, "w_hh", w.w_hh, {size.gates, size.out}, x);
  if (w.w_hr.defined()) need_shape(op, "w_hr", w.w_hr, {size.out, size.hidden}, x);
  if (!biases) return;
  need_shape(op, "b_ih", w.b_ih, {size.gates}, x);
  need_shape(op, "b_hh", w.b_hh, {size.gates}, x);
}

Tensor read_lengths(const char* op, const Tensor& lengths, int64_t rows, int64_t steps) {
  if (!lengths.defined()) return {};
  if (!is_integral(lengths.dtype()) || lengths.dim() != 1 || lengths.shape()[0] != rows)
    raise<ShapeError>(op, ": lengths must be integers, one per row of the batch, ", rows, ": ",
                      describe("lengths", lengths));
  const Tensor l = clone(contiguous(to(lengths.detach(), DType::int64, Device{})));  // backward reads it, too
  for (int64_t i = 0; i < rows; ++i)
    if (const int64_t n = l.data_as<int64_t>()[i]; n < 0 || n > steps)
      raise<ValueError>(op, ": lengths must lie between 0 and the number of steps, ", steps, ", got ", n, " for row ",
                        i);
  return l;
}

// float16 and bfloat16 run in float32 and are rounded at the end; beside them a weight may be float32 already.
bool runs_wider(const Tensor& x) { return x.dtype() == DType::float16 || x.dtype() == DType::bfloat16; }
Tensor widened(const Tensor& t) { return t.defined() ? to(t, DType::float32) : t; }
RnnWeights widened(const char* op, const RnnWeights& w, const Tensor& x) {
  for (const Tensor* t : {&w.w_ih, &w.w_hh, &w.b_ih, &w.b_hh, &w.w_hr})
    if (t->defined() && t->dtype() != x.dtype() && t->dtype() != DType::float32)
      raise<DtypeError>(op, ": weights must have input's dtype or float32: ", describe("input", x), ", ",
                        describe("weight", *t), ". Convert one with .to(dtype)");
  return {widened(w.w_ih), widened(w.w_hh), widened(w.b_ih), widened(w.b_hh), widened(w.w_hr)};
}

void need_float(const char* op, const Tensor& x) {
  if (!is_floating(x.dtype())) raise<DtypeError>(op, ": needs a floating dtype, got ", describe("input", x));
}

struct StackResult {
  Tensor y, h, c;
};

StackResult run_stack(const Stack& s, const Tensor& input, const TensorList& hx, const TensorList& params,
                      const Tensor& lengths) {
  need_float(s.op, input);
  if (input.dim() != 2 && input.dim() != 3)
    raise<ShapeError>(s.op, ": input must be ", s.batch_first ? "(N, T, features)" : "(T, N, features)",
                      " or (T, features), got ", describe("input", input));
  if (!(s.dropout >= 0 && s.dropout <= 1)) raise<ValueError>(s.op, ": dropout must be in [0, 1], got ", s.dropout);
  if (input.dim() == 2) {  // no batch
    Stack one = s;
    one.batch_first = false;
    TensorList state;
    for (const Tensor& t : hx) {
      if (t.defined() && t.dim() != 2)
        raise<ShapeError>(s.op, ": input without a batch needs states without one, (layers, hidden): ",
                          describe("input", input), ", ", describe("hx", t));
      state.push_back(t.defined() ? unsqueeze(t, 1) : t);
    }
    StackResult r = run_stack(one, unsqueeze(input, 1), state, params, lengths);
    r.y = squeeze(r.y, Dims{1});
    r.h = squeeze(r.h, Dims{1});
    if (r.c.defined()) r.c = squeeze(r.c, Dims{1});
    return r;
  }
  const std::vector<RnnWeights> weights = read_weights(s, params);
  const bool lstm = s.mode == RnnMode::lstm;
  if (hx.size() != (lstm ? 2u : 1u))
    raise<ValueError>(s.op, ": hx must hold ", lstm ? "h_0 and c_0" : "h_0", ", got ", hx.size(), " tensors");
  const Widths size = widths_of(s.op, s.mode, weights[0]);
  const int64_t rows = input.shape()[s.batch_first ? 0 : 1], steps = input.shape()[s.batch_first ? 1 : 0];
  const int64_t runs = int64_t(weights.size());
  if (steps == 0) raise<ShapeError>(s.op, ": input has no steps: ", describe("input", input));
  need_shape(s.op, "h_0", hx[0], {runs, rows, size.out}, input);
  if (lstm) need_shape(s.op, "c_0", hx[1], {runs, rows, size.hidden}, input);
  RnnRun run{s.batch_first, false, read_lengths(s.op, lengths, rows, steps)};

  const bool wider = runs_wider(input);
  Tensor y = wider ? widened(input) : input;
  TensorList h, c;
  for (int64_t layer = 0; layer < s.layers; ++layer) {
    TensorList both;
    for (int64_t d = 0; d < s.directions(); ++d) {
      const int64_t at = layer * s.directions() + d;
      RnnState start{select(hx[0], 0, at), lstm ? select(hx[1], 0, at) : Tensor()};
      RnnWeights w = weights[size_t(at)];
      if (wider) w = widened(s.op, w, input), start = {widened(start.h), widened(start.c)};
      check_layer(s.op, s.mode, y, w, s.biases);
      run.reverse = d == 1;
      const RnnResult r = rnn_layer(s.mode, y, w, start, run);
      both.push_back(r.y);
      h.push_back(r.h);
      if (lstm) c.push_back(r.c);
    }
    y = both.size() == 1 ? both[0] : cat(both, -1);
    if (s.train && s.dropout > 0 && layer + 1 < s.layers) y = dropout(y, s.dropout, true);
  }
  StackResult out{y, stack(h, 0), lstm ? stack(c, 0) : Tensor()};
  if (wider) {
    for (Tensor* t : {&out.y, &out.h, &out.c})
      if (t->defined()) *t = to(*t, input.dtype());
  }
  return out;
}

// One step of (N, I) or (I).
RnnState run_cell(RnnMode mode, const Tensor& input, const TensorList& hx, const RnnWeights& given) {
  const char* op = name_of(mode);
  need_float(op, input);
  if (input.dim() != 1 && input.dim() != 2)
    raise<ShapeError>(op, "_cell: input must be (N, features) or (features), got ", describe("input", input));
  const bool lstm = mode == RnnMode::lstm, single = input.dim() == 1, wider = runs_wider(input);
  if (given.b_ih.defined() != given.b_hh.defined()) raise<TypeError>(op, "_cell: give b_ih and b_hh, or neither");
  if (hx.size() != (lstm ? 2u : 1u))
    raise<ValueError>(op, "_cell: hx must hold ", lstm ? "h and c" : "h", ", got ", hx.size(), " tensors");
  const auto row = [&](const Tensor& t) { return single && t.defined() && t.dim() == 1 ? unsqueeze(t, 0) : t; };
  const Tensor x = row(input);
  const Widths size = widths_of(op, mode, given);
  RnnState state{row(hx[0]), lstm ? row(hx[1]) : Tensor()};
  need_shape(op, "h", state.h, {x.shape()[0], size.out}, x);
  if (lstm) need_shape(op, "c", state.c, {x.shape()[0], size.hidden}, x);
  check_layer(op, mode, x, given, given.b_ih.defined());
  const RnnResult r = rnn_layer(mode, unsqueeze(wider ? widened(x) : x, 0), wider ? widened(op, given, x) : given,
                                wider ? RnnState{widened(state.h), widened(state.c)} : state, {});
  const auto back = [&](const Tensor& t) {
    if (!t.defined()) return t;
    const Tensor u = single ? squeeze(t, Dims{0}) : t;
    return wider ? to(u, input.dtype()) : u;
  };
  return {back(r.h), back(r.c)};
}

}  // namespace

Several lstm(const Tensor& input, const TensorList& hx, const TensorList& params, bool has_biases, int64_t num_layers,
             double dropout, bool train, bool bidirectional, bool batch_first, const Tensor& lengths) {
  const StackResult r =
      run_stack({"lstm", RnnMode::lstm, has_biases, num_layers, dropout, train, bidirectional, batch_first}, input, hx,
                params, lengths);
  return {{r.y, r.h, r.c}};
}

#define LAMINA_STACK(name, mode)                                                                                     \
  TensorPair name(const Tensor& input, const Tensor& hx, const TensorList& params, bool has_biases,                  \
                  int64_t num_layers, double dropout, bool train, bool bidirectional, bool batch_first,              \
                  const Tensor& lengths) {                                                                           \
    const StackResult r =                                                                                            \
        run_stack({#name, RnnMode::mode, has_biases, num_layers, dropout, train, bidirectional, batch_first}, input, \
                  {hx}, params, lengths);                                                                            \
    return {r.y, r.h};                                                                                               \
  }
LAMINA_STACK(gru, gru)
LAMINA_STACK(rnn_tanh, tanh)
LAMINA_STACK(rnn_relu, relu)
#undef LAMINA_STACK

TensorPair lstm_cell(const Tensor& input, const TensorList& hx, const Tensor& w_ih, const Tensor& w_hh,
                     const Tensor& b_ih, const Tensor& b_hh) {
  const RnnState s = run_cell(RnnMode::lstm, input, hx, {w_ih, w_hh, b_ih, b_hh, {}});
  return {s.h, s.c};
}
Tensor gru_cell(const Tensor& input, const Tensor& hx, const Tensor& w_ih, const Tensor& w_hh, const Tensor& b_ih,
                const Tensor& b_hh) {
  return run_cell(RnnMode::gru, input, {hx}, {w_ih, w_hh, b_ih, b_hh, {}}).h;
}
Tensor rnn_tanh_cell(const Tensor& input, const Tensor& hx, const Tensor& w_ih, const Tensor& w_hh, const Tensor& b_ih,
                     const Tensor& b_hh) {
  return run_cell(RnnMode::tanh, input, {hx}, {w_ih, w_hh, b_ih, b_hh, {}}).h;
}
Tensor rnn_relu_cell(const Tensor& input, const Tensor& hx, const Tensor& w_ih, const Tensor& w_hh, const Tensor& b_ih,
                     const Tensor& b_hh) {
  return run_cell(RnnMode::relu, input, {hx}, {w_ih, w_hh, b_ih, b_hh, {}}).h;
}

}  // namespace lamina
