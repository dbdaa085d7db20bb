// The device's memory, copies and errors, and the plug-in's one exported function.
#include <atomic>
#include <cstdio>
#include <mutex>

#include "gpu.h"
#include "lamina/kernels_hash.h"

namespace lamina::cuda {
namespace {

std::mutex lock;
char first_failure[256];  // of a kernel; guarded by `lock`
std::atomic<bool> failed{false};
thread_local char error[320];

int report(const char* what, cudaError_t code) {
  if (code == cudaSuccess) return 0;
  cudaGetLastError();  // not sticky: the next call starts clean
  std::snprintf(error, sizeof error, "%s: %s", what, cudaGetErrorString(code));
  return code == cudaErrorMemoryAllocation ? kErrorOutOfMemory : kErrorDevice;
}

// What a kernel could not say when it was called.
int report_kernels() {
  if (!failed.load(std::memory_order_acquire)) return 0;
  const std::lock_guard guard(lock);
  std::snprintf(error, sizeof error, "%s", first_failure);
  failed = false;
  return kErrorDevice;
}

int device_count() {
  int n = 0;
  return report("cudaGetDeviceCount", cudaGetDeviceCount(&n)) ? 0 : n;
}
const char* last_error() { return error; }
int set_device(int device) { return report("cudaSetDevice", cudaSetDevice(device)); }

// Freed memory stays in the driver's pool, so that a training step makes no system call.
void keep_pool(int device) {
  static std::atomic<uint64_t> done{0};
  const uint64_t bit = uint64_t(1) << (device & 63);
  if (done.fetch_or(bit) & bit) return;
  cudaMemPool_t pool;
  uint64_t threshold = UINT64_MAX;
  if (cudaDeviceGetDefaultMemPool(&pool, device) == cudaSuccess)
    cudaMemPoolSetAttribute(pool, cudaMemPoolAttrReleaseThreshold, &threshold);
}

int allocate(int device, size_t bytes, void** out) {
  if (const int e = set_device(device)) return e;
  keep_pool(device);
  return report("cudaMallocAsync", cudaMallocAsync(out, bytes, cudaStream_t(nullptr)));
}
int free_memory(int device, void* p) {
  if (const int e = set_device(device)) return e;
  return report("cudaFreeAsync", cudaFreeAsync(p, cudaStream_t(nullptr)));
}
int copy_bytes(int device, void* dst, const void* src, size_t bytes, CopyKind kind) {
  if (const int e = set_device(device)) return e;
  const cudaMemcpyKind kinds[] = {cudaMemcpyHostToDevice, cudaMemcpyDeviceToHost, cudaMemcpyDeviceToDevice};
  const int e = report("cudaMemcpy", cudaMemcpy(dst, src, bytes, kinds[int(kind)]));
  return e ? e : report_kernels();
}
int synchronize(int device) {
  if (const int e = set_device(device)) return e;
  const int e = report("cudaDeviceSynchronize", cudaDeviceSynchronize());
  return e ? e : report_kernels();
}

}  // namespace

void remember(const char* what, const char* reason) {
  const std::lock_guard guard(lock);
  if (failed) return;
  std::snprintf(first_failure, sizeof first_failure, "%s: %s", what, reason);
  failed.store(true, std::memory_order_release);
}
void check_launch(const char* what) {
  const cudaError_t code = cudaGetLastError();
  if (code != cudaSuccess) remember(what, cudaGetErrorString(code));
}
void unsupported(const char* kernel, DType dtype) {
  char reason[64];
  std::snprintf(reason, sizeof reason, "not implemented for %s on cuda", name(dtype).data());
  remember(kernel, reason);
}

Workspace::Workspace(const char* what, size_t bytes) {
  if (cudaMallocAsync(&p_, bytes, cudaStream_t(nullptr)) == cudaSuccess) return;
  cudaGetLastError();
  p_ = nullptr;
  remember(what, "out of device memory");
}
Workspace::~Workspace() {
  if (p_) cudaFreeAsync(p_, cudaStream_t(nullptr));
}

}  // namespace lamina::cuda

#define LAMINA_STRING_OF(x) #x
#define LAMINA_STRING(x) LAMINA_STRING_OF(x)

extern "C" __attribute__((visibility("default"))) bool lamina_backend_get(uint64_t hash, lamina::DeviceApi* out) {
  using namespace lamina;
  if (hash != kernels_hash()) return false;
#ifdef __CUDACC__
  out->build = "cuda " LAMINA_STRING(__CUDACC_VER_MAJOR__) "." LAMINA_STRING(__CUDACC_VER_MINOR__);
#else
  out->build = "host shim";
#endif
  out->device_count = cuda::device_count;
  out->last_error = cuda::last_error;
  out->set_device = cuda::set_device;
  out->allocate = cuda::allocate;
  out->free = cuda::free_memory;
  out->copy = cuda::copy_bytes;
  out->synchronize = cuda::synchronize;
  out->kernels = cuda::table();
  return true;
}
