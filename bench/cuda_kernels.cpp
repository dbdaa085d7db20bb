// Times CUDA kernels on the device and prints one JSON object: bytes per second of what is memory-bound, operations per
// second of the matrix product. tools/gpu_check.sh builds and runs it.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <vector>

#include "lamina/devices.h"

using namespace lamina;

namespace {

const Device kCuda{DeviceType::cuda, 0};

View view(void* data, DType dtype, std::vector<int64_t> shape) {
  View v{};
  v.data = data;
  v.dtype = dtype;
  v.ndim = int32_t(shape.size());
  int64_t stride = 1;
  for (int i = v.ndim - 1; i >= 0; --i) {
    v.shape[i] = shape[size_t(i)];
    v.stride[i] = stride;
    stride *= shape[size_t(i)];
  }
  return v;
}

// Seconds of one call: the median of seven batches that each last long enough to hide the launch.
template <class F>
double seconds(F f) {
  using clock = std::chrono::steady_clock;
  f();
  device_synchronize(kCuda);
  std::vector<double> runs;
  for (int r = 0; r < 7; ++r) {
    const auto start = clock::now();
    int n = 0;
    do {
      for (int i = 0; i < 20; ++i, ++n) f();
      device_synchronize(kCuda);
    } while (std::chrono::duration<double>(clock::now() - start).count() < 0.02);
    runs.push_back(std::chrono::duration<double>(clock::now() - start).count() / n);
  }
  std::sort(runs.begin(), runs.end());
  return runs[3];
}

}  // namespace

int main() {
  if (cuda_device_count() == 0) {
    std::fprintf(stderr, "%s\n", cuda_status().c_str());
    return 1;
  }
  const int64_t n = int64_t(1) << 26;
  void *a = device_allocate(kCuda, size_t(n) * 4), *b = device_allocate(kCuda, size_t(n) * 4),
       *c = device_allocate(kCuda, size_t(n) * 4);
  const View va = view(a, DType::float32, {n}), vb = view(b, DType::float32, {n}), vc = view(c, DType::float32, {n});
  kernel(&Kernels::fill, kCuda)(va, 0.5);
  kernel(&Kernels::fill, kCuda)(vb, 0.25);
  std::printf("{\"status\": \"%s\"", cuda_status().c_str());
  const auto rate = [&](const char* what, double bytes, double s) {
    std::printf(",\n \"%s_GB_per_s\": %.1f", what, bytes / s * 1e-9);
  };
  const auto elementwise = kernel(&Kernels::elementwise, kCuda);
  const View two[] = {va, vb}, one[] = {va};
  const double params[3] = {1, 0, 0}, bytes = double(n) * 4;
  rate("copy", 2 * bytes, seconds([&] { device_copy(kCuda, c, a, size_t(n) * 4, CopyKind::device_to_device); }));
  rate("add", 3 * bytes, seconds([&] { elementwise({Ew::Add, 0}, DType::float32, two, 2, vc, params); }));
  rate("exp", 2 * bytes, seconds([&] { elementwise({Ew::Exp, 0}, DType::float32, one, 1, vc, params); }));
  rate("gelu", 2 * bytes, seconds([&] { elementwise({Ew::Gelu, 0}, DType::float32, one, 1, vc, params); }));
  const View sum_out = view(c, DType::float32, {1});
  rate("sum", bytes, seconds([&] { kernel(&Kernels::reduce, kCuda)(ReduceOp::sum, va, sum_out, 0); }));
  const int64_t m = 4096;
  const View x = view(a, DType::float32, {m, m}), y = view(b, DType::float32, {m, m}),
             z = view(c, DType::float32, {m, m});
  const double t = seconds([&] { kernel(&Kernels::matmul, kCuda)(x, y, z); });
  std::printf(",\n \"matmul_4096_TFLOP_per_s\": %.2f", 2.0 * double(m) * double(m) * double(m) / t * 1e-12);
  const View small[] = {view(a, DType::float32, {16}), view(b, DType::float32, {16})};
  const View small_out = view(c, DType::float32, {16});
  std::printf(",\n \"small_add_us\": %.2f}\n",
              seconds([&] { elementwise({Ew::Add, 0}, DType::float32, small, 2, small_out, params); }) * 1e6);
  device_free(kCuda, a), device_free(kCuda, b), device_free(kCuda, c);
}
