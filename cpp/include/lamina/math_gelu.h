// The normal distribution in float: 16 short polynomials over |x| < 3.9, chosen per lane by a register lookup, and
// double arithmetic beyond. What gelu and its gradient are made of.
#pragma once
#include "lamina/math_erf.h"

namespace lamina::math::inline LAMINA_ISA {

// Coefficient k of piece i, which has its centre at i / 4: P(N(0, 1) < -t) ...
LAMINA_TABLE float kTailTable[7][16] = {
    {0x1p-1f, 0x1.9aecbap-2f, 0x1.3bf144p-2f, 0x1.d022p-3f, 0x1.44ed0cp-3f, 0x1.b0bdd2p-4f, 0x1.11a46ep-4f,
     0x1.482a24p-5f, 0x1.74bcf8p-6f, 0x1.90925p-7f, 0x1.96f4e6p-8f, 0x1.869044p-9f, 0x1.61de2p-10f, 0x1.2e86fep-11f,
     0x1.e7dbcap-13f, 0x1.72d956p-14f},
    {-0x1.988454p-2f, -0x1.8bf2bap-2f, -0x1.6883dp-2f, -0x1.345d5ep-2f, -0x1.ef8e58p-3f, -0x1.7610bap-3f,
     -0x1.094086p-3f, -0x1.616454p-4f, -0x1.ba4b44p-5f, -0x1.0402ep-5f, -0x1.1f2f06p-6f, -0x1.29fa54p-7f,
     -0x1.227214p-8f, -0x1.09f38ep-9f, -0x1.c9897ep-11f, -0x1.71b93p-12f},
    {0x1.d7a08p-28f, 0x1.8bf2bap-5f, 0x1.6883dp-4f, 0x1.ce8c0ep-4f, 0x1.ef8e58p-4f, 0x1.d394e8p-4f, 0x1.8de0c8p-4f,
     0x1.3537cap-4f, 0x1.ba4b44p-5f, 0x1.24833cp-5f, 0x1.66fac6p-6f, 0x1.99b834p-7f, 0x1.b3ab1ep-8f, 0x1.b02bc6p-9f,
     0x1.90584ep-10f, 0x1.5a9d9cp-11f},
    {0x1.1057ep-4f, 0x1.eeeefep-5f, 0x1.6883aap-5f, 0x1.67c292p-6f, 0x1.5f717ep-23f, -0x1.188bdp-6f, -0x1.ba15b4p-6f,
     -0x1.e5e9c8p-6f, -0x1.ba4b5ep-6f, -0x1.601976p-6f, -0x1.f692c2p-7f, -0x1.45ea2p-7f, -0x1.834312p-8f,
     -0x1.a7dc44p-9f, -0x1.acf098p-10f, -0x1.9274b6p-11f},
    {0x1.f9f254p-18f, -0x1.83b296p-7f, -0x1.4a7884p-6f, -0x1.77d188p-6f, -0x1.4a5ecap-6f, -0x1.c0197ap-7f,
     -0x1.8de166p-8f, 0x1.9c401p-12f, 0x1.26dc6ep-8f, 0x1.923454p-8f, 0x1.84e51ap-8f, 0x1.378eeap-8f, 0x1.b3ab6ep-9f,
     0x1.105bc6p-9f, 0x1.34998cp-10f, 0x1.3f894cp-11f},
    {-0x1.49b75ap-7f, -0x1.14bc5ap-7f, -0x1.2bd83ap-8f, 0x1.20bedp-13f, 0x1.06ec46p-8f, 0x1.86eb6ep-8f, 0x1.7f9de6p-8f,
     0x1.1a322ap-8f, 0x1.27484ep-9f, 0x1.ebd05cp-12f, -0x1.59a514p-11f, -0x1.25097ap-10f, -0x1.21d6fp-10f,
     -0x1.c59c7cp-11f, -0x1.2fa966p-11f, -0x1.676eb8p-12f},
    {0x1.0ee6b4p-11f, 0x1.f86458p-10f, 0x1.91539p-9f, 0x1.8d6996p-9f, 0x1.07dcb2p-9f, 0x1.2ee642p-11f, -0x1.56561p-11f,
     -0x1.56113ep-10f, -0x1.61023cp-10f, -0x1.03ad18p-10f, -0x1.0d9d76p-11f, -0x1.f9ce7ep-14f, 0x1.cbbd8cp-14f,
     0x1.90bb04p-13f, 0x1.7a156ep-13f, 0x1.15c8c8p-13f},
};
// ... and P(N(0, 1) < -t) - t p(t) with the density p: the derivative of gelu at -t.
LAMINA_TABLE float kSlopeTable[7][16] = {
    {0x1p-1f, 0x1.37f00cp-2f, 0x1.0f5eb8p-3f, 0x1.95f1dep-11f, -0x1.55429ap-4f, -0x1.f66bfep-4f, -0x1.050e92p-3f,
     -0x1.c65a8p-4f, -0x1.5d1c06p-4f, -0x1.e4e1e4p-5f, -0x1.341c2ap-5f, -0x1.68e62cp-6f, -0x1.876f5ap-7f,
     -0x1.8a5ae8p-8f, -0x1.71da9p-9f, -0x1.437006p-10f},
    {-0x1.988454p-1f, -0x1.7f9324p-1f, -0x1.3b7356p-1f, -0x1.bb4638p-2f, -0x1.ef8e5ap-3f, -0x1.474ea2p-4f,
     0x1.094084p-5f, 0x1.777a98p-4f, 0x1.ba4b44p-4f, 0x1.8e2468p-4f, 0x1.3121f6p-4f, 0x1.9e601ep-5f, 0x1.fc47a2p-6f,
     0x1.1ca6aep-6f, 0x1.251c14p-7f, 0x1.16bc9cp-8f},
    {0x1.d653cep-25f, 0x1.85c2fp-3f, 0x1.51fb94p-2f, 0x1.8d805cp-2f, 0x1.73aac2p-2f, 0x1.1ceebep-2f, 0x1.5c24bp-3f,
     0x1.21e44cp-4f, 0x1.6cc946p-33f, -0x1.36cb7p-5f, -0x1.93da2p-5f, -0x1.6ce80ep-5f, -0x1.104af2p-5f, -0x1.6283eap-6f,
     -0x1.9cdb1p-7f, -0x1.b3fa3ep-8f},
    {0x1.105788p-2f, 0x1.d6b37p-3f, 0x1.15e578p-3f, 0x1.3797b4p-6f, -0x1.4a5d5p-4f, -0x1.184d8ap-3f, -0x1.27a4fcp-3f,
     -0x1.daa426p-4f, -0x1.26dd76p-4f, -0x1.f7714ep-6f, -0x1.074b9ep-9f, 0x1.99e938p-7f, 0x1.0a3e3cp-6f, 0x1.cd4e84p-7f,
     0x1.4594dp-7f, 0x1.8de782p-8f},
    {0x1.f8bca6p-15f, -0x1.1dae6ap-4f, -0x1.cc077cp-4f, -0x1.d3838ep-4f, -0x1.4a5ed4p-4f, -0x1.fb290ep-6f,
     0x1.bf997ap-7f, 0x1.451e8cp-5f, 0x1.7093e2p-5f, 0x1.25f10cp-5f, 0x1.5da228p-6f, 0x1.11043ap-7f, 0x1.99fdeap-25f,
     -0x1.e1d4ccp-9f, -0x1.15d84ap-8f, -0x1.b8f918p-9f},
    {-0x1.f00396p-5f, -0x1.871154p-5f, -0x1.2b226p-6f, 0x1.d92816p-7f, 0x1.27beeap-5f, 0x1.485c3ap-5f, 0x1.dee1d2p-6f,
     0x1.8ddbeep-7f, -0x1.57e1b8p-9f, -0x1.5964a8p-7f, -0x1.7e0982p-7f, -0x1.1ce6f8p-7f, -0x1.31a022p-8f,
     -0x1.8112fcp-10f, 0x1.42bb42p-12f, 0x1.e36284p-11f},
    {0x1.0e88dp-8f, 0x1.eea04p-7f, 0x1.718984p-6f, 0x1.3e1fb2p-6f, 0x1.1e0d4cp-7f, -0x1.920d1ep-9f, -0x1.550c2ep-7f,
     -0x1.75ca8p-7f, -0x1.fe6c6p-8f, -0x1.6eaccp-9f, 0x1.02605ep-10f, 0x1.583d4ep-9f, 0x1.4d3716p-9f, 0x1.b36b3ap-10f,
     0x1.853062p-11f, 0x1.1cd2d4p-13f},
};
inline constexpr double kTailPieces = 3.875;  // the tables' range

template <int N, Single V>
LAMINA_FN V lookup_poly(const float (&table)[N][16], V t) {
  const V m = fma(t, V(4.0f), round_magic<V>()), d = fma(m - round_magic<V>(), V(-0.25f), t);
  const auto i = bits(m);
  V y = lookup16(table[N - 1], i);
#pragma GCC unroll 16
  for (int k = N - 2; k >= 0; --k) y = fma(y, d, lookup16(table[k], i));
  return y;
}

// times * P(N(0, 1) < -t) for t >= 0, in double.
struct TailSingle {
  template <Double V>
  LAMINA_FN static V run(V t, V times) {
    const V s = lesser(V(15), t);
    return times * (V(0.5) * erfc_tail_plain(s * V(0x1.6a09e667f3bcdp-1), V(0.5) * s * s));
  }
};
template <Single V>
[[gnu::noinline]] LAMINA_HD static V far_tail(V t, V times) {
  return via_double(TailSingle{}, t, times);
}

template <Real V>
LAMINA_FN V ndtr(V x) {
  const V t = abs(x);
  if constexpr (Single<V>) {
    V q = lookup_poly(kTailTable, t);
    const auto near = t < V(float(kTailPieces));
    if (any(!near)) [[unlikely]]
      q = select(near, q, far_tail(t, V(1)));
    return select(x > V(0), V(1) - q, q);
  } else {
    const V q = normal_tail(t, V(1));
    return select(x > V(0), V(1) - q, q);
  }
}
// x P(N(0, 1) < x) = max(x, 0) - |x| P(N(0, 1) < -|x|)
template <Real V>
LAMINA_FN V gelu(V x) {
  const V t = abs(x);
  if constexpr (Single<V>) {
    const auto near = t < V(float(kTailPieces));
    V y = fma(-t, lookup_poly(kTailTable, t), greater(V(0), x));
    if (any(!near)) [[unlikely]] {
      const V s = lesser(V(20), t);
      y = select(near, y, greater(V(0), x) - far_tail(s, s));
    }
    return y;
  } else {
    const V s = lesser(V(40), t);
    return greater(V(0), x) - normal_tail(s, s);
  }
}
// The derivative of gelu: P(N(0, 1) < x) + x p(x).
template <Single V>
LAMINA_FN V gelu_slope(V x) {
  const V t = abs(x);
  V e = lookup_poly(kSlopeTable, t);
  const auto near = t < V(float(kTailPieces));
  if (any(!near)) [[unlikely]] {
    const V s = lesser(V(20), t);
    e = select(near, e, far_tail(s, V(1)) - s * (V(0x1.988454p-2f) * exp(V(-0.5f) * s * s)));
  }
  return select(x > V(0), V(1) - e, e);
}

}  // namespace lamina::math::inline LAMINA_ISA
