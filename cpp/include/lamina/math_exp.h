// Exponentials, logarithms, powers and hyperbolic functions: own polynomials, the same bits for every kind of lane.
#pragma once
#include "lamina/math_base.h"

namespace lamina::math::inline LAMINA_ISA {

inline constexpr double kLog2e = 0x1.71547652b82fep0;
inline constexpr double kLn2 = 0x1.62e42fefa39efp-1;

// x = k ln 2 + r + low, |r| <= ln 2 / 2; k is an integer. Most callers leave out low.
template <Real V>
struct ExpReduced {
  V k, r, low;
};
template <Real V>
LAMINA_FN ExpReduced<V> exp_reduce(V x) {
  const V k = fma(x, V(lane_t<V>(kLog2e)), round_magic<V>()) - round_magic<V>();
  const V ln2 = V(Single<V> ? lane_t<V>(0x1.62e430p-1) : lane_t<V>(kLn2));
  const V rest = V(Single<V> ? lane_t<V>(-0x1.05c610p-29) : lane_t<V>(0x1.abc9e3b39803fp-56));
  const V h = fma(-k, ln2, x), r = fma(-k, rest, h);
  return {k, r, fma(-k, rest, h - r)};
}
// e^r = 1 + r + r^2 K(r) on the reduced range.
template <Real V>
LAMINA_FN V exp_kernel(V r) {
  if constexpr (Single<V>)
    return poly(r, 0.5, 0x1.5554dcp-3, 0x1.555518p-5, 0x1.120be2p-7, 0x1.6d117cp-10);
  else
    return poly(r, 0.5, 0x1.5555555555557p-3, 0x1.5555555555556p-5, 0x1.11111111100bep-7, 0x1.6c16c16c162c3p-10,
                0x1.a01a01abf85abp-13, 0x1.a01a01a6e1e2ap-16, 0x1.71de01fdbf9cap-19, 0x1.27e4db46cddd1p-22,
                0x1.af4e554377204p-26, 0x1.1f7340dbc337ep-29);
}

// e^x = p 2^k, p in [0.7, 1.5]. Beyond the limits the result is 0 or infinity; NaN goes through.
template <Real V>
struct ExpParts {
  V p, k;
};
template <Real V>
LAMINA_FN ExpParts<V> exp_parts(V x) {
  const V hi = V(Single<V> ? lane_t<V>(95) : lane_t<V>(720)), lo = V(Single<V> ? lane_t<V>(-110) : lane_t<V>(-770));
  const auto [k, r, low] = exp_reduce(greater(lo, lesser(hi, x)));
  return {fma(fma(exp_kernel(r), r, V(1)), r, V(1)), k};
}
template <Real V>
LAMINA_FN V exp(V x) {
  const auto [p, k] = exp_parts(x);
  return scalb(p, k);
}
// e^x / 2, without overflow before its time.
template <Real V>
LAMINA_FN V half_exp(V x) {
  const auto [p, k] = exp_parts(x);
  return scalb(p, k - V(1));
}

// e^x - 1
template <Real V>
LAMINA_FN V expm1(V x) {
  const V hi = V(Single<V> ? lane_t<V>(95) : lane_t<V>(720)), lo = V(Single<V> ? lane_t<V>(-20) : lane_t<V>(-40));
  const auto [k, r, low] = exp_reduce(greater(lo, lesser(hi, x)));
  // 2^k (1 + r + t) - 1 through half of it, so that 2^k does not overflow; 2^k (1 + r) - 1 in two parts.
  const V top = V(lane_t<V>(Single<V> ? 128 : 1024));
  const V s = power_of_two(lesser(k, top) - V(1)), s1 = s - V(lane_t<V>(0.5));
  V kernel;
  if constexpr (Single<V>)
    kernel = poly(r, 0.5, 0x1.555556p-3, 0x1.5554e8p-5, 0x1.1110e0p-7, 0x1.6d43b0p-10, 0x1.a1256cp-13);
  else
    kernel = exp_kernel(r);
  const V t = fma(r * r, kernel, low), a = fma(s, r, s1), error = fma(s, r, s1 - a);
  const V y = fma(s, t, error) + a;
  const V tiny = V(Single<V> ? lane_t<V>(0x1p-25) : lane_t<V>(0x1p-54));
  return select(abs(x) < tiny, x, select(k > top, infinity<V>(), y + y));
}

// x = 2^e m with 3/4 <= m < 3/2, for positive finite x.
template <Real V>
struct LogReduced {
  V e, m;
};
template <Real V>
LAMINA_FN LogReduced<V> log_reduce(V x) {
  const V m = mantissa(x);
  return {exponent(x, m), m};
}
// e ln 2 + log(1 + f + low) for a reduced f.
template <Real V>
LAMINA_FN V log_combine(V e, V f, V low) {
  if constexpr (Single<V>) {
    const V k = poly(f, 0x1.555556p-2, -0x1.000026p-2, 0x1.999a56p-3, -0x1.5536aap-3, 0x1.243704p-3, -0x1.02da64p-3,
                     0x1.de70d4p-4, -0x1.87a1eap-4, 0x1.5f350ep-5);
    const V f2 = f * f, a = fma(e, V(-0x1.05c610p-29f), low);  // ln 2 = 0x1.62e430p-1 - 0x1.05c610p-29
    return fma(e, V(0x1.62e430p-1f), f + fma(f2, V(-0.5f), fma(f2 * f, k, a)));
  } else {
    const V s = f / (V(2) + f), z = s * s;
    const V r = z * poly(z, 0x1.5555555555555p-1, 0x1.9999999999989p-2, 0x1.2492492494f45p-2, 0x1.c71c71c1c5858p-3,
                         0x1.745d19f1e6714p-3, 0x1.3b12f14df9885p-3, 0x1.1130979491841p-3, 0x1.dbe2ac9df2b88p-4,
                         0x1.fca32e9076a86p-4);
    const V half = V(0.5) * f * f, a = fma(s, half + r, fma(e, V(0x1.abc9e3b39803fp-56), low));
    return fma(e, V(kLn2), f - (half - a));
  }
}
template <Real V>
LAMINA_FN V log(V x) {
  const auto [e, m] = log_reduce(x);
  return log_edges(x, log_combine(e, m - V(1), V(0)));
}
// log(1 + x): the rounding error of 1 + x goes back into the reduced argument.
template <Real V>
LAMINA_FN V log1p(V x) {
  const V u = V(1) + x, b = u - V(1);
  const V c = (V(1) - (u - b)) + (x - b);
  const auto [e, m] = log_reduce(u);
  const V h = m - V(1), cs = scalb(c, -e), f = h + cs;
  const V y = log_combine(e, f, cs - (f - h));
  const V tiny = V(Single<V> ? lane_t<V>(0x1p-25) : lane_t<V>(0x1p-54));
  return select(abs(x) < tiny, x, log_edges(u, y));
}

// log2 of a positive double to about 2^-36, without fma: the core of the float functions below.
struct Log2Core {
  template <Double V>
  LAMINA_FN static V run(V x) {
    const auto [e, m] = log_reduce(x);
    const V f = m - V(1), s = f / (V(2) + f), z = s * s;
    const V k = poly_plain(z, 0x1.555555559f368p-1, 0x1.999996c89ee74p-2, 0x1.24947a5acbbc0p-2, 0x1.c5ec001c9bc67p-3,
                           0x1.95bc028a08946p-3);
    return e + (s * (V(2) + z * k)) * V(kLog2e);
  }
};
struct Log2Single {
  template <Double V>
  LAMINA_FN static V run(V x) {
    return log_edges(x, Log2Core::run(x));
  }
};
struct Log10Single {
  template <Double V>
  LAMINA_FN static V run(V x) {
    return log_edges(x, Log2Core::run(x) * V(0x1.34413509f79ffp-2));
  }
};

// log(m) for a reduced double as an unevaluated sum hi + lo, relative error about 2^-64.
template <Double V>
struct TwoSum {
  V hi, lo;
};
template <Double V>
LAMINA_FN TwoSum<V> fast_two_sum(V a, V b) {
  const V s = a + b;
  return {s, b - (s - a)};
}
template <Double V>
LAMINA_FN TwoSum<V> log_two(V m) {
  const V f = m - V(1), d = V(2) + f, dlo = f - (d - V(2));
  const V s = f / d, slo = (fma(-s, d, f) - s * dlo) / d;
  const V z = s * s, zlo = fma(s, s, -z) + (s + s) * slo;
  // 2 s + 2/3 s^3 in two parts, the rest of the series in one
  const V c = V(0x1.5555555555555p-1), clo = V(0x1.5555555555555p-55);
  const V rest = z * z *
                 poly(z, 0x1.9999999999989p-2, 0x1.2492492494f45p-2, 0x1.c71c71c1c5858p-3, 0x1.745d19f1e6714p-3,
                      0x1.3b12f14df9885p-3, 0x1.1130979491841p-3, 0x1.dbe2ac9df2b88p-4, 0x1.fca32e9076a86p-4);
  const V q = z * c, qlo = fma(z, c, -q) + fma(z, clo, zlo * c) + rest;
  const V t = s * q, tlo = fma(s, q, -t) + fma(s, qlo, slo * q);
  const auto a = fast_two_sum(s + s, t);
  return fast_two_sum(a.hi, a.lo + (tlo + (slo + slo)));
}
// (e + log(m) / ln base) with 1 / ln base = c + clo.
template <Double V>
LAMINA_FN V log_scaled(V x, double c, double clo, double l, double llo) {
  const auto [e, m] = log_reduce(x);
  const auto a = log_two(m);
  const V p = a.hi * V(c), plo = fma(a.hi, V(c), -p) + fma(a.lo, V(c), a.hi * V(clo));
  const V h = e * V(l), hlo = fma(e, V(l), -h) + e * V(llo);
  const V s = h + p, b = s - h;
  const V err = (h - (s - b)) + (p - b);
  return log_edges(x, s + (err + (plo + hlo)));
}
template <Real V>
LAMINA_FN V log2(V x) {
  if constexpr (Single<V>)
    return via_double(Log2Single{}, x);
  else
    return log_scaled(x, 0x1.71547652b82fep0, 0x1.777d0ffda0d24p-56, 1.0, 0.0);
}
template <Real V>
LAMINA_FN V log10(V x) {
  if constexpr (Single<V>)
    return via_double(Log10Single{}, x);
  else
    return log_scaled(x, 0x1.bcb7b1526e50ep-2, 0x1.95355baaafad3p-57, 0x1.34413509f79ffp-2, -0x1.9dc1da994fd21p-59);
}

// 2^t for a double t of float accuracy, without fma.
template <Double V>
LAMINA_FN V exp2_plain(V t) {
  const V k = (t + round_magic<V>()) - round_magic<V>(), r = (t - k) * V(kLn2);
  const V p = poly_plain(r, 1.0, 1.0, 0x1.0000000ba132cp-1, 0x1.5555555a800cdp-3, 0x1.5554e8a22b84cp-5,
                         0x1.1110e0c5c7f50p-7, 0x1.6d43af18200d3p-10, 0x1.a1256cd2f13c2p-13);
  return scalb(p, k);
}
template <Real V>
LAMINA_FN auto is_odd_integer(V y) {
  const V h = y * V(lane_t<V>(0.5));
  return (rint(y) == y) & (rint(h) != h);
}
// |x|^y for x > 0, y finite or not; neither is NaN.
struct PowSingle {
  template <Double V>
  LAMINA_FN static V run(V x, V y) {
    const V t = y * Log2Core::run(x);
    return exp2_plain(greater(V(-400), lesser(V(400), t)));
  }
};
template <Double V>
LAMINA_FN V pow_double(V x, V y) {
  const auto [e, m] = log_reduce(x);
  const auto a = log_two(m);
  // log x = e ln 2 + log m in two parts; 0x1.62e42fefa3800p-1 has 42 bits, so that e times it is exact
  const V h = e * V(0x1.62e42fefa3800p-1), hlo = e * V(0x1.ef35793c76730p-45);
  const V s = h + a.hi, b = s - h;
  const auto l = fast_two_sum(s, ((h - (s - b)) + (a.hi - b)) + (a.lo + hlo));
  const V p = y * l.hi, q = greater(V(-800), lesser(V(800), p));
  const V plo = select(q == p, fma(y, l.hi, -p) + y * l.lo, V(0));
  const auto [k, r, low] = exp_reduce(q);
  const V r2 = r + plo;
  return scalb(fma(fma(exp_kernel(r2), r2, V(1)), r2, V(1)), k);
}
template <Real V>
LAMINA_FN V pow(V x, V y) {
  const V a = abs(x), one = V(1), inf = infinity<V>();
  V r;
  if constexpr (Single<V>)
    r = via_double(PowSingle{}, a, y);
  else
    r = pow_double(a, y);
  // 0 and infinity as base or exponent: the result is 0, 1 or infinity.
  const auto grows = ((a > one) & (y > V(0))) | ((a < one) & (y < V(0)));
  const auto extreme = (a == V(0)) | (a == inf) | (abs(y) == inf);
  r = select(extreme, select(grows, inf, V(0)), r);
  const auto odd = is_odd_integer(y) & (abs(y) < inf);
  r = select((x < V(0)) & (a < inf) & (abs(y) < inf) & (rint(y) != y), quiet_nan<V>(), r);
  r = select(odd, copysign(r, x), r);
  r = select((x != x) | (y != y), x + y, r);
  return select((y == V(0)) | (x == one) | ((a == one) & (abs(y) == inf)), one, r);
}

// 1 / (1 + e^-x) = s 2^k: e^-x and 1 + e^-x carry their rounding errors along; k scales far below 1, where 1 no longer
// counts.
template <Real V>
struct SigmoidParts {
  V s, k;
};
template <Real V>
LAMINA_FN SigmoidParts<V> sigmoid_parts(V x) {
  const V hi = V(Single<V> ? lane_t<V>(110) : lane_t<V>(770)), lo = V(Single<V> ? lane_t<V>(-80) : lane_t<V>(-700));
  const V one(1), far = V(Single<V> ? lane_t<V>(40) : lane_t<V>(70));
  const auto [k, r, low] = exp_reduce(greater(lo, lesser(hi, -x)));
  const V q = fma(r * r, exp_kernel(r), r), p = one + q, plo = q - (p - one);
  const V near = lesser(far, k), scale = power_of_two(near), e = p * scale, d = one + e;
  const V dlo = fma(plo, scale, lesser(one, e) - (d - greater(one, e)));
  const V s = one / d, rest = fma(-s, dlo, fma(-s, d, one));  // 1 - s (d + dlo)
  return {fma(s, rest, s), near - k};
}
template <Real V>
LAMINA_FN V sigmoid(V x) {
  const auto [s, k] = sigmoid_parts(x);
  return scalb(s, k);
}
// x sigmoid(x), rounded once where the result is subnormal.
template <Real V>
LAMINA_FN V silu(V x) {
  const auto [s, k] = sigmoid_parts(x);
  return scalb(s * greater(V(Single<V> ? lane_t<V>(-110) : lane_t<V>(-770)), x), k);
}

template <Real V>
LAMINA_FN V tanh(V x) {
  const V t = abs(x);
  if constexpr (Single<V>) {
    const V z = t * t;
    const V p = poly(z, -0x1.555556p-2, 0x1.11110ep-3, -0x1.ba1a86p-5, 0x1.663306p-6, -0x1.21076ep-7, 0x1.c30fe8p-9,
                     -0x1.2d02dcp-10, 0x1.defe2cp-13);
    const V far = V(1) - V(2) / (exp(t + t) + V(1));
    return with_sign(select(t < V(0.8f), fma(t * z, p, t), select(t != t, t, far)), x);
  } else {
    const V m = expm1(lesser(V(44), t + t));
    return with_sign(select(t != t, t, m / (m + V(2))), x);
  }
}

struct SinhSingle {
  template <Double V>
  LAMINA_FN static V run(V x) {
    const V z = x * x, t = abs(x);
    const V near = x + x * z *
                           poly_plain(z, 0x1.5555555558201p-3, 0x1.1111110857b52p-7, 0x1.a01a131097a98p-13,
                                      0x1.71d208a299728p-19, 0x1.b557c78eb1ae2p-26);
    const V e = exp2_plain(lesser(V(400), t) * V(kLog2e));
    return select(t < V(1), near, with_sign(V(0.5) * (e - V(1) / e), x));
  }
};
struct CoshSingle {
  template <Double V>
  LAMINA_FN static V run(V x) {
    const V e = exp2_plain(lesser(V(400), abs(x)) * V(kLog2e));
    return V(0.5) * (e + V(1) / e);
  }
};
template <Real V>
LAMINA_FN V sinh(V x) {
  if constexpr (Single<V>) {
    return via_double(SinhSingle{}, x);
  } else {
    const V t = abs(x), m = expm1(lesser(V(40), t));
    const V small = V(0.5) * (m + m / (m + V(1)));
    return with_sign(select(t > V(40), half_exp(t), small), x);
  }
}
template <Real V>
LAMINA_FN V cosh(V x) {
  if constexpr (Single<V>) {
    return via_double(CoshSingle{}, x);
  } else {
    const V t = abs(x), e = exp(lesser(V(40), t));
    return select(t > V(40), half_exp(t), fma(V(0.5), e, V(0.5) / e));
  }
}

}  // namespace lamina::math::inline LAMINA_ISA
