// Setup of the pieces that convert.cpp keeps: error classes, dtype objects, device names.
#pragma once
#include "tensor_type.h"

namespace lamina::python {

void init_errors(py::module_& m);
void register_dtype(DType t, PyObject* o);
Device parse_device(std::string_view s);

}  // namespace lamina::python
