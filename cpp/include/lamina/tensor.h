// Tensor: one intrusive pointer to a strided view of shared storage, with optional autograd state.
#pragma once
#include <memory>
#include <optional>
#include <shared_mutex>
#include <span>
#include <string>
#include <vector>

#include "lamina/device.h"
#include "lamina/dtype.h"
#include "lamina/error.h"
#include "lamina/ref.h"
#include "lamina/scalar.h"
#include "lamina/shape.h"
#include "lamina/view.h"

namespace lamina {

class Node;

struct TensorImpl;

// Memory in the order (outer, inner, channels), though every tensor on it counts strides and offsets as in (outer,
// channels, inner): images whose channels lie side by side for the kernels, and which look row-major (docs/adr/0009).
struct Interleaved {
  void* block;
  int64_t outer, channels, inner;
  size_t item;                     // bytes of an element
  mutable std::shared_mutex lock;  // shared: a kernel writes the block; sole: its elements move to row-major memory
  void* row_major = nullptr;       // that memory, once it was needed; the block stays for kernels that still read it

  // Where t's elements lie in the block. False where no strides tell it: t crosses from one channel to the next.
  bool place(const TensorImpl& t, View& v) const;
};

// A block of memory and the count of in-place writes to it, shared by all views of it.
class Storage final : public RefCounted {
 public:
  // Memory of lamina's allocator; contents undefined.
  Storage(size_t bytes, Device device);
  // Foreign memory: `owner_release(owner)` is called once when the last view is gone.
  Storage(void* data, size_t bytes, Device device, void* owner, void (*owner_release)(void*), bool read_only = false);
  ~Storage() override;
  // Host memory of this size; small ones share a block with their Storage.
  static Ref<Storage> make(size_t bytes, Device device);
  static Ref<Storage> make_interleaved(int64_t outer, int64_t channels, int64_t inner, size_t item, Device device);
  void release() const noexcept { release_sole(); }

  // The memory, row-major from then on.
  void* data() const {
    settle();
    return data_;
  }
  // Null once the memory is row-major, which it then stays.
  const Interleaved* interleaved() const { return interleaved_.load(std::memory_order_acquire); }
  // Ends interleaving, for all tensors on this memory.
  void settle() const {
    if (interleaved()) [[unlikely]]
      make_row_major();
  }
  size_t bytes() const { return bytes_; }
  Device device() const { return device_; }
  bool read_only() const { return read_only_; }
  uint32_t version() const { return version_.load(std::memory_order_relaxed); }
  // For foreign memory whose ownership passes over only after the tensor exists.
  void set_release(void (*owner_release)(void*)) { owner_release_ = owner_release; }
  void bump_version() { version_.fetch_add(1, std::memory_order_relaxed); }

 private:
  struct Inline {};
  Storage(Inline, void* data, size_t bytes) : data_(data), bytes_(bytes), joined_(true) {}
  void dispose() noexcept override;
  void make_row_major() const;
  mutable void* data_ = nullptr;
  size_t bytes_ = 0;
  Device device_;
  bool joined_ = false;  // the data follows this object in its block
  bool read_only_ = false;
  std::atomic<uint32_t> version_{0};
  void* owner_ = nullptr;
  void (*owner_release_)(void*) = nullptr;
  mutable std::atomic<const Interleaved*> interleaved_{nullptr};
};

class Tensor;

// Gradient state of one tensor: the node that produced it (or its leaf node) and which output of that node it is.
struct AutogradMeta : Pooled {
  AutogradMeta();
  ~AutogradMeta();
  Ref<Node> fn;
  uint32_t slot = 0;
  Ref<TensorImpl> base;       // the tensor this one is a differentiable view of
  uint32_t base_version = 0;  // version of the storage when `fn` was made; a later in-place write makes `fn` stale
};

// How a view was made. What no_grad or inference_mode hid from its base may not be written where gradients are
// recorded.
enum class ViewOrigin : uint8_t { recorded, no_grad, inference };

struct TensorImpl final : RefCounted {
  void release() const noexcept { release_sole(); }
  Ref<Storage> storage;
  int64_t offset = 0;  // in elements
  Dims shape, stride;  // strides in elements
  int64_t numel = 0;
  DType dtype = DType::float32;
  bool weak = false;       // a Python number: yields to the dtype of real tensors
  bool inference = false;  // made in inference_mode: what it requires there is not changed outside
  ViewOrigin view_origin = ViewOrigin::recorded;
  bool base_required_grad = false;  // of a view that is not recorded
  std::unique_ptr<AutogradMeta> autograd;
  void* python = nullptr;  // the wrapper object while there is one (not owned)
};

class Tensor {
 public:
  Tensor() = default;
  explicit Tensor(Ref<TensorImpl> impl) : impl_(std::move(impl)) {}
  // A number, as in x * Tensor(2.0): weak in type promotion.
  template <class T>
    requires std::is_arithmetic_v<T>
  explicit Tensor(T number);

  bool defined() const { return bool(impl_); }
  explicit operator bool() const = delete;
  TensorImpl* impl() const { return impl_.get(); }
  const Ref<TensorImpl>& ref() const { return impl_; }
  TensorImpl* operator->() const { return impl_.get(); }

  const Dims& shape() const { return impl_->shape; }
  const Dims& stride() const { return impl_->stride; }
  int64_t size(int64_t dim) const { return impl_->shape[size_t(wrap_dim(dim, this->dim(), "size"))]; }
  int64_t dim() const { return int64_t(impl_->shape.size()); }
  int64_t numel() const { return impl_->numel; }
  DType dtype() const { return impl_->dtype; }
  Device device() const { return impl_->storage->device(); }
  bool is_contiguous() const;
  // Contiguous, and the memory itself is in that order: what may be read as one flat array.
  bool is_flat() const { return !impl_->storage->interleaved() && is_contiguous(); }
  // NHWC order in memory for a 4-D tensor.
  bool is_channels_last() const;
  void* data() const {
    return static_cast<char*>(impl_->storage->data()) + impl_->offset * int64_t(size_of(impl_->dtype));
  }
  template <class T>
  T* data_as() const {
    if (DTypeOf<T>::value != dtype())
      raise<DtypeError>("data: tensor is ", name(dtype()), ", asked for ", name(DTypeOf<T>::value));
    return static_cast<T*>(data());
  }
  View view_of() const;
  // The only element as a number.
  Scalar item() const;

  // Autograd.
  bool requires_grad() const;
  Tensor& requires_grad_(bool on = true);
  bool is_leaf() const;
  Tensor grad() const;
  void set_grad(const Tensor& g);
  Tensor detach() const;
  void backward(const Tensor& gradient = {}, bool retain_graph = false, bool create_graph = false) const;

  friend bool is_same(const Tensor& a, const Tensor& b) { return a.impl_ == b.impl_; }

 private:
  Ref<TensorImpl> impl_;
};

using TensorList = std::vector<Tensor>;

// "x (8, 12) float32 cpu": how errors name an operand.
std::string describe(std::string_view label, const Tensor& t);

// ---- making tensors (no autograd) ----
Tensor allocate(std::span<const int64_t> shape, DType dtype, Device device = {});
Tensor allocate_strided(std::span<const int64_t> shape, std::span<const int64_t> stride, DType dtype,
                        Device device = {});
// Row-major with the shape of x, which is row-major, on the CPU and not empty: nothing is left to check.
Tensor allocate_dense_like(const Tensor& x, DType dtype);
// Same shape, device and memory order as x.
Tensor allocate_like(const Tensor& x, std::optional<DType> dtype = {});
// (N, C, ...) that looks row-major, with its channels side by side in memory; row-major where both are one.
Tensor allocate_interleaved(std::span<const int64_t> shape, DType dtype, Device device = {});
// A 0-d tensor that behaves as a Python number in type promotion.
Tensor weak_scalar(Scalar value, Device device = {});
template <class T>
  requires std::is_arithmetic_v<T>
Tensor::Tensor(T number) : Tensor(weak_scalar(Scalar(number))) {}
// Another tensor on the same storage, without autograd state.
Tensor alias(const Tensor& x, std::span<const int64_t> shape, std::span<const int64_t> stride, int64_t offset);
Tensor alias(const Tensor& x);
// A tensor over foreign memory; `release(owner)` runs when the last view is gone. Strides in elements.
Tensor from_blob(void* data, std::span<const int64_t> shape, std::span<const int64_t> stride, DType dtype,
                 void* owner = nullptr, void (*release)(void*) = nullptr, bool read_only = false);

// Per thread: tensors made while it is on never enter autograd.
bool inference_enabled();
void set_inference_enabled(bool on);

// ---- type promotion ----
DType default_dtype();
void set_default_dtype(DType dtype);
// PyTorch's rule: tensors with dimensions decide before 0-d tensors, and those before numbers, unless the category is
// higher.
DType result_type(std::span<const Tensor* const> inputs);
// Broadcast shape of all inputs; `op` and labels appear in the error.
Dims broadcast_shapes(const char* op, std::span<const Tensor* const> inputs);

}  // namespace lamina
