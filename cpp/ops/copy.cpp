// Copying, converting, moving between devices and filling.
#include "lamina/autograd.h"
#include "lamina/devices.h"
#include "lamina/ops.h"
#include "memory_format.h"

namespace lamina {
namespace {

View expanded(const Tensor& t, const Dims& shape, const char* op) {
  const Tensor* both[] = {&t};
  const View given = t.view_of();
  View v;
  v.data = given.data;
  v.dtype = given.dtype;
  v.ndim = int32_t(shape.size());
  if (t.shape().size() > shape.size())
    raise<ShapeError>(op, ": ", describe("src", **both), " does not broadcast to ", to_string(shape));
  const size_t skip = shape.size() - t.shape().size();
  for (size_t i = 0; i < shape.size(); ++i) {
    const int64_t d = i < skip ? 1 : t.shape()[i - skip];
    if (d != shape[i] && d != 1)
      raise<ShapeError>(op, ": ", describe("src", t), " does not broadcast to ", to_string(shape));
    v.shape[i] = shape[i];
    v.stride[i] = i >= skip && d == shape[i] ? given.stride[i - skip] : 0;
  }
  return v;
}

// Bytes between devices; both sides row-major with the same dtype.
void move(const Tensor& src, const Tensor& dst) {
  const size_t bytes = size_t(src.numel()) * size_of(src.dtype());
  if (bytes == 0) return;
  const bool from = src.device().type == DeviceType::cpu;
  device_copy(from ? dst.device() : src.device(), dst.data(), src.data(), bytes,
              from ? CopyKind::host_to_device : CopyKind::device_to_host);
}

Tensor converted(const Tensor& x, DType dtype, Device device) {
  if (device == x.device()) {
    Tensor y = allocate_like(x, dtype);
    if (x.numel() > 0) kernel(&Kernels::copy, device)(x.view_of(), y.view_of());
    return y;
  }
  Tensor dense = x.is_contiguous() ? x : allocate(x.shape(), x.dtype(), x.device());
  if (!x.is_contiguous()) kernel(&Kernels::copy, x.device())(x.view_of(), dense.view_of());
  if (x.device().type == DeviceType::cpu && dtype != x.dtype()) dense = converted(dense, dtype, Device{});
  Tensor y = allocate(x.shape(), dense.dtype(), device);
  move(dense, y);
  return y.dtype() == dtype ? y : converted(y, dtype, device);
}

}  // namespace

Tensor clone(const Tensor& x, std::optional<std::string_view> memory_format) {
  const MemoryFormat format = memory_format_of("clone", memory_format, MemoryFormat::preserve);
  Tensor y = format == MemoryFormat::preserve
                 ? allocate_like(x)
                 : allocate_strided(x.shape(), strides_in("clone", x, format), x.dtype(), x.device());
  if (x.numel() > 0) kernel(&Kernels::copy, x.device())(x.view_of(), y.view_of());
  if (recording({x})) record("clone", y, {x}, [](Grads& d, const Tensor& g) { d[0] = g; });
  return y;
}

Tensor contiguous(const Tensor& x, std::optional<std::string_view> memory_format) {
  const MemoryFormat format = memory_format_of("contiguous", memory_format, MemoryFormat::contiguous);
  if (format == MemoryFormat::preserve) raise<ValueError>("contiguous: memory_format cannot be preserve_format");
  if (format == MemoryFormat::contiguous && x.is_contiguous()) {
    x->storage->settle();  // kernels rely on it
    return x;
  }
  if (format == MemoryFormat::channels_last && x.dim() == 4 && x.is_channels_last()) return x;
  Tensor y = format == MemoryFormat::contiguous
                 ? allocate(x.shape(), x.dtype(), x.device())
                 : allocate_strided(x.shape(), strides_in("contiguous", x, format), x.dtype(), x.device());
  if (x.numel() > 0) kernel(&Kernels::copy, x.device())(x.view_of(), y.view_of());
  if (recording({x})) record("contiguous", y, {x}, [](Grads& d, const Tensor& g) { d[0] = g; });
  return y;
}

Tensor to(const Tensor& x, std::optional<DType> dtype, std::optional<Device> device, bool copy) {
  const DType t = dtype.value_or(x.dtype());
  const Device place = device.value_or(x.device());
  if (t == x.dtype() && place == x.device()) return copy ? clone(x) : x;
  Tensor y = converted(x, t, place);
  if (is_floating(t) && recording({x}))
    record("to", y, {x},
           [from = x.dtype(), where = x.device()](Grads& d, const Tensor& g) { d[0] = to(g, from, where); });
  return y;
}

Tensor copy_(const Tensor& self, const Tensor& src) {
  check_writable("copy_", self);
  Tensor s = src.device() == self.device() ? src : to(src, {}, self.device());
  if (s->storage == self->storage && !is_same(s, self)) s = clone(s);
  const bool record_it = is_floating(self.dtype()) && recording({self, src});
  if (record_it) check_view_origin("copy_", self);
  const Tensor old = record_it ? before_write(self) : Tensor();
  if (self.numel() > 0) {
    const View from = expanded(s, self.shape(), "copy_");
    const Pinned pinned(self);
    kernel(&Kernels::copy, self.device())(from, self.view_of());
  }
  wrote(self);
  if (record_it) {
    const auto backward = [shape = src.shape(), from = src.dtype(), where = src.device()](Grads& d, const Tensor& g) {
      if (d.want(0)) d[0] = zeros_like(g);
      if (d.want(1)) d[1] = to(sum_to(g, shape), from, where);
    };
    auto node = make_ref<LambdaNode<decltype(backward)>>("copy_", backward);
    const std::reference_wrapper<const Tensor> in[] = {old, src};
    connect(*node, in);
    Tensor x = self;
    rebase_history(x, node);
  }
  return self;
}

Tensor fill_(const Tensor& self, const Operand& value) {
  if (value.numel() != 1) raise<ShapeError>("fill_: value must be a number, got ", describe("value", value));
  if (value.requires_grad()) return copy_(self, value);
  check_writable("fill_", self);
  const bool record_it = is_floating(self.dtype()) && recording({self});
  const Tensor old = record_it ? before_write(self) : Tensor();
  if (self.numel() > 0) {
    const Scalar number = value.item();
    const Pinned pinned(self);
    kernel(&Kernels::fill, self.device())(self.view_of(), number);
  }
  wrote(self);
  if (record_it) {
    const auto backward = [](Grads& d, const Tensor& g) { d[0] = zeros_like(g); };
    auto node = make_ref<LambdaNode<decltype(backward)>>("fill_", backward);
    const std::reference_wrapper<const Tensor> in[] = {old};
    connect(*node, in);
    Tensor x = self;
    rebase_history(x, node);
  }
  return self;
}

Tensor zero_(const Tensor& self) { return fill_(self, 0); }

}  // namespace lamina
