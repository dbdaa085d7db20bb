// Convolutions and pools of integers, for the operations that run on floating kernels otherwise.
#pragma once
#include <functional>

#include "conv.h"

namespace lamina {

// As convolve2 / convolve3 and the input gradients, for one integer dtype, which wraps around.
Tensor convolve_integers(const Tensor& x, const Tensor& w, const Tensor& bias, const Dims& out, const Slide& s);
Tensor convolve_integers_transposed(const Tensor& x, const Tensor& w, const Dims& out, const Slide& s);

// The different elements in order, and x as float64 numbers of those: order as x's own, however large the integers are.
struct Ranks {
  Tensor values, rank;
};
Ranks ranks_of(const Tensor& x);

// Means cut towards zero. sums and means: the pool of float64 inputs, with divisor 1 and with its own.
Tensor means_of_integers(const Tensor& x, const std::function<Tensor(const Tensor&)>& sums,
                         const std::function<Tensor(const Tensor&)>& means, std::optional<int64_t> divisor);

}  // namespace lamina
