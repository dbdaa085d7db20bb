// Views: other shapes and strides of the same memory.
#include <algorithm>
#include <cstdlib>

#include "lamina/autograd.h"
#include "lamina/devices.h"
#include "lamina/ops.h"

namespace lamina {
namespace {

template <class F>
Tensor view_with(const char* name, const Tensor& x, const Dims& shape, const Dims& stride, int64_t offset, F backward) {
  Tensor y = alias(x, shape, stride, offset);
  if (recording({x})) record(name, y, {x}, std::move(backward));
  mark_view(y, x);
  return y;
}

// Replaces one -1 by what is left and checks the number of elements.
Dims resolve_shape(const char* op, const Tensor& x, const Dims& shape) {
  Dims out = shape;
  int64_t known = 1, open = -1;
  for (size_t i = 0; i < out.size(); ++i) {
    if (out[i] == -1) {
      if (open >= 0) raise<ShapeError>(op, ": only one size may be -1, got ", to_string(shape));
      open = int64_t(i);
    } else if (out[i] < 0) {
      raise<ShapeError>(op, ": negative size ", out[i], " in ", to_string(shape));
    } else {
      known = checked::mul(known, out[i], op);
    }
  }
  if (open >= 0) {
    if (known == 0)
      raise<ShapeError>(op, ": -1 is ambiguous with a size of 0 in ", to_string(shape), " for ", describe("input", x));
    if (x.numel() % known == 0) out[size_t(open)] = x.numel() / known;
  }
  if (numel_of(out.size() && open >= 0 && out[size_t(open)] < 0 ? Dims{0} : out) != x.numel() ||
      (open >= 0 && out[size_t(open)] < 0))
    raise<ShapeError>(op, ": shape ", to_string(shape), " does not fit ", describe("input", x), " of ", x.numel(),
                      " elements");
  return out;
}

// Strides of `shape` over x's memory, or nothing where a copy is needed. First merges dims of x that are contiguous
// among themselves, then splits each merged run among the new sizes, both from the right.
std::optional<Dims> view_strides(const Tensor& x, const Dims& shape) {
  if (x.numel() == 0) return contiguous_strides(shape);
  Dims run_size, run_stride;  // right to left
  for (size_t i = x.shape().size(); i-- > 0;) {
    const int64_t n = x.shape()[i], s = x.stride()[i];
    if (n == 1) continue;
    if (!run_size.empty() && s == run_stride.back() * run_size.back()) {
      run_size[run_size.size() - 1] *= n;
    } else {
      run_size.push_back(n);
      run_stride.push_back(s);
    }
  }
  Dims stride(shape.size(), 1);
  size_t run = 0;
  int64_t filled = 1;  // elements of the present run already given to new dims
  for (size_t i = shape.size(); i-- > 0;) {
    if (run < run_size.size() && filled == run_size[run] && shape[i] != 1) {
      ++run;
      filled = 1;
    }
    if (run == run_size.size()) {
      if (i + 1 < shape.size()) stride[i] = stride[i + 1] * shape[i + 1];
      continue;
    }
    stride[i] = run_stride[run] * filled;
    filled *= shape[i];
    if (run_size[run] % filled != 0) return std::nullopt;
  }
  return stride;
}

Tensor viewed(const char* name, const Tensor& x, const Dims& shape, const Dims& stride) {
  return view_with(name, x, shape, stride, x->offset,
                   [from = x.shape()](Grads& d, const Tensor& g) { d[0] = reshape(g, from); });
}

}  // namespace

Tensor reshape(const Tensor& x, const Size& shape) {
  const Dims to = resolve_shape("reshape", x, shape);
  if (const auto stride = view_strides(x, to)) return viewed("reshape", x, to, *stride);
  return viewed("reshape", contiguous(x), to, contiguous_strides(to));
}

Tensor view(const Tensor& x, const Size& shape) {
  const Dims to = resolve_shape("view", x, shape);
  const auto stride = view_strides(x, to);
  if (!stride)
    raise<ShapeError>("view: ", describe("input", x), " with strides ", to_string(x.stride()), " cannot be seen as ",
                      to_string(to), " without a copy; use reshape()");
  return viewed("view", x, to, *stride);
}

Tensor flatten(const Tensor& x, int64_t start_dim, int64_t end_dim) {
  const int64_t a = wrap_dim(start_dim, x.dim(), "flatten"), b = wrap_dim(end_dim, x.dim(), "flatten");
  if (a > b) raise<ShapeError>("flatten: start_dim ", start_dim, " lies behind end_dim ", end_dim);
  if (x.dim() == 0) return reshape(x, {1});
  Size shape;
  int64_t merged = 1;
  for (int64_t i = 0; i < x.dim(); ++i) {
    if (i < a || i > b) {
      shape.push_back(x.shape()[size_t(i)]);
      continue;
    }
    merged *= x.shape()[size_t(i)];
    if (i == b) shape.push_back(merged);
  }
  return a == b ? x : reshape(x, shape);
}

Tensor permute(const Tensor& x, const Size& dims) {
  const size_t n = x.shape().size();
  if (dims.size() != n) raise<ShapeError>("permute: got ", dims.size(), " dims for ", describe("input", x));
  Dims shape(n, 0), stride(n, 0), back(n, -1);
  for (size_t i = 0; i < n; ++i) {
    const size_t from = size_t(wrap_dim(dims[i], x.dim(), "permute"));
    if (back[from] >= 0) raise<ShapeError>("permute: dim ", dims[i], " is given twice in ", to_string(dims));
    back[from] = int64_t(i);
    shape[i] = x.shape()[from];
    stride[i] = x.stride()[from];
  }
  return view_with("permute", x, shape, stride, x->offset,
                   [back](Grads& d, const Tensor& g) { d[0] = permute(g, back); });
}

Tensor transpose(const Tensor& x, int64_t dim0, int64_t dim1) {
  const int64_t a = wrap_dim(dim0, x.dim(), "transpose"), b = wrap_dim(dim1, x.dim(), "transpose");
  Dims shape = x.shape(), stride = x.stride();
  if (x.dim() > 0) {
    std::swap(shape[size_t(a)], shape[size_t(b)]);
    std::swap(stride[size_t(a)], stride[size_t(b)]);
  }
  return view_with("transpose", x, shape, stride, x->offset,
                   [a, b](Grads& d, const Tensor& g) { d[0] = transpose(g, a, b); });
}

Tensor t(const Tensor& x) {
  if (x.dim() > 2)
    raise<ShapeError>("t: needs at most 2 dims, got ", describe("input", x), "; use transpose(dim0, dim1)");
  return x.dim() < 2 ? view_with(
                           "t", x, x.shape(), x.stride(), x->offset, [](Grads& d, const Tensor& g) { d[0] = g; })
                     : transpose(x, 0, 1);
}

Tensor squeeze(const Tensor& x, const OptDims& dim) {
  std::array<bool, kMaxDims> drop{};
  if (dim) {
    for (int64_t d : *dim) drop[size_t(wrap_dim(d, x.dim(), "squeeze"))] = true;
  } else {
    drop.fill(true);
  }
  Dims shape, stride;
  for (size_t i = 0; i < x.shape().size(); ++i) {
    if (drop[i] && x.shape()[i] == 1) continue;
    shape.push_back(x.shape()[i]);
    stride.push_back(x.stride()[i]);
  }
  return viewed("squeeze", x, shape, stride);
}

Tensor unsqueeze(const Tensor& x, int64_t dim) {
  const size_t at = size_t(wrap_dim(dim, x.dim() + 1, "unsqueeze"));
  Dims shape = x.shape(), stride = x.stride();
  stride.insert(at, at < shape.size() ? shape[at] * stride[at] : 1);
  shape.insert(at, 1);
  return viewed("unsqueeze", x, shape, stride);
}

Tensor expand(const Tensor& x, const Size& size) {
  if (size.size() < x.shape().size())
    raise<ShapeError>("expand: ", describe("input", x), " has more dims than ", to_string(size));
  const size_t skip = size.size() - x.shape().size();
  Dims shape = size, stride(size.size(), 0);
  for (size_t i = 0; i < size.size(); ++i) {
    const int64_t have = i < skip ? 1 : x.shape()[i - skip];
    if (shape[i] == -1 && i >= skip) shape[i] = have;
    if (shape[i] < 0 || (have != shape[i] && have != 1))
      raise<ShapeError>("expand: ", describe("input", x), " cannot become ", to_string(size), ": dim ", i, " has size ",
                        have);
    stride[i] = i >= skip && have == shape[i] ? x.stride()[i - skip] : 0;
  }
  numel_of(shape, "expand");
  return view_with("expand", x, shape, stride, x->offset,
                   [from = x.shape()](Grads& d, const Tensor& g) { d[0] = sum_to(g, from); });
}

Tensor narrow(const Tensor& x, int64_t dim, int64_t start, int64_t length) {
  const int64_t d = wrap_dim(dim, x.dim(), "narrow");
  if (x.dim() == 0) raise<ShapeError>("narrow: a 0-d tensor has no dim to narrow");
  const int64_t n = x.shape()[size_t(d)];
  if (start < -n || start > n) raise<IndexError>("narrow: start ", start, " is outside dim ", dim, " of size ", n);
  if (start < 0) start += n;
  if (length < 0 || length > n - start)
    raise<IndexError>("narrow: start ", start, " + length ", length, " goes beyond dim ", dim, " of size ", n);
  return slice(x, d, start, start + length, 1);
}

Tensor slice(const Tensor& x, int64_t dim, std::optional<int64_t> start, std::optional<int64_t> end, int64_t step) {
  const int64_t d = wrap_dim(dim, x.dim(), "slice");
  if (x.dim() == 0) raise<IndexError>("slice: a 0-d tensor cannot be sliced");
  if (step == 0) raise<ValueError>("slice: step must not be 0");
  const int64_t n = x.shape()[size_t(d)];
  // Python's clamping of slice bounds, for either direction.
  const auto clamp = [&](std::optional<int64_t> v, int64_t none) {
    if (!v) return none;
    int64_t i = *v < 0 ? *v + n : *v;
    return std::clamp<int64_t>(i, step > 0 ? 0 : -1, step > 0 ? n : n - 1);
  };
  const int64_t a = clamp(start, step > 0 ? 0 : n - 1), b = clamp(end, step > 0 ? n : -1);
  // Unsigned, because -step overflows for the smallest integer.
  const int64_t gap = step > 0 ? b - a : a - b;
  const uint64_t stride_of_step = step > 0 ? uint64_t(step) : 0 - uint64_t(step);
  const int64_t reach = gap > 0 ? int64_t((uint64_t(gap) - 1) / stride_of_step + 1) : 0;
  Dims shape = x.shape(), stride = x.stride();
  shape[size_t(d)] = reach;
  stride[size_t(d)] = reach > 1 ? checked::mul(stride[size_t(d)], step, "slice") : stride[size_t(d)];
  const int64_t offset = x->offset + (reach > 0 ? a * x.stride()[size_t(d)] : 0);
  return view_with("slice", x, shape, stride, offset, [from = x.shape(), d, a, step](Grads& r, const Tensor& g) {
    r[0] = slice_backward(g, from, d, a, step);
  });
}

Tensor select(const Tensor& x, int64_t dim, int64_t index) {
  const int64_t d = wrap_dim(dim, x.dim(), "select");
  if (x.dim() == 0) raise<IndexError>("select: a 0-d tensor has no dim to select from");
  const int64_t n = x.shape()[size_t(d)];
  if (index < -n || index >= n)
    raise<IndexError>("select: index ", index, " is out of range for dim ", dim, " of size ", n);
  const int64_t i = index < 0 ? index + n : index;
  Dims shape = x.shape(), stride = x.stride();
  const int64_t offset = x->offset + i * stride[size_t(d)];
  shape.erase(size_t(d));
  stride.erase(size_t(d));
  return view_with("select", x, shape, stride, offset, [from = x.shape(), d, i](Grads& r, const Tensor& g) {
    r[0] = slice_backward(unsqueeze(g, d), from, d, i, 1);
  });
}

static bool may_overlap(const Dims& shape, const Dims& stride);

Tensor as_strided(const Tensor& x, const Dims& size, const Dims& stride, std::optional<int64_t> storage_offset) {
  if (size.size() != stride.size())
    raise<ShapeError>("as_strided: ", size.size(), " sizes but ", stride.size(), " strides");
  const int64_t offset = storage_offset.value_or(x->offset), n = numel_of(size, "as_strided");
  const auto capacity = int64_t(x->storage->bytes() / size_of(x.dtype()));
  int64_t low = offset, high = offset;
  for (size_t i = 0; i < size.size() && n > 0; ++i) {
    const int64_t reach = checked::mul(size[i] - 1, stride[i], "as_strided");
    (reach < 0 ? low : high) = checked::add(reach < 0 ? low : high, reach, "as_strided");
  }
  if (offset < 0 || (n > 0 && (low < 0 || high >= capacity)))
    raise<ShapeError>("as_strided: size ", to_string(size), ", stride ", to_string(stride), ", offset ", offset,
                      " reach outside the storage of ", capacity, " elements");
  const auto backward = [shape = x.shape(), base = x.stride(), stride, offset = offset - x->offset](Grads& d,
                                                                                                    const Tensor& g) {
    d[0] = as_strided_scatter(g, shape, base, stride, offset);
    // Elements of an expanded tensor that share an address share the gradient.
    if (may_overlap(shape, base))
      d[0] = d[0] / as_strided_scatter(ones(shape, g.dtype(), g.device()), shape, base, base, 0);
  };
  return view_with("as_strided", x, size, stride, offset, backward);
}

// ---- gradients of views ----

namespace {

// Memory for a tensor of these strides, negative ones included; zeros.
Tensor zeros_strided(const Dims& shape, const Dims& stride, DType dtype, Device device) {
  Dims upward = stride;
  int64_t first = 0;
  for (size_t i = 0; i < shape.size(); ++i) {
    if (stride[i] >= 0) continue;
    upward[i] = -stride[i];
    first += std::max<int64_t>(shape[i] - 1, 0) * upward[i];
  }
  const Tensor y = allocate_strided(shape, upward, dtype, device);
  if (y.numel() == 0) return y;
  const Tensor all = alias(y, Dims{int64_t(y->storage->bytes() / size_of(dtype))}, Dims{1}, 0);
  kernel(&Kernels::fill, device)(all.view_of(), 0);
  return alias(y, shape, stride, first);
}

// Whether two elements may share an address: true unless every dim steps over all smaller ones.
}  // namespace

static bool may_overlap(const Dims& shape, const Dims& stride) {
  std::vector<std::pair<int64_t, int64_t>> dims;
  for (size_t i = 0; i < shape.size(); ++i)
    if (shape[i] > 1) dims.emplace_back(std::abs(stride[i]), shape[i]);
  std::sort(dims.begin(), dims.end());
  int64_t reach = 0;
  for (const auto& [step, size] : dims) {
    if (step <= reach) return true;
    reach += step * (size - 1);
  }
  return false;
}

namespace {

// y at a strided view += g, where places of the view meet.
void add_strided(const Tensor& y, const Tensor& g, const Dims& stride, int64_t offset) {
  const NoGrad guard;
  Tensor place = full(Dims{}, offset, DType::int64, y.device());
  for (size_t i = 0; i < stride.size(); ++i) {
    Size column(stride.size() - i, 1);
    column[0] = g.shape()[i];
    place = place + reshape(arange(g.shape()[i], DType::int64, y.device()) * stride[i], column);
  }
  const Tensor all = alias(y, Dims{int64_t(y->storage->bytes() / size_of(g.dtype()))}, Dims{1}, 0);
  index_put_(all, {expand(place, g.shape())}, g.detach(), true);
}

}  // namespace

Tensor as_strided_scatter(const Tensor& g, const Dims& base_shape, const Dims& base_stride, const Dims& stride,
                          int64_t offset) {
  Tensor y = zeros_strided(base_shape, base_stride, g.dtype(), g.device());
  if (y.numel() > 0 && g.numel() > 0) {
    if (may_overlap(g.shape(), stride)) {
      add_strided(y, g, stride, y->offset + offset);
    } else {
      kernel(&Kernels::copy, y.device())(g.view_of(), alias(y, g.shape(), stride, y->offset + offset).view_of());
    }
  }
  if (recording({g}))
    record("as_strided_scatter", y, {g}, [shape = g.shape(), base_stride, stride, offset](Grads& d, const Tensor& gg) {
      Tensor laid = gg;
      if (gg.stride() != base_stride) laid = as_strided_scatter(gg, gg.shape(), base_stride, base_stride, 0);
      d[0] = as_strided(laid, shape, stride, laid->offset + offset);
    });
  return y;
}

Tensor slice_backward(const Tensor& g, const Dims& shape, int64_t dim, int64_t start, int64_t step) {
  Tensor y = zeros(shape, g.dtype(), g.device());
  if (g.numel() > 0) {
    Dims stride = y.stride();
    stride[size_t(dim)] *= step;
    const Tensor window = alias(y, g.shape(), stride, start * y.stride()[size_t(dim)]);
    kernel(&Kernels::copy, y.device())(g.view_of(), window.view_of());
  }
  if (recording({g}))
    record("slice_backward", y, {g}, [dim, start, step, n = g.shape()[size_t(dim)]](Grads& d, const Tensor& gg) {
      const int64_t end = start + n * step;
      d[0] = slice(gg, dim, start, end < 0 ? std::optional<int64_t>() : end, step);
    });
  return y;
}

Tensor sum_to(const Tensor& x, const Dims& shape) {
  if (x.shape() == shape) return x;
  const size_t skip = x.shape().size() - shape.size();
  Dims dims;
  for (size_t i = 0; i < x.shape().size(); ++i)
    if (i < skip || (shape[i - skip] == 1 && x.shape()[i] != 1)) dims.push_back(int64_t(i));
  const Tensor s = dims.empty() ? x : sum(x, dims, true, x.dtype());
  return reshape(s, shape);
}

}  // namespace lamina
