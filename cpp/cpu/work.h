// What a loop costs: how many threads are worth waking for it, and polling inside long rows.
#pragma once
#include "parallel.h"
#include "simd.h"

namespace lamina::cpu::inline LAMINA_ISA {

// About what one core takes for a float32 multiply-add of a matrix product (the baseline has no fma instruction), and
// for a float32 of a reduction.
inline constexpr double kMultiplyAddNs = kVecBytes == 64 ? 0.02 : kVecBytes == 32 ? 0.04 : 1;
inline constexpr double kElementNs = 0.2;

// How many threads are worth waking for work that takes one core `ns` nanoseconds (0: all): waking and joining them
// costs some 10 us, so each gets at least 30.
constexpr int threads_for(double ns) { return ns < 60e3 ? 1 : ns < 30e6 ? int(ns / 30e3) : 0; }

// for_ranges on the threads that `ns` nanoseconds of work are worth.
template <class F>
LAMINA_INLINE void for_work(double ns, int64_t n, int64_t grain, F&& f) {
  for_ranges(n, grain, f, threads_for(ns));
}

// Elements of one row between two calls of check_interrupt: a multiple of every block of a row.
inline constexpr int64_t kPoll = int64_t(1) << 22;

// f(lo, hi) over the pieces of one row, in order, with a poll between them. A short row is one piece.
template <class F>
LAMINA_INLINE void for_pieces(int64_t n, F&& f) {
  if (n <= kPoll) [[likely]]
    return f(int64_t(0), n);
  for (int64_t lo = 0; lo < n; lo += kPoll) {
    f(lo, n - lo > kPoll ? lo + kPoll : n);
    check_interrupt();
  }
}

}  // namespace lamina::cpu::inline LAMINA_ISA
