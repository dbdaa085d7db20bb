// Contraction of two labelled tensors by one matrix product: permute, reshape, bmm.
#include "contract.h"

#include <algorithm>

#include "lamina/autograd.h"

namespace lamina {
namespace {

bool holds(const std::vector<int>& labels, int label) {
  return std::find(labels.begin(), labels.end(), label) != labels.end();
}

Tensor sum_dims(const Tensor& x, const Dims& dims) {
  return dims.empty() ? x : sum(x, dims, false, is_floating(x.dtype()) ? std::optional<DType>() : x.dtype());
}

// x without the dim of `label`: squeezed where its size is 1, else summed.
void remove(Labelled& x, int label) {
  const int64_t at = x.find(label);
  x.tensor = x.tensor.shape()[size_t(at)] == 1 ? squeeze(x.tensor, Dims{at}) : sum_dims(x.tensor, Dims{at});
  x.labels.erase(x.labels.begin() + at);
}

// x with its dims in the order of `order`, a new dim of size 1 where it lacks a label.
Tensor arranged(const Labelled& x, const std::vector<int>& order) {
  Size places;
  for (int label : order)
    if (const int64_t at = x.find(label); at >= 0) places.push_back(at);
  Tensor t = permute(x.tensor, places);
  for (size_t i = 0; i < order.size(); ++i)
    if (x.find(order[i]) < 0) t = unsqueeze(t, int64_t(i));
  return t;
}

struct Roles {
  std::vector<int> batch, left, right, summed;
};

int64_t extent(const char* op, const Labelled& x, const std::vector<int>& labels) {
  int64_t n = 1;
  for (int label : labels) n = checked::mul(n, x.size_of(label), op);
  return n;
}

// Dims of size 1 against larger ones leave before the product; what remains has equal sizes or one owner.
Roles assign_roles(const char* op, Labelled& a, Labelled& b, const std::vector<int>& keep) {
  for (const int label : std::vector<int>(a.labels)) {
    if (b.find(label) < 0) continue;
    const int64_t m = a.size_of(label), n = b.size_of(label);
    if (m == n) continue;
    if (m != 1 && n != 1)
      raise<ShapeError>(op, ": sizes ", m, " and ", n, " of one contracted dim differ: ", describe("left", a.tensor),
                        ", ", describe("right", b.tensor));
    if (m == 1 || !holds(keep, label)) remove(a, label);
    if ((n == 1 && m != 1) || !holds(keep, label)) remove(b, label);
  }
  Roles r;
  for (const int label : a.labels) {
    const bool shared = b.find(label) >= 0;
    (shared ? (holds(keep, label) ? r.batch : r.summed) : r.left).push_back(label);
  }
  for (const int label : b.labels)
    if (a.find(label) < 0) r.right.push_back(label);
  return r;
}

std::vector<int> joined(std::initializer_list<const std::vector<int>*> parts) {
  std::vector<int> out;
  for (const std::vector<int>* p : parts) out.insert(out.end(), p->begin(), p->end());
  return out;
}

}  // namespace

Labelled sum_others(const Labelled& x, const std::vector<int>& keep) {
  Dims gone;
  Labelled y;
  for (size_t i = 0; i < x.labels.size(); ++i)
    if (holds(keep, x.labels[i])) {
      y.labels.push_back(x.labels[i]);
    } else {
      gone.push_back(int64_t(i));
    }
  y.tensor = sum_dims(x.tensor, gone);
  return y;
}

Labelled contract(const char* op, Labelled a, Labelled b, const std::vector<int>& keep) {
  std::vector<int> keep_a = joined({&keep, &b.labels}), keep_b = joined({&keep, &a.labels});
  a = sum_others(a, keep_a);
  b = sum_others(b, keep_b);
  const Roles r = assign_roles(op, a, b, keep);
  Labelled y;
  y.labels = joined({&r.batch, &r.left, &r.right});
  if (r.summed.empty()) {
    y.tensor = mul(arranged(a, y.labels), arranged(b, y.labels));
    return y;
  }
  const int64_t groups = extent(op, a, r.batch), m = extent(op, a, r.left), k = extent(op, a, r.summed),
                n = extent(op, b, r.right);
  const Tensor x = arranged(a, joined({&r.batch, &r.left, &r.summed})),
               w = arranged(b, joined({&r.batch, &r.summed, &r.right}));
  Size shape;
  for (const int label : joined({&r.batch, &r.left})) shape.push_back(a.size_of(label));
  for (const int label : r.right) shape.push_back(b.size_of(label));
  const Tensor product = r.batch.empty() ? mm(reshape(x, Size{m, k}), reshape(w, Size{k, n}))
                                         : bmm(reshape(x, Size{groups, m, k}), reshape(w, Size{groups, k, n}));
  y.tensor = reshape(product, shape);
  return y;
}

}  // namespace lamina
