// In-place writes and views: who may be written, and how the history follows.
#include "lamina/autograd.h"
#include "lamina/ops.h"

namespace lamina {

extern thread_local const Node* running_node;  // node.cpp

namespace {

// Memory where two elements share an address (expanded tensors): writing it is not defined.
bool overlaps_itself(const Tensor& x) {
  if (x.numel() == 0) return false;
  for (size_t i = 0; i < x.shape().size(); ++i)
    if (x.shape()[i] > 1 && x.stride()[i] == 0) return true;
  return false;
}

// Where a view lies in its base: shapes, strides and the distance between their first elements.
struct Region {
  Dims base_shape, base_stride, shape, stride;
  int64_t offset;
  Region(const Tensor& base, const Tensor& view)
      : base_shape(base.shape()),
        base_stride(base.stride()),
        shape(view.shape()),
        stride(view.stride()),
        offset(view->offset - base->offset) {}

  // Zeros of the base with g in the region.
  Tensor spread(const Tensor& g) const { return as_strided_scatter(g, base_shape, base_stride, stride, offset); }
  // The region of g, which has the base's shape.
  Tensor cut(const Tensor& g) const {
    const Tensor laid = as_strided_scatter(g, base_shape, base_stride, base_stride, 0);
    return as_strided(laid, shape, stride, laid->offset + offset);
  }
};

// "View of the base" as a node without inputs yet.
Ref<Node> region_node(const char* name, const Region& region) {
  const auto backward = [region](Grads& d, const Tensor& g) { d[0] = region.spread(g); };
  return make_ref<LambdaNode<decltype(backward)>>(name, backward);
}

// Gives a view whose base was rewritten its new history.
Ref<Node> view_node(const Tensor& base, const Tensor& y) {
  auto node = region_node("as_strided", Region(base, y));
  const std::reference_wrapper<const Tensor> in[] = {base};
  connect(*node, in);
  return node;
}

// A view made before its base was written in place takes the base's present history.
void refresh(const Tensor& t) {
  AutogradMeta& meta = *t->autograd;
  const uint32_t now = t->storage->version();
  if (meta.base_version == now) return;
  const Tensor base(meta.base);
  meta.base_version = now;
  if (!base->autograd || !base.requires_grad()) return;
  meta.fn = view_node(base, t);
  meta.slot = 0;
}

}  // namespace

bool Tensor::requires_grad() const {
  const auto& meta = impl_->autograd;
  if (!meta) return false;
  if (meta->base) refresh(*this);
  if (!meta->fn) return false;
  return !meta->fn->is_leaf() || static_cast<const LeafNode&>(*meta->fn).requires_grad;
}

void check_view_origin(const char* op, const Tensor& x) {
  if (x->view_origin == ViewOrigin::recorded) return;
  const char* mode = x->view_origin == ViewOrigin::no_grad ? "no_grad" : "inference_mode";
  raise<GradError>(op, ": self is a view made in ", mode,
                   ", and a write to it in grad mode would be recorded while its base knows nothing of it: ",
                   describe("self", x), ". Make the view outside ", mode, ", write inside no_grad(), or clone() it");
}

void check_writable(const char* op, const Tensor& x) {
  if (x->storage->read_only())
    raise<ValueError>(
        op, ": the memory is read-only (it comes from a read-only array); clone() it first: ", describe("self", x));
  if (overlaps_itself(x))
    raise<ShapeError>(op,
                      ": self is expanded (several elements share memory); clone() it first: ", describe("self", x));
  if (x->inference && !inference_enabled() && grad_enabled() && x.requires_grad())
    raise<GradError>(op, ": a tensor made in inference_mode may not be written in a recorded graph");
  if (!grad_enabled()) return;
  if (x->base_required_grad) check_view_origin(op, x);
  if (!x.requires_grad()) return;
  if (x.is_leaf())
    raise<GradError>(op, ": a leaf tensor that requires grad may not be written in place; use no_grad() or detach(): ",
                     describe("self", x));
  if (x->autograd->base && Tensor(x->autograd->base).requires_grad() && Tensor(x->autograd->base).is_leaf())
    raise<GradError>(
        op, ": a view of a leaf that requires grad may not be written in place; use no_grad(): ", describe("self", x));
}

void check_inplace(const char* op, const Tensor& x) {
  check_writable(op, x);
  x->storage->settle();
}

Pinned::Pinned(const Tensor& x) {
  x.view_of();  // settles what no view of the block can show
  if (const Interleaved* in = x->storage->interleaved()) lock_ = std::shared_lock(in->lock);
}

void wrote(const Tensor& x) { x->storage->bump_version(); }

void mark_view(Tensor& y, const Tensor& x) {
  if (!is_floating(x.dtype())) return;
  if (!grad_enabled()) {
    y->view_origin = inference_enabled() ? ViewOrigin::inference : ViewOrigin::no_grad;
    y->base_required_grad = x->base_required_grad || (x->autograd && x.requires_grad());
    return;
  }
  y->view_origin = x->view_origin;
  y->base_required_grad = x->base_required_grad;
  auto& meta = y->autograd;
  if (!meta) meta = std::make_unique<AutogradMeta>();
  meta->base = x->autograd && x->autograd->base ? x->autograd->base : x.ref();
  meta->base_version = y->storage->version();
}

Tensor before_write(const Tensor& x) {
  Tensor old = alias(x);
  if (x->autograd) {
    old->autograd = std::make_unique<AutogradMeta>();
    old->autograd->fn = x->autograd->fn;
    old->autograd->slot = x->autograd->slot;
  }
  return old;
}

namespace {

// History of a base after a write through one of its views: outside the view the gradient passes, inside it goes
// through the node of the write.
struct ThroughView {
  struct Write : Ref<Node> {
    explicit Write(const Ref<Node>& node) : Ref(node) {}
    Write(const Write& other) : Ref(other) { report_owned(*this); }
    Write(Write&&) noexcept = default;
  };
  Write write;
  Region region;

  void operator()(Grads& d, const Tensor& g) const {
    const auto edges = write->edges();
    Grads inner(edges.data(), edges.size());
    {
      const Tensor in[] = {region.cut(g)};
      // What the write saved as its output is the region of what this node made.
      struct Restore {
        const Node* before = running_node;
        ~Restore() { running_node = before; }
      } restore;
      Ref<Node> stand_in;
      if (grad_enabled() && running_node) {
        stand_in = region_node(write->name(), region);
        const Edge to_base[] = {{Ref<Node>(const_cast<Node*>(running_node)), 0}};
        stand_in->append_edges(to_base);
        running_node = stand_in.get();
      }
      write->apply(in, inner);
    }
    // Edge 0 of the write is the old value of the view; the others follow as edges 1.. of this node.
    if (d.want(0)) {
      const Tensor inside = region.spread(ones(region.shape, DType::bool_, g.device()));
      const Tensor outside = where(inside, zeros(Dims{}, g.dtype(), g.device()), g);
      d[0] = edges[0].node && inner[0].defined() ? outside + region.spread(inner[0]) : outside;
    }
    for (size_t i = 1; i < edges.size(); ++i) d[i] = inner[i];
  }
};

}  // namespace

void rebase_history(Tensor& x, const Ref<Node>& node) {
  auto& meta = x->autograd;
  if (!meta) meta = std::make_unique<AutogradMeta>();
  if (!meta->base) {
    set_history(node, {&x, 1});
    return;
  }
  Tensor base(meta->base);
  ThroughView backward{ThroughView::Write(node), Region(base, x)};
  auto through = make_ref<LambdaNode<ThroughView>>(node->name(), std::move(backward));
  // Inputs: the base as it was, then what else the write read.
  const Tensor old = before_write(base);
  const std::reference_wrapper<const Tensor> in[] = {old};
  connect(*through, in);
  through->append_edges(node->edges().subspan(1));
  set_history(through, {&base, 1});
  meta->fn = view_node(base, x);
  meta->slot = 0;
  meta->base_version = x->storage->version();
}

}  // namespace lamina
