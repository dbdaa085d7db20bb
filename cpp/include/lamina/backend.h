// The table of kernels and the memory calls that a device offers, and the plug-in entry that fills it.
#pragma once
#include <cstddef>
#include <cstdint>

#include "lamina/cpu_runtime.h"
#include "lamina/device.h"
#include "lamina/elementwise_op.h"
#include "lamina/sequence.h"

namespace lamina {

// One typed function pointer per row of kernels.def; null means "not on this device".
struct Kernels {
#define KERNEL(name, signature) void(*name) signature = nullptr;
#include "lamina/kernels.def"
#undef KERNEL
};

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
}  // namespace cpu

}  // namespace lamina
