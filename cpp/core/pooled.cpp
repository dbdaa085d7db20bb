// Free lists of small objects, one set per thread, with a bound on what a thread keeps.
#include "lamina/pooled.h"

#include <cstdint>
#include <new>

#if defined(__SANITIZE_ADDRESS__)
#define LAMINA_NO_POOL 1  // every object its own block, so that the sanitizer sees each use after free
#else
#define LAMINA_NO_POOL 0
#endif

namespace lamina {
namespace {

constexpr size_t kStep = 64, kClasses = 9;  // up to 576 bytes
constexpr uint32_t kKeep = 256;             // objects of a class that one thread keeps

struct Free {
  Free* next;
};
struct Lists {
  Free* head[kClasses];
  uint32_t room[kClasses];  // how many more may be kept; zero before the first use and after the thread's end
  bool started;
};
// Trivial, so that objects freed by later thread_local destructors still find it.
[[gnu::tls_model("initial-exec")]] constinit thread_local Lists lists{};

// Gives the lists back when the thread ends.
struct Cleanup {
  ~Cleanup() {
    for (size_t c = 0; c < kClasses; ++c) {
      lists.room[c] = 0;
      while (Free* f = lists.head[c]) {
        lists.head[c] = f->next;
        ::operator delete(f);
      }
    }
  }
};

[[gnu::noinline, gnu::cold]] void start() {
  static thread_local Cleanup cleanup;
  (void)&cleanup;
  lists.started = true;
  for (uint32_t& r : lists.room) r = kKeep;
}

}  // namespace

void* pooled_allocate(size_t bytes) {
  const size_t c = (bytes - 1) / kStep;
  if (LAMINA_NO_POOL || c >= kClasses) return ::operator new(bytes);
  if (Free* f = lists.head[c]) {
    lists.head[c] = f->next;
    ++lists.room[c];
    return f;
  }
  return ::operator new((c + 1) * kStep);
}

void pooled_free(void* p, size_t bytes) noexcept {
  const size_t c = (bytes - 1) / kStep;
  if (LAMINA_NO_POOL || c >= kClasses) return ::operator delete(p);
  if (lists.room[c] == 0) {
    if (lists.started) return ::operator delete(p);
    start();
  }
  auto* f = static_cast<Free*>(p);
  f->next = lists.head[c];
  lists.head[c] = f;
  --lists.room[c];
}

}  // namespace lamina
