// Philox blocks in SIMD lanes: the words of 16 blocks at a time.
#pragma once
#include "cpu/simd.h"
#include "lamina/philox.h"

namespace lamina::cpu::inline LAMINA_ISA {

namespace philox_lanes {

using philox::kLanes;

struct Words {
  alignas(64) uint32_t w[4][kLanes];
};

using U32 = Vec<int32_t>;
LAMINA_INLINE U32 lanes(uint32_t x) { return U32(int32_t(x)); }

typedef uint64_t U64Native __attribute__((vector_size(kVecBytes)));
LAMINA_INLINE U32 up(U32 a) { return U32::native(U64Native(a.v) << 32); }
LAMINA_INLINE U32 down(U32 a) { return U32::native(U64Native(a.v) >> 32); }

// Full products of the even lanes with m, as 64-bit lanes.
LAMINA_INLINE U32 mul_even(U32 a, U32 m) {
#if defined(__AVX512F__)
  return U32::native(
      _mm512_maskz_mul_epu32(0xff, __m512i(a.v), __m512i(m.v)));  // maskz: no undefined operand to warn of
#elif defined(__AVX2__)
  return U32::native(_mm256_mul_epu32(__m256i(a.v), __m256i(m.v)));
#elif defined(__SSE2__)
  return U32::native(_mm_mul_epu32(__m128i(a.v), __m128i(m.v)));
#else
  return U32::native((U64Native(a.v) & 0xffffffffu) * (U64Native(m.v) & 0xffffffffu));
#endif
}

// The 16 blocks of a group: philox::block, lane by lane.
LAMINA_INLINE void group_words(Words& out, uint64_t seed, uint64_t offset, int64_t group) {
  const uint64_t first = uint64_t(group) * kLanes;  // all lanes share its high word: 16 divides 2^32
  const U32 odd = up(lanes(~0u)), even = ~odd, m0 = lanes(0xD2511F53u), m1 = lanes(0xCD9E8D57u);
  for (int l = 0; l < kLanes; l += U32::size) {
    int32_t index[U32::size];
    for (int i = 0; i < U32::size; ++i) index[i] = l + i;
    U32 c0 = U32::load(index) + lanes(uint32_t(first)), c1 = lanes(uint32_t(first >> 32));
    U32 c2 = lanes(uint32_t(offset)), c3 = lanes(uint32_t(offset >> 32));
    uint32_t k0 = uint32_t(seed), k1 = uint32_t(seed >> 32);
    for (int round = 0; round < 10; ++round) {
      const U32 e0 = mul_even(c0, m0), o0 = mul_even(down(c0), m0), e1 = mul_even(c2, m1), o1 = mul_even(down(c2), m1);
      c0 = (down(e1) | (o1 & odd)) ^ c1 ^ lanes(k0);
      c1 = (e1 & even) | up(o1);
      c2 = (down(e0) | (o0 & odd)) ^ c3 ^ lanes(k1);
      c3 = (e0 & even) | up(o0);
      k0 += 0x9E3779B9u;
      k1 += 0xBB67AE85u;
    }
    c0.store(reinterpret_cast<int32_t*>(out.w[0] + l));
    c1.store(reinterpret_cast<int32_t*>(out.w[1] + l));
    c2.store(reinterpret_cast<int32_t*>(out.w[2] + l));
    c3.store(reinterpret_cast<int32_t*>(out.w[3] + l));
  }
}

}  // namespace philox_lanes

}  // namespace lamina::cpu::inline LAMINA_ISA
