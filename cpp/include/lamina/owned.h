// Who keeps a graph alive, for the garbage collector of a language that holds tensors and is held by graphs.
#pragma once
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "lamina/autograd.h"

namespace lamina {

// Counts references to tensors, nodes and packed tensors, from roots inwards. A thing becomes owned when as many
// references were found as it has: then all of its owners are roots, or owned themselves, and its own references count
// too. While a walk runs, no other thread may use the graph.
class OwnershipWalk {
 public:
  struct Owned {
    std::vector<const Node*> nodes;
    std::vector<const PackedTensor*> packed;
  };

  // One more reference, held by a root. Returns what became owned by it; at most `most` things in the whole walk.
  template <class T>
  Owned found(const T* root, size_t most) {
    count(root);
    return enter(most);
  }
  // What is owned and reached from the root, without what an earlier call returned.
  template <class T>
  Owned reached(const T* root) {
    follow(root);
    return enter_reached();
  }

 private:
  struct Pending {
    std::vector<const TensorImpl*> tensors;
    Owned owned;
  };
  void count(const TensorImpl* t) { count(t, pending_.tensors); }
  void count(const Node* n) { count(n, pending_.owned.nodes); }
  void count(const PackedTensor* p) { count(p, pending_.owned.packed); }
  template <class T>
  void count(const T* p, std::vector<const T*>& pending) {
    if (p && ++seen_[p] == p->refs()) pending.push_back(p);
  }
  void follow(const TensorImpl* t) { follow(t, pending_.tensors); }
  void follow(const Node* n) { follow(n, pending_.owned.nodes); }
  void follow(const PackedTensor* p) { follow(p, pending_.owned.packed); }
  template <class T>
  void follow(const T* p, std::vector<const T*>& pending) {
    if (p && entered_.count(p) && reached_.insert(p).second) pending.push_back(p);
  }
  Owned enter(size_t most);
  Owned enter_reached();

  std::unordered_map<const void*, uint32_t> seen_;
  std::unordered_set<const void*> entered_, reached_;
  Pending pending_;
};

}  // namespace lamina
