// The devices of this process: the CPU, and CUDA through a plug-in library that is looked for when it is first asked
// for.
#include "lamina/devices.h"

#include <dlfcn.h>

#include <cstdlib>
#include <mutex>

#include "lamina/error.h"
#include "lamina/kernels_hash.h"

namespace lamina {
namespace {

constexpr const char* kPluginName = "liblamina_cuda.so";

// Never unloaded: its threads and memory may be in use until the process ends.
struct Cuda {
  DeviceApi api;
  int devices = 0;
  std::string status;
};

// The folder of the library (or program) that holds this code, with a slash.
std::string own_folder() {
  Dl_info info;
  if (!dladdr(reinterpret_cast<const void*>(&cuda_device_count), &info) || !info.dli_fname) return "";
  const std::string path = info.dli_fname;
  const size_t slash = path.rfind('/');
  return slash == path.npos ? "" : path.substr(0, slash + 1);
}

bool exists(const std::string& path) {
  if (FILE* f = std::fopen(path.c_str(), "rb")) {
    std::fclose(f);
    return true;
  }
  return false;
}

void load(Cuda& cuda) {
  const char* named = std::getenv("LAMINA_CUDA_LIBRARY");
  std::string path = named ? named : "";
  if (path.empty()) {
    path = own_folder() + kPluginName;
    if (!exists(path)) {
      cuda.status = str("no CUDA plug-in: ", path,
                        " does not exist (build it with -DLAMINA_CUDA=ON, or name it in LAMINA_CUDA_LIBRARY)");
      return;
    }
  }
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    const char* why = dlerror();
    cuda.status = str("the CUDA plug-in cannot be loaded: ", why ? why : path.c_str());
    return;
  }
  const auto get = reinterpret_cast<BackendGet>(dlsym(library, "lamina_backend_get"));
  if (!get) {
    cuda.status = str(path, " is not a lamina plug-in: it has no lamina_backend_get");
  } else if (!get(kernels_hash(), &cuda.api)) {
    cuda.status = str("the CUDA plug-in ", path,
                      " was built for another version of lamina (its kernel table differs): build it again");
  } else {
    cuda.devices = cuda.api.device_count();
    if (cuda.devices > 0) {
      cuda.status = str("available: ", cuda.devices, cuda.devices == 1 ? " device (" : " devices (", cuda.api.build,
                        ", ", path, ")");
    } else {
      const char* why = cuda.api.last_error();
      cuda.status =
          str("the CUDA plug-in (", cuda.api.build, ") is loaded, but there is no device: ", *why ? why : "none found");
    }
  }
}

Cuda& cuda() {
  static Cuda& c = *[] {
    auto* made = new Cuda;
    load(*made);
    return made;
  }();
  return c;
}

const DeviceApi& api_of(Device device) {
  Cuda& c = cuda();
  if (device.index < 0 || device.index >= c.devices) {
    if (c.devices == 0) raise<DeviceError>(name(device), ": ", c.status);
    raise<DeviceError>(name(device), ": there are ", c.devices, " CUDA devices, the first is cuda:0");
  }
  return c.api;
}

[[gnu::cold]] void raise_device(Device device, const char* what, int code, const DeviceApi& api) {
  const char* why = api.last_error();
  if (code == kErrorOutOfMemory) raise<OutOfMemoryError>(what, " on ", name(device), ": ", why);
  raise<DeviceError>(what, " on ", name(device), ": ", why);
}

thread_local int current_device = -1;  // what set_device last got from this thread

}  // namespace

const Kernels& kernels_of(Device device) {
  if (device.type == DeviceType::cpu) [[likely]]
    return cpu::kernels();
  const DeviceApi& api = api_of(device);
  if (current_device != device.index) {
    if (const int e = api.set_device(device.index)) raise_device(device, "kernel", e, api);
    current_device = device.index;
  }
  return api.kernels;
}

void raise_missing_kernel(Device device, size_t offset) {
  const char* names[] = {
#define KERNEL(name, signature) #name,
#include "lamina/kernels.def"
#undef KERNEL
  };
  raise<DeviceError>(names[offset / sizeof(void*)], ": not available on ", name(device),
                     "; it runs on cpu: move the operands with .to(\"cpu\")");
}

void* device_allocate(Device device, size_t bytes) {
  const DeviceApi& api = api_of(device);
  if (bytes == 0) return nullptr;
  void* p = nullptr;
  current_device = device.index;
  if (const int e = api.allocate(device.index, bytes, &p))
    raise_device(device, str("allocating ", bytes, " bytes").c_str(), e, api);
  return p;
}

void device_free(Device device, void* p) noexcept {
  if (!p) return;
  current_device = device.index;
  cuda().api.free(device.index, p);  // an error here is one of the device's, and comes out of the next call
}

void device_copy(Device device, void* dst, const void* src, size_t bytes, CopyKind kind) {
  const DeviceApi& api = api_of(device);
  current_device = device.index;
  if (const int e = api.copy(device.index, dst, src, bytes, kind)) raise_device(device, "copy", e, api);
}

void device_synchronize(Device device) {
  if (device.type == DeviceType::cpu) return;
  const DeviceApi& api = api_of(device);
  current_device = device.index;
  if (const int e = api.synchronize(device.index)) raise_device(device, "synchronize", e, api);
}

int cuda_device_count() { return cuda().devices; }
const std::string& cuda_status() { return cuda().status; }

}  // namespace lamina
