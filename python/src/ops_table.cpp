// One entry per row of ops.def: the C++ signature gives names, types and defaults.
#include "registry.h"

namespace lamina::python {
namespace {

constexpr size_t kReleaseGilAt = 1 << 15;  // elements: below, the switch costs more than the work

std::string_view trim(std::string_view s) {
  while (!s.empty() && s.front() == ' ') s.remove_prefix(1);
  while (!s.empty() && s.back() == ' ') s.remove_suffix(1);
  return s;
}

// C++ default text -> Python text.
std::string python_text(std::string_view s) {
  if (s.empty()) return "";
  if (s == "{}" || s == "nullptr") return "None";
  if (s == "true") return "True";
  if (s == "false") return "False";
  if (s.starts_with('"')) return "'" + std::string(s.substr(1, s.size() - 2)) + "'";
  if (s.find("::") != s.npos) return "'" + std::string(s.substr(s.rfind(':') + 1)) + "'";
  if (s.starts_with('{')) {
    const Dims d = From<Dims>::parse(s);
    return d.size() == 1 ? std::to_string(d[0]) : to_string(d);
  }
  return std::string(s);
}

// "(const Tensor& x, int64_t dim = -1)" -> {"const Tensor& x", "int64_t dim = -1"}
std::vector<std::string_view> split(std::string_view s) {
  std::vector<std::string_view> parts;
  s = s.substr(1, s.size() - 2);
  while (!s.empty()) {
    int depth = 0;
    size_t c = 0;
    for (; c < s.size() && (s[c] != ',' || depth); ++c)
      depth += (s[c] == '{' || s[c] == '<' || s[c] == '(') - (s[c] == '}' || s[c] == '>' || s[c] == ')');
    parts.push_back(trim(s.substr(0, c)));
    s = c < s.size() ? s.substr(c + 1) : std::string_view();
  }
  return parts;
}

template <class T>
std::string stub_of() {
  if constexpr (From<T>::stub == nullptr) {
    return From<T>::stub_text();
  } else {
    return From<T>::stub;
  }
}
template <class R>
std::string result_stub() {
  if constexpr (std::is_same_v<R, Tensor>) return "Tensor";
  if constexpr (std::is_same_v<R, ValuesIndices>) return "ValuesIndices";
  if constexpr (std::is_same_v<R, TensorPair>) return "tuple[Tensor, Tensor]";
  if constexpr (std::is_same_v<R, MaybePair>) return "Any";
  if constexpr (std::is_same_v<R, MinMax>) return "MinMax";
  if constexpr (std::is_same_v<R, Histogram>) return "Histogram";
  if constexpr (std::is_same_v<R, Several>) return "Any";
  if constexpr (std::is_same_v<R, TensorList>) return "tuple[Tensor, ...]";
  if constexpr (std::is_same_v<R, bool>) return "bool";
  if constexpr (std::is_same_v<R, int64_t>) return "int";
  if constexpr (std::is_same_v<R, double>) return "float";
  if constexpr (std::is_void_v<R>) return "None";
}

template <class F>
struct Row;
template <class R, class... A>
struct Row<R(A...)> {
  template <class T>
  using Value = std::remove_cvref_t<T>;
  using Values = std::tuple<Value<A>...>;

  // Defaults are parsed once, from the same text that the C++ compiler saw.
  [[gnu::cold]] static Values defaults(std::string_view signature) {
    return make(split(signature), std::index_sequence_for<A...>{});
  }
  template <size_t... I>
  [[gnu::cold]] static Values make(const std::vector<std::string_view>& parts, std::index_sequence<I...>) {
    return Values{From<Value<A>>::parse(default_text(parts[I]))...};
  }
  static std::string_view default_text(std::string_view part) {
    const size_t eq = part.find('=');
    return eq == part.npos ? std::string_view("{}") : trim(part.substr(eq + 1));
  }

  template <size_t... I>
  static PyObject* call(R (*fn)(A...), PyObject* const* slots, Values& d, std::index_sequence<I...>) {
    Values v{(slots[I] ? From<Value<A>>::get(slots[I]) : std::get<I>(d))...};
    const bool heavy = (weight(std::get<I>(v)) + ... + 0) > double(kReleaseGilAt);
    const auto run = [&] {
      const ReleaseGil release(heavy);
      return fn(std::get<I>(v)...);
    };
    if constexpr (std::is_void_v<R>) {
      run();
      Py_RETURN_NONE;
    } else {
      return wrap(run());
    }
  }

  // Once per row at the first import; cold code is compiled for size.
  [[gnu::cold]] static Overload overload(std::string_view signature, const char* doc,
                                         PyObject* (*invoke)(PyObject* const*)) {
    Overload o;
    o.doc = doc;
    o.invoke = invoke;
    o.result = result_stub<R>();
    const auto parts = split(signature);
    size_t i = 0;
    (o.params.push_back(param<Value<A>>(parts[i++])), ...);
    return o;
  }
  template <class T>
  [[gnu::cold]] static Param param(std::string_view part) {
    Param p{};
    const size_t eq = part.find('=');
    const std::string_view decl = trim(part.substr(0, eq));
    p.name = decl.substr(decl.find_last_of(" &*") + 1);
    p.type = stub_of<T>();
    p.def = eq == part.npos ? "" : python_text(trim(part.substr(eq + 1)));
    p.check = From<T>::check;
    if constexpr (std::is_same_v<T, Size>) p.separate = [](PyObject* o) { return is_integer(o) && !PyBool_Check(o); };
    if constexpr (std::is_same_v<T, Tensors>) p.separate = [](PyObject* o) { return is_tensor(o); };
    p.nullable = p.def == "None";
    if (p.nullable && p.type.find("None") == p.type.npos) p.type += " | None";
    return p;
  }
};

void add(std::vector<std::unique_ptr<OpEntry>>& entries, const char* name, const char* where, Overload o) {
  if (!*where) return;
  for (auto& e : entries) {
    if (e->name != name) continue;
    e->overloads.push_back(std::move(o));
    for (const char* w = where; *w; ++w)
      if (e->where.find(*w) == e->where.npos) e->where += *w;
    return;
  }
  auto e = std::make_unique<OpEntry>();
  e->name = name;
  e->where = where;
  e->overloads.push_back(std::move(o));
  entries.push_back(std::move(e));
}

// A distinct type per row carries its function type (defaults are not part of it) and its invoke function.
#define LAMINA_JOIN2(a, b) a##b
#define LAMINA_JOIN(a, b) LAMINA_JOIN2(a, b)
#define OP(where, name, R, signature, doc)                                                                          \
  struct LAMINA_JOIN(Row_, __LINE__) {                                                                              \
    static R probe signature;                                                                                       \
    using Fn = decltype(probe);                                                                                     \
    static PyObject* invoke(PyObject* const* slots) {                                                               \
      return Row<Fn>::call(static_cast<Fn*>(&lamina::name), slots, defaults(), indices(static_cast<Fn*>(nullptr))); \
    }                                                                                                               \
    template <class Ret, class... A>                                                                                \
    static std::index_sequence_for<A...> indices(Ret (*)(A...)) {                                                   \
      return {};                                                                                                    \
    }                                                                                                               \
    static Row<Fn>::Values& defaults() {                                                                            \
      static Row<Fn>::Values values = Row<Fn>::defaults(#signature);                                                \
      return values;                                                                                                \
    }                                                                                                               \
  };
#include "lamina/ops.def"
#undef OP

}  // namespace

[[gnu::cold]] void add_rows(std::vector<std::unique_ptr<OpEntry>>& entries) {
#define OP(where, name, R, signature, doc) \
  add(entries, #name, where,               \
      Row<LAMINA_JOIN(Row_, __LINE__)::Fn>::overload(#signature, doc, LAMINA_JOIN(Row_, __LINE__)::invoke));
#include "lamina/ops.def"
#undef OP
}

}  // namespace lamina::python
