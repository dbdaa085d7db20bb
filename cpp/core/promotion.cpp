// Result dtype and broadcast shape of several operands.
#include "lamina/tensor.h"

namespace lamina {
namespace {

std::atomic<DType> default_float{DType::float32};

// The dtype of one priority class of operands; undefined while it has no member.
struct Class {
  bool any = false;
  DType dtype = DType::bool_;
  void add(DType t) {
    dtype = any ? promote(dtype, t) : t;
    any = true;
  }
};

// A class of lower priority matters only where its category (bool < integer < float) is higher.
Class combine(Class higher, Class lower) {
  if (!higher.any) return lower;
  if (!lower.any || is_floating(higher.dtype)) return higher;
  if (higher.dtype == DType::bool_ || is_floating(lower.dtype)) higher.add(lower.dtype);
  return higher;
}

}  // namespace

DType default_dtype() { return default_float; }

void set_default_dtype(DType dtype) {
  if (!is_floating(dtype)) raise<DtypeError>("set_default_dtype: needs a floating dtype, got ", name(dtype));
  default_float = dtype;
}

DType result_type(std::span<const Tensor* const> inputs) {
  Class dimensioned, scalar, number;
  for (const Tensor* t : inputs) {
    if (!t->defined()) continue;
    if ((*t)->weak) {
      number.add(is_floating(t->dtype()) ? default_dtype() : t->dtype());
    } else {
      (t->dim() > 0 ? dimensioned : scalar).add(t->dtype());
    }
  }
  return combine(dimensioned, combine(scalar, number)).dtype;
}

Dims broadcast_shapes(const char* op, std::span<const Tensor* const> inputs) {
  size_t ndim = 0;
  for (const Tensor* t : inputs) ndim = std::max(ndim, t->shape().size());
  Dims out(ndim, 1);
  for (const Tensor* t : inputs) {
    const size_t skip = ndim - t->shape().size();
    for (size_t i = skip; i < ndim; ++i) {
      const int64_t d = t->shape()[i - skip];
      if (d == out[i] || d == 1) continue;
      if (out[i] == 1) {
        out[i] = d;
        continue;
      }
      std::string operands;
      for (size_t k = 0; k < inputs.size(); ++k)
        operands += (k ? ", " : "") +
                    describe(inputs.size() == 2 ? (k ? "other" : "input") : "operand " + std::to_string(k), *inputs[k]);
      raise<ShapeError>(op, ": shapes do not broadcast at dimension ", int64_t(i) - int64_t(ndim), " (", out[i],
                        " and ", d, "): ", operands, ". Sizes must be equal or 1, aligned from the right");
    }
  }
  return out;
}

}  // namespace lamina
