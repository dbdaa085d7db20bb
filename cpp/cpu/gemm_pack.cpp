// Packing loops of the matrix product.
#include "cpu/gemm_pack.h"

#include "cpu/gemm_square.h"

namespace lamina::cpu::inline LAMINA_ISA {
namespace {

typedef uint16_t Narrow __attribute__((vector_size(kVecBytes / 2), aligned(2), may_alias));
typedef uint32_t Wide __attribute__((vector_size(kVecBytes)));

// One vector of T from contiguous S, all lanes or the first n.
template <class T, class S>
LAMINA_INLINE Vec<T> load_as(const S* p) {
  if constexpr (std::is_same_v<S, T>) {
    return Vec<T>::load(p);
  } else {
    if constexpr (std::is_same_v<S, BFloat16>) {
      return (typename Native<T>::type)(__builtin_convertvector(*reinterpret_cast<const Narrow*>(p), Wide) << 16);
    } else {
#if defined(__AVX512F__)
      return _mm512_maskz_cvtph_ps(__mmask16(-1), _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
#elif defined(__AVX2__)
      return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
#else
      Vec<T> r;
      for (int i = 0; i < Vec<T>::size; ++i) r.v[i] = gemm_load(p[i]);
      return r;
#endif
    }
  }
}
template <class T, class S>
LAMINA_INLINE Vec<T> load_as(const S* p, int64_t n) {
  if constexpr (std::is_same_v<S, T>) {
    return Lanes<T>(n).load(p);
  } else {
    if (n >= Vec<T>::size) return load_as<T>(p);
    T x[Vec<T>::size] = {};
    for (int64_t i = 0; i < n; ++i) x[i] = gemm_load(p[i]);
    return Vec<T>::load(x);
  }
}

// Rows of the panel are contiguous in src. The slack of a narrow row is overwritten by the next one.
template <class S, class T, int V>
void pack_rows(const S* src, int64_t ps, int w, int width, int64_t k, T* dst) {
  constexpr int n = Vec<T>::size;
  if (w == V * n) {
    for (int64_t p = 0; p < k; ++p, src += ps, dst += width) {
#pragma GCC unroll 2
      for (int j = 0; j < V; ++j) load_as<T>(src + j * n).store(dst + j * n);
    }
    return;
  }
  for (int64_t p = 0; p < k; ++p, src += ps, dst += width) {
#pragma GCC unroll 2
    for (int j = 0; j < V; ++j) load_as<T>(src + j * n, w - j * n).store(dst + j * n);
  }
}

// A partial or converted square: at most n rows and columns through a copy.
template <class S, class T>
[[gnu::noinline]] void pack_edge(const S* src, int64_t is, int rows, int depth, int width, T* dst) {
  for (int q = 0; q < depth; ++q)
    for (int i = 0; i < rows; ++i) dst[q * width + i] = gemm_load(src[i * is + q]);
}

// Columns of the panel are contiguous in src: square blocks are transposed in registers. Missing rows repeat the last
// one. Blocks go from right to left: the slack of one is overwritten by the next.
template <class S, class T>
void pack_columns(const S* src, int64_t is, int w, int width, int64_t k, T* dst) {
  constexpr int n = Square<T>::n;
  constexpr int64_t kRun = 8 * n;  // of k: the written lines stay in the nearest cache until they are full
  [[maybe_unused]] T copy[n * n];
  for (int64_t p0 = 0; p0 < k; p0 += kRun) {
    const int64_t p1 = k - p0 < kRun ? k : p0 + kRun;
    for (int i0 = (width - 1) / n * n; i0 >= 0; i0 -= n) {
      const S* from[n];
#pragma GCC unroll 8
      for (int i = 0; i < n; ++i) from[i] = src + (i0 + i < w ? i0 + i : w - 1) * is;
      int64_t p = p0;
      T* to = dst + p * width + i0;
      for (; p + n <= p1; p += n, to += n * width) {
        const T* row[n];
#pragma GCC unroll 8
        for (int i = 0; i < n; ++i) {
          if constexpr (std::is_same_v<S, T>) {
            row[i] = from[i] + p;
          } else {
            row[i] = copy + i * n;
            for (int q = 0; q < n; ++q) copy[i * n + q] = gemm_load(from[i][p + q]);
          }
        }
        typename Square<T>::V column[n];
        Square<T>::load(row, column);
#pragma GCC unroll 8
        for (int q = 0; q < n; ++q) Square<T>::store(to + q * width, column[q]);
      }
      if (p < p1) pack_edge(src + i0 * is + p, is, w - i0 < n ? w - i0 : n, int(p1 - p), width, to);
    }
  }
}

template <class S, class T>
void pack_plain(const S* src, int64_t is, int64_t ps, int w, int width, int64_t k, T* dst) {
  for (int64_t p = 0; p < k; ++p, src += ps, dst += width)
    for (int i = 0; i < w; ++i) dst[i] = gemm_load(src[i * is]);
}

}  // namespace

template <class S, class T>
void pack_panel(const S* src, int64_t is, int64_t ps, int w, int width, int64_t k, T* dst) {
  if (is == 1)
    return width > Vec<T>::size ? pack_rows<S, T, 2>(src, ps, w, width, k, dst)
                                : pack_rows<S, T, 1>(src, ps, w, width, k, dst);
  if (ps == 1) return pack_columns(src, is, w, width, k, dst);
  pack_plain(src, is, ps, w, width, k, dst);
}

template void pack_panel(const float*, int64_t, int64_t, int, int, int64_t, float*);
template void pack_panel(const double*, int64_t, int64_t, int, int, int64_t, double*);
template void pack_panel(const Half*, int64_t, int64_t, int, int, int64_t, float*);
template void pack_panel(const BFloat16*, int64_t, int64_t, int, int, int64_t, float*);

LAMINA_INLINE void round_to(float x, float* out) { *out = x; }
LAMINA_INLINE void round_to(double x, double* out) { *out = x; }
LAMINA_INLINE void round_to(float x, BFloat16* out) { *out = to_bfloat16(x); }
LAMINA_INLINE void round_to(float x, Half* out) {
#if defined(__AVX2__)
  out->bits = _cvtss_sh(x, 0);
#else
  *out = to_half(x);
#endif
}

template <class S, class T>
void unpack_block(const T* src, int64_t width, int64_t m, int64_t n, const Gemm<S>& g) {
  for (int64_t i = 0; i < m; ++i) {
    const T* x = src + i * width;
    S* c = g.c + i * g.crs;
    if (const S* d = g.d ? g.d + i * g.drs : nullptr) {
      for (int64_t j = 0; j < n; ++j) round_to(x[j] + gemm_load(d[j * g.dcs]), c + j * g.ccs);
    } else {
      for (int64_t j = 0; j < n; ++j) round_to(x[j], c + j * g.ccs);
    }
  }
}

template void unpack_block(const float*, int64_t, int64_t, int64_t, const Gemm<float>&);
template void unpack_block(const double*, int64_t, int64_t, int64_t, const Gemm<double>&);
template void unpack_block(const float*, int64_t, int64_t, int64_t, const Gemm<Half>&);
template void unpack_block(const float*, int64_t, int64_t, int64_t, const Gemm<BFloat16>&);

}  // namespace lamina::cpu::inline LAMINA_ISA
