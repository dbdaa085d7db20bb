// Optimizer steps over many tensors at once: one pass over each parameter, in tiles cut from all of them together.
// All tensors of one parameter are read as flat memory in the same order.
#include "gather.h"
#include "lamina/optim_step.h"
#include "lanes.h"
#include "work.h"

namespace lamina::cpu::inline LAMINA_ISA {
namespace {

constexpr int64_t kTile = 16384, kPiece = 512;

// View lists of one step: lists[0] parameters, lists[1] gradients, then state; a list may be null, or an entry's data
// null.
template <int Lists>
struct Flat {
  const View* lists[Lists];
  int count;

  bool has(int k, int t) const { return lists[k] && lists[k][t].data; }
};

// update(tensor, x): x[k] holds 16 elements of list k, and is changed in place. Lists in `written` are stored back.
template <class T, int Lists, class F>
LAMINA_INLINE void update_piece(const Flat<Lists>& flat, int t, int64_t at, int64_t n, uint32_t written,
                                const F& update) {
  // On the stack, so that no request for memory can fail while some parameters are written and others are not.
  alignas(64) T buf[Lists * kPiece];
  T* p[Lists] = {};
  bool direct[Lists] = {}, here[Lists];
  for (int k = 0; k < Lists; ++k) {
    here[k] = flat.has(k, t);
    if (!here[k]) continue;
    const View& v = flat.lists[k][t];
    direct[k] = stored_as<T>(v.dtype);
    p[k] = direct[k] ? v.as<T>() + at : buf + k * kPiece;
    if (!direct[k]) gather_run<T>(v.dtype, element(v.data, v.dtype, at), 1, n, p[k]);
  }
  for (int64_t i = 0; i < n; i += kLanes) {
    Lanes16<T> x[Lists];
    for (int k = 0; k < Lists; ++k)
      x[k] = here[k] ? Lanes16<T>::load(p[k] + i, n - i, T(0)) : Lanes16<T>::broadcast(T(0));
    update(x);
    for (int k = 0; k < Lists; ++k)
      if (here[k] && (written >> k & 1)) x[k].store(p[k] + i, n - i);
  }
  for (int k = 0; k < Lists; ++k) {
    if (!here[k] || direct[k] || !(written >> k & 1)) continue;
    const View& v = flat.lists[k][t];
    scatter_run<T>(v.dtype, p[k], element(v.data, v.dtype, at), 1, n);
  }
}

// work(tensor, first element, count) over tiles of every tensor; an element takes about `ns`.
template <class F>
void for_flat(const View* tensors, int count, double ns, const F& work) {
  int64_t* begin = static_cast<int64_t*>(scratch(0, size_t(count + 1) * sizeof(int64_t)));
  begin[0] = 0;
  for (int t = 0; t < count; ++t) begin[t + 1] = begin[t] + (tensors[t].numel() + kTile - 1) / kTile;
  // Small tensors share a task: about as much work as one tile.
  int64_t total = 0;
  for (int t = 0; t < count; ++t) total += tensors[t].numel();
  const int64_t tiles = begin[count], per_task = total > 0 ? (tiles * kTile + total - 1) / total : 1;
  for_work(double(total) * ns, tiles, per_task * 2, [&](int64_t lo, int64_t hi) {
    int t = 0;
    for (int step = count; step > 0; step /= 2)
      while (t + step < count && begin[t + step] <= lo) t += step;
    for (int64_t i = lo; i < hi; ++i) {
      while (begin[t + 1] <= i) ++t;
      const int64_t first = (i - begin[t]) * kTile, n = tensors[t].numel();
      work(t, first, n - first < kTile ? n - first : kTile);
    }
  });
}

template <class T, int Lists, class F>
void run_pieces(const Flat<Lists>& flat, int t, int64_t first, int64_t n, uint32_t written, const F& update) {
  for (int64_t i = 0; i < n; i += kPiece)
    update_piece<T>(flat, t, first + i, n - i < kPiece ? n - i : kPiece, written, update);
}

template <class T>
void sgd_tile(const Flat<3>& flat, int t, int64_t first, int64_t n, const SgdStep& s) {
  const bool buffer = flat.has(2, t), fresh = s.fresh && s.fresh[t];
  const auto all = [](double x) { return Lanes16<T>::broadcast(T(x)); };
  const Lanes16<T> sign = all(s.maximize ? -1 : 1), decay = all(s.weight_decay), momentum = all(s.momentum),
                   keep = all(1 - s.dampening), rate = all(-s.lr);
  run_pieces<T>(flat, t, first, n, buffer ? 5 : 1, [&](Lanes16<T>* x) __attribute__((always_inline)) {
    Lanes16<T> g = x[1] * sign;
    if (s.weight_decay != 0) g = fma(decay, x[0], g);
    if (buffer) {
      x[2] = fresh ? g : fma(momentum, x[2], keep * g);
      g = s.nesterov ? fma(momentum, x[2], g) : x[2];
    }
    x[0] = fma(rate, g, x[0]);
  });
}

double power(double b, int64_t n) {
  double r = 1;
  for (; n > 0; n >>= 1, b *= b)
    if (n & 1) r *= b;
  return r;
}

template <class T>
void adam_tile(const Flat<5>& flat, int t, int64_t first, int64_t n, const AdamStep& s) {
  const auto all = [](double x) { return Lanes16<T>::broadcast(T(x)); };
  const int64_t step = s.steps[t];
  const double rate = s.lr / (1 - power(s.beta1, step)), root = __builtin_sqrt(1 - power(s.beta2, step));
  const bool amsgrad = flat.has(4, t);
  const Lanes16<T> sign = all(s.maximize ? -1 : 1),
                   decay = all(s.decoupled ? 1 - s.lr * s.weight_decay : s.weight_decay), b1 = all(1 - s.beta1),
                   b2 = all(s.beta2), c2 = all(1 - s.beta2), inverse = all(1 / root), eps = all(s.eps),
                   step_size = all(-rate);
  run_pieces<T>(flat, t, first, n, amsgrad ? 29 : 13, [&](Lanes16<T>* x) __attribute__((always_inline)) {
    Lanes16<T> g = x[1] * sign;
    if (s.weight_decay != 0) {
      if (s.decoupled) {
        x[0] = x[0] * decay;
      } else {
        g = fma(decay, x[0], g);
      }
    }
    x[2] = fma(b1, g - x[2], x[2]);
    x[3] = fma(c2 * g, g, b2 * x[3]);
    Lanes16<T> v = x[3];
    if (amsgrad) {
      for (int i = 0; i < Lanes16<T>::regs; ++i)  // NaN stays, as in maximum
        x[4].r[i] = select((v.r[i] > x[4].r[i]) | (v.r[i] != v.r[i]), v.r[i], x[4].r[i]);
      v = x[4];
    }
    for (int i = 0; i < Lanes16<T>::regs; ++i) {
      const Vec<T> denominator = fma(sqrt(v.r[i]), inverse.r[i], eps.r[i]);
      x[0].r[i] = fma(step_size.r[i], x[2].r[i] / denominator, x[0].r[i]);
    }
  });
}

}  // namespace

void sgd_step(const View* params, const View* grads, const View* momentum, int count, const SgdStep& step) {
  const Flat<3> flat{{params, grads, momentum}, count};
  for_flat(params, count, 0.2, [&](int t, int64_t first, int64_t n) {
    params[t].dtype == DType::float64 ? sgd_tile<double>(flat, t, first, n, step)
                                      : sgd_tile<float>(flat, t, first, n, step);
  });
}

void adam_step(const View* params, const View* grads, const View* mean, const View* square, const View* largest,
               int count, const AdamStep& step) {
  const Flat<5> flat{{params, grads, mean, square, largest}, count};
  for_flat(params, count, 0.4, [&](int t, int64_t first, int64_t n) {
    params[t].dtype == DType::float64 ? adam_tile<double>(flat, t, first, n, step)
                                      : adam_tile<float>(flat, t, first, n, step);
  });
}

}  // namespace lamina::cpu::inline LAMINA_ISA
