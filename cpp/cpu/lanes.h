// Lanes16<T>: sixteen lanes of T in 1, 2, 4 or 8 registers. Every reduction is written on it, so that the order of its
// additions is the same at every SIMD level.
#pragma once
#include "simd.h"

namespace lamina::cpu::inline LAMINA_ISA {

inline constexpr int kLanes = 16;

template <class T>
struct Lanes16 {
  using value_type = T;
  static constexpr int width = Vec<T>::size, regs = kLanes / width;
  Vec<T> r[regs];

  LAMINA_INLINE static Lanes16 broadcast(T s) {
    Lanes16 o;
    for (int i = 0; i < regs; ++i) o.r[i] = Vec<T>(s);
    return o;
  }
  LAMINA_INLINE static Lanes16 load(const T* p) {
    Lanes16 o;
    for (int i = 0; i < regs; ++i) o.r[i] = Vec<T>::load(p + i * width);
    return o;
  }
  LAMINA_INLINE void store(T* p) const {
    for (int i = 0; i < regs; ++i) r[i].store(p + i * width);
  }
  // The first n lanes from memory (any n), the others from `rest`.
  LAMINA_INLINE static Lanes16 load(const T* p, int64_t n, T rest) {
    if (n >= kLanes) return load(p);
#if defined(__AVX512F__)
    const uint32_t m = n > 0 ? (1u << n) - 1 : 0;
    Lanes16 o = broadcast(rest);
    if constexpr (std::is_same_v<T, float>) {
      o.r[0] = _mm512_mask_loadu_ps(o.r[0].v, __mmask16(m), p);
    } else if constexpr (std::is_same_v<T, double>) {
      o.r[0] = _mm512_mask_loadu_pd(o.r[0].v, __mmask8(m), p);
      o.r[1] = _mm512_mask_loadu_pd(o.r[1].v, __mmask8(m >> 8), p + width);
    } else {
      o.r[0] = typename Vec<T>::native(_mm512_mask_loadu_epi64((__m512i)o.r[0].v, __mmask8(m), p));
      o.r[1] = typename Vec<T>::native(_mm512_mask_loadu_epi64((__m512i)o.r[1].v, __mmask8(m >> 8), p + width));
    }
    return o;
#else
    alignas(64) T buf[kLanes];
    for (int i = 0; i < kLanes; ++i) buf[i] = i < n ? p[i] : rest;
    return load(buf);
#endif
  }
  // The first n lanes to memory (any n).
  LAMINA_INLINE void store(T* p, int64_t n) const {
    if (n >= kLanes) return store(p);
#if defined(__AVX512F__)
    const uint32_t m = n > 0 ? (1u << n) - 1 : 0;
    if constexpr (std::is_same_v<T, float>) return _mm512_mask_storeu_ps(p, __mmask16(m), r[0].v);
    if constexpr (std::is_same_v<T, double>) {
      _mm512_mask_storeu_pd(p, __mmask8(m), r[0].v);
      return _mm512_mask_storeu_pd(p + width, __mmask8(m >> 8), r[1].v);
    }
#endif
    alignas(64) T buf[kLanes];
    store(buf);
    for (int i = 0; i < n; ++i) p[i] = buf[i];
  }

#define LAMINA_LANES_OP(op)                                        \
  LAMINA_INLINE friend Lanes16 operator op(Lanes16 a, Lanes16 b) { \
    for (int i = 0; i < regs; ++i) a.r[i] = a.r[i] op b.r[i];      \
    return a;                                                      \
  }
  LAMINA_LANES_OP(+)
  LAMINA_LANES_OP(-)
  LAMINA_LANES_OP(*)
#undef LAMINA_LANES_OP
};

// f(register, register ...) on each register.
template <class F, class T, class... U>
LAMINA_INLINE Lanes16<T> map(F f, Lanes16<T> a, const Lanes16<U>&... b) {
  for (int i = 0; i < Lanes16<T>::regs; ++i) a.r[i] = f(a.r[i], b.r[i]...);
  return a;
}

template <class T>
LAMINA_INLINE Lanes16<T> fma(Lanes16<T> a, const Lanes16<T>& b, const Lanes16<T>& c) {
  for (int i = 0; i < Lanes16<T>::regs; ++i) a.r[i] = fma(a.r[i], b.r[i], c.r[i]);
  return a;
}

// The upper half of the first 2w lanes, moved down.
template <int W, class T>
LAMINA_INLINE Vec<T> upper_half(Vec<T> x) {
  typename Native<IntOf<T>>::type index;
  for (int i = 0; i < Vec<T>::size; ++i) index[i] = (i + W) % Vec<T>::size;
  return __builtin_shuffle(x.v, index);
}
// 16 -> 8 -> 4 -> 2 -> 1: lane l takes lane l + w.
template <class F, class T>
LAMINA_INLINE T fold(F f, Lanes16<T> a) {
  for (int h = Lanes16<T>::regs / 2; h > 0; h /= 2)
    for (int i = 0; i < h; ++i) a.r[i] = f(a.r[i], a.r[i + h]);
  Vec<T> v = a.r[0];
  if constexpr (Vec<T>::size >= 16) v = f(v, upper_half<8>(v));
  if constexpr (Vec<T>::size >= 8) v = f(v, upper_half<4>(v));
  if constexpr (Vec<T>::size >= 4) v = f(v, upper_half<2>(v));
  v = f(v, upper_half<1>(v));
  return v[0];
}

// The type in which sums of T are kept.
template <class T>
using SumOf = std::conditional_t<std::is_floating_point_v<T>, double, int64_t>;

LAMINA_INLINE Lanes16<double> widen(const Lanes16<double>& a) { return a; }
LAMINA_INLINE Lanes16<int64_t> widen(const Lanes16<int64_t>& a) { return a; }
LAMINA_INLINE Lanes16<double> widen(const Lanes16<float>& a) {
  Lanes16<double> o;
  for (int i = 0; i < Lanes16<float>::regs; ++i) {
#if defined(__AVX512F__)
    // The forms with a mask of ones: g++ 12 warns about the undefined registers inside the plain intrinsics.
    o.r[0] = _mm512_maskz_cvtps_pd(0xff, _mm512_castps512_ps256(a.r[i].v));
    o.r[1] = _mm512_maskz_cvtps_pd(0xff, _mm512_maskz_extractf32x8_ps(0xff, a.r[i].v, 1));
#elif defined(__AVX2__)
    o.r[2 * i] = _mm256_cvtps_pd(_mm256_castps256_ps128(a.r[i].v));
    o.r[2 * i + 1] = _mm256_cvtps_pd(_mm256_extractf128_ps(a.r[i].v, 1));
#elif defined(__SSE2__)
    o.r[2 * i] = _mm_cvtps_pd(a.r[i].v);
    o.r[2 * i + 1] = _mm_cvtps_pd(_mm_movehl_ps(a.r[i].v, a.r[i].v));
#else
    for (int j = 0; j < Vec<float>::size; ++j) {
      const int lane = i * Vec<float>::size + j;
      o.r[lane / Vec<double>::size].v[lane % Vec<double>::size] = a.r[i].v[j];
    }
#endif
  }
  return o;
}

LAMINA_INLINE Lanes16<double> narrow(const Lanes16<double>& a, double) { return a; }
LAMINA_INLINE Lanes16<int64_t> narrow(const Lanes16<int64_t>& a, int64_t) { return a; }
// Rounds to nearest even, lane by lane.
LAMINA_INLINE Lanes16<float> narrow(const Lanes16<double>& a, float) {
  Lanes16<float> o;
  for (int i = 0; i < Lanes16<float>::regs; ++i) {
#if defined(__AVX512F__)
    const __m256 lo = _mm512_maskz_cvtpd_ps(0xff, a.r[0].v), hi = _mm512_maskz_cvtpd_ps(0xff, a.r[1].v);
    o.r[0] = _mm512_maskz_insertf32x8(0xffff, _mm512_castps256_ps512(lo), hi, 1);
#elif defined(__AVX2__)
    o.r[i] = _mm256_set_m128(_mm256_cvtpd_ps(a.r[2 * i + 1].v), _mm256_cvtpd_ps(a.r[2 * i].v));
#elif defined(__SSE2__)
    o.r[i] = _mm_movelh_ps(_mm_cvtpd_ps(a.r[2 * i].v), _mm_cvtpd_ps(a.r[2 * i + 1].v));
#else
    for (int j = 0; j < Vec<float>::size; ++j) {
      const int lane = i * Vec<float>::size + j;
      o.r[i].v[j] = float(a.r[lane / Vec<double>::size].v[lane % Vec<double>::size]);
    }
#endif
  }
  return o;
}

}  // namespace lamina::cpu::inline LAMINA_ISA
