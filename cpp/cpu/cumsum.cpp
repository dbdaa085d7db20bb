// cumsum: y[i] = x[0] + ... + x[i] along one dim, one line after the other.
// f32 and the half types add in f64, f64 carries the rounding error along (Neumaier), integers wrap around in int64.
#include "cpu/convert.h"
#include "cpu/parallel.h"
#include "lamina/view.h"

namespace lamina::cpu::inline LAMINA_ISA {
namespace {

constexpr int64_t kBuffer = 1024;
constexpr int64_t kGrain = 16384;

struct PlainSum {
  double sum = 0;
  double next(double v) { return sum += v; }
};
struct CarriedSum {
  double sum = 0, rest = 0;
  double next(double v) {
    const double t = sum + v;
    rest += (sum < 0 ? -sum : sum) >= (v < 0 ? -v : v) ? (sum - t) + v : (v - t) + sum;
    sum = t;
    return rest == rest ? sum + rest : sum;  // an infinite sum has no rest
  }
};
struct IntegerSum {
  uint64_t sum = 0;
  int64_t next(int64_t v) { return int64_t(sum += uint64_t(v)); }
};

template <class Sum, class T>
void scan_line(const void* x, int64_t xs, DType from, void* y, int64_t ys, DType to, DType compute, int64_t n) {
  const ConvertFn load = convert_fn(from, compute), store = convert_fn(compute, to);
  T buffer[kBuffer];
  Sum sum;
  for (int64_t i = 0; i < n; i += kBuffer) {
    const int64_t m = n - i < kBuffer ? n - i : kBuffer;
    load({advance(x, i * xs, from), 0, xs}, {buffer, 0, 1}, 1, m);
    for (int64_t k = 0; k < m; ++k) buffer[k] = sum.next(buffer[k]);
    store({buffer, 0, 1}, {advance(y, i * ys, to), 0, ys}, 1, m);
  }
}

}  // namespace

void cumsum(const View& x, int dim, const View& y) {
  const int64_t n = x.shape[dim], numel = x.numel();
  if (numel == 0) return;
  const int64_t lines = numel / n, grain = n < kGrain ? kGrain / n : 1;
  for_ranges(lines, grain, [&](int64_t lo, int64_t hi) {
    for (int64_t line = lo; line < hi; ++line) {
      int64_t xo = 0, yo = 0, rest = line;
      for (int d = x.ndim - 1; d >= 0; --d) {
        if (d == dim) continue;
        const int64_t i = rest % x.shape[d];
        rest /= x.shape[d];
        xo += i * x.stride[d];
        yo += i * y.stride[d];
      }
      const void* from = advance(x.data, xo, x.dtype);
      void* to = advance(y.data, yo, y.dtype);
      const int64_t xs = x.stride[dim], ys = y.stride[dim];
      if (!is_floating(y.dtype)) {
        scan_line<IntegerSum, int64_t>(from, xs, x.dtype, to, ys, y.dtype, DType::int64, n);
      } else if (y.dtype == DType::float64) {
        scan_line<CarriedSum, double>(from, xs, x.dtype, to, ys, y.dtype, DType::float64, n);
      } else {
        scan_line<PlainSum, double>(from, xs, x.dtype, to, ys, y.dtype, DType::float64, n);
      }
    }
  });
}

}  // namespace lamina::cpu::inline LAMINA_ISA
