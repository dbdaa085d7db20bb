// What a device plug-in and the engine must agree on, as one number.
#pragma once
#include "lamina/backend.h"
#include "lamina/elementwise_ops.h"

namespace lamina {

// FNV-1a of every signature and formula name: a plug-in built from other lists is refused by name.
consteval uint64_t kernels_hash() {
  uint64_t h = (1469598103934665603ull ^ sizeof(View)) * 1099511628211ull;
  const char* rows[] = {
#define X(name, Formula) #Formula,
      LAMINA_ELEMENTWISE(X)
#undef X
#define KERNEL(name, signature) #name #signature,
#include "lamina/kernels.def"
#undef KERNEL
  };
  for (const char* r : rows)
    for (; *r; ++r) h = (h ^ uint8_t(*r)) * 1099511628211ull;
  return h;
}

}  // namespace lamina
