// The small vocabulary under every formula: bits, fma, select, rounding, polynomials, for scalars and by ADL for SIMD
// lanes.
#pragma once
#include <cmath>
#include <cstdint>
#include <type_traits>

#include "lamina/host_device.h"

// Inlined always: a copy of a formula that the linker could share between SIMD levels must not exist.
#define LAMINA_FN LAMINA_HD [[gnu::always_inline]] inline

namespace lamina::math::inline LAMINA_ISA {

template <class V>
struct LaneOf {
  using type = V;
};
template <class V>
  requires requires { typename V::lane_type; }
struct LaneOf<V> {
  using type = typename V::lane_type;
};
template <class V>
using lane_t = typename LaneOf<V>::type;

// float, double, or a SIMD register of them.
template <class V>
concept Real = std::is_floating_point_v<lane_t<V>>;
template <class V>
concept Single = std::is_same_v<lane_t<V>, float>;
template <class V>
concept Double = std::is_same_v<lane_t<V>, double>;

LAMINA_FN int32_t bits(float x) { return __builtin_bit_cast(int32_t, x); }
LAMINA_FN int64_t bits(double x) { return __builtin_bit_cast(int64_t, x); }
LAMINA_FN float from_bits(int32_t x) { return __builtin_bit_cast(float, x); }
LAMINA_FN double from_bits(int64_t x) { return __builtin_bit_cast(double, x); }

LAMINA_FN float fma(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
LAMINA_FN double fma(double a, double b, double c) { return __builtin_fma(a, b, c); }
LAMINA_FN float sqrt(float x) { return __builtin_sqrtf(x); }
LAMINA_FN double sqrt(double x) { return __builtin_sqrt(x); }
template <class T>
  requires std::is_arithmetic_v<T>
LAMINA_FN T select(bool c, T a, T b) {
  return c ? a : b;
}
LAMINA_FN bool any(bool c) { return c; }

// Integers that wrap around and registers seen lane by lane; a scalar is a register of one lane.
LAMINA_FN int32_t wrapping_sub(int32_t a, int32_t b) { return int32_t(uint32_t(a) - uint32_t(b)); }
LAMINA_FN int64_t wrapping_sub(int64_t a, int64_t b) { return int64_t(uint64_t(a) - uint64_t(b)); }
template <class V>
inline constexpr int kLanes = int(sizeof(V) / sizeof(lane_t<V>));
template <class T>
  requires std::is_arithmetic_v<T>
LAMINA_FN T get_lane(T x, int) {
  return x;
}
template <class T>
  requires std::is_arithmetic_v<T>
LAMINA_FN void set_lane(T& x, int, T y) {
  x = y;
}

// Integer type of the lanes' bits.
template <Real V>
using int_t = decltype(bits(V(0)));

template <Real V>
LAMINA_FN V sign_bit(V x) {
  if constexpr (Single<V>)
    return from_bits(bits(x) & int_t<V>(INT32_MIN));
  else
    return from_bits(bits(x) & int_t<V>(INT64_MIN));
}
template <Real V>
LAMINA_FN V abs(V x) {
  if constexpr (Single<V>)
    return from_bits(bits(x) & int_t<V>(INT32_MAX));
  else
    return from_bits(bits(x) & int_t<V>(INT64_MAX));
}
// Whether the sign bit is set.
template <class V>
LAMINA_FN auto is_negative(V x) {
  if constexpr (Real<V>)
    return bits(x) < int_t<V>(0);
  else
    return x < V(0);
}
// |x| with the sign of s, where x >= 0.
template <Real V>
LAMINA_FN V with_sign(V x, V s) {
  return from_bits(bits(x) | bits(sign_bit(s)));
}
template <Real V>
LAMINA_FN V copysign(V x, V s) {
  return with_sign(abs(x), s);
}
// a < b ? a : b, in this order of operands: a NaN in b stays.
template <Real V>
  requires std::is_arithmetic_v<V>
LAMINA_FN V lesser(V a, V b) {
  return a < b ? a : b;
}
template <Real V>
  requires std::is_arithmetic_v<V>
LAMINA_FN V greater(V a, V b) {
  return a > b ? a : b;
}

template <Real V>
LAMINA_FN V infinity() {
  return V(lane_t<V>(__builtin_inf()));
}
// The NaN that x86 arithmetic makes.
template <Real V>
LAMINA_FN V quiet_nan() {
  if constexpr (Single<V>)
    return from_bits(int_t<V>(int32_t(0xffc00000)));
  else
    return from_bits(int_t<V>(int64_t(0xfff8000000000000)));
}

// Adding this number rounds to an integer, to nearest even, and leaves that integer in the low bits.
template <Real V>
LAMINA_FN V round_magic() {
  return V(Single<V> ? lane_t<V>(0x1.8p23) : lane_t<V>(0x1.8p52));
}

// Rounding to integers; values at 2^23 (2^52) and above are integers already. Signed zeros are kept.
template <Real V>
LAMINA_FN V rint(V x) {
  const V big = V(Single<V> ? lane_t<V>(0x1p23) : lane_t<V>(0x1p52)), a = abs(x);
  const V r = (a + big) - big;
  return select(a < big, with_sign(r, x), x);
}
template <Real V>
LAMINA_FN V with_sign_of_zero(V r, V x) {
  return select(r == V(0), with_sign(V(0), x), r);
}
template <Real V>
LAMINA_FN V floor(V x) {
  const V r = rint(x);
  return with_sign_of_zero(r - select(r > x, V(1), V(0)), x);
}
template <Real V>
LAMINA_FN V ceil(V x) {
  return -floor(-x);
}
template <Real V>
LAMINA_FN V trunc(V x) {
  return with_sign(floor(abs(x)), x);
}

// c0 + c1 x + c2 x^2 ..., Horner with fma.
template <Real V>
LAMINA_FN V poly(V, double c) {
  return V(lane_t<V>(c));
}
template <Real V, class... C>
LAMINA_FN V poly(V x, double c, C... rest) {
  return fma(poly(x, rest...), x, V(lane_t<V>(c)));
}
// The same without fma: for float functions computed in double, where the double rounding does not matter and the
// baseline level has no fma instruction.
template <Real V>
LAMINA_FN V poly_plain(V, double c) {
  return V(lane_t<V>(c));
}
template <Real V, class... C>
LAMINA_FN V poly_plain(V x, double c, C... rest) {
  return poly_plain(x, rest...) * x + V(lane_t<V>(c));
}

// x * 2^k for an integer-valued k within twice the exponent range, rounded once (where |x| is near 1).
template <Real V>
LAMINA_FN V scalb_by_bits(V x, V k) {
  using I = int_t<V>;
  constexpr int bias = Single<V> ? 127 : 1023, mantissa = Single<V> ? 23 : 52;
  const I i = bits(k + round_magic<V>()) - bits(round_magic<V>());
  const I h = i >> 1;
  return x * from_bits((h + I(bias)) << mantissa) * from_bits((i - h + I(bias)) << mantissa);
}
template <Real V>
LAMINA_FN V scalb(V x, V k) {
  return scalb_by_bits(x, k);
}
// 2^k for an integer-valued k in the normal range.
template <Real V>
LAMINA_FN V power_of_two(V k) {
  constexpr int mantissa_bits = Single<V> ? 23 : 52;
  constexpr lane_t<V> shift = Single<V> ? lane_t<V>(0x1.8p23 + 127) : lane_t<V>(0x1.8p52 + 1023);
  return from_bits(bits(k + V(shift)) << mantissa_bits);
}

// x = 2^e m with 3/4 <= m < 3/2, for positive finite x; anything for others.
template <Real V>
LAMINA_FN V mantissa(V x) {
  using I = int_t<V>;
  if constexpr (Single<V>) {
    const V scaled = select(x < V(0x1p-126f), x * V(0x1p23f), x);
    return from_bits((wrapping_sub(bits(scaled), I(0x3f400000)) & I(0x007fffff)) + I(0x3f400000));
  } else {
    const V scaled = select(x < V(0x1p-1022), x * V(0x1p52), x);
    return from_bits((wrapping_sub(bits(scaled), I(0x3fe8000000000000)) & I(0x000fffffffffffff)) +
                     I(0x3fe8000000000000));
  }
}
template <Real V>
LAMINA_FN V exponent(V x, V m) {
  using I = int_t<V>;
  const auto small = x < V(Single<V> ? lane_t<V>(0x1p-126) : lane_t<V>(0x1p-1022));
  const V scaled = select(small, x * V(Single<V> ? lane_t<V>(0x1p23) : lane_t<V>(0x1p52)), x);
  const V bias = select(small, V(lane_t<V>(Single<V> ? 23 : 52)), V(0));
  const I d = wrapping_sub(bits(scaled), bits(m));  // a multiple of one exponent step
  V e;
  if constexpr (Single<V>)
    e = from_bits((d >> 23) + I(0x4b400000));
  else
    e = from_bits((d >> 52) + I(0x4338000000000000));
  return (e - round_magic<V>()) - bias;
}
// What every logarithm returns at 0, below 0, at infinity and NaN, where y is its value elsewhere.
template <Real V>
LAMINA_FN V log_edges(V x, V y) {
  y = select(x < infinity<V>(), y, x);
  y = select(x == V(0), -infinity<V>(), y);
  return select(x < V(0), quiet_nan<V>(), y);
}

// x = m 2^e with 1/2 <= |m| < 1; what is 0 or not finite stays, with e = 0.
template <Real V>
LAMINA_FN V frexp_mantissa(V x) {
  const V t = abs(x), m = mantissa(t), one(1);
  const V half = V(lane_t<V>(0.5)) * m;
  return select((t > V(0)) & (t < infinity<V>()), with_sign(select(m < one, m, half), x), x);
}
template <Real V>
LAMINA_FN V frexp_exponent(V x) {
  const V t = abs(x), m = mantissa(t), one(1), e = exponent(t, m);
  return select((t > V(0)) & (t < infinity<V>()), select(m < one, e, e + one), V(0));
}
// The neighbour of x on the side of y.
template <Real V>
LAMINA_FN V nextafter(V x, V y) {
  using I = int_t<V>;
  const I i = bits(x);
  const auto away = (x < y) ^ (x < V(0));  // the magnitude grows
  const V r = from_bits(select(away, i + I(1), i - I(1)));
  const V least = with_sign(from_bits(I(1)), y);
  const V z = select(x == V(0), least, r);
  return select((x != x) | (y != y), x + y, select(x == y, y, z));
}

// table[i mod 16]
LAMINA_FN float lookup16(const float* table, int32_t i) { return table[i & 15]; }

// A float function through double arithmetic: F::run on doubles.
template <class F>
LAMINA_FN float via_double(F, float x) {
  return float(F::run(double(x)));
}
template <class F>
LAMINA_FN float via_double(F, float x, float y) {
  return float(F::run(double(x), double(y)));
}

}  // namespace lamina::math::inline LAMINA_ISA
