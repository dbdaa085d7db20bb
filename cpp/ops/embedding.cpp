// embedding: rows of a table chosen by index.
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

}  // namespace

Tensor embedding(const Tensor& input, const Tensor& weight, std::optional<int64_t> padding_idx) {
  if (weight.dim() != 2)
    raise<ShapeError>("embedding: weight must be (V, D), got ", describe("weight", weight), "; the indices come first");
  const Tensor index = index_of("embedding", input), table = contiguous(weight);
  const int64_t rows = weight.shape()[0], padding = padding_row("embedding", padding_idx, rows);
  Dims shape = input.shape();
  shape.push_back(weight.shape()[1]);
  Tensor y = allocate(shape, weight.dtype(), weight.device());
  int64_t bad = -1;
  kernel(&Kernels::embedding, weight.device())(table.view_of(), index.view_of(), y.view_of(), &bad);
  if (bad >= 0) raise_bad("embedding", index, bad, rows);
  if (recording({table}))
    record("embedding", y, {table}, [index = save(index), rows, padding](Grads& d, const Tensor& g) {
      d[0] = embedding_backward(g, index.get(), rows, padding);
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

}  // namespace lamina
