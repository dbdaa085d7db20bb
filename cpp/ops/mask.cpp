// Masks: where elements are nonzero, selecting and filling by a mask, class numbers as rows of 0 and 1.
#include <algorithm>

#include "inplace.h"
#include "lamina/autograd.h"
#include "lamina/devices.h"
#include "lamina/ops.h"

namespace lamina {

Tensor nonzero(const Tensor& x) {
  const NoGrad guard;
  const Tensor mask = contiguous(to(x.dim() == 0 ? reshape(x, {1}) : x, DType::bool_));
  const int64_t count = sum(mask).item().to_int();
  // Column by column in memory, so that each coordinate is a contiguous index.
  const Tensor columns = allocate(Dims{mask.dim(), count}, DType::int64, x.device());
  const Tensor out = transpose(columns, 0, 1);
  if (count > 0) kernel(&Kernels::nonzero, x.device())(mask.view_of(), out.view_of());
  return x.dim() == 0 ? alias(out, Dims{count, 0}, Dims{1, 1}, 0) : out;
}

TensorList where(const Tensor& condition) {
  const NoGrad guard;
  const Tensor places = nonzero(condition.dim() == 0 ? reshape(condition, {1}) : condition);
  TensorList columns;
  for (int64_t d = 0; d < places.size(1); ++d) columns.push_back(select(places, 1, d));
  return columns;
}

Tensor masked_select(const Tensor& x, const Tensor& mask) {
  if (mask.dtype() != DType::bool_) raise<DtypeError>("masked_select: mask must be bool, got ", describe("mask", mask));
  const Tensor* both[] = {&x, &mask};
  const Dims shape = broadcast_shapes("masked_select", both);
  if (shape.empty()) return index(reshape(x, {1}), {reshape(mask, {1})});
  return index(expand(x, shape), {expand(mask, shape)});
}

namespace {

Tensor mask_value(const char* op, const Tensor& x, const Tensor& mask, const Tensor& value) {
  if (mask.dtype() != DType::bool_)
    raise<DtypeError>(op, ": mask must be bool, got ", describe("mask", mask), "; use mask.bool()");
  if (value.dim() > 0)
    raise<ShapeError>(op, ": value must be a number or a 0-d tensor, got ", describe("value", value));
  Tensor v = to(value, x.dtype(), x.device());
  if (v->weak) v = clone(v);
  return v;
}

}  // namespace

Tensor masked_fill(const Tensor& x, const Tensor& mask, const Operand& value) {
  return where(mask, mask_value("masked_fill", x, mask, value), x->weak ? clone(x) : x);
}

Tensor masked_fill_(const Tensor& self, const Tensor& mask, const Operand& value) {
  const Tensor v = mask_value("masked_fill_", self, mask, value);
  const Tensor* both[] = {&self, &mask};
  if (broadcast_shapes("masked_fill_", both) != self.shape())
    raise<ShapeError>("masked_fill_: mask does not broadcast to self: ", describe("self", self), ", ",
                      describe("mask", mask));
  InplaceWrite w("masked_fill_", self, {v});
  if (self.numel() > 0) {
    const NoGrad guard;
    const bool overlap = mask->storage == self->storage;
    const Tensor m = overlap ? clone(mask) : mask;
    const View in[] = {expand(m, self.shape()).view_of(), expand(v, self.shape()).view_of(), self.view_of()};
    const DType compute = self.dtype() == DType::float64 ? DType::float64
                          : is_floating(self.dtype())    ? DType::float32
                                                         : DType::int64;
    const double none[3] = {};
    kernel(&Kernels::elementwise, self.device())(EwOp{Ew::Where, 0}, compute, in, 3, self.view_of(), none);
  }
  return w.done([at = save(mask)](Grads& d, const Tensor& g) {
    const Tensor m = at.get();
    if (d.want(0)) d[0] = masked_fill(g, m, 0);
    if (d.want(1)) d[1] = sum(where(m, g, zeros(Dims{}, g.dtype(), g.device())));
  });
}

Tensor one_hot(const Tensor& x, int64_t num_classes) {
  if (x.dtype() != DType::int64)
    raise<DtypeError>("one_hot: input must be int64 class numbers, got ", describe("input", x), "; use .long()");
  if (num_classes < -1 || (num_classes == 0 && x.numel() > 0))
    raise<ValueError>("one_hot: num_classes must be positive or -1, got ", num_classes);
  if (num_classes == -1 && x.numel() == 0) raise<ValueError>("one_hot: an empty input needs num_classes");
  const NoGrad guard;
  const Tensor host = contiguous(to(x, {}, Device{}));
  const auto* p = static_cast<const int64_t*>(host.data());
  int64_t low = 0, high = 0;
  for (int64_t i = 0; i < host.numel(); ++i) {
    low = std::min(low, p[i]);
    high = std::max(high, p[i]);
  }
  if (low < 0) raise<lamina::IndexError>("one_hot: class ", low, " is negative");
  if (num_classes != -1 && x.numel() > 0 && high >= num_classes)
    raise<lamina::IndexError>("one_hot: class ", high, " is not below num_classes ", num_classes);
  Size shape = x.shape();
  shape.push_back(num_classes == -1 ? checked::add(high, 1, "one_hot") : num_classes);
  const Tensor y = zeros(shape, DType::int64, x.device());
  return x.numel() > 0 ? scatter_(y, -1, unsqueeze(x, -1), Scalar(1)) : y;
}

}  // namespace lamina
