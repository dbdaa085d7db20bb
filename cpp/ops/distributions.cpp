// Random numbers of further distributions, made from uniform and normal ones: functions of (seed, draw, element) too.
#include "inplace.h"
#include "lamina/devices.h"
#include "lamina/ops.h"
#include "lamina/random.h"
#include "reduce.h"

namespace lamina {
namespace {

// Uniform numbers in [0, 1) like x, in f64 where x is f64 and else in f32.
Tensor uniform_like(const Tensor& x, Generator* generator) {
  return rand(x.shape(), generator, x.dtype() == DType::float64 ? DType::float64 : DType::float32, x.device(), false);
}

// self = values; what self was gets no gradient.
Tensor replaced(const char* op, const Tensor& self, const Tensor& values) {
  check_inplace(op, self);
  return copy_(self, values);
}

void check_stds(const Tensor& std) {
  if (std.numel() > 0 && !all(ge(std.detach(), 0)).item().to_bool())
    raise<ValueError>("normal: std must not be negative: ", describe("std", std));
}

}  // namespace

Tensor normal(const Tensor& mean, const Operand& std, Generator* generator) {
  const NoGrad guard;
  need_floating("normal", mean);
  const bool number = !std.defined() || std->weak;
  const Tensor spread =
      number ? full(Dims{}, std.defined() ? std.item() : Scalar(1), mean.dtype(), mean.device()) : std.detach();
  need_floating("normal", spread);
  check_stds(spread);
  const Tensor* both[] = {&mean, &spread};
  return mean.detach() + randn(broadcast_shapes("normal", both), generator, mean.dtype(), mean.device()) * spread;
}
Tensor normal(double mean, const Tensor& std, Generator* generator) {
  const NoGrad guard;
  need_floating("normal", std);
  check_stds(std);
  return mean + randn(std.shape(), generator, std.dtype(), std.device()) * std.detach();
}

Tensor exponential_(const Tensor& self, double rate, Generator* generator) {
  need_floating("exponential_", self);
  if (!(rate > 0)) raise<ValueError>("exponential_: lambd must be positive, got ", rate);
  const NoGrad guard;
  return replaced("exponential_", self, log1p(-uniform_like(self, generator)) * (-1 / rate));
}

Tensor geometric_(const Tensor& self, double p, Generator* generator) {
  if (!(p > 0 && p < 1)) raise<ValueError>("geometric_: p must be in (0, 1), got ", p);
  const NoGrad guard;
  const Tensor u = rand(self.shape(), generator, DType::float64, self.device(), false);
  const double scale = log1p(full(Dims{}, -p, DType::float64)).item().to_double();
  return replaced("geometric_", self, clamp_min(ceil(log1p(-u) / scale), 1.0));
}

Tensor log_normal_(const Tensor& self, double mean, double std, Generator* generator) {
  need_floating("log_normal_", self);
  if (!(std > 0)) raise<ValueError>("log_normal_: std must be positive, got ", std);
  const NoGrad guard;
  const DType type = self.dtype() == DType::float64 ? DType::float64 : DType::float32;
  return replaced("log_normal_", self, exp(randn(self.shape(), generator, type, self.device()) * std + mean));
}

Tensor cauchy_(const Tensor& self, double median, double sigma, Generator* generator) {
  need_floating("cauchy_", self);
  if (!(sigma > 0)) raise<ValueError>("cauchy_: sigma must be positive, got ", sigma);
  const NoGrad guard;
  const Tensor u = rand(self.shape(), generator, DType::float64, self.device(), false);
  return replaced("cauchy_", self, tan((u - 0.5) * 3.141592653589793) * sigma + median);
}

Tensor poisson(const Tensor& x, Generator* generator) {
  const NoGrad guard;
  need_floating("poisson", x);
  const Tensor rates = contiguous(to(x.detach(), DType::float64, Device{}));
  if (x.numel() > 0 && !all(logical_and(ge(rates, 0), le(rates, 1e15))).item().to_bool())
    raise<ValueError>("poisson: rates must be from 0 to 1e15: ", describe("input", x));
  const Tensor y = allocate(x.shape(), DType::float64);
  const auto d = current(generator).next();
  if (y.numel() > 0) kernel(&Kernels::random_poisson, Device{})(rates.view_of(), y.view_of(), d.seed, d.offset);
  return to(y, x.dtype(), x.device());
}

Tensor multinomial(const Tensor& x, int64_t n, bool replacement, Generator* generator) {
  const NoGrad guard;
  need_floating("multinomial", x);
  if (x.dim() < 1 || x.dim() > 2)
    raise<ShapeError>("multinomial: input must have 1 or 2 dims, got ", describe("input", x));
  const int64_t categories = x.size(-1);
  if (n <= 0) raise<ValueError>("multinomial: num_samples must be positive, got ", n);
  if (!replacement && n > categories)
    raise<ValueError>("multinomial: cannot draw ", n, " of ", categories, " categories without replacement");
  const Tensor p = to(x.detach(), DType::float64);
  if (!all(logical_and(ge(p, 0), isfinite(p))).item().to_bool())
    raise<ValueError>("multinomial: probabilities must be finite and not negative: ", describe("input", x));
  if (any(le(sum(p, Dims{-1}), 0)).item().to_bool())
    raise<ValueError>("multinomial: each row needs a positive sum: ", describe("input", x));
  Size shape = x.shape();
  shape[shape.size() - 1] = n;
  if (!replacement) {
    if (any(lt(count_nonzero(p, Dims{-1}), n)).item().to_bool())
      raise<ValueError>("multinomial: fewer than ", n,
                        " categories have a positive probability: ", describe("input", x));
    // The smallest of exponential numbers with rates p: the same law as drawing one by one.
    const Tensor wait = -log1p(-rand(x.shape(), generator, DType::float64, x.device(), false));
    return topk(where(p > 0, wait / p, full(Dims{}, __builtin_inf(), DType::float64, x.device())), n, -1, false, true)
        .indices;
  }
  const Tensor edges = cumsum(p, -1), u = rand(shape, generator, DType::float64, x.device(), false);
  const Tensor places = searchsorted(edges, Operand(u * narrow(edges, -1, categories - 1, 1)), false, true, {}, {});
  // u times the sum may round up to the sum itself: the last category of any weight.
  const Tensor last = categories - 1 - argmax(to(flip(p > 0, Dims{-1}), DType::uint8), -1, true);
  return minimum(places, last);
}

}  // namespace lamina
