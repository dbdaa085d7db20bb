// Generator: a seed and the count of draws made from it. Kernels turn (seed, offset, element index) into numbers.
#pragma once
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>

namespace lamina {

class Generator {
 public:
  static constexpr uint64_t kDefaultSeed = 67280421310721;  // as PyTorch's
  static constexpr size_t kStateBytes = 24;

  explicit Generator(uint64_t seed = kDefaultSeed) : seed_(seed) {}

  // The key of one draw of any size. No two draws of a generator share numbers. Safe from any thread.
  struct Draw {
    uint64_t seed, offset;
  };
  Draw next() { return {seed_.load(std::memory_order_relaxed), offset_.fetch_add(1, std::memory_order_relaxed)}; }

  uint64_t initial_seed() const { return seed_; }
  uint64_t offset() const { return offset_; }
  void manual_seed(uint64_t seed);
  // A seed from the system's entropy; returns it.
  uint64_t reseed();

  // A tag, the seed and the offset, little endian; set_state refuses anything else with ValueError.
  std::array<uint8_t, kStateBytes> state() const;
  void set_state(std::span<const uint8_t> bytes);

 private:
  std::atomic<uint64_t> seed_, offset_{0};
};

// Used where no generator is given.
Generator& default_generator();
// Seeds the default generator.
inline void manual_seed(uint64_t seed) { default_generator().manual_seed(seed); }

}  // namespace lamina
