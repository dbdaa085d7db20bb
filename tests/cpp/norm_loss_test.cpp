// Norms, softmax, losses, embedding and optimizers against plain double loops; prints a hash of all bits, which must
// not depend on threads, layout or SIMD level.
#include <cmath>
#include <cstdio>
#include <cstring>
#include <functional>
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
using Shape = std::vector<int64_t>;

namespace {

int failures = 0;
uint64_t hash = 1469598103934665603ull;
std::mt19937_64 rng(5);

// A tensor (N, C, H, W)-like with a chosen memory order of its dims.
template <class T>
struct Array {
  std::vector<T> data;
  View v;
  Array(const Shape& shape, const Shape& order = {}, double mean = 0, double std = 1) {
    v = View{nullptr, DTypeOf<T>::value, int32_t(shape.size()), {}, {}};
    int64_t size = 1;
    for (int i = v.ndim - 1; i >= 0; --i) {
      const int64_t d = order.empty() ? i : order[i];
      v.shape[d] = shape[d], v.stride[d] = size;
      size *= shape[d];
    }
    data.resize(size + 1);
    v.data = data.data();
    std::normal_distribution<double> g(mean, std);
    for (int64_t i = 0; i < v.numel(); ++i) at(i) = T(g(rng));
  }
  T& at(int64_t i) {  // logical order
    int64_t o = 0;
    for (int d = v.ndim - 1; d >= 0; --d) o += i % v.shape[d] * v.stride[d], i /= v.shape[d];
    return data[o];
  }
  void mix() {
    for (int64_t i = 0; i < v.numel(); ++i) {
      const T x = at(i);
      const unsigned char* b = reinterpret_cast<const unsigned char*>(&x);
      for (size_t k = 0; k < sizeof(T); ++k) hash = (hash ^ b[k]) * 1099511628211ull;
    }
  }
  operator const View&() const { return v; }
};

template <class T>
void near(const char* what, Array<T>& got, const std::function<long double(int64_t)>& want, double eps_of_abs = 4) {
  const double eps = sizeof(T) == 4
                         ? 0x1p-23
                         : 0x1p-38;  // f32 is held to its last digits, f64 to those that the sums of this file have
  double worst = 0, where = -1, scale = 0;
  for (int64_t i = 0; i < got.v.numel(); ++i) scale = std::max(scale, std::fabs(double(want(i))));
  for (int64_t i = 0; i < got.v.numel(); ++i) {
    const double e =
        double(std::fabs(got.at(i) - want(i)) / (eps * std::max(std::fabs(double(want(i))), scale * 0.1 + 1e-30)));
    if (!(e <= worst)) worst = e, where = double(i);
  }
  if (!(worst <= eps_of_abs)) {
    ++failures;
    std::printf("FAIL %s: %.2f eps at %.0f: %g, expected %g\n", what, worst, where, double(got.at(int64_t(where))),
                double(want(int64_t(where))));
  }
  got.mix();
}

template <class T>
void layer_norm_case(int64_t rows, int64_t n, const Shape& order, double mean) {
  Array<T> x({rows, n}, order, mean), w({n}), b({n}), y({rows, n}), dy({rows, n}, order), dx({rows, n}), dw({n}),
      db({n});
  Array<double> m({rows, 1}), r({rows, 1});
  CALL(layer_norm)(x, w, b, 1e-5, y, m, r);
  std::vector<long double> mu(rows), rs(rows), c1(rows), c2(rows);
  for (int64_t i = 0; i < rows; ++i) {
    long double s = 0, q = 0;
    for (int64_t j = 0; j < n; ++j) s += x.at(i * n + j);
    mu[i] = s / n;
    for (int64_t j = 0; j < n; ++j) q += (x.at(i * n + j) - s / n) * (x.at(i * n + j) - s / n);
    rs[i] = 1 / std::sqrt(q / n + 1e-5L);
    for (int64_t j = 0; j < n; ++j) {
      const long double g = (long double)(dy.at(i * n + j)) * w.at(j);
      c1[i] += g / n, c2[i] += g * (x.at(i * n + j) - mu[i]) * rs[i] / n;
    }
  }
  auto xhat = [&](int64_t i) { return (x.at(i) - mu[i / n]) * rs[i / n]; };
  near("layer_norm", y, [&](int64_t i) { return xhat(i) * w.at(i % n) + b.at(i % n); }, 4);
  CALL(layer_norm_backward)(x, dy, w, m, r, dx, dw, db);
  near(
      "layer_norm dx", dx,
      [&](int64_t i) { return rs[i / n] * (double(dy.at(i)) * w.at(i % n) - c1[i / n] - xhat(i) * c2[i / n]); }, 200);
  std::vector<long double> gw(n), gb(n);
  for (int64_t i = 0; i < rows * n; ++i) gw[i % n] += dy.at(i) * xhat(i), gb[i % n] += dy.at(i);
  near("layer_norm dw", dw, [&](int64_t i) { return gw[i]; }, 200);
  near("layer_norm db", db, [&](int64_t i) { return gb[i]; }, 200);
}

template <class T>
void batch_norm_case(const Shape& s, const Shape& order, bool training, double mean) {
  const int64_t c = s[1];
  int64_t inner = 1;
  for (size_t d = 2; d < s.size(); ++d) inner *= s[d];
  Array<T> x(s, order, mean), y(s, order), dy(s, order), dx(s, order), w({c}), b({c}), rm({c}, {}, 0.1, 0.1),
      rv({c}, {}, 5, 0.1), dw({c}), db({c});
  Array<double> m({c}), r({c});
  std::vector<long double> mu(c), rs(c), sum(c), dot(c), var(c), old_m(c), old_v(c);
  const int64_t total = x.v.numel();
  const double n = double(total / c);
  auto ch = [&](int64_t i) { return i / inner % c; };
  for (int64_t i = 0; i < c; ++i) old_m[i] = rm.at(i), old_v[i] = rv.at(i);
  for (int64_t i = 0; i < total; ++i) mu[ch(i)] += x.at(i) / n;
  for (int64_t i = 0; i < total; ++i) var[ch(i)] += (x.at(i) - mu[ch(i)]) * (x.at(i) - mu[ch(i)]) / n;
  CALL(batch_norm)(x, w, b, rm, rv, training, 0.1, 1e-5, y, m, r);
  if (training) {
    near("running_mean", rm, [&](int64_t i) { return old_m[i] * 0.9 + 0.1 * mu[i]; });
    near("running_var", rv, [&](int64_t i) { return old_v[i] * 0.9 + 0.1 * var[i] * n / (n - 1); });
  } else {
    mu = old_m, var = old_v;
  }
  for (int64_t i = 0; i < c; ++i) rs[i] = 1 / std::sqrt(var[i] + 1e-5L);
  auto xhat = [&](int64_t i) { return (x.at(i) - mu[ch(i)]) * rs[ch(i)]; };
  near("batch_norm", y, [&](int64_t i) { return xhat(i) * w.at(ch(i)) + b.at(ch(i)); }, 4);
  for (int64_t i = 0; i < total; ++i) sum[ch(i)] += dy.at(i), dot[ch(i)] += dy.at(i) * xhat(i);
  CALL(batch_norm_backward)(dy, x, w, m, r, training, dx, dw, db);
  near(
      "batch_norm dx", dx,
      [&](int64_t i) {
        const int64_t k = ch(i);
        return w.at(k) * rs[k] * (training ? dy.at(i) - sum[k] / n - xhat(i) * dot[k] / n : dy.at(i));
      },
      200);
  near("batch_norm dw", dw, [&](int64_t i) { return dot[i]; }, 200);
  near("batch_norm db", db, [&](int64_t i) { return sum[i]; }, 200);
}

template <class T>
void softmax_case(const Shape& s, const Shape& order, int dim) {
  int64_t n = s[dim], inner = 1, outer = 1;
  for (size_t d = 0; d < s.size(); ++d) (int(d) < dim ? outer : inner) *= int(d) == dim ? 1 : s[d];
  Array<T> x(s, order, 3, 8), y(s, order), dy(s, order), dx(s, order), ly(s), ldx(s);
  std::vector<long double> lse(outer * inner), dot(outer * inner), sum(outer * inner);
  auto row = [&](int64_t i) { return i / (n * inner) * inner + i % inner; };
  for (int64_t i = 0; i < x.v.numel(); ++i) lse[row(i)] += std::exp((long double)(x.at(i)));
  for (long double& l : lse) l = std::log(l);
  auto p = [&](int64_t i) { return std::exp(x.at(i) - lse[row(i)]); };
  for (int64_t i = 0; i < x.v.numel(); ++i) dot[row(i)] += dy.at(i) * p(i), sum[row(i)] += dy.at(i);
  CALL(softmax)(x, dim, false, y);
  near("softmax", y, p, 4);
  CALL(softmax)(x, dim, true, ly);
  near("log_softmax", ly, [&](int64_t i) { return x.at(i) - lse[row(i)]; }, 4);
  CALL(softmax_backward)(dy, y, dim, false, dx);
  near("softmax dx", dx, [&](int64_t i) { return p(i) * (dy.at(i) - dot[row(i)]); }, 200);
  CALL(softmax_backward)(dy, ly, dim, true, ldx);
  near("log_softmax dx", ldx, [&](int64_t i) { return dy.at(i) - p(i) * sum[row(i)]; }, 200);
}

template <class T>
void cross_entropy_case(const Shape& s, const Shape& order, bool weighted, double smoothing) {
  const int64_t c = s[1];
  int64_t inner = 1;
  for (size_t d = 2; d < s.size(); ++d) inner *= s[d];
  const int64_t rows = s[0] * inner;
  Array<T> x(s, order, 0, 4), dx(s, order), w({c}, {}, 1, 0.1);
  Array<int64_t> t({rows});
  for (int64_t i = 0; i < rows; ++i) t.at(i) = i % 7 == 3 ? -100 : int64_t(rng() % c);
  Array<double> loss({rows}), scale({rows}), lse({rows}), g({rows});
  View none = w.v;
  none.data = nullptr;
  int64_t bad;
  CALL(cross_entropy)(x, 1, t, weighted ? w.v : none, -100, smoothing, loss, scale, lse, &bad);
  if (bad != -1) ++failures, std::printf("FAIL cross_entropy bad %ld\n", long(bad));
  auto X = [&](int64_t r, int64_t j) -> long double { return x.at((r / inner * c + j) * inner + r % inner); };
  auto W = [&](int64_t j) -> double { return weighted ? w.at(j) : 1; };
  std::vector<long double> L(rows), S(rows);
  double wsum = 0;
  for (int64_t j = 0; j < c; ++j) wsum += W(j);
  for (int64_t r = 0; r < rows; ++r) {
    long double e = 0;
    for (int64_t j = 0; j < c; ++j) e += std::exp(X(r, j));
    L[r] = std::log(e);
    for (int64_t j = 0; j < c; ++j) S[r] += W(j) * (L[r] - X(r, j));
  }
  near(
      "cross_entropy", loss,
      [&](int64_t r) {
        return t.at(r) < 0 ? 0.0L
                           : (1 - smoothing) * W(t.at(r)) * (L[r] - X(r, t.at(r))) + smoothing / double(c) * S[r];
      },
      sizeof(T) == 4 ? 1e9 : 64);
  CALL(cross_entropy_backward)(x, 1, t, weighted ? w.v : none, -100, smoothing, lse, g, 3.0, dx);
  near(
      "cross_entropy dx", dx,
      [&](int64_t i) {
        const int64_t j = i / inner % c, r = i / (inner * c) * inner + i % inner;
        if (t.at(r) < 0) return 0.0L;
        const long double p = std::exp(X(r, j) - L[r]);
        return g.at(r) / 3 *
               ((1 - smoothing) * W(t.at(r)) * (p - (j == t.at(r))) + smoothing / double(c) * (p * wsum - W(j)));
      },
      200);
  t.at(rows - 1) = c;
  CALL(cross_entropy)(x, 1, t, none, -100, smoothing, loss, scale, lse, &bad);
  if (bad != rows - 1) ++failures, std::printf("FAIL cross_entropy does not see the bad target\n");
}

template <class T>
void embedding_case(int64_t v, int64_t d, int64_t n) {
  Array<T> w({v, d}), out({n, d}), g({n, d}), dw({v, d});
  Array<int64_t> index({n});
  for (int64_t i = 0; i < n; ++i) index.at(i) = int64_t(rng() % v);
  int64_t bad;
  CALL(embedding)(w, index, out, &bad);
  near("embedding", out, [&](int64_t i) { return double(w.at(index.at(i / d) * d + i % d)); }, 0);
  std::vector<long double> sum(v * d);
  for (int64_t i = 0; i < n * d; ++i)
    if (index.at(i / d) != 2) sum[index.at(i / d) * d + i % d] += g.at(i);
  CALL(embedding_backward)(g, index, 2, dw, &bad);
  near("embedding dw", dw, [&](int64_t i) { return sum[i]; });
  index.at(n / 2) = v;
  CALL(embedding)(w, index, out, &bad);
  if (bad != n / 2) ++failures, std::printf("FAIL embedding does not see the bad index\n");
}

template <class T>
void optim_case(bool decoupled, bool amsgrad, bool nesterov) {
  const Shape sizes = {5, 20000, 1, 100000, 777};
  std::vector<Array<T>> p, g, m, v, l;
  std::vector<std::vector<double>> P, M, V, L;
  for (int64_t n : sizes) {
    p.emplace_back(Shape{n}), g.emplace_back(Shape{n}), m.emplace_back(Shape{n}, Shape{}, 0, 0.1),
        v.emplace_back(Shape{n}, Shape{}, 2, 0.1), l.emplace_back(Shape{n}, Shape{}, 2, 0.1);
    auto copy = [](Array<T>& a) { return std::vector<double>(a.data.begin(), a.data.end()); };
    P.push_back(copy(p.back())), M.push_back(copy(m.back())), V.push_back(copy(v.back())), L.push_back(copy(l.back()));
  }
  std::vector<View> pv, gv, mv, vv, lv;
  for (size_t t = 0; t < sizes.size(); ++t)
    pv.push_back(p[t]), gv.push_back(g[t]), mv.push_back(m[t]), vv.push_back(v[t]), lv.push_back(l[t]);
  const int64_t steps[] = {1, 2, 3, 100, 5};
  AdamStep a{0.01, 0.9, 0.999, 1e-8, 0.1, decoupled, false, steps};
  CALL(adam_step)(pv.data(), gv.data(), mv.data(), vv.data(), amsgrad ? lv.data() : nullptr, int(sizes.size()), a);
  const bool fresh[] = {true, false, true, false, true};
  for (size_t t = 0; t < sizes.size(); ++t) {
    auto next = [&](int64_t i) {
      double x = P[t][i], gr = g[t].at(i);
      if (decoupled)
        x *= 1 - 0.01 * 0.1;
      else
        gr += 0.1 * x;
      const double mm = 0.9 * M[t][i] + 0.1 * gr, v2 = 0.999 * V[t][i] + 0.001 * gr * gr,
                   top = amsgrad ? std::max(L[t][i], v2) : v2;
      return x - 0.01 / (1 - std::pow(0.9, steps[t])) * mm /
                     (std::sqrt(top) / std::sqrt(1 - std::pow(0.999, steps[t])) + 1e-8);
    };
    near("adam", p[t], next, 200);
    for (int64_t i = 0; i < sizes[t]; ++i) P[t][i] = p[t].at(i), M[t][i] = m[t].at(i);
  }
  SgdStep s{0.05, 0.9, nesterov ? 0 : 0.1, 0.01, nesterov, true, fresh};
  CALL(sgd_step)(pv.data(), gv.data(), mv.data(), int(sizes.size()), s);
  for (size_t t = 0; t < sizes.size(); ++t) {
    near(
        "sgd", p[t],
        [&](int64_t i) {
          const double gr = -double(g[t].at(i)) + 0.01 * P[t][i];
          const double b = fresh[t] ? gr : 0.9 * M[t][i] + (1 - s.dampening) * gr;
          return P[t][i] - 0.05 * (nesterov ? gr + 0.9 * b : b);
        },
        200);
  }
}

template <class T>
void all() {
  for (double mean : {0.0, 1000.0}) {
    layer_norm_case<T>(7, 10, {}, mean);
    layer_norm_case<T>(300, 129, {}, mean);
    layer_norm_case<T>(130, 64, {1, 0}, mean);
    layer_norm_case<T>(3, 5000, {}, mean);
    for (bool training : {true, false}) {
      batch_norm_case<T>({50, 7}, {}, training, mean);
      batch_norm_case<T>({5, 3, 9, 11}, {}, training, mean);
      batch_norm_case<T>({5, 3, 9, 11}, {0, 2, 3, 1}, training, mean);
      batch_norm_case<T>({4, 70, 33, 35}, {0, 2, 3, 1}, training, mean);
      batch_norm_case<T>({4, 70, 33, 35}, {}, training, mean);
      batch_norm_case<T>({4, 6, 3, 5}, {3, 1, 0, 2}, training, mean);
    }
  }
  softmax_case<T>({40, 1000}, {}, 1);
  softmax_case<T>({40, 10}, {1, 0}, 1);
  softmax_case<T>({4, 10, 9, 7}, {}, 1);
  softmax_case<T>({4, 10, 9, 7}, {0, 2, 3, 1}, 1);
  softmax_case<T>({5, 1, 3}, {}, 1);
  for (double smoothing : {0.0, 0.1})
    for (bool weighted : {false, true}) {
      cross_entropy_case<T>({64, 10}, {}, weighted, smoothing);
      cross_entropy_case<T>({64, 1000}, {}, weighted, smoothing);
      cross_entropy_case<T>({4, 10, 9, 7}, {}, weighted, smoothing);
      cross_entropy_case<T>({4, 10, 9, 7}, {0, 2, 3, 1}, weighted, smoothing);
    }
  embedding_case<T>(50, 33, 1000);
  embedding_case<T>(5000, 64, 10);
  optim_case<T>(true, false, true);
  optim_case<T>(false, true, false);
}

}  // namespace

int main() {
  uint64_t first = 0;
  for (int threads : {1, 2, 4}) {
    cpu::set_num_threads(threads);
    rng.seed(5);
    hash = 1469598103934665603ull;
    all<float>();
    all<double>();
    if (threads == 1) first = hash;
    if (hash != first) ++failures, std::printf("FAIL bits differ at %d threads\n", threads);
  }
  std::printf("norm_loss: %d failures, hash %016lx\n", failures, static_cast<unsigned long>(first));
  return failures != 0;
}
