// Kernels and memory of each device, the CPU's built in and the others from plug-ins.
#pragma once
#include <string>

#include "lamina/backend.h"

namespace lamina {

// The whole table of a device; raises DeviceError with the reason when the device is not there.
const Kernels& kernels_of(Device device);
[[noreturn]] void raise_missing_kernel(Device device, size_t offset);

// kernel(&Kernels::softmax, x.device())(...): the typed function, or DeviceError naming the devices that have it.
template <class F>
F kernel(F Kernels::* row, Device device) {
  const Kernels& table = kernels_of(device);
  if (F f = table.*row) [[likely]]
    return f;
  raise_missing_kernel(device,
                       size_t(reinterpret_cast<const char*>(&(table.*row)) - reinterpret_cast<const char*>(&table)));
}

void* device_allocate(Device device, size_t bytes);
void device_free(Device device, void* p) noexcept;
void device_copy(Device device, void* dst, const void* src, size_t bytes, CopyKind kind);
// Waits for all work of the device and reports what failed in it.
void device_synchronize(Device device);

// Number of CUDA devices; 0 where there is no plug-in, no driver or no device.
int cuda_device_count();
// One line: what CUDA consists of here, or why there is none.
const std::string& cuda_status();

}  // namespace lamina
