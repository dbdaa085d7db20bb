// What the kernels of recurrent layers and of attention are told beyond their tensors.
#pragma once
#include <cstdint>

namespace lamina {

// The cell of a recurrent layer and the number of its gates: h' = tanh(g), relu(g), LSTM (i, f, g, o), GRU (r, z, n).
enum class RnnMode : uint8_t { tanh, relu, lstm, gru };
constexpr int64_t gates_of(RnnMode mode) { return mode == RnnMode::lstm ? 4 : mode == RnnMode::gru ? 3 : 1; }

struct AttentionSpec {
  double scale = 1;
  bool causal = false;  // query i sees the keys up to i
  double dropout = 0;   // of the weights, by the numbers of (seed, offset)
  uint64_t seed = 0, offset = 0;
};

}  // namespace lamina
