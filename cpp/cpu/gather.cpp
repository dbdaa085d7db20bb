// Converts strided runs of any dtype to and from the compute types.
#include "gather.h"

#include "lamina/round_odd.h"

namespace lamina::cpu::inline LAMINA_ISA {
namespace {

template <class T>
LAMINA_INLINE auto number(T x) {
  if constexpr (std::is_same_v<T, Half> || std::is_same_v<T, BFloat16>) {
    return to_float(x);
  } else {
    return x;
  }
}

template <class C, class T>
LAMINA_INLINE C convert(T x) {
  if constexpr (std::is_same_v<C, uint8_t>) {
    return number(x) != 0;
  } else if constexpr (std::is_same_v<T, bool>) {
    return C(x ? 1 : 0);
  } else {
    return C(number(x));
  }
}

template <class T, class C>
LAMINA_INLINE T round_to(C x) {
  if constexpr (std::is_same_v<T, Half>) {
    return to_half(odd_float(x));
  } else if constexpr (std::is_same_v<T, BFloat16>) {
    return to_bfloat16(odd_float(x));
  } else if constexpr (std::is_same_v<T, bool>) {
    return x != 0;
  } else {
    return T(x);
  }
}

template <class T, class C>
void gather_as(const T* src, int64_t stride, int64_t n, C* dst) {
  if (stride == 1) {
    for (int64_t i = 0; i < n; ++i) dst[i] = convert<C>(src[i]);
  } else {
    for (int64_t i = 0; i < n; ++i) dst[i] = convert<C>(src[i * stride]);
  }
}
template <class T, class C>
void scatter_as(const C* src, T* dst, int64_t stride, int64_t n) {
  if (stride == 1) {
    for (int64_t i = 0; i < n; ++i) dst[i] = round_to<T>(src[i]);
  } else {
    for (int64_t i = 0; i < n; ++i) dst[i * stride] = round_to<T>(src[i]);
  }
}

template <class C, class T>
constexpr bool converts() {
  constexpr bool floating = std::is_floating_point_v<decltype(number(T()))>;
  if constexpr (std::is_same_v<C, uint8_t>) return true;
  if constexpr (std::is_same_v<C, double>) return std::is_same_v<T, double>;
  if constexpr (std::is_same_v<C, float>) return floating && !std::is_same_v<T, double>;
  return !floating;
}

template <class F>
LAMINA_INLINE void with_type(DType t, F&& f) {
  switch (t) {
    case DType::bool_:
      return f(bool());
    case DType::uint8:
      return f(uint8_t());
    case DType::int8:
      return f(int8_t());
    case DType::int16:
      return f(int16_t());
    case DType::int32:
      return f(int32_t());
    case DType::int64:
      return f(int64_t());
    case DType::float16:
      return f(Half());
    case DType::bfloat16:
      return f(BFloat16());
    case DType::float32:
      return f(float());
    case DType::float64:
      return f(double());
  }
}

}  // namespace

template <class C>
void gather_run(DType t, const void* src, int64_t stride, int64_t n, C* dst) {
  with_type(t, [&](auto zero) __attribute__((always_inline)) {
    using T = decltype(zero);
    if constexpr (converts<C, T>()) gather_as(static_cast<const T*>(src), stride, n, dst);
  });
}

template <class C>
void scatter_run(DType t, const C* src, void* dst, int64_t stride, int64_t n) {
  with_type(t, [&](auto zero) __attribute__((always_inline)) {
    using T = decltype(zero);
    if constexpr (std::is_floating_point_v<C> == std::is_floating_point_v<decltype(number(T()))> ||
                  std::is_floating_point_v<decltype(number(T()))>) {
      scatter_as(src, static_cast<T*>(dst), stride, n);
    }
  });
}

template void gather_run<float>(DType, const void*, int64_t, int64_t, float*);
template void gather_run<double>(DType, const void*, int64_t, int64_t, double*);
template void gather_run<int64_t>(DType, const void*, int64_t, int64_t, int64_t*);
template void gather_run<uint8_t>(DType, const void*, int64_t, int64_t, uint8_t*);
template void scatter_run<float>(DType, const float*, void*, int64_t, int64_t);
template void scatter_run<double>(DType, const double*, void*, int64_t, int64_t);
template void scatter_run<int64_t>(DType, const int64_t*, void*, int64_t, int64_t);

}  // namespace lamina::cpu::inline LAMINA_ISA
