// The devices of this process.
#include "lamina/devices.h"

#include "lamina/error.h"

namespace lamina {

const Kernels& kernels_of(Device device) {
  if (device.type == DeviceType::cpu) [[likely]]
    return cpu::kernels();
  raise<DeviceError>(name(device), ": no CUDA plug-in is loaded");
}

void raise_missing_kernel(Device device, size_t offset) {
  const char* names[] = {
#define KERNEL(name, signature) #name,
#include "lamina/kernels.def"
#undef KERNEL
  };
  raise<DeviceError>(names[offset / sizeof(void*)], ": not available on ", name(device), "; it runs on cpu");
}

void* device_allocate(Device device, size_t) { raise<DeviceError>(name(device), ": no CUDA plug-in is loaded"); }
void device_free(Device, void*) noexcept {}
void device_copy(Device device, void*, const void*, size_t, CopyKind) {
  raise<DeviceError>(name(device), ": no CUDA plug-in is loaded");
}

}  // namespace lamina
