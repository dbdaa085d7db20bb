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
    {"expit", "sigmoid"},    {"trapz", "trapezoid"},    {"ger", "outer"},
    {"arcsin", "asin"},      {"arccos", "acos"},        {"arcsinh", "asinh"},
    {"arccosh", "acosh"},    {"arctanh", "atanh"},      {"sgn", "sign"},
    {"vdot", "dot"},
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

Tensor tensor_of(const char* op, const py::object& o) {
  if (!is_tensor(o.ptr()))
    throw TypeError(str(op, ": argument 'input' must be a Tensor, got ", Py_TYPE(o.ptr())->tp_name));
  return unwrap(o.ptr());
}

// broadcast_shapes((2, 1), (3,), 4) -> (2, 3) ...
py::tuple common_shape(const py::args& shapes) {
  Dims out;
  for (const py::handle h : shapes) {
    if (!From<Dims>::check(h.ptr()))
      throw TypeError(str("broadcast_shapes: each shape must be a tuple of ints, got ", Py_TYPE(h.ptr())->tp_name));
    const Dims d = dims_from(h.ptr());
    while (out.size() < d.size()) out.insert(0, 1);
    for (size_t i = 0; i < d.size(); ++i) {
      int64_t& have = out[out.size() - d.size() + i];
      if (d[i] < 0) throw ShapeError(str("broadcast_shapes: negative size in ", to_string(d)));
      if (d[i] != have && d[i] != 1 && have != 1)
        throw ShapeError(str("broadcast_shapes: shapes do not broadcast: ", to_string(d), " with ", to_string(out)));
      if (have == 1) have = d[i];
    }
  }
  py::tuple t(out.size());
  for (size_t i = 0; i < out.size(); ++i) t[i] = py::int_(out[i]);
  return t;
}

// Functions about a tensor or dtypes that are no operations.
void add_facts(py::module_& m) {
  m.def("is_tensor", [](const py::object& o) { return is_tensor(o.ptr()); }, py::arg("obj"), "True for a Tensor.");
  m.def(
      "is_floating_point", [](const py::object& o) { return is_floating(tensor_of("is_floating_point", o).dtype()); },
      py::arg("input"), "True where input holds floats.");
  m.def(
      "is_complex", [](const py::object& o) { return tensor_of("is_complex", o), false; }, py::arg("input"),
      "False: there are no complex tensors.");
  m.def(
      "numel", [](const py::object& o) { return tensor_of("numel", o).numel(); }, py::arg("input"),
      "Number of elements.");
  m.def(
      "can_cast",
      [](const py::object& from, const py::object& to) {
        const auto rank = [](DType t) { return is_floating(t) ? 2 : t == DType::bool_ ? 0 : 1; };
        return rank(dtype_from(from.ptr())) <= rank(dtype_from(to.ptr()));
      },
      py::arg("from_"), py::arg("to"), "True where promotion allows a result of dtype from_ in dtype to.");
  m.def("broadcast_shapes", common_shape, "The shape that tensors of these shapes broadcast to.");
}

}  // namespace

void add_aliases(py::module_& m, py::module_& functional, const py::object& type) {
  for (const auto& [alias, name] : kAliases) {
    copy_name(m, alias, name);
    copy_name(type, alias, name);
    copy_name(functional, alias, name);
    copy_name(type, std::string(alias) + "_", std::string(name) + "_");
  }
  add_facts(m);
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
  // x.polygamma(n): self stands second.
  method("polygamma", [](const Tensor& self, int64_t n) { return polygamma(n, self); }, py::arg("n"));
  method("__reversed__", [](const Tensor& self) { return self.dim() == 0 ? self : flip(self, Dims{0}); });
}

}  // namespace lamina::python
