// Indexing by tensors: index, index_put, index_select, gather, scatter and what is built on them.
#include "index.h"

#include <algorithm>

#include "inplace.h"
#include "lamina/autograd.h"
#include "lamina/devices.h"
#include "lamina/ops.h"

namespace lamina {
namespace {

using Indices = std::vector<Tensor>;

// One int64 index per dim of x, undefined where the dim is kept whole: masks become coordinates.
Indices resolve(const char* op, const Tensor& x, const TensorList& given) {
  const NoGrad guard;
  Indices out;
  for (const Tensor& t : given) {
    if (!t.defined()) {
      out.emplace_back();
      continue;
    }
    const DType type = t.dtype();
    if (is_floating(type)) raise<DtypeError>(op, ": an index must hold integers or bool, got ", describe("index", t));
    const bool mask = type == DType::bool_ || type == DType::uint8;  // uint8 as in PyTorch; Python warns
    const Tensor here = t.device() == x.device() ? t : to(t, {}, x.device());
    if (!mask) {
      out.push_back(to(here, DType::int64));
      continue;
    }
    if (t.dim() == 0) raise<lamina::IndexError>(op, ": a 0-d mask cannot stand among indices");
    for (int64_t d = 0; d < t.dim(); ++d) {
      const size_t at = out.size() + size_t(d);
      if (at >= x.shape().size())
        raise<lamina::IndexError>(op, ": too many indices: ", describe("mask", t), " at dim ", out.size(), " of ",
                                  describe("input", x));
      if (t.shape()[size_t(d)] != x.shape()[at])
        raise<lamina::IndexError>(op, ": a mask of shape ", to_string(t.shape()), " does not fit: dim ", d,
                                  " has size ", t.shape()[size_t(d)], " but dim ", at,
                                  " of the indexed tensor has size ", x.shape()[at], ": ", describe("input", x));
    }
    for (Tensor& c : where(here)) out.push_back(std::move(c));
  }
  if (out.size() > x.shape().size())
    raise<lamina::IndexError>(op, ": too many indices: ", out.size(), " for ", describe("input", x));
  out.resize(x.shape().size());
  return out;
}

// How a call of the kernel sees x and the result. Positions (the broadcast shape of the indices) lead, kept dims
// follow.
struct Plan {
  Dims shape;               // of the result, as people see it
  Dims order;               // result dim of each kernel dim
  View x;                   // expanded to the kernel's shape
  std::vector<View> index;  // broadcast to the positions
  Dims size, stride, dims;  // of the indexed dims
  Indices tensors;          // keeps the memory of `index`

  // The kernel's view of a tensor of the result's shape.
  View arranged(const Tensor& t) const {
    View v = t.view_of(), r = v;
    for (size_t i = 0; i < order.size(); ++i) {
      r.shape[i] = v.shape[order[i]];
      r.stride[i] = v.stride[order[i]];
    }
    return r;
  }
};

View stretched(const Tensor& t, const Dims& shape) {
  View v = t.view_of();
  const size_t skip = shape.size() - t.shape().size();
  v.ndim = int32_t(shape.size());
  for (size_t i = shape.size(); i-- > 0;) {
    const bool own = i >= skip && t.shape()[i - skip] == shape[i];
    v.stride[i] = own ? v.stride[i - skip] : 0;
    v.shape[i] = shape[i];
  }
  return v;
}

// The dim of the result at which the positions stand: neighbouring indices leave their dims in place, indices apart
// from each other go to the front.
int64_t positions_at(const Indices& list) {
  int64_t first = -1, last = -1, given = 0;
  for (size_t d = 0; d < list.size(); ++d) {
    if (!list[d].defined()) continue;
    if (first < 0) first = int64_t(d);
    last = int64_t(d);
    ++given;
  }
  return last - first + 1 == given ? first : 0;
}

Plan make_plan(const char* op, const Tensor& x, const Indices& list) {
  Plan p;
  p.x = x.view_of();
  std::vector<const Tensor*> given;
  for (size_t d = 0; d < list.size(); ++d) {
    if (!list[d].defined()) continue;
    given.push_back(&list[d]);
    p.tensors.push_back(list[d]);
    p.size.push_back(x.shape()[d]);
    p.stride.push_back(p.x.stride[d]);
    p.dims.push_back(int64_t(d));
  }
  const Dims positions = broadcast_shapes(op, given);
  const int64_t at = positions_at(list);
  Dims kept, kept_stride;
  for (size_t d = 0; d < list.size(); ++d) {
    if (list[d].defined()) continue;
    kept.push_back(x.shape()[d]);
    kept_stride.push_back(p.x.stride[d]);
  }
  const auto n = int64_t(positions.size()), k = int64_t(kept.size());
  if (n + k > kMaxDims)
    raise<ShapeError>(op, ": the result would have ", n + k, " dims; at most ", kMaxDims, " are supported");
  for (int64_t i = 0; i < at; ++i) p.shape.push_back(kept[size_t(i)]);
  for (int64_t s : positions) p.shape.push_back(s);
  for (int64_t i = at; i < k; ++i) p.shape.push_back(kept[size_t(i)]);
  for (int64_t i = 0; i < n; ++i) p.order.push_back(at + i);
  for (int64_t i = 0; i < k; ++i) p.order.push_back(i < at ? i : n + i);
  p.x.ndim = int32_t(n + k);
  for (int64_t i = 0; i < n + k; ++i) {
    p.x.shape[i] = i < n ? positions[size_t(i)] : kept[size_t(i - n)];
    p.x.stride[i] = i < n ? 0 : kept_stride[size_t(i - n)];
  }
  for (const Tensor* t : given) p.index.push_back(stretched(*t, positions));
  return p;
}

// The first index out of range, for the error.
[[noreturn]] void raise_bad_index(const char* op, const Indices& tensors, const Dims& sizes, const Dims& dims,
                                  bool wrap, const Tensor& x) {
  for (size_t k = 0; k < tensors.size(); ++k) {
    const Tensor t = contiguous(to(tensors[k].detach(), {}, Device{}));
    const auto* p = static_cast<const int64_t*>(t.data());
    for (int64_t i = 0; i < t.numel(); ++i)
      if (p[i] < (wrap ? -sizes[k] : 0) || p[i] >= sizes[k])
        raise<lamina::IndexError>(op, ": index ", p[i], " is out of range for dim ", dims[k], " of size ", sizes[k],
                                  ": ", describe("input", x));
  }
  raise<lamina::IndexError>(op, ": an index is out of range for ", describe("input", x));
}

// dtype in which repeated additions into x are done: f32 for the half types, int64 for the small integers. Where many
// values meet in few places, f32 sums are kept in f64.
DType accumulation_dtype(const Tensor& x, int64_t values) {
  if (!is_floating(x.dtype())) return DType::int64;
  if (x.dtype() == DType::float64 || values / 2 >= x.numel()) return DType::float64;
  return DType::float32;
}

// write(target) with target = x, or a copy of x in the accumulation dtype that is written back.
template <class F>
void accumulated(const Tensor& x, int64_t values, F&& write) {
  const DType wide = accumulation_dtype(x, values);
  if (wide == x.dtype()) return write(x);
  const NoGrad guard;
  const Tensor sum = to(x, wide);
  write(sum);
  kernel(&Kernels::copy, x.device())(sum.view_of(), x.view_of());
}

Indices get_all(const std::vector<Saved>& saved) {
  Indices list;
  for (const Saved& s : saved) list.push_back(s.defined() ? s.get() : Tensor());
  return list;
}
std::vector<Saved> save_all(const Indices& list) {
  std::vector<Saved> saved;
  for (const Tensor& t : list) saved.push_back(t.defined() ? save(t) : Saved());
  return saved;
}

bool none_given(const Indices& list) {
  return std::none_of(list.begin(), list.end(), [](const Tensor& t) { return t.defined(); });
}

void write_indexed(const char* op, const Tensor& self, const Indices& list, const Tensor& values, bool accumulate,
                   bool wrap);

// index for a resolved list. `wrap` allows negative indices.
Tensor get_indexed(const char* op, const Tensor& x, const Indices& list, bool wrap) {
  if (none_given(list)) return alias(x);
  const Plan p = make_plan(op, x, list);
  Tensor y = allocate(p.shape, x.dtype(), x.device());
  bool bad = false;
  kernel(&Kernels::index, x.device())(p.x, p.index.data(), int(p.index.size()), p.size.data(), p.stride.data(), wrap,
                                      p.arranged(y), &bad);
  if (bad) raise_bad_index(op, p.tensors, p.size, p.dims, wrap, x);
  if (recording({x}))
    record(op, y, {x}, [op, saved = save_all(list), shape = x.shape(), wrap](Grads& d, const Tensor& g) {
      const Tensor z = zeros(shape, g.dtype(), g.device());
      write_indexed(op, z, get_all(saved), g, true, wrap);
      d[0] = z;
    });
  return y;
}

// values without leading dims of size 1 that the target does not have.
Tensor stripped(const Tensor& values, const Dims& target) {
  if (values.shape().size() <= target.size()) return values;
  const size_t extra = values.shape().size() - target.size();
  for (size_t i = 0; i < extra; ++i)
    if (values.shape()[i] != 1) return values;
  return reshape(values, Dims(values.shape().data() + extra, target.size()));
}

void write_indexed(const char* op, const Tensor& self, const Indices& list, const Tensor& given, bool accumulate,
                   bool wrap) {
  self->storage->settle();  // before the plan looks at its memory
  const Plan p = make_plan(op, self, list);
  Tensor values = stripped(given, p.shape);
  const Tensor* both[] = {&values};
  if (values.shape().size() > p.shape.size() || (values.numel() != 1 && broadcast_shapes(op, both) != p.shape)) {
    for (size_t i = 0; i < std::max(values.shape().size(), p.shape.size()); ++i) {
      const int64_t v = i < values.shape().size() ? values.shape()[values.shape().size() - 1 - i] : 1;
      const int64_t want = i < p.shape.size() ? p.shape[p.shape.size() - 1 - i] : -1;
      if (v != want && (v != 1 || want < 0))
        raise<ShapeError>(op, ": ", describe("values", given), " do not broadcast to the indexed shape ",
                          to_string(p.shape), " of ", describe("self", self));
    }
  }
  InplaceWrite w(op, self, {values});
  {
    const NoGrad guard;
    Tensor from = values.device() == self.device() ? values : to(values, {}, self.device());
    if (from->storage == self->storage) from = clone(from);
    const auto write = [&](const Tensor& target) {
      const Tensor same = expand(to(from, target.dtype()), p.shape);
      Plan q = p;
      if (!is_same(target, self)) q = make_plan(op, target, list);
      for (Tensor& t : q.tensors)
        if (t->storage == target->storage)
          raise<ValueError>(op, ": an index shares memory with the tensor written; clone() it first");
      bool bad = false;
      kernel(&Kernels::index_put, self.device())(q.x, q.index.data(), int(q.index.size()), q.size.data(),
                                                 q.stride.data(), wrap, q.arranged(same), accumulate, &bad);
      if (bad) raise_bad_index(op, q.tensors, q.size, q.dims, wrap, self);
    };
    if (accumulate) {
      accumulated(self, numel_of(p.shape), write);
    } else {
      write(self);
    }
  }
  w.done([op, saved = save_all(list), shape = values.shape(), dtype = values.dtype(), accumulate, wrap](
             Grads& d, const Tensor& g) {
    const Indices at = get_all(saved);
    if (d.want(0)) {
      d[0] = g;
      if (!accumulate) {
        const Tensor rest = clone(g);
        write_indexed(op, rest, at, zeros(Dims{}, g.dtype(), g.device()), false, wrap);
        d[0] = rest;
      }
    }
    if (!d.want(1)) return;
    Tensor written = get_indexed(op, g, at, wrap);
    if (const Tensor last = accumulate ? Tensor() : last_writers(at, g.shape()); last.defined()) {
      Dims beside = last.shape();  // the kept dims that follow the positions
      for (size_t k = size_t(positions_at(at)) + last.shape().size(); k < written.shape().size(); ++k)
        beside.push_back(1);
      written = without_lost(written, reshape(last, Size(beside)));
    }
    d[1] = to(sum_to(written, shape), dtype);
  });
}

// A list with one index, at dim.
Indices one_index(const Tensor& x, int64_t dim, const Tensor& index) {
  Indices list(x.shape().size());
  list[size_t(dim)] = index;
  return list;
}

Tensor as_index(const char* op, const Tensor& index, const Tensor& x) {
  if (index.dtype() != DType::int64 && index.dtype() != DType::int32 && index.numel() > 0)
    raise<DtypeError>(op, ": index must be int64 or int32, got ", describe("index", index), "; use .long()");
  if (index.device() != x.device())
    raise<DeviceError>(op, ": input and index live on different devices: ", describe("input", x), ", ",
                       describe("index", index));
  return to(index, DType::int64);
}

Tensor line_index(const char* op, const Tensor& index, const Tensor& x) {
  if (index.dim() > 1) raise<lamina::IndexError>(op, ": index must have at most 1 dim, got ", describe("index", index));
  const Tensor i = as_index(op, index, x);
  return i.dim() == 0 ? reshape(i, {1}) : i;
}

// A 0-d tensor acts as one of 1 dim.
Tensor at_least_1d(const Tensor& x) { return x.dim() == 0 ? alias(x, Dims{1}, Dims{1}, x->offset) : x; }

// Sizes of index against x (all dims but `dim`) or against src (all dims).
void check_index_fits(const char* op, const Tensor& index, const char* label, const Tensor& x, int64_t dim) {
  const Tensor a = at_least_1d(index), b = at_least_1d(x);
  bool fits = a.dim() == b.dim() || index.numel() == 0;
  for (size_t i = 0; fits && i < a.shape().size() && index.numel() > 0; ++i)
    fits = int64_t(i) == dim || a.shape()[i] <= b.shape()[i];
  if (!fits)
    raise<ShapeError>(op, ": index must have the dims of ", label, " and be no larger",
                      dim >= 0 ? str(" in any dim but ", dim) : std::string(), ": ", describe(label, x), ", ",
                      describe("index", index));
}

// Views for the kernels of gather and scatter: x follows the position in every dim but `dim`.
struct Along {
  View x, index;
  int64_t size, stride;
  Along(const Tensor& input, int64_t dim, const Tensor& i)
      : x(at_least_1d(input).view_of()), index(at_least_1d(i).view_of()) {
    size = x.shape[dim];
    stride = x.stride[dim];
    for (int d = 0; d < x.ndim; ++d) x.shape[d] = index.shape[d];
    x.stride[dim] = 0;
  }
};

View of_shape(const Tensor& t, const View& shape) {
  View v = at_least_1d(t).view_of();
  if (t.dim() == 0)
    for (int d = 0; d < shape.ndim; ++d) v.stride[d] = 0;
  v.ndim = shape.ndim;
  for (int d = 0; d < shape.ndim; ++d) v.shape[d] = shape.shape[d];
  return v;
}

// self[index along dim] = or += src, where src has at least index's sizes or is a 0-d value.
Tensor write_along(const char* op, const Tensor& self, int64_t dim_given, const Tensor& index_given, const Tensor& src,
                   bool value, bool accumulate) {
  const int64_t dim = wrap_dim(dim_given, self.dim(), op);
  const Tensor index = as_index(op, index_given, self);
  check_index_fits(op, index, "self", self, dim);
  if (!value) {
    check_index_fits(op, index, "src", src, -1);
    if (src.dtype() != self.dtype())
      raise<DtypeError>(op, ": src must have the dtype of self: ", describe("self", self), ", ", describe("src", src));
  }
  InplaceWrite w(op, self, {src});
  if (index.numel() > 0) {
    const NoGrad guard;
    Tensor from = to(src, self.dtype(), self.device());
    if (from->storage == self->storage) from = clone(from);
    const Tensor places = index->storage == self->storage ? clone(index) : index;
    const auto write = [&](const Tensor& target) {
      const Along a(target, dim, places);
      const Tensor same = to(from, target.dtype());
      bool bad = false;
      kernel(&Kernels::index_put, self.device())(a.x, &a.index, 1, &a.size, &a.stride, false, of_shape(same, a.index),
                                                 accumulate, &bad);
      if (bad) raise_bad_index(op, {places}, Dims{a.size}, Dims{dim}, false, self);
    };
    if (accumulate) {
      accumulated(self, index.numel(), write);
    } else {
      write(self);
    }
  }
  return w.done([op, dim, at = save(index), value, accumulate, shape = src.shape()](Grads& d, const Tensor& g) {
    const Tensor i = at.get();
    if (d.want(0)) d[0] = accumulate ? g : scatter(g, dim, i, Scalar(0));
    if (!d.want(1)) return;
    Tensor s = gather(g, dim, i);
    if (const Tensor last = accumulate ? Tensor() : last_writers_along(dim, g.dim() == 0 ? 1 : g.size(dim), i);
        last.defined())
      s = without_lost(s, last);
    if (value) {
      s = sum(s);
    } else if (s.shape() != shape) {
      Dims grow;
      for (size_t k = shape.size(); k-- > 0;) {
        grow.push_back(0);
        grow.push_back(shape[k] - s.shape()[k]);
      }
      s = pad(s, grow, "constant");
    }
    d[1] = s;
  });
}

Tensor number_like(const Tensor& x, Scalar value) { return full(Dims{}, value, x.dtype(), x.device()); }

// True for 'add'; 'multiply' has a way of its own.
bool adds(const char* op, std::optional<std::string_view> reduce) {
  if (reduce && *reduce != "add")
    raise<ValueError>(op, ": reduce must be None, 'add' or 'multiply', got '", *reduce, "'");
  return reduce.has_value();
}

}  // namespace

void combine_along(const char* op, ReduceOp how, const Tensor& self, int64_t dim, const Tensor& index_given,
                   const Tensor& src) {
  const NoGrad guard;
  const Tensor index = as_index(op, index_given, self);
  check_index_fits(op, index, "self", self, dim);
  check_index_fits(op, index, "src", src, -1);
  if (src.dtype() != self.dtype())
    raise<DtypeError>(op, ": src must have the dtype of self: ", describe("self", self), ", ", describe("src", src));
  if (index.numel() == 0) return;
  const DType wide = self.dtype() == DType::float64 ? DType::float64
                     : is_floating(self.dtype())    ? DType::float32
                                                    : DType::int64;
  const Tensor target = to(self, wide), from = to(src, wide);
  const Along a(target, dim, index);
  bool bad = false;
  kernel(&Kernels::index_reduce, self.device())(how, a.x, &a.index, 1, &a.size, &a.stride, false,
                                                of_shape(from, a.index), &bad);
  if (bad) raise_bad_index(op, {index}, Dims{a.size}, Dims{dim}, false, self);
  if (!is_same(target, self)) kernel(&Kernels::copy, self.device())(target.view_of(), self.view_of());
}

// ---- index ----

Tensor index(const Tensor& x, const TensorList& indices) {
  return get_indexed("index", x, resolve("index", x, indices), true);
}

Tensor index_put_(const Tensor& self, const TensorList& indices, const Tensor& values, bool accumulate) {
  const Indices list = resolve("index_put_", self, indices);
  if (none_given(list)) {
    if (accumulate) raise<ValueError>("index_put_: accumulate needs at least one index tensor");
    return copy_(self, values);
  }
  write_indexed("index_put_", self, list, values, accumulate, true);
  return self;
}
Tensor index_put(const Tensor& x, const TensorList& indices, const Tensor& values, bool accumulate) {
  const Tensor y = clone(x);
  return index_put_(y, indices, values, accumulate);
}

Tensor index_select(const Tensor& x, int64_t dim, const Tensor& index) {
  const int64_t d = wrap_dim(dim, x.dim(), "index_select");
  const Tensor i = line_index("index_select", index, x);
  if (x.dim() == 0)
    return reshape(get_indexed("index_select", reshape(x, {1}), {i}, false), i.numel() == 1 ? Dims{} : i.shape());
  return get_indexed("index_select", x, one_index(x, d, i), false);
}

Tensor index_add_(const Tensor& self, int64_t dim, const Tensor& index, const Tensor& source, Scalar alpha) {
  const int64_t d = wrap_dim(dim, self.dim(), "index_add_");
  const Tensor i = line_index("index_add_", index, self);
  if (self.dim() == 0) {
    index_add_(unsqueeze(self, 0), 0, index, source.dim() == 0 ? unsqueeze(source, 0) : source, alpha);
    return self;
  }
  Dims want = self.shape();
  want[size_t(d)] = i.numel();
  if (source.shape() != want)
    raise<ShapeError>("index_add_: source must have shape ", to_string(want), ", got ", describe("source", source),
                      " for ", describe("self", self));
  const bool one = alpha.to_double() == 1;
  write_indexed("index_add_", self, one_index(self, d, i),
                one ? source : elementwise(Ew::Mul, {source, weak_scalar(alpha)}), true, false);
  return self;
}
Tensor index_add(const Tensor& x, int64_t dim, const Tensor& index, const Tensor& source, Scalar alpha) {
  const Tensor y = clone(x);
  return index_add_(y, dim, index, source, alpha);
}
Tensor index_copy_(const Tensor& self, int64_t dim, const Tensor& index, const Tensor& source) {
  const int64_t d = wrap_dim(dim, self.dim(), "index_copy_");
  if (self.dim() == 0) {
    index_copy_(unsqueeze(self, 0), 0, index, source.dim() == 0 ? unsqueeze(source, 0) : source);
    return self;
  }
  const Tensor i = line_index("index_copy_", index, self);
  Dims want = self.shape();
  want[size_t(d)] = i.numel();
  if (source.shape() != want)
    raise<ShapeError>("index_copy_: source must have shape ", to_string(want), ", got ", describe("source", source),
                      " for ", describe("self", self));
  write_indexed("index_copy_", self, one_index(self, d, i), source, false, false);
  return self;
}
Tensor index_copy(const Tensor& x, int64_t dim, const Tensor& index, const Tensor& source) {
  const Tensor y = clone(x);
  return index_copy_(y, dim, index, source);
}
Tensor index_fill_(const Tensor& self, int64_t dim, const Tensor& index, const Operand& value) {
  const int64_t d = wrap_dim(dim, self.dim(), "index_fill_");
  if (self.dim() == 0) {
    index_fill_(unsqueeze(self, 0), 0, index, value);
    return self;
  }
  if (value.dim() > 0)
    raise<ShapeError>("index_fill_: value must be a number or a 0-d tensor, got ", describe("value", value));
  write_indexed("index_fill_", self, one_index(self, d, line_index("index_fill_", index, self)), value, false, true);
  return self;
}
Tensor index_fill(const Tensor& x, int64_t dim, const Tensor& index, const Operand& value) {
  const Tensor y = clone(x);
  return index_fill_(y, dim, index, value);
}

// ---- gather and scatter ----

Tensor gather(const Tensor& x, int64_t dim_given, const Tensor& index_given) {
  const int64_t dim = wrap_dim(dim_given, x.dim(), "gather");
  const Tensor i = as_index("gather", index_given, x);
  check_index_fits("gather", i, "input", x, dim);
  Tensor y = allocate(i.shape(), x.dtype(), x.device());
  if (i.numel() > 0) {
    const Along a(x, dim, i);
    bool bad = false;
    kernel(&Kernels::index, x.device())(a.x, &a.index, 1, &a.size, &a.stride, false, at_least_1d(y).view_of(), &bad);
    if (bad) raise_bad_index("gather", {i}, Dims{a.size}, Dims{dim}, false, x);
  }
  if (recording({x}))
    record("gather", y, {x}, [at = save(i), dim, shape = x.shape()](Grads& d, const Tensor& g) {
      d[0] = scatter_add_(zeros(shape, g.dtype(), g.device()), dim, at.get(), g);
    });
  return y;
}

Tensor scatter_(const Tensor& self, int64_t dim, const Tensor& index, const Tensor& src,
                std::optional<std::string_view> reduce) {
  if (reduce && *reduce == "multiply") return scatter_reduce_(self, dim, index, src, "prod", true);
  return write_along("scatter_", self, dim, index, src, false, adds("scatter_", reduce));
}
Tensor scatter_(const Tensor& self, int64_t dim, const Tensor& index, Scalar value,
                std::optional<std::string_view> reduce) {
  if (reduce && *reduce == "multiply")
    return scatter_reduce_(self, dim, index, expand(number_like(self, value), index.shape()), "prod", true);
  return write_along("scatter_", self, dim, index, number_like(self, value), true, adds("scatter_", reduce));
}
Tensor scatter_add_(const Tensor& self, int64_t dim, const Tensor& index, const Tensor& src) {
  return write_along("scatter_add_", self, dim, index, src, false, true);
}
Tensor scatter(const Tensor& x, int64_t dim, const Tensor& index, const Tensor& src,
               std::optional<std::string_view> reduce) {
  const Tensor y = clone(x);
  return scatter_(y, dim, index, src, reduce);
}
Tensor scatter(const Tensor& x, int64_t dim, const Tensor& index, Scalar value,
               std::optional<std::string_view> reduce) {
  const Tensor y = clone(x);
  return scatter_(y, dim, index, value, reduce);
}
Tensor scatter_add(const Tensor& x, int64_t dim, const Tensor& index, const Tensor& src) {
  const Tensor y = clone(x);
  return scatter_add_(y, dim, index, src);
}

Tensor take_along_dim(const Tensor& x, const Tensor& indices, std::optional<int64_t> dim) {
  if (!dim) return gather(reshape(x, {-1}), 0, reshape(indices, {-1}));
  const int64_t d = wrap_dim(*dim, x.dim(), "take_along_dim");
  if (x.dim() != indices.dim())
    raise<ShapeError>("take_along_dim: input and indices must have the same number of dims: ", describe("input", x),
                      ", ", describe("indices", indices));
  // Both broadcast in every dim but d.
  Dims a = x.shape(), b = indices.shape();
  for (size_t i = 0; i < a.size(); ++i) {
    if (int64_t(i) == d) continue;
    if (a[i] == 1) a[i] = b[i];
    if (b[i] == 1) b[i] = a[i];
  }
  const Tensor from_end = indices + (x.dim() == 0 ? 1 : x.size(d));  // negative ones count from the end
  return gather(expand(x, a), d, expand(where(indices < 0, from_end, indices), b));
}

}  // namespace lamina
