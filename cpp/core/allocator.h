// Host memory for tensors: a caching allocator with size classes and thread-local free lists.
#pragma once
#include <cstddef>
#include <cstdint>

namespace lamina {

// At least `bytes` bytes, aligned to 64 (to a page above 32 KiB); contents undefined. 0 bytes is nullptr.
// Throws OutOfMemoryError, with the cache emptied and nothing else changed. cpu_free takes the same `bytes`.
void* cpu_allocate(size_t bytes);
void cpu_free(void* p, size_t bytes) noexcept;

struct MemoryStats {
  int64_t allocated = 0;       // bytes in use, rounded up to size classes
  int64_t peak_allocated = 0;  // largest `allocated` since reset_peak()
  int64_t reserved = 0;        // bytes held from the system: in use, cached or not yet carved
  int64_t peak_reserved = 0;
  int64_t allocations = 0;  // successful calls of cpu_allocate that returned memory
  int64_t frees = 0;
  int64_t cache_hits = 0;     // of the allocations, those that needed no system call
  int64_t system_allocs = 0;  // mappings asked from the system
  int64_t system_frees = 0;
  int64_t out_of_memory = 0;  // allocations that failed
};
MemoryStats memory_stats();
void reset_peak();

// Returns to the system what no tensor uses (other threads keep up to about 2 MB each); the bytes returned.
int64_t empty_cache();

// Test hook: the k-th request for tensor memory or kernel scratch from now on throws OutOfMemoryError, once; k <= 0
// takes the hook back.
void set_allocation_failure(int64_t k);

}  // namespace lamina
