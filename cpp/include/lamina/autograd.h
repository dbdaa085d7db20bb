// Recording and running gradients: nodes, saved tensors, grad modes, backward.
#pragma once
#include <array>
#include <functional>
#include <initializer_list>
#include <memory>
#include <mutex>
#include <optional>

#include "lamina/tensor.h"

namespace lamina {

// ---- grad mode (per thread) ----
bool grad_enabled();
void set_grad_enabled(bool on);
struct GradMode {
  explicit GradMode(bool on) : before_(grad_enabled()) { set_grad_enabled(on); }
  ~GradMode() { set_grad_enabled(before_); }
  GradMode(const GradMode&) = delete;
  GradMode& operator=(const GradMode&) = delete;

 private:
  bool before_;
};
struct NoGrad : GradMode {
  NoGrad() : GradMode(false) {}
};
struct InferenceMode {
  explicit InferenceMode(bool on = true);
  ~InferenceMode();
  InferenceMode(const InferenceMode&) = delete;
  InferenceMode& operator=(const InferenceMode&) = delete;

 private:
  bool before_, grad_;
};

// ---- graph ----
// Where a gradient flows on to: an input of a node further back. Null: this input needs none.
struct Edge {
  Ref<Node> node;
  uint32_t slot = 0;
};

// Gradients for the inputs of a node, filled by its backward: if (d.want(0)) d[0] = ...
class Grads {
 public:
  Grads(const Edge* edges, size_t count);
  bool want(size_t i) const { return edges_[i].node && !(i < 64 && (skipped_ >> i & 1)); }
  // Nobody asks for this gradient, though its input has a history.
  void skip(size_t i) { skipped_ |= i < 64 ? uint64_t(1) << i : 0; }
  Tensor& operator[](size_t i) { return count_ > kInline ? many_[i] : few_[i]; }
  size_t size() const { return count_; }

 private:
  static constexpr size_t kInline = 4;
  const Edge* edges_;
  size_t count_;
  uint64_t skipped_ = 0;
  std::array<Tensor, kInline> few_;
  std::vector<Tensor> many_;
};

// A hook returns an undefined tensor to leave the gradient as it is.
using TensorHook = std::function<Tensor(const Tensor&)>;

struct NodeExtras;
struct NodeAnchor;

class Node : public RefCounted {
 public:
  ~Node() override;
  // g[i] is the gradient of output i; undefined where none arrived.
  virtual void apply(std::span<const Tensor> g, Grads& d) = 0;
  // Frees what was saved; a second backward then raises GradError.
  virtual void release_saved() {}
  // Calls report_owned for tensors and nodes it owns beyond its edges, once per reference; may leave some out.
  virtual void report_saved() const {}
  virtual bool is_leaf() const { return false; }
  virtual const char* name() const { return name_; }
  // The Python object a node owns, for the garbage collector.
  virtual void* python_object() const { return nullptr; }

  std::span<const Edge> edges() const { return {count_ > kFew ? many_.data() : few_, count_}; }
  uint32_t outputs() const { return outputs_; }
  NodeExtras& extras();
  NodeExtras* extras_or_null() const { return extras_.get(); }

  // Further inputs, for a node that wraps another one.
  void append_edges(std::span<const Edge> more) {
    for (const Edge& e : more) add_edge(e);
  }

  std::atomic<const void*> busy{nullptr};  // the thread that runs this node

 protected:
  explicit Node(const char* name);
  void dispose() noexcept override;

 private:
  friend void connect(Node& node, std::span<const std::reference_wrapper<const Tensor>> inputs);
  friend void set_history(const Ref<Node>& node, std::span<Tensor> outputs);
  friend class Engine;
  static constexpr uint32_t kFew = 3;
  void add_edge(Edge e);
  const char* name_;
  uint32_t count_ = 0, outputs_ = 1;
  Edge few_[kFew];          // all edges while they fit
  std::vector<Edge> many_;  // else all of them
  std::unique_ptr<NodeExtras> extras_;
};

// Rare state of a node: hooks on its outputs, retained gradients, where the forward ran (anomaly mode).
struct NodeExtras {
  struct Hook {
    uint64_t id;
    uint32_t slot;
    TensorHook fn;
  };
  struct Retained {
    uint32_t slot;
    Tensor grad;
  };
  std::vector<Hook> hooks;
  std::vector<Hook> post_accumulate;  // leaf only: called with the leaf gradient after it was added
  std::vector<Retained> retained;
  std::string trace;
  std::shared_ptr<NodeAnchor> anchor;
};

// Lets a hook's handle find its node without owning it (a handle stored on a module must not keep graphs alive).
struct NodeAnchor {
  std::mutex lock;
  Node* node = nullptr;  // null once the node is gone
};

// Python objects (hooks, custom functions) that graphs hold now; while zero, the garbage collector walks no graph.
extern std::atomic<int64_t> python_in_graphs;
inline bool graph_holds_python() { return python_in_graphs.load(std::memory_order_relaxed) > 0; }

// What report_saved calls, for the walk of owned.h.
void report_owned(const Tensor& t);
void report_owned(const Ref<Node>& node);

// The end of every path: keeps .grad of a leaf tensor.
class LeafNode final : public Node {
 public:
  explicit LeafNode(const Tensor& t);
  void apply(std::span<const Tensor> g, Grads&) override;
  void report_saved() const override;
  bool is_leaf() const override { return true; }
  bool requires_grad = false;
  Tensor grad;
  Dims shape;
  DType dtype;
  Device device;
};

// ---- saved tensors ----
// A saved tensor in the care of a hook, which gives it back when backward asks.
class PackedTensor : public RefCounted {
 public:
  virtual Tensor unpack() = 0;
  Edge edge;  // the history of an input, which the hook never sees
};
// While one is set on a thread, tensors saved there for backward are handed to it instead of being kept.
using SaveHook = std::function<Ref<PackedTensor>(const Tensor&)>;
const SaveHook* set_save_hook(const SaveHook* hook);  // returns the one before; null: none

// Keeps a tensor for backward. An output is kept without its history (no cycle) and regains it in get().
class Saved {
 public:
  Saved() = default;
  Saved(const Saved& other);  // reports what it holds to a walk over ownership
  Saved(Saved&&) noexcept = default;
  Saved& operator=(const Saved&) = default;
  Saved& operator=(Saved&&) noexcept = default;
  Tensor get() const;
  bool defined() const { return tensor_.defined() || packed_; }

 private:
  friend Saved save(const Tensor& t);
  friend Saved save_output(const Tensor& t, uint32_t slot);
  static Saved packed(const Tensor& t, int32_t output);
  Tensor tensor_;
  Ref<PackedTensor> packed_;  // instead of tensor_
  uint32_t version_ = 0;
  int32_t output_ = -1;
};
Saved save(const Tensor& input);
Saved save_output(const Tensor& output, uint32_t slot = 0);

// ---- recording ----
using Inputs = std::initializer_list<std::reference_wrapper<const Tensor>>;

// True when a gradient must flow to any of these.
inline bool recording(Inputs inputs) {
  if (!grad_enabled()) return false;
  for (const Tensor& t : inputs)
    if (t.defined() && t->autograd && t.requires_grad()) return true;
  return false;
}
bool recording(std::span<const Tensor> inputs);

template <class F>
class LambdaNode final : public Node {
 public:
  LambdaNode(const char* name, F f) : Node(name), f_(std::move(f)) {}
  void apply(std::span<const Tensor> g, Grads& d) override {
    if (!f_) {
      raise<GradError>("backward: the graph of ", name(),
                       " was freed by an earlier backward; pass retain_graph=True there to go through it again");
    }
    if constexpr (std::is_invocable_v<F&, Grads&, const Tensor&>) {
      if (g[0].defined()) (*f_)(d, g[0]);
    } else {
      (*f_)(d, g);
    }
  }
  void release_saved() override { f_.reset(); }
  // The parts of a closure have no names: it is copied, and each of them that owns something reports itself.
  void report_saved() const override {
    if constexpr (std::is_copy_constructible_v<F> && !std::is_trivially_copyable_v<F>)
      if (f_) [[maybe_unused]]
        const F copy(*f_);
  }

 private:
  std::optional<F> f_;
};

void connect(Node& node, std::span<const std::reference_wrapper<const Tensor>> inputs);
void set_history(const Ref<Node>& node, std::span<Tensor> outputs);

// Records `backward(Grads& d, const Tensor& g)` as the gradient of y with respect to `inputs` (call only if
// recording(inputs)).
template <class F>
void record(const char* name, Tensor& y, Inputs inputs, F backward) {
  auto node = make_ref<LambdaNode<F>>(name, std::move(backward));
  connect(*node, {inputs.begin(), inputs.size()});
  set_history(node, {&y, 1});
}
// Many outputs: `backward(Grads& d, std::span<const Tensor> g)`; g[i] is undefined where no gradient arrived.
template <class F>
void record(const char* name, std::span<Tensor> outputs, std::span<const std::reference_wrapper<const Tensor>> inputs,
            F backward) {
  auto node = make_ref<LambdaNode<F>>(name, std::move(backward));
  connect(*node, inputs);
  set_history(node, outputs);
}

// ---- in-place operations and views ----
// Refuses what may not be written (leaf that requires grad, read-only memory, inference tensors, overlapping views).
void check_writable(const char* op, const Tensor& x);
// The same, and x's memory is row-major from then on, so that nothing moves it while it is written.
void check_inplace(const char* op, const Tensor& x);
// For a write to memory that may be interleaved: while it lives, that memory stays where x's view says it is.
class Pinned {
 public:
  explicit Pinned(const Tensor& x);
  Pinned(const Pinned&) = delete;
  Pinned& operator=(const Pinned&) = delete;

 private:
  std::shared_lock<std::shared_mutex> lock_;
};
// Refuses a write that would be recorded to a view that was not; check_inplace does so where its base requires grad.
void check_view_origin(const char* op, const Tensor& x);
// Marks x as written; call after the kernel.
void wrote(const Tensor& x);
// Records y as a view of x: backward(d, g) as in record(); keeps the base so that in-place writes reach it.
void mark_view(Tensor& y, const Tensor& x);
// Gives x, just written in place, the history `node` (for a view: routed through its base).
void rebase_history(Tensor& x, const Ref<Node>& node);
// A stand-in for x with its present history: what an in-place operation records and saves as its input.
Tensor before_write(const Tensor& x);

// ---- running ----
void backward(std::span<const Tensor> roots, std::span<const Tensor> gradients, bool retain_graph, bool create_graph,
              std::span<const Tensor> inputs = {});
// Gradients of `outputs` for `inputs`, without touching .grad. Undefined where allow_unused and no path.
TensorList grad(std::span<const Tensor> outputs, std::span<const Tensor> inputs, std::span<const Tensor> gradients = {},
                bool retain_graph = false, bool create_graph = false, bool allow_unused = false);

// The node and slot that a gradient of t flows into; null when t needs none.
Edge gradient_edge(const Tensor& t);
void retain_grad(const Tensor& t);
struct HookId {
  std::weak_ptr<NodeAnchor> anchor;
  uint64_t id = 0;
};
HookId add_hook(const Tensor& t, TensorHook hook);
HookId add_post_accumulate_hook(const Tensor& t, TensorHook hook);
void remove_hook(const HookId& hook);

// Anomaly mode: every node remembers where its forward ran, and a NaN in backward names the forward op.
bool anomaly_enabled();
void set_anomaly_enabled(bool on);
// Supplies the text of the place (Python sets it to a traceback).
void set_trace_provider(std::string (*provider)());

}  // namespace lamina
