// Chooses the SIMD level at load: the best one that the CPU has, or the one LAMINA_ISA names.
#include <cstdlib>
#include <string_view>

#include "lamina/backend.h"
#include "lamina/error.h"

namespace lamina::cpu {

// One table per level that the build holds (LAMINA_HAVE_*, set by CMake).
namespace base {
Kernels table();
}
namespace avx2 {
Kernels table();
}
namespace avx512 {
Kernels table();
}

namespace {

struct Level {
  const char* name;
  bool supported;
  Kernels (*table)();
};

const Level& level() {
  static const Level chosen = [] {
    const Level levels[] = {
#ifdef LAMINA_HAVE_avx512
        {"avx512", __builtin_cpu_supports("x86-64-v4") != 0, avx512::table},
#endif
#ifdef LAMINA_HAVE_avx2
        {"avx2", __builtin_cpu_supports("x86-64-v3") != 0, avx2::table},
#endif
#ifdef LAMINA_HAVE_base
        {"base", true, base::table},
#endif
    };
    const char* forced = std::getenv("LAMINA_ISA");
    std::string have;
    for (const Level& l : levels) {
      if (!l.supported) continue;
      if (!forced || !*forced || std::string_view(forced) == l.name) return l;
      have += std::string(have.empty() ? "" : ", ") + l.name;
    }
    raise<DeviceError>("LAMINA_ISA=", forced ? forced : "", ": this build and CPU offer ",
                       have.empty() ? "no level" : have.c_str());
  }();
  return chosen;
}

}  // namespace

const Kernels& kernels() {
  static const Kernels t = level().table();
  return t;
}
const char* isa_name() { return level().name; }

}  // namespace lamina::cpu
