// Backward: walks the graph once in dependency order, iteratively, in an order that depends on the graph alone.
#include <algorithm>
#include <unordered_map>

#include "lamina/autograd.h"
#include "lamina/backend.h"
#include "lamina/ops.h"

namespace lamina {

extern thread_local const Node* running_node;

namespace {

struct Running {
  explicit Running(const Node* n) : before(running_node) { running_node = n; }
  ~Running() { running_node = before; }
  const Node* before;
};

// One thread at a time in a node that several graphs share (parameters of models trained in threads).
struct Hold {
  explicit Hold(Node& n) : node(n) {
    while (node.busy.exchange(true, std::memory_order_acquire)) {
      while (node.busy.load(std::memory_order_relaxed)) __builtin_ia32_pause();
    }
  }
  ~Hold() { node.busy.store(false, std::memory_order_release); }
  Node& node;
};

// Node* -> index: open addressing, because a hash-map node per graph node would cost more than the walk.
class Index {
 public:
  explicit Index(size_t expected) { grow(std::max<size_t>(64, expected * 2)); }
  // Index of n, new ones are given `fresh`.
  std::pair<uint32_t, bool> find_or_insert(const Node* n, uint32_t fresh) {
    if ((count_ + 1) * 2 > keys_.size()) grow(keys_.size() * 2);
    for (size_t i = hash(n);; i = (i + 1) & mask_) {
      if (keys_[i] == n) return {values_[i], false};
      if (!keys_[i]) {
        keys_[i] = n;
        values_[i] = fresh;
        ++count_;
        return {fresh, true};
      }
    }
  }

 private:
  size_t hash(const Node* n) const { return ((reinterpret_cast<uintptr_t>(n) >> 4) * 0x9E3779B97F4A7C15ull >> 20) & mask_; }
  void grow(size_t want) {
    size_t size = 64;
    while (size < want) size *= 2;
    std::vector<const Node*> keys(size, nullptr);
    std::vector<uint32_t> values(size, 0);
    keys.swap(keys_);
    values.swap(values_);
    mask_ = size - 1;
    count_ = 0;
    for (size_t i = 0; i < keys.size(); ++i)
      if (keys[i]) find_or_insert(keys[i], values[i]);
  }
  std::vector<const Node*> keys_;
  std::vector<uint32_t> values_;
  size_t mask_ = 0, count_ = 0;
};

}  // namespace

class Engine {
 public:
  Engine(bool retain_graph, bool create_graph, bool only_captured)
      : retain_(retain_graph), create_(create_graph), only_captured_(only_captured), index_(256) {}

  void add_root(const Tensor& root, Tensor g) {
    const Edge e = gradient_edge(root);
    const uint32_t i = visit(e.node.get());
    roots_.push_back(e.node);
    accumulate(i, e.slot, std::move(g));
  }

  // The gradient that reaches `t` is kept for take().
  void capture(const Tensor& t) {
    const Edge e = gradient_edge(t);
    if (!e.node) raise<GradError>("grad: one of the inputs does not require grad: ", describe("input", t));
    const uint32_t i = visit(e.node.get());
    captures_.push_back({i, e.slot, {}});
    capture_nodes_.push_back(e.node);
    tasks_[i].captured = true;
  }
  Tensor take(size_t i) { return captures_[i].grad; }

  void run() {
    count_dependencies();
    if (only_captured_) mark_needed();
    const GradMode mode(create_);
    std::vector<uint32_t> ready;
    for (uint32_t i = uint32_t(tasks_.size()); i-- > 0;)
      if (tasks_[i].dependencies == 0 && tasks_[i].reached) ready.push_back(i);
    size_t since_poll = 0;
    while (!ready.empty()) {
      const uint32_t i = ready.back();
      ready.pop_back();
      run_task(i);
      for (const Edge& e : tasks_[i].node->edges()) {
        if (!e.node) continue;
        const uint32_t k = visit(e.node.get());
        if (--tasks_[k].dependencies == 0) ready.push_back(k);
      }
      if (!retain_) tasks_[i].keep = nullptr;
      if (++since_poll == 4096) {
        since_poll = 0;
        if (cpu::poll_interrupt()) throw Interrupted();
      }
    }
  }

 private:
  struct Task {
    Node* node;
    Ref<Node> keep;  // a task whose node may lose its last owner while the graph is walked
    uint32_t dependencies = 0;
    bool reached = false, captured = false, needed = true;
    Tensor first;                // gradient of output 0
    std::vector<Tensor> others;  // of outputs 1.. where a node has several
  };
  struct Capture {
    uint32_t task, slot;
    Tensor grad;
  };

  uint32_t visit(Node* n) {
    const auto [i, fresh] = index_.find_or_insert(n, uint32_t(tasks_.size()));
    if (fresh) {
      Task t;
      t.node = n;
      t.keep = Ref<Node>(n);
      tasks_.push_back(std::move(t));
    }
    return i;
  }

  void count_dependencies() {
    std::vector<uint32_t> stack;
    for (const auto& r : roots_) {
      const uint32_t i = visit(r.get());
      if (!tasks_[i].reached) {
        tasks_[i].reached = true;
        stack.push_back(i);
      }
    }
    while (!stack.empty()) {
      const Node* n = tasks_[stack.back()].node;
      stack.pop_back();
      for (const Edge& e : n->edges()) {
        if (!e.node) continue;
        const uint32_t k = visit(e.node.get());
        ++tasks_[k].dependencies;
        if (!tasks_[k].reached) {
          tasks_[k].reached = true;
          stack.push_back(k);
        }
      }
    }
  }

  // For grad(): only nodes on a path to a captured input are run. Post-order over the graph with an explicit stack.
  void mark_needed() {
    for (Task& t : tasks_) t.needed = false;
    std::vector<std::pair<uint32_t, size_t>> stack;
    std::vector<uint8_t> done(tasks_.size(), 0);
    for (const auto& r : roots_) {
      stack.push_back({visit(r.get()), 0});
      while (!stack.empty()) {
        auto& [i, next] = stack.back();
        const auto edges = tasks_[i].node->edges();
        if (done[i] || next == edges.size()) {
          done[i] = 1;
          const bool needed = tasks_[i].needed || tasks_[i].captured;
          tasks_[i].needed = needed;
          stack.pop_back();
          if (needed && !stack.empty()) tasks_[stack.back().first].needed = true;
          continue;
        }
        const Edge& e = edges[next++];
        if (e.node) stack.push_back({visit(e.node.get()), 0});
      }
    }
  }

  Tensor& slot_of(Task& t, uint32_t slot) {
    if (slot == 0) return t.first;
    if (t.others.size() < slot) t.others.resize(t.node->outputs() > slot ? t.node->outputs() - 1 : slot);
    return t.others[slot - 1];
  }

  void accumulate(uint32_t i, uint32_t slot, Tensor g) {
    Tensor& sum = slot_of(tasks_[i], slot);
    if (!sum.defined()) {
      sum = std::move(g);
    } else if (!create_ && sum->refs() == 1 && sum->storage->refs() == 1 && sum.shape() == g.shape() && sum.is_contiguous()) {
      add_(sum, g);
    } else {
      sum = add(sum, g);
    }
  }

  void run_task(uint32_t i) {
    Node& node = *tasks_[i].node;
    std::vector<Tensor> many;
    Tensor one;
    const uint32_t outputs = std::max<uint32_t>(1, std::max(node.outputs(), uint32_t(tasks_[i].others.size()) + 1));
    std::span<Tensor> g;
    if (outputs == 1) {
      one = std::move(tasks_[i].first);
      g = {&one, 1};
    } else {
      many.resize(outputs);
      for (uint32_t s = 0; s < outputs; ++s) many[s] = std::move(slot_of(tasks_[i], s));
      g = many;
    }
    NodeExtras* extras = node.extras_or_null();
    if (extras) run_hooks(*extras, g);
    if (tasks_[i].captured)
      for (Capture& c : captures_)
        if (c.task == i) c.grad = g[c.slot];
    if (only_captured_ && (!tasks_[i].needed || node.is_leaf() || (tasks_[i].captured && !leads_on(node)))) return;
    if (std::none_of(g.begin(), g.end(), [](const Tensor& t) { return t.defined(); })) {
      if (!retain_ && !node.is_leaf()) node.release_saved();
      return;
    }
    call(node, g);
    if (extras && node.is_leaf())
      for (size_t h = 0; h < extras->post_accumulate.size(); ++h)
        extras->post_accumulate[h].fn(static_cast<LeafNode&>(node).grad);
  }

  bool leads_on(const Node& node) {
    for (const Edge& e : node.edges())
      if (e.node && tasks_[visit(e.node.get())].needed) return true;
    return false;
  }

  void run_hooks(NodeExtras& extras, std::span<Tensor> g) {
    for (size_t h = 0; h < extras.hooks.size(); ++h) {  // by index: a hook may add or remove hooks
      const uint32_t slot = extras.hooks[h].slot;
      if (slot >= g.size() || !g[slot].defined()) continue;
      const TensorHook fn = extras.hooks[h].fn;
      Tensor r = fn(g[slot]);
      if (!r.defined()) continue;
      if (r.shape() != g[slot].shape() || r.dtype() != g[slot].dtype())
        raise<GradError>("hook: the returned gradient must match: ", describe("returned", r), ", ", describe("expected", g[slot]));
      g[slot] = std::move(r);
    }
    for (auto& r : extras.retained)
      if (r.slot < g.size() && g[r.slot].defined()) r.grad = r.grad.defined() ? add(r.grad, g[r.slot]) : clone(g[r.slot]);
  }

  void call(Node& node, std::span<Tensor> g) {
    const auto edges = node.edges();
    Grads d(edges.data(), edges.size());
    {
      const Running running(&node);
      const Hold hold(node);
      node.apply(g, d);
      if (!retain_) node.release_saved();
    }
    for (Tensor& t : g) t = {};
    for (size_t k = 0; k < edges.size(); ++k) {
      if (!edges[k].node || !d[k].defined()) continue;
      if (anomaly_enabled()) check_finite(node, d[k], k);
      accumulate(visit(edges[k].node.get()), edges[k].slot, std::move(d[k]));
    }
  }

  void check_finite(const Node& node, const Tensor& g, size_t k) {
    const NoGrad off;
    if (!any(isnan(g)).item().to_bool()) return;
    const NodeExtras* x = node.extras_or_null();
    raise<GradError>(node.name(), ": its backward made NaN in gradient ", k, x && !x->trace.empty() ? ". The forward ran here:\n" + x->trace : "");
  }

  const bool retain_, create_, only_captured_;
  Index index_;
  std::vector<Task> tasks_;
  std::vector<Ref<Node>> roots_, capture_nodes_;
  std::vector<Capture> captures_;
};

namespace {

Tensor root_gradient(const char* what, const Tensor& root, const Tensor& g) {
  if (!root.requires_grad())
    raise<GradError>(what, ": the tensor does not require grad and has no history: ", describe("self", root),
                     ". Was it computed under no_grad, detached, or from inputs without requires_grad=True?");
  if (!g.defined()) {
    if (root.numel() != 1)
      raise<GradError>(what, ": a gradient can be created implicitly only for a scalar; pass gradient= for ", describe("self", root));
    return ones(root.shape(), root.dtype(), root.device());
  }
  if (g.shape() != root.shape())
    raise<ShapeError>(what, ": gradient must have the shape of its tensor: ", describe("gradient", g), ", ", describe("self", root));
  return g.dtype() == root.dtype() ? g : to(g, root.dtype());
}

}  // namespace

void backward(std::span<const Tensor> roots, std::span<const Tensor> gradients, bool retain_graph, bool create_graph,
              std::span<const Tensor> inputs) {
  Engine engine(retain_graph || create_graph, create_graph, !inputs.empty());
  for (size_t i = 0; i < roots.size(); ++i)
    engine.add_root(roots[i], root_gradient("backward", roots[i], i < gradients.size() ? gradients[i] : Tensor()));
  for (const Tensor& t : inputs) engine.capture(t);
  engine.run();
  for (size_t i = 0; i < inputs.size(); ++i) {
    Tensor g = engine.take(i), sum = inputs[i].grad();
    if (!g.defined()) continue;
    const GradMode mode(create_graph);
    Tensor t = inputs[i];
    t.set_grad(sum.defined() ? add(sum, g) : clone(g));
  }
}

TensorList grad(std::span<const Tensor> outputs, std::span<const Tensor> inputs, std::span<const Tensor> gradients,
                bool retain_graph, bool create_graph, bool allow_unused) {
  Engine engine(retain_graph || create_graph, create_graph, true);
  for (size_t i = 0; i < outputs.size(); ++i)
    engine.add_root(outputs[i], root_gradient("grad", outputs[i], i < gradients.size() ? gradients[i] : Tensor()));
  for (const Tensor& t : inputs) engine.capture(t);
  engine.run();
  TensorList result;
  for (size_t i = 0; i < inputs.size(); ++i) {
    result.push_back(engine.take(i));
    if (!result.back().defined() && !allow_unused)
      raise<GradError>("grad: input ", i, " was not used in the graph: ", describe("input", inputs[i]), ". Pass allow_unused=True to get None");
  }
  return result;
}

}  // namespace lamina
