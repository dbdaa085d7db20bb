// Parts shared by the convolution kernels: the problem, packing into panels and channels-last bands, valid tap ranges.
#pragma once
#include "lamina/view.h"
#include "lamina/window.h"
#include "parallel.h"
#include "simd.h"

namespace lamina::cpu::inline LAMINA_ISA {

// Accumulation is cut into chunks of this many taps (forward, input gradient) or about this many pixels (weights).
inline constexpr int64_t kChunk = 256;

// One (grouped) convolution in elements; channel counts are per group. Strides may be zero or negative.
struct Conv {
  int64_t n, groups, ic, oc, h, w, oh, ow, kh, kw;
  int64_t stride[2], pad[2], dil[2];
  const void* x;
  int64_t xs[4];  // image, channel, row, column
  const void* wt;
  int64_t wg, wo, wi, wh, ww;  // group, output channel, input channel, tap row, tap column
  const void* bias;            // null: none
  int64_t bs;
  void* out;
  int64_t os[4];
};

// Forward law (see conv.cpp) for S = float, double, Half or BFloat16; defined in conv_core.h, instantiated per dtype.
template <class S>
void conv_core(const Conv& c);
void conv_any(DType t, const Conv& c);
// The same for groups of one input and one output channel; false: not such a case, nothing done. (depthwise.cpp)
bool depthwise(DType t, const Conv& c);
// c.out is the gradient of the output, c.wt is written.
bool depthwise_weight_grad(DType t, const Conv& c);

// Consecutive pixels of one output row whose tap lies inside the image; offsets in elements.
struct PixelRun {
  int64_t x, g, count;
};

// The arithmetic type of a storage type.
template <class S>
struct Arith {
  using type = float;
};
template <>
struct Arith<double> {
  using type = double;
};
LAMINA_INLINE float widen(float x) { return x; }
LAMINA_INLINE double widen(double x) { return x; }
LAMINA_INLINE float widen(Half x) { return to_float(x); }
LAMINA_INLINE float widen(BFloat16 x) { return to_float(x); }
LAMINA_INLINE void narrow(float x, float& y) { y = x; }
LAMINA_INLINE void narrow(double x, double& y) { y = x; }
LAMINA_INLINE void narrow(float x, Half& y) { y = to_half(x); }
LAMINA_INLINE void narrow(float x, BFloat16& y) { y = to_bfloat16(x); }

LAMINA_INLINE int64_t min_of(int64_t a, int64_t b) { return a < b ? a : b; }
LAMINA_INLINE int64_t max_of(int64_t a, int64_t b) { return a > b ? a : b; }
LAMINA_INLINE int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

// Taps k in [lo, hi) of output index o fall inside an input of `size`.
struct Range {
  int64_t lo, hi;
};
LAMINA_INLINE Range valid_taps(int64_t o, int64_t stride, int64_t pad, int64_t dil, int64_t taps, int64_t size) {
  const int64_t at = o * stride - pad;  // input index of tap 0
  const int64_t lo = at >= 0 ? 0 : ceil_div(-at, dil);
  const int64_t hi = at >= size ? 0 : min_of(taps, (size - 1 - at) / dil + 1);
  return {lo, max_of(hi, lo)};
}
// Output indices in [lo, hi) for which tap k falls inside the input.
LAMINA_INLINE Range valid_outputs(int64_t k, int64_t stride, int64_t pad, int64_t dil, int64_t outputs, int64_t size) {
  const int64_t at = k * dil - pad;
  const int64_t lo = at >= 0 ? 0 : min_of(outputs, ceil_div(-at, stride));
  const int64_t hi = at >= size ? 0 : min_of(outputs, (size - 1 - at) / stride + 1);
  return {lo, max_of(hi, lo)};
}

// The first n lanes, zeros behind (0 < n <= size), without touching other memory.
template <class T>
LAMINA_INLINE Vec<T> load_some(const T* p, int64_t n) {
#if defined(__AVX512F__)
  if constexpr (sizeof(T) == 4)
    return _mm512_maskz_loadu_ps(__mmask16((1u << n) - 1), p);
  else
    return _mm512_maskz_loadu_pd(__mmask8((1u << n) - 1), p);
#else
  return n == Vec<T>::size ? Vec<T>::load(p) : Vec<T>::load(p, int(n));
#endif
}
template <class T>
LAMINA_INLINE void store_some(Vec<T> v, T* p, int64_t n) {
#if defined(__AVX512F__)
  if constexpr (sizeof(T) == 4)
    _mm512_mask_storeu_ps(p, __mmask16((1u << n) - 1), v.v);
  else
    _mm512_mask_storeu_pd(p, __mmask8((1u << n) - 1), v.v);
#else
  if (n == Vec<T>::size)
    v.store(p);
  else
    v.store(p, int(n));
#endif
}

// Transposes a square of registers by log2(size) rounds of interleaving.
template <class T>
LAMINA_INLINE void transpose(Vec<T>* r) {
  constexpr int L = Vec<T>::size;
  using Index = typename Native<IntOf<T>>::type;
  Index low, high;
  for (int i = 0; i < L; ++i) low[i] = i / 2 + (i & 1) * L, high[i] = low[i] + L / 2;
  Vec<T> t[L];
  for (int round = 1; round < L; round *= 2) {
#pragma GCC unroll 16
    for (int i = 0; i < L / 2; ++i) {
      t[2 * i].v = __builtin_shuffle(r[i].v, r[i + L / 2].v, low);
      t[2 * i + 1].v = __builtin_shuffle(r[i].v, r[i + L / 2].v, high);
    }
#pragma GCC unroll 16
    for (int i = 0; i < L; ++i) r[i] = t[i];
  }
}

// dst[j * ld + i] = src[i * rs + j] for i < rows <= size, j < cols <= size; lanes [rows, fill) of dst become zero.
template <class T>
LAMINA_INLINE void transpose_block(const T* src, int64_t rs, int64_t rows, int64_t cols, T* dst, int64_t ld,
                                   int64_t fill) {
  constexpr int L = Vec<T>::size;
  Vec<T> r[L];
  if (rows == L && cols == L) {
#pragma GCC unroll 16
    for (int i = 0; i < L; ++i) r[i] = Vec<T>::load(src + i * rs);
  } else {
#pragma GCC unroll 16
    for (int i = 0; i < L; ++i) r[i] = i < rows ? load_some(src + i * rs, cols) : Vec<T>(T(0));
  }
  transpose(r);
  if (fill == L && cols == L) {
#pragma GCC unroll 16
    for (int j = 0; j < L; ++j) r[j].store(dst + j * ld);
  } else {
#pragma GCC unroll 16
    for (int j = 0; j < L; ++j)
      if (j < cols) store_some(r[j], dst + j * ld, fill);
  }
}

// dst[(row * width + column) * pitch + c] = x[c, row, column]: a channels-last copy in the arithmetic type.
template <class S, class T>
void channels_last(const S* x, int64_t sc, int64_t sh, int64_t sw, int64_t channels, int64_t rows, int64_t width,
                   T* dst, int64_t pitch) {
  if (sh == sw * width) width *= rows, rows = 1;
  for (int64_t y = 0; y < rows; ++y, dst += width * pitch) {
    const S* s = x + y * sh;
    if constexpr (sizeof(S) == sizeof(T)) {
      constexpr int64_t L = Vec<T>::size;
      if (sw == 1 && channels > 3) {
        for (int64_t c = 0; c < channels; c += L)
          for (int64_t i = 0; i < width; i += L)
            transpose_block<T>(s + c * sc + i, sc, min_of(L, channels - c), min_of(L, width - i), dst + i * pitch + c,
                               pitch, min_of(L, channels - c));
        continue;
      }
    }
    if constexpr (sizeof(S) == sizeof(T)) {
      constexpr int64_t L = Vec<T>::size;
      if (sc == 1) {
        for (int64_t i = 0; i < width; ++i)
          for (int64_t c = 0; c < channels; c += L) {
            const int64_t n = min_of(L, channels - c);
            store_some(load_some(s + i * sw + c, n), dst + i * pitch + c, n);
          }
        continue;
      }
    }
    for (int64_t i = 0; i < width; ++i) {
      const S* p = s + i * sw;
      T* d = dst + i * pitch;
      if (sc == 1)
        for (int64_t c = 0; c < channels; ++c) d[c] = widen(p[c]);
      else if (sc == 0)  // an expanded gradient
        for (int64_t c = 0; c < channels; ++c) d[c] = widen(*p);
      else
        for (int64_t c = 0; c < channels; ++c) d[c] = widen(p[c * sc]);
    }
  }
}

}  // namespace lamina::cpu::inline LAMINA_ISA
