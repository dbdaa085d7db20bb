// Vec<T>: one native SIMD register of T at the level this file is compiled for (16, 32 or 64 bytes).
// Lane-wise results are the same at every level; fma is a true fused multiply-add even in the baseline.
#pragma once
#include <cmath>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "lamina/host_device.h"

#if defined(__x86_64__)
// g++ 12 takes the undefined pass-through operands of these headers for uninitialised variables.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"
#include <immintrin.h>
#pragma GCC diagnostic pop
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
using UnsignedOf = std::conditional_t<sizeof(T) == 4, uint32_t, uint64_t>;
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
  using lane_type = T;
  using native = typename Native<T>::type;
  static constexpr int size = kVecBytes / int(sizeof(T));
  native v;

  Vec() = default;
  LAMINA_INLINE Vec(native x) : v(x) {}
  LAMINA_INLINE explicit Vec(T s) : v(native{} + s) {
    if constexpr (std::is_floating_point_v<T>) v = s - native{};  // s - 0 keeps -0 (and is one broadcast)
  }
  LAMINA_INLINE static Vec load(const T* p) {
    return Vec(native(*reinterpret_cast<const typename Native<T>::unaligned*>(p)));
  }
  LAMINA_INLINE void store(T* p) const { *reinterpret_cast<typename Native<T>::unaligned*>(p) = v; }
  // The first n lanes (0 < n < size); the others are zero on load and untouched on store.
  LAMINA_INLINE static Vec load(const T* p, int n);
  LAMINA_INLINE void store(T* p, int n) const;
  LAMINA_INLINE T operator[](int i) const { return v[i]; }

  // Integers wrap around: computed as unsigned.
  using Wrap = typename Native<std::conditional_t<std::is_integral_v<T>, UnsignedOf<T>, T>>::type;
  LAMINA_INLINE friend Vec operator+(Vec a, Vec b) { return native(Wrap(a.v) + Wrap(b.v)); }
  LAMINA_INLINE friend Vec operator-(Vec a, Vec b) { return native(Wrap(a.v) - Wrap(b.v)); }
  LAMINA_INLINE friend Vec operator*(Vec a, Vec b) { return native(Wrap(a.v) * Wrap(b.v)); }
  LAMINA_INLINE friend Vec operator/(Vec a, Vec b) { return a.v / b.v; }
  LAMINA_INLINE friend Vec operator-(Vec a) { return native(-Wrap(a.v)); }
  LAMINA_INLINE friend Vec operator&(Vec a, Vec b) { return a.v & b.v; }
  LAMINA_INLINE friend Vec operator|(Vec a, Vec b) { return a.v | b.v; }
  LAMINA_INLINE friend Vec operator^(Vec a, Vec b) { return a.v ^ b.v; }
  LAMINA_INLINE friend Vec operator~(Vec a) { return ~a.v; }
  LAMINA_INLINE friend Vec operator<<(Vec a, int n) { return native(Wrap(a.v) << n); }
  LAMINA_INLINE friend Vec operator>>(Vec a, int n) { return a.v >> n; }
  LAMINA_INLINE friend Vec operator<<(Vec a, Vec n) { return native(Wrap(a.v) << Wrap(n.v)); }
  LAMINA_INLINE friend Vec operator>>(Vec a, Vec n) { return a.v >> n.v; }
  LAMINA_INLINE friend Mask<T> operator<(Vec a, Vec b) { return {a.v < b.v}; }
  LAMINA_INLINE friend Mask<T> operator<=(Vec a, Vec b) { return {a.v <= b.v}; }
  LAMINA_INLINE friend Mask<T> operator>(Vec a, Vec b) { return {a.v > b.v}; }
  LAMINA_INLINE friend Mask<T> operator>=(Vec a, Vec b) { return {a.v >= b.v}; }
  LAMINA_INLINE friend Mask<T> operator==(Vec a, Vec b) { return {a.v == b.v}; }
  LAMINA_INLINE friend Mask<T> operator!=(Vec a, Vec b) { return {a.v != b.v}; }
};

// The mask may come from a comparison of another type with lanes of the same size.
template <class M, class T>
  requires(sizeof(M) == sizeof(T))
LAMINA_INLINE Vec<T> select(Mask<M> m, Vec<T> a, Vec<T> b) {
  return m.m ? a.v : b.v;
}
// a < b ? a : b and a > b ? a : b in this order: a NaN in b stays.
template <class T>
LAMINA_INLINE Vec<T> lesser(Vec<T> a, Vec<T> b) {
  return select(a < b, a, b);
}
template <class T>
LAMINA_INLINE Vec<T> greater(Vec<T> a, Vec<T> b) {
  return select(a > b, a, b);
}

template <class T>
LAMINA_INLINE T get_lane(Vec<T> x, int i) {
  return x.v[i];
}
template <class T>
LAMINA_INLINE void set_lane(Vec<T>& x, int i, T y) {
  x.v[i] = y;
}
template <class T>
LAMINA_INLINE Vec<T> wrapping_sub(Vec<T> a, Vec<T> b) {
  return a - b;
}

// Same bits, other type.
LAMINA_INLINE Vec<int32_t> bits(Vec<float> x) { return (Native<int32_t>::type)x.v; }
LAMINA_INLINE Vec<int64_t> bits(Vec<double> x) { return (Native<int64_t>::type)x.v; }
LAMINA_INLINE Vec<float> from_bits(Vec<int32_t> x) { return (Native<float>::type)x.v; }
LAMINA_INLINE Vec<double> from_bits(Vec<int64_t> x) { return (Native<double>::type)x.v; }

}  // namespace lamina::cpu::inline LAMINA_ISA

#if defined(__AVX512F__)
#include "cpu/simd_avx512.h"
#elif defined(__AVX2__)
#include "cpu/simd_avx2.h"
#else
#include "cpu/simd_base.h"
#endif

namespace lamina::cpu::inline LAMINA_ISA {

// A float function through double arithmetic, F::run on doubles, half a register at a time.
template <class F>
LAMINA_INLINE Vec<float> via_double(F, Vec<float> x) {
  return narrow(F::run(widen_low(x)), F::run(widen_high(x)));
}
template <class F>
LAMINA_INLINE Vec<float> via_double(F, Vec<float> x, Vec<float> y) {
  return narrow(F::run(widen_low(x), widen_low(y)), F::run(widen_high(x), widen_high(y)));
}

}  // namespace lamina::cpu::inline LAMINA_ISA
