// Files of tensors for Python: save_tensors and load_tensors, over cpp/io.
#include <algorithm>
#include <functional>

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

// What a dict of tensors and one of texts mean for cpp/io, with the tensors on the CPU and contiguous.
struct Contents {
  std::vector<io::TensorSource> sources;
  std::vector<Tensor> kept;
  io::Metadata metadata;
};

Contents contents_of(const py::dict& tensors, const py::dict& metadata) {
  Contents c;
  for (const auto& [key, value] : tensors) {
    std::string name = text(key, "names");
    if (!is_tensor(value.ptr()))
      throw TypeError(str("save: '", name, "' is a ", Py_TYPE(value.ptr())->tp_name, ", expected a Tensor"));
    const Tensor t = contiguous(to(unwrap(value.ptr()).detach(), {}, Device{}));
    c.kept.push_back(t);
    c.sources.push_back({std::move(name), t.dtype(), t.shape(), t.data()});
  }
  for (const auto& [key, value] : metadata)
    c.metadata.emplace_back(text(key, "metadata keys"), text(value, "metadata values"));
  return c;
}

void save_tensors(const py::dict& tensors, const py::object& path, const py::dict& metadata) {
  const Contents c = contents_of(tensors, metadata);
  const std::string file = file_name(path);
  const ReleaseGil release;
  io::save_safetensors(file, c.sources, c.metadata);
}

// Hands the bytes of the file to `write`, piece by piece.
void write_tensors(const py::dict& tensors, const py::function& write, const py::dict& metadata) {
  const Contents c = contents_of(tensors, metadata);
  std::vector<size_t> order;
  std::string header;
  {
    const ReleaseGil release;
    header = io::safetensors_header(c.sources, c.metadata, order);
  }
  write(py::bytes(header));
  constexpr size_t kPiece = 16 << 20;
  for (const size_t i : order) {
    const auto* p = static_cast<const char*>(c.sources[i].data);
    const size_t size = size_t(c.kept[i].numel()) * size_of(c.sources[i].dtype);
    for (size_t done = 0; done < size; done += kPiece) write(py::bytes(p + done, std::min(kPiece, size - done)));
  }
}

py::tuple read_all(const std::function<io::SafetensorsReader()>& open, bool verify) {
  std::vector<std::pair<std::string, Tensor>> loaded;
  io::Metadata metadata;
  {
    const ReleaseGil release;
    const io::SafetensorsReader reader = open();
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

py::tuple load_tensors(const py::object& path, bool verify) {
  const std::string file = file_name(path);
  return read_all([&] { return io::SafetensorsReader(file, verify); }, verify);
}

py::tuple parse_tensors(const py::bytes& data, const std::string& name, bool verify) {
  const std::string_view file = data;
  return read_all([&] { return io::SafetensorsReader(name, file, verify); }, verify);
}

}  // namespace

void init_io(py::module_& m) {
  m.def("save_tensors", save_tensors, py::arg("tensors"), py::arg("path"), py::arg("metadata") = py::dict(),
        "Writes a safetensors file, all or nothing: {name: Tensor}, and text metadata.");
  m.def("write_tensors", write_tensors, py::arg("tensors"), py::arg("write"), py::arg("metadata") = py::dict(),
        "Hands the bytes of a safetensors file to a function, piece by piece.");
  m.def("parse_tensors", parse_tensors, py::arg("data"), py::arg("name"), py::arg("verify") = true,
        "({name: Tensor}, {key: text}) of the bytes of a safetensors file; its name is for messages.");
  m.def("load_tensors", load_tensors, py::arg("path"), py::arg("verify") = true,
        "({name: Tensor}, {key: text}) of a safetensors file.");
}

}  // namespace lamina::python
