// Generator: a seed and the count of draws made from it. Kernels turn (seed, offset, element index) into numbers.
// A pass over data has streams of its own: children of a generator, which a thread may draw from in its place.
#pragma once
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace lamina {

class Generator {
 public:
  static constexpr uint64_t kDefaultSeed = 67280421310721;  // as PyTorch's
  static constexpr size_t kStateBytes = 32;

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

  // The seed of a stream beside this one: a function of (seed, how often this was asked). Draws do not notice.
  uint64_t spawn();
  // A seed for the number-th part of the work that belongs to `seed`.
  static uint64_t child_seed(uint64_t seed, uint64_t number);

  // A tag, the seed, the offset and the count of spawned streams, little endian (24 bytes without the count, as older
  // files have, are read too); set_state refuses anything else with ValueError.
  std::array<uint8_t, kStateBytes> state() const;
  void set_state(std::span<const uint8_t> bytes);

 private:
  std::atomic<uint64_t> seed_, offset_{0}, spawned_{0};
};

// Used where no generator is given; what this thread draws from in its place, where it is redirected.
Generator& default_generator();

// While redirected, this thread draws from `to` wherever `from` is asked for; the first pair that fits counts.
struct Redirect {
  Generator *from, *to;
};
// Takes the place of this thread's redirections; returns the earlier ones. Who sets them keeps the generators alive.
std::vector<Redirect> redirect(std::vector<Redirect> pairs);
// What a draw from `g` (null: the default generator) uses on this thread.
Generator& current(Generator* g);

// Seeds the default generator.
inline void manual_seed(uint64_t seed) { default_generator().manual_seed(seed); }

}  // namespace lamina
