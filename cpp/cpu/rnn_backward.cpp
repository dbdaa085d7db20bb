// Backward of one recurrent layer in one direction, from the last step to the first. With dh the gradient of the state:
//   LSTM: dc += dh o (1 - tanh(c)^2);  gates: dc g i (1 - i), dc c_before f (1 - f), dc i (1 - g^2), dh tanh(c) o (1 -
//   o);
//         dc_before = dc f;  dh_before = gates W
//   GRU:  n: dh (1 - z) (1 - n^2);  z: dh (h_before - n) z (1 - z);  r: n p_n r (1 - r);  hidden products: r, z, n r;
//         dh_before = dh z + hidden products W
//   RNN:  dh (1 - h^2) or dh [h > 0];  dh_before = that W
// The products that give the gradients of weights and inputs run over all steps at once, outside.
#include "cpu/rnn.h"

namespace lamina::cpu::inline LAMINA_ISA {
namespace {

template <class T>
struct Back {
  RnnMode mode;
  bool reverse;
  int64_t steps, hidden, out, gate_count;
  Sequence<T> gates, cells, y, gy, dgates, dhidden, before, inner, dout;
  const T *h0, *c0;
  const int64_t* lengths;
  T *dh, *dc;
  Weight<T> weight, projection;

  // The step that came before t in this row's run; -1: none, the layer began here.
  int64_t earlier(int64_t t, int64_t n) const {
    if (!reverse) return t - 1;
    return t + 1 < (lengths ? lengths[n] : steps) ? t + 1 : -1;
  }
  static void copy(const T* from, T* to, int64_t n) {
    for (int64_t j = 0; j < n; ++j) to[j] = from[j];
  }

  // d: gradient of o tanh(c).
  LAMINA_INLINE void lstm_row(int64_t t, int64_t n, const T* d) const {
    const int64_t past = earlier(t, n);
    const T *g = gates.at(t, n), *now = cells.at(t, n), *old = past < 0 ? c0 + n * hidden : cells.at(past, n);
    T *to = dgates.at(t, n), *carry = dc + n * hidden, *kept = inner ? inner.at(t, n) : nullptr;
    const Vec<T> one(T(1));
    for_lanes<T>(hidden, [&](int64_t j, Lanes<T> m) __attribute__((always_inline)) {
      const Vec<T> in = m.load(g + j), forget = m.load(g + hidden + j), fresh = m.load(g + 2 * hidden + j),
                   open = m.load(g + 3 * hidden + j), tc = gate_tanh(m.load(now + j)), dm = m.load(d + j);
      const Vec<T> dcell = fma(dm * open, fma(-tc, tc, one), m.load(carry + j));
      m.store(to + j, (dcell * fresh) * (in * (one - in)));
      m.store(to + hidden + j, (dcell * m.load(old + j)) * (forget * (one - forget)));
      m.store(to + 2 * hidden + j, (dcell * in) * fma(-fresh, fresh, one));
      m.store(to + 3 * hidden + j, (dm * tc) * (open * (one - open)));
      m.store(carry + j, dcell * forget);
      if (kept) m.store(kept + j, open * tc);
    });
  }
  LAMINA_INLINE void gru_row(int64_t t, int64_t n, T* d) const {
    const T *g = gates.at(t, n), *p = cells.at(t, n), *old = before.at(t, n);
    T *to = dgates.at(t, n), *hid = dhidden.at(t, n);
    const Vec<T> one(T(1));
    for_lanes<T>(hidden, [&](int64_t j, Lanes<T> m) __attribute__((always_inline)) {
      const Vec<T> r = m.load(g + j), z = m.load(g + hidden + j), fresh = m.load(g + 2 * hidden + j),
                   dv = m.load(d + j);
      const Vec<T> dn = (dv * (one - z)) * fma(-fresh, fresh, one),
                   dz = (dv * (m.load(old + j) - fresh)) * (z * (one - z)), dr = (dn * m.load(p + j)) * (r * (one - r));
      for (T* q : {to, hid}) {
        m.store(q + j, dr);
        m.store(q + hidden + j, dz);
      }
      m.store(to + 2 * hidden + j, dn);
      m.store(hid + 2 * hidden + j, dn * r);
      m.store(d + j, dv * z);
    });
  }
  LAMINA_INLINE void plain_row(int64_t t, int64_t n, const T* d) const {
    const T* v = gates.at(t, n);
    T* to = dgates.at(t, n);
    const Vec<T> one(T(1)), zero(T(0));
    for_lanes<T>(hidden, [&](int64_t j, Lanes<T> m) __attribute__((always_inline)) {
      const Vec<T> h = m.load(v + j), dv = m.load(d + j);
      m.store(to + j, mode == RnnMode::tanh ? dv * fma(-h, h, one) : select(h <= zero, zero, dv));
    });
  }
  // A step that this row did not take.
  void skip(int64_t t, int64_t n, T* total, T* raw) const {
    const Sequence<T>* written[5] = {&dgates, &dhidden, &before, &inner, &dout};
    const int64_t width[5] = {gate_count, gate_count, out, hidden, out};
    for (int q = 0; q < 5; ++q)
      if (*written[q])
        for (int64_t j = 0; j < width[q]; ++j) written[q]->at(t, n)[j] = T(0);
    if (!projection.b) return;
    for (int64_t j = 0; j < out; ++j) total[j] = T(0);
    for (int64_t j = 0; j < hidden; ++j) raw[j] = T(0);
  }

  void run(int64_t r0, int64_t r1) const {
    const int64_t rows = r1 - r0;
    // next: dh of the step before; total, raw: beside a projection, gradients of its outputs and inputs.
    T* next = static_cast<T*>(scratch(1, size_t(rows * (2 * out + hidden) + 1) * sizeof(T)));
    T *total = next + rows * out, *raw = total + rows * out;
    const Sequence<T>& products = dhidden ? dhidden : dgates;
    for (int64_t s = steps - 1; s >= 0; --s) {
      const int64_t t = reverse ? steps - 1 - s : s;
      check_interrupt();
      for (int64_t n = r0; n < r1; ++n) {
        if (lengths && t >= lengths[n]) {
          skip(t, n, total + (n - r0) * out, raw + (n - r0) * hidden);
          continue;
        }
        T* d = dh + n * out;
        if (gy)
          for (int64_t j = 0; j < out; ++j) d[j] += gy.at(t, n)[j];
        const int64_t past = earlier(t, n);
        copy(past < 0 ? h0 + n * out : y.at(past, n), before.at(t, n), out);
        if (!projection.b) continue;
        copy(d, dout.at(t, n), out);
        copy(d, total + (n - r0) * out, out);
      }
      if (projection.b) projection.multiply(rows, total, out, raw, hidden);
      for (int64_t n = r0; n < r1; ++n) {
        if (lengths && t >= lengths[n]) continue;
        if (mode == RnnMode::lstm) {
          lstm_row(t, n, projection.b ? raw + (n - r0) * hidden : dh + n * out);
        } else if (mode == RnnMode::gru) {
          gru_row(t, n, dh + n * out);
        } else {
          plain_row(t, n, dh + n * out);
        }
      }
      weight.multiply(rows, products.at(t, r0), products.row, next, out);
      for (int64_t n = r0; n < r1; ++n) {
        if (lengths && t >= lengths[n]) continue;
        const T* from = next + (n - r0) * out;
        T* d = dh + n * out;
        for (int64_t j = 0; j < out; ++j) d[j] = mode == RnnMode::gru ? d[j] + from[j] : from[j];
      }
    }
  }
};

template <class T>
void backward(RnnMode mode, const View& gates, const View& cells, const View& y, const View& weight,
              const View& projection, const View& h0, const View& c0, const View& lengths, bool reverse, const View& gy,
              const View& dh, const View& dc, const View& dgates, const View& dhidden, const View& before,
              const View& inner, const View& dout) {
  const int64_t steps = gates.shape[0], rows = gates.shape[1], count = gates.shape[2], out = y.shape[2];
  using S = Sequence<T>;
  Back<T> b{mode,
            reverse,
            steps,
            count / gates_of(mode),
            out,
            count,
            S(gates),
            S(cells),
            S(y),
            S(gy),
            S(dgates),
            S(dhidden),
            S(before),
            S(inner),
            S(dout),
            h0.as<const T>(),
            c0.as<const T>(),
            lengths.as<const int64_t>(),
            dh.as<T>(),
            dc.as<T>(),
            weight_of<T>(weight),
            weight_of<T>(projection)};
  pack_weights(b.weight, b.projection, steps, rows);
  for_batch(rnn_ns(steps, rows, count, out), rows, [&](int64_t r0, int64_t r1) { b.run(r0, r1); });
}

}  // namespace

void rnn_backward(RnnMode mode, const View& gates, const View& cells, const View& y, const View& weight,
                  const View& projection, const View& h0, const View& c0, const View& lengths, bool reverse,
                  const View& gy, const View& dh, const View& dc, const View& dgates, const View& dhidden,
                  const View& before, const View& inner, const View& dout) {
  const auto run = gates.dtype == DType::float64 ? backward<double> : backward<float>;
  run(mode, gates, cells, y, weight, projection, h0, c0, lengths, reverse, gy, dh, dc, dgates, dhidden, before, inner,
      dout);
}

}  // namespace lamina::cpu::inline LAMINA_ISA
