// The two lists of autocast, as PyTorch's for the CPU, and the casts themselves.
#include "autocast.h"

#include <algorithm>

#include "args.h"
#include "bindings.h"

namespace lamina::python {
namespace {

constexpr std::string_view kShorter[] = {"matmul",
                                         "mm",
                                         "bmm",
                                         "addmm",
                                         "baddbmm",
                                         "addbmm",
                                         "linear",
                                         "einsum",
                                         "inner",
                                         "prelu",
                                         "conv1d",
                                         "conv2d",
                                         "conv3d",
                                         "conv_transpose1d",
                                         "conv_transpose2d",
                                         "conv_transpose3d",
                                         "tensordot",
                                         "chain_matmul",
                                         "scaled_dot_product_attention"};
constexpr std::string_view kFull[] = {"binary_cross_entropy",
                                      "binary_cross_entropy_with_logits",
                                      "cdist",
                                      "cosine_embedding_loss",
                                      "cross_entropy",
                                      "ctc_loss",
                                      "hinge_embedding_loss",
                                      "huber_loss",
                                      "kl_div",
                                      "l1_loss",
                                      "margin_ranking_loss",
                                      "mse_loss",
                                      "multi_margin_loss",
                                      "multilabel_margin_loss",
                                      "nll_loss",
                                      "poisson_nll_loss",
                                      "prod",
                                      "quantile",
                                      "smooth_l1_loss",
                                      "soft_margin_loss",
                                      "trace",
                                      "triplet_margin_loss"};

}  // namespace

Cast cast_of(std::string_view op) {
  return std::ranges::find(kShorter, op) != std::end(kShorter) ? Cast::shorter
         : std::ranges::find(kFull, op) != std::end(kFull)     ? Cast::full
                                                               : Cast::none;
}

Autocast& autocast_state() {
  static thread_local Autocast state;
  return state;
}

Tensor autocast(const Tensor& x, Cast cast) {
  if (!x.defined() || !is_floating(x.dtype()) || x.dtype() == DType::float64) return x;
  const DType want = cast == Cast::shorter ? autocast_state().dtype : DType::float32;
  return x.dtype() == want ? x : to(x, want);
}

CastValues::CastValues(PyObject* const* values, size_t count, Cast cast) {
  values_.reserve(count);
  for (size_t i = 0; i < count; ++i) values_.push_back(take(values[i], cast));
}

PyObject* CastValues::take(PyObject* o, Cast cast) {
  if (is_tensor(o)) {
    owned_.push_back(py::reinterpret_steal<py::object>(wrap(autocast(unwrap(o), cast))));
    return owned_.back().ptr();
  }
  if (!PyList_Check(o) && !PyTuple_Check(o)) return o;
  const Py_ssize_t n = PySequence_Fast_GET_SIZE(o);
  if (n == 0 || !is_tensor(PySequence_Fast_GET_ITEM(o, 0))) return o;
  py::tuple list(n);
  for (Py_ssize_t i = 0; i < n; ++i) {
    PyObject* item = PySequence_Fast_GET_ITEM(o, i);
    list[size_t(i)] = is_tensor(item) ? py::reinterpret_steal<py::object>(wrap(autocast(unwrap(item), cast)))
                                      : py::reinterpret_borrow<py::object>(item);
  }
  owned_.push_back(list);
  return owned_.back().ptr();
}

void init_autocast(py::module_& m) {
  m.def("is_autocast_enabled", [] { return autocast_state().on; }, "True while autocast casts in this thread.");
  m.def(
      "get_autocast_dtype", [] { return py::reinterpret_steal<py::object>(wrap(autocast_state().dtype)); },
      "The short dtype of autocast in this thread.");
  m.def(
      "_set_autocast", [](bool on, const py::object& dtype) { autocast_state() = {on, dtype_from(dtype.ptr())}; },
      py::arg("enabled"), py::arg("dtype"));
}

}  // namespace lamina::python
