// interpolate: every mode but area is separable, so each axis is one sparse matrix of a few taps per output, and its
// gradient is the transposed matrix: one kernel (resample) does both, for derivatives of any order.
#include <cmath>
#include <vector>

#include "lamina/autograd.h"
#include "lamina/devices.h"
#include "lamina/ops.h"
#include "memory_format.h"
#include "window.h"

namespace lamina {
namespace {

// Rows of a sparse matrix: taps begin[o] .. begin[o + 1] of output o.
struct Matrix {
  std::vector<int64_t> begin{0}, index;
  std::vector<double> weight;
  void tap(int64_t at, double w) {
    if (w == 0) return;  // so that an infinity beside the place does not reach it
    index.push_back(at);
    weight.push_back(w);
  }
  void end_row() { begin.push_back(int64_t(index.size())); }
  bool identity(int64_t inputs) const {
    if (int64_t(begin.size()) != inputs + 1 || int64_t(index.size()) != inputs) return false;
    for (int64_t o = 0; o < inputs; ++o)
      if (begin[size_t(o)] != o || index[size_t(o)] != o || weight[size_t(o)] != 1) return false;
    return true;
  }
  Matrix transposed(int64_t inputs) const {
    Matrix t;
    t.begin.assign(size_t(inputs) + 1, 0);
    for (int64_t i : index) ++t.begin[size_t(i) + 1];
    for (size_t i = 0; i < size_t(inputs); ++i) t.begin[i + 1] += t.begin[i];
    std::vector<int64_t> next(t.begin.begin(), t.begin.end() - 1);
    t.index.resize(index.size());
    t.weight.resize(index.size());
    for (size_t o = 0; o + 1 < begin.size(); ++o)
      for (int64_t k = begin[o]; k < begin[o + 1]; ++k) {
        const size_t to = size_t(next[size_t(index[size_t(k)])]++);
        t.index[to] = int64_t(o);
        t.weight[to] = weight[size_t(k)];
      }
    return t;
  }
  TensorList tensors(Device device) const {
    const auto tensor = [&](const auto& v, DType dtype) {
      const Tensor t = allocate(Dims{int64_t(v.size())}, dtype);
      if (!v.empty()) std::memcpy(t.data(), v.data(), v.size() * 8);
      return to(t, {}, device);
    };
    return {tensor(begin, DType::int64), tensor(index, DType::int64), tensor(weight, DType::float64)};
  }
};

constexpr int64_t kLongest = int64_t(1) << 28;  // side of an output

enum class Mode { nearest, nearest_exact, linear, cubic, area };

struct Axis {
  int64_t in, out;
  double scale;  // 0: out / in
  bool align;
};

// PyTorch computes the places of nearest neighbours in float32.
Matrix nearest(const Axis& a, bool exact) {
  Matrix m;
  const float scale = a.scale > 0 ? float(1 / a.scale) : float(a.in) / float(a.out);
  for (int64_t o = 0; o < a.out; ++o) {
    int64_t at = int64_t(std::floor(exact ? float((double(o) + 0.5) * double(scale)) : float(o) * scale));
    if (!exact && a.out == a.in) at = o;
    if (!exact && a.out == 2 * a.in) at = o / 2;
    m.tap(std::min(at, a.in - 1), 1);
    m.end_row();
  }
  return m;
}

double step_of(const Axis& a) {
  if (a.align) return a.out > 1 ? double(a.in - 1) / double(a.out - 1) : 0;
  return a.scale > 0 ? 1 / a.scale : double(a.in) / double(a.out);
}

Matrix linear_axis(const Axis& a) {
  Matrix m;
  const double step = step_of(a);
  for (int64_t o = 0; o < a.out; ++o) {
    const double at = a.align ? step * double(o) : std::max(step * (double(o) + 0.5) - 0.5, 0.0);
    const int64_t lo = std::min(int64_t(at), a.in - 1), hi = std::min(lo + 1, a.in - 1);
    const double t = std::min(std::max(at - double(lo), 0.0), 1.0);
    m.tap(lo, hi == lo ? 1 : 1 - t);
    m.tap(hi, hi == lo ? 0 : t);
    m.end_row();
  }
  return m;
}

Matrix cubic_axis(const Axis& a) {
  constexpr double A = -0.75;
  const auto near = [](double x) { return ((A + 2) * x - (A + 3)) * x * x + 1; };
  const auto far = [](double x) { return ((A * x - 5 * A) * x + 8 * A) * x - 4 * A; };
  Matrix m;
  const double step = step_of(a);
  for (int64_t o = 0; o < a.out; ++o) {
    const double at = a.align ? step * double(o) : step * (double(o) + 0.5) - 0.5, base = std::floor(at), t = at - base;
    const double w[4] = {far(t + 1), near(t), near(1 - t), far(2 - t)};
    for (int64_t k = 0; k < 4; ++k) m.tap(std::clamp(int64_t(base) - 1 + k, int64_t(0), a.in - 1), w[k]);
    m.end_row();
  }
  return m;
}

// Weights of a triangle or a cubic spline, widened by the scale where the image shrinks (as PIL's).
Matrix antialias_axis(const Axis& a, bool cubic) {
  const auto filter = [cubic](double x) {
    constexpr double A = -0.5;
    x = std::abs(x);
    if (!cubic) return x < 1 ? 1 - x : 0.0;
    if (x < 1) return ((A + 2) * x - (A + 3)) * x * x + 1;
    return x < 2 ? (((x - 5) * x + 8) * x - 4) * A : 0.0;
  };
  const double step = step_of(a), wide = std::max(step, 1.0), support = (cubic ? 2 : 1) * wide;
  Matrix m;
  for (int64_t o = 0; o < a.out; ++o) {
    const double centre = step * (double(o) + 0.5);
    const int64_t lo = std::max(int64_t(centre - support + 0.5), int64_t(0)),
                  hi = std::min(int64_t(centre + support + 0.5), a.in);
    double total = 0;
    for (int64_t i = lo; i < hi; ++i) total += filter((double(i) - centre + 0.5) / wide);
    for (int64_t i = lo; i < hi; ++i) m.tap(i, filter((double(i) - centre + 0.5) / wide) / (total == 0 ? 1 : total));
    m.end_row();
  }
  return m;
}

Mode mode_of(const char* op, const Tensor& x, std::string_view mode) {
  struct Row {
    std::string_view name;
    Mode mode;
    int64_t dim;  // of the input; 0: any
  };
  constexpr Row rows[] = {{"nearest", Mode::nearest, 0}, {"nearest-exact", Mode::nearest_exact, 0},
                          {"linear", Mode::linear, 3},   {"bilinear", Mode::linear, 4},
                          {"bicubic", Mode::cubic, 4},   {"trilinear", Mode::linear, 5},
                          {"area", Mode::area, 0}};
  for (const Row& r : rows) {
    if (r.name != mode) continue;
    if (r.dim && x.dim() != r.dim)
      raise<ShapeError>(op, ": mode '", mode, "' is for inputs of ", r.dim, " dims, got ", describe("input", x),
                        "; linear takes 3, bilinear and bicubic 4, trilinear 5");
    return r.mode;
  }
  raise<ValueError>(op, ": mode must be nearest, nearest-exact, linear, bilinear, bicubic, trilinear or area, got '",
                    mode, "'");
}

Tensor resized(const char* op, const Tensor& x, const OptDims& size, const std::optional<Numbers>& scale,
               std::string_view mode_name, std::optional<bool> align_corners, bool recompute, bool antialias) {
  if (x.dim() < 3 || x.dim() > 5 || !(is_floating(x.dtype()) || x.dtype() == DType::uint8))
    raise<ShapeError>(op, ": input must be floating or uint8 (N, C, L), (N, C, H, W) or (N, C, D, H, W), got ",
                      describe("input", x));
  if (antialias && mode_name != "bilinear" && mode_name != "bicubic")
    raise<ValueError>(op, ": antialias=True belongs to bilinear and bicubic, not to '", mode_name, "'");
  const Mode mode = mode_of(op, x, mode_name);
  if (align_corners && mode != Mode::linear && mode != Mode::cubic)
    raise<ValueError>(op, ": align_corners belongs to linear, bilinear, bicubic and trilinear, not to '", mode_name,
                      "'; leave it out");
  const int64_t rank = x.dim() - 2;
  if (bool(size) == bool(scale)) raise<ValueError>(op, ": give either size or scale_factor");
  if (size && recompute) raise<ValueError>(op, ": recompute_scale_factor needs scale_factor, but size was given");
  int64_t out[3];
  double scales[3] = {0, 0, 0};
  if (size) read_sizes(op, "size", *size, rank, 1, out);
  if (scale && scale->size() != 1 && int64_t(scale->size()) != rank)
    raise<ShapeError>(op, ": scale_factor must be one number or ", rank, ", got ", scale->size());
  for (int64_t d = 0; d < rank; ++d) {
    const int64_t in = x.size(2 + d);
    if (scale) {
      const double s = (*scale)[scale->size() == 1 ? 0 : size_t(d)], wanted = std::floor(double(in) * s);
      if (!(s > 0 && wanted <= double(kLongest)))
        raise<ValueError>(op, ": scale_factor must be positive and not too large, got ", s);
      out[d] = int64_t(wanted);
      if (!recompute) scales[d] = s;
    }
    if (out[d] > kLongest) raise<ShapeError>(op, ": an output side of ", out[d], " is too long");
    if (in < 1 || out[d] < 1 || x.size(1) < 1)
      raise<ShapeError>(op, ": only the batch may be empty: ", describe("input", x), ", output size ", out[d]);
  }
  if (x.dtype() == DType::uint8 && mode == Mode::area)
    raise<DtypeError>(op, ": mode 'area' needs a floating dtype, got ", describe("input", x));
  if (mode == Mode::area) {
    const Dims to(out, size_t(rank));
    return rank == 1 ? adaptive_avg_pool1d(x, to) : rank == 2 ? adaptive_avg_pool2d(x, to) : adaptive_avg_pool3d(x, to);
  }
  Tensor y = size_of(x.dtype()) < 4 ? to(x, DType::float32) : x;
  for (int64_t d = rank - 1; d >= 0; --d) {
    const Axis a{x.size(2 + d), out[d], scales[d], align_corners.value_or(false)};
    numel_of(Dims{y.numel() / a.in, a.out, 16}, op);
    const Matrix m = antialias              ? antialias_axis(a, mode == Mode::cubic)
                     : mode == Mode::linear ? linear_axis(a)
                     : mode == Mode::cubic  ? cubic_axis(a)
                                            : nearest(a, mode == Mode::nearest_exact);
    if (m.identity(a.in)) continue;
    const TensorList t = m.tensors(x.device());
    y = resample(y, 2 + d, t[0], t[1], t[2], m.transposed(a.in).tensors(x.device()));
    if (x.dtype() == DType::uint8) y = clamp(round(y), 0.0, 255.0);  // after each axis, as PyTorch
  }
  return y.dtype() != x.dtype() ? to(y, x.dtype()) : is_same(y, x) ? clone(x) : y;
}

}  // namespace

Tensor resample(const Tensor& x, int64_t dim, const Tensor& begin, const Tensor& index, const Tensor& weight,
                const TensorList& transposed) {
  Dims shape = x.shape();
  shape[size_t(dim)] = begin.numel() - 1;
  Tensor y = allocate_image(shape, x.dtype(), x.device(), image_order(x));
  kernel(&Kernels::resample, x.device())(x.view_of(), int(dim), begin.view_of(), index.view_of(), weight.view_of(),
                                         y.view_of());
  if (recording({x}))
    record("resample", y, {x}, [dim, begin, index, weight, transposed](Grads& d, const Tensor& g) {
      d[0] = resample(g, dim, transposed[0], transposed[1], transposed[2], {begin, index, weight});
    });
  return y;
}

Tensor interpolate(const Tensor& input, const OptDims& size, const std::optional<Numbers>& scale_factor,
                   std::string_view mode, std::optional<bool> align_corners, std::optional<bool> recompute_scale_factor,
                   bool antialias) {
  return resized("interpolate", input, size, scale_factor, mode, align_corners, recompute_scale_factor.value_or(false),
                 antialias);
}

Tensor upsample(const Tensor& input, const OptDims& size, const std::optional<Numbers>& scale_factor,
                std::string_view mode, std::optional<bool> align_corners) {
  return resized("upsample", input, size, scale_factor, mode, align_corners, false, false);
}

}  // namespace lamina
