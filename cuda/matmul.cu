// matmul: (B..., M, K) x (B..., K, N) -> (B..., M, N), any strides. Bit-equal to the CPU: k is cut into chunks of 256;
// a chunk is one chain of fused multiply-adds over k from zero, and chunk results are added in order.
// Method: a block computes a 64 x 64 tile from slices of 16 k in shared memory, a thread 4 x 4 of it.
#include "convert.h"
#include "gpu.h"
#include "lamina/elementwise.h"

namespace lamina::cuda {
namespace {

constexpr int kTile = 64, kSlice = 16, kChunk = 256, kEach = 4;
static_assert(kChunk % kSlice == 0 && (kTile / kEach) * (kTile / kEach) == kThreads);

struct Product {
  View a, b, out;
  int64_t m, n, k, tiles_m, tiles_n;
};

template <class T>
LAMINA_HD inline T multiply_add(T a, T b, T c) {
  if constexpr (std::is_integral_v<T>) {
    return T(uint64_t(a) * uint64_t(b) + uint64_t(c));
  } else {
    return math::fma(a, b, c);
  }
}

// S is stored, T is computed in.
template <class S, class T>
__global__ void __launch_bounds__(kThreads) matmul_kernel(const Product g) {
  LAMINA_SHARED(T, as, kSlice * (kTile + 1));
  LAMINA_SHARED(T, bs, kSlice * (kTile + 1));
  const int64_t tile = blockIdx.x, batch = tile / (g.tiles_m * g.tiles_n), rest = tile % (g.tiles_m * g.tiles_n);
  const int64_t row0 = rest / g.tiles_n * kTile, col0 = rest % g.tiles_n * kTile;
  const int last = g.out.ndim - 1;
  int64_t at_a = 0, at_b = 0, at_out = 0, b = batch;
  for (int d = last - 2; d >= 0; --d) {
    const int64_t i = b % g.out.shape[d];
    b /= g.out.shape[d];
    at_a += i * g.a.stride[d];
    at_b += i * g.b.stride[d];
    at_out += i * g.out.stride[d];
  }
  const S* pa = static_cast<const S*>(g.a.data) + at_a;
  const S* pb = static_cast<const S*>(g.b.data) + at_b;
  const int t = int(threadIdx.x), tx = t % (kTile / kEach), ty = t / (kTile / kEach);
  T total[kEach][kEach] = {}, sum[kEach][kEach] = {};
  for (int64_t k0 = 0; k0 < g.k; k0 += kSlice) {
    const int depth = int(g.k - k0 < kSlice ? g.k - k0 : kSlice);
    for (int i = t; i < kTile * kSlice; i += kThreads) {
      const int64_t r = row0 + i / kSlice, p = k0 + i % kSlice;
      as[i % kSlice * (kTile + 1) + i / kSlice] =
          r < g.m && p < g.k ? cast<T>(pa[r * g.a.stride[last - 1] + p * g.a.stride[last]]) : T(0);
    }
    for (int i = t; i < kTile * kSlice; i += kThreads) {
      const int64_t p = k0 + i / kTile, c = col0 + i % kTile;
      bs[i / kTile * (kTile + 1) + i % kTile] =
          c < g.n && p < g.k ? cast<T>(pb[p * g.b.stride[last - 1] + c * g.b.stride[last]]) : T(0);
    }
    __syncthreads();
    for (int p = 0; p < depth; ++p)  // not to kSlice: adding 0 * 0 would turn -0 into 0
#pragma unroll
      for (int i = 0; i < kEach; ++i)
#pragma unroll
        for (int j = 0; j < kEach; ++j)
          sum[i][j] = multiply_add(as[p * (kTile + 1) + ty + i * (kTile / kEach)],
                                   bs[p * (kTile + 1) + tx + j * (kTile / kEach)], sum[i][j]);
    __syncthreads();
    if ((k0 + kSlice) % kChunk != 0 && k0 + kSlice < g.k) continue;
    for (int i = 0; i < kEach; ++i)
      for (int j = 0; j < kEach; ++j) {
        total[i][j] = k0 < kChunk ? sum[i][j] : total[i][j] + sum[i][j];
        sum[i][j] = T(0);
      }
  }
  for (int i = 0; i < kEach; ++i)
    for (int j = 0; j < kEach; ++j) {
      const int64_t r = row0 + ty + i * (kTile / kEach), c = col0 + tx + j * (kTile / kEach);
      if (r < g.m && c < g.n)
        static_cast<S*>(g.out.data)[at_out + r * g.out.stride[last - 1] + c * g.out.stride[last]] =
            cast<S>(total[i][j]);
    }
}

template <class S, class T>
void launch(const Product& g, int64_t blocks) {
  LAMINA_LAUNCH((matmul_kernel<S, T>), unsigned(blocks), kThreads, g);
}

}  // namespace

void matmul(const View& a, const View& b, const View& out) {
  if (out.numel() == 0) return;
  const int last = out.ndim - 1;
  Product g{a, b, out, out.shape[last - 1], out.shape[last], a.shape[last], 0, 0};
  g.tiles_m = (g.m + kTile - 1) / kTile;
  g.tiles_n = (g.n + kTile - 1) / kTile;
  const int64_t blocks = out.numel() / (g.m * g.n) * g.tiles_m * g.tiles_n;
  if (blocks > INT32_MAX) return remember("matmul", "too many tiles for one launch");
  switch (out.dtype) {
    case DType::float32:
      launch<float, float>(g, blocks);
      break;
    case DType::float64:
      launch<double, double>(g, blocks);
      break;
    case DType::float16:
      launch<Half, float>(g, blocks);
      break;
    case DType::bfloat16:
      launch<BFloat16, float>(g, blocks);
      break;
    case DType::int64:
      launch<int64_t, int64_t>(g, blocks);
      break;
    case DType::int32:
      launch<int32_t, int64_t>(g, blocks);
      break;
    case DType::int16:
      launch<int16_t, int64_t>(g, blocks);
      break;
    case DType::int8:
      launch<int8_t, int64_t>(g, blocks);
      break;
    case DType::uint8:
      launch<uint8_t, int64_t>(g, blocks);
      break;
    case DType::bool_:
      return unsupported("matmul", out.dtype);
  }
  check_launch("matmul");
}

}  // namespace lamina::cuda
