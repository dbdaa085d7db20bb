// Vec<T>: one native SIMD register of T at the level this file is compiled for (16, 32 or 64 bytes).
// Lane-wise results are the same at every level; fma is a true fused multiply-add even in the baseline.
#pragma once
#include <cmath>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "lamina/host_device.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#define LAMINA_INLINE [[gnu::always_inline]] inline

namespace lamina::cpu::inline LAMINA_ISA {

#if defined(__AVX512F__)
inline constexpr int kVecBytes = 64;
#elif defined(__AVX2__)
inline constexpr int kVecBytes = 32;
#else
inline constexpr int kVecBytes = 16;
#endif

template <class T>
struct Native {
  typedef T type __attribute__((vector_size(kVecBytes)));
  typedef T unaligned __attribute__((vector_size(kVecBytes), aligned(alignof(T)), may_alias));
};

template <class T>
using IntOf = std::conditional_t<sizeof(T) == 4, int32_t, int64_t>;
template <class T>
using FloatOf = std::conditional_t<sizeof(T) == 4, float, double>;

// All bits of a lane are set where the condition holds.
template <class T>
struct Mask {
  typename Native<IntOf<T>>::type m;
  LAMINA_INLINE friend Mask operator&(Mask a, Mask b) { return {a.m & b.m}; }
  LAMINA_INLINE friend Mask operator|(Mask a, Mask b) { return {a.m | b.m}; }
  LAMINA_INLINE friend Mask operator^(Mask a, Mask b) { return {a.m ^ b.m}; }
  LAMINA_INLINE friend Mask operator!(Mask a) { return {~a.m}; }
  LAMINA_INLINE friend Mask operator&&(Mask a, Mask b) { return {a.m & b.m}; }
  LAMINA_INLINE friend Mask operator||(Mask a, Mask b) { return {a.m | b.m}; }
};

template <class T>
struct Vec {
  using value_type = T;
  using native = typename Native<T>::type;
  static constexpr int size = kVecBytes / int(sizeof(T));
  native v;

  Vec() = default;
  LAMINA_INLINE Vec(native x) : v(x) {}
  LAMINA_INLINE explicit Vec(T s) : v(native{} + s) {
    if constexpr (std::is_floating_point_v<T>) v = s - native{};  // s - 0 keeps -0 (and is one broadcast)
  }
  LAMINA_INLINE static Vec load(const T* p) { return Vec(native(*reinterpret_cast<const typename Native<T>::unaligned*>(p))); }
  LAMINA_INLINE void store(T* p) const { *reinterpret_cast<typename Native<T>::unaligned*>(p) = v; }
  // The first n lanes (0 < n < size); the others are zero on load and untouched on store.
  LAMINA_INLINE static Vec load(const T* p, int n) {
    Vec r(T(0));
    std::memcpy(&r.v, p, size_t(n) * sizeof(T));
    return r;
  }
  LAMINA_INLINE void store(T* p, int n) const { std::memcpy(p, &v, size_t(n) * sizeof(T)); }
  LAMINA_INLINE T operator[](int i) const { return v[i]; }

  LAMINA_INLINE friend Vec operator+(Vec a, Vec b) { return a.v + b.v; }
  LAMINA_INLINE friend Vec operator-(Vec a, Vec b) { return a.v - b.v; }
  LAMINA_INLINE friend Vec operator*(Vec a, Vec b) { return a.v * b.v; }
  LAMINA_INLINE friend Vec operator/(Vec a, Vec b) { return a.v / b.v; }
  LAMINA_INLINE friend Vec operator-(Vec a) { return -a.v; }
  LAMINA_INLINE friend Vec operator&(Vec a, Vec b) { return a.v & b.v; }
  LAMINA_INLINE friend Vec operator|(Vec a, Vec b) { return a.v | b.v; }
  LAMINA_INLINE friend Vec operator^(Vec a, Vec b) { return a.v ^ b.v; }
  LAMINA_INLINE friend Vec operator~(Vec a) { return ~a.v; }
  LAMINA_INLINE friend Vec operator<<(Vec a, int n) { return a.v << n; }
  LAMINA_INLINE friend Vec operator>>(Vec a, int n) { return a.v >> n; }
  LAMINA_INLINE friend Mask<T> operator<(Vec a, Vec b) { return {a.v < b.v}; }
  LAMINA_INLINE friend Mask<T> operator<=(Vec a, Vec b) { return {a.v <= b.v}; }
  LAMINA_INLINE friend Mask<T> operator>(Vec a, Vec b) { return {a.v > b.v}; }
  LAMINA_INLINE friend Mask<T> operator>=(Vec a, Vec b) { return {a.v >= b.v}; }
  LAMINA_INLINE friend Mask<T> operator==(Vec a, Vec b) { return {a.v == b.v}; }
  LAMINA_INLINE friend Mask<T> operator!=(Vec a, Vec b) { return {a.v != b.v}; }
};

template <class T>
LAMINA_INLINE Vec<T> select(Mask<T> m, Vec<T> a, Vec<T> b) {
  return m.m ? a.v : b.v;
}

// Same bits, other type.
LAMINA_INLINE Vec<int32_t> bits(Vec<float> x) { return (Native<int32_t>::type)x.v; }
LAMINA_INLINE Vec<int64_t> bits(Vec<double> x) { return (Native<int64_t>::type)x.v; }
LAMINA_INLINE Vec<float> from_bits(Vec<int32_t> x) { return (Native<float>::type)x.v; }
LAMINA_INLINE Vec<double> from_bits(Vec<int64_t> x) { return (Native<double>::type)x.v; }

// a * b + c, rounded once.
#if defined(__AVX512F__)
LAMINA_INLINE Vec<float> fma(Vec<float> a, Vec<float> b, Vec<float> c) { return _mm512_fmadd_ps(a.v, b.v, c.v); }
LAMINA_INLINE Vec<double> fma(Vec<double> a, Vec<double> b, Vec<double> c) { return _mm512_fmadd_pd(a.v, b.v, c.v); }
LAMINA_INLINE Vec<float> sqrt(Vec<float> a) { return _mm512_sqrt_ps(a.v); }
LAMINA_INLINE Vec<double> sqrt(Vec<double> a) { return _mm512_sqrt_pd(a.v); }
LAMINA_INLINE Vec<float> rint(Vec<float> a) { return _mm512_roundscale_ps(a.v, 0); }
LAMINA_INLINE Vec<double> rint(Vec<double> a) { return _mm512_roundscale_pd(a.v, 0); }
#elif defined(__AVX2__)
LAMINA_INLINE Vec<float> fma(Vec<float> a, Vec<float> b, Vec<float> c) { return _mm256_fmadd_ps(a.v, b.v, c.v); }
LAMINA_INLINE Vec<double> fma(Vec<double> a, Vec<double> b, Vec<double> c) { return _mm256_fmadd_pd(a.v, b.v, c.v); }
LAMINA_INLINE Vec<float> sqrt(Vec<float> a) { return _mm256_sqrt_ps(a.v); }
LAMINA_INLINE Vec<double> sqrt(Vec<double> a) { return _mm256_sqrt_pd(a.v); }
LAMINA_INLINE Vec<float> rint(Vec<float> a) { return _mm256_round_ps(a.v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
LAMINA_INLINE Vec<double> rint(Vec<double> a) { return _mm256_round_pd(a.v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
#else
template <class T>
LAMINA_INLINE Vec<T> fma(Vec<T> a, Vec<T> b, Vec<T> c) {
  Vec<T> r;
  for (int i = 0; i < Vec<T>::size; ++i) r.v[i] = std::fma(a.v[i], b.v[i], c.v[i]);
  return r;
}
template <class T>
LAMINA_INLINE Vec<T> sqrt(Vec<T> a) {
  for (int i = 0; i < Vec<T>::size; ++i) a.v[i] = std::sqrt(a.v[i]);
  return a;
}
template <class T>
LAMINA_INLINE Vec<T> rint(Vec<T> a) {
  for (int i = 0; i < Vec<T>::size; ++i) a.v[i] = std::nearbyint(a.v[i]);
  return a;
}
#endif

}  // namespace lamina::cpu::inline LAMINA_ISA
