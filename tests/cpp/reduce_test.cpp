// Reductions against a scalar transcription of the tree (bit for bit), over dims, layouts, dtypes and thread counts.
#include <cmath>
#include <cstdio>
#include <cstring>
#include <random>
#include <vector>

#include "lamina/backend.h"

#ifdef LAMINA_DIRECT  // kernels of this file's own SIMD level, without the table
namespace lamina::cpu::inline LAMINA_ISA {
#define KERNEL(name, signature) void name signature;
#include "lamina/kernels.def"
#undef KERNEL
}  // namespace lamina::cpu::inline LAMINA_ISA
#define CALL(name) lamina::cpu::name
#else
#define CALL(name) lamina::cpu::kernels().name
#endif

using namespace lamina;

namespace {

int failures = 0, checks = 0;
std::mt19937_64 rng(7);

template <class T>
double pairwise(std::vector<T> c, T (*combine)(T, T), T& out) {
  while (c.size() > 1) {
    std::vector<T> d;
    for (size_t i = 0; i < c.size(); i += 2) d.push_back(i + 1 < c.size() ? combine(c[i], c[i + 1]) : c[i]);
    c = d;
  }
  out = c[0];
  return 0;
}

// The definition in tree.h, written element by element.
template <class T, class A, class Block>
A tree(const std::vector<T>& x, A identity, T pad, A (*combine)(A, A), Block block) {
  if (x.empty()) return identity;
  std::vector<A> chunks;
  for (size_t c = 0; c < x.size(); c += 16384) {
    A lane[16];
    for (int l = 0; l < 16; ++l) {
      lane[l] = identity;
      for (size_t b = c; b < std::min(x.size(), c + 16384); b += 64) {
        T v[4];
        for (int j = 0; j < 4; ++j) {
          const size_t i = b + l + 16 * j;
          v[j] = i < std::min(x.size(), c + 16384) ? x[i] : pad;
        }
        lane[l] = block(lane[l], v);
      }
    }
    for (int w = 8; w; w /= 2)
      for (int l = 0; l < w; ++l) lane[l] = combine(lane[l], lane[l + w]);
    chunks.push_back(lane[0]);
  }
  A out;
  pairwise(chunks, combine, out);
  return out;
}

template <class T>
double sum_reference(const std::vector<T>& x) {
  return tree<T, double>(
      x, 0, 0, [](double a, double b) { return a + b; },
      [](double a, const T* v) { return a + double(T(v[0] + v[1]) + T(v[2] + v[3])); });
}
template <class T>
double norm2_reference(const std::vector<T>& x) {
  return std::sqrt(tree<T, double>(
      x, 0, 0, [](double a, double b) { return a + b; },
      [](double a, const T* v) {
        for (int j = 0; j < 4; ++j) a = std::fma(double(v[j]), double(v[j]), a);
        return a;
      }));
}
template <class T>
double prod_reference(const std::vector<T>& x) {
  return tree<T, double>(
      x, 1, 1, [](double a, double b) { return a * b; },
      [](double a, const T* v) {
        for (int j = 0; j < 4; ++j) a *= v[j];
        return a;
      });
}
template <class T>
double max_reference(const std::vector<T>& x, int64_t& at) {
  double m = x[0];
  at = 0;
  for (size_t i = 1; i < x.size(); ++i)
    if ((x[i] > m || x[i] != x[i]) && m == m) m = x[i], at = int64_t(i);
  return m;
}
// Moments about the first element (f32) or about a first pass (f64).
template <class T>
double var_reference(const std::vector<T>& x, double& mean) {
  mean = x[0];
  double m2 = 0;
  const double n = double(x.size());
  for (int pass = sizeof(T) == 8 ? 0 : 1; pass < 2; ++pass) {
    const double s = mean;
    auto add = [](double a, double b) { return a + b; };
    const double a = tree<T, double>(x, 0, T(s), add, [s](double t, const T* v) {
      for (int j = 0; j < 4; ++j) t += double(v[j]) - s;
      return t;
    });
    const double b = tree<T, double>(x, 0, T(s), add, [s](double t, const T* v) {
      for (int j = 0; j < 4; ++j) t = std::fma(double(v[j]) - s, double(v[j]) - s, t);
      return t;
    });
    mean = s + a / n;
    m2 = b - a * (a / n);
  }
  return (m2 < 0 ? 0 : m2) / (n - 1);
}

struct Case {
  std::vector<int64_t> shape, order;  // memory order of the dims, outermost first
  std::vector<int> flip, expand, reduced;
  int step = 1;
};

View contiguous(DType t, const std::vector<int64_t>& shape, void* p) {
  View v{p, t, int32_t(shape.size()), {}, {}};
  int64_t s = 1;
  for (int d = v.ndim - 1; d >= 0; --d) v.shape[d] = shape[d], v.stride[d] = s, s *= shape[d];
  return v;
}

template <class T>
bool same(T a, T b) {
  return (a != a && b != b) || std::memcmp(&a, &b, sizeof a) == 0;
}

void report(bool ok, const char* what, const Case& c) {
  ++checks;
  if (ok) return;
  ++failures;
  std::printf("FAIL %s shape", what);
  for (auto s : c.shape) std::printf(" %ld", long(s));
  std::printf(" reduced");
  for (auto s : c.reduced) std::printf(" %d", s);
  std::printf("\n");
}

template <class T>
void run(const Case& c, bool hostile) {
  const int n = int(c.shape.size());
  View v{nullptr, DTypeOf<T>::value, n, {}, {}};
  int64_t size = c.step;
  for (int i = n - 1; i >= 0; --i) {
    const int d = int(c.order[i]);
    v.stride[d] = size, v.shape[d] = c.shape[d];
    size *= std::max<int64_t>(c.shape[d], 1);
  }
  std::vector<T> data(size + 64);
  std::normal_distribution<double> gauss(hostile ? 1000 : 0.2, 1);
  for (T& x : data) x = T(gauss(rng));
  int64_t offset = 0;
  for (int d : c.flip) offset += (c.shape[d] - 1) * v.stride[d], v.stride[d] = -v.stride[d];
  for (int d : c.expand) v.stride[d] = 0;
  v.data = data.data() + offset;

  std::vector<int64_t> kept = c.shape;
  for (int d : c.reduced) kept[d] = 1;
  int64_t outputs = 1;
  for (auto s : kept) outputs *= s;
  std::vector<std::vector<T>> rows(outputs);
  int64_t total = 1;
  for (auto s : c.shape) total *= s;
  for (int64_t i = 0; i < total; ++i) {
    int64_t rest = i, at = 0, o = 0, fs = 1;
    for (int d = n - 1; d >= 0; --d) {
      const int64_t k = rest % c.shape[d];
      rest /= c.shape[d];
      at += k * v.stride[d];
      if (kept[d] == c.shape[d]) o += k * fs;
      fs *= kept[d];
    }
    rows[o].push_back(v.as<T>()[at]);
  }
  std::vector<T> out(outputs + 1), out2(outputs + 1), out3(outputs + 1);
  std::vector<int64_t> index(outputs + 1);
  const View ov = contiguous(v.dtype, kept, out.data()), ov2 = contiguous(v.dtype, kept, out2.data()),
             ov3 = contiguous(v.dtype, kept, out3.data()), iv = contiguous(DType::int64, kept, index.data());
  for (int threads : {1, 3}) {
    cpu::set_num_threads(threads);
    auto check = [&](const char* what, auto reference) {
      bool ok = true;
      for (int64_t o = 0; o < outputs; ++o) ok = ok && same(out[o], T(reference(rows[o])));
      report(ok, what, c);
    };
    CALL(reduce)(ReduceOp::sum, v, ov, 0);
    check("sum", [](auto& r) { return sum_reference(r); });
    CALL(reduce)(ReduceOp::mean, v, ov, 0);
    check("mean", [](auto& r) { return sum_reference(r) / double(r.size()); });
    CALL(reduce)(ReduceOp::prod, v, ov, 0);
    check("prod", [](auto& r) { return prod_reference(r); });
    CALL(reduce)(ReduceOp::norm_2, v, ov, 0);
    check("norm2", [](auto& r) { return norm2_reference(r); });
    if (total == 0) continue;
    CALL(reduce)(ReduceOp::amax, v, ov, 0);
    int64_t at;
    check("amax", [&](auto& r) { return max_reference(r, at); });
    CALL(arg_reduce)(true, v, ov2, iv);
    bool ok = true;
    for (int64_t o = 0; o < outputs; ++o) ok = ok && same(out2[o], T(max_reference(rows[o], at))) && at == index[o];
    report(ok, "arg_reduce", c);
    CALL(var_mean)(v, 1, false, ov2, ov3);
    ok = true;
    for (int64_t o = 0; o < outputs; ++o) {
      double mean;
      const double var = var_reference(rows[o], mean);
      ok = ok && same(out2[o], T(var)) && same(out3[o], T(mean));
    }
    report(ok, "var_mean", c);
  }
}

}  // namespace

int main() {
  const Case cases[] = {
      {{10}, {0}, {}, {}, {0}},
      {{100000}, {0}, {}, {}, {0}},
      {{100000}, {0}, {0}, {}, {0}},
      {{70001}, {0}, {}, {}, {0}, 3},
      {{37, 1000}, {0, 1}, {}, {}, {1}},
      {{37, 1000}, {0, 1}, {}, {}, {0}},
      {{37, 1000}, {1, 0}, {}, {}, {0}},
      {{37, 1000}, {1, 0}, {}, {}, {1}},
      {{37, 1000}, {0, 1}, {}, {}, {0, 1}},
      {{37, 1000}, {1, 0}, {}, {}, {0, 1}},
      {{40000, 37}, {0, 1}, {}, {}, {0}},
      {{40000, 3}, {0, 1}, {}, {}, {0}},
      {{9000, 200}, {0, 1}, {1}, {}, {0}},
      {{20000, 200}, {0, 1}, {0}, {}, {0}},
      {{4, 5, 33, 35}, {0, 1, 2, 3}, {}, {}, {0, 2, 3}},
      {{4, 5, 33, 35}, {0, 2, 3, 1}, {}, {}, {0, 2, 3}},
      {{4, 20, 33, 35}, {0, 2, 3, 1}, {2}, {}, {0, 2, 3}},
      {{4, 20, 13, 15}, {0, 2, 3, 1}, {}, {}, {1}},
      {{4, 20, 13, 15}, {0, 1, 2, 3}, {}, {}, {1}},
      {{4, 20, 13, 15}, {0, 2, 3, 1}, {}, {}, {0}},
      {{4, 20, 13, 15}, {3, 1, 0, 2}, {1}, {}, {1, 3}},
      {{300, 50}, {0, 1}, {}, {0}, {0}},
      {{300, 50}, {0, 1}, {}, {1}, {0}},
      {{0, 5}, {0, 1}, {}, {}, {0}},
      {{5, 0}, {0, 1}, {}, {}, {0}},
      {{1, 1, 7}, {0, 1, 2}, {}, {}, {1}},
      {{}, {}, {}, {}, {}},
  };
  for (const Case& c : cases)
    for (bool hostile : {false, true}) {
      run<float>(c, hostile);
      run<double>(c, hostile);
    }
  std::printf("reduce: %d checks, %d failures\n", checks, failures);
  return failures != 0;
}
