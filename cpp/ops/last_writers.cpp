// Which writes last, where an index names places more than once: the last one in row-major order.
#include "index.h"
#include "lamina/autograd.h"
#include "lamina/ops.h"

namespace lamina {
namespace {

// 0, 1, ... in the shape of the positions.
Tensor numbered(const Dims& shape, Device device) {
  return reshape(arange(Scalar(numel_of(shape)), DType::int64, device), Size(shape));
}

// Where each position reads its own number back; undefined where all do.
Tensor kept(const Tensor& read, const Tensor& number) {
  const Tensor same = elementwise(Ew::Eq, {read, number});
  return all(same).item().to_bool() ? Tensor() : same;
}

}  // namespace

Tensor last_writers(const TensorList& list, const Dims& sizes) {
  const NoGrad guard;
  TensorList given;
  Dims places;
  std::vector<const Tensor*> indices;
  for (size_t d = 0; d < list.size(); ++d) {
    if (!list[d].defined()) continue;
    given.push_back(list[d]);
    places.push_back(sizes[d]);
    indices.push_back(&list[d]);
  }
  const Dims positions = broadcast_shapes("index_put_", indices);
  if (numel_of(positions) < 2) return {};
  const Tensor number = numbered(positions, given[0].device());
  const Tensor writer = allocate(places, DType::int64, number.device());  // read only where it was written
  index_put_(writer, given, number, false);
  return kept(index(writer, given), number);
}

Tensor last_writers_along(int64_t dim, int64_t size, const Tensor& index) {
  const NoGrad guard;
  if (index.numel() < 2) return {};
  Dims places = index.shape();
  places[size_t(dim)] = size;
  const Tensor number = numbered(index.shape(), index.device());
  const Tensor writer = allocate(places, DType::int64, index.device());
  scatter_(writer, dim, index, number, {});
  return kept(gather(writer, dim, index), number);
}

Tensor without_lost(const Tensor& gradient, const Tensor& last) {
  return masked_fill(gradient, elementwise(Ew::LogicalNot, {last}), 0.0);
}

}  // namespace lamina
