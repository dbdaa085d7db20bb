// Losses made of operations: distances, margins, likelihoods.
#include <cmath>
#include <limits>
#include <numbers>

#include "loss.h"

namespace lamina {
namespace {

Tensor hinge(const Tensor& x) { return clamp_min(x, 0.0); }

// Integers become floats where a margin meets them.
void need_numbers(const char* op, const Tensor& x) {
  if (x.dtype() == DType::bool_) need_floating(op, x);
}

void check_same(const char* op, const Tensor& x, const Tensor& target) {
  need_floating(op, x);
  if (x.shape() != target.shape())
    raise<ShapeError>(op, ": input and target must have one shape: ", describe("input", x), ", ",
                      describe("target", target));
}

// x log x, 0 at 0.
Tensor xlogx(const Tensor& x) {
  const Tensor none = x == 0;
  return where(none, 0.0, x * log(where(none, 1.0, x)));
}

}  // namespace

// ---- distances ----

Tensor huber_loss(const Tensor& input, const Tensor& target, Reduction reduction, double delta, const Tensor& weight) {
  need_floating("huber_loss", input);
  if (!(delta > 0)) raise<ValueError>("huber_loss: delta must be positive, got ", delta);
  const Tensor d = abs(input - target);
  const Tensor l = where(d < delta, square(d) * 0.5, (d - 0.5 * delta) * delta);
  if (!weight.defined()) return reduce_loss(l, reduction);
  if (weight.shape() != input.shape())
    raise<ShapeError>("huber_loss: weight must have input's shape: ", describe("input", input), ", ",
                      describe("weight", weight));
  return reduce_loss(l * weight, reduction);
}

Tensor kl_div(const Tensor& input, const Tensor& target, std::string_view reduction, bool log_target) {
  need_floating("kl_div", input);
  need_floating("kl_div", target);
  const Tensor l = log_target ? exp(target) * (target - input) : xlogx(target) - target * input;
  if (reduction == "none") return l;
  if (reduction == "mean") return mean(l);
  if (reduction == "sum") return sum(l);
  if (reduction != "batchmean")
    raise<ValueError>("kl_div: reduction must be 'none', 'batchmean', 'mean' or 'sum', got '", reduction, "'");
  return input.dim() == 0 ? sum(l) : sum(l) / double(input.shape()[0]);
}

// ---- margins ----

Tensor hinge_embedding_loss(const Tensor& input, const Tensor& target, double margin, Reduction reduction) {
  need_floating("hinge_embedding_loss", input);
  return reduce_loss(where(target != 1, hinge(margin - input), 0.0) + where(target != -1, input, 0.0), reduction);
}

Tensor margin_ranking_loss(const Tensor& input1, const Tensor& input2, const Tensor& target, double margin,
                           Reduction reduction) {
  need_numbers("margin_ranking_loss", input1);
  if (input1.dim() != input2.dim() || input1.dim() != target.dim())
    raise<ShapeError>("margin_ranking_loss: operands must have as many dims: ", describe("input1", input1), ", ",
                      describe("input2", input2), ", ", describe("target", target));
  return reduce_loss(hinge(-target * (input1 - input2) + margin), reduction);
}

Tensor soft_margin_loss(const Tensor& input, const Tensor& target, Reduction reduction) {
  check_same("soft_margin_loss", input, target);
  return reduce_loss(-logsigmoid(target * input), reduction);
}

Tensor multi_margin_loss(const Tensor& input, const Tensor& target, int64_t p, double margin, const Tensor& weight,
                         Reduction reduction) {
  constexpr const char* op = "multi_margin_loss";
  need_floating(op, input);
  if (p != 1 && p != 2) raise<ValueError>(op, ": p must be 1 or 2, got ", p);
  if (input.dim() == 0 && target.dim() == 0)
    return multi_margin_loss(reshape(input, Dims{1}), target, p, margin, weight, reduction);
  if (input.dim() == 1 && target.dim() == 1 && target.numel() == 1)
    return multi_margin_loss(input, reshape(target, Dims{}), p, margin, weight, reduction);
  if (input.dim() < 1 || input.dim() > 2 || target.dim() != input.dim() - 1 || !is_integral(target.dtype()) ||
      (input.dim() == 2 && target.shape()[0] != input.shape()[0]) || input.size(-1) == 0)
    raise<ShapeError>(op, ": needs input (N, C) with class numbers target (N,), or (C,) with one: ",
                      describe("input", input), ", ", describe("target", target));
  const int64_t classes = input.size(-1);
  if (weight.defined() && weight.shape() != Dims{classes})
    raise<ShapeError>(op, ": weight must hold one number per class: ", describe("input", input), ", ",
                      describe("weight", weight));
  const Tensor at = unsqueeze(to(target, DType::int64), -1), own = gather(input, -1, at);
  Tensor l = hinge(margin - own + input);
  if (p == 2) l = square(l);
  if (weight.defined()) l = l * reshape(index_select(weight, 0, flatten(at)), at.shape());
  l = where(arange(classes, DType::int64, input.device()) == at, 0.0, l);
  return reduce_loss(sum(l, Dims{-1}) / double(classes), reduction);
}

Tensor multilabel_margin_loss(const Tensor& input, const Tensor& target, Reduction reduction) {
  constexpr const char* op = "multilabel_margin_loss";
  check_same(op, input, target);
  if (input.dim() == 0) return multilabel_margin_loss(reshape(input, Dims{1}), reshape(target, Dims{1}), reduction);
  if (input.dim() < 1 || input.dim() > 2 || !is_integral(target.dtype()) || input.size(-1) == 0)
    raise<ShapeError>(op, ": needs (N, C) or (C,) with integer targets that -1 ends: ", describe("input", input), ", ",
                      describe("target", target));
  const int64_t classes = input.size(-1);
  const Tensor t = to(target, DType::int64);
  const Tensor listed = cumsum(to(t < 0, DType::int64), -1) == 0;  // before the first -1
  if (t.numel() > 0 && (amax(t).item().to_int() >= classes))
    raise<IndexError>(op, ": a target is not a class: ", describe("input", input), " has classes 0 to ", classes - 1);
  const Tensor at = where(listed, t, 0);
  const Tensor own = to(scatter_add(zeros_like(t), -1, at, to(listed, DType::int64)), DType::bool_);
  const Tensor pairs = hinge(1 - unsqueeze(gather(input, -1, at), -1) + unsqueeze(input, -2));
  const Tensor count = logical_and(unsqueeze(listed, -1), logical_not(unsqueeze(own, -2)));
  return reduce_loss(sum(where(count, pairs, 0.0), Dims{-2, -1}) / double(classes), reduction);
}

Tensor multilabel_soft_margin_loss(const Tensor& input, const Tensor& target, const Tensor& weight,
                                   Reduction reduction) {
  check_same("multilabel_soft_margin_loss", input, target);
  if (input.dim() == 0) raise<ShapeError>("multilabel_soft_margin_loss: needs (*, C), got ", describe("input", input));
  Tensor l = -(target * logsigmoid(input) + (1 - target) * logsigmoid(-input));
  if (weight.defined()) l = l * weight;
  return reduce_loss(mean(l, Dims{-1}), reduction);
}

Tensor triplet_margin_loss(const Tensor& anchor, const Tensor& positive, const Tensor& negative, double margin,
                           double p, double eps, bool swap, Reduction reduction) {
  constexpr const char* op = "triplet_margin_loss";
  if (!(margin > 0)) raise<ValueError>(op, ": margin must be positive, got ", margin);
  if (anchor.dim() != positive.dim() || anchor.dim() != negative.dim())
    raise<ShapeError>(op, ": operands must have as many dims: ", describe("anchor", anchor), ", ",
                      describe("positive", positive), ", ", describe("negative", negative));
  const Tensor near = pairwise_distance(anchor, positive, p, eps);
  Tensor far = pairwise_distance(anchor, negative, p, eps);
  if (swap) far = minimum(far, pairwise_distance(positive, negative, p, eps));
  return reduce_loss(hinge(margin + near - far), reduction);
}

Tensor cosine_embedding_loss(const Tensor& input1, const Tensor& input2, const Tensor& target, double margin,
                             Reduction reduction) {
  constexpr const char* op = "cosine_embedding_loss";
  if (target.dim() > 1 || input1.dim() != target.dim() + 1 || input2.dim() != input1.dim())
    raise<ShapeError>(op, ": needs (N, D), (N, D) and (N,), or (D,), (D,) and (): ", describe("input1", input1), ", ",
                      describe("input2", input2), ", ", describe("target", target));
  const Dims last{-1};
  const auto length = [&](const Tensor& x) { return sum(square(x), last) + 1e-12; };
  const Tensor c = sum(input1 * input2, last) / sqrt(length(input1) * length(input2));
  return reduce_loss(where(target == 1, 1 - c, 0.0) + where(target == -1, hinge(c - margin), 0.0), reduction);
}

// ---- likelihoods ----

Tensor gaussian_nll_loss(const Tensor& input, const Tensor& target, const Operand& var, bool full, double eps,
                         Reduction reduction) {
  constexpr const char* op = "gaussian_nll_loss";
  need_floating(op, input);
  const auto operands = [&] {
    return describe("input", input) + ", " + describe("target", target) + ", " + describe("var", var);
  };
  if (!(eps > 0)) raise<ValueError>(op, ": eps must be positive, got ", eps);
  Tensor v = var;
  if (v.dim() == 0) {
    v = expand(to(v, input.dtype(), input.device()), input.shape());
  } else if (v.shape() != input.shape()) {
    if (v.dim() == input.dim() - 1) v = unsqueeze(v, -1);  // one variance per row
    bool fits = v.dim() == input.dim();
    for (int64_t d = 0; fits && d < v.dim(); ++d) fits = v.size(d) == input.size(d) || v.size(d) == 1;
    if (!fits) raise<ShapeError>(op, ": var must have input's shape, or one number per row: ", operands());
  }
  if (v.numel() > 0 && amin(v.detach()).item().to_double() < 0)
    raise<ValueError>(op, ": var has negative entries: ", operands());
  // Below eps the value is eps and the gradient that of var, as in PyTorch.
  v = where(v < eps, v - v.detach() + eps, v);
  Tensor l = (log(v) + square(input - target) / v) * 0.5;
  if (full) l = l + 0.5 * std::log(2 * std::numbers::pi);
  return reduce_loss(l, reduction);
}

Tensor poisson_nll_loss(const Tensor& input, const Tensor& target, bool log_input, bool full, Reduction reduction,
                        double eps) {
  need_numbers("poisson_nll_loss", input);
  Tensor l = log_input ? exp(input) - target * input : input - target * log(input + eps);
  if (full) {  // Stirling's formula for log(target!)
    const Tensor t = where(target > 1, target, 1.0);
    l = l + where(target > 1, t * log(t) - t + log(t * (2 * std::numbers::pi)) * 0.5, 0.0);
  }
  return reduce_loss(l, reduction);
}

}  // namespace lamina
