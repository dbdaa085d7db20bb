// Generator state: seeding, saving and restoring.
#include "lamina/random.h"

#include <cstring>
#include <random>
#include <utility>

#include "lamina/error.h"

namespace lamina {
namespace {

constexpr char kTag[8] = {'p', 'h', 'i', 'l', 'o', 'x', '0', '2'};
constexpr char kOldTag[8] = {'p', 'h', 'i', 'l', 'o', 'x', '0', '1'};  // without the count of spawned streams
constexpr size_t kOldBytes = 24;

std::vector<Redirect>& redirects() {
  thread_local std::vector<Redirect> pairs;
  return pairs;
}

Generator& process_generator() {
  static Generator& g = *new Generator;  // leaked: threads may draw while the process exits
  return g;
}

// splitmix64's finisher: neighbouring inputs give unrelated outputs.
uint64_t mixed(uint64_t v) {
  v = (v ^ (v >> 30)) * 0xbf58476d1ce4e5b9;
  v = (v ^ (v >> 27)) * 0x94d049bb133111eb;
  return v ^ (v >> 31);
}

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
  spawned_ = 0;
}

uint64_t Generator::child_seed(uint64_t seed, uint64_t number) {
  return mixed(mixed(seed + 0x9e3779b97f4a7c15) + (number + 1) * 0x9e3779b97f4a7c15);
}

uint64_t Generator::spawn() { return child_seed(seed_, spawned_.fetch_add(1, std::memory_order_relaxed)); }

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
  put(s.data() + 24, spawned_);
  return s;
}

void Generator::set_state(std::span<const uint8_t> bytes) {
  const bool old = bytes.size() == kOldBytes && std::memcmp(bytes.data(), kOldTag, sizeof kOldTag) == 0;
  if (!old && (bytes.size() != kStateBytes || std::memcmp(bytes.data(), kTag, sizeof kTag) != 0))
    raise<ValueError>("set_rng_state: expected the ", kStateBytes, " bytes that get_rng_state returned, got ",
                      bytes.size(), bytes.size() == kStateBytes ? " bytes of something else" : " bytes");
  seed_ = get(bytes.data() + 8);
  offset_ = get(bytes.data() + 16);
  spawned_ = old ? 0 : get(bytes.data() + 24);
}

Generator& current(Generator* g) {
  Generator* wanted = g ? g : &process_generator();
  for (const auto& [from, to] : redirects())
    if (from == wanted) return *to;
  return *wanted;
}

Generator& default_generator() { return current(nullptr); }

std::vector<Redirect> redirect(std::vector<Redirect> pairs) {
  for (auto& [from, to] : pairs)
    if (!from) from = &process_generator();
  std::swap(redirects(), pairs);
  return pairs;
}

}  // namespace lamina
