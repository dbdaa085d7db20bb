// copy: dst[i] = src[i] with conversion; fill: dst[i] = value. Any strides.
#include "cpu/parallel.h"
#include "cpu/walk.h"
#include "lamina/scalar.h"

namespace lamina::cpu::inline LAMINA_ISA {
namespace {

constexpr int64_t kGrain = 16384;  // elements of a parallel task

// Converts elements lo to hi of the walk from operand 1 to operand 0, row by row.
void copy_rows(const Walk& w, ConvertFn convert, int64_t lo, int64_t hi) {
  const int last = w.ndim - 1;
  Place at(w, lo);
  for (int64_t i = lo; i < hi;) {
    const int64_t left = w.shape[last] - at.index[last], n = left < hi - i ? left : hi - i;
    convert(advance(w.base[1], at.offset(w, 1), w.dtype[1]), w.stride[1][last],
            advance(w.base[0], at.offset(w, 0), w.dtype[0]), w.stride[0][last], n);
    i += n;
    if (i < hi) at.forward(w, n);
  }
}

}  // namespace

void copy(const View& src, const View& dst) {
  const int64_t numel = dst.numel();
  if (numel == 0) return;
  const View* views[] = {&dst, &src};
  const Walk w = make_walk(views, 2);
  const ConvertFn convert = convert_fn(src.dtype, dst.dtype);
  for_ranges(numel, kGrain, [&](int64_t lo, int64_t hi) { copy_rows(w, convert, lo, hi); });
}

void fill(const View& dst, Scalar value) {
  const double d = value.to_double();
  const int64_t i = value.is_floating() ? 0 : value.to_int();
  View src;
  src.data = value.is_floating() ? const_cast<void*>(static_cast<const void*>(&d))
                                 : const_cast<void*>(static_cast<const void*>(&i));
  src.dtype = value.is_floating() ? DType::float64 : DType::int64;
  src.ndim = dst.ndim;
  for (int k = 0; k < dst.ndim; ++k) {
    src.shape[k] = dst.shape[k];
    src.stride[k] = 0;
  }
  copy(src, dst);
}

}  // namespace lamina::cpu::inline LAMINA_ISA
