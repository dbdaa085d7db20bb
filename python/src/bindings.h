// The parts of the module, one init function per source file.
#pragma once
#include "tensor_type.h"

namespace lamina::python {

void init_tensor_methods(py::module_& m);  // properties and small methods of Tensor
void init_gil(py::module_& m);             // interruption, and leaving while other threads compute
void init_data(py::module_& m);            // tensor(), NumPy, lists
void init_autograd(py::module_& m);        // backward, grad, modes, hooks
void init_io(py::module_& m);              // files of tensors
void init_random(py::module_& m);          // generators
void init_autocast(py::module_& m);        // automatic casts
void init_function(py::module_& m);        // custom functions
void init_dlpack(py::module_& m);          // exchange with other libraries
void init_protocols(py::module_& m);       // text, copies, memory statistics
void init_cuda(py::module_& m);            // what is known of CUDA
void init_out(py::module_& m);             // results written into given tensors

// Buffer protocol of Tensor (data.cpp): zero-copy for NumPy and memoryview.
int get_buffer(PyObject* self, Py_buffer* out, int flags);
void release_buffer(PyObject* self, Py_buffer* buffer);

// A number, list, array or tensor as a tensor, sharing memory where possible (data.cpp).
Tensor as_tensor(const char* op, PyObject* o);

// Indexing and iteration of Tensor (index.cpp).
PyObject* get_item(PyObject* self, PyObject* key);
int set_item(PyObject* self, PyObject* key, PyObject* value);
PyObject* iterate(PyObject* self);
int contains(PyObject* self, PyObject* value);

// None converts to an undefined tensor.
inline const Tensor& require(const Tensor& t, const char* what) {
  if (!t.defined()) throw TypeError(str(what, ": the tensor is None"));
  return t;
}

// Tensor.item(None): a method called on the class takes any self.
template <class F, class R, class Self, class... A>
auto with_self(const char* name, F f, R (*)(Self, A...)) {
  return [name, f](Self self, A... a) -> R {
    if constexpr (std::is_same_v<std::remove_cvref_t<Self>, Tensor>) {
      require(self, name);
    } else if (!is_tensor(self.ptr())) {
      throw TypeError(str(name, ": self must be a Tensor, got ", Py_TYPE(self.ptr())->tp_name));
    }
    return f(std::forward<Self>(self), std::forward<A>(a)...);
  };
}
template <class F>
auto with_self(const char* name, F f) {
  return with_self(name, f, static_cast<std::add_pointer_t<py::detail::function_signature_t<F>>>(nullptr));
}

// Adds a Python-visible method or property to Tensor.
template <class F, class... X>
void method(const char* name, F f, const X&... extra) {
  const py::handle type(reinterpret_cast<PyObject*>(tensor_type));
  py::setattr(type, name, py::cpp_function(with_self(name, f), py::name(name), py::is_method(type), extra...));
}
template <class F>
void property(const char* name, F get, const char* doc) {
  const py::handle type(reinterpret_cast<PyObject*>(tensor_type));
  const auto make = py::module_::import("builtins").attr("property");
  py::setattr(type, name, make(py::cpp_function(with_self(name, get)), py::none(), py::none(), doc));
}
template <class F, class G>
void property(const char* name, F get, G set, const char* doc) {
  const py::handle type(reinterpret_cast<PyObject*>(tensor_type));
  const auto make = py::module_::import("builtins").attr("property");
  py::setattr(type, name,
              make(py::cpp_function(with_self(name, get)), py::cpp_function(with_self(name, set)), py::none(), doc));
}

}  // namespace lamina::python
