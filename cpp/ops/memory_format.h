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

}  // namespace lamina
