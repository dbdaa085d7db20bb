// The matrix product against its definition (cpp/cpu/gemm.h), bit for bit: random sizes, strides of any sign,
// broadcasts, added terms and thread counts. LAMINA_ISA chooses the level. usage: gemm_test [cases] [seed]
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <vector>

#include "lamina/backend.h"

using namespace lamina;

namespace {

std::mt19937_64 rng;
int64_t pick(int64_t lo, int64_t hi) { return lo + int64_t(rng() % uint64_t(hi - lo + 1)); }

template <class T>
T convert(double x) {
  if constexpr (std::is_same_v<T, Half>) {
    return to_half(float(x));
  } else if constexpr (std::is_same_v<T, BFloat16>) {
    return to_bfloat16(float(x));
  } else if constexpr (std::is_integral_v<T>) {
    return T(int64_t(x * 1000));
  } else {
    return T(x);
  }
}
template <class T>
auto wide(T x) {
  if constexpr (sizeof(T) == 2 && !std::is_integral_v<T>) {
    return to_float(x);
  } else {
    return x;
  }
}

// A (..., rows, cols) view with random layout in memory of its own. Outside of the view the memory holds canaries.
template <class T>
struct Operand {
  std::vector<T> memory;
  View v{};
  std::vector<size_t> touched;
};

template <class T>
Operand<T> operand(const std::vector<int64_t>& shape, bool allow_zero_stride) {
  Operand<T> o;
  const int n = int(shape.size());
  std::vector<int> order(size_t(n), 0);
  for (int i = 0; i < n; ++i) order[size_t(i)] = i;
  if (pick(0, 2) == 0)
    std::shuffle(order.begin(), order.end(), rng);
  else if (pick(0, 1) && n >= 2)
    std::swap(order[size_t(n) - 1], order[size_t(n) - 2]);
  int64_t step = pick(0, 3) == 0 ? pick(1, 3) : 1, low = 0;
  o.v.ndim = n;
  o.v.dtype = DTypeOf<T>::value;
  for (int at = n - 1; at >= 0; --at) {
    const int i = order[size_t(at)];
    const int64_t size = shape[size_t(i)];
    o.v.shape[i] = size;
    if (allow_zero_stride && pick(0, 9) == 0) {
      o.v.stride[i] = 0;
      continue;
    }
    const bool negative = pick(0, 9) == 0;
    o.v.stride[i] = negative ? -step : step;
    if (negative) low += step * std::max<int64_t>(size - 1, 0);
    step = step * std::max<int64_t>(size, 1) + (pick(0, 2) == 0 ? pick(0, 5) : 0);
  }
  o.memory.resize(size_t(step) + 1);
  for (T& x : o.memory) x = convert<T>(double(int64_t(rng() % 2000001) - 1000000) * 1e-6);
  o.v.data = o.memory.data() + low;
  return o;
}

template <class T>
T at(const View& v, const std::vector<int64_t>& index, int64_t i, int64_t j) {
  int64_t offset = i * v.stride[v.ndim - 2] + j * v.stride[v.ndim - 1];
  for (size_t d = 0; d < index.size(); ++d) offset += index[d] * v.stride[d];
  return v.as<T>()[offset];
}

// The definition.
template <class T>
T element(const View& a, const View& b, const View* d, const std::vector<int64_t>& index, int64_t i, int64_t j,
          int64_t k) {
  if constexpr (std::is_integral_v<T>) {
    uint64_t s = d ? uint64_t(at<T>(*d, index, i, j)) : 0;
    for (int64_t p = 0; p < k; ++p) s += uint64_t(at<T>(a, index, i, p)) * uint64_t(at<T>(b, index, p, j));
    return T(s);
  } else {
    decltype(wide(T{})) total = 0;
    for (int64_t k0 = 0; k0 < k; k0 += 256) {
      decltype(total) s = 0;
      for (int64_t p = k0; p < std::min<int64_t>(k0 + 256, k); ++p)
        s = std::fma(wide(at<T>(a, index, i, p)), wide(at<T>(b, index, p, j)), s);
      total = k0 == 0 ? s : total + s;
    }
    if (d) total = total + wide(at<T>(*d, index, i, j));
    if constexpr (std::is_same_v<T, Half>) {
      return to_half(total);
    } else if constexpr (std::is_same_v<T, BFloat16>) {
      return to_bfloat16(total);
    } else {
      return total;
    }
  }
}

int64_t size_of_dim() {
  switch (pick(0, 5)) {
    case 0:
      return pick(0, 3);
    case 1:
      return pick(1, 20);
    case 2:
      return pick(1, 70);
    case 3:
      return 1 << pick(0, 6);
    case 4:
      return pick(1, 8) * 14;
    default:
      return pick(1, 150);
  }
}

template <class T>
bool test(const char* name) {
  std::vector<int64_t> batch(size_t(pick(0, 5) < 3 ? 0 : pick(1, 3)));
  int64_t count = 1;
  for (int64_t& x : batch) count *= x = pick(0, 20) == 0 ? 0 : pick(1, 4);
  int64_t m = size_of_dim(), n = size_of_dim(), k = pick(0, 3) == 0 ? pick(0, 1100) : size_of_dim();
  if (pick(0, 40) == 0) {
    k = pick(1000, 6000);
    m = pick(1, 6);
    n = pick(1, 6);
  }
  if (pick(0, 60) == 0) n = pick(2000, 2300), m = pick(1, 6), k = pick(1, 300), batch.clear(), count = 1;
  if (pick(0, 60) == 0) m = pick(2000, 2300), n = pick(1, 6), k = pick(1, 300), batch.clear(), count = 1;
  if (count * m * n * k > 40'000'000) k = 40'000'000 / (count * m * n);
  const auto with = [&](int64_t r, int64_t c) {
    std::vector<int64_t> s = batch;
    s.push_back(r);
    s.push_back(c);
    return s;
  };
  auto a = operand<T>(with(m, k), true), b = operand<T>(with(k, n), true), c = operand<T>(with(m, n), false);
  const auto before = c.memory;
  auto extra = operand<T>(with(m, n), true);
  const int added = int(pick(0, 5));  // mostly nothing; a term; the result itself
  const View* term = added == 0 ? &extra.v : added == 1 ? &c.v : nullptr;
  cpu::set_num_threads(int(pick(1, 4)));
  if (term) {
    cpu::kernels().matmul_add(a.v, b.v, *term, c.v);
  } else {
    cpu::kernels().matmul(a.v, b.v, c.v);
  }
  View old = c.v;  // the values before
  old.data = const_cast<T*>(before.data()) + (c.v.template as<T>() - c.memory.data());
  if (added == 1) term = &old;
  std::vector<char> inside(c.memory.size(), 0);
  std::vector<int64_t> index(batch.size(), 0);
  for (int64_t q = 0; q < count; ++q) {
    for (int64_t r = q, d = int64_t(batch.size()) - 1; d >= 0; --d) {
      index[size_t(d)] = r % batch[size_t(d)];
      r /= batch[size_t(d)];
    }
    for (int64_t i = 0; i < m; ++i)
      for (int64_t j = 0; j < n; ++j) {
        int64_t offset =
            c.v.template as<T>() - c.memory.data() + i * c.v.stride[c.v.ndim - 2] + j * c.v.stride[c.v.ndim - 1];
        for (size_t d = 0; d < index.size(); ++d) offset += index[d] * c.v.stride[d];
        inside[size_t(offset)] = 1;
        const T want = element<T>(a.v, b.v, term, index, i, j, k), got = c.memory[size_t(offset)];
        if (std::memcmp(&want, &got, sizeof(T)) != 0) {
          std::printf("%s m %ld n %ld k %ld batch %ld [%ld, %ld]: got %.9g, want %.9g\n", name, m, n, k, count, i, j,
                      double(wide(got)), double(wide(want)));
          return false;
        }
      }
  }
  for (size_t i = 0; i < inside.size(); ++i)
    if (!inside[i] && std::memcmp(&before[i], &c.memory[i], sizeof(T)) != 0) {
      std::printf("%s m %ld n %ld k %ld: wrote outside of the result\n", name, m, n, k);
      return false;
    }
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  const int cases = argc > 1 ? std::atoi(argv[1]) : 300;
  rng.seed(argc > 2 ? uint64_t(std::atoll(argv[2])) : 1);
  for (int i = 0; i < cases; ++i) {
    const bool ok = test<float>("float32") && test<double>("float64") &&
                    (i % 3 || (test<BFloat16>("bfloat16") && test<Half>("float16"))) &&
                    (i % 4 || (test<int64_t>("int64") && test<int32_t>("int32") && test<int16_t>("int16") &&
                               test<int8_t>("int8") && test<uint8_t>("uint8")));
    if (!ok) return 1;
  }
  std::printf("gemm_test: %d cases at %s: equal bits\n", cases, cpu::isa_name());
}
