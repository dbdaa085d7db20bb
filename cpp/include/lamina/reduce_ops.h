// The reductions that one kernel row offers, and the chunk of their common tree.
#pragma once
#include <cstdint>

namespace lamina {

inline constexpr int64_t kReduceChunk = 16384;  // elements added before the pairwise tree; part of every sum's bits

enum class ReduceOp : uint8_t {
  sum,
  mean,
  prod,
  amax,
  amin,
  norm_0,        // number of non-zeros
  norm_1,        // sum |x|
  norm_2,        // sqrt(sum x^2)
  norm_inf,      // max |x|
  norm_neg_inf,  // min |x|
  norm_p,        // (sum |x|^p)^(1/p)
  logsumexp,
  any,
  all,
};

}  // namespace lamina
