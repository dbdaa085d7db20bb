// The orders of dims in memory that PyTorch names.
#pragma once
#include <optional>
#include <string_view>

#include "lamina/tensor.h"

namespace lamina {

enum class MemoryFormat : uint8_t { preserve, contiguous, channels_last };

// Raises ValueError for any other name.
MemoryFormat memory_format_of(const char* op, std::optional<std::string_view> name, MemoryFormat none);
// Strides of a new tensor of x's shape.
Dims strides_in(const char* op, const Tensor& x, MemoryFormat format);
Dims channels_last_strides(std::span<const int64_t> shape);

// How an image tensor (N, C, ...) lies in memory. Both others have the channels side by side: channels_last for all to
// see, because somebody asked for it; interleaved below a tensor that looks row-major.
enum class ImageOrder : uint8_t { row_major, interleaved, channels_last };
ImageOrder image_order(const Tensor& x);
Tensor allocate_image(const Dims& shape, DType dtype, Device device, ImageOrder order);

}  // namespace lamina
