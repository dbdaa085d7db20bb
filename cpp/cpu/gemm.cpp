// The matrix product on one thread: which operand the vectors run along, what is packed, and the blocking.
#include "cpu/gemm.h"

#include "cpu/gemm_pack.h"
#include "cpu/gemm_tile.h"
#include "cpu/gemv.h"
#include "cpu/parallel.h"

namespace lamina::cpu::inline LAMINA_ISA {
namespace {

constexpr int64_t kBlock = 1024;              // columns that are packed at a time
constexpr int64_t kDepth = 4 * kGemmChunk;    // of k that are packed at a time
constexpr int64_t kRowBlock = 8 * kTileRows;  // rows of a that stay in the second-level cache
constexpr int kPackSlot = 2, kTotalSlot = 3;

template <class S>
struct Computing {
  using type = float;
};
template <>
struct Computing<double> {
  using type = double;
};

LAMINA_INLINE int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
LAMINA_INLINE int64_t round_up(int64_t a, int64_t b) { return (a + b - 1) / b * b; }

// The same product seen the other way round: c^T = b^T a^T. Vectors then run along the rows of c.
template <class S>
Gemm<S> transposed(const Gemm<S>& g) {
  return {g.n, g.m, g.k, g.b, g.bcs, g.brs, g.a, g.acs, g.ars, g.c, g.ccs, g.crs, g.d, g.dcs, g.drs};
}

template <class S>
struct Plan {
  using T = typename Computing<S>::type;
  static constexpr bool kConverts = sizeof(S) != sizeof(T);
  const Gemm<S>& g;
  bool pack_a, pack_b, direct;

  // Packs rows [i0, i1) of a, tile after tile.
  void pack_rows_of_a(int64_t i0, int64_t i1, int64_t p0, int64_t kc, T* to) const {
    for (int64_t i = i0; i < i1;) {
      const int r = tile_rows(i1 - i);
      pack_panel(g.a + i * g.ars + p0 * g.acs, g.ars, g.acs, r, r, kc, to);
      to += r * kc;
      i += r;
    }
  }

  // One chunk of a block of rows [i0, i1) and columns [j0, j1).
  void chunk(int64_t i0, int64_t i1, int64_t j0, int64_t j1, int64_t p0, int64_t kc, T* total, int64_t width) const {
    constexpr int64_t kCols = kTileCols<T>;
    const int64_t step = kRowBlock;
    T *pa = nullptr, *pb = nullptr;
    if (pack_a || pack_b) {
      const int64_t na = pack_a ? round_up(least(step, i1 - i0) * kc + kPackSlack, 16) : 0;
      const int64_t nb = pack_b ? (i1 - i0 <= step ? kCols : round_up(j1 - j0, kCols)) * kc : 0;
      pa = static_cast<T*>(scratch(kPackSlot, size_t(na + nb + kPackSlack) * sizeof(T)));
      pb = pa + na;
    }
    const bool last = p0 + kc == g.k, keep_b = i1 - i0 > step;
    Tile<T> t{kc, nullptr, g.ars, g.acs, nullptr, g.brs, nullptr, width, 0, p0 == 0, nullptr, g.drs, g.dcs};
    if (pack_a) t.ars = 1;
    if (pack_b) t.brs = kCols;
    for (int64_t ib = i0; ib < i1; ib += step) {
      const int64_t ie = least(i1, ib + step);
      if (pack_a) pack_rows_of_a(ib, ie, p0, kc, pa);
      for (int64_t j = j0; j < j1; j += kCols) {
        const S* b = g.b + p0 * g.brs + j * g.bcs;
        t.n = least(kCols, j1 - j);
        if (pack_b) {
          T* panel = keep_b ? pb + (j - j0) * kc : pb;
          if (ib == i0) pack_panel(b, g.bcs, g.brs, int(t.n), int(kCols), kc, panel);
          t.b = panel;
        } else if constexpr (!kConverts) {
          t.b = b;
        }
        const T* a = pa;
        for (int64_t i = ib; i < ie;) {
          const int r = tile_rows(ie - i);
          if (pack_a) {
            t.a = a;
            t.acs = r;
            a += r * kc;
          } else if constexpr (!kConverts) {
            t.a = g.a + i * g.ars + p0 * g.acs;
          }
          t.c = total + (i - i0) * width + (j - j0);
          if constexpr (!kConverts) t.d = direct && last && g.d ? g.d + i * g.drs + j * g.dcs : nullptr;
          tile_function<T>(r, t.n)(t);
          i += r;
        }
      }
    }
  }

  void run() const {
    // Unpacked: as much of k at a time as takes a few milliseconds.
    const double area = double(least(g.m, kBlock)) * double(least(g.n, kBlock));
    const int64_t depth = pack_a || pack_b ? kDepth : (int64_t(5e7 / area) / kGemmChunk + 1) * kGemmChunk;
    for (int64_t j0 = 0; j0 < g.n; j0 += kBlock)
      for (int64_t i0 = 0; i0 < g.m; i0 += kBlock) {
        const int64_t i1 = least(i0 + kBlock, g.m), j1 = least(j0 + kBlock, g.n);
        T* total;
        int64_t width = g.crs;
        if (direct) {
          total = reinterpret_cast<T*>(g.c) + i0 * g.crs + j0;
        } else {
          width = round_up(j1 - j0, 16);
          total = static_cast<T*>(scratch(kTotalSlot, size_t((i1 - i0) * width) * sizeof(T)));
        }
        for (int64_t p0 = 0; p0 < g.k; p0 += depth) {
          if (g.k > depth) check_interrupt();
          chunk(i0, i1, j0, j1, p0, least(depth, g.k - p0), total, width);
        }
        if (!direct) {
          Gemm<S> part = g;
          part.c += i0 * g.crs + j0 * g.ccs;
          if (part.d) part.d += i0 * g.drs + j0 * g.dcs;
          unpack_block(total, width, i1 - i0, j1 - j0, part);
        }
      }
  }
};

template <class S>
void floating(const Gemm<S>& given) {
  using T = typename Computing<S>::type;
  // Vectors run along the columns of c, unless those are few or far apart.
  const bool few = given.n <= 4 && given.m >= 8 * given.n;
  const bool flip = given.m != 1 && (given.n == 1 || few || (given.ccs != 1 && given.crs == 1));
  const Gemm<S> g = flip ? transposed(given) : given;
  if constexpr (std::is_same_v<S, T>) {
    if (gemv(g)) return;
  }
  const bool converts = sizeof(S) != sizeof(T);
  // Totals may wait in c between calls, unless c is also what is added at the end.
  const bool waits = g.d == g.c && g.k > kDepth;
  const bool direct = !converts && !waits && g.ccs == 1 && (!g.d || g.dcs == 0 || g.dcs == 1);
  Plan<S>{g, converts || g.n > 4 * kTileCols<T>, converts || g.bcs != 1 || g.m > 2 * kTileRows, direct}.run();
}

// k == 0: the sum of nothing.
template <class S>
void empty_sum(const Gemm<S>& g) {
  for (int64_t i = 0; i < g.m; ++i)
    for (int64_t j = 0; j < g.n; ++j) g.c[i * g.crs + j * g.ccs] = g.d ? g.d[i * g.drs + j * g.dcs] : S{};
}

}  // namespace

template <class S>
void gemm_serial(const Gemm<S>& g) {
  if (g.m <= 0 || g.n <= 0) return;
  if (g.k <= 0) return empty_sum(g);
  floating(g);
}

template void gemm_serial(const Gemm<float>&);
template void gemm_serial(const Gemm<double>&);
template void gemm_serial(const Gemm<Half>&);
template void gemm_serial(const Gemm<BFloat16>&);

}  // namespace lamina::cpu::inline LAMINA_ISA
