// Forward of one recurrent layer in one direction: T steps over N rows.
//   LSTM: i, f, g, o = sigmoid, sigmoid, tanh, sigmoid of x_t + h W^T;  c' = f c + i g;  h' = o tanh(c')
//   GRU:  p = h W^T + b;  r, z = sigmoid(x_t + p);  n = tanh(x_t + r p);  h' = n + z (h - n)
//   RNN:  h' = tanh or relu of x_t + h W^T
// x_t, the input products, come with the gates. Weights are packed once; a row's bits do not depend on other rows.
#include "cpu/rnn.h"

namespace lamina::cpu::inline LAMINA_ISA {
namespace {

template <class T>
struct Layer {
  RnnMode mode;
  bool reverse, keep;
  int64_t steps, hidden, out, gate_count;
  Sequence<T> gates, cells, y;
  Weight<T> weight, projection;
  const T* bias;
  const int64_t* lengths;
  T *h, *c;  // states of all rows

  // v, the new state, goes to `to` (the state or what is projected) and, without projection, to y.
  LAMINA_INLINE void lstm_row(int64_t t, int64_t n, T* to, T* seen) const {
    T *g = gates.at(t, n), *cell = c + n * hidden, *kept = keep ? cells.at(t, n) : nullptr;
    for_lanes<T>(hidden, [&](int64_t j, Lanes<T> m) __attribute__((always_inline)) {
      const Vec<T> in = gate_sigmoid(m.load(g + j)), forget = gate_sigmoid(m.load(g + hidden + j)),
                   fresh = gate_tanh(m.load(g + 2 * hidden + j)), open = gate_sigmoid(m.load(g + 3 * hidden + j));
      const Vec<T> next = fma(forget, m.load(cell + j), in * fresh), v = open * gate_tanh(next);
      m.store(cell + j, next);
      m.store(to + j, v);
      if (seen) m.store(seen + j, v);
      if (!kept) return;
      m.store(kept + j, next);
      m.store(g + j, in);
      m.store(g + hidden + j, forget);
      m.store(g + 2 * hidden + j, fresh);
      m.store(g + 3 * hidden + j, open);
    });
  }
  LAMINA_INLINE void gru_row(int64_t t, int64_t n, const T* p, T* state, T* seen) const {
    T *g = gates.at(t, n), *kept = keep ? cells.at(t, n) : nullptr;
    for_lanes<T>(hidden, [&](int64_t j, Lanes<T> m) __attribute__((always_inline)) {
      const Vec<T> inner = m.load(p + 2 * hidden + j), r = gate_sigmoid(m.load(g + j) + m.load(p + j)),
                   z = gate_sigmoid(m.load(g + hidden + j) + m.load(p + hidden + j)),
                   fresh = gate_tanh(fma(r, inner, m.load(g + 2 * hidden + j)));
      const Vec<T> v = fma(z, m.load(state + j) - fresh, fresh);
      m.store(state + j, v);
      m.store(seen + j, v);
      if (!kept) return;
      m.store(kept + j, inner);
      m.store(g + j, r);
      m.store(g + hidden + j, z);
      m.store(g + 2 * hidden + j, fresh);
    });
  }
  LAMINA_INLINE void plain_row(int64_t t, int64_t n, T* state, T* seen) const {
    T* g = gates.at(t, n);
    for_lanes<T>(hidden, [&](int64_t j, Lanes<T> m) __attribute__((always_inline)) {
      const Vec<T> x = m.load(g + j), v = mode == RnnMode::tanh ? gate_tanh(x) : greater(Vec<T>(T(0)), x);
      m.store(state + j, v);
      m.store(seen + j, v);
      if (keep) m.store(g + j, v);
    });
  }

  void run(int64_t r0, int64_t r1) const {
    const int64_t rows = r1 - r0, wide = mode == RnnMode::gru ? gate_count : projection.b ? hidden + out : 0;
    T *buffer = static_cast<T*>(scratch(1, size_t(rows * wide + 1) * sizeof(T))), *projected = buffer + rows * hidden;
    T* state = h + r0 * out;
    for (int64_t s = 0; s < steps; ++s) {
      const int64_t t = reverse ? steps - 1 - s : s;
      check_interrupt();
      if (mode == RnnMode::gru) {
        weight.multiply(rows, state, out, buffer, gate_count, bias, 0);
      } else {
        weight.multiply(rows, state, out, gates.at(t, r0), gates.row, gates.at(t, r0), gates.row);
      }
      for (int64_t n = r0; n < r1; ++n) {
        T* seen = y.at(t, n);
        if (lengths && t >= lengths[n]) {
          for (int64_t j = 0; j < out; ++j) seen[j] = T(0);
          if (projection.b)  // a row that is over must not bring old numbers into the product
            for (int64_t j = 0; j < hidden; ++j) buffer[(n - r0) * hidden + j] = T(0);
        } else if (mode == RnnMode::lstm) {
          projection.b ? lstm_row(t, n, buffer + (n - r0) * hidden, nullptr) : lstm_row(t, n, h + n * out, seen);
        } else if (mode == RnnMode::gru) {
          gru_row(t, n, buffer + (n - r0) * gate_count, h + n * out, seen);
        } else {
          plain_row(t, n, h + n * out, seen);
        }
      }
      if (!projection.b) continue;
      projection.multiply(rows, buffer, hidden, projected, out);
      for (int64_t n = r0; n < r1; ++n) {
        if (lengths && t >= lengths[n]) continue;
        const T* from = projected + (n - r0) * out;
        for (int64_t j = 0; j < out; ++j) h[n * out + j] = y.at(t, n)[j] = from[j];
      }
    }
  }
};

template <class T>
void forward(RnnMode mode, const View& gates, const View& weight, const View& projection, const View& bias,
             const View& lengths, bool reverse, bool keep, const View& cells, const View& y, const View& h,
             const View& c) {
  const int64_t steps = gates.shape[0], rows = gates.shape[1], count = gates.shape[2], out = y.shape[2];
  Layer<T> l{mode,
             reverse,
             keep,
             steps,
             count / gates_of(mode),
             out,
             count,
             Sequence<T>(gates),
             Sequence<T>(cells),
             Sequence<T>(y),
             transposed_weight_of<T>(weight),
             transposed_weight_of<T>(projection),
             bias.as<const T>(),
             lengths.as<const int64_t>(),
             h.as<T>(),
             c.as<T>()};
  pack_weights(l.weight, l.projection, steps, rows);
  for_batch(rnn_ns(steps, rows, count, out), rows, [&](int64_t r0, int64_t r1) { l.run(r0, r1); });
}

}  // namespace

void rnn(RnnMode mode, const View& gates, const View& weight, const View& projection, const View& bias,
         const View& lengths, bool reverse, bool keep, const View& cells, const View& y, const View& h, const View& c) {
  const auto run = gates.dtype == DType::float64 ? forward<double> : forward<float>;
  run(mode, gates, weight, projection, bias, lengths, reverse, keep, cells, y, h, c);
}

}  // namespace lamina::cpu::inline LAMINA_ISA
