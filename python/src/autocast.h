// Automatic casts of arguments while autocast is on, a state of each thread.
#pragma once
#include <string_view>
#include <vector>

#include "tensor_type.h"

namespace lamina::python {

// What an operation's floating arguments become: nothing else, the short dtype, or float32.
enum class Cast : uint8_t { none, shorter, full };
Cast cast_of(std::string_view op);

struct Autocast {
  bool on = false;
  DType dtype = DType::bfloat16;
};
Autocast& autocast_state();

Tensor autocast(const Tensor& x, Cast cast);

// Arguments with their tensors cast, also those in lists.
class CastValues {
 public:
  CastValues(PyObject* const* values, size_t count, Cast cast);
  PyObject* const* data() const { return values_.data(); }

 private:
  PyObject* take(PyObject* o, Cast cast);
  std::vector<py::object> owned_;
  std::vector<PyObject*> values_;
};

void init_autocast(py::module_& m);

}  // namespace lamina::python
