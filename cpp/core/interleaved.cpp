// Memory whose channels lie side by side below tensors that look row-major: how their strides translate, and the way
// out of it.
#include <mutex>

#include "allocator.h"
#include "lamina/devices.h"
#include "lamina/tensor.h"

namespace lamina {
namespace {

void* allocate_block(size_t bytes, Device device) {
  return device.type == DeviceType::cpu ? cpu_allocate(bytes) : device_allocate(device, bytes);
}
void free_block(void* p, size_t bytes, Device device) noexcept {
  if (device.type == DeviceType::cpu) return cpu_free(p, bytes);
  device_free(device, p);
}

// What the storage owns: both memories and how to free them.
struct Owned : Interleaved {
  size_t bytes;
  Device device;
  static void release(void* owner) {
    auto* o = static_cast<Owned*>(owner);
    free_block(o->block, o->bytes, o->device);
    if (o->row_major) free_block(o->row_major, o->bytes, o->device);
    delete o;
  }
};

DType bits_of(size_t item) {
  return item == 1 ? DType::uint8 : item == 2 ? DType::int16 : item == 4 ? DType::int32 : DType::int64;
}

// Channels-last strides, where t shows all images in their order (the case of nearly every kernel).
bool place_images(const Interleaved& in, const TensorImpl& t, View& v) {
  const int ndim = int(t.shape.size());
  if (ndim < 3 || t.shape[0] != in.outer || t.shape[1] != in.channels || t.offset != 0) return false;
  int64_t seen = 1, step = in.channels;
  for (int d = ndim - 1; d > 1; --d) {
    if (t.shape[size_t(d)] != 1 && t.stride[size_t(d)] != seen) return false;
    v.stride[d] = step;
    seen *= t.shape[size_t(d)];
    step *= t.shape[size_t(d)];
  }
  if (seen != in.inner || t.stride[1] != seen || (in.outer != 1 && t.stride[0] != seen * in.channels)) return false;
  v.stride[1] = 1;
  v.stride[0] = step;
  v.data = in.block;
  return true;
}

}  // namespace

bool Interleaved::place(const TensorImpl& t, View& v) const {
  if (size_of(t.dtype) != item) return false;
  if (place_images(*this, t, v)) return true;
  // A step along one of the three dims moves as far from wherever it starts, if no dim is left on the way.
  const int64_t image = channels * inner, channel = t.offset % image / inner, pixel = t.offset % inner;
  int64_t low[2] = {channel, pixel}, high[2] = {channel, pixel};
  for (int d = 0; d < int(t.shape.size()); ++d) {
    const int64_t n = t.shape[size_t(d)], s = t.stride[size_t(d)];
    const bool by_image = s % image == 0, by_channel = !by_image && s % inner == 0;
    if (by_image || (!by_channel && (s <= -inner || s >= inner))) {
      v.stride[d] = s;
      if (!by_image && n > 1) return false;
      continue;
    }
    v.stride[d] = by_channel ? s / inner : s * channels;
    const int64_t reach = (n - 1) * (by_channel ? s / inner : s);
    if (n > 0) (reach < 0 ? low : high)[by_channel ? 0 : 1] += reach;
  }
  if (t.numel > 0 && (low[0] < 0 || high[0] >= channels || low[1] < 0 || high[1] >= inner)) return false;
  v.data = static_cast<char*>(block) + (t.offset / image * image + pixel * channels + channel) * int64_t(item);
  return true;
}

Ref<Storage> Storage::make_interleaved(int64_t outer, int64_t channels, int64_t inner, size_t item, Device device) {
  const size_t bytes = size_t(outer * channels * inner) * item;
  auto in = std::make_unique<Owned>();
  in->outer = outer, in->channels = channels, in->inner = inner, in->item = item;
  in->bytes = bytes, in->device = device;
  in->block = allocate_block(bytes, device);
  auto storage = make_ref<Storage>(nullptr, bytes, device, in.get(), Owned::release);
  storage->interleaved_.store(in.release(), std::memory_order_release);
  return storage;
}

void Storage::make_row_major() const {
  auto* in = static_cast<Owned*>(static_cast<Interleaved*>(owner_));
  const std::unique_lock sole(in->lock);
  if (!interleaved()) return;  // another thread was first
  const DType dtype = bits_of(in->item);
  const int64_t image = in->channels * in->inner;
  void* const fresh = allocate_block(bytes_, device_);
  const View from{in->block, dtype, 3, {in->outer, in->channels, in->inner}, {image, 1, in->channels}};
  const View to{fresh, dtype, 3, {in->outer, in->channels, in->inner}, {image, in->inner, 1}};
  try {
    kernel(&Kernels::copy, device_)(from, to);
  } catch (...) {
    free_block(fresh, bytes_, device_);
    throw;
  }
  in->row_major = data_ = fresh;
  interleaved_.store(nullptr, std::memory_order_release);
}

}  // namespace lamina
