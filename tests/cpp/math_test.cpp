// Errors in ULP of every elementwise function of one argument, in float against double over all bit patterns
// (--full) or every 4099th (default), and in double against long double on random arguments. Exits 1 above the bar.
#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <mutex>
#include <random>
#include <string_view>
#include <thread>
#include <vector>

#include "lamina/backend.h"
#include "lamina/elementwise_ops.h"

namespace {

using lamina::DType;
using lamina::Ew;
using lamina::View;
using Real = long double;

constexpr int64_t kChunk = 1 << 14;

template <class T>
View row(T* p, int64_t n) {
  View v{};
  v.data = p;
  v.dtype = lamina::DTypeOf<T>::value;
  v.ndim = 1;
  v.shape[0] = n;
  v.stride[0] = 1;
  return v;
}
template <class T>
void run(Ew op, T* x, T* y, int64_t n) {
  const double params[3] = {op == Ew::LeakyRelu  ? 0.01
                            : op == Ew::Hardtanh ? -1.0
                                                 : 1.0,
                            op == Ew::Softplus ? 20.0 : 1.0, 0};
  const View in = row(x, n);
  lamina::cpu::kernels().elementwise({op, 0}, lamina::DTypeOf<T>::value, &in, 1, row(y, n), params);
}

// Distance in units of the last place of the exact value; infinite when one is NaN or infinite and the other is not.
template <class T, class R>
double ulps(T got, R exact, double terms) {
  constexpr int digits = sizeof(T) == 4 ? 24 : 53, lowest = sizeof(T) == 4 ? -149 : -1074;
  if (std::isnan(exact)) return std::isnan(got) ? 0 : INFINITY;
  if (std::isnan(got)) return INFINITY;
  const T rounded = T(exact);
  if (got == rounded)
    return std::isinf(rounded)
               ? 0
               : double(std::fabs(R(got) - exact) /
                        std::ldexp(R(1), std::max(std::ilogb(exact == 0 ? R(1e-300) : exact) - digits + 1, lowest)));
  if (std::isinf(got)) {  // an overflow one step early
    const R top = std::ldexp(R(1), sizeof(T) == 4 ? 128 : 1024);
    return double(std::fabs((std::signbit(got) ? -top : top) - exact) / std::ldexp(top, -digits));
  }
  if (std::isinf(rounded)) return std::fabs(got) == std::numeric_limits<T>::max() ? 1 : INFINITY;
  const int scale = std::ilogb(std::max(std::fabs(exact), R(terms)));
  return double(std::fabs(R(got) - exact) / std::ldexp(R(1), std::max(scale - digits + 1, lowest)));
}

template <class R>
R softplus(R x) {
  return x > 20 ? x : std::log1p(std::exp(x));
}
template <class R>
R sigmoid(R x) {
  return x < 0 ? std::exp(x) / (1 + std::exp(x)) : 1 / (1 + std::exp(-x));
}
constexpr Real kPi = 3.14159265358979323846264338327950288L;
// sin(pi x) and cos(pi x) of what x is away from the nearest integer.
Real sin_pi(Real x) {
  const Real n = std::rint(x), s = std::sin(kPi * (x - n));
  return std::fmod(n, 2.0L) == 0 ? s : -s;
}
Real cot_pi(Real x) {
  const Real r = kPi * (x - std::rint(x));
  return std::cos(r) / std::sin(r);
}
Real digamma(Real x) {
  if (x == 0) return std::copysign(Real(INFINITY), -x);
  if (x < 0) return x == std::rint(x) ? Real(NAN) : digamma(1 - x) - kPi * cot_pi(x);
  Real sum = 0;
  for (; x < 40; x += 1) sum -= 1 / x;
  constexpr Real b[] = {1 / 12.0L, -1 / 120.0L, 1 / 252.0L, -1 / 240.0L, 5 / 660.0L, -691 / 32760.0L, 1 / 12.0L};
  const Real u = 1 / (x * x);
  Real series = 0;
  for (int k = 6; k >= 0; --k) series = (series + b[k]) * u;
  return std::isinf(x) ? x : sum + std::log(x) - 0.5L / x - series;
}
// Newton's method; erfc where |x| is near 1.
Real erfinv(Real x) {
  const Real t = std::fabs(x), w = std::log1p(-t * t) / 2, a = 2 / (kPi * 0.147L) + w;
  if (!(t < 1)) return t == 1 ? x / 0.0L : Real(NAN);
  if (t < 1e-9L) return x * std::sqrt(kPi) / 2;
  Real y = std::sqrt(std::sqrt(a * a - 2 * w / 0.147L) - a);
  for (int i = 0; i < 6; ++i) {
    const Real missing = t < 0.5L ? std::erf(y) - t : (1 - t) - std::erfc(y);
    y -= missing * std::sqrt(kPi) / 2 * std::exp(y * y);
  }
  return std::copysign(y, x);
}
Real erfcx(Real x) {
  if (x < 20) return std::exp(x * x) * std::erfc(x);
  const Real u = 1 / (2 * x * x);
  Real series = 1;
  for (int k = 20; k > 0; --k) series = 1 - Real(2 * k - 1) * u * series;
  return series / (x * std::sqrt(kPi));
}
constexpr Real kRoot = 0.707106781186547524400844362104849039L;

struct Function {
  const char* name;
  Ew op;
  double bar, bar64;  // allowed error in float and in double
  double (*f)(double);
  Real (*g)(Real);
  double lo, hi;  // range of the double test
  double (*terms)(double) = [](double) { return 0.0; };
};
// The size of the terms whose difference a value is: a smaller value counts as if it had their last place. For psi
// above 0 it is what the reference resolves.
double terms_of_lgamma(double x) { return x < 0 ? 0.5 : 0; }
double terms_of_digamma(double x) { return x < 0 ? std::max(1.0, std::log(1 - x)) : 0x1p-9; }
Function with_terms(Function f, double (*terms)(double)) {
  f.terms = terms;
  return f;
}
#define F(name, Op, bar, bar64, lo, hi, ...) \
  {name,                                     \
   Ew::Op,                                   \
   bar,                                      \
   bar64,                                    \
   [](double x) -> double {                  \
     using R [[maybe_unused]] = double;      \
     return __VA_ARGS__;                     \
   },                                        \
   [](Real x) -> Real {                      \
     using R [[maybe_unused]] = Real;        \
     return __VA_ARGS__;                     \
   },                                        \
   lo,                                       \
   hi}
const Function kFunctions[] = {
    F("exp", Exp, 1, 1, -750, 720, std::exp(x)),
    F("expm1", Expm1, 1.25, 1.5, -40, 720, std::expm1(x)),
    F("log", Log, 1, 1, 0, 1e3, std::log(x)),
    F("log1p", Log1p, 1, 1.5, -1, 10, std::log1p(x)),
    F("log2", Log2, 1, 1, 0, 1e3, std::log2(x)),
    F("log10", Log10, 1, 1, 0, 1e3, std::log10(x)),
    F("sin", Sin, 1, 1, -1e5, 1e5, std::sin(x)),
    F("cos", Cos, 1, 1, -1e5, 1e5, std::cos(x)),
    F("tan", Tan, 1, 3, -1e5, 1e5, std::tan(x)),
    F("atan", Atan, 1.5, 2, -10, 10, std::atan(x)),
    F("sinh", Sinh, 1, 3, -720, 720, std::sinh(x)),
    F("cosh", Cosh, 1, 2, -720, 720, std::cosh(x)),
    F("tanh", Tanh, 1, 3, -25, 25, std::tanh(x)),
    F("erf", Erf, 1.25, 2, -7, 7, std::erf(x)),
    F("erfc", Erfc, 1, 4, -7, 28, std::erfc(x)),
    F("ndtr", Ndtr, 2, 6, -39, 10, R(0.5) * std::erfc(-x * R(kRoot))),
    F("sqrt", Sqrt, 0.5, 0.5, 0, 1e3, std::sqrt(x)),
    F("rsqrt", Rsqrt, 1.5, 1.5, 0, 1e3, 1 / std::sqrt(x)),
    F("reciprocal", Reciprocal, 0.5, 0.5, -10, 10, 1 / x),
    F("sigmoid", Sigmoid, 2, 2, -750, 50, sigmoid(x)),
    F("silu", Silu, 2, 3, -750, 50, std::isinf(x) && x < 0 ? R(0) : x * sigmoid(x)),
    F("gelu", Gelu, 4, 6, -39, 10, std::isinf(x) && x < 0 ? R(0) : x * R(0.5) * std::erfc(-x * R(kRoot))),
    F("logsigmoid", Logsigmoid, 2, 3, -750, 750, -(x < -20 ? -x + std::log1p(std::exp(x)) : std::log1p(std::exp(-x)))),
    F("exp2", Exp2, 1, 1, -1080, 1030, std::exp2(x)),
    F("asin", Asin, 2, 2, -1, 1, std::asin(x)),
    F("acos", Acos, 2, 2, -1, 1, std::acos(x)),
    F("asinh", Asinh, 1, 2, -1e3, 1e3, std::asinh(x)),
    F("acosh", Acosh, 1, 2.5, 1, 1e3, std::acosh(x)),
    F("atanh", Atanh, 1, 2, -1, 1, std::atanh(x)),
    F("erfinv", Erfinv, 1, 4, -1, 1, R(erfinv(x))),
    with_terms(F("lgamma", Lgamma, 1, 7, 0.01, 1e3, R(lgammal(x))), terms_of_lgamma),
    with_terms(F("digamma", Digamma, 1, 6, -5, 1e3, R(digamma(x))), terms_of_digamma),
    F("sinc", Sinc, 1, 3, -1e3, 1e3, x == 0 ? R(1) : R(sin_pi(x) / (kPi * x))),
    F("erfcx", Erfcx, 1, 4, -26, 10, R(erfcx(x))),
    F("softplus", Softplus, 2, 3, -750, 50, softplus(x)),
};
#undef F

struct Worst {
  double error = 0, at = 0;
  void see(double e, double x) {
    if (!(e <= error)) error = e, at = x;
  }
};

Worst test_float(const Function& f, uint64_t stride) {
  const uint64_t count = ((uint64_t(1) << 32) + stride - 1) / stride;
  std::atomic<uint64_t> next{0};
  Worst worst;
  std::mutex lock;
  const auto work = [&] {
    Worst mine;
    std::vector<float> x(kChunk), y(kChunk);
    for (uint64_t lo; (lo = next.fetch_add(kChunk)) < count;) {
      const int64_t n = int64_t(std::min<uint64_t>(kChunk, count - lo));
      for (int64_t i = 0; i < n; ++i) {
        const uint32_t u = uint32_t((lo + uint64_t(i)) * stride);
        std::memcpy(&x[i], &u, 4);
      }
      run(f.op, x.data(), y.data(), n);
      for (int64_t i = 0; i < n; ++i) mine.see(ulps(y[i], f.f(double(x[i])), f.terms(double(x[i]))), x[i]);
    }
    const std::lock_guard guard(lock);
    worst.see(mine.error, mine.at);
  };
  std::vector<std::thread> team;
  for (int i = 1; i < lamina::cpu::num_threads(); ++i) team.emplace_back(work);
  work();
  for (std::thread& t : team) t.join();
  return worst;
}

Worst test_double(const Function& f) {
  Worst worst;
  std::mt19937_64 random(1);
  std::vector<double> x(kChunk), y(kChunk);
  for (int round = 0; round < 3; ++round) {
    for (double& v : x) {
      const uint64_t u = random();
      const double t = double(u >> 11) * 0x1p-53;
      if (round == 0)
        v = f.lo + (f.hi - f.lo) * t;
      else if (round == 1)
        v = std::max(f.lo, -3.0) + (std::min(f.hi, 3.0) - std::max(f.lo, -3.0)) * t;
      else
        std::memcpy(&v, &u, 8);  // any bit pattern
    }
    run(f.op, x.data(), y.data(), kChunk);
    for (int64_t i = 0; i < kChunk; ++i) worst.see(ulps(y[i], f.g(Real(x[i])), f.terms(x[i])), x[i]);
  }
  return worst;
}

}  // namespace

int main(int argc, char** argv) {
  uint64_t stride = 4099;
  std::string_view only;
  for (int i = 1; i < argc; ++i) {
    if (std::string_view(argv[i]) == "--full")
      stride = 1;
    else if (std::string_view(argv[i]) == "--stride" && i + 1 < argc)
      stride = std::strtoull(argv[++i], nullptr, 10);
    else
      only = argv[i];
  }
  bool ok = true;
  std::printf("%s, every %llu. float: ULP (bar) at x; double: the same\n", lamina::cpu::isa_name(),
              (unsigned long long)stride);
  for (const Function& f : kFunctions) {
    if (!only.empty() && only != f.name) continue;
    const Worst a = test_float(f, stride), b = test_double(f);
    const bool good = a.error <= f.bar && b.error <= f.bar64;
    std::printf("%-11s %8.3f (%g) at %-16.9g %8.3f (%g) at %-24.17g %s\n", f.name, a.error, f.bar, a.at, b.error,
                f.bar64, b.at, good ? "" : "TOO LARGE");
    std::fflush(stdout);
    ok = ok && good;
  }
  return ok ? 0 : 1;
}
