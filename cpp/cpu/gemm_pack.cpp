// Packing loops of the matrix product.
#include "cpu/gemm_pack.h"

namespace lamina::cpu::inline LAMINA_ISA {
namespace {

// A square block of n lanes: rows i of src (stride is) become columns of dst (row stride width).
template <class T>
LAMINA_INLINE void transpose_block(const T* src, int64_t is, T* dst, int64_t width) {
  constexpr int n = Vec<T>::size;
  typename Native<T>::type x[n];
#pragma GCC unroll 16
  for (int i = 0; i < n; ++i) x[i] = Vec<T>::load(src + i * is).v;
  transpose<T>(x);
#pragma GCC unroll 16
  for (int i = 0; i < n; ++i) Vec<T>(x[i]).store(dst + i * width);
}

template <class S, class T>
void pack_plain(const S* src, int64_t is, int64_t ps, int w, int width, int64_t k, T* dst) {
  for (int64_t p = 0; p < k; ++p, src += ps, dst += width) {
    for (int i = 0; i < w; ++i) dst[i] = gemm_load(src[i * is]);
    for (int i = w; i < width; ++i) dst[i] = T(0);
  }
}

}  // namespace

template <class S, class T>
void pack_panel(const S* src, int64_t is, int64_t ps, int w, int width, int64_t k, T* dst) {
  pack_plain(src, is, ps, w, width, k, dst);
}

template void pack_panel(const float*, int64_t, int64_t, int, int, int64_t, float*);
template void pack_panel(const double*, int64_t, int64_t, int, int, int64_t, double*);
template void pack_panel(const Half*, int64_t, int64_t, int, int, int64_t, float*);
template void pack_panel(const BFloat16*, int64_t, int64_t, int, int, int64_t, float*);

template <class T, class F>
static void store_as(F x, T& out) {
  if constexpr (sizeof(T) == 2) {
    if constexpr (std::is_same_v<T, Half>) {
      out = to_half(x);
    } else {
      out = to_bfloat16(x);
    }
  } else {
    out = x;
  }
}

template <class S, class T>
void unpack_block(const T* src, int64_t width, int64_t m, int64_t n, const Gemm<S>& g) {
  for (int64_t i = 0; i < m; ++i)
    for (int64_t j = 0; j < n; ++j) {
      T x = src[i * width + j];
      if (g.d) x = x + gemm_load(g.d[i * g.drs + j * g.dcs]);
      store_as(x, g.c[i * g.crs + j * g.ccs]);
    }
}

template void unpack_block(const float*, int64_t, int64_t, int64_t, const Gemm<float>&);
template void unpack_block(const double*, int64_t, int64_t, int64_t, const Gemm<double>&);
template void unpack_block(const float*, int64_t, int64_t, int64_t, const Gemm<Half>&);
template void unpack_block(const float*, int64_t, int64_t, int64_t, const Gemm<BFloat16>&);

}  // namespace lamina::cpu::inline LAMINA_ISA
