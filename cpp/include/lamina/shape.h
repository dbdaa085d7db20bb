// Dims: a short list of sizes or strides, six of them without allocation.
#pragma once
#include <algorithm>
#include <cstring>
#include <initializer_list>
#include <span>
#include <string>

#include "lamina/checked.h"
#include "lamina/view.h"

namespace lamina {

class Dims {
 public:
  Dims() = default;
  Dims(std::initializer_list<int64_t> d) : Dims(d.begin(), d.size()) {}
  Dims(std::span<const int64_t> d) : Dims(d.data(), d.size()) {}
  Dims(const int64_t* d, size_t n) {
    resize(n);
    std::copy_n(d, n, data());
  }
  explicit Dims(size_t n, int64_t value) {
    resize(n);
    std::fill_n(data(), n, value);
  }
  Dims(const Dims& o) : Dims(o.data(), o.size_) {}
  Dims(Dims&& o) noexcept { steal(o); }
  Dims& operator=(const Dims& o) {
    if (this != &o) {
      resize(o.size_);
      std::copy_n(o.data(), o.size_, data());
    }
    return *this;
  }
  Dims& operator=(Dims&& o) noexcept {
    if (this != &o) {
      release();
      steal(o);
    }
    return *this;
  }
  ~Dims() { release(); }

  void assign(const int64_t* d, size_t n) {
    resize(n);
    std::copy_n(d, n, data());
  }
  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  int64_t* data() { return capacity_ > kInline ? heap_ : inline_; }
  const int64_t* data() const { return capacity_ > kInline ? heap_ : inline_; }
  int64_t& operator[](size_t i) { return data()[i]; }
  int64_t operator[](size_t i) const { return data()[i]; }
  int64_t* begin() { return data(); }
  int64_t* end() { return data() + size_; }
  const int64_t* begin() const { return data(); }
  const int64_t* end() const { return data() + size_; }
  int64_t back() const { return data()[size_ - 1]; }
  operator std::span<const int64_t>() const { return {data(), size_}; }

  // New elements are uninitialised. Not limited to kMaxDims: it also carries user-given lists before they are checked.
  void resize(size_t n) {
    if (n > capacity_) {
      auto* p = new int64_t[n];
      std::copy_n(data(), size_, p);
      release();
      heap_ = p;
      capacity_ = uint32_t(n);
    }
    size_ = uint32_t(n);
  }
  void push_back(int64_t v) {
    const size_t n = size_;
    resize(n + 1);
    data()[n] = v;
  }
  void insert(size_t at, int64_t v) {
    push_back(v);
    std::rotate(begin() + at, end() - 1, end());
  }
  void erase(size_t at) {
    std::copy(begin() + at + 1, end(), begin() + at);
    --size_;
  }

  friend bool operator==(const Dims& a, const Dims& b) {
    return a.size_ == b.size_ && std::equal(a.begin(), a.end(), b.begin());
  }

 private:
  static constexpr uint32_t kInline = 6;
  void release() {
    if (capacity_ > kInline) delete[] heap_;
    capacity_ = kInline;
  }
  void steal(Dims& o) {
    size_ = o.size_;
    capacity_ = o.capacity_;
    if (capacity_ > kInline) {
      heap_ = o.heap_;
    } else {
      std::copy_n(o.inline_, kInline, inline_);
    }
    o.capacity_ = kInline;
    o.size_ = 0;
  }
  uint32_t size_ = 0, capacity_ = kInline;
  union {
    int64_t inline_[kInline];
    int64_t* heap_;
  };
};

// (2, 3): as Python prints a tuple.
inline std::string to_string(std::span<const int64_t> d) {
  std::string s = "(";
  for (size_t i = 0; i < d.size(); ++i) s += (i ? ", " : "") + std::to_string(d[i]);
  return s + (d.size() == 1 ? ",)" : ")");
}

// Number of elements; refuses negative sizes and products beyond 64 bits.
inline int64_t numel_of(std::span<const int64_t> shape, const char* what = "shape") {
  int64_t n = 1;
  bool zero = false;
  for (int64_t d : shape) {
    if (d < 0) raise<ShapeError>(what, ": negative size ", d, " in ", to_string(shape));
    if (d == 0) zero = true;
  }
  if (zero) return 0;
  for (int64_t d : shape) n = checked::mul(n, d, what);
  return n;
}

inline Dims contiguous_strides(std::span<const int64_t> shape) {
  Dims s(shape.size(), 1);
  for (size_t i = shape.size(); i-- > 1;) s[i - 1] = checked::mul(s[i], std::max<int64_t>(shape[i], 1), "stride");
  return s;
}

// Python-style axis: -n <= d < n.
inline int64_t wrap_dim(int64_t d, int64_t ndim, const char* op) {
  const int64_t n = ndim > 0 ? ndim : 1;  // a 0-d tensor accepts 0 and -1, as in PyTorch
  if (d < -n || d >= n)
    raise<IndexError>(op, ": dim ", d, " is out of range for a tensor of ", ndim, " dimensions (expected ", -n, " to ",
                      n - 1, ")");
  return d < 0 ? d + n : d;
}

}  // namespace lamina
