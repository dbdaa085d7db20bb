// Losses. cross_entropy and nll_loss with class indices are one fused kernel each way; mse_loss, l1_loss,
// smooth_l1_loss and binary_cross_entropy_with_logits are one formula and one reduction; the others are operations.
#include "loss.h"

#include <cmath>

#include "reduced_terms.h"

namespace lamina {
namespace {

Tensor smooth_target(const Tensor& target, double smoothing, int64_t classes) {
  return smoothing > 0 ? target * (1 - smoothing) + smoothing / double(classes) : target;
}

// ---- class indices ----

struct ClassLoss {
  const char* op;
  int64_t dim, classes, ignore;
  double smoothing, total;  // total: what the summed loss is divided by
  bool log_input;           // nll_loss: the input holds log probabilities
};

ClassLoss check_classes(const char* op, const Tensor& x, const Tensor& target, const Tensor& weight, int64_t ignore,
                        double smoothing, bool log_input) {
  need_floating(op, x);
  if (x.dim() == 0) raise<ShapeError>(op, ": needs (C), (N, C) or (N, C, d1, ...), got ", describe("input", x));
  const int64_t dim = x.dim() == 1 ? 0 : 1;
  Dims rows = x.shape();
  rows.erase(size_t(dim));
  if (target.shape() != rows)
    raise<ShapeError>(op, ": target must have shape ", to_string(rows), " (class indices): ", describe("input", x),
                      ", ", describe("target", target));
  if (!is_integral(target.dtype()))
    raise<DtypeError>(op, ": class indices must be integers, got ", describe("target", target),
                      ". Convert them with .long()");
  const int64_t classes = x.shape()[size_t(dim)];
  if (weight.defined() && (weight.dim() != 1 || weight.shape()[0] != classes || !is_floating(weight.dtype())))
    raise<ShapeError>(op, ": weight must hold one float per class: ", describe("input", x), ", ",
                      describe("weight", weight));
  if (target.device() != x.device())
    raise<DeviceError>(op, ": operands live on different devices: ", describe("input", x), ", ",
                       describe("target", target), ". Move one with .to(device)");
  if (!(smoothing >= 0 && smoothing <= 1))
    raise<ValueError>(op, ": label_smoothing must be in [0, 1], got ", smoothing);
  return {op, dim, classes, ignore, smoothing, 1, log_input};
}

// Gradient as operations, for a second one.
Tensor class_loss_composite(const ClassLoss& c, const Tensor& g, const Tensor& x, const Tensor& target,
                            const Tensor& weight) {
  Dims line(x.shape().size(), 1);
  line[size_t(c.dim)] = c.classes;
  const Tensor t = unsqueeze(target, c.dim), keep = to(t != c.ignore, x.dtype());
  const Tensor hit = to(reshape(arange(c.classes, {}, x.device()), line) == t, x.dtype());
  const Tensor w = weight.defined() ? to(reshape(weight, line), x.dtype()) : ones(Size(line), x.dtype(), x.device());
  const Tensor coefficient = (g.dim() == 0 ? g : unsqueeze(g, c.dim)) * keep / c.total,
               wt = sum(hit * w, Dims{c.dim}, true);
  if (c.log_input) return expand(-coefficient * hit * w, x.shape());
  const Tensor p = softmax(x, c.dim), main = wt * (p - hit) * (1 - c.smoothing);
  return coefficient * (c.smoothing > 0 ? main + (p * sum(w) - w) * (c.smoothing / double(c.classes)) : main);
}

Tensor class_loss_backward(const ClassLoss& c, const Tensor& g, const Tensor& x, const Tensor& target,
                           const Tensor& weight, const Tensor& lse) {
  if (grad_enabled()) return class_loss_composite(c, g, x, target, weight);
  Tensor dx = allocate_like(x);
  const Tensor g64 = contiguous(to(g, DType::float64));
  kernel(&Kernels::cross_entropy_backward, x.device())(
      x.view_of(), int(c.dim), target.view_of(), weight.defined() ? weight.view_of() : View{}, c.ignore, c.smoothing,
      lse.defined() ? lse.view_of() : View{}, g64.view_of(), c.total, dx.view_of());
  return dx;
}

double total_of(const Tensor& rows) {
  return run_reduce(ReduceOp::sum, rows, reduced_shape("sum", rows, OptDims(), false), DType::float64)
      .item()
      .to_double();
}

Tensor class_loss(ClassLoss c, const Tensor& x, const Tensor& target_in, const Tensor& weight_in, Reduction reduction) {
  const Tensor target = contiguous(to(target_in.detach(), DType::int64)),
               weight = weight_in.defined() ? weight_in.detach() : Tensor();
  const Tensor loss = allocate(target.shape(), DType::float64, x.device()),
               scale = allocate(target.shape(), DType::float64, x.device());
  const Tensor lse = c.log_input ? Tensor() : allocate(target.shape(), DType::float64, x.device());
  if (target.numel() > 0) {
    int64_t bad = -1;
    kernel(&Kernels::cross_entropy, x.device())(
        x.view_of(), int(c.dim), target.view_of(), weight.defined() ? weight.view_of() : View{}, c.ignore, c.smoothing,
        loss.view_of(), scale.view_of(), lse.defined() ? lse.view_of() : View{}, &bad);
    if (bad >= 0)
      raise<IndexError>(c.op, ": target ", target.data_as<int64_t>()[bad], " at position ", bad,
                        " is not a class: ", describe("input", x), " has classes 0 to ", c.classes - 1,
                        " (ignore_index ", c.ignore, ")");
  }
  Tensor y;
  if (reduction == Reduction::none) {
    y = to(loss, x.dtype());
  } else {
    if (reduction == Reduction::mean) c.total = total_of(scale);
    y = full(Dims{}, total_of(loss) / c.total, x.dtype(), x.device());
  }
  if (recording({x}))
    record(c.op, y, {x}, [c, x = save(x), target = save(target), weight, lse](Grads& d, const Tensor& g) {
      d[0] = class_loss_backward(c, g, x.get(), target.get(), weight, lse);
    });
  return y;
}

// Probabilities as target: composed, so that the target may require grad too.
Tensor probability_loss(const Tensor& x, const Tensor& target, const Tensor& weight, Reduction reduction,
                        double smoothing) {
  if (x.shape() != target.shape() || x.dim() == 0)
    raise<ShapeError>("cross_entropy: probabilities must have the shape of input: ", describe("input", x), ", ",
                      describe("target", target));
  if (!(smoothing >= 0 && smoothing <= 1))
    raise<ValueError>("cross_entropy: label_smoothing must be in [0, 1], got ", smoothing);
  const int64_t dim = x.dim() == 1 ? 0 : 1, classes = x.shape()[size_t(dim)];
  Tensor terms = log_softmax(x, dim) * smooth_target(target, smoothing, classes);
  if (weight.defined()) {
    if (weight.dim() != 1 || weight.shape()[0] != classes)
      raise<ShapeError>("cross_entropy: weight must hold one number per class: ", describe("input", x), ", ",
                        describe("weight", weight));
    Dims line(x.shape().size(), 1);
    line[size_t(dim)] = classes;
    terms = terms * reshape(weight, line);
  }
  const Tensor rows = -sum(terms, Dims{dim});
  if (reduction == Reduction::none) return rows;
  return reduction == Reduction::sum ? sum(rows) : mean(rows);
}

}  // namespace

Tensor cross_entropy(const Tensor& input, const Tensor& target, const Tensor& weight, int64_t ignore_index,
                     Reduction reduction, double label_smoothing) {
  if (is_floating(target.dtype()) && (target.shape() == input.shape() || target.dim() == input.dim())) {
    if (ignore_index >= 0)
      raise<ValueError>("cross_entropy: ignore_index is not supported for probabilities as target: ",
                        describe("target", target), ", ignore_index ", ignore_index);
    return probability_loss(input, target, weight, reduction, label_smoothing);
  }
  return class_loss(check_classes("cross_entropy", input, target, weight, ignore_index, label_smoothing, false), input,
                    target, weight, reduction);
}

Tensor nll_loss(const Tensor& input, const Tensor& target, const Tensor& weight, int64_t ignore_index,
                Reduction reduction) {
  return class_loss(check_classes("nll_loss", input, target, weight, ignore_index, 0, true), input, target, weight,
                    reduction);
}

// ---- regression ----

Tensor mse_loss(const Tensor& input, const Tensor& target, Reduction reduction) {
  return reduced_terms(Ew::MseTerm, {input, target}, reduction);
}

Tensor l1_loss(const Tensor& input, const Tensor& target, Reduction reduction) {
  return reduced_terms(Ew::L1Term, {input, target}, reduction);
}

Tensor smooth_l1_loss(const Tensor& input, const Tensor& target, Reduction reduction, double beta) {
  if (!(beta >= 0)) raise<ValueError>("smooth_l1_loss: beta must not be negative, got ", beta);
  if (beta == 0) return l1_loss(input, target, reduction);
  return reduced_terms(Ew::SmoothL1Term, {input, target, beta}, reduction);
}

// ---- binary ----

namespace {

Tensor at_least(const Tensor& x, double low) { return maximum(x, low); }

void check_probability(const char* label, const Tensor& x) {
  if (x.numel() == 0) return;
  const NoGrad quiet;
  const double lo = amin(x).item().to_double(), hi = amax(x).item().to_double();
  if (!(lo >= 0 && hi <= 1))
    raise<ValueError>("binary_cross_entropy: ", label, " must lie in [0, 1], found ", lo >= 0 ? hi : lo,
                      ". For logits use binary_cross_entropy_with_logits");
}

// -(t log x + (1 - t) log(1 - x)), logarithms not below -100. Its derivative is finite at 0 and 1, so it is written
// out.
Tensor binary_terms(const Tensor& x, const Tensor& t) {
  const auto logs = [](const Tensor& p) { return std::pair(at_least(log(p), -100), at_least(log1p(-p), -100)); };
  Tensor y;
  {
    const NoGrad quiet;
    const auto [a, b] = logs(x);
    y = (t - 1) * b - t * a;
  }
  if (recording({x, t}))
    record("binary_cross_entropy", y, {x, t}, [x = save(x), t = save(t), logs](Grads& d, const Tensor& g) {
      const Tensor p = x.get(), q = t.get();
      if (d.want(0)) d[0] = g * (p - q) / at_least((1 - p) * p, 1e-12);
      if (d.want(1)) {
        const auto [a, b] = logs(p);
        d[1] = g * (b - a);
      }
    });
  return y;
}

void check_binary(const char* op, const Tensor& x, const Tensor& t) {
  need_floating(op, x);
  need_floating(op, t);
  if (x.shape() != t.shape())
    raise<ShapeError>(op, ": input and target must have one shape: ", describe("input", x), ", ",
                      describe("target", t));
}

}  // namespace

Tensor binary_cross_entropy(const Tensor& input, const Tensor& target, const Tensor& weight, Reduction reduction) {
  check_binary("binary_cross_entropy", input, target);
  check_probability("input", input);
  const Tensor l = binary_terms(input, target.dtype() == input.dtype() ? target : to(target, input.dtype()));
  return reduce_loss(weight.defined() ? l * weight : l, reduction);
}

Tensor binary_cross_entropy_with_logits(const Tensor& input, const Tensor& target, const Tensor& weight,
                                        Reduction reduction, const Tensor& pos_weight) {
  check_binary("binary_cross_entropy_with_logits", input, target);
  const EwArg positive = pos_weight.defined() ? EwArg(pos_weight) : EwArg(1);
  const auto terms = [&](Reduction how) { return reduced_terms(Ew::BceLogitsTerm, {input, target, positive}, how); };
  return weight.defined() ? reduce_loss(terms(Reduction::none) * weight, reduction) : terms(reduction);
}

}  // namespace lamina
