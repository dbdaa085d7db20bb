// Creation: tensors of given values.
#include <cmath>

#include "lamina/autograd.h"
#include "lamina/devices.h"
#include "lamina/ops.h"
#include "memory_format.h"

namespace lamina {
namespace {

Tensor finish(Tensor t, bool requires_grad) {
  if (requires_grad) t.requires_grad_(true);
  return t;
}

Tensor filled(const Dims& size, Scalar value, DType dtype, std::optional<Device> device, bool requires_grad) {
  Tensor t = allocate(size, dtype, device.value_or(Device{}));
  if (t.numel() > 0) kernel(&Kernels::fill, t.device())(t.view_of(), value);
  return finish(std::move(t), requires_grad);
}

using Format = std::optional<std::string_view>;

Tensor like(const char* op, const Tensor& x, std::optional<DType> dtype, std::optional<Device> device, Format format) {
  const Dims stride = strides_in(op, x, memory_format_of(op, format, MemoryFormat::preserve));
  return allocate_strided(x.shape(), stride, dtype.value_or(x.dtype()), device.value_or(x.device()));
}

Tensor filled_like(const char* op, const Tensor& x, Scalar value, std::optional<DType> dtype,
                   std::optional<Device> device, bool requires_grad, Format format) {
  Tensor t = like(op, x, dtype, device, format);
  if (t.numel() > 0) kernel(&Kernels::fill, t.device())(t.view_of(), value);
  return finish(std::move(t), requires_grad);
}

// A CPU tensor computed on the host, then moved.
Tensor placed(Tensor t, std::optional<Device> device, bool requires_grad) {
  if (device && device->type != DeviceType::cpu) t = to(t, {}, *device);
  return finish(std::move(t), requires_grad);
}

template <class F>
Tensor tabulate(int64_t n, DType dtype, F&& value) {
  Tensor t = allocate(Dims{n}, is_floating(dtype) ? DType::float64 : DType::int64);
  for (int64_t i = 0; i < n; ++i) {
    if (is_floating(dtype)) {
      static_cast<double*>(t.data())[i] = double(value(i));
    } else {
      static_cast<int64_t*>(t.data())[i] = int64_t(value(i));
    }
  }
  return t.dtype() == dtype ? t : to(t, dtype);
}

}  // namespace

Tensor empty(const Size& size, std::optional<DType> dtype, std::optional<Device> device, bool requires_grad) {
  return finish(allocate(size, dtype.value_or(default_dtype()), device.value_or(Device{})), requires_grad);
}
Tensor zeros(const Size& size, std::optional<DType> dtype, std::optional<Device> device, bool requires_grad) {
  return filled(size, 0, dtype.value_or(default_dtype()), device, requires_grad);
}
Tensor ones(const Size& size, std::optional<DType> dtype, std::optional<Device> device, bool requires_grad) {
  return filled(size, 1, dtype.value_or(default_dtype()), device, requires_grad);
}
Tensor full(const Dims& size, Scalar value, std::optional<DType> dtype, std::optional<Device> device,
            bool requires_grad) {
  const DType natural = value.is_floating() ? default_dtype() : value.is_bool() ? DType::bool_ : DType::int64;
  return filled(size, value, dtype.value_or(natural), device, requires_grad);
}
Tensor empty_like(const Tensor& x, std::optional<DType> dtype, std::optional<Device> device, bool requires_grad,
                  Format format) {
  return finish(like("empty_like", x, dtype, device, format), requires_grad);
}
Tensor zeros_like(const Tensor& x, std::optional<DType> dtype, std::optional<Device> device, bool requires_grad,
                  Format format) {
  return filled_like("zeros_like", x, 0, dtype, device, requires_grad, format);
}
Tensor ones_like(const Tensor& x, std::optional<DType> dtype, std::optional<Device> device, bool requires_grad,
                 Format format) {
  return filled_like("ones_like", x, 1, dtype, device, requires_grad, format);
}
Tensor full_like(const Tensor& x, Scalar value, std::optional<DType> dtype, std::optional<Device> device,
                 bool requires_grad, Format format) {
  return filled_like("full_like", x, value, dtype, device, requires_grad, format);
}

Tensor arange(Scalar end, std::optional<DType> dtype, std::optional<Device> device, bool requires_grad) {
  return arange(0, end, 1, dtype, device, requires_grad);
}

Tensor arange(Scalar start, Scalar end, Scalar step, std::optional<DType> dtype, std::optional<Device> device,
              bool requires_grad) {
  const bool numbers = !start.is_floating() && !end.is_floating() && !step.is_floating();
  const DType result = dtype.value_or(numbers ? DType::int64 : default_dtype());
  const double s = step.to_double(), a = start.to_double(), b = end.to_double();
  if (s == 0 || !std::isfinite(s)) raise<ValueError>("arange: step must be finite and not zero, got ", s);
  if (!std::isfinite(a) || !std::isfinite(b))
    raise<ValueError>("arange: start and end must be finite, got ", a, " and ", b);
  if ((s > 0 && b < a) || (s < 0 && b > a))
    raise<ValueError>("arange: end lies behind start for this step: start ", a, ", end ", b, ", step ", s);
  if (numbers || !is_floating(result)) {  // the three are numbers of the result's kind: 3.9 is 3
    const int64_t x = start.to_int(), y = end.to_int(), d = step.to_int();
    if (d == 0) raise<ValueError>("arange: step is zero as an integer: ", s);
    const int64_t span = checked::sub(y, x, "arange");
    const int64_t n = span == 0 ? 0 : (d > 0 ? (span - 1) / d + 1 : (span + 1) / d + 1);
    return placed(tabulate(n, result, [&](int64_t i) { return x + i * d; }), device, requires_grad);
  }
  const double count = std::ceil((b - a) / s);
  if (count > 0x1p62) raise<ShapeError>("arange: ", count, " elements are too many");
  return placed(tabulate(int64_t(count), result, [&](int64_t i) { return a + double(i) * s; }), device, requires_grad);
}

Tensor linspace(double start, double end, int64_t steps, std::optional<DType> dtype, std::optional<Device> device,
                bool requires_grad) {
  if (steps < 0) raise<ValueError>("linspace: steps must not be negative, got ", steps);
  const DType result = dtype.value_or(default_dtype());
  if (!is_floating(result)) start = std::trunc(start), end = std::trunc(end);
  const double step = steps > 1 ? (end - start) / double(steps - 1) : 0;
  // From both ends, so that the last element is exactly `end`.
  const auto value = [&](int64_t i) {
    return i < steps / 2 || steps == 1 ? start + step * double(i) : end - step * double(steps - 1 - i);
  };
  return placed(tabulate(steps, result, value), device, requires_grad);
}

Tensor eye(int64_t n, std::optional<int64_t> m, std::optional<DType> dtype, std::optional<Device> device,
           bool requires_grad) {
  const int64_t columns = m.value_or(n);
  Tensor t = filled(Dims{n, columns}, 0, dtype.value_or(default_dtype()), device, false);
  const int64_t diagonal = std::min(n, columns);
  if (diagonal > 0) {
    const Tensor d = alias(t, Dims{diagonal}, Dims{columns + 1}, t->offset);
    kernel(&Kernels::fill, t.device())(d.view_of(), 1);
  }
  return finish(std::move(t), requires_grad);
}

}  // namespace lamina
