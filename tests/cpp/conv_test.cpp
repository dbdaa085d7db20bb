// Convolution and pooling against their definitions (the laws in cpp/cpu/conv*.cpp and *_pool.cpp), bit for bit: random
// shapes, strides, paddings, dilations, groups, layouts and thread counts. LAMINA_ISA chooses the level.
// usage: conv_test [cases] [seed]
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <vector>

#include "lamina/backend.h"

using namespace lamina;

namespace {

std::mt19937_64 rng;
int64_t pick(int64_t lo, int64_t hi) { return lo + int64_t(rng() % uint64_t(hi - lo + 1)); }
bool one_in(int64_t n) { return pick(1, n) == 1; }

template <class S>
struct Arith {
  using type = float;
};
template <>
struct Arith<double> {
  using type = double;
};
float wide(float x) { return x; }
double wide(double x) { return x; }
float wide(Half x) { return to_float(x); }
float wide(BFloat16 x) { return to_float(x); }
int64_t wide(int64_t x) { return x; }
void put(double v, float& x) { x = float(v); }
void put(double v, double& x) { x = v; }
void put(double v, Half& x) { x = to_half(float(v)); }
void put(double v, BFloat16& x) { x = to_bfloat16(float(v)); }
void put(double v, int64_t& x) { x = int64_t(v); }

// A tensor in memory of its own: contiguous, channels-last, or any order of axes with gaps and negative strides.
template <class S>
struct Operand {
  std::vector<S> memory;
  View v{};

  explicit Operand(const std::vector<int64_t>& shape) {
    const int n = int(shape.size()), layout = int(pick(0, 2));
    std::vector<int> order(shape.size());
    for (int i = 0; i < n; ++i) order[size_t(i)] = i;
    if (layout == 1 && n == 4) order = {0, 2, 3, 1};
    if (layout == 2) std::shuffle(order.begin(), order.end(), rng);
    int64_t step = layout == 2 ? pick(1, 2) : 1, low = 0;
    v.ndim = n;
    v.dtype = DTypeOf<S>::value;
    for (int at = n - 1; at >= 0; --at) {
      const int i = order[size_t(at)];
      const bool negative = layout == 2 && one_in(4);
      v.shape[i] = shape[size_t(i)];
      v.stride[i] = negative ? -step : step;
      if (negative) low += step * (v.shape[i] - 1);
      step *= v.shape[i];
    }
    memory.resize(size_t(step));
    for (S& x : memory) put(double(pick(-1000000, 1000000)) * 1e-6, x);
    v.data = memory.data() + low;
  }
  S& at(int64_t a, int64_t b = 0, int64_t c = 0, int64_t d = 0) const {
    const int64_t i[4] = {a, b, c, d};
    S* p = v.as<S>();
    for (int k = 0; k < v.ndim; ++k) p += i[k] * v.stride[k];
    return *p;
  }
  template <class F>
  void each(F f) const {
    for (int64_t a = 0; a < v.shape[0]; ++a)
      for (int64_t b = 0; b < v.shape[1]; ++b)
        for (int64_t c = 0; c < v.shape[2]; ++c)
          for (int64_t d = 0; d < v.shape[3]; ++d) f(a, b, c, d);
  }
};

// The sum of a law: chains of fma inside chunks, totals of the chunks that were used in order.
template <class T>
struct Chain {
  T total = 0, acc = 0;
  int64_t chunk = -1;
  bool any = false;
  void add(int64_t in_chunk, T a, T b) {
    if (in_chunk != chunk) flush(), chunk = in_chunk;
    acc = std::fma(a, b, acc);
  }
  void flush() {
    if (chunk >= 0) total = any ? total + acc : acc, any = true;
    acc = 0;
  }
  T done() {
    flush();
    return total;
  }
};

struct Case {
  int64_t n, groups, ic, oc, h, w, oh, ow;
  Window p;
  bool possible;
};

Case random_case() {
  Case c{};
  Window& p = c.p;
  c.n = pick(1, 3), c.groups = one_in(4) ? pick(2, 4) : 1;
  c.ic = pick(1, one_in(3) ? 140 : 20), c.oc = pick(1, one_in(3) ? 70 : 20);
  if (one_in(5)) c.ic = c.oc = 1, c.groups = pick(2, 90);
  c.h = pick(1, 14), c.w = one_in(10) ? pick(250, 300) : pick(1, 20);
  int64_t after[2];
  for (int d = 0; d < 2; ++d) {
    p.kernel[d] = pick(1, 4), p.stride[d] = one_in(2) ? 1 : pick(1, 3), p.dilation[d] = one_in(3) ? pick(1, 3) : 1;
    p.padding[d] = pick(0, 3);
    after[d] = one_in(4) ? pick(0, 3) : p.padding[d];
  }
  const int64_t room_h = c.h + p.padding[0] + after[0] - ((p.kernel[0] - 1) * p.dilation[0] + 1);
  const int64_t room_w = c.w + p.padding[1] + after[1] - ((p.kernel[1] - 1) * p.dilation[1] + 1);
  c.possible = room_h >= 0 && room_w >= 0;
  if (!c.possible) return c;
  c.oh = room_h / p.stride[0] + 1, c.ow = room_w / p.stride[1] + 1;
  c.possible = c.n * c.groups * c.oc * c.oh * c.ow * c.ic * p.kernel[0] * p.kernel[1] < 6000000;
  return c;
}

int failures = 0;
template <class S, class F>
void expect(const char* what, const Case& c, const Operand<S>& got, F reference) {
  bool same = true;
  got.each([&](int64_t a, int64_t b, int64_t y, int64_t z) {
    S want;
    put(reference(a, b, y, z), want);
    if (!same || std::memcmp(&want, &got.at(a, b, y, z), sizeof(S)) == 0) return;
    same = false;
    ++failures;
    std::printf("%s, %zu bytes: (%ld, %ld, %ld, %ld) is %.9g, wanted %.9g\n", what, sizeof(S), a, b, y, z,
                double(wide(got.at(a, b, y, z))), double(wide(want)));
    std::printf(
        "  N %ld G %ld IC %ld OC %ld H %ld W %ld OH %ld OW %ld kernel %ld,%ld stride %ld,%ld padding %ld,%ld dilation "
        "%ld,%ld\n",
        c.n, c.groups, c.ic, c.oc, c.h, c.w, c.oh, c.ow, c.p.kernel[0], c.p.kernel[1], c.p.stride[0], c.p.stride[1],
        c.p.padding[0], c.p.padding[1], c.p.dilation[0], c.p.dilation[1]);
  });
}

template <class S>
void conv_case(const Case& c) {
  using T = typename Arith<S>::type;
  const Window& p = c.p;
  const int64_t kh = p.kernel[0], kw = p.kernel[1];
  Operand<S> x({c.n, c.groups * c.ic, c.h, c.w}), w({c.groups * c.oc, c.ic, kh, kw}), bias({c.groups * c.oc});
  Operand<S> g({c.n, c.groups * c.oc, c.oh, c.ow}), out({c.n, c.groups * c.oc, c.oh, c.ow}),
      gx({c.n, c.groups * c.ic, c.h, c.w});
  Operand<S> gw({c.groups * c.oc, c.ic, kh, kw});
  if (one_in(5))
    for (S& v : w.memory)
      if (one_in(20)) put(one_in(2) ? INFINITY : -0.0, v);
  const bool with_bias = one_in(2);
  auto value = [](S v) { return T(wide(v)); };

  cpu::kernels().conv2d(x.v, w.v, with_bias ? &bias.v : nullptr, out.v, p, c.groups);
  expect("conv2d", c, out, [&](int64_t n, int64_t o, int64_t y, int64_t z) {
    Chain<T> sum;
    int64_t k = 0;
    for (int64_t a = 0; a < kh; ++a)
      for (int64_t b = 0; b < kw; ++b)
        for (int64_t i = 0; i < c.ic; ++i, ++k) {
          const int64_t iy = y * p.stride[0] - p.padding[0] + a * p.dilation[0],
                        iz = z * p.stride[1] - p.padding[1] + b * p.dilation[1];
          if (iy >= 0 && iy < c.h && iz >= 0 && iz < c.w)
            sum.add(k / 256, value(x.at(n, o / c.oc * c.ic + i, iy, iz)), value(w.at(o, i, a, b)));
        }
    return with_bias ? sum.done() + value(bias.at(o)) : sum.done();
  });

  cpu::kernels().conv2d_input_grad(g.v, w.v, gx.v, p, c.groups);
  expect("conv2d_input_grad", c, gx, [&](int64_t n, int64_t i, int64_t y, int64_t z) {
    Chain<T> sum;
    int64_t k = 0;
    for (int64_t a = kh - 1; a >= 0; --a)
      for (int64_t b = kw - 1; b >= 0; --b) {
        const int64_t qy = y + p.padding[0] - a * p.dilation[0], qz = z + p.padding[1] - b * p.dilation[1];
        if (qy % p.stride[0] || qz % p.stride[1]) continue;
        for (int64_t o = 0; o < c.oc; ++o, ++k)
          if (qy >= 0 && qz >= 0 && qy / p.stride[0] < c.oh && qz / p.stride[1] < c.ow)
            sum.add(k / 256, value(g.at(n, i / c.ic * c.oc + o, qy / p.stride[0], qz / p.stride[1])),
                    value(w.at(i / c.ic * c.oc + o, i % c.ic, a, b)));
      }
    return sum.done();
  });

  cpu::kernels().conv2d_weight_grad(g.v, x.v, gw.v, p, c.groups);
  const bool whole_images = c.oh * c.ow <= 256;
  const int64_t images = std::max<int64_t>(1, 256 / (c.oh * c.ow)), rows = std::max<int64_t>(1, 256 / c.ow);
  expect("conv2d_weight_grad", c, gw, [&](int64_t o, int64_t i, int64_t a, int64_t b) {
    Chain<T> sum;
    sum.any = true;  // the totals start from zero
    for (int64_t n = 0; n < c.n; ++n)
      for (int64_t y = 0; y < c.oh; ++y)
        for (int64_t z = 0; z < c.ow; ++z) {
          const int64_t iy = y * p.stride[0] - p.padding[0] + a * p.dilation[0],
                        iz = z * p.stride[1] - p.padding[1] + b * p.dilation[1];
          if (iy < 0 || iy >= c.h || iz < 0 || iz >= c.w) continue;
          const int64_t chunk = whole_images ? n / images : (n * c.oh + y / rows) * 1000 + z / 256;
          sum.add(chunk, value(x.at(n, o / c.oc * c.ic + i, iy, iz)), value(g.at(n, o, y, z)));
        }
    return sum.done();
  });
}

template <class S>
void max_pool_case(const Case& c) {
  using T = typename Arith<S>::type;
  const Window& p = c.p;
  Operand<S> x({c.n, c.ic, c.h, c.w}), out({c.n, c.ic, c.oh, c.ow}), g({c.n, c.ic, c.oh, c.ow}),
      gx({c.n, c.ic, c.h, c.w});
  Operand<S> picked({c.n, c.ic, c.oh, c.ow});
  Operand<int64_t> at({c.n, c.ic, c.oh, c.ow});
  for (S& v : x.memory)
    if (one_in(30)) put(NAN, v);
  auto place = [&](int64_t n, int64_t ch, int64_t y, int64_t z) {
    int64_t found = -1;
    for (int64_t a = 0; a < p.kernel[0]; ++a)
      for (int64_t b = 0; b < p.kernel[1]; ++b) {
        const int64_t iy = y * p.stride[0] - p.padding[0] + a * p.dilation[0],
                      iz = z * p.stride[1] - p.padding[1] + b * p.dilation[1];
        if (iy < 0 || iy >= c.h || iz < 0 || iz >= c.w) continue;
        const T v = T(wide(x.at(n, ch, iy, iz)));
        if (found < 0 || v > T(wide(x.at(n, ch, found / c.w, found % c.w))) || v != v) found = iy * c.w + iz;
      }
    return found;
  };
  cpu::kernels().max_pool2d(x.v, out.v, at.v, p);
  expect("max_pool2d indices", c, at, place);
  auto pooled = [&](int64_t n, int64_t ch, int64_t y, int64_t z) {
    const int64_t k = place(n, ch, y, z);
    return double(wide(x.at(n, ch, k / c.w, k % c.w)));
  };
  expect("max_pool2d", c, out, pooled);
  cpu::kernels().max_pool2d_gather(x.v, at.v, picked.v);
  expect("max_pool2d_gather", c, picked, pooled);
  cpu::kernels().max_pool2d_backward(g.v, at.v, gx.v);
  expect("max_pool2d_backward", c, gx, [&](int64_t n, int64_t ch, int64_t y, int64_t z) {
    T sum = 0;
    for (int64_t oy = 0; oy < c.oh; ++oy)
      for (int64_t oz = 0; oz < c.ow; ++oz)
        if (at.at(n, ch, oy, oz) == y * c.w + z) sum += T(wide(g.at(n, ch, oy, oz)));
    return sum;
  });
}

template <class S>
void avg_pool_case(const Case& c, bool adaptive) {
  using T = typename Arith<S>::type;
  const Window& p = c.p;
  Operand<S> x({c.n, c.ic, c.h, c.w}), out({c.n, c.ic, c.oh, c.ow}), g({c.n, c.ic, c.oh, c.ow}),
      gx({c.n, c.ic, c.h, c.w});
  const bool include_pad = one_in(2);
  const int64_t divisor = !adaptive && one_in(3) ? pick(1, 9) : 0;
  const int64_t in[2] = {c.h, c.w}, outs[2] = {c.oh, c.ow};
  struct Span {
    int64_t lo, hi, counted;
  };
  auto span = [&](int64_t o, int d) -> Span {
    if (adaptive) {
      const int64_t lo = o * in[d] / outs[d], hi = ((o + 1) * in[d] + outs[d] - 1) / outs[d];
      return {lo, hi, hi - lo};
    }
    const int64_t lo = o * p.stride[d] - p.padding[d], hi = std::min(lo + p.kernel[d], in[d] + p.padding[d]);
    const int64_t a = std::max<int64_t>(lo, 0), b = std::min(hi, in[d]);
    return {a, b, include_pad ? hi - lo : b - a};
  };
  auto denominator = [&](int64_t y, int64_t z) {
    return double(divisor ? divisor : span(y, 0).counted * span(z, 1).counted);
  };
  cpu::kernels().avg_pool2d(x.v, out.v, adaptive ? nullptr : &p, include_pad, divisor);
  expect("avg_pool2d", c, out, [&](int64_t n, int64_t ch, int64_t y, int64_t z) {
    double sum = 0;
    for (int64_t iy = span(y, 0).lo; iy < span(y, 0).hi; ++iy)
      for (int64_t iz = span(z, 1).lo; iz < span(z, 1).hi; ++iz) sum += double(wide(x.at(n, ch, iy, iz)));
    return double(T(sum / denominator(y, z)));
  });
  cpu::kernels().avg_pool2d_backward(g.v, gx.v, adaptive ? nullptr : &p, include_pad, divisor);
  expect("avg_pool2d_backward", c, gx, [&](int64_t n, int64_t ch, int64_t y, int64_t z) {
    T sum = 0;
    for (int64_t oy = 0; oy < c.oh; ++oy)
      for (int64_t oz = 0; oz < c.ow; ++oz)
        if (span(oy, 0).lo <= y && y < span(oy, 0).hi && span(oz, 1).lo <= z && z < span(oz, 1).hi)
          sum += T(wide(g.at(n, ch, oy, oz))) / T(denominator(oy, oz));
    return sum;
  });
}

// Pooling allows padding of at most half the kernel and no window beyond the input and its padding.
Case random_pool() {
  Case c = random_case();
  int64_t* sizes[2] = {&c.oh, &c.ow};
  const int64_t in[2] = {c.h, c.w};
  c.ic = one_in(3) ? pick(60, 140) : pick(1, 20);
  for (int d = 0; d < 2; ++d) {
    c.p.padding[d] = std::min(c.p.padding[d], c.p.kernel[d] / 2);
    if (in[d] < c.p.dilation[d]) c.p.dilation[d] = 1;  // or every tap could miss the input
    const int64_t room = in[d] + 2 * c.p.padding[d] - ((c.p.kernel[d] - 1) * c.p.dilation[d] + 1);
    c.possible = (d == 0 || c.possible) && room >= 0;
    *sizes[d] = room / c.p.stride[d] + 1;
  }
  return c;
}

template <class S>
void all_cases() {
  Case c = random_case();
  if (c.possible) conv_case<S>(c);
  c = random_pool();
  if (c.possible) {
    max_pool_case<S>(c);
    if (c.p.dilation[0] == 1 && c.p.dilation[1] == 1) avg_pool_case<S>(c, false);
  }
  c.oh = pick(1, 9), c.ow = pick(1, 9);
  avg_pool_case<S>(c, true);
}

}  // namespace

int main(int argc, char** argv) {
  const int64_t cases = argc > 1 ? std::atoll(argv[1]) : 100;
  rng.seed(argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 1);
  for (int64_t i = 0; i < cases && failures < 10; ++i) {
    cpu::set_num_threads(int(pick(1, 4)));
    switch (i % 5) {
      case 0:
        all_cases<double>();
        break;
      case 1:
        all_cases<Half>();
        break;
      case 2:
        all_cases<BFloat16>();
        break;
      default:
        all_cases<float>();
    }
  }
  std::printf("conv_test: %ld cases at %s, %d failures\n", cases, cpu::isa_name(), failures);
  return failures != 0;
}
