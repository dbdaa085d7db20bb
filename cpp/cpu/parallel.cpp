// OpenMP team, thread count, scratch memory, fork safety and interruption.
#include "parallel.h"

#include <omp.h>
#include <pthread.h>
#include <sched.h>
#include <time.h>

#include <atomic>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <new>
#include <string>

#include "lamina/error.h"
#include "lamina/interrupt.h"
#include "lamina/testing.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace lamina::cpu {
namespace {

// CPUs this process may use: affinity mask, then the cgroup quota (v2, then v1), at least 1.
int usable_cpus() {
  int n = 1;
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) n = CPU_COUNT(&set);
  double quota = 0, period = 0;
  std::string first;
  if (std::ifstream f("/sys/fs/cgroup/cpu.max"); f >> first >> period) {
    quota = first == "max" ? 0 : std::strtod(first.c_str(), nullptr);
  } else {
    std::ifstream q("/sys/fs/cgroup/cpu/cpu.cfs_quota_us"), p("/sys/fs/cgroup/cpu/cpu.cfs_period_us");
    if (!(q >> quota && p >> period)) quota = 0;
  }
  if (quota > 0 && period > 0) n = std::min(n, std::max(1, int(quota / period + 0.5)));
  return std::max(n, 1);
}

int default_threads() {
  for (const char* var : {"LAMINA_NUM_THREADS", "OMP_NUM_THREADS"})
    if (const char* s = std::getenv(var))
      if (const int n = std::atoi(s); n > 0) return std::min(n, 1024);
  return usable_cpus();
}

std::atomic<int>& thread_count() {
  // A forked child has no OpenMP team: one thread there, so that it computes instead of hanging.
  static std::atomic<int> n = [] {
    pthread_atfork(nullptr, nullptr, [] { thread_count() = 1; });
    return default_threads();
  }();
  return n;
}

std::atomic<bool (*)()> interrupt_poll{nullptr};
std::atomic<bool> flush_denormal{false};
std::atomic<bool (*)()> scratch_failure{nullptr};
thread_local bool inside = false;                          // in a task
thread_local bool worker = false;                          // in a task, on another thread than the kernel's caller
thread_local const std::atomic<bool>* stopping = nullptr;  // the flag of the team that this thread works for
thread_local double polled = 0;

// The coarse clock: a few ns a call, exact to a few ms.
double seconds() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
  return double(t.tv_sec) + 1e-9 * double(t.tv_nsec);
}

#if defined(__x86_64__)
constexpr unsigned kFlushBits = 0x8040;  // MXCSR: flush to zero, denormals are zero
void apply_flush() {
  const unsigned now = _mm_getcsr(), want = flush_denormal ? now | kFlushBits : now & ~kFlushBits;
  if (now != want) _mm_setcsr(want);
}
#else
void apply_flush() {}
#endif

struct Scratch {
  void* p = nullptr;
  size_t bytes = 0;
  ~Scratch() { std::free(p); }
};

struct Team {
  int64_t tiles;
  void (*task)(void*, int64_t);
  void* context;
  std::atomic<int64_t> next{0};
  std::atomic<bool> stop{false};
  std::exception_ptr error{};

  void work(bool caller) {
    for (int64_t i; !stop && (i = next.fetch_add(1, std::memory_order_relaxed)) < tiles;) {
      try {
        task(context, i);
        if (caller && i + 1 < tiles) poll_now_and_then();
      } catch (...) {
        if (!stop.exchange(true)) error = std::current_exception();
      }
    }
  }
};

}  // namespace

int num_threads() { return thread_count(); }
void set_num_threads(int n) { thread_count() = std::max(1, std::min(n, 1024)); }
void set_interrupt_poll(bool (*poll)()) { interrupt_poll = poll; }
void set_flush_denormal(bool on) {
  flush_denormal = on;
  apply_flush();
}

bool poll_interrupt() {
  auto* poll = interrupt_poll.load(std::memory_order_relaxed);
  return poll && poll();
}

void poll_now_and_then() {
  const double now = seconds();
  if (now - polled <= 0.01) return;
  polled = now;
  if (poll_interrupt()) throw Interrupted();
}

void unsupported(const char* kernel, DType dtype) {
  raise<DtypeError>(kernel, ": not implemented for ", lamina::name(dtype), " on cpu");
}
void check_interrupt() {
  if (stopping && stopping->load(std::memory_order_relaxed)) throw Interrupted();
  if (!worker) poll_now_and_then();
}
void set_scratch_failure(bool (*due)()) { scratch_failure = due; }

void* scratch(int slot, size_t bytes) {
  static thread_local Scratch slots[kScratchSlots];
  Scratch& s = slots[slot];
  if (auto* due = scratch_failure.load(std::memory_order_relaxed); due && due())
    throw OutOfMemoryError(str("kernel scratch: cannot allocate ", bytes, " bytes (asked for by the test hook)"));
  if (s.bytes < bytes) {
    std::free(s.p);
    s.bytes = (bytes + 4095) & ~size_t(4095);
    s.p = std::aligned_alloc(64, s.bytes);
    if (!s.p) {
      s.bytes = 0;
      throw OutOfMemoryError(str("kernel scratch: cannot allocate ", bytes, " bytes"));
    }
  }
  return s.p;
}

void run_tiles(int64_t tiles, void (*task)(void*, int64_t), void* context, int threads) {
  if (tiles <= 0) return;
  if (tiles == 1) return task(context, 0);
  int n = inside ? 1 : int(std::min<int64_t>(num_threads(), tiles));
  if (threads > 0) n = std::min(n, threads);
  Team team{tiles, task, context};
  const bool nested = inside;
  inside = true;
  if (!nested) polled = seconds();
  if (n <= 1) {
    team.work(!nested);
  } else {
#pragma omp parallel num_threads(n)
    {
      const bool was = inside;
      inside = true;
      worker = omp_get_thread_num() != 0;
      stopping = &team.stop;
      apply_flush();
      team.work(!worker);
      stopping = nullptr;
      worker = false;
      inside = was;
    }
  }
  inside = nested;
  if (team.error) std::rethrow_exception(team.error);
}

void fail(const char* message) { raise<ValueError>(message); }

}  // namespace lamina::cpu
