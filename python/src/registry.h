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
  Cast cast = Cast::none;  // under autocast
};

void add_rows(std::vector<std::unique_ptr<OpEntry>>& entries);  // ops_table.cpp
void init_registry(py::module_& m);
// Other names of the same operations, and methods whose arguments stand in another order (aliases.cpp).
void add_aliases(py::module_& m, py::module_& functional, const py::object& type);

// Result of an elementwise op for Python operands, or nullptr with no error set when an operand is no number or tensor.
PyObject* call_elementwise(Ew op, bool inplace, PyObject* const* operands, size_t count);

}  // namespace lamina::python
