// The Python class Tensor: a wrapper that holds the intrusive pointer itself, one wrapper per tensor.
#pragma once
#include <pybind11/pybind11.h>

#include <memory>

#include "lamina/autograd.h"
#include "lamina/ops.h"

namespace lamina::python {

namespace py = pybind11;

struct PyTensor {
  PyObject_HEAD Tensor tensor;  // undefined only while a subclass is being constructed
  PyObject* dict;
  PyObject* weakrefs;
};

extern PyTypeObject* tensor_type;

inline bool is_tensor(PyObject* o) { return Py_TYPE(o) == tensor_type || PyType_IsSubtype(Py_TYPE(o), tensor_type); }
// Borrowed from the wrapper: good as long as the caller's arguments live.
inline const Tensor& unwrap(PyObject* o) { return reinterpret_cast<PyTensor*>(o)->tensor; }
// New reference: the present wrapper of t, or a new one; None for an undefined tensor.
PyObject* wrap(Tensor t);

void init_tensor_type(py::module_& m);

// Runs f, turning C++ exceptions into the Python error state.
void set_python_error();  // call inside a catch block
template <class F>
PyObject* guarded(F&& f) {
  try {
    return f();
  } catch (...) {
    set_python_error();
    return nullptr;
  }
}

// Releases the GIL for a scope. Written by hand: when the interpreter is finalizing, a daemon thread must not come
// back into it, so it sleeps until the process ends.
class ReleaseGil {
 public:
  explicit ReleaseGil(bool on = true);
  ~ReleaseGil();
  ReleaseGil(const ReleaseGil&) = delete;
  ReleaseGil& operator=(const ReleaseGil&) = delete;

 private:
  PyThreadState* state_;
};

// True while any thread is inside a ReleaseGil. Changes under the GIL only.
bool computing_without_gil();

// Takes the GIL for a scope, from any thread. As above: a thread that comes too late sleeps instead of being killed
// inside C++ frames.
class AcquireGil {
 public:
  AcquireGil();
  ~AcquireGil() { PyGILState_Release(state_); }
  AcquireGil(const AcquireGil&) = delete;
  AcquireGil& operator=(const AcquireGil&) = delete;

 private:
  PyGILState_STATE state_;
};
// True when Python objects can no longer be touched; what they own is left to the end of the process.
inline bool interpreter_gone() { return _Py_IsFinalizing() || !Py_IsInitialized(); }

// A Python callable on a graph node. Its own type, so that the garbage collector finds the callable in the graph.
struct PyHook {
  std::shared_ptr<py::object> fn;
  bool with_tensor = false;          // post-accumulate: called with the tensor itself, found through `self`
  std::shared_ptr<py::object> self;  // weak reference to the tensor
  Tensor operator()(const Tensor& g) const;
};
// saved_tensors_hooks: what pack returned, until unpack makes a tensor of it again.
struct PackedByPython final : PackedTensor {
  PackedByPython(std::shared_ptr<py::object> v, std::shared_ptr<py::object> f)
      : value(std::move(v)), unpack_fn(std::move(f)) {}
  Tensor unpack() override;
  std::shared_ptr<py::object> value, unpack_fn;
};

// For tp_traverse of a wrapper: visits the Python objects that it keeps alive through a graph.
int traverse_graph(PyObject* self, const Tensor& t, visitproc visit, void* arg);
int traverse_graph(PyObject* self, const Ref<Node>& node, visitproc visit, void* arg);
// Has collections announced; called before the first Python object goes into a graph.
void watch_collections();

}  // namespace lamina::python

namespace pybind11::detail {
template <>
struct type_caster<lamina::Tensor> {
  PYBIND11_TYPE_CASTER(lamina::Tensor, const_name("Tensor"));
  bool load(handle src, bool) {
    if (src.is_none()) return true;
    if (!lamina::python::is_tensor(src.ptr())) return false;
    value = lamina::python::unwrap(src.ptr());
    return true;
  }
  static handle cast(const lamina::Tensor& t, return_value_policy, handle) { return lamina::python::wrap(t); }
};
}  // namespace pybind11::detail
