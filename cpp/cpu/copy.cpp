// copy: dst[i] = src[i] with conversion; fill: dst[i] = value. Any strides. A transposing copy goes through square
// blocks: rows of one cache line are gathered into a buffer, which is transposed into the destination, so that every
// line is touched once.
#include "cpu/parallel.h"
#include "cpu/walk.h"
#include "cpu/work.h"
#include "lamina/scalar.h"

namespace lamina::cpu::inline LAMINA_ISA {
namespace {

constexpr int64_t kGrain = 16384;  // elements of a parallel task
constexpr int64_t kLine = 64;      // bytes of a cache line
constexpr int64_t kLines = 4;      // lines side by side that a transposing strip takes

// Converts elements lo to hi of the walk from operand 1 to operand 0; whole rows at once where possible.
void copy_rows(const Walk& w, ConvertFn convert, int64_t lo, int64_t hi) {
  const int last = w.ndim - 1;
  const int64_t length = w.shape[last];
  for (int64_t i = lo; i < hi;) {
    const Place at(w, i);
    int64_t rows = 1, cols = length - at.index[last] < hi - i ? length - at.index[last] : hi - i;
    if (last > 0 && cols == length) {
      rows = (hi - i) / length;
      if (rows > w.shape[last - 1] - at.index[last - 1]) rows = w.shape[last - 1] - at.index[last - 1];
    }
    const auto block = [&](int j) {
      return Block{advance(w.base[j], at.offset(w, j), w.dtype[j]), last ? w.stride[j][last - 1] : 0,
                   w.stride[j][last]};
    };
    convert(block(1), block(0), rows, cols);
    i += rows * cols;
  }
}

// dst[i * step + j] = src[j * side + i] for i < rows, j < cols.
template <class T>
void transpose_block(const T* src, T* dst, int64_t step, int64_t rows, int64_t cols) {
  constexpr int64_t side = kLine / int64_t(sizeof(T));
#if defined(__SSE2__)
  if constexpr (sizeof(T) == 4) {
    if (rows == side && cols == side) {
      for (int64_t i = 0; i < side; i += 4)
        for (int64_t j = 0; j < side; j += 4) {
          const float* s = reinterpret_cast<const float*>(src) + j * side + i;
          float* d = reinterpret_cast<float*>(dst) + i * step + j;
          __m128 a = _mm_load_ps(s), b = _mm_load_ps(s + side), c = _mm_load_ps(s + 2 * side),
                 e = _mm_load_ps(s + 3 * side);
          _MM_TRANSPOSE4_PS(a, b, c, e);
          _mm_storeu_ps(d, a);
          _mm_storeu_ps(d + step, b);
          _mm_storeu_ps(d + 2 * step, c);
          _mm_storeu_ps(d + 3 * step, e);
        }
      return;
    }
  }
#endif
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = 0; j < cols; ++j) dst[i * step + j] = src[j * side + i];
}
void transpose_bytes(size_t size, const void* src, void* dst, int64_t step, int64_t rows, int64_t cols) {
  switch (size) {
    case 1:
      return transpose_block(static_cast<const uint8_t*>(src), static_cast<uint8_t*>(dst), step, rows, cols);
    case 2:
      return transpose_block(static_cast<const uint16_t*>(src), static_cast<uint16_t*>(dst), step, rows, cols);
    case 4:
      return transpose_block(static_cast<const uint32_t*>(src), static_cast<uint32_t*>(dst), step, rows, cols);
    default:
      return transpose_block(static_cast<const uint64_t*>(src), static_cast<uint64_t*>(dst), step, rows, cols);
  }
}

// The dimension in which the source is contiguous, where that is not the innermost one and blocks pay; else -1.
int transposed_dim(const Walk& w) {
  const int last = w.ndim - 1;
  if (w.stride[0][last] != 1 || w.stride[1][last] == 1 || w.stride[1][last] == 0 || w.shape[last] < 8) return -1;
  for (int d = 0; d < last; ++d)
    if (w.stride[1][d] == 1 && w.shape[d] >= 8) return d;
  return -1;
}

// One strip: destination rows i0 to i0 + kLines sides of dimension t, all columns; `outer` counts the other dimensions.
void copy_strip(const Walk& w, ConvertFn convert, int t, int64_t outer, int64_t i0) {
  const int last = w.ndim - 1;
  const size_t size = size_of(w.dtype[0]);
  const bool same = w.dtype[0] == w.dtype[1];
  const int64_t side = kLine / int64_t(size), pitch = w.stride[1][last], step = w.stride[0][t];
  const int64_t end = w.shape[t] < i0 + kLines * side ? w.shape[t] : i0 + kLines * side;
  alignas(64) char buffer[kLine * kLine];
  int64_t offset[2] = {0, 0};
  for (int d = last - 1; d >= 0; --d) {
    if (d == t) continue;
    for (int j = 0; j < 2; ++j) offset[j] += outer % w.shape[d] * w.stride[j][d];
    outer /= w.shape[d];
  }
  for (int64_t j0 = 0; j0 < w.shape[last]; j0 += side)
    for (int64_t i = i0; i < end; i += side) {
      const int64_t rows = end - i < side ? end - i : side,
                    cols = w.shape[last] - j0 < side ? w.shape[last] - j0 : side;
      const char* from = advance(w.base[1], offset[1] + j0 * pitch + i, w.dtype[1]);
      if (same && rows == side) {
        for (int64_t c = 0; c < cols; ++c)
          __builtin_memcpy(buffer + c * kLine, from + c * pitch * int64_t(size), kLine);
      } else {
        convert({const_cast<char*>(from), pitch, 1}, {buffer, side, 1}, cols, rows);
      }
      transpose_bytes(size, buffer, advance(w.base[0], offset[0] + i * step + j0, w.dtype[0]), step, rows, cols);
    }
}

}  // namespace

void copy(const View& src, const View& dst) {
  const int64_t numel = dst.numel();
  if (numel == 0) return;
  const View* views[] = {&dst, &src};
  const Walk w = make_walk(views, 2);
  const ConvertFn convert = convert_fn(src.dtype, dst.dtype);
  if (const int t = transposed_dim(w); t >= 0) {
    const int64_t side = kLines * kLine / int64_t(size_of(dst.dtype)), strips = (w.shape[t] + side - 1) / side;
    const int64_t total = strips * (numel / (w.shape[t] * w.shape[w.ndim - 1]));
    const int64_t grain = kGrain / (side * w.shape[w.ndim - 1]) + 1;
    return for_work(double(numel) * 0.5, total, grain, [&](int64_t lo, int64_t hi) {
      for (int64_t k = lo; k < hi; ++k) copy_strip(w, convert, t, k / strips, k % strips * side);
    });
  }
  for_work(double(numel) * 0.2, numel, kGrain, [&](int64_t lo, int64_t hi) { copy_rows(w, convert, lo, hi); });
}

void fill(const View& dst, Scalar value) {
  const double d = value.to_double();
  const int64_t i = value.is_floating() ? 0 : value.to_int();
  View src;
  src.data = const_cast<void*>(value.is_floating() ? static_cast<const void*>(&d) : static_cast<const void*>(&i));
  src.dtype = value.is_floating() ? DType::float64 : DType::int64;
  src.ndim = dst.ndim;
  for (int k = 0; k < dst.ndim; ++k) {
    src.shape[k] = dst.shape[k];
    src.stride[k] = 0;
  }
  copy(src, dst);
}

}  // namespace lamina::cpu::inline LAMINA_ISA
