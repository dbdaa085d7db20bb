// Tensors that change in place what they are (resize_), memory read as another dtype, and sizes undone (sum_to_size).
#include "lamina/autograd.h"
#include "lamina/devices.h"
#include "lamina/ops.h"
#include "memory_format.h"

namespace lamina {
namespace {

// New memory of zeros for an empty tensor; the old one lives on with it, for arrays that rely on self.
void exchange_memory(const Tensor& self, int64_t n) {
  struct Both {
    Ref<Storage> fresh, old;
  };
  auto* both = new Both{zeros(Dims{n}, self.dtype(), self.device())->storage, self->storage};
  Storage& fresh = *both->fresh;
  self->storage = both->old->bytes() == 0 ? both->fresh
                                          : make_ref<Storage>(
                                                fresh.data(), fresh.bytes(), fresh.device(), static_cast<void*>(both),
                                                +[](void* p) { delete static_cast<Both*>(p); });
  if (self->storage.get() == both->fresh.get()) delete both;
  self->offset = 0;
}

bool is_zero_or_one(const Tensor& bytes) { return !any(gt(bytes, 1)).item().to_bool(); }

}  // namespace

Tensor resize_(const Tensor& self, const Size& size, std::optional<std::string_view> memory_format) {
  constexpr const char* op = "resize_";
  const MemoryFormat format = memory_format_of(op, memory_format, MemoryFormat::contiguous);
  if (self.requires_grad())
    raise<GradError>(op, ": a tensor of an autograd graph keeps its size: ", describe("self", self),
                     ". Use detach() or a new tensor");
  const int64_t n = numel_of(size, op);
  if (size == self.shape()) return self;
  check_inplace(op, self);
  self->storage->settle();
  const int64_t needed = n == 0 ? 0 : checked::add(self->offset, n, op);
  if (needed > int64_t(self->storage->bytes() / size_of(self.dtype()))) {
    // Arrays and views may see memory that holds something, so it is never exchanged.
    if (self.numel() > 0)
      raise<ValueError>(op, ": ", needed, " elements do not fit into the memory of ", describe("self", self),
                        "; only an empty tensor gets new memory. Make a new tensor instead");
    exchange_memory(self, n);
  }
  self->shape = size;
  self->stride = format == MemoryFormat::channels_last && size.size() == 4 ? channels_last_strides(size)
                                                                           : contiguous_strides(size);
  self->numel = n;
  wrote(self);
  return self;
}

Tensor resize_as_(const Tensor& self, const Tensor& other, std::optional<std::string_view> memory_format) {
  return resize_(self, Size(other.shape()), memory_format);
}

// PyTorch's rules: elements of another width need neighbours in the last dim that fill whole ones.
Tensor view(const Tensor& x, DType dtype) {
  if (dtype == x.dtype()) return view(x, Size(x.shape()));
  x->storage->settle();  // bytes are read in the order that the strides tell
  const auto from = int64_t(size_of(x.dtype())), to = int64_t(size_of(dtype));
  Dims shape = x.shape(), stride = x.stride();
  int64_t offset = x->offset;
  const auto refuse = [&](const auto&... why) {
    raise<ShapeError>("view: ", describe("input", x), " cannot be read as ", name(dtype), ": ", why...);
  };
  if (from != to) {
    const size_t last = shape.size() - 1;
    if (shape.empty()) refuse("a 0-d tensor has no dim that could change; use reshape(1)");
    if (stride[last] != 1 && shape[last] != 1) refuse("the last dim must have stride 1; use contiguous()");
    stride[last] = 1;
    if (from > to) {
      const int64_t pieces = from / to;
      shape[last] = checked::mul(shape[last], pieces, "view");
      offset = checked::mul(offset, pieces, "view");
      for (size_t d = 0; d < last; ++d) stride[d] = checked::mul(stride[d], pieces, "view");
    } else {
      const int64_t together = to / from;
      if (shape[last] % together) refuse("the last dim must be a multiple of ", together);
      if (offset % together)
        refuse("its first element must lie at a multiple of ", together, " in memory; use clone()");
      for (size_t d = 0; d < last; ++d) {
        if (stride[d] % together && shape[d] > 1)
          refuse("strides must be multiples of ", together, "; use contiguous()");
        stride[d] /= together;
      }
      shape[last] /= together;
      offset /= together;
    }
  }
  if (dtype == DType::bool_ && (from != 1 || (x.numel() > 0 && !is_zero_or_one(view(x, DType::uint8)))))
    raise<ValueError>("view: bytes of bools are 0 or 1: ", describe("input", x), ". Use x != 0");
  Tensor y = alias(x);
  y->shape = shape;
  y->stride = stride;
  y->offset = offset;
  y->numel = numel_of(shape, "view");
  y->dtype = dtype;
  y->weak = false;
  return y;
}

Tensor sum_to_size(const Tensor& x, const Size& size) {
  const size_t n = x.shape().size();
  bool fits = size.size() <= n;
  for (size_t i = 0; fits && i < size.size(); ++i) fits = size[i] == x.shape()[n - size.size() + i] || size[i] == 1;
  if (!fits) raise<ShapeError>("sum_to_size: size ", to_string(size), " does not broadcast to ", describe("input", x));
  const bool widens = !is_floating(x.dtype()) && (size.empty() || size != x.shape());  // as every sum of integers
  return sum_to(widens ? to(x, DType::int64) : x, size);
}

Tensor narrow(const Tensor& x, int64_t dim, const Tensor& start, int64_t length) {
  if (start.dim() != 0 || is_floating(start.dtype()) || start.dtype() == DType::bool_)
    raise<DtypeError>("narrow: start must be an integer or a 0-d integer tensor, got ", describe("start", start));
  return narrow(x, dim, start.item().to_int(), length);
}

}  // namespace lamina
