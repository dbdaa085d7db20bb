// Error function and its complement, accurate in the tails.
#pragma once
#include "lamina/math_exp.h"

namespace lamina::math::inline LAMINA_ISA {

// erfc(a) e^(a^2) (1 + 2 a) for a >= 0 as a polynomial of u = (a - 2) / (a + 2): between 1 and 1.3 everywhere.
template <Double V>
LAMINA_FN V scaled_erfc(V a) {
  const V u = (a - V(2)) / (a + V(2));
  return poly(u, 0x1.46e80e2277953p+0, -0x1.7bf5ec1700634p-4, -0x1.5407bebf3247fp-3, 0x1.4ffa1e14e283ap-3,
              -0x1.bc2b9561947d5p-5, -0x1.0742340495ec0p-7, 0x1.1dd2ec8ecbabfp-7, 0x1.4d461d3711da3p-10,
              -0x1.7de5201f22a8cp-10, -0x1.dc6933e77e4d8p-12, 0x1.b0c84aa9d6d6fp-13, 0x1.3cc0b755d5350p-13,
              -0x1.9487c2aaaf004p-20, -0x1.318d08083c03fp-15, -0x1.c51e0e09d75f0p-17, 0x1.f255bff06e7dcp-19,
              0x1.607f409dfdf67p-18, 0x1.93931b5edb225p-20, -0x1.9010727e978b3p-21, -0x1.c3e7718792b44p-21,
              -0x1.bcba8def5920cp-23, 0x1.4abd0e607ab38p-23, 0x1.0b93b54f1ff12p-23, 0x1.68ed2918bff49p-27,
              -0x1.516c8ae987d08p-26, -0x1.e1158a6ab8c5cp-28, -0x1.febb84a6a18e8p-32);
}
// erfc(a) times with a^2 = s + e given in two parts; rounded once where the result is subnormal.
template <Double V>
LAMINA_FN V erfc_tail(V a, V s, V e, V times) {
  const auto [k, r0, low] = exp_reduce(-lesser(V(800), s));
  const V r = r0 - e, p = fma(fma(exp_kernel(r), r, V(1)), r, V(1));
  return scalb(p * times * (scaled_erfc(a) / fma(a, V(2), V(1))), k);
}
// The same for float functions, without fma; a <= 11.
template <Double V>
LAMINA_FN V erfc_tail_plain(V a, V s) {
  const V u = (a - V(2)) / (a + V(2));
  const V k = poly_plain(u, 0x1.058671b58b7a8p-2, -0x1.b57034f659b82p-2, 0x1.eeea7d7bc7657p-3, -0x1.437f06c13179cp-4,
                         0x1.e94877fed964bp-9, 0x1.ca922eaba1eedp-8, -0x1.bc517faf24819p-11, -0x1.01187db17a450p-10,
                         0x1.798a1ea52e79ep-15, 0x1.66ac8ab00f42ap-13, 0x1.8d75d71af68c8p-16, -0x1.889209dbfd266p-16,
                         -0x1.16f6a3152973ep-17);
  return k * exp2_plain(s * V(-kLog2e));
}

// erf for |x| < 0.875
template <Real V>
LAMINA_FN V erf_near(V x) {
  const V z = x * x;
  if constexpr (Single<V>)
    return fma(x,
               poly(z, 0x1.06eba8p-3, -0x1.812744p-2, 0x1.ce2e8ap-4, -0x1.b81a2ap-6, 0x1.553fc8p-8, -0x1.aeae1ap-11,
                    0x1.6c8020p-14),
               x);
  else
    return fma(x,
               poly(z, 0x1.06eba8214db69p-3, -0x1.812746b0379e7p-2, 0x1.ce2f21a042bd7p-4, -0x1.b82ce312886a2p-6,
                    0x1.565bcd0e58cf3p-8, -0x1.c02db3fb601afp-11, 0x1.f9a3261a6142dp-14, -0x1.f4d241702af74p-17,
                    0x1.b9e4950fc63fdp-20, -0x1.5f5428e396d43p-23, 0x1.fa4e005689afbp-27, -0x1.41f4637cec48bp-30,
                    0x1.237e3ce85b93dp-34),
               x);
}
template <Real V>
LAMINA_FN V erf(V x) {
  const V a = abs(x), near = erf_near(x);
  if constexpr (Single<V>) {
    const V t = lesser(V(4), a);  // log erfc(t)
    const V q = poly(t, -0x1.499e38p-12, 0x1.2155d4p+0, 0x1.438174p-1, 0x1.c2d69ep-4, -0x1.b0d542p-6, 0x1.37eddcp-8,
                     -0x1.39044ep-11, 0x1.82c5180p-15, -0x1.b86120p-20);
    return select(a < V(0.875f), near, with_sign(V(1) - exp(-q), x));
  } else {
    const V t = lesser(V(6), a), s = t * t;
    const V far = V(1) - erfc_tail(t, s, fma(t, t, -s), V(1));
    return select(a < V(0.875), near, with_sign(far, x));
  }
}

struct ErfcSingle {
  template <Double V>
  LAMINA_FN static V run(V x) {
    const V a = abs(lesser(V(11), greater(V(-11), x))), y = erfc_tail_plain(a, a * a);
    return select(x < V(0), V(2) - y, y);
  }
};
template <Real V>
LAMINA_FN V erfc(V x) {
  if constexpr (Single<V>) {
    return via_double(ErfcSingle{}, x);
  } else {
    const V a = lesser(V(28), abs(x)), s = a * a;
    const V y = erfc_tail(a, s, fma(a, a, -s), V(1));
    return select(abs(x) < V(0.5), V(1) - erf_near(x), select(x < V(0), V(2) - y, y));
  }
}

// times P(N(0, 1) < -t) = times erfc(t / sqrt 2) / 2 for t >= 0
template <Double V>
LAMINA_FN V normal_tail(V t, V times) {
  const V a = lesser(V(40), t), h = V(0.5) * a, s = h * a;
  return erfc_tail(a * V(0x1.6a09e667f3bcdp-1), s, fma(h, a, -s), V(0.5) * times);
}

}  // namespace lamina::math::inline LAMINA_ISA
