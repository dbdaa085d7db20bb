// Every kernel of the CUDA plug-in against the CPU's, bit for bit: on the host shim, or on a real device. The plug-in
// is the one that LAMINA_CUDA_LIBRARY names; without it only the refusals are tested.
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <random>
#include <vector>

#include "lamina/devices.h"
#include "lamina/elementwise.h"
#include "lamina/error.h"

using namespace lamina;

#define CHECK(x) \
  if (!(x)) (std::fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #x), std::exit(1))

namespace {

const Device kCuda{DeviceType::cuda, 0};
std::mt19937 rng(7);
int64_t compared = 0;

// A block of elements, the same on both devices, seen through any strides.
struct Array {
  std::vector<char> host;
  void* device = nullptr;
  View view{};

  Array(DType dtype, std::vector<int64_t> shape, std::vector<int64_t> order = {}) {
    view.dtype = dtype;
    view.ndim = int32_t(shape.size());
    int64_t n = 1;
    for (size_t i = 0; i < shape.size(); ++i) view.shape[i] = shape[i];
    for (size_t i = shape.size(); i-- > 0;) {
      const auto d = size_t(order.empty() ? int64_t(i) : order[i]);
      view.stride[d] = n;
      n *= shape[d];
    }
    host.resize(size_t(n) * size_of(dtype));
    view.data = host.data();
    device = device_allocate(kCuda, host.size());
  }
  ~Array() { device_free(kCuda, device); }
  Array(const Array&) = delete;

  View broadcast(std::vector<int64_t> shape) const {  // to a larger shape, aligned at the last dim
    View v = view;
    v.ndim = int32_t(shape.size());
    for (int i = v.ndim - 1, j = view.ndim - 1; i >= 0; --i, --j) {
      v.shape[i] = shape[size_t(i)];
      v.stride[i] = j >= 0 && view.shape[j] == v.shape[i] ? view.stride[j] : 0;
    }
    return v;
  }
  View on_device(View v) const {
    v.data = static_cast<char*>(device) + (static_cast<char*>(v.data) - host.data());
    return v;
  }
  void upload() { device_copy(kCuda, device, host.data(), host.size(), CopyKind::host_to_device); }
  bool equal(const char* what) {
    std::vector<char> back(host.size());
    device_copy(kCuda, back.data(), device, back.size(), CopyKind::device_to_host);
    const size_t size = size_of(view.dtype);
    for (size_t i = 0; i < host.size(); i += size, ++compared) {
      if (std::memcmp(&host[i], &back[i], size) == 0 || both_nan(&host[i], &back[i])) continue;
      std::fprintf(stderr, "%s %s: element %zu differs: %g on cpu, %g on cuda\n", what, name(view.dtype).data(),
                   i / size, value(&host[i]), value(&back[i]));
      return false;
    }
    return true;
  }
  template <class T>
  static T read(const char* p) {
    T x;
    std::memcpy(&x, p, sizeof x);
    return x;
  }
  double value(const char* p) const {
    switch (view.dtype) {
      case DType::bool_:
      case DType::uint8:
        return read<uint8_t>(p);
      case DType::int8:
        return read<int8_t>(p);
      case DType::int16:
        return read<int16_t>(p);
      case DType::int32:
        return read<int32_t>(p);
      case DType::int64:
        return double(read<int64_t>(p));
      case DType::float16:
        return to_float(read<Half>(p));
      case DType::bfloat16:
        return to_float(read<BFloat16>(p));
      case DType::float32:
        return read<float>(p);
      case DType::float64:
        return read<double>(p);
    }
    return 0;
  }
  bool both_nan(const char* a, const char* b) const {  // the sign and payload of a computed NaN are not promised
    return is_floating(view.dtype) && std::isnan(value(a)) && std::isnan(value(b));
  }
  // Numbers in [lo, hi] with some special ones among them.
  void draw(double lo, double hi, bool special = true) {
    const double odd[] = {0.0, -0.0, INFINITY, -INFINITY, NAN, 1e-40, -1e-310, 3e38, 1.0, -1.0, 0.5};
    const size_t size = size_of(view.dtype);
    for (size_t i = 0; i < host.size(); i += size) {
      double x = std::uniform_real_distribution<double>(lo, hi)(rng);
      if (special && rng() % 4 == 0) x = odd[rng() % 11];
      if (!is_floating(view.dtype)) x = std::isfinite(x) && std::fabs(x) < 1e6 ? std::floor(x * 10) : 77;
      switch (view.dtype) {
        case DType::float32:
          put(i, float(x));
          break;
        case DType::float64:
          put(i, x);
          break;
        case DType::float16:
          put(i, to_half(float(x)));
          break;
        case DType::bfloat16:
          put(i, to_bfloat16(float(x)));
          break;
        case DType::bool_:
          put(i, uint8_t(int64_t(x) & 1));
          break;
        case DType::uint8:
          put(i, uint8_t(int64_t(x)));
          break;
        case DType::int8:
          put(i, int8_t(int64_t(x)));
          break;
        case DType::int16:
          put(i, int16_t(int64_t(x)));
          break;
        case DType::int32:
          put(i, int32_t(int64_t(x)));
          break;
        case DType::int64:
          put(i, int64_t(x));
          break;
      }
    }
    upload();
  }
  template <class T>
  void put(size_t at, T x) {
    std::memcpy(&host[at], &x, sizeof x);
  }
};

struct Formula {
  const char* name;
  Ew op;
  int arity;
  const EwSpec& spec;
};
#define X(name, F) {#name, Ew::F, ew::F::arity, ew::F::spec},
const Formula kFormulas[] = {LAMINA_ELEMENTWISE(X)};
#undef X

bool divides(Ew op) { return op == Ew::FloorDivide || op == Ew::TruncDivide || op == Ew::Remainder || op == Ew::Fmod; }

void run_formula(const Formula& f, int part, DType compute, DType in, DType out, int layout) {
  const std::vector<int64_t> shape = layout == 0 ? std::vector<int64_t>{1031} : std::vector<int64_t>{3, 5, 7};
  const int count = f.arity + (part > 0 ? 2 : 0);
  std::vector<std::unique_ptr<Array>> x;
  View host[6], device[6];
  for (int j = 0; j < count; ++j) {
    if (layout == 0)
      x.push_back(std::make_unique<Array>(in, shape));
    else if (layout == 1)
      x.push_back(std::make_unique<Array>(in, shape, j % 2 ? std::vector<int64_t>{2, 0, 1} : std::vector<int64_t>{}));
    else
      x.push_back(std::make_unique<Array>(in, j == 0 ? shape : std::vector<int64_t>{j % 2 ? 1 : 5, 7}));
    const bool divisor = divides(f.op) && compute == DType::int64 && j == 1;
    x.back()->draw(divisor ? 1 : f.spec.lo, f.spec.hi, !divisor);
    host[j] = x.back()->broadcast(shape);
    device[j] = x.back()->on_device(host[j]);
  }
  Array y(out, shape, layout == 1 ? std::vector<int64_t>{1, 0, 2} : std::vector<int64_t>{});
  double params[3];
  for (int i = 0; i < 3; ++i) params[i] = f.spec.params[i].value;
  kernel(&Kernels::elementwise, Device{})({f.op, uint8_t(part)}, compute, host, count, y.view, params);
  kernel(&Kernels::elementwise, kCuda)({f.op, uint8_t(part)}, compute, device, count, y.on_device(y.view), params);
  CHECK(y.equal(f.name));
}

void test_elementwise() {
  for (const Formula& f : kFormulas) {
    const bool boolean = f.spec.kind == EwKind::predicate || f.spec.kind == EwKind::logical;
    for (int part = 0; part <= (f.spec.differentiable ? f.arity : 0); ++part)
      for (int layout = 0; layout < 3; ++layout) {
        if (f.spec.kind != EwKind::bitwise)
          for (DType t : {DType::float32, DType::float64, DType::bfloat16, DType::float16}) {
            if (layout == 2 && t == DType::float16) continue;
            run_formula(f, part, t == DType::float64 ? t : DType::float32, t, boolean && part == 0 ? DType::bool_ : t,
                        layout);
          }
        if (part == 0 && f.spec.kind != EwKind::floating)
          for (DType t : {DType::int64, DType::int32, DType::uint8})
            run_formula(f, part, DType::int64, t, boolean ? DType::bool_ : t, layout);
      }
  }
}

void test_copy_and_fill() {
  for (int a = 0; a < kNumDTypes; ++a)
    for (int b = 0; b < kNumDTypes; ++b) {
      Array x(DType(a), {4, 9, 5}, {2, 0, 1}), y(DType(b), {4, 9, 5});
      x.draw(-300, 300);
      kernel(&Kernels::copy, Device{})(x.view, y.view);
      kernel(&Kernels::copy, kCuda)(x.on_device(x.view), y.on_device(y.view));
      CHECK(y.equal("copy"));
      for (Scalar value : {Scalar(-2.75), Scalar(300), Scalar(true)}) {
        kernel(&Kernels::fill, Device{})(y.view, value);
        kernel(&Kernels::fill, kCuda)(y.on_device(y.view), value);
        CHECK(y.equal("fill"));
      }
    }
}

void test_sum() {
  struct Case {
    std::vector<int64_t> shape, out, order;
  };
  const Case cases[] = {{{10007}, {1}, {}},
                        {{33, 129}, {33, 1}, {}},
                        {{129, 33}, {1, 33}, {}},
                        {{5, 7, 11}, {5, 1, 11}, {1, 2, 0}},
                        {{4, 300, 20}, {1, 300, 1}, {}},
                        {{3, 0, 2}, {3, 1, 2}, {}},
                        {{2, 40000}, {2, 1}, {}},
                        {{1}, {1}, {}}};
  for (const Case& c : cases)
    for (DType t :
         {DType::float32, DType::float64, DType::bfloat16, DType::float16, DType::int64, DType::uint8, DType::bool_}) {
      Array x(t, c.shape, c.order), y(is_floating(t) ? t : DType::int64, c.out);
      x.draw(-3, 3, false);
      for (ReduceOp op : {ReduceOp::sum, ReduceOp::mean}) {
        if (op == ReduceOp::mean && !is_floating(t)) continue;
        kernel(&Kernels::reduce, Device{})(op, x.view, y.view, 0);
        kernel(&Kernels::reduce, kCuda)(op, x.on_device(x.view), y.on_device(y.view), 0);
        CHECK(y.equal("reduce"));
      }
    }
}

void test_matmul() {
  struct Case {
    std::vector<int64_t> a, b, out;
    bool transposed;
  };
  const Case cases[] = {{{65, 300}, {300, 70}, {65, 70}, false}, {{1, 5}, {5, 1}, {1, 1}, true},
                        {{17, 513}, {513, 3}, {17, 3}, true},    {{2, 3, 4, 5}, {2, 3, 5, 6}, {2, 3, 4, 6}, false},
                        {{8, 0}, {0, 8}, {8, 8}, false},         {{64, 256}, {256, 64}, {64, 64}, true}};
  for (const Case& c : cases)
    for (DType t : {DType::float32, DType::float64, DType::bfloat16, DType::float16, DType::int64, DType::int8}) {
      std::vector<int64_t> flip;
      for (size_t i = 0; i < c.a.size(); ++i) flip.push_back(int64_t(i));
      std::swap(flip[flip.size() - 1], flip[flip.size() - 2]);
      Array a(t, c.a, c.transposed ? flip : std::vector<int64_t>{}),
          b(t, c.b, c.transposed ? flip : std::vector<int64_t>{}), y(t, c.out);
      a.draw(-2, 2, false);
      b.draw(-2, 2, false);
      kernel(&Kernels::matmul, Device{})(a.view, b.view, y.view);
      kernel(&Kernels::matmul, kCuda)(a.on_device(a.view), b.on_device(b.view), y.on_device(y.view));
      CHECK(y.equal("matmul"));
    }
}

template <class E, class F>
std::string raised(F f) {
  try {
    f();
  } catch (const E& e) {
    return e.what();
  }
  return "";
}

void test_errors() {
  CHECK(raised<DeviceError>([] { kernels_of(Device{DeviceType::cuda, 99}); }).find("cuda:99") != std::string::npos);
  CHECK(raised<OutOfMemoryError>([] { device_allocate(kCuda, size_t(1) << 60); }).find("1152921504606846976 bytes") !=
        std::string::npos);
  CHECK(raised<DeviceError>([] {
          kernel(&Kernels::random_permutation, kCuda);
        }).find("random_permutation: not available") == 0);
  Array x(DType::int64, {4}), zero(DType::int64, {4}), y(DType::int64, {4});
  x.draw(1, 2, false);
  zero.draw(0, 0.01, false);
  const View in[] = {x.on_device(x.view), zero.on_device(zero.view)};
  kernel(&Kernels::elementwise, kCuda)({Ew::Remainder, 0}, DType::int64, in, 2, y.on_device(y.view), nullptr);
  CHECK(raised<DeviceError>([] { device_synchronize(kCuda); }).find("by zero") != std::string::npos);
  device_synchronize(kCuda);
}

}  // namespace

int main() {
  std::printf("%s\n", cuda_status().c_str());
  if (!std::getenv("LAMINA_CUDA_LIBRARY")) {
    CHECK(cuda_device_count() > 0 ||
          raised<DeviceError>([] { kernels_of(kCuda); }).find("no CUDA plug-in") != std::string::npos);
    std::puts("skipped: LAMINA_CUDA_LIBRARY is not set");
    return 0;
  }
  CHECK(cuda_device_count() > 0);
  test_copy_and_fill();
  test_sum();
  test_matmul();
  test_elementwise();
  test_errors();
  std::printf("ok: %lld elements equal\n", static_cast<long long>(compared));
}
