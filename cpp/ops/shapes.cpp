// Views and copies made of other views: turning, stacking, splitting at places, diagonals, grids.
#include <algorithm>

#include "lamina/autograd.h"
#include "lamina/devices.h"
#include "lamina/ops.h"

namespace lamina {

// ---- views ----

Tensor unflatten(const Tensor& x, int64_t dim, const Dims& sizes) {
  const int64_t d = wrap_dim(dim, x.dim(), "unflatten");
  if (x.dim() == 0) raise<ShapeError>("unflatten: a 0-d tensor has no dim to split");
  if (sizes.empty()) raise<ShapeError>("unflatten: sizes must not be empty");
  int64_t known = 1, open = -1;
  Dims given = sizes;
  for (size_t i = 0; i < sizes.size(); ++i) {
    if (sizes[i] == -1 && open < 0) {
      open = int64_t(i);
    } else if (sizes[i] < 0) {
      raise<ShapeError>("unflatten: bad sizes ", to_string(sizes));
    } else {
      known = checked::mul(known, sizes[i], "unflatten");
    }
  }
  if (open >= 0 && known > 0) given[size_t(open)] = x.size(d) / known;
  if (open >= 0 && known == 0) raise<ShapeError>("unflatten: -1 is ambiguous beside a size of 0 in ", to_string(sizes));
  if (numel_of(given, "unflatten") != x.size(d))
    raise<ShapeError>("unflatten: sizes ", to_string(sizes), " do not multiply to ", x.size(d), ", the size of dim ", d,
                      ": ", describe("input", x));
  Size shape;
  for (int64_t i = 0; i < x.dim(); ++i) {
    if (i != d) {
      shape.push_back(x.size(i));
      continue;
    }
    for (int64_t s : given) shape.push_back(s);
  }
  return view(x, shape);
}

Tensor ravel(const Tensor& x) { return reshape(x, {-1}); }

Tensor adjoint(const Tensor& x) {
  if (x.dim() == 1) raise<ShapeError>("adjoint: needs at least 2 dims, got ", describe("input", x));
  if (x.dim() == 0) return reshape(x, {});
  return transpose(x, -2, -1);
}

Tensor unfold(const Tensor& x, int64_t dimension, int64_t size, int64_t step) {
  const int64_t d = wrap_dim(dimension, x.dim(), "unfold"), n = x.dim() == 0 ? 1 : x.size(d);
  if (size < 0 || size > n)
    raise<ShapeError>("unfold: size must be from 0 to ", n, ", the size of dim ", d, ", got ", size, ": ",
                      describe("input", x));
  if (step <= 0) raise<ValueError>("unfold: step must be positive, got ", step);
  Dims shape = x.shape(), stride = x.stride();
  const int64_t own = x.dim() == 0 ? 1 : stride[size_t(d)];
  if (x.dim() > 0) {
    shape[size_t(d)] = (n - size) / step + 1;
    stride[size_t(d)] = shape[size_t(d)] > 1 ? checked::mul(own, step, "unfold") : own;
  }
  shape.push_back(size);
  stride.push_back(own);
  return as_strided(x, shape, stride, x->offset);
}

Tensor narrow_copy(const Tensor& x, int64_t dim, int64_t start, int64_t length) {
  return clone(narrow(x, dim, start, length));
}

// ---- turning ----

Tensor rot90(const Tensor& x, int64_t k, const Dims& dims) {
  if (dims.size() != 2 || x.dim() < 2)
    raise<ShapeError>("rot90: needs two dims of at least 2, got dims ", to_string(dims), " for ", describe("input", x));
  const int64_t a = wrap_dim(dims[0], x.dim(), "rot90"), b = wrap_dim(dims[1], x.dim(), "rot90");
  if (a == b) raise<ShapeError>("rot90: the dims must differ, got ", to_string(dims));
  switch ((k % 4 + 4) % 4) {
    case 1:
      return transpose(flip(x, Dims{b}), a, b);
    case 2:
      return flip(x, Dims{a, b});
    case 3:
      return transpose(flip(x, Dims{a}), a, b);
    default:
      return clone(x);
  }
}
Tensor fliplr(const Tensor& x) {
  if (x.dim() < 2) raise<ShapeError>("fliplr: needs at least 2 dims, got ", describe("input", x));
  return flip(x, Dims{1});
}
Tensor flipud(const Tensor& x) {
  if (x.dim() < 1) raise<ShapeError>("flipud: needs at least 1 dim, got ", describe("input", x));
  return flip(x, Dims{0});
}

// ---- diagonals ----

Tensor diag_embed(const Tensor& x, int64_t offset, int64_t dim1, int64_t dim2) {
  const int64_t a = wrap_dim(dim1, x.dim() + 1, "diag_embed"), b = wrap_dim(dim2, x.dim() + 1, "diag_embed");
  if (x.dim() == 0) raise<ShapeError>("diag_embed: needs at least 1 dim, got ", describe("input", x));
  if (a == b) raise<ShapeError>("diag_embed: dim1 and dim2 are both ", a);
  const int64_t n = checked::add(x.size(-1), offset < 0 ? checked::sub(0, offset, "diag_embed") : offset, "diag_embed");
  Size shape(x.shape().size() + 1, n);
  size_t next = 0;
  for (size_t i = 0; i < shape.size(); ++i)
    if (int64_t(i) != a && int64_t(i) != b) shape[i] = x.shape()[next++];
  return diagonal_scatter(zeros(shape, x.dtype(), x.device()), x, offset, a, b);
}
Tensor diag(const Tensor& x, int64_t k) {
  if (x.dim() == 1) return diag_embed(x, k, 0, 1);
  if (x.dim() != 2) raise<ShapeError>("diag: needs a vector or a matrix, got ", describe("input", x));
  return clone(diagonal(x, k, 0, 1));
}
Tensor diagflat(const Tensor& x, int64_t offset) { return diag(reshape(x, {-1}), offset); }

namespace {

// A copy of x with src in the part that `part` shows of it.
template <class F>
Tensor written(const char* op, const Tensor& x, const Tensor& src, F&& part) {
  const Tensor y = clone(x), place = part(y);
  if (place.shape() != src.shape())
    raise<ShapeError>(op, ": src must have shape ", to_string(place.shape()), ": ", describe("src", src), ", ",
                      describe("input", x));
  copy_(place, src);
  return y;
}

}  // namespace

Tensor diagonal_scatter(const Tensor& x, const Tensor& src, int64_t offset, int64_t dim1, int64_t dim2) {
  return written("diagonal_scatter", x, src, [&](const Tensor& y) { return diagonal(y, offset, dim1, dim2); });
}
Tensor select_scatter(const Tensor& x, const Tensor& src, int64_t dim, int64_t index) {
  return written("select_scatter", x, src, [&](const Tensor& y) { return select(y, dim, index); });
}
Tensor slice_scatter(const Tensor& x, const Tensor& src, int64_t dim, std::optional<int64_t> start,
                     std::optional<int64_t> end, int64_t step) {
  if (step <= 0) raise<ValueError>("slice_scatter: step must be positive, got ", step);
  return written("slice_scatter", x, src, [&](const Tensor& y) { return slice(y, dim, start, end, step); });
}
Tensor tril_(const Tensor& x, int64_t diagonal) { return copy_(x, tril(x, diagonal)); }
Tensor triu_(const Tensor& x, int64_t diagonal) { return copy_(x, triu(x, diagonal)); }

// ---- many tensors ----

namespace {

void need_tensors(const char* op, const TensorList& list) {
  for (size_t i = 0; i < list.size(); ++i)
    if (!list[i].defined()) raise<TypeError>(op, ": tensors[", i, "] is None");
}
template <class F>
TensorList each(const char* op, const TensorList& list, F&& f) {
  need_tensors(op, list);
  TensorList out;
  for (const Tensor& t : list) out.push_back(f(t));
  return out;
}

}  // namespace

TensorList broadcast_tensors(const Tensors& tensors) {
  need_tensors("broadcast_tensors", tensors);
  std::vector<const Tensor*> all;
  for (const Tensor& t : tensors) all.push_back(&t);
  const Dims shape = broadcast_shapes("broadcast_tensors", all);
  return each("broadcast_tensors", tensors, [&](const Tensor& t) { return expand(t, shape); });
}

Tensor atleast_1d(const Tensor& x) { return x.dim() == 0 ? reshape(x, {1}) : x; }
Tensor atleast_2d(const Tensor& x) { return x.dim() == 0 ? reshape(x, {1, 1}) : x.dim() == 1 ? unsqueeze(x, 0) : x; }
Tensor atleast_3d(const Tensor& x) {
  if (x.dim() == 0) return reshape(x, {1, 1, 1});
  if (x.dim() == 1) return unsqueeze(unsqueeze(x, 0), -1);
  return x.dim() == 2 ? unsqueeze(x, -1) : x;
}
TensorList atleast_1d(const Tensors& list) {
  return each("atleast_1d", list, [](const Tensor& t) { return atleast_1d(t); });
}
TensorList atleast_2d(const Tensors& list) {
  return each("atleast_2d", list, [](const Tensor& t) { return atleast_2d(t); });
}
TensorList atleast_3d(const Tensors& list) {
  return each("atleast_3d", list, [](const Tensor& t) { return atleast_3d(t); });
}

Tensor dstack(const TensorList& list) {
  return cat(each("dstack", list, [](const Tensor& t) { return atleast_3d(t); }), 2);
}
Tensor column_stack(const TensorList& list) {
  return cat(each("column_stack", list, [](const Tensor& t) { return t.dim() < 2 ? reshape(t, {-1, 1}) : t; }), 1);
}

TensorList meshgrid(const Tensors& list, std::string_view indexing) {
  need_tensors("meshgrid", list);
  if (list.empty()) raise<ValueError>("meshgrid: needs at least one tensor");
  if (indexing != "ij" && indexing != "xy")
    raise<ValueError>("meshgrid: indexing must be 'ij' or 'xy', got '", indexing, "'");
  Size shape;
  for (const Tensor& t : list) {
    if (t.dim() > 1) raise<ShapeError>("meshgrid: needs tensors of at most 1 dim, got ", describe("tensors", t));
    if (t.dtype() != list[0].dtype() || t.device() != list[0].device())
      raise<DtypeError>("meshgrid: tensors must have one dtype and device: ", describe("tensors[0]", list[0]), ", ",
                        describe("tensors", t));
    shape.push_back(t.numel());
  }
  TensorList out;
  for (size_t i = 0; i < list.size(); ++i) {
    Size line(list.size(), 1);
    line[i] = shape[i];
    out.push_back(expand(reshape(list[i], line), shape));
  }
  if (indexing == "xy" && out.size() > 1)
    for (Tensor& t : out) t = transpose(t, 0, 1);
  return out;
}

// ---- splitting at places ----

TensorList tensor_split(const Tensor& x, int64_t sections, int64_t dim) {
  const int64_t d = wrap_dim(dim, x.dim(), "tensor_split");
  if (x.dim() == 0) raise<ShapeError>("tensor_split: a 0-d tensor has no dim to split");
  if (sections <= 0 || sections > (1 << 28))
    raise<ValueError>("tensor_split: the number of pieces must be positive, got ", sections);
  const int64_t n = x.size(d), size = n / sections, longer = n % sections;
  TensorList out;
  for (int64_t i = 0, at = 0; i < sections; ++i) {
    out.push_back(narrow(x, d, at, size + (i < longer)));
    at += size + (i < longer);
  }
  return out;
}
TensorList tensor_split(const Tensor& x, const Dims& places, int64_t dim) {
  const int64_t d = wrap_dim(dim, x.dim(), "tensor_split");
  if (x.dim() == 0) raise<ShapeError>("tensor_split: a 0-d tensor has no dim to split");
  TensorList out;
  int64_t at = 0;
  for (int64_t p : places) {
    out.push_back(slice(x, d, at, p, 1));
    at = p;
  }
  out.push_back(slice(x, d, at, {}, 1));
  return out;
}

TensorList tensor_split(const Tensor& x, const Tensor& given, int64_t dim) {
  if (given.dim() > 1 || given.dtype() != DType::int64)
    raise<DtypeError>("tensor_split: the places must be an int64 tensor of at most 1 dim, got ",
                      describe("tensor_indices_or_sections", given));
  if (given.dim() == 0) return tensor_split(x, given.item().to_int(), dim);
  const Tensor places = contiguous(to(given.detach(), {}, Device{}));
  return tensor_split(x, Dims(static_cast<const int64_t*>(places.data()), size_t(places.numel())), dim);
}

namespace {

int64_t split_dim(const char* op, const Tensor& x, int64_t least, int64_t dim) {
  if (x.dim() < least) raise<ShapeError>(op, ": needs at least ", least, " dims, got ", describe("input", x));
  return x.dim() == 1 ? 0 : dim;
}
TensorList split_evenly(const char* op, const Tensor& x, int64_t sections, int64_t dim) {
  if (sections <= 0 || x.size(dim) % sections != 0)
    raise<ValueError>(op, ": dim ", dim, " of size ", x.size(dim), " cannot be cut into ", sections,
                      " equal pieces: ", describe("input", x));
  return tensor_split(x, sections, dim);
}

}  // namespace

TensorList hsplit(const Tensor& x, int64_t sections) {
  return split_evenly("hsplit", x, sections, split_dim("hsplit", x, 1, 1));
}
TensorList hsplit(const Tensor& x, const Dims& places) { return tensor_split(x, places, split_dim("hsplit", x, 1, 1)); }
TensorList vsplit(const Tensor& x, int64_t sections) {
  return split_evenly("vsplit", x, sections, split_dim("vsplit", x, 2, 0));
}
TensorList vsplit(const Tensor& x, const Dims& places) { return tensor_split(x, places, split_dim("vsplit", x, 2, 0)); }
TensorList dsplit(const Tensor& x, int64_t sections) {
  return split_evenly("dsplit", x, sections, split_dim("dsplit", x, 3, 2));
}
TensorList dsplit(const Tensor& x, const Dims& places) { return tensor_split(x, places, split_dim("dsplit", x, 3, 2)); }

}  // namespace lamina
