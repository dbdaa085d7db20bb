// sort: ranks first to first + m of every row of x (rows, n), in stable order, with their places.
// Elements become unsigned keys in the same order (NaN the largest, -0 equal to 0; inverted to descend); records of key
// and place go through a radix sort from the low digit, which is stable. Where only some ranks are wanted, counts of
// the high digits first leave the few records that can have them. The result is unique, so nothing else decides bits.
#include "cpu/parallel.h"
#include "cpu/simd.h"
#include "lamina/view.h"

namespace lamina::cpu::inline LAMINA_ISA {
namespace {

constexpr int64_t kInsertion = 64;     // records sorted by insertion
constexpr int64_t kLongRow = 1 << 15;  // from here on digits of 11 bits pay
constexpr int64_t kSelect = 256;       // shorter rows are sorted whole

// ---- keys ----

LAMINA_INLINE uint32_t key_of(float x) {
  const int32_t bits = x != x ? 0x7fc00000 : __builtin_bit_cast(int32_t, x == 0 ? 0.0f : x);
  return uint32_t(bits) ^ (uint32_t(bits >> 31) | 0x80000000u);
}
LAMINA_INLINE uint64_t key_of(double x) {
  const int64_t bits = x != x ? 0x7ff8000000000000 : __builtin_bit_cast(int64_t, x == 0 ? 0.0 : x);
  return uint64_t(bits) ^ (uint64_t(bits >> 63) | 0x8000000000000000u);
}
LAMINA_INLINE uint32_t key_of(Half x) { return key_of(to_float(x)); }
LAMINA_INLINE uint32_t key_of(BFloat16 x) { return key_of(to_float(x)); }
LAMINA_INLINE uint64_t key_of(int64_t x) { return uint64_t(x) ^ 0x8000000000000000u; }
LAMINA_INLINE uint32_t key_of(int32_t x) { return uint32_t(x) ^ 0x80000000u; }
LAMINA_INLINE uint32_t key_of(int16_t x) { return key_of(int32_t(x)); }
LAMINA_INLINE uint32_t key_of(int8_t x) { return key_of(int32_t(x)); }
LAMINA_INLINE uint32_t key_of(uint8_t x) { return key_of(int32_t(x)); }
LAMINA_INLINE uint32_t key_of(bool x) { return key_of(int32_t(x)); }

// ---- records: key and place; a 32-bit key shares a word with its place ----

struct Narrow {
  uint64_t v;
  using Key = uint32_t;
  static constexpr int bits = 32;
  LAMINA_INLINE static Narrow make(uint32_t key, int64_t place) { return {uint64_t(key) << 32 | uint64_t(place)}; }
  LAMINA_INLINE uint32_t key() const { return uint32_t(v >> 32); }
  LAMINA_INLINE int64_t place() const { return int64_t(v & 0xffffffffu); }
};
struct Wide {
  uint64_t k, p;
  using Key = uint64_t;
  static constexpr int bits = 64;
  LAMINA_INLINE static Wide make(uint64_t key, int64_t place) { return {key, uint64_t(place)}; }
  LAMINA_INLINE uint64_t key() const { return k; }
  LAMINA_INLINE int64_t place() const { return int64_t(p); }
};
template <class T>
using RecordOf = std::conditional_t<sizeof(T) == 8, Wide, Narrow>;

template <class R>
void insertion_sort(R* a, int64_t n) {
  for (int64_t i = 1; i < n; ++i) {
    const R r = a[i];
    int64_t k = i;
    for (; k > 0 && a[k - 1].key() > r.key(); --k) a[k] = a[k - 1];
    a[k] = r;
  }
}

// Sorts a, with b as a second buffer; returns the one that holds the result.
template <int kBits, class R>
R* radix_sort(R* a, R* b, int64_t n) {
  constexpr int kPasses = (R::bits + kBits - 1) / kBits, kSize = 1 << kBits;
  constexpr typename R::Key kMask = kSize - 1;
  auto* counts = static_cast<uint32_t*>(scratch(2, sizeof(uint32_t) * kPasses * kSize));
  __builtin_memset(counts, 0, sizeof(uint32_t) * kPasses * kSize);
  for (int64_t i = 0; i < n; ++i) {
    const typename R::Key k = a[i].key();
    for (int p = 0; p < kPasses; ++p) ++counts[p * kSize + int((k >> (p * kBits)) & kMask)];
  }
  for (int p = 0; p < kPasses; ++p) {
    uint32_t* c = counts + p * kSize;
    const int shift = p * kBits;
    if (c[int((a[0].key() >> shift) & kMask)] == n) continue;  // one digit for all
    uint32_t sum = 0;
    for (int d = 0; d < kSize; ++d) {
      const uint32_t here = c[d];
      c[d] = sum;
      sum += here;
    }
    for (int64_t i = 0; i < n; ++i) b[c[int((a[i].key() >> shift) & kMask)]++] = a[i];
    R* t = a;
    a = b;
    b = t;
  }
  return a;
}

template <class R>
R* sort_records(R* a, R* b, int64_t n) {
  if (n <= kInsertion) {
    insertion_sort(a, n);
    return a;
  }
  return n < kLongRow ? radix_sort<8>(a, b, n) : radix_sort<11>(a, b, n);
}

// ---- selection ----

// Digits low to high hold ranks first to first + m; `before` elements have smaller digits, `inside` have these.
struct Range {
  uint32_t low = 0, high = 0;
  int64_t before = 0, inside = 0;
};
Range range_of(const uint32_t* counts, int size, int64_t first, int64_t m) {
  Range r;
  int d = 0;
  while (d < size && r.before + counts[d] <= first) r.before += counts[d++];
  r.low = uint32_t(d);
  for (; d < size; ++d) {
    r.inside += counts[d];
    r.high = uint32_t(d);
    if (r.before + r.inside >= first + m) break;
  }
  return r;
}

constexpr int kDigit = 11;

// Leaves in a, in order of place, the records that may have the ranks; first becomes the rank among them.
template <class R, class Key>
int64_t select(const Key& key_at, int64_t n, int64_t& first, int64_t m, R* a) {
  constexpr int kSize = 1 << kDigit;
  auto* counts = static_cast<uint32_t*>(scratch(2, sizeof(uint32_t) * 2 * kSize));
  __builtin_memset(counts, 0, sizeof(uint32_t) * 2 * kSize);
  int shift = R::bits - kDigit;
  int64_t i = 0;
  for (; i + 1 < n; i += 2) {  // two tables: equal neighbours do not wait for each other
    ++counts[key_at(i) >> shift];
    ++counts[kSize + (key_at(i + 1) >> shift)];
  }
  if (i < n) ++counts[key_at(i) >> shift];
  for (int d = 0; d < kSize; ++d) counts[d] += counts[kSize + d];
  Range r = range_of(counts, kSize, first, m);
  int64_t count = 0;
  for (i = 0; i < n; ++i) {
    const auto k = key_at(i);
    a[count] = R::make(k, i);
    count += uint32_t(k >> shift) - r.low <= r.high - r.low;
  }
  first -= r.before;
  // Finer while one digit holds everything and much of it is not wanted.
  while (r.low == r.high && shift > 0 && count > 2 * m + kSize) {
    const int next = shift > kDigit ? shift - kDigit : 0;
    const typename R::Key mask = (typename R::Key(1) << (shift - next)) - 1;
    __builtin_memset(counts, 0, sizeof(uint32_t) * kSize);
    for (i = 0; i < count; ++i) ++counts[(a[i].key() >> next) & mask];
    r = range_of(counts, kSize, first, m);
    int64_t kept = 0;
    for (i = 0; i < count; ++i) {
      const R record = a[i];
      a[kept] = record;
      kept += uint32_t((record.key() >> next) & mask) - r.low <= r.high - r.low;
    }
    first -= r.before;
    count = kept;
    shift = next;
  }
  return count;
}

constexpr int64_t kBlock = 64;  // elements compared at a time
constexpr int kMaxRounds = 64;  // input in the wrong order: counting digits is better

// The m first records in order, for m much smaller than n: a bounded list of candidates, and the key that the next one
// must be below (an equal one stands behind). Null where the list filled up too often.
template <class R, class Key>
const R* first_records(const Key& key_at, int64_t n, int64_t m) {
  const int64_t limit = 2 * m + 16;
  R* a = static_cast<R*>(scratch(0, size_t(limit + kBlock) * sizeof(R)));
  R* b = static_cast<R*>(scratch(1, size_t(limit + kBlock) * sizeof(R)));
  int64_t count = 0, i = 0;
  for (; i < limit; ++i) a[count++] = R::make(key_at(i), i);
  for (int round = 0;; ++round) {
    const R* sorted = sort_records(a, b, count);
    if (i == n) return sorted;
    if (round == kMaxRounds) return nullptr;
    if (sorted != a) __builtin_memcpy(a, sorted, size_t(m) * sizeof(R));
    count = m;
    const typename R::Key edge = a[m - 1].key();
    while (i < n && count < limit) {
      const int64_t end = i + kBlock < n ? i + kBlock : n;
      if (end == i + kBlock) {
        typename R::Key hits = 0;
        for (int64_t k = 0; k < kBlock; ++k) hits |= key_at(i + k) < edge ? typename R::Key(1) : typename R::Key(0);
        if (!hits) {
          i = end;
          continue;
        }
      }
      for (; i < end; ++i) {
        a[count] = R::make(key_at(i), i);
        count += key_at(i) < edge;
      }
    }
  }
}

// ---- rows ----

template <class T>
void sort_row(const T* x, int64_t n, bool descending, int64_t first, int64_t m, T* values, int64_t* indices) {
  using R = RecordOf<T>;
  const typename R::Key flip = descending ? ~typename R::Key(0) : 0;
  const auto key_at = [=](int64_t i) __attribute__((always_inline)) { return typename R::Key(key_of(x[i]) ^ flip); };
  const R* sorted = first == 0 && m > 0 && 16 * m < n && n > kBlock ? first_records<R>(key_at, n, m) : nullptr;
  if (!sorted) {
    R* a = static_cast<R*>(scratch(0, size_t(n + 1) * sizeof(R)));
    int64_t count = n;
    if (m < n && n > kSelect) {
      count = select<R>(key_at, n, first, m, a);
    } else {
      for (int64_t i = 0; i < n; ++i) a[i] = R::make(key_at(i), i);
    }
    R* b = count > kInsertion ? static_cast<R*>(scratch(1, size_t(count) * sizeof(R))) : nullptr;
    sorted = sort_records(a, b, count) + first;
  }
  for (int64_t i = 0; i < m; ++i) {
    const int64_t at = sorted[i].place();
    values[i] = x[at];
    indices[i] = at;
  }
}

template <class T>
void sort_rows(const View& x, bool descending, int64_t first, const View& values, const View& indices) {
  const int64_t rows = x.shape[0], n = x.shape[1], m = values.shape[1];
  const int64_t grain = 8192 / (n < 8192 ? n : 8192);
  for_ranges(rows, grain, [&](int64_t lo, int64_t hi) {
    for (int64_t r = lo; r < hi; ++r)
      sort_row(x.as<const T>() + r * n, n, descending, first, m, values.as<T>() + r * m, indices.as<int64_t>() + r * m);
  });
}

// ---- searching ----

// Number of elements below v, or with kRight not above it; NaN is above all. No branch depends on the data.
template <bool kRight, class T>
LAMINA_INLINE int64_t place_of(const T* s, int64_t n, T v) {
  const auto before = [v](T x) __attribute__((always_inline)) { return kRight ? !(x > v) : !(x >= v); };
  const T* at = s;
  while (n > 1) {
    const int64_t half = n / 2;
    at += before(at[half - 1]) ? half : 0;
    n -= half;
  }
  return at - s + (n == 1 && before(*at));
}
template <bool kRight, class T>
void search_rows(const View& sorted, const View& values, const View& places) {
  const int64_t n = sorted.shape[1], m = values.shape[1], step = sorted.shape[0] > 1 ? n : 0;
  const T* v = values.as<const T>();
  for_ranges(values.shape[0] * m, 4096, [&](int64_t lo, int64_t hi) {
    for (int64_t i = lo; i < hi;) {
      const int64_t row = i / m, end = (row + 1) * m < hi ? (row + 1) * m : hi;
      for (; i < end; ++i) places.as<int64_t>()[i] = place_of<kRight>(sorted.as<const T>() + row * step, n, v[i]);
    }
  });
}
template <class T>
void search(const View& sorted, const View& values, bool right, const View& places) {
  return right ? search_rows<true, T>(sorted, values, places) : search_rows<false, T>(sorted, values, places);
}

}  // namespace

void sort(const View& x, bool descending, int64_t first, const View& values, const View& indices) {
  switch (x.dtype) {
    case DType::bool_:
      return sort_rows<bool>(x, descending, first, values, indices);
    case DType::uint8:
      return sort_rows<uint8_t>(x, descending, first, values, indices);
    case DType::int8:
      return sort_rows<int8_t>(x, descending, first, values, indices);
    case DType::int16:
      return sort_rows<int16_t>(x, descending, first, values, indices);
    case DType::int32:
      return sort_rows<int32_t>(x, descending, first, values, indices);
    case DType::int64:
      return sort_rows<int64_t>(x, descending, first, values, indices);
    case DType::float16:
      return sort_rows<Half>(x, descending, first, values, indices);
    case DType::bfloat16:
      return sort_rows<BFloat16>(x, descending, first, values, indices);
    case DType::float32:
      return sort_rows<float>(x, descending, first, values, indices);
    case DType::float64:
      return sort_rows<double>(x, descending, first, values, indices);
  }
}

void searchsorted(const View& sorted, const View& values, bool right, const View& places) {
  switch (values.dtype) {
    case DType::float32:
      return search<float>(sorted, values, right, places);
    case DType::float64:
      return search<double>(sorted, values, right, places);
    case DType::int64:
      return search<int64_t>(sorted, values, right, places);
    default:
      unsupported("searchsorted", values.dtype);
  }
}

}  // namespace lamina::cpu::inline LAMINA_ISA
