// The kernel table of one SIMD level. Compiled once per level.
#include "lamina/backend.h"

namespace lamina::cpu::inline LAMINA_ISA {

#define KERNEL(name, signature) void name signature;
#include "lamina/kernels.def"
#undef KERNEL

Kernels table() {
  Kernels t;
#define KERNEL(name, signature) t.name = &name;
#include "lamina/kernels.def"
#undef KERNEL
  return t;
}

}  // namespace lamina::cpu::inline LAMINA_ISA
