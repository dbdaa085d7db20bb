// DLPack both ways: tensors exchanged with other libraries without copying. The structs below are the protocol's ABI.
#include <pybind11/stl.h>

#include <cstring>
#include <memory>

#include "args.h"
#include "bindings.h"

namespace lamina::python {
namespace {

enum DlDeviceType : int32_t { kDlCpu = 1, kDlCuda = 2 };
enum DlCode : uint8_t { kDlInt = 0, kDlUInt = 1, kDlFloat = 2, kDlBfloat = 4, kDlBool = 6 };
constexpr uint64_t kReadOnly = 1, kCopied = 2;

struct DlDevice {
  int32_t type, index;
};
struct DlDataType {
  uint8_t code, bits;
  uint16_t lanes;
};
struct DlTensor {
  void* data;
  DlDevice device;
  int32_t ndim;
  DlDataType dtype;
  int64_t* shape;
  int64_t* strides;  // in elements; null: row-major
  uint64_t byte_offset;
};
struct DlManaged {
  DlTensor tensor;
  void* context;
  void (*deleter)(DlManaged*);
};
struct DlManagedVersioned {
  uint32_t major, minor;
  void* context;
  void (*deleter)(DlManagedVersioned*);
  uint64_t flags;
  DlTensor tensor;
};

template <class Managed>
struct Names;
template <>
struct Names<DlManaged> {
  static constexpr const char *fresh = "dltensor", *used = "used_dltensor";
};
template <>
struct Names<DlManagedVersioned> {
  static constexpr const char *fresh = "dltensor_versioned", *used = "used_dltensor_versioned";
};

[[noreturn]] void refuse(const std::string& why) {
  PyErr_SetString(PyExc_BufferError, why.c_str());
  throw py::error_already_set();
}

// ---- out ----

DlDataType dl_type(DType t) {
  const uint8_t bits = uint8_t(8 * size_of(t));
  if (t == DType::bool_) return {kDlBool, 8, 1};
  if (t == DType::uint8) return {kDlUInt, 8, 1};
  if (t == DType::bfloat16) return {kDlBfloat, 16, 1};
  return {is_floating(t) ? kDlFloat : kDlInt, bits, 1};
}

DlDevice dl_device(const Tensor& t) {
  if (t.device().type == DeviceType::cpu) return {kDlCpu, 0};
  return {kDlCuda, t.device().index};
}

// What an exported capsule points to: the tensor stays alive until the consumer calls the deleter.
template <class Managed>
struct Exported {
  Managed managed{};
  Tensor tensor;
  Dims shape, stride;
  static void destroy(Managed* m) { delete static_cast<Exported*>(m->context); }
};

template <class Managed>
py::object capsule_of(const Tensor& t, bool copied) {
  auto e = std::make_unique<Exported<Managed>>();
  e->tensor = t;
  e->shape = t.shape();
  e->stride = t.stride();
  for (size_t i = 0; i < e->shape.size(); ++i)
    if (e->shape[i] < 2) e->stride[i] = 1;  // meaningless, but some consumers insist
  e->managed.context = e.get();
  e->managed.deleter = Exported<Managed>::destroy;
  if constexpr (std::is_same_v<Managed, DlManagedVersioned>) {
    e->managed.major = 1;
    e->managed.minor = 0;
    e->managed.flags = (t->storage->read_only() ? kReadOnly : 0) | (copied ? kCopied : 0);
  }
  e->managed.tensor = {t.data(), dl_device(t), int32_t(t.dim()), dl_type(t.dtype()), e->shape.data(), e->stride.data(),
                       0};
  PyObject* c = PyCapsule_New(&e->managed, Names<Managed>::fresh, [](PyObject* capsule) {
    if (!PyCapsule_IsValid(capsule, Names<Managed>::fresh)) return;  // consumed: not ours any more
    auto* m = static_cast<Managed*>(PyCapsule_GetPointer(capsule, Names<Managed>::fresh));
    m->deleter(m);
  });
  if (!c) throw py::error_already_set();
  e.release();
  return py::reinterpret_steal<py::object>(c);
}

py::object to_capsule(const Tensor& x, const py::object& stream, const py::object& max_version,
                      const py::object& device, const py::object& copy) {
  if (x.requires_grad()) refuse("__dlpack__: the tensor requires grad; use detach(): " + describe("self", x));
  const bool on_cpu = x.device().type == DeviceType::cpu;
  if (on_cpu && !stream.is_none() && !stream.equal(py::int_(-1)))
    throw ValueError("__dlpack__: a CPU tensor has no stream; pass None");
  Tensor t = x.detach();
  bool copied = false;
  if (!device.is_none()) {
    const auto want = py::cast<std::pair<int, int>>(device);
    const DlDevice have = dl_device(t);
    if (want.first != have.type || want.second != have.index) {
      if (want.first != kDlCpu || (!copy.is_none() && !py::cast<bool>(copy)))
        refuse("__dlpack__: cannot hand out " + describe("self", x) + " on another device; use x.to(device)");
      t = to(t, {}, Device{});
      copied = true;
    }
  }
  if (!copied && !copy.is_none() && py::cast<bool>(copy)) {
    t = clone(t);
    copied = true;
  }
  if (!max_version.is_none() && py::cast<int>(max_version[py::int_(0)]) >= 1)
    return capsule_of<DlManagedVersioned>(t, copied);
  if (t->storage->read_only())
    refuse(
        "__dlpack__: read-only memory can be handed out only to consumers of DLPack 1.0 or later (max_version=(1, 0)); "
        "clone() it");
  return capsule_of<DlManaged>(t, copied);
}

// ---- in ----

DType dtype_of(const DlDataType& t) {
  if (t.lanes == 1) {
    if (t.code == kDlBool && t.bits == 8) return DType::bool_;
    if (t.code == kDlUInt && t.bits == 8) return DType::uint8;
    if (t.code == kDlBfloat && t.bits == 16) return DType::bfloat16;
    if (t.code == kDlInt && t.bits == 8) return DType::int8;
    if (t.code == kDlInt && t.bits == 16) return DType::int16;
    if (t.code == kDlInt && t.bits == 32) return DType::int32;
    if (t.code == kDlInt && t.bits == 64) return DType::int64;
    if (t.code == kDlFloat && t.bits == 16) return DType::float16;
    if (t.code == kDlFloat && t.bits == 32) return DType::float32;
    if (t.code == kDlFloat && t.bits == 64) return DType::float64;
  }
  throw DtypeError(str("from_dlpack: elements of DLPack type code ", int(t.code), " with ", int(t.bits), " bits and ",
                       t.lanes, " lanes are not supported"));
}

// The consumer's side of the contract: the producer's deleter runs once, when the last tensor is gone.
template <class Managed>
void release_imported(void* p) {
  auto* m = static_cast<Managed*>(p);
  if (!m->deleter || interpreter_gone()) return;
  const AcquireGil gil;
  m->deleter(m);
}

// Elements at addresses that the CPU's typed loads may not use: copied one by one.
Tensor copy_unaligned(const char* data, const Dims& shape, const Dims& stride, DType dtype) {
  Tensor t = allocate(shape, dtype);
  const auto item = int64_t(size_of(dtype));
  Dims at(shape.size(), 0);
  auto* out = static_cast<char*>(t.data());
  for (int64_t i = 0; i < t.numel(); ++i, out += item) {
    int64_t offset = 0;
    for (size_t d = 0; d < at.size(); ++d) offset += at[d] * stride[d];
    std::memcpy(out, data + offset * item, size_t(item));
    for (size_t d = at.size(); d-- > 0 && ++at[d] == shape[d];) at[d] = 0;
  }
  return t;
}

// Everything is checked before the capsule is marked as used: a refused one still frees itself.
template <class Managed>
Tensor consume(PyObject* capsule) {
  auto* m = static_cast<Managed*>(PyCapsule_GetPointer(capsule, Names<Managed>::fresh));
  if (!m) throw py::error_already_set();
  bool read_only = false;
  if constexpr (std::is_same_v<Managed, DlManagedVersioned>) {
    if (m->major > 1)
      refuse(
          str("from_dlpack: DLPack version ", m->major, ".", m->minor, " is newer than what is understood here (1.x)"));
    read_only = m->flags & kReadOnly;
  }
  const DlTensor& d = m->tensor;
  if (d.device.type != kDlCpu)
    refuse(
        str("from_dlpack: memory of DLPack device type ", d.device.type, " cannot be used; copy it to the CPU first"));
  const DType dtype = dtype_of(d.dtype);
  if (d.ndim < 0 || d.ndim > kMaxDims)
    throw ShapeError(str("from_dlpack: ", d.ndim, " dims; at most ", kMaxDims, " are supported"));
  const Dims shape(d.shape, size_t(d.ndim));
  const int64_t n = numel_of(shape, "from_dlpack");
  const Dims stride = d.strides ? Dims(d.strides, size_t(d.ndim)) : contiguous_strides(shape);
  if (n > 0 && !d.data) throw ValueError("from_dlpack: the data pointer is null");
  auto* data = static_cast<char*>(d.data) + (d.data ? d.byte_offset : 0);
  const bool aligned = n == 0 || reinterpret_cast<uintptr_t>(data) % size_of(dtype) == 0;
  Tensor t = aligned ? from_blob(data, shape, stride, dtype, m, nullptr, read_only)
                     : copy_unaligned(data, shape, stride, dtype);
  if (PyCapsule_SetName(capsule, Names<Managed>::used) != 0) throw py::error_already_set();
  PyCapsule_SetDestructor(capsule, nullptr);
  if (aligned) {
    t->storage->set_release(release_imported<Managed>);
  } else {
    release_imported<Managed>(m);
  }
  return t;
}

Tensor from_capsule(PyObject* c) {
  if (PyCapsule_IsValid(c, Names<DlManagedVersioned>::fresh)) return consume<DlManagedVersioned>(c);
  if (PyCapsule_IsValid(c, Names<DlManaged>::fresh)) return consume<DlManaged>(c);
  const char* name = PyCapsule_GetName(c);
  const bool used = name && std::string_view(name).starts_with("used_dltensor");
  throw ValueError(used ? "from_dlpack: this capsule was consumed before; each can be used once"
                        : str("from_dlpack: not a DLPack capsule (its name is '", name ? name : "", "')"));
}

// Asks for the newest protocol the producer knows.
py::object ask(const py::object& source) {
  const py::object give = source.attr("__dlpack__");
  try {
    return give(py::arg("max_version") = py::make_tuple(1, 0));
  } catch (py::error_already_set& e) {
    if (!e.matches(PyExc_TypeError)) throw;
  }
  return give();
}

Tensor from_dlpack(const py::object& source, const py::object& device, const py::object& copy) {
  Tensor t;
  if (PyCapsule_CheckExact(source.ptr())) {
    t = from_capsule(source.ptr());
  } else if (py::hasattr(source, "__dlpack__")) {
    const py::object capsule = ask(source);
    if (!PyCapsule_CheckExact(capsule.ptr()))
      throw TypeError(str("from_dlpack: __dlpack__() must return a capsule, got ", Py_TYPE(capsule.ptr())->tp_name));
    t = from_capsule(capsule.ptr());
  } else {
    throw TypeError(str("from_dlpack: expected an object with __dlpack__ or a DLPack capsule, got ",
                        Py_TYPE(source.ptr())->tp_name));
  }
  const bool must = !copy.is_none() && py::cast<bool>(copy);
  if (!device.is_none() && device_from(device.ptr()) != t.device()) {
    if (!copy.is_none() && !must) refuse("from_dlpack: another device needs a copy, but copy=False was given");
    return to(t, {}, device_from(device.ptr()));
  }
  return must ? clone(t) : t;
}

}  // namespace

void init_dlpack(py::module_& m) {
  method("__dlpack__", to_capsule, py::arg("stream") = py::none(), py::arg("max_version") = py::none(),
         py::arg("dl_device") = py::none(), py::arg("copy") = py::none());
  method("__dlpack_device__", [](const Tensor& t) {
    const DlDevice d = dl_device(t);
    return py::make_tuple(d.type, d.index);
  });
  m.def(
      "from_dlpack", from_dlpack, py::arg("ext_tensor"), py::kw_only(), py::arg("device") = py::none(),
      py::arg("copy") = py::none(),
      "The tensor that shares memory with an object of another library (or with a DLPack capsule, which is used up).");
  m.def(
      "_to_dlpack", [](const Tensor& t) { return to_capsule(t, py::none(), py::none(), py::none(), py::none()); },
      py::arg("tensor"));
}

}  // namespace lamina::python
