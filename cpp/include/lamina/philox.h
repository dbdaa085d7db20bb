// Philox4x32-10: random bits as a pure function of (seed, offset, block), and the numbers made from them. Elements are
// mapped to blocks so that 16 SIMD lanes, or 16 CUDA threads, hold consecutive elements at any vector width.
#pragma once
#include <bit>
#include <cstdint>

#include "lamina/host_device.h"

#define LAMINA_PHILOX [[gnu::always_inline]] LAMINA_HD inline

namespace lamina::philox {

struct Block {
  uint32_t w[4];
};

// Ten rounds. `offset` numbers the draws of a generator, so that no two draws share a block.
LAMINA_PHILOX Block block(uint64_t seed, uint64_t offset, uint64_t index) {
  uint32_t c0 = uint32_t(index), c1 = uint32_t(index >> 32), c2 = uint32_t(offset), c3 = uint32_t(offset >> 32);
  uint32_t k0 = uint32_t(seed), k1 = uint32_t(seed >> 32);
  for (int round = 0; round < 10; ++round) {
    const uint64_t p0 = uint64_t(0xD2511F53u) * c0, p1 = uint64_t(0xCD9E8D57u) * c2;
    c0 = uint32_t(p1 >> 32) ^ c1 ^ k0;
    c1 = uint32_t(p1);
    c2 = uint32_t(p0 >> 32) ^ c3 ^ k1;
    c3 = uint32_t(p0);
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  return {{c0, c1, c2, c3}};
}

// Element i of a 32-bit draw is word (i % 64) / 16 of block i / 64 * 16 + i % 16; of a 64-bit draw, word pair
// (i % 32) / 16 of block i / 32 * 16 + i % 16.
inline constexpr int kLanes = 16;
LAMINA_PHILOX uint32_t element32(uint64_t seed, uint64_t offset, uint64_t i) {
  const Block b = block(seed, offset, i / 64 * kLanes + i % kLanes);
  return b.w[i % 64 / kLanes];
}
LAMINA_PHILOX uint64_t element64(uint64_t seed, uint64_t offset, uint64_t i) {
  const Block b = block(seed, offset, i / 32 * kLanes + i % kLanes);
  const bool second = i % 32 >= kLanes;
  return uint64_t(second ? b.w[3] : b.w[1]) << 32 | (second ? b.w[2] : b.w[0]);
}

// [0, 1) with `digits` random bits, all of them exact: 24 for float, 11 for float16, 8 for bfloat16.
LAMINA_PHILOX float uniform32(uint32_t w, int digits) {
  return float(int32_t(w >> (32 - digits))) * std::bit_cast<float>(uint32_t(127 - digits) << 23);
}
LAMINA_PHILOX double uniform64(uint64_t w) { return double(int64_t(w >> 11)) * 0x1p-53; }

// [0, range) from 64 bits: the high half of w * range; range 0 stands for 2^64.
LAMINA_PHILOX uint64_t below(uint64_t w, uint64_t range) {
  if (range == 0) return w;
  const uint64_t wl = uint32_t(w), wh = w >> 32, rl = uint32_t(range), rh = range >> 32;
  const uint64_t mid = wh * rl + (wl * rl >> 32);
  return wh * rh + (mid >> 32) + ((uint32_t(mid) + wl * rh) >> 32);
}

// A word is a success when it is below this: probability p to 32 bits, 0 never and 1 always.
LAMINA_PHILOX uint64_t bernoulli_threshold(double p) { return p >= 1 ? uint64_t(1) << 32 : uint64_t(p * 0x1p32 + 0.5); }

// Box-Muller. log is 2 atanh(f / (2 + f)) + e ln 2; the angle is reduced on the integer, so it is exact.
template <class T>
struct Pair {
  T a, b;
};

#if defined(__CUDA_ARCH__)
LAMINA_PHILOX float madd(float a, float b, float c) { return ::fmaf(a, b, c); }
LAMINA_PHILOX double madd(double a, double b, double c) { return ::fma(a, b, c); }
LAMINA_PHILOX float root(float x) { return ::sqrtf(x); }
LAMINA_PHILOX double root(double x) { return ::sqrt(x); }
#else
LAMINA_PHILOX float madd(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
LAMINA_PHILOX double madd(double a, double b, double c) { return __builtin_fma(a, b, c); }
LAMINA_PHILOX float root(float x) { return __builtin_sqrtf(x); }
LAMINA_PHILOX double root(double x) { return __builtin_sqrt(x); }
#endif
LAMINA_PHILOX float minus_two_log(float u) {
  const uint32_t bits = std::bit_cast<uint32_t>(u);
  const int32_t e = int32_t(bits - 0x3f3504f3u) >> 23;  // the mantissa lands in [sqrt(1/2), sqrt(2))
  const float m = std::bit_cast<float>(bits - uint32_t(e) * 0x800000u);
  const float s = (m - 1.0f) / (m + 1.0f), z = s * s;
  float p = madd(z, 2.0f / 11, 2.0f / 9);
  p = madd(p, z, 2.0f / 7);
  p = madd(p, z, 2.0f / 5);
  p = madd(p, z, 2.0f / 3);
  const float log_m = madd(p * z, s, 2.0f * s);
  return -2.0f * madd(float(e), 0.693147181f, log_m);
}
LAMINA_PHILOX double minus_two_log(double u) {
  const uint64_t bits = std::bit_cast<uint64_t>(u);
  const int64_t e = int64_t(bits - 0x3fe6a09e667f3bcdull) >> 52;
  const double m = std::bit_cast<double>(bits - (uint64_t(e) << 52));
  const double s = (m - 1.0) / (m + 1.0), z = s * s;
  double p = 2.0 / 23;
  for (int k = 21; k >= 3; k -= 2) p = madd(p, z, 2.0 / k);
  const double log_m = madd(p * z, s, 2.0 * s);
  return -2.0 * madd(double(int32_t(e)), 0.69314718055994531, log_m);
}

// cos and sin of 2 pi w / 2^32 (a 64-bit w: / 2^64).
LAMINA_PHILOX Pair<float> cos_sin(uint32_t w) {
  const uint32_t quadrant = (w + 0x20000000u) >> 30;
  const float x = float(int32_t(w - (quadrant << 30))) * 1.4629180792671596e-9f, z = x * x;  // |x| <= pi / 4
  float s = madd(z, 1.0f / 362880, -1.0f / 5040);
  s = madd(s, z, 1.0f / 120);
  s = madd(s, z, -1.0f / 6);
  s = madd(s * z, x, x);
  float c = madd(z, -1.0f / 3628800, 1.0f / 40320);
  c = madd(c, z, -1.0f / 720);
  c = madd(c, z, 1.0f / 24);
  c = madd(c, z, -0.5f);
  c = madd(c, z, 1.0f);
  const uint32_t si = std::bit_cast<uint32_t>(quadrant & 1 ? c : s), co = std::bit_cast<uint32_t>(quadrant & 1 ? s : c);
  const uint32_t cos_sign = ((quadrant + 1) & 2) << 30, sin_sign = (quadrant & 2) << 30;
  return {std::bit_cast<float>(co ^ cos_sign), std::bit_cast<float>(si ^ sin_sign)};
}
LAMINA_PHILOX Pair<double> cos_sin(uint64_t w) {
  const uint64_t quadrant = (w + (uint64_t(1) << 61)) >> 62;
  const double x = double(int64_t(w - (quadrant << 62))) * 3.4061215800865545e-19, z = x * x;
  double s = madd(z, 1.0 / 355687428096000, -1.0 / 1307674368000);
  s = madd(s, z, 1.0 / 6227020800);
  s = madd(s, z, -1.0 / 39916800);
  s = madd(s, z, 1.0 / 362880);
  s = madd(s, z, -1.0 / 5040);
  s = madd(s, z, 1.0 / 120);
  s = madd(s, z, -1.0 / 6);
  s = madd(s * z, x, x);
  double c = madd(z, -1.0 / 6402373705728000, 1.0 / 20922789888000);
  c = madd(c, z, -1.0 / 87178291200);
  c = madd(c, z, 1.0 / 479001600);
  c = madd(c, z, -1.0 / 3628800);
  c = madd(c, z, 1.0 / 40320);
  c = madd(c, z, -1.0 / 720);
  c = madd(c, z, 1.0 / 24);
  c = madd(c, z, -0.5);
  c = madd(c, z, 1.0);
  const uint64_t si = std::bit_cast<uint64_t>(quadrant & 1 ? c : s), co = std::bit_cast<uint64_t>(quadrant & 1 ? s : c);
  const uint64_t cos_sign = ((quadrant + 1) & 2) << 62, sin_sign = (quadrant & 2) << 62;
  return {std::bit_cast<double>(co ^ cos_sign), std::bit_cast<double>(si ^ sin_sign)};
}

// Two normal numbers from two words: radius from the first, angle from the second.
LAMINA_PHILOX Pair<float> normal32(uint32_t radius, uint32_t angle) {
  const float r = root(minus_two_log((float(radius) + 0.5f) * 0x1p-32f));
  const Pair<float> t = cos_sin(angle);
  return {r * t.a, r * t.b};
}
LAMINA_PHILOX Pair<double> normal64(uint64_t radius, uint64_t angle) {
  const double r = root(minus_two_log((double(int64_t(radius >> 11)) + 0.5) * 0x1p-53));
  const Pair<double> t = cos_sin(angle);
  return {r * t.a, r * t.b};
}

}  // namespace lamina::philox
