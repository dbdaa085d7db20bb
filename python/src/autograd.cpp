// Autograd for Python: modes, backward, grad, hooks, .grad and friends.
#include <pybind11/functional.h>
#include <pybind11/stl.h>

#include <unordered_set>

#include "args.h"
#include "bindings.h"

namespace lamina::python {
namespace {

// A Python callable kept by the graph: released under the GIL wherever the graph dies.
std::shared_ptr<py::object> keep(py::object o) {
  watch_collections();
  python_in_graphs.fetch_add(1, std::memory_order_relaxed);
  return {new py::object(std::move(o)), [](py::object* p) {
            python_in_graphs.fetch_sub(1, std::memory_order_relaxed);
            if (interpreter_gone()) return;  // leak rather than crash
            const AcquireGil gil;
            delete p;
          }};
}

TensorList list_of(const py::object& o, const char* what) {
  if (o.is_none()) return {};
  if (is_tensor(o.ptr())) return {unwrap(o.ptr())};
  if (!From<TensorList>::check(o.ptr())) {
    const bool iterable = Py_TYPE(o.ptr())->tp_iter || PySequence_Check(o.ptr());
    const py::tuple t = iterable ? py::tuple(o) : py::make_tuple(o);
    if (!From<TensorList>::check(t.ptr()))
      throw TypeError(str(what, ": expected a Tensor or a sequence of Tensors, got ", Py_TYPE(o.ptr())->tp_name));
    return From<TensorList>::get(t.ptr());
  }
  return From<TensorList>::get(o.ptr());
}

// As list_of, where None has no meaning.
TensorList tensors_of(const py::object& o, const char* what, const char* label) {
  const TensorList list = list_of(o, what);
  for (size_t i = 0; i < list.size(); ++i)
    if (!list[i].defined())
      throw TypeError(str(what, ": ", label, " ", i, " is None; expected Tensors (leave out what a module lacks)"));
  return list;
}

// A gradient with a history holds its parameter, and the parameter holds the gradient: said once, as PyTorch does.
void warn_of_cycle() {
  static bool warned = false;
  if (warned) return;
  warned = true;
  const char* text =
      "backward: with create_graph=True a parameter and its .grad keep each other alive; set .grad to None when done, "
      "or use "
      "lamina.autograd.grad";
  if (PyErr_WarnEx(PyExc_UserWarning, text, 1) != 0) throw py::error_already_set();
}

void run_backward(const TensorList& roots, const py::object& gradient, std::optional<bool> retain_graph,
                  bool create_graph, const py::object& inputs) {
  const TensorList g = list_of(gradient, "backward"), in = tensors_of(inputs, "backward", "input");
  if (create_graph) warn_of_cycle();
  const ReleaseGil release;
  backward(roots, g, retain_graph.value_or(create_graph), create_graph, in);
}

// t.data = v: t takes over memory, shape and dtype of v. A leaf's gradient state is made anew where those differ.
void set_data(Tensor t, const Tensor& v) {
  if (!v.defined()) throw TypeError("data: the new value must be a tensor, got None");
  const bool alike = v.dtype() == t.dtype() && v.shape() == t.shape() && v.device() == t.device();
  if (!alike && !t.is_leaf())
    throw GradError("data: only a leaf may change shape, dtype or device: " + describe("self", t) + ", " +
                    describe("value", v));
  if (!alike && t.requires_grad() && !is_floating(v.dtype()))
    throw DtypeError("data: a tensor that requires grad stays floating: " + describe("self", t) + ", " +
                     describe("value", v));
  const bool requires_grad = t.requires_grad();
  if (!alike) t->autograd.reset();
  t->storage = v->storage;
  t->offset = v->offset;
  t->shape = v.shape();
  t->stride = v.stride();
  t->numel = v.numel();
  t->dtype = v.dtype();
  if (!alike && requires_grad) t.requires_grad_(true);
}

// The hooks of this thread, innermost last.
std::vector<std::unique_ptr<SaveHook>>& save_hooks() {
  static thread_local std::vector<std::unique_ptr<SaveHook>> stack;
  return stack;
}
void push_save_hook(const py::object& pack, const py::object& unpack) {
  save_hooks().push_back(
      std::make_unique<SaveHook>([pack = keep(pack), unpack = keep(unpack)](const Tensor& t) -> Ref<PackedTensor> {
        const AcquireGil gil;
        return make_ref<PackedByPython>(keep((*pack)(t)), unpack);
      }));
  set_save_hook(save_hooks().back().get());
}
void pop_save_hook() {
  if (save_hooks().empty()) throw ValueError("saved_tensors_hooks: none is active on this thread");
  save_hooks().pop_back();
  set_save_hook(save_hooks().empty() ? nullptr : save_hooks().back().get());
}

// Does the history of `outputs` end in a leaf that requires grad and is none of `leaves`?
bool reaches_others(const TensorList& outputs, const TensorList& leaves) {
  std::unordered_set<const Node*> seen;
  std::vector<const Node*> pending;
  for (const Tensor& t : leaves) seen.insert(gradient_edge(t).node.get());
  const auto visit = [&](const Edge& e) {
    if (e.node && seen.insert(e.node.get()).second) pending.push_back(e.node.get());
  };
  for (const Tensor& t : outputs) visit(gradient_edge(t));
  while (!pending.empty()) {
    const Node* n = pending.back();
    pending.pop_back();
    if (n->is_leaf()) return true;
    for (const Edge& e : n->edges()) visit(e);
  }
  return false;
}

// Handle returned by register_hook.
struct HookHandle {
  HookId hook;
  void remove() { remove_hook(hook); }
};

// grad_fn as users print it.
struct GradFn {
  Ref<Node> node;
};
int traverse_grad_fn(PyObject* self, visitproc visit, void* arg) {
  Py_VISIT(Py_TYPE(self));
  if (!reinterpret_cast<py::detail::instance*>(self)->get_value_and_holder().holder_constructed()) return 0;
  return traverse_graph(self, py::cast<const GradFn&>(py::handle(self)).node, visit, arg);
}

}  // namespace

Tensor PackedByPython::unpack() {
  const AcquireGil gil;
  const py::object r = (*unpack_fn)(*value);
  if (!is_tensor(r.ptr()))
    throw TypeError(str("saved_tensors_hooks: unpack must return a Tensor, got ", Py_TYPE(r.ptr())->tp_name));
  return unwrap(r.ptr()).detach();
}

Tensor PyHook::operator()(const Tensor& g) const {
  const AcquireGil gil;
  if (with_tensor) {
    if (const py::object alive = (*self)(); !alive.is_none()) (*fn)(alive);
    return {};
  }
  const py::object r = (*fn)(g);
  if (r.is_none()) return {};
  if (!is_tensor(r.ptr())) throw TypeError(str("hook: must return a Tensor or None, got ", Py_TYPE(r.ptr())->tp_name));
  return unwrap(r.ptr());
}

void init_autograd(py::module_& m) {
  m.def("is_grad_enabled", grad_enabled, "True while operations are recorded.");
  m.def("_set_grad_enabled", set_grad_enabled);
  m.def("is_inference_mode_enabled", inference_enabled);
  m.def("_set_inference_enabled", set_inference_enabled);
  m.def("is_anomaly_enabled", anomaly_enabled);
  m.def("_set_anomaly_enabled", set_anomaly_enabled);
  set_trace_provider([]() -> std::string {
    const AcquireGil gil;
    return py::cast<std::string>(py::str("").attr("join")(py::module_::import("traceback").attr("format_stack")()));
  });

  py::class_<HookHandle>(m, "RemovableHandle", "Removes its hook.")
      .def("remove", &HookHandle::remove)
      .def(
          "__enter__", [](HookHandle& h) { return &h; }, py::return_value_policy::reference)
      .def("__exit__", [](HookHandle& h, const py::args&) { h.remove(); });
  py::class_<GradFn>(m, "Node", "A recorded operation.", py::custom_type_setup([](PyHeapTypeObject* heap) {
                       heap->ht_type.tp_flags |= Py_TPFLAGS_HAVE_GC;
                       heap->ht_type.tp_traverse = traverse_grad_fn;
                     }))
      .def("name", [](const GradFn& f) { return std::string(f.node->name()); })
      .def("__repr__", [](const GradFn& f) { return "<" + std::string(f.node->name()) + " backward>"; })
      .def("__eq__", [](const GradFn& a, const GradFn& b) { return a.node == b.node; })
      .def("__hash__", [](const GradFn& f) { return reinterpret_cast<uintptr_t>(f.node.get()); })
      .def_property_readonly("next_functions", [](const GradFn& f) {
        py::list l;
        for (const Edge& e : f.node->edges())
          l.append(py::make_tuple(e.node ? py::cast(GradFn{e.node}) : py::object(py::none()), e.slot));
        return py::tuple(l);
      });

  property(
      "requires_grad", [](const Tensor& t) { return t.requires_grad(); },
      [](Tensor t, bool on) { t.requires_grad_(on); }, "True if gradients flow to this tensor.");
  property("is_leaf", [](const Tensor& t) { return t.is_leaf(); }, "True for tensors that no recorded operation made.");
  property(
      "grad", [](const Tensor& t) { return t.grad(); }, [](Tensor t, const Tensor& g) { t.set_grad(g); },
      "Gradient that backward() added up, or None.");
  property(
      "grad_fn",
      [](const Tensor& t) -> py::object {
        if (t.is_leaf()) return py::none();
        return py::cast(GradFn{gradient_edge(t).node});
      },
      "The recorded operation that made this tensor, or None.");
  property(
      "data", [](const Tensor& t) { return t.detach(); }, [](const Tensor& t, const Tensor& v) { set_data(t, v); },
      "The same memory without history.");
  method(
      "requires_grad_",
      [](const py::object& self, bool on) {
        Tensor t = unwrap(self.ptr());
        t.requires_grad_(on);
        return self;
      },
      py::arg("requires_grad") = true);
  method("detach", [](const Tensor& t) { return t.detach(); });
  method("detach_", [](const py::object& self) {
    const Tensor t = unwrap(self.ptr());
    if (t->autograd && t->autograd->base) throw GradError("detach_: a view cannot be detached in place; use detach()");
    t->autograd.reset();
    return self;
  });
  method(
      "backward",
      [](const Tensor& t, const py::object& gradient, std::optional<bool> retain_graph, bool create_graph,
         const py::object& inputs) { run_backward({t}, gradient, retain_graph, create_graph, inputs); },
      py::arg("gradient") = py::none(), py::arg("retain_graph") = py::none(), py::arg("create_graph") = false,
      py::arg("inputs") = py::none());
  method("retain_grad", [](const Tensor& t) { retain_grad(t); });
  property(
      "retains_grad",
      [](const Tensor& t) {
        if (t.is_leaf()) return false;
        const NodeExtras* x = t->autograd->fn->extras_or_null();
        if (x)
          for (const auto& r : x->retained)
            if (r.slot == t->autograd->slot) return true;
        return false;
      },
      "True after retain_grad() on a tensor that is no leaf.");
  method(
      "register_hook",
      [](const Tensor& t, const py::object& hook) {
        if (!PyCallable_Check(hook.ptr()))
          throw TypeError(str("register_hook: needs a callable, got ", Py_TYPE(hook.ptr())->tp_name));
        return HookHandle{add_hook(t, PyHook{keep(hook), false, nullptr})};
      },
      py::arg("hook"));
  method(
      "register_post_accumulate_grad_hook",
      [](const py::object& self, const py::object& hook) {
        // Weak: the node must not own its tensor.
        return HookHandle{
            add_post_accumulate_hook(unwrap(self.ptr()), PyHook{keep(hook), true, keep(py::weakref(self))})};
      },
      py::arg("hook"));

  py::module_ a = m.def_submodule("_autograd");
  a.def("push_save_hook", push_save_hook, py::arg("pack"), py::arg("unpack"));
  a.def("pop_save_hook", pop_save_hook);
  a.def(
      "reaches_others",
      [](const py::object& outputs, const py::object& leaves) {
        return reaches_others(list_of(outputs, "reaches_others"), list_of(leaves, "reaches_others"));
      },
      py::arg("outputs"), py::arg("leaves"));
  a.def(
      "backward",
      [](const py::object& tensors, const py::object& grad_tensors, std::optional<bool> retain_graph, bool create_graph,
         const py::object& inputs) {
        if (tensors.is_none()) throw TypeError("backward: expected a Tensor or a sequence of Tensors, got None");
        run_backward(tensors_of(tensors, "backward", "tensor"), grad_tensors, retain_graph, create_graph, inputs);
      },
      py::arg("tensors"), py::arg("grad_tensors") = py::none(), py::arg("retain_graph") = py::none(),
      py::arg("create_graph") = false, py::arg("inputs") = py::none());
  a.def(
      "grad",
      [](const py::object& outputs, const py::object& inputs, const py::object& grad_outputs,
         std::optional<bool> retain_graph, bool create_graph, bool allow_unused) {
        const TensorList out = tensors_of(outputs, "grad", "output"), in = tensors_of(inputs, "grad", "input"),
                         g = list_of(grad_outputs, "grad");
        TensorList result;
        {
          const ReleaseGil release;
          result = grad(out, in, g, retain_graph.value_or(create_graph), create_graph, allow_unused);
        }
        py::tuple t(result.size());
        for (size_t i = 0; i < result.size(); ++i) t[i] = py::cast(result[i]);
        return t;
      },
      py::arg("outputs"), py::arg("inputs"), py::arg("grad_outputs") = py::none(), py::arg("retain_graph") = py::none(),
      py::arg("create_graph") = false, py::arg("allow_unused") = false);
}

}  // namespace lamina::python
