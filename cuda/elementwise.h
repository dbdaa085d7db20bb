// The elementwise kernel: one formula, one element per thread and step. Each formula file fills its rows of the table.
#pragma once
#include "convert.h"
#include "gpu.h"
#include "lamina/elementwise.h"
#include "walk.h"

namespace lamina::cuda {

struct EwCall {
  Walk walk;  // operand 0 is the output
  double params[3];
  bool plain;  // linear, and every operand has the compute type
};

template <class Op, int P>
inline constexpr int kInputs = Op::arity + (P > 0 ? 2 : 0);

// Part P: 0 the value, i + 1 the gradient for input i.
template <class Op, int P, class T>
LAMINA_HD inline T formula(const T* x, const double* p) {
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
__global__ void __launch_bounds__(kThreads) elementwise_kernel(const EwCall c) {
  constexpr int count = kInputs<Op, P>;
  const int64_t step = int64_t(gridDim.x) * kThreads;
  for (int64_t i = int64_t(blockIdx.x) * kThreads + threadIdx.x; i < c.walk.numel; i += step) {
    T x[count];
    if (c.plain) {
      for (int j = 0; j < count; ++j) x[j] = static_cast<const T*>(c.walk.base[j + 1])[i];
      static_cast<T*>(c.walk.base[0])[i] = formula<Op, P>(x, c.params);
    } else {
      int64_t at[kMaxOperands];
      c.walk.offsets(i, at, count + 1);
      for (int j = 0; j < count; ++j) x[j] = load<T>(c.walk.base[j + 1], at[j + 1], c.walk.dtype[j + 1]);
      store(c.walk.base[0], at[0], c.walk.dtype[0], formula<Op, P>(x, c.params));
    }
  }
}

using EwLaunch = void (*)(const EwCall& call);
template <class Op, int P, class T>
void launch_elementwise(const EwCall& call) {
  LAMINA_LAUNCH((elementwise_kernel<Op, P, T>), blocks_for(call.walk.numel), kThreads, call);
}

// By compute type; null where the formula has no such form. The same rule as on the CPU.
struct EwForms {
  EwLaunch f32, f64, i64;
};
template <class Op, int P>
constexpr EwForms forms_of() {
  EwForms f{nullptr, nullptr, nullptr};
  if constexpr (Op::spec.kind != EwKind::bitwise) {
    f.f32 = &launch_elementwise<Op, P, float>;
    f.f64 = &launch_elementwise<Op, P, double>;
  }
  if constexpr (P == 0 && Op::spec.kind != EwKind::floating) f.i64 = &launch_elementwise<Op, P, int64_t>;
  return f;
}
struct EwRow {
  EwForms part[4];
};
template <class Op>
constexpr EwRow row_of() {
  EwRow r{};
  r.part[0] = forms_of<Op, 0>();
  if constexpr (Op::spec.differentiable) {
    r.part[1] = forms_of<Op, 1>();
    if constexpr (Op::arity > 1) r.part[2] = forms_of<Op, 2>();
    if constexpr (Op::arity > 2) r.part[3] = forms_of<Op, 3>();
  }
  return r;
}

// The rows of LAMINA_ELEMENTWISE_*, one function per file.
const EwRow* unary_rows();
const EwRow* activation_rows();
const EwRow* binary_rows();
const EwRow* ternary_rows();
const EwRow* inverse_rows();
const EwRow* special_rows();
const EwRow* pairs_rows();
const EwRow* loss_rows();
const EwRow* internal_rows();

}  // namespace lamina::cuda
