// elementwise: finds the formula's kernel and hands it the operands.
#include "elementwise.h"

namespace lamina::cuda {
namespace {

struct Group {
  const EwRow* (*rows)();
  int count;
};

const EwRow& find_row(Ew op) {
#define X(name, Formula) +1
  static constexpr Group groups[] = {
      {unary_rows, 0 LAMINA_ELEMENTWISE_UNARY(X)},      {activation_rows, 0 LAMINA_ELEMENTWISE_ACTIVATION(X)},
      {binary_rows, 0 LAMINA_ELEMENTWISE_BINARY(X)},    {ternary_rows, 0 LAMINA_ELEMENTWISE_TERNARY(X)},
      {inverse_rows, 0 LAMINA_ELEMENTWISE_INVERSE(X)},  {special_rows, 0 LAMINA_ELEMENTWISE_SPECIAL(X)},
      {pairs_rows, 0 LAMINA_ELEMENTWISE_PAIRS(X)},      {loss_rows, 0 LAMINA_ELEMENTWISE_LOSS(X)},
      {internal_rows, 0 LAMINA_ELEMENTWISE_INTERNAL(X)}};
#undef X
  int i = int(op);
  const Group* group = groups;
  for (; i >= group->count; ++group) i -= group->count;
  return group->rows()[i];
}

__global__ void any_zero_kernel(const Walk walk, int* found) {
  const int64_t step = int64_t(gridDim.x) * kThreads;
  for (int64_t i = int64_t(blockIdx.x) * kThreads + threadIdx.x; i < walk.numel; i += step) {
    int64_t at[kMaxOperands];
    walk.offsets(i, at, 1);
    if (load<int64_t>(walk.base[0], at[0], walk.dtype[0]) == 0) *found = 1;
  }
}

// As on the CPU, an integer division by zero is an error. Costs a wait for the device, for integers only.
void check_divisor(const View& divisor) {
  const Workspace flag("division", sizeof(int));
  if (!flag.get()) return;
  const View* views[] = {&divisor};
  const Walk walk = make_walk(views, 1);
  int* const device_found = static_cast<int*>(flag.get());
  int found = 0;
  cudaMemset(device_found, 0, sizeof found);
  LAMINA_LAUNCH(any_zero_kernel, blocks_for(walk.numel), kThreads, walk, device_found);
  check_launch("division");
  cudaMemcpy(&found, device_found, sizeof found, cudaMemcpyDeviceToHost);
  if (found) remember("division", "integer division or remainder by zero");
}

}  // namespace

void elementwise(EwOp op, DType compute, const View* in, int count, const View& out, const double* params) {
  if (op.op == Ew::BitwiseNot && out.dtype == DType::bool_) op.op = Ew::LogicalNot;
  if (out.numel() == 0) return;
  const EwForms& forms = find_row(op.op).part[op.part];
  const EwLaunch launch = compute == DType::float32 ? forms.f32 : compute == DType::float64 ? forms.f64 : forms.i64;
  if (!launch) return unsupported("elementwise", compute);
  const bool divides =
      op.op == Ew::FloorDivide || op.op == Ew::TruncDivide || op.op == Ew::Remainder || op.op == Ew::Fmod;
  if (compute == DType::int64 && divides) check_divisor(in[1]);
  const View* views[kMaxOperands] = {&out};
  for (int j = 0; j < count; ++j) views[j + 1] = &in[j];
  EwCall call{make_walk(views, count + 1), {0, 0, 0}, true};
  for (int i = 0; i < 3 && params; ++i) call.params[i] = params[i];
  call.plain = call.walk.linear;
  for (int j = 0; j <= count; ++j) call.plain = call.plain && call.walk.dtype[j] == compute;
  launch(call);
  check_launch("elementwise");
}

}  // namespace lamina::cuda
