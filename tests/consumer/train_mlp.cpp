// Trains a two-layer perceptron on a noisy spiral with three arms, without Python.
#include <lamina/lamina.h>

#include <cmath>
#include <cstdio>

using lamina::Tensor;

struct MLP {
  Tensor w1, b1, w2, b2;
  explicit MLP(int64_t in, int64_t hidden, int64_t out) {
    w1 = lamina::randn({hidden, in}) * std::sqrt(2.0 / double(in));
    w2 = lamina::randn({out, hidden}) * std::sqrt(2.0 / double(hidden));
    b1 = lamina::zeros({hidden});
    b2 = lamina::zeros({out});
    for (Tensor* p : {&w1, &b1, &w2, &b2}) p->requires_grad_();
  }
  Tensor operator()(const Tensor& x) const { return lamina::linear(lamina::relu(lamina::linear(x, w1, b1)), w2, b2); }
  lamina::TensorList parameters() const { return {w1, b1, w2, b2}; }
};

int main() {
  lamina::manual_seed(0);
  const int64_t n = 300, classes = 3;
  Tensor x = lamina::empty({n, 2}), y = lamina::empty({n}, lamina::DType::int64);
  const Tensor noise = lamina::randn({n}) * 0.1;
  for (int64_t i = 0; i < n; ++i) {
    const int64_t arm = i % classes;
    const double r = double(i / classes) / double(n / classes),
                 a = 4 * r + 2.1 * double(arm) + noise.data_as<float>()[i];
    x.data_as<float>()[2 * i] = float(r * std::sin(a));
    x.data_as<float>()[2 * i + 1] = float(r * std::cos(a));
    y.data_as<int64_t>()[i] = arm;
  }
  MLP model(2, 64, classes);
  lamina::optim::AdamW optimizer(model.parameters(), {.lr = 0.02});
  for (int step = 0; step < 300; ++step) {
    optimizer.zero_grad();
    const Tensor loss = lamina::cross_entropy(model(x), y);
    loss.backward();
    optimizer.step();
    if (step % 100 == 0) std::printf("step %3d  loss %.4f\n", step, loss.item().to_double());
  }
  const lamina::NoGrad off;
  const double accuracy =
      lamina::mean(lamina::to(lamina::eq(lamina::argmax(model(x), 1), y), lamina::DType::float32)).item().to_double();
  std::printf("accuracy %.3f\n", accuracy);
  return accuracy > 0.95 ? 0 : 1;
}
