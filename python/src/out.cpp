// out=: one rule for every operation that returns tensors. The result is computed as ever, then written: into a tensor
// of its shape, or into an empty one, which takes its shape. Also the way to forms that are written in Python.
#include "lamina/autograd.h"
#include "registry.h"

namespace lamina::python {
namespace {

bool holds_gradient(PyObject* o) {
  if (is_tensor(o)) return unwrap(o).requires_grad();
  if (!PyTuple_Check(o) && !PyList_Check(o)) return false;
  for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(o); ++i)
    if (PyObject* x = PySequence_Fast_GET_ITEM(o, i); is_tensor(x) && unwrap(x).requires_grad()) return true;
  return false;
}

bool holds_tensor(PyObject* o) {
  if (is_tensor(o)) return true;
  if (!PyTuple_Check(o) && !PyList_Check(o)) return false;
  for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(o); ++i)
    if (is_tensor(PySequence_Fast_GET_ITEM(o, i))) return true;
  return false;
}

int kind_of(DType t) { return is_floating(t) ? 2 : t == DType::bool_ ? 0 : 1; }

void check_target(const std::string& op, const Tensor& out, const Tensor& result) {
  if (kind_of(result.dtype()) > kind_of(out.dtype()))
    throw DtypeError(str(op, ": the result is ", name(result.dtype()), " and does not fit in ", describe("out", out)));
  if (out.numel() > 0 && out.shape() != result.shape())
    throw ShapeError(str(op, ": the result has shape ", to_string(result.shape()), " but out is ", describe("out", out),
                         "; it must have that shape, or be empty"));
}

void write_target(const Tensor& out, const Tensor& result) {
  if (out.shape() != result.shape()) resize_(out, Size(result.shape()));
  copy_(out, result);
}

// Several results go into as many tensors; all are checked before the first is written.
PyObject* write_several(const std::string& op, PyObject* out, PyObject* result) {
  const Py_ssize_t n = PyTuple_GET_SIZE(result);
  const bool several = PyTuple_Check(out) || PyList_Check(out);
  bool fits = several && PySequence_Fast_GET_SIZE(out) == n;
  for (Py_ssize_t i = 0; fits && i < n; ++i)
    fits = is_tensor(PySequence_Fast_GET_ITEM(out, i)) && is_tensor(PyTuple_GET_ITEM(result, i));
  if (!fits) throw TypeError(str(op, ": out must be a tuple of ", n, " tensors, one for each result"));
  const auto both = [&](Py_ssize_t i, auto f) {
    f(unwrap(PySequence_Fast_GET_ITEM(out, i)), unwrap(PyTuple_GET_ITEM(result, i)));
  };
  for (Py_ssize_t i = 0; i < n; ++i) both(i, [&](const Tensor& o, const Tensor& r) { check_target(op, o, r); });
  for (Py_ssize_t i = 0; i < n; ++i) both(i, write_target);
  const py::tuple written(n);
  for (Py_ssize_t i = 0; i < n; ++i) PyTuple_SET_ITEM(written.ptr(), i, Py_NewRef(PySequence_Fast_GET_ITEM(out, i)));
  if (PyTuple_CheckExact(result)) return Py_NewRef(written.ptr());
  // A named tuple of the engine takes a sequence; one of Python's typing module makes itself with _make.
  const py::object type = py::reinterpret_borrow<py::object>(reinterpret_cast<PyObject*>(Py_TYPE(result)));
  return (py::hasattr(type, "_make") ? type.attr("_make")(written) : type(written)).release().ptr();
}

// Whether the operation makes its tensor of numbers alone, in a dtype that can be asked for.
bool asks_dtype(const OpEntry& e, const std::vector<PyObject*>& values, const py::tuple& names) {
  for (PyObject* v : values)
    if (holds_tensor(v)) return false;
  for (const py::handle name : names)
    if (PyUnicode_CompareWithASCIIString(name.ptr(), "dtype") == 0) return false;
  for (const Overload& o : e.overloads)
    for (const Param& p : o.params)
      if (p.name == "dtype") return true;
  return false;
}

}  // namespace

PyObject* call_with_out(PyObject* op, const OpEntry& e, const Arguments& a, Py_ssize_t at) {
  const auto keywords = size_t(PyTuple_GET_SIZE(a.names));
  PyObject* out = a.values[a.positional + size_t(at)];
  std::vector<PyObject*> values(a.values, a.values + a.positional);
  py::list rest;
  for (size_t k = 0; k < keywords; ++k) {
    if (Py_ssize_t(k) == at) continue;
    values.push_back(a.values[a.positional + k]);
    rest.append(py::handle(PyTuple_GET_ITEM(a.names, Py_ssize_t(k))));
  }
  py::tuple names(rest);
  const auto call = [&] {
    PyObject* r = PyObject_Vectorcall(op, values.data(), a.positional, names.empty() ? nullptr : names.ptr());
    if (!r) throw py::error_already_set();
    return py::reinterpret_steal<py::object>(r);
  };
  if (out == Py_None) return call().release().ptr();
  if (!holds_tensor(out)) throw TypeError(str(e.name, ": out must be a Tensor, got ", Py_TYPE(out)->tp_name));
  if (grad_enabled() && (holds_gradient(out) || std::any_of(values.begin(), values.end(), holds_gradient)))
    throw GradError(str(e.name,
                        ": out= has no gradient, but an argument requires one; leave it out, or use no_grad() or "
                        "detach()"));
  const NoGrad quiet;
  const py::object dtype = is_tensor(out) ? py::reinterpret_steal<py::object>(wrap(unwrap(out).dtype())) : py::object();
  if (dtype && asks_dtype(e, values, names)) {
    values.push_back(dtype.ptr());
    rest.append("dtype");
    names = py::tuple(rest);
  }
  const py::object result = call();
  if (PyTuple_Check(result.ptr())) return write_several(e.name, out, result.ptr());
  if (!is_tensor(result.ptr())) throw TypeError(str(e.name, ": returns no tensor, so it takes no out="));
  if (!is_tensor(out)) throw TypeError(str(e.name, ": out must be one Tensor, got ", Py_TYPE(out)->tp_name));
  check_target(e.name, unwrap(out), unwrap(result.ptr()));
  write_target(unwrap(out), unwrap(result.ptr()));
  return Py_NewRef(out);
}

PyObject* call_older_form(const OpEntry& e, const Arguments& a) {
  py::tuple args(a.positional);
  for (size_t i = 0; i < a.positional; ++i) args[i] = py::handle(a.values[i]);
  py::dict keywords;
  for (Py_ssize_t k = 0; a.names && k < PyTuple_GET_SIZE(a.names); ++k)
    keywords[py::handle(PyTuple_GET_ITEM(a.names, k))] = py::handle(a.values[a.positional + size_t(k)]);
  py::object r = py::module_::import("lamina.compat.forms").attr("call")(e.name, args, keywords);
  return r.ptr() == Py_NotImplemented ? nullptr : r.release().ptr();
}

// For functions that are written in Python: result, written into out.
void init_out(py::module_& m) {
  m.def(
      "_write_out",
      [](const std::string& op, const py::object& out, const py::object& result) {
        const NoGrad quiet;
        if (PyTuple_Check(result.ptr()))
          return py::reinterpret_steal<py::object>(write_several(op, out.ptr(), result.ptr()));
        if (!is_tensor(out.ptr()))
          throw TypeError(str(op, ": out must be a Tensor, got ", Py_TYPE(out.ptr())->tp_name));
        check_target(op, unwrap(out.ptr()), unwrap(result.ptr()));
        write_target(unwrap(out.ptr()), unwrap(result.ptr()));
        return out;
      },
      py::arg("op"), py::arg("out"), py::arg("result"));
}

}  // namespace lamina::python
