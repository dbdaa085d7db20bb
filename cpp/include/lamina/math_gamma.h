// The gamma family: log |gamma|, its derivative digamma and the higher ones; sine and cosine of pi x; sinc.
#pragma once
#include "lamina/math_exp.h"

namespace lamina::math::inline LAMINA_ISA {

// sin(pi r) and cos(pi r) for |r| <= 1/2.
template <Double V>
LAMINA_FN V sinpi_near(V r) {
  const V z = r * r;
  return r * poly(z, 0x1.921fb54442d18p+1, -0x1.4abbce625be53p+2, 0x1.466bc6775aae2p+1, -0x1.32d2cce62bd57p-1,
                  0x1.50783487ec19fp-4, -0x1.e3074fdc52475p-8, 0x1.e8f4338e1bb83p-12, -0x1.6fad488e45cdp-16,
                  0x1.aabbe517968f8p-21, -0x1.7ed4fa941f7b3p-26);
}
template <Double V>
LAMINA_FN V cospi_near(V r) {
  const V z = r * r;
  return fma(V(-4), z, V(1)) * poly(z, 0x1p+0, -0x1.de9e64df22ef3p-1, 0x1.472be122434a5p-2, -0x1.d4fcd83116a91p-5,
                                    0x1.9f05cb009ec61p-8, -0x1.f309e857dfbdap-12, 0x1.b26876d8ed4c2p-16,
                                    -0x1.1e75ac7d66518p-20, 0x1.28040a95280d9p-25, -0x1.dfcb4e993a737p-31);
}
template <Double V>
LAMINA_FN V sinpi_plain(V r) {
  const V z = r * r;
  return r * poly_plain(z, 0x1.921fb54425679p+1, -0x1.4abbce51cbc8ep+2, 0x1.466bc06b2b132p+1, -0x1.32d12f1f6bcbdp-1,
                        0x1.501415064e8c8p-4, -0x1.cc9cc1c4f36c8p-8);
}
template <Double V>
LAMINA_FN V cospi_plain(V r) {
  const V z = r * r;
  return (V(1) - V(4) * z) * poly_plain(z, 0x1.fffffffff96fap-1, -0x1.de9e64d7bebbfp-1, 0x1.472bde6f7e961p-2,
                                        -0x1.d4fb670ec3db1p-5, 0x1.9eac8379429a7p-8, -0x1.df1195a27ae33p-12);
}
// -y where the integer-valued n is odd.
template <Double V>
LAMINA_FN V alternate(V n, V y) {
  const V h = V(0.5) * n;
  return select(rint(h) == h, y, -y);
}

// sin(pi x) / (pi x)
struct SincSingle {
  template <Double V>
  LAMINA_FN static V run(V x) {
    const V n = rint(x), s = alternate(n, sinpi_plain(x - n));
    return select(x == V(0), V(1), s / (x * V(0x1.921fb54442d18p1)));
  }
};
template <Real V>
LAMINA_FN V sinc(V x) {
  if constexpr (Single<V>) {
    return via_double(SincSingle{}, x);
  } else {
    const V n = rint(x), r = x - n, s = alternate(n, sinpi_near(r));
    return select(x == V(0), V(1), s / (x * V(0x1.921fb54442d18p1)));
  }
}

// log gamma(2 + d) for |d| <= 1/2
template <bool Plain, Double V>
LAMINA_FN V log_gamma_two(V d) {
  if constexpr (Plain)
    return d * poly_plain(d, 0x1.b0ee60720927cp-2, 0x1.4a34cc4a4ee2bp-2, -0x1.13e001a4d678cp-4, 0x1.51322b45d1899p-6,
                          -0x1.e404fe223f45p-8, 0x1.7adcf1a396417p-9, -0x1.38ab9d70068fbp-10, 0x1.0b512ef82289bp-11,
                          -0x1.d4409cef1550ap-13, 0x1.9bbc5762a6f6cp-14, -0x1.72d199e257a62p-15, 0x1.9ae77f1492027p-16,
                          -0x1.8068210934ce2p-17);
  else
    return d * poly(d, 0x1.b0ee6072093cep-2, 0x1.4a34cc4a60fa6p-2, -0x1.13e001a557606p-4, 0x1.51322ac7d849bp-6,
                    -0x1.e404fc218f684p-8, 0x1.7add6eadb2b7bp-9, -0x1.38ac5c2beff8bp-10, 0x1.0b36af88b739dp-11,
                    -0x1.d3fd4c7faf4dbp-13, 0x1.a127af421f229p-14, -0x1.78de594676137p-15, 0x1.580e2668f7c6p-16,
                    -0x1.3cbd0cba0efb7p-17, 0x1.258c8c52f8d76p-18, -0x1.11a54008a9871p-19, 0x1.0146bdb78075ep-20,
                    -0x1.e463a6e6a92e8p-22, 0x1.b19fa0cab769cp-23, -0x1.980bc6e3ae864p-24, 0x1.160e17423b068p-24,
                    -0x1.0d0be536a48afp-25);
}
template <bool Plain, Double V>
LAMINA_FN V natural_log(V x) {
  if constexpr (Plain)
    return Log2Single::run(x) * V(kLn2);
  else
    return log(x);
}
// log gamma(x) for x > 0: Stirling's series from 8 on, below it gamma(x + 1) = x gamma(x) leads to [3/2, 5/2].
template <bool Plain, Double V>
LAMINA_FN V log_gamma_positive(V x) {
  const auto large = x >= V(8);
  V y = lesser(V(8), x), product(1);
#pragma GCC unroll 6
  for (int i = 0; i < 6; ++i) {
    const auto above = y > V(2.5);
    y = select(above, y - V(1), y);
    product = select(above, product * y, product);
  }
  const auto below = x < V(1.5), tiny = x < V(0.5);
  product = select(below, select(tiny, x * (x + V(1)), x), product);
  const V d = select(below, select(tiny, x, x - V(1)), y - V(2));
  const V l = natural_log<Plain>(select(large, x, product)), near = log_gamma_two<Plain>(d);
  const V small = select(below, near - l, near + l);
  const V v = V(1) / select(large, x, V(8)), u = v * v;
  V w;
  if constexpr (Plain)
    w = poly_plain(u, 0x1.555555554ef32p-4, -0x1.6c16bb02075cfp-9, 0x1.9ff9ad542a2bbp-11, -0x1.2aef38ec2b9a7p-11);
  else
    w = poly(u, 0x1.5555555555555p-4, -0x1.6c16c16c16b2ep-9, 0x1.a01a019ee555p-11, -0x1.38137ec71d8dbp-11,
             0x1.b94f7225f2c24p-11, -0x1.f6000e2b869b2p-10, 0x1.96e55487fa23cp-8, -0x1.55e1a052755dep-6);
  // (x - 1/2) (log x - 1) + (log(2 pi) - 1) / 2 + w / x
  const V far = (x - V(0.5)) * (l - V(1)) + (V(0x1.acfe390c97d69p-2) + v * w);
  return select(large, select(x < infinity<V>(), far, x), small);
}
// gamma(x) gamma(1 - x) = pi / sin(pi x) leads from below 0 above it.
template <bool Plain, Double V>
LAMINA_FN V log_gamma(V x) {
  const V t = abs(x), p = log_gamma_positive<Plain>(t);
  const auto negative = x < V(0);
  if (!any(negative)) return p;
  const V r = t - rint(t), s = Plain ? sinpi_plain(r) : sinpi_near(r);
  // log(pi / (t |sin(pi t)|))
  const V q = natural_log<Plain>(V(0x1.921fb54442d18p1) / abs(s)) - natural_log<Plain>(t);
  const V y = select(t < V(0x1p-60), p, select(r == V(0), infinity<V>(), q - p));
  return select(negative, select(t == infinity<V>(), t, y), p);
}
struct LgammaSingle {
  template <Double V>
  LAMINA_FN static V run(V x) {
    return log_gamma<true>(x);
  }
};
template <Real V>
LAMINA_FN V lgamma(V x) {
  if constexpr (Single<V>)
    return via_double(LgammaSingle{}, x);
  else
    return log_gamma<false>(x);
}

// digamma of x > 0: the asymptotic series from 8 on, below it psi(x + 1) = psi(x) + 1 / x leads to [1, 2], where a
// polynomial has the exact zero.
template <bool Plain, Double V>
LAMINA_FN V digamma_positive(V x) {
  const auto large = x >= V(8), tiny = x < V(1);
  V y = lesser(V(8), x), num(0), den(1);  // the sum of 1 / (y + k)
#pragma GCC unroll 6
  for (int i = 0; i < 6; ++i) {
    const auto above = y > V(2);
    y = select(above, y - V(1), y);
    num = select(above, num * y + den, num);
    den = select(above, den * y, den);
  }
  num = select(tiny, V(-1), num);
  den = select(tiny, x, den);
  y = select(tiny, x + V(1), y);
  const V v = V(1) / select(large, x, V(8)), u = v * v, d = y - V(1.5);
  const V offset = (y - V(0x1.762d86356be3fp+0)) - V(0x1.b86a722197829p-54);
  V q, a;
  if constexpr (Plain) {
    q = poly_plain(d, 0x1.e6f0cbb89afaap-1, -0x1.b1cb62d1b078p-2, 0x1.eca188c879cdep-3, -0x1.2fef13ff3796dp-3,
                   0x1.85135c63b1a28p-4, -0x1.fb303b2aefe7dp-5, 0x1.4dd3bdbd76addp-5, -0x1.bc0e1da805c1p-6,
                   0x1.274da6c02ab0ap-6, -0x1.6b738c083e683p-7, 0x1.dc68e57b675d3p-8, -0x1.f8da9c4298c22p-8,
                   0x1.5a54a35b8fd9dp-8);
    a = poly_plain(u, 0x1.5555555554c22p-4, -0x1.111110d73379bp-7, 0x1.040f57551cfp-8, -0x1.106ad7764acdp-8,
                   0x1.bf6e302e86bc6p-8);
  } else {
    q = poly(d, 0x1.e6f0cbb873616p-1, -0x1.b1cb63005ee98p-2, 0x1.eca189b8e6f7bp-3, -0x1.2feeeb98a78cbp-3,
             0x1.8512e59037ebbp-4, -0x1.fb44202a259cep-5, 0x1.4de9aa1802de8p-5, -0x1.b9f8b11b2f98ep-6,
             0x1.25647156391a7p-6, -0x1.8635641765f08p-7, 0x1.03c0b2b60f6f7p-7, -0x1.5a06a23d62223p-8,
             0x1.cd1f26d55994ep-9, -0x1.336df991b5f25p-9, 0x1.99e1aca26565dp-10, -0x1.0fb126d4c2892p-10,
             0x1.69ba8fdd1d52cp-11, -0x1.fdacdb7508852p-12, 0x1.56c5b73aaffa6p-12, -0x1.2f41994664278p-13,
             0x1.80260c257a44fp-14, -0x1.761380b8f00cep-13, 0x1.00b98a8f0aa04p-13);
    a = poly(u, 0x1.5555555555555p-4, -0x1.11111111110efp-7, 0x1.04104103f3c8ep-8, -0x1.111110c700c7ep-8,
             0x1.f07bbe0e1299fp-8, -0x1.5983a15b2b394p-6, 0x1.5359c9348c1b2p-4, -0x1.a4594ccce0282p-2,
             0x1.c6261f5c6ed5p+0);
  }
  const V far = natural_log<Plain>(x) - (V(0.5) * v + u * a);
  return select(large, far, offset * q + num / den);
}
// psi(1 - x) - psi(x) = pi / tan(pi x)
template <bool Plain, Double V>
LAMINA_FN V digamma_any(V x) {
  const auto negative = x < V(0);
  const V p = digamma_positive<Plain>(select(negative, V(1) - x, x));
  const V y = select(x == V(0), with_sign(infinity<V>(), -x), p);
  if (!any(negative)) return y;
  const V r = x - rint(x);
  const V s = Plain ? sinpi_plain(r) : sinpi_near(r), c = Plain ? cospi_plain(r) : cospi_near(r);
  const V reflected = p - V(0x1.921fb54442d18p1) * (c / s);
  return select(negative, select((r == V(0)) | (x == -infinity<V>()), quiet_nan<V>(), reflected), y);
}
struct DigammaSingle {
  template <Double V>
  LAMINA_FN static V run(V x) {
    return digamma_any<true>(x);
  }
};
template <Real V>
LAMINA_FN V digamma(V x) {
  if constexpr (Single<V>)
    return via_double(DigammaSingle{}, x);
  else
    return digamma_any<false>(x);
}

LAMINA_HD static inline double integer_power(double b, int n) {
  double r = 1;
  for (; n; n >>= 1, b *= b)
    if (n & 1) r *= b;
  return r;
}
// The sum of (q + k)^-s over k >= 0 for q > 0 and an integer s >= 2, by Euler and Maclaurin.
LAMINA_HD [[gnu::noinline]] static inline double hurwitz(int s, double q) {
  // B_2k / (2k)!
  constexpr double c[] = {0x1.5555555555555p-4,   -0x1.6c16c16c16c17p-10, 0x1.1566abc011567p-15,
                          -0x1.bbd779334ef0bp-21, 0x1.66a8f2bf70ebep-26,  -0x1.22805d644267fp-31,
                          0x1.d6db2c4e09162p-37,  -0x1.7da4e1f79955cp-42, 0x1.355871d652e9ep-47};
  double sum = 0;
  for (; q < 16 + s; q += 1) sum += 1 / integer_power(q, s);
  const double f = 1 / integer_power(q, s), u = 1 / (q * q);
  double term = s * f / q, tail = 0;
  for (int k = 0; k < 9; ++k) {
    tail += c[k] * term;
    term *= (s + 2 * k + 1) * double(s + 2 * k + 2) * u;
  }
  return sum + (q * f / (s - 1) + (0.5 * f + tail));
}
// The n-th derivative of digamma, n >= 1: (-1)^(n + 1) n! times the sum of (x + k)^-(n + 1). Below 0 the sum over all
// integers, which has period 1, is taken apart.
LAMINA_HD [[gnu::noinline]] static inline double polygamma_one(double x, int n) {
  const int s = n + 1;
  double factorial = 1;
  for (int i = 2; i <= n; ++i) factorial *= i;
  if (n % 2 == 0) factorial = -factorial;
  if (!(x < __builtin_inf())) return x != x ? x : factorial * 0.0;
  if (x > 0) return factorial * hurwitz(s, x);
  const double r = x - floor(x);
  if (r == 0) return s % 2 ? (x == 0 ? copysign(__builtin_inf(), -x) : quiet_nan<double>()) : __builtin_inf();
  const double back = hurwitz(s, 1 - r) - hurwitz(s, 1 - x);
  return factorial * (hurwitz(s, r) + (s % 2 ? -back : back));
}
template <Real V>
LAMINA_FN V polygamma(V x, double order) {
  V r = x;
  for (int i = 0; i < kLanes<V>; ++i) set_lane(r, i, lane_t<V>(polygamma_one(double(get_lane(x, i)), int(order))));
  return r;
}

}  // namespace lamina::math::inline LAMINA_ISA
