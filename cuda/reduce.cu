// reduce: sum and mean over any dims, by the same tree as on the CPU. Reduced elements are numbered in logical order
// and cut into chunks of 16384, chunks into blocks of 64. Inside a chunk, lane l of 16 adds x[l] + x[l + 16] and x[l +
// 32] + x[l + 48] of each block in the input's type, their sum to its total (double for floats); missing elements are
// 0. Lanes fold 16 -> 8 -> 4 -> 2 -> 1, chunks fold pairwise. Method: 16 threads are the lanes of one chunk of one
// output; each later launch folds one level of the chunks.
#include "convert.h"
#include "gpu.h"

namespace lamina::cuda {
namespace {

constexpr int64_t kChunk = kReduceChunk, kBlock = 64;
constexpr int kLanes = 16, kGroups = kThreads / kLanes;

// Some dims of the input, outermost first, with the count of their elements.
struct Dims16 {
  int ndim = 0;
  int64_t count = 1, shape[kMaxDims], stride[kMaxDims];
  LAMINA_HD int64_t offset(int64_t i) const {
    int64_t at = 0;
    for (int d = ndim - 1; d > 0; --d) {
      at += i % shape[d] * stride[d];
      i /= shape[d];
    }
    return ndim > 0 ? at + i * stride[0] : 0;
  }
};
void push(Dims16& dims, int64_t size, int64_t stride) {
  dims.count *= size;
  if (size == 1) return;
  if (dims.ndim > 0 && dims.stride[dims.ndim - 1] == stride * size) {
    dims.shape[dims.ndim - 1] *= size;
  } else {
    dims.shape[dims.ndim++] = size;
  }
  dims.stride[dims.ndim - 1] = stride;
}

struct Sum {
  const void* data;
  DType dtype;
  Dims16 reduced, kept;
  int64_t chunks;
};

template <class T>
LAMINA_HD inline T add(T a, T b) {
  if constexpr (std::is_integral_v<T>) {
    return T(uint64_t(a) + uint64_t(b));
  } else {
    return a + b;
  }
}

// totals[chunk][output] = the sum of one chunk. T is the input's type, A the totals'.
template <class T, class A>
__global__ void __launch_bounds__(kThreads) sum_chunks_kernel(const Sum s, A* totals) {
  LAMINA_SHARED(A, lanes, kThreads);
  const int lane = int(threadIdx.x) % kLanes, group = int(threadIdx.x) / kLanes;
  const int64_t count = s.kept.count * s.chunks;
  for (int64_t first = int64_t(blockIdx.x) * kGroups; first < count; first += int64_t(gridDim.x) * kGroups) {
    const int64_t i = first + group, output = i / s.chunks, chunk = i % s.chunks;
    A total = 0;
    if (i < count) {
      const int64_t base = s.kept.offset(output), start = chunk * kChunk;
      const int64_t end = start + kChunk < s.reduced.count ? start + kChunk : s.reduced.count;
      for (int64_t b = start; b < end; b += kBlock) {
        T x[4];
        for (int j = 0; j < 4; ++j) {
          const int64_t e = b + lane + j * kLanes;
          x[j] = e < end ? load<T>(s.data, base + s.reduced.offset(e), s.dtype) : T(0);
        }
        total = add(total, A(add(add(x[0], x[1]), add(x[2], x[3]))));
      }
    }
    lanes[threadIdx.x] = total;
    __syncthreads();
    for (int width = kLanes / 2; width > 0; width /= 2) {
      if (lane < width) lanes[threadIdx.x] = add(lanes[threadIdx.x], lanes[threadIdx.x + width]);
      __syncthreads();
    }
    if (lane == 0 && i < count) totals[chunk * s.kept.count + output] = lanes[threadIdx.x];
    __syncthreads();
  }
}

// totals[c] += totals[c + width] for c = 0, 2 width, 4 width ...
template <class A>
__global__ void __launch_bounds__(kThreads) fold_kernel(A* totals, int64_t chunks, int64_t outputs, int64_t width) {
  const int64_t pairs = (chunks - width + 2 * width - 1) / (2 * width), step = int64_t(gridDim.x) * kThreads;
  for (int64_t i = int64_t(blockIdx.x) * kThreads + threadIdx.x; i < pairs * outputs; i += step) {
    const int64_t c = i / outputs * 2 * width, o = i % outputs;
    totals[c * outputs + o] = add(totals[c * outputs + o], totals[(c + width) * outputs + o]);
  }
}

template <class A>
__global__ void __launch_bounds__(kThreads)
    finish_kernel(const A* totals, int64_t outputs, double divisor, bool mean, View out) {
  const int64_t step = int64_t(gridDim.x) * kThreads;
  for (int64_t i = int64_t(blockIdx.x) * kThreads + threadIdx.x; i < outputs; i += step) {
    A total = totals[i];
    if constexpr (!std::is_integral_v<A>)
      if (mean) total = total / divisor;
    store(out.data, i, out.dtype, total);
  }
}

template <class T, class A>
void sum(const Sum& s, bool mean, const View& out) {
  const int64_t outputs = s.kept.count, count = outputs * s.chunks;
  const Workspace totals("reduce", size_t(count) * sizeof(A));
  if (!totals.get()) return;
  A* t = static_cast<A*>(totals.get());
  LAMINA_LAUNCH((sum_chunks_kernel<T, A>), blocks_for(count * kLanes), kThreads, s, t);
  for (int64_t width = 1; width < s.chunks; width *= 2)
    LAMINA_LAUNCH(fold_kernel<A>, blocks_for(s.chunks / width * outputs), kThreads, t, s.chunks, outputs, width);
  LAMINA_LAUNCH(finish_kernel<A>, blocks_for(outputs), kThreads, t, outputs, double(s.reduced.count), mean, out);
  check_launch("reduce");
}

}  // namespace

void reduce(ReduceOp op, const View& in, const View& out, double) {
  if (op != ReduceOp::sum && op != ReduceOp::mean)
    return remember("reduce", "only sum and mean are on cuda; move the tensor to cpu");
  Sum s{in.data, in.dtype, {}, {}, 1};
  for (int d = 0; d < in.ndim; ++d) push(in.shape[d] != out.shape[d] ? s.reduced : s.kept, in.shape[d], in.stride[d]);
  if (s.kept.count == 0) return;
  if (s.reduced.count > kChunk) s.chunks = (s.reduced.count - 1) / kChunk + 1;
  const bool mean = op == ReduceOp::mean;
  if (!is_floating(in.dtype)) return sum<int64_t, int64_t>(s, mean, out);
  if (in.dtype == DType::float64) return sum<double, double>(s, mean, out);
  sum<float, double>(s, mean, out);
}

}  // namespace lamina::cuda
