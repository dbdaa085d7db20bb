// index, index_put, index_reduce, nonzero: elements and blocks at places that index tensors name.
//   for i over the leading dims (row-major): o = sum of indices[k][i] * stride[k]
//     index:     out[i, r] = x[i, r + o]        index_put: x[i, r + o] = values[i, r]  (or +=)
// Every index is checked. Writes happen in the order of i for each place: a place belongs to one thread.
#include "cpu/parallel.h"
#include "cpu/walk.h"
#include "lamina/reduce_ops.h"

namespace lamina::cpu::inline LAMINA_ISA {
namespace {

constexpr int64_t kChunk = 512;            // positions whose offsets are computed at a time
constexpr int64_t kGrain = 16384;          // elements of a parallel task
constexpr int64_t kMaxUnpolled = 1 << 24;  // elements written without a look at Ctrl-C
constexpr int64_t kLargeBlock = 65536;     // blocks beyond this are cut into pieces

struct Job {
  int ndim;  // of the positions
  int64_t positions = 1, block = 1;
  int64_t shape[kMaxDims], x_step[kMaxDims], v_step[kMaxDims];
  const View* indices;
  int count;
  const int64_t *size, *stride;
  bool wrap;
  Walk walk;  // of one block: operand 0 the values (or out), 1 x

  Job(const View& x, const View& v, const View* index_views, int k, const int64_t* sizes, const int64_t* strides,
      bool negative);
  bool offsets(int64_t lo, int64_t n, int64_t* xo, int64_t* vo) const;
};

// The trailing dims of v from `skip` on.
View tail(const View& v, int skip) {
  View r;
  r.data = v.data;
  r.dtype = v.dtype;
  r.ndim = v.ndim - skip;
  for (int d = skip; d < v.ndim; ++d) {
    r.shape[d - skip] = v.shape[d];
    r.stride[d - skip] = v.stride[d];
  }
  return r;
}

Job::Job(const View& x, const View& v, const View* index_views, int k, const int64_t* sizes, const int64_t* strides,
         bool negative)
    : ndim(index_views[0].ndim), indices(index_views), count(k), size(sizes), stride(strides), wrap(negative) {
  for (int d = 0; d < ndim; ++d) {
    shape[d] = v.shape[d];
    x_step[d] = x.stride[d];
    v_step[d] = v.stride[d];
    positions *= shape[d];
  }
  const View vb = tail(v, ndim), xb = tail(x, ndim);
  block = vb.numel();
  const View* views[] = {&vb, &xb};
  if (block > 0) walk = make_walk(views, 2);
}

// f(done, m, x offset, value offset, place) for each run of positions lo to lo + n within one row of the last dim; m
// of them follow `done`, and place holds the coordinates of the first.
template <class F>
LAMINA_INLINE void each_run(const Job& job, int64_t lo, int64_t n, F&& f) {
  int64_t at[kMaxDims] = {};
  const int last = job.ndim - 1;
  for (int d = last; d >= 0; --d) {
    at[d] = lo % job.shape[d];
    lo /= job.shape[d];
  }
  for (int64_t done = 0; done < n;) {
    const int64_t left = last < 0 ? 1 : job.shape[last] - at[last], m = left < n - done ? left : n - done;
    int64_t x0 = 0, v0 = 0;
    for (int d = 0; d < job.ndim; ++d) {
      x0 += at[d] * job.x_step[d];
      v0 += at[d] * job.v_step[d];
    }
    f(done, m, x0, v0, at);
    if (last >= 0) at[last] += m;
    for (int d = last; d > 0 && at[d] == job.shape[d]; --d) {
      at[d] = 0;
      ++at[d - 1];
    }
    done += m;
  }
}

// One index tensor within a run: where it starts and its step.
struct IndexRun {
  const int64_t* p;
  int64_t step;
  LAMINA_INLINE IndexRun(const Job& job, int k, const int64_t* at)
      : p(static_cast<const int64_t*>(job.indices[k].data)) {
    for (int d = 0; d < job.ndim; ++d) p += at[d] * job.indices[k].stride[d];
    step = job.ndim > 0 ? job.indices[k].stride[job.ndim - 1] : 0;
  }
};

// Offsets of positions lo to lo + n in x and in the values; false if an index is out of range (its offset is 0).
bool Job::offsets(int64_t lo, int64_t n, int64_t* xo, int64_t* vo) const {
  const int last = ndim - 1;
  const int64_t xs = last < 0 ? 0 : x_step[last], vs = last < 0 ? 0 : v_step[last];
  bool good = true;
  each_run(*this, lo, n, [&](int64_t done, int64_t m, int64_t x0, int64_t v0, const int64_t* at) {
    for (int64_t i = 0; i < m; ++i) {
      xo[done + i] = x0 + i * xs;
      vo[done + i] = v0 + i * vs;
    }
    for (int k = 0; k < count; ++k) {
      const IndexRun run(*this, k, at);
      const int64_t limit = size[k], back = wrap ? limit : 0, step = stride[k];
      for (int64_t i = 0; i < m; ++i) {
        int64_t v = run.p[i * run.step];
        v += v < 0 ? back : 0;
        const bool inside = uint64_t(v) < uint64_t(limit);
        good &= inside;
        xo[done + i] += (inside ? v : 0) * step;
      }
    }
  });
  return good;
}

// f(value offset, x offset, rows, cols) for every matrix of the last two dims in elements lo to hi of a block.
template <class F>
LAMINA_INLINE void each_matrix(const Walk& w, int64_t lo, int64_t hi, F&& f) {
  const int last = w.ndim - 1;
  if (last == 0) return f(lo * w.stride[0][0], lo * w.stride[1][0], int64_t(1), hi - lo);
  const int64_t length = w.shape[last];
  for (int64_t i = lo; i < hi;) {
    const Place at(w, i);
    const int64_t left = length - at.index[last];
    int64_t rows = 1, cols = left < hi - i ? left : hi - i;
    if (cols == length) {
      rows = (hi - i) / length;
      if (rows > w.shape[last - 1] - at.index[last - 1]) rows = w.shape[last - 1] - at.index[last - 1];
    }
    f(at.offset(w, 0), at.offset(w, 1), rows, cols);
    i += rows * cols;
  }
}

// The matrix of operand j at an offset in elements.
LAMINA_INLINE Block matrix(const Walk& w, int j, int64_t offset) {
  const int last = w.ndim - 1;
  return {advance(w.base[j], offset, w.dtype[j]), last ? w.stride[j][last - 1] : 0, w.stride[j][last]};
}

// to[a[i]] = from[b[i]]
template <class T>
void move_elements(void* to, const int64_t* a, const void* from, const int64_t* b, int64_t n) {
  for (int64_t i = 0; i < n; ++i) static_cast<T*>(to)[a[i]] = static_cast<const T*>(from)[b[i]];
}
using MoveFn = void (*)(void*, const int64_t*, const void*, const int64_t*, int64_t);
MoveFn move_fn(DType t) {
  switch (size_of(t)) {
    case 1:
      return move_elements<uint8_t>;
    case 2:
      return move_elements<uint16_t>;
    case 4:
      return move_elements<uint32_t>;
    default:
      return move_elements<uint64_t>;
  }
}

struct Add {
  template <class T>
  LAMINA_INLINE T operator()(T a, T b) const {
    return a + b;
  }
};
struct Multiply {
  template <class T>
  LAMINA_INLINE T operator()(T a, T b) const {
    return a * b;
  }
};
// A NaN wins.
template <bool kLargest>
struct Extremum {
  template <class T>
  LAMINA_INLINE T operator()(T a, T b) const {
    return (kLargest ? b > a : b < a) || b != b ? b : a;
  }
};

// to = f(to, from)
template <class T, class F>
void combine_matrix(Block from, Block to, int64_t rows, int64_t cols) {
  const F f{};
  for (int64_t r = 0; r < rows; ++r) {
    auto* a = static_cast<T*>(to.data) + r * to.row;
    const auto* b = static_cast<const T*>(from.data) + r * from.row;
    if (to.col == 1 && from.col == 1) {
      for (int64_t i = 0; i < cols; ++i) a[i] = f(a[i], b[i]);
    } else {
      for (int64_t i = 0; i < cols; ++i) a[i * to.col] = f(a[i * to.col], b[i * from.col]);
    }
  }
}
// to[a[i]] = f(to[a[i]], from[b[i]]), one after the other.
template <class T, class F>
void combine_elements(void* to, const int64_t* a, const void* from, const int64_t* b, int64_t n) {
  const F f{};
  for (int64_t i = 0; i < n; ++i) {
    T& place = static_cast<T*>(to)[a[i]];
    place = f(place, static_cast<const T*>(from)[b[i]]);
  }
}

// ---- one index, one element each: gather and scatter without tables of offsets ----

// out[i] = x[i + o(i)] for positions lo to hi; false if an index is out of range.
template <class T>
bool get_elements(const Job& job, int64_t lo, int64_t hi) {
  const int last = job.ndim - 1;
  const int64_t xs = last < 0 ? 0 : job.x_step[last], vs = last < 0 ? 0 : job.v_step[last];
  const int64_t limit = job.size[0], back = job.wrap ? limit : 0, step = job.stride[0];
  const Walk& w = job.walk;
  if (limit == 0) return false;  // an index out of range reads element 0 below
  bool good = true;
  each_run(job, lo, hi - lo, [&](int64_t, int64_t m, int64_t x0, int64_t v0, const int64_t* at) {
    const IndexRun run(job, 0, at);
    const T* x = reinterpret_cast<const T*>(w.base[1]) + x0;
    T* out = reinterpret_cast<T*>(w.base[0]) + v0;
    const auto fetch = [&](int64_t i, int64_t v, int64_t along, int64_t by) __attribute__((always_inline)) {
      v += v < 0 ? back : 0;
      const bool inside = uint64_t(v) < uint64_t(limit);
      good &= inside;
      return x[i * along + (inside ? v : 0) * by];
    };
    if (xs == 0 && step == 1 && vs == 1 && run.step == 1) {
      for (int64_t i = 0; i < m; ++i) out[i] = fetch(i, run.p[i], 0, 1);
    } else {
      for (int64_t i = 0; i < m; ++i) out[i * vs] = fetch(i, run.p[i * run.step], xs, step);
    }
  });
  return good;
}

struct Overwrite {
  template <class T>
  LAMINA_INLINE T operator()(T, T b) const {
    return b;
  }
};

// x[i + o(i)] = f(x[i + o(i)], values[i]) for all positions, in order; the indices are in range.
template <class T, class F>
void put_elements(const Job& job) {
  const int last = job.ndim - 1;
  const int64_t xs = last < 0 ? 0 : job.x_step[last], vs = last < 0 ? 0 : job.v_step[last];
  const int64_t back = job.wrap ? job.size[0] : 0, step = job.stride[0];
  const Walk& w = job.walk;
  const F f{};
  each_run(job, 0, job.positions, [&](int64_t, int64_t m, int64_t x0, int64_t v0, const int64_t* at) {
    const IndexRun run(job, 0, at);
    T* x = reinterpret_cast<T*>(w.base[1]) + x0;
    const T* values = reinterpret_cast<const T*>(w.base[0]) + v0;
    const auto put = [&](int64_t i, int64_t v, int64_t along, int64_t by, T value) __attribute__((always_inline)) {
      T& place = x[i * along + (v + (v < 0 ? back : 0)) * by];
      place = f(place, value);
    };
    if (xs == 0 && step == 1 && vs == 1 && run.step == 1) {
      for (int64_t i = 0; i < m; ++i) put(i, run.p[i], 0, 1, values[i]);
    } else {
      for (int64_t i = 0; i < m; ++i) put(i, run.p[i * run.step], xs, step, values[i * vs]);
    }
  });
}
template <bool kGet>
auto elements_fn(DType t) {
  const auto pick = [](auto zero) __attribute__((always_inline)) {
    using T = decltype(zero);
    if constexpr (kGet) {
      return get_elements<T>;
    } else {
      return put_elements<T, Overwrite>;
    }
  };
  switch (size_of(t)) {
    case 1:
      return pick(uint8_t());
    case 2:
      return pick(uint16_t());
    case 4:
      return pick(uint32_t());
    default:
      return pick(uint64_t());
  }
}

struct Combine {
  ConvertFn matrix = nullptr;  // null: a plain write
  MoveFn elements = nullptr;
  void (*whole)(const Job&) = nullptr;
};
template <class T, class F>
Combine combine_as() {
  return {combine_matrix<T, F>, combine_elements<T, F>, put_elements<T, F>};
}
// Integer sums and products wrap around, as all integer arithmetic here.
template <class F, class Integer>
Combine combine_fn(DType t) {
  switch (t) {
    case DType::float32:
      return combine_as<float, F>();
    case DType::float64:
      return combine_as<double, F>();
    case DType::int64:
      return combine_as<Integer, F>();
    default:
      unsupported("index_put (accumulate)", t);
  }
}
Combine combine_fn(ReduceOp op, DType t) {
  switch (op) {
    case ReduceOp::prod:
      return combine_fn<Multiply, uint64_t>(t);
    case ReduceOp::amax:
      return combine_fn<Extremum<true>, int64_t>(t);
    case ReduceOp::amin:
      return combine_fn<Extremum<false>, int64_t>(t);
    default:
      return combine_fn<Add, uint64_t>(t);
  }
}

void get(const Job& job, int64_t lo, int64_t hi, int64_t block_lo, int64_t block_hi, bool* bad) {
  if (job.block == 1 && job.count == 1) {
    if (!elements_fn<true>(job.walk.dtype[0])(job, lo, hi)) __atomic_store_n(bad, true, __ATOMIC_RELAXED);
    return;
  }
  int64_t xo[kChunk], vo[kChunk];
  const Walk& w = job.walk;
  const ConvertFn copy_matrix = convert_fn(w.dtype[1], w.dtype[0]);
  const MoveFn move = move_fn(w.dtype[0]);
  for (int64_t i = lo; i < hi; i += kChunk) {
    const int64_t n = hi - i < kChunk ? hi - i : kChunk;
    if (!job.offsets(i, n, xo, vo)) return __atomic_store_n(bad, true, __ATOMIC_RELAXED);
    if (job.block == 1) {
      move(w.base[0], vo, w.base[1], xo, n);
      continue;
    }
    for (int64_t k = 0; k < n; ++k)
      each_matrix(w, block_lo, block_hi,
                  [&](int64_t v, int64_t x, int64_t rows, int64_t cols) __attribute__((always_inline)) {
                    copy_matrix(matrix(w, 1, x + xo[k]), matrix(w, 0, v + vo[k]), rows, cols);
                  });
  }
}

// Whose share a destination is: neighbours spread over all shares.
LAMINA_INLINE uint64_t share_of(int64_t offset, uint64_t shares) {
  return ((uint64_t(offset) * 0x9e3779b97f4a7c15ull) >> 33) % shares;
}

// Writes the places of one share, in order.
void put(const Job& job, uint64_t share, uint64_t shares, int64_t block_lo, int64_t block_hi, Combine combine) {
  int64_t xo[kChunk], vo[kChunk];
  const Walk& w = job.walk;
  const ConvertFn write = combine.matrix ? combine.matrix : convert_fn(w.dtype[0], w.dtype[1]);
  const MoveFn move = combine.elements ? combine.elements : move_fn(w.dtype[1]);
  for (int64_t i = 0; i < job.positions; i += kChunk) {
    int64_t n = job.positions - i < kChunk ? job.positions - i : kChunk;
    job.offsets(i, n, xo, vo);
    if (shares > 1) {
      int64_t mine = 0;
      for (int64_t k = 0; k < n; ++k) {
        if (share_of(xo[k], shares) != share) continue;
        xo[mine] = xo[k];
        vo[mine++] = vo[k];
      }
      n = mine;
    }
    if (job.block == 1) {
      move(w.base[1], xo, w.base[0], vo, n);
      continue;
    }
    for (int64_t k = 0; k < n; ++k)
      each_matrix(w, block_lo, block_hi,
                  [&](int64_t v, int64_t x, int64_t rows, int64_t cols) __attribute__((always_inline)) {
                    write(matrix(w, 0, v + vo[k]), matrix(w, 1, x + xo[k]), rows, cols);
                  });
  }
}

bool all_inside(const Job& job) {
  bool bad = false;
  for_ranges(job.positions, kGrain, [&](int64_t lo, int64_t hi) {
    if (job.count == 1) {
      const int64_t limit = job.size[0], back = job.wrap ? limit : 0;
      bool good = true;
      each_run(job, lo, hi - lo, [&](int64_t, int64_t m, int64_t, int64_t, const int64_t* at) {
        const IndexRun run(job, 0, at);
        // The sign of limit - 1 - v or of v: no comparison, which the compiler would not vectorise.
        const auto outside = [&](int64_t v) __attribute__((always_inline)) {
          v += (v >> 63) & back;
          return v | int64_t(uint64_t(limit - 1) - uint64_t(v));
        };
        int64_t sign = 0;
        if (run.step == 1) {
          for (int64_t i = 0; i < m; ++i) sign |= outside(run.p[i]);
        } else {
          for (int64_t i = 0; i < m; ++i) sign |= outside(run.p[i * run.step]);
        }
        good &= sign >= 0;
      });
      if (!good) __atomic_store_n(&bad, true, __ATOMIC_RELAXED);
      return;
    }
    int64_t xo[kChunk], vo[kChunk];
    for (int64_t i = lo; i < hi; i += kChunk)
      if (!job.offsets(i, hi - i < kChunk ? hi - i : kChunk, xo, vo))
        return __atomic_store_n(&bad, true, __ATOMIC_RELAXED);
  });
  return !bad;
}

// The whole of index_put.
void put_all(const Job& job, Combine combine, bool* bad) {
  *bad = !all_inside(job);
  if (*bad || job.block == 0 || job.positions == 0) return;
  const int64_t piece = 4096, work = job.positions * job.block;
  const int shares = work > 2 * kGrain ? num_threads() : 1;
  if (shares == 1 && job.block == 1 && job.count == 1 && work <= kMaxUnpolled) {
    (combine.whole ? combine.whole : elements_fn<false>(job.walk.dtype[1]))(job);
  } else if (job.block > piece) {
    for_ranges(job.block, piece, [&](int64_t lo, int64_t hi) { put(job, 0, 1, lo, hi, combine); });
  } else {
    for_tiles(shares, [&](int64_t t) { put(job, uint64_t(t), uint64_t(shares), 0, job.block, combine); });
  }
}

}  // namespace

void index(const View& x, const View* indices, int count, const int64_t* size, const int64_t* stride, bool wrap,
           const View& out, bool* bad) {
  *bad = false;
  const Job job(x, out, indices, count, size, stride, wrap);
  if (job.block == 0) {
    *bad = !all_inside(job);
  } else if (job.block > kLargeBlock) {
    const int64_t pieces = (job.block + kLargeBlock - 1) / kLargeBlock;
    for_tiles(job.positions * pieces, [&](int64_t t) {
      const int64_t i = t / pieces, lo = t % pieces * kLargeBlock, hi = lo + kLargeBlock;
      get(job, i, i + 1, lo, hi < job.block ? hi : job.block, bad);
    });
  } else {
    const int64_t grain = kGrain / job.block;
    for_ranges(job.positions, grain > 0 ? grain : 1,
               [&](int64_t lo, int64_t hi) { get(job, lo, hi, 0, job.block, bad); });
  }
}

void index_put(const View& x, const View* indices, int count, const int64_t* size, const int64_t* stride, bool wrap,
               const View& values, bool accumulate, bool* bad) {
  const Job job(x, values, indices, count, size, stride, wrap);
  put_all(job, accumulate ? combine_fn(ReduceOp::sum, x.dtype) : Combine{}, bad);
}

void index_reduce(ReduceOp op, const View& x, const View* indices, int count, const int64_t* size,
                  const int64_t* stride, bool wrap, const View& values, bool* bad) {
  const Job job(x, values, indices, count, size, stride, wrap);
  put_all(job, combine_fn(op, x.dtype), bad);
}

// mask is contiguous; out (count, ndim) holds the coordinates of its nonzero elements in row-major order.
void nonzero(const View& mask, const View& out) {
  const auto* m = static_cast<const uint8_t*>(mask.data);
  auto* o = static_cast<int64_t*>(out.data);
  const int last = mask.ndim - 1;
  const int64_t row = mask.shape[last], rows = row > 0 ? mask.numel() / row : 0, count = out.shape[0];
  int64_t found = 0, r = 0;
  int64_t at[kMaxDims] = {};
  const int64_t rows_per_tile = (1 << 20) / (row > 0 ? row : 1) + 1;
  // One thread, in tiles only so that the user can interrupt.
  for_tiles((rows + rows_per_tile - 1) / rows_per_tile,
            [&](int64_t) {
              for (int64_t end = r + rows_per_tile < rows ? r + rows_per_tile : rows; r < end; ++r) {
                const uint8_t* p = m + r * row;
                for (int64_t i = 0; i < row && found < count; ++i) {
                  uint64_t eight = 1;
                  if (i + 8 <= row) __builtin_memcpy(&eight, p + i, 8);
                  if (eight == 0) {
                    i += 7;
                  } else if (p[i]) {
                    int64_t* to = o + found++ * out.stride[0];
                    for (int d = 0; d < last; ++d) to[d * out.stride[1]] = at[d];
                    to[last * out.stride[1]] = i;
                  }
                }
                for (int d = last - 1; d >= 0 && ++at[d] == mask.shape[d] && d > 0; --d) at[d] = 0;
              }
            },
            1);
}

}  // namespace lamina::cpu::inline LAMINA_ISA
