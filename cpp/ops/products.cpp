// Products beyond matmul, written with it: outer, inner, tensordot, kron, products with an added term, chains,
// bilinear.
#include <algorithm>
#include <limits>

#include "contract.h"
#include "lamina/autograd.h"

namespace lamina {
namespace {

void need_dims(const char* op, const char* label, const Tensor& t, int64_t dims) {
  if (t.dim() != dims)
    raise<ShapeError>(op, ": expects ", label, " of ", dims, dims == 1 ? " dim, got " : " dims, got ",
                      describe(label, t));
}

// beta input + alpha y, input broadcast to y. beta 0 leaves input out, whatever it holds.
Tensor add_scaled(const char* op, const Tensor& input, const Tensor& product, Scalar beta, Scalar alpha) {
  if (!is_floating(product.dtype()) && (beta.is_floating() || alpha.is_floating()))
    raise<DtypeError>(op, ": beta and alpha must be integers for ", describe("input", input));
  const Dims &from = input.shape(), &to = product.shape();
  bool fits = from.size() <= to.size();
  for (size_t i = 0; fits && i < from.size(); ++i) {
    const int64_t n = to[i + to.size() - from.size()];
    fits = from[i] == n || from[i] == 1;
  }
  if (!fits)
    raise<ShapeError>(op, ": input does not broadcast to the product ", to_string(to), ": ", describe("input", input));
  if (product.dtype() == DType::bool_ && input.dtype() == DType::bool_) {  // beta and alpha are bools then
    const Tensor y = product & alpha.to_bool();
    return beta.to_bool() ? y | input : y;
  }
  const Tensor y = alpha.to_double() == 1 ? product : mul(product, weak_scalar(alpha, product.device()));
  if (beta.to_double() == 0) return y;
  return add(beta.to_double() == 1 ? input : mul(input, weak_scalar(beta, input.device())), y);
}

// The in-place form: the result is written over self, which must have its shape and dtype.
Tensor write_over(const char* op, const Tensor& self, const Tensor& result) {
  if (self.shape() != result.shape() || self.dtype() != result.dtype())
    raise<ShapeError>(op, ": the result ", describe("", result), " does not fit into ", describe("self", self),
                      ". Use the out-of-place form");
  return copy_(self, result);
}

std::vector<int> numbered(const Tensor& t, int first) {
  std::vector<int> labels;
  for (int64_t i = 0; i < t.dim(); ++i) labels.push_back(first + int(i));
  return labels;
}

}  // namespace

// ---- outer, inner, tensordot, kron ----

Tensor outer(const Tensor& input, const Tensor& vec2) {
  need_dims("outer", "input", input, 1);
  need_dims("outer", "vec2", vec2, 1);
  return mul(unsqueeze(input, 1), vec2);
}

Tensor inner(const Tensor& input, const Tensor& other) {
  if (input.dim() == 0 || other.dim() == 0) return mul(input, other);
  if (input.shape().back() != other.shape().back())
    raise<ShapeError>("inner: last sizes ", input.shape().back(), " and ", other.shape().back(),
                      " differ: ", describe("input", input), ", ", describe("other", other));
  return tensordot(input, other, DimsPair(Dims{-1}, Dims{-1}));
}

Tensor tensordot(const Tensor& a, const Tensor& b, const DimsPair& dims) {
  Dims first = dims.first, second = dims.second;
  if (dims.count) {
    if (*dims.count < 0 || *dims.count > a.dim() || *dims.count > b.dim())
      raise<ShapeError>("tensordot: cannot contract ", *dims.count, " dims of ", describe("a", a), ", ",
                        describe("b", b));
    for (int64_t i = 0; i < *dims.count; ++i) {
      first.push_back(a.dim() - *dims.count + i);
      second.push_back(i);
    }
  }
  if (first.size() != second.size())
    raise<ShapeError>("tensordot: dims name ", first.size(), " dims of a and ", second.size(),
                      " of b: ", describe("a", a), ", ", describe("b", b));
  if (!first.empty() && (a.dim() == 0 || b.dim() == 0))
    raise<ShapeError>("tensordot: a tensor without dims has none to contract: ", describe("a", a), ", ",
                      describe("b", b));
  constexpr int kOther = 1000, kUsed = 2000;
  Labelled x{a, numbered(a, 0)}, y{b, numbered(b, kOther)};
  for (size_t i = 0; i < first.size(); ++i) {
    const int64_t p = wrap_dim(first[i], a.dim(), "tensordot"), q = wrap_dim(second[i], b.dim(), "tensordot");
    const int64_t m = a.shape()[size_t(p)], n = b.shape()[size_t(q)];
    if (x.labels[size_t(p)] >= kUsed || y.labels[size_t(q)] >= kUsed)
      raise<ValueError>("tensordot: a dim is contracted twice: ", to_string(first), ", ", to_string(second));
    if (m != n && m != 1 && n != 1)
      raise<ShapeError>("tensordot: contracted sizes ", m, " and ", n, " differ: ", describe("a", a), ", ",
                        describe("b", b));
    x.labels[size_t(p)] = y.labels[size_t(q)] = kUsed + int(i);
  }
  if (a.dtype() != b.dtype() || a.device() != b.device())
    raise<DtypeError>("tensordot: operands must share dtype and device: ", describe("a", a), ", ", describe("b", b));
  std::vector<int> keep;
  for (const Labelled* t : {&x, &y})
    for (int label : t->labels)
      if (label < kUsed) keep.push_back(label);
  return contract("tensordot", x, y, keep).tensor;
}

Tensor kron(const Tensor& input, const Tensor& other) {
  const int64_t n = std::max(input.dim(), other.dim());
  Size left, right, out;
  for (int64_t i = 0; i < n; ++i) {
    const int64_t p = i - (n - input.dim()), q = i - (n - other.dim());
    const int64_t a = p < 0 ? 1 : input.shape()[size_t(p)], b = q < 0 ? 1 : other.shape()[size_t(q)];
    left.push_back(a);
    left.push_back(1);
    right.push_back(1);
    right.push_back(b);
    out.push_back(checked::mul(a, b, "kron"));
  }
  return reshape(mul(reshape(input, left), reshape(other, right)), out);
}

// ---- products with an added term ----

Tensor addmv(const Tensor& input, const Tensor& mat, const Tensor& vec, Scalar beta, Scalar alpha) {
  need_dims("addmv", "mat", mat, 2);
  need_dims("addmv", "vec", vec, 1);
  if (mat.shape()[1] != vec.shape()[0])
    raise<ShapeError>("addmv: inner sizes ", mat.shape()[1], " and ", vec.shape()[0], " differ: ", describe("mat", mat),
                      ", ", describe("vec", vec));
  if (input.dtype() != mat.dtype())
    raise<DtypeError>("addmv: operands must have the same dtype: ", describe("input", input), ", ",
                      describe("mat", mat), ". Convert one with .to(dtype)");
  return add_scaled("addmv", input, mv(mat, vec), beta, alpha);
}

Tensor addr(const Tensor& input, const Tensor& vec1, const Tensor& vec2, Scalar beta, Scalar alpha) {
  need_dims("addr", "vec1", vec1, 1);
  need_dims("addr", "vec2", vec2, 1);
  return add_scaled("addr", input, outer(vec1, vec2), beta, alpha);
}

// The sum over the batch is one long sum over (b, k).
Tensor addbmm(const Tensor& input, const Tensor& batch1, const Tensor& batch2, Scalar beta, Scalar alpha) {
  need_dims("addbmm", "batch1", batch1, 3);
  need_dims("addbmm", "batch2", batch2, 3);
  if (batch1.shape()[0] != batch2.shape()[0] || batch1.shape()[2] != batch2.shape()[1])
    raise<ShapeError>("addbmm: expects (B, M, K) and (B, K, N): ", describe("batch1", batch1), ", ",
                      describe("batch2", batch2));
  if (input.dtype() != batch1.dtype())
    raise<DtypeError>("addbmm: operands must have the same dtype: ", describe("input", input), ", ",
                      describe("batch1", batch1), ". Convert one with .to(dtype)");
  const int64_t m = batch1.shape()[1], n = batch2.shape()[2], k = batch1.shape()[0] * batch1.shape()[2];
  const Tensor left = reshape(permute(batch1, Size{1, 0, 2}), Size{m, k}), right = reshape(batch2, Size{k, n});
  return add_scaled("addbmm", input, mm(left, right), beta, alpha);
}

Tensor addmm_(const Tensor& self, const Tensor& mat1, const Tensor& mat2, Scalar beta, Scalar alpha) {
  check_inplace("addmm_", self);
  return write_over("addmm_", self, addmm(self, mat1, mat2, beta, alpha));
}
Tensor baddbmm_(const Tensor& self, const Tensor& batch1, const Tensor& batch2, Scalar beta, Scalar alpha) {
  check_inplace("baddbmm_", self);
  return write_over("baddbmm_", self, baddbmm(self, batch1, batch2, beta, alpha));
}
Tensor addmv_(const Tensor& self, const Tensor& mat, const Tensor& vec, Scalar beta, Scalar alpha) {
  check_inplace("addmv_", self);
  return write_over("addmv_", self, addmv(self, mat, vec, beta, alpha));
}
Tensor addr_(const Tensor& self, const Tensor& vec1, const Tensor& vec2, Scalar beta, Scalar alpha) {
  check_inplace("addr_", self);
  return write_over("addr_", self, addr(self, vec1, vec2, beta, alpha));
}
Tensor addbmm_(const Tensor& self, const Tensor& batch1, const Tensor& batch2, Scalar beta, Scalar alpha) {
  check_inplace("addbmm_", self);
  return write_over("addbmm_", self, addbmm(self, batch1, batch2, beta, alpha));
}

// ---- chains ----

namespace {

// The order of products with the fewest multiplications, by dynamic programming over the chain.
struct Chain {
  const TensorList& list;
  std::vector<std::vector<double>> cost;
  std::vector<std::vector<size_t>> cut;

  explicit Chain(const TensorList& matrices) : list(matrices) {
    const size_t n = list.size();
    cost.assign(n, std::vector<double>(n, 0));
    cut.assign(n, std::vector<size_t>(n, 0));
    for (size_t length = 1; length < n; ++length) {
      for (size_t i = 0; i + length < n; ++i) {
        const size_t j = i + length;
        cost[i][j] = std::numeric_limits<double>::infinity();
        for (size_t k = i; k < j; ++k) {
          const double c = cost[i][k] + cost[k + 1][j] +
                           double(list[i].shape()[0]) * double(list[k].shape()[1]) * double(list[j].shape()[1]);
          if (c < cost[i][j]) {
            cost[i][j] = c;
            cut[i][j] = k;
          }
        }
      }
    }
  }
  Tensor product(size_t i, size_t j) const {
    return i == j ? list[i] : mm(product(i, cut[i][j]), product(cut[i][j] + 1, j));
  }
};

Tensor chain_product(const char* op, const TensorList& matrices) {
  for (size_t i = 0; i < matrices.size(); ++i) {
    const std::string name = "matrices[" + std::to_string(i) + "]";
    need_dims(op, name.c_str(), matrices[i], 2);
    if (i > 0 && matrices[i - 1].shape()[1] != matrices[i].shape()[0])
      raise<ShapeError>(op, ": sizes of neighbours differ: ", describe("the one before", matrices[i - 1]), ", ",
                        describe(name, matrices[i]));
  }
  return Chain(matrices).product(0, matrices.size() - 1);
}

void check_defined(const char* op, const TensorList& list) {
  for (const Tensor& t : list)
    if (!t.defined()) raise<TypeError>(op, ": a tensor of the list is None");
}

}  // namespace

Tensor chain_matmul(const Tensors& matrices) {
  check_defined("chain_matmul", matrices);
  if (matrices.empty()) raise<ValueError>("chain_matmul: needs at least one matrix");
  return chain_product("chain_matmul", matrices);
}

Tensor linalg_multi_dot(const TensorList& tensors) {
  check_defined("linalg.multi_dot", tensors);
  if (tensors.size() < 2) raise<ValueError>("linalg.multi_dot: needs at least two tensors, got ", tensors.size());
  TensorList list = tensors;
  const bool row = list.front().dim() == 1, column = list.back().dim() == 1;
  if (row) list.front() = unsqueeze(list.front(), 0);
  if (column) list.back() = unsqueeze(list.back(), 1);
  Tensor y = chain_product("linalg.multi_dot", list);
  if (column) y = squeeze(y, Dims{1});
  return row ? squeeze(y, Dims{0}) : y;
}

// ---- per vector ----

Tensor linalg_vecdot(const Tensor& x, const Tensor& y, int64_t dim) {
  const Tensor product = mul(x, y);
  if (product.dtype() == DType::bool_)
    raise<DtypeError>("linalg.vecdot: not defined for bool: ", describe("x", x), ", ", describe("y", y));
  const int64_t d = wrap_dim(dim, std::min(x.dim(), y.dim()), "linalg.vecdot");
  const int64_t from_end = std::min(x.dim(), y.dim()) - d;  // the longer operand counts from its end
  if (x.size(-from_end) != y.size(-from_end))
    raise<ShapeError>("linalg.vecdot: sizes ", x.size(-from_end), " and ", y.size(-from_end), " of dim ", dim,
                      " differ: ", describe("x", x), ", ", describe("y", y));
  return sum(product, Dims{-from_end}, false, is_floating(product.dtype()) ? std::optional<DType>() : product.dtype());
}

Tensor linalg_vector_norm(const Tensor& x, double ord, const OptDims& dim, bool keepdim, std::optional<DType> dtype) {
  if (!is_floating(dtype.value_or(x.dtype())) || !is_floating(x.dtype()))
    raise<DtypeError>("linalg.vector_norm: needs a floating tensor, got ", describe("x", x), ". Convert with .float()");
  return norm(x, ord, dim && dim->empty() ? OptDims() : dim, keepdim, dtype);
}

Tensor linalg_cross(const Tensor& input, const Tensor& other, int64_t dim) {
  if (input.dim() != other.dim())
    raise<ShapeError>("linalg.cross: operands must have as many dims: ", describe("input", input), ", ",
                      describe("other", other));
  const int64_t d = wrap_dim(dim, input.dim(), "linalg.cross");
  if (input.dim() == 0 || input.shape()[size_t(d)] != 3 || other.shape()[size_t(d)] != 3)
    raise<ShapeError>("linalg.cross: dim ", dim, " must have size 3: ", describe("input", input), ", ",
                      describe("other", other));
  const auto turned = [d](const Tensor& x, int64_t by) { return roll(x, Dims{by}, Dims{d}); };
  return turned(input, -1) * turned(other, -2) - turned(input, -2) * turned(other, -1);
}

Tensor cross(const Tensor& input, const Tensor& other, std::optional<int64_t> dim) {
  if (dim) return linalg_cross(input, other, *dim);
  for (int64_t i = 0; i < input.dim(); ++i)
    if (input.shape()[size_t(i)] == 3) return linalg_cross(input, other, i);
  raise<ShapeError>("cross: no dim of size 3 in ", describe("input", input), ", ", describe("other", other));
}

Tensor trace(const Tensor& input) {
  need_dims("trace", "input", input, 2);
  return sum(diagonal(input));
}

// ---- bilinear ----

Tensor bilinear(const Tensor& input1, const Tensor& input2, const Tensor& weight, const Tensor& bias) {
  const auto operands = [&] {
    return str(describe("input1", input1), ", ", describe("input2", input2), ", ", describe("weight", weight));
  };
  if (weight.dim() != 3 || input1.dim() == 0 || input1.dim() != input2.dim() ||
      input1.shape().back() != weight.shape()[1] || input2.shape().back() != weight.shape()[2])
    raise<ShapeError>("bilinear: expects input1 (*, I), input2 (*, J) and weight (O, I, J): ", operands());
  for (size_t i = 0; i + 1 < input1.shape().size(); ++i)
    if (input1.shape()[i] != input2.shape()[i])
      raise<ShapeError>("bilinear: leading sizes of the inputs differ: ", operands());
  const int64_t out = weight.shape()[0], in1 = weight.shape()[1], in2 = weight.shape()[2];
  if (bias.defined() && bias.shape() != Dims{out})
    raise<ShapeError>("bilinear: bias must have shape (", out, ",): ", describe("bias", bias), ", ", operands());
  const int64_t rows = in1 > 0 ? input1.numel() / in1 : in2 > 0 ? input2.numel() / in2 : 0;
  // (n, i) (i, o j) -> (n, o, j), then one row of o vectors of length j against input2.
  const Tensor first =
      mm(reshape(input1, Size{rows, in1}), reshape(permute(weight, Size{1, 0, 2}), Size{in1, out * in2}));
  Tensor y = bmm(reshape(first, Size{rows, out, in2}), reshape(input2, Size{rows, in2, 1}));
  Size shape(input1.shape());
  shape[shape.size() - 1] = out;
  y = reshape(y, shape);
  return bias.defined() ? y + bias : y;
}

}  // namespace lamina
