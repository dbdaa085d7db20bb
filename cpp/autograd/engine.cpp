// Backward: walks the graph once in dependency order, iteratively, in an order that depends on the graph alone.
#include <sched.h>

#include <algorithm>
#include <memory>

#include "lamina/autograd.h"
#include "lamina/backend.h"
#include "lamina/interrupt.h"
#include "lamina/ops.h"

namespace lamina {

extern constinit thread_local const Node* running_node [[gnu::tls_model("initial-exec")]];

namespace {

struct Running {
  explicit Running(const Node* n) : before(running_node) { running_node = n; }
  ~Running() { running_node = before; }
  const Node* before;
};

// One thread at a time in a node that several graphs share (parameters of models trained in threads). The thread that
// holds a node may enter it again: a backward inside a custom function's backward.
struct Hold {
  explicit Hold(Node& n) : node(n) {
    static thread_local char me;
    const void* free = nullptr;
    if (node.busy.load(std::memory_order_relaxed) == &me) {
      owned = false;
      return;
    }
    for (int spins = 0; !node.busy.compare_exchange_weak(free, &me, std::memory_order_acquire); free = nullptr) {
      if (++spins < 64) {
        __builtin_ia32_pause();
      } else {
        sched_yield();
      }
    }
  }
  ~Hold() {
    if (owned) node.busy.store(nullptr, std::memory_order_release);
  }
  Node& node;
  bool owned = true;
};

// Node* -> index: open addressing, because a hash-map node per graph node would cost more than the walk.
class Index {
 public:
  std::pair<uint32_t, bool> find_or_insert(const Node* n, uint32_t fresh) {
    if ((count_ + 1) * 2 > slots_.size()) grow(std::max<size_t>(64, slots_.size() * 2));
    for (size_t i = hash(n);; i = (i + 1) & mask_) {
      Slot& s = slots_[i];
      if (s.node == n) return {s.index, false};
      if (!s.node) {
        s = {n, fresh};
        ++count_;
        return {fresh, true};
      }
    }
  }
  void clear() {
    if (slots_.size() > 4096) {
      slots_ = {};
      mask_ = 0;
    } else if (count_) {
      std::fill(slots_.begin(), slots_.end(), Slot{});
    }
    count_ = 0;
  }

 private:
  struct Slot {
    const Node* node = nullptr;
    uint32_t index = 0;
  };
  size_t hash(const Node* n) const {
    return ((reinterpret_cast<uintptr_t>(n) >> 6) * 0x9E3779B97F4A7C15ull >> 20) & mask_;
  }
  void grow(size_t size) {
    std::vector<Slot> old(size);
    old.swap(slots_);
    mask_ = size - 1;
    count_ = 0;
    for (const Slot& s : old)
      if (s.node) find_or_insert(s.node, s.index);
  }
  std::vector<Slot> slots_;
  size_t mask_ = 0, count_ = 0;
};

constexpr uint32_t kNone = UINT32_MAX;

struct Task {
  Node* node = nullptr;
  uint32_t dependencies = 0, first_edge = 0;  // of its edges in Buffers::targets
  bool reached = false, captured = false, needed = true;
  Tensor first;                // gradient of output 0
  std::vector<Tensor> others;  // of outputs 1.. where a node has several
};

// What one backward needs; a thread keeps one set, so that small graphs allocate nothing.
struct Buffers {
  Index index;
  std::vector<Task> tasks;
  std::vector<uint32_t> targets;  // task of each edge, kNone where there is none
  std::vector<uint32_t> stack;
  void clear() {
    index.clear();
    tasks.clear();
    targets.clear();
    stack.clear();
    if (tasks.capacity() > 4096) tasks = {};
    if (targets.capacity() > 8192) targets = {};
    if (stack.capacity() > 8192) stack = {};
  }
};

thread_local std::unique_ptr<Buffers> spare_buffers;

std::unique_ptr<Buffers> take_buffers() {
  return spare_buffers ? std::move(spare_buffers) : std::make_unique<Buffers>();
}

}  // namespace

class Engine {
 public:
  Engine(bool retain_graph, bool create_graph, bool only_captured)
      : retain_(retain_graph),
        create_(create_graph),
        only_captured_(only_captured),
        buffers_(take_buffers()),
        tasks_(buffers_->tasks) {}
  ~Engine() {
    buffers_->clear();  // may run user code (destructors of custom functions), so before the buffers are offered again
    spare_buffers = std::move(buffers_);
  }

  void add_root(const Tensor& root, Tensor g) {
    const Edge e = gradient_edge(root);
    const uint32_t i = visit(e.node.get());
    if (!tasks_[i].reached) {
      tasks_[i].reached = true;
      buffers_->stack.push_back(i);
    }
    accumulate(i, e.slot, std::move(g));
    roots_.push_back(std::move(e.node));  // keeps the whole graph: edges never change
  }

  // The gradient that reaches `t` is kept for take().
  void capture(const Tensor& t) {
    const Edge e = gradient_edge(t);
    if (!e.node) raise<GradError>("grad: one of the inputs does not require grad: ", describe("input", t));
    const uint32_t i = visit(e.node.get());
    captures_.push_back({i, e.slot, {}});
    roots_.push_back(e.node);
    tasks_[i].captured = true;
  }
  Tensor take(size_t i) { return captures_[i].grad; }

  void run() {
    const std::vector<uint32_t> starts = buffers_->stack;
    count_dependencies();
    if (only_captured_) mark_needed(starts);
    const GradMode mode(create_);
    std::vector<uint32_t>& ready = buffers_->stack;
    for (size_t k = starts.size(); k-- > 0;)
      if (tasks_[starts[k]].dependencies == 0) ready.push_back(starts[k]);
    while (!ready.empty()) {
      const uint32_t i = ready.back();
      ready.pop_back();
      run_task(i);
      for (const uint32_t k : targets(i))
        if (k != kNone && --tasks_[k].dependencies == 0) ready.push_back(k);
      cpu::poll_now_and_then();  // a chain of kernels that are too short to ask may take long
    }
  }

 private:
  struct Capture {
    uint32_t task, slot;
    Tensor grad;
  };

  uint32_t visit(Node* n) {
    const auto [i, fresh] = buffers_->index.find_or_insert(n, uint32_t(tasks_.size()));
    if (fresh) tasks_.emplace_back().node = n;
    return i;
  }
  std::span<const uint32_t> targets(uint32_t i) const {
    return {buffers_->targets.data() + tasks_[i].first_edge, tasks_[i].node->edges().size()};
  }

  // Expands every node that the roots reach, once, and counts the edges into each.
  void count_dependencies() {
    auto& stack = buffers_->stack;
    while (!stack.empty()) {
      const uint32_t i = stack.back();
      stack.pop_back();
      tasks_[i].first_edge = uint32_t(buffers_->targets.size());
      for (const Edge& e : tasks_[i].node->edges()) {
        if (!e.node) {
          buffers_->targets.push_back(kNone);
          continue;
        }
        const uint32_t k = visit(e.node.get());
        buffers_->targets.push_back(k);
        ++tasks_[k].dependencies;
        if (!tasks_[k].reached) {
          tasks_[k].reached = true;
          stack.push_back(k);
        }
      }
    }
  }

  // For grad(): only nodes on a path to a captured input are run. Post-order over the graph with an explicit stack.
  void mark_needed(std::span<const uint32_t> starts) {
    for (Task& t : tasks_) t.needed = t.captured;
    std::vector<std::pair<uint32_t, size_t>> stack;
    std::vector<uint8_t> entered(tasks_.size(), 0);
    for (const uint32_t r : starts) {
      if (entered[r]) continue;
      entered[r] = 1;
      stack.push_back({r, 0});
      while (!stack.empty()) {
        const uint32_t i = stack.back().first;
        const auto to = targets(i);
        if (stack.back().second < to.size()) {
          const uint32_t k = to[stack.back().second++];
          if (k == kNone || entered[k]) continue;
          entered[k] = 1;
          stack.push_back({k, 0});
          continue;
        }
        for (const uint32_t k : to)
          if (k != kNone && tasks_[k].needed) tasks_[i].needed = true;
        stack.pop_back();
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
    } else if (!create_ && sum->refs() == 1 && sum->storage->refs() == 1 && sum.shape() == g.shape() &&
               sum.is_contiguous()) {
      add_(sum, g);
    } else {
      sum = add(sum, g);
    }
  }

  void run_task(uint32_t i) {
    Node& node = *tasks_[i].node;
    std::vector<Tensor> many;
    Tensor one;
    const uint32_t outputs = std::max<uint32_t>(node.outputs(), uint32_t(tasks_[i].others.size()) + 1);
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
    if (!tasks_[i].needed) return;
    if (extras) run_hooks(*extras, g);
    if (tasks_[i].captured)
      for (Capture& c : captures_)
        if (c.task == i) c.grad = g[c.slot];
    if (only_captured_ && (node.is_leaf() || (tasks_[i].captured && !leads_on(i)))) return;
    bool any = false;
    for (const Tensor& t : g) any = any || t.defined();
    if (!any) {
      if (!retain_ && !node.is_leaf()) node.release_saved();
      return;
    }
    call(i, node, g);
    if (extras && node.is_leaf() && !extras->post_accumulate.empty()) {
      const std::vector<NodeExtras::Hook> hooks = extras->post_accumulate;
      for (const auto& h : hooks) h.fn(static_cast<LeafNode&>(node).grad);
    }
  }

  bool leads_on(uint32_t i) {
    for (const uint32_t k : targets(i))
      if (k != kNone && tasks_[k].needed) return true;
    return false;
  }

  void run_hooks(NodeExtras& extras, std::span<Tensor> g) {
    const std::vector<NodeExtras::Hook> hooks = extras.hooks;  // a hook may add or remove hooks
    for (const auto& h : hooks) {
      const uint32_t slot = h.slot;
      if (slot >= g.size() || !g[slot].defined()) continue;
      Tensor r = h.fn(g[slot]);
      if (!r.defined()) continue;
      if (r.shape() != g[slot].shape() || r.dtype() != g[slot].dtype())
        raise<GradError>("hook: the returned gradient must match: ", describe("returned", r), ", ",
                         describe("expected", g[slot]));
      g[slot] = std::move(r);
    }
    for (auto& r : extras.retained)
      if (r.slot < g.size() && g[r.slot].defined())
        r.grad = r.grad.defined() ? add(r.grad, g[r.slot]) : clone(g[r.slot]);
  }

  void call(uint32_t i, Node& node, std::span<Tensor> g) {
    const auto edges = node.edges();
    Grads d(edges.data(), edges.size());
    if (only_captured_)
      for (size_t k = 0; k < edges.size(); ++k)
        if (edges[k].node && !tasks_[targets(i)[k]].needed) d.skip(k);
    {
      const Running running(&node);
      const Hold hold(node);
      node.apply(g, d);
      if (!retain_) node.release_saved();
    }
    for (Tensor& t : g) t = {};
    const bool check = anomaly_enabled();
    for (size_t k = 0; k < edges.size(); ++k) {
      if (!d.want(k) || !d[k].defined()) continue;
      if (check) check_finite(node, d[k], k);
      accumulate(targets(i)[k], edges[k].slot, std::move(d[k]));
    }
  }

  void check_finite(const Node& node, const Tensor& g, size_t k) {
    const NoGrad off;
    if (!lamina::any(isnan(g)).item().to_bool()) return;
    const NodeExtras* x = node.extras_or_null();
    raise<GradError>(node.name(), ": its backward made NaN in gradient ", k,
                     x && !x->trace.empty() ? ". The forward ran here:\n" + x->trace : "");
  }

  const bool retain_, create_, only_captured_;
  std::unique_ptr<Buffers> buffers_;
  std::vector<Task>& tasks_;
  std::vector<Ref<Node>> roots_;
  std::vector<Capture> captures_;
};

namespace {

Tensor root_gradient(const char* what, const Tensor& root, const Tensor& g) {
  if (!root.requires_grad())
    raise<GradError>(what, ": the tensor does not require grad and has no history: ", describe("self", root),
                     ". Was it computed under no_grad, detached, or from inputs without requires_grad=True?");
  if (!g.defined()) {
    if (root.numel() != 1)
      raise<GradError>(what, ": a gradient can be created implicitly only for a scalar; pass gradient= for ",
                       describe("self", root));
    return ones(root.shape(), root.dtype(), root.device());
  }
  if (g.shape() != root.shape())
    raise<ShapeError>(what, ": gradient must have the shape of its tensor: ", describe("gradient", g), ", ",
                      describe("self", root));
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
      raise<GradError>("grad: input ", i, " was not used in the graph: ", describe("input", inputs[i]),
                       ". Pass allow_unused=True to get None");
  }
  return result;
}

}  // namespace lamina
