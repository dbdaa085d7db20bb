// Typed errors. Each becomes a Python class of the same name that also derives from the builtin people catch.
#pragma once
#include <sstream>
#include <stdexcept>
#include <string>

namespace lamina {

struct Error : std::runtime_error {
  using std::runtime_error::runtime_error;
};
struct ShapeError : Error {  // Python: also ValueError (and RuntimeError, as in PyTorch)
  using Error::Error;
};
struct DtypeError : Error {  // Python: also TypeError
  using Error::Error;
};
struct DeviceError : Error {  // Python: also RuntimeError
  using Error::Error;
};
struct GradError : Error {  // Python: also RuntimeError
  using Error::Error;
};
struct IndexError : Error {  // Python: also IndexError
  using Error::Error;
};
struct ValueError : Error {  // Python: also ValueError
  using Error::Error;
};
struct TypeError : Error {  // Python: also TypeError
  using Error::Error;
};
struct FileError : Error {  // Python: also OSError
  using Error::Error;
};
struct OutOfMemoryError : Error {  // Python: also MemoryError
  using Error::Error;
};
struct Interrupted : Error {  // Python: the pending KeyboardInterrupt
  Interrupted() : Error("interrupted") {}
};

// str("linear: x has ", 12, " features") -> std::string
template <class... A>
std::string str(const A&... a) {
  std::ostringstream o;
  (o << ... << a);
  return o.str();
}

template <class E, class... A>
[[noreturn, gnu::cold, gnu::noinline]] void raise(const A&... a) {
  throw E(str(a...));
}

}  // namespace lamina
