// scaled_dot_product_attention: softmax(scale query key^T + mask) value.
#include <cmath>

#include "handle.h"
#include "lamina/devices.h"
#include "lamina/ops.h"
#include "lamina/random.h"
#include "lamina/sequence.h"
#include "norm.h"

namespace lamina {
namespace {

constexpr const char* kOp = "scaled_dot_product_attention";

// (B, H, L, E), (B, K, S, E), (B, K, S, V), mask (B, H, L, S) or none; H is a multiple of K.
struct Operands {
  Tensor q, k, v, mask;
};

// 1 / (1 - p) where the weight stays, else 0: the numbers that the kernel draws.
Tensor kept_weights(const Tensor& like, const AttentionSpec& spec) {
  const Tensor ones_like_weights = ones(Size(like.shape()), like.dtype(), like.device());
  const Tensor out = allocate(like.shape(), like.dtype(), like.device()),
               mask = allocate(like.shape(), DType::bool_, like.device());
  if (like.numel() > 0)
    kernel(&Kernels::dropout, like.device())(ones_like_weights.view_of(), out.view_of(), mask.view_of(), spec.dropout,
                                             spec.seed, spec.offset);
  return out;
}

Tensor by_operations(const Operands& o, const AttentionSpec& spec) {
  const int64_t group = o.k.shape()[1] == 0 ? 1 : o.q.shape()[1] / o.k.shape()[1];
  const Tensor k = group == 1 ? o.k : repeat_interleave(o.k, group, 1),
               v = group == 1 ? o.v : repeat_interleave(o.v, group, 1);
  Tensor s = matmul(o.q, transpose(k, -2, -1)) * spec.scale;
  const double none = -INFINITY;
  if (o.mask.defined()) s = o.mask.dtype() == DType::bool_ ? where(o.mask, s, Tensor(none)) : s + o.mask;
  if (spec.causal) s = where(tril(ones(Size{s.shape()[2], s.shape()[3]}, DType::bool_, s.device())), s, Tensor(none));
  if (s.shape()[3] == 0) return matmul(s, v);
  // A row that sees nothing gives 0.
  const Tensor top = amax(s.detach(), Dims{-1}, true), empty = top == Tensor(none);
  const Tensor e = exp(s - where(empty, Tensor(0.0), top)), sum_e = sum(e, Dims{-1}, true);
  Tensor p = e / where(empty, Tensor(1.0), sum_e);
  if (spec.dropout > 0) p = p * kept_weights(p, spec);
  return matmul(p, v);
}

// ---- the kernels ----

// The kernels read whole feature rows.
Tensor adjacent(const Tensor& t) {
  const View v = t.view_of();
  return v.shape[v.ndim - 1] <= 1 || v.stride[v.ndim - 1] == 1 ? t : contiguous(t);
}

// (B, H, L, F) in memory as (B, L, H, F): joining the heads afterwards copies nothing.
Tensor allocate_joined(const Tensor& like, int64_t features) {
  const int64_t h = like.shape()[1], l = like.shape()[2];
  return allocate_strided(Dims{like.shape()[0], h, l, features}, Dims{l * h * features, features, h * features, 1},
                          like.dtype(), like.device());
}
Tensor gradient_like(const Tensor& t) {
  return t.stride()[1] < t.stride()[2] ? allocate_joined(t, t.shape().back())
                                       : allocate(t.shape(), t.dtype(), t.device());
}

void backward(Grads& d, const Tensor& gradient, const Operands& o, const AttentionSpec& spec, const Tensor& out,
              const Tensor& top, const Tensor& total) {
  const Tensor g = adjacent(gradient), q = adjacent(o.q), k = adjacent(o.k), v = adjacent(o.v);
  const bool for_keys = d.want(1) || d.want(2);
  const Tensor dq = d.want(0) ? gradient_like(q) : Tensor(), dk = for_keys ? gradient_like(k) : Tensor(),
               dv = for_keys ? gradient_like(v) : Tensor();
  const Tensor dmask = o.mask.defined() && d.want(3) ? allocate(o.mask.shape(), q.dtype(), q.device()) : Tensor();
  kernel(&Kernels::attention_backward, q.device())(
      q.view_of(), k.view_of(), v.view_of(), optional_view(o.mask), spec, out.view_of(), top.view_of(), total.view_of(),
      g.view_of(), optional_view(dq), optional_view(dk), optional_view(dv), optional_view(dmask));
  if (d.want(0)) d[0] = dq;
  if (d.want(1)) d[1] = dk;
  if (d.want(2)) d[2] = dv;
  if (dmask.defined()) d[3] = dmask;
}

Tensor attend(const Operands& o, const AttentionSpec& spec) {
  if (o.q.numel() == 0 || o.k.numel() == 0 || o.v.numel() == 0) return by_operations(o, spec);
  const Tensor q = adjacent(o.q.detach()), k = adjacent(o.k.detach()), v = adjacent(o.v.detach());
  Tensor y = allocate_joined(q, v.shape().back());
  const Dims rows{q.shape()[0], q.shape()[1], q.shape()[2]};
  const Tensor top = allocate(rows, q.dtype(), q.device()), total = allocate(rows, q.dtype(), q.device());
  kernel(&Kernels::attention, q.device())(q.view_of(), k.view_of(), v.view_of(), optional_view(o.mask), spec,
                                          y.view_of(), top.view_of(), total.view_of());
  if (recording({o.q, o.k, o.v, o.mask}))
    record(kOp, y, {o.q, o.k, o.v, o.mask},
           [q = save(o.q), k = save(o.k), v = save(o.v), mask = save(o.mask), out = save_output(y), top, total, spec](
               Grads& d, const Tensor& g) {
             const Operands saved{q.get(), k.get(), v.get(), mask.get()};
             if (grad_enabled()) {
               const Tensor operands[4] = {saved.q, saved.k, saved.v, saved.mask};
               return differentiate_again(d, std::span(&g, 1), operands, [&](const TensorList& h) {
                 return TensorList{by_operations({h[0], h[1], h[2], h[3]}, spec)};
               });
             }
             backward(d, g, saved, spec, out.get(), top, total);
           });
  return y;
}

// ---- checks ----

// Four dims: leading ones are joined or added.
Tensor as_heads(const Tensor& t, const Dims& leading) {
  Dims shape = leading;
  shape.push_back(t.shape()[t.shape().size() - 2]);
  shape.push_back(t.shape().back());
  const Tensor e = t.shape() == shape ? t : expand(t, Size(shape));
  if (shape.size() == 4) return e;
  Size four{1, 1, shape[shape.size() - 2], shape.back()};
  if (leading.size() == 1) four[1] = leading[0];
  if (leading.size() > 2) {
    four[1] = leading.back();
    for (size_t i = 0; i + 1 < leading.size(); ++i) four[0] *= leading[i];
  }
  return reshape(e, four);
}

[[noreturn]] void raise_shapes(const char* why, const Tensor& q, const Tensor& k, const Tensor& v) {
  raise<ShapeError>(kOp, ": ", why, ": ", describe("query", q), ", ", describe("key", k), ", ", describe("value", v));
}

// Leading dims of a tensor, with the head dim left out where heads are grouped.
Dims leading_of(const Tensor& t, bool grouped) {
  const size_t n = t.shape().size() - (grouped ? 3 : 2);
  return Dims(std::span<const int64_t>(t.shape()).first(n));
}

Dims broadcast_leading(const Tensor& q, const Tensor& k, const Tensor& v, bool grouped) {
  Dims out = leading_of(q, grouped);
  for (const Tensor* t : {&k, &v}) {
    const Dims other = leading_of(*t, grouped);
    Dims wide = out.size() >= other.size() ? out : other;
    const Dims& slim = out.size() >= other.size() ? other : out;
    const size_t shift = wide.size() - slim.size();
    for (size_t i = 0; i < slim.size(); ++i) {
      if (wide[shift + i] == 1) wide[shift + i] = slim[i];
      if (slim[i] != 1 && slim[i] != wide[shift + i]) raise_shapes("the leading dims do not broadcast", q, k, v);
    }
    out = wide;
  }
  return out;
}

void check_operands(const Tensor& q, const Tensor& k, const Tensor& v, bool grouped) {
  const int64_t least = grouped ? 3 : 2;
  if (q.dim() < least || k.dim() < least || v.dim() < least)
    raise_shapes(grouped ? "enable_gqa needs (..., heads, length, features)" : "expects (..., length, features)", q, k,
                 v);
  for (const Tensor* t : {&q, &k, &v}) {
    if (!is_floating(t->dtype()) || t->dtype() != q.dtype())
      raise<DtypeError>(kOp, ": query, key and value need one floating dtype: ", describe("query", q), ", ",
                        describe("key", k), ", ", describe("value", v));
    if (t->device() != q.device())
      raise<DeviceError>(kOp, ": query, key and value must be on one device: ", describe("query", q), ", ",
                         describe("key", k), ", ", describe("value", v));
  }
  if (q.shape().back() != k.shape().back()) raise_shapes("query and key need the same number of features", q, k, v);
  if (k.size(-2) != v.size(-2)) raise_shapes("key and value need the same length", q, k, v);
  if (!grouped) return;
  const int64_t h = q.size(-3), hk = k.size(-3);
  if (hk != v.size(-3) || hk == 0 || h % hk != 0)
    raise_shapes("enable_gqa needs key and value with as many heads as divide query's", q, k, v);
}

Tensor check_mask(const Tensor& mask, const Tensor& q, const Dims& scores) {
  if (!mask.defined()) return {};
  if (mask.dtype() != DType::bool_ && mask.dtype() != q.dtype() &&
      !(mask.dtype() == DType::float32 && is_floating(q.dtype())))
    raise<DtypeError>(kOp, ": attn_mask must be bool (True takes part) or of query's dtype (added to the scores): ",
                      describe("query", q), ", ", describe("attn_mask", mask));
  const Dims& m = mask.shape();
  bool fits = m.size() <= scores.size();
  for (size_t i = 0; fits && i < m.size(); ++i) fits = m[i] == 1 || m[i] == scores[scores.size() - m.size() + i];
  if (!fits)
    raise<ShapeError>(kOp, ": attn_mask must broadcast to the scores ", to_string(scores), ", got ",
                      describe("attn_mask", mask));
  return mask;
}

}  // namespace

Tensor scaled_dot_product_attention(const Tensor& query, const Tensor& key, const Tensor& value,
                                    const Tensor& attn_mask, double dropout_p, bool is_causal,
                                    std::optional<double> scale, bool enable_gqa) {
  check_operands(query, key, value, enable_gqa);
  if (!(dropout_p >= 0 && dropout_p <= 1)) raise<ValueError>(kOp, ": dropout_p must be in [0, 1], got ", dropout_p);
  if (is_causal && attn_mask.defined())
    raise<ValueError>(kOp, ": give attn_mask or is_causal=True, not both; combine them in the mask");
  const bool grouped = enable_gqa && query.size(-3) != key.size(-3);
  Dims leading = broadcast_leading(query, key, value, grouped), of_query = leading, of_key = leading;
  if (grouped) {
    of_query.push_back(query.size(-3));
    of_key.push_back(key.size(-3));
  }
  Dims scores = of_query;
  scores.push_back(query.size(-2));
  scores.push_back(key.size(-2));
  Tensor mask = check_mask(attn_mask, query, scores);
  const bool wider = query.dtype() == DType::float16 || query.dtype() == DType::bfloat16;
  const auto operand = [&](const Tensor& t, const Dims& lead) {
    return as_heads(wider ? to(t, DType::float32) : t, lead);
  };
  Operands o{operand(query, of_query), operand(key, of_key), operand(value, of_key), {}};
  if (mask.defined()) {
    if (mask.dtype() != DType::bool_) mask = to(mask, o.q.dtype());
    const Tensor full = mask.shape() == scores ? mask : expand(mask, Size(scores));
    Dims lead = of_query;
    o.mask = as_heads(full, lead);
  }
  AttentionSpec spec;
  spec.scale = scale ? *scale : 1 / std::sqrt(double(std::max<int64_t>(query.shape().back(), 1)));
  spec.causal = is_causal;
  spec.dropout = dropout_p;
  if (dropout_p > 0) {
    const Generator::Draw draw = default_generator().next();
    spec.seed = draw.seed, spec.offset = draw.offset;
  }
  Tensor y = attend(o, spec);
  Dims shape = of_query;
  shape.push_back(query.size(-2));
  shape.push_back(value.shape().back());
  if (y.shape() != shape) y = reshape(y, Size(shape));
  return wider ? to(y, query.dtype()) : y;
}

}  // namespace lamina
