// The elementwise kernel. The walk over all operands is cut into segments; a segment hands the tile function contiguous
// arrays of the compute type: the operand's own memory where it is one, else a buffer that is filled (and emptied) by
// conversion.
#include "cpu/elementwise_tiles.h"
#include "cpu/parallel.h"
#include "cpu/walk.h"

namespace lamina::cpu::inline LAMINA_ISA {
namespace {

constexpr int64_t kTile = 1024;    // elements of a buffer
constexpr int64_t kGrain = 16384;  // elements of a parallel task
constexpr int64_t kShortRow = 128;

#define X(name, Formula) +1
constexpr int kUnaryRows = 0 LAMINA_ELEMENTWISE_UNARY(X), kActivationRows = 0 LAMINA_ELEMENTWISE_ACTIVATION(X);
#undef X

TileFn find_tile(EwOp op, DType compute) {
  int row = int(op.op);
  const TileRow* rows = kUnaryTiles;
  if (row >= kUnaryRows + kActivationRows)
    rows = kBinaryTiles - (kUnaryRows + kActivationRows);
  else if (row >= kUnaryRows)
    rows = kActivationTiles - kUnaryRows;
  const TileFns& t = rows[row].part[op.part];
  const TileFn fn = compute == DType::float32 ? t.f32 : compute == DType::float64 ? t.f64 : t.i64;
  if (!fn) fail("elementwise: this operation has no kernel for this dtype");
  return fn;
}

bool divides(Ew op) { return op == Ew::FloorDivide || op == Ew::TruncDivide || op == Ew::Remainder || op == Ew::Fmod; }

struct Job {
  Walk walk;  // operand 0 is the output
  TileFn fn;
  DType compute;
  const double* params;
  bool integer_division;
  ConvertFn convert[kMaxOperands];

  void check_divisor(const void* b, int64_t n) const {
    const int64_t* p = static_cast<const int64_t*>(b);
    bool zero = false;
    for (int64_t i = 0; i < n; ++i) zero |= p[i] == 0;
    if (zero) fail("integer division or remainder by zero");
  }
  void run(int64_t lo, int64_t hi) const;
  void transfer(bool load, int j, void* buffer, Place at, int64_t n) const;
};

// Moves n elements from `at` on between operand j and a buffer, row by row.
void Job::transfer(bool load, int j, void* buffer, Place at, int64_t n) const {
  const int last = walk.ndim - 1;
  const int64_t stride = walk.stride[j][last];
  for (int64_t done = 0; done < n;) {
    const int64_t left = walk.shape[last] - at.index[last], m = left < n - done ? left : n - done;
    char* mine = advance(walk.base[j], at.offset(walk, j), walk.dtype[j]);
    char* theirs = advance(buffer, done, compute);
    if (load)
      convert[j](mine, stride, theirs, 1, m);
    else
      convert[j](theirs, 1, mine, stride, m);
    at.forward(walk, m);
    done += m;
  }
}

void Job::run(int64_t lo, int64_t hi) const {
  alignas(64) char buffer[kMaxOperands][kTile * 8];
  const void* in[kMaxOperands];
  const void* filled[kMaxOperands] = {};  // the element that a buffer repeats
  const int last = walk.ndim - 1;
  const bool rows = walk.shape[last] >= kShortRow || walk.ndim == 1;
  bool direct[kMaxOperands], all = true;
  for (int j = 0; j < walk.operands; ++j) {
    direct[j] = walk.dtype[j] == compute && (walk.linear[j] || (rows && walk.stride[j][last] == 1));
    all = all && direct[j];
  }
  Place at(walk, lo);
  for (int64_t i = lo; i < hi;) {
    int64_t n = hi - i;
    if (!all && n > kTile) n = kTile;
    if (rows && n > walk.shape[last] - at.index[last]) n = walk.shape[last] - at.index[last];
    for (int j = 0; j < walk.operands; ++j) {
      char* p =
          direct[j] || rows ? advance(walk.base[j], walk.linear[j] ? i : at.offset(walk, j), walk.dtype[j]) : nullptr;
      if (direct[j]) {
        in[j] = p;
        continue;
      }
      in[j] = buffer[j];
      if (j == 0) continue;
      if (!rows) {
        transfer(true, j, buffer[j], at, n);
      } else if (walk.stride[j][last] != 0) {
        convert[j](p, walk.stride[j][last], buffer[j], 1, n);
      } else if (filled[j] != p) {
        convert[j](p, 0, buffer[j], 1, kTile);
        filled[j] = p;
      }
    }
    if (integer_division) check_divisor(in[2], n);
    fn(in + 1, const_cast<void*>(in[0]), n, params);
    if (!direct[0]) transfer(false, 0, buffer[0], at, n);
    i += n;
    if (i < hi) at.forward(walk, n);
  }
}

}  // namespace

void elementwise(EwOp op, DType compute, const View* in, int count, const View& out, const double* params) {
  if (op.op == Ew::BitwiseNot && out.dtype == DType::bool_) op.op = Ew::LogicalNot;
  const int64_t numel = out.numel();
  if (numel == 0) return;
  Job job;
  job.fn = find_tile(op, compute);
  job.integer_division = compute == DType::int64 && divides(op.op);
  // The common case: everything contiguous and of the compute type.
  bool plain = out.dtype == compute && out.contiguous() && !job.integer_division;
  for (int j = 0; plain && j < count; ++j) plain = in[j].dtype == compute && in[j].contiguous();
  if (plain) {
    const int64_t size = int64_t(size_of(compute));
    return for_ranges(numel, kGrain, [&](int64_t lo, int64_t hi) {
      const void* src[kMaxOperands];
      for (int j = 0; j < count; ++j) src[j] = static_cast<const char*>(in[j].data) + lo * size;
      job.fn(src, static_cast<char*>(out.data) + lo * size, hi - lo, params);
    });
  }
  const View* views[kMaxOperands] = {&out};
  for (int j = 0; j < count; ++j) views[j + 1] = &in[j];
  job.walk = make_walk(views, count + 1);
  job.compute = compute;
  job.params = params;
  job.convert[0] = convert_fn(compute, out.dtype);
  for (int j = 0; j < count; ++j) job.convert[j + 1] = convert_fn(in[j].dtype, compute);
  for_ranges(numel, kGrain, [&](int64_t lo, int64_t hi) { job.run(lo, hi); });
}

}  // namespace lamina::cpu::inline LAMINA_ISA
