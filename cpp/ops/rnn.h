// One direction of one recurrent layer.
#pragma once
#include "lamina/autograd.h"
#include "lamina/devices.h"
#include "lamina/ops.h"
#include "lamina/sequence.h"

namespace lamina {

struct RnnWeights {
  Tensor w_ih, w_hh, b_ih, b_hh, w_hr;  // (G, I), (G, R), (G), (G) or none, (R, H) or none
};
struct RnnState {
  Tensor h, c;  // (N, R), (N, H); c for LSTM alone
};
struct RnnRun {
  bool batch_first = false, reverse = false;
  Tensor lengths;  // int64 (N) or none: steps from a row's length on are not run and give 0
};
struct RnnResult {
  Tensor y, h, c;
};

// x (T, N, I), or (N, T, I) where batch_first -> y of the same order with R features, and the state after the last
// step. Operands are checked.
RnnResult rnn_layer(RnnMode mode, const Tensor& x, const RnnWeights& w, const RnnState& start, const RnnRun& run);

}  // namespace lamina
