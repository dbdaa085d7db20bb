// exp2, the inverse trigonometric and inverse hyperbolic functions, hypot.
#pragma once
#include "lamina/math_exp.h"
#include "lamina/math_trig.h"

namespace lamina::math::inline LAMINA_ISA {

// Exact where x is an integer.
template <Real V>
LAMINA_FN V exp2(V x) {
  const V hi = V(lane_t<V>(Single<V> ? 130 : 1030)), lo = V(lane_t<V>(Single<V> ? -160 : -1085));
  const V t = greater(lo, lesser(hi, x)), k = (t + round_magic<V>()) - round_magic<V>(), r = t - k;
  V q;  // (2^r - 1) / r
  if constexpr (Single<V>)
    q = poly(r, 0x1.62e43p-1, 0x1.ebfbep-3, 0x1.c6af6cp-5, 0x1.3b2a1cp-7, 0x1.5f0896p-10, 0x1.444004p-13);
  else
    q = poly(r, 0x1.62e42fefa39efp-1, 0x1.ebfbdff82c58fp-3, 0x1.c6b08d704a0c6p-5, 0x1.3b2ab6fba4e7bp-7,
             0x1.5d87fe78a3f9bp-10, 0x1.430912f86ac5bp-13, 0x1.ffcbfc6da72aep-17, 0x1.62c022460191dp-20,
             0x1.b524ebd0ad04p-24, 0x1.e4cf03ba548ccp-28, 0x1.e9ec20ad87111p-32, 0x1.c4b5b0e7d5bbbp-36);
  return scalb(fma(q, r, V(1)), k);
}

// (asin x - x) / x^3 as a polynomial of z = x^2 <= 1/4
template <Real V>
LAMINA_FN V asin_kernel(V z) {
  if constexpr (Single<V>)
    return poly(z, 0x1.555554p-3, 0x1.33343cp-4, 0x1.6d58dap-5, 0x1.fdce9ep-6, 0x1.17cdbcp-6, 0x1.14efcap-5);
  else
    return poly(z, 0x1.5555555555555p-3, 0x1.333333333338dp-4, 0x1.6db6db6dab8c8p-5, 0x1.f1c71c7ab773bp-6,
                0x1.6e8ba111cbee1p-6, 0x1.1c4efed112cabp-6, 0x1.c990696debaebp-7, 0x1.7b059b3392a26p-7,
                0x1.3b30e2d3c9943p-7, 0x1.31ebcb0b5078p-7, 0x1.871a6f82ebbb1p-9, 0x1.42c6c63a56585p-6,
                -0x1.3e98e91fb5af7p-6, 0x1.e739909fa5471p-6);
}
// asin of |x| <= 1/2 is u + u z k. Beyond, with z = (1 - |x|) / 2 and u = sqrt z, asin |x| = pi/2 - 2 (u + low + u z
// k).
template <Real V>
struct AsinParts {
  V u, rest;
};
template <Real V>
LAMINA_FN AsinParts<V> asin_parts(V t) {
  const V half = V(lane_t<V>(0.5));
  const auto far = t > half;
  const V z = select(far, half - half * t, t * t), u = select(far, sqrt(z), t);
  const V low = select(far & (z > V(0)), fma(-u, u, z) / (u + u), V(0));
  return {u, fma(u * z, asin_kernel(z), low)};
}
template <Real V>
LAMINA_FN V asin(V x) {
  const V t = abs(x);
  const auto [u, rest] = asin_parts(t);
  const V s = u + rest, far = half_pi_minus(1, s + s);
  return with_sign(select(t > V(lane_t<V>(0.5)), far, s), x);
}
template <Real V>
LAMINA_FN V acos(V x) {
  const V t = abs(x);
  const auto [u, rest] = asin_parts(t);
  const V s = u + rest, d = s + s;
  const V near = half_pi_minus(1, from_bits(bits(s) ^ bits(sign_bit(x))));
  return select(t > V(lane_t<V>(0.5)), select(x < V(0), half_pi_minus(2, d), d), near);
}

struct AsinhSingle {
  template <Double V>
  LAMINA_FN static V run(V x) {
    const V t = abs(x), z = x * x;
    const V near = x * (V(1) + z * poly_plain(z, -0x1.55555555524cdp-3, 0x1.33333317c68f8p-4, -0x1.6db6b32d13e87p-5,
                                              0x1.f1b16f10d6347p-6, -0x1.6be3cd3b9356cp-6, 0x1.ea96b3fdb93d3p-7));
    const V far = Log2Single::run(t + sqrt(z + V(1))) * V(kLn2);
    return select(t < V(0.25), near, with_sign(far, x));
  }
};
struct AcoshSingle {
  template <Double V>
  LAMINA_FN static V run(V x) {
    const V u = x - V(1);
    const V y = Log2Single::run(x + sqrt(u * (x + V(1)))) * V(kLn2);
    return select(x < V(1), quiet_nan<V>(), y);
  }
};
struct AtanhSingle {
  template <Double V>
  LAMINA_FN static V run(V x) {
    const V t = abs(x), z = x * x;
    const V near =
        x + x * z *
                poly_plain(z, 0x1.55555555557abp-2, 0x1.99999997d2415p-3, 0x1.24924ae949f18p-3, 0x1.c71b20f84a616p-4,
                           0x1.7498839476504p-4, 0x1.35bce4f1d68eep-4, 0x1.4cc051cce3973p-4);
    const V far = Log2Single::run((V(1) + t) / (V(1) - t)) * V(0.5 * kLn2);
    return select(t < V(0.25), near, with_sign(far, x));
  }
};
inline constexpr double kHuge = 0x1p54;  // beyond, log(1 + x) is log x, and x^2 might overflow
template <Real V>
LAMINA_FN V asinh(V x) {
  if constexpr (Single<V>) {
    return via_double(AsinhSingle{}, x);
  } else {
    const V t = abs(x), z = t * t;
    const auto big = t > V(kHuge);
    const V y = log1p(select(big, t, t + z / (V(1) + sqrt(z + V(1)))));
    return with_sign(select(big, y + V(kLn2), y), x);
  }
}
template <Real V>
LAMINA_FN V acosh(V x) {
  if constexpr (Single<V>) {
    return via_double(AcoshSingle{}, x);
  } else {
    const V u = x - V(1);
    const auto big = x > V(kHuge);
    const V y = log1p(select(big, x, u + sqrt(fma(u, u, u + u))));
    return select(x < V(1), quiet_nan<V>(), select(big, y + V(kLn2), y));
  }
}
template <Real V>
LAMINA_FN V atanh(V x) {
  if constexpr (Single<V>) {
    return via_double(AtanhSingle{}, x);
  } else {
    const V t = abs(x);
    return with_sign(V(0.5) * log1p((t + t) / (V(1) - t)), x);
  }
}

// sqrt(x^2 + y^2) without overflow or underflow on the way.
struct HypotSingle {
  template <Double V>
  LAMINA_FN static V run(V x, V y) {
    return sqrt(x * x + y * y);
  }
};
template <Real V>
LAMINA_FN V hypot(V x, V y) {
  V r;
  if constexpr (Single<V>) {
    r = via_double(HypotSingle{}, x, y);
  } else {
    const V a = abs(x), b = abs(y), m = select(a > b, a, b);
    const V down = select(m > V(0x1p500), V(0x1p-600), select(m < V(0x1p-400), V(0x1p600), V(1)));
    const V up = select(m > V(0x1p500), V(0x1p600), select(m < V(0x1p-400), V(0x1p-600), V(1)));
    const V p = a * down, q = b * down, s = q * q;
    r = sqrt(fma(p, p, s)) * up;
  }
  return select((abs(x) == infinity<V>()) | (abs(y) == infinity<V>()), infinity<V>(), r);
}

// x - tanh x without cancellation.
struct TanhshrinkSingle {
  template <Double V>
  LAMINA_FN static V run(V x) {
    const V t = abs(x), z = x * x;
    const V near =
        x * z *
        poly_plain(z, 0x1.5555555547ebdp-2, -0x1.111110e7ae08cp-3, 0x1.ba1b77eb22029p-5, -0x1.664754da0e4cbp-6,
                   0x1.21b47ea7cd254p-7, -0x1.c52d937504659p-9, 0x1.0f4a9df08bbccp-10);
    const V far = (t - V(1)) + V(2) / (exp2_plain(lesser(V(400), t) * V(2 * kLog2e)) + V(1));
    return select(t < V(0.5), near, select(t == t, with_sign(far, x), x));
  }
};
template <Real V>
LAMINA_FN V tanhshrink(V x) {
  if constexpr (Single<V>) {
    return via_double(TanhshrinkSingle{}, x);
  } else {
    const V z = x * x;
    const V near = x * z *
                   poly(z, 0x1.5555555555555p-2, -0x1.1111111111107p-3, 0x1.ba1ba1ba1a458p-5, -0x1.664f488232198p-6,
                        0x1.226e353fdfdb4p-7, -0x1.d6d3c917b1eb4p-9, 0x1.7da2c0aaa6967p-10, -0x1.354f18c87327cp-11,
                        0x1.f4ccf0b59af1cp-13, -0x1.91d10d77412c5p-14, 0x1.339c90136c87ep-15, -0x1.8c3035a28fa12p-17,
                        0x1.3034a76187cddp-19);
    return select(abs(x) < V(0.65), near, x - tanh(x));
  }
}

}  // namespace lamina::math::inline LAMINA_ISA
