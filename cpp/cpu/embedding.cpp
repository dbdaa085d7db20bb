// embedding: rows of a table, and the sum of gradients back into it in the order of the indices.
#include "gather.h"
#include "parallel.h"

namespace lamina::cpu::inline LAMINA_ISA {
namespace {

constexpr int64_t kTile = 65536;

void note_bad(int64_t* bad, int64_t at) {
  int64_t now = __atomic_load_n(bad, __ATOMIC_RELAXED);
  while ((now < 0 || at < now) &&
         !__atomic_compare_exchange_n(bad, &now, at, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
  }
}

// Row v of the table gets the sum of its gradients, added in double in the order of the indices.
template <class T>
void sum_rows(const View& grad, const int64_t* order, int64_t count, int64_t width, const View& out, int64_t v) {
  char* to = element(out.data, out.dtype, v * width);
  double* total = static_cast<double*>(scratch(1, size_t(width) * (sizeof(double) + sizeof(T))));
  T* row = reinterpret_cast<T*>(total + width);
  for (int64_t d = 0; d < width; ++d) total[d] = 0;
  for (int64_t i = 0; i < count; ++i) {
    const char* from = element(grad.data, grad.dtype, order[i] * width);
    const T* p = row;
    if (stored_as<T>(grad.dtype)) {
      p = reinterpret_cast<const T*>(from);
    } else {
      gather_run<T>(grad.dtype, from, 1, width, row);
    }
    for (int64_t d = 0; d < width; ++d) total[d] += double(p[d]);
  }
  scatter_run<double>(out.dtype, total, to, 1, width);
}

template <class T>
void scatter_sums(const View& grad, const int64_t* begin, const int64_t* order, int64_t rows, int64_t width,
                  const View& out) {
  const int64_t cost = width + begin[rows] * width / (rows > 0 ? rows : 1), grain = kTile / (cost > 0 ? cost : 1);
  for_ranges(rows, grain > 0 ? grain : 1, [&](int64_t lo, int64_t hi) {
    for (int64_t v = lo; v < hi; ++v) {
      const int64_t count = begin[v + 1] - begin[v];
      char* to = element(out.data, out.dtype, v * width);
      if (count == 0) {
        __builtin_memset(to, 0, size_t(width) * size_of(out.dtype));
      } else if (count == 1 && grad.dtype == out.dtype) {
        __builtin_memcpy(to, element(grad.data, grad.dtype, order[begin[v]] * width),
                         size_t(width) * size_of(out.dtype));
      } else {
        sum_rows<T>(grad, order + begin[v], count, width, out, v);
      }
    }
  });
}

}  // namespace

void embedding(const View& weight, const View& indices, const View& out, int64_t* bad) {
  *bad = -1;
  const int64_t rows = weight.shape[0], width = weight.shape[1], n = indices.numel();
  const int64_t* index = indices.as<const int64_t>();
  const size_t bytes = size_of(weight.dtype);
  const int64_t grain = kTile / (width > 0 ? width : 1);
  for_ranges(n, grain > 0 ? grain : 1, [&](int64_t lo, int64_t hi) {
    for (int64_t i = lo; i < hi; ++i) {
      const int64_t v = index[i];
      if (v < 0 || v >= rows) {
        note_bad(bad, i);
        continue;
      }
      if (width > 0)  // else there may be no memory at all
        __builtin_memcpy(element(out.data, out.dtype, i * width), element(weight.data, weight.dtype, v * width),
                         size_t(width) * bytes);
    }
  });
}

void embedding_backward(const View& grad, const View& indices, int64_t padding_idx, const View& dweight, int64_t* bad) {
  *bad = -1;
  const int64_t rows = dweight.shape[0], width = dweight.shape[1], n = indices.numel();
  const int64_t* index = indices.as<const int64_t>();
  // A stable counting sort: order[begin[v] .. begin[v + 1]] are the positions of index v, ascending.
  int64_t* begin = static_cast<int64_t*>(scratch(0, size_t(2 * rows + 2 + n) * sizeof(int64_t)));
  int64_t *next = begin + rows + 1, *order = next + rows + 1;
  for (int64_t v = 0; v <= rows; ++v) begin[v] = 0;
  for (int64_t i = 0; i < n; ++i) {
    const int64_t v = index[i];
    if (v < 0 || v >= rows) {
      *bad = i;
      return;
    }
    if (v != padding_idx) ++begin[v + 1];
  }
  for (int64_t v = 0; v < rows; ++v) begin[v + 1] += begin[v];
  for (int64_t v = 0; v < rows; ++v) next[v] = begin[v];
  for (int64_t i = 0; i < n; ++i)
    if (index[i] != padding_idx) order[next[index[i]]++] = i;
  compute_of(grad.dtype) == Compute::f64 ? scatter_sums<double>(grad, begin, order, rows, width, dweight)
                                         : scatter_sums<float>(grad, begin, order, rows, width, dweight);
}

}  // namespace lamina::cpu::inline LAMINA_ISA
