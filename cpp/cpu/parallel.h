// Threads, per-thread scratch memory and interruption for kernels. Compiled once, used by every SIMD level.
#pragma once
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "lamina/cpu_runtime.h"

namespace lamina::cpu {

// Runs task(context, i) for every i in [0, tiles), each once, on up to num_threads() threads. The order is free, so a
// task must not care which thread runs it. Polls for interruption between tiles (throws Interrupted) and rethrows the
// first exception of a task. Nested calls run inline. `threads` caps the number of threads (0: no cap).
void run_tiles(int64_t tiles, void (*task)(void* context, int64_t tile), void* context, int threads = 0);

// 64-byte aligned memory of the calling thread, kept between calls; slots are independent buffers. Contents undefined.
inline constexpr int kScratchSlots = 4;
void* scratch(int slot, size_t bytes);

// What kernels throw, compiled here so that no exception code of a SIMD level is emitted as a shared symbol.
[[noreturn]] void unsupported(const char* kernel, DType dtype);
void check_interrupt();  // throws Interrupted when the user asked to stop

// for_tiles(count, [&](int64_t tile) { ... })
template <class F>
[[gnu::always_inline]] inline void for_tiles(int64_t tiles, F&& f, int threads = 0) {
  using Fn = std::remove_reference_t<F>;
  run_tiles(
      tiles, [](void* c, int64_t i) { (*static_cast<Fn*>(c))(i); }, const_cast<void*>(static_cast<const void*>(&f)),
      threads);
}

// for_ranges(n, grain, [&](int64_t lo, int64_t hi) { ... }): tiles of `grain` items.
template <class F>
[[gnu::always_inline]] inline void for_ranges(int64_t n, int64_t grain, F&& f, int threads = 0) {
  if (n <= grain) {
    if (n > 0) f(int64_t(0), n);
    return;
  }
  for_tiles((n + grain - 1) / grain, [&](int64_t t) { f(t * grain, t * grain + grain < n ? t * grain + grain : n); },
            threads);
}

// Throws ValueError: kernels compiled per SIMD level hold no exceptions of their own.
[[noreturn]] void fail(const char* message);

}  // namespace lamina::cpu
