// Which nodes one tensor alone keeps alive: counts the references found from it and compares with what the nodes have.
#include <unordered_map>

#include "lamina/autograd.h"

namespace lamina {
namespace {

struct Found {
  std::vector<const TensorImpl*> tensors;
  std::vector<const Node*> nodes;
};
[[gnu::tls_model("initial-exec")]] constinit thread_local Found* reporting = nullptr;

// Breadth first with queues, so that a long graph needs no stack. A thing becomes owned when the last of its references
// was found in something owned.
class OwnershipWalk {
 public:
  explicit OwnershipWalk(const TensorImpl* root) { tensors_.push_back(root); }

  std::vector<const Node*> run(size_t most) {
    for (size_t t = 0, n = 0; n < most;) {
      if (t < tensors_.size()) {
        enter(*tensors_[t++]);
      } else if (n < nodes_.size()) {
        enter(*nodes_[n++]);
      } else {
        break;
      }
    }
    if (nodes_.size() > most) nodes_.resize(most);
    return std::move(nodes_);
  }

 private:
  template <class T>
  void found(const T* p, std::vector<const T*>& owned) {
    if (p && ++seen_[p] == p->refs()) owned.push_back(p);
  }
  void enter(const TensorImpl& t) {
    if (!t.autograd) return;
    found<Node>(t.autograd->fn.get(), nodes_);
    found<TensorImpl>(t.autograd->base.get(), tensors_);
  }
  void enter(const Node& n) {
    for (const Edge& e : n.edges()) found<Node>(e.node.get(), nodes_);
    if (const NodeExtras* x = n.extras_or_null())
      for (const auto& r : x->retained) found<TensorImpl>(r.grad.impl(), tensors_);
    saved_ = {};
    reporting = &saved_;
    n.report_saved();
    reporting = nullptr;
    // After the report: the copies it makes hold references too.
    for (const TensorImpl* t : saved_.tensors) found<TensorImpl>(t, tensors_);
    for (const Node* m : saved_.nodes) found<Node>(m, nodes_);
  }

  std::unordered_map<const void*, uint32_t> seen_;
  std::vector<const TensorImpl*> tensors_;
  std::vector<const Node*> nodes_;
  Found saved_;
};

}  // namespace

void report_owned(const Tensor& t) {
  if (reporting && t.defined()) reporting->tensors.push_back(t.impl());
}
void report_owned(const Ref<Node>& node) {
  if (reporting && node) reporting->nodes.push_back(node.get());
}

Saved::Saved(const Saved& other)
    : tensor_(other.tensor_), packed_(other.packed_), version_(other.version_), output_(other.output_) {
  report_owned(tensor_);
}

void LeafNode::report_saved() const { report_owned(grad); }

std::vector<const Node*> owned_nodes(const Tensor& t, size_t most) {
  if (!t->autograd || t->refs() != 1) return {};
  return OwnershipWalk(t.impl()).run(most);
}

}  // namespace lamina
