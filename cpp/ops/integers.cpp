// Convolutions and pools of integers, exact and in no hurry: sums of products of shifted inputs, maxima by rank, means
// as quotients of sums that are cut towards zero (as PyTorch's).
#include "integers.h"

#include "lamina/ops.h"

namespace lamina {
namespace {

// One tap of the kernel: its place along each spatial dim of an image.
struct Taps {
  size_t rank;  // spatial dims of the image: 2 or 3
  const Slide& s;
  Dims shape, at;  // of the kernel, and the present place
  explicit Taps(const Tensor& w, const Slide& slide)
      : rank(w.shape().size() - 2), s(slide), shape(rank, 1), at(rank, 0) {
    for (size_t d = 0; d < rank; ++d) shape[d] = w.shape()[2 + d];
  }
  size_t slot(size_t d) const { return 3 - rank + d; }
  int64_t reach(size_t d) const { return (shape[d] - 1) * s.dilation[slot(d)] + 1; }
  bool next() {
    for (size_t d = rank; d-- > 0;) {
      if (++at[d] < shape[d]) return true;
      at[d] = 0;
    }
    return false;
  }
  // The places of t (N, C, ...) that meet this tap, for `count` outputs along each dim.
  Tensor meet(Tensor t, const Dims& count) const {
    for (size_t d = 0; d < rank; ++d) {
      const int64_t first = at[d] * s.dilation[slot(d)], step = s.stride[slot(d)];
      t = slice(t, int64_t(2 + d), first, first + (count[2 + d] - 1) * step + 1, step);
    }
    return t;
  }
  // The tap's weights (A, B) of w (A, B, ...), by group.
  Tensor weights(Tensor w) const {
    for (size_t d = 0; d < rank; ++d) w = select(w, 2, at[d]);
    return reshape(w, Size{1, s.groups, w.shape()[0] / s.groups, w.shape()[1]});
  }
  // (N, C, ...) as (N, groups, C / groups, places).
  Tensor rows(const Tensor& t) const {
    const int64_t places = numel_of(Dims(t.shape().data() + 2, rank));
    return reshape(t, Size{t.shape()[0], s.groups, t.shape()[1] / s.groups, places});
  }
};

}  // namespace

Tensor convolve_integers(const Tensor& x, const Tensor& w, const Tensor& bias, const Dims& out, const Slide& s) {
  const NoGrad quiet;
  Taps taps(w, s);
  Dims around;
  for (size_t d = taps.rank; d-- > 0;) {
    const int64_t before = s.padding[taps.slot(d)];
    const int64_t end = (out[2 + d] - 1) * s.stride[taps.slot(d)] + taps.reach(d);
    around.push_back(before);
    around.push_back(std::max<int64_t>(end - before - x.shape()[2 + d], 0));
  }
  const Tensor padded = pad(x, around, "constant", 0.0);
  Tensor y = zeros(Size(taps.rows(zeros(Size(out), x.dtype(), x.device())).shape()), x.dtype(), x.device());
  do add_(y, matmul(taps.weights(w), taps.rows(taps.meet(padded, out))));
  while (taps.next());
  y = reshape(y, out);
  if (!bias.defined()) return y;
  Dims line(taps.rank + 1, 1);
  line[0] = out[1];
  return y + reshape(bias, line);
}

Tensor convolve_integers_transposed(const Tensor& x, const Tensor& w, const Dims& out, const Slide& s) {
  const NoGrad quiet;
  Taps taps(w, s);
  Dims full = out, shape = x.shape();
  shape[1] = out[1];
  for (size_t d = 0; d < taps.rank; ++d)
    full[2 + d] =
        std::max((x.shape()[2 + d] - 1) * s.stride[taps.slot(d)] + taps.reach(d), s.padding[taps.slot(d)] + out[2 + d]);
  Tensor y = zeros(Size(full), x.dtype(), x.device());
  do {
    Tensor place = taps.meet(y, x.shape());
    add_(place, reshape(matmul(transpose(taps.weights(w), -2, -1), taps.rows(x)), shape));
  } while (taps.next());
  for (size_t d = 0; d < taps.rank; ++d) y = narrow(y, int64_t(2 + d), s.padding[taps.slot(d)], out[2 + d]);
  return contiguous(y);
}

Ranks ranks_of(const Tensor& x) {
  const NoGrad quiet;
  const TensorList r = unique(x, true, true, false, {}).all;
  return {r[0], to(r[1], DType::float64)};
}

Tensor means_of_integers(const Tensor& x, const std::function<Tensor(const Tensor&)>& sums,
                         const std::function<Tensor(const Tensor&)>& means, std::optional<int64_t> divisor) {
  const NoGrad quiet;
  const Tensor wide = to(x, DType::int64);
  const auto sum_of = [&](const Tensor& t) { return to(sums(to(t, DType::float64)), DType::int64); };
  // Halves of 32 bits, so that float64 adds them exactly.
  const Tensor total = (sum_of(wide >> 32) << 32) + sum_of(wide & int64_t(0xffffffff));
  if (divisor) return to(trunc_divide(total, *divisor), x.dtype());
  const Tensor one = ones(Size(x.shape()), DType::float64, x.device());
  const Tensor counted = sums(one), share = means(one);  // a window of padding alone counts nothing
  return to(trunc_divide(total, to(round(counted / where(share == 0, 1.0, share)), DType::int64)), x.dtype());
}

}  // namespace lamina
