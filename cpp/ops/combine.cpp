// Tensors combined with each other: block diagonals, Cartesian products, combinations.
#include <algorithm>

#include "lamina/ops.h"

namespace lamina {

Tensor block_diag(const Tensors& tensors) {
  if (tensors.empty()) return zeros(Size{1, 0});
  TensorList blocks;
  int64_t width = 0;
  for (const Tensor& t : tensors) {
    if (!t.defined()) raise<TypeError>("block_diag: a tensor of the list is None");
    if (t.dim() > 2) raise<ShapeError>("block_diag: takes tensors of at most 2 dims, got ", describe("tensor", t));
    blocks.push_back(t.dim() == 2 ? t : reshape(t, Size{1, t.numel()}));
    width += blocks.back().shape()[1];
  }
  TensorList rows;
  int64_t before = 0;
  for (const Tensor& b : blocks) {
    rows.push_back(pad(b, Dims{before, width - before - b.shape()[1]}));
    before += b.shape()[1];
  }
  return cat(rows, 0);
}

Tensor cartesian_prod(const Tensors& tensors) {
  if (tensors.empty()) raise<ValueError>("cartesian_prod: needs at least one tensor");
  const size_t n = tensors.size();
  Dims shape;
  for (const Tensor& t : tensors) {
    if (!t.defined()) raise<TypeError>("cartesian_prod: a tensor of the list is None");
    if (t.dim() != 1) raise<ShapeError>("cartesian_prod: takes tensors of 1 dim, got ", describe("tensor", t));
    if (t.dtype() != tensors[0].dtype())
      raise<DtypeError>("cartesian_prod: tensors must have one dtype: ", describe("tensors[0]", tensors[0]), ", ",
                        describe("tensor", t));
    shape.push_back(t.shape()[0]);
  }
  if (n == 1) return tensors[0];
  TensorList columns;
  for (size_t i = 0; i < n; ++i) {
    Size own{Dims(n, 1)};
    own[i] = shape[i];
    columns.push_back(reshape(expand(reshape(tensors[i], own), Size(shape)), Size{-1}));
  }
  return stack(columns, 1);
}

namespace {

// Number of choices of r out of n, at most 2^40.
int64_t choices(int64_t n, int64_t r, bool repeated) {
  if (repeated) n = n + r - 1;
  if (r > n) return 0;
  constexpr double kMost = 1099511627776.0;
  double count = 1;
  for (int64_t i = 1; i <= std::min(r, n - r) && count <= kMost; ++i) count = count * double(n - i + 1) / double(i);
  if (count > kMost)
    raise<ValueError>("combinations: choosing r = ", r, " of ", n, " elements gives more rows than memory holds");
  return int64_t(count + 0.5);
}

}  // namespace

Tensor combinations(const Tensor& input, int64_t r, bool with_replacement) {
  if (input.dim() != 1) raise<ShapeError>("combinations: expects input of 1 dim, got ", describe("input", input));
  if (r < 0) raise<ValueError>("combinations: r must not be negative, got ", r);
  const int64_t n = input.shape()[0];
  if (r == 0) return narrow(input, 0, 0, 0);
  const int64_t most = int64_t(1) << 32;
  if (r > most) raise<ValueError>("combinations: r = ", r, " is too large for ", describe("input", input));
  const int64_t rows = n == 0 ? 0 : choices(n, r, with_replacement);
  Tensor index = allocate(Dims{checked::mul(rows, r, "combinations")}, DType::int64);
  int64_t* out = rows > 0 ? index.data_as<int64_t>() : nullptr;
  std::vector<int64_t> row(rows > 0 ? size_t(r) : 0);
  for (size_t i = 0; i < row.size(); ++i) row[i] = with_replacement ? 0 : int64_t(i);
  for (int64_t k = 0; k < rows; ++k) {
    out = std::copy(row.begin(), row.end(), out);
    // The last place that can still grow grows; the places after it follow.
    int64_t i = r - 1;
    while (i >= 0 && row[size_t(i)] == (with_replacement ? n - 1 : n - r + i)) --i;
    if (i < 0) break;
    ++row[size_t(i)];
    for (int64_t j = i + 1; j < r; ++j) row[size_t(j)] = row[size_t(j - 1)] + (with_replacement ? 0 : 1);
  }
  return reshape(index_select(input, 0, to(index, {}, input.device())), Size{rows, r});
}

}  // namespace lamina
