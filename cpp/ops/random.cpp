// Random tensors: draws of a Generator, keyed by (seed, draw, element), so that no number depends on threads or layout.
#include "lamina/random.h"

#include "lamina/autograd.h"
#include "lamina/devices.h"
#include "lamina/ops.h"
#include "memory_format.h"

namespace lamina {
namespace {

Generator::Draw draw(Generator* g) { return current(g).next(); }

// Kernels draw on the CPU into contiguous memory; other devices take a copy of the same numbers.
template <class F>
Tensor drawn(const Dims& size, DType dtype, std::optional<Device> device, bool requires_grad, F&& fill) {
  Tensor t = allocate(size, dtype);
  if (t.numel() > 0) fill(t);
  if (device && device->type != DeviceType::cpu) t = to(t, {}, *device);
  if (requires_grad) t.requires_grad_(true);
  return t;
}

void require_floating(const char* op, DType dtype) {
  if (!is_floating(dtype)) raise<DtypeError>(op, ": needs a floating dtype, got ", name(dtype));
}

// self = new numbers, in place; a recorded self loses its history.
template <class F>
Tensor redraw(const char* op, const Tensor& self, F&& fill) {
  check_inplace(op, self);
  const bool record_it = is_floating(self.dtype()) && recording({self});
  const Tensor old = record_it ? before_write(self) : Tensor();
  if (self.numel() > 0) {
    if (self.is_contiguous() && self.device().type == DeviceType::cpu) {
      fill(self);
    } else {
      const Tensor t = allocate(self.shape(), self.dtype());
      fill(t);
      kernel(&Kernels::copy, self.device())(to(t, {}, self.device()).view_of(), self.view_of());
    }
  }
  wrote(self);
  if (record_it) {
    const auto backward = [](Grads& d, const Tensor& g) { d[0] = zeros_like(g); };
    auto node = make_ref<LambdaNode<decltype(backward)>>(op, backward);
    const std::reference_wrapper<const Tensor> in[] = {old};
    connect(*node, in);
    Tensor x = self;
    rebase_history(x, node);
  }
  return self;
}

void fill_uniform(const Tensor& t, double from, double to, Generator* g) {
  const auto d = draw(g);
  kernel(&Kernels::random_uniform, Device{})(t.view_of(), from, to, d.seed, d.offset);
}
void fill_normal(const Tensor& t, double mean, double std, Generator* g) {
  const auto d = draw(g);
  kernel(&Kernels::random_normal, Device{})(t.view_of(), mean, std, d.seed, d.offset);
}
void fill_integers(const Tensor& t, int64_t low, int64_t high, Generator* g) {
  const auto d = draw(g);
  kernel(&Kernels::random_integers, Device{})(t.view_of(), low, uint64_t(high) - uint64_t(low), d.seed, d.offset);
}
void fill_bernoulli(const Tensor& p, const Tensor& out, Generator* g) {
  const auto d = draw(g);
  kernel(&Kernels::random_bernoulli, Device{})(p.view_of(), out.view_of(), d.seed, d.offset);
}

// Integers that `dtype` holds; a float dtype those it counts without gaps.
struct Limits {
  int64_t least, most;
};
Limits counted_limits(DType dtype) {
  const auto around = [](int digits) { return Limits{-(int64_t(1) << digits), int64_t(1) << digits}; };
  switch (dtype) {
    case DType::bool_:
      return {0, 1};
    case DType::uint8:
      return {0, 255};
    case DType::int8:
      return {-128, 127};
    case DType::int16:
      return {INT16_MIN, INT16_MAX};
    case DType::int32:
      return {INT32_MIN, INT32_MAX};
    case DType::float16:
      return around(11);
    case DType::bfloat16:
      return around(8);
    case DType::float32:
      return around(24);
    case DType::float64:
      return around(53);
    default:
      return {INT64_MIN, INT64_MAX};
  }
}

void check_range(const char* op, int64_t low, int64_t high, DType dtype) {
  if (low >= high) raise<ValueError>(op, ": needs low < high, got low ", low, " and high ", high);
  const auto [least, most] = counted_limits(dtype);
  if (low < least || high - 1 > most)
    raise<ValueError>(op, ": low ", low, " and high ", high, " do not fit ", name(dtype), ", which counts from ", least,
                      " to ", most);
}
void check_std(const char* op, double std) {
  if (!(std >= 0)) raise<ValueError>(op, ": std must not be negative, got ", std);
}
void check_bounds(const char* op, double from, double to) {
  if (!(from <= to)) raise<ValueError>(op, ": needs from <= to, got from ", from, " and to ", to);
  if (to - from > 1.7e308) raise<ValueError>(op, ": the range from ", from, " to ", to, " is not finite");
}

}  // namespace

Tensor rand(const Size& size, Generator* generator, std::optional<DType> dtype, std::optional<Device> device,
            bool requires_grad) {
  const DType type = dtype.value_or(default_dtype());
  require_floating("rand", type);
  return drawn(size, type, device, requires_grad, [&](const Tensor& t) { fill_uniform(t, 0, 1, generator); });
}
Tensor randn(const Size& size, Generator* generator, std::optional<DType> dtype, std::optional<Device> device,
             bool requires_grad) {
  const DType type = dtype.value_or(default_dtype());
  require_floating("randn", type);
  return drawn(size, type, device, requires_grad, [&](const Tensor& t) { fill_normal(t, 0, 1, generator); });
}
Tensor randint(int64_t low, int64_t high, const Dims& size, Generator* generator, std::optional<DType> dtype,
               std::optional<Device> device, bool requires_grad) {
  check_range("randint", low, high, dtype.value_or(DType::int64));
  return drawn(size, dtype.value_or(DType::int64), device, requires_grad,
               [&](const Tensor& t) { fill_integers(t, low, high, generator); });
}
Tensor randint(int64_t high, const Dims& size, Generator* generator, std::optional<DType> dtype,
               std::optional<Device> device, bool requires_grad) {
  return randint(0, high, size, generator, dtype, device, requires_grad);
}
Tensor randperm(int64_t n, Generator* generator, std::optional<DType> dtype, std::optional<Device> device,
                bool requires_grad) {
  if (n < 0) raise<ValueError>("randperm: n must not be negative, got ", n);
  Tensor t = drawn(Dims{n}, DType::int64, device, false, [&](const Tensor& out) {
    const auto d = draw(generator);
    kernel(&Kernels::random_permutation, Device{})(out.view_of(), d.seed, d.offset);
  });
  if (dtype) t = to(t, dtype);
  if (requires_grad) t.requires_grad_(true);
  return t;
}

namespace {

// t in the memory order that format asks for; the numbers do not depend on it.
Tensor arranged(const char* op, const Tensor& like, Tensor t, bool requires_grad,
                std::optional<std::string_view> format) {
  const Dims stride = strides_in(op, like, memory_format_of(op, format, MemoryFormat::preserve));
  if (stride != t.stride()) {
    const Tensor y = allocate_strided(t.shape(), stride, t.dtype(), t.device());
    if (t.numel() > 0) kernel(&Kernels::copy, t.device())(t.view_of(), y.view_of());
    t = y;
  }
  if (requires_grad) t.requires_grad_(true);
  return t;
}

}  // namespace

Tensor rand_like(const Tensor& x, Generator* generator, std::optional<DType> dtype, std::optional<Device> device,
                 bool requires_grad, std::optional<std::string_view> format) {
  const Tensor t = rand(x.shape(), generator, dtype.value_or(x.dtype()), device.value_or(x.device()), false);
  return arranged("rand_like", x, t, requires_grad, format);
}
Tensor randn_like(const Tensor& x, Generator* generator, std::optional<DType> dtype, std::optional<Device> device,
                  bool requires_grad, std::optional<std::string_view> format) {
  const Tensor t = randn(x.shape(), generator, dtype.value_or(x.dtype()), device.value_or(x.device()), false);
  return arranged("randn_like", x, t, requires_grad, format);
}
Tensor randint_like(const Tensor& x, int64_t low, int64_t high, Generator* generator, std::optional<DType> dtype,
                    std::optional<Device> device, bool requires_grad, std::optional<std::string_view> format) {
  const Tensor t =
      randint(low, high, x.shape(), generator, dtype.value_or(x.dtype()), device.value_or(x.device()), false);
  return arranged("randint_like", x, t, requires_grad, format);
}
Tensor randint_like(const Tensor& x, int64_t high, Generator* generator, std::optional<DType> dtype,
                    std::optional<Device> device, bool requires_grad, std::optional<std::string_view> format) {
  return randint_like(x, 0, high, generator, dtype, device, requires_grad, format);
}

Tensor normal(double mean, double std, const Dims& size, Generator* generator, std::optional<DType> dtype,
              std::optional<Device> device, bool requires_grad) {
  const DType type = dtype.value_or(default_dtype());
  require_floating("normal", type);
  check_std("normal", std);
  return drawn(size, type, device, requires_grad, [&](const Tensor& t) { fill_normal(t, mean, std, generator); });
}

Tensor bernoulli(const Tensor& p, Generator* generator) {
  require_floating("bernoulli", p.dtype());
  const Tensor inside = logical_and(ge(p, 0), le(p, 1));
  if (p.numel() > 0 && any(logical_not(inside)).item().to_bool())
    raise<ValueError>("bernoulli: probabilities must be in [0, 1]: ", describe("input", p));
  const Tensor chance = contiguous(to(p.detach(), {}, Device{})), mask = allocate(p.shape(), DType::bool_);
  if (p.numel() > 0) fill_bernoulli(chance, mask, generator);
  return to(mask, p.dtype(), p.device());
}

Tensor uniform_(const Tensor& self, double from, double to, Generator* generator) {
  require_floating("uniform_", self.dtype());
  check_bounds("uniform_", from, to);
  return redraw("uniform_", self, [&](const Tensor& t) { fill_uniform(t, from, to, generator); });
}
Tensor normal_(const Tensor& self, double mean, double std, Generator* generator) {
  require_floating("normal_", self.dtype());
  check_std("normal_", std);
  return redraw("normal_", self, [&](const Tensor& t) { fill_normal(t, mean, std, generator); });
}
Tensor random_(const Tensor& self, int64_t low, int64_t high, Generator* generator) {
  check_range("random_", low, high, self.dtype());
  return redraw("random_", self, [&](const Tensor& t) { fill_integers(t, low, high, generator); });
}
Tensor random_(const Tensor& self, int64_t high, Generator* generator) { return random_(self, 0, high, generator); }
Tensor random_(const Tensor& self, Generator* generator) {
  const int64_t most = counted_limits(self.dtype()).most;
  if (most == INT64_MAX)
    return redraw("random_", self, [&](const Tensor& t) {
      const auto d = draw(generator);
      kernel(&Kernels::random_integers, Device{})(t.view_of(), 0, uint64_t(1) << 63, d.seed, d.offset);
    });
  return random_(self, 0, most + 1, generator);
}

Tensor bernoulli(const Tensor& x, double p, Generator* generator) {
  const NoGrad guard;
  return bernoulli_(empty_like(x.detach()), Operand(p), generator);
}
Tensor bernoulli_(const Tensor& self, const Operand& p, Generator* generator) {
  const NoGrad quiet;
  Tensor chance;
  if (!p.defined() || p->weak) {
    const double one = p.defined() ? p.item().to_double() : 0.5;
    if (!(one >= 0 && one <= 1)) raise<ValueError>("bernoulli_: p must be in [0, 1], got ", one);
    chance = full(self.shape(), one, DType::float64);
  } else {
    require_floating("bernoulli_", p.dtype());
    chance = contiguous(expand(to(p.detach(), {}, Device{}), self.shape()));
    if (p.numel() > 0 && !all(logical_and(ge(chance, 0), le(chance, 1))).item().to_bool())
      raise<ValueError>("bernoulli_: probabilities must be in [0, 1]: ", describe("p", p));
  }
  return redraw("bernoulli_", self, [&](const Tensor& t) {
    const Tensor mask = allocate(t.shape(), DType::bool_);
    fill_bernoulli(chance, mask, generator);
    kernel(&Kernels::copy, Device{})(mask.view_of(), t.view_of());
  });
}

}  // namespace lamina
