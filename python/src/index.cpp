// x[...] and x[...] = v: NumPy indexing, parsed into views and index tensors.
#include "args.h"
#include "bindings.h"

namespace lamina::python {
namespace {

struct Item {
  enum Kind { integer, slice, none, ellipsis, boolean, tensor } kind;
  PyObject* object = nullptr;
  int64_t number = 0;  // of an integer or boolean
  Tensor value = {};   // of a tensor

  int64_t consumed() const {  // dims of the indexed tensor that it stands for
    if (kind == integer || kind == slice) return 1;
    if (kind != tensor) return 0;
    return value.dtype() == DType::bool_ ? value.dim() : 1;
  }
};

// The parsed index: a view by all basic items, and what is left for index tensors (one per dim of the view, undefined:
// whole).
struct Parsed {
  Tensor view;
  TensorList indices;
  bool advanced = false;
};

bool is_numpy_bool(PyObject* o) {
  const std::string_view name = Py_TYPE(o)->tp_name;
  return name == "numpy.bool" || name == "numpy.bool_";
}

Item tensor_item(Tensor t) {
  if (t.dtype() == DType::uint8) {  // PyTorch's older masks
    if (PyErr_WarnEx(PyExc_UserWarning,
                     "index: a uint8 tensor is taken for a mask, as in PyTorch; write index.bool() for a mask, "
                     "index.long() for numbers",
                     1))
      throw py::error_already_set();
    t = to(t, DType::bool_);
  }
  if (t.dim() == 0 && t.dtype() == DType::bool_) return {Item::boolean, nullptr, t.item().to_bool()};
  if (t.dim() == 0 && !is_floating(t.dtype())) return {Item::integer, nullptr, t.item().to_int()};
  return {Item::tensor, nullptr, 0, std::move(t)};
}

Item classify(PyObject* o) {
  if (PyLong_CheckExact(o)) return {Item::integer, o, integer_from(o)};
  if (PySlice_Check(o)) return {Item::slice, o};
  if (o == Py_None) return {Item::none};
  if (o == Py_Ellipsis) return {Item::ellipsis};
  if (PyBool_Check(o) || is_numpy_bool(o)) return {Item::boolean, o, PyObject_IsTrue(o) == 1};
  if (is_tensor(o)) return tensor_item(unwrap(o));
  if (is_number(o)) {
    if (PyFloat_Check(o) || !PyIndex_Check(o))
      throw IndexError(
          str("index: must be integers, slices, None, ..., masks or integer tensors, got ", Py_TYPE(o)->tp_name));
    return {Item::integer, o, integer_from(o)};
  }
  if (PyUnicode_Check(o) || PyBytes_Check(o) ||
      (!PySequence_Check(o) && !PyObject_CheckBuffer(o) && !PyObject_HasAttrString(o, "__array__")))
    throw IndexError(
        str("index: must be integers, slices, None, ..., masks or integer tensors, got ", Py_TYPE(o)->tp_name));
  // A range or another sequence is read as a list.
  const bool plain = PyList_Check(o) || PyObject_CheckBuffer(o) || PyObject_HasAttrString(o, "__array__");
  const py::object list =
      plain ? py::reinterpret_borrow<py::object>(o) : py::reinterpret_steal<py::object>(PySequence_List(o));
  if (!list) throw py::error_already_set();
  Tensor t = as_tensor("index", list.ptr());
  // An empty list holds no numbers that could say its dtype.
  if (PyList_Check(o) && t.numel() == 0 && is_floating(t.dtype())) t = to(t, DType::int64);
  return tensor_item(std::move(t));
}

[[noreturn]] void raise_range(int64_t i, int64_t dim, int64_t size, const Tensor& x) {
  throw IndexError(
      str("index: index ", i, " is out of range for dim ", dim, " of size ", size, ": ", describe("input", x)));
}

// Applies the items from left to right. `dim` counts the dims of the view, `source` those of x.
Parsed view_by(const Tensor& x, const std::vector<Item>& items) {
  int64_t consumed = 0, ellipses = 0;
  for (const Item& i : items) {
    consumed += i.consumed();
    ellipses += i.kind == Item::ellipsis;
  }
  if (ellipses > 1) throw IndexError("index: an index can only have a single ellipsis ('...')");
  if (consumed > x.dim()) throw IndexError(str("index: too many indices: ", consumed, " for ", describe("input", x)));
  Parsed p{x, {}};
  int64_t dim = 0, source = 0;
  const auto keep = [&](int64_t n) {
    for (int64_t i = 0; i < n; ++i) p.indices.emplace_back();
    dim += n;
  };
  for (const Item& i : items) {
    switch (i.kind) {
      case Item::integer: {
        const int64_t n = x.shape()[size_t(source)];
        if (i.number < -n || i.number >= n) raise_range(i.number, source, n, x);
        p.view = select(p.view, dim, i.number);
        break;
      }
      case Item::slice: {
        Py_ssize_t start, stop, step;
        if (PySlice_Unpack(i.object, &start, &stop, &step) != 0) throw py::error_already_set();
        if (start != 0 || stop != PY_SSIZE_T_MAX || step != 1)
          p.view = slice(p.view, dim, int64_t(start), int64_t(stop), int64_t(step));
        keep(1);
        break;
      }
      case Item::none:
        p.view = unsqueeze(p.view, dim);
        keep(1);
        break;
      case Item::ellipsis:
        keep(x.dim() - consumed);
        source += x.dim() - consumed;
        break;
      case Item::boolean:
        p.view = unsqueeze(p.view, dim);
        p.indices.push_back(zeros({i.number ? 1 : 0}, DType::int64, x.device()));
        p.advanced = true;
        ++dim;
        break;
      case Item::tensor:
        p.indices.push_back(i.value);
        p.advanced = true;
        dim += i.consumed();
        break;
    }
    source += i.consumed();
  }
  return p;
}

Parsed parse(const Tensor& x, PyObject* key) {
  std::vector<Item> items;
  if (PyTuple_Check(key)) {
    items.reserve(size_t(PyTuple_GET_SIZE(key)));
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(key); ++i) items.push_back(classify(PyTuple_GET_ITEM(key, i)));
  } else {
    items.push_back(classify(key));
  }
  return view_by(x, items);
}

Tensor fresh_view(const Tensor& x) { return x.dim() > 0 ? slice(x, 0, {}, {}, 1) : view(x, Dims{}); }

// value without leading dims of size 1 that the target does not have, as NumPy allows.
Tensor stripped(Tensor value, int64_t dims) {
  while (value.dim() > dims && value.shape()[0] == 1) value = select(value, 0, 0);
  return value;
}

void assign(const Tensor& x, PyObject* key, PyObject* value) {
  const Parsed p = parse(x, key);
  const bool number = !is_tensor(value) && is_number(value);
  const Tensor v = is_tensor(value) ? unwrap(value)
                   : number         ? weak_scalar(scalar_from(value))
                                    : as_tensor("index", value);
  const ReleaseGil release(p.view.numel() > (1 << 15));
  if (!p.advanced) {
    if (number) {
      fill_(p.view, v);
    } else {
      copy_(p.view, stripped(v, p.view.dim()));
    }
    return;
  }
  const bool mask =
      p.indices.size() == 1 && p.indices[0].dtype() == DType::bool_ && p.indices[0].shape() == p.view.shape();
  if (mask && v.dim() == 0 && p.indices[0].device() == x.device()) {
    masked_fill_(p.view, p.indices[0], v);
  } else {
    index_put_(p.view, p.indices, v, false);
  }
}

}  // namespace

PyObject* get_item(PyObject* self, PyObject* key) {
  return guarded([&] {
    const Tensor x = unwrap(self);
    if (PyLong_CheckExact(key) && x.dim() > 0) {
      const int64_t i = integer_from(key), n = x.shape()[0];
      if (i < -n || i >= n) raise_range(i, 0, n, x);
      return wrap(select(x, 0, i));
    }
    const Parsed p = parse(x, key);
    if (!p.advanced) return wrap(is_same(p.view, x) ? fresh_view(x) : p.view);
    const auto run = [&] {
      const ReleaseGil release(p.view.numel() > (1 << 15));
      return index(p.view, p.indices);
    };
    return wrap(run());
  });
}

int set_item(PyObject* self, PyObject* key, PyObject* value) {
  try {
    if (!value) throw TypeError("del: elements of a tensor cannot be deleted");
    assign(unwrap(self), key, value);
    return 0;
  } catch (...) {
    set_python_error();
    return -1;
  }
}

PyObject* iterate(PyObject* self) {
  return guarded([&]() -> PyObject* {
    const Tensor x = unwrap(self);
    if (x.dim() == 0) throw TypeError("iter: a 0-d tensor cannot be iterated over");
    const py::object rows = py::reinterpret_steal<py::object>(wrap(unbind(x, 0)));
    return PyObject_GetIter(rows.ptr());
  });
}

int contains(PyObject* self, PyObject* value) {
  try {
    if (!is_tensor(value) && !is_number(value))
      throw TypeError(str("in: expected a number or a tensor, got ", Py_TYPE(value)->tp_name));
    return any(elementwise(Ew::Eq, {unwrap(self), From<Operand>::get(value)})).item().to_bool();
  } catch (...) {
    set_python_error();
    return -1;
  }
}

}  // namespace lamina::python
