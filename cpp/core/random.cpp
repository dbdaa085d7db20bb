// Generator state: seeding, saving and restoring.
#include "lamina/random.h"

#include <cstring>
#include <random>

#include "lamina/error.h"

namespace lamina {
namespace {

constexpr char kTag[8] = {'p', 'h', 'i', 'l', 'o', 'x', '0', '1'};

void put(uint8_t* to, uint64_t v) {
  for (int i = 0; i < 8; ++i) to[i] = uint8_t(v >> (8 * i));
}
uint64_t get(const uint8_t* from) {
  uint64_t v = 0;
  for (int i = 0; i < 8; ++i) v |= uint64_t(from[i]) << (8 * i);
  return v;
}

}  // namespace

void Generator::manual_seed(uint64_t seed) {
  seed_ = seed;
  offset_ = 0;
}

uint64_t Generator::reseed() {
  std::random_device entropy;
  const uint64_t seed = uint64_t(entropy()) << 32 | entropy();
  manual_seed(seed);
  return seed;
}

std::array<uint8_t, Generator::kStateBytes> Generator::state() const {
  std::array<uint8_t, kStateBytes> s;
  std::memcpy(s.data(), kTag, sizeof kTag);
  put(s.data() + 8, seed_);
  put(s.data() + 16, offset_);
  return s;
}

void Generator::set_state(std::span<const uint8_t> bytes) {
  if (bytes.size() != kStateBytes || std::memcmp(bytes.data(), kTag, sizeof kTag) != 0)
    raise<ValueError>("set_rng_state: expected the ", kStateBytes, " bytes that get_rng_state returned, got ",
                      bytes.size(), bytes.size() == kStateBytes ? " bytes of something else" : " bytes");
  seed_ = get(bytes.data() + 8);
  offset_ = get(bytes.data() + 16);
}

Generator& default_generator() {
  static Generator& g = *new Generator;  // leaked: threads may draw while the process exits
  return g;
}

}  // namespace lamina
