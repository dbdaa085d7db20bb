// Elementwise operations on tensors: promotion, broadcasting, kernel call and gradient, the same for every formula.
#include <array>

#include "inplace.h"
#include "lamina/autograd.h"
#include "lamina/devices.h"
#include "lamina/formulas.h"
#include "reduced_terms.h"

namespace lamina {
namespace {

constexpr int kMaxArity = 3;

struct Call {
  const EwInfo& info;
  Ew op;
  std::array<Tensor, kMaxArity> x;
  std::array<double, 3> p;
  Device device;

  int arity() const { return info.arity; }
  std::string name() const { return std::string(info.name); }
};

DType compute_dtype(DType t) {
  return t == DType::float64 ? DType::float64 : is_floating(t) ? DType::float32 : DType::int64;
}

void check_numbers(const Call& c) {
  if (c.op == Ew::Hardtanh && c.p[0] > c.p[1])
    raise<ValueError>("hardtanh: min_val must not be above max_val, got ", c.p[0], " and ", c.p[1]);
  if (c.op == Ew::Softshrink && !(c.p[0] >= 0))
    raise<ValueError>("softshrink: lambd must not be negative, got ", c.p[0]);
}

// Operands and extra numbers from the arguments; numbers become weak tensors on the device of the real ones.
Call parse(Ew op, const Tensor* self, std::span<const EwArg> args) {
  Call c{ew_info(op), op, {}, {}, {}};
  for (int i = 0; i < 3; ++i) c.p[size_t(i)] = c.info.spec.params[i].value;
  const Tensor* placed = self;
  for (const EwArg& a : args)
    if (a.tensor && (!placed || placed->dim() == 0)) placed = a.tensor;
  if (placed) c.device = placed->device();
  int n = 0;
  if (self) c.x[size_t(n++)] = *self;
  for (const EwArg& a : args) {
    if (n < c.arity()) {
      c.x[size_t(n)] = a.tensor ? *a.tensor : weak_scalar(a.number, c.device);
    } else if (n - c.arity() < 3 && !a.tensor) {
      c.p[size_t(n - c.arity())] = a.number.to_double();
    } else {
      raise<TypeError>(c.name(), ": unexpected argument ", n);
    }
    ++n;
  }
  if (n > c.arity()) check_numbers(c);
  if (n < c.arity()) raise<TypeError>(c.name(), ": needs ", c.arity(), " operands, got ", n);
  for (int i = 0; i < c.arity(); ++i) {
    Tensor& t = c.x[size_t(i)];
    if (!t.defined()) raise<TypeError>(c.name(), ": operand ", i, " is None");
    if (t.device() == c.device) continue;
    if (t.dim() > 0)
      raise<DeviceError>(c.name(), ": operands live on different devices: ", describe("operand 0", c.x[0]), ", ",
                         describe("operand " + std::to_string(i), t), ". Move one with .to(device)");
    const bool weak = t->weak;
    t = to(t, {}, c.device);
    t->weak = weak;
  }
  return c;
}

// dtype of the result, and in `compute` the dtype that the operands are promoted to.
DType result_dtype(const Call& c, DType& promoted) {
  const int first = c.info.spec.kind == EwKind::selection ? 1 : 0;  // a condition has no say in the dtype
  const Tensor* in[kMaxArity];
  bool same = true;
  for (int i = first; i < c.arity(); ++i) {
    in[i] = &c.x[size_t(i)];
    same = same && !c.x[size_t(i)]->weak && c.x[size_t(i)].dtype() == c.x[size_t(first)].dtype();
  }
  promoted = same ? c.x[size_t(first)].dtype() : result_type({in + first, size_t(c.arity() - first)});
  switch (c.info.spec.kind) {
    case EwKind::floating:
      if (!is_floating(promoted)) promoted = default_dtype();
      return promoted;
    case EwKind::arithmetic:
      if (c.op == Ew::Neg && promoted == DType::bool_)
        raise<DtypeError>("neg: bool has no sign: ", describe("input", c.x[0]), ". Use ~x or logical_not()");
      return promoted;
    case EwKind::selection:
      return promoted;
    case EwKind::predicate:
    case EwKind::logical:
      return DType::bool_;
    case EwKind::bitwise:
      if (is_floating(promoted))
        raise<DtypeError>(c.name(), ": needs integers or bool, got ", describe("input", c.x[0]),
                          c.arity() > 1 ? ", " + describe("other", c.x[1]) : "");
      return promoted;
  }
  __builtin_unreachable();
}

// Beside half floats a number of a wider dtype is rounded to theirs first, so that x == 0.1 where x - 0.1 is 0; factors
// and divisors alone stay as they are.
void round_numbers(Call& c, DType promoted) {
  if (c.arity() < 2 || c.op == Ew::Mul || c.op == Ew::Div || c.op == Ew::Lerp) return;
  if (!is_floating(promoted) || compute_dtype(promoted) == promoted) return;
  for (int i = c.op == Ew::Where ? 1 : 0; i < c.arity(); ++i)  // a condition is no number
    if (Tensor& t = c.x[size_t(i)]; t.dtype() != promoted) t = to(t, promoted);
}

View broadcast_view(const Tensor& t, const Dims& shape) {
  const View given = t.view_of();
  View v;
  v.data = given.data;
  v.dtype = given.dtype;
  v.ndim = int32_t(shape.size());
  const size_t skip = shape.size() - size_t(given.ndim);
  for (size_t i = 0; i < shape.size(); ++i) {
    v.shape[i] = shape[i];
    const bool own = i >= skip && given.shape[i - skip] == shape[i];
    v.stride[i] = own ? given.stride[i - skip] : 0;
  }
  return v;
}

bool all_same_shape(const Call& c) {
  for (int i = 1; i < c.arity(); ++i)
    if (c.x[size_t(i)].shape() != c.x[0].shape()) return false;
  return true;
}

Dims result_shape(const Call& c) {
  if (all_same_shape(c)) return c.x[0].shape();
  const Tensor* in[kMaxArity];
  for (int i = 0; i < c.arity(); ++i) in[i] = &c.x[size_t(i)];
  return broadcast_shapes(std::string(c.info.name).c_str(), {in, size_t(c.arity())});
}

// Memory order of the first operand that already has the result's shape.
Tensor allocate_result(const Call& c, const Dims& shape, DType dtype) {
  for (int i = 0; i < c.arity(); ++i) {
    const Tensor& t = c.x[size_t(i)];
    if (t.shape() != shape) continue;
    if (t.is_flat()) break;
    return t.device() == c.device ? allocate_like(t, dtype)
                                  : allocate_strided(shape, allocate_like(t).stride(), dtype, c.device);
  }
  return allocate(shape, dtype, c.device);
}

void run_forward(const Call& c, DType promoted, const Tensor& out) {
  View in[kMaxArity];
  for (int i = 0; i < c.arity(); ++i) in[i] = broadcast_view(c.x[size_t(i)], out.shape());
  kernel(&Kernels::elementwise, c.device)(EwOp{c.op, 0}, compute_dtype(promoted), in, c.arity(), out.view_of(),
                                          c.p.data());
}

constexpr int64_t kNumbers = 512;  // most elements for which a number is spread out beside the tensors

// A number as an array of the compute dtype, so that the kernel sees nothing but equal contiguous operands.
struct Spread {
  alignas(64) char bytes[kNumbers * 8];
  template <class T>
  void fill(T v, int64_t n) {
    for (int64_t i = 0; i < n; ++i) reinterpret_cast<T*>(bytes)[i] = v;
  }
  void set(Scalar s, DType dtype, int64_t n) {
    if (dtype == DType::float32) return fill(s.is_floating() ? float(s.to_double()) : float(s.to_int()), n);
    if (dtype == DType::float64) return fill(s.to_double(), n);
    fill(s.to_int(), n);
  }
};

View flat_view(void* data, DType dtype, int64_t n) {
  View v;
  v.data = data;
  v.dtype = dtype;
  v.ndim = 1;
  v.shape[0] = n;
  v.stride[0] = 1;
  return v;
}

// Every element is the same one in memory (an expanded number).
bool uniform(const Tensor& t) {
  for (size_t i = 0; i < t.shape().size(); ++i)
    if (t.shape()[i] != 1 && t.stride()[i] != 0) return false;
  return true;
}

// t as a flat operand beside n elements of `dtype`: itself, or one number spread out.
bool flatten_operand(const Tensor& t, const Tensor& like, DType dtype, Spread& room, View& out) {
  const int64_t n = like.numel();
  if (t.device() != like.device()) return false;
  if (t.dtype() == dtype && t.shape() == like.shape() && t.is_flat()) {
    out = flat_view(t.data(), dtype, n);
    return true;
  }
  if (n > kNumbers || t.numel() == 0 || !uniform(t) || (t.dtype() != dtype && !t->weak)) return false;
  room.set((t.numel() == 1 ? t : alias(t, {}, {}, t->offset)).item(), dtype, n);
  out = flat_view(room.bytes, dtype, n);
  return true;
}

// kernel_gradient where all operands have the gradient's dtype and shape, or are numbers.
bool quick_gradient(EwOp op, int arity, const Tensor& g, const Tensor* x, const Tensor& y, const double* p,
                    Tensor& out) {
  const DType dtype = g.dtype();
  if ((dtype != DType::float32 && dtype != DType::float64) || g.device().type != DeviceType::cpu || g.numel() == 0)
    return false;
  Spread room[kMaxArity + 2];
  View in[kMaxArity + 2];
  const Tensor* dense = nullptr;
  for (int k = 0; k < arity + 2; ++k) {
    const Tensor& t = k == 0 ? g : k <= arity ? x[k - 1] : y;
    if (!t.defined()) {
      in[k] = in[0];
      continue;
    }
    if (!flatten_operand(t, g, dtype, room[k], in[k])) return false;
    if (!dense && t.shape() == g.shape() && t.is_flat()) dense = &t;
  }
  out = dense ? allocate_dense_like(*dense, dtype) : allocate(g.shape(), dtype);
  kernel(&Kernels::elementwise, Device{})(op, dtype, in, arity + 2, flat_view(out.data(), dtype, g.numel()), p);
  return true;
}

// Gradient of one input by the fused kernel: no history.
Tensor kernel_gradient(Ew op, int i, int arity, const Tensor& g, const Tensor* x, const Tensor& y, const double* p) {
  const Dims& shape = g.shape();
  if (Tensor quick; quick_gradient(EwOp{op, uint8_t(i + 1)}, arity, g, x, y, p, quick)) return quick;
  const Tensor* like = &g;  // an expanded g has no memory order of its own
  for (int k = 0; k < arity && uniform(g); ++k)
    if (x[k].defined() && x[k].shape() == shape && x[k].dtype() == g.dtype() && !uniform(x[k])) like = &x[k];
  Tensor out = allocate_like(*like);
  View in[kMaxArity + 2];
  in[0] = broadcast_view(g, shape);
  for (int k = 0; k < arity; ++k) in[k + 1] = x[k].defined() ? broadcast_view(x[k], shape) : in[0];
  in[arity + 1] = y.defined() ? broadcast_view(y, shape) : in[0];
  kernel(&Kernels::elementwise, g.device())(EwOp{op, uint8_t(i + 1)}, compute_dtype(g.dtype()), in, arity + 2,
                                            out.view_of(), p);
  return out;
}

struct Backward {
  Ew op;
  std::array<double, 3> p;
  std::array<Saved, kMaxArity> x;
  Saved y;
  // Shapes and dtypes of the inputs, to undo broadcasting and promotion.
  std::array<Dims, kMaxArity> shape;
  std::array<DType, kMaxArity> dtype;

  void operator()(Grads& d, const Tensor& g) const {
    const EwInfo& info = ew_info(op);
    std::array<Tensor, kMaxArity> in;
    for (int i = 0; i < info.arity; ++i) {
      in[size_t(i)] = x[size_t(i)].get();
      if (grad_enabled() && !in[size_t(i)].defined()) in[size_t(i)] = g;  // not saved because no gradient reads it
    }
    const Tensor out = y.get();
    for (int i = 0; i < info.arity; ++i) {
      if (!d.want(size_t(i))) continue;
      const bool passes = (op == Ew::Add && (i == 0 || p[0] == 1)) || (op == Ew::Sub && i == 0);
      Tensor r = passes           ? g
                 : grad_enabled() ? info.gradient[i](g, in.data(), out, p.data())
                                  : kernel_gradient(op, i, info.arity, g, in.data(), out, p.data());
      if (r.shape() != shape[size_t(i)]) r = sum_to(r, shape[size_t(i)]);
      if (r.dtype() != dtype[size_t(i)]) r = to(r, dtype[size_t(i)]);
      d[size_t(i)] = std::move(r);
    }
  }
};

// The old value with the old history, where the gradient reads what the write destroys.
Tensor copy_before_write(const Tensor& self) {
  const Tensor old = before_write(self);
  Tensor copied;
  {
    const NoGrad off;
    copied = clone(self);
  }
  if (old->autograd) copied->autograd = std::move(old->autograd);
  return copied;
}

bool needs_history(const Call& c) {
  if (!grad_enabled() || !c.info.spec.differentiable) return false;
  for (int i = 0; i < c.arity(); ++i)
    if (c.x[size_t(i)].requires_grad()) return true;
  return false;
}

// Products and quotients read an operand only for the gradient of the other one: a later write to it must not matter.
bool reads(const Call& c, int i) {
  if (c.op == Ew::Mul) return c.x[size_t(1 - i)].requires_grad();
  if (c.op == Ew::Div) return i == 1 || c.x[1].requires_grad();
  return true;
}

// The result of a power is read for the gradient of its exponent alone: `y = x ** 2; y /= 2` is fine.
bool reads_output(const Call& c) { return c.op != Ew::Pow || c.x[1].requires_grad(); }

Backward backward_of(const Call& c, const Tensor& y) {
  const EwSaves saves = c.info.spec.saves;
  Backward b{c.op, c.p, {}, {}, {}, {}};
  for (int i = 0; i < c.arity(); ++i) {
    const Tensor& t = c.x[size_t(i)];
    if ((saves == EwSaves::inputs || saves == EwSaves::both) && reads(c, i)) b.x[size_t(i)] = save(t);
    b.shape[size_t(i)] = t.shape();
    b.dtype[size_t(i)] = t.dtype();
  }
  if (saves == EwSaves::output || (saves == EwSaves::both && reads_output(c))) b.y = save_output(y);
  return b;
}

void connect_operands(Node& node, const Call& c) {
  const std::array<std::reference_wrapper<const Tensor>, kMaxArity> in{c.x[0], c.x[1], c.x[2]};
  connect(node, {in.data(), size_t(c.arity())});
}

Ref<Node> history(const Call& c, const Tensor& y) {
  auto node = make_ref<LambdaNode<Backward>>(c.info.name.data(), backward_of(c, y));
  connect_operands(*node, c);
  return node;
}

// ---- the common call ----

bool number_fits(const Scalar& s, DType dtype) { return is_floating(dtype) || (!s.is_floating() && !s.is_bool()); }

// Tensors of one compute dtype and shape, row-major on the CPU, and numbers that do not widen them: no promotion, no
// broadcasting, no lookups. False when the call is anything else. The kernel computes each element as it always does.
bool quick(Ew op, const EwInfo& info, std::span<const EwArg> args, Tensor& y) {
  if (args.size() != size_t(info.arity)) return false;
  const EwKind kind = info.spec.kind;
  const Tensor* t = args[0].tensor ? args[0].tensor : args.size() > 1 ? args[1].tensor : nullptr;
  if (!t || !t->defined() || t->numel() == 0 || !t->is_flat() || t->device().type != DeviceType::cpu) return false;
  const DType dtype = t->dtype();
  const bool computes =
      dtype == DType::float32 || dtype == DType::float64 || (dtype == DType::int64 && kind != EwKind::floating);
  if (!computes || (kind != EwKind::floating && kind != EwKind::arithmetic && kind != EwKind::predicate)) return false;
  const int64_t n = t->numel();
  for (const EwArg& a : args) {
    if (!a.tensor) {
      if (n > kNumbers || !number_fits(a.number, dtype)) return false;
      continue;
    }
    const Tensor& x = *a.tensor;
    if (!x.defined() || x->weak || x.dtype() != dtype || x.device() != t->device()) return false;
    if (a.tensor != t && (x.shape() != t->shape() || !x.is_flat())) return false;
  }
  y = allocate_dense_like(*t, kind == EwKind::predicate ? DType::bool_ : dtype);
  Spread numbers[kMaxArity];
  View in[kMaxArity];
  for (size_t i = 0; i < args.size(); ++i) {
    if (!args[i].tensor) numbers[i].set(args[i].number, dtype, n);
    in[i] = flat_view(args[i].tensor ? args[i].tensor->data() : numbers[i].bytes, dtype, n);
  }
  const double p[3] = {info.spec.params[0].value, info.spec.params[1].value, info.spec.params[2].value};
  kernel(&Kernels::elementwise, Device{})(EwOp{op, 0}, dtype, in, info.arity, flat_view(y.data(), y.dtype(), n), p);
  return true;
}

bool needs_history(const EwInfo& info, std::span<const EwArg> args) {
  if (!grad_enabled() || !info.spec.differentiable) return false;
  for (const EwArg& a : args)
    if (a.tensor && (*a.tensor)->autograd && a.tensor->requires_grad()) return true;
  return false;
}

}  // namespace

Tensor elementwise(Ew op, std::span<const EwArg> args) {
  const EwInfo& info = ew_info(op);
  if (Tensor y; quick(op, info, args, y)) {
    if (needs_history(info, args)) set_history(history(parse(op, nullptr, args), y), {&y, 1});
    return y;
  }
  Call c = parse(op, nullptr, args);
  DType promoted;
  const DType dtype = result_dtype(c, promoted);
  round_numbers(c, promoted);
  Tensor y = allocate_result(c, result_shape(c), dtype);
  run_forward(c, promoted, y);
  if (needs_history(c)) set_history(history(c, y), {&y, 1});
  return y;
}

Tensor reduced_terms(Ew op, std::span<const EwArg> args, Reduction reduction) {
  if (reduction == Reduction::none) return elementwise(op, args);
  Tensor y;
  Dims shape;
  const bool by_mean = reduction == Reduction::mean;
  {
    const NoGrad off;
    const Tensor terms = elementwise(op, args);
    shape = terms.shape();
    y = by_mean ? mean(terms) : sum(terms);
  }
  if (!needs_history(ew_info(op), args)) return y;
  const Call c = parse(op, nullptr, args);
  auto backward = [terms = backward_of(c, y), shape, by_mean](Grads& d, const Tensor& g) {
    terms(d, expand(by_mean ? g / double(numel_of(shape)) : g, Size(shape)));
  };
  auto node = make_ref<LambdaNode<decltype(backward)>>(c.info.name.data(), std::move(backward));
  connect_operands(*node, c);
  set_history(node, {&y, 1});
  return y;
}

Tensor& elementwise_(Ew op, Tensor& self, std::span<const EwArg> others) {
  Call c = parse(op, &self, others);
  const std::string label = c.name() + "_";
  DType promoted;
  const DType dtype = result_dtype(c, promoted);
  const bool loses =
      (is_floating(dtype) && !is_floating(self.dtype())) || (self.dtype() == DType::bool_ && dtype != DType::bool_);
  if (loses)
    raise<DtypeError>(label, ": the result is ", lamina::name(dtype), " and does not fit in ", describe("self", self));
  const Dims shape = result_shape(c);
  if (shape != self.shape())
    raise<ShapeError>(label, ": the result has shape ", to_string(shape), " but the tensor written is ",
                      describe("self", self));
  check_writable(label.c_str(), self);
  round_numbers(c, promoted);
  // An operand that overlaps self other than exactly would be read after it was written.
  for (int i = 1; i < c.arity(); ++i) {
    Tensor& t = c.x[size_t(i)];
    if (t->storage == self->storage &&
        (t->offset != self->offset || t.shape() != self.shape() || t.stride() != self.stride()))
      t = clone(t);
  }
  if (!c.info.spec.differentiable) {  // a truth value in place of self: its history ends here
    InplaceWrite write(c.info.name.data(), self, {});
    run_forward(c, promoted, self);
    return write.done([](Grads& d, const Tensor& g) { d[0] = zeros_like(g); }), self;
  }
  const bool record_it = needs_history(c);
  if (record_it) {
    check_view_origin(label.c_str(), self);
    const EwSaves saves = c.info.spec.saves;
    for (int i = 0; i < c.arity(); ++i) {  // x.mul_(x): an operand may be self again
      Tensor& t = c.x[size_t(i)];
      if (t->storage != self->storage) continue;
      const bool keeps = (saves == EwSaves::inputs || saves == EwSaves::both) && reads(c, i);
      t = keeps ? copy_before_write(t) : before_write(t);
    }
  }
  {
    const Pinned pinned(self);
    run_forward(c, promoted, self);
  }
  wrote(self);
  if (record_it) rebase_history(self, history(c, self));
  return self;
}

}  // namespace lamina
