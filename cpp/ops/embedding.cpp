// embedding: rows of a table chosen by index. embedding_bag: their sums, means or maxima. `sparse` changes nothing: a
// gradient is a whole table, zero where no index pointed, which SparseAdam takes for absent rows.
#include <limits>
#include <vector>

#include "lamina/autograd.h"
#include "lamina/devices.h"
#include "lamina/ops.h"

namespace lamina {
namespace {

Tensor index_of(const char* op, const Tensor& input) {
  if (!is_integral(input.dtype()))
    raise<DtypeError>(op, ": indices must be integers, got ", describe("input", input), ". Convert them with .long()");
  return contiguous(to(input.detach(), DType::int64));
}

[[noreturn]] void raise_bad(const char* op, const Tensor& index, int64_t at, int64_t rows) {
  raise<IndexError>(op, ": index ", index.data_as<int64_t>()[at], " at position ", at, " is out of range: weight has ",
                    rows, " rows (0 to ", rows - 1, ")");
}

int64_t padding_row(const char* op, std::optional<int64_t> padding_idx, int64_t rows) {
  if (!padding_idx) return -1;
  if (*padding_idx < -rows || *padding_idx >= rows)
    raise<IndexError>(op, ": padding_idx ", *padding_idx, " is out of range: weight has ", rows, " rows");
  return *padding_idx < 0 ? *padding_idx + rows : *padding_idx;
}

// Rows of `table` that are longer than max_norm are shortened to it, in place and unrecorded.
void renormalise(const Tensor& table, const Tensor& index, double max_norm, double norm_type) {
  const NoGrad quiet;
  const int64_t rows = table.shape()[0];
  std::vector<bool> seen(size_t(rows), false);
  std::vector<int64_t> unique;
  for (int64_t i = 0; i < index.numel(); ++i) {
    const int64_t v = index.data_as<int64_t>()[i];
    if (v < 0 || v >= rows) raise_bad("embedding", index, i, rows);
    if (!seen[size_t(v)]) unique.push_back(v);
    seen[size_t(v)] = true;
  }
  if (unique.empty()) return;
  const Tensor chosen = allocate(Dims{int64_t(unique.size())}, DType::int64);
  std::copy(unique.begin(), unique.end(), chosen.data_as<int64_t>());
  const Tensor bare = table.detach(), old = index_select(bare, 0, chosen);
  const Tensor length = norm(old, norm_type, Dims{1}, true, {});
  index_copy_(bare, 0, chosen, where(length > max_norm, old * (max_norm / (length + 1e-7)), old));
}

// 1 / (how often the index occurs), shaped like the index with a dim of 1 behind.
Tensor inverse_frequency(const Tensor& index, int64_t rows, DType dtype) {
  std::vector<int64_t> count(size_t(rows), 0);
  const int64_t* at = index.data_as<int64_t>();
  for (int64_t i = 0; i < index.numel(); ++i) ++count[size_t(at[i])];
  const Tensor f = allocate(index.shape(), DType::float64);
  for (int64_t i = 0; i < index.numel(); ++i) f.data_as<double>()[i] = 1 / double(count[size_t(at[i])]);
  return unsqueeze(to(f, dtype), -1);
}

}  // namespace

Tensor embedding(const Tensor& input, const Tensor& weight, std::optional<int64_t> padding_idx,
                 std::optional<double> max_norm, double norm_type, bool scale_grad_by_freq, bool) {
  if (weight.dim() != 2)
    raise<ShapeError>("embedding: weight must be (V, D), got ", describe("weight", weight), "; the indices come first");
  const Tensor index = index_of("embedding", input);
  const int64_t rows = weight.shape()[0], padding = padding_row("embedding", padding_idx, rows);
  if (max_norm) renormalise(weight, index, *max_norm, norm_type);
  const Tensor table = contiguous(weight);
  Dims shape = input.shape();
  shape.push_back(weight.shape()[1]);
  Tensor y = allocate(shape, weight.dtype(), weight.device());
  int64_t bad = -1;
  kernel(&Kernels::embedding, weight.device())(table.view_of(), index.view_of(), y.view_of(), &bad);
  if (bad >= 0) raise_bad("embedding", index, bad, rows);
  if (recording({table}))
    record(
        "embedding", y, {table}, [index = save(index), rows, padding, scale_grad_by_freq](Grads& d, const Tensor& g) {
          const Tensor i = index.get();
          d[0] =
              embedding_backward(scale_grad_by_freq ? g * inverse_frequency(i, rows, g.dtype()) : g, i, rows, padding);
        });
  return y;
}

Tensor embedding_backward(const Tensor& g, const Tensor& indices, int64_t rows, int64_t padding_idx) {
  const int64_t width = g.dim() > 0 ? g.shape()[g.shape().size() - 1] : 0;
  if (g.dim() != indices.dim() + 1 || g.numel() != indices.numel() * width || rows < 0)
    raise<ShapeError>("embedding_backward: ", describe("g", g), " does not fit ", describe("indices", indices));
  const Tensor index = index_of("embedding_backward", indices), dense = contiguous(g);
  Tensor dw = allocate(Dims{rows, width}, g.dtype(), g.device());
  int64_t bad = -1;
  kernel(&Kernels::embedding_backward, g.device())(dense.view_of(), index.view_of(), padding_idx, dw.view_of(), &bad);
  if (bad >= 0) raise_bad("embedding_backward", index, bad, rows);
  if (recording({dense}))
    record("embedding_backward", dw, {dense}, [index = save(index), padding_idx](Grads& d, const Tensor& h) {
      const Tensor i = index.get(), picked = embedding(i, h);
      d[0] = padding_idx < 0 ? picked : where(unsqueeze(i == padding_idx, -1), Tensor(0.0), picked);
    });
  return dw;
}

// ---- bags ----

namespace {

// Bag b holds the elements begin[b] .. begin[b + 1] of the flat index.
std::vector<int64_t> read_bags(const Tensor& input, const Tensor& offsets, bool include_last) {
  std::vector<int64_t> begin;
  if (input.dim() == 2) {
    if (offsets.defined())
      raise<ValueError>("embedding_bag: offsets must be None where input is 2-D, its rows are the bags: ",
                        describe("input", input));
    for (int64_t b = 0; b <= input.shape()[0]; ++b) begin.push_back(b * input.shape()[1]);
    return begin;
  }
  if (input.dim() != 1)
    raise<ShapeError>("embedding_bag: input must be (B, L), or 1-D with offsets, got ", describe("input", input));
  if (!offsets.defined() || offsets.dim() != 1)
    raise<ShapeError>("embedding_bag: a 1-D input needs 1-D offsets, where each bag begins: ",
                      describe("input", input));
  const Tensor at = index_of("embedding_bag", offsets);
  begin.assign(at.data_as<int64_t>(), at.data_as<int64_t>() + at.numel());
  if (begin.empty() || !include_last) begin.push_back(input.numel());
  for (size_t b = 0; b < begin.size(); ++b)
    if (begin[b] < (b ? begin[b - 1] : 0) || begin[b] > input.numel() || (b == 0 && begin[b] != 0))
      raise<ValueError>("embedding_bag: offsets must begin with 0, not fall, and not exceed the ", input.numel(),
                        " indices, got ", begin[b], " at ", b);
  return begin;
}

// Maxima of bags as a padded table (B, longest, D); a place that holds nothing cannot win, an empty bag is 0.
Tensor bag_maxima(const Tensor& index, const Tensor& table, const std::vector<int64_t>& begin, int64_t padding) {
  const int64_t bags = int64_t(begin.size()) - 1;
  int64_t longest = 1;
  for (size_t b = 0; b + 1 < begin.size(); ++b) longest = std::max(longest, begin[b + 1] - begin[b]);
  const Tensor at = zeros(Size{bags, longest}, DType::int64), held = zeros(Size{bags, longest}, DType::bool_),
               full_bag = zeros(Size{bags, 1}, DType::bool_);
  for (int64_t b = 0; b < bags; ++b)
    for (int64_t i = begin[size_t(b)]; i < begin[size_t(b) + 1]; ++i) {
      const int64_t v = index.data_as<int64_t>()[i], k = b * longest + i - begin[size_t(b)];
      at.data_as<int64_t>()[k] = v;
      if (v == padding) continue;
      held.data_as<bool>()[k] = full_bag.data_as<bool>()[b] = true;
    }
  const Tensor rows = embedding(at, table);
  const Tensor top =
      max(where(unsqueeze(held, -1), rows, -std::numeric_limits<double>::infinity()), int64_t(1), false).values;
  return where(full_bag, top, 0.0);
}

void check_bag_weights(const Tensor& w, const Tensor& input, const Tensor& table, std::string_view mode) {
  if (!w.defined()) return;
  if (mode != "sum") raise<ValueError>("embedding_bag: per_sample_weights go with mode 'sum' only, got '", mode, "'");
  if (w.shape() != input.shape() || w.dtype() != table.dtype())
    raise<ShapeError>(
        "embedding_bag: per_sample_weights must have input's shape and weight's dtype: ", describe("input", input),
        ", ", describe("per_sample_weights", w), ", ", describe("weight", table));
}

}  // namespace

Tensor embedding_bag(const Tensor& input, const Tensor& weight, const Tensor& offsets, std::optional<double> max_norm,
                     double norm_type, bool scale_grad_by_freq, std::string_view mode, bool,
                     const Tensor& per_sample_weights, bool include_last_offset, std::optional<int64_t> padding_idx) {
  if (mode != "sum" && mode != "mean" && mode != "max")
    raise<ValueError>("embedding_bag: mode must be 'sum', 'mean' or 'max', got '", mode, "'");
  if (weight.dim() != 2 || !is_floating(weight.dtype()))
    raise<ShapeError>("embedding_bag: weight must be floating (V, D), got ", describe("weight", weight));
  if (mode == "max" && scale_grad_by_freq)
    raise<ValueError>("embedding_bag: scale_grad_by_freq does not go with mode 'max'");
  check_bag_weights(per_sample_weights, input, weight, mode);
  const std::vector<int64_t> begin = read_bags(input, offsets, include_last_offset);
  const Tensor index = flatten(index_of("embedding_bag", input));
  const int64_t bags = int64_t(begin.size()) - 1,
                padding = padding_row("embedding_bag", padding_idx, weight.shape()[0]);
  if (mode == "max") {
    if (max_norm) renormalise(weight, index, *max_norm, norm_type);
    return bag_maxima(index, weight, begin, padding);
  }
  const DType wide = weight.dtype() == DType::float64 ? DType::float64 : DType::float32;
  Tensor rows = to(embedding(index, weight, padding_idx, max_norm, norm_type, scale_grad_by_freq), wide);
  if (per_sample_weights.defined()) rows = rows * unsqueeze(flatten(to(per_sample_weights, wide)), -1);
  const Tensor bag = zeros(Size{index.numel()}, DType::int64), count = zeros(Size{bags, 1}, wide);
  const Tensor kept = zeros(Size{index.numel(), 1}, DType::bool_);
  std::vector<int64_t> counts(size_t(bags), 0);
  for (int64_t b = 0; b < bags; ++b)
    for (int64_t i = begin[size_t(b)]; i < begin[size_t(b) + 1]; ++i) {
      bag.data_as<int64_t>()[i] = b;
      const bool held = index.data_as<int64_t>()[i] != padding;
      kept.data_as<bool>()[i] = held;
      counts[size_t(b)] += held;
    }
  Tensor y = zeros(Size{bags, weight.shape()[1]}, wide, weight.device());
  const int64_t last = begin.back();  // elements behind the last offset belong to no bag
  y = index_add(y, 0, narrow(bag, 0, 0, last), narrow(where(kept, rows, 0.0), 0, 0, last), 1);
  if (mode == "mean") {
    for (int64_t b = 0; b < bags; ++b) fill_(select(count, 0, b), double(std::max<int64_t>(counts[size_t(b)], 1)));
    y = y / count;
  }
  return to(y, weight.dtype());
}

}  // namespace lamina
