// Generators for Python: seeding, saving and restoring their state.
#include "lamina/random.h"

#include <cstring>
#include <utility>
#include <vector>

#include "args.h"
#include "bindings.h"

namespace lamina::python {
namespace {

// A seed may be any int that fits 64 bits, negative ones as PyTorch reads them.
uint64_t seed_from(const py::object& given) {
  const auto seed = py::reinterpret_steal<py::object>(PyNumber_Index(given.ptr()));
  if (!seed) throw py::error_already_set();
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

namespace {

// What this thread's redirections are made of: pairs (generator or None, generator), kept alive here.
PyObject*& held_redirects() {
  thread_local PyObject* pairs = nullptr;
  return pairs;
}

py::object redirect_to(const py::tuple& pairs) {
  std::vector<Redirect> found;
  for (const py::handle pair : pairs) {
    const auto [from, to] = py::cast<std::pair<Generator*, Generator*>>(pair);
    if (!to) throw TypeError("_redirect: expected pairs (generator or None, generator)");
    found.push_back({from, to});
  }
  redirect(std::move(found));
  PyObject* before = std::exchange(held_redirects(), py::object(pairs).release().ptr());
  return before ? py::reinterpret_steal<py::object>(before) : py::tuple();
}

}  // namespace

void init_random(py::module_& m) {
  py::class_<Generator> type(m, "Generator", "A stream of random numbers: the same seed gives the same numbers.");
  type.def(py::init([](const py::object&) { return std::make_unique<Generator>(); }), py::arg("device") = "cpu")
      .def(
          "manual_seed",
          [](const py::object& self, const py::object& seed) {
            current(py::cast<Generator*>(self)).manual_seed(seed_from(seed));
            return self;
          },
          py::arg("seed"))
      .def("seed", [](Generator& g) { return current(&g).reseed(); })
      .def("initial_seed", [](Generator& g) { return current(&g).initial_seed(); })
      .def("get_state", [](Generator& g) { return py::reinterpret_steal<py::object>(wrap(state_of(current(&g)))); })
      .def(
          "set_state",
          [](const py::object& self, const py::object& state) {
            restore(current(py::cast<Generator*>(self)), state);
            return self;
          },
          py::arg("new_state"))
      .def("__reduce__",  // for copy and pickle: a generator of its own in the same state
           [m = m.ptr()](Generator& g) {
             const auto state = py::reinterpret_steal<py::object>(wrap(state_of(current(&g))));
             return py::make_tuple(py::handle(m).attr("_generator_in"), py::make_tuple(state));
           });
  m.def(
      "_generator_in",
      [](const py::object& state) {
        auto g = std::make_unique<Generator>();
        restore(*g, state);
        return g;
      },
      py::arg("state"), "A generator in the state that get_state gave.");
  m.attr("default_generator") = py::cast(&default_generator(), py::return_value_policy::reference);
  m.def(
      "_spawn", [](Generator& g) { return current(&g).spawn(); }, py::arg("generator"),
      "The seed of a stream beside this generator's own; its draws do not notice.");
  m.def("_child_seed", &Generator::child_seed, py::arg("seed"), py::arg("number"),
        "A seed for the number-th part of the work that belongs to a seed.");
  m.def("_redirect", &redirect_to, py::arg("pairs"),
        "This thread draws from the second of each pair where the first is asked for; returns the earlier pairs.");
  m.def(
      "manual_seed",
      [m = m.ptr()](const py::object& seed) {
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
