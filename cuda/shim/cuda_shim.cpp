// The fibers behind the host shim. Blocks run one after another on the calling thread; a fiber's stack is used again as
// soon as its thread has ended, so kernels without barriers need one stack only.
#include "shim/cuda_shim.h"

#include <sys/mman.h>
#if !defined(__x86_64__)
#include <ucontext.h>
#endif

#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <vector>

namespace lamina::shim {
namespace {

[[noreturn]] void die(const char* what, Where a, Where b = {}) {
  std::fprintf(stderr, "cuda shim: %s at %s:%u", what, a.file_name(), unsigned(a.line()));
  if (b.line()) std::fprintf(stderr, " and %s:%u", b.file_name(), unsigned(b.line()));
  std::fputc('\n', stderr);
  std::abort();
}

#if defined(__x86_64__)
// Saves the registers that a call must keep, and goes on at another stack.
extern "C" void lamina_shim_switch(void** save, void* to);
asm(R"(
.pushsection .text
.hidden lamina_shim_switch
.globl lamina_shim_switch
.type lamina_shim_switch, @function
lamina_shim_switch:
  push %rbp
  push %rbx
  push %r12
  push %r13
  push %r14
  push %r15
  mov %rsp, (%rdi)
  mov %rsi, %rsp
  pop %r15
  pop %r14
  pop %r13
  pop %r12
  pop %rbx
  pop %rbp
  ret
.popsection
)");
using Context = void*;
void switch_to(Context& save, Context& to) { lamina_shim_switch(&save, to); }
void prepare(Context& c, char* stack, size_t bytes, void (*entry)()) {
  void** sp = reinterpret_cast<void**>(stack + bytes - 64);
  *--sp = nullptr;  // entry starts as if it had been called: 8 bytes off a 16-byte border
  *--sp = reinterpret_cast<void*>(entry);
  for (int i = 0; i < 6; ++i) *--sp = nullptr;
  c = sp;
}
#else
using Context = ucontext_t;
void switch_to(Context& save, Context& to) { swapcontext(&save, &to); }
void prepare(Context& c, char* stack, size_t bytes, void (*entry)()) {
  getcontext(&c);
  c.uc_stack = {stack, 0, bytes};
  c.uc_link = nullptr;
  makecontext(&c, entry, 0);
}
#endif

constexpr size_t kStack = 128 << 10;

// Stacks with a guard page below, kept for the life of the thread.
class Stacks {
 public:
  ~Stacks() {
    for (char* s : all_) munmap(s, kStack);
  }
  char* take() {
    if (free_.empty()) {
      void* p = mmap(nullptr, kStack, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
      if (p == MAP_FAILED) die("no memory for a stack", Where::current());
      mprotect(p, 4096, PROT_NONE);
      all_.push_back(static_cast<char*>(p));
      return static_cast<char*>(p);
    }
    char* s = free_.back();
    free_.pop_back();
    return s;
  }
  void give(char* s) { free_.push_back(s); }

 private:
  std::vector<char*> all_, free_;
};

enum class State { fresh, ready, waiting, ended };

struct Fiber {
  Thread info;
  Context context{};
  char* stack = nullptr;
  State state = State::fresh;
  unsigned parity = 0;
  Where at;
};

struct Warp {
  unsigned waiting = 0;
  alignas(16) char slot[2][32][16];
};

struct Block {
  std::vector<Fiber> fibers;
  std::vector<Warp> warps;
  std::map<const void*, std::unique_ptr<char, void (*)(void*)>> shared;
  unsigned alive = 0, arrived = 0;
  void (*body)(const void*) = nullptr;
  const void* context = nullptr;
  Context scheduler{};
};

thread_local Block* block = nullptr;
thread_local Fiber* current = nullptr;

void wait_here() {
  Fiber* me = current;
  me->state = State::waiting;
  switch_to(me->context, block->scheduler);
  current = me;
}

void release_block() {
  for (Fiber& f : block->fibers)
    if (f.state == State::waiting) f.state = State::ready;
  block->arrived = 0;
}

void entry() {
  block->body(block->context);
  current->state = State::ended;
  if (--block->alive && block->arrived == block->alive) release_block();
  switch_to(current->context, block->scheduler);
}

std::vector<unsigned> thread_order(unsigned n) {
  const char* name = std::getenv("LAMINA_SHIM_ORDER");
  std::vector<unsigned> order(n);
  for (unsigned i = 0; i < n; ++i) order[i] = name && *name == 'r' ? n - 1 - i : i;
  if (name && *name >= '0' && *name <= '9') {
    uint64_t s = std::strtoull(name, nullptr, 10) * 2654435761u + 1;
    for (unsigned i = n; i > 1; --i) {
      s = s * 6364136223846793005u + 1442695040888963407u;
      std::swap(order[i - 1], order[(s >> 33) % i]);
    }
  }
  return order;
}

void run_block(Block& b, Stacks& stacks, const std::vector<unsigned>& order) {
  block = &b;
  b.alive = unsigned(b.fibers.size());
  for (unsigned ended = 0; ended < b.fibers.size();) {
    bool ran = false;
    for (unsigned i : order) {
      Fiber& f = b.fibers[i];
      if (f.state == State::fresh) {
        f.stack = stacks.take();
        prepare(f.context, f.stack, kStack, entry);
        f.state = State::ready;
      }
      if (f.state != State::ready) continue;
      ran = true;
      current = &f;
      switch_to(b.scheduler, f.context);
      if (f.state != State::ended) continue;
      stacks.give(f.stack);
      ++ended;
    }
    if (ran) continue;
    for (Fiber& f : b.fibers)
      if (f.state == State::waiting) die("a barrier that some threads never reach", f.at);
  }
  block = nullptr;
  current = nullptr;
}

}  // namespace

const Thread& self() { return current->info; }

void block_barrier(Where where) {
  current->at = where;
  if (++block->arrived < block->alive) return wait_here();
  for (Fiber& f : block->fibers)
    if (f.state == State::waiting && (f.at.line() != where.line() || f.at.column() != where.column()))
      die("threads wait at different barriers", where, f.at);
  release_block();
}

void warp_barrier(unsigned mask, Where where) {
  const unsigned lane = current->info.linear & 31, first = current->info.linear & ~31u;
  Warp& w = block->warps[current->info.linear / 32];
  if (!(mask >> lane & 1)) die("a lane that is not in its own mask", where);
  unsigned live = 0;
  for (unsigned i = 0; i < 32 && first + i < block->fibers.size(); ++i)
    live |= unsigned(block->fibers[first + i].state != State::ended) << i;
  w.waiting |= 1u << lane;
  current->at = where;
  if ((w.waiting & mask) != (mask & live)) return wait_here();
  for (unsigned i = 0; i < 32; ++i)
    if (i != lane && (w.waiting & mask) >> i & 1) block->fibers[first + i].state = State::ready;
  w.waiting &= ~mask;
}

void exchange(unsigned mask, const void* value, size_t bytes, unsigned source, void* out, Where where) {
  const unsigned lane = current->info.linear & 31, parity = current->parity++ & 1;
  Warp& w = block->warps[current->info.linear / 32];
  std::memcpy(w.slot[parity][lane], value, bytes);
  warp_barrier(mask, where);
  std::memcpy(out, w.slot[parity][source & 31], bytes);
}

void* shared(const void* declaration, size_t bytes) {
  const auto found = block->shared.find(declaration);
  if (found != block->shared.end()) return found->second.get();
  char* p = static_cast<char*>(std::aligned_alloc(128, (bytes + 127) & ~size_t(127)));
  if (!p) die("no memory for shared memory", Where::current());
  std::memset(p, 0xff, bytes);
  block->shared.emplace(declaration, std::unique_ptr<char, void (*)(void*)>(p, std::free));
  return p;
}

void launch(dim3 grid, dim3 size, void (*body)(const void*), const void* context) {
  static thread_local Stacks stacks;
  const unsigned n = size.x * size.y * size.z;
  if (n == 0 || n > 1024) die("a block of too many threads", Where::current());
  const std::vector<unsigned> order = thread_order(n);
  const uint64_t blocks = uint64_t(grid.x) * grid.y * grid.z;
  for (uint64_t i = 0; i < blocks; ++i) {
    Block b;
    b.body = body;
    b.context = context;
    b.warps.resize((n + 31) / 32);
    b.fibers.resize(n);
    for (unsigned t = 0; t < n; ++t) {
      Thread& info = b.fibers[t].info;
      info.thread = {t % size.x, t / size.x % size.y, t / (size.x * size.y)};
      info.block = {unsigned(i % grid.x), unsigned(i / grid.x % grid.y), unsigned(i / (uint64_t(grid.x) * grid.y))};
      info.block_size = size;
      info.grid = grid;
      info.linear = t;
    }
    run_block(b, stacks, order);
  }
}

}  // namespace lamina::shim

cudaError_t cudaMallocAsync(void** p, size_t bytes, cudaStream_t) {
  *p = bytes < (size_t(1) << 46) ? std::aligned_alloc(256, (bytes + 255) & ~size_t(255)) : nullptr;
  if (!*p) return cudaErrorMemoryAllocation;
  std::memset(*p, 0xff, bytes);
  return cudaSuccess;
}
cudaError_t cudaFreeAsync(void* p, cudaStream_t) {
  std::free(p);
  return cudaSuccess;
}
cudaError_t cudaGetDeviceCount(int* count) {
  *count = 1;
  return cudaSuccess;
}
cudaError_t cudaSetDevice(int device) { return device == 0 ? cudaSuccess : cudaErrorInvalidDevice; }
const char* cudaGetErrorString(cudaError_t e) {
  return e == cudaErrorMemoryAllocation ? "out of memory"
         : e == cudaErrorInvalidDevice  ? "invalid device ordinal"
                                        : "error";
}
