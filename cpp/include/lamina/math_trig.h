// Sine, cosine, tangent and their inverses, for every argument: exact reduction by as many bits of 2/pi as it takes.
#pragma once
#include "lamina/math_base.h"

namespace lamina::math::inline LAMINA_ISA {

inline constexpr double kHalfPi = 0x1.921fb54442d18p0, kHalfPiLow = 0x1.1a62633145c07p-54;

// The first 1216 bits of 2/pi after a word of zeros.
LAMINA_FN uint64_t two_over_pi(int word) {
  constexpr uint64_t table[20] = {0x0000000000000000, 0xa2f9836e4e441529, 0xfc2757d1f534ddc0, 0xdb6295993c439041,
                                  0xfe5163abdebbc561, 0xb7246e3a424dd2e0, 0x06492eea09d1921c, 0xfe1deb1cb129a73e,
                                  0xe88235f52ebb4484, 0xe99c7026b45f7e41, 0x3991d639835339f4, 0x9c845f8bbdf9283b,
                                  0x1ff897ffde05980f, 0xef2f118b5a0a6d1f, 0x6d367ecf27cb09b7, 0x4f463f669e5fea2d,
                                  0x7527bac7ebe5f17b, 0x3d0739f78a5292ea, 0x6bfb5fb11f8d5d08, 0x56033046fc7b6bab};
  return table[word];
}

// x = q pi/2 + r + low, |r| <= pi/4, for any finite |x| >= 2^10. Returns q modulo 4.
LAMINA_HD [[gnu::noinline]] static inline int reduce_large(double x, double* r, double* low) {
  const uint64_t u = uint64_t(bits(x)) & 0x7fffffffffffffff;
  const uint64_t m = (u & 0x000fffffffffffff) | 0x0010000000000000;
  // |x| = m 2^e. Bits of 2/pi that give multiples of 4 are left out: the window starts at bit e - 2.
  const int at = int(u >> 52) - 1075 - 2 + 64, word = at >> 6, shift = at & 63;
  uint64_t w[3];
  for (int i = 0; i < 3; ++i)
    w[i] =
        shift ? (two_over_pi(word + i) << shift) | (two_over_pi(word + i + 1) >> (64 - shift)) : two_over_pi(word + i);
  using Wide = unsigned __int128;
  const Wide p0 = Wide(m) * w[2], p1 = Wide(m) * w[1] + uint64_t(p0 >> 64);
  const uint64_t top = uint64_t(p1 >> 64) + m * w[0];
  // Two integer bits, then the fraction of x / (pi/2), rounded to the nearest integer: a signed 128-bit number.
  Wide f = (((Wide(top) << 64) | uint64_t(p1)) << 2) | (uint64_t(p0) >> 62);
  int q = int(top >> 62);
  const bool up = (f >> 127) != 0;
  if (up) f = -f, ++q;
  if (f == 0) f = 1;
  const uint64_t high = uint64_t(f >> 64);
  const int zeros = high ? __builtin_clzll(high) : 64 + __builtin_clzll(uint64_t(f));
  f <<= zeros;
  const double scale = from_bits(int64_t(1023 - zeros) << 52);
  const double a = double(uint64_t(f >> 75)) * 0x1p-53 * scale,
               b = double(uint64_t(f >> 22) & 0x1fffffffffffff) * 0x1p-106 * scale;
  const double h = a * kHalfPi, l = fma(a, kHalfPi, -h) + (a * kHalfPiLow + b * kHalfPi);
  const double s = h + l, t = l - (s - h);
  const bool negative = up != (bits(x) < 0);
  *r = negative ? -s : s;
  *low = negative ? -t : t;
  return (bits(x) < 0 ? -q : q) & 3;
}

// x = q pi/2 + r + low; q is an integer, modulo 4 where it is large.
template <Double V>
struct TrigReduced {
  V q, r, low;
};
template <Double V>
LAMINA_FN void reduce_large_lanes(V x, TrigReduced<V>& t, double limit) {
  if (!any(abs(x) > V(limit))) return;
  for (int i = 0; i < kLanes<V>; ++i) {
    const double xi = get_lane(x, i);
    double r = xi - xi, low = 0;  // NaN where x is infinite
    int q = 0;
    if (!(abs(xi) > limit)) continue;
    if (r == 0) q = reduce_large(xi, &r, &low);
    set_lane(t.q, i, double(q));
    set_lane(t.r, i, r);
    set_lane(t.low, i, low);
  }
}
// For float functions: pi/2 = 33 bits + 53 bits, products with |q| < 2^20 exact in the first part.
template <Double V>
LAMINA_FN TrigReduced<V> trig_reduce_plain(V x) {
  const V q = (x * V(0x1.45f306dc9c883p-1) + round_magic<V>()) - round_magic<V>();
  TrigReduced<V> t{q, (x - q * V(0x1.921fb5440p0)) - q * V(0x1.0b4611a626331p-34), V(0)};
  reduce_large_lanes(x, t, 0x1p20);
  return t;
}
template <Double V>
LAMINA_FN TrigReduced<V> trig_reduce(V x) {
  const V q = fma(x, V(0x1.45f306dc9c883p-1), round_magic<V>()) - round_magic<V>();
  const V a = fma(-q, V(kHalfPi), x), w = q * V(kHalfPiLow), h = a - w, b = h - a;
  const V e = ((a - (h - b)) - (w + b)) - fma(q, V(kHalfPiLow), -w) - q * V(-0x1.f1976b7ed8fbcp-110);
  const V r = h + e;
  TrigReduced<V> t{q, r, e - (r - h)};
  reduce_large_lanes(x, t, 0x1p20);
  return t;
}

template <Double V>
struct SinCos {
  V sin, cos;
};
// Of the reduced argument, then turned by q quarters.
template <Double V>
LAMINA_FN SinCos<V> turn(V q, V s, V c) {
  using I = int_t<V>;
  const I i = bits(q + round_magic<V>());
  const auto odd = (i & I(1)) != I(0);
  const V sv = select(odd, c, s), cv = select(odd, s, c);
  return {from_bits(bits(sv) ^ ((i & I(2)) << 62)), from_bits(bits(cv) ^ (((i + I(1)) & I(2)) << 62))};
}
template <Double V>
LAMINA_FN SinCos<V> sin_cos_plain(V x) {
  const auto t = trig_reduce_plain(x);
  const V r = t.r, z = r * r;
  const V s = r * (V(1) + z * poly_plain(z, -0x1.555555545d0dap-3, 0x1.11110decc73fdp-7, -0x1.a013a455bd213p-13,
                                         0x1.6dbcfb4dee452p-19));
  const V c = (V(1) - V(0.5) * z) + z * z *
                                        poly_plain(z, 0x1.55555555027adp-5, -0x1.6c16bf534c9ebp-10,
                                                   0x1.a015c25366932p-16, -0x1.25239a9550aefp-22);
  return turn(t.q, s, c);
}
template <Double V>
LAMINA_FN SinCos<V> sin_cos(V x) {
  const auto t = trig_reduce(x);
  const V r = t.r, z = r * r, v = z * r;
  const V k = poly(z, 0x1.1111111111110p-7, -0x1.a01a01a01992fp-13, 0x1.71de3a545f836p-19, -0x1.ae645410e937bp-26,
                   0x1.61217d9252c03p-33, -0x1.ab16f5caa198ap-41);
  const V s = r - (fma(z, fma(V(0.5), t.low, -(v * k)), -t.low) - v * V(-0x1.5555555555555p-3));
  const V kc = poly(z, 0x1.5555555555555p-5, -0x1.6c16c16c16c16p-10, 0x1.a01a01a019d06p-16, -0x1.27e4fb77125c5p-22,
                    0x1.1eed8deac3dfep-29, -0x1.9394b8bd50ae1p-37, 0x1.ab779550c8d9bp-45);
  const V hz = V(0.5) * z, w = V(1) - hz;
  const V c = w + (((V(1) - w) - hz) + fma(z * z, kc, -(r * t.low)));
  return turn(t.q, s, c);
}

struct SinSingle {
  template <Double V>
  LAMINA_FN static V run(V x) {
    return sin_cos_plain(x).sin;
  }
};
struct CosSingle {
  template <Double V>
  LAMINA_FN static V run(V x) {
    return sin_cos_plain(x).cos;
  }
};
struct TanSingle {
  template <Double V>
  LAMINA_FN static V run(V x) {
    const auto t = sin_cos_plain(x);
    return t.sin / t.cos;
  }
};
template <Real V>
LAMINA_FN V sin(V x) {
  if constexpr (Single<V>)
    return via_double(SinSingle{}, x);
  else
    return select(abs(x) < V(0x1p-27), x, sin_cos(x).sin);
}
template <Real V>
LAMINA_FN V cos(V x) {
  if constexpr (Single<V>)
    return via_double(CosSingle{}, x);
  else
    return sin_cos(x).cos;
}
template <Real V>
LAMINA_FN V tan(V x) {
  if constexpr (Single<V>) {
    return via_double(TanSingle{}, x);
  } else {
    const auto t = sin_cos(x);
    return select(abs(x) < V(0x1p-27), x, t.sin / t.cos);
  }
}

// atan on [0, 1].
template <Real V>
LAMINA_FN V atan_kernel(V t) {
  if constexpr (Single<V>) {
    const V z = t * t;
    const V k = poly(z, -0x1.555556p-2, 0x1.99998cp-3, -0x1.249036p-3, 0x1.c6d94ap-4, -0x1.72251cp-4, 0x1.2fd218p-4,
                     -0x1.d7eaf8p-5, 0x1.39fa7ap-5, -0x1.3b92d4p-6, 0x1.96cc74p-8, -0x1.eae3fcp-11);
    return fma(t * z, k, t);
  } else {
    const auto far = t > V(0x1.a827999fcef32p-2);  // tan(pi/8): atan t = pi/4 + atan((t - 1) / (t + 1))
    const V u = select(far, (t - V(1)) / (t + V(1)), t), z = u * u;
    const V k = poly(z, -0x1.5555555555555p-2, 0x1.9999999999999p-3, -0x1.2492492492460p-3, 0x1.c71c71c718cb8p-4,
                     -0x1.745d1744b3d1ap-4, 0x1.3b13b106a6ab0p-4, -0x1.11110ad0d46f3p-4, 0x1.e1e0dde8cebd8p-5,
                     -0x1.af19a0b57b4a1p-5, 0x1.857f60759aaf0p-5, -0x1.5fc7e2091982dp-5, 0x1.3100c337369e5p-5,
                     -0x1.bec8674bd4304p-6, 0x1.87ba45ecde75ap-7);
    const V y = fma(u * z, k, select(far, V(kHalfPiLow * 0.5), V(0)));
    return select(far, V(kHalfPi * 0.5) + (u + y), u + y);
  }
}
// hi + lo - x for hi + lo = pi/2 or pi (times = 1 or 2).
template <Real V>
LAMINA_FN V half_pi_minus(double times, V x) {
  if constexpr (Single<V>)
    return (V(lane_t<V>(times * 0x1.921fb6p0)) - x) + V(lane_t<V>(times * -0x1.777a5cp-25));
  else
    return (V(times * kHalfPi) - x) + V(times * kHalfPiLow);
}
template <Real V>
LAMINA_FN V atan(V x) {
  const V t = abs(x), one(1);
  const auto far = t > one;
  const V y = atan_kernel(select(far, one / t, t));
  return with_sign(select(far, half_pi_minus(1, y), y), x);
}
template <Real V>
LAMINA_FN V atan2(V y, V x) {
  const V ay = abs(y), ax = abs(x);
  const auto steep = ay > ax;
  const V num = select(steep, ax, ay), den = select(steep, ay, ax);
  V t = num / den;
  t = select(den == V(0), V(0), t);
  t = select(num == infinity<V>(), V(1), t);
  V r = atan_kernel(t);
  r = select(steep, half_pi_minus(1, r), r);
  r = select(bits(x) < int_t<V>(0), half_pi_minus(2, r), r);
  return select((x != x) | (y != y), x + y, with_sign(r, y));
}

}  // namespace lamina::math::inline LAMINA_ISA
