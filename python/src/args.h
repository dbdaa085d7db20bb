// From<T>: how each argument type of ops.def is checked, converted from Python, and read from its C++ default text.
#pragma once
#include <charconv>
#include <string>
#include <string_view>

#include "tensor_type.h"

namespace lamina::python {

DType dtype_from(PyObject* o);
bool is_dtype(PyObject* o);
Device device_from(PyObject* o);
bool is_device(PyObject* o);
PyObject* wrap(DType t);

bool has_length(PyObject* o);  // an array, whose type speaks __index__ for the sake of its 0-d ones
inline bool is_integer(PyObject* o) {
  return PyLong_CheckExact(o) || (!PyFloat_Check(o) && !is_tensor(o) && PyIndex_Check(o) && !has_length(o));
}
bool is_number(PyObject* o);  // bool, int, float, or a NumPy scalar
Scalar scalar_from(PyObject* o);
int64_t integer_from(PyObject* o);
bool is_integer_list(PyObject* o);
Dims dims_from(PyObject* o);  // an int or a sequence of ints

template <class T>
struct From;

template <>
struct From<Tensor> {
  static constexpr const char* stub = "Tensor";
  static bool check(PyObject* o) { return is_tensor(o); }
  static Tensor get(PyObject* o) { return unwrap(o); }
  static Tensor parse(std::string_view) { return {}; }
};
template <>
struct From<Operand> {
  static constexpr const char* stub = "Tensor | Number";
  static bool check(PyObject* o) { return is_tensor(o) || is_number(o); }
  static Operand get(PyObject* o) { return is_tensor(o) ? Operand(unwrap(o)) : Operand(weak_scalar(scalar_from(o))); }
  static Operand parse(std::string_view) { return {}; }
};
template <>
struct From<int64_t> {
  static constexpr const char* stub = "int";
  static bool check(PyObject* o) { return is_integer(o) && !PyBool_Check(o); }
  static int64_t get(PyObject* o) { return integer_from(o); }
  static int64_t parse(std::string_view s) {
    int64_t v = 0;
    std::from_chars(s.data(), s.data() + s.size(), v);
    return v;
  }
};
template <>
struct From<double> {
  static constexpr const char* stub = "float";
  static bool check(PyObject* o) { return is_number(o) || (is_tensor(o) && unwrap(o).dim() == 0); }
  static double get(PyObject* o) { return scalar_from(o).to_double(); }
  static double parse(std::string_view s) { return std::strtod(std::string(s).c_str(), nullptr); }
};
template <>
struct From<bool> {
  static constexpr const char* stub = "bool";
  static bool check(PyObject* o) { return PyBool_Check(o) || is_integer(o) || is_number(o); }
  static bool get(PyObject* o) { return scalar_from(o).to_bool(); }
  static bool parse(std::string_view s) { return s == "true"; }
};
template <>
struct From<Flag> {
  static constexpr const char* stub = "bool";
  static bool check(PyObject* o) { return PyBool_Check(o); }
  static Flag get(PyObject* o) { return {o == Py_True}; }
  static Flag parse(std::string_view s) { return {s == "true"}; }
};
template <>
struct From<Scalar> {
  static constexpr const char* stub = "Number";
  static bool check(PyObject* o) { return is_number(o) || (is_tensor(o) && unwrap(o).numel() == 1); }
  static Scalar get(PyObject* o) { return scalar_from(o); }
  static Scalar parse(std::string_view s) {
    if (s == "true" || s == "false") return Scalar(s == "true");
    return s.find_first_of(".e") == s.npos ? Scalar(From<int64_t>::parse(s)) : Scalar(From<double>::parse(s));
  }
};
template <>
struct From<DType> {
  static constexpr const char* stub = "dtype";
  static bool check(PyObject* o) { return is_dtype(o); }
  static DType get(PyObject* o) { return dtype_from(o); }
  static DType parse(std::string_view) { return DType::float32; }
};
template <>
struct From<Device> {
  static constexpr const char* stub = "device | str";
  static bool check(PyObject* o) { return is_device(o) || PyUnicode_Check(o); }
  static Device get(PyObject* o) { return device_from(o); }
  static Device parse(std::string_view) { return {}; }
};
template <>
struct From<Dims> {
  static constexpr const char* stub = "int | Sequence[int]";
  static bool check(PyObject* o) { return (is_integer(o) && !PyBool_Check(o)) || is_integer_list(o); }
  static Dims get(PyObject* o) { return dims_from(o); }
  // "{1, 2}"
  static Dims parse(std::string_view s) {
    Dims d;
    for (size_t i = 0; i < s.size(); ++i) {
      if ((s[i] < '0' || s[i] > '9') && s[i] != '-') continue;
      int64_t v = 0;
      i = size_t(std::from_chars(s.data() + i, s.data() + s.size(), v).ptr - s.data());
      d.push_back(v);
    }
    return d;
  }
};
template <>
struct From<Numbers> {
  static constexpr const char* stub = "float | Sequence[float]";
  static bool check(PyObject* o);
  static Numbers get(PyObject* o);
  static Numbers parse(std::string_view) { return {}; }
};
template <>
struct From<Size> {
  static constexpr const char* stub = "int | Sequence[int]";
  static bool check(PyObject* o) { return From<Dims>::check(o); }
  static Size get(PyObject* o) { return dims_from(o); }
  static Size parse(std::string_view s) { return From<Dims>::parse(s); }
};
template <>
struct From<OutputSize> {
  static constexpr const char* stub = "int | Sequence[int | None] | None";
  static bool check(PyObject* o);
  static OutputSize get(PyObject* o);
  static OutputSize parse(std::string_view s) { return From<Dims>::parse(s); }
};
template <>
struct From<std::string_view> {
  static constexpr const char* stub = "str";
  static bool check(PyObject* o) { return PyUnicode_Check(o); }
  static std::string_view get(PyObject* o) {
    Py_ssize_t n;
    const char* s = PyUnicode_AsUTF8AndSize(o, &n);
    if (!s) throw py::error_already_set();
    return {s, size_t(n)};
  }
  static std::string_view parse(std::string_view s) { return s.size() >= 2 ? s.substr(1, s.size() - 2) : s; }
};
template <>
struct From<Reduction> {
  static constexpr const char* stub = "str";
  static bool check(PyObject* o) { return PyUnicode_Check(o); }
  static Reduction get(PyObject* o) { return named(From<std::string_view>::get(o)); }
  static Reduction parse(std::string_view s) { return named(s.substr(s.rfind(':') + 1)); }

 private:
  static Reduction named(std::string_view s) {
    if (s == "none") return Reduction::none;
    if (s == "mean") return Reduction::mean;
    if (s == "sum") return Reduction::sum;
    raise<ValueError>("reduction: must be 'none', 'mean' or 'sum', got '", s, "'");
  }
};
template <>
struct From<Padding> {
  static constexpr const char* stub = "int | Sequence[int] | str";
  static bool check(PyObject* o) { return PyUnicode_Check(o) || From<Dims>::check(o); }
  static Padding get(PyObject* o) {
    if (!PyUnicode_Check(o)) return dims_from(o);
    return std::string(From<std::string_view>::get(o)).c_str();
  }
  static Padding parse(std::string_view s) {
    return s.starts_with('"') ? Padding(std::string(s.substr(1, s.size() - 2)).c_str())
                              : Padding(s.starts_with('{') ? From<Dims>::parse(s) : Dims{From<int64_t>::parse(s)});
  }
};
template <>
struct From<TensorList> {
  static constexpr const char* stub = "Sequence[Tensor]";
  static bool check(PyObject* o);
  static TensorList get(PyObject* o);
  static TensorList parse(std::string_view) { return {}; }
};
template <>
struct From<Tensors> : From<TensorList> {
  static Tensors get(PyObject* o) { return From<TensorList>::get(o); }
  static Tensors parse(std::string_view) { return {}; }
};
template <>
struct From<DimsPair> {
  static constexpr const char* stub = "int | Sequence[int | Sequence[int]]";
  static bool check(PyObject* o) {
    if (is_integer(o) && !PyBool_Check(o)) return true;
    if ((!PyTuple_Check(o) && !PyList_Check(o)) || PySequence_Fast_GET_SIZE(o) != 2) return false;
    return From<Dims>::check(PySequence_Fast_GET_ITEM(o, 0)) && From<Dims>::check(PySequence_Fast_GET_ITEM(o, 1));
  }
  static DimsPair get(PyObject* o) {
    if (!PyTuple_Check(o) && !PyList_Check(o)) return integer_from(o);
    return {dims_from(PySequence_Fast_GET_ITEM(o, 0)), dims_from(PySequence_Fast_GET_ITEM(o, 1))};
  }
  static DimsPair parse(std::string_view s) { return From<int64_t>::parse(s); }
};
template <>
struct From<Generator*> {
  static constexpr const char* stub = "Generator";
  static bool check(PyObject* o);
  static Generator* get(PyObject* o);
  static Generator* parse(std::string_view) { return nullptr; }
};
template <class T>
struct From<std::optional<T>> {
  static const char* stub_text() {
    static const std::string s = std::string(From<T>::stub) + " | None";
    return s.c_str();
  }
  static constexpr const char* stub = nullptr;
  static bool check(PyObject* o) { return o == Py_None || From<T>::check(o); }
  static std::optional<T> get(PyObject* o) { return o == Py_None ? std::optional<T>() : From<T>::get(o); }
  static std::optional<T> parse(std::string_view s) { return s == "{}" ? std::optional<T>() : From<T>::parse(s); }
};

// ---- results ----
PyObject* wrap(const ValuesIndices& r);
inline PyObject* wrap(const TensorPair& r) { return py::make_tuple(r.first, r.second).release().ptr(); }
inline PyObject* wrap(const MaybePair& r) {
  return (r.second.defined() ? py::make_tuple(r.first, r.second) : py::cast(r.first)).release().ptr();
}
PyObject* wrap(const TensorList& r);
PyObject* wrap(const MinMax& r);
PyObject* wrap(const Histogram& r);
inline PyObject* wrap(const Several& r) { return r.all.size() == 1 ? wrap(r.all[0]) : wrap(r.all); }
inline PyObject* wrap(bool b) { return PyBool_FromLong(b); }
inline PyObject* wrap(int64_t v) { return PyLong_FromLongLong(v); }
inline PyObject* wrap(double v) { return PyFloat_FromDouble(v); }

// How much work an argument stands for: beyond a threshold the GIL is released. As double, since sizes are unchecked
// here.
inline double weight(const Tensor& t) { return t.defined() ? double(t.numel()) : 0; }
inline double weight(const TensorList& l) {
  double n = 0;
  for (const Tensor& t : l) n += weight(t);
  return n;
}
inline double weight(const Tensors& l) { return weight(static_cast<const TensorList&>(l)); }
inline double weight(const Size& s) {
  double n = 1;
  for (int64_t d : s) n *= double(d);
  return n;
}
template <class T>
double weight(const T&) {
  return 0;
}

}  // namespace lamina::python
