// Properties and small methods of Tensor that are not operations.
#include <pybind11/stl.h>

#include "args.h"
#include "bindings.h"

namespace lamina::python {
namespace {

py::tuple tuple_of(const Dims& d) {
  py::tuple t(d.size());
  for (size_t i = 0; i < d.size(); ++i) PyTuple_SET_ITEM(t.ptr(), Py_ssize_t(i), PyLong_FromLongLong(d[i]));
  return t;
}

struct StorageFacts {
  Ref<Storage> storage;
};

// x.to(dtype), x.to(device), x.to(device, dtype), x.to(other), with keywords.
Tensor convert(const Tensor& x, const py::args& args, const py::kwargs& kwargs) {
  std::optional<DType> dtype;
  std::optional<Device> device;
  std::optional<std::string> format;
  bool copy = false;
  int position = 0;
  for (const py::handle a : args) {
    if (is_dtype(a.ptr())) {
      dtype = dtype_from(a.ptr());
    } else if (is_device(a.ptr()) || PyUnicode_Check(a.ptr())) {
      device = device_from(a.ptr());
    } else if (is_tensor(a.ptr())) {
      dtype = unwrap(a.ptr()).dtype();
      device = unwrap(a.ptr()).device();
    } else if (PyBool_Check(a.ptr()) && position > 0) {
      copy = copy || (position > 1 && a.ptr() == Py_True);  // (non_blocking, copy)
    } else if (!a.is_none()) {
      throw TypeError(str("to: expected a dtype, a device or a tensor, got ", Py_TYPE(a.ptr())->tp_name));
    }
    ++position;
  }
  for (const auto& [key, value] : kwargs) {
    const auto k = py::cast<std::string>(key);
    if (k == "dtype") {
      if (!value.is_none()) dtype = dtype_from(value.ptr());
    } else if (k == "device") {
      if (!value.is_none()) device = device_from(value.ptr());
    } else if (k == "copy") {
      copy = py::cast<bool>(value);
    } else if (k == "memory_format") {
      if (!value.is_none()) format = py::cast<std::string>(value);
    } else if (k != "non_blocking") {
      throw TypeError(str("to: unexpected keyword argument '", k, "'"));
    }
  }
  const ReleaseGil release(x.numel() > (1 << 15));
  const Tensor y = to(x, dtype, device, copy);
  return !format || *format == "preserve_format" ? y : contiguous(y, *format);
}

void init_properties() {
  property("shape", [](const Tensor& t) { return tuple_of(t.shape()); }, "Sizes of the dims, as a tuple.");
  property(
      "dtype", [](const Tensor& t) { return py::reinterpret_steal<py::object>(wrap(t.dtype())); },
      "Type of the elements.");
  property("device", [](const Tensor& t) { return t.device(); }, "Where the memory is.");
  property("ndim", [](const Tensor& t) { return t.dim(); }, "Number of dims.");
  property("itemsize", [](const Tensor& t) { return size_of(t.dtype()); }, "Bytes of one element.");
  property("nbytes", [](const Tensor& t) { return size_t(t.numel()) * size_of(t.dtype()); }, "Bytes of all elements.");
  property("is_cuda", [](const Tensor& t) { return t.device().type == DeviceType::cuda; }, "True on a CUDA device.");
  property(
      "T",
      [](const Tensor& t) {
        Size order;
        for (int64_t i = t.dim(); i-- > 0;) order.push_back(i);
        return permute(t, order);
      },
      "View with the dims reversed.");
  property(
      "H",
      [](const Tensor& t) {
        if (t.dim() != 2 && t.dim() != 0) throw ShapeError(str("H: needs a matrix, got ", describe("input", t)));
        return t.dim() == 0 ? t : transpose(t, 0, 1);
      },
      "View of a matrix with its dims swapped.");
  property("mH", [](const Tensor& t) { return adjoint(t); }, "View with the last two dims swapped.");
  property("mT", [](const Tensor& t) { return adjoint(t); }, "View with the last two dims swapped.");
  property(
      "_version", [](const Tensor& t) { return t->storage->version(); }, "How often the memory was written in place.");
}

void init_facts() {
  method(
      "size",
      [](const Tensor& t, std::optional<int64_t> dim) -> py::object {
        if (!dim) return tuple_of(t.shape());
        if (t.dim() == 0) throw lamina::IndexError("size: a 0-d tensor has no dims");
        return py::int_(t.size(*dim));
      },
      py::arg("dim") = py::none());
  method(
      "stride",
      [](const Tensor& t, std::optional<int64_t> dim) -> py::object {
        if (!dim) return tuple_of(t.stride());
        return py::int_(t.stride()[size_t(wrap_dim(*dim, t.dim(), "stride"))]);
      },
      py::arg("dim") = py::none());
  method("dim", [](const Tensor& t) { return t.dim(); });
  method("ndimension", [](const Tensor& t) { return t.dim(); });
  method("numel", [](const Tensor& t) { return t.numel(); });
  method("nelement", [](const Tensor& t) { return t.numel(); });
  method("element_size", [](const Tensor& t) { return size_of(t.dtype()); });
  method("storage_offset", [](const Tensor& t) { return t->offset; });
  method("data_ptr", [](const Tensor& t) { return reinterpret_cast<uintptr_t>(t.data()); });
  method(
      "is_contiguous",
      [](const Tensor& t, const py::object& format) {
        return !format.is_none() && py::cast<std::string>(py::str(format)).find("channels_last") != std::string::npos
                   ? t.is_channels_last()
                   : t.is_contiguous();
      },
      py::arg("memory_format") = py::none());
  method("is_floating_point", [](const Tensor& t) { return is_floating(t.dtype()); });
  method("is_complex", [](const Tensor&) { return false; });
  method("is_signed", [](const Tensor& t) { return t.dtype() != DType::bool_ && t.dtype() != DType::uint8; });
  method(
      "untyped_storage", [](const Tensor& t) { return StorageFacts{require(t, "untyped_storage")->storage}; },
      "What is known of the memory that the views of a tensor share.");
  method("item", [](const Tensor& t) -> py::object {
    const Scalar s = t.item();
    if (s.is_bool()) return py::bool_(s.to_bool());
    if (s.is_integral()) return py::int_(s.to_int());
    return py::float_(s.to_double());
  });
}

template <DType t>
void add_cast(const char* name) {
  method(
      name,
      [](const Tensor& x, const py::object& format) {
        const Tensor y = to(x, t);
        const std::string asked = format.is_none() ? "preserve_format" : py::cast<std::string>(py::str(format));
        return asked == "preserve_format" ? y : contiguous(y, asked);
      },
      py::arg("memory_format") = py::none());
}

void init_conversions() {
  method("to", convert);
  method(
      "type",
      [](const Tensor& x, const py::object& dtype) -> py::object {
        if (dtype.is_none()) return py::str("lamina." + std::string(name(x.dtype())));
        return py::cast(to(x, dtype_from(dtype.ptr())));
      },
      py::arg("dtype") = py::none());
  method("type_as", [](const Tensor& x, const Tensor& other) {
    const Tensor like = require(other, "type_as");
    return to(x, like.dtype(), like.device());
  });
  add_cast<DType::float32>("float");
  add_cast<DType::float64>("double");
  add_cast<DType::float16>("half");
  add_cast<DType::bfloat16>("bfloat16");
  add_cast<DType::int32>("int");
  add_cast<DType::int64>("long");
  add_cast<DType::int16>("short");
  add_cast<DType::int8>("char");
  add_cast<DType::uint8>("byte");
  add_cast<DType::bool_>("bool");
  method("cpu", [](const Tensor& x) { return to(x, {}, Device{}); });
  method(
      "cuda", [](const Tensor& x, int index) { return to(x, {}, Device{DeviceType::cuda, int8_t(index)}); },
      py::arg("device") = 0);
  method("view_as", [](const Tensor& x, const Tensor& other) { return view(x, require(other, "view_as").shape()); });
  method("reshape_as",
         [](const Tensor& x, const Tensor& other) { return reshape(x, require(other, "reshape_as").shape()); });
  method("expand_as",
         [](const Tensor& x, const Tensor& other) { return expand(x, require(other, "expand_as").shape()); });
}

// x.new_zeros(size, dtype=None, device=None, requires_grad=False) and its kin.
template <class F>
void add_new(const char* name, F make) {
  method(
      name,
      [make](const Tensor& x, const py::args& size, const py::object& dtype, const py::object& device,
             bool requires_grad) {
        const Dims d = size.size() == 1 ? dims_from(size[0].ptr()) : dims_from(size.ptr());
        return make(d, dtype.is_none() ? x.dtype() : dtype_from(dtype.ptr()),
                    device.is_none() ? x.device() : device_from(device.ptr()), requires_grad);
      },
      py::arg("dtype") = py::none(), py::arg("device") = py::none(), py::arg("requires_grad") = false);
}

}  // namespace

void init_tensor_methods(py::module_& m) {
  py::class_<StorageFacts>(m, "UntypedStorage", "The memory that views of one tensor share.")
      .def("data_ptr", [](const StorageFacts& s) { return reinterpret_cast<uintptr_t>(s.storage->data()); })
      .def("nbytes", [](const StorageFacts& s) { return s.storage->bytes(); })
      .def("size", [](const StorageFacts& s) { return s.storage->bytes(); })
      .def("__len__", [](const StorageFacts& s) { return s.storage->bytes(); })
      .def_property_readonly("device", [](const StorageFacts& s) { return s.storage->device(); });
  init_properties();
  init_facts();
  init_conversions();
  add_new("new_zeros", [](const Dims& d, DType t, Device v, bool r) { return zeros(d, t, v, r); });
  add_new("new_ones", [](const Dims& d, DType t, Device v, bool r) { return ones(d, t, v, r); });
  add_new("new_empty", [](const Dims& d, DType t, Device v, bool r) { return empty(d, t, v, r); });
  method(
      "new_full",
      [](const Tensor& x, const py::object& size, const py::object& value, const py::object& dtype,
         const py::object& device, bool requires_grad) {
        return full(dims_from(size.ptr()), scalar_from(value.ptr()),
                    dtype.is_none() ? x.dtype() : dtype_from(dtype.ptr()),
                    device.is_none() ? x.device() : device_from(device.ptr()), requires_grad);
      },
      py::arg("size"), py::arg("fill_value"), py::arg("dtype") = py::none(), py::arg("device") = py::none(),
      py::arg("requires_grad") = false);
  method(
      "new_tensor",
      [](const Tensor& x, const py::object& data, const py::object& dtype, const py::object& device,
         bool requires_grad) {
        const py::object type = dtype.is_none() ? py::reinterpret_steal<py::object>(wrap(x.dtype())) : dtype;
        const py::object place = device.is_none() ? py::cast(x.device()) : device;
        return py::module_::import("lamina._C")
            .attr("tensor")(data, py::arg("dtype") = type, py::arg("device") = place,
                            py::arg("requires_grad") = requires_grad);
      },
      py::arg("data"), py::arg("dtype") = py::none(), py::arg("device") = py::none(), py::arg("requires_grad") = false);
}

}  // namespace lamina::python
