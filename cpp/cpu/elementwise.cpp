// The elementwise kernel. The walk over all operands is cut into segments; a segment hands the tile function contiguous
// arrays of the compute type: the operand's own memory where it is one, else a buffer that is filled (and emptied) by
// conversion.
#include "cpu/elementwise_tiles.h"
#include "cpu/parallel.h"
#include "cpu/walk.h"
#include "cpu/work.h"
#include "lamina/elementwise_ops.h"

namespace lamina::cpu::inline LAMINA_ISA {
namespace {

constexpr int64_t kTile = 1024;    // elements of a buffer
constexpr int64_t kGrain = 16384;  // elements of a parallel task
constexpr int64_t kShortRow = 128;
constexpr int64_t kSmall = 256;  // elements beside which a number is repeated on the stack

struct Group {
  const TileRow* rows;
  int count;
};
#define X(name, Formula) +1
#define GROUP(tiles, LIST) {tiles, 0 LIST(X)},
constexpr Group kGroups[] = {LAMINA_ELEMENTWISE_GROUPS(GROUP)};
#undef GROUP
#undef X

TileFn find_tile(EwOp op, DType compute) {
  int row = int(op.op);
  const Group* group = kGroups;
  for (; row >= group->count; ++group) row -= group->count;
  const TileFns& t = group->rows[row].part[op.part];
  const TileFn fn = compute == DType::float32 ? t.f32 : compute == DType::float64 ? t.f64 : t.i64;
  if (!fn) fail("elementwise: this operation has no kernel for this dtype");
  return fn;
}

bool divides(Ew op) { return op == Ew::FloorDivide || op == Ew::TruncDivide || op == Ew::Remainder || op == Ew::Fmod; }

// Whether every element is the same place in memory.
bool is_number(const View& v) {
  for (int d = 0; d < v.ndim; ++d)
    if (v.stride[d] != 0 && v.shape[d] != 1) return false;
  return v.ndim > 0;
}
template <class T>
void repeat(void* buffer, const void* value, int64_t n) {
  const T v = *static_cast<const T*>(value);
  for (int64_t i = 0; i < n; ++i) static_cast<T*>(buffer)[i] = v;
}
void run_small(TileFn fn, DType compute, const View* in, int count, void* out, int64_t n, const double* params) {
  alignas(64) char buffer[kMaxOperands][kSmall * 8];
  const void* src[kMaxOperands];
  for (int j = 0; j < count; ++j) {
    src[j] = in[j].data;
    if (n == 1 || !is_number(in[j])) continue;
    if (size_of(compute) == 4)
      repeat<float>(buffer[j], in[j].data, n);
    else
      repeat<int64_t>(buffer[j], in[j].data, n);
    src[j] = buffer[j];
  }
  fn(src, out, n, params);
}

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
  void fetch(int j, const Place& at, int64_t n, int64_t most, char* buffer, const void** filled) const;
  // Rows too short to be tiles of their own: a tile holds several whole ones.
  bool short_rows() const { return walk.ndim > 1 && walk.shape[walk.ndim - 1] < kShortRow; }
};

// Moves n elements from `at` on between operand j and a buffer: part of one row, or whole rows.
void Job::transfer(bool load, int j, void* buffer, Place at, int64_t n) const {
  const int last = walk.ndim - 1;
  const int64_t length = walk.shape[last], col = walk.stride[j][last], row = last ? walk.stride[j][last - 1] : 0;
  for (int64_t done = 0; done < n;) {
    int64_t rows = 1, cols = n;
    if (short_rows()) {
      const int64_t left = walk.shape[last - 1] - at.index[last - 1], want = (n - done) / length;
      rows = left < want ? left : want;
      cols = length;
    }
    const Block mine{advance(walk.base[j], at.offset(walk, j), walk.dtype[j]), row, col};
    const Block theirs{advance(buffer, done, compute), cols, 1};
    if (load)
      convert[j](mine, theirs, rows, cols);
    else
      convert[j](theirs, mine, rows, cols);
    done += rows * cols;
    at.forward_rows(walk, rows, cols);
  }
}

// Brings n elements of operand j from `at` on into its buffer; what repeats from tile to tile is written once, `most`
// elements.
void Job::fetch(int j, const Place& at, int64_t n, int64_t most, char* buffer, const void** filled) const {
  const int last = walk.ndim - 1;
  const int64_t col = walk.stride[j][last];
  const bool periodic = short_rows() ? last == 1 && walk.stride[j][0] == 0 : col == 0;
  if (!periodic) return transfer(true, j, buffer, at, n);
  const char* p = advance(walk.base[j], at.offset(walk, j), walk.dtype[j]);
  if (*filled == p) return;
  *filled = p;
  const int64_t length = short_rows() ? walk.shape[last] : most, rows = short_rows() ? most / length : 1;
  convert[j]({const_cast<char*>(p), 0, col}, {buffer, length, 1}, rows, length);
}

void Job::run(int64_t lo, int64_t hi) const {
  // Not on the stack: threads may have as little as 64 KiB.
  auto* buffer = static_cast<char (*)[kTile * 8]>(scratch(3, kMaxOperands * kTile * 8));
  const void* in[kMaxOperands];
  const void* filled[kMaxOperands] = {};  // the element that a buffer repeats
  const int last = walk.ndim - 1;
  const bool rows = !short_rows();
  const int64_t tile = rows ? kTile : kTile / walk.shape[last] * walk.shape[last],
                most = hi - lo < tile ? hi - lo : tile;
  bool direct[kMaxOperands], all = true;
  for (int j = 0; j < walk.operands; ++j) {
    direct[j] = walk.dtype[j] == compute && (walk.linear[j] || (rows && walk.stride[j][last] == 1));
    all = all && direct[j];
  }
  Place at(walk, lo);
  for (int64_t i = lo; i < hi;) {
    int64_t n = hi - i;
    if (rows && n > walk.shape[last] - at.index[last]) n = walk.shape[last] - at.index[last];
    if (!all && n > tile) n = tile;
    for (int j = 0; j < walk.operands; ++j) {
      in[j] = buffer[j];
      if (direct[j])
        in[j] = advance(walk.base[j], walk.linear[j] ? i : at.offset(walk, j), walk.dtype[j]);
      else if (j > 0)
        fetch(j, at, n, most, buffer[j], &filled[j]);
    }
    if (integer_division) check_divisor(in[2], n);
    fn(in + 1, const_cast<void*>(in[0]), n, params);
    if (!direct[0]) transfer(false, 0, buffer[0], at, n);
    i += n;
    if (i < hi) at = Place(walk, i);
  }
}

}  // namespace

void elementwise(EwOp op, DType compute, const View* in, int count, const View& out, const double* params) {
  if (op.op == Ew::BitwiseNot && out.dtype == DType::bool_) op.op = Ew::LogicalNot;
  const int64_t numel = out.numel();
  if (numel == 0) return;
  // Measured on floats in the cache: exp 0.19 ns.
  const double cost =
      double(numel) * (op.op < Ew::Add || op.op >= Ew::Exp2 || op.part > 0 ? 0.2 : 0.1) * (size_of(compute) / 4);
  Job job;
  job.fn = find_tile(op, compute);
  job.integer_division = compute == DType::int64 && divides(op.op);
  // The common case: everything of the compute type and contiguous, or a number beside a small tensor.
  bool plain = out.dtype == compute && out.contiguous() && !job.integer_division, numbers = false;
  for (int j = 0; plain && j < count; ++j) {
    const bool number = numel <= kSmall && is_number(in[j]);
    numbers = numbers || number;
    plain = in[j].dtype == compute && (number || in[j].contiguous());
  }
  if (plain && numbers) return run_small(job.fn, compute, in, count, out.data, numel, params);
  if (plain) {
    const int64_t size = int64_t(size_of(compute));
    return for_work(cost, numel, kGrain, [&](int64_t lo, int64_t hi) {
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
  const int64_t row = job.short_rows() ? job.walk.shape[job.walk.ndim - 1] : 1;
  for_work(2 * cost, numel, (kGrain + row - 1) / row * row, [&](int64_t lo, int64_t hi) { job.run(lo, hi); });
}

}  // namespace lamina::cpu::inline LAMINA_ISA
