// The Python type Tensor: memory management, number and comparison slots.
#include "tensor_type.h"

#include <cxxabi.h>
#include <structmember.h>
#include <unistd.h>

#include "autocast.h"
#include "bindings.h"
#include "lamina/formulas.h"
#include "registry.h"

namespace lamina::python {

PyTypeObject* tensor_type = nullptr;

namespace {

// Wrappers are made and dropped by every operation: some are kept, linked through `dict`, under the GIL.
constexpr int kKeptWrappers = 128;
PyTensor* kept_wrappers = nullptr;
int kept_count = 0;

PyTensor* new_wrapper() {
  if (PyTensor* o = kept_wrappers) {
    kept_wrappers = reinterpret_cast<PyTensor*>(o->dict);
    --kept_count;
    o->dict = nullptr;
    PyObject_Init(reinterpret_cast<PyObject*>(o), tensor_type);
    PyObject_GC_Track(o);
    return o;
  }
  return reinterpret_cast<PyTensor*>(tensor_type->tp_alloc(tensor_type, 0));
}

}  // namespace

AcquireGil::AcquireGil() {
  while (_Py_IsFinalizing() && !PyGILState_Check()) pause();
  state_ = PyGILState_Ensure();
}

PyObject* wrap(Tensor t) {
  if (!t.defined()) Py_RETURN_NONE;
  TensorImpl* impl = t.impl();
  if (impl->python) return Py_NewRef(static_cast<PyObject*>(impl->python));
  PyTensor* o = new_wrapper();
  if (!o) throw py::error_already_set();
  impl->python = o;
  o->tensor = std::move(t);
  return reinterpret_cast<PyObject*>(o);
}

namespace {

// Tensor(data): a new tensor on the memory of data; what subclasses such as Parameter build on.
PyObject* tensor_new(PyTypeObject* type, PyObject* args, PyObject*) {
  return guarded([&]() -> PyObject* {
    PyObject* data = PyTuple_GET_SIZE(args) > 0 ? PyTuple_GET_ITEM(args, 0) : nullptr;
    if (!data || !is_tensor(data))  // Tensor(2, 3), Tensor([1, 2]): as FloatTensor and its kin
      return py::module_::import("lamina._legacy")
          .attr("default_tensor")(py::reinterpret_borrow<py::tuple>(args))
          .release()
          .ptr();
    const Tensor t = unwrap(data).detach();
    auto* o = reinterpret_cast<PyTensor*>(type->tp_alloc(type, 0));
    if (!o) return nullptr;
    t.impl()->python = o;
    o->tensor = t;
    return reinterpret_cast<PyObject*>(o);
  });
}

int tensor_init(PyObject*, PyObject*, PyObject*) { return 0; }

int tensor_traverse(PyObject* self, visitproc visit, void* arg) {
  auto* o = reinterpret_cast<PyTensor*>(self);
  Py_VISIT(Py_TYPE(self));
  Py_VISIT(o->dict);
  return o->tensor.defined() ? traverse_graph(self, o->tensor, visit, arg) : 0;
}
int tensor_clear(PyObject* self) {
  auto* o = reinterpret_cast<PyTensor*>(self);
  Py_CLEAR(o->dict);
  // Unreachable: the history dies here, which breaks cycles through it.
  if (o->tensor.defined() && o->tensor->refs() == 1) o->tensor->autograd.reset();
  return 0;
}
void tensor_dealloc(PyObject* self) {
  PyTypeObject* type = Py_TYPE(self);
  auto* o = reinterpret_cast<PyTensor*>(self);
  PyObject_GC_UnTrack(self);
  if (o->tensor.defined()) o->tensor->python = nullptr;  // first: what runs below must not find this wrapper again
  if (o->weakrefs) PyObject_ClearWeakRefs(self);
  Py_CLEAR(o->dict);
  o->tensor = {};
  if (type == tensor_type && kept_count < kKeptWrappers) {
    o->dict = reinterpret_cast<PyObject*>(kept_wrappers);
    o->weakrefs = nullptr;
    kept_wrappers = o;
    ++kept_count;
  } else {
    type->tp_free(self);
  }
  Py_DECREF(type);
}

// ---- operators ----

constexpr Ew find(std::string_view name) {
  constexpr std::string_view names[] = {
#define X(n, Formula) #n,
      LAMINA_ELEMENTWISE(X)
#undef X
  };
  for (size_t i = 0; i < std::size(names); ++i)
    if (names[i] == name) return static_cast<Ew>(i);
  throw "no such elementwise operation";
}

template <Ew op>
PyObject* binary(PyObject* a, PyObject* b) {
  return guarded([&]() -> PyObject* {
    PyObject* const operands[] = {a, b};
    PyObject* r = call_elementwise(op, false, operands, 2);
    if (!r && !PyErr_Occurred()) Py_RETURN_NOTIMPLEMENTED;
    return r;
  });
}
template <Ew op>
PyObject* inplace(PyObject* a, PyObject* b) {
  return guarded([&]() -> PyObject* {
    PyObject* const operands[] = {a, b};
    PyObject* r = call_elementwise(op, true, operands, 2);
    if (!r && !PyErr_Occurred()) Py_RETURN_NOTIMPLEMENTED;
    return r;
  });
}
template <Ew op>
PyObject* unary(PyObject* a) {
  return guarded([&] { return call_elementwise(op, false, &a, 1); });
}
PyObject* power(PyObject* a, PyObject* b, PyObject*) { return binary<find("pow")>(a, b); }
PyObject* inplace_power(PyObject* a, PyObject* b, PyObject*) { return inplace<find("pow")>(a, b); }
PyObject* product(PyObject* a, PyObject* b) {
  if (!is_tensor(a) || !is_tensor(b)) Py_RETURN_NOTIMPLEMENTED;
  return guarded([&] {
    const bool cast = autocast_state().on;
    const Tensor x = cast ? autocast(unwrap(a), Cast::shorter) : unwrap(a),
                 y = cast ? autocast(unwrap(b), Cast::shorter) : unwrap(b);
    const auto run = [&] {
      const ReleaseGil release(x.numel() + y.numel() > (1 << 14));
      return matmul(x, y);
    };
    return wrap(run());
  });
}
PyObject* positive(PyObject* a) { return Py_NewRef(a); }

PyObject* compare(PyObject* a, PyObject* b, int op) {
  switch (op) {
    case Py_LT:
      return binary<find("lt")>(a, b);
    case Py_LE:
      return binary<find("le")>(a, b);
    case Py_GT:
      return binary<find("gt")>(a, b);
    case Py_GE:
      return binary<find("ge")>(a, b);
    case Py_EQ:
      return binary<find("eq")>(a, b);
    default:
      return binary<find("ne")>(a, b);
  }
}

Scalar only_number(PyObject* self, const char* what) {
  const Tensor t = unwrap(self);
  if (t.numel() != 1)
    raise<ValueError>(what, ": only a tensor with one element can be converted, got ", describe("self", t),
                      what[0] == 'b' ? ". Use .any() or .all()" : "");
  return t.item();
}
int truth(PyObject* self) {
  try {
    return only_number(self, "bool").to_bool();
  } catch (...) {
    set_python_error();
    return -1;
  }
}
PyObject* to_float(PyObject* self) {
  return guarded([&] { return PyFloat_FromDouble(only_number(self, "float").to_double()); });
}
PyObject* to_int(PyObject* self) {
  return guarded([&]() -> PyObject* {
    const Scalar s = only_number(self, "int");
    return s.is_floating() ? PyLong_FromDouble(s.to_double()) : PyLong_FromLongLong(s.to_int());
  });
}
PyObject* to_index(PyObject* self) {
  return guarded([&]() -> PyObject* {
    if (is_floating(unwrap(self).dtype()))
      throw TypeError("index: only integer tensors of a single element can be an index, got " +
                      describe("self", unwrap(self)));
    return PyLong_FromLongLong(only_number(self, "index").to_int());
  });
}
Py_hash_t hash(PyObject* self) { return Py_hash_t(reinterpret_cast<uintptr_t>(self) >> 4); }
Py_ssize_t length(PyObject* self) {
  const Tensor t = unwrap(self);
  if (t.dim() > 0) return Py_ssize_t(t.shape()[0]);
  PyErr_SetString(PyExc_TypeError, "len() of a 0-d tensor");
  return -1;
}

template <class F>
void* slot(F f) {
  return reinterpret_cast<void*>(f);
}

}  // namespace

void init_tensor_type(py::module_& m) {
  static PyMemberDef members[] = {{"__dictoffset__", T_PYSSIZET, offsetof(PyTensor, dict), READONLY, nullptr},
                                  {"__weaklistoffset__", T_PYSSIZET, offsetof(PyTensor, weakrefs), READONLY, nullptr},
                                  {nullptr, 0, 0, 0, nullptr}};
  static PyGetSetDef getset[] = {{"__dict__", PyObject_GenericGetDict, PyObject_GenericSetDict, nullptr, nullptr},
                                 {nullptr, nullptr, nullptr, nullptr, nullptr}};
  static PyType_Slot slots[] = {
      {Py_tp_doc, const_cast<char*>("A multi-dimensional array of one dtype, with automatic differentiation.")},
      {Py_tp_new, slot(tensor_new)},
      {Py_tp_init, slot(tensor_init)},
      {Py_tp_dealloc, slot(tensor_dealloc)},
      {Py_tp_traverse, slot(tensor_traverse)},
      {Py_tp_clear, slot(tensor_clear)},
      {Py_tp_members, members},
      {Py_tp_getset, getset},
      {Py_tp_richcompare, slot(compare)},
      {Py_tp_hash, slot(hash)},
      {Py_tp_iter, slot(iterate)},
      {Py_mp_length, slot(length)},
      {Py_mp_subscript, slot(get_item)},
      {Py_mp_ass_subscript, slot(set_item)},
      {Py_sq_contains, slot(contains)},
      {Py_bf_getbuffer, slot(get_buffer)},
      {Py_bf_releasebuffer, slot(release_buffer)},
      {Py_nb_add, slot(binary<find("add")>)},
      {Py_nb_subtract, slot(binary<find("sub")>)},
      {Py_nb_multiply, slot(binary<find("mul")>)},
      {Py_nb_true_divide, slot(binary<find("div")>)},
      {Py_nb_floor_divide, slot(binary<find("floor_divide")>)},
      {Py_nb_remainder, slot(binary<find("remainder")>)},
      {Py_nb_power, slot(power)},
      {Py_nb_matrix_multiply, slot(product)},
      {Py_nb_negative, slot(unary<find("neg")>)},
      {Py_nb_positive, slot(positive)},
      {Py_nb_absolute, slot(unary<find("abs")>)},
      {Py_nb_invert, slot(unary<find("bitwise_not")>)},
      {Py_nb_and, slot(binary<find("bitwise_and")>)},
      {Py_nb_or, slot(binary<find("bitwise_or")>)},
      {Py_nb_xor, slot(binary<find("bitwise_xor")>)},
      {Py_nb_lshift, slot(binary<find("bitwise_left_shift")>)},
      {Py_nb_rshift, slot(binary<find("bitwise_right_shift")>)},
      {Py_nb_inplace_lshift, slot(inplace<find("bitwise_left_shift")>)},
      {Py_nb_inplace_rshift, slot(inplace<find("bitwise_right_shift")>)},
      {Py_nb_inplace_add, slot(inplace<find("add")>)},
      {Py_nb_inplace_subtract, slot(inplace<find("sub")>)},
      {Py_nb_inplace_multiply, slot(inplace<find("mul")>)},
      {Py_nb_inplace_true_divide, slot(inplace<find("div")>)},
      {Py_nb_inplace_floor_divide, slot(inplace<find("floor_divide")>)},
      {Py_nb_inplace_remainder, slot(inplace<find("remainder")>)},
      {Py_nb_inplace_power, slot(inplace_power)},
      {Py_nb_inplace_and, slot(inplace<find("bitwise_and")>)},
      {Py_nb_inplace_or, slot(inplace<find("bitwise_or")>)},
      {Py_nb_inplace_xor, slot(inplace<find("bitwise_xor")>)},
      {Py_nb_bool, slot(truth)},
      {Py_nb_float, slot(to_float)},
      {Py_nb_int, slot(to_int)},
      {Py_nb_index, slot(to_index)},
      {0, nullptr}};
  static PyType_Spec spec = {"lamina.Tensor", sizeof(PyTensor), 0,
                             Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC, slots};
  tensor_type = reinterpret_cast<PyTypeObject*>(PyType_FromSpec(&spec));
  if (!tensor_type) throw py::error_already_set();
  m.attr("Tensor") = py::reinterpret_borrow<py::object>(reinterpret_cast<PyObject*>(tensor_type));
}

}  // namespace lamina::python
