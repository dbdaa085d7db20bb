// Memory formats: their names and the strides they stand for.
#include "memory_format.h"

namespace lamina {

MemoryFormat memory_format_of(const char* op, std::optional<std::string_view> name, MemoryFormat none) {
  if (!name) return none;
  if (*name == "preserve_format") return MemoryFormat::preserve;
  if (*name == "contiguous_format") return MemoryFormat::contiguous;
  if (*name == "channels_last" || *name == "channels_last_3d") return MemoryFormat::channels_last;
  raise<ValueError>(op, ": memory_format must be lamina.preserve_format, contiguous_format, channels_last or ",
                    "channels_last_3d, got '", *name, "'");
}

Dims channels_last_strides(std::span<const int64_t> shape) {
  Dims stride(shape.size(), 1);
  int64_t step = std::max<int64_t>(shape[1], 1);
  for (size_t i = shape.size(); i-- > 2; step = checked::mul(step, std::max<int64_t>(shape[i], 1), "stride"))
    stride[i] = step;
  stride[0] = step;
  return stride;
}

namespace {

// PyTorch's rule: strides never fall along channels, columns, rows, (depth,) samples; of what is both row-major and
// channels-last by its strides, neither is meant.
bool shows_channels_last(const Tensor& x) {
  const Dims &size = x.shape(), &stride = x.stride();
  if (x.dim() != 4 && x.dim() != 5) return false;
  int64_t floor = 0;
  for (size_t i = 0; i < size.size(); ++i) {
    const size_t d = i == 0 ? 1 : i + 1 == size.size() ? 0 : size.size() - i;
    if (size[d] == 0 || stride[d] < floor || (d == 0 && floor == stride[1])) return false;
    floor = size[d] > 1 ? stride[d] * size[d] : stride[d];
  }
  return true;
}

}  // namespace

ImageOrder image_order(const Tensor& x) {
  if (x->storage->interleaved() && x.dim() > 2) {
    const View v = x.view_of();
    if (v.stride[1] == 1 && x.stride()[1] != 1) return ImageOrder::interleaved;
  }
  return shows_channels_last(x) ? ImageOrder::channels_last : ImageOrder::row_major;
}

Tensor allocate_image(const Dims& shape, DType dtype, Device device, ImageOrder order) {
  return order == ImageOrder::row_major     ? allocate(shape, dtype, device)
         : order == ImageOrder::interleaved ? allocate_interleaved(shape, dtype, device)
                                            : allocate_strided(shape, channels_last_strides(shape), dtype, device);
}

Dims strides_in(const char* op, const Tensor& x, MemoryFormat format) {
  if (format == MemoryFormat::preserve) return allocate_like(x).stride();
  const Dims dense = contiguous_strides(x.shape());
  if (format == MemoryFormat::contiguous) return dense;
  if (x.dim() != 4 && x.dim() != 5)
    raise<ShapeError>(op, ": channels_last needs 4 dims (channels_last_3d 5), got ", describe("input", x));
  return channels_last_strides(x.shape());
}

}  // namespace lamina
