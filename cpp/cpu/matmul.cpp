// matmul: (B..., M, K) x (B..., K, N) -> (B..., M, N), any strides; matmul_add: plus d (B..., M, N). Definition and
// method: gemm.h.
#include "cpu/gemm.h"
#include "lamina/cpu_runtime.h"

namespace lamina::cpu::inline LAMINA_ISA {
namespace {

// Joins batch dimensions that advance evenly in every operand, and drops those of size 1.
void push_dim(GemmBatch* batch, int64_t size, int64_t a, int64_t b, int64_t c, int64_t d) {
  if (size == 1) return;
  if (batch->ndim > 0) {
    const int i = batch->ndim - 1;
    if (batch->a[i] == a * size && batch->b[i] == b * size && batch->c[i] == c * size && batch->d[i] == d * size) {
      batch->shape[i] *= size;
      batch->a[i] = a;
      batch->b[i] = b;
      batch->c[i] = c;
      batch->d[i] = d;
      return;
    }
  }
  const int i = batch->ndim++;
  batch->shape[i] = size;
  batch->a[i] = a;
  batch->b[i] = b;
  batch->c[i] = c;
  batch->d[i] = d;
}

template <class T>
void product(const View& a, const View& b, const View* d, const View& out) {
  const int n = out.ndim - 2;
  Gemm<T> g{out.shape[n], out.shape[n + 1], a.shape[n + 1],  a.as<T>(),   a.stride[n],   a.stride[n + 1],
            b.as<T>(),    b.stride[n],      b.stride[n + 1], out.as<T>(), out.stride[n], out.stride[n + 1]};
  if (d) {
    g.d = d->as<T>();
    g.drs = d->stride[n];
    g.dcs = d->stride[n + 1];
  }
  GemmBatch batch;
  for (int i = 0; i < n; ++i)
    push_dim(&batch, out.shape[i], a.stride[i], b.stride[i], out.stride[i], d ? d->stride[i] : 0);
  // x (..., M, K) times one matrix: the innermost batch dimension continues the rows.
  if (batch.ndim > 0) {
    const int i = batch.ndim - 1;
    const bool even =
        g.m == 1 || (batch.a[i] == g.m * g.ars && batch.c[i] == g.m * g.crs && (!d || batch.d[i] == g.m * g.drs));
    if (batch.b[i] == 0 && even) {
      if (g.m == 1) {
        g.ars = batch.a[i];
        g.crs = batch.c[i];
        g.drs = batch.d[i];
      }
      g.m *= batch.shape[i];
      --batch.ndim;
    }
  }
  gemm(g, batch);
}

void dispatch(const View& a, const View& b, const View* d, const View& out) {
  switch (out.dtype) {
    case DType::float32:
      return product<float>(a, b, d, out);
    case DType::float64:
      return product<double>(a, b, d, out);
    case DType::float16:
      return product<Half>(a, b, d, out);
    case DType::bfloat16:
      return product<BFloat16>(a, b, d, out);
    case DType::int64:
      return product<int64_t>(a, b, d, out);
    case DType::int32:
      return product<int32_t>(a, b, d, out);
    case DType::int16:
      return product<int16_t>(a, b, d, out);
    case DType::int8:
      return product<int8_t>(a, b, d, out);
    default:
      return product<uint8_t>(a, b, d, out);
  }
}

}  // namespace

void matmul(const View& a, const View& b, const View& out) { dispatch(a, b, nullptr, out); }
void matmul_add(const View& a, const View& b, const View& d, const View& out) { dispatch(a, b, &d, out); }

}  // namespace lamina::cpu::inline LAMINA_ISA
