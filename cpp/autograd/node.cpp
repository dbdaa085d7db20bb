// Nodes, saved tensors, grad modes and how tensors join the graph.
#include <algorithm>
#include <utility>

#include "lamina/autograd.h"
#include "lamina/ops.h"

namespace lamina {
namespace {

[[gnu::tls_model("initial-exec")]] constinit thread_local bool grad_on = true;
[[gnu::tls_model("initial-exec")]] constinit thread_local const SaveHook* save_hook = nullptr;
std::atomic<bool> anomaly_on{false};
std::atomic<std::string (*)()> trace_provider{nullptr};
std::atomic<uint64_t> next_hook{1};

}  // namespace

std::atomic<int64_t> python_in_graphs{0};
[[gnu::tls_model("initial-exec")]] constinit thread_local const Node* running_node =
    nullptr;  // whose backward this thread is in (see engine.cpp)

bool grad_enabled() { return grad_on; }
void set_grad_enabled(bool on) { grad_on = on; }
InferenceMode::InferenceMode(bool on) : before_(inference_enabled()), grad_(grad_on) {
  set_inference_enabled(on);
  grad_on = on ? false : grad_on;
}
InferenceMode::~InferenceMode() {
  set_inference_enabled(before_);
  grad_on = grad_;
}
bool anomaly_enabled() { return anomaly_on; }
void set_anomaly_enabled(bool on) { anomaly_on = on; }
void set_trace_provider(std::string (*provider)()) { trace_provider = provider; }

Grads::Grads(const Edge* edges, size_t count) : edges_(edges), count_(count) {
  if (count > kInline) many_.resize(count);
}

// ---- nodes ----

AutogradMeta::AutogradMeta() = default;
AutogradMeta::~AutogradMeta() = default;

Node::Node(const char* name) : name_(name) {}
Node::~Node() {
  if (extras_ && extras_->anchor) {
    const std::lock_guard lock(extras_->anchor->lock);
    extras_->anchor->node = nullptr;
  }
}

void Node::add_edge(Edge e) {
  if (count_ < kFew) {
    few_[count_++] = std::move(e);
    return;
  }
  if (many_.empty())
    for (Edge& f : few_) many_.push_back(std::move(f));
  many_.push_back(std::move(e));
  ++count_;
}

NodeExtras& Node::extras() {
  if (!extras_) extras_ = std::make_unique<NodeExtras>();
  return *extras_;
}

// Deleting a node releases its inputs, which may delete their nodes: a queue instead of recursion, so that a chain of
// millions of nodes needs no stack.
void Node::dispose() noexcept {
  static thread_local std::vector<Node*>* queue = nullptr;
  if (queue) {
    queue->push_back(this);
    return;
  }
  std::vector<Node*> pending;
  queue = &pending;
  delete this;
  while (!pending.empty()) {
    Node* n = pending.back();
    pending.pop_back();
    delete n;
  }
  queue = nullptr;
}

LeafNode::LeafNode(const Tensor& t) : Node("leaf"), shape(t.shape()), dtype(t.dtype()), device(t.device()) {}

void LeafNode::apply(std::span<const Tensor> g, Grads&) {
  const Tensor& in = g[0];
  if (!in.defined() || !requires_grad) return;
  if (!grad.defined()) {
    // Keep the gradient itself only if nothing else can see or change it, and it is dense.
    const bool own =
        in->refs() == 1 && in->storage->refs() == 1 && in->storage->bytes() == size_t(in.numel()) * size_of(in.dtype());
    grad = grad_enabled() || own ? in : clone(in);
    if (grad_enabled() && !own) grad = clone(in);
  } else if (grad_enabled()) {
    grad = add(grad, in);
  } else {
    add_(grad, in);
  }
}

// ---- saved tensors ----

const SaveHook* set_save_hook(const SaveHook* hook) { return std::exchange(save_hook, hook); }

Saved Saved::packed(const Tensor& t, int32_t output) {
  struct Aside {  // what the hook itself computes is not handed to it
    const SaveHook* hook = set_save_hook(nullptr);
    ~Aside() { set_save_hook(hook); }
  } const aside;
  const NoGrad off;
  Saved s;
  s.packed_ = (*aside.hook)(alias(t));
  s.output_ = output;
  if (output < 0) s.packed_->edge = gradient_edge(t);
  return s;
}

Saved save(const Tensor& input) {
  if (save_hook && input.defined()) [[unlikely]]
    return Saved::packed(input, -1);
  Saved s;
  s.tensor_ = input;
  if (input.defined()) s.version_ = input->storage->version();
  return s;
}

Saved save_output(const Tensor& output, uint32_t slot) {
  if (save_hook) [[unlikely]]
    return Saved::packed(output, int32_t(slot));
  Saved s;
  s.tensor_ = alias(output);
  s.version_ = output->storage->version();
  s.output_ = int32_t(slot);
  return s;
}

namespace {

// t as an output of `node`.
Tensor with_history(const Tensor& t, const Ref<Node>& node, uint32_t slot) {
  Tensor y = alias(t);
  y->autograd = std::make_unique<AutogradMeta>();
  y->autograd->fn = node;
  y->autograd->slot = slot;
  return y;
}

Ref<Node> running() { return Ref<Node>(const_cast<Node*>(running_node)); }

}  // namespace

Tensor Saved::get() const {
  if (packed_) {
    const Tensor t = packed_->unpack();
    if (output_ >= 0) return running_node ? with_history(t, running(), uint32_t(output_)) : t;
    return packed_->edge.node ? with_history(t, packed_->edge.node, packed_->edge.slot) : t;
  }
  if (!tensor_.defined()) return {};
  if (tensor_->storage->version() != version_) {
    raise<GradError>(running_node ? running_node->name() : "backward",
                     ": a tensor saved for backward was changed in place: ", describe("saved", tensor_),
                     " is at version ", tensor_->storage->version(), ", expected ", version_,
                     ". Use the out-of-place form, or clone() before the in-place call");
  }
  return output_ < 0 || !running_node ? tensor_ : with_history(tensor_, running(), uint32_t(output_));
}

// ---- joining the graph ----

bool recording(std::span<const Tensor> inputs) {
  if (!grad_enabled()) return false;
  return std::any_of(inputs.begin(), inputs.end(), [](const Tensor& t) { return t.defined() && t.requires_grad(); });
}

void connect(Node& node, std::span<const std::reference_wrapper<const Tensor>> inputs) {
  for (const Tensor& t : inputs) node.add_edge(t.defined() ? gradient_edge(t) : Edge{});
}

void set_history(const Ref<Node>& node, std::span<Tensor> outputs) {
  node->outputs_ = uint32_t(outputs.size());
  for (size_t i = 0; i < outputs.size(); ++i) {
    if (!outputs[i].defined() || !is_floating(outputs[i].dtype())) continue;
    auto& meta = outputs[i]->autograd;
    if (!meta) meta = std::make_unique<AutogradMeta>();
    meta->fn = node;
    meta->slot = uint32_t(i);
  }
  if (anomaly_on && trace_provider.load()) node->extras().trace = trace_provider.load()();
}

namespace {

LeafNode& leaf_node(const Tensor& t) {
  auto& meta = t->autograd;
  if (!meta) meta = std::make_unique<AutogradMeta>();
  if (!meta->fn) meta->fn = make_ref<LeafNode>(t);
  return static_cast<LeafNode&>(*meta->fn);
}

}  // namespace

Edge gradient_edge(const Tensor& t) {
  if (!t.requires_grad()) return {};
  return {t->autograd->fn, t->autograd->slot};
}

bool Tensor::is_leaf() const {
  const auto& meta = impl_->autograd;
  return !requires_grad() || meta->fn->is_leaf();
}

Tensor& Tensor::requires_grad_(bool on) {
  if (on && !is_floating(dtype()))
    raise<DtypeError>("requires_grad_: only floating tensors have gradients, got ", describe("self", *this));
  if (on && impl_->inference && !inference_enabled() && !requires_grad())  // modules may be built in inference_mode
    raise<GradError>("requires_grad_: a tensor made in inference_mode starts to require grad there or not at all: ",
                     describe("self", *this), "; clone() it first");
  if (!is_leaf()) {
    if (on) return *this;
    raise<GradError>("requires_grad_: only a leaf tensor can stop requiring grad; use detach() for ",
                     describe("self", *this));
  }
  if (!on && (!impl_->autograd || !impl_->autograd->fn)) return *this;
  leaf_node(*this).requires_grad = on;
  return *this;
}

Tensor Tensor::grad() const {
  const auto& meta = impl_->autograd;
  if (!meta || !meta->fn) return {};
  if (meta->fn->is_leaf()) return static_cast<LeafNode&>(*meta->fn).grad;
  if (const NodeExtras* x = meta->fn->extras_or_null())
    for (const auto& r : x->retained)
      if (r.slot == meta->slot) return r.grad;
  return {};
}

void Tensor::set_grad(const Tensor& g) {
  if (g.defined() && (g.shape() != shape() || g.dtype() != dtype() || g.device() != device()))
    raise<GradError>("grad: must match its tensor: ", describe("grad", g), ", ", describe("self", *this));
  if (!is_leaf()) {
    retain_grad(*this);
    for (auto& r : impl_->autograd->fn->extras().retained)
      if (r.slot == impl_->autograd->slot) r.grad = g;
    return;
  }
  if (!g.defined() && (!impl_->autograd || !impl_->autograd->fn)) return;
  leaf_node(*this).grad = g;
}

Tensor Tensor::detach() const {
  Tensor y = alias(*this);
  y->weak = false;
  return y;
}

void Tensor::backward(const Tensor& gradient, bool retain_graph, bool create_graph) const {
  lamina::backward({this, 1}, {&gradient, 1}, retain_graph, create_graph);
}

void retain_grad(const Tensor& t) {
  if (!t.requires_grad()) raise<GradError>("retain_grad: the tensor does not require grad: ", describe("self", t));
  if (t.is_leaf()) return;
  NodeExtras& x = t->autograd->fn->extras();
  for (const auto& r : x.retained)
    if (r.slot == t->autograd->slot) return;
  x.retained.push_back({t->autograd->slot, {}});
}

namespace {

HookId new_hook(Node& node) {
  auto& anchor = node.extras().anchor;
  if (!anchor) {
    anchor = std::make_shared<NodeAnchor>();
    anchor->node = &node;
  }
  return {anchor, next_hook.fetch_add(1)};
}

}  // namespace

HookId add_hook(const Tensor& t, TensorHook hook) {
  if (!t.requires_grad()) raise<GradError>("register_hook: the tensor does not require grad: ", describe("self", t));
  const HookId id = new_hook(*t->autograd->fn);
  t->autograd->fn->extras().hooks.push_back({id.id, t->autograd->slot, std::move(hook)});
  return id;
}

HookId add_post_accumulate_hook(const Tensor& t, TensorHook hook) {
  if (!t.requires_grad() || !t.is_leaf())
    raise<GradError>("register_post_accumulate_grad_hook: needs a leaf that requires grad: ", describe("self", t));
  const HookId id = new_hook(*t->autograd->fn);
  t->autograd->fn->extras().post_accumulate.push_back({id.id, 0, std::move(hook)});
  return id;
}

void remove_hook(const HookId& hook) {
  const auto anchor = hook.anchor.lock();
  if (!anchor) return;
  Ref<Node> node;
  {
    const std::lock_guard lock(anchor->lock);
    if (anchor->node) node = Ref<Node>::if_alive(anchor->node);
  }
  if (!node) return;
  NodeExtras& x = *node->extras_or_null();
  for (auto* list : {&x.hooks, &x.post_accumulate}) {
    const auto at =
        std::find_if(list->begin(), list->end(), [&](const NodeExtras::Hook& h) { return h.id == hook.id; });
    if (at == list->end()) continue;
    const NodeExtras::Hook gone = std::move(*at);  // dies after the list is whole again: its destructor may run Python
    list->erase(at);
  }
}

}  // namespace lamina
