// Which parts of a graph the found references keep alive, and what those parts refer to themselves.
#include "lamina/owned.h"

#include <utility>

namespace lamina {
namespace {

struct Reported {
  std::vector<const TensorImpl*> tensors;
  std::vector<const Node*> nodes;
  std::vector<const PackedTensor*> packed;
};
[[gnu::tls_model("initial-exec")]] constinit thread_local Reported* reporting = nullptr;

// Every reference that a thing holds, once each.
template <class F>
void each_reference(const TensorImpl& t, F f) {
  if (!t.autograd) return;
  f(t.autograd->fn.get());
  f(t.autograd->base.get());
}
template <class F>
void each_reference(const PackedTensor& p, F f) {
  f(p.edge.node.get());
}
template <class F>
void each_reference(const Node& n, F f) {
  for (const Edge& e : n.edges()) f(e.node.get());
  if (const NodeExtras* x = n.extras_or_null())
    for (const auto& r : x->retained) f(r.grad.impl());
  Reported saved;
  reporting = &saved;
  n.report_saved();
  reporting = nullptr;
  // After the report: the copies it makes hold references too.
  for (const TensorImpl* t : saved.tensors) f(t);
  for (const Node* m : saved.nodes) f(m);
  for (const PackedTensor* p : saved.packed) f(p);
}

template <class T>
const T* take(std::vector<const T*>& list) {
  if (list.empty()) return nullptr;
  const T* last = list.back();
  list.pop_back();
  return last;
}

// Enters what is pending, in turn, until nothing or no room is left; `f` may add to it.
template <class Pending, class F>
OwnershipWalk::Owned drain(Pending& pending, size_t most, std::unordered_set<const void*>& entered, F f) {
  OwnershipWalk::Owned result;
  while (entered.size() < most) {
    if (const TensorImpl* t = take(pending.tensors)) {
      entered.insert(t);
      each_reference(*t, f);
    } else if (const PackedTensor* p = take(pending.owned.packed)) {
      entered.insert(p);
      result.packed.push_back(p);
      each_reference(*p, f);
    } else if (const Node* n = take(pending.owned.nodes)) {
      entered.insert(n);
      result.nodes.push_back(n);
      each_reference(*n, f);
    } else {
      break;
    }
  }
  pending = {};
  return result;
}

}  // namespace

// With lists of what is to be entered, so that a long graph needs no stack.
OwnershipWalk::Owned OwnershipWalk::enter(size_t most) {
  return drain(pending_, most, entered_, [this](const auto* p) { count(p); });
}
OwnershipWalk::Owned OwnershipWalk::enter_reached() {
  return drain(pending_, size_t(-1), reached_, [this](const auto* p) { follow(p); });
}

void report_owned(const Tensor& t) {
  if (reporting && t.defined()) reporting->tensors.push_back(t.impl());
}
void report_owned(const Ref<Node>& node) {
  if (reporting && node) reporting->nodes.push_back(node.get());
}

Saved::Saved(const Saved& other)
    : tensor_(other.tensor_), packed_(other.packed_), version_(other.version_), output_(other.output_) {
  report_owned(tensor_);
  if (reporting && packed_) reporting->packed.push_back(packed_.get());
}

void LeafNode::report_saved() const { report_owned(grad); }

}  // namespace lamina
