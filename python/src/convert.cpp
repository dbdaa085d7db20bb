// Conversions shared by all bindings: dtypes, devices, numbers, integer lists, errors and results.
#include <cxxabi.h>

#include "args.h"
#include "errors.h"

namespace lamina::python {

// ---- dtypes and devices ----

namespace {
PyObject* dtype_objects[kNumDTypes] = {};
}

void register_dtype(DType t, PyObject* o) { dtype_objects[static_cast<int>(t)] = o; }

PyObject* wrap(DType t) { return Py_NewRef(dtype_objects[static_cast<int>(t)]); }

bool is_dtype(PyObject* o) {
  if (o == reinterpret_cast<PyObject*>(&PyFloat_Type) || o == reinterpret_cast<PyObject*>(&PyLong_Type) ||
      o == reinterpret_cast<PyObject*>(&PyBool_Type))
    return true;
  for (PyObject* d : dtype_objects)
    if (o == d) return true;
  return false;
}

DType dtype_from(PyObject* o) {
  if (o == reinterpret_cast<PyObject*>(&PyFloat_Type)) return default_dtype();
  if (o == reinterpret_cast<PyObject*>(&PyLong_Type)) return DType::int64;
  if (o == reinterpret_cast<PyObject*>(&PyBool_Type)) return DType::bool_;
  for (int i = 0; i < kNumDTypes; ++i)
    if (o == dtype_objects[i]) return static_cast<DType>(i);
  throw TypeError(str("dtype: expected a lamina dtype such as lamina.float32, got ", Py_TYPE(o)->tp_name));
}

Device parse_device(std::string_view s) {
  if (s == "cpu" || s == "cpu:0") return {};
  if (s == "cuda") return {DeviceType::cuda, 0};
  if (s.starts_with("cuda:") && s.size() <= 7 && s.size() > 5 && s.find_first_not_of("0123456789", 5) == s.npos)
    return {DeviceType::cuda, int8_t(std::stoi(std::string(s.substr(5))))};
  throw DeviceError(str("device: expected 'cpu', 'cuda' or 'cuda:<index>', got '", s, "'"));
}

bool is_device(PyObject* o) { return py::isinstance<Device>(py::handle(o)); }
Device device_from(PyObject* o) {
  if (PyUnicode_Check(o)) return parse_device(From<std::string_view>::get(o));
  if (!is_device(o)) throw TypeError(str("a device must be a lamina.device or a str, got ", Py_TYPE(o)->tp_name));
  return py::cast<Device>(py::handle(o));
}

// ---- numbers ----

bool is_number(PyObject* o) {
  if (PyFloat_Check(o) || PyLong_Check(o)) return true;
  if (is_tensor(o) || PyUnicode_Check(o)) return false;
  // NumPy scalars and other number types: __index__ or __float__, but not arrays.
  PyTypeObject* t = Py_TYPE(o);
  if (!t->tp_as_number || !(t->tp_as_number->nb_index || t->tp_as_number->nb_float)) return false;
  return !has_length(o);
}

bool has_length(PyObject* o) {
  const PyTypeObject* t = Py_TYPE(o);
  if (!t->tp_as_mapping || !t->tp_as_mapping->mp_subscript || !t->tp_as_sequence || !t->tp_as_sequence->sq_length)
    return false;
  if (PyObject_Size(o) >= 0) return true;
  PyErr_Clear();  // a 0-d array has none: a number
  return false;
}

Scalar scalar_from(PyObject* o) {
  if (PyBool_Check(o)) return Scalar(o == Py_True);
  if (PyFloat_Check(o)) return Scalar(PyFloat_AS_DOUBLE(o));
  if (is_tensor(o)) return unwrap(o).item();
  if (PyLong_Check(o) || PyIndex_Check(o)) {
    if (std::string_view(Py_TYPE(o)->tp_name) == "numpy.bool_" || std::string_view(Py_TYPE(o)->tp_name) == "numpy.bool")
      return Scalar(PyObject_IsTrue(o) == 1);
    if (PyLong_Check(o)) return Scalar(integer_from(o));
    if (const auto i = py::reinterpret_steal<py::object>(PyNumber_Index(o))) return Scalar(integer_from(i.ptr()));
    PyErr_Clear();  // a 0-d array of floats
  }
  const double d = PyFloat_AsDouble(o);
  if (d == -1 && PyErr_Occurred()) throw py::error_already_set();
  return Scalar(d);
}

int64_t integer_from(PyObject* o) {
  if (PyLong_CheckExact(o)) {
    int overflow;
    const long long v = PyLong_AsLongLongAndOverflow(o, &overflow);
    if (overflow) throw ValueError("an integer beyond 64 bits is out of range");
    return v;
  }
  const py::object i = py::reinterpret_steal<py::object>(PyNumber_Index(o));
  if (!i) throw py::error_already_set();
  int overflow;
  const long long v = PyLong_AsLongLongAndOverflow(i.ptr(), &overflow);
  if (overflow) throw ValueError("an integer beyond 64 bits is out of range");
  return v;
}

// An array of integers, as the list of them; null for what has no length.
py::object listed(PyObject* o) {
  if (is_tensor(o) || !PyObject_CheckBuffer(o) || !PySequence_Check(o) || !has_length(o)) return {};
  py::object list = py::reinterpret_steal<py::object>(PySequence_List(o));
  if (!list) throw py::error_already_set();
  return list;
}

bool is_integer_list(PyObject* o) {
  if (!PyTuple_Check(o) && !PyList_Check(o)) {
    const py::object list = listed(o);
    return list && is_integer_list(list.ptr());
  }
  const Py_ssize_t n = PySequence_Fast_GET_SIZE(o);
  for (Py_ssize_t i = 0; i < n; ++i) {
    PyObject* x = PySequence_Fast_GET_ITEM(o, i);
    if (!is_integer(x) && !(is_tensor(x) && unwrap(x).dim() == 0 && !is_floating(unwrap(x).dtype()))) return false;
  }
  return true;
}

Dims dims_from(PyObject* o) {
  if (!PyTuple_Check(o) && !PyList_Check(o)) {
    const py::object list = listed(o);
    return list ? dims_from(list.ptr()) : Dims{integer_from(o)};
  }
  Dims d;
  const Py_ssize_t n = PySequence_Fast_GET_SIZE(o);
  d.resize(size_t(n));
  for (Py_ssize_t i = 0; i < n; ++i) d[size_t(i)] = integer_from(PySequence_Fast_GET_ITEM(o, i));
  return d;
}

bool From<OutputSize>::check(PyObject* o) {
  if (o == Py_None) return true;
  if (!PyTuple_Check(o) && !PyList_Check(o)) return From<Dims>::check(o);
  for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(o); ++i)
    if (PyObject* x = PySequence_Fast_GET_ITEM(o, i); x != Py_None && !is_integer(x)) return false;
  return true;
}
OutputSize From<OutputSize>::get(PyObject* o) {
  const auto size = [](PyObject* x) { return x == Py_None ? OutputSize::kAsInput : integer_from(x); };
  if (!PyTuple_Check(o) && !PyList_Check(o)) return Dims{size(o)};
  OutputSize d;
  for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(o); ++i) d.push_back(size(PySequence_Fast_GET_ITEM(o, i)));
  return d;
}

bool From<Numbers>::check(PyObject* o) {
  if (is_number(o)) return true;
  if (!PyTuple_Check(o) && !PyList_Check(o)) return false;
  for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(o); ++i)
    if (!is_number(PySequence_Fast_GET_ITEM(o, i))) return false;
  return true;
}
Numbers From<Numbers>::get(PyObject* o) {
  if (is_number(o)) return {scalar_from(o).to_double()};
  Numbers n;
  for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(o); ++i)
    n.push_back(scalar_from(PySequence_Fast_GET_ITEM(o, i)).to_double());
  return n;
}

// ---- tensor lists ----

bool From<TensorList>::check(PyObject* o) {
  if (!PyTuple_Check(o) && !PyList_Check(o)) return false;
  for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(o); ++i)
    if (!is_tensor(PySequence_Fast_GET_ITEM(o, i)) && PySequence_Fast_GET_ITEM(o, i) != Py_None) return false;
  return true;
}
TensorList From<TensorList>::get(PyObject* o) {
  TensorList l;
  const Py_ssize_t n = PySequence_Fast_GET_SIZE(o);
  l.reserve(size_t(n));
  for (Py_ssize_t i = 0; i < n; ++i) {
    PyObject* x = PySequence_Fast_GET_ITEM(o, i);
    l.push_back(x == Py_None ? Tensor() : unwrap(x));
  }
  return l;
}

// ---- results ----

PyObject* wrap(const TensorList& r) {
  py::tuple t(r.size());
  for (size_t i = 0; i < r.size(); ++i) PyTuple_SET_ITEM(t.ptr(), Py_ssize_t(i), wrap(r[i]));
  return t.release().ptr();
}

namespace {

// A named tuple type of two tensors, made once.
template <class Names>
PyObject* named_pair(Names, const Tensor& first, const Tensor& second) {
  static PyTypeObject* type = [] {
    static PyStructSequence_Field fields[] = {{Names::first, nullptr}, {Names::second, nullptr}, {nullptr, nullptr}};
    static PyStructSequence_Desc desc = {Names::type, Names::doc, fields, 2};
    return PyStructSequence_NewType(&desc);
  }();
  PyObject* t = PyStructSequence_New(type);
  if (!t) throw py::error_already_set();
  PyStructSequence_SetItem(t, 0, wrap(first));
  PyStructSequence_SetItem(t, 1, wrap(second));
  return t;
}

struct ValuesIndicesNames {
  static constexpr const char *type = "lamina.ValuesIndices", *first = "values", *second = "indices",
                              *doc = "Values and where they were found.";
};
struct MinMaxNames {
  static constexpr const char *type = "lamina.MinMax", *first = "min", *second = "max", *doc = "Both extrema.";
};
struct HistogramNames {
  static constexpr const char *type = "lamina.Histogram", *first = "hist", *second = "bin_edges",
                              *doc = "Counts and the edges between them.";
};

}  // namespace

PyObject* wrap(const ValuesIndices& r) { return named_pair(ValuesIndicesNames{}, r.values, r.indices); }
PyObject* wrap(const MinMax& r) { return named_pair(MinMaxNames{}, r.min, r.max); }
PyObject* wrap(const Histogram& r) { return named_pair(HistogramNames{}, r.hist, r.bin_edges); }

// ---- errors ----

namespace {

PyObject* error_types[10] = {};
enum { kShape, kDtype, kDevice, kGrad, kIndex, kValue, kType, kFile, kMemory, kBase };

PyObject* make_error(py::module_& m, const char* name, std::initializer_list<PyObject*> bases, const char* doc) {
  const py::tuple t(bases.size());
  Py_ssize_t i = 0;
  for (PyObject* b : bases) PyTuple_SET_ITEM(t.ptr(), i++, Py_NewRef(b));
  PyObject* e = PyErr_NewExceptionWithDoc((std::string("lamina.") + name).c_str(), doc, t.ptr(), nullptr);
  if (!e) throw py::error_already_set();
  m.add_object(name, py::handle(e));
  return e;
}

}  // namespace

void init_errors(py::module_& m) {
  PyObject* base = error_types[kBase] = make_error(m, "Error", {PyExc_Exception}, "Base of lamina's own errors.");
  error_types[kShape] =
      make_error(m, "ShapeError", {base, PyExc_ValueError, PyExc_RuntimeError}, "Shapes or sizes do not fit.");
  error_types[kDtype] = make_error(m, "DtypeError", {base, PyExc_TypeError, PyExc_RuntimeError},
                                   "An operand has a dtype the operation does not take.");
  error_types[kDevice] = make_error(m, "DeviceError", {base, PyExc_RuntimeError},
                                    "A device is absent, or operands live on different devices.");
  error_types[kGrad] = make_error(m, "GradError", {base, PyExc_RuntimeError}, "Autograd cannot do what was asked.");
  error_types[kIndex] =
      make_error(m, "IndexOutOfRange", {base, PyExc_IndexError}, "An index or a dim is out of range.");
  error_types[kValue] = make_error(m, "InvalidValue", {base, PyExc_ValueError, PyExc_RuntimeError},
                                   "An argument has a value the operation does not take.");
  error_types[kType] = make_error(m, "InvalidType", {base, PyExc_TypeError}, "An argument has the wrong type.");
  error_types[kFile] = make_error(m, "FileError", {base, PyExc_OSError, PyExc_ValueError},
                                  "A file is missing, damaged or cannot be written.");
  error_types[kMemory] =
      make_error(m, "OutOfMemoryError", {base, PyExc_MemoryError}, "No memory for a tensor; nothing was changed.");
  py::register_exception_translator(
      [](std::exception_ptr p) {  // for what pybind11 itself calls: properties, small methods
        try {
          if (p) std::rethrow_exception(p);
        } catch (const Error&) {
          set_python_error();
        }
      });
}

void set_python_error() {
  try {
    throw;
  } catch (abi::__forced_unwind&) {  // the thread is being ended: not ours to stop
    throw;
  } catch (py::error_already_set& e) {
    e.restore();
  } catch (const ShapeError& e) {
    PyErr_SetString(error_types[kShape], e.what());
  } catch (const DtypeError& e) {
    PyErr_SetString(error_types[kDtype], e.what());
  } catch (const DeviceError& e) {
    PyErr_SetString(error_types[kDevice], e.what());
  } catch (const GradError& e) {
    PyErr_SetString(error_types[kGrad], e.what());
  } catch (const lamina::IndexError& e) {
    PyErr_SetString(error_types[kIndex], e.what());
  } catch (const lamina::ValueError& e) {
    PyErr_SetString(error_types[kValue], e.what());
  } catch (const lamina::TypeError& e) {
    PyErr_SetString(error_types[kType], e.what());
  } catch (const FileError& e) {
    PyErr_SetString(error_types[kFile], e.what());
  } catch (const OutOfMemoryError& e) {
    PyErr_SetString(error_types[kMemory], e.what());
  } catch (const Interrupted&) {
    if (!PyErr_Occurred()) PyErr_SetNone(PyExc_KeyboardInterrupt);
  } catch (const Error& e) {
    PyErr_SetString(error_types[kBase], e.what());
  } catch (const std::bad_alloc&) {
    PyErr_NoMemory();
  } catch (const py::builtin_exception& e) {
    e.set_error();
  } catch (const std::exception& e) {
    PyErr_SetString(PyExc_RuntimeError, e.what());
  }
}

}  // namespace lamina::python
