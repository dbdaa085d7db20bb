// lamina._C: everything Python reaches of the engine.
#include <pybind11/stl.h>

#include "bindings.h"
#include "errors.h"
#include "lamina/backend.h"
#include "registry.h"

namespace lamina::python {
namespace {

struct DTypeObject {
  DType value;
};

void init_dtypes(py::module_& m) {
  py::class_<DTypeObject>(m, "dtype", "Type of the elements of a tensor.")
      .def("__repr__",
           [](const DTypeObject& d) {
             return "lamina." + std::string(d.value == DType::bool_ ? "bool" : name(d.value));
           })
      .def("__reduce__", [](const DTypeObject& d) { return std::string(name(d.value)); })
      .def_property_readonly("name", [](const DTypeObject& d) { return std::string(name(d.value)); })
      .def_property_readonly("itemsize", [](const DTypeObject& d) { return size_of(d.value); })
      .def_property_readonly("is_floating_point", [](const DTypeObject& d) { return is_floating(d.value); })
      .def_property_readonly("is_signed",
                             [](const DTypeObject& d) { return d.value != DType::bool_ && d.value != DType::uint8; })
      .def_property_readonly("is_complex", [](const DTypeObject&) { return false; });
  for (int i = 0; i < kNumDTypes; ++i) {
    const auto t = static_cast<DType>(i);
    py::object o = py::cast(DTypeObject{t});
    m.attr(std::string(name(t)).c_str()) = o;
    register_dtype(t, o.release().ptr());
  }
  m.attr("half") = m.attr("float16");
  m.attr("float") = m.attr("float32");
  m.attr("double") = m.attr("float64");
  m.attr("short") = m.attr("int16");
  m.attr("int") = m.attr("int32");
  m.attr("long") = m.attr("int64");
}

void init_device(py::module_& m) {
  py::class_<Device>(m, "device", "Where a tensor lives: device('cpu'), device('cuda', 0).")
      .def(py::init([](const std::string& s, py::object index) {
             Device d = parse_device(s);
             if (!index.is_none()) d.index = int8_t(py::cast<int>(index));
             return d;
           }),
           py::arg("type"), py::arg("index") = py::none())
      .def(py::init([](const Device& d) { return d; }))
      .def_property_readonly("type", [](const Device& d) { return d.type == DeviceType::cpu ? "cpu" : "cuda"; })
      .def_property_readonly("index",
                             [](const Device& d) -> py::object {
                               return d.type == DeviceType::cpu ? py::object(py::none()) : py::int_(int(d.index));
                             })
      .def("__eq__",
           [](const Device& a, const py::object& b) { return is_device(b.ptr()) && a == py::cast<Device>(b); })
      .def("__hash__", [](const Device& d) { return int(d.type) * 256 + d.index; })
      .def("__reduce__",  // for copy and pickle
           [](const py::object& self) { return py::make_tuple(py::type::of(self), py::make_tuple(py::str(self))); })
      .def("__str__", [](const Device& d) { return name(d); })
      .def("__repr__", [](const Device& d) {
        return d.type == DeviceType::cpu ? std::string("device(type='cpu')")
                                         : "device(type='cuda', index=" + std::to_string(int(d.index)) + ")";
      });
}

void init_runtime(py::module_& m) {
  m.attr("__version__") = LAMINA_VERSION;
  m.def("get_num_threads", [] { return cpu::num_threads(); }, "Number of threads kernels use.");
  m.def(
      "set_num_threads",
      [](int n) {
        if (n < 1) throw ValueError(str("set_num_threads: needs a positive number, got ", n));
        cpu::set_num_threads(n);
      },
      py::arg("n"), "Sets the number of threads kernels use; results do not depend on it.");
  m.def(
      "set_flush_denormal",
      [](bool on) {
        cpu::set_flush_denormal(on);
        return true;
      },
      py::arg("mode"), "True flushes subnormal floats to zero.");
  m.def("simd_level", [] { return cpu::isa_name(); }, "SIMD level in use: 'base', 'avx2' or 'avx512'.");
  m.def(
      "get_default_dtype", [] { return py::reinterpret_steal<py::object>(wrap(default_dtype())); },
      "dtype of new float tensors.");
  m.def(
      "set_default_dtype", [](const py::object& d) { set_default_dtype(dtype_from(d.ptr())); }, py::arg("d"),
      "Sets the dtype of new float tensors.");
  m.def(
      "promote_types",
      [](const py::object& a, const py::object& b) {
        return py::reinterpret_steal<py::object>(wrap(promote(dtype_from(a.ptr()), dtype_from(b.ptr()))));
      },
      py::arg("type1"), py::arg("type2"), "Smallest dtype that both convert to.");
  m.def(
      "result_type",
      [](const py::object& a, const py::object& b) {
        const Tensor x = From<Operand>::get(a.ptr()), y = From<Operand>::get(b.ptr());
        const Tensor* in[] = {&x, &y};
        return py::reinterpret_steal<py::object>(wrap(result_type(in)));
      },
      py::arg("tensor1"), py::arg("tensor2"), "dtype of an arithmetic result of the two.");
}

}  // namespace

PYBIND11_MODULE(_C, m) {
  m.doc() = "The lamina engine.";
  init_gil(m);
  init_errors(m);
  init_tensor_type(m);
  init_dtypes(m);
  init_device(m);
  init_runtime(m);
  init_registry(m);
  init_out(m);
  init_tensor_methods(m);
  init_data(m);
  init_autograd(m);
  init_io(m);
  init_random(m);
  init_autocast(m);
  init_function(m);
  init_dlpack(m);
  init_protocols(m);
  init_cuda(m);
}

}  // namespace lamina::python
