// The table of kernels and the memory calls that a device offers, and the plug-in entry that fills it.
#pragma once
#include <cstddef>
#include <cstdint>

#include "lamina/device.h"
#include "lamina/elementwise_ops.h"
#include "lamina/optim_step.h"
#include "lamina/reduce_ops.h"
#include "lamina/scalar.h"
#include "lamina/view.h"
#include "lamina/window.h"

namespace lamina {

// One typed function pointer per row of kernels.def; null means "not on this device".
struct Kernels {
#define KERNEL(name, signature) void(*name) signature = nullptr;
#include "lamina/kernels.def"
#undef KERNEL
};

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

enum class CopyKind : int { host_to_device, device_to_host, device_to_device };

// What the calls of a DeviceApi return: 0, or one of these with last_error() as the reason.
inline constexpr int kErrorOutOfMemory = 1, kErrorDevice = 2;

// Kernels run in order on one stream of the device and report failures late: at the next copy or synchronize.
struct DeviceApi {
  const char* build = "";           // "cuda 13.0", "host shim"
  int (*device_count)() = nullptr;  // 0 with last_error() where there is no driver or no device
  const char* (*last_error)() = nullptr;
  int (*set_device)(int device) = nullptr;  // for the kernels that this thread calls next
  int (*allocate)(int device, size_t bytes, void** out) = nullptr;
  int (*free)(int device, void* p) = nullptr;
  int (*copy)(int device, void* dst, const void* src, size_t bytes, CopyKind kind) = nullptr;
  int (*synchronize)(int device) = nullptr;
  Kernels kernels;
};

// Exported by the plug-in as `lamina_backend_get`; false when `hash` is not its own.
using BackendGet = bool (*)(uint64_t hash, DeviceApi* out);

namespace cpu {
// The table of the best SIMD level that this CPU (and LAMINA_ISA) allows.
const Kernels& kernels();
const char* isa_name();
int num_threads();
void set_num_threads(int n);
// Called about every 10 ms by the calling thread of a long kernel; true asks it to stop with Interrupted.
void set_interrupt_poll(bool (*poll)());
bool poll_interrupt();
// IEEE subnormals are honoured unless this is set (for every thread of the pool).
void set_flush_denormal(bool on);
}  // namespace cpu

}  // namespace lamina
