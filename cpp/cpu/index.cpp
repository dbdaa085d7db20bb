// index, index_put, nonzero: elements and blocks at places that index tensors name.
//   for i over the leading dims (row-major): o = sum of indices[k][i] * stride[k]
//     index:     out[i, r] = x[i, r + o]        index_put: x[i, r + o] = values[i, r]  (or +=)
// Every index is checked. Writes happen in the order of i for each place: a place belongs to one thread.
#include "cpu/parallel.h"
#include "cpu/walk.h"

namespace lamina::cpu::inline LAMINA_ISA {
namespace {

constexpr int64_t kChunk = 512;         // positions whose offsets are computed at a time
constexpr int64_t kGrain = 16384;       // elements of a parallel task
constexpr int64_t kLargeBlock = 65536;  // blocks beyond this are cut into pieces

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

// Offsets of positions lo to lo + n in x and in the values; false if an index is out of range (its offset is 0).
bool Job::offsets(int64_t lo, int64_t n, int64_t* xo, int64_t* vo) const {
  int64_t at[kMaxDims] = {};
  for (int d = ndim - 1; d >= 0; --d) {
    at[d] = lo % shape[d];
    lo /= shape[d];
  }
  const int last = ndim - 1;
  bool good = true;
  for (int64_t done = 0; done < n;) {
    const int64_t left = last < 0 ? 1 : shape[last] - at[last], m = left < n - done ? left : n - done;
    int64_t x0 = 0, v0 = 0;
    for (int d = 0; d < ndim; ++d) {
      x0 += at[d] * x_step[d];
      v0 += at[d] * v_step[d];
    }
    const int64_t xs = last < 0 ? 0 : x_step[last], vs = last < 0 ? 0 : v_step[last];
    for (int64_t i = 0; i < m; ++i) {
      xo[done + i] = x0 + i * xs;
      vo[done + i] = v0 + i * vs;
    }
    for (int k = 0; k < count; ++k) {
      const auto* p = static_cast<const int64_t*>(indices[k].data);
      for (int d = 0; d < ndim; ++d) p += at[d] * indices[k].stride[d];
      const int64_t s = last < 0 ? 0 : indices[k].stride[last], limit = size[k], back = wrap ? limit : 0,
                    step = stride[k];
      for (int64_t i = 0; i < m; ++i) {
        int64_t v = p[i * s];
        v += v < 0 ? back : 0;
        const bool inside = uint64_t(v) < uint64_t(limit);
        good &= inside;
        xo[done + i] += (inside ? v : 0) * step;
      }
    }
    if (last >= 0) at[last] += m;
    for (int d = last; d > 0 && at[d] == shape[d]; --d) {
      at[d] = 0;
      ++at[d - 1];
    }
    done += m;
  }
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

// to += from
template <class T>
void add_matrix(Block from, Block to, int64_t rows, int64_t cols) {
  for (int64_t r = 0; r < rows; ++r) {
    auto* a = static_cast<T*>(to.data) + r * to.row;
    const auto* b = static_cast<const T*>(from.data) + r * from.row;
    if (to.col == 1 && from.col == 1) {
      for (int64_t i = 0; i < cols; ++i) a[i] += b[i];
    } else {
      for (int64_t i = 0; i < cols; ++i) a[i * to.col] += b[i * from.col];
    }
  }
}
ConvertFn add_fn(DType t) {
  switch (t) {
    case DType::float32:
      return add_matrix<float>;
    case DType::float64:
      return add_matrix<double>;
    case DType::int64:
      return add_matrix<uint64_t>;  // wraps around, as all integer arithmetic here
    default:
      unsupported("index_put (accumulate)", t);
  }
}

void get(const Job& job, int64_t lo, int64_t hi, int64_t block_lo, int64_t block_hi, bool* bad) {
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
void put(const Job& job, uint64_t share, uint64_t shares, int64_t block_lo, int64_t block_hi, bool accumulate) {
  int64_t xo[kChunk], vo[kChunk];
  const Walk& w = job.walk;
  const ConvertFn write = accumulate ? add_fn(w.dtype[1]) : convert_fn(w.dtype[0], w.dtype[1]);
  const MoveFn move = move_fn(w.dtype[1]);
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
    if (job.block == 1 && !accumulate) {
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
    int64_t xo[kChunk], vo[kChunk];
    for (int64_t i = lo; i < hi; i += kChunk)
      if (!job.offsets(i, hi - i < kChunk ? hi - i : kChunk, xo, vo))
        return __atomic_store_n(&bad, true, __ATOMIC_RELAXED);
  });
  return !bad;
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
  *bad = !all_inside(job);
  if (*bad || job.block == 0 || job.positions == 0) return;
  const int64_t piece = 4096, work = job.positions * job.block;
  const int shares = work > 2 * kGrain ? num_threads() : 1;
  if (job.block > piece) {
    for_ranges(job.block, piece, [&](int64_t lo, int64_t hi) { put(job, 0, 1, lo, hi, accumulate); });
  } else {
    for_tiles(shares, [&](int64_t t) { put(job, uint64_t(t), uint64_t(shares), 0, job.block, accumulate); });
  }
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
