// Fused optimizer steps over lists of tensors, in place and without history.
#include "lamina/autograd.h"
#include "lamina/devices.h"
#include "lamina/ops.h"

namespace lamina {
namespace {

bool dense(const Tensor& t) { return t.is_contiguous() || allocate_like(t).stride() == t.stride(); }

// The lists of one step as flat memory: every tensor of parameter i in the memory order of parameter i.
class Step {
 public:
  Step(const char* op, const TensorList& params) : op_(op), params_(params) {
    for (const Tensor& p : params) {
      if (!is_floating(p.dtype())) raise<DtypeError>(op, ": parameters must be floats, got ", describe("param", p));
      if (p.device() != params[0].device())
        raise<DeviceError>(op, ": parameters live on different devices: ", describe("param 0", params[0]), ", ",
                           describe("param", p));
      check_inplace(op, p);
    }
  }

  // Views of `list`, null where it is empty; `written` ones go back to memory in finish().
  const View* add(const char* label, const TensorList& list, bool written) {
    if (list.empty() && !params_.empty()) return nullptr;
    if (list.size() != params_.size())
      raise<ValueError>(op_, ": ", label, " has ", list.size(), " entries for ", params_.size(), " parameters");
    views_.emplace_back();
    for (size_t i = 0; i < list.size(); ++i) {
      const Tensor& t = list[i];
      const Tensor& p = params_[i];
      if (!t.defined() || t.shape() != p.shape())
        raise<ShapeError>(op_, ": ", label, "[", i, "] must have the shape of its parameter: ", describe("param", p),
                          t.defined() ? ", " + describe(label, t) : std::string());
      if (!is_floating(t.dtype()) || (t.dtype() == DType::float64) != (p.dtype() == DType::float64) ||
          t.device() != p.device())
        raise<DtypeError>(op_, ": ", label, "[", i, "] does not fit its parameter: ", describe("param", p), ", ",
                          describe(label, t));
      if (written && !is_same(t, p)) check_inplace(op_, t);
      views_.back().push_back(flat(t, p, written).view_of());
    }
    return views_.back().data();
  }

  void finish() {
    for (const auto& [copy, home] : copies_) kernel(&Kernels::copy, home.device())(copy.view_of(), home.view_of());
    for (const Tensor& t : written_) wrote(t);
  }

 private:
  Tensor flat(const Tensor& t, const Tensor& p, bool written) {
    if (written) written_.push_back(t);
    t->storage->settle();
    if (dense(p) ? t.stride() == p.stride() || (t.is_contiguous() && p.is_contiguous()) : false) return t;
    Tensor copy = allocate_like(p);
    copy = copy.dtype() == t.dtype() ? copy : allocate_strided(p.shape(), copy.stride(), t.dtype(), t.device());
    if (t.numel() > 0) kernel(&Kernels::copy, t.device())(t.view_of(), copy.view_of());
    keep_.push_back(copy);
    if (written) copies_.emplace_back(copy, t);
    return copy;
  }

  const char* op_;
  const TensorList& params_;
  std::vector<std::vector<View>> views_;
  TensorList keep_, written_;
  std::vector<std::pair<Tensor, Tensor>> copies_;
};

}  // namespace

void sgd_step(const TensorList& params, const TensorList& grads, const TensorList& momentum_buffers, const Dims& fresh,
              double lr, double momentum, double dampening, double weight_decay, bool nesterov, bool maximize) {
  if (params.empty()) return;
  const NoGrad quiet;
  Step step("sgd_step", params);
  const View *p = step.add("params", params, true), *g = step.add("grads", grads, false),
             *m = step.add("momentum_buffers", momentum_buffers, true);
  if (m && fresh.size() != params.size())
    raise<ValueError>("sgd_step: fresh has ", fresh.size(), " entries for ", params.size(), " parameters");
  const auto is_fresh = std::make_unique<bool[]>(params.size());
  for (size_t i = 0; m && i < params.size(); ++i) is_fresh[i] = fresh[i] != 0;
  kernel(&Kernels::sgd_step, params[0].device())(
      p, g, m, int(params.size()), SgdStep{lr, momentum, dampening, weight_decay, nesterov, maximize, is_fresh.get()});
  step.finish();
}

void adam_step(const TensorList& params, const TensorList& grads, const TensorList& exp_avgs,
               const TensorList& exp_avg_sqs, const TensorList& max_exp_avg_sqs, const Dims& steps, double lr,
               double beta1, double beta2, double eps, double weight_decay, bool decoupled, bool maximize) {
  if (params.empty()) return;
  const NoGrad quiet;
  Step step("adam_step", params);
  const View *p = step.add("params", params, true), *g = step.add("grads", grads, false),
             *m = step.add("exp_avgs", exp_avgs, true), *v = step.add("exp_avg_sqs", exp_avg_sqs, true),
             *top = step.add("max_exp_avg_sqs", max_exp_avg_sqs, true);
  if (!m || !v || !g) raise<ValueError>("adam_step: grads, exp_avgs and exp_avg_sqs must not be empty");
  if (steps.size() != params.size())
    raise<ValueError>("adam_step: steps has ", steps.size(), " entries for ", params.size(), " parameters");
  for (int64_t n : steps)
    if (n < 1) raise<ValueError>("adam_step: steps count from 1, got ", n);
  kernel(&Kernels::adam_step, params[0].device())(
      p, g, m, v, top, int(params.size()),
      AdamStep{lr, beta1, beta2, eps, weight_decay, decoupled, maximize, steps.data()});
  step.finish();
}

}  // namespace lamina
