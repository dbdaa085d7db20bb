// poisson: out[i] ~ Poisson(rates[i]), element i from blocks (round << 40) + i of its draw. Rates below 10 multiply
// uniform numbers until exp(-rate) is passed; others reject from a transformed normal hat (Hoermann's PTRS).
#include "cpu/parallel.h"
#include "cpu/simd.h"
#include "lamina/math.h"
#include "lamina/philox.h"
#include "lamina/view.h"

namespace lamina::cpu::inline LAMINA_ISA {
namespace {

// The uniform numbers of one element, in (0, 1).
struct Stream {
  uint64_t seed, offset, element, round = 0;
  philox::Block words{};
  int left = 0;
  LAMINA_INLINE double next() {
    if (left == 0) {
      words = philox::block(seed, offset, (round++ << 40) + element);
      left = 2;
    }
    --left;
    const uint64_t w = uint64_t(words.w[2 * left + 1]) << 32 | words.w[2 * left];
    return philox::uniform64(w) + 0x1p-54;
  }
};

// log(k!) for k >= 0: Stirling's series from 10 on.
double log_factorial(double k) {
  double shift = 0, x = k + 1;
  while (x < 10) {
    shift += math::log(x);
    x += 1;
  }
  const double r = 1 / x, z = r * r;
  const double series = r * (1.0 / 12 - z * (1.0 / 360 - z * (1.0 / 1260 - z * (1.0 / 1680))));
  return (x - 0.5) * math::log(x) - x + 0.91893853320467274 + series - shift;
}

double small_rate(double rate, Stream& s) {
  const double limit = math::exp(-rate);
  double product = 1, k = -1;
  do {
    product *= s.next();
    k += 1;
  } while (product > limit);
  return k;
}

double large_rate(double rate, Stream& s) {
  const double root = __builtin_sqrt(rate), log_rate = math::log(rate);
  const double b = 0.931 + 2.53 * root, a = -0.059 + 0.02483 * b;
  const double inverse_alpha = 1.1239 + 1.1328 / (b - 3.4), sure = 0.9277 - 3.6224 / (b - 2);
  for (;;) {
    const double u = s.next() - 0.5, v = s.next();
    const double edge = 0.5 - (u < 0 ? -u : u);
    const double k = __builtin_floor((2 * a / edge + b) * u + rate + 0.43);
    if (edge >= 0.07 && v <= sure) return k;
    if (k < 0 || (edge < 0.013 && v > edge)) continue;
    if (math::log(v * inverse_alpha / (a / (edge * edge) + b)) <= k * log_rate - rate - log_factorial(k)) return k;
  }
}

}  // namespace

void random_poisson(const View& rates, const View& out, uint64_t seed, uint64_t offset) {
  for_ranges(out.numel(), 1024, [&](int64_t lo, int64_t hi) {
    for (int64_t i = lo; i < hi; ++i) {
      Stream s{seed, offset, uint64_t(i)};
      const double rate = rates.as<const double>()[i];
      out.as<double>()[i] = rate == 0 ? 0 : rate < 10 ? small_rate(rate, s) : large_rate(rate, s);
    }
  });
}

}  // namespace lamina::cpu::inline LAMINA_ISA
