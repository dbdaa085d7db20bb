// Images whose channels lie side by side below tensors that look row-major: which operations keep them so, and the way
// out (docs/adr/0009).
#include <cstdio>
#include <cstdlib>
#include <thread>

#include "lamina/autograd.h"
#include "lamina/ops.h"

using namespace lamina;

#define CHECK(x) \
  if (!(x)) (std::fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #x), std::exit(1))

namespace {

bool interleaved(const Tensor& t) { return t->storage->interleaved() != nullptr; }
bool agree(const Tensor& a, const Tensor& b) { return all(eq(a, b)).item().to_bool(); }

Tensor numbers(const Size& shape) { return reshape(sin(arange(numel_of(shape), DType::float32)), shape); }
Tensor image() { return conv2d(numbers({2, 4, 8, 8}), numbers({6, 4, 3, 3})); }
// The same in row-major memory.
Tensor plain(const Tensor& y) { return clone(y, "contiguous_format"); }

// What a network does between two convolutions moves nothing.
void chains_stay() {
  const Tensor w = numbers({6, 6, 3, 3});
  Tensor leaf = numbers({6, 4, 3, 3});
  leaf.requires_grad_();
  const Tensor y = conv2d(numbers({2, 4, 12, 12}), leaf, {}, {1}, Dims{1});
  const Tensor n = batch_norm(y, {}, {}, {}, {}, true), r = relu(n), p = max_pool2d(r, Dims{2});
  const Tensor skip = add(p, mul(p, 0.5)), both = cat({skip, p}, 1), half = chunk(both, 2, 1)[0];
  const Tensor z = conv2d(skip, w), a = conv2d(half, w);
  for (const Tensor& t : {y, n, r, p, skip, both, z, a}) {
    CHECK(interleaved(t));
    CHECK(t.is_contiguous() && t.stride() == contiguous_strides(t.shape()) && !t.is_channels_last());
  }
  const NoGrad off;
  Tensor written = clone(skip), one = select(written, 1, 2);
  relu_(written);
  add_(one, 1);
  fill_(slice(written, 2, 1, 3, 1), 4);
  copy_(narrow(written, 1, 0, 3), narrow(skip, 1, 3, 3));
  CHECK(interleaved(written));
  CHECK(mean(z, Dims{2, 3}).dim() == 2 && interleaved(z));
  CHECK(flatten(permute(z, {0, 2, 3, 1}), 0, 2).dim() == 2 && interleaved(z));
  CHECK(interleaved(mul(flatten(z, 2, -1), 2)) && interleaved(z));
  {
    const GradMode on(true);
    add(sum(z), sum(a)).backward();
  }
  for (const Tensor& t : {y, n, r, p, z}) CHECK(interleaved(t));
  CHECK(!interleaved(leaf.grad()));
}

void views_end_it_for_all() {
  const Tensor y = image(), twin = y.detach(), rows = view(y, {2, -1}), reference = plain(y);
  CHECK(interleaved(y));
  const float* data = y.data_as<float>();
  CHECK(!interleaved(y) && twin.data() == data && rows.data() == data);
  CHECK(agree(y, reference) && agree(twin, reference) && agree(rows, reshape(reference, {2, -1})));
  for (int64_t i = 0; i < y.numel(); ++i) CHECK(data[i] == static_cast<const float*>(reference.data())[i]);
  static_cast<float*>(rows.data())[3] = 9;
  CHECK(select(select(select(select(twin, 0, 0), 0, 0), 0, 0), 0, 3).item().to_double() == 9);
}

// Every slice, and some shapes, of the image against row-major memory.
void parts_agree() {
  const Tensor reference = plain(image());
  for (int64_t dim = 0; dim < 4; ++dim)
    for (int64_t step : {1, 2, -1})
      for (int64_t at : {0, 1}) {
        const Tensor y = image(), part = slice(y, dim, at, {}, step);
        CHECK(agree(clone(part), clone(slice(reference, dim, at, {}, step))));
        CHECK(interleaved(y));
      }
  for (const Size& shape :
       {Size{2, 6, 36}, Size{2, 2, 3, 6, 6}, Size{12, 6, 6}, Size{2, 36, 6}, Size{-1}, Size{4, 108}}) {
    const Tensor y = image();
    CHECK(agree(view(y, shape), reshape(reference, shape)));
    CHECK(agree(transpose(view(y, shape), 0, -1), transpose(reshape(reference, shape), 0, -1)));
    CHECK(agree(exp(view(y, shape)), exp(reshape(reference, shape))));
  }
  CHECK(agree(as_strided(image(), {5, 7}, {11, 3}, 2), as_strided(reference, {5, 7}, {11, 3}, 2)));
  CHECK(agree(view(image(), {2, -1}), flatten(reference, 1, -1)));
}

// One order or the other is no order of its own.
void small_images_are_plain() {
  CHECK(!interleaved(conv2d(numbers({2, 4, 8, 8}), numbers({1, 4, 3, 3}))));
  CHECK(!interleaved(conv2d(numbers({2, 4, 3, 3}), numbers({6, 4, 3, 3}))));
  CHECK(interleaved(conv2d(numbers({1, 4, 8, 8}), numbers({6, 4, 3, 3}))));
  CHECK(interleaved(conv1d(numbers({2, 4, 9}), numbers({6, 4, 3}))));
  CHECK(interleaved(conv3d(numbers({2, 4, 4, 4, 4}), numbers({6, 4, 2, 2, 2}))));
}

// What people asked to be channels-last stays so for all to see.
void asked_for() {
  const Tensor x = contiguous(numbers({2, 4, 8, 8}), "channels_last"), y = conv2d(x, numbers({6, 4, 3, 3}));
  CHECK(!interleaved(y) && y.is_channels_last() && !y.is_contiguous() && relu(y).is_channels_last());
  const Tensor z = contiguous(image(), "channels_last");
  CHECK(!interleaved(z) && z.is_channels_last() && agree(z, image()));
}

void threads() {
  const Tensor reference = plain(image()), twice = mul(reference, 2);
  for (int round = 0; round < 200; ++round) {
    const Tensor y = image(), other = y.detach();
    Tensor a, b, c;
    std::thread one([&] { a = mul(y, 2); }), two([&] { b = clone(view(y, {-1})); }), three([&] { c = mul(other, 2); });
    one.join(), two.join(), three.join();
    CHECK(agree(a, twice) && agree(c, twice) && agree(b, reshape(reference, {-1})));
    Tensor z = image();
    std::thread writer([&] { mul_(z, 2); });
    view(z, {-1}).data();
    writer.join();
    CHECK(agree(z, twice));
  }
}

}  // namespace

int main() {
  chains_stay();
  views_end_it_for_all();
  parts_agree();
  small_images_are_plain();
  asked_for();
  threads();
}
