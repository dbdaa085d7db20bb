// Optimizers: the same fused multi-tensor steps that Python's lamina.optim calls.
#pragma once
#include "lamina/tensor.h"

namespace lamina::optim {

class Optimizer {
 public:
  virtual ~Optimizer() = default;
  // One update of every parameter that has a gradient.
  virtual void step() = 0;
  // Drops all gradients (set_to_none) or fills them with zeros.
  void zero_grad(bool set_to_none = true);
  const TensorList& params() const { return params_; }

 protected:
  explicit Optimizer(TensorList params);
  // Indices of the parameters with a gradient, and those parameters and gradients side by side.
  struct Active {
    std::vector<size_t> index;
    TensorList params, grads;
  };
  Active active() const;
  TensorList params_;
};

struct SGDOptions {
  double lr = 1e-3, momentum = 0, dampening = 0, weight_decay = 0;
  bool nesterov = false, maximize = false;
};
class SGD final : public Optimizer {
 public:
  explicit SGD(TensorList params, SGDOptions options = {});
  void step() override;
  SGDOptions options;

 private:
  TensorList momentum_;
};

struct AdamOptions {
  double lr = 1e-3, beta1 = 0.9, beta2 = 0.999, eps = 1e-8, weight_decay = 0;
  bool amsgrad = false, maximize = false;
};
// Adam (Kingma and Ba 2014); weight_decay is added to the gradient.
class Adam : public Optimizer {
 public:
  explicit Adam(TensorList params, AdamOptions options = {});
  void step() override;
  AdamOptions options;

 protected:
  Adam(TensorList params, AdamOptions options, bool decoupled);

 private:
  bool decoupled_;
  TensorList mean_, square_, largest_;
  std::vector<int64_t> steps_;
};
// AdamW (Loshchilov and Hutter 2017): weight_decay shrinks the parameter itself.
class AdamW final : public Adam {
 public:
  explicit AdamW(TensorList params, AdamOptions options = {.weight_decay = 1e-2});
};

}  // namespace lamina::optim
