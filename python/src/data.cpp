// Data in and out: tensor(), buffers and NumPy without copying, nested lists.
#include <pybind11/stl.h>

#include <cstring>

#include "args.h"
#include "bindings.h"

namespace lamina::python {
namespace {

// ---- buffer formats ----

const char* format_of(DType t) {
  switch (t) {
    case DType::bool_:
      return "?";
    case DType::uint8:
      return "B";
    case DType::int8:
      return "b";
    case DType::int16:
      return "h";
    case DType::int32:
      return "i";
    case DType::int64:
      return sizeof(long) == 8 ? "l" : "q";  // NumPy's int64 is the C long where that has 64 bits
    case DType::float16:
      return "e";
    case DType::float32:
      return "f";
    case DType::float64:
      return "d";
    default:
      return nullptr;
  }
}

std::optional<DType> dtype_of(const char* format, Py_ssize_t itemsize) {
  if (!format) return DType::uint8;
  if (*format == '@' || *format == '=' || *format == '<') ++format;
  if (!*format || format[1]) return std::nullopt;
  switch (*format) {
    case '?':
      return DType::bool_;
    case 'B':
      return DType::uint8;
    case 'b':
      return DType::int8;
    case 'h':
      return DType::int16;
    case 'i':
    case 'l':
    case 'q':
      return itemsize == 4 ? DType::int32 : DType::int64;
    case 'e':
      return DType::float16;
    case 'f':
      return DType::float32;
    case 'd':
      return DType::float64;
    default:
      return std::nullopt;
  }
}

// A held buffer export; freed under the GIL wherever the last tensor over it dies.
struct Export {
  Py_buffer view{};
  ~Export() { PyBuffer_Release(&view); }
  static void release(void* p) {
    if (interpreter_gone()) return;
    const AcquireGil gil;
    delete static_cast<Export*>(p);
  }
};

// The tensor over an object's buffer. Aligned memory is shared; anything else is copied element by element.
Tensor from_buffer(const char* op, PyObject* o, bool copy) {
  auto held = std::make_unique<Export>();
  if (PyObject_GetBuffer(o, &held->view, PyBUF_FULL) != 0) {
    PyErr_Clear();
    if (PyObject_GetBuffer(o, &held->view, PyBUF_FULL_RO) != 0) throw py::error_already_set();
  }
  const Py_buffer& v = held->view;
  const auto dtype = dtype_of(v.format, v.itemsize);
  if (!dtype)
    throw DtypeError(str(op, ": arrays of format '", v.format,
                         "' are not supported; convert to one of bool, uint8, int8, int16, int32, int64, float16, "
                         "float32, float64 in native byte order"));
  if (v.ndim > kMaxDims)
    throw ShapeError(str(op, ": an array of ", v.ndim, " dims; at most ", kMaxDims, " are supported"));
  Dims shape, stride;
  bool aligned = reinterpret_cast<uintptr_t>(v.buf) % size_t(v.itemsize) == 0 && !v.suboffsets;
  int64_t run = v.itemsize;
  Dims bytes(size_t(v.ndim), 0);
  for (int i = v.ndim; i-- > 0;) {
    bytes[size_t(i)] = v.strides ? v.strides[i] : run;
    run *= v.shape[i];
  }
  for (int i = 0; i < v.ndim; ++i) {
    shape.push_back(v.shape[i]);
    aligned = aligned && bytes[size_t(i)] % v.itemsize == 0;
    stride.push_back(bytes[size_t(i)] / v.itemsize);
  }
  if (aligned && !copy) {
    const bool read_only = v.readonly;
    void* data = v.buf;
    return from_blob(data, shape, stride, *dtype, held.release(), Export::release, read_only);
  }
  if (aligned) return clone(from_blob(v.buf, shape, stride, *dtype));
  Tensor t = allocate(shape, *dtype);
  Dims at(size_t(v.ndim), 0);
  auto* out = static_cast<char*>(t.data());
  for (int64_t i = 0; i < t.numel(); ++i, out += v.itemsize) {
    const auto* in = static_cast<const char*>(v.buf);
    for (size_t d = 0; d < at.size(); ++d) in += at[d] * bytes[d];
    std::memcpy(out, in, size_t(v.itemsize));
    for (size_t d = at.size(); d-- > 0 && ++at[d] == shape[d];) at[d] = 0;
  }
  return t;
}

// ---- nested sequences ----

// Shape of a nested list, read along its first elements and checked everywhere while filling.
struct Nested {
  Dims shape;
  bool floats = false, ints = false, bools = false;
  bool wide_floats = false;  // among the NumPy scalars
  std::vector<PyObject*> leaves;
};

bool is_sequence(PyObject* o) { return PyList_Check(o) || PyTuple_Check(o); }

void read_nested(PyObject* root, Nested& n) {
  for (PyObject* o = root; is_sequence(o);) {
    const Py_ssize_t size = PySequence_Fast_GET_SIZE(o);
    n.shape.push_back(size);
    if (n.shape.size() > size_t(kMaxDims))
      throw ShapeError(str("tensor: lists nested deeper than ", kMaxDims, " (is a list inside itself?)"));
    if (size == 0) break;
    o = PySequence_Fast_GET_ITEM(o, 0);
  }
  numel_of(n.shape, "tensor");
  struct Level {
    PyObject* list;
    Py_ssize_t next;
  };
  std::vector<Level> stack;
  const auto enter = [&](PyObject* o) {
    const size_t depth = stack.size();
    if (!is_sequence(o)) {
      if (depth != n.shape.size())
        throw ShapeError(str("tensor: nested lists have different depths: expected a list of ", n.shape[depth],
                             " at depth ", depth, ", got ", Py_TYPE(o)->tp_name));
      n.leaves.push_back(o);
      return;
    }
    if (depth >= n.shape.size() || PySequence_Fast_GET_SIZE(o) != n.shape[depth])
      throw ShapeError(str("tensor: nested lists have different lengths at depth ", depth, ": expected ",
                           depth < n.shape.size() ? n.shape[depth] : 0, ", got ", PySequence_Fast_GET_SIZE(o)));
    stack.push_back({o, 0});
  };
  enter(root);
  while (!stack.empty()) {
    Level& l = stack.back();
    if (l.next == PySequence_Fast_GET_SIZE(l.list)) {
      stack.pop_back();
      continue;
    }
    enter(PySequence_Fast_GET_ITEM(l.list, l.next++));
  }
}

// dtype of a NumPy scalar.
std::optional<DType> numpy_scalar(PyObject* o) {
  if (PyFloat_CheckExact(o) || PyLong_CheckExact(o) || PyBool_Check(o) || is_tensor(o) || !PyObject_CheckBuffer(o))
    return {};
  Py_buffer v;
  if (PyObject_GetBuffer(o, &v, PyBUF_FULL_RO) != 0) {
    PyErr_Clear();
    return {};
  }
  const auto dtype = v.ndim == 0 ? dtype_of(v.format, v.itemsize) : std::nullopt;
  PyBuffer_Release(&v);
  return dtype;
}

bool all_tensors(const Nested& n) {
  for (PyObject* o : n.leaves)
    if (!is_tensor(o) || unwrap(o).dim() > 0) return false;
  return !n.leaves.empty();
}

Tensor from_nested(PyObject* data, std::optional<DType> dtype) {
  Nested n;
  py::object held;  // a range, a deque: any sequence, as a list
  if (!is_sequence(data) && !is_number(data) && PySequence_Check(data) && !PyUnicode_Check(data) &&
      !PyBytes_Check(data) && !is_tensor(data)) {
    held = py::reinterpret_steal<py::object>(PySequence_List(data));
    if (!held) throw py::error_already_set();
    data = held.ptr();
  }
  read_nested(data, n);
  DType widest = DType::bool_;
  bool own_dtypes = false;  // NumPy scalars bring theirs
  for (PyObject* o : n.leaves) {
    if (const auto scalar = numpy_scalar(o)) {
      own_dtypes = true;
      widest = promote(widest, *scalar);
      n.wide_floats = n.wide_floats || is_floating(*scalar);
    } else if (PyFloat_Check(o)) {
      n.floats = true;
    } else if (PyBool_Check(o)) {
      n.bools = true;
    } else if (PyLong_Check(o)) {
      n.ints = true;
    } else if (is_tensor(o) && unwrap(o).numel() == 1) {
      widest = promote(widest, unwrap(o).dtype());
    } else if (is_number(o)) {
      (scalar_from(o).is_floating() ? n.floats : scalar_from(o).is_bool() ? n.bools : n.ints) = true;
    } else {
      throw TypeError(str("tensor: cannot read a number from ", Py_TYPE(o)->tp_name,
                          "; give numbers, nested lists of numbers, or an array"));
    }
  }
  DType natural = n.leaves.empty() || n.floats ? default_dtype() : n.ints ? DType::int64 : DType::bool_;
  if (all_tensors(n)) natural = widest;
  if (own_dtypes) natural = n.floats || n.ints || n.bools ? promote(widest, natural) : widest;
  const DType target = dtype.value_or(natural);
  const DType buffer = is_floating(target) || n.floats || n.wide_floats ? DType::float64 : DType::int64;
  Tensor t = allocate(n.shape, buffer);
  for (size_t i = 0; i < n.leaves.size(); ++i) {
    const Scalar s = scalar_from(n.leaves[i]);
    if (buffer == DType::float64) {
      static_cast<double*>(t.data())[i] = s.to_double();
    } else {
      static_cast<int64_t*>(t.data())[i] = s.to_int();
    }
  }
  return buffer == target ? t : to(t, target);
}

bool has_buffer(PyObject* o) {
  return PyObject_CheckBuffer(o) && !is_tensor(o) && !PyBytes_Check(o) && !PyByteArray_Check(o);
}

// An object that only speaks __array__ (pandas, images): through NumPy, imported here for the first time.
py::object as_array(PyObject* o) { return py::module_::import("numpy").attr("ascontiguousarray")(py::handle(o)); }

Tensor from_python(const char* op, PyObject* data, const py::object& dtype_object, const py::object& device_object,
                   bool copy) {
  const std::optional<DType> dtype =
      dtype_object.is_none() ? std::nullopt : std::optional(dtype_from(dtype_object.ptr()));
  const std::optional<Device> device =
      device_object.is_none() ? std::nullopt : std::optional(device_from(device_object.ptr()));
  Tensor t;
  bool fresh = false;
  if (is_tensor(data)) {
    t = copy ? unwrap(data).detach() : unwrap(data);
  } else if (has_buffer(data)) {
    t = from_buffer(op, data, copy);
    fresh = copy;
  } else if (!is_sequence(data) && !is_number(data) && PyObject_HasAttrString(data, "__array__")) {
    t = from_buffer(op, as_array(data).ptr(), copy);
    fresh = copy;
  } else if (is_sequence(data) && PySequence_Fast_GET_SIZE(data) > 0 && !is_number(PySequence_Fast_GET_ITEM(data, 0)) &&
             has_buffer(PySequence_Fast_GET_ITEM(data, 0))) {
    t = from_buffer(op, as_array(data).ptr(), true);  // a list of arrays
    fresh = true;
  } else {
    t = from_nested(data, dtype);
    fresh = true;
  }
  Tensor r = to(t, dtype, device);
  if (copy && !fresh && is_same(r, t)) r = clone(t);
  return r;
}

// ---- out ----

void fill_list(const Tensor& dense, size_t depth, int64_t offset, py::list& out) {
  // Depth is at most kMaxDims, so this recursion is bounded.
  const int64_t n = dense.shape()[depth];
  int64_t below = 1;
  for (size_t i = depth + 1; i < dense.shape().size(); ++i) below *= dense.shape()[i];
  for (int64_t i = 0; i < n; ++i) {
    if (depth + 1 < dense.shape().size()) {
      py::list inner;
      fill_list(dense, depth + 1, offset + i * below, inner);
      out.append(std::move(inner));
      continue;
    }
    const Scalar s = alias(dense, Dims{}, Dims{}, dense->offset + offset + i).item();
    out.append(s.is_bool()       ? py::object(py::bool_(s.to_bool()))
               : s.is_integral() ? py::object(py::int_(s.to_int()))
                                 : py::object(py::float_(s.to_double())));
  }
}

py::object to_list(const Tensor& x) {
  const Tensor dense = contiguous(to(x.detach(), {}, Device{}));
  if (x.dim() == 0) return py::cast(dense).attr("item")();
  py::list out;
  fill_list(dense, 0, 0, out);
  return out;
}

py::object to_numpy(const py::object& self, bool force) {
  Tensor t = unwrap(self.ptr());
  if (force) t = to(t.detach(), {}, Device{});
  if (t.requires_grad())
    throw GradError("numpy: the tensor requires grad; use x.detach().numpy(): " + describe("self", t));
  if (t.device().type != DeviceType::cpu)
    throw DeviceError("numpy: the tensor is not on the CPU; use x.cpu().numpy(): " + describe("self", t));
  if (!format_of(t.dtype()))
    throw DtypeError("numpy: NumPy has no bfloat16; use x.float().numpy(): " + describe("self", t));
  return py::module_::import("numpy").attr("asarray")(py::memoryview(py::cast(t)));
}

}  // namespace

Tensor as_tensor(const char* op, PyObject* o) { return from_python(op, o, py::none(), py::none(), false); }

int get_buffer(PyObject* self, Py_buffer* out, int flags) {
  out->obj = nullptr;
  try {
    const Tensor t = unwrap(self);
    const char* why = t.device().type != DeviceType::cpu                    ? "the tensor is not on the CPU"
                      : !format_of(t.dtype())                               ? "there is no buffer format for bfloat16"
                      : t.requires_grad()                                   ? "the tensor requires grad; use detach()"
                      : (flags & PyBUF_WRITABLE) && t->storage->read_only() ? "the memory is read-only"
                                                                            : nullptr;
    const bool strided = (flags & PyBUF_STRIDES) == PyBUF_STRIDES;
    if (!why && !strided && !t.is_contiguous()) why = "the tensor is not contiguous";
    if (why) {
      PyErr_SetString(PyExc_BufferError, why);
      return -1;
    }
    const size_t n = t.shape().size();
    auto* sizes = new Py_ssize_t[2 * n + 1];
    for (size_t i = 0; i < n; ++i) {
      sizes[i] = t.shape()[i];
      sizes[n + i] = t.stride()[i] * Py_ssize_t(size_of(t.dtype()));
    }
    static char empty;
    out->buf = t.data() && t->storage->data() ? t.data() : &empty;
    out->obj = Py_NewRef(self);
    out->len = Py_ssize_t(size_t(t.numel()) * size_of(t.dtype()));
    out->itemsize = Py_ssize_t(size_of(t.dtype()));
    out->readonly = t->storage->read_only();
    out->ndim = int(n);
    out->format = (flags & PyBUF_FORMAT) ? const_cast<char*>(format_of(t.dtype())) : nullptr;
    out->shape = (flags & PyBUF_ND) ? sizes : nullptr;
    out->strides = strided ? sizes + n : nullptr;
    out->suboffsets = nullptr;
    out->internal = sizes;
    return 0;
  } catch (...) {
    set_python_error();
    return -1;
  }
}

void release_buffer(PyObject*, Py_buffer* buffer) { delete[] static_cast<Py_ssize_t*>(buffer->internal); }

void init_data(py::module_& m) {
  m.def(
      "tensor",
      [](const py::object& data, const py::object& dtype, const py::object& device, bool requires_grad) {
        Tensor t = from_python("tensor", data.ptr(), dtype, device, true);
        if (requires_grad) t.requires_grad_();
        return t;
      },
      py::arg("data"), py::arg("dtype") = py::none(), py::arg("device") = py::none(), py::arg("requires_grad") = false,
      "A new tensor with a copy of data: a number, nested lists, an array or a tensor.");
  m.def(
      "as_tensor",
      [](const py::object& data, const py::object& dtype, const py::object& device) {
        return from_python("as_tensor", data.ptr(), dtype, device, false);
      },
      py::arg("data"), py::arg("dtype") = py::none(), py::arg("device") = py::none(),
      "data as a tensor, sharing memory where possible.");
  m.attr("asarray") = m.attr("as_tensor");
  m.def(
      "from_numpy",
      [](const py::object& array) {
        if (!has_buffer(array.ptr()))
          throw TypeError(str("from_numpy: expected a NumPy array, got ", Py_TYPE(array.ptr())->tp_name));
        return from_buffer("from_numpy", array.ptr(), false);
      },
      py::arg("ndarray"),
      "The tensor that shares memory with a NumPy array (any strides; a read-only array gives a read-only tensor).");
  method("numpy", to_numpy, py::arg("force") = false);
  method(
      "__array__",
      [](const py::object& self, const py::object& dtype, const py::object& copy) -> py::object {
        const py::object a = to_numpy(self, false);
        if (!dtype.is_none()) return a.attr("astype")(dtype);
        return !copy.is_none() && py::cast<bool>(copy) ? a.attr("copy")() : a;
      },
      py::arg("dtype") = py::none(), py::arg("copy") = py::none());
  method("tolist", to_list);
}

}  // namespace lamina::python
