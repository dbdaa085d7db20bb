// Generators for Python: seeding, saving and restoring their state.
#include "lamina/random.h"

#include <cstring>

#include "args.h"
#include "bindings.h"

namespace lamina::python {
namespace {

// A seed may be any int that fits 64 bits, negative ones as PyTorch reads them.
uint64_t seed_from(const py::int_& seed) {
  const int negative = PyObject_RichCompareBool(seed.ptr(), py::int_(0).ptr(), Py_LT);
  if (negative < 0) throw py::error_already_set();
  const uint64_t v = negative ? uint64_t(PyLong_AsLongLong(seed.ptr())) : PyLong_AsUnsignedLongLong(seed.ptr());
  if (PyErr_Occurred()) {
    PyErr_Clear();
    throw ValueError("manual_seed: the seed must fit 64 bits, got " + py::cast<std::string>(py::str(seed)));
  }
  return v;
}

Tensor state_of(const Generator& g) {
  const auto bytes = g.state();
  const Tensor t = allocate(Dims{int64_t(bytes.size())}, DType::uint8);
  std::memcpy(t.data(), bytes.data(), bytes.size());
  return t;
}

void restore(Generator& g, const py::object& state) {
  if (!is_tensor(state.ptr()) || unwrap(state.ptr()).dtype() != DType::uint8)
    throw TypeError("set_rng_state: expected the uint8 tensor that get_rng_state returned");
  const Tensor t = contiguous(unwrap(state.ptr()));
  g.set_state({static_cast<const uint8_t*>(t.data()), size_t(t.numel())});
}

}  // namespace

bool From<Generator*>::check(PyObject* o) { return py::isinstance<Generator>(py::handle(o)); }
Generator* From<Generator*>::get(PyObject* o) { return py::cast<Generator*>(py::handle(o)); }

void init_random(py::module_& m) {
  py::class_<Generator> type(m, "Generator", "A stream of random numbers: the same seed gives the same numbers.");
  type.def(py::init([](const py::object&) { return std::make_unique<Generator>(); }), py::arg("device") = "cpu")
      .def(
          "manual_seed",
          [](const py::object& self, const py::int_& seed) {
            py::cast<Generator&>(self).manual_seed(seed_from(seed));
            return self;
          },
          py::arg("seed"))
      .def("seed", &Generator::reseed)
      .def("initial_seed", &Generator::initial_seed)
      .def("get_state", [](const Generator& g) { return py::reinterpret_steal<py::object>(wrap(state_of(g))); })
      .def(
          "set_state",
          [](const py::object& self, const py::object& state) {
            restore(py::cast<Generator&>(self), state);
            return self;
          },
          py::arg("new_state"));
  m.attr("default_generator") = py::cast(&default_generator(), py::return_value_policy::reference);
  m.def(
      "manual_seed",
      [m = m.ptr()](const py::int_& seed) {
        default_generator().manual_seed(seed_from(seed));
        return py::handle(m).attr("default_generator");
      },
      py::arg("seed"), "Seeds the default generator.");
  m.def(
      "seed", [] { return default_generator().reseed(); },
      "Seeds the default generator from the system; returns the seed.");
  m.def("initial_seed", [] { return default_generator().initial_seed(); }, "The seed of the default generator.");
  m.def(
      "get_rng_state", [] { return py::reinterpret_steal<py::object>(wrap(state_of(default_generator()))); },
      "State of the default generator, as a uint8 tensor.");
  m.def(
      "set_rng_state", [](const py::object& state) { restore(default_generator(), state); }, py::arg("new_state"),
      "Restores the default generator.");
}

}  // namespace lamina::python
