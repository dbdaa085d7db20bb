// The part of Vec<T> for any CPU, 16-byte registers without fma instructions. Included by simd.h.
#pragma once

namespace lamina::cpu::inline LAMINA_ISA {

#if defined(__SSE2__)
LAMINA_INLINE Vec<double> widen_low(Vec<float> x) { return _mm_cvtps_pd(x.v); }
LAMINA_INLINE Vec<double> widen_high(Vec<float> x) { return _mm_cvtps_pd(_mm_movehl_ps(x.v, x.v)); }
LAMINA_INLINE Vec<float> narrow(Vec<double> low, Vec<double> high) {
  return _mm_movelh_ps(_mm_cvtpd_ps(low.v), _mm_cvtpd_ps(high.v));
}
LAMINA_INLINE Vec<float> lesser(Vec<float> a, Vec<float> b) { return _mm_min_ps(a.v, b.v); }
LAMINA_INLINE Vec<double> lesser(Vec<double> a, Vec<double> b) { return _mm_min_pd(a.v, b.v); }
LAMINA_INLINE Vec<float> greater(Vec<float> a, Vec<float> b) { return _mm_max_ps(a.v, b.v); }
LAMINA_INLINE Vec<double> greater(Vec<double> a, Vec<double> b) { return _mm_max_pd(a.v, b.v); }
LAMINA_INLINE Vec<float> sqrt(Vec<float> a) { return _mm_sqrt_ps(a.v); }
LAMINA_INLINE Vec<double> sqrt(Vec<double> a) { return _mm_sqrt_pd(a.v); }
#else
LAMINA_INLINE Vec<double> widen_low(Vec<float> x) { return Vec<double>::native{x.v[0], x.v[1]}; }
LAMINA_INLINE Vec<double> widen_high(Vec<float> x) { return Vec<double>::native{x.v[2], x.v[3]}; }
LAMINA_INLINE Vec<float> narrow(Vec<double> low, Vec<double> high) {
  return Vec<float>::native{float(low.v[0]), float(low.v[1]), float(high.v[0]), float(high.v[1])};
}
template <class T>
LAMINA_INLINE Vec<T> sqrt(Vec<T> a) {
  for (int i = 0; i < Vec<T>::size; ++i)
    a.v[i] = sizeof(T) == 4 ? T(__builtin_sqrtf(float(a.v[i]))) : T(__builtin_sqrt(double(a.v[i])));
  return a;
}
#endif

// table[i mod 16] for a table of 16 floats.
LAMINA_INLINE Vec<float> lookup16(const float* table, Vec<int32_t> i) {
  return Vec<float>::native{table[i.v[0] & 15], table[i.v[1] & 15], table[i.v[2] & 15], table[i.v[3] & 15]};
}

// a * b + c with one rounding to float. The product is exact in double; the sum is rounded to odd there (towards zero,
// the last bit set if inexact), after which rounding to float gives the correctly rounded result.
LAMINA_INLINE Vec<double> fma_to_odd(Vec<double> a, Vec<double> b, Vec<double> c) {
  const Vec<double> p = a * b, s = p + c, t = s - p;
  const Vec<double> e = (p - (s - t)) + (c - t);  // s + e is exact; NaN when s is not finite
  const Vec<double> zero(0.0);
  const Vec<int64_t> i = bits(s), one(1);
  const Vec<int64_t> away = Vec<int64_t>(((e < zero) ^ (s < zero)).m);  // -1 where |s| is above the exact sum
  const Vec<int64_t> inexact = Vec<int64_t>(((e < zero) | (e > zero)).m), even = (i & one) - one;
  return from_bits(i + ((away | one) & inexact & even));
}
#if defined(LAMINA_FMA_CALLS)  // one copy of these instructions, for files where size counts more
#define LAMINA_FMA [[gnu::noinline]] inline
#else
#define LAMINA_FMA LAMINA_INLINE
#endif
LAMINA_FMA Vec<float> fma(Vec<float> a, Vec<float> b, Vec<float> c) {
  return narrow(fma_to_odd(widen_low(a), widen_low(b), widen_low(c)),
                fma_to_odd(widen_high(a), widen_high(b), widen_high(c)));
}
LAMINA_FMA Vec<double> fma(Vec<double> a, Vec<double> b, Vec<double> c) {
  for (int i = 0; i < Vec<double>::size; ++i) a.v[i] = __builtin_fma(a.v[i], b.v[i], c.v[i]);
  return a;
}
#undef LAMINA_FMA
template <class T>
  requires std::is_floating_point_v<T>
LAMINA_INLINE Vec<T> rint(Vec<T> a) {
  const Vec<T> big(sizeof(T) == 4 ? T(0x1p23) : T(0x1p52));
  const Vec<IntOf<T>> sign = bits(a) & bits(Vec<T>(T(-0.0)));
  const Vec<T> magnitude = from_bits(bits(a) ^ sign);
  const Vec<T> r = (magnitude + big) - big;
  return select(magnitude < big, from_bits(bits(r) | sign), a);
}
template <class T>
LAMINA_INLINE bool any(Mask<T> m) {
  typename Native<int64_t>::type w = (typename Native<int64_t>::type)m.m;
  return (w[0] | w[1]) != 0;
}
template <class T>
LAMINA_INLINE Vec<T> Vec<T>::load(const T* p, int n) {
  Vec r(T(0));
  for (int i = 0; i < n; ++i) r.v[i] = p[i];
  return r;
}
template <class T>
LAMINA_INLINE void Vec<T>::store(T* p, int n) const {
  for (int i = 0; i < n; ++i) p[i] = v[i];
}

}  // namespace lamina::cpu::inline LAMINA_ISA
