// Protocols of Tensor that are written in Python (text, copy, pickle) and the statistics of the allocator.
#include <pybind11/stl.h>

#include <cstring>

#include "args.h"
#include "bindings.h"
#include "core/allocator.h"

namespace lamina::python {
namespace {

py::object part(const char* module, const char* name) { return py::module_::import(module).attr(name); }

void init_memory(py::module_& m) {
  m.def(
      "memory_stats",
      [] {
        const MemoryStats s = memory_stats();
        py::dict d;
        d["allocated"] = s.allocated;
        d["peak_allocated"] = s.peak_allocated;
        d["reserved"] = s.reserved;
        d["peak_reserved"] = s.peak_reserved;
        d["allocations"] = s.allocations;
        d["frees"] = s.frees;
        d["cache_hits"] = s.cache_hits;
        d["system_allocs"] = s.system_allocs;
        d["system_frees"] = s.system_frees;
        d["out_of_memory"] = s.out_of_memory;
        return d;
      },
      "Host memory of tensors as a dict: bytes in use and held from the system now and at most, and counts of calls.");
  m.def(
      "empty_cache", [] { return empty_cache(); },
      "Returns unused memory to the system; the number of bytes returned.");
  m.def(
      "reset_peak_memory_stats", [] { reset_peak(); },
      "Starts the peaks of memory_stats() again from the present values.");
  m.def(
      "_fail_allocation", [](int64_t k) { set_allocation_failure(k); }, py::arg("k"),
      "Test hook: the k-th allocation from now on fails, once; 0 takes it back.");
}

}  // namespace

void init_protocols(py::module_& m) {
  for (const char* name : {"__repr__", "__str__"})
    method(name, [](const py::object& self) { return part("lamina._printing", "tensor_text")(self); });
  method("__format__", [](const py::object& self, const py::object& spec) {
    return part("lamina._printing", "format_tensor")(self, spec);
  });
  method(
      "__array_namespace__",
      [](const py::object&, const py::object& api_version) {
        const py::module_ api = py::module_::import("lamina.array_api");
        if (!api_version.is_none() && !api_version.equal(api.attr("__array_api_version__")))
          throw ValueError(str("__array_namespace__: version ", std::string(py::str(api_version)),
                               " of the array API is not offered, only 2023.12"));
        return api;
      },
      py::arg("api_version") = py::none());
  method("__copy__", [](const py::object& self) { return part("lamina._copying", "shallow")(self); });
  method("__deepcopy__",
         [](const py::object& self, const py::object& memo) { return part("lamina._copying", "deep")(self, memo); });
  method("__reduce_ex__", [](const py::object& self, int) { return part("lamina._copying", "reduce")(self); });
  m.def("_to_bytes", [](const Tensor& x) {
    const Tensor dense = contiguous(to(x.detach(), {}, Device{}));
    return py::bytes(static_cast<const char*>(dense.data()), size_t(dense.numel()) * size_of(dense.dtype()));
  });
  m.def("_from_bytes", [](const py::bytes& data, const py::object& shape, const py::object& dtype) {
    Tensor t = allocate(dims_from(shape.ptr()), dtype_from(dtype.ptr()));
    const std::string_view bytes(data);
    if (bytes.size() != size_t(t.numel()) * size_of(t.dtype()))
      throw ValueError(str("tensor: ", bytes.size(), " bytes do not make ", describe("a tensor", t)));
    if (!bytes.empty()) std::memcpy(t.data(), bytes.data(), bytes.size());
    return t;
  });
  init_memory(m);
}

}  // namespace lamina::python
