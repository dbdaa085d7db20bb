// What the garbage collector hears of graphs: Python objects (hooks, ctx of custom functions, packed tensors) that
// wrappers of tensors and nodes keep alive through C++ objects it does not know.
//
// CPython first asks every object it may collect for its references and subtracts them from the counts, then asks what
// is still alive again, to find what that reaches. An object of a graph may have many wrappers as owners, while it
// holds one reference only. So in the first pass it is named by the last of its owners, and never if one of them is not
// asked: that one is alive. In the second pass every owner that is alive names it.
#include <optional>
#include <unordered_map>
#include <unordered_set>

#include "lamina/owned.h"
#include "tensor_type.h"

namespace lamina::python {
namespace {

// Bounds the pause: things entered in one collection.
constexpr size_t kMost = 4096, kMostInFull = size_t(1) << 18;

// A Python object that graphs share, and how many of its owners were found.
using Shares = std::unordered_map<const void*, long>;

struct Visitor {
  visitproc visit;
  void* arg;
  Shares* shares;  // null: every owner names the object
  int result = 0;

  void operator()(const std::shared_ptr<py::object>& o) {
    if (o && !result && (!shares || ++(*shares)[o.get()] == o.use_count())) result = visit(o->ptr(), arg);
  }
  void operator()(const std::vector<NodeExtras::Hook>& hooks) {
    for (const auto& h : hooks)
      if (const auto* hook = h.fn.target<PyHook>()) (*this)(hook->fn);
  }
  int operator()(const OwnershipWalk::Owned& owned) {
    for (const Node* n : owned.nodes) {
      if (void* o = n->python_object(); o && !result) result = visit(static_cast<PyObject*>(o), arg);
      if (const NodeExtras* x = n->extras_or_null()) {
        (*this)(x->hooks);
        (*this)(x->post_accumulate);
      }
    }
    for (const PackedTensor* p : owned.packed)
      if (const auto* packed = dynamic_cast<const PackedByPython*>(p)) {
        (*this)(packed->value);
        (*this)(packed->unpack_fn);
      }
    return result;
  }
};

// The collection that runs now, while graphs hold Python objects.
struct Collection {
  explicit Collection(size_t limit) : most(limit) {}
  size_t most;
  OwnershipWalk walk;
  Shares shares;
  std::unordered_set<const PyObject*> asked;  // in this first pass
};
std::optional<Collection> collection;

template <class T>
int traverse(PyObject* self, const T* root, visitproc visit, void* arg) noexcept {
  // Other threads may take or drop references while they run without the GIL; none starts or ends to during a pass.
  if (!root || computing_without_gil()) return 0;
  if (!collection) {  // gc.get_referents, or a collection that was not announced: what this wrapper alone owns
    Shares shares;
    Visitor v{visit, arg, &shares};
    return v(OwnershipWalk().found(root, kMost));
  }
  // CPython's first pass has the object itself as argument (since 3.9). It comes again, for a part of the objects, when
  // finalizers have run.
  if (arg != self) {
    Visitor v{visit, arg, nullptr};
    return v(collection->walk.reached(root));
  }
  if (!collection->asked.insert(self).second) {
    collection.emplace(collection->most);
    collection->asked.insert(self);
  }
  Visitor v{visit, arg, &collection->shares};
  return v(collection->walk.found(root, collection->most));
}

// An entry of gc.callbacks: called with "start" and "stop" around a collection.
PyObject* on_collection(PyObject*, PyObject* args) {
  PyObject *phase = nullptr, *info = nullptr;
  if (!PyArg_ParseTuple(args, "UO", &phase, &info)) return nullptr;
  collection.reset();
  if (graph_holds_python() && PyUnicode_CompareWithASCIIString(phase, "start") == 0) {
    PyObject* generation = PyDict_Check(info) ? PyDict_GetItemString(info, "generation") : nullptr;
    collection.emplace(generation && PyLong_Check(generation) && PyLong_AsLong(generation) == 2 ? kMostInFull : kMost);
  }
  Py_RETURN_NONE;
}

}  // namespace

void watch_collections() {
  static bool watching = false;
  if (watching) return;
  watching = true;
  static PyMethodDef def = {"lamina_graphs", on_collection, METH_VARARGS, nullptr};
  // Nobody else owns the function: who empties gc.callbacks also ends a collection that was announced.
  const py::capsule end(&def, [](void*) { collection.reset(); });
  py::module_::import("gc")
      .attr("callbacks")
      .attr("append")(py::reinterpret_steal<py::object>(PyCFunction_New(&def, end.ptr())));
}

int traverse_graph(PyObject* self, const Tensor& t, visitproc visit, void* arg) {
  if (!collection && !(t->autograd && graph_holds_python())) return 0;
  return traverse(self, static_cast<const TensorImpl*>(t.impl()), visit, arg);
}
int traverse_graph(PyObject* self, const Ref<Node>& node, visitproc visit, void* arg) {
  if (!collection && !graph_holds_python()) return 0;
  return traverse(self, static_cast<const Node*>(node.get()), visit, arg);
}

}  // namespace lamina::python
