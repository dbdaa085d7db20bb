// dropout of whole channels, and alpha_dropout (Klambauer et al. 2017), which keeps mean and variance of selu's
// outputs.
#include <cmath>

#include "reduce.h"

namespace lamina {
namespace {

void check_probability(const char* op, double p) {
  if (!(p >= 0 && p <= 1)) raise<ValueError>(op, ": p must be in [0, 1], got ", p);
}

// x's shape with ones behind the first `kept` dims.
Size channels_of(const Tensor& x, size_t kept) {
  Dims s = x.shape();
  for (size_t d = kept; d < s.size(); ++d) s[d] = 1;
  return s;
}

// As in PyTorch: channels stand second, but first for one dim too few in dropout1d and for any number of dims other
// than 5 in dropout3d; dropout1d alone is strict about the number of dims.
Tensor channel_dropout(const char* op, int64_t rank, const Tensor& x, double p, bool training) {
  check_probability(op, p);
  if (!training || p == 0) return x;
  need_floating(op, x);
  if (rank == 1 ? x.dim() != 2 && x.dim() != 3 : x.dim() < 2)
    raise<ShapeError>(op, ": needs ", rank + 1, " or ", rank + 2, " dims, channels first or second, got ",
                      describe("input", x));
  const size_t kept = rank == 2 || x.dim() == rank + 2 ? 2 : 1;
  return x * dropout(ones(channels_of(x, kept), x.dtype(), x.device()), p, true);
}

Tensor alpha(const char* op, const Tensor& x, double p, bool training, const Size& shape) {
  check_probability(op, p);
  if (!training || p == 0 || x.numel() == 0) return x;
  need_floating(op, x);
  if (p == 1) return x * 0;
  constexpr double kSaturation = 1.7580993408473766;
  const double a = 1 / std::sqrt((kSaturation * kSaturation * p + 1) * (1 - p)), low = kSaturation * a;
  const Tensor keep = bernoulli(full(shape, 1 - p, x.dtype(), x.device()));
  return x * (keep * a) + ((keep - 1) * low + low * p);
}

}  // namespace

Tensor dropout1d(const Tensor& input, double p, bool training) {
  return channel_dropout("dropout1d", 1, input, p, training);
}
Tensor dropout2d(const Tensor& input, double p, bool training) {
  return channel_dropout("dropout2d", 2, input, p, training);
}
Tensor dropout3d(const Tensor& input, double p, bool training) {
  return channel_dropout("dropout3d", 3, input, p, training);
}

Tensor alpha_dropout(const Tensor& input, double p, bool training) {
  return alpha("alpha_dropout", input, p, training, Size(input.shape()));
}

Tensor feature_alpha_dropout(const Tensor& input, double p, bool training) {
  if (training && input.dim() < 2)
    raise<ShapeError>("feature_alpha_dropout: needs (N, C, ...), got ", describe("input", input));
  return alpha("feature_alpha_dropout", input, p, training, channels_of(input, 2));
}

}  // namespace lamina
