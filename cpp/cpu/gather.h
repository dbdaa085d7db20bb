// Contiguous, converted access to strided elements: the compute type of a dtype, runs, and conversion of results.
#pragma once
#include "lamina/dtype.h"
#include "lamina/view.h"
#include "simd.h"

namespace lamina::cpu::inline LAMINA_ISA {

// f64 computes in double, the other floats in float, everything else in int64.
enum class Compute : uint8_t { f32, f64, i64 };
LAMINA_INLINE Compute compute_of(DType t) {
  return t == DType::float64 ? Compute::f64 : is_floating(t) ? Compute::f32 : Compute::i64;
}
template <class C>
LAMINA_INLINE bool stored_as(DType t) {
  if constexpr (std::is_same_v<C, float>) return t == DType::float32;
  if constexpr (std::is_same_v<C, double>) return t == DType::float64;
  return t == DType::int64;
}

// dst[i] = C(src[i * stride]), src counted in elements of dtype t. C is the compute type of t, or uint8_t for "x != 0".
template <class C>
void gather_run(DType t, const void* src, int64_t stride, int64_t n, C* dst);
// dst[i * stride] = src[i], rounded to dtype t.
template <class C>
void scatter_run(DType t, const C* src, void* dst, int64_t stride, int64_t n);

LAMINA_INLINE const char* element(const void* p, DType t, int64_t index) {
  return static_cast<const char*>(p) + index * int64_t(size_of(t));
}
LAMINA_INLINE char* element(void* p, DType t, int64_t index) {
  return static_cast<char*>(p) + index * int64_t(size_of(t));
}

}  // namespace lamina::cpu::inline LAMINA_ISA
