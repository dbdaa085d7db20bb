// The elementwise list as run-time facts, with the gradients of the same formulas instantiated for T = Tensor.
#include "lamina/formulas.h"

#include "tensor_math.h"

namespace lamina {
namespace {

template <class Op, int I>
Tensor tensor_gradient(const Tensor& g, const Tensor* x, const Tensor& y, const double* p) {
  if constexpr (Op::arity == 1) return Op::template bwd<I, Tensor>(g, x[0], y, p);
  if constexpr (Op::arity == 2) return Op::template bwd<I, Tensor>(g, x[0], x[1], y, p);
  if constexpr (Op::arity == 3) return Op::template bwd<I, Tensor>(g, x[0], x[1], x[2], y, p);
}

template <class Op>
constexpr EwInfo info(std::string_view name) {
  EwInfo r{name, Op::arity, Op::spec, {nullptr, nullptr, nullptr}};
  if constexpr (Op::spec.differentiable) {
    r.gradient[0] = tensor_gradient<Op, 0>;
    if constexpr (Op::arity > 1) r.gradient[1] = tensor_gradient<Op, 1>;
    if constexpr (Op::arity > 2) r.gradient[2] = tensor_gradient<Op, 2>;
  }
  return r;
}

const EwInfo kInfos[] = {
#define X(name, Formula) info<ew::Formula>(#name),
    LAMINA_ELEMENTWISE(X)
#undef X
};

}  // namespace

const EwInfo& ew_info(Ew op) { return kInfos[static_cast<int>(op)]; }
int ew_count() { return int(std::size(kInfos)); }

}  // namespace lamina
