// Tile functions: one formula over n contiguous elements of its compute type, SIMD lanes with a masked tail.
#pragma once
#include "cpu/simd.h"
#include "lamina/elementwise.h"

namespace lamina::cpu::inline LAMINA_ISA {

// in[i] and out are contiguous arrays of the compute type; out may equal an input.
using TileFn = void (*)(const void* const* in, void* out, int64_t n, const double* params);

// By compute type: float32, float64, int64; null where the formula has no such form.
struct TileFns {
  TileFn f32, f64, i64;
};

// Formula Op, part P: 0 the value, i + 1 the gradient for input i.
template <class Op, int P, class V>
LAMINA_INLINE V formula(const V* x, const double* p) {
  if constexpr (P == 0) {
    if constexpr (Op::arity == 1)
      return Op::fwd(x[0], p);
    else if constexpr (Op::arity == 2)
      return Op::fwd(x[0], x[1], p);
    else
      return Op::fwd(x[0], x[1], x[2], p);
  } else {
    if constexpr (Op::arity == 1)
      return Op::template bwd<P - 1>(x[0], x[1], x[2], p);
    else if constexpr (Op::arity == 2)
      return Op::template bwd<P - 1>(x[0], x[1], x[2], x[3], p);
    else
      return Op::template bwd<P - 1>(x[0], x[1], x[2], x[3], x[4], p);
  }
}

template <class Op, int P, class T>
static void tile(const void* const* in, void* out, int64_t n, const double* params) {
  using V = Vec<T>;
  constexpr int count = Op::arity + (P > 0 ? 2 : 0);
  const T* src[count];
  for (int j = 0; j < count; ++j) src[j] = static_cast<const T*>(in[j]);
  T* dst = static_cast<T*>(out);
  V x[count];
  int64_t i = 0;
  for (; i + V::size <= n; i += V::size) {
    for (int j = 0; j < count; ++j) x[j] = V::load(src[j] + i);
    formula<Op, P>(x, params).store(dst + i);
  }
  if (i < n) {
    const int rest = int(n - i);
    for (int j = 0; j < count; ++j) x[j] = V::load(src[j] + i, rest);
    formula<Op, P>(x, params).store(dst + i, rest);
  }
}

template <class Op, int P>
constexpr TileFns tiles_of() {
  TileFns t{nullptr, nullptr, nullptr};
  if constexpr (Op::spec.kind != EwKind::bitwise) t.f32 = &tile<Op, P, float>, t.f64 = &tile<Op, P, double>;
  if constexpr (P == 0 && Op::spec.kind != EwKind::floating) t.i64 = &tile<Op, P, int64_t>;
  return t;
}

// The rows of LAMINA_ELEMENTWISE in order, each with its forward and gradient parts, one file per group.
struct TileRow {
  TileFns part[4];
};
template <class Op>
constexpr TileRow row_of() {
  TileRow r{};
  r.part[0] = tiles_of<Op, 0>();
  if constexpr (Op::spec.differentiable) {
    r.part[1] = tiles_of<Op, 1>();
    if constexpr (Op::arity > 1) r.part[2] = tiles_of<Op, 2>();
    if constexpr (Op::arity > 2) r.part[3] = tiles_of<Op, 3>();
  }
  return r;
}

#define GROUP(tiles, LIST) extern const TileRow tiles[];
LAMINA_ELEMENTWISE_GROUPS(GROUP)
#undef GROUP

}  // namespace lamina::cpu::inline LAMINA_ISA
