// Op objects: one callable serves as lamina.name and Tensor.name. Fast path for plain positional calls.
#include "registry.h"

#include <structmember.h>

#include <algorithm>

#include "lamina/formulas.h"

namespace lamina::python {
namespace {

struct OpObject {
  PyObject_HEAD vectorcallfunc vectorcall;
  const OpEntry* entry;
  PyObject* dict;
};

PyTypeObject* op_type = nullptr;
std::vector<std::unique_ptr<OpEntry>>& entries() {
  static auto* list = new std::vector<std::unique_ptr<OpEntry>>;
  return *list;
}

// PyTorch's names of the operands.
const char* operand_name(Ew op, int arity, int i) {
  static constexpr const char* where[] = {"condition", "input", "other"};
  static constexpr const char* clamp[] = {"input", "min", "max"};
  static constexpr const char* lerp[] = {"input", "end", "weight"};
  static constexpr const char* add[] = {"input", "tensor1", "tensor2"};
  if (op == Ew::Where) return where[i];
  if (op == Ew::Clamp) return clamp[i];
  if (op == Ew::Addcmul || op == Ew::Addcdiv) return add[i];
  if (arity == 3) return lerp[i];
  if (i == 0) return "input";
  if (op == Ew::Heaviside) return "values";
  return op == Ew::Pow ? "exponent" : op == Ew::ClampMin ? "min" : op == Ew::ClampMax ? "max" : "other";
}

// ---- signatures as text, for errors, stubs and docs ----

std::string signature_text(const OpEntry& e, const Overload& o) {
  std::string s = e.name + "(";
  for (size_t i = 0; i < o.params.size(); ++i) {
    const Param& p = o.params[i];
    s += (i ? ", " : "") + p.name + ": " + p.type + (p.def.empty() ? "" : " = " + p.def);
  }
  return s + ") -> " + o.result;
}

std::string type_name(PyObject* o) { return o ? Py_TYPE(o)->tp_name : "nothing"; }

[[noreturn]] void raise_mismatch(const OpEntry& e, const std::string& why) {
  std::string s = e.name + ": " + why;
  for (const Overload& o : e.overloads) s += "\n  " + signature_text(e, o);
  throw TypeError(s);
}

// ---- matching ----

std::string_view keyword(PyObject* name) {
  Py_ssize_t n;
  const char* s = PyUnicode_AsUTF8AndSize(name, &n);
  if (!s) throw py::error_already_set();
  const std::string_view k(s, size_t(n));
  return k == "axis" ? "dim" : k == "keepdims" ? "keepdim" : k == "split_size" ? "split_size_or_sections" : k;
}

// Fills slots for one overload; on failure says why. `owned` keeps a tuple made of separate numbers.
bool match(const Overload& o, const Arguments& a, PyObject** slots, py::object& owned, std::string& why) {
  const size_t n = o.params.size();
  std::fill_n(slots, n, nullptr);
  size_t used = 0;
  for (size_t i = 0; i < a.positional; ++i, ++used) {
    if (used >= n) {
      why = "takes at most " + std::to_string(n) + " arguments, got " + std::to_string(a.positional);
      return false;
    }
    const Param& p = o.params[used];
    if (p.separate && p.separate(a.values[i])) {
      size_t end = i;
      while (end < a.positional && p.separate(a.values[end])) ++end;
      owned = py::reinterpret_steal<py::object>(PyTuple_New(Py_ssize_t(end - i)));
      for (size_t k = i; k < end; ++k) PyTuple_SET_ITEM(owned.ptr(), Py_ssize_t(k - i), Py_NewRef(a.values[k]));
      slots[used] = owned.ptr();
      i = end - 1;
      continue;
    }
    slots[used] = a.values[i];
  }
  const size_t keywords = a.names ? size_t(PyTuple_GET_SIZE(a.names)) : 0;
  for (size_t k = 0; k < keywords; ++k) {
    const std::string_view key = keyword(PyTuple_GET_ITEM(a.names, Py_ssize_t(k)));
    size_t i = 0;
    while (i < n && o.params[i].name != key) ++i;
    if (i == n) {
      why = "unexpected keyword argument '" + std::string(key) + "'";
      return false;
    }
    if (slots[i]) {
      why = "argument '" + std::string(key) + "' is given twice";
      return false;
    }
    slots[i] = a.values[a.positional + k];
  }
  for (size_t i = 0; i < n; ++i) {
    const Param& p = o.params[i];
    if (slots[i] == Py_None && p.nullable) slots[i] = nullptr;
    if (!slots[i]) {
      if (!p.def.empty()) continue;
      why = "missing argument '" + p.name + "'";
      return false;
    }
    if (!p.check(slots[i])) {
      why = "argument '" + p.name + "' must be " + p.type + ", got " + type_name(slots[i]);
      return false;
    }
  }
  return true;
}

PyObject* call_rows(const OpEntry& e, const Arguments& a) {
  PyObject* slots[kMaxParams];
  std::string why;
  for (const Overload& o : e.overloads) {
    py::object owned;
    if (match(o, a, slots, owned, why)) return o.invoke(slots);
  }
  if (PyObject* r = call_older_form(e, a)) return r;
  raise_mismatch(e, e.overloads.size() == 1 ? why : "no signature fits these arguments (" + why + "); it takes");
}

// Elementwise: operands, then the op's extra numbers, by position or keyword.
PyObject* call_ew(const OpEntry& e, const Arguments& a) {
  const EwInfo& info = ew_info(static_cast<Ew>(e.elementwise));
  const size_t keywords = a.names ? size_t(PyTuple_GET_SIZE(a.names)) : 0;
  bool inplace = e.inplace;
  if (keywords == 0 && a.positional == size_t(info.arity)) {
    if (PyObject* r = call_elementwise(static_cast<Ew>(e.elementwise), inplace, a.values, a.positional)) return r;
    if (PyErr_Occurred()) return nullptr;
  }
  PyObject* operands[6] = {};
  const char* names[6] = {};
  size_t n = size_t(info.arity);
  for (int i = 0; i < info.arity; ++i) names[i] = operand_name(static_cast<Ew>(e.elementwise), info.arity, i);
  for (const EwParam& p : info.spec.params)
    if (!p.name.empty()) names[n++] = p.name.data();
  // F.relu(x, True): the last place of an activation is inplace.
  const bool flag = !e.inplace && info.arity == 1 && a.positional == n + 1 && PyBool_Check(a.values[n]);
  if (flag) inplace = a.values[n] == Py_True;
  if (a.positional > n + flag) throw TypeError(str(e.name, ": takes at most ", n, " arguments, got ", a.positional));
  for (size_t i = 0; i < a.positional - flag; ++i) operands[i] = a.values[i];
  for (size_t k = 0; k < keywords; ++k) {
    const std::string_view key = keyword(PyTuple_GET_ITEM(a.names, Py_ssize_t(k)));
    PyObject* value = a.values[a.positional + k];
    if (key == "inplace" && info.arity == 1) {
      inplace = inplace || PyObject_IsTrue(value) == 1;
      continue;
    }
    size_t i = 0;
    while (i < n && key != names[i]) ++i;
    if (i == n || operands[i])
      throw TypeError(str(e.name, ": ", i == n ? "unexpected keyword argument '" : "given twice: '", key, "'"));
    operands[i] = value;
  }
  for (size_t i = 0; i < n; ++i) {
    if (!operands[i] && i < size_t(info.arity)) throw TypeError(str(e.name, ": missing argument '", names[i], "'"));
    if (operands[i] && !is_tensor(operands[i]) && !is_number(operands[i]))
      throw TypeError(
          str(e.name, ": argument '", names[i], "' must be a Tensor or a number, got ", type_name(operands[i])));
    if (operands[i] && i >= size_t(info.arity) && is_tensor(operands[i]) && unwrap(operands[i]).numel() != 1)
      throw TypeError(str(e.name, ": argument '", names[i], "' must be a number"));
  }
  if (std::none_of(operands, operands + info.arity, [](PyObject* o) { return is_tensor(o); }))
    throw TypeError(str(e.name, ": argument 'input' must be a Tensor, got ", type_name(operands[0])));
  if (inplace && !is_tensor(operands[0]))
    throw TypeError(str(e.name, ": writes its first argument, which must be a Tensor, got ", type_name(operands[0])));
  // Numbers that were left out keep their defaults.
  py::object kept[3];
  size_t last = n;
  while (last > size_t(info.arity) && !operands[last - 1]) --last;
  for (size_t i = size_t(info.arity); i < last; ++i) {
    const size_t k = i - size_t(info.arity);
    kept[k] = operands[i] ? py::reinterpret_steal<py::object>(PyFloat_FromDouble(scalar_from(operands[i]).to_double()))
                          : py::reinterpret_steal<py::object>(PyFloat_FromDouble(info.spec.params[k].value));
    operands[i] = kept[k].ptr();
  }
  return call_elementwise(static_cast<Ew>(e.elementwise), inplace, operands, last);
}

PyObject* call_entry(const OpEntry& e, const Arguments& a) {
  if (e.elementwise >= 0) {
    if (e.overloads.empty()) return call_ew(e, a);
    // An elementwise operation with further forms: the plain call first.
    if (!a.names && a.positional == size_t(ew_info(static_cast<Ew>(e.elementwise)).arity)) {
      if (PyObject* r = call_elementwise(static_cast<Ew>(e.elementwise), e.inplace, a.values, a.positional)) return r;
      if (PyErr_Occurred()) return nullptr;
    }
  }
  return call_rows(e, a);
}

PyObject* op_vectorcall(PyObject* self, PyObject* const* args, size_t nargsf, PyObject* names) {
  const OpEntry& e = *reinterpret_cast<OpObject*>(self)->entry;
  const Arguments a{args, size_t(PyVectorcall_NARGS(nargsf)), names};
  return guarded([&]() -> PyObject* {
    if (names && !e.writes)
      if (const Py_ssize_t at = find_out(names); at >= 0) return call_with_out(self, e, a, at);
    if (e.cast == Cast::none || !autocast_state().on) return call_entry(e, a);
    const size_t keywords = names ? size_t(PyTuple_GET_SIZE(names)) : 0;
    const CastValues cast(args, a.positional + keywords, e.cast);
    return call_entry(e, {cast.data(), a.positional, names});
  });
}

PyObject* op_get(PyObject* self, PyObject* instance, PyObject*) {
  return instance && instance != Py_None ? PyMethod_New(self, instance) : Py_NewRef(self);
}
PyObject* op_repr(PyObject* self) {
  return PyUnicode_FromFormat("<lamina operation %s>", reinterpret_cast<OpObject*>(self)->entry->name.c_str());
}
void op_dealloc(PyObject* self) {
  PyTypeObject* type = Py_TYPE(self);
  Py_CLEAR(reinterpret_cast<OpObject*>(self)->dict);
  type->tp_free(self);
  Py_DECREF(type);
}

std::string doc_of(const OpEntry& e) {
  std::string s;
  if (e.elementwise >= 0) s = std::string(ew_info(static_cast<Ew>(e.elementwise)).spec.doc);
  for (const Overload& o : e.overloads) s += (s.empty() ? "" : "\n") + signature_text(e, o) + "\n    " + o.doc;
  return s;
}

PyObject* op_name(PyObject* self, void*) {
  return PyUnicode_FromString(reinterpret_cast<OpObject*>(self)->entry->name.c_str());
}
PyObject* op_doc(PyObject* self, void*) {
  return PyUnicode_FromString(doc_of(*reinterpret_cast<OpObject*>(self)->entry).c_str());
}
PyObject* op_module(PyObject*, void*) { return PyUnicode_FromString("lamina"); }

PyGetSetDef op_getset[] = {{"__name__", op_name, nullptr, nullptr, nullptr},
                           {"__qualname__", op_name, nullptr, nullptr, nullptr},
                           {"__doc__", op_doc, nullptr, nullptr, nullptr},
                           {"__module__", op_module, nullptr, nullptr, nullptr},
                           {nullptr, nullptr, nullptr, nullptr, nullptr}};

py::object make_op(const OpEntry& e) {
  auto* o = reinterpret_cast<OpObject*>(op_type->tp_alloc(op_type, 0));
  o->vectorcall = op_vectorcall;
  o->entry = &e;
  return py::reinterpret_steal<py::object>(reinterpret_cast<PyObject*>(o));
}

void make_op_type() {
  static PyMemberDef members[] = {
      {"__vectorcalloffset__", T_PYSSIZET, offsetof(OpObject, vectorcall), READONLY, nullptr},
      {"__dictoffset__", T_PYSSIZET, offsetof(OpObject, dict), READONLY, nullptr},
      {nullptr, 0, 0, 0, nullptr}};
  static PyType_Slot slots[] = {{Py_tp_call, reinterpret_cast<void*>(PyVectorcall_Call)},
                                {Py_tp_descr_get, reinterpret_cast<void*>(op_get)},
                                {Py_tp_repr, reinterpret_cast<void*>(op_repr)},
                                {Py_tp_dealloc, reinterpret_cast<void*>(op_dealloc)},
                                {Py_tp_getset, op_getset},
                                {Py_tp_members, members},
                                {0, nullptr}};
  static PyType_Spec spec = {"lamina.operation", sizeof(OpObject), 0,
                             Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_VECTORCALL | Py_TPFLAGS_METHOD_DESCRIPTOR, slots};
  op_type = reinterpret_cast<PyTypeObject*>(PyType_FromSpec(&spec));
  if (!op_type) throw py::error_already_set();
}

// name -> rows as plain data: what the stub generator, the docs and the tests read.
py::list describe_registry() {
  py::list out;
  for (const auto& e : entries()) {
    py::dict d;
    d["name"] = e->name;
    d["where"] = e->where;
    d["inplace"] = e->inplace;
    py::list overloads;
    for (const Overload& o : e->overloads) {
      py::list params;
      for (const Param& p : o.params) params.append(py::make_tuple(p.name, p.type, p.def, p.separate != nullptr));
      overloads.append(py::dict(py::arg("params") = params, py::arg("result") = o.result, py::arg("doc") = o.doc));
    }
    d["overloads"] = overloads;
    if (e->elementwise >= 0) {
      const EwInfo& info = ew_info(static_cast<Ew>(e->elementwise));
      const char* kinds[] = {"floating", "arithmetic", "predicate", "bitwise", "logical", "selection"};
      py::list operands, params;
      for (int i = 0; i < info.arity; ++i)
        operands.append(operand_name(static_cast<Ew>(e->elementwise), info.arity, i));
      for (const EwParam& p : info.spec.params)
        if (!p.name.empty()) params.append(py::make_tuple(std::string(p.name), p.value));
      d["elementwise"] = py::dict(py::arg("arity") = info.arity, py::arg("operands") = operands,
                                  py::arg("doc") = std::string(info.spec.doc),
                                  py::arg("kind") = kinds[static_cast<int>(info.spec.kind)],
                                  py::arg("lo") = info.spec.lo, py::arg("hi") = info.spec.hi,
                                  py::arg("differentiable") = info.spec.differentiable, py::arg("params") = params);
    }
    out.append(d);
  }
  return out;
}

}  // namespace

PyObject* call_elementwise(Ew op, bool inplace, PyObject* const* operands, size_t count) {
  std::array<EwArg, 6> args{EwArg(0), EwArg(0), EwArg(0), EwArg(0), EwArg(0), EwArg(0)};
  int64_t work = 0;
  bool any = false;
  for (size_t i = 0; i < count; ++i) {
    if (is_tensor(operands[i])) {
      args[i].tensor = &unwrap(operands[i]);  // the caller holds the wrapper until this returns
      work = std::max(work, args[i].tensor->numel());
      any = true;
    } else if (is_number(operands[i])) {
      args[i].number = scalar_from(operands[i]);
    } else {
      return nullptr;
    }
  }
  if (!any || (inplace && !args[0].tensor)) return nullptr;
  if (inplace) {
    {
      const ReleaseGil release(work > (1 << 15));
      Tensor self = *args[0].tensor;
      elementwise_(op, self, std::span<const EwArg>(args.data() + 1, count - 1));
    }
    return Py_NewRef(operands[0]);
  }
  const auto run = [&] {
    const ReleaseGil release(work > (1 << 15));
    return elementwise(op, std::span<const EwArg>(args.data(), count));
  };
  return wrap(run());
}

void init_registry(py::module_& m) {
  make_op_type();
  auto& list = entries();
  add_rows(list);
  const size_t rows = list.size();
  for (int i = 0; i < kNamedElementwise; ++i) {
    const EwInfo& info = ew_info(static_cast<Ew>(i));
    const bool taken =
        std::any_of(list.begin(), list.begin() + Py_ssize_t(rows), [&](const auto& e) { return e->name == info.name; });
    const bool question = info.spec.kind == EwKind::predicate && info.arity == 1;  // isnan has no in-place form
    for (const bool inplace : {false, true}) {
      if (taken && !inplace) {
        for (auto& e : list)
          if (e->name == info.name) e->elementwise = i;
        continue;
      }
      auto e = std::make_unique<OpEntry>();
      e->name = std::string(info.name) + (inplace ? "_" : "");
      if (inplace && (question || std::any_of(list.begin(), list.begin() + Py_ssize_t(rows),
                                              [&](const auto& o) { return o->name == e->name; })))
        continue;
      e->where = inplace ? "m" : "fmn";
      e->elementwise = i;
      e->inplace = inplace;
      list.push_back(std::move(e));
    }
  }
  py::module_ functional = m.def_submodule("functional", "Operations of lamina.nn.functional.");
  py::module_ linalg = m.def_submodule("_linalg", "Operations of lamina.linalg.");
  const py::object type = py::reinterpret_borrow<py::object>(reinterpret_cast<PyObject*>(tensor_type));
  for (const auto& e : list) {
    e->cast = cast_of(e->name);
    e->writes = e->name.ends_with('_');
    const py::object op = make_op(*e);
    if (e->where.find('f') != e->where.npos) m.attr(e->name.c_str()) = op;
    if (e->where.find('n') != e->where.npos) functional.attr(e->name.c_str()) = op;
    if (e->where.find('l') != e->where.npos) linalg.attr(e->name.substr(e->name.find('_') + 1).c_str()) = op;
    if (e->where.find('m') != e->where.npos) type.attr(e->name.c_str()) = op;
  }
  add_aliases(m, functional, type);
  m.def("_registry", describe_registry);
}

}  // namespace lamina::python
