// The callable operations of lamina._C: entries from ops.def and the elementwise list, argument matching, errors.
#pragma once
#include <array>
#include <memory>
#include <string>
#include <vector>

#include "args.h"
#include "autocast.h"

namespace lamina::python {

struct Param {
  std::string name, type, def;  // def: Python text of the default; empty when required
  bool (*check)(PyObject*);
  bool (*separate)(PyObject*);  // not null: also takes such values one by one, as in view(2, 3)
  bool nullable;                // None means the default
};

inline constexpr size_t kMaxParams = 16;

struct Overload {
  std::vector<Param> params;
  std::string result, doc;
  PyObject* (*invoke)(PyObject* const* slots);  // null slots take their defaults
};

struct OpEntry {
  std::string name, where;
  std::vector<Overload> overloads;  // of ops.def
  int elementwise = -1;             // else the index in the elementwise list
  bool inplace = false;
  bool writes = false;     // its name ends with _: the result is an argument
  Cast cast = Cast::none;  // under autocast
};

// What one call was given.
struct Arguments {
  PyObject* const* values;
  size_t positional;
  PyObject* names;  // tuple of keyword names, or null
};

// The place of `out` among keyword names, or -1.
inline Py_ssize_t find_out(PyObject* names) {
  for (Py_ssize_t k = 0; k < PyTuple_GET_SIZE(names); ++k)
    if (PyObject* name = PyTuple_GET_ITEM(names, k);
        PyUnicode_GET_LENGTH(name) == 3 && PyUnicode_CompareWithASCIIString(name, "out") == 0)
      return k;
  return -1;
}
// The call without keyword `at`, which is out, its result written there (out.cpp).
PyObject* call_with_out(PyObject* op, const OpEntry& e, const Arguments& a, Py_ssize_t at);
// The call in a form that PyTorch keeps for older programs, from lamina.compat.forms; null where it has none.
PyObject* call_older_form(const OpEntry& e, const Arguments& a);

void add_rows(std::vector<std::unique_ptr<OpEntry>>& entries);  // ops_table.cpp
void init_registry(py::module_& m);
// Other names of the same operations, and methods whose arguments stand in another order (aliases.cpp).
void add_aliases(py::module_& m, py::module_& functional, const py::object& type);

// Result of an elementwise op for Python operands, or nullptr with no error set when an operand is no number or tensor.
PyObject* call_elementwise(Ew op, bool inplace, PyObject* const* operands, size_t count);

}  // namespace lamina::python
