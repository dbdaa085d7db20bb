// Matrix products: matmul and its strict forms, linear layers, products with an added term.
#include "lamina/autograd.h"
#include "lamina/devices.h"
#include "lamina/ops.h"

namespace lamina {
namespace {

// The operands of a product under the names that its errors use.
struct Pair {
  const char* op;
  const char* a_name;
  const Tensor& a;
  const char* b_name;
  const Tensor& b;

  std::string operands() const { return describe(a_name, a) + ", " + describe(b_name, b); }
};

void check_kinds(const Pair& p) {
  if (p.a.device() != p.b.device())
    raise<DeviceError>(p.op, ": operands live on different devices: ", p.operands(), ". Move one with .to(device)");
  if (p.a.dtype() != p.b.dtype())
    raise<DtypeError>(p.op, ": operands must have the same dtype: ", p.operands(), ". Convert one with .to(dtype)");
  if (p.a.dtype() == DType::bool_)
    raise<DtypeError>(p.op, ": not defined for bool: ", p.operands(), ". Convert with .to(lamina.int64)");
}

void check_dims(const Pair& p, int64_t a_dim, int64_t b_dim) {
  if (p.a.dim() != a_dim || p.b.dim() != b_dim)
    raise<ShapeError>(p.op, ": expects ", p.a_name, " of ", a_dim, a_dim == 1 ? " dim and " : " dims and ", p.b_name,
                      " of ", b_dim, b_dim == 1 ? " dim: " : " dims: ", p.operands(),
                      ". matmul broadcasts other shapes");
}

void check_inner(const Pair& p, int64_t a_inner, int64_t b_inner) {
  if (a_inner != b_inner)
    raise<ShapeError>(p.op, ": inner sizes ", a_inner, " and ", b_inner, " differ: ", p.operands(),
                      "; expected (*, M, K) and (*, K, N)");
}

// Batch dims of the product, with room for the two matrix dims.
Dims batch_shape(const Pair& p) {
  const size_t na = p.a.shape().size() - 2, nb = p.b.shape().size() - 2, n = std::max(na, nb);
  Dims s(n + 2, 1);
  for (size_t i = 0; i < n; ++i) {
    const int64_t x = i + na < n ? 1 : p.a.shape()[i + na - n], y = i + nb < n ? 1 : p.b.shape()[i + nb - n];
    if (x != y && x != 1 && y != 1)
      raise<ShapeError>(p.op, ": batch sizes ", x, " and ", y, " do not broadcast: ", p.operands());
    s[i] = x == 1 ? y : x;
  }
  return s;
}

// t as a batch of matrices (M, N): missing and repeated dims get stride 0.
View matrices(const Tensor& t, const Dims& batch, int64_t m, int64_t n) {
  const View given = t.view_of();
  View v;
  v.data = given.data;
  v.dtype = given.dtype;
  v.ndim = int32_t(batch.size());
  const size_t skip = batch.size() - t.shape().size();
  for (size_t i = 0; i < batch.size(); ++i) {
    v.shape[i] = i + 2 < batch.size() ? batch[i] : i + 2 == batch.size() ? m : n;
    v.stride[i] = i >= skip && t.shape()[i - skip] == v.shape[i] ? given.stride[i - skip] : 0;
  }
  return v;
}

Tensor transposed(const Tensor& x) { return transpose(x, -2, -1); }
Tensor as_rows(const Tensor& x) { return x.dim() == 2 ? x : flatten(x, 0, -2); }
Saved save_if(bool needed, const Tensor& x) { return needed ? save(x) : Saved(); }

Tensor input_gradient(const Tensor& g, const Tensor& b, const Dims& shape) {
  return sum_to(matmul(g, transposed(b)), shape);
}
// For one matrix shared by a batch the rows of all items form one long product.
Tensor other_gradient(const Tensor& g, const Tensor& a, const Dims& shape) {
  if (shape.size() == 2 && a.dim() > 2 && a.dim() == g.dim()) return matmul(transposed(as_rows(a)), as_rows(g));
  return sum_to(matmul(transposed(a), g), shape);
}

// out = a b (+ term), out being a view of y and added that of term. A device without the fused kernel adds afterwards.
void multiply(const View& a, const View& b, const Tensor& term, const View& added, Tensor& y, const View& out) {
  const auto fused = kernels_of(y.device()).matmul_add;
  if (term.defined() && fused) return fused(a, b, added, out);
  kernel(&Kernels::matmul, y.device())(a, b, out);
  if (!term.defined()) return;
  NoGrad off;
  add_(y, term);
}

// a b (+ term); a and b have at least two dims.
Tensor product(const Pair& p, const Tensor& term = {}) {
  check_kinds(p);
  const Tensor &a = p.a, &b = p.b;
  const int64_t m = a.size(-2), k = a.size(-1), n = b.size(-1);
  check_inner(p, k, b.size(-2));
  Dims shape = batch_shape(p);
  if (shape.size() > size_t(kMaxDims)) raise<ShapeError>(p.op, ": at most ", kMaxDims, " dims: ", p.operands());
  shape[shape.size() - 2] = m;
  shape[shape.size() - 1] = n;
  Tensor y = allocate(shape, a.dtype(), a.device());
  const View va = matrices(a, shape, m, k), vb = matrices(b, shape, k, n);
  multiply(va, vb, term, term.defined() ? matrices(term, shape, m, n) : va, y, y.view_of());
  if (recording({a, b, term}))
    record(p.op, y, {a, b, term},
           [sa = save_if(b.requires_grad(), a), sb = save_if(a.requires_grad(), b), as = a.shape(), bs = b.shape(),
            ts = term.defined() ? term.shape() : Dims()](Grads& d, const Tensor& g) {
             if (d.want(0)) d[0] = input_gradient(g, sb.get(), as);
             if (d.want(1)) d[1] = other_gradient(g, sa.get(), bs);
             if (d.want(2)) d[2] = sum_to(g, ts);
           });
  return y;
}

// A vector takes part as a matrix of one row (left) or one column (right).
Tensor vector_product(const Pair& p) {
  check_kinds(p);
  const bool left = p.a.dim() == 1, right = p.b.dim() == 1;
  check_inner(p, p.a.shape().back(), p.b.size(right ? 0 : -2));
  const Tensor a = left ? unsqueeze(p.a, 0) : p.a, b = right ? unsqueeze(p.b, 1) : p.b;
  Tensor y = product({p.op, p.a_name, a, p.b_name, b});
  if (right) y = squeeze(y, Dims{-1});
  return left ? squeeze(y, Dims{right ? -1 : -2}) : y;
}

// beta input + alpha (a b), input broadcast to the product. beta 0 leaves input out, whatever it holds.
Tensor add_product(const Pair& p, const Tensor& input, Scalar beta, Scalar alpha) {
  check_kinds(p);
  check_kinds({p.op, "input", input, p.a_name, p.a});
  check_inner(p, p.a.size(-1), p.b.size(-2));
  if (!is_floating(p.a.dtype()) && (beta.is_floating() || alpha.is_floating()))
    raise<DtypeError>(p.op, ": beta and alpha must be integers for ", p.operands());
  Dims shape = batch_shape(p);
  shape[shape.size() - 2] = p.a.size(-2);
  shape[shape.size() - 1] = p.b.size(-1);
  const size_t skip = shape.size() - std::min(shape.size(), input.shape().size());
  bool fits = input.shape().size() <= shape.size();
  for (size_t i = 0; fits && i < input.shape().size(); ++i)
    fits = input.shape()[i] == shape[i + skip] || input.shape()[i] == 1;
  if (!fits)
    raise<ShapeError>(p.op, ": input does not broadcast to the product ", to_string(shape), ": ",
                      describe("input", input), ", ", p.operands());
  if (beta.to_double() == 1 && alpha.to_double() == 1) return product(p, input);
  Tensor y = product(p);
  if (alpha.to_double() != 1) y = mul(y, weak_scalar(alpha, y.device()));
  if (beta.to_double() == 0) return y;
  return add(beta.to_double() == 1 ? input : mul(input, weak_scalar(beta, y.device())), y);
}

}  // namespace

Tensor matmul(const Tensor& input, const Tensor& other) {
  const Pair p{"matmul", "input", input, "other", other};
  if (input.dim() == 0 || other.dim() == 0)
    raise<ShapeError>("matmul: needs operands of at least one dim: ", p.operands(), ". Multiply by a number with *");
  return input.dim() == 1 || other.dim() == 1 ? vector_product(p) : product(p);
}

Tensor mm(const Tensor& input, const Tensor& mat2) {
  const Pair p{"mm", "input", input, "mat2", mat2};
  check_dims(p, 2, 2);
  return product(p);
}

Tensor bmm(const Tensor& input, const Tensor& mat2) {
  const Pair p{"bmm", "input", input, "mat2", mat2};
  check_dims(p, 3, 3);
  if (input.shape()[0] != mat2.shape()[0])
    raise<ShapeError>("bmm: batch sizes ", input.shape()[0], " and ", mat2.shape()[0], " differ: ", p.operands(),
                      ". matmul broadcasts");
  return product(p);
}

Tensor mv(const Tensor& input, const Tensor& vec) {
  const Pair p{"mv", "input", input, "vec", vec};
  check_dims(p, 2, 1);
  return vector_product(p);
}

Tensor dot(const Tensor& input, const Tensor& tensor) {
  const Pair p{"dot", "input", input, "tensor", tensor};
  check_dims(p, 1, 1);
  return vector_product(p);
}

Tensor addmm(const Tensor& input, const Tensor& mat1, const Tensor& mat2, Scalar beta, Scalar alpha) {
  const Pair p{"addmm", "mat1", mat1, "mat2", mat2};
  check_dims(p, 2, 2);
  return add_product(p, input, beta, alpha);
}

Tensor baddbmm(const Tensor& input, const Tensor& batch1, const Tensor& batch2, Scalar beta, Scalar alpha) {
  const Pair p{"baddbmm", "batch1", batch1, "batch2", batch2};
  check_dims(p, 3, 3);
  if (batch1.shape()[0] != batch2.shape()[0])
    raise<ShapeError>("baddbmm: batch sizes ", batch1.shape()[0], " and ", batch2.shape()[0],
                      " differ: ", p.operands());
  return add_product(p, input, beta, alpha);
}

Tensor linear(const Tensor& input, const Tensor& weight, const Tensor& bias) {
  const Pair p{"linear", "input", input, "weight", weight};
  if (input.dim() == 0 || (weight.dim() != 1 && weight.dim() != 2))
    raise<ShapeError>("linear: expects input (*, in) and weight (out, in) or (in): ", p.operands());
  check_kinds(p);
  if (input.shape().back() != weight.shape().back())
    raise<ShapeError>("linear: input has ", input.shape().back(), " features, weight expects ", weight.shape().back(),
                      ": ", p.operands());
  if (bias.defined()) {
    check_kinds({"linear", "bias", bias, "weight", weight});
    if (bias.dim() + 1 != weight.dim() || (bias.dim() == 1 && bias.shape()[0] != weight.shape()[0]))
      raise<ShapeError>("linear: bias must have the output's features, shape ",
                        weight.dim() == 2 ? to_string(Dims{weight.shape()[0]}) : "()", ": ", describe("bias", bias),
                        ", ", describe("weight", weight));
  }
  if (weight.dim() == 1) {
    const Tensor y = matmul(input, weight);
    return bias.defined() ? add(y, bias) : y;
  }
  const int64_t k = weight.shape()[1], n = weight.shape()[0];
  Dims shape = input.shape();
  shape[shape.size() - 1] = n;
  Tensor y = allocate(shape, input.dtype(), input.device());
  View x = input.view_of(), out = y.view_of();
  if (x.ndim == 1) {  // one row
    for (View* v : {&x, &out}) {
      v->shape[1] = v->shape[0];
      v->stride[1] = v->stride[0];
      v->shape[0] = 1;
      v->ndim = 2;
    }
  }
  View w = out, b = out;  // the same batch, repeated
  w.data = weight.data();
  for (int i = 0; i < out.ndim; ++i) w.stride[i] = b.stride[i] = 0;
  w.shape[w.ndim - 2] = k;
  w.stride[w.ndim - 2] = weight.stride()[1];
  w.stride[w.ndim - 1] = weight.stride()[0];
  if (bias.defined()) {
    b.data = bias.data();
    b.stride[b.ndim - 1] = bias.stride()[0];
  }
  multiply(x, w, bias, b, y, out);
  if (recording({input, weight, bias}))
    record("linear", y, {input, weight, bias},
           [sx = save_if(weight.requires_grad(), input), sw = save_if(input.requires_grad(), weight)](Grads& d,
                                                                                                      const Tensor& g) {
             if (d.want(0)) d[0] = matmul(g, sw.get());
             const Tensor rows = g.dim() == 1 ? unsqueeze(g, 0) : as_rows(g);
             if (d.want(1)) {
               const Tensor in = sx.get();
               d[1] = matmul(t(rows), in.dim() == 1 ? unsqueeze(in, 0) : as_rows(in));
             }
             if (d.want(2)) d[2] = sum(rows, Dims{0});
           });
  return y;
}

}  // namespace lamina
