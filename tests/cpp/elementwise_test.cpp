// The elementwise, copy and fill kernels on random layouts and dtypes against plain loops; every hand-written gradient
// against the derivative that Dual derives from the formula and against differences in double.
#include "lamina/elementwise.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <random>
#include <vector>

#include "lamina/backend.h"

namespace {

using namespace lamina;

int failures = 0;
std::mt19937_64 engine(7);
int64_t below(int64_t n) { return int64_t(engine() % uint64_t(n)); }

#define CHECK(condition, ...)          \
  do {                                 \
    if (!(condition)) {                \
      ++failures;                      \
      std::printf("%s: ", #condition); \
      std::printf(__VA_ARGS__);        \
      std::printf("\n");               \
    }                                  \
  } while (0)

double read(const View& v, int64_t offset) {
  const auto at = [&]<class T>(T) { return static_cast<const T*>(v.data)[offset]; };
  switch (v.dtype) {
    case DType::bool_:
      return at(uint8_t()) != 0;
    case DType::uint8:
      return at(uint8_t());
    case DType::int8:
      return at(int8_t());
    case DType::int16:
      return at(int16_t());
    case DType::int32:
      return at(int32_t());
    case DType::int64:
      return double(at(int64_t()));
    case DType::float16:
      return to_float(at(Half()));
    case DType::bfloat16:
      return to_float(at(BFloat16()));
    case DType::float32:
      return at(float());
    default:
      return at(double());
  }
}
// What a small number becomes in dtype t.
double rounded(double x, DType t) {
  switch (t) {
    case DType::bool_:
      return x != 0;
    case DType::uint8:
      return uint8_t(int64_t(x));
    case DType::int8:
      return int8_t(int64_t(x));
    case DType::int16:
    case DType::int32:
    case DType::int64:
      return double(int64_t(x));
    case DType::float16:
      return to_float(to_half(float(x)));
    case DType::bfloat16:
      return to_float(to_bfloat16(float(x)));
    case DType::float32:
      return float(x);
    default:
      return x;
  }
}

// A view of random strides on its own memory: permuted, with gaps, broadcast, reversed.
struct Operand {
  std::vector<double> memory;
  View view{};
  Operand(const std::vector<int64_t>& shape, DType t, bool output) {
    view.ndim = int32_t(shape.size());
    view.dtype = t;
    std::vector<int> order(shape.size());
    for (size_t i = 0; i < order.size(); ++i) order[i] = int(i);
    if (below(2)) std::shuffle(order.begin(), order.end(), engine);
    int64_t step = below(3) ? 1 : 2, origin = 0;
    for (size_t k = order.size(); k-- > 0;) {
      const int d = order[k];
      view.shape[d] = shape[size_t(d)];
      view.stride[d] = step;
      if (!output && below(5) == 0) {
        view.stride[d] = 0;
        continue;
      }
      step *= shape[size_t(d)];
      if (below(6) == 0) step += 3;
      if (below(6) == 0) {
        origin += (shape[size_t(d)] - 1) * view.stride[d];
        view.stride[d] = -view.stride[d];
      }
    }
    memory.resize(size_t(step) + 16);
    char* bytes = reinterpret_cast<char*>(memory.data());
    View flat{};
    flat.data = bytes;
    flat.dtype = t;
    flat.ndim = 1;
    flat.shape[0] = int64_t(step) + 8;
    flat.stride[0] = 1;
    std::vector<double> values(size_t(flat.shape[0]));
    for (double& v : values) v = double(below(41) - 20) / (is_floating(t) ? 4 : 1);
    View source = flat;
    source.data = values.data();
    source.dtype = DType::float64;
    cpu::kernels().copy(source, flat);
    view.data = bytes + origin * int64_t(size_of(t));
  }
};

template <class F>
void for_each_index(const View& v, F f) {
  int64_t index[kMaxDims] = {};
  for (int64_t n = v.numel(), i = 0; i < n; ++i) {
    f(index);
    for (int d = v.ndim - 1; d >= 0 && ++index[d] == v.shape[d]; --d) index[d] = 0;
  }
}
int64_t offset(const View& v, const int64_t* index) {
  int64_t o = 0;
  for (int d = 0; d < v.ndim; ++d) o += index[d] * v.stride[d];
  return o;
}

void test_layouts(int rounds) {
  for (int round = 0; round < rounds; ++round) {
    std::vector<int64_t> shape;
    for (int64_t d = below(5), room = 40000; d > 0; --d) {
      const int64_t size = below(8) == 0 ? 1 + below(200) : 1 + below(20);
      shape.push_back(size <= room ? size : 1);
      room /= shape.back();
    }
    if (round % 10 == 0) shape = {1 + below(90), 1 + below(400)};
    const DType a = DType(below(kNumDTypes)), b = DType(below(kNumDTypes)), c = DType(below(kNumDTypes));
    Operand x(shape, a, false), y(shape, b, false), o(shape, c, true), p(shape, c, true);
    cpu::kernels().copy(x.view, o.view);
    bool ok = true;
    for_each_index(o.view, [&](const int64_t* i) {
      ok = ok && read(o.view, offset(o.view, i)) == rounded(read(x.view, offset(x.view, i)), c);
    });
    CHECK(ok, "copy round %d, %d to %d", round, int(a), int(c));

    const double alpha[3] = {2, 0, 0};
    const View in[2] = {x.view, y.view};
    const DType compute = is_floating(a) || is_floating(b) ? DType::float64 : DType::int64;
    cpu::kernels().elementwise({Ew::Add, 0}, compute, in, 2, p.view, alpha);
    ok = true;
    for_each_index(p.view, [&](const int64_t* i) {
      const double sum = read(x.view, offset(x.view, i)) + 2 * read(y.view, offset(y.view, i));
      ok = ok && read(p.view, offset(p.view, i)) == rounded(sum, c);
    });
    CHECK(ok, "add round %d, %d and %d to %d", round, int(a), int(b), int(c));

    cpu::kernels().fill(o.view, Scalar(3));
    ok = true;
    for_each_index(o.view, [&](const int64_t* i) { ok = ok && read(o.view, offset(o.view, i)) == rounded(3, c); });
    CHECK(ok, "fill round %d", round);
  }
}

// Dual's derivative of the formula, whatever gradient the operation has written by hand.
template <class Op, int I>
double derived(const double* x, const double* p) {
  if constexpr (Op::arity == 1)
    return Unary<Op>::template bwd<I>(1.0, x[0], 0.0, p);
  else if constexpr (Op::arity == 2)
    return Binary<Op>::template bwd<I>(1.0, x[0], x[1], 0.0, p);
  else
    return Ternary<Op>::template bwd<I>(1.0, x[0], x[1], x[2], 0.0, p);
}
template <class Op>
double value(const double* x, const double* p) {
  if constexpr (Op::arity == 1)
    return Op::fwd(x[0], p);
  else if constexpr (Op::arity == 2)
    return Op::fwd(x[0], x[1], p);
  else
    return Op::fwd(x[0], x[1], x[2], p);
}
template <class Op, int I>
double written(const double* x, const double* p) {
  const double y = value<Op>(x, p);
  if constexpr (Op::arity == 1)
    return Op::template bwd<I>(1.0, x[0], y, p);
  else if constexpr (Op::arity == 2)
    return Op::template bwd<I>(1.0, x[0], x[1], y, p);
  else
    return Op::template bwd<I>(1.0, x[0], x[1], x[2], y, p);
}
template <class Op, int I>
void test_gradient(const char* name) {
  double p[3];
  for (int i = 0; i < 3; ++i) p[i] = Op::spec.params[i].value;
  std::uniform_real_distribution<double> draw(Op::spec.lo, Op::spec.hi);
  for (int round = 0; round < 200; ++round) {
    double x[3] = {draw(engine), draw(engine), draw(engine)};
    if (std::strcmp(name, "where") == 0) x[0] = double(below(2));
    const double h = 1e-6, w = written<Op, I>(x, p), d = derived<Op, I>(x, p);
    double up[3] = {x[0], x[1], x[2]}, down[3] = {x[0], x[1], x[2]};
    up[I] += h;
    down[I] -= h;
    const double difference = (value<Op>(up, p) - value<Op>(down, p)) / (2 * h), scale = 1 + std::fabs(w);
    if (std::fabs(value<Op>(up, p) - 2 * value<Op>(x, p) + value<Op>(down, p)) > 1e-7) continue;  // a kink or a jump
    if (std::strcmp(name, "where") == 0 && I == 0) continue;
    CHECK(std::fabs(w - d) < 1e-12 * scale, "%s gradient %d at %g %g: written %.17g, derived %.17g", name, I, x[0],
          x[1], w, d);
    CHECK(std::fabs(w - difference) < 1e-6 * scale, "%s gradient %d at %g %g: written %.9g, difference %.9g", name, I,
          x[0], x[1], w, difference);
  }
}
template <class Op>
void test_gradients(const char* name) {
  if constexpr (Op::spec.differentiable) {
    test_gradient<Op, 0>(name);
    if constexpr (Op::arity > 1) test_gradient<Op, 1>(name);
    if constexpr (Op::arity > 2) test_gradient<Op, 2>(name);
  }
}

// Scalars, lanes and the kernel give the same bits: the formula on plain floats against the kernel's result.
template <class Op, Ew E, class T>
void test_scalar_bits(const char* name) {
  if constexpr (Op::spec.kind != EwKind::bitwise) {
    constexpr int n = 2000;
    double p[3];
    for (int i = 0; i < 3; ++i) p[i] = Op::spec.params[i].value;
    std::vector<std::vector<T>> x(3, std::vector<T>(n));
    std::vector<T> y(n);
    View in[3];
    std::normal_distribution<double> normal;
    for (int j = 0; j < Op::arity; ++j) {
      for (int i = 0; i < n; ++i) {
        const uint64_t u = engine();
        if (i % 4)
          x[size_t(j)][size_t(i)] = T(normal(engine) * (i % 4 == 1 ? 100 : 1));
        else
          std::memcpy(&x[size_t(j)][size_t(i)], &u, sizeof(T));
      }
      in[j] = View{x[size_t(j)].data(), DTypeOf<T>::value, 1, {n}, {1}};
    }
    cpu::kernels().elementwise({E, 0}, DTypeOf<T>::value, in, Op::arity, View{y.data(), DTypeOf<T>::value, 1, {n}, {1}},
                               p);
    for (size_t i = 0; i < n; ++i) {
      T s;
      if constexpr (Op::arity == 1)
        s = Op::fwd(x[0][i], p);
      else if constexpr (Op::arity == 2)
        s = Op::fwd(x[0][i], x[1][i], p);
      else
        s = Op::fwd(x[0][i], x[1][i], x[2][i], p);
      const bool same = std::memcmp(&s, &y[i], sizeof(T)) == 0 || (s != s && y[i] != y[i]);
      CHECK(same, "%s scalar against lanes at %.9g %.9g: %.17g, %.17g", name, double(x[0][i]), double(x[1][i]),
            double(s), double(y[i]));
      if (!same) break;
    }
  }
}

}  // namespace

int main() {
  test_layouts(2000);
#define X(name, Formula)                                    \
  test_gradients<ew::Formula>(#name);                       \
  test_scalar_bits<ew::Formula, Ew::Formula, float>(#name); \
  test_scalar_bits<ew::Formula, Ew::Formula, double>(#name);
  LAMINA_ELEMENTWISE(X)
#undef X
  std::printf("%s: %d failures\n", cpu::isa_name(), failures);
  return failures ? 1 : 0;
}
