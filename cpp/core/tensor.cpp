// Storage and the strided tensor: creation, views of memory, description.
#include "lamina/tensor.h"

#include <cstring>

#include "allocator.h"
#include "lamina/devices.h"

namespace lamina {

Storage::Storage(size_t bytes, Device device) : bytes_(bytes), device_(device) {
  data_ = device.type == DeviceType::cpu ? cpu_allocate(bytes) : device_allocate(device, bytes);
}

Storage::Storage(void* data, size_t bytes, Device device, void* owner, void (*owner_release)(void*), bool read_only)
    : data_(data),
      bytes_(bytes),
      device_(device),
      read_only_(read_only),
      owner_(owner),
      owner_release_(owner_release) {}

Storage::~Storage() {
  if (owner_release_) {
    owner_release_(owner_);
  } else if (owner_ == nullptr && data_ != nullptr) {
    if (device_.type == DeviceType::cpu) {
      cpu_free(data_, bytes_);
    } else {
      device_free(device_, data_);
    }
  }
}

namespace {
constexpr size_t kHeader = 64;       // room for the Storage before its data, which stays aligned to 64
constexpr size_t kJoinedMax = 4096;  // above, the copy of the header is not worth an odd block size
}  // namespace
static_assert(sizeof(Storage) <= kHeader);

Ref<Storage> Storage::make(size_t bytes, Device device) {
  if (device.type != DeviceType::cpu || bytes > kJoinedMax || bytes == 0) return make_ref<Storage>(bytes, device);
  auto* block = static_cast<char*>(cpu_allocate(kHeader + bytes));
  return Ref<Storage>::adopt(::new (block) Storage(Inline{}, block + kHeader, bytes));
}

void Storage::dispose() noexcept {
  if (!joined_) {
    delete this;
    return;
  }
  const size_t bytes = bytes_;
  owner_ = this;  // the destructor frees nothing
  this->~Storage();
  cpu_free(this, kHeader + bytes);
}

bool Tensor::is_contiguous() const {
  int64_t expect = 1;
  const TensorImpl& t = *impl_;
  if (t.numel == 0) return true;
  for (size_t i = t.shape.size(); i-- > 0;) {
    if (t.shape[i] == 1) continue;
    if (t.stride[i] != expect) return false;
    expect *= t.shape[i];
  }
  return true;
}

bool Tensor::is_channels_last() const {
  const TensorImpl& t = *impl_;
  if (t.shape.size() != 4) return false;
  int64_t expect = 1;
  for (int i : {1, 3, 2, 0}) {
    if (t.shape[size_t(i)] == 1) continue;
    if (t.stride[size_t(i)] != expect) return false;
    expect *= t.shape[size_t(i)];
  }
  return true;
}

View Tensor::view_of() const {
  View v;
  const TensorImpl& t = *impl_;
  v.dtype = t.dtype;
  v.ndim = int32_t(t.shape.size());
  std::copy(t.shape.begin(), t.shape.end(), v.shape);
  if (const Interleaved* interleaved = t.storage->interleaved(); interleaved && interleaved->place(t, v)) return v;
  v.data = data();
  std::copy(t.stride.begin(), t.stride.end(), v.stride);
  return v;
}

namespace {

[[gnu::tls_model("initial-exec")]] constinit thread_local bool inference_on = false;

// The first element, wherever it lives, converted to a number.
template <class T>
T first_element(const Tensor& t) {
  T v;
  const void* from = t.view_of().data;
  if (t.device().type == DeviceType::cpu) {
    std::memcpy(&v, from, sizeof v);
  } else {
    device_copy(t.device(), &v, from, sizeof v, CopyKind::device_to_host);
  }
  return v;
}

void check_ndim(std::span<const int64_t> shape) {
  if (shape.size() > size_t(kMaxDims))
    raise<ShapeError>("a tensor has at most ", kMaxDims, " dimensions, got ", shape.size());
}

Ref<TensorImpl> make_impl(Ref<Storage> storage, std::span<const int64_t> shape, std::span<const int64_t> stride,
                          int64_t offset, DType dtype, int64_t numel) {
  auto impl = make_ref<TensorImpl>();
  impl->storage = std::move(storage);
  impl->offset = offset;
  impl->shape.assign(shape.data(), shape.size());
  impl->stride.assign(stride.data(), stride.size());
  impl->numel = numel;
  impl->inference = inference_on;
  impl->dtype = dtype;
  return impl;
}

size_t byte_size(int64_t count, DType dtype) { return size_t(checked::mul(count, int64_t(size_of(dtype)), "bytes")); }

}  // namespace

bool inference_enabled() { return inference_on; }
void set_inference_enabled(bool on) { inference_on = on; }

Scalar Tensor::item() const {
  if (numel() != 1)
    raise<ShapeError>("item: only a tensor with one element is a number, got ", describe("self", *this));
  switch (dtype()) {
    case DType::bool_:
      return Scalar(first_element<uint8_t>(*this) != 0);
    case DType::uint8:
      return Scalar(first_element<uint8_t>(*this));
    case DType::int8:
      return Scalar(first_element<int8_t>(*this));
    case DType::int16:
      return Scalar(first_element<int16_t>(*this));
    case DType::int32:
      return Scalar(first_element<int32_t>(*this));
    case DType::int64:
      return Scalar(first_element<int64_t>(*this));
    case DType::float16:
      return Scalar(to_float(first_element<Half>(*this)));
    case DType::bfloat16:
      return Scalar(to_float(first_element<BFloat16>(*this)));
    case DType::float32:
      return Scalar(first_element<float>(*this));
    case DType::float64:
      return Scalar(first_element<double>(*this));
  }
  __builtin_unreachable();
}

std::string describe(std::string_view label, const Tensor& t) {
  std::string s(label);
  if (!t.defined()) return s + " (undefined)";
  return s + " " + to_string(t.shape()) + " " + std::string(name(t.dtype())) + " " + name(t.device());
}

Tensor allocate(std::span<const int64_t> shape, DType dtype, Device device) {
  check_ndim(shape);
  const int64_t n = numel_of(shape);
  auto storage = Storage::make(byte_size(n, dtype), device);
  return Tensor(make_impl(std::move(storage), shape, contiguous_strides(shape), 0, dtype, n));
}

Tensor allocate_dense_like(const Tensor& x, DType dtype) {
  const size_t ndim = x.shape().size();
  auto impl = make_ref<TensorImpl>();
  impl->storage = Storage::make(size_t(x.numel()) * size_of(dtype), Device{});
  impl->shape.assign(x.shape().data(), ndim);
  impl->stride.resize(ndim);
  int64_t run = 1;
  for (size_t i = ndim; i-- > 0; run *= x.shape()[i]) impl->stride[i] = run;
  impl->numel = x.numel();
  impl->inference = inference_on;
  impl->dtype = dtype;
  return Tensor(std::move(impl));
}

Tensor allocate_strided(std::span<const int64_t> shape, std::span<const int64_t> stride, DType dtype, Device device) {
  check_ndim(shape);
  if (shape.size() != stride.size())
    raise<ShapeError>("empty_strided: ", shape.size(), " sizes but ", stride.size(), " strides");
  const int64_t n = numel_of(shape);
  int64_t extent = n > 0 ? 1 : 0;
  for (size_t i = 0; i < shape.size() && n > 0; ++i) {
    if (stride[i] < 0) raise<ShapeError>("empty_strided: negative stride ", stride[i]);
    extent = checked::add(extent, checked::mul(shape[i] - 1, stride[i]));
  }
  auto storage = Storage::make(byte_size(extent, dtype), device);
  return Tensor(make_impl(std::move(storage), shape, stride, 0, dtype, n));
}

Tensor allocate_interleaved(std::span<const int64_t> shape, DType dtype, Device device) {
  check_ndim(shape);
  const int64_t n = numel_of(shape);
  if (shape.size() < 3 || n == 0 || shape[1] == 1 || shape[0] * shape[1] == n) return allocate(shape, dtype, device);
  byte_size(n, dtype);
  auto storage = Storage::make_interleaved(shape[0], shape[1], n / (shape[0] * shape[1]), size_of(dtype), device);
  return Tensor(make_impl(std::move(storage), shape, contiguous_strides(shape), 0, dtype, n));
}

namespace {

// x shows all of an interleaved memory, row-major: what is computed of it may keep that order.
const Interleaved* all_of_interleaved(const Tensor& x) {
  const Interleaved* in = x->storage->interleaved();
  View unused;
  return in && x.numel() == in->outer * in->channels * in->inner && in->place(*x.impl(), unused) ? in : nullptr;
}

}  // namespace

Tensor allocate_like(const Tensor& x, std::optional<DType> wanted) {
  const DType dtype = wanted.value_or(x.dtype());
  if (x.is_contiguous()) {
    const Interleaved* in = all_of_interleaved(x);
    if (!in) return allocate(x.shape(), dtype, x.device());
    auto storage = Storage::make_interleaved(in->outer, in->channels, in->inner, size_of(dtype), x.device());
    return Tensor(make_impl(std::move(storage), x.shape(), contiguous_strides(x.shape()), 0, dtype, x.numel()));
  }
  // Dense in another order (channels-last, transposed): keep that order; else fall back to row-major.
  const size_t n = x.shape().size();
  Dims order(n, 0), stride(n, 0);
  for (size_t i = 0; i < n; ++i) order[i] = int64_t(i);
  std::stable_sort(order.begin(), order.end(),
                   [&](int64_t a, int64_t b) { return x.stride()[size_t(a)] > x.stride()[size_t(b)]; });
  int64_t run = 1;
  for (size_t i = n; i-- > 0;) {
    const size_t d = size_t(order[i]);
    if (x.shape()[d] != 1 && x.stride()[d] != run) return allocate(x.shape(), dtype, x.device());
    stride[d] = run;
    run *= x.shape()[d];
  }
  return allocate_strided(x.shape(), stride, dtype, x.device());
}

Tensor weak_scalar(Scalar value, Device device) {
  const DType dtype = value.is_floating() ? DType::float64 : value.is_bool() ? DType::bool_ : DType::int64;
  Tensor t = allocate({}, dtype);
  if (value.is_floating()) {
    *static_cast<double*>(t.data()) = value.to_double();
  } else if (value.is_bool()) {
    *static_cast<uint8_t*>(t.data()) = value.to_bool();
  } else {
    *static_cast<int64_t*>(t.data()) = value.to_int();
  }
  t->weak = true;
  if (device.type == DeviceType::cpu) return t;
  Tensor there = allocate({}, dtype, device);
  device_copy(device, there.data(), t.data(), size_of(dtype), CopyKind::host_to_device);
  there->weak = true;
  return there;
}

Tensor alias(const Tensor& x, std::span<const int64_t> shape, std::span<const int64_t> stride, int64_t offset) {
  check_ndim(shape);
  return Tensor(make_impl(x->storage, shape, stride, offset, x.dtype(), numel_of(shape)));
}

Tensor alias(const Tensor& x) {
  Tensor y(make_impl(x->storage, x.shape(), x.stride(), x->offset, x.dtype(), x.numel()));
  y->weak = x->weak;
  y->inference = x->inference;
  return y;
}

Tensor from_blob(void* data, std::span<const int64_t> shape, std::span<const int64_t> stride, DType dtype, void* owner,
                 void (*release)(void*), bool read_only) {
  check_ndim(shape);
  const int64_t n = numel_of(shape);
  // Negative strides reach below `data`: the storage starts at the lowest address and the offset points back to it.
  int64_t low = 0, high = 0;
  for (size_t i = 0; i < shape.size() && n > 0; ++i) {
    const int64_t reach = checked::mul(shape[i] - 1, stride[i], "stride");
    (reach < 0 ? low : high) = checked::add(reach < 0 ? low : high, reach, "stride");
  }
  const auto item = int64_t(size_of(dtype));
  const size_t bytes = n > 0 ? byte_size(checked::add(checked::sub(high, low), 1), dtype) : 0;
  static const char keep = 0;  // non-null owner: the storage must never free foreign memory
  auto storage = make_ref<Storage>(static_cast<char*>(data) + low * item, bytes, Device{},
                                   owner ? owner : const_cast<char*>(&keep), release, read_only);
  return Tensor(make_impl(std::move(storage), shape, stride, -low, dtype, n));
}

}  // namespace lamina
