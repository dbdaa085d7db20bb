// What every in-place operation written by hand does around its kernel.
#pragma once
#include <vector>

#include "lamina/autograd.h"
#include "lamina/ops.h"

namespace lamina {

// self for the twin of an in-place operation whose gradient reads its input: a copy, where there will be a gradient.
inline Tensor readable(const Tensor& self, const Tensor& other = {}) {
  return recording({self, other}) ? clone(self) : self;
}

// InplaceWrite w("fill_", self, {value}); ... write ...; w.done([](Grads& d, const Tensor& g) { ... });
// Input 0 of the gradient is self as it was; the others follow.
class InplaceWrite {
 public:
  InplaceWrite(const InplaceWrite&) = delete;
  InplaceWrite(const char* op, const Tensor& self, Inputs others) : op_(op), self_(self) {
    check_inplace(op, self);
    if (!is_floating(self.dtype())) return;
    bool needed = recording({self});
    for (const Tensor& t : others) needed = needed || recording({t});
    if (!needed) return;
    check_view_origin(op, self);
    old_ = before_write(self);
    inputs_.push_back(old_);
    inputs_.insert(inputs_.end(), others.begin(), others.end());
  }
  bool recorded() const { return old_.defined(); }

  template <class F>
  const Tensor& done(F backward) {
    wrote(self_);
    if (!recorded()) return self_;
    auto node = make_ref<LambdaNode<F>>(op_, std::move(backward));
    connect(*node, inputs_);
    Tensor x = self_;
    rebase_history(x, node);
    return self_;
  }

 private:
  const char* op_;
  const Tensor& self_;
  Tensor old_;
  std::vector<std::reference_wrapper<const Tensor>> inputs_;
};

}  // namespace lamina
