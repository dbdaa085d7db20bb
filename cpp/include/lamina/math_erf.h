// Error function family: erf, erfc and the normal distribution function ndtr, accurate in the tails.
#pragma once
#include "lamina/math_exp.h"

namespace lamina::math::inline LAMINA_ISA {

// erfc(a) e^(a^2) for a >= 0 as a polynomial of u = (a - 2) / (a + 2).
template <Double V>
LAMINA_FN V scaled_erfc(V a) {
  const V u = (a - V(2)) / (a + V(2));
  return poly(u, 0x1.058671b52c776p-2, -0x1.b57034efd3f72p-2, 0x1.eeea7dc8a78b1p-3, -0x1.437f0b68c0c00p-4,
              0x1.e9471597a3866p-9, 0x1.ca95ed533e22fp-8, -0x1.bc25a480c8a44p-11, -0x1.016b5ce8ece36p-10,
              0x1.6d5f05524cc1dp-15, 0x1.6da9784ed8151p-13, 0x1.cdca4daaa9d41p-16, -0x1.ceb8db1409390p-16,
              -0x1.d47763aaa7c88p-17, 0x1.760cd0f003393p-20, 0x1.f7370274cc4b2p-19, 0x1.4069c5f6f5a2ep-20,
              -0x1.b9ace34df4a9ep-22, -0x1.0e15ad0e4786ep-21, -0x1.31a25307ba37dp-23, 0x1.1f89ec240040ep-24,
              0x1.57bb148647669p-24, 0x1.7fca9756e3601p-26, -0x1.e17b585af8581p-27, -0x1.aa55573f1403cp-27,
              -0x1.122ee8c8adcf7p-30, 0x1.125cd6a4a51dap-29, 0x1.49724d8501d0ep-31);
}
// erfc(a) 2^shift with a^2 = s + e given in two parts.
template <Double V>
LAMINA_FN V erfc_tail(V a, V s, V e, int shift) {
  const auto [k, r0] = exp_reduce(-lesser(V(800), s));
  const V r = r0 - e, p = fma(fma(exp_kernel(r), r, V(1)), r, V(1));
  return scalb(p * scaled_erfc(a), k + V(shift));
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
    const V far = V(1) - erfc_tail(t, s, fma(t, t, -s), 0);
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
    const V y = erfc_tail(a, s, fma(a, a, -s), 0);
    return select(abs(x) < V(0.5), V(1) - erf_near(x), select(x < V(0), V(2) - y, y));
  }
}

// P(N(0, 1) <= x) = erfc(-x / sqrt 2) / 2
struct NdtrSingle {
  template <Double V>
  LAMINA_FN static V run(V x) {
    const V t = abs(lesser(V(15), greater(V(-15), x)));
    const V y = V(0.5) * erfc_tail_plain(t * V(0x1.6a09e667f3bcdp-1), V(0.5) * t * t);
    return select(x > V(0), V(1) - y, y);
  }
};
template <Real V>
LAMINA_FN V ndtr(V x) {
  if constexpr (Single<V>) {
    return via_double(NdtrSingle{}, x);
  } else {
    const V t = lesser(V(39), abs(x)), s = V(0.5) * t * t;
    const V y = erfc_tail(t * V(0x1.6a09e667f3bcdp-1), s, fma(V(0.5) * t, t, -s), -1);
    return select(x > V(0), V(1) - y, y);
  }
}

}  // namespace lamina::math::inline LAMINA_ISA
