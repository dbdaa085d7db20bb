// Joining, cutting and rearranging tensors: copies into and views of parts.
#include <algorithm>

#include "lamina/autograd.h"
#include "lamina/devices.h"
#include "lamina/ops.h"
#include "memory_format.h"

namespace lamina {
namespace {

// x[..., start : start + length, ...] without history.
Tensor part(const Tensor& x, int64_t dim, int64_t start, int64_t length) {
  Dims shape = x.shape();
  shape[size_t(dim)] = length;
  return alias(x, shape, x.stride(), x->offset + start * x.stride()[size_t(dim)]);
}

void copy_into(const Tensor& src, const Tensor& dst) {
  if (src.numel() > 0) kernel(&Kernels::copy, dst.device())(src.view_of(), dst.view_of());
}

// PyTorch lets an empty 1-D tensor stand among tensors of any shape.
bool skipped(const Tensor& t) { return t.dim() == 1 && t.numel() == 0; }

std::string describe_all(const TensorList& list) {
  std::string s;
  for (size_t i = 0; i < list.size() && i < 8; ++i)
    s += (i ? ", " : "") + describe("tensors[" + std::to_string(i) + "]", list[i]);
  return list.size() > 8 ? s + ", ..." : s;
}

void check_list(const char* op, const TensorList& list) {
  if (list.empty()) raise<ValueError>(op, ": needs at least one tensor, got an empty list");
  for (size_t i = 0; i < list.size(); ++i) {
    if (!list[i].defined()) raise<TypeError>(op, ": tensors[", i, "] is None");
    if (list[i].device() != list[0].device())
      raise<DeviceError>(op, ": tensors live on different devices: ", describe_all(list));
  }
}

DType common_dtype(const TensorList& list) {
  std::vector<const Tensor*> all;
  for (const Tensor& t : list) all.push_back(&t);
  return result_type(all);
}

}  // namespace

// ---- joining ----

Tensor cat(const TensorList& tensors, int64_t dim) {
  check_list("cat", tensors);
  const Tensor* first = &tensors[0];
  for (const Tensor& t : tensors)
    if (skipped(*first) && !skipped(t)) first = &t;
  for (const Tensor& t : tensors)
    if (t.dim() == 0) raise<ShapeError>("cat: a 0-d tensor has no dim to join; use stack: ", describe_all(tensors));
  const int64_t d = wrap_dim(dim, first->dim(), "cat");
  Dims shape = first->shape();
  shape[size_t(d)] = 0;
  std::optional<ImageOrder> order;
  for (const Tensor& t : tensors) {
    if (skipped(t) && !skipped(*first)) continue;
    bool fits = t.dim() == first->dim();
    for (size_t i = 0; fits && i < shape.size(); ++i) fits = int64_t(i) == d || t.shape()[i] == shape[i];
    if (!fits) raise<ShapeError>("cat: shapes must agree in every dim but ", d, ": ", describe_all(tensors));
    shape[size_t(d)] = checked::add(shape[size_t(d)], t.shape()[size_t(d)], "cat");
    const ImageOrder own = image_order(t);
    // Where both kinds of channels side by side meet, PyTorch shows a row-major result.
    order = !order || order == own                                           ? own
            : own == ImageOrder::row_major || order == ImageOrder::row_major ? ImageOrder::row_major
                                                                             : ImageOrder::interleaved;
  }
  const DType dtype = common_dtype(tensors);
  Tensor y = allocate_image(shape, dtype, first->device(), order.value_or(ImageOrder::row_major));
  int64_t at = 0;
  for (const Tensor& t : tensors) {
    if (t.numel() == 0) continue;
    copy_into(t, part(y, d, at, t.shape()[size_t(d)]));
    at += t.shape()[size_t(d)];
  }
  if (!recording(std::span<const Tensor>(tensors))) return y;
  struct Piece {
    int64_t length;
    DType dtype;
  };
  std::vector<Piece> pieces;
  std::vector<std::reference_wrapper<const Tensor>> inputs;
  for (const Tensor& t : tensors) {
    pieces.push_back({skipped(t) ? -1 : t.shape()[size_t(d)], t.dtype()});
    inputs.emplace_back(t);
  }
  record("cat", std::span(&y, 1), inputs, [pieces = std::move(pieces), d](Grads& r, std::span<const Tensor> g) {
    int64_t start = 0;
    for (size_t i = 0; i < pieces.size(); ++i) {
      const auto [length, from] = pieces[i];
      if (r.want(i)) r[i] = length < 0 ? zeros({0}, from, g[0].device()) : to(narrow(g[0], d, start, length), from);
      start += std::max<int64_t>(length, 0);
    }
  });
  return y;
}

Tensor stack(const TensorList& tensors, int64_t dim) {
  check_list("stack", tensors);
  for (const Tensor& t : tensors)
    if (t.shape() != tensors[0].shape())
      raise<ShapeError>("stack: all tensors must have one shape: ", describe_all(tensors));
  const int64_t d = wrap_dim(dim, tensors[0].dim() + 1, "stack");
  TensorList rows;
  for (const Tensor& t : tensors) rows.push_back(unsqueeze(t, d));
  return cat(rows, d);
}

Tensor hstack(const TensorList& tensors) {
  check_list("hstack", tensors);
  TensorList rows;
  for (const Tensor& t : tensors) rows.push_back(t.dim() == 0 ? reshape(t, {1}) : t);
  return cat(rows, rows[0].dim() == 1 ? 0 : 1);
}

Tensor vstack(const TensorList& tensors) {
  check_list("vstack", tensors);
  TensorList rows;
  for (const Tensor& t : tensors) rows.push_back(t.dim() < 2 ? reshape(t, {1, -1}) : t);
  return cat(rows, 0);
}

// ---- cutting ----

namespace {

// An empty list with room for n tensors.
TensorList list_of(const char* op, int64_t n) {
  if (n > (int64_t(1) << 28)) raise<ValueError>(op, ": ", n, " pieces are too many");
  TensorList out;
  out.reserve(size_t(n));
  return out;
}

}  // namespace

TensorList split(const Tensor& x, const Dims& sections, int64_t dim) {
  const int64_t d = wrap_dim(dim, x.dim(), "split");
  if (x.dim() == 0) raise<ShapeError>("split: a 0-d tensor has no dim to split");
  int64_t total = 0;
  for (int64_t s : sections) {
    if (s < 0) raise<ValueError>("split: negative size ", s, " in ", to_string(sections));
    total = checked::add(total, s, "split");
  }
  if (total != x.size(d))
    raise<ShapeError>("split: sizes ", to_string(sections), " add up to ", total, " but dim ", d, " has size ",
                      x.size(d), ": ", describe("tensor", x));
  TensorList out = list_of("split", int64_t(sections.size()));
  int64_t at = 0;
  for (int64_t s : sections) {
    out.push_back(narrow(x, d, at, s));
    at += s;
  }
  return out;
}

TensorList split(const Tensor& x, int64_t size, int64_t dim) {
  const int64_t d = wrap_dim(dim, x.dim(), "split");
  if (x.dim() == 0) raise<ShapeError>("split: a 0-d tensor has no dim to split");
  const int64_t n = x.size(d);
  if (size < 0 || (size == 0 && n > 0))
    raise<ValueError>("split: the size of a piece must be positive, got ", size, " for dim ", d, " of size ", n);
  if (n == 0) return {narrow(x, d, 0, 0)};
  TensorList out = list_of("split", n / size + (n % size != 0));
  for (int64_t at = 0; at < n; at += std::min(size, n - at)) out.push_back(narrow(x, d, at, std::min(size, n - at)));
  return out;
}

TensorList split_with_sizes(const Tensor& x, const Dims& sizes, int64_t dim) { return split(x, sizes, dim); }

TensorList chunk(const Tensor& x, int64_t chunks, int64_t dim) {
  if (chunks <= 0) raise<ValueError>("chunk: chunks must be positive, got ", chunks);
  const int64_t d = wrap_dim(dim, x.dim(), "chunk");
  if (x.dim() == 0) raise<ShapeError>("chunk: a 0-d tensor has no dim to cut");
  const int64_t n = x.size(d);
  if (n > 0) return split(x, n / chunks + (n % chunks != 0), d);
  TensorList out = list_of("chunk", chunks);  // an empty dim gives `chunks` empty pieces
  for (int64_t i = 0; i < chunks; ++i) out.push_back(narrow(x, d, 0, 0));
  return out;
}

TensorList unbind(const Tensor& x, int64_t dim) {
  const int64_t d = wrap_dim(dim, x.dim(), "unbind");
  if (x.dim() == 0) raise<ShapeError>("unbind: a 0-d tensor has no dim to take apart");
  TensorList out = list_of("unbind", x.size(d));
  for (int64_t i = 0; i < x.size(d); ++i) out.push_back(select(x, d, i));
  return out;
}

// ---- repeating ----

Tensor repeat(const Tensor& x, const Size& repeats) {
  const size_t n = repeats.size(), own = x.shape().size();
  if (n < own)
    raise<ShapeError>("repeat: needs at least ", own, " numbers for ", describe("input", x), ", got ",
                      to_string(repeats));
  // (r0, n0, r1, n1, ...) by expansion, then merged; dims that need no pair keep one.
  Size split_shape, expanded, merged;
  for (size_t i = 0; i < n; ++i) {
    const int64_t size = i < n - own ? 1 : x.shape()[i - (n - own)], r = repeats[i];
    if (r < 0) raise<ValueError>("repeat: negative number ", r, " in ", to_string(repeats));
    merged.push_back(checked::mul(size, r, "repeat"));
    if (r != 1 && size != 1) {
      split_shape.push_back(1);
      expanded.push_back(r);
    }
    split_shape.push_back(size);
    expanded.push_back(size == 1 ? r : size);
  }
  numel_of(merged, "repeat");
  const Tensor y = reshape(expand(reshape(x, split_shape), expanded), merged);
  return y->storage == x->storage ? clone(y) : y;  // never a view, whatever the sizes are
}

Tensor tile(const Tensor& x, const Size& dims) {
  Size repeats = dims;
  while (repeats.size() < x.shape().size()) repeats.insert(0, 1);
  return repeat(x, repeats);
}

Tensor broadcast_to(const Tensor& x, const Size& size) { return expand(x, size); }

// ---- moving ----

Tensor flip(const Tensor& x, const Size& dims) {
  Tensor y = x;
  bool seen[kMaxDims] = {};
  for (int64_t given : dims) {
    const int64_t d = wrap_dim(given, x.dim(), "flip");
    if (seen[d]) raise<ShapeError>("flip: dim ", given, " appears twice in ", to_string(dims));
    seen[d] = true;
    if (x.dim() > 0) y = slice(y, d, {}, {}, -1);
  }
  return clone(y);
}

Tensor roll(const Tensor& x, const Dims& shifts, const OptDims& dims) {
  if (!dims || dims->empty()) {
    if (shifts.size() != 1) raise<ShapeError>("roll: without dims one shift is needed, got ", to_string(shifts));
    return reshape(roll(reshape(x, {-1}), shifts, Dims{0}), x.shape());
  }
  if (x.dim() == 0) raise<IndexError>("roll: a 0-d tensor has no dims, got dims ", to_string(*dims));
  if (shifts.size() != dims->size()) raise<ShapeError>("roll: ", shifts.size(), " shifts but ", dims->size(), " dims");
  Tensor y = x;
  for (size_t i = 0; i < shifts.size(); ++i) {
    const int64_t d = wrap_dim((*dims)[i], x.dim(), "roll"), n = x.size(d);
    if (n == 0) continue;
    const int64_t k = (shifts[i] % n + n) % n;
    if (k > 0) y = cat({narrow(y, d, n - k, k), narrow(y, d, 0, n - k)}, d);
  }
  return is_same(y, x) ? clone(x) : y;
}

Tensor movedim(const Tensor& x, const Dims& source, const Dims& destination) {
  if (source.size() != destination.size())
    raise<ShapeError>("movedim: ", source.size(), " source dims but ", destination.size(), " destination dims");
  Size order(x.shape().size(), -1);
  bool taken[kMaxDims] = {};
  for (size_t i = 0; i < source.size(); ++i) {
    const auto from = size_t(wrap_dim(source[i], x.dim(), "movedim")),
               there = size_t(wrap_dim(destination[i], x.dim(), "movedim"));
    if (x.dim() == 0) continue;
    if (taken[from] || order[there] >= 0)
      raise<ShapeError>("movedim: a dim is given twice: ", to_string(source), " to ", to_string(destination));
    taken[from] = true;
    order[there] = int64_t(from);
  }
  size_t next = 0;
  for (int64_t& o : order) {
    if (o >= 0) continue;
    while (taken[next]) ++next;
    o = int64_t(next++);
  }
  return permute(x, order);
}

Tensor diagonal(const Tensor& x, int64_t offset, int64_t dim1, int64_t dim2) {
  const int64_t a = wrap_dim(dim1, x.dim(), "diagonal"), b = wrap_dim(dim2, x.dim(), "diagonal");
  if (x.dim() < 2) raise<ShapeError>("diagonal: needs at least 2 dims, got ", describe("input", x));
  if (a == b) raise<ShapeError>("diagonal: dim1 and dim2 are both ", a);
  const int64_t rows = x.size(a), columns = x.size(b);
  const int64_t skip_rows = offset < 0 ? std::min(rows, offset == INT64_MIN ? INT64_MAX : -offset) : 0,
                skip_columns = offset > 0 ? std::min(columns, offset) : 0;
  const int64_t length = std::max<int64_t>(0, std::min(rows - skip_rows, columns - skip_columns));
  Dims shape, stride;
  for (int64_t d = 0; d < x.dim(); ++d) {
    if (d == a || d == b) continue;
    shape.push_back(x.size(d));
    stride.push_back(x.stride()[size_t(d)]);
  }
  const int64_t sa = x.stride()[size_t(a)], sb = x.stride()[size_t(b)];
  shape.push_back(length);
  stride.push_back(sa + sb);
  const int64_t start = length > 0 ? skip_rows * sa + skip_columns * sb : 0;
  return as_strided(x, shape, stride, x->offset + start);
}

namespace {

Tensor triangle(const char* op, const Tensor& x, int64_t diagonal, bool upper) {
  if (x.dim() < 2) raise<ShapeError>(op, ": needs at least 2 dims, got ", describe("input", x));
  const int64_t m = x.size(-2), n = x.size(-1);
  const int64_t k = std::clamp<int64_t>(diagonal, -m - 1, n + 1);  // what is beyond changes nothing
  const Tensor column = arange(n, DType::int64, x.device()),
               row = unsqueeze(arange(m, DType::int64, x.device()), 1) + k;
  Tensor y;
  {
    const NoGrad guard;
    y = where(upper ? column >= row : column <= row, x, full(Dims{}, 0, x.dtype(), x.device()));
  }
  if (recording({x})) record(op, y, {x}, [=](Grads& d, const Tensor& g) { d[0] = triangle(op, g, diagonal, upper); });
  return y;
}

}  // namespace

Tensor tril(const Tensor& x, int64_t diagonal) { return triangle("tril", x, diagonal, false); }
Tensor triu(const Tensor& x, int64_t diagonal) { return triangle("triu", x, diagonal, true); }

// ---- padding ----

namespace {

// pad = (before, after) of the last dim, then of the one before it, ...
Tensor pad_constant(const Tensor& x, const Dims& pad, double value) {
  Dims shape = x.shape();
  Tensor from = x.detach();
  Dims start(shape.size(), 0);
  for (size_t i = 0; i < pad.size() / 2; ++i) {
    const size_t d = shape.size() - 1 - i;
    const int64_t before = pad[2 * i], after = pad[2 * i + 1];
    const int64_t size = checked::add(checked::add(shape[d], before, "pad"), after, "pad");
    if (size < 0)
      raise<ShapeError>("pad: dim ", d, " of size ", shape[d], " would become ", size, ": ", describe("input", x),
                        ", pad ", to_string(pad));
    const int64_t n = shape[d], low = std::min(std::max<int64_t>(0, before < 0 ? -before : 0), n);
    const int64_t high = std::max(low, after < 0 ? n + after : n);
    from = part(from, int64_t(d), low, high - low);
    start[d] = std::max<int64_t>(before, 0);
    shape[d] = size;
  }
  Tensor y = allocate(shape, x.dtype(), x.device());
  if (y.numel() == 0) return y;
  kernel(&Kernels::fill, y.device())(y.view_of(),
                                     is_floating(x.dtype()) ? Scalar(value) : Scalar(Scalar(value).to_int()));
  int64_t offset = 0;
  for (size_t d = 0; d < shape.size(); ++d) offset += start[d] * y.stride()[d];
  copy_into(from, alias(y, from.shape(), y.stride(), offset));
  return y;
}

// Which element of a dim of size n stands at place i outside it.
int64_t mirrored(std::string_view mode, int64_t i, int64_t n) {
  if (mode == "replicate") return std::clamp<int64_t>(i, 0, n - 1);
  if (mode == "circular") return ((i % n) + n) % n;
  return i < 0 ? -i : i >= n ? 2 * (n - 1) - i : i;  // reflect
}

Tensor pad_by_index(const Tensor& x, const Dims& pad, std::string_view mode) {
  const auto pairs = int64_t(pad.size() / 2);
  if (pad.empty() || pairs > 3 || (x.dim() != pairs + 1 && x.dim() != pairs + 2))
    raise<ShapeError>("pad: mode '", mode, "' pads the last 1, 2 or 3 dims of a tensor with 1 or 2 dims more, got ",
                      describe("input", x), ", pad ", to_string(pad));
  Tensor y = x;
  for (int64_t k = 0; k < pairs; ++k) {
    const int64_t d = x.dim() - 1 - k;
    int64_t before = pad[size_t(2 * k)], after = pad[size_t(2 * k + 1)];
    if (mode == "circular" && (before < 0 || after < 0)) {  // the cut signal is the one that repeats
      const int64_t size = y.size(d), from = -std::clamp<int64_t>(before, -size, 0),
                    to = size + std::clamp<int64_t>(after, -size, 0);
      if (to < from)
        raise<ShapeError>("pad: dim ", d, " of size ", size, " would become ", to - from, ": ", describe("input", x));
      y = slice(y, d, from, to);
      before = std::max<int64_t>(before, 0), after = std::max<int64_t>(after, 0);
    }
    const int64_t n = y.size(d);
    if (before == 0 && after == 0) continue;
    const int64_t limit = mode == "reflect" ? n - 1 : mode == "circular" ? n : INT64_MAX;
    if (n == 0 || before > limit || after > limit)
      raise<ShapeError>("pad: mode '", mode, "' cannot pad dim ", d, " of size ", n, " by (", before, ", ", after,
                        "): ", describe("input", x));
    const int64_t size = checked::add(checked::add(n, before, "pad"), after, "pad");
    if (size < 0) raise<ShapeError>("pad: dim ", d, " of size ", n, " would become ", size);
    Tensor places = allocate(Dims{size}, DType::int64);
    for (int64_t i = 0; i < size; ++i) static_cast<int64_t*>(places.data())[i] = mirrored(mode, i - before, n);
    y = index_select(y, d, to(places, {}, x.device()));
  }
  return is_same(y, x) ? clone(x) : y;
}

}  // namespace

Tensor pad(const Tensor& x, const Dims& pad_given, std::string_view mode, std::optional<double> value) {
  if (pad_given.size() % 2 != 0 || pad_given.size() / 2 > x.shape().size())
    raise<ShapeError>("pad: pad needs two numbers per dim, at most ", 2 * x.dim(), " for ", describe("input", x),
                      ", got ", to_string(pad_given));
  if (mode != "constant" && mode != "reflect" && mode != "replicate" && mode != "circular")
    raise<ValueError>("pad: mode must be 'constant', 'reflect', 'replicate' or 'circular', got '", mode, "'");
  if (mode != "constant") {
    if (value && *value != 0) raise<ValueError>("pad: mode '", mode, "' takes no value");
    return pad_by_index(x, pad_given, mode);
  }
  Tensor y = pad_constant(x, pad_given, value.value_or(0));
  if (recording({x}))
    record("pad", y, {x}, [back = pad_given](Grads& d, const Tensor& g) {
      Dims minus = back;
      for (int64_t& p : minus) p = -p;
      d[0] = pad(g, minus, "constant");
    });
  return y;
}

}  // namespace lamina
