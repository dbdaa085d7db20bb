// State and bookkeeping of the optimizers; the arithmetic is one fused kernel call per step.
#include "lamina/optim.h"

#include "lamina/autograd.h"
#include "lamina/ops.h"

namespace lamina::optim {
namespace {

void check(const char* name, bool ok, double value) {
  if (!ok) raise<ValueError>("optimizer: invalid ", name, " ", value);
}

// The state tensors of the active parameters, made as zeros where missing.
TensorList states(TensorList& all, const TensorList& params, const std::vector<size_t>& index) {
  all.resize(params.size());
  TensorList out;
  for (const size_t i : index) {
    if (!all[i].defined()) all[i] = zeros_like(params[i]);
    out.push_back(all[i]);
  }
  return out;
}

}  // namespace

Optimizer::Optimizer(TensorList params) : params_(std::move(params)) {
  if (params_.empty()) raise<ValueError>("optimizer: got no parameters");
  for (const Tensor& p : params_)
    if (!p.defined() || !p.is_leaf())
      raise<GradError>("optimizer: can only optimize leaf tensors, got ", describe("parameter", p));
}

void Optimizer::zero_grad(bool set_to_none) {
  for (Tensor& p : params_) {
    const Tensor g = p.grad();
    if (!g.defined()) continue;
    if (set_to_none) {
      p.set_grad({});
    } else {
      p.set_grad(zeros_like(g));
    }
  }
}

Optimizer::Active Optimizer::active() const {
  Active a;
  for (size_t i = 0; i < params_.size(); ++i) {
    const Tensor g = params_[i].grad();
    if (!g.defined()) continue;
    a.index.push_back(i);
    a.params.push_back(params_[i]);
    a.grads.push_back(g);
  }
  return a;
}

SGD::SGD(TensorList params, SGDOptions o) : Optimizer(std::move(params)), options(o) {
  check("learning rate", o.lr >= 0, o.lr);
  check("momentum", o.momentum >= 0, o.momentum);
  check("weight decay", o.weight_decay >= 0, o.weight_decay);
  if (o.nesterov && (o.momentum <= 0 || o.dampening != 0))
    raise<ValueError>("SGD: Nesterov momentum requires a momentum and zero dampening");
}

void SGD::step() {
  const NoGrad off;
  const Active a = active();
  if (a.params.empty()) return;
  TensorList momentum;
  Dims fresh;
  if (options.momentum != 0) {
    for (const size_t i : a.index) fresh.push_back(momentum_.size() <= i || !momentum_[i].defined());
    momentum = states(momentum_, params_, a.index);
  }
  sgd_step(a.params, a.grads, momentum, fresh, options.lr, options.momentum, options.dampening, options.weight_decay,
           options.nesterov, options.maximize);
}

Adam::Adam(TensorList params, AdamOptions o) : Adam(std::move(params), o, false) {}
Adam::Adam(TensorList params, AdamOptions o, bool decoupled)
    : Optimizer(std::move(params)), options(o), decoupled_(decoupled) {
  check("learning rate", o.lr >= 0, o.lr);
  check("epsilon", o.eps >= 0, o.eps);
  check("beta1", o.beta1 >= 0 && o.beta1 < 1, o.beta1);
  check("beta2", o.beta2 >= 0 && o.beta2 < 1, o.beta2);
  check("weight decay", o.weight_decay >= 0, o.weight_decay);
  steps_.resize(params_.size(), 0);
}
AdamW::AdamW(TensorList params, AdamOptions o) : Adam(std::move(params), o, true) {}

void Adam::step() {
  const NoGrad off;
  const Active a = active();
  if (a.params.empty()) return;
  const TensorList mean = states(mean_, params_, a.index), square = states(square_, params_, a.index);
  const TensorList largest = options.amsgrad ? states(largest_, params_, a.index) : TensorList();
  Dims steps;
  for (const size_t i : a.index) steps.push_back(++steps_[i]);
  adam_step(a.params, a.grads, mean, square, largest, steps, options.lr, options.beta1, options.beta2, options.eps,
            options.weight_decay, decoupled_, options.maximize);
}

}  // namespace lamina::optim
