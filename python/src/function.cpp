// Custom functions: lamina.autograd.Function, a graph node whose forward and backward are Python code.
#include <pybind11/stl.h>

#include <algorithm>

#include "args.h"
#include "bindings.h"

namespace lamina::python {
namespace {

// What forward leaves for backward. Python sees it as ctx and may add attributes of its own.
struct Context {
  py::object to_save = py::none(), dirty = py::none(), non_differentiable = py::none();  // read when forward is done
  py::tuple needs_input_grad;
  bool materialize = true, released = false;
  std::vector<Saved> saved;
  std::string name;

  py::tuple saved_tensors() const {
    if (released)
      throw GradError(name +
                      ": the saved tensors were freed by an earlier backward; pass retain_graph=True there to go "
                      "through the graph again");
    py::tuple t(saved.size());
    for (size_t i = 0; i < saved.size(); ++i) PyTuple_SET_ITEM(t.ptr(), Py_ssize_t(i), wrap(saved[i].get()));
    return t;
  }
};

struct OutputMeta {
  Dims shape;
  DType dtype;
  Device device;
};

class PythonNode final : public Node {
 public:
  PythonNode(std::string name, py::object ctx, py::object backward)
      : Node(""), name_(std::move(name)), ctx_(ctx.release().ptr()), backward_(backward.release().ptr()) {
    watch_collections();
    python_in_graphs.fetch_add(1, std::memory_order_relaxed);
  }
  ~PythonNode() override {
    python_in_graphs.fetch_sub(1, std::memory_order_relaxed);
    if (interpreter_gone()) return;
    const AcquireGil gil;
    Py_DECREF(ctx_);
    Py_DECREF(backward_);
  }
  void report_saved() const override {
    if (Py_REFCNT(ctx_) != 1) return;  // Python may look into ctx: what it saved has another owner
    for (const Saved& s : context().saved) [[maybe_unused]]
      const Saved reported(s);
  }
  const char* name() const override { return name_.c_str(); }
  void* python_object() const override { return ctx_; }

  void apply(std::span<const Tensor> g, Grads& d) override {
    const AcquireGil gil;
    Context& c = context();
    if (c.released)
      throw GradError(str("backward: the graph of ", name_,
                          " was freed by an earlier backward; pass retain_graph=True there to go through it again"));
    py::tuple args(1 + outputs_meta.size());
    PyTuple_SET_ITEM(args.ptr(), 0, Py_NewRef(ctx_));
    for (size_t i = 0; i < outputs_meta.size(); ++i) {
      Tensor in = i < g.size() ? g[i] : Tensor();
      const OutputMeta& m = outputs_meta[i];
      if (!in.defined() && c.materialize) in = zeros(m.shape, m.dtype, m.device);
      PyTuple_SET_ITEM(args.ptr(), Py_ssize_t(i + 1), wrap(in));
    }
    const py::object r = py::reinterpret_steal<py::object>(PyObject_Call(backward_, args.ptr(), nullptr));
    if (!r) throw py::error_already_set();
    take(r, d);
  }
  void release_saved() override {
    const AcquireGil gil;
    Context& c = context();
    c.released = true;
    c.saved.clear();
  }

  std::vector<OutputMeta> outputs_meta;
  std::vector<OutputMeta> inputs_meta;  // of the tensor arguments
  std::vector<size_t> position;         // argument number of each tensor argument
  size_t arguments = 0;

 private:
  Context& context() const { return py::cast<Context&>(py::handle(ctx_)); }

  // The gradients that backward returned: one per argument of forward.
  void take(const py::object& r, Grads& d) {
    py::tuple t = PyTuple_Check(r.ptr())  ? py::reinterpret_borrow<py::tuple>(r)
                  : PyList_Check(r.ptr()) ? py::tuple(r)
                                          : py::make_tuple(r);
    bool extra_none = true;
    for (size_t i = arguments; i < t.size(); ++i) extra_none = extra_none && t[i].is_none();
    if (t.size() < arguments || !extra_none)
      throw GradError(str(name_, ": backward returned ", t.size(), " gradients, expected ", arguments,
                          " (one per argument of forward, None where there is none)"));
    for (size_t k = 0; k < position.size(); ++k) {
      const py::object o = t[position[k]];
      if (!d.want(k) || o.is_none()) continue;
      if (!is_tensor(o.ptr()))
        throw TypeError(str(name_, ": backward must return Tensors or None, got ", Py_TYPE(o.ptr())->tp_name,
                            " for argument ", position[k]));
      Tensor g = unwrap(o.ptr());
      const OutputMeta& m = inputs_meta[k];
      if (g.shape() != m.shape || g.dtype() != m.dtype || g.device() != m.device)
        throw GradError(str(name_, ": the gradient for argument ", position[k],
                            " must match it: ", describe("returned", g), ", expected ", to_string(m.shape), " ",
                            lamina::name(m.dtype), " ", lamina::name(m.device),
                            g.shape() != m.shape ? ". Sum over the dims that forward broadcast" : ""));
      d[k] = g;
    }
  }

  std::string name_;
  PyObject* ctx_;
  PyObject* backward_;
};

OutputMeta meta_of(const Tensor& t) { return {t.shape(), t.dtype(), t.device()}; }

bool holds(const TensorList& list, const Tensor& t) {
  return std::any_of(list.begin(), list.end(), [&](const Tensor& x) { return x.defined() && is_same(x, t); });
}

// A tuple or list of tensors (None allowed), or one tensor.
TensorList tensors_of(const py::object& o, const std::string& what) {
  if (o.is_none()) return {};
  if (is_tensor(o.ptr())) return {unwrap(o.ptr())};
  if (!From<TensorList>::check(o.ptr()))
    throw TypeError(what + ": expected Tensors or None; keep other values as attributes of ctx");
  return From<TensorList>::get(o.ptr());
}

struct Forward {
  std::string name;
  TensorList inputs;
  std::vector<size_t> position;
  bool record = false;
  Ref<PythonNode> node;
};

// An output as the caller gets it: the tensor itself, or an alias where forward returned something with a life of its
// own.
Tensor output_of(const Forward& f, const Tensor& t, const TensorList& dirty, bool differentiable) {
  if (holds(dirty, t)) return t;
  if (!f.record) return t;
  const bool own = !holds(f.inputs, t) && !(t->autograd && t.requires_grad());
  return own && differentiable ? t : own ? t : t.detach();
}

void join(Forward& f, Context& c, TensorList& outputs) {
  const TensorList dirty = tensors_of(c.dirty, "mark_dirty"),
                   plain = tensors_of(c.non_differentiable, "mark_non_differentiable");
  for (const Tensor& t : dirty) {
    if (!holds(f.inputs, t)) throw GradError(f.name + ": mark_dirty takes inputs of forward only");
    if (!holds(outputs, t)) throw GradError(f.name + ": an input marked dirty must also be returned by forward");
    check_inplace(f.name.c_str(), t);
    if (f.record) check_view_origin(f.name.c_str(), t);
    wrote(t);
    if (t->autograd && t->autograd->base && f.record && (outputs.size() > 1 || !is_same(t, f.inputs[0])))
      throw GradError(f.name +
                      ": a view may be marked dirty only if it is the first tensor argument and the only output");
  }
  const TensorList raw = outputs, to_save = tensors_of(c.to_save, "save_for_backward");
  std::vector<bool> differentiable;
  for (Tensor& t : outputs) {
    differentiable.push_back(f.record && is_floating(t.dtype()) && !holds(plain, t));
    t = output_of(f, t, dirty, differentiable.back());
  }
  if (!f.record) return;
  TensorList history(outputs.size());
  for (size_t i = 0; i < outputs.size(); ++i) {
    f.node->outputs_meta.push_back(meta_of(outputs[i]));
    if (differentiable[i] && !holds(dirty, outputs[i])) history[i] = outputs[i];
  }
  set_history(f.node, history);
  for (size_t i = 0; i < outputs.size(); ++i) {
    if (!differentiable[i] || !holds(dirty, outputs[i])) continue;
    rebase_history(outputs[i], f.node);
    if (!outputs[i]->autograd->base) outputs[i]->autograd->slot = uint32_t(i);
  }
  for (const Tensor& t : to_save) {
    size_t at = raw.size();
    for (size_t i = 0; i < raw.size(); ++i)
      if (t.defined() && is_same(raw[i], t) && (is_same(outputs[i], t))) at = i;
    c.saved.push_back(at < raw.size() && differentiable[at] ? save_output(outputs[at], uint32_t(at)) : save(t));
  }
}

// Function.apply: runs forward (or forward and setup_context) without recording, then joins the outputs to the graph.
py::object apply(const py::object& cls, const py::args& args) {
  Forward f;
  f.name = py::cast<std::string>(cls.attr("__name__")) + "Backward";
  py::object ctx = py::cast(new Context, py::return_value_policy::take_ownership);
  Context& c = py::cast<Context&>(ctx);
  c.name = f.name;
  c.needs_input_grad = py::tuple(args.size());
  for (size_t i = 0; i < args.size(); ++i) {
    bool needs = false;
    if (is_tensor(args[i].ptr())) {
      f.inputs.push_back(unwrap(args[i].ptr()));
      f.position.push_back(i);
      needs = f.inputs.back().requires_grad();
    }
    PyTuple_SET_ITEM(c.needs_input_grad.ptr(), Py_ssize_t(i), PyBool_FromLong(needs));
  }
  f.record = recording(f.inputs);
  if (f.record) {
    f.node = make_ref<PythonNode>(f.name, ctx, cls.attr("backward"));
    const std::vector<std::reference_wrapper<const Tensor>> in(f.inputs.begin(), f.inputs.end());
    connect(*f.node, in);
    for (const Tensor& t : f.inputs) f.node->inputs_meta.push_back(meta_of(t));
    f.node->position = f.position;
    f.node->arguments = args.size();
  }
  py::object result;
  {
    const NoGrad off;
    if (py::cast<bool>(cls.attr("_separate_setup"))) {
      result = cls.attr("forward")(*args);
      cls.attr("setup_context")(ctx, args, result);
    } else {
      result = cls.attr("forward")(ctx, *args);
    }
  }
  const bool single = is_tensor(result.ptr());
  py::list items;
  if (single) {
    items.append(result);
  } else if (PyTuple_Check(result.ptr()) || PyList_Check(result.ptr())) {
    items = py::list(result);
  } else {
    throw TypeError(
        str(f.name, ": forward must return a Tensor or a tuple of them, got ", Py_TYPE(result.ptr())->tp_name));
  }
  // Values other than tensors pass through.
  TensorList outputs;
  std::vector<size_t> where;
  for (size_t i = 0; i < items.size(); ++i) {
    const py::object o = items[i];
    if (!is_tensor(o.ptr())) continue;
    outputs.push_back(unwrap(o.ptr()));
    where.push_back(i);
  }
  join(f, c, outputs);
  c.to_save = c.dirty = c.non_differentiable = py::none();
  for (size_t i = 0; i < outputs.size(); ++i) items[where[i]] = py::cast(outputs[i]);
  return single ? py::object(items[0]) : py::object(py::tuple(items));
}

}  // namespace

void init_function(py::module_& m) {
  py::class_<Context>(m, "_FunctionContext", py::dynamic_attr(), "What forward leaves for backward.")
      .def(
          "save_for_backward",
          [](Context& c, const py::args& tensors) {
            tensors_of(tensors, "save_for_backward");
            c.to_save = tensors;
          },
          "Keeps tensors (or None) for backward: once per forward. In-place changes to them are noticed.")
      .def(
          "mark_dirty", [](Context& c, const py::args& tensors) { c.dirty = tensors; },
          "Says which inputs forward changed in place.")
      .def(
          "mark_non_differentiable", [](Context& c, const py::args& tensors) { c.non_differentiable = tensors; },
          "Says which outputs have no gradient.")
      .def(
          "set_materialize_grads", [](Context& c, bool on) { c.materialize = on; }, py::arg("value"),
          "False: backward gets None instead of zeros for outputs that no gradient reached.")
      .def_property_readonly("saved_tensors", &Context::saved_tensors, "The tensors kept by save_for_backward.")
      .def_readonly("needs_input_grad", &Context::needs_input_grad,
                    "For each argument of forward: does it need a gradient?");
  m.def("_apply_function", apply);
}

}  // namespace lamina::python
