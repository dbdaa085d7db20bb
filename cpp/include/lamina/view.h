// View: what a kernel sees of a tensor. Strides count elements and may be zero or negative.
#pragma once
#include <cstdint>

#include "lamina/dtype.h"

namespace lamina {

inline constexpr int kMaxDims = 16;

struct View {
  void* data;
  DType dtype;
  int32_t ndim;
  int64_t shape[kMaxDims];
  int64_t stride[kMaxDims];

  template <class T>
  T* as() const {
    return static_cast<T*>(data);
  }
  int64_t numel() const {
    int64_t n = 1;
    for (int i = 0; i < ndim; ++i) n *= shape[i];
    return n;
  }
  bool contiguous() const {
    int64_t expect = 1;
    for (int i = ndim - 1; i >= 0; --i) {
      if (shape[i] != 1) {
        if (stride[i] != expect) return false;
        expect *= shape[i];
      }
    }
    return true;
  }
};

}  // namespace lamina
