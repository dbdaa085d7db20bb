// Memory of small objects (tensors, graph nodes): free lists per thread, because a step makes and frees thousands.
#pragma once
#include <cstddef>

namespace lamina {

void* pooled_allocate(size_t bytes);
void pooled_free(void* p, size_t bytes) noexcept;

// Base for classes that live there.
struct Pooled {
  static void* operator new(size_t bytes) { return pooled_allocate(bytes); }
  static void* operator new(size_t, void* at) noexcept { return at; }
  static void operator delete(void* p, size_t bytes) noexcept { pooled_free(p, bytes); }
  static void operator delete(void*, void*) noexcept {}
};

}  // namespace lamina
