// ctc_loss (Graves et al. 2006): the forward recursion in log space over the labels with blanks between them, step by
// step as operations, so that its gradient and the next one follow. Impossible states hold a large negative number.
#include <limits>
#include <vector>

#include "loss.h"

namespace lamina {
namespace {

constexpr const char* kOp = "ctc_loss";
constexpr double kImpossible = -1e30;

struct Problem {
  int64_t steps, batch, states;       // states: 2 * longest target + 1
  Tensor labels, skip, last, second;  // (N, states), (N, states), (N, 1), (N, 1)
  Tensor lengths;                     // (N, 1): steps of each sample
  Tensor first, short_target;         // states that may begin; targets of no label
};

void check_lengths(const char* what, const Dims& given, int64_t batch, int64_t most) {
  if (int64_t(given.size()) != batch)
    raise<ShapeError>(kOp, ": ", what, " must hold one length per sample, ", batch, ", got ", to_string(given));
  for (int64_t n : given)
    if (n < 0 || n > most) raise<ValueError>(kOp, ": ", what, " must lie between 0 and ", most, ", got ", n);
}

Problem make_problem(const Tensor& lp, const Tensor& targets, const Dims& input_lengths, const Dims& target_lengths,
                     int64_t blank) {
  Problem p{lp.shape()[0], lp.shape()[1], 1, {}, {}, {}, {}, {}, {}, {}};
  const int64_t classes = lp.shape()[2], n = p.batch;
  const bool joined = targets.dim() == 1;
  check_lengths("input_lengths", input_lengths, n, p.steps);
  check_lengths("target_lengths", target_lengths, n, joined ? targets.numel() : targets.shape()[1]);
  int64_t longest = 0, total = 0;
  for (int64_t length : target_lengths) longest = std::max(longest, length), total += length;
  if (joined ? total > targets.numel() : targets.shape()[0] != n)
    raise<ShapeError>(kOp, ": targets must be (N, S), or 1-D of the sum of target_lengths, ", total, ": ",
                      describe("log_probs", lp), ", ", describe("targets", targets));
  p.states = 2 * longest + 1;
  const Size table{n, p.states}, line{n, 1};
  p.labels = full(table, blank, DType::int64);
  p.skip = zeros(table, DType::bool_), p.first = zeros(table, DType::bool_);
  p.last = zeros(line, DType::int64), p.second = zeros(line, DType::int64), p.lengths = zeros(line, DType::int64);
  p.short_target = zeros(line, DType::bool_);
  const Tensor t = contiguous(to(targets.detach(), DType::int64));
  int64_t from = 0;
  for (int64_t b = 0; b < n; ++b) {
    const int64_t count = target_lengths[size_t(b)], *label = t.data_as<int64_t>() + (joined ? from : b * t.size(-1));
    from += count;
    for (int64_t s = 0; s < count; ++s) {
      if (label[s] < 0 || label[s] >= classes)
        raise<IndexError>(kOp, ": target ", label[s], " of sample ", b, " is not a class: ", describe("log_probs", lp),
                          " has classes 0 to ", classes - 1);
      const int64_t at = b * p.states + 2 * s + 1;
      p.labels.data_as<int64_t>()[at] = label[s];
      p.skip.data_as<bool>()[at] = s > 0 && label[s] != label[s - 1] && label[s] != blank;
    }
    p.first.data_as<bool>()[b * p.states] = true;
    if (count > 0) p.first.data_as<bool>()[b * p.states + 1] = true;
    p.last.data_as<int64_t>()[b] = 2 * count;
    p.second.data_as<int64_t>()[b] = std::max<int64_t>(2 * count - 1, 0);
    p.short_target.data_as<bool>()[b] = count == 0;
    p.lengths.data_as<int64_t>()[b] = input_lengths[size_t(b)];
  }
  return p;
}

// log(sum of exp), by the largest.
Tensor log_sum(const std::vector<Tensor>& x) {
  Tensor top = x[0].detach(), total;
  for (size_t i = 1; i < x.size(); ++i) top = maximum(top, x[i].detach());
  for (const Tensor& t : x) total = total.defined() ? total + exp(t - top) : exp(t - top);
  return top + log(total);
}

// Minus the log probability of each sample: (N, 1).
Tensor negative_log(const Tensor& lp, const Problem& p) {
  if (p.steps == 0) return where(p.short_target, zeros(Size{p.batch, 1}, lp.dtype()), -kImpossible);
  const Tensor all =
      clamp_min(gather(lp, 2, expand(unsqueeze(p.labels, 0), Size{p.steps, p.batch, p.states})), kImpossible);
  Tensor alpha = where(p.first, select(all, 0, 0), kImpossible);
  const auto moved = [&](const Tensor& a, int64_t by) {
    return narrow(pad(a, Dims{by, 0}, "constant", kImpossible), 1, 0, p.states);
  };
  for (int64_t t = 1; t < p.steps; ++t) {
    const Tensor next = log_sum({alpha, moved(alpha, 1), where(p.skip, moved(alpha, 2), kImpossible)});
    alpha = where(p.lengths > t, next + select(all, 0, t), alpha);
  }
  const Tensor a = gather(alpha, 1, p.last), b = where(p.short_target, kImpossible, gather(alpha, 1, p.second));
  // Without any step only an empty target is possible.
  const Tensor none = where(p.short_target, zeros_like(a.detach()), kImpossible);
  return -where(p.lengths > 0, log_sum({a, b}), none);
}

Dims list_of(const char* what, const Tensor& t) {
  if (t.dim() > 1 || !is_integral(t.dtype()))
    raise<DtypeError>(kOp, ": ", what, " must be 1-D integers, got ", describe(what, t));
  const Tensor l = flatten(contiguous(to(t.detach(), DType::int64)));
  return {l.data_as<int64_t>(), size_t(l.numel())};
}

}  // namespace

Tensor ctc_loss(const Tensor& log_probs, const Tensor& targets, const Dims& input_lengths, const Dims& target_lengths,
                int64_t blank, Reduction reduction, bool zero_infinity) {
  need_floating(kOp, log_probs);
  if (log_probs.dim() != 2 && log_probs.dim() != 3)
    raise<ShapeError>(kOp, ": log_probs must be (T, N, C) or (T, C), got ", describe("log_probs", log_probs));
  if (targets.dim() < 1 || targets.dim() > 2 || !is_integral(targets.dtype()))
    raise<DtypeError>(kOp, ": targets must be integers (N, S) or 1-D, got ", describe("targets", targets));
  if (blank < 0 || blank >= log_probs.size(-1))
    raise<ValueError>(kOp, ": blank must be a class, got ", blank, " for ", describe("log_probs", log_probs));
  const bool single = log_probs.dim() == 2;
  const DType wide = log_probs.dtype() == DType::float64 ? DType::float64 : DType::float32;
  const Tensor lp = to(single ? unsqueeze(log_probs, 1) : log_probs, wide);
  const Problem p = make_problem(lp, targets, input_lengths, target_lengths, blank);
  const Tensor l = squeeze(negative_log(lp, p), Dims{1});
  const Tensor loss =
      to(where(l > 1e29, zero_infinity ? 0.0 : std::numeric_limits<double>::infinity(), l), log_probs.dtype());
  if (reduction == Reduction::none) return single ? squeeze(loss, Dims{0}) : loss;
  if (reduction == Reduction::sum) return sum(loss);
  const Tensor divisor = zeros(Size{p.batch}, DType::int64);
  for (int64_t b = 0; b < p.batch; ++b) divisor.data_as<int64_t>()[b] = std::max<int64_t>(target_lengths[size_t(b)], 1);
  return mean(loss / divisor);
}

Tensor ctc_loss(const Tensor& log_probs, const Tensor& targets, const Tensor& input_lengths,
                const Tensor& target_lengths, int64_t blank, Reduction reduction, bool zero_infinity) {
  return ctc_loss(log_probs, targets, list_of("input_lengths", input_lengths),
                  list_of("target_lengths", target_lengths), blank, reduction, zero_infinity);
}

}  // namespace lamina
