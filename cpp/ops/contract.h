// Contraction of two tensors whose dims carry labels: the step that einsum, tensordot and inner share.
#pragma once
#include <vector>

#include "lamina/ops.h"

namespace lamina {

// A tensor with one distinct label per dim.
struct Labelled {
  Tensor tensor;
  std::vector<int> labels;

  // Place of a label among the dims, or -1.
  int64_t find(int label) const {
    for (size_t i = 0; i < labels.size(); ++i)
      if (labels[i] == label) return int64_t(i);
    return -1;
  }
  int64_t size_of(int label) const { return tensor.shape()[size_t(find(label))]; }
};

// Sum over the labels that `keep` does not hold; the others keep their order.
Labelled sum_others(const Labelled& x, const std::vector<int>& keep);
// Sum of products of a and b over the labels that `keep` does not hold. A dim of size 1 broadcasts.
Labelled contract(const char* op, Labelled a, Labelled b, const std::vector<int>& keep);

}  // namespace lamina
