// Intrusive reference counting: the count lives in the object, so C++ and Python share it.
#pragma once
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "lamina/pooled.h"

namespace lamina {

class RefCounted : public Pooled {
 public:
  RefCounted() = default;
  RefCounted(const RefCounted&) = delete;
  RefCounted& operator=(const RefCounted&) = delete;
  virtual ~RefCounted() = default;

  void retain() const noexcept { refs_.fetch_add(1, std::memory_order_relaxed); }
  void release() const noexcept {
    if (refs_.fetch_sub(1, std::memory_order_acq_rel) == 1) const_cast<RefCounted*>(this)->dispose();
  }
  // False when the last reference is already gone.
  bool retain_if_alive() const noexcept {
    uint32_t n = refs_.load(std::memory_order_relaxed);
    while (n != 0 && !refs_.compare_exchange_weak(n, n + 1, std::memory_order_acquire)) {
    }
    return n != 0;
  }
  uint32_t refs() const noexcept { return refs_.load(std::memory_order_acquire); }

 protected:
  // For objects that are never revived: the last owner needs no locked instruction.
  void release_sole() const noexcept {
    if (refs_.load(std::memory_order_acquire) == 1) {
      refs_.store(0, std::memory_order_relaxed);
      const_cast<RefCounted*>(this)->dispose();
    } else {
      RefCounted::release();
    }
  }
  // Called when the last reference is gone; graph nodes override it to free long chains without recursion.
  virtual void dispose() noexcept { delete this; }

 private:
  template <class T>
  friend class Ref;
  void first_owner() noexcept { refs_.store(1, std::memory_order_relaxed); }
  mutable std::atomic<uint32_t> refs_{0};
};

template <class T>
class Ref {
 public:
  Ref() = default;
  Ref(std::nullptr_t) {}
  explicit Ref(T* p) noexcept : p_(p) {
    if (p_) p_->retain();
  }
  Ref(const Ref& o) noexcept : Ref(o.p_) {}
  Ref(Ref&& o) noexcept : p_(std::exchange(o.p_, nullptr)) {}
  template <class U>
    requires std::is_convertible_v<U*, T*>
  Ref(Ref<U> o) noexcept : p_(o.detach()) {}
  Ref& operator=(Ref o) noexcept {
    std::swap(p_, o.p_);
    return *this;
  }
  ~Ref() {
    if (p_) p_->release();
  }

  // The first owner of a new object.
  static Ref adopt(T* p) noexcept {
    p->first_owner();
    Ref r;
    r.p_ = p;
    return r;
  }
  // An owner of p, or null when p is already being destroyed.
  static Ref if_alive(T* p) noexcept {
    Ref r;
    if (p->retain_if_alive()) r.p_ = p;
    return r;
  }

  T* get() const noexcept { return p_; }
  T* operator->() const noexcept { return p_; }
  T& operator*() const noexcept { return *p_; }
  explicit operator bool() const noexcept { return p_ != nullptr; }
  friend bool operator==(const Ref& a, const Ref& b) noexcept { return a.p_ == b.p_; }
  // Gives up ownership without releasing.
  T* detach() noexcept { return std::exchange(p_, nullptr); }

 private:
  T* p_ = nullptr;
};

template <class T, class... A>
Ref<T> make_ref(A&&... a) {
  return Ref<T>::adopt(new T(std::forward<A>(a)...));
}

}  // namespace lamina
