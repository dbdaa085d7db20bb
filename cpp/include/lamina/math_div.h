// Division with rounding and exact remainders, for floats and for integers that wrap around; integer forms of the
// rounding words. Integers: x / 0 gives 0 here (kernels raise an error before), and min / -1 wraps to min.
#pragma once
#include "lamina/math_base.h"

namespace lamina::math::inline LAMINA_ISA {

template <class V>
concept Integer = std::is_integral_v<lane_t<V>>;

template <Integer V>
LAMINA_FN V abs(V x) {
  return select(x < V(0), wrapping_sub(V(0), x), x);
}
template <Integer V>
LAMINA_FN V floor(V x) {
  return x;
}
template <Integer V>
LAMINA_FN V ceil(V x) {
  return x;
}
template <Integer V>
LAMINA_FN V rint(V x) {
  return x;
}
template <Integer V>
LAMINA_FN V trunc(V x) {
  return x;
}

struct TruncDivideInt {
  LAMINA_FN static int64_t run(int64_t a, int64_t b) {
    return b == 0 ? 0 : b == -1 ? wrapping_sub(int64_t(0), a) : a / b;
  }
};
struct FmodInt {
  LAMINA_FN static int64_t run(int64_t a, int64_t b) { return b == 0 || b == -1 ? 0 : a % b; }
};
struct FloorDivideInt {
  LAMINA_FN static int64_t run(int64_t a, int64_t b) {
    return TruncDivideInt::run(a, b) - (FmodInt::run(a, b) != 0 && (a < 0) != (b < 0) ? 1 : 0);
  }
};
struct RemainderInt {
  LAMINA_FN static int64_t run(int64_t a, int64_t b) {
    const int64_t m = FmodInt::run(a, b);
    return m != 0 && (m < 0) != (b < 0) ? m + b : m;
  }
};
// Wraps around; a negative exponent gives what rounding towards zero of the exact result would.
struct PowInt {
  LAMINA_FN static int64_t run(int64_t a, int64_t n) {
    if (n < 0) return a == 1 ? 1 : a == -1 ? (n & 1 ? -1 : 1) : 0;
    uint64_t r = 1, b = uint64_t(a);
    for (uint64_t e = uint64_t(n); e; e >>= 1) {
      if (e & 1) r *= b;
      b *= b;
    }
    return int64_t(r);
  }
};
struct GcdInt {
  LAMINA_FN static int64_t run(int64_t a, int64_t b) {
    while (b != 0) {
      const int64_t m = FmodInt::run(a, b);
      a = b;
      b = m;
    }
    return abs(a);
  }
};
struct LcmInt {
  LAMINA_FN static int64_t run(int64_t a, int64_t b) {
    const int64_t g = GcdInt::run(a, b);
    return g == 0 ? 0 : abs(int64_t(uint64_t(a / g) * uint64_t(b)));
  }
};
template <class F, Integer V>
LAMINA_FN V each_lane(F, V a, V b) {
  V r = a;
  for (int i = 0; i < kLanes<V>; ++i) set_lane(r, i, F::run(get_lane(a, i), get_lane(b, i)));
  return r;
}
template <Integer V>
LAMINA_FN V trunc_divide(V a, V b) {
  return each_lane(TruncDivideInt{}, a, b);
}
template <Integer V>
LAMINA_FN V floor_divide(V a, V b) {
  return each_lane(FloorDivideInt{}, a, b);
}
template <Integer V>
LAMINA_FN V fmod(V a, V b) {
  return each_lane(FmodInt{}, a, b);
}
template <Integer V>
LAMINA_FN V remainder(V a, V b) {
  return each_lane(RemainderInt{}, a, b);
}
template <Integer V>
LAMINA_FN V pow(V a, V b) {
  return each_lane(PowInt{}, a, b);
}

template <Integer V>
LAMINA_FN V gcd(V a, V b) {
  return each_lane(GcdInt{}, a, b);
}
template <Integer V>
LAMINA_FN V lcm(V a, V b) {
  return each_lane(LcmInt{}, a, b);
}
// Counts outside [0, 63] move every bit out.
template <Integer V>
LAMINA_FN V shift_left(V a, V n) {
  const auto within = (n >= V(0)) & (n < V(64));
  return select(within, a << select(within, n, V(0)), V(0));
}
template <Integer V>
LAMINA_FN V shift_right(V a, V n) {
  return a >> select((n >= V(0)) & (n < V(64)), n, V(63));
}

// a - n b for 0 <= a, 0 < b and a / b < 2^22 (2^51): exact, since the quotient is off by one at most.
template <Real V>
LAMINA_FN V fmod_step(V a, V b) {
  const V r = fma(-floor(a / b), b, a);
  return select(r < V(0), r + b, select(r >= b, r - b, r));
}
// Long division of one pair, for quotients that are too large for one step.
template <class T>
LAMINA_HD [[gnu::noinline]] static T fmod_large(T a, T b) {
  constexpr int digits = sizeof(T) == 4 ? 20 : 48;
  constexpr T huge = sizeof(T) == 4 ? T(0x1p100) : T(0x1p900);
  while (a >= b) {
    T c = b;
    // c = b 2^n, the largest step for which a / c stays small
    for (T limit = a * (T(1) / T(int64_t(1) << digits)); c < limit && c < huge;)
      c *= c * T(1024) < limit ? T(1024) : T(2);
    a = fmod_step(a, c);
  }
  return a;
}
// Exact, with the sign of a, as IEEE fmod.
template <Real V>
LAMINA_FN V fmod(V a, V b) {
  const V x = abs(a), y = abs(b), limit = V(lane_t<V>(sizeof(lane_t<V>) == 4 ? 0x1p21 : 0x1p50));
  V r = select(x < y, x, fmod_step(x, y));
  const auto large = (x >= y * limit) & (y > V(0)) & (x < infinity<V>());
  if (any(large | (x / y >= limit)))
    for (int i = 0; i < kLanes<V>; ++i) {
      const auto xi = get_lane(x, i), yi = get_lane(y, i);
      if (xi / yi >= get_lane(limit, i) && yi > 0 && xi < infinity<lane_t<V>>()) set_lane(r, i, fmod_large(xi, yi));
    }
  r = select((y == V(0)) | (x == infinity<V>()), quiet_nan<V>(), r);
  return select((x != x) | (y != y), a + b, with_sign(r, a));
}
// With the sign of b, as Python's %.
template <Real V>
LAMINA_FN V remainder(V a, V b) {
  const V m = fmod(a, b);
  return select((m != V(0)) & ((m < V(0)) ^ (b < V(0))), m + b, m);
}
template <Real V>
LAMINA_FN V trunc_divide(V a, V b) {
  return trunc(a / b);
}
// floor of the exact quotient; a / 0 is infinite or NaN.
template <Real V>
LAMINA_FN V floor_divide(V a, V b) {
  const V m = fmod(a, b), q = (a - m) / b;
  const V d = select((m != V(0)) & ((m < V(0)) ^ (b < V(0))), q - V(1), q);
  const V f = floor(d), n = select(d - f > V(lane_t<V>(0.5)), f + V(1), f);
  return select(b == V(0), a / b, select(d == V(0), copysign(V(0), a / b), n));
}

}  // namespace lamina::math::inline LAMINA_ISA
