// Random numbers: each element is a pure function of (seed, offset, element index), see philox.h. Work goes by groups
// of 16 blocks, which hold 64 (32-bit) or 32 (64-bit) consecutive elements; the lane loops are what becomes SIMD.
#include "cpu/parallel.h"
#include "cpu/philox_lanes.h"
#include "lamina/round_odd.h"

namespace lamina::cpu::inline LAMINA_ISA {
namespace {

using namespace philox_lanes;
using philox::kLanes;
constexpr int64_t kGroups = 256;  // groups per tile

// Fills n elements of T by groups: make(words, T buffer[4 * kLanes / words per element]).
template <int kWords, class T, class F>
LAMINA_INLINE void by_groups(T* out, int64_t n, uint64_t seed, uint64_t offset, F make) {
  constexpr int kSize = 4 * kLanes / kWords;
  for_ranges((n + kSize - 1) / kSize, kGroups, [&](int64_t lo, int64_t hi) {
    Words words;
    for (int64_t g = lo; g < hi; ++g) {
      group_words(words, seed, offset, g);
      if ((g + 1) * kSize <= n) {
        make(words, out + g * kSize, g * kSize);
      } else {
        T last[kSize];
        make(words, last, g * kSize);
        __builtin_memcpy(out + g * kSize, last, size_t(n - g * kSize) * sizeof(T));
      }
    }
  });
}

LAMINA_INLINE uint64_t pair(const Words& w, int half, int lane) {
  return uint64_t(w.w[2 * half + 1][lane]) << 32 | w.w[2 * half][lane];
}

template <class T>
struct Float {  // how a float becomes an element
  static constexpr int digits = 24;
  LAMINA_INLINE static T from(float x) { return x; }
};
template <>
struct Float<Half> {
  static constexpr int digits = 11;
  LAMINA_INLINE static Half from(float x) { return to_half(x); }
};
template <>
struct Float<BFloat16> {
  static constexpr int digits = 8;
  LAMINA_INLINE static BFloat16 from(float x) { return to_bfloat16(x); }
};

template <class T>
void uniform_floats(T* out, int64_t n, float from, float width, float to, uint64_t seed, uint64_t offset) {
  by_groups<1>(out, n, seed, offset, [=](const Words& w, T* o, int64_t) {
    for (int j = 0; j < 4; ++j)
      for (int l = 0; l < kLanes; ++l) {
        const float x = philox::madd(philox::uniform32(w.w[j][l], Float<T>::digits), width, from);
        o[j * kLanes + l] = Float<T>::from(x < to ? x : from);  // rounding must not reach the open end
      }
  });
}
void uniform_doubles(double* out, int64_t n, double from, double to, uint64_t seed, uint64_t offset) {
  const double width = to - from;
  by_groups<2>(out, n, seed, offset, [=](const Words& w, double* o, int64_t) {
    for (int h = 0; h < 2; ++h)
      for (int l = 0; l < kLanes; ++l) {
        const double x = philox::madd(philox::uniform64(pair(w, h, l)), width, from);
        o[h * kLanes + l] = x < to ? x : from;
      }
  });
}

template <class T>
void normal_floats(T* out, int64_t n, float mean, float std, uint64_t seed, uint64_t offset) {
  by_groups<1>(out, n, seed, offset, [=](const Words& w, T* o, int64_t) {
    for (int h = 0; h < 2; ++h) {
      alignas(64) float a[kLanes], b[kLanes];
      for (int l = 0; l < kLanes; ++l) {
        const philox::Pair<float> p = philox::normal32(w.w[2 * h][l], w.w[2 * h + 1][l]);
        a[l] = philox::madd(p.a, std, mean);
        b[l] = philox::madd(p.b, std, mean);
      }
      for (int l = 0; l < kLanes; ++l) {
        o[2 * h * kLanes + l] = Float<T>::from(a[l]);
        o[(2 * h + 1) * kLanes + l] = Float<T>::from(b[l]);
      }
    }
  });
}
void normal_doubles(double* out, int64_t n, double mean, double std, uint64_t seed, uint64_t offset) {
  by_groups<2>(out, n, seed, offset, [=](const Words& w, double* o, int64_t) {
    for (int l = 0; l < kLanes; ++l) {
      const philox::Pair<double> p = philox::normal64(pair(w, 0, l), pair(w, 1, l));
      o[l] = philox::madd(p.a, std, mean);
      o[kLanes + l] = philox::madd(p.b, std, mean);
    }
  });
}

template <class T>
void integers(T* out, int64_t n, int64_t low, uint64_t range, uint64_t seed, uint64_t offset) {
  by_groups<2>(out, n, seed, offset, [=](const Words& w, T* o, int64_t) {
    for (int h = 0; h < 2; ++h)
      for (int l = 0; l < kLanes; ++l) {
        const int64_t x = int64_t(uint64_t(low) + philox::below(pair(w, h, l), range));
        if constexpr (std::is_same_v<T, Half>) {
          o[h * kLanes + l] = to_half(odd_float(x));
        } else if constexpr (std::is_same_v<T, BFloat16>) {
          o[h * kLanes + l] = to_bfloat16(odd_float(x));
        } else {
          o[h * kLanes + l] = T(x);
        }
      }
  });
}

// f(T*) for the dtype of the view.
template <class F>
LAMINA_INLINE void with_type(const View& out, F f) {
  switch (out.dtype) {
    case DType::bool_:
      return f(out.as<bool>());
    case DType::uint8:
      return f(out.as<uint8_t>());
    case DType::int8:
      return f(out.as<int8_t>());
    case DType::int16:
      return f(out.as<int16_t>());
    case DType::int32:
      return f(out.as<int32_t>());
    case DType::int64:
      return f(out.as<int64_t>());
    case DType::float16:
      return f(out.as<Half>());
    case DType::bfloat16:
      return f(out.as<BFloat16>());
    case DType::float32:
      return f(out.as<float>());
    case DType::float64:
      return f(out.as<double>());
  }
}

template <class T>
LAMINA_INLINE float read(T x) {
  if constexpr (std::is_same_v<T, Half> || std::is_same_v<T, BFloat16>) {
    return to_float(x);
  } else {
    return float(x);
  }
}

template <class T>
void bernoulli_each(const T* p, bool* out, int64_t n, uint64_t seed, uint64_t offset) {
  by_groups<1>(out, n, seed, offset, [=](const Words& w, bool* o, int64_t first) {
    for (int i = 0; i < 4 * kLanes && first + i < n; ++i) {
      double chance;
      if constexpr (std::is_same_v<T, double>) {
        chance = p[first + i];
      } else {
        chance = read(p[first + i]);
      }
      o[i] = w.w[i / kLanes][i % kLanes] < philox::bernoulli_threshold(chance);
    }
  });
}

template <class T>
void dropout_each(const T* x, T* out, bool* mask, int64_t n, double p, uint64_t seed, uint64_t offset) {
  using Wide = std::conditional_t<std::is_same_v<T, double>, double, float>;
  const uint64_t threshold = philox::bernoulli_threshold(p);
  const bool all = threshold >> 32;
  const uint32_t dropped = all ? 0 : uint32_t(threshold), live = all ? 0 : 1;
  const Wide scale = all ? Wide(0) : Wide(1.0 / (1.0 - p));
  by_groups<1>(mask, n, seed, offset, [=](const Words& w, bool* m, int64_t first) {
    constexpr int kSize = 4 * kLanes;
    const bool whole = first + kSize <= n;
    const uint32_t* words = &w.w[0][0];
    uint8_t kept[kSize];
    T in[kSize], result[kSize];
    __builtin_memcpy(in, x + first, whole ? sizeof in : size_t(n - first) * sizeof(T));
    alignas(64) uint32_t keep[kSize];
    for (int j = 0; j < kSize; j += kLanes) {
      for (int i = j; i < j + kLanes; ++i) keep[i] = words[i] >= dropped ? ~0u : 0u;
      for (int i = j; i < j + kLanes; ++i) kept[i] = uint8_t(keep[i] & live);
      for (int i = j; i < j + kLanes; ++i) {
        if constexpr (sizeof(T) == 2) {
          result[i] = Float<T>::from(keep[i] ? to_float(in[i]) * scale : 0.0f);
        } else {
          result[i] = keep[i] ? in[i] * scale : Wide(0);
        }
      }
    }
    __builtin_memcpy(m, kept, sizeof kept);
    __builtin_memcpy(out + first, result, whole ? sizeof result : size_t(n - first) * sizeof(T));
  });
}

}  // namespace

void random_uniform(const View& out, double from, double to, uint64_t seed, uint64_t offset) {
  const int64_t n = out.numel();
  const float f = float(from), t = float(to), width = float(to - from);
  switch (out.dtype) {
    case DType::float32:
      return uniform_floats(out.as<float>(), n, f, width, t, seed, offset);
    case DType::float16:
      return uniform_floats(out.as<Half>(), n, f, width, t, seed, offset);
    case DType::bfloat16:
      return uniform_floats(out.as<BFloat16>(), n, f, width, t, seed, offset);
    case DType::float64:
      return uniform_doubles(out.as<double>(), n, from, to, seed, offset);
    default:
      unsupported("uniform", out.dtype);
  }
}

void random_normal(const View& out, double mean, double std, uint64_t seed, uint64_t offset) {
  const int64_t n = out.numel();
  switch (out.dtype) {
    case DType::float32:
      return normal_floats(out.as<float>(), n, float(mean), float(std), seed, offset);
    case DType::float16:
      return normal_floats(out.as<Half>(), n, float(mean), float(std), seed, offset);
    case DType::bfloat16:
      return normal_floats(out.as<BFloat16>(), n, float(mean), float(std), seed, offset);
    case DType::float64:
      return normal_doubles(out.as<double>(), n, mean, std, seed, offset);
    default:
      unsupported("normal", out.dtype);
  }
}

void random_integers(const View& out, int64_t low, uint64_t range, uint64_t seed, uint64_t offset) {
  with_type(out, [&](auto* o) { integers(o, out.numel(), low, range, seed, offset); });
}

void random_bernoulli(const View& p, const View& out, uint64_t seed, uint64_t offset) {
  with_type(p, [&](const auto* chance) { bernoulli_each(chance, out.as<bool>(), out.numel(), seed, offset); });
}

void dropout(const View& x, const View& out, const View& mask, double p, uint64_t seed, uint64_t offset) {
  const int64_t n = x.numel();
  bool* m = mask.as<bool>();
  switch (x.dtype) {
    case DType::float32:
      return dropout_each(x.as<float>(), out.as<float>(), m, n, p, seed, offset);
    case DType::float16:
      return dropout_each(x.as<Half>(), out.as<Half>(), m, n, p, seed, offset);
    case DType::bfloat16:
      return dropout_each(x.as<BFloat16>(), out.as<BFloat16>(), m, n, p, seed, offset);
    case DType::float64:
      return dropout_each(x.as<double>(), out.as<double>(), m, n, p, seed, offset);
    default:
      unsupported("dropout", x.dtype);
  }
}

// Fisher-Yates: step i swaps entry i with one of those that follow, chosen by element i of a 64-bit draw.
void random_permutation(const View& out, uint64_t seed, uint64_t offset) {
  int64_t* o = out.as<int64_t>();
  const int64_t n = out.numel();
  for (int64_t i = 0; i < n; ++i) o[i] = i;
  constexpr int kStep = 2 * kLanes;
  Words words;
  for (int64_t first = 0; first < n; first += kStep) {
    if (first % 65536 == 0) check_interrupt();
    group_words(words, seed, offset, first / kStep);
    for (int64_t i = first; i < n && i < first + kStep; ++i) {
      const int r = int(i - first);
      const int64_t j = i + int64_t(philox::below(pair(words, r / kLanes, r % kLanes), uint64_t(n - i)));
      const int64_t t = o[i];
      o[i] = o[j];
      o[j] = t;
    }
  }
}

}  // namespace lamina::cpu::inline LAMINA_ISA
