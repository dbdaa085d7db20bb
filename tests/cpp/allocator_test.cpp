// The caching allocator: alignment, reuse, bounded growth, failures, threads, fork, exit.
#include "core/allocator.h"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "lamina/error.h"

using namespace lamina;

#define CHECK(x) \
  if (!(x)) (std::fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #x), std::exit(1))

namespace {

int64_t allocated() { return memory_stats().allocated; }

template <class F>
bool out_of_memory(F f, const char* text) {
  try {
    f();
  } catch (const OutOfMemoryError& e) {
    return std::strstr(e.what(), text) != nullptr;
  }
  return false;
}

void test_sizes() {
  CHECK(cpu_allocate(0) == nullptr);
  cpu_free(nullptr, 0);
  const int64_t before = allocated();
  std::vector<std::pair<char*, size_t>> live;
  for (size_t n = 1; n < (size_t(1) << 24); n += n / 7 + 1) {
    auto* p = static_cast<char*>(cpu_allocate(n));
    CHECK(reinterpret_cast<uintptr_t>(p) % (n > (32 << 10) ? 4096 : 64) == 0);
    p[0] = char(n);
    p[n - 1] = char(n);
    live.emplace_back(p, n);
  }
  for (auto& [p, n] : live) {
    CHECK(p[n - 1] == char(n));
    cpu_free(p, n);
  }
  CHECK(allocated() == before);
  void* p = cpu_allocate(100);
  CHECK(allocated() == before + 128);
  cpu_free(p, 100);
  CHECK(cpu_allocate(100) == p);
  cpu_free(p, 100);
}

// Blocks in use never overlap, whatever the order.
void test_no_overlap() {
  std::mt19937 rng(1);
  struct Block {
    unsigned char* p;
    size_t n;
    unsigned char tag;
  };
  std::vector<Block> live;
  for (int i = 0; i < 20000; ++i) {
    if (live.size() < 300 && rng() % 2) {
      const size_t n = size_t(1) << (rng() % 18);
      const size_t bytes = n + rng() % n;
      Block b{static_cast<unsigned char*>(cpu_allocate(bytes)), bytes, static_cast<unsigned char>(rng())};
      std::memset(b.p, b.tag, b.n);
      live.push_back(b);
    } else if (!live.empty()) {
      std::swap(live[rng() % live.size()], live.back());
      const Block b = live.back();
      live.pop_back();
      CHECK(b.p[0] == b.tag && std::memcmp(b.p, b.p + 1, b.n - 1) == 0);
      cpu_free(b.p, b.n);
    }
  }
  for (auto& b : live) cpu_free(b.p, b.n);
}

// 10,000 shapes never seen before leave no more behind than one of them needed, plus the fixed slack.
void test_changing_shapes() {
  empty_cache();
  const int64_t base = memory_stats().reserved;
  std::mt19937 rng(2);
  for (int i = 0; i < 10000; ++i) {
    const size_t a = 1 + rng() % (16 << 20), b = 1 + rng() % (1 << 16);
    void* p = cpu_allocate(a);
    void* q = cpu_allocate(b);
    cpu_free(p, a);
    cpu_free(q, b);
    CHECK(memory_stats().reserved - base < (128 << 20));
  }
  CHECK(empty_cache() > 0);
  CHECK(memory_stats().reserved <= base);
}

void test_failures() {
  const int64_t before = allocated();
  for (size_t huge : {SIZE_MAX, SIZE_MAX / 2, size_t(1) << 62, (size_t(1) << 47) + 1, size_t(1) << 46})
    CHECK(out_of_memory([&] { cpu_allocate(huge); }, std::to_string(huge).c_str()));
  CHECK(allocated() == before);
  set_allocation_failure(3);
  void* a = cpu_allocate(10);
  void* b = cpu_allocate(1 << 20);
  CHECK(out_of_memory([] { cpu_allocate(77); }, "77"));
  void* c = cpu_allocate(77);
  cpu_free(a, 10);
  cpu_free(b, 1 << 20);
  cpu_free(c, 77);
  set_allocation_failure(1);
  set_allocation_failure(0);
  cpu_free(cpu_allocate(5), 5);
  CHECK(allocated() == before);
}

// The cache is given back before an allocation is refused.
void test_retry() {
#if !defined(__SANITIZE_ADDRESS__)
  if (const pid_t child = fork(); child == 0) {
    empty_cache();
    void* p = cpu_allocate(40 << 20);
    const size_t q_bytes = 60 << 20;
    std::string line;
    size_t vm = 0;
    if (FILE* f = std::fopen("/proc/self/statm", "r")) {
      if (std::fscanf(f, "%zu", &vm) != 1) vm = 0;
      std::fclose(f);
    }
    const rlimit limit{vm * 4096 + (30 << 20), vm * 4096 + (30 << 20)};
    setrlimit(RLIMIT_AS, &limit);
    cpu_free(p, 40 << 20);
    void* q = cpu_allocate(q_bytes);  // fits only where p was
    CHECK(q);
    CHECK(out_of_memory([] { cpu_allocate(400 << 20); }, "419430400"));
    _exit(0);
  } else {
    int status = 1;
    waitpid(child, &status, 0);
    CHECK(status == 0);
  }
#endif
}

void test_threads() {
  const int64_t before = allocated();
  for (int round = 0; round < 20; ++round) {
    std::vector<std::pair<void*, size_t>> handed(4000);
    std::vector<std::thread> team;
    for (int t = 0; t < 4; ++t)
      team.emplace_back([&, t] {
        std::mt19937 rng(t);
        for (int i = t; i < 4000; i += 4) {
          const size_t n = 1 + rng() % (i % 100 ? 3000 : 100000);
          handed[i] = {cpu_allocate(n), n};
          cpu_free(cpu_allocate(n), n);
        }
      });
    for (auto& t : team) t.join();
    for (auto [p, n] : handed) cpu_free(p, n);  // freed by another thread than the one that asked
  }
  CHECK(allocated() == before);
  empty_cache();
  CHECK(memory_stats().reserved < (16 << 20));  // the ended threads kept nothing
}

struct AtThreadEnd {
  void* p = nullptr;
  ~AtThreadEnd() { cpu_free(p, 50), cpu_free(cpu_allocate(60), 60); }
};
thread_local AtThreadEnd at_thread_end;
AtThreadEnd at_exit;

void test_ends_and_fork() {
  const int64_t before = allocated();
  std::thread([] { at_thread_end.p = cpu_allocate(50); }).join();
  CHECK(allocated() == before);
  at_exit.p = cpu_allocate(50);
  std::vector<std::thread> team;
  std::atomic<bool> stop{false};
  for (int t = 0; t < 2; ++t)
    team.emplace_back([&] {
      while (!stop) cpu_free(cpu_allocate(200000), 200000), cpu_free(cpu_allocate(200), 200);
    });
  for (int i = 0; i < 50; ++i) {
    const pid_t child = fork();
    if (child == 0) {
      for (size_t n = 1; n < (1 << 20); n *= 3) cpu_free(cpu_allocate(n), n);
      empty_cache();
      _exit(0);
    }
    int status = 1;
    waitpid(child, &status, 0);
    CHECK(status == 0);
  }
  stop = true;
  for (auto& t : team) t.join();
}

void print_speed() {
  for (size_t n : {64, 4096, 1 << 20}) {
    double best = 1e9;
    for (int round = 0; round < 20; ++round) {
      const auto t0 = std::chrono::steady_clock::now();
      for (int i = 0; i < 20000; ++i) {
        void* p = cpu_allocate(n);
        asm volatile("" ::"r"(p) : "memory");
        cpu_free(p, n);
      }
      best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - t0).count() / 20000);
    }
    std::printf("allocate + free of %zu bytes: %.1f ns\n", n, best * 1e9);
  }
}

}  // namespace

int main() {
  test_sizes();
  test_no_overlap();
  test_changing_shapes();
  test_failures();
  test_retry();
  test_threads();
  test_ends_and_fork();
  print_speed();
  std::puts("ok");
}
