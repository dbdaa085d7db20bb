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

Dims strides_in(const char* op, const Tensor& x, MemoryFormat format) {
  if (format == MemoryFormat::preserve) return allocate_like(x).stride();
  const Dims dense = contiguous_strides(x.shape());
  if (format == MemoryFormat::contiguous) return dense;
  if (x.dim() != 4 && x.dim() != 5)
    raise<ShapeError>(op, ": channels_last needs 4 dims (channels_last_3d 5), got ", describe("input", x));
  // Channels innermost: every dim behind them steps over all channels.
  const int64_t channels = std::max<int64_t>(x.shape()[1], 1);
  Dims stride = dense;
  for (size_t i = 2; i < stride.size(); ++i) stride[i] = dense[i] * channels;
  stride[1] = 1;
  return stride;
}

}  // namespace lamina
