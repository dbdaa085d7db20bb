// Files of tensors for Python: save_tensors and load_tensors, over cpp/io.
#include "args.h"
#include "bindings.h"
#include "io/safetensors.h"

namespace lamina::python {
namespace {

std::string file_name(const py::object& path) {
  PyObject* bytes = nullptr;
  if (!PyUnicode_FSConverter(path.ptr(), &bytes)) throw py::error_already_set();
  return py::cast<std::string>(py::reinterpret_steal<py::bytes>(bytes));
}

std::string text(const py::handle& o, const char* what) {
  if (!PyUnicode_Check(o.ptr()))
    throw TypeError(str("save: ", what, " must be strings, got ", Py_TYPE(o.ptr())->tp_name));
  return py::cast<std::string>(o);
}

void save_tensors(const py::dict& tensors, const py::object& path, const py::dict& metadata) {
  std::vector<io::TensorSource> sources;
  std::vector<Tensor> kept;
  for (const auto& [key, value] : tensors) {
    std::string name = text(key, "names");
    if (!is_tensor(value.ptr()))
      throw TypeError(str("save: '", name, "' is a ", Py_TYPE(value.ptr())->tp_name, ", expected a Tensor"));
    const Tensor t = contiguous(to(unwrap(value.ptr()).detach(), {}, Device{}));
    kept.push_back(t);
    sources.push_back({std::move(name), t.dtype(), t.shape(), t.data()});
  }
  io::Metadata extra;
  for (const auto& [key, value] : metadata)
    extra.emplace_back(text(key, "metadata keys"), text(value, "metadata values"));
  const std::string file = file_name(path);
  const ReleaseGil release;
  io::save_safetensors(file, sources, extra);
}

py::tuple load_tensors(const py::object& path, bool verify) {
  const std::string file = file_name(path);
  std::vector<std::pair<std::string, Tensor>> loaded;
  io::Metadata metadata;
  {
    const ReleaseGil release;
    const io::SafetensorsReader reader(file, verify);
    for (const io::TensorEntry& entry : reader.entries()) {
      const Tensor t = allocate(entry.shape, entry.dtype);
      reader.read(entry, t.data(), verify);
      loaded.emplace_back(entry.name, t);
    }
    metadata = reader.metadata();
  }
  py::dict tensors, extra;
  for (const auto& [name, t] : loaded) tensors[py::str(name)] = py::reinterpret_steal<py::object>(wrap(t));
  for (const auto& [key, value] : metadata) extra[py::str(key)] = py::str(value);
  return py::make_tuple(tensors, extra);
}

}  // namespace

void init_io(py::module_& m) {
  m.def("save_tensors", save_tensors, py::arg("tensors"), py::arg("path"), py::arg("metadata") = py::dict(),
        "Writes a safetensors file, all or nothing: {name: Tensor}, and text metadata.");
  m.def("load_tensors", load_tensors, py::arg("path"), py::arg("verify") = true,
        "({name: Tensor}, {key: text}) of a safetensors file.");
}

}  // namespace lamina::python
