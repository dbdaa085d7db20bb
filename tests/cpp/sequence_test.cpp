// LSTM and attention against plain loops; a tiny model of each learns.
#include <lamina/lamina.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <vector>

using namespace lamina;

#define CHECK(x) \
  if (!(x)) (std::fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #x), std::exit(1))

namespace {

Tensor draw(const Size& size) { return randn(size, nullptr, DType::float64); }

void near(const char* what, const Tensor& got, const std::vector<double>& want) {
  const Tensor dense = contiguous(got.detach());
  CHECK(dense.numel() == int64_t(want.size()));
  for (size_t i = 0; i < want.size(); ++i) {
    const double x = dense.data_as<double>()[i];
    if (std::fabs(x - want[i]) <= 1e-12 * (1 + std::fabs(want[i]))) continue;
    std::fprintf(stderr, "%s: %.17g at %zu, expected %.17g\n", what, x, i, want[i]);
    std::exit(1);
  }
}

double sigmoid_of(double x) { return 1 / (1 + std::exp(-x)); }

// One direction; rows end after their length.
void lstm_is_plain_loops(bool reverse) {
  constexpr int64_t kSteps = 7, kRows = 5, kIn = 3, kHidden = 19, kGates = 4 * kHidden;
  const std::vector<int64_t> length{7, 0, 3, 1, 6};
  const Tensor x = draw({kSteps, kRows, kIn}), h0 = draw({1 + reverse, kRows, kHidden}),
               c0 = draw({1 + reverse, kRows, kHidden});
  TensorList params;
  for (int run = 0; run < 1 + reverse; ++run)
    for (const Size& s : {Size{kGates, kIn}, Size{kGates, kHidden}, Size{kGates}, Size{kGates}})
      params.push_back(draw(s) * 0.5);
  Tensor lengths = empty({kRows}, DType::int64);
  for (int64_t n = 0; n < kRows; ++n) lengths.data_as<int64_t>()[n] = length[size_t(n)];
  const Several got = lstm(x, {h0, c0}, params, true, 1, 0, false, reverse, false, lengths);
  const std::vector<Tensor>& out = got.all;

  const int64_t run = reverse ? 1 : 0;
  const double *wx = params[size_t(4 * run)].data_as<double>(), *wh = params[size_t(4 * run + 1)].data_as<double>(),
               *bx = params[size_t(4 * run + 2)].data_as<double>(), *bh = params[size_t(4 * run + 3)].data_as<double>();
  std::vector<double> y(kSteps * kRows * kHidden), h(kRows * kHidden), c(kRows * kHidden);
  for (int64_t n = 0; n < kRows; ++n) {
    double *hn = &h[size_t(n * kHidden)], *cn = &c[size_t(n * kHidden)];
    for (int64_t j = 0; j < kHidden; ++j) {
      hn[j] = h0.data_as<double>()[(run * kRows + n) * kHidden + j];
      cn[j] = c0.data_as<double>()[(run * kRows + n) * kHidden + j];
    }
    for (int64_t s = 0; s < length[size_t(n)]; ++s) {
      const int64_t t = reverse ? length[size_t(n)] - 1 - s : s;
      std::vector<double> gate(kGates);
      for (int64_t g = 0; g < kGates; ++g) {
        gate[size_t(g)] = bx[g] + bh[g];
        for (int64_t i = 0; i < kIn; ++i)
          gate[size_t(g)] += wx[g * kIn + i] * x.data_as<double>()[(t * kRows + n) * kIn + i];
        for (int64_t j = 0; j < kHidden; ++j) gate[size_t(g)] += wh[g * kHidden + j] * hn[j];
      }
      for (int64_t j = 0; j < kHidden; ++j) {
        const double *g = &gate[size_t(j)], fresh = std::tanh(g[2 * kHidden]);
        cn[j] = sigmoid_of(g[kHidden]) * cn[j] + sigmoid_of(g[0]) * fresh;
        y[size_t((t * kRows + n) * kHidden + j)] = hn[j] = sigmoid_of(g[3 * kHidden]) * std::tanh(cn[j]);
      }
    }
  }
  near("lstm: y", narrow(out[0], 2, run * kHidden, kHidden), y);
  near("lstm: h", select(out[1], 0, run), h);
  near("lstm: c", select(out[2], 0, run), c);
}

void attention_is_plain_loops(int64_t rows, int64_t keys, bool causal, bool masked) {
  constexpr int64_t kHeads = 4, kGroups = 2, kWidth = 5, kValues = 3;
  const Tensor q = draw({1, kHeads, rows, kWidth}), k = draw({1, kGroups, keys, kWidth}),
               v = draw({1, kGroups, keys, kValues}), mask = masked ? draw({rows, keys}) : Tensor();
  if (masked)  // one row sees nothing
    for (int64_t j = 0; j < keys; ++j) mask.data_as<double>()[(rows - 1) * keys + j] = -INFINITY;
  std::vector<double> want;
  for (int64_t h = 0; h < kHeads; ++h)
    for (int64_t i = 0; i < rows; ++i) {
      const int64_t g = h / (kHeads / kGroups), seen = causal ? std::min(i + 1, keys) : keys;
      double sum = 0, out[kValues] = {};
      for (int64_t j = 0; j < seen; ++j) {
        double s = 0;
        for (int64_t e = 0; e < kWidth; ++e)
          s += q.data_as<double>()[(h * rows + i) * kWidth + e] * k.data_as<double>()[(g * keys + j) * kWidth + e];
        const double p = std::exp(s / std::sqrt(double(kWidth)) + (masked ? mask.data_as<double>()[i * keys + j] : 0));
        sum += p;
        for (int64_t e = 0; e < kValues; ++e) out[e] += p * v.data_as<double>()[(g * keys + j) * kValues + e];
      }
      for (const double x : out) want.push_back(sum > 0 ? x / sum : 0);
    }
  near("attention", scaled_dot_product_attention(q, k, v, mask, 0, causal, {}, true), want);
}

// The mean loss of the first and of the last steps; numbers of either task are drawn anew at every step.
template <class Loss>
void learns(const char* what, const TensorList& params, int steps, double most, const Loss& loss) {
  optim::Adam optimizer(params, {.lr = 0.01});
  double first = 0, last = 0;
  for (int step = 0; step < steps; ++step) {
    optimizer.zero_grad();
    const Tensor l = loss();
    l.backward();
    optimizer.step();
    if (step < 10) first += l.item().to_double() / 10;
    if (step >= steps - 10) last += l.item().to_double() / 10;
  }
  std::printf("%s: loss %.4f -> %.4f\n", what, first, last);
  CHECK(last < most * first);
}

TensorList parameters(const std::vector<Size>& sizes) {
  TensorList out;
  for (const Size& s : sizes) {
    out.push_back(randn(s) * 0.3);
    out.back().requires_grad_();
  }
  return out;
}

// The first number of a sequence, after its last.
void lstm_learns() {
  const TensorList p = parameters({{64, 1}, {64, 16}, {64}, {64}, {1, 16}});
  learns("lstm", p, 300, 0.25, [&] {
    const Tensor x = randn({6, 32, 1}), zero = zeros({1, 32, 16});
    const Several r = lstm(x, {zero, zero}, {p[0], p[1], p[2], p[3]}, true, 1, 0, true, false, false);
    return mse_loss(linear(select(r.all[1], 0, 0), p[4]), select(x, 0, 0));
  });
}

// Each position is asked for the value that stands where its key says.
void attention_learns() {
  const TensorList p = parameters({{8, 8}, {8, 8}});
  learns("attention", p, 300, 0.25, [&] {
    const Tensor at = randint(8, Dims{32, 6}), key = one_hot(argsort(randn({32, 8}), -1), 8),
                 values = randn({32, 8, 4});
    const Tensor names = to(key, DType::float32), asked = to(one_hot(at, 8), DType::float32);
    const Tensor got = scaled_dot_product_attention(linear(asked, p[0]), linear(names, p[1]), values);
    return mse_loss(got, matmul(matmul(asked, transpose(names, 1, 2)), values));
  });
}

}  // namespace

int main() {
  manual_seed(1);
  lstm_is_plain_loops(false);
  lstm_is_plain_loops(true);
  for (const bool causal : {false, true})
    for (const bool masked : {false, true}) {
      if (causal && masked) continue;
      attention_is_plain_loops(57, 130, causal, masked);
      attention_is_plain_loops(130, 57, causal, masked);
      attention_is_plain_loops(1, 300, causal, masked);
    }
  lstm_learns();
  attention_learns();
}
