// Second names of operations, as in PyTorch, and methods that a row of ops.def cannot say.
#include "bindings.h"
#include "registry.h"

namespace lamina::python {
namespace {

// The alias stands wherever the name does, with its in-place form.
constexpr const char* kAliases[][2] = {
    {"subtract", "sub"},     {"multiply", "mul"},       {"divide", "div"},
    {"true_divide", "div"},  {"absolute", "abs"},       {"negative", "neg"},
    {"greater", "gt"},       {"greater_equal", "ge"},   {"less", "lt"},
    {"less_equal", "le"},    {"not_equal", "ne"},       {"clip", "clamp"},
    {"fix", "trunc"},        {"arctan", "atan"},        {"arctan2", "atan2"},
    {"concat", "cat"},       {"concatenate", "cat"},    {"row_stack", "vstack"},
    {"moveaxis", "movedim"}, {"swapaxes", "transpose"}, {"swapdims", "transpose"},
    {"expit", "sigmoid"},    {"ger", "outer"},
};

// Methods that live in Python and load with their first call: Tensor.name is lamina.linalg's function of that name.
constexpr const char* kLinearAlgebra[] = {
    "inverse", "det",      "logdet",     "slogdet",      "cholesky",       "qr",
    "svd",     "pinverse", "matrix_exp", "matrix_power", "cholesky_solve", "cholesky_inverse"};

void copy_name(const py::object& where, const std::string& alias, const std::string& name) {
  if (py::hasattr(where, name.c_str())) py::setattr(where, alias.c_str(), where.attr(name.c_str()));
}

// nonzero(input, as_tuple=False)
py::object nonzero_of(const Tensor& x, bool as_tuple) {
  if (!x.defined()) throw TypeError("nonzero: argument 'input' must be a Tensor, got None");
  return py::reinterpret_steal<py::object>(as_tuple ? wrap(where(x)) : wrap(nonzero(x)));
}

}  // namespace

void add_aliases(py::module_& m, py::module_& functional, const py::object& type) {
  for (const auto& [alias, name] : kAliases) {
    copy_name(m, alias, name);
    copy_name(type, alias, name);
    copy_name(functional, alias, name);
    copy_name(type, std::string(alias) + "_", std::string(name) + "_");
  }
  for (const char* name : kLinearAlgebra)
    method(name, [name](const py::object& self, const py::args& args, const py::kwargs& kwargs) {
      return py::module_::import("lamina.linalg.classic").attr(name)(self, *args, **kwargs);
    });
  m.def("nonzero", nonzero_of, py::arg("input"), py::kw_only(), py::arg("as_tuple") = false,
        "Coordinates of the elements that are not zero: one row each, or one index tensor per dim.");
  method("nonzero", nonzero_of, py::kw_only(), py::arg("as_tuple") = false);
  // x.where(condition, other): self stands second.
  method(
      "where",
      [](const Tensor& self, const Tensor& condition, const py::object& other) {
        if (!condition.defined()) throw TypeError("where: argument 'condition' must be a Tensor, got None");
        if (!From<Operand>::check(other.ptr()))
          throw TypeError(
              str("where: argument 'other' must be a Tensor or a number, got ", Py_TYPE(other.ptr())->tp_name));
        return where(condition, Operand(self), From<Operand>::get(other.ptr()));
      },
      py::arg("condition"), py::arg("other"));
  method("__reversed__", [](const Tensor& self) { return self.dim() == 0 ? self : flip(self, Dims{0}); });
}

}  // namespace lamina::python
