// Caching allocator. Blocks up to 32 KiB are carved from 256 KiB slabs and kept in per-thread lists over one shared
// pool; larger blocks are mappings of their own, kept by size class and given back oldest first.
#include "core/allocator.h"

#include <pthread.h>
#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <mutex>
#include <new>

#include "lamina/error.h"
#include "lamina/testing.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#define LAMINA_POISON(p, n) __asan_poison_memory_region(p, n)
#define LAMINA_UNPOISON(p, n) __asan_unpoison_memory_region(p, n)
#else
#define LAMINA_POISON(p, n) ((void)(p), (void)(n))
#define LAMINA_UNPOISON(p, n) ((void)(p), (void)(n))
#endif

namespace lamina {
namespace {

constexpr size_t kAlign = 64, kPage = 4096, kHugePage = size_t(2) << 20;
constexpr size_t kSlab = 256 << 10, kSmallMax = 32 << 10;
constexpr size_t kLargest = size_t(1) << 47;   // the user address space of x86-64
constexpr size_t kThreadBytes = 64 << 10;      // kept per class by one thread
constexpr int64_t kSlack = int64_t(64) << 20;  // cached beyond what was ever needed at once
constexpr int kLinear = 16, kSmallClasses = kLinear + 5 * 4, kLargeClasses = 32 * 8;

// 64, 128 ... 1024, then four classes per doubling: at most a fifth is wasted.
int small_class(size_t bytes) {
  if (bytes <= kLinear * kAlign) return int((bytes + kAlign - 1) / kAlign) - 1;
  const size_t b = bytes - 1;
  const int lg = std::bit_width(b) - 1;
  return kLinear + (lg - 10) * 4 + int((b >> (lg - 2)) & 3);
}
size_t small_size(int c) {
  if (c < kLinear) return size_t(c + 1) * kAlign;
  return size_t(5 + (c - kLinear) % 4) << ((c - kLinear) / 4 + 8);
}
// Eight classes per doubling from 32 KiB, all whole pages.
int large_class(size_t bytes) {
  const size_t b = bytes - 1;
  const int lg = std::bit_width(b) - 1;
  return (lg - 15) * 8 + int((b >> (lg - 3)) & 7);
}
size_t large_size(int c) { return size_t(9 + c % 8) << (c / 8 + 12); }

struct Free {  // a free small block, linked through its first word
  Free* next;
};
Free* next_of(Free* b) {
  LAMINA_UNPOISON(b, sizeof(Free));
  return b->next;
}

struct Slab {  // the first 64 bytes of each slab
  Slab* next;
  int size_class;
  int carved;  // blocks handed out of it so far
  int free;    // counted by empty_cache
};
static_assert(sizeof(Slab) <= kAlign);
Slab* slab_of(void* p) { return reinterpret_cast<Slab*>(reinterpret_cast<uintptr_t>(p) & ~(kSlab - 1)); }

struct Large {  // a cached large block: linked in its class and in the order of release
  Large *newer, *older, *next, *prev;
  int size_class;
};

struct Counters {
  std::atomic<int64_t> allocations{0}, frees{0}, hits{0};
};
// Only the owner writes, so no locked instruction is needed.
void bump(std::atomic<int64_t>& c) { c.store(c.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed); }

struct ThreadCache {
  struct List {
    Free* head = nullptr;
    uint32_t count = 0, limit = 0;
  };
  List lists[kSmallClasses];
  Counters counters;
  ThreadCache *next = nullptr, *prev = nullptr;  // registry, for statistics

  ThreadCache() {
    for (int c = 0; c < kSmallClasses; ++c) {
      const size_t n = kThreadBytes / small_size(c);
      lists[c].limit = uint32_t(n > 256 ? 256 : n < 4 ? 4 : n);
    }
  }
};

// All shared state. Leaked on purpose: tensors of static lifetime may be freed after every destructor has run.
struct Pool {
  std::mutex small_lock, large_lock;  // taken in this order where both are needed
  struct Class {
    Free* head = nullptr;
    char *bump = nullptr, *end = nullptr;
  };
  Class small[kSmallClasses];
  Slab* slabs = nullptr;
  Large* large[kLargeClasses] = {};
  Large *newest = nullptr, *oldest = nullptr;
  ThreadCache* threads = nullptr;  // guarded by small_lock, as `retired`
  Counters retired;
  pthread_key_t key = 0;

  alignas(64) std::atomic<int64_t> allocated{0};
  std::atomic<int64_t> peak_allocated{0};
  std::atomic<int64_t> high_water{0};  // as the peak, since empty_cache(): what may stay cached follows it
  alignas(64) std::atomic<int64_t> reserved{0};
  std::atomic<int64_t> peak_reserved{0}, system_allocs{0}, system_frees{0}, out_of_memory{0};
};

std::atomic<int64_t> fail_countdown{0};

ThreadCache* const kNoCache = reinterpret_cast<ThreadCache*>(1);  // this thread is ending: use the pool directly
// null until the thread's first use. initial-exec: one word of static TLS saves a call on each allocation.
[[gnu::tls_model("initial-exec")]] constinit thread_local ThreadCache* tls = nullptr;

void raise_to(std::atomic<int64_t>& peak, int64_t value) {
  int64_t p = peak.load(std::memory_order_relaxed);
  while (value > p && !peak.compare_exchange_weak(p, value, std::memory_order_relaxed)) {
  }
}

void retire_thread(void* p);

Pool& pool() {
  static Pool& p = *[] {
    auto* made = new Pool;
    pthread_key_create(&made->key, retire_thread);
    // A child must find both locks free and the lists whole.
    pthread_atfork([] { pool().small_lock.lock(), pool().large_lock.lock(); },
                   [] { pool().large_lock.unlock(), pool().small_lock.unlock(); },
                   [] { pool().large_lock.unlock(), pool().small_lock.unlock(); });
    return made;
  }();
  return p;
}

void account(Pool& p, int64_t size) {
  const int64_t now = p.allocated.fetch_add(size, std::memory_order_relaxed) + size;
  if (now > p.peak_allocated.load(std::memory_order_relaxed)) {
    raise_to(p.peak_allocated, now);
    raise_to(p.high_water, now);
  }
}

// Pages from the system, aligned; null when there are none.
void* map(Pool& p, size_t bytes, size_t align) {
  const size_t ask = align > kPage ? bytes + align - kPage : bytes;
  void* base = mmap(nullptr, ask, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (base == MAP_FAILED) return nullptr;
  char* lo = static_cast<char*>(base);
  char* start = reinterpret_cast<char*>((reinterpret_cast<uintptr_t>(lo) + align - 1) & ~(align - 1));
  if (start != lo) munmap(lo, size_t(start - lo));
  if (const size_t tail = ask - size_t(start - lo) - bytes) munmap(start + bytes, tail);
  p.system_allocs.fetch_add(1, std::memory_order_relaxed);
  raise_to(p.peak_reserved, p.reserved.fetch_add(int64_t(bytes), std::memory_order_relaxed) + int64_t(bytes));
  return start;
}
void unmap(Pool& p, void* start, size_t bytes) {
  LAMINA_UNPOISON(start, bytes);
  munmap(start, bytes);
  p.system_frees.fetch_add(1, std::memory_order_relaxed);
  p.reserved.fetch_sub(int64_t(bytes), std::memory_order_relaxed);
}

// One block of class c out of the shared pool; small_lock is held.
Free* pool_pop(Pool& p, int c, bool* mapped) {
  Pool::Class& s = p.small[c];
  if (Free* b = s.head) {
    s.head = next_of(b);
    return b;
  }
  const size_t size = small_size(c);
  if (s.bump == s.end) {
    void* fresh = map(p, kSlab, kSlab);
    if (!fresh) return nullptr;
    *mapped = true;
    p.slabs = new (fresh) Slab{p.slabs, c, 0, 0};
    s.bump = static_cast<char*>(fresh) + kAlign;
    s.end = s.bump + (kSlab - kAlign) / size * size;
    LAMINA_POISON(s.bump, size_t(s.end - s.bump));
  }
  auto* b = reinterpret_cast<Free*>(s.bump);
  s.bump += size;
  ++slab_of(b)->carved;
  return b;
}
void pool_push(Pool& p, int c, Free* b) {
  LAMINA_UNPOISON(b, sizeof(Free));
  b->next = p.small[c].head;
  p.small[c].head = b;
}

// Moves `n` blocks of the thread to the pool; small_lock is held.
void give_back(Pool& p, ThreadCache& t, int c, uint32_t n) {
  ThreadCache::List& l = t.lists[c];
  for (; n && l.head; --n) {
    Free* b = l.head;
    l.head = next_of(b);
    --l.count;
    pool_push(p, c, b);
  }
}

void add_counters(Counters& to, const Counters& from) {
  to.allocations += from.allocations.load(std::memory_order_relaxed);
  to.frees += from.frees.load(std::memory_order_relaxed);
  to.hits += from.hits.load(std::memory_order_relaxed);
}

// Runs when a thread ends, after its thread_local destructors.
void retire_thread(void* ptr) {
  auto* t = static_cast<ThreadCache*>(ptr);
  Pool& p = pool();
  tls = kNoCache;
  {
    std::lock_guard lock(p.small_lock);
    for (int c = 0; c < kSmallClasses; ++c) give_back(p, *t, c, t->lists[c].count);
    add_counters(p.retired, t->counters);
    if (t->next) t->next->prev = t->prev;
    (t->prev ? t->prev->next : p.threads) = t->next;
  }
  delete t;
}

ThreadCache* make_cache(Pool& p) {
  auto* t = new (std::nothrow) ThreadCache;
  if (!t) return nullptr;
  if (pthread_setspecific(p.key, t) != 0) {
    delete t;
    return nullptr;
  }
  std::lock_guard lock(p.small_lock);
  t->next = p.threads;
  if (t->next) t->next->prev = t;
  p.threads = t;
  return tls = t;
}
// The calling thread's cache, or null where there is none to have.
ThreadCache* cache(Pool& p) {
  ThreadCache* t = tls;
  return t == kNoCache ? nullptr : t ? t : make_cache(p);
}

// Under ASan, exactly the bytes asked for may be touched.
void* hand_out(void* b, size_t size, size_t bytes) {
  LAMINA_POISON(b, size);
  LAMINA_UNPOISON(b, bytes);
  return b;
}

void* allocate_small(Pool& p, int c, bool* mapped) {
  ThreadCache* t = cache(p);
  if (t && t->lists[c].head) {  // here only while a failure is being counted down
    Free* b = t->lists[c].head;
    t->lists[c].head = next_of(b);
    --t->lists[c].count;
    return b;
  }
  std::lock_guard lock(p.small_lock);
  Free* b = pool_pop(p, c, mapped);
  if (!b || !t) return b;
  ThreadCache::List& l = t->lists[c];
  // Take a batch along, but map no second slab for it.
  for (uint32_t n = l.limit / 2; n && (p.small[c].head || p.small[c].bump != p.small[c].end); --n) {
    Free* more = pool_pop(p, c, mapped);
    LAMINA_UNPOISON(more, sizeof(Free));
    more->next = l.head;
    l.head = more;
    ++l.count;
  }
  return b;
}

void unlink(Pool& p, Large* b) {
  (b->newer ? b->newer->older : p.newest) = b->older;
  (b->older ? b->older->newer : p.oldest) = b->newer;
  if (b->next) b->next->prev = b->prev;
  (b->prev ? b->prev->next : p.large[b->size_class]) = b->next;
}

// Gives cached large blocks back, the longest unused first, until `reserved` is at most `target`; large_lock is held.
void evict(Pool& p, int64_t target) {
  while (p.oldest && p.reserved.load(std::memory_order_relaxed) > target) {
    Large* b = p.oldest;
    LAMINA_UNPOISON(b, sizeof(Large));
    unlink(p, b);
    unmap(p, b, large_size(b->size_class));
  }
}

void* allocate_large(Pool& p, int c, bool* mapped) {
  const size_t size = large_size(c);
  std::unique_lock lock(p.large_lock);
  if (Large* b = p.large[c]) {
    LAMINA_UNPOISON(b, size);
    unlink(p, b);
    return b;
  }
  // Changing shapes must not pile up blocks of sizes no longer used: hold a quarter more than was ever live at once.
  const int64_t live = p.allocated.load(std::memory_order_relaxed) + int64_t(size);
  const int64_t peak = std::max(live, p.high_water.load(std::memory_order_relaxed));
  evict(p, peak + peak / 4 + kSlack - int64_t(size));
  lock.unlock();
  *mapped = true;
  void* b = map(p, size, size >= 2 * kHugePage ? kHugePage : kPage);
  if (b && size >= 2 * kHugePage) madvise(b, size, MADV_HUGEPAGE);  // 512 times fewer faults; advice may be refused
  return b;
}

[[noreturn, gnu::cold]] void out_of_memory(size_t bytes, const char* why) {
  const MemoryStats s = memory_stats();
  pool().out_of_memory.fetch_add(1, std::memory_order_relaxed);
  raise<OutOfMemoryError>("out of memory: cannot allocate ", bytes, " bytes on cpu", why, " (", s.allocated,
                          " bytes in use by tensors, ", s.reserved,
                          " held from the system); smaller batches need less, or free tensors that are no longer used");
}

bool failure_due() {
  int64_t k = fail_countdown.load(std::memory_order_relaxed);
  while (k > 0)
    if (fail_countdown.compare_exchange_weak(k, k - 1)) return k == 1;
  return false;
}

[[gnu::noinline]] void* allocate_slow(size_t bytes) {
  if (failure_due()) out_of_memory(bytes, " (asked for by the test hook)");
  if (bytes > kLargest) out_of_memory(bytes, "");
  Pool& p = pool();
  const bool small = bytes <= kSmallMax;
  const int c = small ? small_class(bytes) : large_class(bytes);
  bool mapped = false;
  void* b = small ? allocate_small(p, c, &mapped) : allocate_large(p, c, &mapped);
  if (!b) {
    empty_cache();
    b = small ? allocate_small(p, c, &mapped) : allocate_large(p, c, &mapped);
    if (!b) out_of_memory(bytes, "");
  }
  const size_t size = small ? small_size(c) : large_size(c);
  account(p, int64_t(size));
  if (ThreadCache* t = cache(p)) {
    bump(t->counters.allocations);
    if (!mapped) bump(t->counters.hits);
  } else {
    p.retired.allocations += 1;
    if (!mapped) p.retired.hits += 1;
  }
  return hand_out(b, size, bytes);
}

[[gnu::noinline]] void free_slow(void* ptr, size_t bytes) noexcept {
  Pool& p = pool();
  ThreadCache* t = cache(p);
  if (t) {
    bump(t->counters.frees);
  } else {
    p.retired.frees += 1;
  }
  if (bytes > kSmallMax) {
    const int c = large_class(bytes);
    const size_t size = large_size(c);
    p.allocated.fetch_sub(int64_t(size), std::memory_order_relaxed);
    std::lock_guard lock(p.large_lock);
    LAMINA_UNPOISON(ptr, sizeof(Large));
    auto* b = new (ptr) Large{nullptr, p.newest, p.large[c], nullptr, c};
    (p.newest ? p.newest->newer : p.oldest) = b;
    p.newest = b;
    if (b->next) b->next->prev = b;
    p.large[c] = b;
    LAMINA_POISON(static_cast<char*>(ptr) + sizeof(Large), size - sizeof(Large));
    return;
  }
  const int c = small_class(bytes);
  const size_t size = small_size(c);
  p.allocated.fetch_sub(int64_t(size), std::memory_order_relaxed);
  LAMINA_POISON(ptr, size);
  std::lock_guard lock(p.small_lock);
  pool_push(p, c, static_cast<Free*>(ptr));
  if (t) give_back(p, *t, c, t->lists[c].limit / 2);
}

}  // namespace

void* cpu_allocate(size_t bytes) {
  if (bytes == 0) return nullptr;
  ThreadCache* t = tls;
  if (bytes <= kSmallMax && reinterpret_cast<uintptr_t>(t) > 1 && fail_countdown.load(std::memory_order_relaxed) <= 0) {
    const int c = small_class(bytes);
    ThreadCache::List& l = t->lists[c];
    if (Free* b = l.head) {
      l.head = next_of(b);
      --l.count;
      bump(t->counters.allocations);
      bump(t->counters.hits);
      account(pool(), int64_t(small_size(c)));
      return hand_out(b, small_size(c), bytes);
    }
  }
  return allocate_slow(bytes);
}

void cpu_free(void* ptr, size_t bytes) noexcept {
  if (!ptr || bytes == 0) return;
  ThreadCache* t = tls;
  if (bytes <= kSmallMax && reinterpret_cast<uintptr_t>(t) > 1) {
    const int c = small_class(bytes);
    ThreadCache::List& l = t->lists[c];
    if (l.count < l.limit) {
      LAMINA_UNPOISON(ptr, sizeof(Free));
      auto* b = static_cast<Free*>(ptr);
      b->next = l.head;
      l.head = b;
      ++l.count;
      LAMINA_POISON(ptr, small_size(c));
      bump(t->counters.frees);
      pool().allocated.fetch_sub(int64_t(small_size(c)), std::memory_order_relaxed);
      return;
    }
  }
  free_slow(ptr, bytes);
}

MemoryStats memory_stats() {
  Pool& p = pool();
  MemoryStats s;
  s.allocated = p.allocated;
  s.peak_allocated = p.peak_allocated;
  s.reserved = p.reserved;
  s.peak_reserved = p.peak_reserved;
  s.system_allocs = p.system_allocs;
  s.system_frees = p.system_frees;
  s.out_of_memory = p.out_of_memory;
  Counters sum;
  {
    std::lock_guard lock(p.small_lock);
    add_counters(sum, p.retired);
    for (ThreadCache* t = p.threads; t; t = t->next) add_counters(sum, t->counters);
  }
  s.allocations = sum.allocations;
  s.frees = sum.frees;
  s.cache_hits = sum.hits;
  return s;
}

void reset_peak() {
  Pool& p = pool();
  p.peak_allocated = p.allocated.load();
  p.peak_reserved = p.reserved.load();
}

int64_t empty_cache() {
  Pool& p = pool();
  const int64_t before = p.reserved;
  p.high_water = p.allocated.load();  // a fresh start for what may be kept, too
  {
    std::lock_guard lock(p.large_lock);
    evict(p, 0);
  }
  std::lock_guard lock(p.small_lock);
  if (ThreadCache* t = tls; reinterpret_cast<uintptr_t>(t) > 1)
    for (int c = 0; c < kSmallClasses; ++c) give_back(p, *t, c, t->lists[c].count);
  for (Slab* s = p.slabs; s; s = s->next) s->free = 0;
  for (auto& cls : p.small)
    for (Free* b = cls.head; b; b = next_of(b)) ++slab_of(b)->free;
  for (auto& cls : p.small) {  // unlink the blocks of slabs that are free as a whole
    Free** link = &cls.head;
    while (Free* b = *link) {
      Free* next = next_of(b);
      if (slab_of(b)->free == slab_of(b)->carved) {
        *link = next;
      } else {
        link = &b->next;
      }
    }
    if (cls.bump != cls.end && slab_of(cls.bump - 1)->free == slab_of(cls.bump - 1)->carved)
      cls.bump = cls.end = nullptr;
  }
  for (Slab** link = &p.slabs; Slab* s = *link;) {
    if (s->free == s->carved) {
      *link = s->next;
      unmap(p, s, kSlab);
    } else {
      link = &s->next;
    }
  }
  return before - p.reserved;
}

void set_allocation_failure(int64_t k) {
  fail_countdown = k > 0 ? k : 0;
  cpu::set_scratch_failure(k > 0 ? failure_due : nullptr);
}

}  // namespace lamina
