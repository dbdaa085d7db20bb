// Philox against its published answers; kernels against the per-element definition; moments; generator state.
#include "lamina/random.h"

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "lamina/backend.h"
#include "lamina/error.h"
#include "lamina/philox.h"

using namespace lamina;

#define CHECK(x) \
  if (!(x)) (std::fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #x), std::exit(1))

namespace {

template <class T>
View view(std::vector<T>& v) {
  View w{};
  w.data = v.data(), w.dtype = DTypeOf<T>::value, w.ndim = 1;
  w.shape[0] = int64_t(v.size()), w.stride[0] = 1;
  return w;
}

bool is(philox::Block b, uint32_t x, uint32_t y, uint32_t z, uint32_t w) {
  return b.w[0] == x && b.w[1] == y && b.w[2] == z && b.w[3] == w;
}

void test_known_answers() {
  CHECK(is(philox::block(0, 0, 0), 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8));
  CHECK(is(philox::block(~0ull, ~0ull, ~0ull), 0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd));
  CHECK(is(philox::block(0x299f31d0a4093822, 0x0370734413198a2e, 0x85a308d3243f6a88), 0xd16cfe09, 0x94fdcceb,
           0x5001e420, 0x24126ea1));
  for (uint64_t a : {0ull, 1ull, 0xffffffffull, 0x123456789abcdefull, ~0ull})
    for (uint64_t b : {1ull, 2ull, 10ull, 0xffffffffull, 0x100000001ull, ~0ull})
      CHECK(philox::below(a, b) == uint64_t((unsigned __int128)(a)*b >> 64));
}

// Every kernel equals its formula element by element, whatever the size and thread count.
void test_elements() {
  const uint64_t seed = 0x1234567890abcdef, offset = 5;
  const Kernels& k = cpu::kernels();
  for (int threads : {1, 3})
    for (int64_t n : {0, 1, 15, 16, 17, 63, 64, 65, 1000, 70001}) {
      cpu::set_num_threads(threads);
      std::vector<float> u(n), g(n), p(n, 0.3f);
      std::vector<double> ud(n);
      std::vector<int64_t> r(n);
      std::vector<int8_t> small(n);
      std::vector<uint8_t> coin(n), mask(n);
      std::vector<float> dropped(n);
      k.random_uniform(view(u), 0, 1, seed, offset);
      k.random_uniform(view(ud), 0, 1, seed, offset);
      k.random_normal(view(g), 0, 1, seed, offset);
      k.random_integers(view(r), -5, 11, seed, offset);
      k.random_integers(view(small), -5, 11, seed, offset);
      View c = view(coin), m = view(mask);
      c.dtype = m.dtype = DType::bool_;
      k.random_bernoulli(view(p), c, seed, offset);
      std::vector<float> ones(n, 1.0f);
      k.dropout(view(ones), view(dropped), m, 0.25, seed, offset);
      for (int64_t i = 0; i < n; ++i) {
        const uint32_t w = philox::element32(seed, offset, uint64_t(i));
        const uint64_t w64 = philox::element64(seed, offset, uint64_t(i));
        CHECK(u[i] == philox::uniform32(w, 24) && u[i] >= 0 && u[i] < 1);
        CHECK(ud[i] == philox::uniform64(w64) && ud[i] >= 0 && ud[i] < 1);
        const int64_t j = i % 32;  // the radius is word 0 or 2 of the block, the angle the word 16 elements later
        const int64_t base = i - j + j % 16;
        const auto pair = philox::normal32(philox::element32(seed, offset, uint64_t(base)),
                                           philox::element32(seed, offset, uint64_t(base + 16)));
        CHECK(g[i] == (j < 16 ? pair.a : pair.b));
        CHECK(r[i] == -5 + int64_t(philox::below(w64, 11)) && small[i] == r[i]);
        CHECK(coin[i] == (w < 0.3f * 0x1p32));
        CHECK(mask[i] == (w >= 0x40000000u) && dropped[i] == (mask[i] ? 1.0f / 0.75f : 0.0f));
      }
    }
}

void test_moments() {
  const int n = 1 << 20;
  std::vector<float> x(n);
  std::vector<double> y(n);
  cpu::kernels().random_normal(view(x), 3, 2, 1, 1);
  cpu::kernels().random_normal(view(y), 3, 2, 1, 2);
  auto check = [](const auto& v) {
    double m[5] = {};
    for (auto e : v)
      for (int k = 1; k <= 4; ++k) m[k] += std::pow((double(e) - 3) / 2, k) / double(v.size());
    CHECK(std::fabs(m[1]) < 0.005 && std::fabs(m[2] - 1) < 0.007 && std::fabs(m[3]) < 0.02 &&
          std::fabs(m[4] - 3) < 0.05);
  };
  check(x);
  check(y);
  std::vector<int64_t> perm(5000);
  cpu::kernels().random_permutation(view(perm), 9, 9);
  std::vector<bool> seen(perm.size());
  for (int64_t i : perm) seen[size_t(i)] = true;
  for (bool s : seen) CHECK(s);
}

void test_generator() {
  Generator g(42);
  const auto a = g.next();
  const auto state = g.state();
  const auto b = g.next();
  CHECK(a.seed == 42 && a.offset == 0 && b.offset == 1);
  g.set_state(state);
  CHECK(g.next().offset == 1);
  g.manual_seed(42);
  CHECK(g.next().offset == 0);
  bool refused = false;
  try {
    g.set_state(std::span(state).first(7));
  } catch (const ValueError&) {
    refused = true;
  }
  CHECK(refused);
}

// Streams beside a generator move none of its draws; a thread draws from what stands for a generator.
void test_streams() {
  Generator g(42), h(42), other(7);
  const uint64_t first = g.spawn(), second = g.spawn();
  CHECK(first != second && first == h.spawn() && g.next().offset == 0);
  const auto state = g.state();
  const uint64_t third = g.spawn();
  g.set_state(state);
  CHECK(g.spawn() == third);
  CHECK(Generator::child_seed(1, 2) != Generator::child_seed(2, 1));
  const auto outer = redirect({{nullptr, &other}, {&g, &h}});
  CHECK(outer.empty() && &default_generator() == &other && &current(&g) == &h && &current(&h) == &h);
  CHECK(redirect({}).size() == 2 && &default_generator() != &other && &current(&g) == &g);
}

}  // namespace

int main() {
  test_known_answers();
  test_elements();
  test_moments();
  test_generator();
  test_streams();
  std::puts("ok");
}
