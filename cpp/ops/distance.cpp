// Similarities and distances of vectors, softmin and gumbel_softmax.
#include "reduce.h"

namespace lamina {

Tensor cosine_similarity(const Tensor& x1, const Tensor& x2, int64_t dim, double eps) {
  need_floating("cosine_similarity", x1);
  need_floating("cosine_similarity", x2);
  const Tensor* both[] = {&x1, &x2};
  const Dims shape = broadcast_shapes("cosine_similarity", both);
  const Tensor a = expand(x1, shape), b = expand(x2, shape);
  const auto unit = [&](const Tensor& x) { return x / clamp_min(norm(x, 2.0, Dims{dim}, true, {}), eps); };
  return sum(unit(a) * unit(b), Dims{dim});
}

Tensor pairwise_distance(const Tensor& x1, const Tensor& x2, double p, double eps, bool keepdim) {
  if (x1.dtype() == DType::bool_) need_floating("pairwise_distance", x1);
  if (x2.dtype() == DType::bool_) need_floating("pairwise_distance", x2);
  return norm(x1 - x2 + eps, p, Dims{-1}, keepdim, {});
}

Tensor softmin(const Tensor& input, int64_t dim, std::optional<DType> dtype) { return softmax(-input, dim, dtype); }

Tensor gumbel_softmax(const Tensor& logits, double tau, bool hard, double, int64_t dim) {
  need_floating("gumbel_softmax", logits);
  if (!(tau > 0)) raise<ValueError>("gumbel_softmax: tau must be positive, got ", tau);
  Tensor noise;
  {
    const NoGrad quiet;  // -log of an exponential number; 1 - u is never 0
    noise = -log(-log1p(-rand(Size(logits.shape()), nullptr, DType::float64, logits.device())));
    noise = to(clamp_max(noise, 1e4), logits.dtype());
  }
  const Tensor soft = softmax((logits + noise) / tau, dim);
  if (!hard) return soft;
  const Tensor at = argmax(soft.detach(), dim, true);
  const Tensor one = scatter(zeros_like(soft.detach()), dim, at, Scalar(1.0));
  return one - soft.detach() + soft;  // the value of one, the gradient of soft
}

}  // namespace lamina
